//! Word embeddings plus positions: the input of any encoder.

use core::array;

use ndarray::{Array, Array2, ArrayBase, ArrayView2, ArrayViewMut, Axis, Data, Dimension};

use crate::arrays::zeros;
use crate::batch::{Sum, for_each_sequence, nth};
use crate::parts::{Four, Summands};
use crate::phase::{BLOCK, Picked};
use crate::{Element, Error, PositionalEncoding, Positions};

/// `words` (…, len, dim) plus the vectors of positions 0..len, as a new array of the same shape.
///
/// The leading axes, if any, are sequences that share the positions. The result is a plain array
/// for any encoder.
///
/// # Errors
///
/// [`Error::TooFewAxes`], [`Error::WidthMismatch`], [`Error::PositionOutsideTable`] for a sequence
/// longer than the encoding knows.
///
/// ```
/// use ndarray::Array3;
/// use positional_encodings::{Sinusoidal, embed_with_positions};
///
/// let words = Array3::<f32>::ones((2, 5, 8)); // (batch, len, dim)
/// let input = embed_with_positions(&words, &Sinusoidal::new(8)?)?;
/// assert_eq!(input[[1, 0, 0]], 1.0 + 0.0); // sin 0
/// assert_eq!(input[[1, 0, 1]], 1.0 + 1.0); // cos 0
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn embed_with_positions<A, S, D, E>(
    words: &ArrayBase<S, D>,
    encoding: &E,
) -> Result<Array<A, D>, Error>
where
    A: Element,
    S: Data<Elem = A>,
    D: Dimension,
    E: PositionalEncoding<A> + ?Sized,
{
    embed_with_positions_at(words, encoding, 0..length(words)?)
}

/// `words` (…, len, dim) plus the vectors of the given positions: a list that all sequences share,
/// or ids (batch, len) with a row for each.
///
/// # Errors
///
/// Those of [`embed_with_positions`], and [`Error::LengthMismatch`] where there are not as many
/// positions or rows as the words ask for.
///
/// ```
/// use ndarray::{Array3, array};
/// use positional_encodings::{Learned, embed_with_positions_at};
///
/// let learned = Learned::from_table(array![[10.0_f32], [20.0], [30.0]])?;
/// let words = Array3::zeros((2, 2, 1));
/// // A left-padded batch: the second sequence starts one step later.
/// let input = embed_with_positions_at(&words, &learned, &array![[0_i64, 1], [0, 0]])?;
/// assert_eq!(input, array![[[10.0], [20.0]], [[10.0], [10.0]]]);
/// // A decode step
/// let input = embed_with_positions_at(&Array3::zeros((2, 1, 1)), &learned, 2..3)?;
/// assert_eq!(input, array![[[30.0]], [[30.0]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn embed_with_positions_at<'p, A, S, D, E>(
    words: &ArrayBase<S, D>,
    encoding: &E,
    positions: impl Into<Positions<'p>>,
) -> Result<Array<A, D>, Error>
where
    A: Element,
    S: Data<Elem = A>,
    D: Dimension,
    E: PositionalEncoding<A> + ?Sized,
{
    let positions = positions.into();
    check(words.shape(), encoding, &positions)?;
    let (rows, dim) = (words.shape()[..words.ndim() - 1].iter().product(), encoding.dim());
    let too_large = Error::TooLarge { rows, dim };
    let mut input =
        zeros(rows, dim)?.into_shape_with_order(words.raw_dim()).map_err(|_| too_large)?;
    let (table, len) = (words.as_slice(), positions.len());
    let words = words.view().into_dyn();
    let write =
        |sequence: usize, row: usize, mut sequences: Four<'_, A>, vectors: ArrayView2<'_, A>| {
            let mut summands = Summands::in_place(encoding.instruction_set());
            let ids: [[usize; BLOCK]; 4] =
                array::from_fn(|n| array::from_fn(|i| (sequence + n) * len + row + i));
            if let Some(table) = table {
                summands.words =
                    ids.each_ref().map(|ids| Some(Picked { table, ids: &ids[..vectors.nrows()] }));
            } else {
                for (n, rows) in sequences.iter_mut().flatten().enumerate() {
                    let words: Option<ArrayView2<'_, A>> = nth(&words, sequence + n);
                    words.into_iter().for_each(|words| {
                        rows.assign(&words.slice_axis(Axis(0), (row..row + vectors.nrows()).into()))
                    });
                }
            }
            summands.write(sequences, vectors);
        };
    Sum { encoding, positions: &positions, write: Some(&write) }
        .make(input.view_mut().into_dyn())?;
    Ok(input)
}

/// Adds the vectors of positions 0..len to `words` (…, len, dim) in place.
///
/// # Errors
///
/// Those of [`embed_with_positions`]; then `words` is as it was.
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::{Sinusoidal, add_positions};
///
/// let mut words = Array2::<f64>::zeros((3, 2));
/// add_positions(words.view_mut(), &Sinusoidal::new(2)?)?;
/// assert_eq!(words[[2, 0]], 2_f64.sin());
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn add_positions<A, D, E>(words: ArrayViewMut<'_, A, D>, encoding: &E) -> Result<(), Error>
where
    A: Element,
    D: Dimension,
    E: PositionalEncoding<A> + ?Sized,
{
    let len = length(&words)?;
    add_positions_at(words, encoding, 0..len)
}

/// Adds the vectors of the given positions to `words` (…, len, dim) in place; see
/// [`embed_with_positions_at`].
///
/// # Errors
///
/// Those of [`embed_with_positions_at`]; then `words` is as it was.
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::{Sinusoidal, add_positions_at};
///
/// let mut step = Array2::<f64>::zeros((1, 2));
/// add_positions_at(step.view_mut(), &Sinusoidal::new(2)?, 4095..4096)?;
/// assert_eq!(step[[0, 1]], 4095_f64.cos());
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn add_positions_at<'p, A, D, E>(
    words: ArrayViewMut<'_, A, D>,
    encoding: &E,
    positions: impl Into<Positions<'p>>,
) -> Result<(), Error>
where
    A: Element,
    D: Dimension,
    E: PositionalEncoding<A> + ?Sized,
{
    let positions = positions.into();
    check(words.shape(), encoding, &positions)?;
    Sum { encoding, positions: &positions, write: None }.make(words.into_dyn())
}

