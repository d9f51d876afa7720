//! Resizes a table to another length or another image grid.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};
use rand::Rng;

use super::grid::{GridResample, Kernel, Points, Resample, Sampling};
use crate::additive::{Init, Learned, LearnedGrid};
use crate::arrays::zeros;
use crate::element::Element;
use crate::error::Error;

/// The ways to make a table for another number of positions, from [`Learned::stretch`].
///
/// Each method keeps the first rows unchanged (those of the offset, or the number set by
/// [`keeping`](Self::keeping)), and makes `len` new rows from the others. The result has the offset
/// of the old table, and its padding row if that is among the kept ones; frozen rows must be set
/// again.
///
/// | way | new row i of n old ones | used by |
/// |---|---|---|
/// | [`truncate`](Self::truncate) | old i | every model that is cut |
/// | [`initialise`](Self::initialise) | old i, then freshly drawn | BART and PEGASUS for longer texts |
/// | [`tile`](Self::tile) | old i mod n | Longformer, LED, BigBird |
/// | [`repeat_last`](Self::repeat_last) | old min(i, n − 1) | PreSumm |
/// | [`linear`](Self::linear) | between two old rows | Long-CLIP (`keeping(20)`, `Sampling::FromFirst`), audio spectrogram transformers |
/// | [`hierarchical`](Self::hierarchical) | α · u(i ÷ n) + (1 − α) · u(i mod n) | Su Jianlin's extension of BERT |
/// | [`grid`](Self::grid) | by two coordinates | ViT, DeiT, DINOv2, CLIP, timm |
///
/// ```
/// use ndarray::array;
/// use positional_encodings::Learned;
///
/// let learned = Learned::from_table(array![[0.0_f32], [1.0], [2.0]])?;
/// assert_eq!(
///     learned.stretch().tile(7)?.table().column(0).to_vec(),
///     [0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 0.0]
/// );
/// assert_eq!(
///     learned.stretch().repeat_last(5)?.table().column(0).to_vec(),
///     [0.0, 1.0, 2.0, 2.0, 2.0]
/// );
/// // RoBERTa's ids begin at 2, and so do the rows that Longformer tiles.
/// assert_eq!(
///     learned.stretch().keeping(1)?.tile(4)?.table().column(0).to_vec(),
///     [0.0, 1.0, 2.0, 1.0, 2.0]
/// );
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'a, A> {
    learned: &'a Learned<A>,
    kept: usize,
}

impl<A: Element> Learned<A> {
    /// Starts a resized table.
    pub fn stretch(&self) -> Stretch<'_, A> {
        Stretch { learned: self, kept: self.offset() }
    }
}

impl<'a, A: Element> Stretch<'a, A> {
    /// Keeps the first `rows` unchanged: 1 for a class token, 2 with a distillation token, 2 for
    /// RoBERTa's padding.
    ///
    /// # Errors
    ///
    /// [`Error::PositionOutsideTable`] where the table has fewer rows.
    pub fn keeping(self, rows: usize) -> Result<Self, Error> {
        let len = self.learned.table().nrows();
        if rows > len {
            return Err(Error::PositionOutsideTable { position: rows as f64, first: 0, len });
        }
        Ok(Self { kept: rows, ..self })
    }

    /// Takes the first `len` of the rows that are not kept anyway.
    ///
    /// # Errors
    ///
    /// [`Error::PositionOutsideTable`] where there are fewer rows.
    pub fn truncate(self, len: usize) -> Result<Learned<A>, Error> {
        let old = self.old();
        if len > old.nrows() {
            let position = len.saturating_sub(1) as f64;
            return Err(Error::PositionOutsideTable { position, first: 0, len: old.nrows() });
        }
        self.build(len, |new| {
            new.rows_mut().into_iter().zip(old.rows()).for_each(|(mut new, old)| new.assign(&old))
        })
    }

