//! The traversal of queries, keys and scores: sequence by sequence and head by head, on all cores.

use core::ops::Range;

use ndarray::{ArrayViewD, ArrayViewMutD, Axis, Ix3, aview2};

use super::{ContentBias, Head};
use crate::arrays::{check_len, check_width, nth};
use crate::bias::check_shape;
use crate::bias::walk::{Cut, in_parts};
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// Checks that scores (…, heads, queries, keys) fit the bias, the positions, and queries and keys
/// of these shapes.
pub(crate) fn check_content<A: Element>(
    bias: &dyn ContentBias<A>,
    scores: &[usize],
    contents: [&[usize]; 2],
    queries: &Positions<'_>,
    keys: &Positions<'_>,
) -> Result<(), Error> {
    check_shape(bias.heads(), scores, queries, keys, &|queries, keys| bias.check(queries, keys))?;
    let heads = scores.len() - 3;
    let lens = [("queries", scores[heads + 1]), ("keys", scores[heads + 2])];
    for ((shape, (what, len)), width) in contents.into_iter().zip(lens).zip(bias.widths()) {
        let Some(width) = width else { continue };
        if shape.len() != scores.len() {
            return Err(Error::TooFewAxes { expected: scores.len(), found: shape.len() });
        }
        for axis in (0..=heads).rev() {
            let what = if axis == heads { "heads" } else { "sequences" };
            check_len(what, scores[axis], shape[axis])?;
        }
        check_len(what, len, shape[heads + 1])?;
        check_width(width, shape[heads + 2])?;
    }
    Ok(())
}

/// Adds the bias of queries and keys (…, heads, len, dim) to scores (…, heads, queries, keys).
pub(super) fn add<A: Element>(
    bias: &dyn ContentBias<A>,
    contents: [ArrayViewD<'_, A>; 2],
    queries: &Positions<'_>,
    keys: &Positions<'_>,
    scores: ArrayViewMutD<'_, A>,
) -> Result<(), Error> {
    let shapes = contents.each_ref().map(|content| content.shape());
    check_content(bias, scores.shape(), shapes, queries, keys)?;
    let widths = bias.widths();
    let cuts = [Cut::Always, Cut::Long, Cut::Long, Cut::Never];
    in_parts(scores, cuts, &|scores, [sequence, head, query, _]| {
        let Ok(mut scores) = scores.into_dimensionality::<Ix3>() else { return Ok(()) };
        let (_, rows, columns) = scores.dim();
        let (queries, keys) = (&queries.row(sequence), &keys.row(sequence));
        let queries = &queries.slice(query..query + rows);
        let of_sequence =
            |which: usize| widths[which].and_then(|_| nth::<_, Ix3>(&contents[which], sequence));
        let contents = [of_sequence(0), of_sequence(1)];
        for (index, scores) in (head..).zip(scores.outer_iter_mut()) {
            let of_head = |which: usize, rows: Range<usize>| {
                let Some(content) = &contents[which] else { return aview2::<A, 0>(&[]) };
                let mut content = content.index_axis(Axis(0), index);
                content.slice_axis_inplace(Axis(0), rows.into());
                content
            };
            let (q, k) = (of_head(0, query..query + rows), of_head(1, 0..columns));
            bias.add_head(&Head { index, q, k, queries, keys }, scores);
        }
        Ok(())
    })
}
