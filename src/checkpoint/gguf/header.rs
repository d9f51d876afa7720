//! The header of a GGUF file: metadata, and the place of each tensor.
//!
//! The format is small: counts, strings and values of thirteen types, one after the other (ggml,
//! *docs/gguf.md*). Every count and length is compared with the number of remaining bytes before it
//! is used, so that no file takes more memory than it has bytes.

use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use crate::checkpoint::values::Format;
use crate::error::{FileProblem, reserve};

/// The header of a file.
#[derive(Debug)]
pub(super) struct Header {
    /// The metadata in the order of the file.
    pub(super) metadata: Vec<(String, Value)>,
    pub(super) tensors: Vec<Tensor>,
    /// The byte at which the tensors begin.
    pub(super) start: u64,
}

/// A tensor: its name, its axes with the fastest first, its type, and its offset from the start of
/// the tensors.
#[derive(Debug)]
pub(super) struct Tensor {
    pub(super) name: String,
    pub(super) axes: Vec<u64>,
    pub(super) kind: u32,
    pub(super) offset: u64,
}

/// A value of metadata. Lists of strings and of lists are skipped, since they are not needed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Number(f64),
    Flag(bool),
    Text(String),
    Numbers { kind: Kind, bytes: Vec<u8> },
    PassedOver,
}

/// The types of single numbers, with their codes in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    F32,
    Bool,
    U64,
    I64,
    F64,
}

const TEXT: u32 = 8;
const LIST: u32 = 9;

impl Kind {
    fn of(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::U8,
            1 => Self::I8,
            2 => Self::U16,
            3 => Self::I16,
            4 => Self::U32,
            5 => Self::I32,
            6 => Self::F32,
            7 => Self::Bool,
            10 => Self::U64,
            11 => Self::I64,
            12 => Self::F64,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 | Self::Bool => 1,
            Self::U16 | Self::I16 => 2,
            Self::U32 | Self::I32 | Self::F32 => 4,
            Self::U64 | Self::I64 | Self::F64 => 8,
        }
    }

    /// Returns the number that the bytes encode; there must be as many as the type has.
    fn number(self, bytes: &[u8]) -> f64 {
        let mut raw = [0; 8];
        raw[..bytes.len()].copy_from_slice(bytes);
        let unsigned = u64::from_le_bytes(raw);
        match self {
            Self::U8 | Self::U16 | Self::U32 | Self::U64 | Self::Bool => unsigned as f64,
            Self::I8 => f64::from(unsigned as i8),
            Self::I16 => f64::from(unsigned as i16),
            Self::I32 => f64::from(unsigned as i32),
            Self::I64 => unsigned as i64 as f64,
            Self::F32 => f64::from(f32::from_bits(unsigned as u32)),
            Self::F64 => f64::from_bits(unsigned),
        }
    }
}

impl Value {
    /// Returns the numbers of a list.
    pub(super) fn numbers(&self) -> Option<Vec<f64>> {
        match self {
            Self::Numbers { kind, bytes } => {
                Some(bytes.chunks_exact(kind.size()).map(|bytes| kind.number(bytes)).collect())
            }
            _ => None,
        }
    }

    /// Returns true for a list of booleans.
    pub(super) fn is_of_flags(&self) -> bool {
        matches!(self, Self::Numbers { kind: Kind::Bool, .. })
    }
}

impl Tensor {
    /// Returns the format of the numbers, or the name of the type as an error for quantised
    /// tensors.
    pub(super) fn format(&self) -> Result<Format, String> {
        const NAMES: [&str; 40] = [
            "F32",
            "F16",
            "Q4_0",
            "Q4_1",
            "Q4_2",
            "Q4_3",
            "Q5_0",
            "Q5_1",
            "Q8_0",
            "Q8_1",
            "Q2_K",
            "Q3_K",
            "Q4_K",
            "Q5_K",
            "Q6_K",
            "Q8_K",
            "IQ2_XXS",
            "IQ2_XS",
            "IQ3_XXS",
            "IQ1_S",
            "IQ4_NL",
            "IQ3_S",
            "IQ2_S",
            "IQ4_XS",
            "I8",
            "I16",
            "I32",
            "I64",
            "F64",
            "IQ1_M",
            "BF16",
            "Q4_0_4_4",
            "Q4_0_4_8",
            "Q4_0_8_8",
            "TQ1_0",
            "TQ2_0",
            "IQ4_NL_4_4",
            "IQ4_NL_4_8",
            "IQ4_NL_8_8",
            "MXFP4",
        ];
        match self.kind {
            0 => Ok(Format::F32),
            1 => Ok(Format::F16),
            28 => Ok(Format::F64),
            30 => Ok(Format::BF16),
            other => Err(NAMES
                .get(other as usize)
                .map_or_else(|| format!("ggml type {other}"), |name| name.to_string())),
        }
    }

