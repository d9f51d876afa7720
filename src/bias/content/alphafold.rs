//! AlphaFold's clipped distances of residues.

use ndarray::Array2;

use super::{Span, TableRule};
use crate::bias::TableBias;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// AlphaFold 2's relative positions (Jumper et al. 2021, *Highly accurate protein structure
/// prediction with AlphaFold*): bias\[c, i, j\] = table\[clip(i − j, −r, r) + r, c\] for residues i
/// and j.
///
/// The channels c of pairs take the place of heads. The table (2r + 1, channels) is the transposed
/// weight of the linear layer that reads the one-hot distances.
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::{AttentionBias, Positions, bias::ClippedBias};
///
/// let table = Array2::from_shape_fn((65, 128), |(row, _)| row as f32);
/// let bias = ClippedBias::clipped_distances(table)?;
/// let pairs = bias.encode(&Positions::from(0..3), &Positions::from(&[0, 2, 99]))?;
/// assert_eq!((pairs[[0, 0, 0]], pairs[[0, 2, 0]], pairs[[127, 0, 2]]), (32.0, 34.0, 0.0));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub type ClippedBias<A> = TableBias<A, Span>;

impl<A: Element> ClippedBias<A> {
    /// Makes the bias from a table (2r + 1, channels).
    ///
    /// # Errors
    ///
    /// The errors of [`TableBias::new`], with [`Error::LengthMismatch`] for a table with an even
    /// number of rows.
    pub fn clipped_distances(table: Array2<A>) -> Result<Self, Error> {
        let radius = table.nrows().saturating_sub(1) / 2;
        Self::new(table, Span::clipped(radius))
    }
}

/// The relative positions of AlphaFold-Multimer (Evans et al. 2021), AlphaFold 3 (Abramson et al.
/// 2024) and ESMFold2 (transformers' `esmfold2`): as [`ClippedBias`], with one more row, the last,
/// for residues of different chains.
///
/// The table has the shape (2r + 2, channels). Positions have two axes, the index of the residue
/// and that of its chain. Models with separate tables for residues, tokens and chains (clipped to
/// ±s) have three biases.
///
/// ```
/// use ndarray::{Array2, array};
/// use positional_encodings::{AttentionBias, Positions, bias::ResidueBias};
///
/// let table = Array2::from_shape_fn((66, 1), |(row, _)| row as f32);
/// let residues = Positions::from_axes([&[7, 8, 0], &[0, 0, 1]])?;
/// let pairs = ResidueBias::residues(table)?.encode(&residues, &residues)?;
/// assert_eq!(pairs, array![[[32.0, 31.0, 65.0], [33.0, 32.0, 65.0], [65.0, 65.0, 32.0]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub type ResidueBias<A> = TableBias<A, Residues>;

impl<A: Element> ResidueBias<A> {
    /// Makes the bias from a table (2r + 2, channels).
    ///
    /// # Errors
    ///
    /// The errors of [`TableBias::new`], with [`Error::LengthMismatch`] for a table with an odd
    /// number of rows.
    pub fn residues(table: Array2<A>) -> Result<Self, Error> {
        let radius = table.nrows().saturating_sub(2) / 2;
        Self::new(table, Residues { span: Span::clipped(radius) })
    }
}

/// The rule of [`ResidueBias`]: a row for each clipped distance within a chain, and one for
/// residues of different chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Residues {
    span: Span,
}

impl TableRule for Residues {
    fn entries(&self) -> usize {
        self.span.entries() + 1
    }

    fn rows(&self, query: &Positions<'_>, keys: &Positions<'_>, rows: &mut [usize]) {
        let on = |axis| query.axis(axis).zip(keys.axis(axis));
        let (Some((query, keys)), Some((own, chains))) = (on(0), on(1)) else { return };
        self.span.rows(&query, &keys, rows);
        for (row, chain) in rows.iter_mut().zip(chains.iter()) {
            if own.get(0) != Some(chain) {
                *row = self.span.entries();
            }
        }
    }

    fn axes(&self) -> [usize; 2] {
        [2, 2]
    }
}
