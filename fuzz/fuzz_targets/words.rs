//! Any bytes, read as a file of word vectors; the first byte chooses how.
#![no_main]

use libfuzzer_sys::fuzz_target;
use positional_encodings::words::{Duplicates, Separator, WordFormat, WordVectors};

fuzz_target!(|bytes: &[u8]| {
    let [choice, bytes @ ..] = bytes else { return };
    let format = match choice % 3 {
        0 => WordFormat::Glove,
        1 => WordFormat::Word2vecText,
        _ => WordFormat::Word2vecBinary,
    };
    let mut reader = WordVectors::reader(format);
    if choice & 4 != 0 {
        reader = reader.only(["the", "a"]);
    }
    if choice & 8 != 0 {
        reader = reader.with_duplicates(Duplicates::KeepFirst);
    }
    if choice & 16 != 0 {
        reader = reader.with_separator(Separator::Whitespace);
    }
    if choice & 32 != 0 {
        reader = reader.with_dim(2);
    }
    match reader.read_from(bytes, "fuzz") {
        Ok(vectors) => {
            let table = vectors.table();
            assert!(table.len() <= bytes.len() && table.iter().all(|value| value.is_finite()));
            assert_eq!(table.nrows(), vectors.vocabulary().len());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
