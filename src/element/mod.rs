//! The element types of arrays: `f32`, `f64`, `half::f16` and `half::bf16`.

mod any;
mod lanes;
#[cfg(feature = "half")]
mod sixteen_bits;

pub(crate) use any::{AnyElement, OfElement};
pub(crate) use lanes::Lanes;

use core::fmt::Debug;
use core::ops::Neg;

use num_traits::Num;

/// An element type: `f32`, `f64`, and with feature `half` also `half::f16` and `half::bf16`.
///
/// Position vectors are computed in integers and f64 and rounded once to the element type. The
/// trait is sealed.
///
/// ```
/// use positional_encodings::Element;
///
/// assert_eq!(f32::from_f64(0.1), 0.1);
/// assert_eq!(Element::to_f64(0.5_f32), 0.5);
/// ```
pub trait Element:
    Num + Neg<Output = Self> + Copy + PartialOrd + Debug + Send + Sync + 'static + any::Sealed
{
    /// The type in which elements are rotated and biases computed: `f32` for elements of 16 and 32
    /// bits, `f64` for `f64`.
    type Angle: Element<Angle = Self::Angle>;

    /// Rounds to the nearest value of this type, with ties to even.
    fn from_f64(value: f64) -> Self;
    /// Converts to f64, exactly.
    fn to_f64(self) -> f64;
}

impl Element for f32 {
    type Angle = Self;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Element for f64 {
    type Angle = Self;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        self
    }
}

/// Rounds to `KEPT` explicit significand bits and to multiples of the smallest subnormal, in f64,
/// with ties to even, so that the conversion that follows is exact.
///
/// Going through f32 would round twice, as the `half` crate does where the processor converts.
#[cfg(feature = "half")]
#[inline(always)]
fn round_significand<const KEPT: u32>(
    value: f64,
    smallest_normal: f64,
    subnormal_magic: f64,
) -> f64 {
    let bits = value.to_bits();
    let dropped = 52 - KEPT;
    let nearest = bits.wrapping_add((1 << (dropped - 1)) - 1 + (bits >> dropped & 1));
    let normal = f64::from_bits(nearest >> dropped << dropped);
    // Adding and subtracting 1.5 · 2⁵² units of the last subnormal place rounds to such units.
    let subnormal = ((value.abs() + subnormal_magic) - subnormal_magic).copysign(value);
    if value.abs() < smallest_normal {
        subnormal
    } else if value.is_finite() {
        normal
    } else {
        value
    }
}

#[cfg(feature = "half")]
impl Element for half::bf16 {
    type Angle = f32;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        const SMALLEST_NORMAL: f64 = f32::MIN_POSITIVE as f64;
        const UNIT: f64 = SMALLEST_NORMAL / 128.0;
        let rounded =
            round_significand::<7>(value, SMALLEST_NORMAL, 1.5 * (1_u64 << 52) as f64 * UNIT);
        let bits = (rounded as f32).to_bits();
        // A NaN whose payload is in the dropped half must stay NaN.
        let quiet = if value.is_nan() { 0x40 } else { 0 };
        Self::from_bits((bits >> 16) as u16 | quiet)
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(f32::from_bits(u32::from(self.to_bits()) << 16))
    }
}

#[cfg(feature = "half")]
impl Element for half::f16 {
    type Angle = f32;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        const SMALLEST_NORMAL: f64 = 1.0 / 16384.0;
        const UNIT: f64 = SMALLEST_NORMAL / 1024.0;
        let rounded =
            round_significand::<10>(value, SMALLEST_NORMAL, 1.5 * (1_u64 << 52) as f64 * UNIT);
        Self::from_f32(rounded as f32)
    }

    #[inline(always)]
    fn to_f64(self) -> f64 {
        half::f16::to_f64(self)
    }
}

#[cfg(all(test, feature = "half"))]
mod tests {
    use super::Element;
    use half::{bf16, f16};

    /// Checks every f16, and every midpoint between two of them, against IEEE 754.
    #[test]
    fn rounding_is_to_nearest_even() {
        fn check<A: Element>(below: A, above: A, even_is_below: bool) {
            let (low, high) = (below.to_f64(), above.to_f64());
            let middle = (low + high) / 2.0;
            assert_eq!(A::from_f64(low), below);
            assert_eq!(A::from_f64(middle), if even_is_below { below } else { above }, "{below:?}");
            assert_eq!(A::from_f64(middle * (1.0 - f64::EPSILON)), below, "{below:?}");
            assert_eq!(A::from_f64(middle * (1.0 + f64::EPSILON)), above, "{below:?}");
            assert_eq!(A::from_f64(-middle * (1.0 + f64::EPSILON)), -above, "{below:?}");
        }
        for bits in 1..f16::MAX.to_bits() {
            check(f16::from_bits(bits), f16::from_bits(bits + 1), bits % 2 == 0);
        }
        for bits in 1..bf16::MAX.to_bits() {
            check(bf16::from_bits(bits), bf16::from_bits(bits + 1), bits % 2 == 0);
        }
    }

    #[test]
    fn specials_stay_special() {
        assert!(
            <bf16 as Element>::from_f64(f64::NAN).is_nan()
                && <f16 as Element>::from_f64(f64::NAN).is_nan()
        );
        assert_eq!(<bf16 as Element>::from_f64(f64::INFINITY), bf16::INFINITY);
        assert_eq!(<f16 as Element>::from_f64(1e6), f16::INFINITY);
        assert_eq!(<bf16 as Element>::from_f64(1e300), bf16::INFINITY);
        assert!(<f16 as Element>::from_f64(-0.0).is_sign_negative());
    }
}
