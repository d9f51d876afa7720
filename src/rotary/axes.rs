//! Rotations of several axes: images, and video between text.

use super::encoding::{Part, Rotary};
use super::pairing::Pairing;
use crate::error::{Error, check_parameter};
use crate::frequencies::{Frequencies, room_for};

/// The order in which the pairs of a head are assigned to the row and the column of an image patch,
/// by system.
///
/// With D rotated features, n = D/4 and fᵢ = base^(−4i/D) for i < n, at (row, column):
///
/// | order | angles of the D/2 pairs | pairs | systems |
/// |---|---|---|---|
/// | `Qwen2Vl` | row·f₀ … row·fₙ₋₁, column·f₀ … column·fₙ₋₁ | halves of the head | the vision towers of Qwen2-VL, Qwen2.5-VL, Qwen3-VL; DINOv3's (see [`Rotary::dinov3`]) |
/// | `Pixtral` | row·g₀, row·g₂, …, column·g₁, column·g₃, …, gᵢ = base^(−2i/D) | halves of the head | Pixtral |
/// | `Gemma4` | as `Qwen2Vl` | halves within the row's half of the features and within the column's | Gemma 4's vision tower |
/// | `Llama4` | column·f₀ … column·fₙ₋₁, row·f₀ … row·fₙ₋₁ | neighbours | Llama 4 (coordinates count from 1, the class token has 0), SAM 2, SAM 3 (from 0), Inkling 2 |
/// | `Step3` | column·f₀ … column·fₙ₋₁, row·f₀ … row·fₙ₋₁ | halves of the head | Step 3.7 |
/// | `KimiK25` | column·f₀, row·f₀, column·f₁, row·f₁, … | halves of the head | Kimi K2.5 in transformers |
/// | `Eva02` | row·f₀ …, column·f₀ … | neighbours | EVA-02, timm's `RotaryEmbeddingCat` with its defaults |
///
/// ```
/// use positional_encodings::{Positions, Rotary, rotary::AxialOrder};
///
/// // The patch in row 1 and column 0, of 8 features: which pairs are rotated?
/// let turned = |order| -> Result<Vec<bool>, positional_encodings::Error> {
///     let rotation = Rotary::axial_2d(8, 10_000.0, order)?
///         .at::<f64>(Positions::from_axes([&[1], &[0]])?)?;
///     Ok(rotation.cos_sin(0).unwrap()[1].iter().map(|sin| *sin != 0.0).collect())
/// };
/// assert_eq!(turned(AxialOrder::Qwen2Vl)?, [true, true, false, false]);
/// assert_eq!(turned(AxialOrder::Llama4)?, [false, false, true, true]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum AxialOrder {
    /// Row, then column; pairs are halves of the head.
    Qwen2Vl,
    /// Even frequencies for the row, odd ones for the column; pairs are halves of the head.
    Pixtral,
    /// Row in the first half of the features, column in the second; each half is paired separately.
    Gemma4,
    /// Column, then row; pairs are neighbours (Llama 4 and SAM 2).
    Llama4,
    /// Row, then column; pairs are neighbours.
    Eva02,
    /// Column, then row; pairs are halves of the head.
    Step3,
    /// Column and row in turn, at the same frequency; pairs are halves of the head.
    KimiK25,
}

