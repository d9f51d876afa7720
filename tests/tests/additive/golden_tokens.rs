//! Token ids to a model's input, and position ids, compared with the libraries: equal to the bit.

use crate::common::Tensors;
use ndarray::{Array1, Array2, Array3, ArrayView2, Axis, s};
use positional_encodings::{
    Error, Learned, PositionalEncoding, Positions, TokenEmbedding, add_positions_at,
    embed_with_positions, embed_with_positions_at, ids,
};

type Outcome = Result<(), Error>;

fn text() -> Tensors {
    Tensors::golden("b1_learned_text")
}

fn matrix(golden: &Tensors, name: &str) -> Array2<f32> {
    golden.get(name)
}

fn batch(golden: &Tensors, name: &str) -> Array2<i64> {
    golden.get(name)
}

#[track_caller]
fn same_bits<'a>(
    found: impl IntoIterator<Item = &'a f32>,
    expected: impl IntoIterator<Item = &'a f32>,
) {
    let (found, expected) =
        (found.into_iter().map(|x| x.to_bits()), expected.into_iter().map(|x| x.to_bits()));
    assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[track_caller]
fn same_sum(found: &Array3<f32>, golden: &Tensors, name: &str) {
    let expected: Array3<f32> = golden.get(name);
    assert_eq!(found.dim(), expected.dim());
    same_bits(found, &expected);
}

/// Rows of a learned table at ids (batch, len), without words.
fn rows_at(learned: &Learned<f32>, ids: &Array2<i64>) -> Result<Array3<f32>, Error> {
    let mut rows = Array3::zeros((ids.nrows(), ids.ncols(), learned.dim()));
    for (ids, rows) in ids.outer_iter().zip(rows.outer_iter_mut()) {
        learned.encode_into(&Positions::from(ids), rows)?;
    }
    Ok(rows)
}

#[test]
fn bert() -> Outcome {
    let golden = text();
    let positions = Learned::from_table(matrix(&golden, "bert/position"))?;
    let bert = TokenEmbedding::new(matrix(&golden, "bert/word"), positions)?
        .with_segments(matrix(&golden, "bert/token_type"))?;
    let (tokens, segments) =
        (batch(&golden, "bert/input_ids"), batch(&golden, "bert/token_type_ids"));
    let lookup = || bert.lookup(&tokens).with_segments(&segments);
    same_sum(&lookup().embed()?, &golden, "bert/sum");
    same_sum(&lookup().at(4..11).embed()?, &golden, "bert_past/sum");
    let ids = batch(&golden, "bert_position_ids/position_ids");
    same_sum(&lookup().at(&ids).embed()?, &golden, "bert_position_ids/sum");
    Ok(())
}

/// Applies LayerNorm to the sum, to check that the golden file is consistent.
#[test]
fn layer_norm_of_the_sum_is_the_output() -> Outcome {
    let golden = text();
    for (name, epsilon) in [("bert", 1e-12), ("roberta", 1e-5), ("bart", 1e-5)] {
        let sum: Array3<f32> = golden.get(&format!("{name}/sum"));
        let out: Array3<f32> = golden.get(&format!("{name}/out"));
        let weight: Array1<f32> = golden.get(&format!("{name}/ln_weight"));
        let bias: Array1<f32> = golden.get(&format!("{name}/ln_bias"));
        for (sum, out) in sum.rows().into_iter().zip(out.rows()) {
            let sum = sum.mapv(f64::from);
            let mean = sum.mean().unwrap();
            let deviation = (sum.mapv(|x| (x - mean).powi(2)).mean().unwrap() + epsilon).sqrt();
            for i in 0..sum.len() {
                let expected =
                    (sum[i] - mean) / deviation * f64::from(weight[i]) + f64::from(bias[i]);
                assert!((f64::from(out[i]) - expected).abs() < 1e-5, "{name}");
            }
        }
    }
    Ok(())
}

#[test]
fn roberta() -> Outcome {
    let golden = text();
    for (name, past) in [("roberta", 0), ("roberta_past", 3)] {
        let tensor = |part: &str| format!("{name}/{part}");
        let positions = Learned::from_table(matrix(&golden, &tensor("position")))?;
        let roberta = TokenEmbedding::new(matrix(&golden, &tensor("word")), positions)?
            .with_segments(matrix(&golden, &tensor("token_type")))?;
        let tokens = batch(&golden, &tensor("input_ids"));
        let ids = ids::padding_aware(&tokens, 1, past).unwrap();
        assert_eq!(ids, batch(&golden, &tensor("position_ids")), "{name}");
        // Without segments, all tokens are in segment 0.
        same_sum(&roberta.lookup(&tokens).at(&ids).embed()?, &golden, &tensor("sum"));
    }
    Ok(())
}

/// Words as vectors: positions follow the padding id, and the segment row is added first.
#[test]
fn roberta_inputs_embeds() -> Outcome {
    let golden = text();
    let learned = Learned::from_table(matrix(&golden, "roberta/position"))?;
    let expected = batch(&golden, "roberta_inputs_embeds/position_ids");
    assert!(expected.outer_iter().all(|row| row.iter().copied().eq(2..9)));
    let mut words: Array3<f32> = golden.get("roberta_inputs_embeds/inputs_embeds");
    words += &matrix(&golden, "roberta/token_type").row(0);
    same_sum(
        &embed_with_positions_at(&words, &learned, 2..9)?,
        &golden,
        "roberta_inputs_embeds/sum",
    );
    add_positions_at(words.view_mut(), &learned, &expected)?;
    same_sum(&words, &golden, "roberta_inputs_embeds/sum");
    Ok(())
}

#[test]
fn gpt2() -> Outcome {
    let golden = text();
    let positions = Learned::from_table(matrix(&golden, "gpt2/wpe"))?;
    let gpt2 = TokenEmbedding::new(matrix(&golden, "gpt2/wte"), positions)?;
    same_sum(&gpt2.embed(&batch(&golden, "gpt2/input_ids"))?, &golden, "gpt2/sum");
    let tokens = batch(&golden, "gpt2_forward_ignores_mask/input_ids");
    same_sum(&gpt2.embed(&tokens)?, &golden, "gpt2_forward_ignores_mask/sum");

    let mask = batch(&golden, "gpt2_left_padded/attention_mask");
    let ids = ids::from_mask(&mask, 0).unwrap();
    assert_eq!(ids, batch(&golden, "gpt2_left_padded/position_ids"));
    let tokens = batch(&golden, "gpt2_left_padded/input_ids");
    same_sum(&gpt2.lookup(&tokens).at(&ids).embed()?, &golden, "gpt2_left_padded/sum");

    // One token at a time, as a decoder does.
    for column in 0..tokens.ncols() {
        let step = s![.., column..column + 1];
        let found = gpt2.lookup(&tokens.slice(step)).at(&ids.slice(step)).embed()?;
        let expected: Array3<f32> = golden.get("gpt2_left_padded/sum");
        same_bits(&found, expected.slice(s![.., column..column + 1, ..]).iter());
    }
    Ok(())
}

#[test]
fn opt() -> Outcome {
    let golden = text();
    let learned = Learned::from_table(matrix(&golden, "opt/position"))?.with_offset(2)?;
    let opt = TokenEmbedding::new(matrix(&golden, "opt/token"), learned)?;
    let ids = ids::from_mask(&batch(&golden, "opt/attention_mask"), -1).unwrap();
    let tokens = batch(&golden, "opt/input_ids");
    same_sum(&opt.lookup(&tokens).at(&ids).embed()?, &golden, "opt/sum");

    // A decode step takes a slice of the ids of the whole mask.
    let learned = Learned::from_table(matrix(&golden, "opt_proj/position"))?.with_offset(2)?;
    let ids = ids::from_mask(&batch(&golden, "opt_decode_step/attention_mask"), -1).unwrap();
    let rows = rows_at(&learned, &ids.slice(s![.., 4..]).to_owned())?;
    same_sum(&rows, &golden, "opt_decode_step/position_rows");
    Ok(())
}

/// Words narrower than the model, projected before positions are added.
#[test]
fn opt_with_projection() -> Outcome {
    let golden = text();
    let learned = Learned::from_table(matrix(&golden, "opt_proj/position"))?.with_offset(2)?;
    let (words, project) =
        (matrix(&golden, "opt_proj/token"), matrix(&golden, "opt_proj/project_in"));
    let tokens = batch(&golden, "opt_proj/input_ids");
    let mut projected = Array3::<f32>::zeros((tokens.nrows(), tokens.ncols(), learned.dim()));
    for (&token, mut out) in tokens.iter().zip(projected.rows_mut()) {
        let word = words.row(token as usize);
        for (out, weights) in out.iter_mut().zip(project.rows()) {
            let products = word.iter().zip(weights).map(|(&x, &w)| f64::from(x) * f64::from(w));
            *out = products.sum::<f64>() as f32;
        }
    }
    let ids = ids::from_mask(&batch(&golden, "opt_proj/attention_mask"), -1).unwrap();
    let found = embed_with_positions_at(&projected, &learned, &ids)?;
    let expected: Array3<f32> = golden.get("opt_proj/sum");
    // The library's matrix product adds in its own order; the addition of positions is exact to the
    // bit.
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() <= 2.0 * f32::EPSILON, "{found} instead of {expected}");
    }
    Ok(())
}

