//! Time2Vec: a linear feature and sines with learned frequencies and phases.

use core::fmt;

use ndarray::{Array1, ArrayBase, ArrayView1, ArrayViewMut2, Data, Ix1};

use super::PositionalEncoding;
use crate::element::Element;
use crate::error::Error;
use crate::exact::Wide;
use crate::phase::Amplitude;
use crate::phase::points::Values;
use crate::phase::projection::Projection;
use crate::positions::Positions;
use crate::short::Short;
use crate::threads;

/// A linear function and sines of the time, with learned frequencies and phases (Kazemi et al.
/// 2019, *Time2Vec: learning a vector representation of time*, arXiv 1907.05321).
///
/// PE(t)₀ = ω₀·t + φ₀, PE(t)ᵢ = sin(ωᵢ·t + φᵢ) for 0 < i < dim, with ω in radians per unit of time
/// and φ in radians. Sines are computed from the exact angle and rounded once. The derivative with
/// respect to ωᵢ is t·cos(ωᵢ·t + φᵢ), which grows with t: scale long times down.
///
/// ```
/// use ndarray::{Array2, array};
/// use positional_encodings::{PositionalEncoding, Positions, space::Time2Vec};
///
/// let times = Time2Vec::new(&array![2.0, 1.0], &array![0.5, 0.25])?;
/// let features: Array2<f64> = times.encode(&Positions::from(&[1.5]))?;
/// assert_eq!(features, array![[3.5, 1.75_f64.sin()]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone)]
pub struct Time2Vec {
    frequencies: Array1<f64>,
    phases: Array1<f64>,
    /// The waves of all features but the first.
    waves: Option<Projection>,
}

impl fmt::Debug for Time2Vec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Time2Vec")
            .field("dim", &self.dim())
            .field("frequencies", &Short(&self.frequencies.to_vec()))
            .field("phases", &Short(&self.phases.to_vec()))
            .finish()
    }
}

impl PartialEq for Time2Vec {
    fn eq(&self, other: &Self) -> bool {
        self.frequencies == other.frequencies && self.phases == other.phases
    }
}

impl Time2Vec {
    /// Makes an encoding from frequencies in radians per unit of time and phases in radians, shape
    /// (dim) each; the first of each belongs to the linear feature.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`]; [`Error::LengthMismatch`] unless there are as many phases as
    /// frequencies; [`Error::InvalidFrequency`] for a frequency and [`Error::InvalidParameter`] for
    /// a phase that is not finite, or at least 2⁶² in magnitude.
    pub fn new<A: Element, S: Data<Elem = A>, T: Data<Elem = A>>(
        frequencies: &ArrayBase<S, Ix1>,
        phases: &ArrayBase<T, Ix1>,
    ) -> Result<Self, Error> {
        const MOST: f64 = (1_u64 << 62) as f64;
        let dim = frequencies.len();
        if dim == 0 {
            return Err(Error::ZeroDim);
        }
        if phases.len() != dim {
            let (what, found) = ("phases", phases.len());
            return Err(Error::LengthMismatch { what, expected: dim, found });
        }
        super::fourier::check_size(1, dim)?;
        let (frequencies, phases) = (frequencies.mapv(A::to_f64), phases.mapv(A::to_f64));
        for (pair, &frequency) in frequencies.iter().enumerate() {
            if !(0.0..MOST).contains(&frequency.abs()) {
                return Err(Error::InvalidFrequency { pair, frequency });
            }
        }
        if let Some(&value) = phases.iter().find(|phase| !(0.0..MOST).contains(&phase.abs())) {
            let needs = "finite and within ±2^62";
            return Err(Error::InvalidParameter { name: "phase", value, needs });
        }
        let wide = |all: &Array1<f64>| -> Vec<Wide> {
            all.iter().skip(1).map(|&radians| Wide::from_f64(radians)).collect()
        };
        let waves = (dim > 1)
            .then(|| Projection::new(&[wide(&frequencies)], &wide(&phases), Amplitude::ONE));
        Ok(Self { frequencies, phases, waves })
    }

    /// Returns the frequencies (dim) in radians per unit of time; the first belongs to the linear
    /// feature.
    pub fn frequencies(&self) -> ArrayView1<'_, f64> {
        self.frequencies.view()
    }

    /// Returns the phases (dim) in radians.
    pub fn phases(&self) -> ArrayView1<'_, f64> {
        self.phases.view()
    }

    /// Returns the width of a position vector.
    pub fn dim(&self) -> usize {
        self.frequencies.len()
    }

    /// Calls `visit` with the index and the time of each position, the index of a feature, and the
    /// waves of some features from that one on.
    pub(crate) fn each_chunk<A: Element>(
        &self,
        positions: &Positions<'_>,
        mut visit: impl FnMut(usize, f64, usize, &Values),
    ) {
        if let Some(waves) = &self.waves {
            waves.each::<A>(positions, |index, point, first, values| {
                visit(index, point[0], first + 1, values);
            });
        }
    }
}

impl<A: Element> PositionalEncoding<A> for Time2Vec {
    fn dim(&self) -> usize {
        self.dim()
    }

    fn max_len(&self) -> Option<usize> {
        None
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.check_shape(positions, &out)?;
        PositionalEncoding::<A>::check(self, positions)?;
        threads::rows(positions, out, &|positions, mut out| {
            for (position, line) in positions.iter().zip(out.column_mut(0)) {
                *line = A::from_f64(self.frequencies[0] * position.to_f64() + self.phases[0]);
            }
            self.each_chunk::<A>(positions, |index, _, first, values| {
                let row = out.row_mut(index).into_iter().skip(first);
                row.zip(&values.sin).for_each(|(out, sin)| *out = A::from_f64(*sin));
            });
            Ok(())
        })
    }
}