/// The division of the pairs of a multimodal rotation among the axes, such as time, height and
/// width.
///
/// ```
/// use positional_encodings::{Frequencies, Pairing, Positions, Rotary, rotary::Sections};
///
/// // One frequency for all six pairs, at time 0, height 1, width 2
/// let axis_of = |order| -> Result<Vec<f64>, positional_encodings::Error> {
///     let rotary = Rotary::new(Frequencies::geometric(12, 1.0)?, Pairing::Halves)
///         .with_sections(&[2, 2, 2], order)?;
///     let rotation = rotary.at::<f64>(Positions::from_axes([&[0], &[1], &[2]])?)?;
///     Ok(rotation.cos_sin(0).unwrap()[1]
///         .iter()
///         .map(|sin| sin.asin())
///         .map(|angle| (10.0 * angle).round())
///         .collect())
/// };
/// let [t, h, w] = [0.0, 10.0, 11.0]; // arcsin of the sines of 0, 1 and 2 radians
/// assert_eq!(axis_of(Sections::Chunked)?, [t, t, h, h, w, w]);
/// assert_eq!(axis_of(Sections::Interleaved)?, [t, h, w, t, h, w]);
/// assert_eq!(axis_of(Sections::SpaceThenTime)?, [h, w, h, w, t, t]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Sections {
    /// The pairs of the first section use the first axis, those of the second section the second,
    /// and so on: Qwen2-VL, Qwen2.5-VL, and with neighbours GLM-4V.
    Chunked,
    /// T H W T H W …: pair i uses the height where i mod 3 = 1 and i < 3 · heights, the width where
    /// i mod 3 = 2 and i < 3 · widths, otherwise time: Qwen3-VL, Qwen3.5.
    Interleaved,
    /// The axes take pairs in turn, A B A B …, and an axis whose section is full is skipped:
    /// NeoMME's rows and columns.
    InTurn,
    /// H W H W … T T: with sections (heights, widths, times), height and width take the fast pairs
    /// in turn, and time the remaining slow pairs. The axes of positions stay (time, height,
    /// width): ERNIE-4.5-VL.
    SpaceThenTime,
}

impl Sections {
    /// Returns the axis of each pair.
    fn axes(self, sections: &[usize]) -> Vec<usize> {
        let in_turn = |sections: &[usize]| {
            let longest = sections.iter().copied().max().unwrap_or(0);
            let turn = move |turn: usize| {
                sections.iter().enumerate().filter(move |(_, count)| turn < **count)
            };
            (0..longest).flat_map(turn).map(|(axis, _)| axis).collect::<Vec<usize>>()
        };
        let chunk = |(axis, &count): (usize, &usize)| core::iter::repeat_n(axis, count);
        match (self, sections) {
            (Self::Interleaved, &[times, heights, widths]) => {
                let own = [0, heights, widths];
                let axis = |i: usize| if i < 3 * own[i % 3] { i % 3 } else { 0 };
                (0..times + heights + widths).map(axis).collect()
            }
            (Self::SpaceThenTime, &[heights, widths, times]) => {
                let space = in_turn(&[0, heights, widths]);
                space.into_iter().chain(core::iter::repeat_n(0, times)).collect()
            }
            (Self::InTurn, _) => in_turn(sections),
            _ => sections.iter().enumerate().flat_map(chunk).collect(),
        }
    }
}

impl Rotary {
    /// Makes a rotation of several axes: first the pairs with the frequencies of the first axis,
    /// then those of the second, and so on.
    ///
    /// With `Pairing::Interleaved` this is the order of FLUX and of diffusers' transformers for any
    /// number of axes ([`Diffusion`](super::Diffusion) has them by name), of
    /// rotary-embedding-torch's axial rotation, and of timm. diffusers' `get_2d_rotary_pos_embed`
    /// puts columns first: give it the axes in that order, and (column, row) as positions.
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
    /// let flux = Rotary::axial(
    ///     axes.into_iter().collect::<Result<Vec<_>, _>>()?,
    ///     Pairing::Interleaved,
    /// )?;
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

