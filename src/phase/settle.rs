//! Recomputes values that are not certain from the phase of their own position: after angle
//! addition those that cancellation has left with too few bits, and 16-bit values whose f32 is the
//! middle of two of them.

use super::amplitude::Amplitude;
use super::arithmetic::Arithmetic;
use super::definition::{OCTET, Pair, own};
use super::layout::{Columns, Slot};
use super::row_element::RowElement;
use super::waves::Waves;
use crate::element::Element;
use crate::positions::Position;

/// Returns an upper bound of the distance from zero of the positions in an octet. At position 0 the
/// sine cancels completely, to exactly zero unless products with the amplitude are rounded: then
/// the bound is infinite, so that no small value in the octet is certain.
#[inline(always)]
pub(super) fn reach(octet: i64, amplitude: Amplitude) -> f64 {
    if octet == 0 && amplitude.value != 1.0 {
        return f64::INFINITY;
    }
    octet.unsigned_abs() as f64 + OCTET as f64
}

/// Returns an upper bound of the distance from zero of a position and those that share its centre.
#[inline(always)]
pub(super) fn reach_of(position: Position, amplitude: Amplitude) -> f64 {
    match position {
        Position::Integer(position) => reach(position - position.rem_euclid(OCTET), amplitude),
        Position::Real(position) => position.abs(),
    }
}

/// Returns true if sine and cosine of a pair are as accurate after angle addition as from the phase
/// of their own position.
#[inline(always)]
pub(super) fn are_sure<A: Arithmetic>(
    (fixed, pair): Pair<'_>,
    at: Position,
    amplitude: Amplitude,
    values: [f64; 2],
) -> bool {
    values.into_iter().all(|value| A::is_large(value, amplitude))
        || A::is_unwrapped(fixed.radians.0[pair].abs() * reach_of(at, amplitude))
}

/// Recomputes the values that are not certain, of pairs from `first` on.
#[cold]
#[inline(never)]
pub(super) fn settle<A: Arithmetic + Element, const INTERLEAVED: bool>(
    waves: &Waves,
    position: Position,
    first: usize,
    (front, back): Slot<'_, A>,
) {
    // Most rows have no small value, and this loop takes several at a time.
    let are_large = |values: &[A]| {
        let is_large = |value: &A| A::is_large(value.to_f64(), waves.amplitude);
        values.iter().fold(true, |all, value| all & is_large(value))
    };
    if are_large(front) && are_large(back) {
        return;
    }
    let width = front.len();
    for i in 0..width {
        let [sin, cos] = match (INTERLEAVED, 2 * i < width) {
            (false, _) => [&mut front[i], &mut back[i]],
            (true, true) => two(&mut front[2 * i..]),
            (true, false) => two(&mut back[2 * i - width..]),
        };
        let (pair, values) = (waves.pair(first + i), [sin.to_f64(), cos.to_f64()]);
        if !are_sure::<A>(pair, position, waves.amplitude, values) {
            let own = own(pair, position, waves.amplitude);
            [*sin, *cos] = [own.sin, own.cos].map(A::from_f64);
        }
    }
}

/// Returns the first two elements.
fn two<A>(values: &mut [A]) -> [&mut A; 2] {
    let (first, rest) = values.split_at_mut(1);
    [&mut first[0], &mut rest[0]]
}

/// Rounds values that lie exactly between two values of the element type once, from f64.
#[cold]
#[inline(never)]
pub(super) fn settle_ties<A: RowElement>(
    waves: &Waves,
    columns: &Columns,
    position: Position,
    first: usize,
    values: &[A::Computed],
    out: &mut [A],
) {
    for (column, (value, out)) in (first..).zip(values.iter().zip(out)) {
        if A::is_between(*value) {
            let (pair, is_sine) = columns.pair_of(column);
            let own = own(waves.pair(pair), position, waves.amplitude);
            *out = A::from_f64(if is_sine { own.sin } else { own.cos });
        }
    }
}
