//! The header of a safetensors file, which is checked before it is used.
//!
//! The safetensors crate reads a header only together with the whole file
//! (`SafeTensors::deserialize` takes all of its bytes and compares lengths), and its errors give
//! neither key nor byte. So the JSON is read here, in 100 lines, and the file need not be in
//! memory.

use core::fmt;
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Seek, SeekFrom};

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::error::{FileProblem, reserve};

/// The maximal header length of the format.
const LONGEST: u64 = 100_000_000;

/// The entry of one tensor in a header. The type is kept as text: an unknown type does not make the
/// whole file an error.
#[derive(Debug, Deserialize)]
pub(super) struct Info {
    pub(super) dtype: String,
    pub(super) shape: Vec<usize>,
    data_offsets: (u64, u64),
}

#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) tensors: BTreeMap<String, Info>,
    pub(super) metadata: HashMap<String, String>,
    duplicate: Option<String>,
    /// The byte at which the tensors begin.
    start: u64,
}

impl Header {
    /// Reads and checks the header of a file; every tensor then lies within the file.
    pub(super) fn read<R: Read + Seek>(file: &mut R) -> Result<Self, FileProblem> {
        let len = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        let available =
            len.checked_sub(8).ok_or(FileProblem::HeaderTooLong { claimed: 8, available: len })?;
        let mut claimed = [0; 8];
        file.read_exact(&mut claimed)?;
        let claimed = u64::from_le_bytes(claimed);
        if claimed > available.min(LONGEST) {
            return Err(FileProblem::HeaderTooLong { claimed, available: available.min(LONGEST) });
        }
        let mut json = Vec::new();
        reserve(&mut json, claimed as usize)?;
        file.take(claimed).read_to_end(&mut json)?;
        let mut header: Self = serde_json::from_slice(&json).map_err(|error| {
            let byte = 8 + place(&json, error.line(), error.column());
            // serde_json names a line and a column of the header; the byte replaces them.
            let text = error.to_string();
            let cause = text.rsplit_once(" at line ").map_or(text.as_str(), |(cause, _)| cause);
            FileProblem::InvalidHeader { byte, cause: cause.to_string() }
        })?;
        header.start = 8 + claimed;
        match header.duplicate.take() {
            Some(key) => Err(FileProblem::DuplicateKey { key }),
            None => header.check(len).map(|()| header),
        }
    }

    /// Returns the bytes of the file that hold a tensor.
    pub(super) fn range(&self, info: &Info) -> (u64, u64) {
        (self.start + info.data_offsets.0, self.start + info.data_offsets.1)
    }

    /// Checks that the tensors follow each other without overlap or gap up to the end of a file of
    /// `len` bytes, and that each has the bytes of its shape and type.
    fn check(&self, len: u64) -> Result<(), FileProblem> {
        let mut tensors: Vec<(&String, &Info)> = self.tensors.iter().collect();
        tensors.sort_unstable_by_key(|(_, info)| info.data_offsets);
        let mut end = 0;
        for (key, info) in tensors {
            let (start, stop) = info.data_offsets;
            if start != end {
                let [byte, expected] = [start, end].map(|offset| self.start.saturating_add(offset));
                return Err(FileProblem::Misplaced { key: key.clone(), byte, expected });
            }
            let found = stop.saturating_sub(start);
            let sized =
                bits(&info.dtype).is_none_or(|bits| bytes(&info.shape, bits) == Some(found));
            if stop < start || !sized {
                let expected = bits(&info.dtype).and_then(|bits| bytes(&info.shape, bits));
                return Err(FileProblem::WrongSize { key: key.clone(), expected, found });
            }
            end = stop;
        }
        match self.start.checked_add(end) {
            Some(expected) if expected == len => Ok(()),
            expected => {
                Err(FileProblem::WrongLength { expected: expected.unwrap_or(u64::MAX), found: len })
            }
        }
    }
}

/// Returns the bits of an element of a known type.
fn bits(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "BOOL" | "U8" | "I8" | "F8_E4M3" | "F8_E5M2" | "F8_E8M0" => 8,
        "U16" | "I16" | "F16" | "BF16" => 16,
        "U32" | "I32" | "F32" => 32,
        "U64" | "I64" | "F64" | "C64" => 64,
        _ => return None,
    })
}

fn bytes(shape: &[usize], bits: u64) -> Option<u64> {
    shape.iter().try_fold(bits / 8, |bytes, &len| bytes.checked_mul(len as u64))
}

/// Returns the byte at a line and a column, both counted from 1.
fn place(json: &[u8], line: usize, column: usize) -> u64 {
    let before: usize = json
        .split_inclusive(|byte| *byte == b'\n')
        .take(line.saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    (before + column.saturating_sub(1)).min(json.len()) as u64
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tensors;

        impl<'de> Visitor<'de> for Tensors {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an object of tensors")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Header, M::Error> {
                let mut header = Header::default();
                while let Some(key) = map.next_key::<String>()? {
                    if key == "__metadata__" {
                        header.metadata = map.next_value()?;
                        continue;
                    }
                    let info = map.next_value()?;
                    match header.tensors.entry(key) {
                        Entry::Vacant(place) => {
                            place.insert(info);
                        }
                        Entry::Occupied(place) => header.duplicate = Some(place.key().clone()),
                    }
                }
                Ok(header)
            }
        }

        deserializer.deserialize_map(Tensors)
    }
}
