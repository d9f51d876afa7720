//! Distances between atoms.

use core::fmt;

use ndarray::ArrayViewMut2;

use super::PositionalEncoding;
use super::fourier::check_size;
use crate::element::Element;
use crate::error::{Error, check_parameter};
use crate::exact::Wide;
use crate::phase::Amplitude;
use crate::phase::projection::Projection;
use crate::positions::{Position, Positions};
use crate::threads;

/// Features of distances between atoms, as neural networks of molecules and graphs use them.
///
/// | system | write | PE(d)ₖ |
/// |---|---|---|
/// | SchNet, PyG `GaussianSmearing`, SchNetPack | [`Radial::gaussian`] | exp(−½((d − μₖ)/Δ)²) |
/// | PhysNet, TorchMD-Net, PyG ViSNet | [`Radial::exp_normal`] | cutoff(d) · exp(−β(e^(−5d/c) − μₖ)²) |
/// | SchNetPack `BesselRBF` | [`Radial::bessel`] | sin(nπd/c)/d |
/// | DimeNet, PyG | [`Radial::dimenet`] | u(d/c) · sin(nπd/c) |
///
/// Distances have shape (pairs) and are not negative; features have shape (pairs, dim), are
/// computed in f64 and rounded once, within 1 ulp in f32. At distance 0, by which the last two
/// formulas divide, the value is their limit.
///
/// ```
/// use ndarray::Array2;
/// use positional_encodings::{PositionalEncoding, Positions, space::Radial};
///
/// let schnet = Radial::gaussian(50, 0.0..=5.0)?;
/// let features: Array2<f32> = schnet.encode(&Positions::from(&[0.0, 1.43]))?;
/// assert_eq!((features.dim(), features[[0, 0]]), ((2, 50), 1.0));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone)]
pub struct Radial {
    dim: usize,
    kind: Kind,
    /// Sines and cosines of π · n · d/c, where the formula needs them.
    waves: Option<Projection>,
}

impl fmt::Debug for Radial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Radial")
            .field("dim", &self.dim)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Gaussian { start: f64, spacing: f64 },
    ExpNormal { cutoff: f64, first: f64, spacing: f64, beta: f64 },
    Bessel { cutoff: f64 },
    DimeNet { cutoff: f64, power: u32 },
}

impl PartialEq for Radial {
    fn eq(&self, other: &Self) -> bool {
        (self.dim, self.kind) == (other.dim, other.kind)
    }
}

impl Radial {
    /// Makes `dim` Gaussians with centres μₖ evenly spaced by Δ over a range, both ends included
    /// (Schütt et al. 2017, *SchNet*, arXiv 1706.08566): exp(−½((d − μₖ)/Δ)²).
    ///
    /// # Errors
    ///
    /// [`Error::DimTooSmall`] below two; [`Error::InvalidTimescales`] unless the range is finite
    /// and not empty; [`Error::TooLarge`].
    pub fn gaussian(dim: usize, range: core::ops::RangeInclusive<f64>) -> Result<Self, Error> {
        let (start, end) = (*range.start(), *range.end());
        let spacing = (end - start) / (check_dim(dim, 2)? - 1) as f64;
        if !(spacing > 0.0 && spacing.is_finite()) {
            return Err(Error::InvalidTimescales { shortest: start, longest: end });
        }
        Ok(Self { dim, kind: Kind::Gaussian { start, spacing }, waves: None })
    }

