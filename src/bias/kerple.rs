//! KERPLE: kernels of the distance with two parameters for each head.

use core::fmt;

use super::distance::{Distances, distances, put_values};
use super::{AttentionBias, DependsOn, check_heads};
use crate::arrays::check_len;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;
use crate::short::Short;

/// KERPLE (Chi et al. 2022, *Kernelized relative positional embedding for length extrapolation*):
/// bias\[h, i, j\] = −r₁ · ln(1 + r₂ · |i − j|) or −r₁ · |i − j|^r₂, with r₁ and r₂ of head h.
///
/// Values are computed in f64 and rounded once. r₁ and r₂ are learned. The authors' code calls them
/// `bias_p` and `bias_a` in the logarithmic kernel, `bias_a` and `bias_p` in the power kernel.
///
/// ```
/// use positional_encodings::{AttentionBias, Positions, bias::Kerple};
///
/// let power = Kerple::power(&[2.0], &[0.5])?; // one head
/// let (query, keys) = (Positions::from(9..10), Positions::from(&[0, 5, 9]));
/// let bias: ndarray::Array3<f32> = power.encode(&query, &keys)?;
/// assert_eq!(bias, ndarray::array![[[-6.0, -4.0, 0.0]]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Kerple {
    pub(crate) kernel: Kernel,
    /// The parameters r₁ and r₂ of each head.
    pub(crate) parameters: Vec<[f64; 2]>,
}

impl fmt::Debug for Kerple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r1, r2] = [0, 1].map(|i| self.parameters.iter().map(|own| own[i]).collect::<Vec<_>>());
        f.debug_struct("Kerple")
            .field("kernel", &self.kernel)
            .field("r1", &Short(&r1))
            .field("r2", &Short(&r2))
            .finish()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    Log,
    Power,
}

impl Kerple {
    /// Makes the logarithmic kernel, −r₁ · ln(1 + r₂ · |i − j|), from r₁ and r₂ of each head.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] where the numbers of r₁ and r₂ differ, [`Error::InvalidParameter`]
    /// for no heads or more than 65,536, or unless all values are positive and within the range of
    /// f32.
    pub fn log(r1: &[f64], r2: &[f64]) -> Result<Self, Error> {
        Self::new(Kernel::Log, r1, r2)
    }

    /// Makes the power kernel, −r₁ · |i − j|^r₂, from r₁ and r₂ of each head.
    ///
    /// # Errors
    ///
    /// The errors of [`log`](Self::log), and [`Error::InvalidParameter`] for an r₂ above 2, for
    /// which −|i − j|^r₂ is not a conditionally positive definite kernel.
    pub fn power(r1: &[f64], r2: &[f64]) -> Result<Self, Error> {
        Self::new(Kernel::Power, r1, r2)
    }

    pub(crate) fn new(kernel: Kernel, r1: &[f64], r2: &[f64]) -> Result<Self, Error> {
        check_heads(r1.len())?;
        check_len("values of r2", r1.len(), r2.len())?;
        let most = f64::from(f32::MAX);
        let most_power = if kernel == Kernel::Power { 2.0 } else { most };
        for (name, values, most) in [("r1", r1, most), ("r2", r2, most_power)] {
            if let Some(&value) = values.iter().find(|value| !(**value > 0.0 && **value <= most)) {
                let needs = "positive and within the range of f32, and at most 2 as an exponent";
                return Err(Error::InvalidParameter { name, value, needs });
            }
        }
        let parameters = r1.iter().zip(r2).map(|(r1, r2)| [*r1, *r2]).collect();
        Ok(Self { kernel, parameters })
    }

    /// Returns the parameters r₁ and r₂ of each head.
    pub fn parameters(&self) -> &[[f64; 2]] {
        &self.parameters
    }
}

impl Kernel {
    /// Returns the value at a distance d ≥ 0 and its derivatives with respect to r₁ and r₂.
    pub(crate) fn value_and_slopes(self, [r1, r2]: [f64; 2], d: f64) -> [f64; 3] {
        match self {
            _ if d == 0.0 => [0.0; 3],
            Self::Log => {
                let log = libm::log1p(r2 * d);
                [-r1 * log, -log, -r1 * d / (1.0 + r2 * d)]
            }
            Self::Power => {
                let power = libm::pow(d, r2);
                [-r1 * power, -power, -r1 * power * libm::log(d)]
            }
        }
    }
}

impl<A: Element> AttentionBias<A> for Kerple {
    fn heads(&self) -> usize {
        self.parameters.len()
    }

    fn encode_row(&self, query: &Positions<'_>, keys: &Positions<'_>, out: &mut [A]) {
        distances(query, keys, |start, Distances { values, .. }| {
            put_values(
                out,
                [self.parameters.len(), keys.len()],
                (start, values.len()),
                |head, i| self.kernel.value_and_slopes(self.parameters[head], values[i].abs())[0],
            );
        });
    }

    fn depends_on(&self) -> DependsOn {
        DependsOn::Distance
    }
}
