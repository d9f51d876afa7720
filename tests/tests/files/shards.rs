//! Checkpoints in several files, whole folders, rounding, and names with prefixes.

use std::path::{Path, PathBuf};

use ndarray::{Array2, array};
use positional_encodings::Learned;
use positional_encodings::{
    FileProblem,
    checkpoint::{Architecture, Checkpoint},
};

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pe-shards-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn with(self, name: &str, tables: &[(&str, Array2<f32>)]) -> Self {
        let tensors = tables.iter().map(|(key, table)| {
            let bytes: Vec<u8> = table.iter().flat_map(|value| value.to_le_bytes()).collect();
            (*key, table.shape().to_vec(), bytes)
        });
        let tensors: Vec<_> = tensors.collect();
        let views = tensors.iter().map(|(key, shape, bytes)| {
            let view =
                safetensors::tensor::TensorView::new(safetensors::Dtype::F32, shape.clone(), bytes);
            (*key, view.unwrap())
        });
        let file = safetensors::serialize(views, None).unwrap();
        std::fs::write(self.0.join(name), file).unwrap();
        self
    }

    fn index(self, text: &str) -> Self {
        std::fs::write(self.0.join("model.safetensors.index.json"), text).unwrap();
        self
    }

    fn open(&self) -> Result<Checkpoint, FileProblem> {
        Checkpoint::open(&self.0).map_err(|error| error.problem)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn words() -> Array2<f32> {
    array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
}

#[test]
fn shards_of_an_index() {
    let folder = Folder::new("two")
        .with("model-00001-of-00002.safetensors", &[("transformer.wte.weight", words())])
        .with(
            "model-00002-of-00002.safetensors",
            &[("transformer.wpe.weight", array![[0.5, 0.25]])],
        )
        .index(
            r#"{"metadata": {"total_size": 32}, "weight_map": {
            "transformer.wpe.weight": "model-00002-of-00002.safetensors",
            "transformer.wte.weight": "model-00001-of-00002.safetensors"}}"#,
        );
    let mut whole = folder.open().unwrap();
    assert_eq!(
        whole.keys().collect::<Vec<_>>(),
        ["transformer.wpe.weight", "transformer.wte.weight"]
    );
    let embedding = whole.embedding::<f32>(Architecture::Gpt2).unwrap();
    assert_eq!((embedding.words(), embedding.positions().max_len()), (words().view(), Some(1)));
    let by_index = Checkpoint::open(folder.0.join("model.safetensors.index.json")).unwrap();
    assert_eq!(by_index.shape("transformer.wte.weight"), Some(&[3, 2][..]));
    // A missing file, and one without the tensors that the index lists
    std::fs::remove_file(folder.0.join("model-00001-of-00002.safetensors")).unwrap();
    assert!(matches!(folder.open(), Err(FileProblem::Io { .. })));
    let folder = Folder::new("lacks").with("a.safetensors", &[("x", words())]);
    let folder = folder.index(r#"{"weight_map": {"y": "a.safetensors"}}"#);
    assert_eq!(folder.open().unwrap_err(), FileProblem::MissingKey { key: "y".into() });
}

#[test]
fn indexes_that_lead_elsewhere() {
    for text in [
        r#"{"weight_map": {"x": "../a.safetensors"}}"#,
        r#"{"weight_map": {"x": "/etc/passwd"}}"#,
        r#"{"weight_map": {"x": ".."}}"#,
        r#"{"weight_map": {"x": ""}}"#,
        r#"{"weight_map": {"x": 7}}"#,
        r#"{"weight_map": {}}"#,
        r#"{"weight_map": []}"#,
        "{}",
        "[]",
        "{",
    ] {
        let folder = Folder::new("elsewhere").index(text);
        assert!(matches!(folder.open(), Err(FileProblem::InvalidHeader { .. })), "{text}");
    }
}

