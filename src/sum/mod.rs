//! Adds positions to words: the input of any encoder.
//!
//! ```text
//! words (…, len, dim)      positions             0 1 2 …
//!        │                     │ encoding: a block of rows at a time, which stays in cache
//!        │                     ▼
//!        └──────► sum ◄──── vectors (block, dim)       each block is added to all sequences
//!                  │                                   that share it, on all cores
//!                  ▼
//!   in place, in an array of the caller's, or in a new one
//! ```
//!
//! [`walk`] iterates over the batch, [`rows`] computes sums, [`tokens`] looks words up by their
//! ids.

mod grid;
mod rows;
mod tokens;
mod walk;

pub use grid::add_positions_to_grid;
pub use tokens::{Lookup, TokenEmbedding};

use ndarray::{Array, ArrayBase, ArrayView2, ArrayViewMut, Axis, Data, Dimension, IxDyn};

use crate::additive::{PositionalEncoding, check_lengths, check_words};
use crate::arrays::room;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;
use rows::{Picked, Target, Terms};
use walk::Sum;

/// Returns `words` (…, len, dim) plus the vectors of positions 0..len, as a new array of the same
/// shape.
///
/// Sequences on the leading axes, if any, share the positions. The result is a plain array for any
/// encoder.
///
/// # Errors
///
/// [`Error::TooFewAxes`], [`Error::WidthMismatch`], [`Error::TooLarge`], and the errors of the
/// encoding, such as [`Error::PositionOutsideTable`] for a sequence longer than its table.
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

/// Returns `words` (…, len, dim) plus the vectors of the given positions: a list that all sequences
/// share, or ids (batch, len) with a row for each sequence.
///
/// # Errors
///
/// The errors of [`embed_with_positions`], and [`Error::LengthMismatch`] where the number of
/// positions or of their rows does not fit the words.
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
    check_words(words.shape(), encoding, &positions)?;
    let Some(table) = words.as_slice() else {
        room::<A>(words.len() / encoding.dim().max(1), encoding.dim())?;
        let mut input = words.as_standard_layout().into_owned();
        let sum = Sum { encoding, positions: &positions, write: None };
        sum.make(input.view_mut().into_dyn())?;
        return Ok(input);
    };
    let len = positions.len();
    let write = |sequence, row, target: Target<'_, A>, vectors: ArrayView2<'_, A>| {
        let dim = vectors.ncols();
        let words = Picked { table: &table[(sequence * len + row) * dim..], ids: None };
        let vectors = vectors.as_slice().unwrap_or_default();
        Terms { words, scale: A::one(), segments: None, vectors, dim }.write(target);
    };
    Sum { encoding, positions: &positions, write: Some(&write) }.new_array(words.raw_dim())
}

/// Adds the vectors of positions 0..len to `words` (…, len, dim) in place.
///
/// The call allocates nothing, unless a vector has more than 32,768 elements (65,536 of at most 32
/// bits). Vectors are computed in blocks on the stack, for which a thread needs 128 KiB, or 512 KiB
/// where all positions together have more than 2,048 values. With feature `rayon` long work is done
/// on all cores.
///
/// # Errors
///
/// The errors of [`embed_with_positions`]; `words` is then unchanged.
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
/// The errors of [`embed_with_positions_at`]; `words` is then unchanged.
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
    check_words(words.shape(), encoding, &positions)?;
    Sum { encoding, positions: &positions, write: None }.make(words.into_dyn())
}

/// Returns `words` (…, len, width) with the vectors of positions 0..len beside them, as a new array
/// (…, len, width + dim).
///
/// Concatenation keeps words and positions in separate features, at the price of a wider model.
///
/// # Errors
///
/// [`Error::TooFewAxes`], [`Error::TooLarge`], and the errors of the encoding, such as
/// [`Error::PositionOutsideTable`].
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

/// Returns `words` (…, len, width) with the vectors of the given positions beside them; see
/// [`embed_with_positions_at`].
///
/// # Errors
///
/// The errors of [`concat_positions`], and [`Error::LengthMismatch`].
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
    let [lens @ .., width] = words.shape() else {
        return Err(Error::TooFewAxes { expected: 2, found: 0 });
    };
    check_lengths(lens, &positions)?;
    encoding.check(&positions)?;
    let (width, mut shape) = (*width, words.raw_dim());
    shape[lens.len()] = width.saturating_add(encoding.dim());
    room::<A>(lens.iter().product(), shape[lens.len()])?;
    let words = words.as_standard_layout();
    let (table, len) = (words.as_slice().unwrap_or_default(), positions.len());
    let write = |sequence, row, target: Target<'_, A>, vectors: ArrayView2<'_, A>| {
        let words = &table[(sequence * len + row) * width..][..vectors.nrows() * width];
        beside(words, vectors, target);
    };
    Sum { encoding, positions: &positions, write: Some(&write) }.new_array(shape)
}

/// Writes rows of words with their vectors beside them.
fn beside<A: Element>(words: &[A], vectors: ArrayView2<'_, A>, target: Target<'_, A>) {
    let width = words.len() / vectors.nrows().max(1);
    match target {
        Target::Rows(rows) => {
            let (mut left, mut right) = rows.split_at(Axis(1), width);
            if let Ok(words) = ArrayView2::from_shape((vectors.nrows(), width), words) {
                left.assign(&words);
            }
            right.assign(&vectors);
        }
        Target::End(out) => {
            for (i, vector) in vectors.rows().into_iter().enumerate() {
                out.extend_from_slice(&words[i * width..(i + 1) * width]);
                match vector.to_slice() {
                    Some(vector) => out.extend_from_slice(vector),
                    None => out.extend(vector),
                }
            }
        }
    }
}

/// Adds the vectors of the given positions to the slice `words`, as [`add_positions_at`] does to an
/// array. The slice holds an array of the given `shape` (…, len, dim) in row-major order.
///
/// # Errors
///
/// [`Error::LengthMismatch`] where the number of elements of `words` is not that of the shape, and
/// the errors of [`add_positions_at`]; `words` is then unchanged.
///
/// ```
/// use positional_encodings::{Sinusoidal, add_positions_to_slice};
///
/// let mut words = vec![0.0_f64; 2 * 3 * 2];
/// add_positions_to_slice(&mut words, &[2, 3, 2], &Sinusoidal::new(2)?, 0..3)?;
/// assert_eq!(words[10..], [2_f64.sin(), 2_f64.cos()]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn add_positions_to_slice<'p, A, E>(
    words: &mut [A],
    shape: &[usize],
    encoding: &E,
    positions: impl Into<Positions<'p>>,
) -> Result<(), Error>
where
    A: Element,
    E: PositionalEncoding<A> + ?Sized,
{
    let expected = shape.iter().fold(1_usize, |len, axis| len.saturating_mul(*axis));
    let mismatch = Error::LengthMismatch { what: "elements", expected, found: words.len() };
    match ArrayViewMut::from_shape(IxDyn(shape), words) {
        Ok(words) => add_positions_at(words, encoding, positions),
        Err(_) => Err(mismatch),
    }
}

/// Returns the length of the sequences of an array (…, len, dim).
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
