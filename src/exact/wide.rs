//! Real numbers with a 256-bit significand, in which frequencies are computed.
//!
//! A frequency must be correct to 2⁻¹²⁸ of a turn *after* hundreds of multiplications, for which
//! double-double arithmetic (106 bits) is not enough: at position 2⁵³ its error is 2⁻⁵¹ radians.
//! Four limbs leave more than 100 bits to spare, and the few operations needed are short.

use core::cmp::Ordering;

pub(crate) type Limbs = [u64; 4];

/// The number ± (limbs / 2²⁵⁶) · 2^exponent, with the top bit of the limbs (little-endian) set; for
/// zero all fields are zero.
///
/// Products and sums are truncated: their relative error is below 2⁻²⁵³.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wide {
    negative: bool,
    exponent: i32,
    limbs: Limbs,
}

impl Wide {
    pub(crate) const ZERO: Self = Self { negative: false, exponent: 0, limbs: [0; 4] };
    pub(crate) const ONE: Self = Self { negative: false, exponent: 1, limbs: [0, 0, 0, 1 << 63] };
    /// 2π
    pub(crate) const TAU: Self = Self {
        negative: false,
        exponent: 3,
        limbs: [
            0x020b_bea6_3b13_9b22,
            0x2902_4e08_8a67_cc74,
            0xc4c6_628b_80dc_1cd1,
            0xc90f_daa2_2168_c234,
        ],
    };
    /// 1 / 2π
    pub(crate) const TURNS_PER_RADIAN: Self = Self {
        negative: false,
        exponent: -2,
        limbs: [
            0xfe51_63ab_debb_c562,
            0xdb62_9599_3c43_9041,
            0xfc27_57d1_f534_ddc0,
            0xa2f9_836e_4e44_1529,
        ],
    };

