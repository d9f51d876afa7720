//! Checkpoints in safetensors files.

use core::fmt;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use ndarray::{Array1, Array2};

use super::architecture::Architecture;
use super::header::Info;
use super::shards::{Shard, Shards};
use super::values::{self, Rounding};
use crate::additive::{Fourier, Learned, LearnedGrid, PositionTable};
use crate::element::Element;
use crate::error::{Error, FileError, FileProblem, at};
use crate::sum::TokenEmbedding;
use crate::training::Linear;

/// A checkpoint in the safetensors format, of one file or several, whose headers have been read and
/// checked.
///
/// A tensor is read when it is asked for, 64 KiB at a time; nothing else of the file is read.
/// Values must be finite and are converted exactly: a value that the element type cannot hold is an
/// error. Methods named `…_rounded`, and all methods after
/// [`with_rounding`](Checkpoint::with_rounding), round it once instead.
///
/// ```
/// use ndarray::{Array2, array};
/// use positional_encodings::{Learned, PositionalEncoding, Positions, checkpoint::Checkpoint};
///
/// let path = std::env::temp_dir().join("positional-encodings-checkpoint.safetensors");
/// let learned = Learned::from_table(array![[0.25_f32, 0.5], [1.0, 2.0], [3.0, 4.0]])?
///     .with_offset(1)?;
/// learned.save(&path, "model.positions")?;
///
/// let mut checkpoint = Checkpoint::open(&path)?;
/// assert_eq!(checkpoint.keys().collect::<Vec<_>>(), ["model.positions"]);
/// assert_eq!(checkpoint.shape("model.positions"), Some(&[3, 2][..]));
/// assert_eq!(checkpoint.learned_at::<f32>("model.positions")?, learned);
/// let doubles: Array2<f64> = checkpoint.table("model.positions")?;
/// assert_eq!(doubles[[0, 0]], 0.25);
/// # std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Checkpoint<R = File> {
    shards: Shards<R>,
    path: PathBuf,
    rounding: Rounding,
    /// The prefix of the names of an architecture's tables.
    prefix: String,
}

impl<R> fmt::Debug for Checkpoint<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint")
            .field("path", &self.path)
            .field("tensors", &self.shards.index.len())
            .finish_non_exhaustive()
    }
}

impl Checkpoint {
    /// Opens a file and reads its header. `path` may also be the `model.safetensors.index.json` of
    /// a sharded checkpoint, all of whose files are opened, or a folder with either of the two,
    /// named as by transformers or diffusers.
    ///
    /// # Errors
    ///
    /// [`FileProblem::Io`], and all problems of a header: its lengths are compared with the length
    /// of the file before memory is allocated. [`FileProblem::NoCheckpoint`] for a folder without a
    /// checkpoint, [`FileProblem::InvalidHeader`] for an index that does not list files of its
    /// folder, [`FileProblem::MissingKey`] where a file lacks a tensor that the index lists.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        Ok(Self::new(Shards::open(path)?, path.to_path_buf()))
    }
}

impl<R> Checkpoint<R> {
    fn new(shards: Shards<R>, path: PathBuf) -> Self {
        Self { shards, path, rounding: Rounding::Refused, prefix: String::new() }
    }

    /// Makes all methods round values that an element type cannot hold to the nearest, and accept
    /// infinities: for tables, lists, layers and whole embeddings.
    ///
    /// ```
    /// # #[cfg(feature = "half")] {
    /// use ndarray::array;
    /// use positional_encodings::{Learned, checkpoint::Checkpoint};
    ///
    /// let path = std::env::temp_dir().join("positional-encodings-rounding.safetensors");
    /// Learned::from_table(array![[0.1_f32]]).unwrap().save(&path, "wpe.weight").unwrap();
    /// let mut checkpoint = Checkpoint::open(&path).unwrap();
    /// assert!(checkpoint.table::<half::bf16>("wpe.weight").is_err());
    /// let mut checkpoint = checkpoint.with_rounding();
    /// assert_eq!(
    ///     checkpoint.table::<half::bf16>("wpe.weight").unwrap()[[0, 0]],
    ///     half::bf16::from_f32(0.1)
    /// );
    /// # std::fs::remove_file(path).unwrap();
    /// # }
    /// ```
    pub fn with_rounding(self) -> Self {
        Self { rounding: Rounding::ToNearest, ..self }
    }

