//! Reads lines of a text file, up to a maximal length.

use std::io::{BufRead, ErrorKind};

use crate::error::{FileProblem, Place};

/// The maximal bytes of a line: 4,096 numbers of a thousand digits.
const LONGEST: usize = 1 << 22;

/// Returns the bytes that a source has ready; none at its end. Interrupted reads are repeated.
pub(super) fn ready(source: &mut impl BufRead) -> Result<&[u8], FileProblem> {
    loop {
        match source.fill_buf() {
            // At the end, another call would read again.
            Ok([]) => return Ok(&[]),
            // Called again, since a borrow from the loop cannot be returned.
            Ok(_) => return Ok(source.fill_buf()?),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reads line after line into one buffer.
pub(super) struct Lines<R> {
    source: R,
    line: Vec<u8>,
    /// The number of the current line.
    number: u64,
    /// The bytes up to the end of the current line.
    pub(super) bytes: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, line: Vec::new(), number: 0, bytes: 0 }
    }

    pub(super) fn place(&self) -> Place {
        Place::Line(self.number)
    }

    /// Returns the current line without its line ending and trailing spaces.
    pub(super) fn line(&self) -> &[u8] {
        let end = self
            .line
            .iter()
            .rposition(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
            .map_or(0, |i| i + 1);
        &self.line[..end]
    }

    /// Checks that the remaining lines are empty.
    pub(super) fn only_empty_ones(&mut self) -> Result<(), FileProblem> {
        let first = self.place();
        while self.advance()? {
            if !self.line().is_empty() {
                return Err(FileProblem::EmptyLine { at: first });
            }
        }
        Ok(())
    }

    /// Reads the next line; returns `false` at the end.
    pub(super) fn advance(&mut self) -> Result<bool, FileProblem> {
        self.line.clear();
        self.number += 1;
        loop {
            let available = ready(&mut self.source)?;
            let end = available.iter().position(|&byte| byte == b'\n');
            let taken = end.map_or(available.len(), |end| end + 1);
            if self.line.len() + taken > LONGEST {
                return Err(FileProblem::TooLong { at: self.place(), limit: LONGEST });
            }
            self.line.extend_from_slice(&available[..taken]);
            self.source.consume(taken);
            self.bytes += taken as u64;
            if end.is_some() || taken == 0 {
                return Ok(!self.line.is_empty());
            }
        }
    }
}
