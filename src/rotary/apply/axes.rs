//! Axes of rows, and how far the angles advance along them.

/// An axis of rows: how many there are, and from one to the next the steps in the target, in the
/// source and in the angles.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Axis {
    pub(super) len: usize,
    pub(super) step: [isize; 3],
}

impl Axis {
    pub(super) const ONE: Self = Self { len: 1, step: [0; 3] };
}

/// How far the angles advance along the axes: along two of them at most.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AngleSteps {
    /// An axis and its step, which is 0 where there is none.
    pub(super) positions: (usize, usize),
    pub(super) others: (usize, usize),
}

impl AngleSteps {
    /// Returns the step along an axis.
    pub(crate) fn along(self, axis: usize) -> usize {
        let step = |(on, step): (usize, usize)| if on == axis { step } else { 0 };
        step(self.positions) + step(self.others)
    }

    /// Returns the steps of the view that is left when an axis is gone.
    pub(super) fn without(self, axis: usize) -> Self {
        let shifted = |(on, step): (usize, usize)| match on.cmp(&axis) {
            core::cmp::Ordering::Less => (on, step),
            core::cmp::Ordering::Equal => (0, 0),
            core::cmp::Ordering::Greater => (on - 1, step),
        };
        Self { positions: shifted(self.positions), others: shifted(self.others) }
    }
}
