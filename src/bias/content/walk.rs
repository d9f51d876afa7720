//! The way through queries, keys and scores: sequence by sequence, and head by head on all cores.

use ndarray::{ArrayView2, ArrayView3, ArrayViewD, ArrayViewMut3, ArrayViewMutD, Axis, aview2};

use super::{ContentBias, Head, Ix3};
use crate::bias::check_shape;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;
use crate::threads::{join, piece};

/// Whether scores (…, heads, queries, keys) can be given the bias of queries and keys of these
/// shapes.
pub(crate) fn check_content<A: Element>(
    bias: &dyn ContentBias<A>,
    scores: &[usize],
    contents: [&[usize]; 2],
    queries: &Positions<'_>,
    keys: &Positions<'_>,
) -> Result<(), Error> {
    check_shape(bias.heads(), scores, queries, keys, &|queries, keys| bias.check(queries, keys))?;
    let [before @ .., rows, columns] = scores else { return Ok(()) };
    let lens = [("queries", *rows), ("keys", *columns)];
    for ((shape, (what, len)), width) in contents.into_iter().zip(lens).zip(bias.widths()) {
        let Some(width) = width else { continue };
        let [leading @ .., own, dim] = shape else {
            return Err(Error::TooFewAxes { expected: scores.len(), found: shape.len() });
        };
        if leading.len() != before.len() {
            return Err(Error::TooFewAxes { expected: scores.len(), found: shape.len() });
        }
        let (leading, before) = (leading.iter().rev(), before.iter().rev());
        let names = core::iter::once("heads").chain(core::iter::repeat("sequences"));
        let axes = names.zip(leading.zip(before)).chain([(what, (own, &len))]);
        for (what, (&found, &expected)) in axes {
            if found != expected {
                return Err(Error::LengthMismatch { what, expected, found });
            }
        }
        if *dim != width {
            return Err(Error::WidthMismatch { expected: width, found: *dim });
        }
    }
    Ok(())
}

/// Calls `visit` with the queries, keys and scores of each sequence; those that are not read are
/// passed on as they are where there is no sequence of them.
pub(super) fn through<A>(
    contents: [ArrayViewD<'_, A>; 2],
    widths: [Option<usize>; 2],
    mut scores: ArrayViewMutD<'_, A>,
    visit: &mut impl FnMut(
        ArrayView3<'_, A>,
        ArrayView3<'_, A>,
        ArrayViewMut3<'_, A>,
    ) -> Result<(), Error>,
) -> Result<(), Error> {
    if scores.ndim() > 3 {
        for (i, scores) in scores.outer_iter_mut().enumerate() {
            let part = |which: usize| match widths[which] {
                Some(_) => contents[which].index_axis(Axis(0), i),
                None => contents[which].view(),
            };
            through([part(0), part(1)], widths, scores, visit)?;
        }
        return Ok(());
    }
    let part = |which: usize| match widths[which] {
        Some(_) => contents[which].view().into_dimensionality::<Ix3>().ok(),
        None => ArrayView3::from_shape((0, 0, 0), &[]).ok(),
    };
    match (part(0), part(1), scores.into_dimensionality::<Ix3>()) {
        (Some(q), Some(k), Ok(scores)) => visit(q, k, scores),
        _ => Ok(()),
    }
}

/// One sequence, whose shapes and positions have been checked.
#[derive(Clone)]
pub(super) struct Sequence<'a, A> {
    pub(super) bias: &'a dyn ContentBias<A>,
    pub(super) q: ArrayView3<'a, A>,
    pub(super) k: ArrayView3<'a, A>,
    pub(super) queries: &'a Positions<'a>,
    pub(super) keys: &'a Positions<'a>,
}

impl<A: Element> Sequence<'_, A> {
    pub(super) fn through(&self, scores: ArrayViewMut3<'_, A>) -> Result<(), Error> {
        if scores.is_empty() {
            return Ok(());
        }
        let piece = piece(scores.len() * size_of::<A>()).unwrap_or(usize::MAX);
        self.part(piece, scores, [0, 0])
    }

    /// The part that begins with this head and this query, in pieces of so many bytes.
    fn part(
        &self,
        piece: usize,
        mut scores: ArrayViewMut3<'_, A>,
        [head, query]: [usize; 2],
    ) -> Result<(), Error> {
        let (heads, rows, _) = scores.dim();
        let long = scores.len() * size_of::<A>() > piece;
        let axis = if heads > 1 { 0 } else { 1 };
        let middle = [heads, rows][axis] / 2;
        if long && middle > 0 {
            let (low, high) = scores.split_at(Axis(axis), middle);
            let next = if axis == 0 { [head + middle, query] } else { [head, query + middle] };
            return join(|| self.part(piece, low, [head, query]), || self.part(piece, high, next));
        }
        let queries = &self.queries.slice(query..query + rows);
        for (index, scores) in (head..).zip(scores.outer_iter_mut()) {
            let [read_q, read_k] = self.bias.widths().map(|width| width.is_some());
            let of_head = Head {
                index,
                q: of(&self.q, read_q, index, query..query + rows),
                k: of(&self.k, read_k, index, 0..self.keys.len()),
                queries,
                keys: self.keys,
            };
            self.bias.add_head(&of_head, scores);
        }
        Ok(())
    }
}

/// Rows of a head, or none where they are not read.
fn of<'v, A>(
    content: &'v ArrayView3<'_, A>,
    is_read: bool,
    head: usize,
    rows: core::ops::Range<usize>,
) -> ArrayView2<'v, A> {
    match is_read {
        true => content.index_axis(Axis(0), head).slice_axis_move(Axis(0), rows.into()),
        false => aview2::<A, 0>(&[]),
    }
}
