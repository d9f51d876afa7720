//! LTX-Video's rotation of the whole model width.

use super::{Pairing, Rotary};
use crate::error::{Error, check_parameter};
use crate::frequencies::Frequencies;

impl Rotary {
    /// Makes LTX-Video's rotation (diffusers 0.42, `transformer_ltx.py`) of the whole width, before
    /// it is split into heads. Neighbours are paired, and pairs use the three axes in turn.
    ///
    /// Pair 3k + a is rotated by π/2 · base^(k/(n − 1)) · (2g − 1), k < n = ⌊dim/6⌋, where g is the
    /// coordinate of the token on axis a from 0 to 1: the time in a clip of 20 s, the row or the
    /// column in a picture of 2048 × 2048 px. Give 2g − 1 as the coordinates of time, row and
    /// column.
    /// The remaining features are the first ones, and are not rotated. The model's base is 10000.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a dim below 12; [`Error::InvalidBase`]; [`Error::TooLarge`].
    ///
    /// ```
    /// use ndarray::array;
    /// use positional_encodings::{Positions, Rotary};
    ///
    /// let rotary = Rotary::ltx(2048, 10_000.0)?;
    /// assert_eq!((rotary.axes(), rotary.dim()), (3, 2046));
    /// assert_eq!(rotary.rotated_features(2048), Some(2..2048));
    /// // The middle of the second second, at the left edge, in the middle of the height.
    /// let places = array![[1.5 / 20.0, 0.5, 0.0]];
    /// let tokens = Positions::from_points(&places)?.map(|_, g| 2.0 * g - 1.0)?;
    /// assert_eq!(rotary.at::<f32>(&tokens)?.positions(), Some(1));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn ltx(dim: usize, base: f64) -> Result<Self, Error> {
        let each = dim / 6;
        let needs = "at least 12, for two pairs on each of three axes";
        check_parameter("dim", dim as f64, each >= 2, needs)?;
        // base^(k/(n − 1)) is base times the terms of the falling progression in reverse order.
        let falling = Frequencies::geometric_inclusive(2 * each, base)?;
        let rising: Vec<usize> = (0..3 * each).map(|pair| each - 1 - pair / 3).collect();
        let frequencies = falling.select(&rising)?.full_turns()?.scaled(base / 4.0)?;
        let axes: Vec<usize> = (0..3 * each).map(|pair| pair % 3).collect();
        Ok(Self::new(frequencies, Pairing::Interleaved).with_axes(&axes)?.on_last_features())
    }
}
