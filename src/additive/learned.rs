//! The learned table.

mod frozen;

pub(crate) use frozen::FrozenRows;

use core::fmt;

use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis};
use rand::{Rng, RngExt};
use rand_distr::{Normal, Uniform};

use super::{PositionalEncoding, check_table};
use crate::arrays::zeros;
use crate::element::Element;
use crate::error::Error;
use crate::positions::{Positions, Run};
use crate::threads;

/// A table with a row for every position (BERT, GPT-2, ViT; Gehring et al. 2017, *Convolutional
/// sequence to sequence learning*).
///
/// PE(p) = table\[p + offset\]. At a real position the two rows around it are interpolated
/// linearly: (1 − t) · table\[⌊p⌋\] + t · table\[⌊p⌋ + 1\] with t = p − ⌊p⌋, in f64 with one
/// rounding.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::{Error, Learned, PositionalEncoding, Positions};
///
/// let learned = Learned::from_table(array![[0.0_f32, 10.0], [1.0, 20.0], [2.0, 40.0]])?;
/// assert_eq!(learned.encode(&Positions::from(&[2, 0]))?, array![[2.0, 40.0], [0.0, 10.0]]);
/// assert_eq!(learned.encode(&Positions::from(&[1.5]))?, array![[1.5, 30.0]]);
/// let error = learned.encode(&Positions::from(0..4)).unwrap_err();
/// assert_eq!(error.to_string(), "position 3 is outside a table of 3 rows");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Learned<A> {
    table: Array2<A>,
    offset: usize,
    padding: Option<usize>,
    /// Rows that get no gradient.
    pub(crate) frozen: FrozenRows,
}

/// The initial values of a new table.
///
/// | system | init |
/// |---|---|
/// | BERT, GPT-2, RoBERTa, CLIP | `Normal { std: 0.02 }` |
/// | ViT, timm, BEiT, Swin | `TruncatedNormal { std: 0.02, bound: 2.0 }` (torch's bound is absolute) |
/// | BERT's original TensorFlow code, JAX | `TruncatedNormal { std: 0.02, bound: 0.04 }` (two standard deviations) |
/// | DETR | `Uniform { low: 0.0, high: 1.0 }` |
/// | Keras `Embedding` | `Uniform { low: -0.05, high: 0.05 }` |
///
/// torch's `nn.Embedding` draws from N(0, 1), 50 times the standard deviation usual for a position
/// table. For a table that starts as a sinusoid (DistilBERT, Whisper) use
/// [`Learned::from_encoding`].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case", deny_unknown_fields))]
#[non_exhaustive]
pub enum Init {
    /// Normal around 0 with the given standard deviation.
    Normal {
        /// The standard deviation.
        std: f64,
    },
    /// Normal around 0, with values outside ±bound drawn again.
    TruncatedNormal {
        /// The standard deviation before truncation.
        std: f64,
        /// The largest magnitude.
        bound: f64,
    },
    /// Uniform in low..high.
    Uniform {
        /// The smallest value.
        low: f64,
        /// The upper bound, excluded.
        high: f64,
    },
    /// All zeros.
    Zeros,
}

