//! Adds positions to grids: images and video.

use ndarray::{ArrayViewMut, ArrayViewMutD, Axis, Dimension, Ix2, IxDyn};

use super::add_positions_at;
use crate::additive::PositionalEncoding;
use crate::arrays::without_unit_axes;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// Adds the vectors of a whole grid to an array (…, sizes…, dim) in place: (batch, height, width,
/// dim) for images, (batch, time, height, width, dim) for video. The number of axes of the encoding
/// says which.
///
/// Where channels come first, permute the view: `image.permuted_axes([0, 2, 3, 1])`. Class and
/// register tokens in front of the grid are not part of it: slice them off.
///
/// # Errors
///
/// [`Error::TooFewAxes`], [`Error::WidthMismatch`], the errors of [`Positions::grid`] and of
/// encoding it; `images` is then unchanged.
///
/// ```
/// use ndarray::Array4;
/// use positional_encodings::{Axes, PositionalEncoding, add_positions_to_grid};
///
/// let mae = Axes::mae(16)?;
/// let mut images = Array4::<f32>::zeros((2, 3, 5, 16)); // (batch, height, width, dim)
/// add_positions_to_grid(images.view_mut(), &mae)?;
/// assert_eq!(images.index_axis(ndarray::Axis(0), 1).into_dyn(), mae.encode_grid(&[3, 5])?);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn add_positions_to_grid<A, D, E>(
    images: ArrayViewMut<'_, A, D>,
    encoding: &E,
) -> Result<(), Error>
where
    A: Element,
    D: Dimension,
    E: PositionalEncoding<A> + ?Sized,
{
    let (images, axes) = (images.into_dyn(), encoding.axes());
    let [leading @ .., found] = images.shape() else {
        return Err(Error::TooFewAxes { expected: axes + 1, found: 0 });
    };
    let Some(first) = leading.len().checked_sub(axes) else {
        return Err(Error::TooFewAxes { expected: axes + 1, found: images.ndim() });
    };
    let (expected, found) = (encoding.dim(), *found);
    if found != expected {
        return Err(Error::WidthMismatch { expected, found });
    }
    let grid = Positions::grid(&leading[first..])?;
    encoding.check(&grid)?;
    if images.is_empty() {
        return Ok(());
    }
    if images.is_standard_layout() {
        let batch = leading[..first].iter().product::<usize>();
        let shape = IxDyn(&[batch, grid.len(), found]);
        let too_large = |_| Error::TooLarge { rows: grid.len(), dim: expected };
        let rows = images.into_shape_with_order(shape).map_err(too_large)?;
        return add_positions_at(rows, encoding, grid);
    }
    row_by_row(without_unit_axes(images, axes + 1), axes, encoding, &grid)
}

/// Adds to the rows of the grid one after the other, where they are not contiguous in memory.
fn row_by_row<A: Element, E: PositionalEncoding<A> + ?Sized>(
    images: ArrayViewMutD<'_, A>,
    axes: usize,
    encoding: &E,
    positions: &Positions<'_>,
) -> Result<(), Error> {
    let found = images.ndim();
    if found == 2 {
        let too_few = |_| Error::TooFewAxes { expected: 2, found };
        return encoding.add_to(positions, images.into_dimensionality::<Ix2>().map_err(too_few)?);
    }
    let mut images = images;
    let is_batch = found > axes + 1;
    let len = positions.len() / images.len_of(Axis(0)).max(1);
    images.axis_iter_mut(Axis(0)).enumerate().try_for_each(|(index, part)| match is_batch {
        true => row_by_row(part, axes, encoding, positions),
        false => {
            let own = positions.slice(index * len..(index + 1) * len);
            row_by_row(part, axes, encoding, &own)
        }
    })
}
