//! Decodes the numbers of a tensor.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use crate::element::Element;
use crate::error::{FileProblem, reserve};

/// How values that the element type cannot hold are treated.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Rounding {
    Refused,
    #[cfg(feature = "safetensors")]
    ToNearest,
}

#[derive(Clone, Copy)]
pub(super) enum Format {
    F64,
    F32,
    F16,
    BF16,
}

impl Format {
    #[cfg(feature = "safetensors")]
    pub(super) fn of(dtype: &str) -> Option<Self> {
        Some(match dtype {
            "F64" => Self::F64,
            "F32" => Self::F32,
            "F16" => Self::F16,
            "BF16" => Self::BF16,
            _ => return None,
        })
    }

    pub(super) fn size(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::BF16 => 2,
        }
    }

    /// Calls `visit` with the exact value of each number in the bytes.
    fn each<E>(
        self,
        bytes: &[u8],
        mut visit: impl FnMut(usize, f64) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            Self::F64 => each(bytes, |item| visit(item.0, f64::from_le_bytes(item.1))),
            Self::F32 => each(bytes, |item| visit(item.0, f64::from(f32::from_le_bytes(item.1)))),
            Self::F16 => each(bytes, |item| visit(item.0, f16_to_f64(u16::from_le_bytes(item.1)))),
            Self::BF16 => each(bytes, |item| {
                visit(
                    item.0,
                    f64::from(f32::from_bits(u32::from(u16::from_le_bytes(item.1)) << 16)),
                )
            }),
        }
    }
}

fn each<const N: usize, E>(
    bytes: &[u8],
    visit: impl FnMut((usize, [u8; N])) -> Result<(), E>,
) -> Result<(), E> {
    bytes.as_chunks().0.iter().copied().enumerate().try_for_each(visit)
}

/// Returns the value of an IEEE 754 half, without the `half` feature.
fn f16_to_f64(bits: u16) -> f64 {
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    let magnitude = match i32::from(bits >> 10 & 0x1f) {
        0 => fraction / 16384.0,
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1.0 + fraction) * f64::from(exponent - 15).exp2(),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// Reads the numbers at `range`, which must lie within the file.
pub(super) fn read<A: Element, R: Read + Seek>(
    source: &mut R,
    key: &str,
    range: Range<u64>,
    format: Format,
    rounding: Rounding,
) -> Result<Vec<A>, FileProblem> {
    const CHUNK: u64 = 1 << 16;
    let mut values = Vec::new();
    reserve(&mut values, ((range.end - range.start) / format.size() as u64) as usize)?;
    source.seek(SeekFrom::Start(range.start))?;
    let mut chunk = vec![0; CHUNK.min(range.end - range.start) as usize];
    let mut start = range.start;
    while start < range.end {
        let bytes = &mut chunk[..CHUNK.min(range.end - start) as usize];
        source.read_exact(bytes)?;
        let before = values.len();
        format.each(bytes, |index, exact| {
            let value = A::from_f64(exact);
            let is_allowed = exact.is_infinite() && rounding != Rounding::Refused;
            if !value.to_f64().is_finite() && !is_allowed {
                let byte = start + (index * format.size()) as u64;
                return Err(FileProblem::NotFinite {
                    key: key.to_string(),
                    index: before + index,
                    byte: Some(byte),
                });
            }
            if rounding == Rounding::Refused && value.to_f64() != exact {
                return Err(FileProblem::Inexact {
                    key: key.to_string(),
                    index: before + index,
                    value: exact,
                });
            }
            values.push(value);
            Ok(())
        })?;
        start += bytes.len() as u64;
    }
    Ok(values)
}

#[cfg(all(test, feature = "half"))]
mod tests {
    #[test]
    fn halves_have_their_values() {
        for bits in 0..=u16::MAX {
            let (found, expected) = (super::f16_to_f64(bits), half::f16::from_bits(bits).to_f64());
            assert!(
                found.to_bits() == expected.to_bits() || found.is_nan() && expected.is_nan(),
                "{bits:#x}"
            );
        }
    }
}
