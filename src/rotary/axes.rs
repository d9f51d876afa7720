//! Rotations of several axes: images, and video between text.

use super::encoding::{Part, Rotary};
use super::pairing::Pairing;
use crate::error::Error;
use crate::frequencies::Frequencies;

/// Which pairs of a head turn with the row and which with the column of an image patch, as systems
/// order them.
///
/// With D rotated features, n = D/4, fᵢ = base^(−4i/D) for i < n, and (row, column) as the
/// coordinates:
///
/// | order | angles of the D/2 pairs | pairs | systems |
/// |---|---|---|---|
/// | `Qwen2Vl` | row·f₀ … row·fₙ₋₁, column·f₀ … column·fₙ₋₁ | halves of the head | the vision towers of Qwen2-VL, Qwen2.5-VL, Qwen3-VL; DINOv3's (see [`Rotary::dinov3`]) |
/// | `Pixtral` | row·g₀, row·g₂, …, column·g₁, column·g₃, …, gᵢ = base^(−2i/D) | halves of the head | Pixtral |
/// | `Gemma4` | as `Qwen2Vl` | halves within the row's half of the features and within the column's | Gemma 4's vision tower |
/// | `Llama4` | column·f₀ … column·fₙ₋₁, row·f₀ … row·fₙ₋₁ | neighbours | Llama 4 (coordinates count from 1, the class token has 0), SAM 2 (from 0) |
/// | `Eva02` | row·f₀ …, column·f₀ … | neighbours | EVA-02, timm's `RotaryEmbeddingCat` |
///
/// ```
/// use positional_encodings::{Positions, Rotary, rotary::AxialOrder};
///
/// // The patch in row 1 and column 0, of 8 features: which pairs turn?
/// let turned = |order| -> Result<Vec<bool>, positional_encodings::Error> {
///     let rotation = Rotary::axial_2d(8, 10_000.0, order)?.at::<f64>(Positions::from_axes([&[1], &[0]])?)?;
///     Ok(rotation.cos_sin(0).unwrap()[1].iter().map(|sin| *sin != 0.0).collect())
/// };
/// assert_eq!(turned(AxialOrder::Qwen2Vl)?, [true, true, false, false]);
/// assert_eq!(turned(AxialOrder::Llama4)?, [false, false, true, true]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AxialOrder {
    /// Rows, then columns, in halves.
    Qwen2Vl,
    /// Even frequencies for rows, odd ones for columns, in halves.
    Pixtral,
    /// Rows in the first half of the features, columns in the second, each paired on its own.
    Gemma4,
    /// Columns, then rows, in neighbours: Llama 4 and SAM 2.
    Llama4,
    /// Rows, then columns, in neighbours.
    Eva02,
}

/// How the pairs of a multimodal rotation are divided among time, height and width.
///
/// ```
/// use positional_encodings::{Frequencies, Pairing, Positions, Rotary, rotary::Sections};
///
/// // One frequency for all six pairs, at time 0, height 1, width 2
/// let axis_of = |order| -> Result<Vec<f64>, positional_encodings::Error> {
///     let rotary = Rotary::new(Frequencies::geometric(12, 1.0)?, Pairing::Halves).with_sections(&[2, 2, 2], order)?;
///     let rotation = rotary.at::<f64>(Positions::from_axes([&[0], &[1], &[2]])?)?;
///     Ok(rotation.cos_sin(0).unwrap()[1].iter().map(|sin| sin.asin()).map(|angle| (10.0 * angle).round()).collect())
/// };
/// let [t, h, w] = [0.0, 10.0, 11.0]; // arcsin of the sines of 0, 1 and 2 radians
/// assert_eq!(axis_of(Sections::Chunked)?, [t, t, h, h, w, w]);
/// assert_eq!(axis_of(Sections::Interleaved)?, [t, h, w, t, h, w]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sections {
    /// The first section's pairs turn with the first axis, the next section's with the second, …:
    /// Qwen2-VL, Qwen2.5-VL, and with neighbours GLM-4V.
    Chunked,
    /// T H W T H W …: pair i turns with height where i mod 3 = 1 and i < 3 · heights, with width
    /// where i mod 3 = 2 and i < 3 · widths, otherwise with time: Qwen3-VL, Qwen3.5.
    Interleaved,
}

