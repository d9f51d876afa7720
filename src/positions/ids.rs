//! Builders of position ids, as models compute them from masks, padding and document lengths; the
//! parameters of builders in [`Positions`](crate::Positions); and random positions for training.
//!
//! `0..len` and a decode step `past..past + 1` are ranges and need no builder. An offset into a
//! table (OPT's and BART's 2) belongs to the table:
//! [`Learned::with_offset`](crate::Learned::with_offset).

use ndarray::{Array2, ArrayBase, Data, Ix2};
use num_traits::PrimInt;

pub use super::augment::{Cape, RandPos, Shape};
pub use super::from::PositionElement;
pub use super::images::Segment;
use super::list::with_room;
pub use super::masks::{MaskCounts, padded_masks};
use crate::error::Error;

/// Returns the number of kept tokens before each token, from a mask (batch, len) of `bool` or of
/// numbers that is false, or zero, at padding; padding itself gets `pad`.
///
/// id = Σ_{j ≤ i} \[mask_j ≠ 0\] − 1 where mask_i ≠ 0, `pad` elsewhere. Left-padded batches are
/// counted this way: transformers' generation uses `pad` 0 (1 in older versions), and OPT −1, so
/// that with its offset of 2 padding reads row 1. For a decode step take the last columns of the
/// result.
///
/// # Errors
///
/// [`Error::TooLarge`] where the ids do not fit into memory, as may happen for a broadcast mask.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::ids;
///
/// let mask = array![[0, 0, 1, 1], [1, 1, 1, 1]];
/// assert_eq!(ids::from_mask(&mask, 0)?, array![[0, 0, 0, 1], [0, 1, 2, 3]]);
/// assert_eq!(ids::from_mask(&array![[false, true, true]], -1)?, array![[-1, 0, 1]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn from_mask<T: Copy + Default + PartialEq, S: Data<Elem = T>>(
    mask: &ArrayBase<S, Ix2>,
    pad: i64,
) -> Result<Array2<i64>, Error> {
    count_where(mask, |keep| keep != T::default(), |count| count - 1, pad)
}

/// Returns the padding-aware ids of RoBERTa, XLM-R, fairseq, FSMT, M2M-100 and NLLB: counting
/// starts after the padding id, and padding keeps it.
///
/// id = padding + (past + Σ_{j ≤ i} \[token_j ≠ padding\]) where token_i ≠ padding, `padding`
/// elsewhere; `past` is the number of tokens already in the cache, 0 without one. `tokens` has
/// shape (batch, len). The padding id depends on the model: 1 in RoBERTa and fairseq, 3 in rinna's
/// models.
///
/// # Errors
///
/// [`Error::InvalidParameter`] for a padding id that does not fit an `i64`; [`Error::TooLarge`]
/// where the ids do not fit into memory.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::ids;
///
/// let tokens = array![[5, 6, 1, 1], [7, 8, 9, 2]];
/// assert_eq!(ids::padding_aware(&tokens, 1, 0)?, array![[2, 3, 1, 1], [2, 3, 4, 5]]);
/// assert_eq!(ids::padding_aware(&array![[5, 6, 3]], 3, 0)?, array![[4, 5, 3]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn padding_aware<T: PrimInt, S: Data<Elem = T>>(
    tokens: &ArrayBase<S, Ix2>,
    padding: T,
    past: usize,
) -> Result<Array2<i64>, Error> {
    let value = padding.to_f64().unwrap_or(f64::NAN);
    let needs = "a 64-bit integer";
    let id =
        padding.to_i64().ok_or(Error::InvalidParameter { name: "padding id", value, needs })?;
    let first = id.saturating_add(i64::try_from(past).unwrap_or(i64::MAX));
    count_where(tokens, |token| token != padding, |count| first.saturating_add(count), id)
}

/// Returns the positions of draft tokens that form a tree: `base` for a root, and one more than the
/// parent's position for every other token. Tokens of alternative continuations share positions, as
/// in speculative decoding (Medusa, EAGLE).
///
/// # Errors
///
/// [`Error::IdOutsideTable`] for a parent that does not precede its child; [`Error::TooLarge`].
///
/// ```
/// use positional_encodings::ids;
///
/// // a root with two continuations, the first of which has one of its own
/// assert_eq!(ids::tree(&[None, Some(0), Some(0), Some(1)], 100)?, [100, 101, 101, 102]);
/// assert!(ids::tree(&[Some(0)], 100).is_err());
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn tree(parents: &[Option<usize>], base: usize) -> Result<Vec<usize>, Error> {
    let mut ids: Vec<usize> = with_room(parents.len(), 1)?;
    for (token, parent) in parents.iter().enumerate() {
        let id = match parent {
            None => base,
            Some(parent) => match ids.get(*parent) {
                Some(id) => id.saturating_add(1),
                None => {
                    let id = i64::try_from(*parent).unwrap_or(i64::MAX);
                    return Err(Error::IdOutsideTable { table: "parent", id, rows: token });
                }
            },
        };
        ids.push(id);
    }
    Ok(ids)
}

/// Returns ids that restart at 0 in every document of a packed sequence, from the lengths of the
/// documents.
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
    let mut ids = with_room(total, 1)?;
    ids.extend(lengths.iter().flat_map(|&length| 0..length));
    Ok(ids)
}

