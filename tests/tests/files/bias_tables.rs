//! Tables of biases, by architecture.

use std::path::Path;

use ndarray::Array2;
use positional_encodings::bias::{DecomposedBias, WindowBias};
use positional_encodings::checkpoint::{BiasTable, Checkpoint};
use positional_encodings::{AttentionBias, FileProblem, Positions, T5Bias};

use crate::checkpoints::{file, open, tensor};

/// Returns the names and shapes of the tables found among these tensors.
fn found(
    tensors: &[(&'static str, &[usize])],
    table: BiasTable,
) -> Result<Vec<(String, Array2<f32>)>, FileProblem> {
    let tensors: Vec<_> = tensors.iter().map(|(name, shape)| tensor(name, shape)).collect();
    open(file(&tensors))?.bias_tables(table).map_err(|error| error.problem)
}

#[test]
fn architectures_find_their_tables() {
    use BiasTable::*;
    type Case = (BiasTable, &'static str, &'static [usize], (usize, usize));
    let cases: [Case; 12] = [
        (
            T5Encoder,
            "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
            &[32, 6],
            (32, 6),
        ),
        (
            T5Decoder,
            "decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
            &[32, 6],
            (32, 6),
        ),
        (Mpnet, "mpnet.encoder.relative_attention_bias.weight", &[32, 12], (32, 12)),
        (
            Swin,
            "swin.encoder.layers.0.blocks.0.attention.self.relative_position_bias_table",
            &[9, 3],
            (9, 3),
        ),
        (
            Swin,
            "layers.0.blocks.0.attention.relative_position_bias.relative_position_bias_table",
            &[9, 3],
            (9, 3),
        ),
        (Beit, "encoder.relative_position_bias.relative_position_bias_table", &[12, 3], (12, 3)),
        (Deberta, "deberta.encoder.rel_embeddings.weight", &[8, 4], (8, 4)),
        (
            BertRelativeKey,
            "bert.encoder.layer.0.attention.self.distance_embedding.weight",
            &[7, 4],
            (7, 4),
        ),
        (XlnetR, "transformer.layer.0.rel_attn.r", &[8, 2, 4], (16, 4)),
        (XlnetU, "transformer.layer.0.rel_attn.r_w_bias", &[2, 4], (2, 4)),
        (XlnetV, "transformer.layer.0.rel_attn.r_r_bias", &[2, 4], (2, 4)),
        (SamRows, "vision_encoder.layers.0.attn.rel_pos_h", &[5, 4], (5, 4)),
    ];
    for (table, name, shape, expected) in cases {
        let others: [(&str, &[usize]); 2] =
            [("transformer.layer.0.rel_attn.q", &[2, 2]), ("shifted_attn.rel_pos_hidden", &[2, 2])];
        let tables = found(&[(name, shape), others[0], others[1]], table).unwrap();
        assert_eq!(tables.len(), 1, "{table:?}");
        assert_eq!((tables[0].0.as_str(), tables[0].1.dim()), (name, expected), "{table:?}");
        let missing = found(&others, table);
        assert!(matches!(missing, Err(FileProblem::MissingKey { .. })), "{table:?}");
    }
}

#[test]
fn tables_come_in_the_order_of_layers() {
    let names = ["l.10.attn.rel_pos_w", "l.2.attn.rel_pos_w", "l.1.attn.rel_pos_w"];
    let tensors = names.map(|name| (name, &[3, 2][..]));
    let tables = found(&tensors, BiasTable::SamColumns).unwrap();
    let order: Vec<_> = tables.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(order, [names[2], names[1], names[0]]);
    let (_, columns) = tables.into_iter().next().unwrap();
    DecomposedBias::new([columns.clone(), columns], 2).unwrap();
    // The error for a table of the wrong rank names it.
    let flat = found(&[("a.relative_position_bias_table", &[4])], BiasTable::Swin);
    assert!(matches!(flat, Err(FileProblem::WrongRank { expected: 2, found: 1, .. })));
    let (_, table) = found(&tensors_of_swin(), BiasTable::Swin).unwrap().remove(0);
    let patches = Positions::grid(&[2, 2]).unwrap();
    let bias = WindowBias::swin(table, [2, 2]).unwrap().encode(&patches, &patches).unwrap();
    assert_eq!(bias[[1, 0, 0]], (4 * 3 + 1) as f32 * 0.5);
}

fn tensors_of_swin() -> [(&'static str, &'static [usize]); 1] {
    [("layers.0.blocks.0.relative_position_bias_table", &[9, 3])]
}

/// The table of all-mpnet-base-v2 (tests/golden/README.md).
#[test]
fn the_table_of_a_real_model() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/mpnet_base_v2_bias.safetensors");
    let mut file = Checkpoint::open(path).unwrap();
    let (_, table) = file.bias_tables::<f32>(BiasTable::Mpnet).unwrap().remove(0);
    assert_eq!((table.dim(), table[[0, 0]]), ((32, 12), -4.485_283));
    let bias = T5Bias::bidirectional(table.clone(), 128).unwrap();
    let scores = bias.encode(&Positions::from(0..300), &Positions::from(0..300)).unwrap();
    // Neighbours on either side, and distant keys.
    assert_eq!(scores[[3, 8, 7]], table[[1, 3]]);
    assert_eq!(scores[[3, 7, 8]], table[[17, 3]]);
    assert_eq!(scores[[11, 299, 0]], table[[15, 11]]);
    assert_eq!(scores[[11, 0, 299]], table[[31, 11]]);
    // The table was trained: on average, heads prefer near tokens to distant ones.
    let mean = |rows: [usize; 2]| table.select(ndarray::Axis(0), &rows).mean().unwrap();
    assert!(mean([1, 17]) > mean([15, 31]), "{} {}", mean([1, 17]), mean([15, 31]));
}
