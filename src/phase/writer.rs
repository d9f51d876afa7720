//! The way from positions to rows: which rows are computed together, and how they get to their
//! place.

use core::ops::Range;

use super::Waves;
use super::fixed::{GROUP, Line};
use super::layout::{Columns, FeatureLayout, parts};
use super::plain::{BLOCK, OCTET, own};
use super::put::Parts;
use super::rows::Rows;
use super::runs::{Centres, Octet, chunk_of};
use super::single::Single;
use super::target::{RowElement, Target};
use crate::element::Element;
use crate::positions::{Position, Positions, Run};
use crate::simd::launch;

/// Fewer consecutive positions than this in a block are rows of their own: their common anchor
/// would cost more.
const FEW: usize = 3;
/// Eight rows of a chunk, on the stack.
#[repr(align(64))]
struct Scratch<T: Target>([T::Row; OCTET as usize]);

pub(super) struct Writer<'a, 'r, A: RowElement> {
    pub(super) waves: &'a Waves,
    pub(super) columns: &'a Columns,
    pub(super) rows: &'a mut Rows<'r, A>,
}

impl<A: RowElement + Element> Writer<'_, '_, A> {
    /// Writes the rows of all positions.
    pub(super) fn all(&mut self, positions: &Positions<'_>) {
        let mut row = 0;
        while let Some(run) = positions.run_at(row) {
            let len = match run {
                Run::Integers { len, .. } | Run::Repeated { len, .. } => len,
                Run::Real(_) => 1,
            };
            match run {
                Run::Integers { start, len } => self.run(start, row..row + len),
                Run::Repeated { position, len } => {
                    self.same(Position::Integer(position), row..row + len)
                }
                Run::Real(position) => self.same(Position::Real(position), row..row + 1),
            }
            row += len;
        }
        let zeros = self.columns.used()..self.columns.dim;
        if !zeros.is_empty() {
            self.rows.fill(0..row, zeros, A::zero(), |_, _, out| out.fill(A::zero()));
        }
    }

    /// Rows of consecutive positions, block by block.
    fn run(&mut self, start: i64, rows: Range<usize>) {
        let (mut row, mut centres) = (rows.start, None);
        while row < rows.end {
            let position = start + (row - rows.start) as i64;
            let step = position.rem_euclid(BLOCK);
            let count = (rows.end - row).min((BLOCK - step) as usize);
            if count < FEW {
                for (position, row) in (position..).zip(row..row + count) {
                    self.same(Position::Integer(position), row..row + 1);
                }
            } else {
                let steps = step as usize..step as usize + count;
                self.block(position - step, steps, row, centres.get_or_insert_with(Centres::new));
            }
            row += count;
        }
    }

    /// The rows of some steps of a block, the first of which is row `row`.
    fn block(&mut self, block: i64, steps: Range<usize>, row: usize, centres: &mut Centres) {
        let groups = self.waves.fixed.len();
        let most = chunk_of::<A::Target>();
        for first in (0..groups).step_by(most) {
            let chunk = first..groups.min(first + most);
            centres.begin::<A::Target>(self.waves, block, chunk.clone());
            for octet in 0..steps.end.div_ceil(8) {
                // A centre is wanted for its own rows, or for those of the octets made from it.
                let made = if octet == 0 { usize::MAX } else { octet & octet.wrapping_neg() };
                if octet.saturating_add(made).saturating_mul(8) <= steps.start {
                    continue;
                }
                let centre = centres.of::<A::Target>(self.waves, octet, chunk.clone());
                let wanted = (8 * octet).max(steps.start)..(8 * octet + 8).min(steps.end);
                if !wanted.is_empty() {
                    let row = row + wanted.start - steps.start;
                    let rows = row..row + wanted.len();
                    let skipped = wanted.start - 8 * octet;
                    self.octet(block + 8 * octet as i64, skipped, chunk.clone(), centre, rows);
                }
            }
        }
    }

