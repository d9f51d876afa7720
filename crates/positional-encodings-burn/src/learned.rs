//! A learned table of positions that burn's optimisers train.

use burn::config::Config;
use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor, TensorData};
use positional_encodings::{Error, Learned, Position, Positions};

use crate::convert::{to_array, to_tensor};
use crate::element::StoredFloat;
use crate::refuse::{expect, new_rows, same_device, same_type};
use crate::vectors::{AddPositions, add_rows, check, len_of};

/// The name of the operation, in messages.
const NAME: &str = "learned positions";

/// The configuration of a new table of learned positions.
///
/// ```
/// use burn::tensor::Device;
/// use positional_encodings_burn::LearnedPositionsConfig;
///
/// let gpt2 = LearnedPositionsConfig::new(1024, 768).init(&Device::default());
/// let opt = LearnedPositionsConfig::new(2050, 768).with_offset(2).init(&Device::default());
/// assert_eq!((gpt2.max_len(), opt.max_len()), (1024, 2048));
/// ```
#[derive(Config, Debug)]
pub struct LearnedPositionsConfig {
    /// The number of rows.
    pub rows: usize,
    /// The number of features.
    pub dim: usize,
    /// The offset: position p reads row p + `offset`. It is 2 in OPT, BART and others.
    #[config(default = 0)]
    pub offset: usize,
    /// The standard deviation of new rows, which are normally distributed; 0.02 as in BERT and
    /// GPT-2.
    #[config(default = 0.02)]
    pub deviation: f64,
}

impl LearnedPositionsConfig {
    /// Makes the table on a device.
    ///
    /// # Panics
    ///
    /// Panics if `dim` is 0, `offset` is larger than `rows`, or `deviation` is negative or not
    /// finite.
    #[track_caller]
    pub fn init(&self, device: &Device) -> LearnedPositions {
        expect(check_table(self.rows, self.dim, self.offset));
        let rows = expect(new_rows(self.deviation));
        let table = Tensor::random([self.rows, self.dim], rows, device);
        LearnedPositions { weight: Param::from_tensor(table), offset: self.offset }
    }
}

/// A table with a row for each position as a parameter, taken from a trained model or trained by
/// burn's optimisers. ([`Learned`] computes on arrays.)
///
/// Rows are looked up by burn's operations, so that their gradients accumulate in the table. In a
/// record the parameter is called `weight`.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use positional_encodings_burn::LearnedPositionsConfig;
///
/// let device = Device::default().autodiff();
/// let positions = LearnedPositionsConfig::new(16, 4).init(&device);
/// let words = Tensor::<3>::zeros([2, 3, 4], &device);
/// let loss = positions.forward(words).sum();
/// let gradient = positions.table().grad(&loss.backward()).unwrap(); // an optimiser's
/// let rows: Vec<f32> = gradient.sum_dim(1).try_into_vec_as().unwrap();
/// assert_eq!(rows[..4], [8.0, 8.0, 8.0, 0.0]); // two sequences of three words
/// ```
#[derive(Module, Debug)]
pub struct LearnedPositions {
    /// The table (rows, dim).
    weight: Param<Tensor<2>>,
    #[module(skip)]
    offset: usize,
}

impl LearnedPositions {
    /// Makes the module from the table of a [`Learned`], with its offset.
    ///
    /// ```
    /// use burn::tensor::Device;
    /// use ndarray::array;
    /// use positional_encodings::Learned;
    /// use positional_encodings_burn::LearnedPositions;
    ///
    /// let opt = Learned::from_table(array![[0.0_f32], [1.0], [2.0], [3.0]])?.with_offset(2)?;
    /// let positions = LearnedPositions::from_learned(&opt, &Device::default());
    /// assert_eq!((positions.max_len(), positions.table().dims()), (2, [4, 1]));
    /// assert_eq!(positions.to_learned::<f32>().table(), opt.table());
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_learned<A: StoredFloat>(learned: &Learned<A>, device: &Device) -> Self {
        let table = to_tensor(learned.table(), device);
        Self { weight: Param::from_tensor(table), offset: learned.offset() }
    }

