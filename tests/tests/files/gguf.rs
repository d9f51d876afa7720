//! GGUF files: tables, lists, metadata, and damage.

use std::io::Cursor;

use ndarray::{Array2, array};
use positional_encodings::{FileProblem, Learned, checkpoint::Gguf};

use crate::gguf_writer::{Item, Writer, list};

fn small() -> Writer {
    Writer::new("gpt2")
        .with("gpt2.rope.freq_base", Item::F32(100_000.0))
        .with("gpt2.context_length", Item::U32(8192))
        // GGUF names the fastest axis first: 3 rows of 2
        .tensor("position_embd.weight", &[2, 3], &[0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
        .tensor("rope_freqs.weight", &[4], &[1.0, 1.0, 2.0, 8.0])
}

fn file() -> Vec<u8> {
    small().bytes()
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
    use positional_encodings::config::ModelRotary;

    let bytes = Writer::new("gemma4")
        .with("gemma4.block_count", Item::U32(2))
        .with("gemma4.attention.key_length", Item::U32(8))
        .with("gemma4.attention.key_length_swa", Item::U32(4))
        .with("gemma4.attention.sliding_window_pattern", Item::Flags(vec![true, false]))
        .with("gemma4.rope.freq_base", Item::F32(1e6))
        .with("gemma4.rope.freq_base_swa", Item::F32(1e4))
        .with("gemma4.list_of_text", Item::Words(vec!["a"]))
        .with("tokenizer.ggml.bos_token_id", Item::U32(1))
        .tensor("rope_freqs.weight", &[4], &[1.0, 1e30, 1e30, 1e30])
        .bytes();
    let mut gguf = open(&bytes).unwrap();
    assert!(
        gguf.metadata().all(|(key, _)| key.starts_with("gemma4.") || key == "general.architecture")
    );
    assert_eq!(gguf.metadata().count(), 8); // with the name of the tensor
    let model = ModelRotary::from_gguf(gguf.metadata()).unwrap();
    let [sliding, full] = [0, 1].map(|layer| model.layer(layer).unwrap().unwrap());
    assert_eq!((sliding.dim, sliding.base, full.dim, full.base), (4, 1e4, 8, 1e6));
    let whole = gguf.model_rotary().unwrap();
    assert_eq!(whole.layer(0).unwrap(), Some(sliding));
    // Without the tensor there is no rotation, rather than one that is eight times too fast.
    let missing = full.rotary(1).unwrap_err().to_string();
    assert_eq!(missing, "config field rope_freqs.weight is missing");
    let mut full = full.clone();
    full.divisors = Some(gguf.vector::<f64>("rope_freqs.weight").unwrap().to_vec());
    let frequencies = full.rotary(1).unwrap().frequencies();
    assert_eq!(whole.layer(1).unwrap().unwrap().rotary(1).unwrap().frequencies(), frequencies);
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
            // Only padding was cut off.
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

/// `model_rotary` and metadata for Llama 3.1, Phi-3 and a file without tensors.
#[test]
#[cfg(feature = "serde")]
fn tensors_of_rotations() {
    use positional_encodings::config::ModelRotary;
    use positional_encodings::scaling::{LongRope, Scaling};

    let llama = |context: u32| {
        Writer::new("llama")
            .with("llama.block_count", Item::U32(2))
            .with("llama.context_length", Item::U32(context))
            .with("llama.rope.dimension_count", Item::U32(4))
            .with("llama.rope.freq_base", Item::F32(500_000.0))
    };
    let divided = llama(131_072).tensor("rope_freqs.weight", &[2], &[1.0, 8.0]).bytes();
    let model = open(&divided).unwrap().model_rotary().unwrap();
    let plain = 500_000_f64.powf(-0.5);
    let slow = model.only().unwrap().rotary(1).unwrap().frequencies()[1];
    assert!((slow * 8.0 / plain - 1.0).abs() < 1e-14);
    let told = ModelRotary::from_gguf(open(&divided).unwrap().metadata()).unwrap();
    assert_eq!(told.only().unwrap().scaling, Scaling::DivisorsTensor);
    // A file without the tensor has plain rotations, whatever its metadata are.
    for context in [8192, 131_072] {
        let bytes = llama(context).bytes();
        let spec = open(&bytes).unwrap().model_rotary().unwrap().only().unwrap().clone();
        assert_eq!((&spec.scaling, &spec.divisors), (&Scaling::None, &None));
    }
    let wrong = llama(131_072).tensor("rope_freqs.weight", &[3], &[1.0; 3]).bytes();
    assert!(matches!(
        open(&wrong).unwrap().model_rotary().unwrap_err().problem,
        FileProblem::Table(_)
    ));
    let phi3 = Writer::new("phi3")
        .with("phi3.context_length", Item::U32(131_072))
        .with("phi3.rope.scaling.original_context_length", Item::U32(4096))
        .with("phi3.rope.dimension_count", Item::U32(4))
        .with("phi3.rope.scaling.attn_factor", Item::F32(1.19))
        .tensor("rope_factors_short.weight", &[2], &[1.0, 1.5])
        .tensor("rope_factors_long.weight", &[2], &[1.25, 64.0])
        .bytes();
    let model = open(&phi3).unwrap().model_rotary().unwrap();
    let spec = model.only().unwrap();
    let longrope = LongRope {
        short: vec![1.0, 1.5],
        long: vec![1.25, 64.0],
        original_len: 4096,
        factor: 32.0,
    };
    assert_eq!(spec.scaling, Scaling::LongRope(longrope));
    assert_eq!(spec.rotary(5000).unwrap().frequencies(), [0.8, 0.01 / 64.0]);
    assert_eq!(spec.attention_factor, f64::from(1.19_f32));
}

/// Names of any form, both versions, lists of lists, another alignment.
#[test]
fn files_of_all_kinds() {
    let nested = list(9, 2, [list(4, 1, vec![1, 0, 0, 0]), list(8, 0, vec![])].concat());
    let file = Writer::new("gpt-oss")
        .with("general.alignment", Item::U32(8))
        .with("gpt-oss.rope.freq_base", Item::F32(150_000.0))
        .with("ernie4_5-moe.Weird Key/1", Item::Flag(true))
        .with("gpt-oss.attention.head_count", Item::Counts(vec![64, 0, 64]))
        .with("gpt-oss.nested", Item::Raw(9, nested))
        .with("u64", Item::Raw(10, u64::MAX.to_le_bytes().to_vec()))
        .with("i64", Item::Raw(11, (-5_i64).to_le_bytes().to_vec()))
        .with("i8", Item::Raw(1, vec![0xff]))
        .with("i16", Item::Raw(3, vec![0xfe, 0xff]))
        .with("i32", Item::Raw(5, (-3_i32).to_le_bytes().to_vec()))
        .with("f64", Item::Raw(12, 0.1_f64.to_le_bytes().to_vec()))
        .raw_tensor("half", &[2], 1, vec![0x00, 0x3c, 0x00, 0x40])
        .raw_tensor("quantised", &[32], 2, vec![0; 18]);
    for version in [2, 3] {
        let bytes = file.clone().version(version).bytes();
        let mut gguf = open(&bytes).unwrap();
        assert_eq!(gguf.real("gpt-oss.rope.freq_base"), Some(150_000.0));
        assert_eq!(gguf.reals("gpt-oss.attention.head_count"), Some(vec![64.0, 0.0, 64.0]));
        assert_eq!((gguf.reals("gpt-oss.nested"), gguf.text("gpt-oss.nested")), (None, None));
        let numbers = ["u64", "i64", "i8", "i16", "i32", "f64"].map(|key| gguf.real(key).unwrap());
        assert_eq!(numbers, [u64::MAX as f64, -5.0, -1.0, -2.0, -3.0, 0.1]);
        assert_eq!(gguf.vector::<f32>("half").unwrap(), array![1.0, 2.0]);
        let wrong = gguf.vector::<f32>("quantised").unwrap_err().problem;
        let found = "Q4_0".to_string();
        assert_eq!(wrong, FileProblem::WrongType { key: "quantised".into(), found });
    }
}

/// Each error says its cause.
#[test]
fn causes() {
    let cause = |bytes: &[u8]| match open(bytes).unwrap_err() {
        FileProblem::InvalidHeader { cause, .. } => cause,
        other => other.to_string(),
    };
    let with = |key: &str, item| small().with(key, item).bytes();
    let big = |at: usize| {
        let mut bytes = file();
        bytes[at..at + 8].copy_from_slice(&(1_u64 << 60).to_le_bytes());
        bytes
    };
    for (bytes, expected) in [
        (b"GGML\x03\0\0\0".to_vec(), "a GGUF file begins with the letters GGUF"),
        (small().version(1).bytes(), "version 1 of GGUF is not supported: convert the file"),
        (small().version(4).bytes(), "an unknown version of GGUF"),
        (small().version(3_u32.swap_bytes()).bytes(), "the file has its bytes in big-endian order"),
        (b"GGUF".to_vec(), "the file ends within the header"),
        (big(8), "more tensors than the file has bytes for"),
        (big(16), "more metadata than the file has bytes for"),
        (big(24), "the file ends within the header"),
        (with("a", Item::Raw(13, vec![])), "an unknown type of metadata"),
        (with("a", Item::Raw(7, vec![2])), "a boolean that is neither 0 nor 1"),
        (with("a", Item::Raw(9, list(4, 1 << 40, vec![]))), "a list that is longer than the file"),
        (with("a", Item::Raw(9, list(9, 1 << 40, vec![]))), "a list that is longer than the file"),
        (
            with("a", Item::Raw(8, vec![1, 0, 0, 0, 0, 0, 0, 0, 0xff])),
            "a name or text that is not UTF-8",
        ),
        (
            with("general.alignment", Item::Raw(4, vec![3, 0, 0, 0])),
            "general.alignment is not a power of two",
        ),
        (with("gpt2.context_length", Item::U32(1)), "gpt2.context_length is described twice"),
        (small().tensor("t", &[1; 5], &[1.0]).bytes(), "a tensor of more than four axes"),
        (
            small().tensor("rope_freqs.weight", &[1], &[1.0]).bytes(),
            "rope_freqs.weight is described twice",
        ),
    ] {
        assert_eq!(cause(&bytes), expected);
    }
    let huge = small().raw_tensor("t", &[u64::MAX, u64::MAX], 0, vec![]).bytes();
    let problem = open(&huge).unwrap().table::<f32>("t").unwrap_err().problem;
    assert!(matches!(problem, FileProblem::WrongLength { .. }), "{problem}");
    // Lists of lists of lists …: each level costs twelve bytes of the file, and no stack.
    let deep = [list(9, 1, vec![]).repeat(100_000), list(4, 0, vec![])].concat();
    let deep = with("deep", Item::Raw(9, deep));
    assert_eq!(open(&deep).unwrap().real("deep"), None);
}
