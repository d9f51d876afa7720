//! Positions that are shifted, scaled or drawn at random in training, with the caller's generator.
//!
//! Random numbers are computed here from the 64-bit outputs of the generator, so that a seed gives
//! the same positions with every version of `rand`.

use std::collections::BTreeSet;

use rand::Rng;

use super::list::with_room;
use super::{Position, Positions};
use crate::error::{Error, at_least_one, check_parameter, not_negative};

/// Shifted absolute positions (Kiyono et al. 2021, *SHAPE: shifted absolute position embedding for
/// transformers*, arXiv 2109.05644): p + k, with k drawn from 0..=max for each sequence and axis.
///
/// A model that cannot know where a sequence begins learns to rely on distances.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::{Positions, ids};
/// use rand::SeedableRng;
///
/// let mut rng = rand::rngs::SmallRng::seed_from_u64(7);
/// let batch = Positions::from(array![[0, 1, 2], [0, 1, 2]]);
/// let shifted = ids::Shape { max: 500 }.augment(&batch, &mut rng)?;
/// let points = shifted.to_array()?;
/// assert_eq!(points[[2, 0]] - points[[0, 0]], 2.0);
/// assert_ne!(points[[0, 0]], points[[3, 0]]); // another shift for the second sequence
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Shape {
    /// The largest shift.
    pub max: usize,
}

impl Shape {
    /// Shifts the positions of each row and axis by a random number. Integers stay integers.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a largest shift above 2⁶²; [`Error::PositionTooLarge`] where
    /// a shifted position does not fit into 64 bits; [`Error::TooLarge`].
    pub fn augment<R: Rng + ?Sized>(
        &self,
        positions: &Positions<'_>,
        rng: &mut R,
    ) -> Result<Positions<'static>, Error> {
        check_parameter("max", self.max as f64, self.max as u64 <= 1 << 62, "at most 2^62")?;
        let mut shift = 0;
        positions.changed(|index, _, position| {
            if index % positions.len() == 0 {
                shift = below(self.max as u64 + 1, rng) as i64;
            }
            match position {
                Position::Real(position) => Ok(Position::from(position + shift as f64)),
                Position::Integer(own) => {
                    let too_large = Error::PositionTooLarge { index, position: own as f64 };
                    own.checked_add(shift).map(Position::Integer).ok_or(too_large)
                }
            }
        })
    }
}

/// Continuous augmented positions (Likhomanenko et al. 2021, *CAPE: encoding relative positions
/// with continuous augmented positional embeddings*, arXiv 2106.03143): (p + Δ + ε) · e^λ.
///
/// Δ is drawn from ±`global_shift` for each sequence and axis, ε from ±`local_shift` for each
/// position and axis, λ from ±ln(`scaling`) for each sequence. A shift of 0 and a scaling of 1
/// change nothing. For images, coordinates are from −1 to 1.
///
/// ```
/// use positional_encodings::{Positions, ids::Cape};
/// use rand::SeedableRng;
///
/// let mut rng = rand::rngs::SmallRng::seed_from_u64(7);
/// let cape = Cape { centred: true, global_shift: 5.0, local_shift: 0.5, scaling: 1.03 };
/// let times = cape.augment(&Positions::from(0..100), &mut rng)?;
/// assert_eq!(times.len(), 100);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Cape {
    /// Whether the mean of each sequence is subtracted first (`normalize` in CAPE's code).
    pub centred: bool,
    /// The largest shift of a whole sequence.
    pub global_shift: f64,
    /// The largest shift of a single position.
    pub local_shift: f64,
    /// The largest factor, at least 1.
    pub scaling: f64,
}

impl Cape {
    /// Augments the positions. Random numbers are drawn in this order: λ for all rows; then, axis
    /// by axis and row by row, Δ and the ε of the positions in the row.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for shifts that are negative or not finite, and for a scaling
    /// that is below 1 or not finite; [`Error::TooLarge`].
    pub fn augment<R: Rng + ?Sized>(
        &self,
        positions: &Positions<'_>,
        rng: &mut R,
    ) -> Result<Positions<'static>, Error> {
        not_negative("global_shift", self.global_shift)?;
        not_negative("local_shift", self.local_shift)?;
        at_least_one("scaling", self.scaling)?;
        let rows = if positions.is_empty() { 0 } else { positions.rows().unwrap_or(1) };
        let mut factors = with_room(rows, 1)?;
        factors.extend((0..rows).map(|_| libm::exp(symmetric(rng) * libm::log(self.scaling))));
        let (mut mean, mut shift) = (0.0, 0.0);
        positions.changed(|index, axis, position| {
            if index % positions.len() == 0 {
                mean = if self.centred { mean_of(&axis.row(index / axis.len())) } else { 0.0 };
                shift = self.global_shift * symmetric(rng);
            }
            let local = self.local_shift * symmetric(rng);
            let factor = factors[index / positions.len()];
            Ok(Position::from((position.to_f64() - mean + shift + local) * factor))
        })
    }
}

fn mean_of(positions: &Positions<'_>) -> f64 {
    positions.iter().map(Position::to_f64).sum::<f64>() / positions.len() as f64
}

/// Randomised positions (Ruoss et al. 2023, *Randomized positional encodings boost length
/// generalization of transformers*, arXiv 2305.16843): a sorted sample of 0..max without
/// repetition.
///
/// A model trained on such positions has seen all positions up to `max`, however short its
/// sequences.
///
/// ```
/// use positional_encodings::{Positions, ids::RandPos};
/// use rand::SeedableRng;
///
/// let mut rng = rand::rngs::SmallRng::seed_from_u64(7);
/// let batch = RandPos { max: 2048 }.draw(2, 40, &mut rng)?; // (batch, len)
/// assert_eq!((batch.rows(), batch.len()), (Some(2), 40));
/// assert_eq!(RandPos { max: 40 }.draw(1, 40, &mut rng)?.row(0), Positions::from(0..40));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct RandPos {
    /// The number of positions that can be drawn.
    pub max: usize,
}

