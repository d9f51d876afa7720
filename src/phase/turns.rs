//! Frequencies as binary fractions of a turn, and the exact phase of a position.
//!
//! A frequency is a fixed-point number of turns per position with 128 fraction bits. Its product with a position,
//! *modulo one turn*, is exact in integer arithmetic, because wrapping is what integers do: the phase accumulator of
//! digital synthesizers. At position 2⁵³ the phase is still right to 2⁻⁷⁵ of a turn.

use fearless_simd::prelude::*;

use super::wide::Wide;

/// Pairs are stored in multiples of this, so that the widest vectors never meet an end. The rest have frequency zero.
pub(crate) const GROUP: usize = 16;

/// The frequencies of all pairs, one array per word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turns {
    whole: Vec<u64>,
    high: Vec<u64>,
    low: Vec<u64>,
    /// The same frequencies in radians: they give tiny angles their relative accuracy.
    radians: Vec<f64>,
}

impl Turns {
    /// `frequencies` in radians per position, each below 2⁶³ turns in magnitude (`Frequencies` sees to that).
    pub(crate) fn new(frequencies: &[Wide]) -> Self {
        let padded = frequencies.len().next_multiple_of(GROUP);
        let mut turns =
            Self { whole: vec![0; padded], high: vec![0; padded], low: vec![0; padded], radians: vec![0.0; padded] };
        for (i, frequency) in frequencies.iter().enumerate() {
            let fixed = frequency.mul(Wide::TURNS_PER_RADIAN).to_fixed();
            debug_assert!(fixed.is_some(), "frequencies are validated when they are made");
            let [low, high, whole] = fixed.unwrap_or_default();
            (turns.whole[i], turns.high[i], turns.low[i]) = (whole, high, low);
            turns.radians[i] = frequency.to_f64();
        }
        turns
    }

    /// Bytes on the heap.
    pub(crate) fn memory(&self) -> usize {
        4 * size_of::<u64>() * self.padded()
    }

    /// Number of pairs with those that fill the last group.
    pub(crate) fn padded(&self) -> usize {
        self.radians.len()
    }

    pub(crate) fn radians(&self) -> &[f64] {
        &self.radians
    }

    /// The phases of a vector of pairs from `first` on at a whole `position`: 128 bits of a turn, as high and low words.
    ///
    /// Schoolbook multiplication modulo 2¹²⁸ in 32-bit digits, which is what vector units multiply.
    #[inline(always)]
    pub(crate) fn phases_at_integer<S: Simd>(&self, simd: S, position: i64, first: usize) -> (S::u64s, S::u64s) {
        const DIGIT: u64 = (1 << 32) - 1;
        let end = first + S::u64s::LEN;
        let f_high = S::u64s::from_slice(simd, &self.high[first..end]);
        let f_low = S::u64s::from_slice(simd, &self.low[first..end]);
        let (f0, f1, f2, f3) = (f_low & DIGIT, f_low >> 32, f_high & DIGIT, f_high >> 32);
        // Modulo 2¹²⁸ a negative position is 2¹²⁸ − |position|; a u64 holds it but for its upper 64 ones, which multiply
        // the low word into the high one.
        let (p0, p1) = (position as u64 & DIGIT, position as u64 >> 32);
        let ones = (position >> 63) as u64;

        let column0 = f0 * p0;
        let column1 = f1 * p0 + (column0 >> 32);
        let column1_more = f0 * p1 + (column1 & DIGIT);
        let column2 = f2 * p0 + (column1 >> 32);
        let column2_more = f1 * p1 + (column2 & DIGIT) + (column1_more >> 32);
        let column3 = f3 * p0 + f2 * p1 + (column2 >> 32) + (column2_more >> 32);
        let low = (column1_more << 32) | (column0 & DIGIT);
        let high = (column3 << 32) | (column2_more & DIGIT);
        (high - (f_low & ones), low)
    }

    /// The same at any `position` below 2⁶² in magnitude: the product with its 53-bit significand, moved down.
    #[inline(always)]
    pub(crate) fn phases_at_real<S: Simd>(&self, simd: S, position: f64, first: usize) -> (S::u64s, S::u64s) {
        let (mut high, mut low) = ([0; GROUP], [0; GROUP]);
        let (high, low) = (&mut high[..S::u64s::LEN], &mut low[..S::u64s::LEN]);
        self.real_phases(position, first, high, low);
        (S::u64s::from_slice(simd, high), S::u64s::from_slice(simd, low))
    }

    fn real_phases(&self, position: f64, first: usize, high: &mut [u64], low: &mut [u64]) {
        let bits = position.abs().to_bits();
        let (field, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
        let (significand, exponent) = if field == 0 { (fraction, -1074) } else { (fraction | 1 << 52, field - 1075) };
        for i in 0..high.len() {
            let f = [self.low[first + i], self.high[first + i], self.whole[first + i]];
            let product = signed_product(f, significand, position < 0.0);
            [low[i], high[i]] = if exponent >= 0 {
                let fraction = (u128::from(product[1]) << 64 | u128::from(product[0])) << exponent.min(127);
                [fraction as u64, (fraction >> 64) as u64]
            } else {
                shift_right_signed(product, exponent.unsigned_abs())
            };
        }
    }
}

/// ± f · factor modulo 2²⁵⁶, for a two's complement `f`.
fn signed_product(f: [u64; 3], factor: u64, negate: bool) -> [u64; 4] {
    let extended = [f[0], f[1], f[2], ((f[2] as i64) >> 63) as u64];
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
fn shift_right_signed(limbs: [u64; 4], bits: u32) -> [u64; 2] {
    let sign = ((limbs[3] as i64) >> 63) as u64;
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

    fn phase(turns: &Turns, position: f64, real: bool) -> u128 {
        let (high, low) = dispatch!(Level::new(), simd => {
            let (high, low) = if real {
                turns.phases_at_real(simd, position, 0)
            } else {
                turns.phases_at_integer(simd, position as i64, 0)
            };
            (high[0], low[0])
        });
        u128::from(high) << 64 | u128::from(low)
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
