//! Frequencies as binary fractions of a turn, and the exact phase of a position.
//!
//! A frequency is a fixed-point number of turns per position with 128 fraction bits. Its product with a position,
//! *modulo one turn*, is exact in integer arithmetic, because wrapping is what integers do: the phase accumulator of
//! digital synthesizers. At position 2⁵³ the phase is still right to 2⁻⁷⁵ of a turn.

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

    /// Writes the phases of the pairs from `first` on at a whole `position`, each as 128 bits of a turn.
    #[inline(always)]
    pub(crate) fn phases_at_integer(&self, position: i64, first: usize, high: &mut [u64], low: &mut [u64]) {
        let n = high.len();
        let (f_high, f_low) = (&self.high[first..first + n], &self.low[first..first + n]);
        let low = &mut low[..n];
        // Modulo 2¹²⁸ a negative position is 2¹²⁸ − |position|, and u64 holds it but for its upper 64 ones,
        // which multiply the low word into the high one.
        let (factor, ones) = (position as u64, (position >> 63) as u64);
        for i in 0..n {
            let product = u128::from(f_low[i]) * u128::from(factor);
            low[i] = product as u64;
            high[i] = f_high[i].wrapping_mul(factor).wrapping_add((product >> 64) as u64).wrapping_sub(f_low[i] & ones);
        }
    }

    /// The same at any `position` below 2⁶² in magnitude: the product with its 53-bit significand, moved down.
    pub(crate) fn phases_at_real(&self, position: f64, first: usize, high: &mut [u64], low: &mut [u64]) {
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
