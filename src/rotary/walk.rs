//! The way through an array of any layout, so that it is touched once and the angles stay in cache.

use fearless_simd::Level;
use ndarray::{ArrayBase, ArrayViewMut3, Axis, Data, Ix3, IxDyn};

use super::kernel::Sheet;
use super::rows::{Rows, Span, Views};
use super::{Pairing, Turn};
use crate::simd::launch;

/// Axes before the features for which no list has to be allocated.
pub(super) const FEW: usize = 8;
/// Rows of one position that are turned together where each lies in a stretch of memory of its own:
/// so many streams the processor fetches ahead without effort.
pub(super) const STREAMS: usize = 4;
/// Bytes of angles that are walked across the heads before the next ones are fetched.
const BLOCK_BYTES: usize = 1 << 20;

/// How each row of features is turned.
#[derive(Clone, Copy, Debug)]
pub struct Turner {
    pub(super) pairs: usize,
    pub(super) pairing: Pairing,
    /// Parts of the rotated features that are paired on their own.
    pub(super) blocks: usize,
    /// Whether the last features of a row are turned instead of the first.
    pub(super) last: bool,
    pub(super) back: bool,
    pub(super) level: Level,
}

/// Arrays (…, features) to be turned.
pub enum Arrays<'a, A> {
    /// In row-major order and of the given shape.
    Spans(Span<'a, A>, &'a [usize]),
    /// In any.
    Views(Views<'a, A, IxDyn>),
}

impl Turner {
    /// Turns all rows; along axis i the angles advance by `steps[i]`.
    pub(super) fn turn_arrays<A: Turn>(
        &self,
        arrays: Arrays<'_, A>,
        steps: &[usize],
        angles: &[A::Angle],
    ) {
        match arrays {
            Arrays::Spans(span, shape) if !shape.contains(&0) => {
                self.turn_span(span, shape, steps, angles)
            }
            Arrays::Views(views) if !views.target.is_empty() => {
                self.turn_views(views, steps, angles)
            }
            _ => {}
        }
    }

    fn turn_span<A: Turn>(
        &self,
        span: Span<'_, A>,
        shape: &[usize],
        steps: &[usize],
        angles: &[A::Angle],
    ) {
        let mut advancing = (0..steps.len()).filter(|&axis| steps[axis] > 0 && shape[axis] > 1);
        let (line, another) = (advancing.next(), advancing.next());
        let product = |lens: &[usize]| lens.iter().product::<usize>();
        if another.is_some() {
            for (i, part) in span.chunks(product(&shape[1..])).enumerate() {
                self.turn_span(part, &shape[1..], &steps[1..], &angles[i * steps[0]..]);
            }
            return;
        }
        let (width, step) = (shape[steps.len()], line.map_or(0, |line| steps[line]));
        let [outer, positions, inner] = match line {
            Some(line) => {
                [product(&shape[..line]), shape[line], product(&shape[line + 1..steps.len()])]
            }
            None => [product(&shape[..steps.len()]), 1, 1],
        };
        if inner == 1 {
            let mut rows =
                Rows::of_span(span, [outer, positions, width], [positions * width, width]);
            return self.turn_sheet(&mut rows, step, angles);
        }
        for part in span.chunks(positions * inner * width) {
            let mut rows = Rows::of_span(part, [inner, positions, width], [width, inner * width]);
            self.turn_sheet(&mut rows, step, angles);
        }
    }

