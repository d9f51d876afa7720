//! Frequencies as binary fractions of a turn, and the exact fixed-point phase of a position.
//!
//! A frequency is a fixed-point number of turns per position with 192 fraction bits. Its product
//! with a position, *modulo one turn*, is exact in wrapping integer arithmetic, as in the phase
//! accumulator of a digital synthesizer. 128 bits of the product are kept: even the smallest sines,
//! near 2⁻⁶¹ at positions up to 2⁵³, then have full precision. With frequencies of 128 bits they
//! would not.

use fearless_simd::prelude::*;

use super::vectors::Two;
use crate::exact::{Limbs, Wide};
use crate::positions::Position;

/// The number of pairs that are stored and computed together, which is what the widest vectors
/// hold. The last group is filled up with pairs of frequency zero.
pub(crate) const GROUP: usize = 16;
/// Adding this to a double rounds it to an integer, which the last bits of the sum then contain.
pub(super) const ROUND: f64 = 1.5 * (1_u64 << 52) as f64;
/// The number of turns up to which products of doubles give the angle.
pub(super) const MOST_TURNS: f64 = (1 << 24) as f64;
/// The 32 low bits of a word.
const DIGIT: u64 = (1 << 32) - 1;

/// One number for each pair of a group. It is aligned to cache lines, since a vector that straddles
/// two of them costs twice as much.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Lane<T>(pub(super) [T; GROUP]);

impl Lane<f64> {
    /// Reads two vectors from the `at`-th number on.
    #[inline(always)]
    fn load<S: Simd>(&self, simd: S, at: usize) -> Two<S::f64s> {
        let (low, high) = self.0[at..at + 2 * S::f64s::LEN].split_at(S::f64s::LEN);
        Two(S::f64s::from_slice(simd, low), S::f64s::from_slice(simd, high))
    }
}

/// A cache line of doubles.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Line(pub(super) [f64; 8]);

impl Line {
    pub(super) const ZERO: Self = Self([0.0; 8]);

    /// Reads a vector from the `at`-th number of some lines on.
    #[inline(always)]
    pub(super) fn load<S: Simd>(simd: S, lines: &[Self], at: usize) -> S::f64s {
        S::f64s::from_slice(simd, &lines[at / 8].0[at % 8..][..S::f64s::LEN])
    }

    /// Writes a vector to the `at`-th number of some lines and the following ones.
    #[inline(always)]
    pub(super) fn store<S: Simd>(vector: S::f64s, lines: &mut [Self], at: usize) {
        vector.store_slice(&mut lines[at / 8].0[at % 8..][..S::f64s::LEN]);
    }
}

/// The frequencies of a group of pairs.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// Whole turns per position, in two's complement.
    whole: Lane<u64>,
    /// Fraction bits, from the highest 64 to the lowest.
    high: Lane<u64>,
    low: Lane<u64>,
    lowest: Lane<u64>,
    /// The frequencies in radians, which give tiny angles their relative accuracy.
    pub(super) radians: Lane<f64>,
    /// Quarter turns per position: the leading 26 bits, and the rest.
    quarters: [Lane<f64>; 2],
}

/// A coordinate in two parts: its leading 26 bits, and the rest.
#[derive(Clone, Copy)]
pub(super) struct Split {
    pub(super) whole: f64,
    high: f64,
    low: f64,
}

impl Split {
    pub(super) const ZERO: Self = Self { whole: 0.0, high: 0.0, low: 0.0 };

    #[inline(always)]
    pub(super) fn new(whole: f64) -> Self {
        let high = upper(whole);
        Self { whole, high, low: whole - high }
    }

    /// Returns true if the coordinate cannot be a rounded integer.
    pub(super) fn is_exact(self) -> bool {
        self.whole.abs() < (1_u64 << 53) as f64
    }
}

