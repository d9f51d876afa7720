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
    /// The bits of all stored vectors; where sines and cosines alternate, of the first ones, and of
    /// the second ones.
    seen: [A::Bits<S>; 2],
    amplitude: Amplitude,
}

impl<S: Simd, A: Arithmetic, const INTERLEAVED: bool> Stores<S, A, INTERLEAVED> {
    #[inline(always)]
    pub(super) fn new(simd: S, amplitude: Amplitude) -> Self {
        Self { seen: [A::all(simd); 2], amplitude }
    }

    /// Rounds and stores the pairs of a row.
    #[inline(always)]
    pub(super) fn one(&mut self, value: SinCos<A::Number<Two<S::f64s>>>, slot: Slot<'_, A>) {
        let value = value.rounded();
        let vectors = (A::round::<S>(value.sin), A::round::<S>(value.cos));
        let [first, second] = Self::in_order(vectors);
        A::write::<S>(first, slot.0);
        A::write::<S>(second, slot.1);
        // The bits are those of the stored vectors: of sines and cosines before they alternate,
        // the compiler would keep the halves in registers of their own.
        self.seen[0] = A::seen::<S>(self.seen[0], first, self.amplitude);
        let seen = &mut self.seen[usize::from(INTERLEAVED)];
        *seen = A::seen::<S>(*seen, second, self.amplitude);
    }

    /// Returns true if all stored values are certain. The angles are computed only if values are
    /// small.
    #[inline(always)]
    pub(super) fn are_sure(&self, simd: S, table: &[Line], reach: f64) -> bool {
        if A::are_large::<S>(self.seen) {
            return true;
        }
        let angle = A::round::<S>(angles(simd, table, reach));
        let [first, second] = Self::in_order((angle, angle));
        A::are_sure::<S>(self.seen[0], first) && A::are_sure::<S>(self.seen[1], second)
    }

    /// Returns vectors of sines and cosines in the order of memory.
    #[inline(always)]
    fn in_order((sin, cos): (A::Rounded<S>, A::Rounded<S>)) -> [A::Rounded<S>; 2] {
        if INTERLEAVED { A::interleave::<S>(sin, cos) } else { [sin, cos] }
    }
}
