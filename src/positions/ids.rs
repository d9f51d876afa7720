//! Builders of position ids, as models compute them from masks, padding and document lengths.
//!
//! `0..len` and a decode step `past..past + 1` are ranges and need no builder. An offset into a
//! table (OPT's and BART's 2) belongs to the table:
//! [`Learned::with_offset`](crate::Learned::with_offset).

use ndarray::{Array2, ArrayBase, Axis, Data, Ix2};
use num_traits::{AsPrimitive, PrimInt};

pub use super::images::Segment;
use crate::Error;

/// Number of kept tokens before each token, from a mask (batch, len) that is zero at padding;
/// padding itself gets `pad`.
///
/// id = Σ_{j ≤ i} \[mask_j ≠ 0\] − 1 where mask_i ≠ 0, `pad` elsewhere. It is how left-padded
/// batches count: transformers' generation has `pad` 0 (1 in older versions), and OPT −1, so that
/// with its offset of 2 padding reads row 1. For a decode step take the last columns.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::ids;
///
/// let mask = array![[0, 0, 1, 1], [1, 1, 1, 1]];
/// assert_eq!(ids::from_mask(&mask, 0), array![[0, 0, 0, 1], [0, 1, 2, 3]]);
/// ```
pub fn from_mask<T: PrimInt + 'static, S: Data<Elem = T>>(
    mask: &ArrayBase<S, Ix2>,
    pad: i64,
) -> Array2<i64> {
    count_where(mask, |keep| !keep.is_zero(), |count| count - 1, pad)
}

/// Padding-aware ids of RoBERTa, XLM-R, fairseq, FSMT, M2M-100 and NLLB: counting starts after the
/// padding id, and padding keeps it.
///
/// id = padding + (past + Σ_{j ≤ i} \[token_j ≠ padding\]) where token_i ≠ padding, `padding`
/// elsewhere; `past` is the number of tokens already in the cache, 0 without one. `tokens` has
/// shape (batch, len).
///
/// ```
/// use ndarray::array;
/// use positional_encodings::ids;
///
/// let tokens = array![[5, 6, 1, 1], [7, 8, 9, 2]];
/// assert_eq!(ids::padding_aware(&tokens, 1, 0), array![[2, 3, 1, 1], [2, 3, 4, 5]]);
/// ```
pub fn padding_aware<T, S>(tokens: &ArrayBase<S, Ix2>, padding: T, past: usize) -> Array2<i64>
where
    T: PrimInt + AsPrimitive<i64>,
    S: Data<Elem = T>,
{
    let first = padding.as_().saturating_add(i64::try_from(past).unwrap_or(i64::MAX));
    count_where(
        tokens,
        |token| token != padding,
        |count| first.saturating_add(count),
        padding.as_(),
    )
}

/// Ids that start again at 0 in every document of a packed sequence, from the documents' lengths.
///
/// # Errors
///
/// [`Error::TooLarge`] where the sum of the lengths does not fit into memory.
///
/// ```
/// use positional_encodings::ids;
///
/// assert_eq!(ids::packed(&[3, 0, 2])?, [0, 1, 2, 0, 1]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn packed(lengths: &[usize]) -> Result<Vec<usize>, Error> {
    let total = lengths.iter().fold(0_usize, |total, &length| total.saturating_add(length));
    let mut ids = Vec::new();
    ids.try_reserve_exact(total).map_err(|_| Error::TooLarge { rows: total, dim: 1 })?;
    ids.extend(lengths.iter().flat_map(|&length| 0..length));
    Ok(ids)
}

/// The same from cumulative offsets, flash-attention's `cu_seqlens`: document i is
/// `offsets[i]..offsets[i + 1]`.
///
/// # Errors
///
/// [`Error::InvalidOffsets`] where they do not start at 0 or decrease; [`Error::TooLarge`].
///
/// ```
/// use positional_encodings::ids;
///
/// assert_eq!(ids::packed_from_offsets(&[0, 3, 3, 5])?, [0, 1, 2, 0, 1]);
/// assert!(ids::packed_from_offsets(&[0, 3, 2]).is_err());
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn packed_from_offsets<T: PrimInt + AsPrimitive<i64>>(
    offsets: &[T],
) -> Result<Vec<usize>, Error> {
    let mut previous = 0;
    let mut lengths = Vec::with_capacity(offsets.len());
    for (index, offset) in offsets.iter().map(|offset| offset.as_()).enumerate() {
        if offset < previous || (index == 0 && offset != 0) {
            return Err(Error::InvalidOffsets { index, offset });
        }
        lengths.push((offset - previous) as usize);
        previous = offset;
    }
    packed(&lengths)
}

/// An array (batch, len) from nested lists, such as a tokenizer gives.
///
/// # Errors
///
/// [`Error::Ragged`] where a row is longer or shorter than the first: pad the rows, or embed them
/// one by one; [`Error::TooLarge`].
///
/// ```
/// use positional_encodings::{Error, ids};
///
/// assert_eq!(ids::batch(&[vec![1, 2], vec![3, 4]])?.dim(), (2, 2));
/// assert_eq!(ids::batch(&[vec![1, 2], vec![3]]), Err(Error::Ragged { row: 1, expected: 2, found: 1 }));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn batch<T: Copy, R: AsRef<[T]>>(rows: &[R]) -> Result<Array2<T>, Error> {
    let rows = rows.iter().map(AsRef::as_ref);
    let (count, len) = (rows.len(), rows.clone().next().map_or(0, <[T]>::len));
    if let Some((row, ids)) = rows.clone().enumerate().find(|(_, ids)| ids.len() != len) {
        return Err(Error::Ragged { row, expected: len, found: ids.len() });
    }
    let too_large = Error::TooLarge { rows: count, dim: len };
    let mut all = Vec::new();
    all.try_reserve_exact(count.saturating_mul(len)).map_err(|_| too_large.clone())?;
    rows.for_each(|ids| all.extend_from_slice(ids));
    Array2::from_shape_vec((count, len), all).map_err(|_| too_large)
}

/// In each row `id` of the running count of the items that are kept, and `skipped` for the others.
fn count_where<T: Copy, S: Data<Elem = T>>(
    items: &ArrayBase<S, Ix2>,
    keep: impl Fn(T) -> bool,
    id: impl Fn(i64) -> i64,
    skipped: i64,
) -> Array2<i64> {
    let mut ids = Array2::from_elem(items.raw_dim(), skipped);
    for (items, mut ids) in items.axis_iter(Axis(0)).zip(ids.axis_iter_mut(Axis(0))) {
        let mut count = 0;
        for (_, slot) in items.iter().zip(&mut ids).filter(|(item, _)| keep(**item)) {
            count += 1;
            *slot = id(count);
        }
    }
    ids
}
