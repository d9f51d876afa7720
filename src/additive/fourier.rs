//! Fourier features: sines and cosines of projections of a point.

mod rows;

use core::fmt;
use std::sync::Arc;

use ndarray::{Array2, ArrayBase, ArrayViewMut2, Data, Ix2};
use rand::{Rng, RngExt};
use rand_distr::Normal;

use super::PositionalEncoding;
use crate::arrays::room;
use crate::element::Element;
use crate::error::Error;
use crate::exact::Wide;
use crate::phase::projection::Projection;
use crate::phase::{Amplitude, FeatureLayout};
use crate::positions::Positions;
use crate::threads;

/// Fourier features of points (Tancik et al. 2020, *Fourier features let networks learn high
/// frequency functions in low dimensional domains*, arXiv 2006.10739).
///
/// PE(x) = \[sin(2π·(x·B + φ)) | cos(2π·(x·B + φ))\] with B of shape (axes, pairs) in turns per
/// unit; positions have shape (points, axes), vectors (points, 2 · pairs). B is drawn once and
/// saved with the model, or follows from a formula:
///
/// | system | write |
/// |---|---|
/// | SAM's and SAM 2's prompt encoder | [`Fourier::new`] of `positional_embedding` (2, pairs), at points (x, y) in −1..1: 2 · (x + 0.5)/width − 1 |
/// | Tancik et al.; nerfstudio `RFFEncoding` | [`Fourier::random`], or `new` of a saved B; nerfstudio: `.with_input(Input::Last)` |
/// | diffusers `GaussianFourierProjection` | `new` of W (1, pairs), at ln(t) where `log` is set; `flip_sin_to_cos`: `.with_layout(CosSinHalves)` |
/// | GeoCLIP | `new` of B transposed, `.with_layout(CosSinHalves)`, at [`equal_earth`](crate::space::equal_earth) |
/// | NeRF, nerfstudio, Perceiver, timm | [`nerf`](Self::nerf), [`nerf_code`](Self::nerf_code), [`nerfstudio`](Self::nerfstudio), [`perceiver`](Self::perceiver), [`bands`](Self::bands) |
/// | hours, weekdays, seasons | [`calendar`](Self::calendar) |
///
/// Every value is computed from the exact angle, however many terms the angle has, and rounded
/// once: the error is below 0.51 ulp, or below 1 ulp for values below 2⁻¹⁴ in f64. Where terms
/// cancel, the remaining angle is exact to 2⁻¹²⁰ of a turn for up to 64 axes, so that a value not
/// much larger than 2⁻¹²⁰ is less exact. Each entry of B is taken as the exact number that it is.
///
/// ```
/// use ndarray::{Array2, array};
/// use positional_encodings::{Fourier, PositionalEncoding, Positions};
///
/// let sam = Fourier::new(&array![[0.25_f32, 0.5], [0.0, 1.0]])?; // positional_embedding
/// let points = array![[1.0, 0.25]]; // (x, y)
/// let features: Array2<f32> = sam.encode(&Positions::from_points(&points)?)?;
/// assert_eq!(features, array![[1.0, -1.0, 0.0, 0.0]]); // a quarter and three quarters of a turn
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone)]
pub struct Fourier {
    /// The frequencies of each axis, in radians per unit.
    frequencies: Vec<Vec<Wide>>,
    /// The phases, in radians.
    phases: Vec<Wide>,
    projection: Arc<Projection>,
    layout: FeatureLayout,
    /// The number of pairs after which the layout starts again.
    block: usize,
    has_cosines: bool,
    input: Input,
}

/// Where the coordinates themselves go among the features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Input {
    /// The coordinates are left out.
    #[default]
    Absent,
    /// The coordinates come before the sines, as in NeRF's own code and Perceiver.
    First,
    /// The coordinates come after the cosines, as in nerfstudio.
    Last,
}

impl Fourier {
    /// Makes the features \[sin | cos\] of a projection (axes, pairs) in turns per unit.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without an axis or a pair; [`Error::InvalidFrequency`] for an entry that
    /// is not finite, or at least 2⁶³ in magnitude; [`Error::TooLarge`].
    pub fn new<A: Element, S: Data<Elem = A>>(turns: &ArrayBase<S, Ix2>) -> Result<Self, Error> {
        let (axes, pairs) = check_size(turns.nrows(), turns.ncols())?;
        let turn = |axis: usize, pair: usize| {
            let frequency = turns[[axis, pair]].to_f64();
            let error = Error::InvalidFrequency { pair, frequency };
            if frequency.is_finite() { Ok(Wide::from_f64(frequency)) } else { Err(error) }
        };
        Self::from_turns(axes, pairs, turn)
    }