#[test]
fn bart() -> Outcome {
    let golden = text();
    for (name, scale) in [("bart", 1.0), ("bart_scaled", 8_f64.sqrt())] {
        let tensor = |part: &str| format!("{name}/{part}");
        let learned = Learned::from_table(matrix(&golden, &tensor("position")))?.with_offset(2)?;
        let bart =
            TokenEmbedding::new(matrix(&golden, &tensor("token")), learned)?.with_scale(scale)?;
        same_sum(&bart.embed(&batch(&golden, &tensor("input_ids")))?, &golden, &tensor("sum"));
    }
    let learned = Learned::from_table(matrix(&golden, "bart_decode_step/decoder_position"))?
        .with_offset(2)?;
    let expected: Array3<f32> = golden.get("bart_decode_step/position_rows");
    for rows in expected.outer_iter() {
        same_bits(&learned.encode(&Positions::from(3..5))?, rows.iter());
    }
    Ok(())
}

#[test]
fn fairseq_learned() -> Outcome {
    let golden = text();
    let learned = Learned::from_table(matrix(&golden, "fairseq_learned/position"))?;
    let ids = ids::padding_aware(&batch(&golden, "fairseq_learned/input_ids"), 1, 0).unwrap();
    same_sum(&rows_at(&learned, &ids)?, &golden, "fairseq_learned/out");
    // A fresh table has a row of zeros for padding.
    let fresh = learned.with_zero_row(1)?;
    assert!(fresh.table().row(1).iter().all(|&value| value == 0.0));
    Ok(())
}

