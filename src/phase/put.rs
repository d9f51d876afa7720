//! Stores values from registers to a row.

use fearless_simd::prelude::*;

use super::addition::SinCos;
use super::amplitude::Amplitude;
use super::fixed::Line;
use super::layout::Slot;
use super::reals::Two;
use super::settle::settled;
use super::table::Entry;
use super::target::Target;
use super::waves::Waves;
use crate::element::Element;
use crate::positions::Position;

/// Recomputes the values that are not certain, of pairs from `first` on.
#[cold]
#[inline(never)]
pub(super) fn settle<A: Target + Element, const INTERLEAVED: bool>(
    waves: &Waves,
    position: Position,
    first: usize,
    (front, back): Slot<'_, A>,
) {
    let width = front.len();
    for i in 0..width {
        let [sin, cos] = match (INTERLEAVED, 2 * i < width) {
            (false, _) => [&mut front[i], &mut back[i]],
            (true, true) => two(&mut front[2 * i..]),
            (true, false) => two(&mut back[2 * i - width..]),
        };
        if let Some(own) = settled(waves, position, first + i, [*sin, *cos]) {
            [*sin, *cos] = own;
        }
    }
}

/// Returns the first two elements.
fn two<A>(values: &mut [A]) -> [&mut A; 2] {
    let (first, rest) = values.split_at_mut(1);
    [&mut first[0], &mut rest[0]]
}

/// Stores vectors of pairs, and keeps the bits that show whether they are certain.
pub(super) struct Stores<S: Simd, A: Target, const INTERLEAVED: bool> {
    seen: A::Bits<S>,
    amplitude: Amplitude,
}

impl<S: Simd, A: Target, const INTERLEAVED: bool> Stores<S, A, INTERLEAVED> {
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
        A::are_large::<S>(self.seen)
            || A::are_sure::<S>(self.seen, Entry::angles(simd, table, reach))
    }
}
