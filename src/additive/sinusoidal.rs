//! The sinusoidal encoding.

mod gradient;

use core::fmt;

use ndarray::{ArrayViewMut2, Axis};

use super::PositionalEncoding;
use crate::element::Element;
use crate::error::Error;
use crate::frequencies::{Frequencies, OddDim};
use crate::phase::{Amplitude, Columns, FeatureLayout, Waves};
use crate::positions::{Position, Positions};
use crate::simd::InstructionSet;
use crate::threads;

/// Sines and cosines of the position at many frequencies (Vaswani et al. 2017, *Attention is all
/// you need*, section 3.5).
///
/// PE(p, 2i) = sin(p · wᵢ), PE(p, 2i + 1) = cos(p · wᵢ) with wᵢ = 10000^(−2i/dim). Other
/// frequencies, orders of features, amplitudes and odd dims have constructors and methods by name.
/// Positions may be any integers or reals within ±2⁶².
///
/// Every value is computed from the exact angle and rounded once. In f32, f16, bf16 and f64 it is
/// within 0.505 ulp of the formula (in f64, values below 2⁻¹⁴ are within 2⁻⁶²), at position 3 as at
/// position 2⁵³ − 1. A row has the same bits whether it is computed alone, in a range, as an id or
/// in a batch, on every machine. The state grows with dim, about 270 KiB at dim 1024, and not with
/// the length.
///
/// # To match X, write Y
///
/// Tests compare each row with output of the system itself. `of` stands for
/// [`Sinusoidal::from_frequencies`], and `geometric` and so on for the constructors of
/// [`Frequencies`].
///
/// | to match | write |
/// |---|---|
/// | the paper; XLM | `Sinusoidal::new(dim)?` |
/// | PyTorch tutorial; diffusers | `Sinusoidal::new(dim)?` |
/// | tensor2tensor | `of(geometric_inclusive(dim, 10_000.0)?).with_layout(SinCosHalves)` |
/// | – at an odd dim | `of(geometric_inclusive(dim - 1, 10_000.0)?).with_layout(SinCosHalves).padded_to(dim)?` |
/// | – with `min_timescale` | `of(timescales(dim, min..=max)?.scaled(min * min)?).with_layout(SinCosHalves)` |
/// | fairseq; FSMT, M2M-100, Speech2Text | as tensor2tensor, then `.with_zero_position(padding_id)`, at [`ids::padding_aware`](crate::ids::padding_aware) |
/// | Marian; Pegasus, RoFormer, Informer | `Sinusoidal::new(dim)?.with_layout(SinCosHalves)` |
/// | – at an odd dim | `Sinusoidal::odd(dim, OddDim::DropLast)?.with_layout(SinCosHalves)` |
/// | XLNet; Transformer-XL | `Sinusoidal::new(dim)?.with_layout(SinCosHalves)`, at positions klen, klen − 1, … below zero |
/// | CTRL | `Sinusoidal::new(dim)?.with_layout(SinCosHalves)` |
/// | Whisper | `of(geometric_inclusive(dim, 10_000.0)?).with_layout(SinCosHalves)` |
/// | MLX | `of(geometric_inclusive(dim, 10_000.0)?).with_layout(SinCosHalves).with_amplitude((2.0 / dim as f64).sqrt())?` |
/// | – with its options | `timescales(dim, 1.0 / max_freq..=1.0 / min_freq)?`, `.full_turns()?`, `CosSinHalves` for `cos_first` |
/// | keras-hub | `Sinusoidal::new(dim)?`; at an odd dim `Sinusoidal::odd(dim, OddDim::DropLast)?` |
/// | – with `max_wavelength` | `of(geometric(dim, max_wavelength)?)` |
/// | burn | `Sinusoidal::new(dim)?` |
/// | `positional-encodings` (Python) | `Sinusoidal::new(dim)?`; at an odd dim `Sinusoidal::odd(dim, OddDim::DropLastOfEven)?` |
/// | x-transformers | `Sinusoidal::new(dim)?.with_layout(SinCosHalves).with_amplitude((dim as f64).sqrt().recip())?` |
/// | SpeechT5 | `Sinusoidal::new(dim)?.with_amplitude(alpha)?` |
/// | MusicGen | `of(geometric_inclusive(dim, 10_000.0)?).with_layout(CosSinHalves)` |
///
/// Most of these systems compute the angle in f32, and their values are off by about 6e-8 ·
/// position.
///
/// # Example
///
/// ```
/// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal};
///
/// let encoding = Sinusoidal::new(4)?;
/// let rows: ndarray::Array2<f32> = encoding.encode(&Positions::from(0..2))?;
/// assert_eq!(rows.row(0).to_vec(), [0.0, 1.0, 0.0, 1.0]);
/// assert_eq!(rows.row(1).to_vec(), [1_f32.sin(), 1_f32.cos(), 0.01_f32.sin(), 0.01_f32.cos()]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone)]
pub struct Sinusoidal {
    frequencies: Frequencies,
    waves: Waves,
    columns: Columns,
    /// The position whose vector is zero, if any.
    padding: Option<i64>,
}

