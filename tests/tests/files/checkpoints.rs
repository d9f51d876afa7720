//! Checkpoints: names, types, ranges, and wrong headers.

use std::collections::HashMap;
use std::io::{Cursor, Read, Seek, SeekFrom};

use ndarray::{Array2, array};
use positional_encodings::{
    Error, FeatureLayout, FileProblem, Frequencies, Learned, PositionalEncoding, Positions,
    Sinusoidal,
    checkpoint::{Architecture, Checkpoint, StoredElement},
    training::{Activation, PositionNetwork, Trainable},
};
use safetensors::tensor::{Dtype, TensorView, serialize};

pub type Tensor = (&'static str, Vec<usize>, Vec<f32>);

/// Returns a file of f32 tensors.
pub fn file(tensors: &[Tensor]) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|(_, _, v)| v.iter().flat_map(|x| x.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        (*name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
    });
    serialize(views, None::<HashMap<String, String>>).unwrap()
}

pub fn open(bytes: Vec<u8>) -> Result<Checkpoint<Cursor<Vec<u8>>>, FileProblem> {
    Checkpoint::from_reader(Cursor::new(bytes), "test.safetensors").map_err(|error| error.problem)
}

pub fn tensor(name: &'static str, shape: &[usize]) -> Tensor {
    let len: usize = shape.iter().product();
    (name, shape.to_vec(), (0..len).map(|i| i as f32 * 0.5).collect())
}

