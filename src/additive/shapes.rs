//! Checks whether an encoding fits the words that it is added to.

use super::PositionalEncoding;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// Checks that `encoding` can be added to words of shape (…, len, dim) at these positions.
pub(crate) fn check_words<A, E>(
    shape: &[usize],
    encoding: &E,
    positions: &Positions<'_>,
) -> Result<(), Error>
where
    A: Element,
    E: PositionalEncoding<A> + ?Sized,
{
    let [lens @ .., width] = shape else {
        return Err(Error::TooFewAxes { expected: 2, found: 0 });
    };
    check_lengths(lens, positions)?;
    encoding.check(positions)?;
    match *width {
        width if width == encoding.dim() => Ok(()),
        found => Err(Error::WidthMismatch { expected: encoding.dim(), found }),
    }
}

/// Checks that there are as many positions as words of shape (…, len), and as many rows of
/// positions as sequences, or a single row that all sequences share.
pub(crate) fn check_lengths(lens: &[usize], positions: &Positions<'_>) -> Result<(), Error> {
    let [leading @ .., len] = lens else {
        return Err(Error::TooFewAxes { expected: 2, found: 1 });
    };
    if positions.len() != *len {
        let (expected, found) = (*len, positions.len());
        return Err(Error::LengthMismatch { what: "positions", expected, found });
    }
    let sequences: usize = leading.iter().product();
    match positions.rows() {
        Some(found) if found != sequences && found != 1 => {
            Err(Error::LengthMismatch { what: "rows of positions", expected: sequences, found })
        }
        _ => Ok(()),
    }
}
