//! Text: GloVe, word2vec, fastText.

use std::io::BufRead;

use super::lines::Lines;
use super::rows::Rows;
use crate::error::{FileProblem, Place};

/// Reads GloVe's text and gives its dim.
pub(super) fn glove(
    source: impl BufRead,
    dim: Option<usize>,
    rows: &mut Rows<'_>,
) -> Result<usize, FileProblem> {
    let mut lines = Lines::new(source);
    let mut dim = dim;
    while lines.advance()? {
        let line = lines.line();
        let known = match dim {
            Some(dim) => dim,
            None => {
                if let Some((words, dim)) = header(line) {
                    return Err(FileProblem::UnexpectedWordHeader { words, dim });
                }
                line.iter().filter(|byte| **byte == b' ').count()
            }
        };
        dim = Some(known);
        add(&lines, known, rows)?;
    }
    rows.report(lines.bytes);
    dim.filter(|dim| *dim > 0).ok_or(FileProblem::Empty)
}

/// Reads word2vec's text and gives its dim.
pub(super) fn word2vec(
    source: impl BufRead,
    dim: Option<usize>,
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
            add(&lines, found, rows)?;
        }
    }
    rows.report(lines.bytes);
    if rows.words() == claimed {
        Ok(found)
    } else {
        Err(FileProblem::WordCount { claimed, found: rows.words() })
    }
}

/// The two numbers of word2vec's first line.
pub(super) fn header(line: &[u8]) -> Option<(u64, u64)> {
    let mut fields = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let numbers = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    fields.next().is_none().then_some(numbers)
}

/// The dim of a header, which must be the one that was asked for.
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
fn add<R: BufRead>(lines: &Lines<R>, dim: usize, rows: &mut Rows<'_>) -> Result<(), FileProblem> {
    let (line, place) = (lines.line(), lines.place());
    // From the right: the word itself may have spaces in it.
    let mut spaces = memchr::memrchr_iter(b' ', line);
    let Some(end) = dim.checked_sub(1).and_then(|before| spaces.nth(before)) else {
        let found = line.iter().filter(|byte| **byte == b' ').count();
        return Err(FileProblem::TooFewNumbers { at: place, expected: dim.max(1), found });
    };
    if !rows.begin(&line[..end], place, lines.bytes)? {
        return Ok(());
    }
    let values = rows.values(dim)?;
    for (index, number) in line[end + 1..].split(|byte| *byte == b' ').enumerate() {
        let value = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        match value.filter(|value: &f32| value.is_finite()) {
            Some(value) => values.push(value),
            None => return Err(FileProblem::NotANumber { at: place, index }),
        }
    }
    Ok(())
}
