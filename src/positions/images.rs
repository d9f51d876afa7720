//! Coordinates of image patches and of text between images.

use super::Positions;
use super::augment::symmetric;
use super::list::with_room;
use crate::error::{Error, at_least_one, check_parameter, not_negative};

/// A part of a multimodal sequence: text, an image or a video.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Segment {
    /// Tokens of text: all axes advance together.
    Text(usize),
    /// An image of rows × columns tokens, after merging: Qwen2-VL merges 2 × 2 patches into a
    /// token.
    Image {
        /// The number of rows of tokens.
        rows: usize,
        /// The number of tokens in a row.
        columns: usize,
    },
    /// A video, whose frames have rows × columns tokens each, after merging.
    Video {
        /// The number of frames, after merging.
        frames: usize,
        /// The number of rows of tokens in a frame.
        rows: usize,
        /// The number of tokens in a row.
        columns: usize,
        /// The distance from one frame to the next: 1 in Qwen2-VL; seconds per frame ·
        /// `tokens_per_second` in Qwen2.5-VL, where products are rounded down; seconds per frame ·
        /// 25 in Qwen2.5-Omni, whose audio counts as text of 25 tokens a second. Qwen3-VL takes
        /// each frame as an image, preceded by text.
        interval: f64,
    },
}

impl Segment {
    /// Returns the number of tokens of this segment.
    fn tokens(self) -> Result<usize, Error> {
        let (frames, rows, columns) = match self {
            Self::Text(len) => (1, 1, len),
            Self::Image { rows, columns } => (1, rows, columns),
            Self::Video { frames, rows, columns, interval } => {
                not_negative("interval", interval)?;
                (frames, rows, columns)
            }
        };
        Ok(frames.saturating_mul(rows).saturating_mul(columns))
    }
}

impl Positions<'_> {
    /// Returns the positions (time, height, width) of a sequence of text, images and videos, and
    /// the position after it (`get_rope_index` of Qwen2-VL, Qwen2.5-VL and Qwen3-VL in
    /// transformers).
    ///
    /// Text advances all axes together. A grid that starts at s has the positions (s + t, s + row,
    /// s + column), and the next segment starts after the largest of these, time included, as in
    /// transformers 4 and in Qwen's own code, with which the models were trained. (transformers 5
    /// ignores time here, which gives another position where a video has more frames than rows and
    /// columns.) transformers' `rope_delta` is the second result minus the number of tokens. A
    /// decode step then uses one position for all axes.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for an interval that is negative or not finite;
    /// [`Error::TooLarge`] with the number of tokens and of axes.
    ///
    /// ```
    /// use positional_encodings::{Positions, ids::Segment};
    ///
    /// let image = Segment::Image { rows: 2, columns: 2 };
    /// let (positions, next) = Positions::multimodal(&[Segment::Text(2), image])?;
    /// let [time, height, width] = [&[0, 1, 2, 2, 2, 2], &[0, 1, 2, 2, 3, 3], &[0, 1, 2, 3, 2, 3]];
    /// assert_eq!((positions, next), (Positions::from_axes([time, height, width])?, 4));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn multimodal(segments: &[Segment]) -> Result<(Positions<'static>, usize), Error> {
        let mut tokens = 0_usize;
        for segment in segments {
            tokens = tokens.saturating_add(segment.tokens()?);
        }
        let mut axes = [with_room(tokens, 3)?, with_room(tokens, 3)?, with_room(tokens, 3)?];
        let mut next = 0;
        // Segments without tokens may have too many frames or rows to go through.
        for segment in segments.iter().filter(|segment| segment.tokens() != Ok(0)) {
            let start: usize = next;
            let mut push = |position: [usize; 3]| {
                for (axis, offset) in axes.iter_mut().zip(position) {
                    axis.push(start.saturating_add(offset));
                    next = next.max(start.saturating_add(offset).saturating_add(1));
                }
            };
            let (frames, rows, columns, interval) = match *segment {
                Segment::Text(len) => {
                    (0..len).for_each(|i| push([i; 3]));
                    continue;
                }
                Segment::Image { rows, columns } => (1, rows, columns, 1.0),
                Segment::Video { frames, rows, columns, interval } => {
                    (frames, rows, columns, interval)
                }
            };
            for (frame, row) in (0..frames).flat_map(|frame| (0..rows).map(move |row| (frame, row)))
            {
                // The cast rounds down and saturates.
                let time = (frame as f64 * interval) as usize;
                (0..columns).for_each(|column| push([time, row, column]));
            }
        }
        Ok((Positions::from_axes(axes)?, next))
    }

    /// Returns DINOv3's coordinates of rows × columns patches: 2·(i + 0.5)/n − 1 on each axis,
    /// where n is the number of patches on that axis.
    ///
    /// For the augmentation in training see [`Dinov3Augmentation`].
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`].
    ///
    /// ```
    /// use positional_encodings::Positions;
    ///
    /// let patches = Positions::dinov3(1, 2)?;
    /// assert_eq!(patches, Positions::from_axes([&[0.0, 0.0], &[-0.5, 0.5]])?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn dinov3(rows: usize, columns: usize) -> Result<Positions<'static>, Error> {
        let sizes = [rows, columns];
        Positions::grid(&sizes)?.map(|axis, i| 2.0 * ((i + 0.5) / sizes[axis] as f64) - 1.0)
    }
}