    /// Returns the bytes of the tensor within the file; `None` where they lie beyond any file.
    pub(super) fn range(&self, start: u64, size: usize) -> Option<Range<u64>> {
        let count = self.axes.iter().try_fold(1_u64, |count, &len| count.checked_mul(len))?;
        let start = start.checked_add(self.offset)?;
        Some(start..start.checked_add(count.checked_mul(size as u64)?)?)
    }
}

impl Header {
    /// Reads the header of a file.
    pub(super) fn read<R: Read + Seek>(source: &mut R) -> Result<Self, FileProblem> {
        let len = source.seek(SeekFrom::End(0))?;
        source.seek(SeekFrom::Start(0))?;
        let mut bytes = Bytes { source, at: 0, len };
        if bytes.array()? != *b"GGUF" {
            return Err(invalid(0, "a GGUF file begins with the letters GGUF"));
        }
        match bytes.u32()? {
            2 | 3 => {}
            1 => return Err(invalid(4, "version 1 of GGUF is not supported: convert the file")),
            version if version.swap_bytes() <= 3 => {
                return Err(invalid(4, "the file has its bytes in big-endian order"));
            }
            _ => return Err(invalid(4, "an unknown version of GGUF")),
        }
        // A tensor has a name, a number of axes, a type and an offset; a value has a key and a
        // type.
        let tensors = bytes.count(8 + 4 + 4 + 8, "more tensors than the file has bytes for")?;
        let values = bytes.count(8 + 4, "more metadata than the file has bytes for")?;
        let mut header = Self { metadata: Vec::new(), tensors: Vec::new(), start: 0 };
        reserve(&mut header.metadata, values)?;
        for _ in 0..values {
            let key = bytes.text()?;
            let value = bytes.value()?;
            header.metadata.push((key, value));
        }
        reserve(&mut header.tensors, tensors)?;
        for _ in 0..tensors {
            header.tensors.push(bytes.tensor()?);
        }
        let end = bytes.at;
        header.check()?;
        header.start = header.aligned(end)?;
        Ok(header)
    }

    /// Checks that no key and no tensor occurs twice.
    fn check(&self) -> Result<(), FileProblem> {
        let keys = self.metadata.iter().map(|(key, _)| (key, false));
        let names = self.tensors.iter().map(|tensor| (&tensor.name, true));
        let mut seen = HashMap::new();
        for key in keys.chain(names) {
            if seen.insert(key, ()).is_some() {
                return Err(FileProblem::DuplicateKey { key: key.0.clone() });
            }
        }
        Ok(())
    }

    /// Returns the byte at which the tensors begin, after a header of `end` bytes.
    fn aligned(&self, end: u64) -> Result<u64, FileProblem> {
        let key = "general.alignment";
        let found = self.metadata.iter().find(|(known, _)| known == key);
        let alignment = match found.map(|(_, value)| value) {
            None => 32,
            Some(Value::Number(number)) if (1.0..=1e9).contains(number) => *number as u64,
            Some(_) => 0,
        };
        if !alignment.is_power_of_two() {
            return Err(invalid(end, "general.alignment is not a power of two"));
        }
        end.checked_next_multiple_of(alignment)
            .ok_or_else(|| invalid(end, "the tensors would begin beyond the largest possible file"))
    }
}

fn invalid(byte: u64, cause: &'static str) -> FileProblem {
    FileProblem::InvalidHeader { byte, cause: cause.to_string() }
}

/// A reader of the bytes of a file, in order.
struct Bytes<'a, R> {
    source: &'a mut R,
    at: u64,
    len: u64,
}