    /// Returns the table (rows, dim).
    pub fn table(&self) -> Tensor<2> {
        self.weight.val()
    }

    /// Returns the number of positions from 0 on that have a row.
    pub fn max_len(&self) -> usize {
        self.rows() - self.offset
    }

    fn rows(&self) -> usize {
        self.weight.lazy_shape()[0]
    }

    /// Copies the table to a [`Learned`], for example to stretch it to another length.
    ///
    /// # Panics
    ///
    /// Panics if the element types differ, or if values are not finite.
    #[track_caller]
    pub fn to_learned<A: StoredFloat>(&self) -> Learned<A> {
        let learned = expect(Learned::from_table(to_array::<A, 2>(self.table())));
        expect(learned.with_offset(self.offset))
    }

    /// Returns `x` (…, len, dim) plus the rows of positions 0..len.
    ///
    /// # Panics
    ///
    /// Panics where [`forward_at`](Self::forward_at) does.
    #[track_caller]
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let len = len_of(&x.dims());
        self.forward_at(x, 0..len)
    }

    /// Returns `x` (…, len, dim) plus the rows of the given positions.
    ///
    /// # Panics
    ///
    /// Panics if a position has no row or is not a whole number, or if shapes, element types or
    /// devices differ.
    #[track_caller]
    pub fn forward_at<'p, const D: usize>(
        &self,
        x: Tensor<D>,
        positions: impl Into<Positions<'p>>,
    ) -> Tensor<D> {
        self.add_at(x, &positions.into())
    }

    /// Returns the rows of the given positions, (rows · len, dim).
    ///
    /// # Panics
    ///
    /// Panics if a position has no row or is not a whole number.
    #[track_caller]
    pub fn vectors<'p>(&self, positions: impl Into<Positions<'p>>) -> Tensor<2> {
        let positions = positions.into();
        let ids = self.ids(&positions);
        let count = ids.len();
        let device = self.weight.lazy_device().inner();
        let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [count]), &device);
        self.weight.val().select(0, ids)
    }

    /// Returns the row of each position.
    #[track_caller]
    fn ids(&self, positions: &Positions<'_>) -> Vec<i32> {
        if positions.axes() != 1 {
            let (expected, found) = (1, positions.axes());
            expect(Err(Error::AxesMismatch { expected, found }))
        }
        let (len, first) = (self.rows(), -(self.offset as i64));
        let mut ids = Vec::new();
        // The loop ends at the first position outside, so that the list cannot grow without bound.
        for position in positions.iter() {
            let Position::Integer(id) = position else {
                panic!("position {} is not whole: interpolate with `Learned`", position.to_f64())
            };
            let row = id.checked_add(self.offset as i64).and_then(|row| i32::try_from(row).ok());
            let known = |row: &i32| usize::try_from(*row).is_ok_and(|row| row < len);
            let position = position.to_f64();
            let outside = Error::PositionOutsideTable { position, first, len };
            ids.push(expect(row.filter(known).ok_or(outside)));
        }
        ids
    }
}

impl AddPositions for LearnedPositions {
    fn dim(&self) -> usize {
        self.weight.lazy_shape()[1]
    }

    #[track_caller]
    fn add_at<const D: usize>(&self, x: Tensor<D>, positions: &Positions<'_>) -> Tensor<D> {
        expect(check(&x.dims(), self.dim(), positions));
        same_device(&self.weight.lazy_device(), &x.device(), NAME);
        same_type(self.table().dtype(), x.dtype(), NAME);
        add_rows(x, self.vectors(positions), positions)
    }
}

/// Checks the shape and the offset of a table.
fn check_table(len: usize, dim: usize, offset: usize) -> Result<(), Error> {
    if dim == 0 {
        return Err(Error::ZeroDim);
    }
    if offset > len {
        let position = offset as f64;
        return Err(Error::PositionOutsideTable { position, first: 0, len });
    }
    Ok(())
}
