//! Resampling of grids, to stretch a table of image positions.

use core::fmt;

use ndarray::{Array2, ArrayView2, Axis};

use crate::arrays::zeros;
use crate::element::Element;
use crate::error::Error;

/// The weight of a point by its distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Kernel {
    /// A linear kernel; bilinear in two dimensions.
    Linear,
    /// Cubic convolution with a = −0.75: torch's `bicubic` without antialiasing, OpenCV.
    Cubic,
    /// Cubic convolution with a = −0.5 (Keys 1981; Catmull-Rom): torch's `bicubic` with
    /// `antialias=True`, Pillow, JAX.
    CatmullRom,
}

/// The coordinates of the new grid's points on the old grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Sampling {
    /// Cells are aligned: x = (i + ½) · old/new − ½, and points beyond the border equal those at
    /// the border (`align_corners=False`).
    HalfPixel,
    /// The outermost points are aligned: x = i · (old − 1)/(new − 1) (`align_corners=True`).
    AlignedCorners,
    /// The first points are aligned: x = i · old/new, and beyond the last old point a linear kernel
    /// extrapolates along the line through the last two. Long-CLIP's 248 rows are 0 … 19 and then
    /// 20, 20.25, 20.5 … 76.75 of 77.
    FromFirst,
    /// As `HalfPixel`, with the kernel widened by old/new where the grid shrinks; weights are cut
    /// at the border and normalised to a sum of 1, also where the grid grows (`antialias=True`,
    /// Pillow).
    Antialiased,
}

/// The kernel and the sampling with which a grid is resampled; each system's choice has a name.
///
/// | system | choice |
/// |---|---|
/// | ViT, DeiT, DINOv2, CLIP in transformers | [`Resample::vit`] |
/// | timm's `resample_abs_pos_embed` | [`Resample::timm`] |
/// | torch's `interpolate`, `bicubic` and `bilinear` | [`Resample::bicubic`], [`Resample::bilinear`] |
/// | the first DINO and DINOv2, which pass `scale_factor` | [`Resample::vit`] with [`with_factors`](Self::with_factors) |
///
/// ```
/// use positional_encodings::resample::{Kernel, Resample, Sampling};
///
/// assert_eq!(Resample::vit(), Resample::new(Kernel::Cubic, Sampling::HalfPixel));
/// assert_eq!(Resample::timm(), Resample::new(Kernel::CatmullRom, Sampling::Antialiased));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Fields", into = "Fields"))]
pub struct Resample {
    kernel: Kernel,
    sampling: Sampling,
    factors: Option<[f64; 2]>,
}

/// A resampling from a config, before it is checked.
#[cfg(feature = "serde")]
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    kernel: Kernel,
    sampling: Sampling,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    factors: Option<[f64; 2]>,
}

#[cfg(feature = "serde")]
impl From<Resample> for Fields {
    fn from(Resample { kernel, sampling, factors }: Resample) -> Self {
        Self { kernel, sampling, factors }
    }
}

#[cfg(feature = "serde")]
impl TryFrom<Fields> for Resample {
    type Error = Error;

    fn try_from(Fields { kernel, sampling, factors }: Fields) -> Result<Self, Error> {
        let resample = Self::new(kernel, sampling);
        factors.map_or(Ok(resample), |factors| resample.with_factors(factors))
    }
}

impl Resample {
    /// Makes a resampling from a kernel and a sampling; steps are old size / new size.
    pub fn new(kernel: Kernel, sampling: Sampling) -> Self {
        Self { kernel, sampling, factors: None }
    }

    /// Makes bicubic resampling with a = −0.75 and no antialiasing: `interpolate_pos_encoding` of
    /// transformers' ViT, DeiT, DINOv2, CLIP, SigLIP.
    pub fn vit() -> Self {
        Self::new(Kernel::Cubic, Sampling::HalfPixel)
    }

    /// Makes bicubic resampling with a = −0.5 and antialiasing: timm's `resample_abs_pos_embed`.
    pub fn timm() -> Self {
        Self::new(Kernel::CatmullRom, Sampling::Antialiased)
    }

    /// Makes torch's `interpolate(mode="bicubic")`, whose kernel differs with antialiasing.
    ///
    /// ```
    /// use positional_encodings::resample::{Resample, Sampling};
    ///
    /// assert_eq!(Resample::bicubic(Sampling::HalfPixel), Resample::vit());
    /// assert_eq!(Resample::bicubic(Sampling::Antialiased), Resample::timm());
    /// ```
    pub fn bicubic(sampling: Sampling) -> Self {
        match sampling {
            Sampling::Antialiased => Self::new(Kernel::CatmullRom, sampling),
            _ => Self::new(Kernel::Cubic, sampling),
        }
    }

    /// Makes torch's `interpolate(mode="bilinear")`.
    pub fn bilinear(sampling: Sampling) -> Self {
        Self::new(Kernel::Linear, sampling)
    }