    /// Draws a projection from the caller's generator: entries are normal around 0 with standard
    /// deviation `sigma`, in turns per unit. Save the projection, [`turns`](Self::turns), with the
    /// model.
    ///
    /// # Errors
    ///
    /// The errors of [`new`](Self::new), and [`Error::InvalidInit`] unless sigma is finite and not
    /// negative.
    ///
    /// ```
    /// use positional_encodings::Fourier;
    /// use rand::SeedableRng;
    ///
    /// let draw =
    ///     |seed| Fourier::random(2, 64, 10.0, &mut rand::rngs::SmallRng::seed_from_u64(seed));
    /// assert_eq!(draw(1)?.dim(), 128);
    /// assert_eq!(draw(1)?, draw(1)?);
    /// assert_ne!(draw(1)?, draw(2)?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn random<R: Rng + ?Sized>(
        axes: usize,
        pairs: usize,
        sigma: f64,
        rng: &mut R,
    ) -> Result<Self, Error> {
        let (axes, pairs) = check_size(axes, pairs)?;
        let needs = "sigma must be finite and not negative";
        let refused = Error::InvalidInit { needs, found: sigma };
        if !(sigma >= 0.0 && sigma.is_finite()) {
            return Err(refused);
        }
        let normal = Normal::new(0.0, sigma).map_err(|_| refused)?;
        Self::from_turns(axes, pairs, |_, _| Ok(Wide::from_f64(rng.sample(normal))))
    }

    /// Makes the features of frequencies in turns per unit, listed axis by axis.
    pub(super) fn from_turns(
        axes: usize,
        pairs: usize,
        mut turns: impl FnMut(usize, usize) -> Result<Wide, Error>,
    ) -> Result<Self, Error> {
        let mut frequencies = Vec::with_capacity(axes);
        for axis in 0..axes {
            let mut own = Vec::with_capacity(pairs);
            for pair in 0..pairs {
                let turns = turns(axis, pair)?;
                if turns.to_fixed().is_none() {
                    let frequency = turns.to_f64() * core::f64::consts::TAU;
                    return Err(Error::InvalidFrequency { pair, frequency });
                }
                own.push(turns.mul(Wide::TAU));
            }
            frequencies.push(own);
        }
        let phases = vec![Wide::ZERO; pairs];
        let projection = Arc::new(Projection::new(&frequencies, &phases, Amplitude::ONE));
        let (layout, input) = (FeatureLayout::SinCosHalves, Input::Absent);
        Ok(Self { frequencies, phases, projection, layout, block: pairs, has_cosines: true, input })
    }

    /// Adds a phase to the angle of each pair, in turns.
    pub(super) fn with_wide_phases(mut self, turns: impl Iterator<Item = Wide>) -> Self {
        self.phases = turns.map(|turns| turns.mul(Wide::TAU)).collect();
        let amplitude = Amplitude::new(self.amplitude()).unwrap_or(Amplitude::ONE);
        self.projection = Arc::new(Projection::new(&self.frequencies, &self.phases, amplitude));
        self
    }

    /// Adds a phase φ to the angle of each pair, in turns.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] unless there is one phase for each pair;
    /// [`Error::InvalidParameter`] for a phase that is not finite, or at least 2⁶² in magnitude.
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use positional_encodings::{Fourier, PositionalEncoding, Positions};
    ///
    /// let shifted = Fourier::new(&array![[1.0]])?.with_phases(&[0.25])?;
    /// let features: Array2<f64> = shifted.encode(&Positions::from(0..1))?;
    /// assert_eq!(features, array![[1.0, 0.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_phases(self, turns: &[f64]) -> Result<Self, Error> {
        if turns.len() != self.pairs() {
            let (what, expected, found) = ("phases", self.pairs(), turns.len());
            return Err(Error::LengthMismatch { what, expected, found });
        }
        const MOST: f64 = (1_u64 << 62) as f64;
        if let Some(&value) = turns.iter().find(|phase| !(0.0..MOST).contains(&phase.abs())) {
            let (name, needs) = ("phase", "finite and within ±2^62");
            return Err(Error::InvalidParameter { name, value, needs });
        }
        Ok(self.with_wide_phases(turns.iter().map(|&phase| Wide::from_f64(phase))))
    }

    /// Sets the order of the features.
    pub fn with_layout(mut self, layout: FeatureLayout) -> Self {
        self.layout = layout;
        self
    }

    /// Restarts the layout after every `pairs` pairs.
    pub(super) fn in_blocks_of(mut self, pairs: usize) -> Self {
        debug_assert!(pairs > 0 && self.pairs().is_multiple_of(pairs));
        self.block = pairs;
        self
    }

    /// Leaves out the cosines (Perceiver's `sine_only`).
    ///
    /// ```
    /// use positional_encodings::Fourier;
    /// assert_eq!(Fourier::perceiver(&[16], 4)?.sines_only().dim(), 1 + 4);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn sines_only(mut self) -> Self {
        self.has_cosines = false;
        self
    }

    /// Sets where the coordinates themselves go: before or after the sines and cosines, or nowhere.
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use positional_encodings::{Fourier, PositionalEncoding, Positions, space::Input};
    ///
    /// let with_input = Fourier::new(&array![[0.5]])?.with_input(Input::Last);
    /// let features: Array2<f64> = with_input.encode(&Positions::from(&[0.5]))?;
    /// assert_eq!(features, array![[1.0, 0.0, 0.5]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_input(mut self, input: Input) -> Self {
        self.input = input;
        self
    }

    /// Multiplies sines and cosines by `amplitude`, such as the 1/√dim of learnable Fourier
    /// features. The product is rounded once.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] unless the amplitude is zero or from 2⁻⁶⁴ to 2⁶⁴ in magnitude.
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use positional_encodings::{Fourier, PositionalEncoding, Positions};
    ///
    /// let half = Fourier::new(&array![[0.25]])?.with_amplitude(0.5)?;
    /// let features: Array2<f64> = half.encode(&Positions::from(0..2))?;
    /// assert_eq!(features, array![[0.0, 0.5], [0.5, 0.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_amplitude(mut self, amplitude: f64) -> Result<Self, Error> {
        let Some(checked) = Amplitude::new(amplitude) else {
            let needs = "zero, or from 2⁻⁶⁴ to 2⁶⁴ in magnitude";
            return Err(Error::InvalidParameter { name: "amplitude", value: amplitude, needs });
        };
        let projection = Projection::clone(&self.projection).with_amplitude(checked);
        self.projection = Arc::new(projection);
        Ok(self)
    }

    /// Returns the factor of every sine and cosine.
    pub fn amplitude(&self) -> f64 {
        self.projection.amplitude()
    }

    /// Returns the projection (axes, pairs) in turns per unit, each entry rounded once.
    pub fn turns(&self) -> Array2<f64> {
        let turns = |(axis, pair): (usize, usize)| {
            self.frequencies[axis][pair].mul(Wide::TURNS_PER_RADIAN).to_f64()
        };
        Array2::from_shape_fn((self.frequencies.len(), self.pairs()), turns)
    }

    /// Returns the same features for another projection (axes, pairs).
    pub(crate) fn with_turns<A: Element>(&self, turns: &Array2<A>) -> Result<Self, Error> {
        let phases = self.phases.iter().map(|phase| phase.mul(Wide::TURNS_PER_RADIAN));
        let Self { layout, block, has_cosines, input, .. } = *self;
        let new = Self::new(turns)?.with_wide_phases(phases).with_amplitude(self.amplitude())?;
        Ok(Self { layout, block, has_cosines, input, ..new })
    }

    pub(super) fn projection(&self) -> &Projection {
        &self.projection
    }

    /// Returns the number of pairs of sines and cosines.
    pub fn pairs(&self) -> usize {
        self.projection.pairs()
    }

    /// Returns the width of a position vector.
    pub fn dim(&self) -> usize {
        self.waves() + self.inputs()
    }

    /// Returns `None`: any point will do.
    pub fn max_len(&self) -> Option<usize> {
        None
    }
}