impl<A: Element> Learned<A> {
    /// Makes an encoding from a table of shape (positions, dim).
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] where the table has no columns.
    pub fn from_table(table: Array2<A>) -> Result<Self, Error> {
        if table.ncols() == 0 {
            return Err(Error::ZeroDim);
        }
        // Rows are read as slices.
        let table = if table.is_standard_layout() {
            table
        } else {
            table.as_standard_layout().into_owned()
        };
        Ok(Self { table, offset: 0, padding: None, frozen: FrozenRows::default() })
    }

    /// Makes a new table of shape (`rows`, `dim`), filled from the caller's generator: the same
    /// seed gives the same table.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`]; [`Error::TooLarge`]; [`Error::InvalidInit`] for a standard deviation
    /// that is negative or not finite, for a bound that is not positive or is below std/100, and
    /// for a range that is empty or not finite.
    ///
    /// ```
    /// use positional_encodings::{Init, Learned};
    /// use rand::SeedableRng;
    ///
    /// let new = |seed| {
    ///     Learned::<f32>::init(
    ///         512,
    ///         64,
    ///         Init::Normal { std: 0.02 },
    ///         &mut rand::rngs::SmallRng::seed_from_u64(seed),
    ///     )
    /// };
    /// assert_eq!(new(1)?, new(1)?);
    /// assert_ne!(new(1)?, new(2)?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn init<R: Rng + ?Sized>(
        rows: usize,
        dim: usize,
        init: Init,
        rng: &mut R,
    ) -> Result<Self, Error> {
        let mut learned = Self::from_table(zeros(rows, dim)?)?;
        let table = learned.table.iter_mut();
        match init {
            Init::Zeros => {}
            Init::Normal { std } => {
                let normal = normal(std)?;
                table.for_each(|value| *value = A::from_f64(rng.sample(normal)));
            }
            Init::TruncatedNormal { std, bound } => {
                let normal = normal(std)?;
                // With a narrower bound nearly every draw would be rejected.
                if !(bound > 0.0 && bound >= 0.01 * std) {
                    return Err(Error::InvalidInit {
                        needs: "the bound must be at least a hundredth of std",
                        found: bound,
                    });
                }
                let draw = |rng: &mut R| {
                    core::iter::repeat_with(|| rng.sample(normal))
                        .find(|value| value.abs() <= bound)
                };
                table.for_each(|value| *value = A::from_f64(draw(rng).unwrap_or_default()));
            }
            Init::Uniform { low, high } => {
                let uniform = Uniform::new(low, high).map_err(|_| Error::InvalidInit {
                    needs: "the range must be finite and not empty: high",
                    found: high,
                })?;
                table.for_each(|value| *value = A::from_f64(rng.sample(uniform)));
            }
        }
        Ok(learned)
    }

    /// Makes a table whose rows are the first `len` vectors of another encoding (DistilBERT's and
    /// Whisper's sinusoid).
    ///
    /// # Errors
    ///
    /// The errors of encoding the positions 0..len.
    ///
    /// ```
    /// use positional_encodings::{Learned, PositionalEncoding, Positions, Sinusoidal};
    ///
    /// let sinusoid = Sinusoidal::new(8)?;
    /// let learned: Learned<f32> = Learned::from_encoding(&sinusoid, 512)?;
    /// let rows: ndarray::Array2<f32> = sinusoid.encode(&Positions::from(7..9))?;
    /// assert_eq!(learned.encode(&Positions::from(7..9))?, rows);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_encoding<E: PositionalEncoding<A> + ?Sized>(
        encoding: &E,
        len: usize,
    ) -> Result<Self, Error> {
        Self::from_table(encoding.encode(&Positions::from(0..len))?)
    }

    /// Sets the offset: position p reads row p + `offset`. It is 2 in OPT, BART, mBART, BioGPT,
    /// TrOCR and XGLM.
    ///
    /// Positions start at −offset, so that OPT's padding, position −1, reads row 1.
    ///
    /// # Errors
    ///
    /// [`Error::PositionOutsideTable`] where the offset is larger than the table.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Learned, PositionalEncoding, Positions};
    ///
    /// let opt = Learned::from_table(array![[0.0_f32], [1.0], [2.0], [3.0]])?.with_offset(2)?;
    /// assert_eq!(opt.encode(&Positions::from(&[-1, 0, 1]))?, array![[1.0], [2.0], [3.0]]);
    /// assert_eq!(opt.max_len(), Some(2));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_offset(mut self, offset: usize) -> Result<Self, Error> {
        if offset > self.table.nrows() {
            return Err(Error::PositionOutsideTable {
                position: offset as f64,
                first: 0,
                len: self.table.nrows(),
            });
        }
        self.offset = offset;
        Ok(self)
    }

    /// Sets a row to zero, as fairseq, RoBERTa and torch's `padding_idx` initialise the padding
    /// row.
    ///
    /// # Errors
    ///
    /// [`Error::PositionOutsideTable`] where there is no such row.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::Learned;
    ///
    /// let learned = Learned::from_table(array![[1.0_f32], [2.0], [3.0]])?.with_zero_row(1)?;
    /// assert_eq!(learned.table(), array![[1.0], [0.0], [3.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_zero_row(mut self, row: usize) -> Result<Self, Error> {
        if row >= self.table.nrows() {
            return Err(Error::PositionOutsideTable {
                position: row as f64,
                first: 0,
                len: self.table.nrows(),
            });
        }
        self.table.row_mut(row).fill(A::zero());
        Ok(self)
    }

    /// Returns the table, shape (rows, dim).
    pub fn table(&self) -> ArrayView2<'_, A> {
        self.table.view()
    }

    /// Returns the table (rows, dim) as a mutable view, for an optimiser's step in place.
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::Learned;
    ///
    /// let mut learned = Learned::from_table(array![[1.0_f64, 2.0]])?;
    /// learned.table_mut().scaled_add(-0.5, &array![[1.0, 0.0]]);
    /// assert_eq!(learned.table(), array![[0.5, 2.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn table_mut(&mut self) -> ArrayViewMut2<'_, A> {
        self.table.view_mut()
    }

    /// Returns the table, without a copy.
    pub fn into_table(self) -> Array2<A> {
        self.table
    }

    /// Returns the row that position 0 reads.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Returns the width of a position vector.
    pub fn dim(&self) -> usize {
        self.table.ncols()
    }

    /// Returns the number of positions from 0 on that have a row.
    pub fn max_len(&self) -> Option<usize> {
        Some(self.table.nrows() - self.offset)
    }

    /// Returns the position that row 0 stands for.
    pub(crate) fn first(&self) -> i64 {
        -(self.offset as i64)
    }

    /// Checks the positions and calls `store` with each value of `out` and the table's value for
    /// it.
    fn rows(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
        store: impl Fn(&mut A, A) + Copy + Sync,
    ) -> Result<(), Error> {
        self.check_shape(positions, &out)?;
        self.check(positions)?;
        threads::rows(positions, out, &|positions, out| {
            self.runs(positions, out, store);
            Ok(())
        })
    }

    /// Calls `store` with each value of `out` and the table's value for it, run by run, for checked
    /// positions.
    fn runs(
        &self,
        positions: &Positions<'_>,
        mut out: ArrayViewMut2<'_, A>,
        store: impl Fn(&mut A, A),
    ) {
        let mut row = 0;
        while let Some(run) = positions.run_at(row) {
            let count = match run {
                Run::Integers { start, len } => {
                    let first = (start - self.first()) as usize;
                    let rows = self.table.slice_axis(Axis(0), (first..first + len).into());
                    out.slice_axis_mut(Axis(0), (row..row + len).into())
                        .zip_mut_with(&rows, |out, value| store(out, *value));
                    len
                }
                Run::Repeated { position, len } => {
                    let source = self.table.row((position - self.first()) as usize);
                    for mut row in out.slice_axis_mut(Axis(0), (row..row + len).into()).rows_mut() {
                        row.zip_mut_with(&source, |out, value| store(out, *value));
                    }
                    len
                }
                Run::Real(position) => {
                    let (below, above, t) = self.around(position);
                    let values = below.iter().zip(above);
                    for (out, (below, above)) in out.row_mut(row).iter_mut().zip(values) {
                        store(out, A::from_f64((1.0 - t) * below.to_f64() + t * above.to_f64()));
                    }
                    1
                }
            };
            row += count;
        }
    }

    /// Returns the rows below and above a real position within the table, and its distance from the
    /// lower one.
    fn around(&self, position: f64) -> (ArrayView1<'_, A>, ArrayView1<'_, A>, f64) {
        let row = position - self.first() as f64;
        let below = row.floor();
        let last = self.table.nrows() - 1;
        let index = (below as usize).min(last);
        (self.table.row(index), self.table.row((index + 1).min(last)), row - below)
    }
}

