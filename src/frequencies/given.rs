//! Frequencies from a list.

use super::{Frequencies, Step, allocate};
use crate::error::Error;
use crate::exact::Wide;

impl Frequencies {
    /// Takes frequencies in radians per position, each as the exact value of its double. Negative
    /// ones rotate backwards.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] for an empty list; [`Error::InvalidFrequency`] for a frequency that is
    /// not finite or makes 2⁶³ turns or more per position; [`Error::TooLarge`].
    ///
    /// ```
    /// use positional_encodings::{Error, Frequencies};
    ///
    /// assert_eq!(Frequencies::from_radians([1.0, -0.5])?.to_radians(), [1.0, -0.5]);
    /// let error = Frequencies::from_radians([1.0, f64::INFINITY]).unwrap_err();
    /// assert_eq!(error, Error::InvalidFrequency { pair: 1, frequency: f64::INFINITY });
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_radians(radians: impl IntoIterator<Item = f64>) -> Result<Self, Error> {
        let given: Vec<f64> = radians.into_iter().collect();
        if let Some((pair, &frequency)) =
            given.iter().enumerate().find(|(_, frequency)| !frequency.is_finite())
        {
            return Err(Error::InvalidFrequency { pair, frequency });
        }
        let mut radians = allocate(given.len())?;
        radians.extend(given.iter().copied().map(Wide::from_f64));
        Self::new(radians, Step::FromRadians(given))
    }
}
