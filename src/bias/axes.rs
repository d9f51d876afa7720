//! A sum of learned tables, one for each axis of the positions: LayoutLMv2 and v3.

use core::fmt;

use super::distance::{CHUNK, put_values};
use super::{AttentionBias, TableBias, TableRule, check_axes};
use crate::arrays::check_len;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// The sum of a table bias for each axis of the positions: Σₐ tableₐ\[row(iₐ, jₐ), h\].
///
/// LayoutLMv2 and v3 (transformers' `modeling_layoutlmv3.py`) read T5's buckets of the token's
/// index (32 buckets, up to distance 128), and of x₀ and y₁ of its box (64 buckets, up to 256).
/// Sums are taken in f64 and rounded once. LayoutLMv3 divides them by √(width of a head): divide
/// the tables once. LayoutLMv2 does not.
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::bias::AxesBias;
/// use positional_encodings::{AttentionBias, Positions, T5Bias};
///
/// let table = |buckets| Array2::from_elem((buckets, 12), 1.0_f32); // (buckets, heads)
/// let of_box = || T5Bias::bidirectional(table(64), 256);
/// let layout = AxesBias::new([T5Bias::bidirectional(table(32), 128)?, of_box()?, of_box()?])?;
/// // Two tokens: their index, x₀ and y₁.
/// let tokens = Positions::from_axes([&[0, 1], &[150, 310], &[40, 40]])?;
/// assert_eq!(layout.encode(&tokens, &tokens)?, ndarray::Array3::from_elem((12, 2, 2), 3.0));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct AxesBias<A, R> {
    pub(crate) parts: Vec<TableBias<A, R>>,
}

impl<A, R> fmt::Debug for AxesBias<A, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables: Vec<_> = self.parts.iter().map(|part| part.table.dim()).collect();
        f.debug_struct("AxesBias").field("tables", &tables).finish_non_exhaustive()
    }
}

/// The largest number of axes.
const MOST_AXES: usize = 8;

impl<A: Element, R: TableRule> AxesBias<A, R> {
    /// Makes the sum of these biases, one for each axis.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without an axis, [`Error::TooLarge`] for more than 8 axes,
    /// [`Error::LengthMismatch`] where the numbers of heads differ, [`Error::AxesMismatch`] for a
    /// bias that reads several axes itself.
    pub fn new(parts: impl IntoIterator<Item = TableBias<A, R>>) -> Result<Self, Error> {
        let parts: Vec<_> = parts.into_iter().take(MOST_AXES + 1).collect();
        let expected = parts.first().map(|part| part.heads()).ok_or(Error::ZeroDim)?;
        if parts.len() > MOST_AXES {
            return Err(Error::TooLarge { rows: parts.len(), dim: expected });
        }
        for part in &parts {
            check_len("heads", expected, part.heads())?;
            if part.axes() != [1, 1] {
                return Err(Error::AxesMismatch { expected: 1, found: part.axes()[0] });
            }
        }
        Ok(Self { parts })
    }

    /// Returns the biases of the axes.
    pub fn parts(&self) -> &[TableBias<A, R>] {
        &self.parts
    }
}

impl<A: Element, R: TableRule> AttentionBias<A> for AxesBias<A, R> {
    fn heads(&self) -> usize {
        self.parts.first().map_or(0, |part| part.heads())
    }

    fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A]) {
        for start in (0..keys.len()).step_by(CHUNK) {
            let keys_here = keys.slice(start..start + CHUNK);
            let count = keys_here.len();
            let mut rows = [[0; CHUNK]; MOST_AXES];
            for (axis, (part, rows)) in self.parts.iter().zip(&mut rows).enumerate() {
                if let Some((query, keys)) = query.axis(axis).zip(keys_here.axis(axis)) {
                    part.rule().rows(&query, &keys, &mut rows[..count]);
                }
            }
            put_values(out, [self.heads(), keys.len()], (start, count), |head, i| {
                let parts = self.parts.iter().zip(&rows);
                parts.map(|(part, rows)| part.value(rows[i], head).to_f64()).sum()
            });
        }
    }

    fn axes(&self) -> [usize; 2] {
        [self.parts.len(); 2]
    }

    fn check(&self, queries: &Positions<'_>, keys: &Positions<'_>) -> Result<(), Error> {
        check_axes(self.parts.len(), queries, keys, |axis, queries, keys| {
            self.parts[axis].check(queries, keys)
        })
    }
}
