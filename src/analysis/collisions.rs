//! Positions whose vectors are equal after rounding, or nearly equal.

use core::hash::{Hash, Hasher};
use std::collections::HashMap;
use std::hash::DefaultHasher;

use ndarray::{ArrayView1, ArrayView2};

use super::similarity::{length, upper_blocks};
use super::{centred, check_table};
use crate::element::Element;
use crate::error::Error;

/// The two positions whose vectors are nearest to each other.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NearestPair {
    /// The two positions, the smaller one first.
    pub positions: [usize; 2],
    /// The Euclidean distance of their vectors.
    pub distance: f64,
}

/// Returns the positions of a table (positions, dim) whose vectors become equal when rounded to
/// `B`, such as `half::bf16`: groups of at least two, in the order of their first positions.
///
/// # Errors
///
/// [`Error::ZeroDim`], [`Error::TooFewRows`] without rows, [`Error::ValueOutOfRange`].
///
/// ```
/// use ndarray::array;
/// use positional_encodings::analysis::collisions;
///
/// let table = array![[1.0, 0.5], [0.0, 0.0], [1.0 + 1e-9, 0.5]];
/// assert_eq!(collisions::<f64, f64>(table.view())?.len(), 0);
/// assert_eq!(collisions::<f64, f32>(table.view())?, [[0, 2]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn collisions<A: Element, B: Element>(
    table: ArrayView2<'_, A>,
) -> Result<Vec<Vec<usize>>, Error> {
    check_table(table, 1)?;
    let rounded = |value: &A| B::from_f64(value.to_f64());
    let same = |a: usize, b: usize| {
        let mut pairs = table.row(a).into_iter().zip(table.row(b));
        pairs.all(|(a, b)| rounded(a) == rounded(b))
    };
    let mut groups: Vec<Vec<usize>> = Vec::new();
    // Groups by the hash of their row; there are several where hashes agree and rows do not.
    let mut known: HashMap<u64, Vec<usize>> = HashMap::new();
    for (position, row) in table.outer_iter().enumerate() {
        let mut hasher = DefaultHasher::new();
        // Adding 0 makes both zeros equal.
        row.iter().for_each(|value| (rounded(value).to_f64() + 0.0).to_bits().hash(&mut hasher));
        let candidates = known.entry(hasher.finish()).or_default();
        match candidates.iter().find(|&&group| same(groups[group][0], position)) {
            Some(&group) => groups[group].push(position),
            None => {
                candidates.push(groups.len());
                groups.push(vec![position]);
            }
        }
    }
    groups.retain(|group| group.len() > 1);
    Ok(groups)
}

/// Returns the two positions of a table (positions, dim) whose vectors are nearest to each other.
///
/// Distances come from matrix products in f64; those that could be the smallest are then recomputed
/// from the differences.
///
/// # Errors
///
/// [`Error::ZeroDim`], [`Error::TooFewRows`] for fewer than two rows, [`Error::ValueOutOfRange`],
/// [`Error::TooLarge`].
///
/// ```
/// use ndarray::array;
/// use positional_encodings::analysis::nearest_pair;
///
/// let nearest = nearest_pair(array![[0.0_f32, 4.0], [7.0, 1.0], [3.0, 0.0]].view())?;
/// assert_eq!((nearest.positions, nearest.distance), ([1, 2], 17_f64.sqrt()));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn nearest_pair<A: Element>(table: ArrayView2<'_, A>) -> Result<NearestPair, Error> {
    check_table(table, 2)?;
    let rows = centred(table)?;
    let squares: Vec<f64> = rows.outer_iter().map(|row| row.dot(&row)).collect();
    // A bound of the rounding errors of a product and its sums.
    let lost = |square: f64| (rows.ncols() + 4) as f64 * f64::EPSILON * square;
    let mut nearest =
        NearestPair { positions: [0, 1], distance: distance(table.row(0), table.row(1)) };
    upper_blocks(rows.view(), |row, column, block| {
        for (first, products) in block.outer_iter().enumerate().map(|(i, row_of)| (row + i, row_of))
        {
            for (second, product) in
                products.iter().enumerate().map(|(j, product)| (column + j, product))
            {
                let both = squares[first] + squares[second];
                let near = both - 2.0 * product - lost(both);
                // No pair is nearer than one at distance 0.
                let is_open = nearest.distance > 0.0 && second > first;
                if is_open && near < nearest.distance * nearest.distance {
                    let distance = distance(table.row(first), table.row(second));
                    if distance < nearest.distance {
                        nearest = NearestPair { positions: [first, second], distance };
                    }
                }
            }
        }
    })?;
    Ok(nearest)
}

/// Returns the Euclidean distance of two vectors.
fn distance<A: Element>(a: ArrayView1<'_, A>, b: ArrayView1<'_, A>) -> f64 {
    length(a.iter().zip(b).map(|(a, b)| a.to_f64() - b.to_f64()))
}