    fn turn_views<A: Turn>(
        &self,
        mut views: Views<'_, A, IxDyn>,
        steps: &[usize],
        angles: &[A::Angle],
    ) {
        let axes = |views: &Views<'_, A, IxDyn>, shared: bool| {
            let view = &views.target;
            let long = (0..steps.len())
                .filter(|&axis| view.len_of(Axis(axis)) > 1 && (steps[axis] == 0) == shared);
            long.min_by_key(|&axis| view.strides()[axis].unsigned_abs())
        };
        let heads = axes(&views, true);
        if let Some(heads) = heads {
            for axis in (0..steps.len()).rev().filter(|&axis| axis != heads && steps[axis] == 0) {
                views.merge_axes(Axis(axis), Axis(heads));
            }
        }
        let line = axes(&views, false);
        let view = &views.target;
        let others = (0..steps.len()).filter(|&axis| {
            view.len_of(Axis(axis)) > 1 && Some(axis) != heads && Some(axis) != line
        });
        match others.max_by_key(|&axis| view.strides()[axis].unsigned_abs()) {
            Some(outer) => {
                for i in 0..view.len_of(Axis(outer)) {
                    let (part, rest) = views.split_at(Axis(outer), 1);
                    self.turn_views(part, steps, &angles[i * steps[outer]..]);
                    views = rest;
                }
            }
            None => {
                let step = line.map_or(0, |line| steps[line]);
                let source = views.source.map(|source| three_axes(source, heads, line));
                let target = three_axes(views.target, heads, line);
                if let (Some(target), false) = (target, matches!(source, Some(None))) {
                    self.turn_three(Views { source: source.flatten(), target }, step, angles);
                }
            }
        }
    }

    /// Which of the rotated features make a pair.
    pub(super) fn features(&self, pair: usize) -> [usize; 2] {
        match self.pairing {
            Pairing::Interleaved => [2 * pair, 2 * pair + 1],
            Pairing::Halves => {
                let in_block = self.pairs / self.blocks;
                let first = pair / in_block * 2 * in_block + pair % in_block;
                [first, first + in_block]
            }
        }
    }

    /// Turns rows (heads, positions, features).
    fn turn_three<A: Turn>(&self, views: Views<'_, A, Ix3>, step: usize, angles: &[A::Angle]) {
        let Views { source, mut target } = views;
        let (of_source, of_target) =
            (source.as_ref().map_or(1, |source| source.strides()[2]), target.strides()[2]);
        if of_source == 1 && of_target == 1 {
            return self.turn_sheet(&mut Rows::of_views(Views { source, target }), step, angles);
        }
        // Features lie apart: copied first, they are turned in place.
        if let Some(source) = source {
            target.assign(&source);
        }
        match of_target {
            1 => self.turn_sheet(&mut Rows::of_views(Views { source: None, target }), step, angles),
            _ => self.turn_apart(target, step, angles),
        }
    }

    fn turn_sheet<A: Turn>(&self, rows: &mut Rows<'_, A>, step: usize, angles: &[A::Angle]) {
        let (pairing, back) = (self.pairing, self.back);
        let blocks = if pairing == Pairing::Halves { self.blocks } else { 1 };
        let [heads, positions, width] = rows.dim;
        let start = if self.last { width - 2 * self.pairs } else { 0 };
        let (together, stretch) = if rows.are_heads_inside() {
            (heads, positions)
        } else {
            (STREAMS, (BLOCK_BYTES / size_of::<A::Angle>() / (2 * self.pairs)).max(8))
        };
        let pairs = if blocks == 1 { self.pairs } else { self.pairs / blocks };
        launch(
            self.level,
            &mut Sheet {
                rows,
                together,
                stretch,
                angles,
                step,
                start,
                pairing,
                blocks,
                pairs,
                back,
            },
        );
    }

    /// Turns rows whose features lie apart in memory.
    fn turn_apart<A: Turn>(
        &self,
        mut rows: ArrayViewMut3<'_, A>,
        step: usize,
        angles: &[A::Angle],
    ) {
        let start = if self.last { rows.len_of(Axis(2)) - 2 * self.pairs } else { 0 };
        for (position, mut heads) in rows.axis_iter_mut(Axis(1)).enumerate() {
            let (cos, sin) = angles[position * step..][..2 * self.pairs].split_at(self.pairs);
            for mut row in heads.axis_iter_mut(Axis(0)) {
                for (pair, (&cos, &sin)) in cos.iter().zip(sin).enumerate() {
                    let [x, y] = self.features(pair).map(|feature| start + feature);
                    [row[x], row[y]] =
                        A::turn_pair([row[x], row[y]], cos, if self.back { -sin } else { sin });
                }
            }
        }
    }
}

/// The axes of heads, positions, and features, the first two of one step where there are none. All
/// others have one step.
fn three_axes<S: Data>(
    mut view: ArrayBase<S, IxDyn>,
    heads: Option<usize>,
    line: Option<usize>,
) -> Option<ArrayBase<S, Ix3>> {
    while view.ndim() < 3 {
        view.insert_axis_inplace(Axis(view.ndim() - 1));
    }
    let mut of_one_step =
        (0..view.ndim() - 1).filter(|&axis| Some(axis) != heads && Some(axis) != line);
    let (mut heads, mut line) =
        (heads.or_else(|| of_one_step.next())?, line.or_else(|| of_one_step.next())?);
    for axis in of_one_step.rev() {
        view.index_axis_inplace(Axis(axis), 0);
        heads -= usize::from(heads > axis);
        line -= usize::from(line > axis);
    }
    if heads > line {
        view.swap_axes(0, 1);
    }
    view.into_dimensionality::<Ix3>().ok()
}
