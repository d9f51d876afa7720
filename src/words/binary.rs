//! word2vec's binary format.

use std::io::BufRead;

use super::lines::ready;
use super::rows::Rows;
use super::text::{checked_dim, header};
use crate::error::{FileProblem, Place};

/// The maximal bytes of a word and of the header.
const LONGEST: usize = 1 << 16;

/// Reads word2vec's binary format and returns its dim.
pub(super) fn word2vec(
    source: impl BufRead,
    dim: Option<usize>,
    rows: &mut Rows<'_>,
) -> Result<usize, FileProblem> {
    let mut bytes = Bytes { source, taken: 0 };
    let mut word = Vec::new();
    if bytes.until(b'\n', &mut word, Place::Line(1))?.is_none() && word.is_empty() {
        return Err(FileProblem::Empty);
    }
    let (claimed, found) = header(&word).ok_or(FileProblem::InvalidWordHeader)?;
    let dim = checked_dim(found, dim)?;
    for found in 0..claimed {
        // Google's files have no line feed between vectors; files of the original tool have one.
        bytes.skip_line_feeds()?;
        let place = Place::Byte(bytes.taken);
        if bytes.until(b' ', &mut word, place)?.is_none() {
            let short = if word.is_empty() {
                FileProblem::WordCount { claimed, found }
            } else {
                FileProblem::Truncated { byte: bytes.taken }
            };
            return Err(short);
        }
        let kept = rows.begin(&word, place, bytes.taken)?;
        bytes.values(dim, kept, rows)?;
    }
    bytes.skip_line_feeds()?;
    rows.report(bytes.taken);
    match ready(&mut bytes.source)?.is_empty() {
        true => Ok(dim),
        false => Err(FileProblem::WordCount { claimed, found: claimed.saturating_add(1) }),
    }
}

struct Bytes<R> {
    source: R,
    taken: u64,
}

impl<R: BufRead> Bytes<R> {
    fn consume(&mut self, count: usize) {
        self.source.consume(count);
        self.taken += count as u64;
    }

    fn skip_line_feeds(&mut self) -> Result<(), FileProblem> {
        loop {
            let available = ready(&mut self.source)?;
            let (count, all) = match available.iter().position(|byte| *byte != b'\n') {
                Some(count) => (count, false),
                None => (available.len(), !available.is_empty()),
            };
            self.consume(count);
            if !all {
                return Ok(());
            }
        }
    }

    /// Reads the bytes before the next `end` into `word`, and skips `end`. Returns `None` where the
    /// file ends first.
    fn until(
        &mut self,
        end: u8,
        word: &mut Vec<u8>,
        place: Place,
    ) -> Result<Option<()>, FileProblem> {
        word.clear();
        loop {
            let available = ready(&mut self.source)?;
            let found = available.iter().position(|&byte| byte == end);
            let count = found.unwrap_or(available.len());
            if word.len() + count > LONGEST {
                return Err(FileProblem::TooLong { at: place, limit: LONGEST });
            }
            word.extend_from_slice(&available[..count]);
            let ended = available.is_empty();
            self.consume(count + usize::from(found.is_some()));
            if found.is_some() || ended {
                return Ok(found.map(|_| ()));
            }
        }
    }

    /// Reads the next `dim` numbers; memory grows with the bytes read, not with the numbers
    /// claimed.
    fn values(&mut self, dim: usize, kept: bool, rows: &mut Rows<'_>) -> Result<(), FileProblem> {
        let begin = self.taken;
        let mut number = [0; 4];
        let mut held = 0;
        let mut index = 0;
        while index < dim {
            let start = self.taken;
            let available = ready(&mut self.source)?;
            if available.is_empty() {
                return Err(FileProblem::Truncated { byte: start });
            }
            let count = available.len().min((dim - index).saturating_mul(4) - held);
            let (head, rest) = available[..count].split_at(count.min((4 - held) % 4));
            let (whole, tail) = rest.as_chunks::<4>();
            let mut first = None;
            for byte in head {
                number[held] = *byte;
                held = (held + 1) % 4;
                if held == 0 {
                    first = Some(number);
                }
            }
            let values = rows.values(whole.len() + 1)?;
            for number in first.iter().chain(whole) {
                let value = f32::from_le_bytes(*number);
                if kept && !value.is_finite() {
                    let byte = begin + 4 * index as u64;
                    return Err(FileProblem::NotANumber { at: Place::Byte(byte), index });
                }
                values.extend(kept.then_some(value));
                index += 1;
            }
            for byte in tail {
                number[held] = *byte;
                held += 1;
            }
            self.consume(count);
        }
        Ok(())
    }
}