impl RandPos {
    /// Draws `len` positions for each of `batch` sequences.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] where `len` is more than `max`; [`Error::TooLarge`].
    pub fn draw<R: Rng + ?Sized>(
        &self,
        batch: usize,
        len: usize,
        rng: &mut R,
    ) -> Result<Positions<'static>, Error> {
        if len > self.max {
            let what = "positions to draw from";
            return Err(Error::LengthMismatch { what, expected: len, found: self.max });
        }
        let too_large = || Error::TooLarge { rows: batch, dim: len };
        let count = batch.checked_mul(len).ok_or_else(too_large)?;
        let mut ids = with_room::<usize>(count, 1).map_err(|_| too_large())?;
        for _ in 0..if len == 0 { 0 } else { batch } {
            // Floyd's algorithm: a number that was drawn already is replaced by the largest one
            // possible.
            let mut drawn = BTreeSet::new();
            for last in self.max - len..self.max {
                let one = below(last as u64 + 1, rng) as usize;
                if !drawn.insert(one) {
                    drawn.insert(last);
                }
            }
            ids.extend(drawn);
        }
        let ids = ndarray::Array2::from_shape_vec((batch, len), ids).map_err(|_| too_large())?;
        Ok(Positions::from(ids))
    }
}

impl Positions<'_> {
    /// Returns changed positions of the same shape. `change` is given the index, the positions on
    /// the axis, and the position.
    fn changed(
        &self,
        mut change: impl FnMut(usize, &Positions<'_>, Position) -> Result<Position, Error>,
    ) -> Result<Positions<'static>, Error> {
        let mut axes = Vec::new();
        for axis in (0..self.axes()).filter_map(|axis| self.axis(axis)) {
            let mut changed = with_room(self.count(), self.axes())?;
            for (index, position) in axis.iter().enumerate() {
                changed.push(change(index, &axis, position)?);
            }
            axes.push(changed);
        }
        Positions::from_changed(axes, self.rows(), self.len())
    }
}

/// Draws a number from −1 (included) to 1 (excluded), with 53 bits.
pub(super) fn symmetric<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// Draws a number below `n`, uniformly (Lemire 2019, *Fast random integer generation in an
/// interval*).
fn below<R: Rng + ?Sized>(n: u64, rng: &mut R) -> u64 {
    let rejected = n.wrapping_neg() % n;
    loop {
        let product = u128::from(rng.next_u64()) * u128::from(n);
        if product as u64 >= rejected {
            return (product >> 64) as u64;
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    use super::*;

    #[test]
    fn each_position_is_drawn_as_often() {
        let (mut rng, mut counts) = (SmallRng::seed_from_u64(1), [0; 10]);
        for _ in 0..1000 {
            let drawn = RandPos { max: 10 }.draw(1, 4, &mut rng).unwrap();
            let ids: Vec<f64> = drawn.iter().map(Position::to_f64).collect();
            assert!(ids.is_sorted_by(|a, b| a < b));
            ids.iter().for_each(|&id| counts[id as usize] += 1);
        }
        // Binomial of 1000 and 0.4: five standard deviations are 77.
        assert!(counts.iter().all(|count| (323..478).contains(count)), "{counts:?}");
    }

    #[test]
    fn changes_that_change_nothing() {
        let mut rng = SmallRng::seed_from_u64(1);
        let none = Cape { centred: false, global_shift: 0.0, local_shift: 0.0, scaling: 1.0 };
        let grid = Positions::grid(&[3, 4]).unwrap();
        let shape = Shape { max: 0 };
        assert_eq!(none.augment(&grid, &mut rng).unwrap(), grid);
        assert_eq!(shape.augment(&grid, &mut rng).unwrap(), grid);
        for empty in [Positions::from(0..0), Positions::grid(&[0, 3]).unwrap()] {
            assert_eq!(none.augment(&empty, &mut rng).unwrap(), empty);
            assert_eq!(shape.augment(&empty, &mut rng).unwrap(), empty);
        }
        assert!(RandPos { max: 0 }.draw(3, 0, &mut rng).unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be() {
        let mut rng = SmallRng::seed_from_u64(1);
        let positions = Positions::from(0..3);
        let good = Cape { centred: true, global_shift: 1.0, local_shift: 1.0, scaling: 2.0 };
        for bad in [
            Cape { global_shift: f64::NAN, ..good },
            Cape { local_shift: -1.0, ..good },
            Cape { scaling: 0.5, ..good },
            Cape { scaling: f64::INFINITY, ..good },
        ] {
            let error = bad.augment(&positions, &mut rng).unwrap_err();
            assert!(matches!(error, Error::InvalidParameter { .. }), "{bad:?}: {error}");
        }
        assert!(Shape { max: usize::MAX }.augment(&positions, &mut rng).is_err());
        let ends = Positions::from(&[i64::MAX]);
        let shape = Shape { max: 1 << 62 };
        let result = shape.augment(&ends, &mut rng);
        assert!(matches!(result, Err(Error::PositionTooLarge { .. })));
        let error = RandPos { max: 3 }.draw(1, 4, &mut rng).unwrap_err();
        let what = "positions to draw from";
        assert_eq!(error, Error::LengthMismatch { what, expected: 4, found: 3 });
        let huge = RandPos { max: usize::MAX };
        assert!(huge.draw(1 << 40, 1 << 40, &mut rng).is_err());
    }
}
