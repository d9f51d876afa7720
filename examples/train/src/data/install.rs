//! Texts from Debian packages, fetched by apt-get into a cache folder and unpacked there by dpkg:
//! nothing is installed, and no privileges are needed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;

/// Unpacks Debian packages to a folder of the cache, unless they are there already, and returns the
/// folders of those that could be fetched.
///
/// # Errors
///
/// A message that says why none could be fetched, and what to do instead.
pub fn unpacked(packages: &[&str], instead: &str) -> Result<Vec<PathBuf>> {
    let cache = cache().join("positional-encodings-train");
    let mut folders = Vec::new();
    let mut reason = String::new();
    for package in packages {
        let folder = cache.join(package);
        match folder.is_dir() {
            true => folders.push(folder),
            false => match fetch(package, &cache, &folder) {
                Ok(()) => folders.push(folder),
                Err(error) => reason = format!("{package}: {error}"),
            },
        }
    }
    if folders.is_empty() {
        return Err(format!(
            "no data: Debian's {} could not be had ({reason}).\n\
             On Debian and Ubuntu `apt-get update` as root, and try again. Elsewhere {instead}.",
            packages.join(", ")
        )
        .into());
    }
    Ok(folders)
}

fn fetch(package: &str, cache: &Path, folder: &Path) -> Result<()> {
    // Other processes that fetch the same package use folders of their own.
    let scratch = cache.join(format!(".{package}-{}", std::process::id()));
    let result = fetch_to(package, &scratch);
    let moved = match result {
        Ok(()) => match std::fs::rename(scratch.join("unpacked"), folder) {
            Err(error) if !folder.is_dir() => Err(error.into()),
            _ => Ok(()),
        },
        Err(error) => Err(error),
    };
    let _ = std::fs::remove_dir_all(&scratch);
    moved
}

fn fetch_to(package: &str, scratch: &Path) -> Result<()> {
    let unpacked = scratch.join("unpacked");
    std::fs::create_dir_all(&unpacked)
        .map_err(|error| format!("{}: {error}", scratch.display()))?;
    run(Command::new("apt-get").args(["download", package]).current_dir(scratch))?;
    let deb = std::fs::read_dir(scratch)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"));
    let deb = deb.ok_or("apt-get left no package")?;
    run(Command::new("dpkg").arg("-x").arg(deb).arg(unpacked))
}

/// Runs a command.
///
/// # Errors
///
/// The last line that the command wrote, which says why it failed.
pub fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.trim().lines().last().unwrap_or("it gave no reason");
    Err(format!("{name}: {last}").into())
}

/// Returns the user's cache folder.
fn cache() -> PathBuf {
    let variable =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    variable("XDG_CACHE_HOME")
        .or_else(|| variable("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
}
