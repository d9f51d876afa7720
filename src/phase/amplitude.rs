//! The amplitude, and constants that depend on it.

/// Adding this to a double rounds it to a multiple of 2⁻²⁶: the grid of double-double numbers up to
/// one.
pub(super) const GRID: f64 = 1.5 * (1_u64 << 26) as f64;

/// The factor of every sine and cosine: a magnitude from 2⁻⁶⁴ to 2⁶⁴, or zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Amplitude {
    pub(super) value: f64,
    /// The grid of double-double numbers up to the amplitude.
    pub(super) grid: f64,
    /// Values below this are not certain: 2⁻¹⁵ times the largest power of two that is at most the
    /// amplitude.
    pub(super) small: f64,
    /// The number that, added to the bits of an f64, moves the exponent of the amplitude to 2047.
    pub(super) shift: u64,
}

impl Amplitude {
    pub(crate) const ONE: Self =
        Self { value: 1.0, grid: GRID, small: 1.0 / 32768.0, shift: 1024 << 52 };

    /// Returns the amplitude, or `None` if it is not zero and too large, too small or NaN.
    pub(crate) fn new(value: f64) -> Option<Self> {
        const LARGEST: f64 = 18446744073709551616.0;
        const FRACTION: u64 = (1 << 52) - 1;
        let magnitude = value.abs();
        if magnitude == 0.0 {
            return Some(Self { value, grid: 0.0, small: 0.0, shift: 1024 << 52 });
        }
        if !(1.0 / LARGEST..=LARGEST).contains(&magnitude) {
            return None;
        }
        let below = f64::from_bits(magnitude.to_bits() & !FRACTION);
        let above = f64::from_bits((magnitude.to_bits() + FRACTION) & !FRACTION);
        let shift = (2047 << 52) - below.to_bits();
        Some(Self { value, grid: GRID * above, small: below / 32768.0, shift })
    }

    pub(crate) fn value(self) -> f64 {
        self.value
    }
}