/// Shows the encoding as a caption: `learned, 512 positions, dim 768`.
impl<A> fmt::Display for Learned<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "learned, {} positions, dim {}", self.table.nrows(), self.table.ncols())?;
        if self.offset != 0 {
            write!(f, ", offset {}", self.offset)?;
        }
        self.padding.map_or(Ok(()), |row| write!(f, ", padding row {row}"))
    }
}

impl<A> fmt::Debug for Learned<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Learned")
            .field("table", &self.table.dim())
            .field("offset", &self.offset)
            .field("padding_row", &self.padding)
            .field("frozen", &self.frozen)
            .finish()
    }
}

impl<A: Element> PositionalEncoding<A> for Learned<A> {
    fn dim(&self) -> usize {
        self.dim()
    }

    fn max_len(&self) -> Option<usize> {
        self.max_len()
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.rows(positions, out, |out, value| *out = value)
    }

    fn check(&self, positions: &Positions<'_>) -> Result<(), Error> {
        positions.check_axes(1)?;
        check_table(positions, self.first(), self.table.nrows())
    }

    fn add_to(
        &self,
        positions: &Positions<'_>,
        embeddings: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.rows(positions, embeddings, |out, value| *out = *out + value)
    }
}

/// Returns a normal distribution, or an error for a negative deviation, which rand_distr accepts.
fn normal(std: f64) -> Result<Normal<f64>, Error> {
    let refused = Error::InvalidInit { needs: "std must be finite and not negative", found: std };
    if std >= 0.0 { Normal::new(0.0, std).map_err(|_| refused) } else { Err(refused) }
}