/// `words` (…, len, width) next to the vectors of positions 0..len, as a new array (…, len, width +
/// dim).
///
/// Concatenation keeps words and positions apart, at the price of a wider model.
///
/// # Errors
///
/// [`Error::TooFewAxes`], [`Error::TooLarge`], [`Error::PositionOutsideTable`].
///
/// ```
/// use ndarray::array;
/// use positional_encodings::{Learned, concat_positions};
///
/// let learned = Learned::from_table(array![[0.5_f32], [0.25]])?;
/// let input = concat_positions(&array![[1.0, 2.0], [3.0, 4.0]], &learned)?;
/// assert_eq!(input, array![[1.0, 2.0, 0.5], [3.0, 4.0, 0.25]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn concat_positions<A, S, D, E>(
    words: &ArrayBase<S, D>,
    encoding: &E,
) -> Result<Array<A, D>, Error>
where
    A: Element,
    S: Data<Elem = A>,
    D: Dimension,
    E: PositionalEncoding<A> + ?Sized,
{
    concat_positions_at(words, encoding, 0..length(words)?)
}

/// `words` (…, len, width) next to the vectors of the given positions; see
/// [`embed_with_positions_at`].
///
/// # Errors
///
/// Those of [`concat_positions`], and [`Error::LengthMismatch`].
///
/// ```
/// use ndarray::array;
/// use positional_encodings::{Learned, concat_positions_at};
///
/// let learned = Learned::from_table(array![[0.5_f32], [0.25]])?;
/// let input = concat_positions_at(&array![[1.0, 2.0], [3.0, 4.0]], &learned, &[1, 1])?;
/// assert_eq!(input, array![[1.0, 2.0, 0.25], [3.0, 4.0, 0.25]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn concat_positions_at<'p, A, S, D, E>(
    words: &ArrayBase<S, D>,
    encoding: &E,
    positions: impl Into<Positions<'p>>,
) -> Result<Array<A, D>, Error>
where
    A: Element,
    S: Data<Elem = A>,
    D: Dimension,
    E: PositionalEncoding<A> + ?Sized,
{
    let positions = positions.into();
    check_positions(words.shape(), encoding, &positions)?;
    let axis = Axis(words.ndim() - 1);
    let (width, mut shape) = (words.len_of(axis), words.raw_dim());
    shape[axis.0] = width.saturating_add(encoding.dim());
    let rows = words.shape()[..axis.0].iter().product();
    let flat: Array2<A> = zeros(rows, shape[axis.0])?;
    let too_large = Error::TooLarge { rows, dim: shape[axis.0] };
    let mut output = flat.into_shape_with_order(shape).map_err(|_| too_large)?;
    output.slice_axis_mut(axis, (..width).into()).assign(words);
    let vectors = output.slice_axis_mut(axis, (width..).into()).into_dyn();
    for_each_sequence(vectors, 0, &mut |sequence, vectors| {
        encoding.encode_into(&positions.row(sequence), vectors)
    })?;
    Ok(output)
}

/// Length of the sequences of an array (…, len, dim).
fn length<A, S, D>(words: &ArrayBase<S, D>) -> Result<usize, Error>
where
    S: ndarray::RawData<Elem = A>,
    D: Dimension,
{
    match words.shape() {
        [.., len, _] => Ok(*len),
        shape => Err(Error::TooFewAxes { expected: 2, found: shape.len() }),
    }
}

/// Whether `encoding` can be added to words of this shape at these positions.
pub(crate) fn check<A, E>(
    shape: &[usize],
    encoding: &E,
    positions: &Positions<'_>,
) -> Result<(), Error>
where
    A: Element,
    E: PositionalEncoding<A> + ?Sized,
{
    check_positions(shape, encoding, positions)?;
    match shape.last() {
        Some(&width) if width != encoding.dim() => {
            Err(Error::WidthMismatch { expected: encoding.dim(), found: width })
        }
        _ => Ok(()),
    }
}

/// Whether the positions fit the shape (…, len, any width), and the encoding knows them all.
fn check_positions<A, E>(
    shape: &[usize],
    encoding: &E,
    positions: &Positions<'_>,
) -> Result<(), Error>
where
    A: Element,
    E: PositionalEncoding<A> + ?Sized,
{
    let [leading @ .., len, _] = shape else {
        return Err(Error::TooFewAxes { expected: 2, found: shape.len() });
    };
    if positions.len() != *len {
        return Err(Error::LengthMismatch {
            what: "positions",
            expected: *len,
            found: positions.len(),
        });
    }
    let sequences: usize = leading.iter().product();
    match positions.rows() {
        Some(found) if found != sequences && found != 1 => {
            Err(Error::LengthMismatch { what: "rows of positions", expected: sequences, found })
        }
        _ => encoding.check(positions),
    }
}
