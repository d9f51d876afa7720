//! Values between the points of a grid: what stretching a table of image positions needs.

use ndarray::{Array2, ArrayView2, Axis};

use crate::arrays::zeros;
use crate::element::Element;
use crate::error::Error;

/// The weight of a point by its distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kernel {
    /// Linear; in two dimensions bilinear.
    Linear,
    /// Cubic convolution with a = −0.75: torch's `bicubic` without antialiasing, OpenCV.
    Cubic,
    /// Cubic convolution with a = −0.5 (Keys 1981; Catmull-Rom): torch's `bicubic` with
    /// `antialias=True`, Pillow, JAX.
    CatmullRom,
}

/// Where the points of the new grid lie on the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sampling {
    /// Cells are aligned: x = (i + ½) · old/new − ½, and points beyond the border are those of the
    /// border (`align_corners=False`).
    HalfPixel,
    /// The outermost points are aligned: x = i · (old − 1)/(new − 1) (`align_corners=True`).
    AlignedCorners,
    /// As `HalfPixel`, with the kernel widened by old/new where the grid shrinks; weights are cut
    /// at the border and brought to a sum of 1, when it grows too (`antialias=True`, Pillow).
    Antialiased,
}

/// How a grid becomes another: each system's choice is a name.
///
/// | system | choice |
/// |---|---|
/// | ViT, DeiT, DINOv2, CLIP in transformers | [`Resample::vit`] |
/// | timm's `resample_abs_pos_embed` | [`Resample::timm`] |
/// | the first DINO and DINOv2, which pass `scale_factor` | [`Resample::vit`] with [`with_factors`](Self::with_factors) |
///
/// ```
/// use positional_encodings::resample::{Kernel, Resample, Sampling};
///
/// assert_eq!(Resample::vit(), Resample::new(Kernel::Cubic, Sampling::HalfPixel));
/// assert_eq!(Resample::timm(), Resample::new(Kernel::CatmullRom, Sampling::Antialiased));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resample {
    kernel: Kernel,
    sampling: Sampling,
    factors: Option<[f64; 2]>,
}

impl Resample {
    /// The given kernel and sampling; steps are old size / new size.
    pub fn new(kernel: Kernel, sampling: Sampling) -> Self {
        Self { kernel, sampling, factors: None }
    }

    /// Bicubic with a = −0.75 and no antialiasing: `interpolate_pos_encoding` of transformers' ViT,
    /// DeiT, DINOv2, CLIP, SigLIP.
    pub fn vit() -> Self {
        Self::new(Kernel::Cubic, Sampling::HalfPixel)
    }

    /// Bicubic with a = −0.5 and antialiasing: timm's `resample_abs_pos_embed`.
    pub fn timm() -> Self {
        Self::new(Kernel::CatmullRom, Sampling::Antialiased)
    }

    /// Steps of 1/factor, for rows and columns, instead of old size / new size: torch's
    /// `scale_factor`. DINO adds 0.1 to the new size there, which moves every point a little.
    /// Aligned corners ignore it, as in torch.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFactor`] unless both are positive and finite.
    pub fn with_factors(self, factors: [f64; 2]) -> Result<Self, Error> {
        match factors
            .into_iter()
            .find(|factor| !(*factor > 0.0 && factor.is_finite() && factor.recip().is_finite()))
        {
            Some(factor) => Err(Error::InvalidFactor { factor }),
            None => Ok(Self { factors: Some(factors), ..self }),
        }
    }
}

/// A planned change of a grid (rows, columns), to be applied to any table of it and, transposed, to
/// gradients.
///
/// A table of a grid has shape (rows · columns, dim), row after row. new\[y, x\] = Σᵥᵤ a(y, v) ·
/// b(x, u) · old\[v, u\], with the weights a and b of the [`Resample`]. Sums are taken in f64 and
/// rounded once.
///
/// ```
/// use ndarray::array;
/// use positional_encodings::resample::{GridResample, Kernel, Resample, Sampling};
///
/// let linear = Resample::new(Kernel::Linear, Sampling::AlignedCorners);
/// let resize = GridResample::new([1, 2], [1, 3], linear)?;
/// assert_eq!(resize.apply(array![[0.0_f32], [4.0]].view())?, array![[0.0], [2.0], [4.0]]);
/// assert_eq!(resize.backward(array![[1.0_f32], [10.0], [100.0]].view())?, array![[6.0], [105.0]]);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GridResample {
    from: [usize; 2],
    to: [usize; 2],
    taps: [Taps; 2],
}

impl GridResample {
    /// Plans the change of a grid `from` (rows, columns) `to` another.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyGrid`] where one of the four is 0; [`Error::TooLarge`].
    pub fn new(from: [usize; 2], to: [usize; 2], resample: Resample) -> Result<Self, Error> {
        for grid in [from, to] {
            let [rows, columns] = grid;
            if rows == 0 || columns == 0 {
                return Err(Error::EmptyGrid { rows, columns });
            }
            // Asking first turns the abort of an impossible request into an error.
            let room = |len: usize| Vec::<[f64; 8]>::new().try_reserve_exact(len).is_ok();
            if rows.checked_mul(columns).is_none() || !(room(rows) && room(columns)) {
                return Err(Error::TooLarge { rows, dim: columns });
            }
        }
        let axis = |axis: usize| {
            Taps::new(from[axis], to[axis], resample, resample.factors.map(|f| f[axis]))
        };
        Ok(Self { from, to, taps: [axis(0), axis(1)] })
    }

