//! A learned table of positions that candle's optimisers train.

use candle_core::{Device, Module, Result, Tensor, Var, WithDType};
use candle_nn::{Init, VarBuilder};
use positional_encodings::{Element, Error, Learned, Position, Positions};

use crate::convert::{to_array, to_tensor};
use crate::error::wrap;
use crate::vectors::{AddPositions, add_rows, check};

/// A table with a row for each position as a tensor, taken from a trained model or trained by
/// candle's optimisers. ([`Learned`] computes on arrays.)
///
/// Rows are looked up by candle's operations, so that their gradients accumulate in the table.
///
/// ```
/// use candle_core::{DType, Device, Module, Tensor};
/// use candle_nn::{Optimizer, SGD, VarBuilder, VarMap};
/// use positional_encodings_candle::LearnedPositions;
///
/// let vars = VarMap::new();
/// let vb = VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu);
/// let positions = LearnedPositions::load(16, 4, vb.pp("wpe"))?; // new: N(0, 0.02²)
///
/// let words = Tensor::zeros((2, 3, 4), DType::F32, &Device::Cpu)?;
/// let loss = || positions.forward(&words)?.sqr()?.sum_all();
/// let before = loss()?.to_scalar::<f32>()?;
/// SGD::new(vars.all_vars(), 0.1)?.backward_step(&loss()?)?;
/// assert!(loss()?.to_scalar::<f32>()? < before);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LearnedPositions {
    /// The table (positions, dim).
    table: Tensor,
    offset: usize,
}

impl LearnedPositions {
    /// Reads the table `weight` (positions, dim) of a model, or, if the builder makes variables,
    /// makes a new one with values from N(0, 0.02²), as in BERT and GPT-2.
    ///
    /// # Errors
    ///
    /// The errors of [`VarBuilder::get_with_hints`].
    pub fn load(positions: usize, dim: usize, vb: VarBuilder<'_>) -> Result<Self> {
        let init = Init::Randn { mean: 0.0, stdev: 0.02 };
        Self::new(vb.get_with_hints((positions, dim), "weight", init)?)
    }

    /// Makes the module from a table (positions, dim); pass [`Var::as_tensor`] to train it.
    ///
    /// # Errors
    ///
    /// An error unless the table has two axes and at least one column.
    pub fn new(table: Tensor) -> Result<Self> {
        if table.dims2()?.1 == 0 {
            return Err(wrap(Error::ZeroDim));
        }
        Ok(Self { table, offset: 0 })
    }

    /// Makes the module from the table of a [`Learned`] with its offset, and also returns the
    /// variable to train.
    ///
    /// # Errors
    ///
    /// The errors of the device.
    ///
    /// ```
    /// use candle_core::Device;
    /// use ndarray::array;
    /// use positional_encodings::Learned;
    /// use positional_encodings_candle::LearnedPositions;
    ///
    /// let opt = Learned::from_table(array![[0.0_f32], [1.0], [2.0], [3.0]])?.with_offset(2)?;
    /// let (positions, var) = LearnedPositions::from_learned(&opt, &Device::Cpu)?;
    /// assert_eq!((positions.max_len(), var.dims()), (2, &[4, 1][..]));
    /// assert_eq!(positions.to_learned::<f32>()?.table(), opt.table());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_learned<A>(learned: &Learned<A>, device: &Device) -> Result<(Self, Var)>
    where
        A: Element + WithDType,
    {
        let table = Var::from_tensor(&to_tensor(learned.table(), device)?)?;
        let positions = Self::new(table.as_tensor().clone())?.with_offset(learned.offset())?;
        Ok((positions, table))
    }

    /// Sets the offset: position p reads row p + `offset`. It is 2 in OPT, BART and others; see
    /// [`Learned::with_offset`].
    ///
    /// # Errors
    ///
    /// An error if the offset is larger than the table.
    pub fn with_offset(mut self, offset: usize) -> Result<Self> {
        let len = self.rows();
        if offset > len {
            let position = offset as f64;
            return Err(wrap(Error::PositionOutsideTable { position, first: 0, len }));
        }
        self.offset = offset;
        Ok(self)
    }

    /// Returns the table (positions, dim).
    pub fn table(&self) -> &Tensor {
        &self.table
    }

    /// Returns the number of positions from 0 on that have a row.
    pub fn max_len(&self) -> usize {
        self.rows() - self.offset
    }

    fn rows(&self) -> usize {
        self.table.dims().first().copied().unwrap_or_default()
    }

    /// Copies the table to a [`Learned`], for example to stretch it to another length.
    ///
    /// # Errors
    ///
    /// An error if the element types differ.
    pub fn to_learned<A: Element + WithDType>(&self) -> Result<Learned<A>> {
        let table = to_array::<A>(&self.table)?.into_dimensionality().map_err(wrap)?;
        let learned = Learned::from_table(table).map_err(wrap)?;
        learned.with_offset(self.offset).map_err(wrap)
    }

    /// Returns `xs` (…, len, dim) plus the rows of the given positions.
    ///
    /// # Errors
    ///
    /// An error if a position has no row or is not a whole number, or if shapes differ.
    pub fn forward_at<'p>(
        &self,
        xs: &Tensor,
        positions: impl Into<Positions<'p>>,
    ) -> Result<Tensor> {
        self.add_at(xs, &positions.into())
    }

    /// Returns the rows of the given positions, (len, dim) or (batch, len, dim).
    ///
    /// # Errors
    ///
    /// An error if a position has no row or is not a whole number.
    pub fn vectors<'p>(&self, positions: impl Into<Positions<'p>>) -> Result<Tensor> {
        let positions = positions.into();
        if positions.axes() != 1 {
            let (expected, found) = (1, positions.axes());
            return Err(wrap(Error::AxesMismatch { expected, found }));
        }
        let (rows, first) = (self.rows(), -(self.offset as i64));
        let outside = |position: Position| {
            let (position, len) = (position.to_f64(), rows);
            wrap(Error::PositionOutsideTable { position, first, len })
        };
        let mut ids = Vec::new();
        // The loop ends at the first position outside, so that the list cannot grow without bound.
        for position in positions.iter() {
            let Position::Integer(id) = position else {
                candle_core::bail!(
                    "position {} is not whole: interpolate with `Learned`",
                    position.to_f64()
                )
            };
            let row = id.checked_add(self.offset as i64).and_then(|row| u32::try_from(row).ok());
            ids.push(row.filter(|&row| (row as usize) < rows).ok_or_else(|| outside(position))?);
        }
        let ids = Tensor::from_vec(ids, positions.count(), self.table.device())?;
        let vectors = self.table.index_select(&ids, 0)?;
        match positions.rows() {
            Some(rows) if rows != 1 => vectors.reshape((rows, positions.len(), ())),
            _ => Ok(vectors),
        }
    }
}

impl AddPositions for LearnedPositions {
    fn add_at(&self, xs: &Tensor, positions: &Positions<'_>) -> Result<Tensor> {
        check(xs.dims(), self.table.dims2()?.1, positions).map_err(wrap)?;
        add_rows(xs, &self.vectors(positions)?)
    }
}

impl Module for LearnedPositions {
    fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        match *xs.dims() {
            [.., len, _] => self.forward_at(xs, 0..len),
            _ => Err(wrap(Error::TooFewAxes { expected: 2, found: xs.rank() })),
        }
    }
}