impl Sinusoidal {
    /// Makes the paper's encoding of an even `dim`: base 10000, sines and cosines interleaved.
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`]; [`Error::OddDim`] (see [`odd`](Self::odd)); [`Error::TooLarge`].
    pub fn new(dim: usize) -> Result<Self, Error> {
        Ok(Self::from_frequencies(Frequencies::geometric(dim, 10_000.0)?))
    }

    /// Makes the paper's encoding of an odd (or even) `dim` by a named convention.
    ///
    /// # Errors
    ///
    /// The errors of [`Frequencies::geometric_odd`].
    ///
    /// ```
    /// use positional_encodings::{OddDim, PositionalEncoding, Positions, Sinusoidal};
    ///
    /// let row = |odd| -> Result<Vec<f32>, positional_encodings::Error> {
    ///     Ok(Sinusoidal::odd(3, odd)?.encode(&Positions::from(1..2))?.row(0).to_vec())
    /// };
    /// let sine = |w: f64| w.sin() as f32; // the sine of frequency w at position 1
    /// assert_eq!(
    ///     row(OddDim::DropLast)?,
    ///     [sine(1.0), 1_f32.cos(), sine(10_000_f64.powf(-2.0 / 3.0))]
    /// );
    /// assert_eq!(row(OddDim::DropLastOfEven)?, [sine(1.0), 1_f32.cos(), sine(0.01)]);
    /// assert_eq!(row(OddDim::ZeroColumn)?, [sine(1.0), 1_f32.cos(), 0.0]);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn odd(dim: usize, convention: OddDim) -> Result<Self, Error> {
        Self::odd_with_base(dim, 10_000.0, convention)
    }

    /// Makes the encoding of an odd (or even) `dim` by a named convention and with the given base.
    ///
    /// # Errors
    ///
    /// The errors of [`Frequencies::geometric_odd`].
    ///
    /// ```
    /// use positional_encodings::{OddDim, PositionalEncoding, Positions, Sinusoidal};
    ///
    /// let odd = Sinusoidal::odd_with_base(5, 100.0, OddDim::ZeroColumn)?;
    /// let row: ndarray::Array2<f64> = odd.encode(&Positions::from(1..2))?;
    /// assert_eq!(
    ///     row.row(0).to_vec(),
    ///     [1_f64.sin(), 1_f64.cos(), 0.1_f64.sin(), 0.1_f64.cos(), 0.0]
    /// );
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn odd_with_base(dim: usize, base: f64, convention: OddDim) -> Result<Self, Error> {
        let whole = Self::from_frequencies(Frequencies::geometric_odd(dim, base, convention)?);
        if dim > whole.dim() {
            whole.padded_to(dim)
        } else if dim < whole.dim() {
            Ok(whole.drop_last())
        } else {
            Ok(whole)
        }
    }

    /// Makes an encoding with the given frequencies, sines and cosines interleaved; dim is twice
    /// the number of frequencies.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, FeatureLayout, Sinusoidal};
    ///
    /// // Whisper's encoder
    /// let whisper = Sinusoidal::from_frequencies(Frequencies::geometric_inclusive(384, 10_000.0)?)
    ///     .with_layout(FeatureLayout::SinCosHalves);
    /// assert_eq!(whisper.dim(), 384);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_frequencies(frequencies: Frequencies) -> Self {
        let pairs = frequencies.len();
        let columns = Columns {
            layout: FeatureLayout::default(),
            pairs,
            last_is_single: false,
            dim: 2 * pairs,
        };
        let waves = Waves::new(frequencies.as_wide(), Amplitude::ONE);
        Self { frequencies, waves, columns, padding: None }
    }

    /// Sets the order of the features.
    pub fn with_layout(mut self, layout: FeatureLayout) -> Self {
        self.columns.layout = layout;
        self
    }

    /// Multiplies every value by `amplitude` (SpeechT5's alpha, x-transformers' dim^(−1/2), MLX's
    /// √(2/dim)). The product is rounded once.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidParameter`] unless the amplitude is zero or from 2⁻⁶⁴ to 2⁶⁴ in magnitude.
    ///
    /// ```
    /// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal};
    ///
    /// let row: ndarray::Array2<f32> =
    ///     Sinusoidal::new(2)?.with_amplitude(0.5)?.encode(&Positions::from(0..1))?;
    /// assert_eq!(row.as_slice(), Some(&[0.0, 0.5][..]));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_amplitude(mut self, amplitude: f64) -> Result<Self, Error> {
        let Some(checked) = Amplitude::new(amplitude) else {
            let needs = "zero, or from 2⁻⁶⁴ to 2⁶⁴ in magnitude";
            return Err(Error::InvalidParameter { name: "amplitude", value: amplitude, needs });
        };
        self.waves = self.waves.with_amplitude(checked);
        Ok(self)
    }

    /// Adds columns of zeros after the pairs, up to `dim` in all.
    ///
    /// # Errors
    ///
    /// [`Error::DimTooSmall`] where the pairs have more than `dim` columns.
    ///
    /// ```
    /// use positional_encodings::{Frequencies, FeatureLayout, Sinusoidal};
    ///
    /// // fairseq at dim 7: three pairs and a zero
    /// let fairseq = Sinusoidal::from_frequencies(Frequencies::geometric_inclusive(6, 10_000.0)?)
    ///     .with_layout(FeatureLayout::SinCosHalves)
    ///     .padded_to(7)?;
    /// assert_eq!(fairseq.dim(), 7);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn padded_to(mut self, dim: usize) -> Result<Self, Error> {
        let needed = self.columns.used();
        if dim < needed {
            return Err(Error::DimTooSmall { dim, needed });
        }
        self.columns.dim = dim;
        Ok(self)
    }

    /// Drops the second member of the last pair: dim − 1 features remain. Columns of zeros move up.
    ///
    /// The dropped feature is a cosine, or a sine in the layout \[cos | sin\]. A second call has no
    /// effect.
    pub fn drop_last(mut self) -> Self {
        self.columns.dim -= usize::from(!self.columns.last_is_single);
        self.columns.last_is_single = true;
        self
    }

    /// Sets the position whose vector is zero: the padding row of fairseq and its descendants,
    /// whose ids keep the padding id (see [`ids::padding_aware`](crate::ids::padding_aware)).
    ///
    /// ```
    /// use positional_encodings::{PositionalEncoding, Positions, Sinusoidal};
    ///
    /// let rows: ndarray::Array2<f32> =
    ///     Sinusoidal::new(2)?.with_zero_position(1).encode(&Positions::from(0..2))?;
    /// assert_eq!(rows.as_slice(), Some(&[0.0, 1.0, 0.0, 0.0][..]));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn with_zero_position(mut self, position: i64) -> Self {
        self.padding = Some(position);
        self
    }

    /// Sets the instruction set, for tests and benchmarks: the bits are the same with each.
    ///
    /// # Errors
    ///
    /// [`Error::UnavailableInstructionSet`] where this machine does not have the instruction set.
    pub fn with_instruction_set(mut self, set: InstructionSet) -> Result<Self, Error> {
        self.waves = self.waves.with_level(set.level()?);
        Ok(self)
    }

    /// Returns the frequencies of the pairs.
    pub fn frequencies(&self) -> &Frequencies {
        &self.frequencies
    }

    /// Returns the factor of every value.
    pub fn amplitude(&self) -> f64 {
        self.waves.amplitude()
    }

    /// Returns the order of the features.
    pub fn layout(&self) -> FeatureLayout {
        self.columns.layout
    }

    /// Returns the position whose vector is zero, if one was set.
    ///
    /// ```
    /// use positional_encodings::{FeatureLayout, Sinusoidal};
    ///
    /// let encoding = Sinusoidal::new(2)?.with_zero_position(1);
    /// assert_eq!(encoding.zero_position(), Some(1));
    /// assert_eq!(encoding.layout(), FeatureLayout::Interleaved);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn zero_position(&self) -> Option<i64> {
        self.padding
    }

    /// Returns the width of a position vector.
    pub fn dim(&self) -> usize {
        self.columns.dim
    }

    /// Returns `None`: any position will do.
    pub fn max_len(&self) -> Option<usize> {
        None
    }

    /// Returns the number of bytes of memory that the encoding uses.
    ///
    /// ```
    /// assert!(positional_encodings::Sinusoidal::new(1024)?.memory() < 1 << 20);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.frequencies.memory() + self.waves.memory()
    }

    /// Writes rows of which some are zero; the runs between them are encoded as usual.
    fn rows_around<A: Element>(
        &self,
        padding: i64,
        positions: &Positions<'_>,
        mut out: ArrayViewMut2<'_, A>,
    ) {
        let is_padding = |index| positions.get(index) == Some(Position::Integer(padding));
        let mut start = 0;
        while start < positions.len() {
            let end = (start..positions.len())
                .find(|&index| is_padding(index))
                .unwrap_or(positions.len());
            let rows = out.slice_axis_mut(Axis(0), (start..end).into());
            self.waves.rows(&positions.slice(start..end), &self.columns, rows);
            if end < positions.len() {
                out.row_mut(end).fill(A::zero());
            }
            start = end + 1;
        }
    }
}

