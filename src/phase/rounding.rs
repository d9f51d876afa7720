//! From rows of f32 to 16 bits: rounded once more, but where a value of f32 lies exactly between two
//! of the 16-bit type, which its low bits show. Those few are rounded once, from f64.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

/// A 16-bit type, and how f32 is rounded to it.
pub trait Sixteen: Copy {
    /// Rounds all values, and says whether one of them lies exactly between two of this type.
    fn round(values: &[f32], out: &mut [Self]) -> bool;
    /// Whether a value lies exactly between two of this type.
    fn is_between(value: f32) -> bool;
}

impl Sixteen for bf16 {
    fn round(values: &[f32], out: &mut [Self]) -> bool {
        out.convert_from_f32_slice(values);
        values.iter().fold(false, |any, &value| any | Self::is_between(value))
    }

    #[inline(always)]
    fn is_between(value: f32) -> bool {
        value.to_bits() & 0xffff == 0x8000
    }
}

impl Sixteen for f16 {
    fn round(values: &[f32], out: &mut [Self]) -> bool {
        out.convert_from_f32_slice(values);
        values.iter().fold(false, |any, &value| any | Self::is_between(value))
    }

    #[inline(always)]
    fn is_between(value: f32) -> bool {
        /// The smallest number with all 11 bits, 2⁻¹⁴; below it the last place is 2⁻²⁴.
        const SMALLEST_NORMAL: u32 = 113 << 23;
        let magnitude = value.abs();
        // The last place of 0.5 is that of numbers with fewer bits, and the difference is exact.
        let rest = magnitude - ((magnitude + 0.5) - 0.5);
        let is_subnormal = magnitude.to_bits() < SMALLEST_NORMAL;
        let between_subnormals = rest.abs() == 1.0 / (1 << 25) as f32;
        let between_normals = value.to_bits() & 0x1fff == 0x1000;
        (is_subnormal & between_subnormals) | (!is_subnormal & between_normals)
    }
}