#[test]
fn folders() {
    let folder =
        Folder::new("one").with("model.safetensors", &[("wpe.weight", array![[0.5, 0.25]])]);
    let learned: Learned<f32> = folder.open().unwrap().learned(Architecture::Gpt2).unwrap();
    assert_eq!(learned.table(), array![[0.5, 0.25]]);
    let empty = Folder::new("empty");
    assert_eq!(empty.open().unwrap_err(), FileProblem::NoCheckpoint);
    assert!(matches!(
        Checkpoint::open(Path::new("/nowhere")).unwrap_err().problem,
        FileProblem::Io { .. }
    ));
}

/// OpenAI's CLIP after DataParallel: the text table has the shorter of the two names.
#[test]
fn prefixes() {
    let (text, vision) = (array![[1.0, 2.0]], array![[3.0, 4.0], [5.0, 6.0]]);
    let folder = Folder::new("clip").with(
        "model.safetensors",
        &[
            ("module.positional_embedding", text.clone()),
            ("module.visual.positional_embedding", vision.clone()),
        ],
    );
    let read = |architecture| folder.open().unwrap().learned::<f32>(architecture).unwrap();
    assert_eq!(read(Architecture::ClipText).table(), text);
    assert_eq!(read(Architecture::ClipVision).table(), vision);
    let towers = Folder::new("towers").with(
        "model.safetensors",
        &[("query.wpe.weight", text.clone()), ("passage.wpe.weight", vision.clone())],
    );
    let both = towers.open().unwrap().learned::<f32>(Architecture::Gpt2).unwrap_err().problem;
    assert!(matches!(both, FileProblem::AmbiguousKey { .. }));
    let passage = towers.open().unwrap().with_prefix("passage.");
    assert_eq!({ passage }.learned::<f32>(Architecture::Gpt2).unwrap().table(), vision);
    let none = towers.open().unwrap().with_prefix("pass.");
    assert!({ none }.learned::<f32>(Architecture::Gpt2).is_err());
}

/// An infinity is an error where values must be exact, and is kept where they may be rounded.
#[test]
fn infinities() {
    let table = array![[1.0, f32::INFINITY], [f32::NEG_INFINITY, 0.1]];
    let folder =
        Folder::new("infinite").with("model.safetensors", &[("wpe.weight", table.clone())]);
    let strict = folder.open().unwrap().table::<f32>("wpe.weight").unwrap_err().problem;
    assert!(matches!(strict, FileProblem::NotFinite { index: 1, .. }));
    assert_eq!(folder.open().unwrap().table_rounded::<f32>("wpe.weight").unwrap(), table);
    let mut rounding = folder.open().unwrap().with_rounding();
    assert_eq!(rounding.learned::<f32>(Architecture::Gpt2).unwrap().table(), table);
    let nan = Folder::new("nan").with("model.safetensors", &[("x", array![[f32::NAN]])]);
    assert!(nan.open().unwrap().table_rounded::<f32>("x").is_err());
}

#[test]
#[cfg(feature = "half")]
fn whole_embeddings_in_a_rounded_form() {
    let tables = [("wte.weight", array![[0.1_f32, 1e-3]]), ("wpe.weight", array![[0.3_f32, 1.0]])];
    let folder = Folder::new("rounded").with("model.safetensors", &tables);
    let strict = folder.open().unwrap().embedding::<half::bf16>(Architecture::Gpt2).unwrap_err();
    assert!(matches!(strict.problem, FileProblem::Inexact { .. }));
    let mut rounding = folder.open().unwrap().with_rounding();
    let embedding = rounding.embedding::<half::bf16>(Architecture::Gpt2).unwrap();
    assert_eq!(embedding.words()[[0, 0]], half::bf16::from_f32(0.1));
    // f32::MAX would round to infinity in bf16.
    let folder = Folder::new("large").with("model.safetensors", &[("x", array![[f32::MAX]])]);
    assert!(folder.open().unwrap().table_rounded::<half::bf16>("x").is_err());
}
