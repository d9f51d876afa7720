//! The sinusoid of diffusion timesteps.

use core::fmt;

use super::Sinusoidal;
use crate::error::Error;
use crate::frequencies::Frequencies;
use crate::phase::FeatureLayout;

/// The sinusoid of a diffusion timestep, with the options of diffusers' `get_timestep_embedding` as
/// fields.
///
/// PE(t) = \[sin(scale·t·w) | cos(scale·t·w)\], or the cosines first, with h = ⌊dim/2⌋ frequencies
/// wᵢ = max_period^(−i/(h − shift)), and a column of zeros where dim is odd. With h = 1, w = \[1\]
/// (with shift 1, diffusers divides zero by zero there).
///
/// | system | write | at |
/// |---|---|---|
/// | DDPM; diffusers' defaults | `Timestep::new(dim)` | t |
/// | Stable Diffusion, SDXL, guided diffusion, DiT (Meta's code), PixArt, SD3 | [`Timestep::flipped`]`(dim)` | t |
/// | DiT in diffusers | `Timestep { downscale_freq_shift: 1.0, ..Timestep::flipped(256) }` | t |
/// | FLUX | [`Timestep::flux`]`(256)` | t in 0..1 |
///
/// The models apply two linear layers to these features:
/// [`PositionNetwork`](crate::training::PositionNetwork).
///
/// A timestep is a real number and stays exact: 936.5 is 936.5 whatever the element type, while a
/// cast to bf16 makes it 936.
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::{PositionalEncoding, Positions, Timestep};
///
/// let sd = Timestep::flipped(320).encoding()?;
/// let features: Array2<f32> = sd.encode(&Positions::from(&[936.5]))?;
/// assert_eq!(features[[0, 0]], 936.5_f64.cos() as f32);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(deny_unknown_fields))]
pub struct Timestep {
    /// The width of a vector: `embedding_dim`, `num_channels`.
    pub dim: usize,
    /// The order of sines and cosines (`flip_sin_to_cos`); no known model interleaves them.
    pub layout: FeatureLayout,
    /// The number subtracted from dim/2 in the exponents: `downscale_freq_shift`, `freq_shift`.
    pub downscale_freq_shift: f64,
    /// The factor of each timestep.
    pub scale: f64,
    /// The base of the frequencies.
    pub max_period: f64,
}

impl Timestep {
    /// Makes the defaults of diffusers' function, which are those of DDPM (Ho et al. 2020, arXiv
    /// 2006.11239): sines first, shift 1.
    pub fn new(dim: usize) -> Self {
        let layout = FeatureLayout::SinCosHalves;
        Self { dim, layout, downscale_freq_shift: 1.0, scale: 1.0, max_period: 10_000.0 }
    }

    /// Makes the features that most models use: cosines first, shift 0.
    ///
    /// ```
    /// use positional_encodings::{FeatureLayout, Timestep};
    ///
    /// let stable_diffusion = Timestep::flipped(320);
    /// assert_eq!(stable_diffusion.layout, FeatureLayout::CosSinHalves);
    /// assert_eq!(stable_diffusion.downscale_freq_shift, 0.0);
    /// ```
    pub fn flipped(dim: usize) -> Self {
        let layout = FeatureLayout::CosSinHalves;
        Self { layout, downscale_freq_shift: 0.0, ..Self::new(dim) }
    }

    /// Makes FLUX's features: cosines first, shift 0, with times from 0 to 1 multiplied by 1000.
    ///
    /// ```
    /// use positional_encodings::Timestep;
    /// assert_eq!(Timestep::flux(256).scale, 1000.0);
    /// ```
    pub fn flux(dim: usize) -> Self {
        Self { scale: 1000.0, ..Self::flipped(dim) }
    }

    /// Makes the encoding.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] below dim 2; [`Error::InvalidBase`]; [`Error::InvalidFactor`] for a scale
    /// that is not finite; the errors of [`Frequencies::geometric_shifted`].
    ///
    /// ```
    /// use positional_encodings::Timestep;
    ///
    /// let odd = Timestep::new(9).encoding()?; // four pairs and a column of zeros
    /// assert_eq!((odd.dim(), odd.frequencies().len()), (9, 4));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn encoding(&self) -> Result<Sinusoidal, Error> {
        let even = self.dim / 2 * 2;
        let shift = self.downscale_freq_shift;
        let frequencies = Frequencies::geometric_shifted(even, self.max_period, shift)?;
        let frequencies =
            if self.scale == 1.0 { frequencies } else { frequencies.scaled(self.scale)? };
        Sinusoidal::from_frequencies(frequencies).with_layout(self.layout).padded_to(self.dim)
    }
}

/// Shows the features as a caption: `timestep, dim 320, base 10000, cosines then sines`.
impl fmt::Display for Timestep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dim, layout, downscale_freq_shift, scale, max_period } = self;
        write!(f, "timestep, dim {dim}, base {max_period}, {layout}")?;
        if *downscale_freq_shift != 0.0 {
            write!(f, ", shift {downscale_freq_shift}")?;
        }
        if *scale != 1.0 { write!(f, ", scale {scale}") } else { Ok(()) }
    }
}