    /// The table (new rows · new columns, dim) for a table (rows · columns, dim).
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] where it is not of that grid; [`Error::TooLarge`].
    pub fn apply<A: Element>(&self, table: ArrayView2<'_, A>) -> Result<Array2<A>, Error> {
        let [rows, columns] = &self.taps;
        convert(table, self.from, rows, columns)
    }

    /// The gradient of the old table, given that of the new one: the transpose of
    /// [`apply`](Self::apply).
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Self::apply), with the grids exchanged.
    pub fn backward<A: Element>(&self, upstream: ArrayView2<'_, A>) -> Result<Array2<A>, Error> {
        let [rows, columns] = [0, 1].map(|axis| self.taps[axis].transposed(self.from[axis]));
        convert(upstream, self.to, &rows, &columns)
    }
}

/// Applies `rows` and `columns` to a table of the grid `from`.
fn convert<A: Element>(
    table: ArrayView2<'_, A>,
    from: [usize; 2],
    rows: &Taps,
    columns: &Taps,
) -> Result<Array2<A>, Error> {
    if table.nrows() != from[0] * from[1] {
        return Err(Error::LengthMismatch {
            what: "rows",
            expected: from[0] * from[1],
            found: table.nrows(),
        });
    }
    let (height, width) = (rows.0.len(), columns.0.len());
    let mut out = zeros(height * width, table.ncols())?;
    // One new row of the grid at a time, before its columns are changed.
    let mut line = zeros::<f64>(from[1], table.ncols())?;
    let mut sum = vec![0.0; table.ncols()];
    for (taps, mut out) in rows.0.iter().zip(out.axis_chunks_iter_mut(Axis(0), width)) {
        line.fill(0.0);
        for &(row, weight) in taps {
            let old = table.slice_axis(Axis(0), (row * from[1]..(row + 1) * from[1]).into());
            line.zip_mut_with(&old, |sum, value| *sum += weight * value.to_f64());
        }
        for (taps, mut out) in columns.0.iter().zip(out.rows_mut()) {
            sum.fill(0.0);
            for &(column, weight) in taps {
                sum.iter_mut()
                    .zip(line.row(column))
                    .for_each(|(sum, value)| *sum += weight * value);
            }
            out.iter_mut().zip(&sum).for_each(|(out, sum)| *out = A::from_f64(*sum));
        }
    }
    Ok(out)
}

/// For each new point of an axis, the old ones that make it and their weights.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Taps(pub(super) Vec<Vec<(usize, f64)>>);

impl Taps {
    /// Both sizes are at least 1.
    pub(super) fn new(old: usize, new: usize, resample: Resample, factor: Option<f64>) -> Self {
        let (kernel, sampling) = (resample.kernel, resample.sampling);
        let step = match (sampling, factor) {
            (Sampling::AlignedCorners, _) => (old - 1) as f64 / (new - 1).max(1) as f64,
            (_, Some(factor)) => factor.recip(),
            (_, None) => old as f64 / new as f64,
        };
        let taps = |index| match sampling {
            Sampling::HalfPixel => kernel.around((index as f64 + 0.5) * step - 0.5, old),
            Sampling::AlignedCorners => kernel.around(index as f64 * step, old),
            Sampling::Antialiased => {
                kernel.averaged((index as f64 + 0.5) * step, step.max(1.0), old)
            }
        };
        Self((0..new).map(taps).collect())
    }

    /// The other way round, for gradients.
    fn transposed(&self, old: usize) -> Self {
        let mut taps = vec![Vec::new(); old];
        for (new, own) in self.0.iter().enumerate() {
            own.iter().for_each(|&(old, weight)| taps[old].push((new, weight)));
        }
        Self(taps)
    }
}

impl Kernel {
    /// The points within half of this many of a place count.
    fn support(self) -> f64 {
        match self {
            Self::Linear => 1.0,
            Self::Cubic | Self::CatmullRom => 2.0,
        }
    }

    /// Weight of a point at distance x.
    fn weight(self, x: f64) -> f64 {
        let x = x.abs();
        let a = match self {
            Self::Linear => return (1.0 - x).max(0.0),
            Self::Cubic => -0.75,
            Self::CatmullRom => -0.5,
        };
        if x < 1.0 {
            ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
        } else if x < 2.0 {
            (((x - 5.0) * x + 8.0) * x - 4.0) * a
        } else {
            0.0
        }
    }

    /// The points around place `x` of an axis of `len`; beyond the border stands the border.
    fn around(self, x: f64, len: usize) -> Vec<(usize, f64)> {
        let last = (len - 1) as f64;
        // A linear kernel stops at the border itself; a cubic one sees the border repeated.
        let x = if self == Self::Linear { x.clamp(0.0, last) } else { x.min(last + 1.0) };
        let below = x.floor().min(last);
        let t = (x - below).clamp(0.0, 1.0);
        let reach = self.support() as i64;
        let tap = |k: i64| {
            let index = (below + k as f64).clamp(0.0, last) as usize;
            (index, self.weight(t - k as f64))
        };
        (1 - reach..=reach).map(tap).filter(|(_, weight)| *weight != 0.0).collect()
    }

    /// The points whose cells lie within the widened kernel around `centre`, measured from the edge
    /// of the first cell.
    fn averaged(self, centre: f64, width: f64, len: usize) -> Vec<(usize, f64)> {
        let support = self.support() * width;
        let start = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5).max(0.0) as usize).min(len);
        // With a factor of its own a place may lie beyond the border, out of the reach of every
        // point.
        let start = start.min(len - 1);
        let end = end.max(start + 1);
        let weights: Vec<f64> =
            (start..end).map(|i| self.weight((i as f64 + 0.5 - centre) / width)).collect();
        let sum: f64 = weights.iter().sum();
        if sum == 0.0 {
            return vec![(start, 1.0)];
        }
        (start..end).zip(weights.into_iter().map(|weight| weight / sum)).collect()
    }
}
