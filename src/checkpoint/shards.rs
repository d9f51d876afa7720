//! The files of a checkpoint: one, or several that an index lists.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::header::{Header, Info};
use crate::error::{FileError, FileProblem, at};

/// The maximal bytes of an index: a line for each of a million tensors.
const LONGEST: u64 = 100_000_000;

/// The names of checkpoints in a folder, as transformers and diffusers write them.
const IN_FOLDERS: [&str; 4] = [
    "model.safetensors.index.json",
    "model.safetensors",
    "diffusion_pytorch_model.safetensors.index.json",
    "diffusion_pytorch_model.safetensors",
];

/// A safetensors file whose header has been read.
pub(super) struct Shard<R> {
    pub(super) source: R,
    pub(super) path: PathBuf,
    pub(super) header: Header,
}

/// All files of a checkpoint, and the file of each tensor.
pub(super) struct Shards<R> {
    pub(super) files: Vec<Shard<R>>,
    pub(super) index: BTreeMap<String, usize>,
}

impl<R: Read + Seek> Shard<R> {
    pub(super) fn new(mut source: R, path: PathBuf) -> Result<Self, FileError> {
        let header = Header::read(&mut source).map_err(at(&path))?;
        Ok(Self { source, path, header })
    }
}

impl<R> Shards<R> {
    /// Makes a checkpoint of one file.
    pub(super) fn one(shard: Shard<R>) -> Self {
        let index = shard.header.tensors.keys().map(|key| (key.clone(), 0)).collect();
        Self { files: vec![shard], index }
    }

    /// Returns the header entry of a tensor.
    pub(super) fn info(&self, key: &str) -> Option<&Info> {
        self.files[*self.index.get(key)?].header.tensors.get(key)
    }
}

impl Shards<File> {
    /// Opens a file, an index, or whichever of them a folder has.
    pub(super) fn open(path: &Path) -> Result<Self, FileError> {
        if path.is_dir() {
            let inside = IN_FOLDERS.into_iter().map(|name| path.join(name));
            let found = inside.into_iter().find(|path| path.is_file());
            return match found {
                Some(path) => Self::open(&path),
                None => Err(at(path)(FileProblem::NoCheckpoint)),
            };
        }
        if path.extension().is_some_and(|extension| extension == "json") {
            return Self::indexed(path);
        }
        let file = File::open(path).map_err(|error| at(path)(error.into()))?;
        Ok(Self::one(Shard::new(file, path.to_path_buf())?))
    }

    /// Opens the files that an index lists, in the folder of the index.
    fn indexed(path: &Path) -> Result<Self, FileError> {
        let map = weight_map(path).map_err(at(path))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut files: Vec<Shard<File>> = Vec::new();
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut index = BTreeMap::new();
        for (key, name) in &map {
            let number = match numbers.get(name.as_str()) {
                Some(number) => *number,
                None => {
                    let path = folder.join(name);
                    let file = File::open(&path).map_err(|error| at(&path)(error.into()))?;
                    files.push(Shard::new(file, path)?);
                    numbers.insert(name, files.len() - 1);
                    files.len() - 1
                }
            };
            let shard = &files[number];
            if !shard.header.tensors.contains_key(key) {
                return Err(at(&shard.path)(FileProblem::MissingKey { key: key.clone() }));
            }
            index.insert(key.clone(), number);
        }
        Ok(Self { files, index })
    }
}

/// Reads the names of tensors and their files, which must be in the folder of the index.
fn weight_map(path: &Path) -> Result<BTreeMap<String, String>, FileProblem> {
    let mut file = File::open(path)?;
    let claimed = file.seek(SeekFrom::End(0))?;
    if claimed > LONGEST {
        return Err(FileProblem::HeaderTooLong { claimed, available: LONGEST });
    }
    file.seek(SeekFrom::Start(0))?;
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text)?;
    let invalid = |cause: &str| FileProblem::InvalidHeader { byte: 0, cause: cause.to_string() };
    let whole: Value = serde_json::from_str(&text).map_err(|error| invalid(&error.to_string()))?;
    let map = whole.get("weight_map").and_then(Value::as_object);
    let map = map.ok_or_else(|| invalid("an index without a weight_map"))?;
    let mut names = BTreeMap::new();
    for (key, name) in map {
        let name = name.as_str().filter(|name| is_plain(name));
        let name =
            name.ok_or_else(|| invalid("a weight_map whose values are not names of files"))?;
        names.insert(key.clone(), name.to_string());
    }
    if names.is_empty() {
        return Err(invalid("a weight_map without tensors"));
    }
    Ok(names)
}

/// Returns true if a name is a plain file name, which leads to no other folder.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\', ':', '\0'])
}