impl Positions<'_> {
    /// Returns all points (row, column) of a grid in blocks of `merge` × `merge`: the blocks row by
    /// row, and the points of each block row by row. Vision encoders that merge a block of patches
    /// into one token use this order (Qwen2-VL, GLM-4V, …; transformers'
    /// `get_vision_position_ids`).
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] where `merge` is 0 or does not divide both sizes;
    /// [`Error::TooLarge`].
    ///
    /// ```
    /// use positional_encodings::Positions;
    ///
    /// let merged = Positions::merged(2, 4, 2)?;
    /// assert_eq!(
    ///     merged,
    ///     Positions::from_axes([&[0, 0, 1, 1, 0, 0, 1, 1], &[0, 1, 0, 1, 2, 3, 2, 3]])?
    /// );
    /// assert_eq!(Positions::merged(3, 5, 1)?, Positions::grid(&[3, 5])?);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn merged(rows: usize, columns: usize, merge: usize) -> Result<Positions<'static>, Error> {
        let divides = |size: usize| merge > 0 && size.is_multiple_of(merge);
        let needs = "a divisor of the rows and of the columns";
        check_parameter("merge", merge as f64, divides(rows) && divides(columns), needs)?;
        let count = rows.checked_mul(columns).ok_or(Error::TooLarge { rows, dim: columns })?;
        let (mut down, mut right) = (with_room(count, 2)?, with_room(count, 2)?);
        for row in (0..rows).step_by(merge) {
            for column in (0..columns).step_by(merge) {
                for inner in 0..merge * merge {
                    down.push(row + inner / merge);
                    right.push(column + inner % merge);
                }
            }
        }
        Positions::from_axes([down, right])
    }

    /// Returns all points of a grid in row-major order, where an axis of n points runs from −⌈n/2⌉
    /// to ⌊n/2⌋ − 1, as Qwen-Image's rows and columns do.
    ///
    /// # Errors
    ///
    /// The errors of [`grid`](Self::grid).
    ///
    /// ```
    /// use positional_encodings::Positions;
    ///
    /// let centred = Positions::centred(&[4, 5])?;
    /// let points = centred.to_array()?;
    /// assert_eq!(points.row(0).to_vec(), [-2.0, -3.0]);
    /// assert_eq!(points.row(19).to_vec(), [1.0, 1.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn centred(sizes: &[usize]) -> Result<Positions<'static>, Error> {
        let back = |axis: usize| (sizes[axis] - sizes[axis] / 2) as f64;
        Positions::grid(sizes)?.map(|axis, position| position - back(axis))
    }

    /// Returns Mochi's coordinates (frame, row, column): frames are counted from 0; rows and
    /// columns are the centres of cells around 0, scaled so that the picture has an area of 192².
    ///
    /// # Errors
    ///
    /// The errors of [`grid`](Self::grid).
    ///
    /// ```
    /// use positional_encodings::Positions;
    ///
    /// let points = Positions::mochi(2, 4, 6)?.to_array()?;
    /// assert!((points[[0, 1]] + 58.787_754).abs() < 1e-6); // −1.5 · √(192² / 24)
    /// assert_eq!(points.row(47)[0], 1.0);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn mochi(frames: usize, rows: usize, columns: usize) -> Result<Positions<'static>, Error> {
        let size = [0.0, rows as f64, columns as f64];
        let scale = 192.0 / (size[1] * size[2]).sqrt();
        Positions::grid(&[frames, rows, columns])?.map(|axis, position| match axis {
            0 => position,
            _ => (position + 0.5 - size[axis] / 2.0) * scale,
        })
    }
}

