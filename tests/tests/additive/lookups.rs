//! Lookups of tokens on any number of axes, in tables that change, and with rows that do not.

use ndarray::{Array1, Array2, Array3, array};
use positional_encodings::{Error, Learned, TokenEmbedding};

fn embedding(words: usize, len: usize) -> TokenEmbedding<f32, Learned<f32>> {
    let table = |rows: usize, factor: f32| {
        Array2::from_shape_fn((rows, 3), |(i, k)| factor * (3 * i + k) as f32)
    };
    TokenEmbedding::new(table(words, 1.0), Learned::from_table(table(len, 0.5)).unwrap())
        .and_then(|embedding| embedding.with_segments(table(2, 100.0)))
        .unwrap()
}

/// Each token's vector is the same, however the batch is arranged.
#[test]
fn batches_of_batches() -> Result<(), Error> {
    let embedding = embedding(20, 5);
    let tokens = Array3::from_shape_fn((2, 3, 5), |(a, b, c)| (7 * a + 5 * b + 3 * c) % 20);
    let segments = tokens.mapv(|token| token % 2);
    let (flat, kinds) = (tokens.to_shape((6, 5)).unwrap(), segments.to_shape((6, 5)).unwrap());
    let expected = embedding.lookup(&flat).with_segments(&kinds).embed()?;
    let lookup = embedding.lookup(&tokens).with_segments(&segments);
    let text = format!("{lookup:?}");
    assert!(text.contains("tokens: [2, 3, 5], segments: Some([2, 3, 5])"), "{text}");
    let found = lookup.embed()?;
    assert_eq!(found.to_shape((6, 5, 3)).unwrap(), expected);
    let (token, segment) = (tokens[[1, 2, 4]], segments[[1, 2, 4]]);
    assert_eq!(found[[1, 2, 4, 0]], (3 * token + 300 * segment + 6) as f32);
    Ok(())
}

/// Frozen words get no gradient; a range without words may be anywhere.
#[test]
fn words_that_do_not_change() -> Result<(), Error> {
    let frozen = embedding(4, 4).with_frozen_words(1..3)?.with_frozen_words(9..9)?;
    let (mut gradient, upstream) = (Array2::zeros((4, 3)), Array2::ones((4, 3)));
    let tokens = array![0, 1, 2, 3];
    frozen.lookup(&tokens).backward_words(upstream.view(), gradient.view_mut())?;
    assert_eq!(gradient.column(0), array![1.0, 0.0, 0.0, 1.0]);
    let error = embedding(4, 4).with_frozen_words(3..5).unwrap_err();
    assert!(matches!(error, Error::PositionOutsideTable { len: 4, .. }), "{error}");
    Ok(())
}

/// Changes of the tables are seen by the next lookup.
#[test]
fn tables_that_change() -> Result<(), Error> {
    let mut embedding = embedding(4, 4);
    embedding.segments_mut().unwrap().fill(1000.0);
    embedding.words_mut().fill(1.0);
    let tokens = Array1::from_elem(2, 3);
    assert_eq!(embedding.embed(&tokens)?.column(0), array![1001.0, 1002.5]);
    let mut plain = TokenEmbedding::new(array![[1.0_f32]], Learned::from_table(array![[1.0]])?)?;
    assert!(plain.segments_mut().is_none());
    Ok(())
}
