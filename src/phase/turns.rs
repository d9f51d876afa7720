//! Frequencies as binary fractions of a turn, and the exact phase of a position.
//!
//! A frequency is a fixed-point number of turns per position with 192 fraction bits. Its product with a position,
//! *modulo one turn*, is exact in integer arithmetic, because wrapping is what integers do: the phase accumulator of
//! digital synthesizers. 128 bits of it are kept: even where the sine is as small as it gets, near 2⁻⁶¹ at positions up
//! to 2⁵³, that is its full precision. Frequencies of 128 bits would lose it there.

use super::wide::{Limbs, Wide};

/// Pairs are stored in multiples of this, so that the widest vectors never meet an end. The rest have frequency zero.
pub(crate) const GROUP: usize = 16;

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
    /// `frequencies` in radians per position, each below 2⁶³ turns in magnitude (`Frequencies` sees to that).
    pub(crate) fn new(frequencies: &[Wide]) -> Self {
        let padded = frequencies.len().next_multiple_of(GROUP);
        let words = || vec![0; padded];
        let (whole, high, low, lowest) = (words(), words(), words(), words());
        let mut turns = Self { whole, high, low, lowest, radians: vec![0.0; padded] };
        for (i, frequency) in frequencies.iter().enumerate() {
            let fixed = frequency.mul(Wide::TURNS_PER_RADIAN).to_fixed();
            debug_assert!(fixed.is_some(), "frequencies are validated when they are made");
            [turns.lowest[i], turns.low[i], turns.high[i], turns.whole[i]] = fixed.unwrap_or_default();
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

    /// Writes the phases of the pairs from `first` on at a whole `position`, each as 128 bits of a turn.
    #[inline(always)]
    pub(crate) fn phases_at_integer(&self, position: i64, first: usize, high: &mut [u64], low: &mut [u64]) {
        let n = high.len();
        let [f_high, f_low, f_lowest] = [&self.high, &self.low, &self.lowest].map(|words| &words[first..first + n]);
        let low = &mut low[..n];
        let factor = u128::from(position as u64);
        for i in 0..n {
            let carry = ((u128::from(f_lowest[i]) * factor) >> 64) as u64;
            let product = u128::from(f_low[i]) * factor + u128::from(carry);
            low[i] = product as u64;
            high[i] = f_high[i].wrapping_mul(position as u64).wrapping_add((product >> 64) as u64);
        }
        if position < 0 {
            // It is its two's complement in u64 less 2⁶⁴: the product less the words below, one word up.
            for i in 0..n {
                let borrow;
                (low[i], borrow) = low[i].overflowing_sub(f_lowest[i]);
                high[i] = high[i].wrapping_sub(f_low[i]).wrapping_sub(u64::from(borrow));
            }
        }
    }

    /// The same at any `position` below 2⁶² in magnitude: the product with its 53-bit significand, moved down.
    pub(crate) fn phases_at_real(&self, position: f64, first: usize, high: &mut [u64], low: &mut [u64]) {
        let bits = position.abs().to_bits();
        debug_assert!(position.abs() < 2_f64.powi(62));
        let (field, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
        let (significand, exponent) = if field == 0 { (fraction, -1074) } else { (fraction | 1 << 52, field - 1075) };
        for i in 0..high.len() {
            let words = [&self.lowest, &self.low, &self.high, &self.whole];
            let product = signed_product(words.map(|word| word[first + i]), significand, position < 0.0);
            // The word below the two that are kept comes in at the top of a larger shift.
            [low[i], high[i]] = shift_right_signed(product, (64 - exponent).unsigned_abs());
        }
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

    fn phase(turns: &Turns, position: f64, real: bool) -> u128 {
        let (mut high, mut low) = ([0], [0]);
        if real {
            turns.phases_at_real(position, 0, &mut high, &mut low);
        } else {
            turns.phases_at_integer(position as i64, 0, &mut high, &mut low);
        }
        u128::from(high[0]) << 64 | u128::from(low[0])
    }

    #[test]
    fn integers_and_reals_agree() {
        for frequency in [1.0, -1.0, 1e-8, 12.5, -700.25] {
            let turns = Turns::new(&[Wide::from_f64(frequency)]);
            for position in [0.0, 1.0, -1.0, 7.0, -355.0, 9_007_199_254_740_991.0, -4.6e18, 4.6e18] {
                assert_eq!(phase(&turns, position, true), phase(&turns, position, false), "{frequency} {position}");
            }
        }
    }

    #[test]
    fn a_whole_number_of_turns_is_no_phase() {
        let turns = Turns::new(&[Wide::TAU.mul(Wide::from_f64(0.125))]);
        assert_eq!(phase(&turns, 8.0, false), 0);
        assert_eq!(phase(&turns, 1.0, false), 1 << 125);
        assert_eq!(phase(&turns, -1.0, false), 7 << 125);
        assert_eq!(phase(&turns, 0.5, true), 1 << 124);
        assert_eq!(phase(&turns, -0.5, true), 15 << 124);
    }

    #[test]
    fn halving_the_position_halves_the_phase() {
        let turns = Turns::new(&[Wide::from_f64(0.3)]);
        let whole = phase(&turns, 1.0, false);
        for k in 1..200 {
            let shifted = if k < 128 { whole >> k } else { 0 };
            assert_eq!(phase(&turns, 0.5_f64.powi(k), true), shifted);
        }
    }
}
