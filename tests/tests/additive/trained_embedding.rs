//! A token embedding that is trained as a whole: words, segments and positions.

use ndarray::{Array2, Array3, array};
use positional_encodings::{
    Error, Learned, PositionalEncoding, TokenEmbedding,
    training::{Scaled, Trainable},
    words::Lookup,
};

use crate::training::table;

#[test]
fn an_embedding_is_trained_as_a_whole() {
    let words = table(5, 2).into_table();
    let positions = Scaled::new(table(4, 2), 0.5).unwrap();
    let mut embedding = TokenEmbedding::new(words, positions)
        .unwrap()
        .with_segments(table(2, 2).into_table())
        .unwrap();
    let names: Vec<String> =
        embedding.parameters().iter().map(|parameter| parameter.to_string()).collect();
    assert_eq!(
        names,
        [
            "words [5, 2]",
            "segments [2, 2]",
            "positions.scale []",
            "positions.encoding.table [4, 2]"
        ]
    );
    let (tokens, segments) = (array![[1, 4, 1], [0, 2, 3]], array![[0, 1, 1], [0, 0, 1]]);
    let ids = array![[0_i64, 1, 3], [2, 2, 0]];
    let upstream = Array3::from_shape_fn((2, 3, 2), |(b, i, j)| (b * 6 + i * 2 + j) as f64 - 4.5);
    let mut gradient = vec![0.0; embedding.parameter_count()];
    fn at<'a, E: PositionalEncoding<f64>>(
        embedding: &'a TokenEmbedding<f64, E>,
        [tokens, segments, ids]: [&'a Array2<i64>; 3],
    ) -> Lookup<'a, f64, E, i64, ndarray::Ix2> {
        embedding.lookup(tokens).with_segments(segments).at(ids)
    }
    let inputs = [&tokens, &segments, &ids];
    at(&embedding, inputs).backward(upstream.view(), &mut gradient).unwrap();
    // The loss is linear in words and segments and bilinear in the rest: differences are exact.
    let loss = |embedding: &TokenEmbedding<f64, Scaled<Learned<f64>>>| {
        (at(embedding, inputs).embed().unwrap() * &upstream).sum()
    };
    let values = embedding.values();
    for (index, slope) in gradient.iter().enumerate() {
        let mut at = |step: f64| {
            let mut moved = values.clone();
            moved[index] += step;
            embedding.set_values(&moved).unwrap();
            loss(&embedding)
        };
        let difference = (at(0.5) - at(-0.5)) / 1.0;
        assert!((difference - slope).abs() < 1e-9, "{index}: {difference} {slope}");
    }
    // Positions that are refused leave the words unchanged.
    embedding.set_values(&values).unwrap();
    let mut bad = vec![1.0; values.len()];
    bad[14] = f64::NAN;
    assert!(embedding.set_values(&bad).is_err());
    assert_eq!(embedding.values(), values);
    let mut short = vec![0.0; gradient.len() - 1];
    assert!(at(&embedding, inputs).backward(upstream.view(), &mut short).is_err());
}

#[test]
fn positions_of_another_dim_are_found_out() {
    let mut embedding = TokenEmbedding::new(table(5, 2).into_table(), table(4, 2)).unwrap();
    *embedding.positions_mut() = table(4, 3);
    assert_eq!(
        embedding.embed(&array![1, 2]).unwrap_err(),
        Error::WidthMismatch { expected: 3, found: 2 }
    );
}