#[test]
fn keras_hub() -> Outcome {
    let golden = Tensors::golden("b3_learned_keras");
    let learned = Learned::from_table(matrix(&golden, "position_embedding/table"))?;
    let words: Array3<f32> = golden.get("position_embedding/x");
    same_sum(&embed_with_positions(&words, &learned)?, &golden, "position_embedding/sum");
    let rows: Array3<f32> = golden.get("position_embedding/out");
    for rows in rows.outer_iter() {
        same_bits(&learned.encode(&Positions::from(0..5))?, rows.iter());
    }
    let ids = batch(&golden, "position_embedding_positions/positions");
    same_sum(&rows_at(&learned, &ids)?, &golden, "position_embedding_positions/out");
    same_bits(
        &learned.encode(&Positions::from(4..9))?,
        &matrix(&golden, "position_embedding_start/out"),
    );
    // Past the end keras-hub raises an error, and so does this crate.
    assert_eq!(golden.list::<i64>("position_embedding_start_past_end/raises"), [1]);
    let past_end = learned.encode(&Positions::from(9..14));
    assert_eq!(past_end, Err(Error::PositionOutsideTable { position: 12.0, first: 0, len: 12 }));

    let learned = Learned::from_table(matrix(&golden, "token_and_position/position"))?;
    let embedding = TokenEmbedding::new(matrix(&golden, "token_and_position/token"), learned)?;
    let tokens = batch(&golden, "token_and_position/ids");
    same_sum(&embedding.embed(&tokens)?, &golden, "token_and_position/out");
    same_sum(&embedding.lookup(&tokens).at(4..9).embed()?, &golden, "token_and_position/out_start");
    Ok(())
}

/// Sums by tokens are the same in every integer type, one sequence at a time, and in a given array.
#[test]
fn ways_to_the_same_sum() -> Outcome {
    let golden = text();
    let positions = Learned::from_table(matrix(&golden, "gpt2/wpe"))?;
    let gpt2 = TokenEmbedding::new(matrix(&golden, "gpt2/wte"), positions)?;
    let tokens = batch(&golden, "gpt2/input_ids");
    let expected: Array3<f32> = golden.get("gpt2/sum");
    same_sum(&gpt2.embed(&tokens.mapv(|token| token as u32))?, &golden, "gpt2/sum");
    same_sum(&gpt2.embed(&tokens.mapv(|token| token as u8))?, &golden, "gpt2/sum");
    same_sum(&gpt2.embed(&tokens.mapv(|token| token as usize))?, &golden, "gpt2/sum");
    for (tokens, expected) in tokens.outer_iter().zip(expected.outer_iter()) {
        let found: Array2<f32> = gpt2.embed(&tokens)?;
        same_bits(&found, expected.iter());
    }
    let mut out = Array3::from_elem(expected.dim(), f32::NAN);
    gpt2.lookup(&tokens).embed_into(out.view_mut())?;
    same_bits(&out, &expected);
    let mut reversed = Array3::from_elem((8, 7, 2), f32::NAN);
    gpt2.lookup(&tokens).embed_into(reversed.view_mut().reversed_axes())?;
    same_bits(reversed.t().iter(), &expected);

    // The reference: look up, then add.
    let table: ArrayView2<'_, f32> = gpt2.words();
    let words =
        Array3::from_shape_fn(expected.dim(), |(i, j, k)| table[[tokens[[i, j]] as usize, k]]);
    same_bits(&embed_with_positions(&words, gpt2.positions())?, &expected);
    assert_eq!(words.len_of(Axis(2)), gpt2.positions().dim());
    Ok(())
}
