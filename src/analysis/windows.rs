//! The window of each head of a bias: how far its keys keep weight.

use ndarray::{Array2, ArrayView1, Axis};

use crate::bias::AttentionBias;
use crate::element::Element;
use crate::error::{Error, check_parameter, positive};
use crate::positions::Positions;

/// The window of a head from its bias alone, for equal products of queries and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HeadWindow {
    /// The head.
    pub head: usize,
    /// The distance from which on every key behind the query has less than the given share of
    /// weight; `None` if that is not within the length.
    pub behind: Option<usize>,
    /// The distance from which on every key ahead of the query has less than the given share of
    /// weight; `None` also for causal biases, which leave these keys to the mask.
    pub ahead: Option<usize>,
}

/// Returns the bias of each head at distances key − query from −(len − 1) to len − 1, shape (heads,
/// 2·len − 1).
///
/// # Errors
///
/// [`Error::TooFewRows`] for a length of 0, [`Error::TooLarge`], and the errors of
/// [`AttentionBias::check`], such as [`Error::AxesMismatch`] for a bias of images.
///
/// ```
/// use positional_encodings::{Alibi, analysis::bias_by_distance};
///
/// let curves = bias_by_distance::<f64>(&Alibi::new(8)?, 3)?;
/// assert_eq!(curves.row(0).to_vec(), [-1.0, -0.5, 0.0, 0.5, 1.0]); // a mask hides the keys ahead
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn bias_by_distance<A: Element>(
    bias: &dyn AttentionBias<A>,
    len: usize,
) -> Result<Array2<f64>, Error> {
    let Some(last) = len.checked_sub(1) else {
        return Err(Error::TooFewRows { needed: 1, found: 0 });
    };
    let too_large = Error::TooLarge { rows: bias.heads(), dim: len };
    let end = len.checked_add(last).ok_or(too_large.clone())?;
    crate::arrays::room::<f64>(bias.heads(), end)?;
    let values = bias.encode(&Positions::from(last..len), &Positions::from(0..end))?;
    Ok(values.index_axis(Axis(1), 0).mapv(|value| value.to_f64()))
}

/// Returns, for each head, the distances from which on keys have less than `share`, such as 0.01,
/// of the weight of the key that the bias favours most on that side of the query.
///
/// # Errors
///
/// The errors of [`bias_by_distance`], and [`Error::InvalidParameter`] unless `share` is between 0
/// and 1.
///
/// ```
/// use positional_encodings::{Alibi, analysis::bias_windows};
///
/// let windows = bias_windows::<f32>(&Alibi::new(8)?, 200, 0.01)?;
/// // A slope of 2⁻ʰ: e^(−slope·distance) is below 0.01 from ln 100 · 2ʰ on.
/// let behind: Vec<_> = windows.iter().map(|window| window.behind).collect();
/// assert_eq!(behind[..6], [Some(10), Some(19), Some(37), Some(74), Some(148), None]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn bias_windows<A: Element>(
    bias: &dyn AttentionBias<A>,
    len: usize,
    share: f64,
) -> Result<Vec<HeadWindow>, Error> {
    positive("share", share)?;
    check_parameter("share", share, share < 1.0, "below 1")?;
    let curves = bias_by_distance(bias, len)?;
    let window = |(head, curve): (usize, ArrayView1<'_, f64>)| {
        let (behind, ahead) = (curve.iter().take(len), curve.iter().rev().take(len));
        HeadWindow { head, behind: reach(behind, len, share), ahead: reach(ahead, len, share) }
    };
    Ok(curves.outer_iter().enumerate().map(window).collect())
}

/// Returns the distance from which on all of `len` biases, the farthest first, have less than
/// `share` of the largest weight.
fn reach<'a>(
    biases: impl Iterator<Item = &'a f64> + Clone,
    len: usize,
    share: f64,
) -> Option<usize> {
    let largest = biases.clone().copied().fold(f64::NEG_INFINITY, f64::max);
    let unseen = biases.take_while(|&&bias| bias < largest + libm::log(share)).count();
    (unseen > 0).then(|| len - unseen)
}
