//! Messages of programs in English and German, from their message catalogues.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::install;
use crate::Result;

/// Programs that are translated to German.
const PACKAGES: [&str; 13] = [
    "apt",
    "bash",
    "coreutils",
    "dpkg",
    "findutils",
    "gawk",
    "gettext",
    "git",
    "grep",
    "sed",
    "tar",
    "util-linux-locales",
    "wget",
];

/// Returns pairs of short messages, English first, without those that are equal in both languages.
///
/// `folder` has catalogues (.mo) anywhere within. Without it, Debian's packages are fetched.
///
/// # Errors
///
/// A message that says what to do where there are no catalogues.
pub fn messages(folder: Option<&Path>, longest: usize) -> Result<Vec<(String, String)>> {
    let folders = match folder {
        Some(folder) => vec![folder.to_path_buf()],
        None => {
            let instead = "give a folder with German message catalogues (.mo): --catalogues FOLDER";
            let folders = install::unpacked(&PACKAGES, instead)?;
            let german = |folder: PathBuf| folder.join("usr/share/locale/de/LC_MESSAGES");
            folders.into_iter().map(german).collect()
        }
    };
    let mut files = Vec::new();
    folders.iter().for_each(|folder| collect(folder, 0, &mut files));
    files.sort();
    let mut messages = BTreeMap::new();
    for file in &files {
        let bytes = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let pairs = read(&bytes).ok_or_else(|| {
            format!("{} is not a message catalogue, or it is damaged", file.display())
        })?;
        for (english, german) in pairs {
            let fits = |text: &str| (3..=longest).contains(&text.chars().count()) && plain(text);
            if fits(&english) && fits(&german) && english != german {
                messages.entry(english).or_insert(german);
            }
        }
    }
    if messages.len() < 1000 {
        let found = messages.len();
        return Err(format!("no data: {found} short messages in {} files", files.len()).into());
    }
    Ok(messages.into_iter().collect())
}

/// Returns whether a message is one line of English or German letters.
fn plain(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic() || c == ' ' || "äöüÄÖÜß".contains(c))
}

/// Returns the catalogues in a folder and below it, to a limited depth, since links may form
/// cycles.
fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        if path.is_dir() && depth < 8 {
            collect(&path, depth + 1, files);
        } else if path.extension().is_some_and(|extension| extension == "mo") {
            files.push(path);
        }
    }
}

/// Returns the messages of a catalogue with their translations, in the singular; `None` where the
/// bytes are not a catalogue.
///
/// A catalogue is a magic number, a revision, the number of messages, the places of two lists, of
/// originals and of translations, each entry a length and a place (GNU gettext's manual, "The
/// Format of GNU MO Files").
pub fn read(bytes: &[u8]) -> Option<Vec<(String, String)>> {
    let magic: [u8; 4] = bytes.get(..4)?.try_into().ok()?;
    let number_of: fn([u8; 4]) -> u32 = match u32::from_le_bytes(magic) {
        0x9504_12de => u32::from_le_bytes,
        0xde12_0495 => u32::from_be_bytes,
        _ => return None,
    };
    let number = |at: usize| -> Option<usize> {
        let four = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        usize::try_from(number_of(four)).ok()
    };
    let text = |list: usize, index: usize| -> Option<String> {
        let entry = list.checked_add(index.checked_mul(8)?)?;
        let (len, start) = (number(entry)?, number(entry.checked_add(4)?)?);
        let text = bytes.get(start..start.checked_add(len)?)?;
        // Plural forms follow a byte 0; the context of a message precedes a byte 4.
        let singular = text.split(|byte| *byte == 0).next()?;
        let message = singular.rsplit(|byte| *byte == 4).next()?;
        Some(String::from_utf8_lossy(message).into_owned())
    };
    let (count, originals, translations) = (number(8)?, number(12)?, number(16)?);
    let mut pairs = Vec::new();
    for index in 0..count {
        let pair = (text(originals, index)?, text(translations, index)?);
        // The first original is empty: its translation is the header.
        if !pair.0.is_empty() {
            pairs.push(pair);
        }
    }
    Some(pairs)
}
