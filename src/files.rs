//! Writes files atomically: a file appears whole or not at all.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Writes the parts, one after another, to a new file beside `path`, then renames it to `path`. An
/// existing file is replaced once the new one is complete.
pub(crate) fn replace(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let (partial, mut file) = unfinished(path)?;
    let done = parts
        .iter()
        .try_for_each(|part| file.write_all(part))
        .and_then(|()| file.flush())
        .and_then(|()| std::fs::rename(&partial, path));
    if done.is_err() {
        let _ = std::fs::remove_file(&partial); // it may not exist if writing failed
    }
    done
}

/// Creates a new empty file beside `path` for incomplete output. It is never a file that exists
/// already, such as one that another call is writing.
fn unfinished(path: &Path) -> io::Result<(PathBuf, File)> {
    let mut number = 0_u32;
    loop {
        let mut name = path.as_os_str().to_os_string();
        name.push(format!(".{}-{number}.partial", std::process::id()));
        match File::options().write(true).create_new(true).open(&name) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && number < u32::MAX => {
                number += 1;
            }
            made => return Ok((name.into(), made?)),
        }
    }
}
