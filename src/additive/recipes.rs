//! Encodings of images, video and boxes by the conventions of known systems.

use super::{Axes, Sinusoidal};
use crate::element::Element;
use crate::error::Error;
use crate::frequencies::Frequencies;
use crate::phase::FeatureLayout::{self, Interleaved, SinCosHalves};

/// # Images, video and boxes by system
///
/// Positions are (row, column) or (time, row, column) unless noted, whatever the order of the
/// features. In the formulas w are the frequencies of an axis.
///
/// | system | constructor | features of a point |
/// |---|---|---|
/// | MAE, ViT in big_vision, diffusers 2-D | [`mae`](Axes::mae) | \[sin, cos\] of the **column**, then of the row |
/// | I-JEPA, V-JEPA images | [`i_jepa`](Axes::i_jepa) | \[sin, cos\] of the row, then of the column |
/// | timm `build_sincos2d_pos_embed` | [`timm`](Axes::timm) | sines of row and column, then cosines |
/// | – `interleave_sin_cos` | [`timm_interleaved`](Axes::timm_interleaved) | \[sin, cos\] of the row, then of the column |
/// | – `reverse_coord` | the same, `.reading(&[1, 0])?` | column first |
/// | DETR, Mask2Former, SAM 2 | [`detr`](Axes::detr) | sin, cos, sin, … of the row, then of the column |
/// | DAB-DETR, SAM 3: boxes (x, y, w, h) | [`dab_detr`](Axes::dab_detr) | of y, x, w, h |
/// | Deformable DETR's proposals (x, y, w, h) | [`deformable_detr`](Axes::deformable_detr) | of x, y, w, h |
/// | LoFTR, at positions from 1 | [`loftr`](Axes::loftr) | sin x, cos x, sin y, cos y of each frequency |
/// | `positional-encodings` (Python) | [`python`](Axes::python) | sin, cos, … of each axis, cut to dim |
/// | tensor2tensor n-D | [`tensor2tensor`](Axes::tensor2tensor) | \[sin, cos\] of each axis, then zeros |
/// | V-JEPA video (time, row, column) | [`v_jepa`](Axes::v_jepa) | half for the time, a quarter for each of the others |
/// | – `uniform_power` | [`v_jepa_uniform`](Axes::v_jepa_uniform) | a third for each, cut to dim |
/// | diffusers 3-D (time, row, column) | [`diffusers_3d`](Axes::diffusers_3d) | a quarter for the time, then the **column**, then the row |
impl<A: Element> Axes<A, Sinusoidal> {
    /// Makes the 2-D sinusoid of MAE (He et al. 2021, arXiv 2111.06377; `get_2d_sincos_pos_embed`):
    /// the first half of the features has the **column**.
    ///
    /// wᵢ = 10000^(−i/(dim/4)); \[sin(c·w) | cos(c·w) | sin(r·w) | cos(r·w)\] at (r, c). For the
    /// class token see [`with_zero_position`](Self::with_zero_position).
    ///
    /// # Errors
    ///
    /// [`Error::IndivisibleDim`] unless 4 divides dim; [`Error::ZeroDim`].
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use positional_encodings::{Axes, PositionalEncoding, Positions};
    ///
    /// let row: Array2<f64> = Axes::mae(4)?.encode(&Positions::from_points(&array![[1, 2]])?)?;
    /// assert_eq!(row, array![[2_f64.sin(), 2_f64.cos(), 1_f64.sin(), 1_f64.cos()]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn mae(dim: usize) -> Result<Self, Error> {
        Self::i_jepa(dim)?.reading(&[1, 0])
    }

    /// Makes the 2-D sinusoid of I-JEPA and of V-JEPA's images: the first half has the row.
    ///
    /// # Errors
    ///
    /// The errors of [`mae`](Self::mae).
    ///
    /// ```
    /// use positional_encodings::{Axes, Sinusoidal};
    ///
    /// let (i_jepa, mae) = (Axes::<f32, _>::i_jepa(8)?, Axes::mae(8)?);
    /// assert_eq!(i_jepa.reading(&[1, 0])?, mae);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn i_jepa(dim: usize) -> Result<Self, Error> {
        let w = share(dim, 2, 2)?;
        Self::concat(repeat(geometric(w, 1e4, SinCosHalves)?, 2))
    }

    /// Makes timm's 2-D sinusoid as it is by default: \[sin r | sin c | cos r | cos c\], wᵢ =
    /// temperature^(−i/(dim/4)).
    ///
    /// # Errors
    ///
    /// The errors of [`mae`](Self::mae), and [`Error::InvalidBase`].
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use positional_encodings::{Axes, PositionalEncoding, Positions};
    ///
    /// let point = Positions::from_points(&array![[1, 2]])?.into_owned()?;
    /// let row: Array2<f64> = Axes::timm(4, 1e4)?.encode(&point)?;
    /// assert_eq!(row, array![[1_f64.sin(), 2_f64.sin(), 1_f64.cos(), 2_f64.cos()]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn timm(dim: usize, temperature: f64) -> Result<Self, Error> {
        Self::timm_interleaved(dim, temperature)?.interleaved(dim / 4)
    }

    /// Makes timm's 2-D sinusoid with `interleave_sin_cos`: \[sin r | cos r | sin c | cos c\].
    ///
    /// # Errors
    ///
    /// The errors of [`timm`](Self::timm).
    ///
    /// ```
    /// use positional_encodings::Axes;
    ///
    /// assert_eq!(Axes::<f32, _>::timm_interleaved(8, 1e4)?, Axes::i_jepa(8)?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn timm_interleaved(dim: usize, temperature: f64) -> Result<Self, Error> {
        let w = share(dim, 2, 2)?;
        Self::concat(repeat(geometric(w, temperature, SinCosHalves)?, 2))
    }

    /// Makes the sine encoding of DETR (Carion et al. 2020, arXiv 2005.12872), Mask2Former and SAM
    /// 2: sin and cos alternate, the row's features first. Feature j of a coordinate p is the sine
    /// or cosine of p/tⱼ with tⱼ = temperature^(2⌊j/2⌋/(dim/2)).
    ///
    /// [`from_masks`] makes the positions: it counts, shifts, normalises and scales rows and
    /// columns. `temperature` is 10000 in all of these systems, and 20 for DAB-DETR's images.
    ///
    /// [`from_masks`]: crate::Positions::from_masks
    ///
    /// # Errors
    ///
    /// The errors of [`timm`](Self::timm).
    ///
    /// ```
    /// use ndarray::Array3;
    /// use positional_encodings::{Axes, PositionalEncoding, Positions, ids::MaskCounts};
    ///
    /// let mask = Array3::from_elem((2, 4, 6), true); // (batch, height, width)
    /// let positions = Positions::from_masks(&mask, MaskCounts::NORMALIZED)?;
    /// let vectors: Array3<f32> = Axes::detr(16, 1e4)?.encode_batch(&positions)?;
    /// assert_eq!(vectors.dim(), (2, 24, 16));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn detr(dim: usize, temperature: f64) -> Result<Self, Error> {
        let w = share(dim, 2, 2)?;
        Self::concat(repeat(geometric(w, temperature, Interleaved)?, 2))
    }

    /// Makes the encoding of anchor boxes (x, y, w, h) in 0..1 of DAB-DETR (Liu et al. 2022, arXiv
    /// 2201.12329) and SAM 3: coordinates times 2π, features in the order **y, x, w, h**.
    ///
    /// The temperature is 10000 in the models, and dim is 4 · 128.
    ///
    /// # Errors
    ///
    /// [`Error::IndivisibleDim`] unless 8 divides dim; [`Error::ZeroDim`], [`Error::InvalidBase`].
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use positional_encodings::{Axes, PositionalEncoding, Positions};
    ///
    /// let boxes = array![[0.0, 0.25, 0.5, 0.75]];
    /// let row: Array2<f64> = Axes::dab_detr(8, 1e4)?.encode(&Positions::from_points(&boxes)?)?;
    /// assert_eq!(row, array![[1.0, 0.0, 0.0, 1.0, 0.0, -1.0, -1.0, 0.0]]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn dab_detr(dim: usize, temperature: f64) -> Result<Self, Error> {
        Self::deformable_detr(dim, temperature)?.reading(&[1, 0, 2, 3])
    }

    /// Makes the encoding of proposals (x, y, w, h) in 0..1 of Deformable DETR (Zhu et al. 2020,
    /// arXiv 2010.04159): as [`dab_detr`](Self::dab_detr), but with features in the order x, y, w,
    /// h.
    ///
    /// # Errors
    ///
    /// The errors of [`dab_detr`](Self::dab_detr).
    ///
    /// ```
    /// use positional_encodings::Axes;
    ///
    /// let proposals = Axes::<f32, _>::deformable_detr(512, 1e4)?;
    /// assert_eq!(proposals.reading(&[1, 0, 2, 3])?, Axes::dab_detr(512, 1e4)?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn deformable_detr(dim: usize, temperature: f64) -> Result<Self, Error> {
        let frequencies = Frequencies::geometric(share(dim, 4, 2)?, temperature)?.full_turns()?;
        Self::concat(repeat(Sinusoidal::from_frequencies(frequencies), 4))
    }

    /// Makes the encoding of LoFTR (Sun et al. 2021, arXiv 2104.00680; kornia with `temp_bug_fix`):
    /// sin(x·wᵢ), cos(x·wᵢ), sin(y·wᵢ), cos(y·wᵢ) with wᵢ = 10000^(−2i/(dim/2)).
    ///
    /// Positions are (y, x) and count **from 1**: `Positions::grid_of(&[1..height + 1, 1..width +
    /// 1])`.
    ///
    /// # Errors
    ///
    /// The errors of [`mae`](Self::mae).
    ///
    /// ```
    /// use positional_encodings::{Axes, PositionalEncoding, Positions};
    ///
    /// let positions = Positions::grid_of(&[1..61, 1..81])?;
    /// let vectors: ndarray::Array2<f32> = Axes::loftr(256)?.encode(&positions)?;
    /// assert_eq!(vectors.row(0)[0], 1_f32.sin());
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn loftr(dim: usize) -> Result<Self, Error> {
        let w = share(dim, 2, 2)?;
        Self::concat(repeat(geometric(w, 1e4, Interleaved)?, 2))?.interleaved(2)?.reading(&[1, 0])
    }

    /// Makes LoFTR's encoding with the frequencies of its first checkpoints: wᵢ = exp(−2i · n), n =
    /// ⌈ln(10000)/(2·dim)⌉, which come from an integer division by mistake (kornia without
    /// `temp_bug_fix`).
    ///
    /// # Errors
    ///
    /// The errors of [`loftr`](Self::loftr).
    ///
    /// ```
    /// use positional_encodings::Axes;
    ///
    /// let released = Axes::<f32, _>::loftr_released(256)?;
    /// let radians = released.encodings().next().map(|axis| axis.frequencies().to_radians());
    /// assert_eq!(radians.unwrap()[1], (-2_f64).exp());
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn loftr_released(dim: usize) -> Result<Self, Error> {
        let w = share(dim, 2, 2)?;
        // −ln(10000)/dim // 2 in Python: rounded down, away from zero.
        let exponent = libm::floor(-libm::log(1e4) / dim as f64 / 2.0);
        let radians = (0..w / 2).map(|i| libm::exp(2.0 * i as f64 * exponent));
        let axis = Sinusoidal::from_frequencies(Frequencies::from_radians(radians)?);
        Self::concat(repeat(axis, 2))?.interleaved(2)?.reading(&[1, 0])
    }

    /// Makes the encoding of the Python package `positional-encodings` (`PositionalEncoding1D`,
    /// `2D`, `3D`) in any number of axes: n = 2⌈dim/(2·axes)⌉ columns for each axis, sin and cos
    /// alternating with wᵢ = 10000^(−2i/n), cut to dim. Where 2 · axes does not divide dim, the
    /// last axes lose columns, as in that package.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without features or axes, [`Error::TooLarge`].
    ///
    /// ```
    /// use positional_encodings::{Axes, PositionalEncoding};
    ///
    /// let video: ndarray::ArrayD<f32> = Axes::python(10, 3)?.encode_grid(&[2, 3, 4])?;
    /// assert_eq!(video.shape(), [2, 3, 4, 10]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn python(dim: usize, axes: usize) -> Result<Self, Error> {
        let w = columns_of(dim, axes)?;
        Self::concat(repeat(geometric(w, 1e4, Interleaved)?, axes))?.with_dim(dim)
    }

    /// Makes tensor2tensor's `add_timing_signal_nd`: for each axis \[sin | cos\] of ⌊dim/(2·axes)⌋
    /// timescales from 1 to 10000, both included, then zeros up to dim.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without axes or features; [`Error::DimTooSmall`] for fewer than two
    /// features for each axis; [`Error::TooLarge`].
    ///
    /// ```
    /// use positional_encodings::{Axes, PositionalEncoding, Positions};
    ///
    /// let grid = Axes::tensor2tensor(13, 2)?;
    /// let row: ndarray::Array2<f64> = grid.encode(&Positions::grid(&[1, 1])?)?;
    /// assert_eq!(row.as_slice().unwrap()[..6], [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    /// assert_eq!(row[[0, 12]], 0.0);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn tensor2tensor(dim: usize, axes: usize) -> Result<Self, Error> {
        if axes == 0 || dim == 0 {
            return Err(Error::ZeroDim);
        }
        let w = dim / axes / 2 * 2;
        if w == 0 {
            return Err(Error::DimTooSmall { dim, needed: axes.saturating_mul(2) });
        }
        let frequencies = Frequencies::geometric_inclusive(w, 1e4)?;
        let axis = Sinusoidal::from_frequencies(frequencies).with_layout(SinCosHalves);
        Self::concat(repeat(axis, axes))?.with_dim(dim)
    }

    /// Makes V-JEPA's encoding of a video at (time, row, column) (Bardes et al. 2024, arXiv
    /// 2404.08471): dim/2 features for the time, dim/4 for each of the others, \[sin | cos\] each.
    ///
    /// # Errors
    ///
    /// [`Error::IndivisibleDim`] unless 8 divides dim; [`Error::ZeroDim`].
    ///
    /// ```
    /// use positional_encodings::{Axes, PositionalEncoding};
    ///
    /// let video: ndarray::ArrayD<f32> = Axes::v_jepa(1024)?.encode_grid(&[8, 14, 14])?;
    /// assert_eq!(video.shape(), [8, 14, 14, 1024]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn v_jepa(dim: usize) -> Result<Self, Error> {
        let w = share(dim, 4, 2)?;
        let [time, space] = [2 * w, w].map(|w| geometric(w, 1e4, SinCosHalves));
        let space = space?;
        Self::concat([time?, space.clone(), space])
    }

    /// Makes V-JEPA's encoding with `uniform_power`: 2⌈dim/6⌉ features for each of time, row and
    /// column, cut to dim.
    ///
    /// # Errors
    ///
    /// The errors of [`python`](Self::python).
    ///
    /// ```
    /// use positional_encodings::Axes;
    /// assert_eq!(Axes::<f32, _>::v_jepa_uniform(1024)?.dim(), 1024);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn v_jepa_uniform(dim: usize) -> Result<Self, Error> {
        let w = columns_of(dim, 3)?;
        Self::concat(repeat(geometric(w, 1e4, SinCosHalves)?, 3))?.with_dim(dim)
    }

    /// Makes the 3-D sinusoid of diffusers (`get_3d_sincos_pos_embed`, CogVideoX) at (time, row,
    /// column): dim/4 features for the time, 3·dim/8 for the **column**, 3·dim/8 for the row.
    ///
    /// # Errors
    ///
    /// [`Error::IndivisibleDim`] unless 16 divides dim; [`Error::ZeroDim`].
    ///
    /// ```
    /// use positional_encodings::{Axes, PositionalEncoding};
    ///
    /// let video: ndarray::ArrayD<f32> = Axes::diffusers_3d(1920)?.encode_grid(&[2, 3, 4])?;
    /// assert_eq!(video.shape(), [2, 3, 4, 1920]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn diffusers_3d(dim: usize) -> Result<Self, Error> {
        let w = share(dim, 8, 2)?;
        let [time, space] = [2 * w, 3 * w].map(|w| geometric(w, 1e4, SinCosHalves));
        let space = space?;
        Self::concat([time?, space.clone(), space])?.reading(&[0, 2, 1])
    }
}

/// Returns `dim` / `parts`, or an error unless that is a whole multiple of `of`.
fn share(dim: usize, parts: usize, of: usize) -> Result<usize, Error> {
    match dim {
        0 => Err(Error::ZeroDim),
        dim if dim.is_multiple_of(parts * of) => Ok(dim / parts),
        dim => Err(Error::IndivisibleDim { dim, divisor: parts * of }),
    }
}

/// Returns an even number of columns for each axis, enough for `dim` in all.
fn columns_of(dim: usize, axes: usize) -> Result<usize, Error> {
    match axes.saturating_mul(2) {
        0 => Err(Error::ZeroDim),
        _ if dim == 0 => Err(Error::ZeroDim),
        features => Ok(dim.div_ceil(features) * 2),
    }
}

fn geometric(dim: usize, base: f64, layout: FeatureLayout) -> Result<Sinusoidal, Error> {
    Ok(Sinusoidal::from_frequencies(Frequencies::geometric(dim, base)?).with_layout(layout))
}

fn repeat(encoding: Sinusoidal, axes: usize) -> impl Iterator<Item = Sinusoidal> {
    core::iter::repeat_n(encoding, axes)
}