/// DINOv3's augmentation of coordinates in training: shift, jitter and rescale, each of which may
/// be `None`.
///
/// ```
/// use positional_encodings::{Positions, rotary::Dinov3Augmentation};
/// use rand::SeedableRng;
///
/// let augmentation = Dinov3Augmentation { shift: None, jitter: None, rescale: Some(2.0) };
/// let mut rng = rand::rngs::SmallRng::seed_from_u64(7);
/// let patches = augmentation.augment(&Positions::dinov3(14, 14)?, &mut rng)?;
/// assert_eq!(patches.len(), 196);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dinov3Augmentation {
    /// The largest shift, at least 0: each axis is shifted by a number drawn uniformly from −shift
    /// to shift.
    pub shift: Option<f64>,
    /// The largest factor of an axis, at least 1: each axis is multiplied by a number drawn
    /// log-uniformly from 1/jitter to jitter.
    pub jitter: Option<f64>,
    /// The largest common factor, at least 1: all axes are multiplied by one number drawn
    /// log-uniformly from 1/rescale to rescale.
    pub rescale: Option<f64>,
}

impl Dinov3Augmentation {
    /// Augments the coordinates. Random numbers are drawn in the order shift, jitter (one for each
    /// axis), rescale.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] for a shift that is negative or not finite, and for a jitter or
    /// rescale that is below 1 or not finite, before any number is drawn; [`Error::TooLarge`] where
    /// the coordinates do not fit into memory.
    pub fn augment<R: rand::Rng + ?Sized>(
        &self,
        coordinates: &Positions<'_>,
        rng: &mut R,
    ) -> Result<Positions<'static>, Error> {
        self.shift.map(|shift| not_negative("shift", shift)).transpose()?;
        self.jitter.map(|jitter| at_least_one("jitter", jitter)).transpose()?;
        self.rescale.map(|rescale| at_least_one("rescale", rescale)).transpose()?;
        let axes = coordinates.axes();
        let mut draw = || symmetric(rng);
        let mut each = |bound: Option<f64>, neutral: f64, of: fn(f64, f64) -> f64| -> Vec<f64> {
            (0..axes).map(|_| bound.map_or(neutral, |bound| of(bound, draw()))).collect()
        };
        let log_uniform = |bound: f64, u: f64| libm::exp(u * libm::log(bound));
        let shift = each(self.shift, 0.0, |bound, u| bound * u);
        let jitter = each(self.jitter, 1.0, log_uniform);
        let rescale = self.rescale.map_or(1.0, |bound| log_uniform(bound, draw()));
        coordinates.map(|axis, c| (c + shift[axis]) * jitter[axis] * rescale)
    }
}
