//! Stores values from registers to a row.

use fearless_simd::prelude::*;

use super::addition::SinCos;
use super::amplitude::Amplitude;
use super::arithmetic::Arithmetic;
use super::fixed::Line;
use super::layout::Slot;
use super::rotations::angles;
use super::vectors::Two;

/// Stores vectors of pairs, and keeps the bits that show whether they are certain.
pub(super) struct Stores<S: Simd, A: Arithmetic, const INTERLEAVED: bool> {
    seen: A::Bits<S>,
    amplitude: Amplitude,
}

impl<S: Simd, A: Arithmetic, const INTERLEAVED: bool> Stores<S, A, INTERLEAVED> {
    #[inline(always)]
    pub(super) fn new(simd: S, amplitude: Amplitude) -> Self {
        Self { seen: A::all(simd), amplitude }
    }

    /// Rounds and stores the pairs of a row.
    #[inline(always)]
    pub(super) fn one(&mut self, value: SinCos<A::Number<Two<S::f64s>>>, slot: Slot<'_, A>) {
        let value = value.rounded();
        let (sin, cos) = (A::round::<S>(value.sin), A::round::<S>(value.cos));
        self.seen = A::seen::<S>(self.seen, sin, cos, self.amplitude);
        let [first, second] = if INTERLEAVED { A::interleave::<S>(sin, cos) } else { [sin, cos] };
        A::write::<S>(first, slot.0);
        A::write::<S>(second, slot.1);
    }

    /// Returns true if all stored values are certain. The angles are computed only if values are
    /// small.
    #[inline(always)]
    pub(super) fn are_sure(&self, simd: S, table: &[Line], reach: f64) -> bool {
        A::are_large::<S>(self.seen) || A::are_sure::<S>(self.seen, angles(simd, table, reach))
    }
}
