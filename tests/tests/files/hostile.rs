//! Readers on damaged and random files: any bytes give a result or a typed error, in memory
//! proportional to the file.
//!
//! A fuzzer proper (cargo-fuzz) needs nightly; these run on stable. Each starts from valid files,
//! changes them as a fuzzer would (bits, bytes, cuts, repeats, numbers that matter to the format),
//! and feeds them to a reader. They run for a moment in `cargo test`; to search for longer, set the
//! number of seconds for each:
//!
//! ```text
//! FUZZ_SECONDS=600 cargo test --release --all-features --test files -- hostile --nocapture
//! ```
//!
//! Inputs that found faults are tests of their own at the end.

use std::io::BufReader;
use std::time::{Duration, Instant};

use positional_encodings::{
    FileProblem,
    words::{Duplicates, WordFormat, WordVectors},
};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A source of random choices.
struct Chance(ChaCha8Rng);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound.max(1) as u64) as usize
    }
}

/// Pieces of files that have a meaning in a format.
const PIECES: [&[u8]; 26] = [
    b"\n",
    b" ",
    b"\r\n",
    b"{",
    b"}",
    b"\"",
    b":",
    b",",
    b"[0,4]",
    b"-",
    b"1e999",
    b"nan",
    b"0",
    b"18446744073709551615",
    b"9223372036854775808",
    b"F16",
    b"BF16",
    b"F64",
    b"\"a\"",
    b"__metadata__",
    b"shape",
    b"\0",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x00\x00\xc0\x7f",
    b"[[[[[[[[",
    b"\xc3",
];

/// Returns one of the seeds, or pieces of two of them, with a few changes.
fn mutate(chance: &mut Chance, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[chance.below(seeds.len())].clone();
    for _ in 0..1 + chance.below(6) {
        let at = chance.below(bytes.len() + 1);
        let len = chance.below((bytes.len() - at).min(40) + 1);
        match chance.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            1 if at < bytes.len() => bytes[at] = chance.below(256) as u8,
            2 => drop(bytes.drain(at..at + len)),
            3 => bytes.truncate(at),
            4 => {
                let piece = bytes[at..at + len].to_vec();
                bytes.splice(at..at, piece);
            }
            5 => {
                let other = &seeds[chance.below(seeds.len())];
                let from = chance.below(other.len());
                let piece = other[from..(from + 60).min(other.len())].to_vec();
                bytes.splice(at..at + len, piece);
            }
            6 => {
                drop(bytes.splice(at..at + len, PIECES[chance.below(PIECES.len())].iter().copied()))
            }
            // The length at the head of a safetensors file, close to the true one or far from it
            _ => bytes
                .iter_mut()
                .take(chance.below(9))
                .for_each(|byte| *byte = byte.wrapping_add(chance.below(3) as u8)),
        }
    }
    bytes
}

/// Feeds changed seeds to `reader`, which panics if the result is wrong.
fn search(name: &str, seeds: &[Vec<u8>], reader: impl Fn(&[u8])) {
    let seconds: u64 =
        std::env::var("FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
    let seed = if seconds == 0 {
        [7; 32]
    } else {
        std::array::from_fn(|i| (std::process::id() >> (i % 4 * 8)) as u8)
    };
    let mut chance = Chance(ChaCha8Rng::from_seed(seed));
    seeds.iter().for_each(|seed| reader(seed));
    let (start, mut runs) = (Instant::now(), 0_u64);
    while if seconds == 0 { runs < 20_000 } else { start.elapsed() < Duration::from_secs(seconds) }
    {
        let bytes = mutate(&mut chance, seeds);
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| reader(&bytes)));
        assert!(answer.is_ok(), "{name}: {}", bytes.escape_ascii());
        runs += 1;
    }
    println!("{name}: {runs} files in {:.0?}", start.elapsed());
}

