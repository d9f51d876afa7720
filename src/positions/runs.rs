//! Stretches of consecutive positions, which encodings compute faster than single ones.

use super::{Kind, Position, Positions};

/// The longest stretch of consecutive integers from some index on, or of the same one, or one real.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Run {
    Integers {
        start: i64,
        len: usize,
    },
    /// More than one.
    Repeated {
        position: i64,
        len: usize,
    },
    Real(f64),
}

impl Positions<'_> {
    /// The run that starts at `index`; `None` at the end.
    pub(crate) fn run_at(&self, index: usize) -> Option<Run> {
        let start = match self.get(index)? {
            Position::Real(real) => return Some(Run::Real(real)),
            Position::Integer(start) => start,
        };
        let (len, repeated) = match &self.0 {
            Kind::Range { len, .. } => (len - index, 1),
            Kind::Unsigned(ids) => {
                stretches(&ids[index..], |&id, k| i64::try_from(id) == Ok(start + k))
            }
            Kind::Signed(ids) => {
                stretches(&ids[index..], |&id, k| start.checked_add(k) == Some(id))
            }
            Kind::Real(reals) => stretches(&reals[index..], |&real, k| {
                Position::from(real) == Position::Integer(start + k)
            }),
        };
        if repeated > 1 {
            return Some(Run::Repeated { position: start, len: repeated });
        }
        Some(Run::Integers { start, len })
    }
}

/// How many leading items count on from the first, and how many are the same. `is` tells whether an
/// item is the first plus some number.
fn stretches<T>(items: &[T], is: impl Fn(&T, i64) -> bool) -> (usize, usize) {
    let consecutive = items.iter().zip(0_i64..).take_while(|(item, k)| is(item, *k)).count();
    (consecutive, items.iter().take_while(|item| is(item, 0)).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_maximal() {
        let run = |positions: Positions<'_>, index| positions.run_at(index);
        assert_eq!(run(Positions::from(3..9), 2), Some(Run::Integers { start: 5, len: 4 }));
        assert_eq!(
            run(Positions::from(&[7_i64, 8, 9, 0, 1]), 0),
            Some(Run::Integers { start: 7, len: 3 })
        );
        assert_eq!(
            run(Positions::from(&[7_i64, 8, 9, 0, 1]), 3),
            Some(Run::Integers { start: 0, len: 2 })
        );
        assert_eq!(
            run(Positions::from(&[7_i64, 7, 7, 8, 9]), 0),
            Some(Run::Repeated { position: 7, len: 3 })
        );
        assert_eq!(
            run(Positions::from(&[7_u32, 8, 8, 8]), 0),
            Some(Run::Integers { start: 7, len: 2 })
        );
        assert_eq!(
            run(Positions::from(&[2.0, 2.0, 2.5, 2.5]), 0),
            Some(Run::Repeated { position: 2, len: 2 })
        );
        assert_eq!(
            run(Positions::from(&[1.0, 2.0, 2.5]), 0),
            Some(Run::Integers { start: 1, len: 2 })
        );
        assert_eq!(run(Positions::from(&[1.0, 2.0, 2.5]), 2), Some(Run::Real(2.5)));
        assert_eq!(
            run(Positions::from(&[i64::MAX, i64::MIN]), 0),
            Some(Run::Integers { start: i64::MAX, len: 1 })
        );
        assert_eq!(run(Positions::from(0..0), 0), None);
    }
}