    /// Sets the steps to 1/factor, for rows and columns, instead of old size / new size: torch's
    /// `scale_factor`. DINO computes the factor from the new size plus 0.1, which moves every point
    /// slightly. Aligned corners ignore the factors, as in torch.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidFactor`] unless both factors and their reciprocals are positive and finite.
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

/// The plan for resampling a grid (rows, columns), which can be applied to any table of this grid
/// and, transposed, to gradients.
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
#[derive(Clone, PartialEq)]
pub struct GridResample {
    from: [usize; 2],
    to: [usize; 2],
    taps: [Taps; 2],
}

impl GridResample {
    /// Plans the resampling of a grid `from` (rows, columns) `to` another.
    ///
    /// # Errors
    ///
    /// [`Error::EmptyGrid`] where a size is 0; [`Error::TooLarge`].
    pub fn new(from: [usize; 2], to: [usize; 2], resample: Resample) -> Result<Self, Error> {
        for grid in [from, to] {
            let [rows, columns] = grid;
            if rows == 0 || columns == 0 {
                return Err(Error::EmptyGrid { rows, columns });
            }
            if rows.checked_mul(columns).is_none() {
                return Err(Error::TooLarge { rows, dim: columns });
            }
        }
        let axis = |axis: usize| {
            let factor = resample.factors.map(|factors| factors[axis]);
            Taps::new(Points::new(from[axis], to[axis], resample, factor), to[axis])
        };
        Ok(Self { from, to, taps: [axis(0)?, axis(1)?] })
    }

    /// Resamples a table (rows · columns, dim) to a table (new rows · new columns, dim).
    ///
    /// # Errors
    ///
    /// [`Error::LengthMismatch`] where the table is not of that grid; [`Error::TooLarge`].
    pub fn apply<A: Element>(&self, table: ArrayView2<'_, A>) -> Result<Array2<A>, Error> {
        let [rows, columns] = &self.taps;
        convert(table, self.from, rows, columns)
    }