    /// Makes `dim` Gaussians of e^(−5d/c) (Unke and Meuwly 2019, *PhysNet*, arXiv 1902.08408; PyG's
    /// `ExpNormalSmearing`): cutoff(d) · exp(−β(e^(−5d/c) − μₖ)²), with μₖ evenly spaced from
    /// e^(−c) to 1, β = ((2/dim)(1 − e^(−c)))⁻² and cutoff(d) = ½(cos(πd/c) + 1), zero for d ≥ c.
    ///
    /// # Errors
    ///
    /// [`Error::DimTooSmall`] below two; [`Error::InvalidTimescales`] unless the cutoff is positive
    /// and finite; [`Error::TooLarge`].
    ///
    /// ```
    /// use ndarray::Array2;
    /// use positional_encodings::{PositionalEncoding, Positions, space::Radial};
    ///
    /// let visnet = Radial::exp_normal(128, 5.0)?;
    /// let features: Array2<f32> = visnet.encode(&Positions::from(&[0.0, 5.0]))?;
    /// assert_eq!(features[[0, 127]], 1.0);
    /// assert!(features.row(1).iter().all(|feature| *feature == 0.0));
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn exp_normal(dim: usize, cutoff: f64) -> Result<Self, Error> {
        let waves = waves(1, cutoff)?;
        let first = libm::exp(-cutoff);
        let spacing = (1.0 - first) / (check_dim(dim, 2)? - 1) as f64;
        let width = 2.0 / dim as f64 * (1.0 - first);
        let kind = Kind::ExpNormal { cutoff, first, spacing, beta: 1.0 / (width * width) };
        Ok(Self { dim, kind, waves: Some(waves) })
    }

    /// Makes `dim` spherical Bessel functions of order 0: sin(nπd/c)/d for n = 1, 2, …; the value
    /// at distance 0 is nπ/c (SchNetPack has 0 there).
    ///
    /// # Errors
    ///
    /// [`Error::ZeroDim`]; [`Error::InvalidTimescales`] unless the cutoff is positive and finite;
    /// [`Error::InvalidFrequency`] for a cutoff below dim · 2⁻⁶⁴; [`Error::TooLarge`].
    ///
    /// ```
    /// use ndarray::{Array2, array};
    /// use positional_encodings::{PositionalEncoding, Positions, space::Radial};
    ///
    /// let bessel = Radial::bessel(2, 4.0)?;
    /// let features: Array2<f64> = bessel.encode(&Positions::from(&[2.0]))?;
    /// assert_eq!(features, array![[0.5, 0.0]]); // sin(π/2)/2, sin(π)/2
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn bessel(dim: usize, cutoff: f64) -> Result<Self, Error> {
        let waves = Some(waves(check_dim(dim, 1)?, cutoff)?);
        Ok(Self { dim, kind: Kind::Bessel { cutoff }, waves })
    }

    /// Makes DimeNet's Bessel functions with their envelope (Gasteiger et al. 2020, arXiv
    /// 2003.03123): u(x) · sin(nπx) with x = d/c, u(x) = 1/x + a·x^(p−1) + b·x^p + g·x^(p+1), a =
    /// −(p + 1)(p + 2)/2, b = p(p + 2), g = −p(p + 1)/2. The value is zero for d ≥ c, and nπ at
    /// distance 0.
    ///
    /// `exponent` is PyG's `envelope_exponent`, 5 in the paper; p = exponent + 1.
    ///
    /// # Errors
    ///
    /// The errors of [`bessel`](Self::bessel), and [`Error::InvalidParameter`] for an exponent
    /// above 64.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use positional_encodings::{PositionalEncoding, Positions, space::Radial};
    ///
    /// let dimenet = Radial::dimenet(6, 5.0, 5)?;
    /// let features: Array2<f64> = dimenet.encode(&Positions::from(&[0.0, 5.0]))?;
    /// assert_eq!(features[[0, 0]], std::f64::consts::PI);
    /// assert_eq!(features[[1, 0]], 0.0);
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn dimenet(dim: usize, cutoff: f64, exponent: u32) -> Result<Self, Error> {
        check_parameter("exponent", f64::from(exponent), exponent <= 64, "at most 64")?;
        let kind = Kind::DimeNet { cutoff, power: exponent + 1 };
        Ok(Self { kind, ..Self::bessel(dim, cutoff)? })
    }