/// Returns the upper 26 bits of a double (Veltkamp). It overflows near the end of the range, where
/// the result is not used.
#[inline(always)]
fn upper(x: f64) -> f64 {
    const SPLIT: f64 = ((1 << 27) + 1) as f64;
    let product = x * SPLIT;
    let high = product - (product - x);
    if high.is_finite() { high } else { x }
}

/// The phases of a vector of pairs: 128 bits of a turn as high and low words, and the angle in
/// radians, rounded to f64.
pub struct Phase<S: Simd> {
    pub(super) high: Two<S::u64s>,
    pub(super) low: Two<S::u64s>,
    pub(super) angle: Two<S::f64s>,
}

/// Makes groups from frequencies in radians per position, each below 2⁶³ turns in magnitude (which
/// `Frequencies` ensures).
pub(super) fn groups(frequencies: &[Wide]) -> Vec<Fixed> {
    frequencies.chunks(GROUP).map(Fixed::new).collect()
}

impl Fixed {
    fn new(frequencies: &[Wide]) -> Self {
        let empty = Lane([0; GROUP]);
        let [whole, high, low, lowest] = [empty; 4];
        let zero = Lane([0.0; GROUP]);
        let mut group = Self { whole, high, low, lowest, radians: zero, quarters: [zero; 2] };
        for (i, frequency) in frequencies.iter().enumerate() {
            let turns = frequency.mul(Wide::TURNS_PER_RADIAN);
            let fixed = turns.to_fixed();
            debug_assert!(fixed.is_some(), "frequencies are validated when they are made");
            [group.lowest.0[i], group.low.0[i], group.high.0[i], group.whole.0[i]] =
                fixed.unwrap_or_default();
            group.radians.0[i] = frequency.to_f64();
            let leading = upper(turns.to_f64());
            group.quarters[0].0[i] = 4.0 * leading;
            group.quarters[1].0[i] = 4.0 * turns.sub(Wide::from_f64(leading)).to_f64();
        }
        group
    }

