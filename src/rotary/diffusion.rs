//! The rotations of diffusion transformers, by name.

use super::{Pairing, Rotary};
use crate::error::{Error, check_parameter};
use crate::frequencies::Frequencies;
use crate::positions::Positions;

/// A diffusion transformer whose rotation has several axes: the features of each axis, and the
/// positions of text and image tokens.
///
/// All these models compute frequencies in f64 (diffusers 0.42, `models/transformers`). Cosmos
/// pairs halves, all others pair neighbours. In the table, l is the index of a text token and n
/// the number of text tokens.
///
/// | model | features per axis | base | text | image |
/// |---|---|---|---|---|
/// | `Flux` | 16, 56, 56 | 10000 | 0, 0, 0 | 0, row, column |
/// | `Flux2` | 32, 32, 32, 32 | 2000 | 0, 0, 0, l | 0, row, column, 0; reference k at 10 + 10k |
/// | `Flux3` | 32, 32, 32, 32 | 10000 | as `Flux2` | as `Flux2` |
/// | `QwenImage` | 16, 56, 56 | 10000 | l + max(⌊rows/2⌋, ⌊columns/2⌋) on all axes | frame, then rows and columns around 0 |
/// | `Wan` (SkyReels, ChronoEdit, Helios) | 44, 42, 42 | 10000 | not rotated | frame, row, column |
/// | `HunyuanVideo` (FramePack, JoyImage) | 16, 56, 56 | 256 | not rotated | frame, row, column |
/// | `HunyuanImage` | 64, 64 | 256 | not rotated | row, column |
/// | `ZImage` (Ernie-Image, Bria) | 32, 48, 48 | 256 | l + 1, 0, 0 | n + 1 + frame, row, column |
/// | `Lumina2` | 32, 32, 32 | 10000 | l, l, l | n + frame, row, column |
/// | `Krea2` | 32, 48, 48 | 1000 | 0, 0, 0 | 0, row, column |
/// | `Kandinsky5Lite` | 16, 24, 24 | 10000 | another rotation, of one axis | frame, row, column |
/// | `Kandinsky5` | 32, 48, 48 | 10000 | another rotation, of one axis | frame, row, column |
/// | `CogVideoX` | 16, 24, 24 | 10000 | not rotated | frame, row, column |
/// | `Cosmos` | 44, 42, 42 | 10000; for frames 10000 · 2^(44/42) | not rotated | frame · 24/fps, row, column |
///
/// Three more models use their axes differently:
///
/// | model | written as |
/// |---|---|
/// | LTX-Video | [`Rotary::ltx`], over the whole width before it is split into heads |
/// | Mochi | [`MixedRotary`](super::MixedRotary) of its learned frequencies, at [`Positions::mochi`] |
/// | Ideogram 4 | `Rotary::new(Frequencies::geometric(128, 5e6)?, Pairing::Halves)` [`.with_sections`](Rotary::with_sections)`(&[24, 20, 20], Sections::Interleaved)?`, its images at 65536 and after |
///
/// ```
/// use positional_encodings::{Positions, rotary::Diffusion};
///
/// let rotary = Diffusion::Flux.rotary()?;
/// assert_eq!((rotary.dim(), rotary.axes()), (128, 3));
/// let ids = Diffusion::Flux.ids(512, [1, 64, 64])?; // text, then the image
/// assert_eq!(rotary.at::<f32>(&ids)?.positions(), Some(512 + 64 * 64));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Diffusion {
    /// FLUX.1: images.
    Flux,
    /// FLUX.2: images, with reference images.
    Flux2,
    /// Qwen-Image: images.
    QwenImage,
    /// Wan, and models built on it (SkyReels, ChronoEdit, Helios): videos.
    Wan,
    /// HunyuanVideo, FramePack and JoyImage: videos and images.
    HunyuanVideo,
    /// HunyuanImage: images.
    HunyuanImage,
    /// Z-Image, Ernie-Image and Bria: images.
    ZImage,
    /// Lumina-Image 2: images.
    Lumina2,
    /// Krea 2: images.
    Krea2,
    /// Kandinsky 5 Lite, with heads of 64 features: images and videos.
    Kandinsky5Lite,
    /// Kandinsky 5, with heads of 128 features: images and videos.
    Kandinsky5,
    /// CogVideoX: videos.
    #[cfg_attr(feature = "serde", serde(rename = "cogvideox"))]
    CogVideoX,
    /// Cosmos: videos.
    Cosmos,
    /// FLUX.3, with the axes and positions of FLUX.2.
    Flux3,
}

/// The positions of text tokens.
enum Text {
    /// All tokens are at 0 on every axis.
    Still,
    /// Tokens are counted on one axis from this position on, and are at 0 on the others.
    Counts { axis: usize, from: f64 },
    /// Tokens have the same position on all axes, counted from the larger of half the rows and half
    /// the columns.
    AfterHalves,
    /// Tokens have the same position on all axes, counted from 0.
    Along,
    /// Tokens are not rotated.
    NotRotated,
}