    /// Returns the number of features of a distance.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Calls `put` with each feature of a distance.
    fn features(&self, position: Position, mut put: impl FnMut(usize, f64)) {
        let d = position.to_f64();
        let wave = |n: usize| match &self.waves {
            Some(waves) => waves.exact::<f64>(n, &[position]),
            None => [0.0, 1.0],
        };
        let n_pi = |k: usize| (k + 1) as f64 * core::f64::consts::PI;
        for k in 0..self.dim {
            put(
                k,
                match self.kind {
                    Kind::Gaussian { start, spacing } => {
                        bell((d - start) / spacing - k as f64, 0.5)
                    }
                    Kind::ExpNormal { cutoff, .. } | Kind::DimeNet { cutoff, .. }
                        if d >= cutoff =>
                    {
                        0.0
                    }
                    Kind::ExpNormal { cutoff, first, spacing, beta } => {
                        let centre = first + spacing * k as f64;
                        let near = libm::exp(-5.0 * d / cutoff) - centre;
                        0.5 * (wave(0)[1] + 1.0) * bell(near, beta)
                    }
                    Kind::Bessel { cutoff } if d == 0.0 => n_pi(k) / cutoff,
                    Kind::Bessel { .. } => wave(k)[0] / d,
                    Kind::DimeNet { .. } if d == 0.0 => n_pi(k),
                    Kind::DimeNet { cutoff, power } => envelope(d / cutoff, power) * wave(k)[0],
                },
            );
        }
    }
}

/// Returns exp(−factor · x²).
fn bell(x: f64, factor: f64) -> f64 {
    libm::exp(-factor * (x * x))
}

/// Returns DimeNet's envelope u(x).
fn envelope(x: f64, power: u32) -> f64 {
    let p = f64::from(power);
    let [a, b, g] = [-(p + 1.0) * (p + 2.0) / 2.0, p * (p + 2.0), -p * (p + 1.0) / 2.0];
    let below = (1..power).fold(1.0, |product, _| product * x);
    1.0 / x + below * (a + x * (b + x * g))
}

/// Returns the projection with the angles π · n · d/c, n = 1, 2, ….
fn waves(count: usize, cutoff: f64) -> Result<Projection, Error> {
    if !(cutoff > 0.0 && cutoff.is_finite()) {
        return Err(Error::InvalidTimescales { shortest: cutoff, longest: cutoff });
    }
    let half_turn = Wide::TAU.mul(Wide::from_f64(cutoff).inverse_root(1)).mul(Wide::from_f64(0.5));
    let radians: Vec<Wide> = (1..=count as u64).map(|n| half_turn.mul(Wide::from_u64(n))).collect();
    let fits = |w: &Wide| w.mul(Wide::TURNS_PER_RADIAN).to_fixed().is_some();
    if let Some(pair) = radians.iter().position(|w| !fits(w)) {
        return Err(Error::InvalidFrequency { pair, frequency: radians[pair].to_f64() });
    }
    Ok(Projection::new(&[radians], &vec![Wide::ZERO; count], Amplitude::ONE))
}

fn check_dim(dim: usize, needed: usize) -> Result<usize, Error> {
    check_size(1, dim)?;
    if dim < needed { Err(Error::DimTooSmall { dim, needed }) } else { Ok(dim) }
}

impl<A: Element> PositionalEncoding<A> for Radial {
    fn dim(&self) -> usize {
        self.dim
    }

    fn max_len(&self) -> Option<usize> {
        None
    }

    /// Checks the positions, and that no distance is negative.
    fn check(&self, positions: &Positions<'_>) -> Result<(), Error> {
        positions.check_axes(1)?;
        positions.check_finite()?;
        let mut all = positions.iter().map(|position| position.to_f64()).enumerate();
        match all.find(|(_, distance)| *distance < 0.0) {
            Some((index, position)) => {
                Err(Error::OutsideRange { index, position, low: 0.0, high: f64::INFINITY })
            }
            None => Ok(()),
        }
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.check_shape(positions, &out)?;
        PositionalEncoding::<A>::check(self, positions)?;
        threads::rows(positions, out, &|positions, mut out| {
            for (position, mut row) in positions.iter().zip(out.rows_mut()) {
                self.features(position, |k, value| row[k] = A::from_f64(value));
            }
            Ok(())
        })
    }
}