    /// Makes a rotation from blocks of pairs, each with its axis.
    fn blocks(ordered: Vec<(usize, Frequencies)>, pairing: Pairing) -> Result<Self, Error> {
        let axes = ordered.len();
        if axes == 0 {
            return Err(Error::ZeroDim);
        }
        let factor = ordered[0].1.attention_factor();
        if let Some(other) =
            ordered.iter().map(|(_, each)| each.attention_factor()).find(|&other| other != factor)
        {
            let (name, needs) = ("attention factor of an axis", "equal to that of the first axis");
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

    /// Makes a rotation by (row, column) in the order of a known system.
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
            AxialOrder::Step3 => Self::blocks(vec![(1, each.clone()), (0, each)], Pairing::Halves),
            AxialOrder::KimiK25 => {
                let mut rotary = Self::blocks(vec![(1, each.clone()), (0, each)], Pairing::Halves)?;
                for (place, part) in rotary.parts.iter_mut().enumerate() {
                    part.targets = (0..dim / 4).map(|i| 2 * i + place).collect();
                }
                Ok(rotary)
            }
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
    /// (M-RoPE; Wang et al. 2024, *Qwen2-VL*, arXiv 2409.12191). Positions on one axis, as for
    /// text, stand for all axes and give the rotation without sections.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] where the sections do not sum to the number of pairs, where an
    /// order for video is not given three sections, or where the rotation has several axes already;
    /// [`Error::TooLarge`].
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
        self.only_part()?;
        let pairs = self.features.pairs;
        let sum = sections.iter().fold(0_usize, |sum, &section| sum.saturating_add(section));
        let mismatch = |what, expected, found| Err(Error::LengthMismatch { what, expected, found });
        if sum != pairs {
            return mismatch("pairs in the sections", pairs, sum);
        }
        if matches!(order, Sections::Interleaved | Sections::SpaceThenTime) && sections.len() != 3 {
            return mismatch("sections", 3, sections.len());
        }
        self.divided(&order.axes(sections), sections.len())
    }

    /// Divides the pairs among several axes in any order: pair i uses axis `axis_of[i]` and keeps
    /// its frequency. The number of axes is one more than the largest entry.
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] unless there is one axis for each pair, or where the rotation has
    /// several axes already; [`Error::InvalidParameter`] for an axis that is not less than the
    /// number of pairs; [`Error::TooLarge`].
    ///
    /// ```
    /// use positional_encodings::{Frequencies, Pairing, Positions, Rotary, rotary::Sections};
    ///
    /// let plain = Rotary::new(Frequencies::geometric(12, 500_000.0)?, Pairing::Interleaved);
    /// // ERNIE-4.5-VL's order for six pairs: height and width in turn, then time
    /// let given = plain.clone().with_axes(&[1, 2, 1, 2, 0, 0])?;
    /// assert_eq!(given, plain.with_sections(&[2, 2, 2], Sections::SpaceThenTime)?);
    /// assert_eq!((given.axes(), given.dim()), (3, 12));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_axes(self, axis_of: &[usize]) -> Result<Self, Error> {
        let most = axis_of.iter().copied().max().unwrap_or(0);
        let is_met = most == 0 || most < self.features.pairs;
        check_parameter("axis", most as f64, is_met, "less than the number of pairs")?;
        self.divided(axis_of, most + 1)
    }

    /// Returns the part that has all pairs, or an error for a rotation of several axes.
    fn only_part(&self) -> Result<&Part, Error> {
        let what = "axes before the sections";
        let several = Error::LengthMismatch { what, expected: 1, found: self.axes };
        if let [part] = &self.parts[..] { Ok(part) } else { Err(several) }
    }

    /// Returns this rotation of one axis as a rotation of `axes` axes, with the pairs divided as
    /// listed.
    fn divided(self, axis_of: &[usize], axes: usize) -> Result<Self, Error> {
        let part = self.only_part()?;
        if axis_of.len() != self.features.pairs {
            let (what, expected) = ("pairs with an axis", self.features.pairs);
            return Err(Error::LengthMismatch { what, expected, found: axis_of.len() });
        }
        // The undivided rotation takes memory until the parts are complete.
        room_for(axes.min(axis_of.len()), axis_of.len().div_ceil(axes.max(1)))?;
        let mut of_axes = vec![Vec::new(); axes];
        axis_of.iter().enumerate().for_each(|(pair, &axis)| of_axes[axis].push(pair));
        let mut parts = Vec::new();
        for (axis, targets) in of_axes.into_iter().enumerate() {
            if !targets.is_empty() {
                parts.push(Part::new(axis, part.frequencies.select(&targets)?, targets));
            }
        }
        let mut divided = Self { parts, axes, shared: true, ..self };
        divided.renew();
        Ok(divided)
    }

    /// Makes DINOv3's rotation (Siméoni et al. 2025, arXiv 2508.10104): angles 2π · coordinate ·
    /// base^(−4i/dim), base 100 in the models, row then column, in halves. Coordinates run from −1
    /// to 1: [`Positions::dinov3`](crate::Positions::dinov3). Prefix tokens are not rotated: slice
    /// them off, or put coordinates of 0 before the grid with
    /// [`Positions::concat`](crate::Positions::concat).
    ///
    /// # Errors
    ///
    /// The errors of [`axial_2d`](Self::axial_2d).
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
    let needs = "a multiple of 4, for rows and columns";
    check_parameter("dim", dim as f64, dim.is_multiple_of(4), needs)
}