/// Encodings are equal if they give the same vectors, whatever their instruction sets.
impl PartialEq for Sinusoidal {
    fn eq(&self, other: &Self) -> bool {
        self.frequencies == other.frequencies
            && self.amplitude() == other.amplitude()
            && self.columns == other.columns
            && self.padding == other.padding
    }
}

/// Shows the encoding as a caption: `sinusoidal, dim 512, geometric(512, 10000), interleaved`.
impl fmt::Display for Sinusoidal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dim, layout, amplitude) = (self.dim(), self.layout(), self.amplitude());
        write!(f, "sinusoidal, dim {dim}, {}, {layout}", self.frequencies)?;
        if amplitude != 1.0 {
            write!(f, ", amplitude {amplitude}")?;
        }
        self.padding.map_or(Ok(()), |position| write!(f, ", zero at position {position}"))
    }
}

impl fmt::Debug for Sinusoidal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let radians = self.frequencies.to_radians();
        let ends = [radians.first(), radians.last()].map(|end| end.copied().unwrap_or_default());
        f.debug_struct("Sinusoidal")
            .field("dim", &self.dim())
            .field("layout", &self.layout())
            .field("pairs", &radians.len())
            .field("frequencies", &format_args!("{:e} to {:e}", ends[0], ends[1]))
            .field("amplitude", &self.amplitude())
            .field("zero_position", &self.padding)
            .finish()
    }
}

impl<A: Element> PositionalEncoding<A> for Sinusoidal {
    fn dim(&self) -> usize {
        self.dim()
    }

    fn max_len(&self) -> Option<usize> {
        self.max_len()
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.check_shape(positions, &out)?;
        PositionalEncoding::<A>::check(self, positions)?;
        threads::rows(positions, out, &|positions, out| {
            match self.padding {
                None => self.waves.rows(positions, &self.columns, out),
                Some(padding) => self.rows_around(padding, positions, out),
            }
            Ok(())
        })
    }
}
