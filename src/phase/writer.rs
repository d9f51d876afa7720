//! The path from positions to rows: which rows are computed together, and how they are written.

use core::marker::PhantomData;
use core::ops::Range;

use ndarray::ArrayViewMut2;

use super::arithmetic::{Arithmetic, LINES};
use super::definition::{BLOCK, OCTET};
use super::fixed::{GROUP, Line};
use super::layout::{Columns, FeatureLayout, Parts, parts};
use super::output::Output;
use super::row_element::RowElement;
use super::runs::{Block, Centres, FAR_LINES, LEVELS, Octets, chunk_of};
use super::settle::settle_ties;
use super::single::Single;
use super::waves::Waves;
use crate::element::{AnyElement, Element, OfElement};
use crate::positions::{Position, Positions, Run};

/// Fewer consecutive positions than this in a block are computed as single rows: a common anchor
/// would cost more.
const FEW: usize = 2;
/// From this many consecutive positions on, rows exceed the caches near the processor.
const FAR: usize = 1024;
/// A buffer on the stack for eight rows of a chunk.
#[repr(align(64))]
struct Scratch<T: Arithmetic>([T::Row; OCTET as usize]);

impl Waves {
    /// Writes the row of the i-th position to the i-th row of `out`; `columns` describes all its
    /// columns.
    ///
    /// The caller has checked the positions, the shape, and that the columns belong to these pairs.
    pub(crate) fn rows<A: Element>(
        &self,
        positions: &Positions<'_>,
        columns: &Columns,
        out: ArrayViewMut2<'_, A>,
    ) {
        debug_assert_eq!((out.nrows(), out.ncols()), (positions.len(), columns.dim));
        self.rows_of(positions, columns, A::any::<OutputOf<'_>>(Output::new(out)));
    }

    fn rows_of(
        &self,
        positions: &Positions<'_>,
        columns: &Columns,
        rows: AnyElement<OutputOf<'_>>,
    ) {
        let waves = self;
        match rows {
            AnyElement::F32(rows) => Writer { waves, columns, rows }.all(positions),
            AnyElement::F64(rows) => Writer { waves, columns, rows }.all(positions),
            #[cfg(feature = "half")]
            AnyElement::F16(rows) => Writer { waves, columns, rows }.all(positions),
            #[cfg(feature = "half")]
            AnyElement::Bf16(rows) => Writer { waves, columns, rows }.all(positions),
        }
    }
}

struct OutputOf<'r>(PhantomData<&'r ()>);

impl<'r> OfElement for OutputOf<'r> {
    type Of<A: Element> = Output<'r, A>;
}

struct Writer<'a, 'r, A: RowElement> {
    waves: &'a Waves,
    columns: &'a Columns,
    rows: Output<'r, A>,
}

impl<A: RowElement> Writer<'_, '_, A> {
    /// Writes the rows of all positions.
    fn all(mut self, positions: &Positions<'_>) {
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

    /// Writes rows of consecutive positions.
    fn run(&mut self, start: i64, rows: Range<usize>) {
        if rows.len() < FEW {
            self.same(Position::Integer(start), rows);
        } else if rows.len() < FAR {
            self.blocks::<LINES>(start, rows);
        } else {
            self.blocks::<FAR_LINES>(start, rows);
        }
    }

    /// Writes rows of consecutive positions, block by block. It is never inlined, so that a short
    /// run does not use the stack of a long one.
    #[inline(never)]
    fn blocks<const LINES: usize>(&mut self, start: i64, rows: Range<usize>) {
        let (mut row, mut centres) = (rows.start, Centres::<LINES>::new());
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
                self.block(position - step, steps, row, centres.lines());
            }
            row += count;
        }
    }

    /// Writes the rows of some steps of a block; the first is row `row`.
    fn block(&mut self, block: i64, steps: Range<usize>, row: usize, centres: &mut [Line]) {
        let (waves, layout, all) = (self.waves, self.columns.layout, self.waves.fixed.len());
        let is_whole = steps.start.is_multiple_of(8) && steps.end.is_multiple_of(8);
        // The buffer on the stack has room for a short chunk only.
        let is_direct = self.is_direct();
        let lines = if is_direct && is_whole { centres.len() } else { LEVELS * LINES };
        let most = chunk_of::<A::Computed>(lines / LEVELS);
        let mut scratch = None;
        for first in (0..all).step_by(most) {
            let groups = first..all.min(first + most);
            let (centres, scratch) = (&mut centres[..lines], &mut scratch);
            let (chunk, wanted) = (groups.clone(), steps.clone());
            let to = &mut Octet { writer: self, is_direct, block, wanted, row, chunk, scratch };
            let (position, steps) = (block, steps.clone());
            match layout {
                FeatureLayout::Interleaved => {
                    Block::<_, true> { waves, position, steps, groups, centres, to }.write()
                }
                _ => Block::<_, false> { waves, position, steps, groups, centres, to }.write(),
            }
        }
    }

    /// Writes rows at one repeated position.
    fn same(&mut self, position: Position, rows: Range<usize>) {
        let (waves, columns, all) = (self.waves, self.columns, self.waves.fixed.len());
        let (layout, most) = (columns.layout, chunk_of::<A::Computed>(LINES));
        let (is_direct, anchors) = (rows.len() == 1 && self.is_direct(), &mut [Line::ZERO; LINES]);
        for first in (0..all).step_by(most) {
            let groups = first..all.min(first + most);
            let pairs = GROUP * groups.start..GROUP * groups.end;
            if is_direct {
                if let Some(row) = self.rows.one(rows.start).and_then(A::as_computed) {
                    let row = columns.parts(row, pairs);
                    single(waves, layout, position, groups, anchors, row);
                }
            } else {
                let mut scratch = A::Computed::EMPTY;
                let row = parts(layout, GROUP * most, scratch.as_mut(), 0..pairs.len());
                single(waves, layout, position, groups.clone(), anchors, row);
                self.deliver(position, rows.clone(), groups, scratch.as_ref());
            }
        }
    }

    /// Returns true if kernels can write to the rows directly.
    fn is_direct(&self) -> bool {
        A::IS_COMPUTED && self.columns.are_whole(GROUP) && self.rows.are_slices()
    }

    /// Rounds a chunk of a row and writes it to all rows at this position.
    fn deliver(
        &mut self,
        position: Position,
        rows: Range<usize>,
        groups: Range<usize>,
        values: &[A::Computed],
    ) {
        let pairs = groups.start * GROUP..groups.end * GROUP;
        for (columns, start) in self.columns.of_pairs(pairs, GROUP * chunk_of::<A::Computed>(LINES))
        {
            let first = columns.start;
            self.rows.fill(rows.clone(), columns, A::zero(), |_, some, out| {
                let values = &values[start + some.start - first..][..some.len()];
                if A::round_all(values, out) {
                    settle_ties(self.waves, self.columns, position, some.start, values, out);
                }
            });
        }
    }
}

