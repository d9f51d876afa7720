//! Axes of an array of rows, and how far the angles advance along them.

/// An axis of rows: the number of rows, and the steps from one row to the next in the target, in
/// the source and in the angles.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Axis {
    pub(super) len: usize,
    pub(super) step: [isize; 3],
}

impl Axis {
    pub(super) const ONE: Self = Self { len: 1, step: [0; 3] };
}

/// How far the angles advance along the axes. At most two axes have steps.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AngleSteps {
    /// An axis and its step; the step is 0 where there is no such axis.
    pub(super) positions: (usize, usize),
    pub(super) others: (usize, usize),
}

impl AngleSteps {
    /// Returns the step along an axis.
    pub(crate) fn along(self, axis: usize) -> usize {
        let step = |(on, step): (usize, usize)| if on == axis { step } else { 0 };
        step(self.positions) + step(self.others)
    }

    /// Returns the steps of the view without the given axis.
    pub(super) fn without(self, axis: usize) -> Self {
        let shifted = |(on, step): (usize, usize)| match on.cmp(&axis) {
            core::cmp::Ordering::Less => (on, step),
            core::cmp::Ordering::Equal => (0, 0),
            core::cmp::Ordering::Greater => (on - 1, step),
        };
        Self { positions: shifted(self.positions), others: shifted(self.others) }
    }
}