impl Diffusion {
    fn row(self) -> (&'static [usize], f64, Text) {
        const THREE: &[usize] = &[16, 56, 56];
        match self {
            Self::Flux => (THREE, 1e4, Text::Still),
            Self::Flux2 => (&[32; 4], 2000.0, Text::Counts { axis: 3, from: 0.0 }),
            Self::Flux3 => (&[32; 4], 1e4, Text::Counts { axis: 3, from: 0.0 }),
            Self::QwenImage => (THREE, 1e4, Text::AfterHalves),
            Self::Wan => (&[44, 42, 42], 1e4, Text::NotRotated),
            Self::HunyuanVideo => (THREE, 256.0, Text::NotRotated),
            Self::HunyuanImage => (&[64, 64], 256.0, Text::NotRotated),
            Self::ZImage => (&[32, 48, 48], 256.0, Text::Counts { axis: 0, from: 1.0 }),
            Self::Lumina2 => (&[32; 3], 1e4, Text::Along),
            Self::Krea2 => (&[32, 48, 48], 1000.0, Text::Still),
            Self::Kandinsky5Lite => (&[16, 24, 24], 1e4, Text::NotRotated),
            Self::Kandinsky5 => (&[32, 48, 48], 1e4, Text::NotRotated),
            Self::CogVideoX => (&[16, 24, 24], 1e4, Text::NotRotated),
            Self::Cosmos => (&[44, 42, 42], 1e4, Text::NotRotated),
        }
    }

    /// Returns the factor of the first axis for [`Frequencies::ntk`], and the pairing.
    fn form(self) -> (f64, Pairing) {
        match self {
            Self::Cosmos => (2.0, Pairing::Halves),
            _ => (1.0, Pairing::Interleaved),
        }
    }

    /// Returns the number of features of each axis.
    pub fn axes(self) -> &'static [usize] {
        self.row().0
    }

    /// Makes the rotation of the model's heads.
    ///
    /// # Errors
    ///
    /// None are known.
    pub fn rotary(self) -> Result<Rotary, Error> {
        let (axes, base, _) = self.row();
        let (stretch, pairing) = self.form();
        let of_axis = |(axis, &dim): (usize, &usize)| {
            let plain = Frequencies::geometric(dim, base)?;
            if axis == 0 && stretch != 1.0 { plain.ntk(stretch) } else { Ok(plain) }
        };
        let each = axes.iter().enumerate().map(of_axis);
        Rotary::axial(each.collect::<Result<Vec<_>, Error>>()?, pairing)
    }

    /// Returns the positions of `text` tokens, followed by those of an image or video of (frames,
    /// rows, columns) tokens after merging of patches; an image has 1 frame.
    ///
    /// Frames are counted from 0; for Cosmos, multiply them by 24 over the frames per second with
    /// [`Positions::map`]. For models that do not rotate text, the result leaves the text out.
    /// Build other sequences, such as several images, with [`Positions::concat`].
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for another number of frames than 1 if the model has no axis of
    /// frames ([`HunyuanImage`](Self::HunyuanImage)); [`Error::TooLarge`].
    ///
    /// ```
    /// use positional_encodings::{Positions, rotary::Diffusion};
    ///
    /// let ids = Diffusion::QwenImage.ids(2, [1, 4, 2])?;
    /// let points = ids.to_array()?;
    /// assert_eq!(points.row(0).to_vec(), [2.0, 2.0, 2.0]); // text from max(4/2, 2/2)
    /// assert_eq!(points.row(2).to_vec(), [0.0, -2.0, -1.0]); // the first patch
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn ids(self, text: usize, image: [usize; 3]) -> Result<Positions<'static>, Error> {
        let [frames, rows, columns] = image;
        let axes = self.axes().len();
        let (is_met, needs) = (frames == 1 || axes > 2, "1 for a model without an axis of frames");
        check_parameter("number of frames", frames as f64, is_met, needs)?;
        let grid = self.image(text, image)?;
        let halves = (rows / 2).max(columns / 2) as f64;
        let words = match self.row().2 {
            Text::NotRotated => return Ok(grid),
            Text::Still => points(text, axes, &|_, _| 0.0)?,
            Text::Counts { axis: own, from } => {
                points(text, axes, &|axis, i| if axis == own { i + from } else { 0.0 })?
            }
            Text::AfterHalves => points(text, axes, &|_, i| i + halves)?,
            Text::Along => points(text, axes, &|_, i| i)?,
        };
        Positions::concat([&words, &grid])
    }

    /// Returns the positions of the image alone.
    fn image(self, text: usize, image: [usize; 3]) -> Result<Positions<'static>, Error> {
        let [_, rows, columns] = image;
        let text = text as f64;
        match self {
            Self::HunyuanImage => Positions::grid(&[rows, columns]),
            Self::Flux2 | Self::Flux3 => {
                let [frames, rows, columns] = image;
                Positions::grid(&[frames, rows, columns, 1])
            }
            Self::QwenImage => {
                let back = |n: usize| (n - n / 2) as f64;
                let shift = [0.0, back(rows), back(columns)];
                Positions::grid(&image)?.map(|axis, i| i - shift[axis])
            }
            Self::ZImage => {
                Positions::grid(&image)?.map(|axis, i| if axis == 0 { i + text + 1.0 } else { i })
            }
            Self::Lumina2 => {
                Positions::grid(&image)?.map(|axis, i| if axis == 0 { i + text } else { i })
            }
            _ => Positions::grid(&image),
        }
    }
}

/// Returns `len` points whose coordinates are a function of the axis and the index of the point.
fn points(
    len: usize,
    axes: usize,
    at: &dyn Fn(usize, f64) -> f64,
) -> Result<Positions<'static>, Error> {
    let axis = |axis| Positions::from(0..len).map(|_, i| at(axis, i));
    Positions::from_axes((0..axes).map(axis).collect::<Result<Vec<_>, _>>()?)
}
