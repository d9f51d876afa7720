//! Rotations of arrays in any layout; long work on all cores, with feature `rayon`.

use core::marker::PhantomData;

use ndarray::{Axis, IxDyn};

use super::axes::AngleSteps;
use super::memory::Views;
use super::rows::{STREAMS, SharedAngles};
use crate::element::{Element, Lanes, OfElement};
use crate::threads::join;

/// A rotation of arrays in any layout.
pub(super) struct RotateViews<'a, A: Element> {
    pub(super) views: Views<'a, A, IxDyn>,
    pub(super) steps: AngleSteps,
    /// Arrays of at most this many bytes are not divided among threads.
    pub(super) piece: usize,
    pub(super) shared: SharedAngles<'a, A>,
}

/// [`RotateViews`] for each element type.
pub(super) struct OfViews<'a>(PhantomData<&'a ()>);

impl<'a> OfElement for OfViews<'a> {
    type Of<A: Element> = RotateViews<'a, A>;
}

impl<A: Lanes> RotateViews<'_, A> {
    pub(super) fn run(self) {
        self.shared.through_pieces(self.views, self.steps, 0, self.piece);
    }
}

impl<A: Lanes> SharedAngles<'_, A> {
    /// Splits the widest axis in halves for two threads, recursively, until a part is no longer
    /// than a piece.
    ///
    /// Heads that are rotated together are not separated, and runs of memory stay long: a part
    /// consists of whole heads.
    pub(super) fn through_pieces(
        self,
        views: Views<'_, A, IxDyn>,
        steps: AngleSteps,
        angle: usize,
        piece: usize,
    ) {
        let view = &views.target;
        let least = |axis: usize| if steps.along(axis) == 0 { STREAMS } else { 1 };
        let widest = (0..view.ndim() - 1)
            .filter(|&axis| view.len_of(Axis(axis)) > least(axis))
            .max_by_key(|&axis| view.strides()[axis].unsigned_abs());
        match widest {
            Some(axis) if view.len() * size_of::<A>() > piece => {
                let middle = (view.len_of(Axis(axis)) / 2).next_multiple_of(least(axis));
                let (low, high) = views.split_at(Axis(axis), middle);
                let rest = angle + middle * steps.along(axis);
                let half = |views, angle| {
                    self.through_pieces(views, steps, angle, piece);
                    Ok(())
                };
                let halves = join(|| half(low, angle), || half(high, rest));
                debug_assert!(halves.is_ok());
            }
            _ => self.through(views, steps, angle, &mut Vec::new()),
        }
    }
}
