//! Multiplies distances by a number: the exact product, rounded once.

use fearless_simd::{Level, Simd};

use super::wide::Wide;
use crate::element::Element;
use crate::simd::Kernel;

/// A number that is known to 250 bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Factor {
    /// The nearest double.
    pub(crate) value: f64,
    exact: Wide,
}

impl Factor {
    /// Returns 2^(−numerator/denominator).
    pub(crate) fn power(numerator: u64, denominator: u64) -> Self {
        // Whole powers are exact, so that a tie stays a tie.
        let (whole, rest) = (numerator / denominator, numerator % denominator);
        let part = Wide::from_u64(2).inverse_root(if rest == 0 { 1 } else { denominator });
        let exact = part.pow(rest).mul(Wide::from_f64(0.5).pow(whole));
        Self { value: exact.to_f64(), exact }
    }

    pub(crate) fn given(value: f64) -> Self {
        Self { value, exact: Wide::from_f64(value) }
    }

    /// Returns k if this number is 2^k times `other`.
    pub(crate) fn power_over(self, other: Self) -> Option<i32> {
        self.exact.power_over(other.exact)
    }

    /// Returns the number of significant bits, or 64 if they do not end.
    fn bits(self) -> u32 {
        let are_all = self.exact == Wide::from_f64(self.value);
        if are_all {
            53_u32.saturating_sub(self.value.to_bits().trailing_zeros()).max(1)
        } else {
            64
        }
    }

    /// Writes the product with each sum value + rest, rounded such that rounding to the element
    /// gives the exact product rounded once. `bits` is the number of significant bits of the
    /// values; `is_normal` says that no product is too large or subnormal.
    /// [`exactly`](Self::exactly) is the plain version; the faster ones give the same bits, and
    /// fall back to it where they cannot decide.
    pub(crate) fn times<A: Element>(
        self,
        values: &[f64],
        rests: &[f64],
        (bits, is_normal): (u32, bool),
        out: &mut [A::Angle],
    ) {
        let largest = largest::<A>();
        let bits = bits + self.bits();
        if size_of::<A>() == size_of::<f64>() {
            let low = self.exact.sub(Wide::from_f64(self.value)).to_f64();
            for ((out, value), rest) in out.iter_mut().zip(values).zip(rests) {
                let product = two_product(self.value, *value);
                let error = product[1] + (low * value + self.value * rest);
                let doubt = product[0].abs() * 2_f64.powi(-98);
                let (below, above) = (product[0] + (error - doubt), product[0] + (error + doubt));
                let is_sure = bits <= 53 || below == above;
                *out =
                    A::Angle::from_f64(if is_sure { below } else { self.exactly(*value, *rest) });
            }
            return;
        }
        let (mut doubt, at) = (false, Doubt::of::<A>());
        let (factor, doubtful) = (self.value, &mut doubt);
        let out = &mut *out;
        Products { factor, values, largest, is_normal, at, out, doubt: doubtful }
            .launch(Level::new());
        // Products of at most the 24 bits of f32 are exact in f32, and so are rounded only once.
        if doubt && bits > 24 {
            for ((out, value), rest) in out.iter_mut().zip(values).zip(rests) {
                if at.is_at(self.value * value) {
                    let exact = A::from_f64(self.exactly_to_odd(*value, *rest).min(largest));
                    *out = A::Angle::from_f64(exact.to_f64());
                }
            }
        }
    }

    fn product(self, value: f64, rest: f64) -> Wide {
        self.exact.mul(Wide::from_f64(value).add(Wide::from_f64(rest)))
    }

    /// Returns the product rounded to f64.
    fn exactly(self, value: f64, rest: f64) -> f64 {
        self.product(value, rest).to_f64()
    }

    /// Returns the product rounded to odd in f64, so that it can be rounded once more: where bits
    /// are lost, the last bit is 1.
    fn exactly_to_odd(self, value: f64, rest: f64) -> f64 {
        let exact = self.product(value, rest);
        let nearest = exact.to_f64();
        let lost = exact.sub(Wide::from_f64(nearest)).to_f64();
        if lost == 0.0 || nearest.to_bits() & 1 == 1 {
            nearest
        } else if (lost > 0.0) == (nearest > 0.0) {
            f64::from_bits(nearest.to_bits() + 1)
        } else {
            f64::from_bits(nearest.to_bits() - 1)
        }
    }
}

