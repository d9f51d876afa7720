//! GGUF files: tables, lists, metadata, and damage.

use std::io::Cursor;

use gguf_rs_lib::format::MetadataValue;
use gguf_rs_lib::prelude::GGUFBuilder;
use ndarray::{Array2, array};
use positional_encodings::{FileProblem, Learned, checkpoint::Gguf};

fn file() -> Vec<u8> {
    let builder = GGUFBuilder::simple("model", "a test")
        .add_metadata("general.architecture", MetadataValue::String("gpt2".into()))
        .add_metadata("gpt2.rope.freq_base", MetadataValue::F32(100_000.0))
        .add_metadata("gpt2.context_length", MetadataValue::U32(8192))
        // GGUF names the fastest axis first: 3 rows of 2
        .add_f32_tensor("position_embd.weight", vec![2, 3], vec![0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
        .and_then(|builder| {
            builder.add_f32_tensor("rope_freqs.weight", vec![4], vec![1.0, 1.0, 2.0, 8.0])
        })
        .unwrap();
    builder.build_to_bytes().unwrap().0
}

fn open(bytes: &[u8]) -> Result<Gguf<Cursor<&[u8]>>, FileProblem> {
    Gguf::from_reader(Cursor::new(bytes), "test.gguf").map_err(|error| error.problem)
}

#[test]
fn tables_lists_and_metadata_are_read() {
    let bytes = file();
    let mut gguf = open(&bytes).unwrap();
    assert_eq!(gguf.keys().collect::<Vec<_>>(), ["position_embd.weight", "rope_freqs.weight"]);
    assert_eq!(
        (gguf.architecture(), gguf.real("gpt2.rope.freq_base")),
        (Some("gpt2"), Some(100_000.0))
    );
    assert_eq!(
        (gguf.real("gpt2.context_length"), gguf.real("general.architecture")),
        (Some(8192.0), None)
    );
    let learned: Learned<f32> = gguf.learned("position_embd.weight").unwrap();
    assert_eq!(learned.table(), array![[0.5, 1.0], [1.5, 2.0], [2.5, 3.0]]);
    let doubles: Array2<f64> = gguf.table("position_embd.weight").unwrap();
    assert_eq!(doubles[[2, 1]], 3.0);
    assert_eq!(gguf.vector::<f32>("rope_freqs.weight").unwrap(), array![1.0, 1.0, 2.0, 8.0]);
    let rank = FileProblem::WrongRank { key: "rope_freqs.weight".into(), expected: 2, found: 1 };
    assert_eq!(gguf.table::<f32>("rope_freqs.weight").unwrap_err().problem, rank);
    assert!(matches!(
        gguf.table::<f32>("missing").unwrap_err().problem,
        FileProblem::MissingKey { .. }
    ));
    let error = Gguf::open("/nowhere.gguf").unwrap_err();
    assert!(matches!(error.problem, FileProblem::Io { .. }));
}

/// From a file to the rotations of its layers.
#[test]
#[cfg(feature = "serde")]
fn rotations_of_a_file() {
    use gguf_rs_lib::format::{GGUFValueType, MetadataArray};
    use positional_encodings::config::ModelRotary;

    let pattern = [true, false].map(MetadataValue::Bool).to_vec();
    let pattern = MetadataArray::new(GGUFValueType::Bool, pattern).unwrap();
    let tokens =
        MetadataArray::new(GGUFValueType::String, vec![MetadataValue::String("a".into())]).unwrap();
    let bytes = GGUFBuilder::simple("model", "a test")
        .add_metadata("general.architecture", MetadataValue::String("gemma4".into()))
        .add_metadata("gemma4.block_count", MetadataValue::U32(2))
        .add_metadata("gemma4.attention.key_length", MetadataValue::U32(8))
        .add_metadata("gemma4.attention.key_length_swa", MetadataValue::U32(4))
        .add_metadata(
            "gemma4.attention.sliding_window_pattern",
            MetadataValue::Array(Box::new(pattern)),
        )
        .add_metadata("gemma4.rope.freq_base", MetadataValue::F32(1e6))
        .add_metadata("gemma4.rope.freq_base_swa", MetadataValue::F32(1e4))
        .add_metadata("gemma4.list_of_text", MetadataValue::Array(Box::new(tokens)))
        .add_metadata("tokenizer.ggml.bos_token_id", MetadataValue::U32(1))
        .add_f32_tensor("rope_freqs.weight", vec![4], vec![1.0, 1e30, 1e30, 1e30])
        .unwrap();
    let bytes = bytes.build_to_bytes().unwrap().0;
    let mut gguf = open(&bytes).unwrap();
    assert!(
        gguf.metadata().all(|(key, _)| key.starts_with("gemma4.") || key == "general.architecture")
    );
    assert_eq!(gguf.metadata().count(), 7);
    let model = ModelRotary::from_gguf(gguf.metadata()).unwrap();
    let [sliding, full] = [0, 1].map(|layer| model.layer(layer).unwrap().unwrap());
    assert_eq!((sliding.dim, sliding.base, full.dim, full.base), (4, 1e4, 8, 1e6));
    let mut full = full.clone();
    full.divisors = Some(gguf.vector::<f64>("rope_freqs.weight").unwrap().to_vec());
    let frequencies = full.rotary(1).unwrap().frequencies();
    assert!(
        frequencies[0] == 1.0 && frequencies[1..].iter().all(|&frequency| frequency < 1e-30),
        "{frequencies:?}"
    );
}

#[test]
fn damage_is_an_error() {
    let bytes = file();
    for len in 0..bytes.len() - 1 {
        let refused = open(&bytes[..len]).and_then(|mut gguf| {
            let first: Result<Array2<f32>, _> = gguf.table("position_embd.weight");
            first
                .and_then(|_| gguf.vector::<f32>("rope_freqs.weight"))
                .map_err(|error| error.problem)
        });
        if let Ok(list) = refused {
            // Only padding was cut.
            assert_eq!(list, array![1.0, 1.0, 2.0, 8.0]);
        }
    }
    assert!(matches!(open(b"GGUX").unwrap_err(), FileProblem::InvalidHeader { .. }));
    let mut nan = bytes.clone();
    let place = nan.windows(4).rposition(|window| window == 3.0_f32.to_le_bytes()).unwrap();
    nan[place..place + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    let problem = open(&nan).unwrap().table::<f32>("position_embd.weight").unwrap_err().problem;
    assert_eq!(
        problem,
        FileProblem::NotFinite {
            key: "position_embd.weight".into(),
            index: 5,
            byte: Some(place as u64)
        }
    );
}
