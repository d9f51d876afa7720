//! The excerpt of all-MiniLM-L6-v2 in the examples gives the same sum as the whole model.

use ndarray::{Array1, arr1};
use positional_encodings::{Learned, TokenEmbedding};

#[allow(dead_code)]
#[path = "../../../examples/data/mod.rs"]
mod data;
use data::{MiniLm, words_of};

#[test]
fn the_sum_is_the_models() {
    let minilm = MiniLm::load().unwrap();
    let embedding = TokenEmbedding::new(
        minilm.words.clone(),
        Learned::from_table(minilm.positions.clone()).unwrap(),
    )
    .unwrap()
    .with_segments(minilm.types.clone())
    .unwrap();
    let input = embedding.embed(&arr1(&[minilm.cls])).unwrap();
    // From a forward pass of the model that agrees with sentence-transformers to six digits.
    for (value, expected) in
        input.iter().zip([-0.08855709_f32, -0.03675481, 0.01803644, -0.00051268])
    {
        assert!((value - expected).abs() < 1e-8, "{value} instead of {expected}");
    }
}

#[test]
fn the_tables_fit_together() {
    let minilm = MiniLm::load().unwrap();
    assert_eq!(minilm.words.dim(), (minilm.tokens.len(), 384));
    assert_eq!(minilm.positions.dim(), (128, 384));
    assert_eq!(minilm.types.dim(), (2, 384));
    assert!(
        [&minilm.words, &minilm.positions, &minilm.types]
            .iter()
            .all(|table| table.iter().all(|x| x.is_finite()))
    );
}

#[test]
fn words_are_spelt_by_their_longest_pieces() {
    let minilm = MiniLm::load().unwrap();
    let spell = |word| -> Option<Vec<&str>> {
        Some(minilm.spell(word)?.into_iter().map(|id| minilm.tokens[id].as_str()).collect())
    };
    assert_eq!(words_of("The  DOG's\tbone.\u{1b}\n"), ["the", "dog", "'", "s", "bone", "."]);
    assert_eq!(spell("jumps"), Some(vec!["jumps"]));
    assert_eq!(spell("goodness"), Some(vec!["good", "##ness"]));
    assert_eq!(spell("été"), None);
    assert_eq!(spell(&"a".repeat(101)), None);
    let default: Array1<usize> = words_of("The quick brown fox jumps over the lazy dog")
        .iter()
        .flat_map(|word| minilm.spell(word))
        .flatten()
        .collect();
    assert_eq!(default.len(), 9);
}
