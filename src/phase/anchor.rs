//! Sines and cosines of vectors of pairs at one position, from their phases: anchors of blocks, and
//! the rotations by each step.

use core::marker::PhantomData;

use fearless_simd::Level;
use fearless_simd::prelude::*;

use super::addition::SinCos;
use super::amplitude::Amplitude;
use super::arithmetic::Arithmetic;
use super::fixed::{Fixed, GROUP, Line, Split};
use super::sincos::{Reduced, reduced, tails, without_tail};
use super::vectors::Two;
use crate::positions::Position;
use crate::simd::Kernel;

/// The lines of sines and cosines of a group of pairs, for each double of a number.
pub(super) const LINES_OF_GROUP: usize = 2 * GROUP / 8;

/// The sines and cosines of a vector of pairs, in whole lines.
pub(super) struct Entry;

/// Returns the number of lines of an entry.
#[inline(always)]
pub(super) fn lines_of<S: Simd, A: Arithmetic>() -> usize {
    2 * A::PARTS * 2 * S::f64s::LEN / 8
}

impl Entry {
    /// Reads the `index`-th entry.
    #[inline(always)]
    pub(super) fn load<S: Simd, A: Arithmetic>(
        simd: S,
        lines: &[Line],
        index: usize,
    ) -> SinCos<A::Number<Two<S::f64s>>> {
        let len = lines_of::<S, A>();
        let lines = &lines[len * index..][..len];
        let half = 2 * A::PARTS * S::f64s::LEN;
        SinCos { sin: A::load(simd, lines, 0), cos: A::load(simd, lines, half) }
    }

    /// Writes an entry.
    #[inline(always)]
    pub(super) fn store<S: Simd, A: Arithmetic>(
        value: SinCos<A::Number<Two<S::f64s>>>,
        lines: &mut [Line],
    ) {
        A::store::<S>(value.sin, lines, 0);
        A::store::<S>(value.cos, lines, 2 * A::PARTS * S::f64s::LEN);
    }
}

/// A position, and the amplitude of its sines and cosines.
pub(super) struct At {
    pub(super) position: Position,
    pub(super) amplitude: Amplitude,
}

impl At {
    /// Writes the sines and cosines of groups by their phases: an entry for each vector of pairs.
    pub(super) fn phase<A: Arithmetic>(self, level: Level, fixed: &[Fixed], to: &mut [Line]) {
        AtPhase { at: self, fixed, to, of: PhantomData::<A> }.launch(level);
    }
}

/// Computes sines and cosines at a position from the phases.
struct AtPhase<'a, A> {
    at: At,
    fixed: &'a [Fixed],
    to: &'a mut [Line],
    of: PhantomData<A>,
}

impl<A: Arithmetic> Kernel for AtPhase<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (len, half) = (lines_of::<S, A>(), 2 * S::f64s::LEN);
        let At { position, amplitude } = self.at;
        // The angles of all pairs come first, then their sines and cosines: the processor then
        // works on several vectors at a time, since the whole chain for one vector exceeds its
        // window.
        let mut to = self.to.chunks_exact_mut(len);
        for fixed in self.fixed {
            for at in (0..GROUP).step_by(half) {
                let Reduced { x, tail } = match position {
                    // Products are accurate enough for f32: values that are not certain are
                    // settled, as everywhere.
                    Position::Real(real) if A::PARTS == 1 && fixed.is_near(simd, real, at) => {
                        let angle = fixed.radians(simd, at) * real;
                        without_tail(simd, fixed.quarters(simd, Split::new(real), at), angle)
                    }
                    _ => reduced(simd, fixed.phases(simd, position, at)),
                };
                let Some(to) = to.next() else { return };
                <f32 as Arithmetic>::store::<S>(x, to, 0);
                <f32 as Arithmetic>::store::<S>(tail, to, half);
            }
        }
        for to in self.to.chunks_exact_mut(len).take(GROUP / half * self.fixed.len()) {
            let x = <f32 as Arithmetic>::load(simd, to, 0);
            let (tail, quarter) = tails::<S>(<f32 as Arithmetic>::load(simd, to, half));
            let value = A::in_quarter(simd, quarter, A::sincos(x, tail)).scaled(amplitude);
            Entry::store::<S, A>(value, to);
        }
    }
}