/// Returns a file with this header and the given number of bytes after it.
fn with_header(json: &str, data: usize) -> Vec<u8> {
    let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
    bytes.extend(json.bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

#[test]
fn architectures_find_their_tables() {
    use Architecture::*;
    type Case = (Architecture, &'static [&'static str], &'static [usize], usize, Option<usize>);
    let cases: [Case; 18] = [
        (
            Bert,
            &[
                "embeddings.position_embeddings.weight",
                "bert.embeddings.position_embeddings.weight",
            ],
            &[6, 2],
            0,
            None,
        ),
        (Albert, &["albert.embeddings.position_embeddings.weight"], &[6, 2], 0, None),
        (DistilBert, &["distilbert.embeddings.position_embeddings.weight"], &[6, 2], 0, None),
        (Roberta, &["roberta.embeddings.position_embeddings.weight"], &[6, 2], 2, Some(1)),
        (Mpnet, &["mpnet.embeddings.position_embeddings.weight"], &[6, 2], 2, Some(1)),
        (Gpt2, &["wpe.weight", "transformer.wpe.weight"], &[6, 2], 0, None),
        (
            Opt,
            &["model.decoder.embed_positions.weight", "decoder.embed_positions.weight"],
            &[6, 2],
            2,
            None,
        ),
        (BartEncoder, &["model.encoder.embed_positions.weight"], &[6, 2], 2, None),
        (BartDecoder, &["model.decoder.embed_positions.weight"], &[6, 2], 2, None),
        (
            Vit,
            &["vit.embeddings.position_embeddings", "embeddings.position_embeddings"],
            &[1, 6, 2],
            0,
            None,
        ),
        (Timm, &["pos_embed"], &[1, 6, 2], 0, None),
        (Timm, &["vision_encoder.pos_embed"], &[1, 2, 3, 2], 0, None),
        (ClipText, &["text_model.embeddings.position_embedding.weight"], &[6, 2], 0, None),
        (ClipText, &["positional_embedding"], &[6, 2], 0, None),
        (ClipVision, &["visual.positional_embedding"], &[6, 2], 0, None),
        (ClipVision, &["clip.vision_model.embeddings.position_embedding.weight"], &[6, 2], 0, None),
        (
            WhisperEncoder,
            &["model.encoder.embed_positions.weight", "encoder.positional_embedding"],
            &[6, 2],
            0,
            None,
        ),
        (WhisperDecoder, &["decoder.positional_embedding"], &[6, 2], 0, None),
    ];
    for (architecture, names, shape, offset, padding) in cases {
        for name in names {
            let mut checkpoint =
                open(file(&[tensor("other.weight", &[3]), tensor(name, shape)])).unwrap();
            let learned: Learned<f32> = checkpoint.learned(architecture).unwrap();
            assert_eq!(
                learned.table(),
                Array2::from_shape_fn((6, 2), |(i, j)| (2 * i + j) as f32 * 0.5),
                "{name}"
            );
            assert_eq!((learned.offset(), learned.padding_row()), (offset, padding), "{name}");
        }
    }
    // Both of OpenAI's CLIP tables in one file
    let both = file(&[
        tensor("positional_embedding", &[4, 2]),
        tensor("visual.positional_embedding", &[5, 2]),
    ]);
    let mut checkpoint = open(both).unwrap();
    assert_eq!(checkpoint.learned::<f32>(ClipText).unwrap().max_len(), Some(4));
    assert_eq!(checkpoint.learned::<f32>(ClipVision).unwrap().max_len(), Some(5));
    let names =
        ["a.embeddings.position_embeddings.weight", "b.embeddings.position_embeddings.weight"];
    let mut checkpoint = open(file(&names.map(|name| tensor(name, &[4, 2])))).unwrap();
    let [key, other] = names.map(str::to_string);
    assert_eq!(
        checkpoint.learned::<f32>(Bert).unwrap_err().problem,
        FileProblem::AmbiguousKey { key, other }
    );
    let error = checkpoint.learned::<f32>(Gpt2).unwrap_err();
    assert_eq!(error.to_string(), "test.safetensors: there is no tensor wpe.weight");
}

#[test]
fn whole_embedding_layers_are_loaded() {
    let bert = file(&[
        tensor("bert.embeddings.word_embeddings.weight", &[7, 2]),
        tensor("bert.embeddings.position_embeddings.weight", &[4, 2]),
        tensor("bert.embeddings.token_type_embeddings.weight", &[2, 2]),
    ]);
    let embedding = open(bert).unwrap().embedding::<f32>(Architecture::Bert).unwrap();
    let input = embedding.embed(&array![6, 0]).unwrap();
    assert_eq!(
        input,
        array![[6.0 + 0.0 + 0.0, 6.5 + 0.5 + 0.5], [0.0 + 0.0 + 1.0, 0.5 + 0.5 + 1.5]]
    );
    let gpt2 = file(&[tensor("wte.weight", &[7, 3]), tensor("wpe.weight", &[4, 2])]);
    let problem = open(gpt2).unwrap().embedding::<f32>(Architecture::Gpt2).unwrap_err().problem;
    assert_eq!(problem, FileProblem::Table(Error::WidthMismatch { expected: 2, found: 3 }));
    let vit = file(&[tensor("pos_embed", &[1, 4, 2])]);
    assert!(open(vit).unwrap().embedding::<f32>(Architecture::Timm).is_err());
}

/// The timestep embedding of a diffusion model: frequencies by formula, two layers from a file.
#[test]
fn position_networks_are_loaded() {
    let bytes = file(&[
        tensor("time_embedding.linear_1.weight", &[8, 4]),
        tensor("time_embedding.linear_1.bias", &[8]),
        tensor("time_embedding.linear_2.weight", &[3, 8]),
    ]);
    let mut checkpoint = open(bytes).unwrap();
    let [first, second] = ["linear_1", "linear_2"]
        .map(|name| checkpoint.linear::<f32>(&format!("time_embedding.{name}")));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(first.bias().is_some() && second.bias().is_none());
    let inner = Sinusoidal::from_frequencies(Frequencies::geometric(4, 10_000.0).unwrap())
        .with_layout(FeatureLayout::CosSinHalves);
    let network = PositionNetwork::new(inner, first, Activation::Silu, second).unwrap();
    assert_eq!(
        network.parameters().iter().map(|p| p.name.as_str()).collect::<Vec<_>>(),
        ["first.weight", "first.bias", "second.weight"]
    );
    assert_eq!(network.encode(&Positions::from(&[999.5])).unwrap().dim(), (1, 3));
}

#[test]
fn values_are_exact_or_refused() {
    let half = [0x3c01_u16, 0x0001, 0xfbff]
        .iter()
        .flat_map(|bits| bits.to_le_bytes())
        .collect::<Vec<u8>>();
    let json = r#"{"h":{"dtype":"F16","shape":[3,1],"data_offsets":[0,6]},"b":{"dtype":"BF16","shape":[3,1],"data_offsets":[6,12]},"d":{"dtype":"F64","shape":[2,1],"data_offsets":[12,28]},"i":{"dtype":"I64","shape":[1,1],"data_offsets":[28,36]},"new":{"dtype":"F3_E9","shape":[7],"data_offsets":[36,40]}}"#;
    let mut bytes = with_header(json, 0);
    bytes.extend(&half);
    bytes.extend([0x3f81_u16, 0x0001, 0xff7f].iter().flat_map(|bits| bits.to_le_bytes()));
    bytes.extend([0.1_f64, 1e300].iter().flat_map(|value| value.to_le_bytes()));
    bytes.extend([0; 12]);
    let mut checkpoint = open(bytes).unwrap();
    assert_eq!(checkpoint.element_type("new"), Some("F3_E9"));
    let column = |table: Array2<f64>| table.into_raw_vec_and_offset().0;
    assert_eq!(column(checkpoint.table("h").unwrap()), [1.0009765625, 2_f64.powi(-24), -65504.0]);
    assert_eq!(
        column(checkpoint.table("b").unwrap()),
        [1.0078125, 2_f64.powi(-133), -f64::from(f32::from_bits(0x7f7f_0000))]
    );
    assert_eq!(checkpoint.table::<f32>("h").unwrap()[[1, 0]], 2_f32.powi(-24));
    assert_eq!(column(checkpoint.table("d").unwrap()), [0.1, 1e300]);
    let problem = checkpoint.table::<f32>("d").unwrap_err().problem;
    assert_eq!(problem, FileProblem::Inexact { key: "d".into(), index: 0, value: 0.1 });
    let problem = checkpoint.table_rounded::<f32>("d").unwrap_err().problem;
    assert!(matches!(problem, FileProblem::NotFinite { index: 1, .. }), "{problem}");
    for key in ["i", "new"] {
        let problem = checkpoint.table::<f32>(key).unwrap_err().problem;
        assert!(
            matches!(problem, FileProblem::WrongType { .. } | FileProblem::WrongRank { .. }),
            "{problem}"
        );
    }
}

#[test]
fn values_that_are_not_finite_are_named() {
    let mut numbers = tensor("t", &[3, 2]);
    numbers.2[4] = f32::NAN;
    let error = open(file(&[numbers])).unwrap().table::<f32>("t").unwrap_err();
    let FileProblem::NotFinite { key, index: 4, byte: Some(byte) } = &error.problem else {
        panic!("{error}")
    };
    assert_eq!(
        error.to_string(),
        format!("test.safetensors: {key}: value 4, at byte {byte}, is not finite")
    );
}

fn round_trip<A: StoredElement>(name: &str) {
    let path = std::env::temp_dir()
        .join(format!("positional-encodings-{name}-{}.safetensors", std::process::id()));
    let table = Array2::from_shape_fn((5, 3), |(i, j)| {
        A::from_f64((i as f64 - 1.7) * (j as f64 + 0.3) / 3.0)
    });
    let learned =
        Learned::from_table(table).unwrap().with_offset(2).unwrap().with_padding_row(1).unwrap();
    learned.save(&path, "position.weight").unwrap();
    learned.save(&path, "position.weight").unwrap(); // replaces
    let mut checkpoint = Checkpoint::open(&path).unwrap();
    assert_eq!(checkpoint.learned_at::<A>("position.weight").unwrap(), learned);
    let plain =
        safetensors::SafeTensors::deserialize(&std::fs::read(&path).unwrap()).unwrap().len();
    assert_eq!(plain, 1);
    std::fs::remove_file(&path).unwrap();
    assert!(matches!(
        learned.save("/nowhere/x", "key").unwrap_err().problem,
        FileProblem::Io { .. }
    ));
    assert!(learned.save(&path, "__metadata__").is_err() && !path.exists());
}

#[test]
fn what_is_saved_is_loaded() {
    round_trip::<f32>("f32");
    round_trip::<f64>("f64");
    #[cfg(feature = "half")]
    round_trip::<half::f16>("f16");
    #[cfg(feature = "half")]
    round_trip::<half::bf16>("bf16");
}

/// A reader that counts the bytes read.
struct Counting<R> {
    inner: R,
    read: std::rc::Rc<std::cell::Cell<usize>>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.set(self.read.get() + count);
        Ok(count)
    }
}

impl<R: Seek> Seek for Counting<R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(to)
    }
}

