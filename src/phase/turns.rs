//! Frequencies as binary fractions of a turn, and the exact phase of a position.
//!
//! A frequency is a fixed-point number of turns per position with 192 fraction bits. Its product
//! with a position, *modulo one turn*, is exact in integer arithmetic, because wrapping is what
//! integers do: the phase accumulator of digital synthesizers. 128 bits of it are kept: even where
//! the sine is as small as it gets, near 2⁻⁶¹ at positions up to 2⁵³, that is its full precision.
//! Frequencies of 128 bits would lose it there.

use core::ops::Range;

use fearless_simd::prelude::*;

use super::wide::{Limbs, Wide};
use crate::Position;

/// Pairs are stored in multiples of this, so that the widest vectors never meet an end. The rest
/// have frequency zero.
pub(crate) const GROUP: usize = 16;
/// A digit of 32 bits.
const DIGIT: u64 = (1 << 32) - 1;

/// The frequencies of all pairs, one array per word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turns {
    whole: Vec<u64>,
    high: Vec<u64>,
    low: Vec<u64>,
    lowest: Vec<u64>,
    /// The same frequencies in radians: they give tiny angles their relative accuracy.
    radians: Vec<f64>,
}

impl Turns {
    /// `frequencies` in radians per position, each below 2⁶³ turns in magnitude (`Frequencies` sees
    /// to that).
    pub(crate) fn new(frequencies: &[Wide]) -> Self {
        let padded = frequencies.len().next_multiple_of(GROUP);
        let words = || vec![0; padded];
        let (whole, high, low, lowest) = (words(), words(), words(), words());
        let mut turns = Self { whole, high, low, lowest, radians: vec![0.0; padded] };
        for (i, frequency) in frequencies.iter().enumerate() {
            let fixed = frequency.mul(Wide::TURNS_PER_RADIAN).to_fixed();
            debug_assert!(fixed.is_some(), "frequencies are validated when they are made");
            [turns.lowest[i], turns.low[i], turns.high[i], turns.whole[i]] =
                fixed.unwrap_or_default();
            turns.radians[i] = frequency.to_f64();
        }
        turns
    }

    /// Bytes on the heap.
    pub(crate) fn memory(&self) -> usize {
        5 * size_of::<u64>() * self.padded()
    }

    /// Number of pairs with those that fill the last group.
    pub(crate) fn padded(&self) -> usize {
        self.radians.len()
    }

    pub(crate) fn radians(&self) -> &[f64] {
        &self.radians
    }

    /// The phases of a vector of pairs from `first` on: 128 bits of a turn, as high and low words.
    #[inline(always)]
    pub(crate) fn phases<S: Simd>(
        &self,
        simd: S,
        position: Position,
        first: usize,
    ) -> (S::u64s, S::u64s) {
        match position {
            Position::Integer(position) if position.unsigned_abs() < 1 << 32 => {
                self.words(first..first + S::u64s::LEN).near_phases(simd, position)
            }
            _ => {
                let (mut high, mut low) = ([0; GROUP], [0; GROUP]);
                let (high, low) = (&mut high[..S::u64s::LEN], &mut low[..S::u64s::LEN]);
                self.far_phases(position, first, high, low);
                (S::u64s::from_slice(simd, high), S::u64s::from_slice(simd, low))
            }
        }
    }

    /// The words of some pairs, the padding included.
    #[inline(always)]
    pub(crate) fn words(&self, pairs: Range<usize>) -> Words<'_> {
        Words {
            high: &self.high[pairs.clone()],
            low: &self.low[pairs.clone()],
            lowest: &self.lowest[pairs.clone()],
            radians: &self.radians[pairs],
        }
    }

    /// Any position within ±2⁶²: 192 bits of the frequency and its whole turns times the 53 or 63
    /// bits of the position.
    #[inline(never)]
    fn far_phases(&self, position: Position, first: usize, high: &mut [u64], low: &mut [u64]) {
        let (significand, exponent, negative) = match position {
            Position::Integer(position) => (position.unsigned_abs(), 0, position < 0),
            Position::Real(position) => {
                let bits = position.abs().to_bits();
                let (field, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
                let normal = field != 0;
                let significand = if normal { fraction | 1 << 52 } else { fraction };
                (significand, field.max(1) - 1075, position < 0.0)
            }
        };
        for i in 0..high.len() {
            let words = [&self.lowest, &self.low, &self.high, &self.whole];
            let product = signed_product(words.map(|word| word[first + i]), significand, negative);
            // A real that is not whole has a negative exponent, and below 2⁶² no other one exceeds
            // 9.
            [low[i], high[i]] = shift_right_signed(product, (64 - exponent).unsigned_abs());
        }
    }
}

/// The words of some pairs that positions below 2³² in magnitude need.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    high: &'a [u64],
    low: &'a [u64],
    lowest: &'a [u64],
    radians: &'a [f64],
}

impl<'a> Words<'a> {
    /// Those of `width` pairs after the other.
    #[inline(always)]
    pub(crate) fn groups(self, width: usize) -> impl Iterator<Item = Self> {
        let words = self.high.chunks_exact(width).zip(self.low.chunks_exact(width));
        let rest = self.lowest.chunks_exact(width).zip(self.radians.chunks_exact(width));
        words.zip(rest).map(|((high, low), (lowest, radians))| Self { high, low, lowest, radians })
    }