/// Checks that there are features, and room for them.
pub(super) fn check_size(axes: usize, pairs: usize) -> Result<(usize, usize), Error> {
    if axes == 0 || pairs == 0 {
        return Err(Error::ZeroDim);
    }
    // The memory of a pair on an axis: its frequency twice, phases and parts.
    room::<[f64; 24]>(axes, pairs)?;
    Ok((axes, pairs))
}

impl PartialEq for Fourier {
    fn eq(&self, other: &Self) -> bool {
        let shape = |own: &Self| (own.layout, own.block, own.has_cosines, own.input);
        self.frequencies == other.frequencies
            && self.phases == other.phases
            && self.amplitude() == other.amplitude()
            && shape(self) == shape(other)
    }
}

/// Shows the encoding as a caption: `Fourier features, dim 256, 3 axes, 128 pairs, interleaved`.
impl fmt::Display for Fourier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dim, axes, pairs) = (self.dim(), self.frequencies.len(), self.pairs());
        write!(f, "Fourier features, dim {dim}, {axes} axes, {pairs} ")?;
        match self.has_cosines {
            true => write!(f, "pairs, {}", self.layout)?,
            false => f.write_str("sines")?,
        }
        if self.amplitude() != 1.0 {
            write!(f, ", amplitude {}", self.amplitude())?;
        }
        f.write_str(match self.input {
            Input::Absent => "",
            Input::First => ", coordinates first",
            Input::Last => ", coordinates last",
        })
    }
}

impl fmt::Debug for Fourier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fourier")
            .field("dim", &self.dim())
            .field("axes", &self.frequencies.len())
            .field("pairs", &self.pairs())
            .field("layout", &self.layout)
            .field("input", &self.input)
            .field("amplitude", &self.amplitude())
            .finish()
    }
}

impl<A: Element> PositionalEncoding<A> for Fourier {
    fn dim(&self) -> usize {
        self.dim()
    }

    fn max_len(&self) -> Option<usize> {
        self.max_len()
    }

    fn axes(&self) -> usize {
        self.frequencies.len()
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.check_shape(positions, &out)?;
        PositionalEncoding::<A>::check(self, positions)?;
        threads::rows(positions, out, &|positions, out| {
            self.rows(positions, out);
            Ok(())
        })
    }
}