impl<R: Read> Bytes<'_, R> {
    /// Checks that `count` bytes are left.
    fn need(&self, count: u64) -> Result<usize, FileProblem> {
        match usize::try_from(count) {
            Ok(size) if count <= self.len - self.at => Ok(size),
            _ => Err(invalid(self.at, "the file ends within the header")),
        }
    }

    fn read(&mut self, count: u64) -> Result<Vec<u8>, FileProblem> {
        let size = self.need(count)?;
        let mut bytes = Vec::new();
        reserve(&mut bytes, size)?;
        bytes.resize(size, 0);
        self.source.read_exact(&mut bytes)?;
        self.at += count;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FileProblem> {
        self.need(N as u64)?;
        let mut bytes = [0; N];
        self.source.read_exact(&mut bytes)?;
        self.at += N as u64;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, FileProblem> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, FileProblem> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Skips some bytes.
    fn skip(&mut self, count: u64) -> Result<(), FileProblem> {
        self.need(count)?;
        let (mut left, mut chunk) = (count, [0; 512]);
        while left > 0 {
            let size = left.min(512);
            self.source.read_exact(&mut chunk[..size as usize])?;
            left -= size;
        }
        self.at += count;
        Ok(())
    }

    /// Reads the number of items that take at least `size` bytes each.
    fn count(&mut self, size: u64, cause: &'static str) -> Result<usize, FileProblem> {
        let byte = self.at;
        let count = self.u64()?;
        let fits = count.checked_mul(size).is_some_and(|bytes| bytes <= self.len - self.at);
        let count = usize::try_from(count).ok().filter(|_| fits);
        count.ok_or_else(|| invalid(byte, cause))
    }

    fn text(&mut self) -> Result<String, FileProblem> {
        let len = self.u64()?;
        let byte = self.at;
        let bytes = self.read(len)?;
        String::from_utf8(bytes).map_err(|_| invalid(byte, "a name or text that is not UTF-8"))
    }

    fn value(&mut self) -> Result<Value, FileProblem> {
        let byte = self.at;
        match (self.u32()?, byte) {
            (TEXT, _) => Ok(Value::Text(self.text()?)),
            (LIST, _) => self.list(),
            (number, byte) => {
                let unknown = || invalid(byte, "an unknown type of metadata");
                let kind = Kind::of(number).ok_or_else(unknown)?;
                let byte = self.at;
                let number = kind.number(&self.read(kind.size() as u64)?);
                match (kind, number) {
                    (Kind::Bool, 0.0 | 1.0) => Ok(Value::Flag(number == 1.0)),
                    (Kind::Bool, _) => Err(invalid(byte, "a boolean that is neither 0 nor 1")),
                    (_, number) => Ok(Value::Number(number)),
                }
            }
        }
    }

    /// Reads a list, and keeps it if it is a list of numbers. Lists of lists are skipped in a loop
    /// with a stack of the remaining counts.
    fn list(&mut self) -> Result<Value, FileProblem> {
        let mut open: Vec<u64> = Vec::new();
        loop {
            let byte = self.at;
            let number = self.u32()?;
            match number {
                TEXT => {
                    for _ in 0..self.count(8, "a list that is longer than the file")? {
                        let len = self.u64()?;
                        self.skip(len)?;
                    }
                }
                LIST => {
                    let count = self.count(12, "a list that is longer than the file")?;
                    reserve(&mut open, 1)?;
                    open.push(count as u64);
                }
                _ => {
                    let unknown = || invalid(byte, "an unknown type of metadata");
                    let kind = Kind::of(number).ok_or_else(unknown)?;
                    let size = kind.size() as u64;
                    let count = self.count(size, "a list that is longer than the file")? as u64;
                    if open.is_empty() {
                        return Ok(Value::Numbers { kind, bytes: self.read(count * size)? });
                    }
                    self.skip(count * size)?;
                }
            }
            while open.last() == Some(&0) {
                open.pop();
            }
            match open.last_mut() {
                None => return Ok(Value::PassedOver),
                Some(left) => *left -= 1,
            }
        }
    }

    fn tensor(&mut self) -> Result<Tensor, FileProblem> {
        let name = self.text()?;
        let byte = self.at;
        let rank = self.u32()?;
        if rank > 4 {
            return Err(invalid(byte, "a tensor of more than four axes"));
        }
        let axes = (0..rank).map(|_| self.u64()).collect::<Result<Vec<u64>, _>>()?;
        Ok(Tensor { name, axes, kind: self.u32()?, offset: self.u64()? })
    }
}
