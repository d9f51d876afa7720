//! The King James Bible, from Debian's packages, or a text of the user's.

use std::path::Path;
use std::process::Command;

use minilm::install::cache;

/// The advice where the Bible cannot be fetched.
const INSTEAD: &str = "Install it (`apt-get install bible-kjv`) or give a text with --text FILE.";

/// Reads the text of a file.
///
/// # Errors
///
/// A message that names the file.
pub fn of_file(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Returns the King James Bible, a verse on each line: from the program `bible` where it is
/// installed, and otherwise from Debian's packages, which are unpacked into a cache folder.
///
/// # Errors
///
/// A message that says what failed, and what to do instead.
pub fn bible() -> Result<String, String> {
    if let Ok(text) = verses(&mut Command::new("bible")) {
        return Ok(text);
    }
    let folder = cache().join("positional-encodings-bible-kjv");
    let program = folder.join("usr/bin/bible");
    if !program.is_file() {
        unpack(&folder).map_err(|reason| {
            format!("could not get the Bible from Debian: {reason}\n{INSTEAD}")
        })?;
    }
    verses(Command::new(program).arg("-p").arg(folder.join("usr/lib")))
        .map_err(|reason| format!("could not read the Bible: {reason}\n{INSTEAD}"))
}

/// All verses, without their numbers.
fn verses(program: &mut Command) -> Result<String, String> {
    let text = output(program.arg("Gen1:1-Rev22:21"))?;
    let verses = text.lines().filter_map(|line| Some(line.split_once(' ')?.1.trim()));
    let verses: Vec<&str> = verses.collect();
    if verses.len() < 31_000 {
        return Err(format!("it has {} verses", verses.len()));
    }
    Ok(verses.join("\n"))
}

fn unpack(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let packages = ["bible-kjv", "bible-kjv-text"];
    output(Command::new("apt-get").arg("download").args(packages).current_dir(folder))?;
    let files = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    let files = files.flatten().map(|entry| entry.path());
    for file in files.filter(|path| path.extension().is_some_and(|extension| extension == "deb")) {
        output(Command::new("dpkg").arg("-x").arg(&file).arg(folder))?;
    }
    Ok(())
}

fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{name}: {}", errors.trim().lines().last().unwrap_or("it failed")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Returns evenly spaced parts of a text, each from the start of a line and at least `bytes` bytes
/// long, where the text is long enough.
pub fn parts(text: &str, count: usize, bytes: usize) -> impl Iterator<Item = &str> {
    (0..count).map(move |index| {
        let from = text.floor_char_boundary(text.len() / count * index);
        let start = match index {
            0 => 0,
            _ => text[from..].find('\n').map_or(from, |at| from + at + 1),
        };
        &text[start..text.ceil_char_boundary(start.saturating_add(bytes))]
    })
}