/// Returns ids that restart at 0 in every document of a packed sequence, from cumulative offsets,
/// flash-attention's `cu_seqlens`: document i is `offsets[i]..offsets[i + 1]`.
///
/// # Errors
///
/// [`Error::InvalidOffsets`] where the offsets decrease or do not start at 0; [`Error::TooLarge`].
///
/// ```
/// use positional_encodings::ids;
///
/// assert_eq!(ids::packed_from_offsets(&[0, 3, 3, 5])?, [0, 1, 2, 0, 1]);
/// assert!(ids::packed_from_offsets(&[0, 3, 2]).is_err());
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn packed_from_offsets<T: PrimInt>(offsets: &[T]) -> Result<Vec<usize>, Error> {
    let mut previous = 0;
    let mut lengths = with_room(offsets.len(), 1)?;
    // Offsets beyond `i64` saturate: a document of that length does not fit into memory anyway.
    let end = |offset: &T| if *offset < T::zero() { i64::MIN } else { i64::MAX };
    let offsets = offsets.iter().map(|offset| offset.to_i64().unwrap_or(end(offset)));
    for (index, offset) in offsets.enumerate() {
        if offset < previous || (index == 0 && offset != 0) {
            return Err(Error::InvalidOffsets { index, offset });
        }
        lengths.push((offset - previous) as usize);
        previous = offset;
    }
    packed(&lengths)
}

/// Returns an array (batch, len) from nested lists, such as a tokenizer returns.
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
/// assert_eq!(
///     ids::batch(&[vec![1, 2], vec![3]]),
///     Err(Error::Ragged { row: 1, expected: 2, found: 1 })
/// );
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn batch<T: Copy, R: AsRef<[T]>>(rows: &[R]) -> Result<Array2<T>, Error> {
    let (count, len) = (rows.len(), rows.first().map_or(0, |row| row.as_ref().len()));
    let ids = rows.iter().map(AsRef::as_ref);
    if let Some((row, ids)) = ids.enumerate().find(|(_, ids)| ids.len() != len) {
        return Err(Error::Ragged { row, expected: len, found: ids.len() });
    }
    let too_large = || Error::TooLarge { rows: count, dim: len };
    let total = count.checked_mul(len).filter(|&total| total <= isize::MAX as usize);
    let mut all = with_room(total.ok_or_else(too_large)?, 1).map_err(|_| too_large())?;
    rows.iter().for_each(|ids| all.extend_from_slice(ids.as_ref()));
    Array2::from_shape_vec((count, len), all).map_err(|_| too_large())
}

/// Returns, for each kept item of a row, `id` of the number of kept items up to it, and `skipped`
/// for the others.
fn count_where<T: Copy, S: Data<Elem = T>>(
    items: &ArrayBase<S, Ix2>,
    keep: impl Fn(T) -> bool,
    id: impl Fn(i64) -> i64,
    skipped: i64,
) -> Result<Array2<i64>, Error> {
    let (rows, len) = items.dim();
    let too_large = |_| Error::TooLarge { rows, dim: len };
    let mut ids = with_room(items.len(), 1).map_err(too_large)?;
    let mut count = 0;
    for (index, item) in items.iter().enumerate() {
        if index % len == 0 {
            count = 0;
        }
        let is_kept = keep(*item);
        count += i64::from(is_kept);
        ids.push(if is_kept { id(count) } else { skipped });
    }
    Array2::from_shape_vec((rows, len), ids).map_err(|_| Error::TooLarge { rows, dim: len })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn views_that_were_broadcast_do_not_fit() {
        let error = Err(Error::TooLarge { rows: 1 << 40, dim: 1 << 20 });
        let mask = array![[true]];
        let mask = mask.broadcast((1 << 40, 1 << 20)).unwrap();
        assert_eq!(from_mask(&mask, 0), error);
        let tokens = array![[1]];
        let tokens = tokens.broadcast((1 << 40, 1 << 20)).unwrap();
        assert_eq!(padding_aware(&tokens, 1, 0), error);
    }

    #[test]
    fn empty_axes_beside_huge_ones() {
        for shape in [(1 << 58, 0), (0, 1 << 58)] {
            let none = Array2::<i64>::zeros(shape);
            assert_eq!(from_mask(&none, 0).unwrap().dim(), shape);
            assert_eq!(padding_aware(&none, 1, 0).unwrap().dim(), shape);
        }
        let endless = [vec![(); usize::MAX], vec![(); usize::MAX]];
        assert_eq!(batch(&endless), Err(Error::TooLarge { rows: 2, dim: usize::MAX }));
    }

    #[test]
    fn numbers_of_128_bits_do_not_wrap() {
        let high = 1_u128 << 64;
        let error = padding_aware(&array![[high + 1]], high + 1, 0).unwrap_err();
        assert!(matches!(error, Error::InvalidParameter { name: "padding id", .. }));
        assert_eq!(padding_aware(&array![[high + 1]], 1, 0), Ok(array![[2]]));
        let error = packed_from_offsets(&[0, high + 3]).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }));
        let error = packed_from_offsets(&[0, i128::MIN]).unwrap_err();
        assert_eq!(error, Error::InvalidOffsets { index: 1, offset: i64::MIN });
    }
}