    #[inline(always)]
    pub(crate) fn halves(self) -> [Self; 2] {
        let at = self.high.len() / 2;
        let (high, low) = (self.high.split_at(at), self.low.split_at(at));
        let (lowest, radians) = (self.lowest.split_at(at), self.radians.split_at(at));
        [
            Self { high: high.0, low: low.0, lowest: lowest.0, radians: radians.0 },
            Self { high: high.1, low: low.1, lowest: lowest.1, radians: radians.1 },
        ]
    }

    /// The angles at a position in f64.
    #[inline(always)]
    pub(crate) fn angles<S: Simd>(self, simd: S, position: i64) -> S::f64s {
        S::f64s::from_slice(simd, self.radians) * position as f64
    }

    /// Positions below 2³² in magnitude: 160 bits of the frequency times one digit, in the 32-bit
    /// digits that vector units multiply.
    #[inline(always)]
    pub(crate) fn near_phases<S: Simd>(self, simd: S, position: i64) -> (S::u64s, S::u64s) {
        let f_high = S::u64s::from_slice(simd, self.high);
        let f_low = S::u64s::from_slice(simd, self.low);
        // The mask tells the compiler that 32 bits are enough.
        let factor = S::u64s::splat(simd, position.unsigned_abs()) & DIGIT;
        let below = (S::u64s::from_slice(simd, self.lowest) >> 32) * factor;
        let digit0 = (f_low & DIGIT) * factor + (below >> 32);
        let digit1 = (f_low >> 32) * factor + (digit0 >> 32);
        let digit2 = (f_high & DIGIT) * factor + (digit1 >> 32);
        let digit3 = (f_high >> 32) * factor + (digit2 >> 32);
        let (high, low) = ((digit3 << 32) | (digit2 & DIGIT), (digit1 << 32) | (digit0 & DIGIT));
        if position >= 0 {
            return (high, low);
        }
        let zero = S::u64s::splat(simd, 0);
        (zero - high - low.simd_eq(zero).select(zero, S::u64s::splat(simd, 1)), zero - low)
    }

    /// The phases at a position below 2³² in magnitude within 2⁻⁶³ of a turn.
    #[inline(always)]
    pub(crate) fn rough_phases<S: Simd>(self, simd: S, position: i64) -> S::u64s {
        // The mask tells the compiler that 32 bits are enough.
        let factor = S::u64s::splat(simd, position.unsigned_abs()) & DIGIT;
        let below = (S::u64s::from_slice(simd, self.low) >> 32) * factor;
        let phases = S::u64s::from_slice(simd, self.high) * factor + (below >> 32);
        if position >= 0 { phases } else { S::u64s::splat(simd, 0) - phases }
    }
}

/// ± f · factor modulo 2³²⁰, for a two's complement `f`.
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

/// The low two limbs of a two's complement number shifted right, rounding down.
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

    fn phase(turns: &Turns, position: Position) -> u128 {
        let (high, low) = dispatch!(Level::new(), simd => {
            let (high, low) = turns.phases(simd, position, 0);
            (high[0], low[0])
        });
        u128::from(high) << 64 | u128::from(low)
    }

    #[test]
    fn near_and_far_phases_agree() {
        for frequency in [1.0, -1.0, 1e-8, 12.5, -700.25] {
            let turns = Turns::new(&[Wide::from_f64(frequency)]);
            for position in [1, -1, 7, -355, u32::MAX.into()] {
                let (mut high, mut low) = ([0], [0]);
                turns.far_phases(Position::Integer(position), 0, &mut high, &mut low);
                let far = u128::from(high[0]) << 64 | u128::from(low[0]);
                let difference =
                    far.wrapping_sub(phase(&turns, Position::Integer(position))) as i128;
                assert!(difference.unsigned_abs() <= 1, "{frequency} {position} {difference}");
            }
            // Reals that are whole take the same way as far integers.
            for position in [1_i64 << 40, -(1 << 40), (1 << 53) - 1, 1 << 61] {
                let real = phase(&turns, Position::Real(position as f64));
                assert_eq!(
                    phase(&turns, Position::Integer(position)),
                    real,
                    "{frequency} {position}"
                );
            }
        }
    }

    #[test]
    fn a_whole_number_of_turns_is_no_phase() {
        let turns = Turns::new(&[Wide::TAU.mul(Wide::from_f64(0.125))]);
        assert_eq!(phase(&turns, Position::Integer(8)), 0);
        assert_eq!(phase(&turns, Position::Integer(-8)), 0);
        assert_eq!(phase(&turns, Position::Integer(1)), 1 << 125);
        assert_eq!(phase(&turns, Position::Integer(-1)), 7 << 125);
        assert_eq!(phase(&turns, Position::Integer((1 << 40) + 1)), 1 << 125);
        assert_eq!(phase(&turns, Position::Real(0.5)), 1 << 124);
        assert_eq!(phase(&turns, Position::Real(-0.5)), 15 << 124);
    }

    #[test]
    fn halving_the_position_halves_the_phase() {
        let turns = Turns::new(&[Wide::from_f64(0.3)]);
        let whole = phase(&turns, Position::Integer(1));
        for k in 1..200 {
            let shifted = if k < 128 { whole >> k } else { 0 };
            assert_eq!(phase(&turns, Position::Real(0.5_f64.powi(k))), shifted);
        }
    }
}
