//! Bands of frequencies on each axis: NeRF, nerfstudio, Perceiver, timm.

use super::fourier::check_size;
use super::{Fourier, Input};
use crate::error::Error;
use crate::exact::Wide;
use crate::frequencies::Frequencies;
use crate::phase::FeatureLayout::{Interleaved, SinCosHalves};

/// # Bands of frequencies
///
/// Each pair depends on one coordinate. Unless noted, all coordinates have the same bands f₀, f₁,
/// …, and the features are \[sin | cos\], in each half one axis after the other.
impl Fourier {
    /// Makes the encoding of NeRF's paper (Mildenhall et al. 2020, arXiv 2003.08934): sin(2ᵏ·π·x)
    /// and cos(2ᵏ·π·x), k < `bands`, coordinate by coordinate, sin and cos alternating.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::TooLarge`]; [`Error::InvalidFrequency`] for more than 63 bands.
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use positional_encodings::{Fourier, PositionalEncoding, Positions};
    ///
    /// let nerf = Fourier::nerf(3, 10)?;
    /// assert_eq!(nerf.dim(), 60);
    /// let point = array![[0.5, 0.0, 1.0]];
    /// let features: Array2<f64> = nerf.encode(&Positions::from_points(&point)?)?;
    /// assert_eq!(features.as_slice().unwrap()[..4], [1.0, 0.0, 0.0, -1.0]); // π/2, π
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn nerf(axes: usize, bands: usize) -> Result<Self, Error> {
        let turns = Frequencies::from_radians(powers_of_two(bands, 0.5)?)?;
        Ok(Self::bands(axes, &turns)?.with_layout(Interleaved))
    }