#[test]
fn only_the_header_and_the_tensor_are_read() {
    let bytes =
        file(&[tensor("a", &[1000, 100]), tensor("b", &[10, 3]), tensor("c", &[2000, 100])]);
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let read = std::rc::Rc::new(std::cell::Cell::new(0));
    let source = Counting { inner: Cursor::new(bytes), read: read.clone() };
    let mut checkpoint = Checkpoint::from_reader(source, "counted").unwrap();
    assert_eq!(
        checkpoint.table::<f32>("b").unwrap(),
        Array2::from_shape_fn((10, 3), |(i, j)| (3 * i + j) as f32 * 0.5)
    );
    assert_eq!(read.get(), 8 + header + 120);
}

#[test]
fn headers_that_lie_are_refused() {
    let problem = |bytes: Vec<u8>| open(bytes).expect_err("an error");
    let info = |dtype: &str, shape: &str, start: u64, end: u64| {
        format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{start},{end}]}}"#)
    };
    assert_eq!(problem(vec![1, 2, 3]), FileProblem::HeaderTooLong { claimed: 8, available: 3 });
    let mut petabytes = (1_u64 << 50).to_le_bytes().to_vec();
    petabytes.extend([b'{'; 50]);
    assert_eq!(problem(petabytes), FileProblem::HeaderTooLong { claimed: 1 << 50, available: 50 });
    assert_eq!(
        problem(u64::MAX.to_le_bytes().to_vec()),
        FileProblem::HeaderTooLong { claimed: u64::MAX, available: 0 }
    );
    let invalid = |byte, cause: &str| FileProblem::InvalidHeader { byte, cause: cause.into() };
    assert_eq!(
        problem(with_header(r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#, 4)),
        invalid(60, "EOF while parsing an object")
    );
    assert_eq!(
        problem(with_header("{\n\"a\":\n 7}", 0)),
        invalid(16, "invalid type: integer `7`, expected struct Info")
    );
    for json in
        ["", "[]", "{\"a\":{}}", "\u{fffd}", "{\"__metadata__\":{\"a\":1}}", &"[".repeat(5000)]
    {
        assert!(
            matches!(problem(with_header(json, 0)), FileProblem::InvalidHeader { .. }),
            "{json:.20}"
        );
    }
    for (shape, start, end) in
        [("[-1]", 0, 4), ("[1.5]", 0, 4), ("[99999999999999999999999]", 0, 4), ("1", 0, 4)]
    {
        let json = format!(r#"{{"a":{}}}"#, info("F32", shape, start, end));
        assert!(
            matches!(problem(with_header(&json, 4)), FileProblem::InvalidHeader { .. }),
            "{shape}"
        );
    }
    let two = |first: String, second: String| {
        with_header(&format!(r#"{{"a":{first},"b":{second}}}"#), 16)
    };
    let overlap = two(info("F32", "[2]", 0, 8), info("F32", "[3]", 4, 16));
    assert!(
        matches!(problem(overlap), FileProblem::Misplaced { key, byte, expected } if key == "b" && byte + 4 == expected)
    );
    let gap = two(info("F32", "[1]", 0, 4), info("F32", "[2]", 8, 16));
    assert!(matches!(problem(gap), FileProblem::Misplaced { .. }));
    let wrong = two(info("F32", "[3]", 0, 8), info("F32", "[2]", 8, 16));
    assert_eq!(
        problem(wrong),
        FileProblem::WrongSize { key: "a".into(), expected: Some(12), found: 8 }
    );
    let huge =
        two(info("F32", "[4294967296,4294967296,4294967296]", 0, 8), info("F32", "[2]", 8, 16));
    assert_eq!(problem(huge), FileProblem::WrongSize { key: "a".into(), expected: None, found: 8 });
    let backwards = two(info("NEW", "[3]", 0, 8), info("NEW", "[2]", 8, 2));
    assert!(matches!(problem(backwards), FileProblem::WrongSize { .. }));
    let petabytes =
        with_header(&format!(r#"{{"a":{}}}"#, info("F32", "[1125899906842624]", 0, 1 << 52)), 16);
    assert!(
        matches!(problem(petabytes), FileProblem::WrongLength { expected, .. } if expected > 1 << 52)
    );
    let end = with_header(&format!(r#"{{"a":{}}}"#, info("NEW", "[1]", 0, u64::MAX)), 16);
    assert!(matches!(problem(end), FileProblem::WrongLength { expected: u64::MAX, .. }));
    let twice = with_header(&format!(r#"{{"a":{0},"a":{0}}}"#, info("F32", "[1]", 0, 4)), 4);
    assert_eq!(problem(twice), FileProblem::DuplicateKey { key: "a".into() });
    let short = &file(&[tensor("a", &[4, 4])])[..100];
    assert!(matches!(problem(short.to_vec()), FileProblem::WrongLength { .. }));
}

#[test]
fn metadata_that_lies_is_refused() {
    for (value, good) in [("1", true), ("-1", false), ("99", false), ("x", false)] {
        let json = format!(
            r#"{{"__metadata__":{{"a.offset":"{value}","a.padding_row":"0"}},"a":{{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}}}"#
        );
        let learned = open(with_header(&json, 8)).unwrap().learned_at::<f32>("a");
        assert_eq!(learned.is_ok(), good, "{value}");
    }
    let nothing = open(file(&[tensor("a", &[2, 2, 2, 2, 2]), tensor("b", &[3])]))
        .unwrap()
        .learned_at::<f32>("a");
    assert_eq!(
        nothing.unwrap_err().problem,
        FileProblem::WrongRank { key: "a".into(), expected: 2, found: 5 }
    );
}

/// Saved tables can be loaded, and no other file is written to.
#[test]
fn saving_refuses_what_loading_would() {
    let folder =
        std::env::temp_dir().join(format!("positional-encodings-save-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("table.safetensors");
    let theirs = ["table.safetensors.partial".to_string(), {
        format!("table.safetensors.{}-0.partial", std::process::id())
    }]
    .map(|name| folder.join(name));
    theirs.iter().for_each(|path| std::fs::write(path, "theirs").unwrap());

    let mut learned = Learned::from_table(Array2::<f32>::ones((2, 2))).unwrap();
    learned.save(&path, "t").unwrap();
    learned.table_mut()[[1, 0]] = f32::NAN;
    let problem = learned.save(&path, "t").unwrap_err().problem;
    assert_eq!(problem, FileProblem::NotFinite { key: "t".into(), index: 2, byte: None });

    let ones = Checkpoint::open(&path).unwrap().table::<f32>("t").unwrap();
    assert_eq!(ones, Array2::<f32>::ones((2, 2)));
    assert!(theirs.iter().all(|path| std::fs::read(path).unwrap() == b"theirs"));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 3);
    std::fs::remove_dir_all(&folder).unwrap();
}
