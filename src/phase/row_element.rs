//! Rows of each element type: f32 and f64 by a kernel, 16-bit types from rows of f32.
//!
//! For 16-bit types, rows of f32 are rounded once more. Where an f32 lies exactly between two
//! values of the 16-bit type, which its low bits show, the value is rounded once from f64 instead.

#[cfg(feature = "half")]
use half::slice::HalfFloatSliceExt;
#[cfg(feature = "half")]
use half::{bf16, f16};

use super::arithmetic::Arithmetic;
use crate::element::Element;

/// An element type, and the type whose kernels compute it.
pub trait RowElement: Element {
    type Computed: Arithmetic + Element;
    /// Whether the kernels write this type itself.
    const IS_COMPUTED: bool;

    /// Returns the row itself if a kernel can write it.
    fn as_computed(row: &mut [Self]) -> Option<&mut [Self::Computed]>;
    fn as_all_computed(rows: [&mut [Self]; 8]) -> Option<[&mut [Self::Computed]; 8]>;
    /// Rounds all values, and returns true if one of them lies exactly between two values of this
    /// type.
    fn round_all(values: &[Self::Computed], out: &mut [Self]) -> bool;
    /// Returns true if a value lies exactly between two values of this type.
    fn is_between(value: Self::Computed) -> bool;
}

macro_rules! as_it_is {
    ($type:ident) => {
        impl RowElement for $type {
            type Computed = Self;
            const IS_COMPUTED: bool = true;

            fn as_computed(row: &mut [Self]) -> Option<&mut [Self]> {
                Some(row)
            }

            fn as_all_computed(rows: [&mut [Self]; 8]) -> Option<[&mut [Self]; 8]> {
                Some(rows)
            }

            fn round_all(values: &[Self], out: &mut [Self]) -> bool {
                out.copy_from_slice(values);
                false
            }

            fn is_between(_: Self) -> bool {
                false
            }
        }
    };
}

as_it_is!(f32);
as_it_is!(f64);

#[cfg(feature = "half")]
macro_rules! sixteen_bits {
    ($type:ident, $is_between:expr) => {
        impl RowElement for $type {
            type Computed = f32;
            const IS_COMPUTED: bool = false;

            fn as_computed(_: &mut [Self]) -> Option<&mut [f32]> {
                None
            }

            fn as_all_computed(_: [&mut [Self]; 8]) -> Option<[&mut [f32]; 8]> {
                None
            }

            fn round_all(values: &[f32], out: &mut [Self]) -> bool {
                out.convert_from_f32_slice(values);
                values.iter().fold(false, |any, &value| any | Self::is_between(value))
            }

            #[inline(always)]
            fn is_between(value: f32) -> bool {
                $is_between(value)
            }
        }
    };
}

#[cfg(feature = "half")]
sixteen_bits!(bf16, |value: f32| value.to_bits() & 0xffff == 0x8000);
#[cfg(feature = "half")]
sixteen_bits!(f16, is_between_f16);

#[cfg(feature = "half")]
#[inline(always)]
fn is_between_f16(value: f32) -> bool {
    /// The bits of 2⁻¹⁴, the smallest f16 with all 11 bits; below it the last place is 2⁻²⁴.
    const SMALLEST_NORMAL: u32 = 113 << 23;
    let magnitude = value.abs();
    // The last place of 0.5 is the last place of subnormal numbers, and the difference is exact.
    let rest = magnitude - ((magnitude + 0.5) - 0.5);
    let is_subnormal = magnitude.to_bits() < SMALLEST_NORMAL;
    let between_subnormals = rest.abs() == 1.0 / (1 << 25) as f32;
    let between_normals = value.to_bits() & 0x1fff == 0x1000;
    (is_subnormal & between_subnormals) | (!is_subnormal & between_normals)
}