    /// Takes the old rows, then random rows from the caller's generator.
    ///
    /// # Errors
    ///
    /// The errors of [`Learned::init`].
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Init, Learned};
    /// use rand::SeedableRng;
    ///
    /// let rng = &mut rand::rngs::SmallRng::seed_from_u64(1);
    /// let learned = Learned::from_table(array![[5.0_f32], [6.0]])?;
    /// let longer = learned
    ///     .stretch()
    ///     .initialise(1000, Init::Normal { std: 0.02 }, rng)?
    ///     .with_frozen_rows(0..2)?;
    /// assert_eq!((longer.max_len(), longer.table()[[1, 0]]), (Some(1000), 6.0));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn initialise<R: Rng + ?Sized>(
        self,
        len: usize,
        init: Init,
        rng: &mut R,
    ) -> Result<Learned<A>, Error> {
        let old = self.old();
        let fresh =
            Learned::init(len.saturating_sub(old.nrows()), old.ncols(), init, rng)?.into_table();
        self.build(len, |new| {
            let rows = old.rows().into_iter().chain(fresh.rows());
            new.rows_mut().into_iter().zip(rows).for_each(|(mut new, row)| new.assign(&row));
        })
    }

    /// Repeats the old rows cyclically (Beltagy et al. 2020, *Longformer*, section 5).
    ///
    /// # Errors
    ///
    /// [`Error::EmptyGrid`] without old rows; [`Error::TooLarge`].
    pub fn tile(self, len: usize) -> Result<Learned<A>, Error> {
        self.pick(len, |index, old| index % old)
    }

    /// Takes the old rows, then repeats the last one (PreSumm).
    ///
    /// # Errors
    ///
    /// The errors of [`tile`](Self::tile).
    pub fn repeat_last(self, len: usize) -> Result<Learned<A>, Error> {
        self.pick(len, |index, old| index.min(old - 1))
    }

    /// Interpolates linearly between the old rows, with the given convention for the ends.
    ///
    /// # Errors
    ///
    /// The errors of [`tile`](Self::tile).
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Learned, resample::Sampling};
    ///
    /// let learned = Learned::from_table(array![[0.0_f32], [4.0]])?;
    /// let four = |sampling| {
    ///     let new = learned.stretch().linear(4, sampling);
    ///     new.map(|new| new.into_table().into_raw_vec_and_offset().0)
    /// };
    /// // torch's align_corners=False and align_corners=True
    /// assert_eq!(four(Sampling::HalfPixel)?, [0.0, 1.0, 3.0, 4.0]);
    /// assert_eq!(four(Sampling::AlignedCorners)?, [0.0, 4.0 / 3.0, 8.0 / 3.0, 4.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn linear(self, len: usize, sampling: Sampling) -> Result<Learned<A>, Error> {
        let old = self.not_empty()?;
        let resample = Resample::new(Kernel::Linear, sampling);
        let points = Points::new(old.nrows(), len.max(1), resample, None);
        let mut taps = Vec::with_capacity(points.most());
        self.build(len, |new| {
            for (index, mut new) in new.rows_mut().into_iter().enumerate() {
                taps.clear();
                points.append(index, &mut taps);
                for (column, new) in new.iter_mut().enumerate() {
                    *new = A::from_f64(
                        taps.iter()
                            .map(|&(row, weight)| weight * old[[row, column]].to_f64())
                            .sum(),
                    );
                }
            }
        })
    }

    /// Makes up to n² positions from n, by hierarchical decomposition (Su Jianlin 2020,
    /// 层次分解位置编码，让BERT可以处理超长文本).
    ///
    /// u(i) = (p(i) − α · p(0)) / (1 − α), and position i · n + j gets α · u(i) + (1 − α) · u(j).
    /// The first n rows are the old ones to the bit. Su uses α = 0.4.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidShare`] unless 0 < α < 1 and α ≠ ½, with which (i, j) and (j, i) would be
    /// equal; [`Error::PositionOutsideTable`] where `len` exceeds n²; the errors of
    /// [`tile`](Self::tile).
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::Learned;
    ///
    /// let learned = Learned::from_table(array![[1.0_f64], [3.0]])?;
    /// let longer = learned.stretch().hierarchical(4, 0.25)?;
    /// // u = [1, (3 - 0.25)/0.75]; row 2 is 0.25 u(1) + 0.75 u(0)
    /// assert_eq!(
    ///     longer.table().column(0).to_vec(),
    ///     [1.0, 3.0, 0.25 * 2.75 / 0.75 + 0.75, 2.75 / 0.75]
    /// );
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn hierarchical(self, len: usize, alpha: f64) -> Result<Learned<A>, Error> {
        if !(alpha > 0.0 && alpha < 1.0 && alpha != 0.5) {
            return Err(Error::InvalidShare { share: alpha });
        }
        let old = self.not_empty()?;
        let n = old.nrows();
        if len > n.saturating_mul(n) {
            let position = len.saturating_sub(1) as f64;
            return Err(Error::PositionOutsideTable {
                position,
                first: 0,
                len: n.saturating_mul(n),
            });
        }
        self.build(len, |new| {
            for (index, mut new) in new.rows_mut().into_iter().enumerate() {
                if index < n {
                    new.assign(&old.row(index));
                    continue;
                }
                for (column, new) in new.iter_mut().enumerate() {
                    let p = |row: usize| old[[row, column]].to_f64();
                    let u = |row: usize| (p(row) - alpha * p(0)) / (1.0 - alpha);
                    *new = A::from_f64(alpha * u(index / n) + (1.0 - alpha) * u(index % n));
                }
            }
        })
    }

    /// Resamples the rows of a grid of patches, `from` (rows, columns) to another size; keep the
    /// class token with [`keeping`](Self::keeping).
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] where the rows that are not kept are not those of the grid `from`;
    /// the errors of [`GridResample::new`].
    ///
    /// ```
    /// use ndarray::Array2;
    /// use positional_encodings::{Learned, resample::Resample};
    ///
    /// // ViT-B/16: from 224 to 384 pixels
    /// let vit = Learned::from_table(Array2::<f32>::zeros((197, 768)))?;
    /// let larger = vit.stretch().keeping(1)?.grid([14, 14], [24, 24], Resample::vit())?;
    /// assert_eq!(larger.table().dim(), (577, 768));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn grid(
        self,
        from: [usize; 2],
        to: [usize; 2],
        resample: Resample,
    ) -> Result<Learned<A>, Error> {
        let rows = GridResample::new(from, to, resample)?.apply(self.old())?;
        self.build(rows.nrows(), |new| new.assign(&rows))
    }

    /// Returns the rows that are not kept.
    fn old(&self) -> ArrayView2<'a, A> {
        let mut old = self.learned.table();
        old.slice_axis_inplace(Axis(0), (self.kept..).into());
        old
    }

    fn not_empty(&self) -> Result<ArrayView2<'a, A>, Error> {
        match self.old() {
            old if old.nrows() == 0 => Err(Error::EmptyGrid { rows: 0, columns: 1 }),
            old => Ok(old),
        }
    }

    /// Makes new row i from the old row `row(i, number of old rows)`.
    fn pick(self, len: usize, row: impl Fn(usize, usize) -> usize) -> Result<Learned<A>, Error> {
        let old = self.not_empty()?;
        self.build(len, |new| {
            for (index, mut new) in new.rows_mut().into_iter().enumerate() {
                new.assign(&old.row(row(index, old.nrows())));
            }
        })
    }

    /// Makes a table of the kept rows, then `len` rows that `fill` writes.
    fn build(
        self,
        len: usize,
        fill: impl FnOnce(&mut ArrayViewMut2<'_, A>),
    ) -> Result<Learned<A>, Error> {
        let mut table: Array2<A> = zeros(self.kept.saturating_add(len), self.learned.dim())?;
        let (mut kept, mut new) = table.view_mut().split_at(Axis(0), self.kept);
        kept.assign(&self.learned.table().slice_axis(Axis(0), (..self.kept).into()));
        fill(&mut new);
        let offset = self.learned.offset().min(table.nrows());
        let learned = Learned::from_table(table)?.with_offset(offset)?;
        match self.learned.padding_row() {
            Some(row) if row < self.kept => learned.with_padding_row(row),
            _ => Ok(learned),
        }
    }
}

impl<A: Element> LearnedGrid<A> {
    /// Resamples the table to another grid (rows, columns).
    ///
    /// # Errors
    ///
    /// [`Error::AxesMismatch`] unless the grid has two axes; the errors of [`GridResample::new`].
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{LearnedGrid, resample::Resample};
    ///
    /// let kimi = LearnedGrid::from_table(array![[[1.0_f32], [1.0]], [[1.0], [1.0]]])?;
    /// let larger = kimi.resized([3, 5], Resample::vit())?; // bicubic
    /// assert_eq!((larger.sizes(), larger.table()[[14, 0]]), (&[3, 5][..], 1.0));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn resized(&self, to: [usize; 2], resample: Resample) -> Result<Self, Error> {
        let [rows, columns] = *self.sizes() else {
            return Err(Error::AxesMismatch { expected: 2, found: self.sizes().len() });
        };
        let table = GridResample::new([rows, columns], to, resample)?.apply(self.table())?;
        let [rows, columns] = to;
        let too_large = |_| Error::TooLarge { rows: rows.saturating_mul(columns), dim: self.dim() };
        Self::from_table(
            table.into_shape_with_order((rows, columns, self.dim())).map_err(too_large)?,
        )
    }
}