impl Rotary {
    /// A rotation of several axes: the pairs of the first axis' frequencies, then those of the
    /// second, ….
    ///
    /// With `Pairing::Interleaved` this is FLUX's and diffusers' order for any number of axes,
    /// rotary-embedding-torch's axial one, and timm's.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`] without an axis; [`Error::InvalidParameter`] where axes have different
    /// attention factors.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, Pairing, Positions, Rotary};
    ///
    /// // FLUX with axes_dim (16, 56, 56)
    /// let axes = [16, 56, 56].map(|dim| Frequencies::geometric(dim, 10_000.0));
    /// let flux = Rotary::axial(axes.into_iter().collect::<Result<Vec<_>, _>>()?, Pairing::Interleaved)?;
    /// assert_eq!((flux.dim(), flux.axes()), (128, 3));
    /// assert_eq!(flux.at::<f32>(Positions::grid(&[1, 4, 4])?)?.positions(), Some(16));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn axial(
        frequencies: impl IntoIterator<Item = Frequencies>,
        pairing: Pairing,
    ) -> Result<Self, Error> {
        let ordered: Vec<(usize, Frequencies)> = frequencies.into_iter().enumerate().collect();
        Self::blocks(ordered, pairing)
    }

    /// Blocks of pairs, each with the axis it turns with.
    fn blocks(ordered: Vec<(usize, Frequencies)>, pairing: Pairing) -> Result<Self, Error> {
        let axes = ordered.len();
        if axes == 0 {
            return Err(Error::ZeroDim);
        }
        let factor = ordered[0].1.attention_factor();
        if let Some(other) =
            ordered.iter().map(|(_, each)| each.attention_factor()).find(|&other| other != factor)
        {
            let (name, needs) = ("attention factor of an axis", "that of the first axis");
            return Err(Error::InvalidParameter { name, value: other, needs });
        }
        let mut first = 0;
        let part = |(axis, frequencies): (usize, Frequencies)| {
            let targets = (first..first + frequencies.len()).collect();
            first += frequencies.len();
            Part::new(axis, frequencies, targets)
        };
        Ok(Self::from_parts(ordered.into_iter().map(part).collect(), pairing, axes))
    }

    /// A rotation by (row, column) in the order of the named system.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`], [`Error::OddDim`]; [`Error::InvalidParameter`] for a dim that 4 does not
    /// divide; [`Error::InvalidBase`].
    ///
    /// ```
    /// use ndarray::Array4;
    /// use positional_encodings::{Positions, Rotary, rotary::AxialOrder};
    ///
    /// let vision = Rotary::axial_2d(80, 10_000.0, AxialOrder::Qwen2Vl)?;
    /// let patches = vision.at(Positions::grid(&[4, 6])?)?;
    /// let mut q = Array4::<f32>::ones((1, 16, 24, 80)); // (batch, heads, patches, dim)
    /// patches.apply(q.view_mut())?;
    /// assert_eq!(q[[0, 0, 23, 0]], 3_f32.cos() - 3_f32.sin()); // row 3 of the last patch
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn axial_2d(dim: usize, base: f64, order: AxialOrder) -> Result<Self, Error> {
        let whole = Frequencies::geometric(dim, base)?;
        check_quarters(dim)?;
        let each = Frequencies::geometric(dim / 2, base)?;
        match order {
            AxialOrder::Qwen2Vl => Self::axial([each.clone(), each], Pairing::Halves),
            AxialOrder::Eva02 => Self::axial([each.clone(), each], Pairing::Interleaved),
            AxialOrder::Llama4 => {
                Self::blocks(vec![(1, each.clone()), (0, each)], Pairing::Interleaved)
            }
            AxialOrder::Gemma4 => {
                let mut rotary = Self::axial([each.clone(), each], Pairing::Halves)?;
                rotary.features.blocks = 2;
                Ok(rotary)
            }
            AxialOrder::Pixtral => {
                let of_parity =
                    |parity| whole.select(&(parity..dim / 2).step_by(2).collect::<Vec<usize>>());
                Self::axial([of_parity(0)?, of_parity(1)?], Pairing::Halves)
            }
        }
    }

    /// Divides the pairs among several axes, as multimodal models do with time, height and width
    /// (M-RoPE; Wang et al. 2024, *Qwen2-VL*, arXiv 2409.12191). One position that stands for all
    /// axes, as text has it, then gives the rotation of before.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] where the sections do not sum to the number of pairs, where
    /// interleaved ones are not three, or where the rotation has several axes already.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, Pairing, Positions, Rotary, rotary::Sections};
    ///
    /// let plain = Rotary::new(Frequencies::geometric(128, 1e6)?, Pairing::Halves);
    /// let qwen2_vl = plain.clone().with_sections(&[16, 24, 24], Sections::Chunked)?;
    /// let (text, before) = (qwen2_vl.at::<f32>(7..9)?, plain.at::<f32>(7..9)?);
    /// assert_eq!(text.cos_sin(1), before.cos_sin(1));
    /// assert_eq!(qwen2_vl.at::<f32>(Positions::grid(&[1, 4, 6])?)?.positions(), Some(24));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_sections(self, sections: &[usize], order: Sections) -> Result<Self, Error> {
        let pairs = self.features.pairs;
        let [part] = &self.parts[..] else {
            return Err(Error::LengthMismatch {
                what: "axes before the sections",
                expected: 1,
                found: self.axes,
            });
        };
        let sum = sections.iter().fold(0_usize, |sum, &section| sum.saturating_add(section));
        if sum != pairs {
            return Err(Error::LengthMismatch {
                what: "pairs in the sections",
                expected: pairs,
                found: sum,
            });
        }
        if order == Sections::Interleaved && sections.len() != 3 {
            return Err(Error::LengthMismatch {
                what: "sections",
                expected: 3,
                found: sections.len(),
            });
        }
        let axis_of: Vec<usize> = match order {
            Sections::Chunked => sections
                .iter()
                .enumerate()
                .flat_map(|(axis, &count)| core::iter::repeat_n(axis, count))
                .collect(),
            Sections::Interleaved => (0..pairs)
                .map(|i| if i % 3 > 0 && i < 3 * sections[i % 3] { i % 3 } else { 0 })
                .collect(),
        };
        let mut of_axes = vec![Vec::new(); sections.len()];
        axis_of.into_iter().enumerate().for_each(|(pair, axis)| of_axes[axis].push(pair));
        let mut parts = Vec::new();
        for (axis, targets) in of_axes.into_iter().enumerate() {
            if !targets.is_empty() {
                parts.push(Part::new(axis, part.frequencies.select(&targets)?, targets));
            }
        }
        let mut divided = Self { parts, axes: sections.len(), shared: true, ..self };
        divided.renew();
        Ok(divided)
    }

    /// DINOv3's rotation (Siméoni et al. 2025, arXiv 2508.10104): angles 2π · coordinate ·
    /// base^(−4i/dim), base 100, rows then columns, halves. Coordinates run from −1 to 1:
    /// [`Positions::dinov3`](crate::Positions::dinov3). Prefix tokens are not rotated: slice
    /// them off, or put coordinates of 0 before the grid with
    /// [`Positions::concat`](crate::Positions::concat).
    ///
    /// # Errors
    ///
    /// Those of [`axial_2d`](Self::axial_2d).
    ///
    /// ```
    /// use positional_encodings::{Positions, Rotary};
    ///
    /// let rotary = Rotary::dinov3(64, 100.0)?;
    /// assert_eq!(rotary.at::<f32>(Positions::dinov3(14, 14)?)?.positions(), Some(196));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn dinov3(dim: usize, base: f64) -> Result<Self, Error> {
        Frequencies::geometric(dim, base)?;
        check_quarters(dim)?;
        let each = Frequencies::geometric(dim / 2, base)?.full_turns()?;
        Self::axial([each.clone(), each], Pairing::Halves)
    }
}

fn check_quarters(dim: usize) -> Result<(), Error> {
    if dim.is_multiple_of(4) {
        Ok(())
    } else {
        Err(Error::InvalidParameter {
            name: "dim",
            value: dim as f64,
            needs: "a multiple of 4, for rows and columns",
        })
    }
}
