//! The rows of Fourier features.

use core::ops::Range;

use ndarray::{ArrayViewMut1, ArrayViewMut2};

use super::{Fourier, Input};
use crate::element::Element;
use crate::phase::points::{CHUNK, Values};
use crate::phase::{Columns, FeatureLayout};
use crate::positions::{Position, Positions};

impl Fourier {
    /// Returns the number of columns of sines and cosines.
    pub(super) fn waves(&self) -> usize {
        self.pairs() * if self.has_cosines { 2 } else { 1 }
    }

    /// Returns the number of columns of coordinates.
    pub(super) fn inputs(&self) -> usize {
        if self.input == Input::Absent { 0 } else { self.frequencies.len() }
    }

    /// Returns the sine and cosine of a pair at a point.
    pub(crate) fn pair_at(&self, pair: usize, point: &[Position]) -> [f64; 2] {
        self.projection.exact::<f64>(pair, point)
    }

    /// Returns the column of a pair's sine, and of its cosine if there is one.
    pub(crate) fn columns_of(&self, pair: usize) -> (usize, Option<usize>) {
        let before = if self.input == Input::First { self.inputs() } else { 0 };
        let (block, within) = (pair / self.block, pair % self.block);
        if !self.has_cosines {
            return (before + pair, None);
        }
        let (start, half) = (2 * block * self.block, (2 * block + 1) * self.block);
        let (sine, cosine) = match self.layout {
            FeatureLayout::Interleaved => (start + 2 * within, start + 2 * within + 1),
            FeatureLayout::SinCosHalves => (start + within, half + within),
            FeatureLayout::CosSinHalves => (half + within, start + within),
        };
        (before + sine, Some(before + cosine))
    }

    /// Writes the rows of checked points.
    pub(super) fn rows<A: Element>(
        &self,
        positions: &Positions<'_>,
        mut out: ArrayViewMut2<'_, A>,
    ) {
        if self.block == self.pairs() && self.has_cosines && self.input == Input::Absent {
            let (layout, pairs, dim) = (self.layout, self.pairs(), self.dim());
            let columns = Columns { layout, pairs, last_is_single: false, dim };
            if self.projection.write_rows(positions, &columns, out.view_mut()) {
                return;
            }
        }
        let inputs = if self.input == Input::Last { self.waves() } else { 0 };
        self.projection.each::<A>(positions, |index, point, first, values| {
            let mut row = out.row_mut(index);
            if first == 0 && self.input != Input::Absent {
                let coordinates = row.iter_mut().skip(inputs).zip(point);
                coordinates.for_each(|(out, c)| *out = A::from_f64(*c));
            }
            self.deliver(&mut row, first..self.pairs().min(first + CHUNK), values);
        });
    }

    /// Rounds the values of some pairs and writes them to their columns.
    fn deliver<A: Element>(
        &self,
        row: &mut ArrayViewMut1<'_, A>,
        pairs: Range<usize>,
        values: &Values,
    ) {
        let is_dense = self.layout != FeatureLayout::Interleaved || !self.has_cosines;
        let step = if is_dense { 1 } else { 2 };
        let mut pair = pairs.start;
        while pair < pairs.end {
            // Up to the end of the block or of the pairs.
            let len = (self.block - pair % self.block).min(pairs.end - pair);
            let of = pair - pairs.start..pair - pairs.start + len;
            let (sine, cosine) = self.columns_of(pair);
            put(row, sine, step, &values.sin[of.clone()]);
            if let Some(cosine) = cosine {
                put(row, cosine, step, &values.cos[of]);
            }
            pair += len;
        }
    }
}

/// Rounds values and writes them to every `step`-th column from `first` on.
fn put<A: Element>(row: &mut ArrayViewMut1<'_, A>, first: usize, step: usize, values: &[f64]) {
    let values = values.iter().map(|value| A::from_f64(*value));
    let store = |(out, value): (&mut A, A)| *out = value;
    match row.as_slice_mut() {
        Some(row) if step == 1 => row[first..].iter_mut().zip(values).for_each(store),
        Some(row) => row[first..].iter_mut().step_by(step).zip(values).for_each(store),
        None => row.iter_mut().skip(first).step_by(step).zip(values).for_each(store),
    }
}