/// Reads words; results must be finite, complete and no larger than the file allows.
fn words(format: WordFormat) -> impl Fn(&[u8]) {
    move |bytes| {
        for (duplicates, capacity, only) in [
            (Duplicates::Refuse, 1 << 16, false),
            (Duplicates::KeepFirst, 3, false),
            (Duplicates::KeepFirst, 1 << 16, true),
        ] {
            let mut reader = WordVectors::reader(format).with_duplicates(duplicates);
            if only {
                reader = reader.only(["the", "cat"]);
            }
            match reader.read_from(BufReader::with_capacity(capacity, bytes), "fuzz") {
                Ok(vectors) => {
                    assert!(vectors.table().iter().all(|value| value.is_finite()));
                    assert_eq!(vectors.table().nrows(), vectors.vocabulary().len());
                    assert!(vectors.table().len() <= bytes.len());
                    let found =
                        |(row, word): (usize, &[u8])| vectors.vocabulary().row(word) == Some(row);
                    assert!(vectors.vocabulary().iter().enumerate().all(found));
                }
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        }
    }
}

#[test]
fn glove() {
    let seeds: [&[u8]; 3] = [
        b"the 0.418 0.24968 -0.41242\n. . . -1e-3 2 3\nat name@domain.com 4 5 6\n<unk> 7 8 9\n\xff\xfe 1 2 3\r\n",
        b"a 1\nb 2\nc 3",
        b"cat 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8\nthe 1 2 3 4 5 6 7 8\n",
    ];
    search("glove", &seeds.map(<[u8]>::to_vec), words(WordFormat::Glove));
}

#[test]
fn word2vec_text() {
    let seeds: [&[u8]; 2] = [b"2 3\n</s> 1 2 3 \nthe 4 5 6 \n\n", b"3 1\ncat 1\nthe 2\nno -3e-5"];
    search("word2vec text", &seeds.map(<[u8]>::to_vec), words(WordFormat::Word2vecText));
}

#[test]
fn word2vec_binary() {
    let file = |line_feed: &[u8]| {
        let mut bytes = b"3 4\n".to_vec();
        for (row, word) in ["the", "cat", "New_York"].iter().enumerate() {
            bytes.extend(word.bytes().chain([b' ']));
            bytes.extend((0..4).flat_map(|j| ((row * 4 + j) as f32 * 0.1).to_le_bytes()));
            bytes.extend(line_feed);
        }
        bytes
    };
    search("word2vec binary", &[file(b""), file(b"\n")], words(WordFormat::Word2vecBinary));
}

#[cfg(feature = "safetensors")]
mod checkpoints {
    use std::io::Cursor;

    use super::*;
    use positional_encodings::{
        Learned,
        checkpoint::{Architecture, Checkpoint},
    };

    fn read(bytes: &[u8]) {
        let mut checkpoint = match Checkpoint::from_reader(Cursor::new(bytes), "fuzz") {
            Ok(checkpoint) => checkpoint,
            Err(error) => return assert!(!error.to_string().is_empty()),
        };
        let keys: Vec<String> = checkpoint.keys().map(str::to_string).collect();
        for key in keys {
            for table in [
                checkpoint.table::<f64>(&key),
                checkpoint.table_rounded::<f32>(&key).map(|t| t.mapv(f64::from)),
            ] {
                match table {
                    Ok(table) => assert!(
                        table.len() <= bytes.len() && table.iter().all(|value| value.is_finite())
                    ),
                    Err(error) => assert!(!error.to_string().is_empty()),
                }
            }
            let _ = (
                checkpoint.learned_at::<f32>(&key),
                checkpoint.linear::<f32>(&key),
                checkpoint.vector::<f64>(&key),
            );
        }
        let _: Result<Learned<f32>, _> = checkpoint.learned(Architecture::Bert);
        let _ = checkpoint
            .embedding::<f32>(Architecture::Bert)
            .map(|embedding| embedding.embed(&ndarray::array![0, 1]));
    }

    fn with_header(json: &str, data: &[u8]) -> Vec<u8> {
        [&(json.len() as u64).to_le_bytes()[..], json.as_bytes(), data].concat()
    }

    #[test]
    fn safetensors() {
        let words = r#"{"__metadata__":{"a.offset":"1","a.padding_row":"0","format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"b.bias":{"dtype":"F16","shape":[3],"data_offsets":[16,22]},"b.weight":{"dtype":"BF16","shape":[1,3],"data_offsets":[22,28]},"embeddings.position_ids":{"dtype":"I64","shape":[1,1],"data_offsets":[28,36]}}  "#;
        let bert = r#"{"bert.embeddings.word_embeddings.weight":{"dtype":"F64","shape":[2,1],"data_offsets":[0,16]},"bert.embeddings.position_embeddings.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[16,24]},"bert.embeddings.token_type_embeddings.weight":{"dtype":"F16","shape":[1,1],"data_offsets":[24,26]}}"#;
        let data: Vec<u8> = (0..36).map(|i| if i % 4 == 3 { 0x3f } else { i }).collect();
        search("safetensors", &[with_header(words, &data), with_header(bert, &data[..26])], read);
    }
}

#[cfg(feature = "gguf")]
#[test]
fn gguf() {
    use crate::gguf_writer::{Item, Writer, list};
    use positional_encodings::checkpoint::Gguf;

    let file = |tensors: usize| {
        let file = Writer::new("bert")
            .with("bert.rope.freq_base", Item::F32(1e4))
            .with("tokenizer.tokens", Item::Words(vec!["a", "bc"]))
            .with("bert.lists", Item::Raw(9, list(9, 1, list(4, 1, vec![0; 4]))));
        let add = |file: Writer, i| {
            file.tensor(&format!("t{i}"), &[2, 3], &[0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
        };
        (0..tensors).fold(file, add).bytes()
    };
    search("gguf", &[file(1), file(2)], |bytes| {
        let mut gguf = match Gguf::from_reader(std::io::Cursor::new(bytes), "fuzz") {
            Ok(gguf) => gguf,
            Err(error) => return assert!(!error.to_string().is_empty()),
        };
        let keys: Vec<String> = gguf.keys().map(str::to_string).collect();
        for key in keys {
            if let Ok(table) = gguf.table::<f64>(&key) {
                assert!(table.len() <= bytes.len() && table.iter().all(|value| value.is_finite()));
            }
            let _ = gguf.vector::<f32>(&key);
        }
        let _ = (
            gguf.architecture(),
            gguf.real("bert.rope.freq_base"),
            gguf.reals("general.architecture"),
        );
    });
}

/// Files that claim large numbers of words: no memory may be reserved for them.
#[test]
fn claims_cost_nothing() {
    let claims: [(&[u8], WordFormat); 3] = [
        (b"18446744073709551615 18446744073709551615\nthe 1\n", WordFormat::Word2vecText),
        (
            b"18446744073709551615 4611686018427387904\nthe \0\0\0\0\0\0\0\0",
            WordFormat::Word2vecBinary,
        ),
        (b"18446744073709551615 1\nthe \0\0\0\0", WordFormat::Word2vecBinary),
    ];
    for (bytes, format) in claims {
        let error = WordVectors::reader(format).read_from(bytes, "claims").unwrap_err().problem;
        let short = matches!(
            error,
            FileProblem::TooFewNumbers { .. }
                | FileProblem::Truncated { .. }
                | FileProblem::WordCount { .. }
        );
        assert!(short, "{error}");
    }
    // No words of a width beyond any array: there is no work, and no array.
    let none = b"0 1152921504606846976\n";
    let empty = WordVectors::reader(WordFormat::Word2vecText).read_from(&none[..], "none");
    assert!(empty.map_or(true, |vectors| vectors.table().nrows() == 0));
}