/// Detects products, themselves off by a few units in the last place, that are too near the middle
/// between two elements of 16 or 32 bits to tell which is nearer, or so small that elements have
/// fewer bits.
#[derive(Clone, Copy)]
struct Doubt {
    /// The mask of the bits that an element lacks.
    lost: u64,
    /// The smallest value of these bits that counts as near the middle, and the number of values
    /// above it that do.
    near: [u64; 2],
    smallest: f64,
}

impl Doubt {
    fn of<A: Element>() -> Self {
        // Rows of 16-bit elements are rows of f32 that are rounded once more: the bits that f32
        // loses count as near.
        let (lost, near) = match largest::<A>() {
            65504.0 => (42, 1 << 31),
            largest if largest < f64::from(f32::MAX) => (45, 1 << 31),
            _ => (29, 8),
        };
        let (half, smallest) = (1 << (lost - 1), smallest_normal::<A>());
        Self { lost: (1 << lost) - 1, near: [half - near, 2 * near], smallest }
    }

    #[inline(always)]
    fn is_near(self, product: f64) -> bool {
        (product.to_bits() & self.lost).wrapping_sub(self.near[0]) <= self.near[1]
    }

    #[inline(always)]
    fn is_at(self, product: f64) -> bool {
        self.is_near(product) | ((product.abs() < self.smallest) & (product != 0.0))
    }
}

/// Computes products in vectors, and whether one of them is doubtful.
struct Products<'a, T> {
    factor: f64,
    values: &'a [f64],
    largest: f64,
    /// Whether no product is too large or subnormal.
    is_normal: bool,
    at: Doubt,
    out: &'a mut [T],
    doubt: &'a mut bool,
}

impl<T: Element> Kernel for Products<'_, T> {
    const BYTES: usize = 32;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let mut doubt = false;
        if self.is_normal {
            for (out, value) in self.out.iter_mut().zip(self.values) {
                let product = self.factor * value;
                *out = T::from_f64(product);
                doubt |= self.at.is_near(product);
            }
            *self.doubt = doubt;
            return;
        }
        for (out, value) in self.out.iter_mut().zip(self.values) {
            let product = self.factor * value;
            *out = T::from_f64(product.min(self.largest));
            doubt |= self.at.is_at(product);
        }
        *self.doubt = doubt;
    }
}

/// Returns the product of two doubles and its error (Dekker, Veltkamp).
fn two_product(a: f64, b: f64) -> [f64; 2] {
    let split = |x: f64| {
        let high = x * 134_217_729.0 - (x * 134_217_729.0 - x);
        [high, x - high]
    };
    let (product, [a, a_low], [b, b_low]) = (a * b, split(a), split(b));
    [product, ((a * b - product) + a * b_low + a_low * b) + a_low * b_low]
}

/// Returns the largest finite number of the type. A larger bias is replaced by it, since +∞ plus
/// the −∞ of a mask is NaN.
#[inline(always)]
pub(crate) fn largest<A: Element>() -> f64 {
    /// The largest numbers of f64, f32, bf16 and f16.
    const LARGEST: [f64; 4] = [f64::MAX, f32::MAX as f64, 255.0 * (1_u128 << 120) as f64, 65504.0];
    let is_one = |value: &f64| A::from_f64(*value).to_f64() == *value;
    LARGEST.into_iter().find(is_one).unwrap_or(f64::MAX)
}

/// Returns the smallest normal number of the type.
#[inline(always)]
pub(crate) fn smallest_normal<A: Element>() -> f64 {
    match largest::<A>() {
        65504.0 => 1.0 / 16384.0,
        f64::MAX => f64::MIN_POSITIVE,
        _ => f64::from(f32::MIN_POSITIVE),
    }
}