    /// Restricts the search for tables of architectures to names with this prefix: for checkpoints
    /// of several models, such as the two towers of a retriever.
    pub fn with_prefix(self, prefix: impl Into<String>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }
}

impl<R: Read + Seek> Checkpoint<R> {
    /// Reads the header from any source, such as an archive in memory; errors show `name` as its
    /// path.
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Checkpoint::open).
    pub fn from_reader(source: R, name: impl Into<PathBuf>) -> Result<Self, FileError> {
        let path = name.into();
        let shards = Shards::one(Shard::new(source, path.clone())?);
        Ok(Self::new(shards, path))
    }

    /// Returns the names of the tensors, in alphabetical order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.shards.index.keys().map(String::as_str)
    }

    /// Returns the shape of a tensor, or `None` if there is no tensor of that name.
    pub fn shape(&self, key: &str) -> Option<&[usize]> {
        self.shards.info(key).map(|info| &*info.shape)
    }

    /// Returns the name of a tensor's element type, such as `F32`.
    pub fn element_type(&self, key: &str) -> Option<&str> {
        self.shards.info(key).map(|info| &*info.dtype)
    }

    /// Reads the tensor `key` as a table (rows, dim); a leading axis of 1 is dropped, and a grid
    /// (height, width, dim) is laid out row by row.
    ///
    /// # Errors
    ///
    /// [`FileProblem::MissingKey`], [`FileProblem::WrongType`], [`FileProblem::WrongRank`],
    /// [`FileProblem::NotFinite`], [`FileProblem::Inexact`] where `A` cannot hold a value (f16 and
    /// bf16 fit into f32, f32 into f64), [`FileProblem::Io`], [`FileProblem::OutOfMemory`].
    pub fn table<A: Element>(&mut self, key: &str) -> Result<Array2<A>, FileError> {
        self.read_table(key, self.rounding)
    }

    /// Reads the tensor `key` as [`table`](Self::table) does, but rounds values that `A` cannot
    /// hold to the nearest.
    ///
    /// # Errors
    ///
    /// The errors of [`table`](Self::table) without [`FileProblem::Inexact`]; a finite value that
    /// rounds to infinity is [`FileProblem::NotFinite`], while an infinite value is accepted.
    pub fn table_rounded<A: Element>(&mut self, key: &str) -> Result<Array2<A>, FileError> {
        self.read_table(key, Rounding::ToNearest)
    }

    /// Reads the position table of an architecture, with its offset and padding row.
    ///
    /// # Errors
    ///
    /// The errors of [`table`](Self::table), and [`FileProblem::AmbiguousKey`] where several
    /// tensors have its name with different prefixes: choose one with
    /// [`with_prefix`](Checkpoint::with_prefix); [`FileProblem::Table`] where the table has fewer
    /// rows than the offset needs.
    pub fn learned<A: Element>(
        &mut self,
        architecture: Architecture,
    ) -> Result<Learned<A>, FileError> {
        let key = self.find(architecture.position_keys(), architecture.sibling_keys())?;
        let table = self.table(&key)?;
        self.name_rows(table, architecture.offset(), architecture.padding_row())
    }

    /// Reads the position table `key`, with the offset and padding row if [`Learned::save`] wrote
    /// them.
    ///
    /// # Errors
    ///
    /// The errors of [`table`](Self::table), [`FileProblem::InvalidMetadata`], and
    /// [`FileProblem::Table`] where the table lacks the rows that the metadata name.
    pub fn learned_at<A: Element>(&mut self, key: &str) -> Result<Learned<A>, FileError> {
        let [offset, padding] =
            ["offset", "padding_row"].map(|what| self.row_in_metadata(&format!("{key}.{what}")));
        let table = self.table(key)?;
        self.name_rows(table, offset?.unwrap_or(0), padding?)
    }

    /// Reads a position table that may be learned or computed: as a sinusoid, of a line or a grid,
    /// if it is one.
    ///
    /// # Errors
    ///
    /// The errors of [`table`](Self::table), and [`FileProblem::Table`] with the errors of
    /// [`PositionTable::of`].
    pub fn position_table<A: Element>(&mut self, key: &str) -> Result<PositionTable<A>, FileError> {
        PositionTable::of(self.table(key)?).map_err(|error| self.refuse(error))
    }

    /// Reads the table of a grid (height, width, dim), or (1, height, width, dim): SAM's
    /// `vision_encoder.pos_embed`, Kimi K2.5's `patch_embed.pos_emb.weight`.
    ///
    /// # Errors
    ///
    /// The errors of [`table`](Self::table), and [`FileProblem::Table`] for a table without
    /// columns.
    pub fn learned_grid<A: Element>(&mut self, key: &str) -> Result<LearnedGrid<A>, FileError> {
        let shape = match *self.info(key)?.shape {
            [height, width, dim] | [1, height, width, dim] => (height, width, dim),
            ref shape => {
                let (key, found) = (key.to_string(), shape.len());
                return Err(self.refuse(FileProblem::WrongRank { key, expected: 3, found }));
            }
        };
        let table: Array2<A> = self.table(key)?;
        let too_large = Error::TooLarge { rows: table.nrows(), dim: table.ncols() };
        let grid = table.into_shape_with_order(shape).map_err(|_| too_large);
        grid.and_then(LearnedGrid::from_table).map_err(|error| self.refuse(error))
    }

    /// Reads the random Fourier features of SAM and SAM 2: `positional_embedding` of
    /// `shared_image_embedding`, or Meta's `positional_encoding_gaussian_matrix`, for points (x, y)
    /// from −1 to 1.
    ///
    /// # Errors
    ///
    /// The errors of [`table`](Self::table), and [`FileProblem::AmbiguousKey`] where several
    /// tensors have its name with different prefixes; [`FileProblem::Table`] with the errors of
    /// [`Fourier::new`].
    pub fn sam_fourier(&mut self) -> Result<Fourier, FileError> {
        const NAMES: &[&str] = &[
            "shared_image_embedding.positional_embedding",
            "positional_encoding_gaussian_matrix",
            "shared_embedding.positional_embedding",
        ];
        let key = self.find(NAMES, &[])?;
        let turns: Array2<f64> = self.table(&key)?;
        Fourier::new(&turns).map_err(|error| self.refuse(error))
    }

    /// Reads the embedding layer of an architecture: words, positions, segments where it has them,
    /// and the padding token.
    ///
    /// The factor `scale_embedding` of BART and Marian is in the config, not in the checkpoint: set
    /// it with [`TokenEmbedding::with_scale`].
    ///
    /// # Errors
    ///
    /// The errors of [`learned`](Self::learned), and [`FileProblem::Table`] where the tables do not
    /// fit together, as in OPT-350m, which projects its words.
    pub fn embedding<A: Element>(
        &mut self,
        architecture: Architecture,
    ) -> Result<TokenEmbedding<A, Learned<A>>, FileError> {
        let positions = self.learned(architecture)?;
        let key = self.find(architecture.word_keys(), &[])?;
        let words = self.table(&key)?;
        let tokens = words.nrows();
        let mut embedding =
            TokenEmbedding::new(words, positions).map_err(|error| self.refuse(error))?;
        if !architecture.segment_keys().is_empty() {
            let key = self.find(architecture.segment_keys(), &[])?;
            embedding =
                embedding.with_segments(self.table(&key)?).map_err(|error| self.refuse(error))?;
        }
        match architecture.padding_token() {
            Some(token) if token < tokens => {
                embedding.with_padding_token(token).map_err(|error| self.refuse(error))
            }
            _ => Ok(embedding),
        }
    }

    /// Reads a linear layer: `prefix.weight` (outputs, inputs), and `prefix.bias` if there is one.
    /// Two layers, such as `time_embedding.linear_1` and `linear_2` of a diffusion model, make a
    /// [`PositionNetwork`](crate::training::PositionNetwork).
    ///
    /// # Errors
    ///
    /// The errors of [`table`](Self::table), and [`FileProblem::Table`].
    pub fn linear<A: Element>(&mut self, prefix: &str) -> Result<Linear<A>, FileError> {
        let linear = Linear::new(self.table(&format!("{prefix}.weight"))?)
            .map_err(|error| self.refuse(error))?;
        let key = format!("{prefix}.bias");
        if self.shape(&key).is_none() {
            return Ok(linear);
        }
        let bias = self.vector(&key)?;
        linear.with_bias(bias).map_err(|error| self.refuse(error))
    }

    /// Reads the tensor `key` as a list, such as a bias or a LayerNorm's weight.
    ///
    /// # Errors
    ///
    /// The errors of [`table`](Self::table).
    pub fn vector<A: Element>(&mut self, key: &str) -> Result<Array1<A>, FileError> {
        let info = self.info(key)?;
        let found = info.shape.len();
        if found != 1 {
            return Err(self.refuse(FileProblem::WrongRank {
                key: key.to_string(),
                expected: 1,
                found,
            }));
        }
        self.read_values(key, self.rounding).map(Array1::from_vec)
    }

    fn read_table<A: Element>(
        &mut self,
        key: &str,
        rounding: Rounding,
    ) -> Result<Array2<A>, FileError> {
        let (rows, dim) = match *self.info(key)?.shape {
            [rows, dim] | [1, rows, dim] => (rows, dim),
            [height, width, dim] | [1, height, width, dim] => (height.saturating_mul(width), dim),
            ref shape => {
                let problem = FileProblem::WrongRank {
                    key: key.to_string(),
                    expected: 2,
                    found: shape.len(),
                };
                return Err(self.refuse(problem));
            }
        };
        let values = self.read_values(key, rounding)?;
        let too_large = Error::TooLarge { rows, dim };
        Array2::from_shape_vec((rows, dim), values).map_err(|_| self.refuse(too_large))
    }

    fn read_values<A: Element>(
        &mut self,
        key: &str,
        rounding: Rounding,
    ) -> Result<Vec<A>, FileError> {
        let info = self.info(key)?;
        let format = values::Format::of(&info.dtype);
        let found = info.dtype.clone();
        let format = format
            .ok_or_else(|| self.refuse(FileProblem::WrongType { key: key.to_string(), found }))?;
        let number = self.shards.index.get(key).copied().unwrap_or(0);
        let Shard { source, path, header } = &mut self.shards.files[number];
        let (start, end) = match header.tensors.get(key) {
            Some(info) => header.range(info),
            None => (0, 0),
        };
        values::read(source, key, start..end, format, rounding).map_err(at(path))
    }

    fn info(&self, key: &str) -> Result<&Info, FileError> {
        let info = self.shards.info(key);
        info.ok_or_else(|| self.refuse(FileProblem::MissingKey { key: key.to_string() }))
    }

    /// Finds the only tensor with one of the names, with or without a prefix, and without the
    /// longer names of other tables.
    fn find(&self, names: &[&str], others: &[&str]) -> Result<String, FileError> {
        let ends = |key: &str, name: &str| {
            key.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        for name in names {
            if self.prefix.is_empty() && self.shards.index.contains_key(*name) {
                return Ok(name.to_string());
            }
            let mut found = self.keys().filter(|key| {
                key.starts_with(&self.prefix)
                    && ends(key, name)
                    && !others.iter().any(|other| ends(key, other))
            });
            match (found.next(), found.next()) {
                (Some(key), None) => return Ok(key.to_string()),
                (Some(key), Some(other)) => {
                    let [key, other] = [key, other].map(str::to_string);
                    return Err(self.refuse(FileProblem::AmbiguousKey { key, other }));
                }
                _ => {}
            }
        }
        let key =
            names.first().unwrap_or(&"of words: this architecture reads no tokens").to_string();
        Err(self.refuse(FileProblem::MissingKey { key }))
    }

    fn name_rows<A: Element>(
        &self,
        table: Array2<A>,
        offset: usize,
        padding: Option<usize>,
    ) -> Result<Learned<A>, FileError> {
        let learned = Learned::from_table(table).and_then(|learned| learned.with_offset(offset));
        let learned = learned.map_err(|error| self.refuse(error))?;
        match padding {
            Some(row) => learned.with_padding_row(row).map_err(|error| self.refuse(error)),
            None => Ok(learned),
        }
    }

    fn row_in_metadata(&self, key: &str) -> Result<Option<usize>, FileError> {
        let metadata = |shard: &Shard<R>| shard.header.metadata.get(key).cloned();
        let Some(value) = self.shards.files.iter().find_map(metadata) else { return Ok(None) };
        let invalid = || {
            self.refuse(FileProblem::InvalidMetadata { key: key.to_string(), value: value.clone() })
        };
        value.parse().map(Some).map_err(|_| invalid())
    }

    pub(super) fn refuse(&self, problem: impl Into<FileProblem>) -> FileError {
        at(&self.path)(problem.into())
    }
}