    /// The rows of eight positions, or of those that are wanted, after some that are skipped.
    fn octet(
        &mut self,
        position: i64,
        skipped: usize,
        groups: Range<usize>,
        centres: &[Line],
        wanted: Range<usize>,
    ) {
        let (waves, columns) = (self.waves, self.columns);
        let pairs = GROUP * groups.start..GROUP * groups.end;
        if wanted.len() == 8
            && columns.are_whole(GROUP)
            && let Some(rows) = self.rows.eight(wanted.start).and_then(A::as_targets)
        {
            let rows = rows.map(|row| columns.parts(row, pairs.clone()));
            return eight(waves, columns.layout, position, groups, centres, rows);
        }
        let mut scratch = Scratch::<A::Target>([A::Target::EMPTY; 8]);
        let (rows, chunk) = (scratch.0.each_mut(), GROUP * chunk_of::<A::Target>());
        let rows = rows.map(|row| parts(columns.layout, chunk, row.as_mut(), 0..pairs.len()));
        eight(waves, columns.layout, position, groups.clone(), centres, rows);
        for (i, row) in wanted.enumerate() {
            let position = Position::Integer(position + (skipped + i) as i64);
            self.deliver(position, row..row + 1, groups.clone(), scratch.0[skipped + i].as_ref());
        }
    }

    /// Rows at the same position.
    fn same(&mut self, position: Position, rows: Range<usize>) {
        let (waves, columns, groups) = (self.waves, self.columns, self.waves.fixed.len());
        if rows.len() == 1
            && columns.are_whole(GROUP)
            && let Some(row) = self.rows.one(rows.start).and_then(A::as_target)
        {
            let row = columns.parts(row, 0..columns.pairs);
            return single(waves, columns.layout, position, 0..groups, row);
        }
        let most = chunk_of::<A::Target>();
        for first in (0..groups).step_by(most) {
            let groups = first..groups.min(first + most);
            let mut scratch = A::Target::EMPTY;
            let row =
                parts(columns.layout, GROUP * most, scratch.as_mut(), 0..GROUP * groups.len());
            single(waves, columns.layout, position, groups.clone(), row);
            self.deliver(position, rows.clone(), groups, scratch.as_ref());
        }
    }

    /// Rounds a chunk of a row to its place in all rows at this position.
    fn deliver(
        &mut self,
        position: Position,
        rows: Range<usize>,
        groups: Range<usize>,
        values: &[A::Target],
    ) {
        let pairs = groups.start * GROUP..groups.end * GROUP;
        for (columns, start) in self.columns.of_pairs(pairs, GROUP * chunk_of::<A::Target>()) {
            let first = columns.start;
            self.rows.fill(rows.clone(), columns, A::zero(), |_, some, out| {
                let values = &values[start + some.start - first..][..some.len()];
                if A::round_all(values, out) {
                    settle_between(self.waves, self.columns, position, some.start, values, out);
                }
            });
        }
    }
}

/// Writes groups of pairs at eight positions, with the kernel of the layout.
fn eight<T: Target + Element>(
    waves: &Waves,
    layout: FeatureLayout,
    position: i64,
    groups: Range<usize>,
    centres: &[Line],
    rows: [Parts<'_, T>; 8],
) {
    if layout == FeatureLayout::Interleaved {
        launch(waves.level, Octet::<_, true> { waves, position, groups, centres, rows });
    } else {
        launch(waves.level, Octet::<_, false> { waves, position, groups, centres, rows });
    }
}

/// Writes groups of pairs at one position, with the kernel of the layout.
fn single<T: Target + Element>(
    waves: &Waves,
    layout: FeatureLayout,
    position: Position,
    groups: Range<usize>,
    row: Parts<'_, T>,
) {
    if layout == FeatureLayout::Interleaved {
        launch(waves.level, Single::<_, true> { waves, position, groups, row });
    } else {
        launch(waves.level, Single::<_, false> { waves, position, groups, row });
    }
}

/// Rounds values that lie exactly between two of the element type once, from f64.
#[cold]
#[inline(never)]
fn settle_between<A: RowElement + Element>(
    waves: &Waves,
    columns: &Columns,
    position: Position,
    first: usize,
    values: &[A::Target],
    out: &mut [A],
) {
    for (column, (value, out)) in (first..).zip(values.iter().zip(out)) {
        if A::is_between(*value) {
            let (pair, is_sine) = columns.pair_of(column);
            let fixed = &waves.fixed[pair / GROUP];
            let own = own(fixed, pair % GROUP, position, waves.amplitude);
            *out = A::from_f64(if is_sine { own.sin } else { own.cos });
        }
    }
}
