//! Tables of cosines and sines in the forms that other libraries use.

use core::any::TypeId;

use ndarray::Array2;

use super::{Pairing, Rotary, Rotation};
use crate::arrays::zeros;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// The columns of a table of cosines or sines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum TableForm {
    /// A column for each pair: candle's `rope` and `rope_i`, ONNX's `RotaryEmbedding`, vLLM's
    /// cache.
    Pairs,
    /// A column for each feature, so that the value of a pair appears twice: in adjacent columns
    /// for neighbours, half a head apart for halves. transformers multiplies by such tables.
    Doubled,
}

impl Rotary {
    /// Makes the cosines and the sines at the given positions, each (positions, pairs) or
    /// (positions, dim), in any element type, with the attention factor included. Rows of a batch
    /// follow each other.
    ///
    /// A table in 16 bits is rounded once from f64. Other libraries want such tables; this crate
    /// rotates 16-bit elements with angles in f32, which is more accurate.
    ///
    /// # Errors
    ///
    /// The errors of [`at`](Self::at).
    ///
    /// ```
    /// use positional_encodings::{Frequencies, Pairing, Rotary, rotary::TableForm};
    ///
    /// let rotary = Rotary::new(Frequencies::harmonic(4, 8.0)?, Pairing::Halves);
    /// let (cos, sin) = rotary.cos_sin_tables::<f32>(0..3, TableForm::Doubled)?;
    /// assert_eq!(cos.row(2).to_vec(), [0.0, -1.0, 0.0, -1.0]); // 90 degrees and 180, twice
    /// assert_eq!(sin.row(2).to_vec(), [1.0, 0.0, 1.0, 0.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn cos_sin_tables<'p, A: Element>(
        &self,
        positions: impl Into<Positions<'p>>,
        form: TableForm,
    ) -> Result<(Array2<A>, Array2<A>), Error> {
        let positions = positions.into();
        if TypeId::of::<A>() == TypeId::of::<A::Angle>() {
            tables(&self.at::<A::Angle>(&positions)?, form)
        } else {
            tables(&self.at::<f64>(&positions)?, form)
        }
    }
}

fn tables<T: Element<Angle = T>, A: Element>(
    rotation: &Rotation<T>,
    form: TableForm,
) -> Result<(Array2<A>, Array2<A>), Error> {
    let (cos, sin) = rotation.tables();
    let pairs = cos.ncols();
    let pair_of = |column: usize| match (form, rotation.pairing()) {
        (TableForm::Pairs, _) => column,
        (TableForm::Doubled, Pairing::Halves) => column % pairs,
        (TableForm::Doubled, Pairing::Interleaved) => column / 2,
    };
    let columns = if form == TableForm::Pairs { pairs } else { 2 * pairs };
    let make = |from: ndarray::ArrayView2<'_, T>| -> Result<Array2<A>, Error> {
        let mut table = zeros(from.nrows(), columns)?;
        for (mut row, from) in table.rows_mut().into_iter().zip(from.rows()) {
            for (column, value) in row.iter_mut().enumerate() {
                *value = A::from_f64(from[pair_of(column)].to_f64());
            }
        }
        Ok(table)
    };
    Ok((make(cos)?, make(sin)?))
}