/// The destination of the octets of a block.
struct Octet<'d, 'w, 'r, A: RowElement> {
    writer: &'d mut Writer<'w, 'r, A>,
    /// Whether kernels write whole octets to the rows directly.
    is_direct: bool,
    block: i64,
    /// The steps of the block that are wanted, and the row of the first one.
    wanted: Range<usize>,
    row: usize,
    /// The groups of pairs of the chunk.
    chunk: Range<usize>,
    scratch: &'d mut Option<Scratch<A::Computed>>,
}

impl<A: RowElement> Octet<'_, '_, '_, A> {
    /// Returns the steps of an octet that are wanted.
    fn steps(&self, octet: usize) -> Range<usize> {
        (8 * octet).max(self.wanted.start)..(8 * octet + 8).min(self.wanted.end)
    }
}

impl<A: RowElement> Octets<A::Computed> for Octet<'_, '_, '_, A> {
    fn rows(&mut self, octet: usize) -> [Parts<'_, A::Computed>; 8] {
        let (steps, columns) = (self.steps(octet), self.writer.columns);
        let pairs = GROUP * self.chunk.start..GROUP * self.chunk.end;
        if self.is_direct
            && steps.len() == 8
            && let row = self.row + steps.start - self.wanted.start
            && let Some(rows) = self.writer.rows.eight(row).and_then(A::as_all_computed)
        {
            return rows.map(|row| columns.parts(row, pairs.clone()));
        }
        let scratch = self.scratch.get_or_insert(Scratch([A::Computed::EMPTY; 8]));
        let (layout, all) = (columns.layout, GROUP * chunk_of::<A::Computed>(LINES));
        scratch.0.each_mut().map(|row| parts(layout, all, row.as_mut(), 0..pairs.len()))
    }

    fn take(&mut self, octet: usize) {
        let steps = self.steps(octet);
        if self.is_direct && steps.len() == 8 {
            return;
        }
        for step in steps {
            let row = self.row + step - self.wanted.start;
            let position = Position::Integer(self.block + step as i64);
            if let Some(Scratch(rows)) = self.scratch {
                let (chunk, values) = (self.chunk.clone(), rows[step - 8 * octet].as_ref());
                self.writer.deliver(position, row..row + 1, chunk, values);
            }
        }
    }
}

/// Writes groups of pairs at one position, with the kernel of the layout.
fn single<T: Arithmetic + Element>(
    waves: &Waves,
    layout: FeatureLayout,
    position: Position,
    groups: Range<usize>,
    anchors: &mut [Line],
    row: Parts<'_, T>,
) {
    if layout == FeatureLayout::Interleaved {
        Single::<_, true> { waves, position, groups, anchors, row }.write();
    } else {
        Single::<_, false> { waves, position, groups, anchors, row }.write();
    }
}