    /// Returns the exact value of a finite `x`.
    pub(crate) fn from_f64(x: f64) -> Self {
        debug_assert!(x.is_finite());
        let bits = x.abs().to_bits();
        let (field, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
        // The value is significand · 2^scale; subnormal numbers have no hidden bit.
        let (significand, scale) =
            if field == 0 { (fraction, -1074) } else { (fraction | 1 << 52, field - 1075) };
        Self::normalized(x < 0.0, scale + 256, [significand, 0, 0, 0])
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.limbs[3] == 0
    }

    pub(crate) fn neg(self) -> Self {
        Self { negative: !self.negative && !self.is_zero(), ..self }
    }

    pub(crate) fn abs(self) -> Self {
        Self { negative: false, ..self }
    }

    pub(crate) fn mul(self, other: Self) -> Self {
        if self.is_zero() || other.is_zero() {
            return Self::ZERO;
        }
        let mut product = [0_u64; 8];
        for (i, &a) in self.limbs.iter().enumerate() {
            let mut carry = 0_u128;
            for (j, &b) in other.limbs.iter().enumerate() {
                let sum = u128::from(a) * u128::from(b) + u128::from(product[i + j]) + carry;
                product[i + j] = sum as u64;
                carry = sum >> 64;
            }
            product[i + 4] = carry as u64;
        }
        let negative = self.negative != other.negative;
        let exponent = self.exponent.saturating_add(other.exponent);
        if product[7] >> 63 == 1 {
            return Self {
                negative,
                exponent,
                limbs: [product[4], product[5], product[6], product[7]],
            };
        }
        // Two normalised factors lose at most one leading bit.
        let limbs = core::array::from_fn(|i| product[i + 4] << 1 | product[i + 3] >> 63);
        Self { negative, exponent: exponent.saturating_sub(1), limbs }
    }

    pub(crate) fn add(self, other: Self) -> Self {
        if self.is_zero() {
            return other;
        }
        if other.is_zero() {
            return self;
        }
        let (large, small) = if self.cmp_magnitude(&other) == Ordering::Less {
            (other, self)
        } else {
            (self, other)
        };
        let shift = i64::from(large.exponent) - i64::from(small.exponent);
        let small_limbs = shift_right(small.limbs, shift.min(256) as u32);
        if large.negative == small.negative {
            let (mut limbs, carry) = add_limbs(large.limbs, small_limbs);
            let mut exponent = large.exponent;
            if carry {
                limbs = shift_right(limbs, 1);
                limbs[3] |= 1 << 63;
                exponent = exponent.saturating_add(1);
            }
            return Self { negative: large.negative, exponent, limbs };
        }
        Self::normalized(large.negative, large.exponent, sub_limbs(large.limbs, small_limbs))
    }

    pub(crate) fn sub(self, other: Self) -> Self {
        self.add(other.neg())
    }

    /// Returns k if self is 2^k times `other`.
    pub(crate) fn power_over(self, other: Self) -> Option<i32> {
        let is_one = Self { exponent: 0, ..self } == Self { exponent: 0, ..other };
        is_one.then(|| self.exponent.saturating_sub(other.exponent))
    }

    /// Returns selfⁿ.
    pub(crate) fn pow(self, mut n: u64) -> Self {
        let (mut result, mut square) = (Self::ONE, self);
        while n > 0 {
            if n & 1 == 1 {
                result = result.mul(square);
            }
            n >>= 1;
            if n > 0 {
                square = square.mul(square);
            }
        }
        result
    }

    /// Returns self^(-1/n) of a positive number, n ≥ 1; with n = 1 the reciprocal.
    ///
    /// Newton's iteration for rⁿ·self = 1, which is r ← r + r·(1 − rⁿ·self)/n: each step doubles
    /// the correct digits.
    pub(crate) fn inverse_root(self, n: u64) -> Self {
        debug_assert!(!self.is_zero() && !self.negative && n >= 1);
        let one_over_n = if n == 1 { Self::ONE } else { Self::from_u64(n).inverse_root(1) };
        let mut root = self.inverse_root_guess(n);
        // Nine steps are always enough from a guess whose n-th power is within 10 %; the bound
        // shows that the loop ends.
        for _ in 0..16 {
            let residue = Self::ONE.sub(root.pow(n).mul(self));
            root = root.add(root.mul(residue).mul(one_over_n));
            let lost_bits = 64 - n.leading_zeros() as i32;
            if residue.is_zero() || residue.exponent < lost_bits - 240 {
                break;
            }
        }
        root
    }

    /// Returns a first guess whose n-th power is correct within 10 %. It uses f64 sums and products
    /// alone, since the C library's `pow` differs between platforms.
    fn inverse_root_guess(self, n: u64) -> Self {
        let significand = self.limbs[3] as f64 * (-64_f64).exp2_exact();
        // log2 of a significand in [1/2, 1) is within 0.09 of the chord 2·significand − 2.
        let log2 = f64::from(self.exponent) + 2.0 * significand - 2.0;
        let power = -log2 / n as f64;
        let whole = power.floor();
        let x = (power - whole) * core::f64::consts::LN_2;
        let (mut term, mut sum) = (1.0, 1.0);
        for k in 1..20 {
            term *= x / f64::from(k);
            sum += term;
        }
        let guess = Self::from_f64(sum);
        Self { exponent: guess.exponent + whole as i32, ..guess }
    }

    pub(crate) fn from_u64(n: u64) -> Self {
        Self::normalized(false, 256, [n, 0, 0, 0])
    }

    /// Returns the nearest double, with ties to even.
    pub(crate) fn to_f64(self) -> f64 {
        if self.is_zero() {
            return 0.0;
        }
        // A subnormal result keeps fewer than 53 bits; the value is in [2^(exponent-1),
        // 2^exponent).
        let kept = (self.exponent + 1074).clamp(0, 53) as u32;
        let magnitude = if self.exponent > 1024 {
            f64::INFINITY
        } else if kept == 0 {
            // Below the smallest subnormal, the value rounds to that or to zero.
            let above_half = self.exponent == -1074 && self.limbs != [0, 0, 0, 1 << 63];
            if above_half { f64::from_bits(1) } else { 0.0 }
        } else {
            let dropped = 64 - kept;
            let top = self.limbs[3];
            let significand = top >> dropped;
            let rest = top << kept;
            let sticky = self.limbs[..3].iter().any(|&limb| limb != 0);
            let half = 1 << 63;
            let up = rest > half || (rest == half && (sticky || significand & 1 == 1));
            let rounded = (significand + u64::from(up)) as f64;
            scale_exact(rounded, self.exponent - kept as i32)
        };
        if self.negative { -magnitude } else { magnitude }
    }

    /// Returns the nearest multiple of 2⁻¹⁹² as a two's complement number of 64 integer and 192
    /// fraction bits (little-endian), or `None` where |self| ≥ 2⁶³.
    pub(crate) fn to_fixed(self) -> Option<Limbs> {
        if self.is_zero() {
            return Some([0; 4]);
        }
        if self.exponent > 63 {
            return None;
        }
        // The 256 bits represent a number below 2^exponent; shifted right, they count halves of
        // 2⁻¹⁹².
        let halves = shift_right(self.limbs, (63 - i64::from(self.exponent)).min(256) as u32);
        let (rounded, overflow) = add_limbs(halves, [1, 0, 0, 0]);
        if overflow {
            return None;
        }
        let magnitude = shift_right(rounded, 1);
        Some(if self.negative { negate(magnitude) } else { magnitude })
    }

    fn normalized(negative: bool, exponent: i32, limbs: Limbs) -> Self {
        let zeros = leading_zeros(limbs);
        if zeros == 256 {
            return Self::ZERO;
        }
        Self {
            negative,
            exponent: exponent.saturating_sub(zeros as i32),
            limbs: shift_left(limbs, zeros),
        }
    }

    fn cmp_magnitude(&self, other: &Self) -> Ordering {
        self.exponent
            .cmp(&other.exponent)
            .then_with(|| self.limbs.iter().rev().cmp(other.limbs.iter().rev()))
    }
}

/// Multiplies by a power of two; exact where the result is a double.
fn scale_exact(x: f64, exponent: i32) -> f64 {
    let (first, rest) = (exponent.clamp(-1000, 1000), exponent - exponent.clamp(-1000, 1000));
    x * f64::from(first).exp2_exact() * f64::from(rest).exp2_exact()
}

trait Exp2Exact {
    fn exp2_exact(self) -> f64;
}

impl Exp2Exact for f64 {
    /// Returns 2^self from its bits, for a whole number in the range of normal exponents.
    fn exp2_exact(self) -> f64 {
        f64::from_bits(((self as i64 + 1023) as u64) << 52)
    }
}

fn leading_zeros(limbs: Limbs) -> u32 {
    let mut zeros = 0;
    for limb in limbs.iter().rev() {
        zeros += limb.leading_zeros();
        if *limb != 0 {
            break;
        }
    }
    zeros
}

fn shift_left(limbs: Limbs, bits: u32) -> Limbs {
    let (skip, bits) = ((bits / 64) as usize, bits % 64);
    let at = |i: usize| if i < skip { 0 } else { limbs[i - skip] };
    core::array::from_fn(|i| {
        let below = if bits == 0 || i == 0 { 0 } else { at(i - 1) >> (64 - bits) };
        at(i) << bits | below
    })
}

fn shift_right(limbs: Limbs, bits: u32) -> Limbs {
    let (skip, bits) = ((bits / 64) as usize, bits % 64);
    let at = |i: usize| limbs.get(i + skip).copied().unwrap_or(0);
    core::array::from_fn(|i| {
        let above = if bits == 0 { 0 } else { at(i + 1) << (64 - bits) };
        at(i) >> bits | above
    })
}

fn add_limbs(a: Limbs, b: Limbs) -> (Limbs, bool) {
    let mut carry = false;
    let sum = core::array::from_fn(|i| {
        let (sum, first) = a[i].overflowing_add(b[i]);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        carry = first || second;
        sum
    });
    (sum, carry)
}

fn sub_limbs(a: Limbs, b: Limbs) -> Limbs {
    let mut borrow = false;
    core::array::from_fn(|i| {
        let (difference, first) = a[i].overflowing_sub(b[i]);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        borrow = first || second;
        difference
    })
}

fn negate(limbs: Limbs) -> Limbs {
    let mut carry = true;
    limbs.map(|limb| {
        let (negated, overflow) = (!limb).overflowing_add(u64::from(carry));
        carry = overflow;
        negated
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_survive_the_round_trip() {
        for x in
            [0.0, 1.0, -1.5, 0.1, 1e300, -1e-300, f64::MIN_POSITIVE, f64::from_bits(1), f64::MAX]
        {
            assert_eq!(Wide::from_f64(x).to_f64().to_bits(), (x + 0.0).to_bits(), "{x}");
        }
    }

    #[test]
    fn inverse_roots_invert_powers() {
        for base in [1e-3, 0.5, 1.0, 100.0, 10_000.0, 5e5, 1e8, 1e300, 1e-300] {
            for n in [1, 2, 3, 64, 511, 8192, 1 << 30] {
                let base = Wide::from_f64(base);
                let residue = base.inverse_root(n).pow(n).mul(base).sub(Wide::ONE);
                let lost_bits = 64 - n.leading_zeros() as i32;
                assert!(
                    residue.is_zero() || residue.exponent < lost_bits - 245,
                    "{base:?} {n} {residue:?}"
                );
            }
        }
    }

    #[test]
    fn turns_and_radians_are_reciprocal() {
        let error = Wide::TAU.mul(Wide::TURNS_PER_RADIAN).sub(Wide::ONE);
        assert!(error.is_zero() || error.exponent < -250);
    }

    #[test]
    fn fixed_point_rounds_to_nearest_and_wraps_signs() {
        assert_eq!(Wide::from_f64(0.5).to_fixed(), Some([0, 0, 1 << 63, 0]));
        assert_eq!(Wide::from_f64(-0.5).to_fixed(), Some([0, 0, 1 << 63, u64::MAX]));
        assert_eq!(Wide::from_f64(3.25).to_fixed(), Some([0, 0, 1 << 62, 3]));
        assert_eq!(Wide::from_f64(-(2_f64.powi(-193))).to_fixed(), Some([u64::MAX; 4]));
        assert_eq!(Wide::from_f64(2_f64.powi(-194)).to_fixed(), Some([0; 4]));
        assert_eq!(Wide::TAU.mul(Wide::TURNS_PER_RADIAN).to_fixed(), Some([0, 0, 0, 1]));
        assert_eq!(Wide::from_f64(9.3e18).to_fixed(), None);
        assert_eq!(Wide::from_f64(1e-300).to_fixed(), Some([0; 4]));
    }

    #[test]
    fn sums_carry_and_cancel() {
        let third = Wide::from_u64(3).inverse_root(1);
        let one = third.add(third).add(third);
        assert!(one.sub(Wide::ONE).is_zero() || one.sub(Wide::ONE).exponent < -250);
        assert!(third.sub(third).is_zero());
        assert_eq!(Wide::from_f64(1e20).add(Wide::from_f64(-1.0)).to_f64(), 1e20);
    }
}