    /// Returns the gradient with respect to the old table, given the gradient with respect to the
    /// new one: the transpose of [`apply`](Self::apply).
    ///
    /// # Errors
    ///
    /// The errors of [`apply`](Self::apply), with the grids exchanged.
    pub fn backward<A: Element>(&self, upstream: ArrayView2<'_, A>) -> Result<Array2<A>, Error> {
        let [rows, columns] = [0, 1].map(|axis| self.taps[axis].transposed(self.from[axis]));
        convert(upstream, self.to, &rows?, &columns?)
    }
}

impl fmt::Debug for GridResample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GridResample")
            .field("from", &self.from)
            .field("to", &self.to)
            .finish_non_exhaustive()
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
    let (height, width) = (rows.len(), columns.len());
    let mut out = zeros(height * width, table.ncols())?;
    // One new row of the grid at a time, before its columns are resampled.
    let mut line = zeros::<f64>(from[1], table.ncols())?;
    let mut sum = zeros::<f64>(1, table.ncols())?;
    for (taps, mut out) in rows.iter().zip(out.axis_chunks_iter_mut(Axis(0), width)) {
        line.fill(0.0);
        for &(row, weight) in taps {
            let old = table.slice_axis(Axis(0), (row * from[1]..(row + 1) * from[1]).into());
            line.zip_mut_with(&old, |sum, value| *sum += weight * value.to_f64());
        }
        for (taps, mut out) in columns.iter().zip(out.rows_mut()) {
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

/// The points of a new axis, each a weighted mean of old points.
#[derive(Clone, Copy)]
pub(super) struct Points {
    resample: Resample,
    step: f64,
    old: usize,
}

impl Points {
    /// Makes the points; both sizes must be at least 1.
    pub(super) fn new(old: usize, new: usize, resample: Resample, factor: Option<f64>) -> Self {
        let step = match (resample.sampling, factor) {
            (Sampling::AlignedCorners, _) => (old - 1) as f64 / (new - 1).max(1) as f64,
            (_, Some(factor)) => factor.recip(),
            (_, None) => old as f64 / new as f64,
        };
        Self { resample, step, old }
    }

    /// Returns the maximal number of old points that contribute to a new one.
    pub(super) fn most(&self) -> usize {
        let support = self.resample.kernel.support();
        match self.resample.sampling {
            Sampling::HalfPixel | Sampling::AlignedCorners | Sampling::FromFirst => {
                2 * support as usize
            }
            // Both ends of the widened kernel may lie within a cell.
            Sampling::Antialiased => {
                ((2.0 * support * self.step.max(1.0)) as usize).saturating_add(2).min(self.old)
            }
        }
    }

    /// Appends the old points that contribute to new point `index`, and their weights.
    pub(super) fn append(&self, index: usize, taps: &mut Vec<(usize, f64)>) {
        let Self { resample: Resample { kernel, sampling, .. }, step, old } = *self;
        match sampling {
            Sampling::HalfPixel => kernel.around((index as f64 + 0.5) * step - 0.5, old, taps),
            Sampling::AlignedCorners => kernel.around(index as f64 * step, old, taps),
            Sampling::FromFirst => {
                let (x, last) = (index as f64 * step, (old - 1) as f64);
                match old.checked_sub(2) {
                    Some(before) if kernel == Kernel::Linear && x > last => {
                        taps.extend([(before, last - x), (old - 1, 1.0 + x - last)]);
                    }
                    _ => kernel.around(x, old, taps),
                }
            }
            Sampling::Antialiased => {
                kernel.averaged((index as f64 + 0.5) * step, step.max(1.0), old, taps);
            }
        }
    }
}

/// The points of the old axis that contribute to each point of the new one, and their weights; or
/// the other way round, for gradients.
#[derive(Clone, PartialEq)]
struct Taps {
    taps: Vec<(usize, f64)>,
    /// The end of the taps of each point.
    ends: Vec<usize>,
}

impl Taps {
    /// Makes the taps of `new` points.
    fn new(points: Points, new: usize) -> Result<Self, Error> {
        let mut taps = Self { taps: Vec::new(), ends: Vec::new() };
        let too_large = |_| Error::TooLarge { rows: new, dim: 1 };
        taps.ends.try_reserve_exact(new).map_err(too_large)?;
        taps.taps.try_reserve_exact(new.saturating_mul(points.most())).map_err(too_large)?;
        for index in 0..new {
            points.append(index, &mut taps.taps);
            taps.ends.push(taps.taps.len());
        }
        Ok(taps)
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn iter(&self) -> impl Iterator<Item = &[(usize, f64)]> {
        let starts = core::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(&start, &end)| &self.taps[start..end])
    }

    /// Transposes the taps, for gradients: for each of `old` points the new points to which it
    /// contributes.
    fn transposed(&self, old: usize) -> Result<Self, Error> {
        let too_large = |_| Error::TooLarge { rows: old, dim: 1 };
        let mut ends = Vec::new();
        ends.try_reserve_exact(old).map_err(too_large)?;
        ends.resize(old, 0);
        let mut taps = Vec::new();
        taps.try_reserve_exact(self.taps.len()).map_err(too_large)?;
        taps.resize(self.taps.len(), (0, 0.0));
        // The start of each old point's taps follows from the number of taps of those before it.
        self.taps.iter().for_each(|&(old, _)| ends[old] += 1);
        let mut start = 0;
        for end in &mut ends {
            (*end, start) = (start, start + *end);
        }
        for (new, own) in self.iter().enumerate() {
            for &(old, weight) in own {
                taps[ends[old]] = (new, weight);
                ends[old] += 1;
            }
        }
        Ok(Self { taps, ends })
    }
}

impl Kernel {
    /// Returns half the width of the kernel: points up to this distance contribute.
    fn support(self) -> f64 {
        match self {
            Self::Linear => 1.0,
            Self::Cubic | Self::CatmullRom => 2.0,
        }
    }

    /// Returns the weight of a point at distance x.
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

    /// Appends the points around place `x` of an axis of `len`; beyond the border the border is
    /// repeated.
    fn around(self, x: f64, len: usize, taps: &mut Vec<(usize, f64)>) {
        let last = (len - 1) as f64;
        // A linear kernel stops at the border itself; for a cubic one the border is repeated.
        let x = if self == Self::Linear { x.clamp(0.0, last) } else { x.min(last + 1.0) };
        let below = x.floor().min(last);
        let t = (x - below).clamp(0.0, 1.0);
        let reach = self.support() as i64;
        let tap = |k: i64| {
            let index = (below + k as f64).clamp(0.0, last) as usize;
            (index, self.weight(t - k as f64))
        };
        taps.extend((1 - reach..=reach).map(tap).filter(|(_, weight)| *weight != 0.0));
    }

    /// Appends the points whose cells are within the widened kernel around `centre`, measured from
    /// the edge of the first cell.
    fn averaged(self, centre: f64, width: f64, len: usize, taps: &mut Vec<(usize, f64)>) {
        let support = self.support() * width;
        let start = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5).max(0.0) as usize).min(len);
        // With an explicit factor a place may be beyond the border, out of reach of every point.
        let start = start.min(len - 1);
        let end = end.max(start + 1);
        let first = taps.len();
        taps.extend((start..end).map(|i| (i, self.weight((i as f64 + 0.5 - centre) / width))));
        let own = &mut taps[first..];
        let sum: f64 = own.iter().map(|(_, weight)| weight).sum();
        if sum == 0.0 {
            taps.truncate(first);
            taps.push((start, 1.0));
        } else {
            own.iter_mut().for_each(|(_, weight)| *weight /= sum);
        }
    }
}