    /// Returns the phase of a pair at a position, as 128 bits of a turn.
    pub(super) fn phase(&self, pair: usize, position: Position) -> u128 {
        let words = [&self.lowest, &self.low, &self.high, &self.whole].map(|word| word.0[pair]);
        match position {
            Position::Integer(position) if is_near(position) => {
                near_phase(words, position.unsigned_abs(), position < 0)
            }
            Position::Integer(position) => {
                far_phase(words, position.unsigned_abs(), 0, position < 0)
            }
            Position::Real(position) => {
                let bits = position.abs().to_bits();
                let (field, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
                let significand = if field == 0 { fraction } else { fraction | 1 << 52 };
                far_phase(words, significand, field.max(1) - 1075, position < 0.0)
            }
        }
    }

    /// Returns the phases of a vector of pairs from the `at`-th of the group on.
    #[inline(always)]
    pub(super) fn phases<S: Simd>(&self, simd: S, position: Position, at: usize) -> Phase<S> {
        let half = S::f64s::LEN;
        let (low, high) = match position {
            Position::Integer(position) if is_near(position) => {
                (self.near(simd, position, at), self.near(simd, position, at + half))
            }
            _ => (self.far(simd, position, at), self.far(simd, position, at + half)),
        };
        let angle = self.radians(simd, at) * position.to_f64();
        Phase { high: Two(low.0, high.0), low: Two(low.1, high.1), angle }
    }

    /// Returns the frequencies of a vector of pairs, in radians per position.
    #[inline(always)]
    pub(super) fn radians<S: Simd>(&self, simd: S, at: usize) -> Two<S::f64s> {
        self.radians.load(simd, at)
    }

    /// Returns true if [`quarters`](Self::quarters) is accurate for a vector of pairs.
    #[inline(always)]
    pub(super) fn is_near<S: Simd>(&self, simd: S, position: f64, at: usize) -> bool {
        let most = S::f64s::splat(simd, MOST_TURNS * core::f64::consts::TAU);
        let Two(low, high) = self.radians(simd, at) * position;
        (low.abs().simd_lt(most) & high.abs().simd_lt(most)).all_true()
    }

    /// Returns the angles of a vector of pairs at a position in quarter turns, without whole turns.
    /// They are correct to 2⁻⁵⁰ below [`MOST_TURNS`]; small angles keep their relative accuracy.
    ///
    /// A product of two parts of 26 bits is exact, and so is its remainder modulo whole turns.
    #[inline(always)]
    pub(super) fn quarters<S: Simd>(&self, simd: S, position: Split, at: usize) -> Two<S::f64s> {
        let [leading, rest] = [self.quarters[0].load(simd, at), self.quarters[1].load(simd, at)];
        let exact = leading * position.high;
        let part = exact - ((exact + 4.0 * ROUND) - 4.0 * ROUND);
        part + (leading * position.low + rest * position.whole)
    }

    /// Computes phases at positions below 2³² in magnitude: 160 bits of the frequency times one
    /// digit, in the 32-bit digits that vector units multiply.
    #[inline(always)]
    fn near<S: Simd>(&self, simd: S, position: i64, at: usize) -> (S::u64s, S::u64s) {
        let pairs = at..at + S::u64s::LEN;
        let f_high = S::u64s::from_slice(simd, &self.high.0[pairs.clone()]);
        let f_low = S::u64s::from_slice(simd, &self.low.0[pairs.clone()]);
        let f_lowest = S::u64s::from_slice(simd, &self.lowest.0[pairs]);
        // The mask tells the compiler that 32 bits suffice.
        let factor = S::u64s::splat(simd, position.unsigned_abs()) & DIGIT;
        let below = (f_lowest >> 32) * factor;
        let digit0 = (f_low & DIGIT) * factor + (below >> 32);
        let digit1 = (f_low >> 32) * factor + (digit0 >> 32);
        let digit2 = (f_high & DIGIT) * factor + (digit1 >> 32);
        let digit3 = (f_high >> 32) * factor + (digit2 >> 32);
        let (high, low) = ((digit3 << 32) | (digit2 & DIGIT), (digit1 << 32) | (digit0 & DIGIT));
        if position >= 0 {
            return (high, low);
        }
        let zero = S::u64s::splat(simd, 0);
        let borrow = low.simd_eq(zero).select(zero, S::u64s::splat(simd, 1));
        (zero - high - borrow, zero - low)
    }

    /// Computes phases at any other position within ±2⁶², pair by pair.
    #[inline(never)]
    fn far<S: Simd>(&self, simd: S, position: Position, at: usize) -> (S::u64s, S::u64s) {
        let (mut high, mut low) = ([0; GROUP], [0; GROUP]);
        for i in 0..S::u64s::LEN {
            let phase = self.phase(at + i, position);
            (high[i], low[i]) = ((phase >> 64) as u64, phase as u64);
        }
        let load = |words: &[u64]| S::u64s::from_slice(simd, &words[..S::u64s::LEN]);
        (load(&high), load(&low))
    }
}

/// Returns true if the magnitude of a position fits into 32 bits.
#[inline(always)]
fn is_near(position: i64) -> bool {
    position.unsigned_abs() < 1 << 32
}

/// Returns 160 fraction bits times a position below 2³².
fn near_phase([lowest, low, high, _]: Limbs, position: u64, negative: bool) -> u128 {
    let below = (lowest >> 32) * position;
    let middle = u128::from(low) * u128::from(position) + u128::from(below >> 32);
    let upper = high.wrapping_mul(position).wrapping_add((middle >> 64) as u64);
    let phase = u128::from(upper) << 64 | u128::from(middle as u64);
    if negative { phase.wrapping_neg() } else { phase }
}

/// Returns all 192 fraction bits and the whole turns times ± significand · 2^exponent.
fn far_phase(words: Limbs, significand: u64, exponent: i32, negative: bool) -> u128 {
    let product = signed_product(words, significand, negative);
    // A real that is not whole has a negative exponent, and below 2⁶² no exponent exceeds 9.
    let [low, high] = shift_right_signed(product, (64 - exponent).unsigned_abs());
    u128::from(high) << 64 | u128::from(low)
}

/// Returns ± f · factor modulo 2³²⁰, for a two's complement `f`.
fn signed_product(f: Limbs, factor: u64, negate: bool) -> [u64; 5] {
    let extended = [f[0], f[1], f[2], f[3], ((f[3] as i64) >> 63) as u64];
    let mut carry = 0_u128;
    let product = extended.map(|limb| {
        let sum = u128::from(limb) * u128::from(factor) + carry;
        carry = sum >> 64;
        sum as u64
    });
    if !negate {
        return product;
    }
    let mut carry = true;
    product.map(|limb| {
        let (negated, overflow) = (!limb).overflowing_add(u64::from(carry));
        carry = overflow;
        negated
    })
}

/// Returns the low two limbs of a two's complement number shifted right, rounding down.
fn shift_right_signed(limbs: [u64; 5], bits: u32) -> [u64; 2] {
    let sign = ((limbs[4] as i64) >> 63) as u64;
    let (skip, bits) = ((bits / 64) as usize, bits % 64);
    let at = |i: usize| limbs.get(i).copied().unwrap_or(sign);
    core::array::from_fn(|i| {
        let above = if bits == 0 { 0 } else { at(i + skip + 1) << (64 - bits) };
        at(i + skip) >> bits | above
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fearless_simd::{Level, dispatch};

    /// Returns the phase computed in vectors, which must equal the phase of a single pair.
    fn phase(group: &Fixed, position: Position) -> u128 {
        let phase = dispatch!(Level::new(), simd => {
            let phase = group.phases(simd, position, 0);
            u128::from(phase.high.0[0]) << 64 | u128::from(phase.low.0[0])
        });
        assert_eq!(phase, group.phase(0, position), "{position:?}");
        phase
    }

    #[test]
    fn near_and_far_phases_agree() {
        for frequency in [1.0, -1.0, 1e-8, 12.5, -700.25] {
            let group = Fixed::new(&[Wide::from_f64(frequency)]);
            let words =
                [&group.lowest, &group.low, &group.high, &group.whole].map(|word| word.0[0]);
            for position in [1_i64, -1, 7, -355, u32::MAX.into()] {
                let far = far_phase(words, position.unsigned_abs(), 0, position < 0);
                let near = phase(&group, Position::Integer(position));
                let difference = far.wrapping_sub(near) as i128;
                assert!(difference.unsigned_abs() <= 1, "{frequency} {position} {difference}");
            }
            // Reals that are whole take the same path as far integers.
            for position in [1_i64 << 40, -(1 << 40), (1 << 53) - 1, 1 << 61] {
                let real = phase(&group, Position::Real(position as f64));
                assert_eq!(phase(&group, Position::Integer(position)), real, "{position}");
            }
        }
    }

    #[test]
    fn whole_circles_have_no_phase() {
        let group = Fixed::new(&[Wide::TAU.mul(Wide::from_f64(0.125))]);
        assert_eq!(phase(&group, Position::Integer(8)), 0);
        assert_eq!(phase(&group, Position::Integer(-8)), 0);
        assert_eq!(phase(&group, Position::Integer(1)), 1 << 125);
        assert_eq!(phase(&group, Position::Integer(-1)), 7 << 125);
        assert_eq!(phase(&group, Position::Integer((1 << 40) + 1)), 1 << 125);
        assert_eq!(phase(&group, Position::Real(0.5)), 1 << 124);
        assert_eq!(phase(&group, Position::Real(-0.5)), 15 << 124);
    }

    #[test]
    fn halving_the_position_halves_the_phase() {
        let group = Fixed::new(&[Wide::from_f64(0.3)]);
        let whole = phase(&group, Position::Integer(1));
        for k in 1..200 {
            let shifted = if k < 128 { whole >> k } else { 0 };
            assert_eq!(phase(&group, Position::Real(0.5_f64.powi(k))), shifted);
        }
    }
}
