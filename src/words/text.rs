//! The text formats of GloVe, word2vec and fastText.

use std::io::BufRead;

use super::lines::Lines;
use super::rows::Rows;
use crate::error::{FileProblem, Place};

/// The separator between a word and its numbers in text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Separator {
    /// A single space, as GloVe, word2vec and fastText write it; two in a row are an error.
    #[default]
    Space,
    /// A single tab. Words may then contain spaces.
    Tab,
    /// Any number of spaces and tabs.
    Whitespace,
}

/// Reads GloVe's text format and returns its dim.
pub(super) fn glove(
    source: impl BufRead,
    dim: Option<usize>,
    separator: Separator,
    rows: &mut Rows<'_>,
) -> Result<usize, FileProblem> {
    let mut lines = Lines::new(source);
    let mut dim = dim;
    while lines.advance()? {
        // Empty lines at the end are ignored.
        if lines.line().is_empty() {
            lines.only_empty_ones()?;
            break;
        }
        let line = lines.line();
        let known = match dim {
            Some(dim) => dim,
            None => {
                if let Some((words, dim)) = header(line) {
                    return Err(FileProblem::UnexpectedWordHeader { words, dim });
                }
                separator.count(line)
            }
        };
        dim = Some(known);
        add(&lines, known, separator, rows)?;
    }
    rows.report(lines.bytes);
    dim.filter(|dim| *dim > 0).ok_or(FileProblem::Empty)
}

/// Reads word2vec's text format and returns its dim.
pub(super) fn word2vec(
    source: impl BufRead,
    dim: Option<usize>,
    separator: Separator,
    rows: &mut Rows<'_>,
) -> Result<usize, FileProblem> {
    let mut lines = Lines::new(source);
    if !lines.advance()? {
        return Err(FileProblem::Empty);
    }
    let (claimed, found) = header(lines.line()).ok_or(FileProblem::InvalidWordHeader)?;
    let found = checked_dim(found, dim)?;
    while lines.advance()? {
        // Some tools end the file with an empty line.
        if !(lines.line().is_empty() && rows.words() == claimed) {
            add(&lines, found, separator, rows)?;
        }
    }
    rows.report(lines.bytes);
    if rows.words() == claimed {
        Ok(found)
    } else {
        Err(FileProblem::WordCount { claimed, found: rows.words() })
    }
}

/// Returns the two numbers of word2vec's first line.
pub(super) fn header(line: &[u8]) -> Option<(u64, u64)> {
    let mut fields = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let numbers = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    fields.next().is_none().then_some(numbers)
}

/// Returns the dim of a header, which must equal the dim that was asked for.
pub(super) fn checked_dim(claimed: u64, asked: Option<usize>) -> Result<usize, FileProblem> {
    let found = usize::try_from(claimed)
        .ok()
        .filter(|dim| *dim > 0)
        .ok_or(FileProblem::InvalidWordHeader)?;
    match asked {
        Some(expected) if expected != found => {
            Err(FileProblem::TooFewNumbers { at: Place::Line(1), expected, found })
        }
        _ => Ok(found),
    }
}

/// Adds the word and the `dim` numbers of the current line.
fn add<R: BufRead>(
    lines: &Lines<R>,
    dim: usize,
    separator: Separator,
    rows: &mut Rows<'_>,
) -> Result<(), FileProblem> {
    let (line, place) = (lines.line(), lines.place());
    // Split from the right, since the word itself may contain separators.
    let Some(end) = separator.before_last(line, dim) else {
        let found = separator.count(line);
        return Err(FileProblem::TooFewNumbers { at: place, expected: dim.max(1), found });
    };
    if !rows.begin(&line[..end], place, lines.bytes)? {
        return Ok(());
    }
    let values = rows.values(dim)?;
    for (index, number) in separator.fields(&line[end + 1..]).enumerate() {
        let value = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        match value.filter(|value: &f32| value.is_finite()) {
            Some(value) => values.push(value),
            None => return Err(FileProblem::NotANumber { at: place, index }),
        }
    }
    Ok(())
}

impl Separator {
    fn separates(self, byte: u8) -> bool {
        match self {
            Self::Space => byte == b' ',
            Self::Tab => byte == b'\t',
            Self::Whitespace => matches!(byte, b' ' | b'\t'),
        }
    }

    /// Returns true if a separator begins at `index` of a line: in a run of several, only the first
    /// one counts for `Whitespace`.
    fn stands(self, line: &[u8], index: usize) -> bool {
        let follows = || index > 0 && self.separates(line[index - 1]);
        self.separates(line[index]) && !(self == Self::Whitespace && follows())
    }

    /// Returns the number of separators in a line.
    fn count(self, line: &[u8]) -> usize {
        (0..line.len()).filter(|&index| self.stands(line, index)).count()
    }

    /// Returns the index of the separator before the last `count` fields.
    fn before_last(self, line: &[u8], count: usize) -> Option<usize> {
        let before = count.checked_sub(1)?;
        (0..line.len()).rev().filter(|&index| self.stands(line, index)).nth(before)
    }

    /// Returns the fields of a part of a line that begins within a separator or after one.
    fn fields(self, part: &[u8]) -> impl Iterator<Item = &[u8]> {
        let runs = self == Self::Whitespace;
        part.split(move |byte| self.separates(*byte))
            .filter(move |field| !(runs && field.is_empty()))
    }
}
