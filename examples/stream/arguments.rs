//! The options of the command line.

use std::fs::File;
use std::ops::Range;
use std::path::PathBuf;

pub const USAGE: &str = "usage: stream [--positions N] [--dim D] [--shards N] [--out FILE]

  --positions N   how many, from 0 on (1000000)
  --dim D         how wide their vectors are, an even number (4096)
  --shards N      does it again with N processes, each its part, and compares (1)
  --out FILE      writes little-endian f32, row after row, to a new file";

#[derive(Debug)]
pub struct Arguments {
    pub positions: usize,
    pub dim: usize,
    pub shards: usize,
    pub out: Option<PathBuf>,
    /// The shard of this process, if it is one of several.
    pub shard: Option<Range<usize>>,
}

impl Arguments {
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut parsed =
            Self { positions: 1_000_000, dim: 4096, shards: 1, out: None, shard: None };
        let mut arguments = arguments.iter();
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{option} needs a value"));
            match option.as_str() {
                "--positions" => parsed.positions = count(option, value()?)?,
                "--dim" => parsed.dim = count(option, value()?)?,
                "--shards" => parsed.shards = count(option, value()?)?,
                "--out" => parsed.out = Some(value()?.into()),
                "--shard" => parsed.shard = Some(range(value()?)?),
                _ => return Err(format!("unknown option {option}")),
            }
        }
        parsed.checked()
    }

    /// Returns the bytes of all positions.
    pub fn bytes(&self) -> usize {
        self.positions * self.dim * size_of::<f32>()
    }

    /// Makes the file, filled with zeros, if one is written.
    pub fn new_file(&self) -> Result<(), String> {
        let Some(path) = &self.out else { return Ok(()) };
        let made = File::create(path).and_then(|file| file.set_len(self.bytes() as u64));
        made.map_err(|error| format!("{}: {error}", path.display()))
    }

    fn checked(self) -> Result<Self, String> {
        let Self { positions, dim, shards, .. } = self;
        if dim % 2 == 1 {
            return Err(format!("--dim must be even, and {dim} is odd"));
        }
        if positions
            .checked_mul(dim)
            .and_then(|values| i64::try_from(values.checked_mul(4)?).ok())
            .is_none()
        {
            return Err(format!(
                "{positions} positions × {dim} are more bytes than a file can have"
            ));
        }
        if shards > positions {
            return Err(format!("{shards} shards of {positions} positions: some would have none"));
        }
        Ok(self)
    }
}

/// Reads a whole number from 1 on.
fn count(option: &str, text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|&number| number > 0);
    number.ok_or_else(|| format!("{option} needs a whole number from 1 on, and {text} is none"))
}

fn range(text: &str) -> Result<Range<usize>, String> {
    let ends =
        text.split_once("..").and_then(|(start, end)| Some(start.parse().ok()?..end.parse().ok()?));
    ends.ok_or_else(|| format!("--shard needs a range start..end, and {text} is none"))
}