    /// Makes the encoding that NeRF's code computes: the coordinates, then for each k the sines of
    /// all coordinates at 2ᵏ·x and their cosines, without the factor π.
    ///
    /// # Errors
    ///
    /// The errors of [`nerf`](Self::nerf).
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use positional_encodings::{Fourier, PositionalEncoding, Positions};
    ///
    /// let point = array![[0.25, 0.5]];
    /// let features: Array2<f64> =
    ///     Fourier::nerf_code(2, 1)?.encode(&Positions::from_points(&point)?)?;
    /// let expected =
    ///     [0.25, 0.5, 0.25_f64.sin(), 0.5_f64.sin(), 0.25_f64.cos(), 0.5_f64.cos()];
    /// assert_eq!(features.as_slice(), Some(&expected[..]));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn nerf_code(axes: usize, bands: usize) -> Result<Self, Error> {
        let (axes, bands) = check_size(axes, bands)?;
        let pairs = axes.checked_mul(bands).ok_or(Error::TooLarge { rows: axes, dim: bands })?;
        check_size(axes, pairs)?;
        let radians = powers_of_two(bands, 1.0)?;
        let turns = |axis: usize, pair: usize| {
            let own = Wide::from_f64(radians[pair / axes]).mul(Wide::TURNS_PER_RADIAN);
            Ok(if pair % axes == axis { own } else { Wide::ZERO })
        };
        let features = Self::from_turns(axes, pairs, turns)?;
        Ok(features.with_input(Input::First).with_layout(SinCosHalves).in_blocks_of(axes))
    }

    /// Makes nerfstudio's `NeRFEncoding`: \[sin | cos\] of 2π·x·2^e, e in `bands` steps from
    /// `exponents.0` to `exponents.1`, both included. For `include_input` add
    /// [`with_input(Input::Last)`](Self::with_input).
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::TooLarge`]; [`Error::InvalidTimescales`] unless the exponents
    /// are within ±1000 and do not descend; [`Error::InvalidFrequency`] for an exponent of 63 or
    /// more.
    ///
    /// ```
    /// use positional_encodings::{Fourier, space::Input};
    ///
    /// let nerf = Fourier::nerfstudio(3, 4, (0.0, 3.0))?;
    /// assert_eq!(nerf.turns().row(0).to_vec()[..4], [1.0, 2.0, 4.0, 8.0]);
    /// assert_eq!(nerf.with_input(Input::Last).dim(), 27);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn nerfstudio(axes: usize, bands: usize, exponents: (f64, f64)) -> Result<Self, Error> {
        Self::bands(axes, &ascending_powers(bands, exponents)?)
    }

    /// Makes Perceiver's features (Jaegle et al. 2021, arXiv 2103.03206): the coordinates, then
    /// \[sin | cos\] of π·f·x with f in `bands` steps from 1 to half the resolution of the axis.
    ///
    /// Positions are from −1 to 1; [`Positions::linspace`](crate::Positions::linspace) makes
    /// Perceiver's grid. For `sine_only` add [`sines_only`](Self::sines_only), and without
    /// `concat_pos` add `.with_input(Input::Absent)`.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::TooLarge`].
    ///
    /// ```
    /// use positional_encodings::{Fourier, PositionalEncoding, Positions};
    ///
    /// let perceiver = Fourier::perceiver(&[224, 224], 64)?;
    /// assert_eq!(perceiver.dim(), 2 + 2 * 2 * 64);
    /// let grid = Positions::linspace(&[3, 4], -1.0..=1.0)?;
    /// let features: ndarray::Array2<f32> = perceiver.encode(&grid)?;
    /// assert_eq!(features.dim(), (12, 258));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn perceiver(resolutions: &[usize], bands: usize) -> Result<Self, Error> {
        let (axes, bands) = check_size(resolutions.len(), bands)?;
        let pairs = axes.checked_mul(bands).ok_or(Error::TooLarge { rows: axes, dim: bands })?;
        check_size(axes, pairs)?;
        let turns = |axis: usize, pair: usize| {
            if pair / bands != axis {
                return Ok(Wide::ZERO);
            }
            let last = resolutions[axis] as f64 / 2.0;
            let step = if bands > 1 { (last - 1.0) / (bands - 1) as f64 } else { 0.0 };
            Ok(Wide::from_f64((1.0 + (pair % bands) as f64 * step) / 2.0))
        };
        Ok(Self::from_turns(axes, pairs, turns)?.with_input(Input::First))
    }

    /// Makes features with the same bands on each axis. The frequencies `turns` are read as turns
    /// per unit instead of radians.
    ///
    /// timm's `build_fourier_pos_embed` has the features one axis at a time: use `Axes::concat` of
    /// `Fourier::bands(1, …)?.with_input(Input::First)`. Its `FourierEmbed` interleaves the axes:
    /// add `.interleaved(1)?`.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::TooLarge`], [`Error::InvalidFrequency`].
    ///
    /// ```
    /// use positional_encodings::{
    ///     Axes, Fourier, Frequencies, PositionalEncoding, Positions, space::Input,
    /// };
    ///
    /// // timm in pixels, linear: bands π·1 … π·max_res/2 in radians, half of it in turns
    /// let bands = Frequencies::from_radians([0.5, 1.75, 3.0])?; // max_res 12
    /// let axis = Fourier::bands(1, &bands)?.with_input(Input::First);
    /// let timm = Axes::concat([axis.clone(), axis])?;
    /// let grid = Positions::linspace(&[3, 2], -1.0..=1.0)?;
    /// let features: ndarray::Array2<f32> = timm.encode(&grid)?;
    /// assert_eq!(features.dim(), (6, 2 * 7));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn bands(axes: usize, turns: &Frequencies) -> Result<Self, Error> {
        Self::bands_times(axes, turns, Wide::ONE)
    }

    /// Makes the features of bands in radians.
    pub(super) fn bands_in_radians(axes: usize, radians: &Frequencies) -> Result<Self, Error> {
        Self::bands_times(axes, radians, Wide::TURNS_PER_RADIAN)
    }

    fn bands_times(axes: usize, bands: &Frequencies, unit: Wide) -> Result<Self, Error> {
        let count = bands.len();
        let pairs = axes.checked_mul(count).ok_or(Error::TooLarge { rows: axes, dim: count })?;
        check_size(axes, pairs)?;
        let turns: Vec<Wide> = bands.as_wide().iter().map(|band| band.mul(unit)).collect();
        let own = |axis: usize, pair: usize| {
            Ok(if pair / count == axis { turns[pair % count] } else { Wide::ZERO })
        };
        Self::from_turns(axes, pairs, own)
    }
}

/// Returns first · 2ᵏ for each band k.
pub(super) fn powers_of_two(bands: usize, first: f64) -> Result<Vec<f64>, Error> {
    if bands > 64 {
        return Err(Error::InvalidFrequency { pair: 64, frequency: f64::INFINITY });
    }
    Ok((0..bands).scan(first, |power, _| Some(core::mem::replace(power, *power * 2.0))).collect())
}

/// Returns 2^e for evenly spaced exponents e.
fn ascending_powers(bands: usize, (least, most): (f64, f64)) -> Result<Frequencies, Error> {
    if !(least <= most && least.abs() <= 1000.0 && most.abs() <= 1000.0) {
        return Err(Error::InvalidTimescales { shortest: least, longest: most });
    }
    if bands < 2 {
        return match bands {
            0 => Err(Error::ZeroDim),
            _ => Frequencies::from_radians([libm::exp2(least)]),
        };
    }
    let dim = bands.checked_mul(2).ok_or(Error::TooLarge { rows: 1, dim: bands })?;
    let descending = Frequencies::timescales(dim, libm::exp2(-most)..=libm::exp2(-least))?;
    descending.select(&Vec::from_iter((0..bands).rev()))
}
