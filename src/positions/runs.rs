//! Runs of consecutive positions, which encodings compute faster than single ones.

use super::Positions;
use crate::error::Error;

/// A run of consecutive integers or of one repeated integer, or a single real.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Run {
    Integers {
        start: i64,
        len: usize,
    },
    /// An integer that is repeated at least once.
    Repeated {
        position: i64,
        len: usize,
    },
    Real(f64),
}

impl Positions<'_> {
    /// Returns the longest run that starts at `index`, or `None` at the end. In a grid or a
    /// broadcast array a run ends where the numbers restart.
    pub(crate) fn run_at(&self, index: usize) -> Option<Run> {
        let rest = self.count().checked_sub(index).filter(|&rest| rest > 0)?;
        self.list().run_at(self.start + index, rest)
    }

    /// Returns the least and the greatest position on the first axis, except those equal to
    /// `skipped`; `None` if there are none.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a position that is not a whole number.
    pub(crate) fn extent(&self, skipped: Option<i64>) -> Result<Option<[i64; 2]>, Error> {
        let (mut at, mut extent) = (0, None);
        while let Some(run) = self.run_at(at) {
            let (mut first, last, len) = match run {
                Run::Integers { start, len } => {
                    (start, start.saturating_add_unsigned(len as u64 - 1), len)
                }
                Run::Repeated { position, len } => (position, position, len),
                Run::Real(value) => {
                    let needs = "a whole number, since it selects a row of a table";
                    return Err(Error::InvalidParameter { name: "position", value, needs });
                }
            };
            at += len;
            if skipped == Some(first) {
                first = first.saturating_add(1);
            }
            if first <= last {
                let [least, greatest] = extent.unwrap_or([first, last]);
                extent = Some([first.min(least), last.max(greatest)]);
            }
        }
        Ok(extent)
    }
}

/// Returns the number of leading items that count on from the first, and the number that equal the
/// first. `is` tells whether an item is the first plus some number.
pub(super) fn stretches<T: Clone>(
    items: impl Iterator<Item = T> + Clone,
    is: impl Fn(T, i64) -> bool,
) -> (usize, usize) {
    let consecutive = items.clone().zip(0_i64..).take_while(|(item, k)| is(item.clone(), *k));
    (consecutive.count(), items.take_while(|item| is(item.clone(), 0)).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_maximal() {
        let run = |positions: Positions<'_>, index| positions.run_at(index);
        let integers = |start, len| Some(Run::Integers { start, len });
        let repeated = |position, len| Some(Run::Repeated { position, len });
        assert_eq!(run(Positions::from(3..9), 2), integers(5, 4));
        for first in [0, 3] {
            let ids = [7_i64, 8, 9, 0, 1];
            let expected = if first == 0 { integers(7, 3) } else { integers(0, 2) };
            assert_eq!(run(Positions::from(&ids), first), expected);
            let as_u32 = ids.map(|id| id as u32);
            assert_eq!(run(Positions::from(&as_u32), first), expected);
        }
        assert_eq!(run(Positions::from(&[7_i64, 7, 7, 8, 9]), 0), repeated(7, 3));
        assert_eq!(run(Positions::from(&[7_u32, 8, 8, 8]), 0), integers(7, 2));
        assert_eq!(run(Positions::from(&[2.0, 2.0, 2.5, 2.5]), 0), repeated(2, 2));
        assert_eq!(run(Positions::from(&[1.0, 2.0, 2.5]), 0), integers(1, 2));
        assert_eq!(run(Positions::from(&[1.0, 2.0, 2.5]), 2), Some(Run::Real(2.5)));
        assert_eq!(run(Positions::from(&[i64::MAX, i64::MIN]), 0), integers(i64::MAX, 1));
        assert_eq!(run(Positions::from(0..0), 0), None);
    }

    #[test]
    fn runs_of_grids_and_of_slices() {
        let grid = Positions::grid(&[2, 3]).unwrap();
        let axis = |axis| grid.axis(axis).unwrap();
        assert_eq!(axis(0).run_at(1), Some(Run::Repeated { position: 0, len: 2 }));
        assert_eq!(axis(0).run_at(5), Some(Run::Integers { start: 1, len: 1 }));
        assert_eq!(axis(1).run_at(4), Some(Run::Integers { start: 1, len: 2 }));
        assert_eq!(axis(1).run_at(6), None);
        let columns = axis(1);
        assert_eq!(columns.slice(1..5).run_at(2), Some(Run::Integers { start: 0, len: 2 }));
        assert_eq!(columns.slice(1..2).run_at(0), Some(Run::Integers { start: 1, len: 1 }));
    }
}
