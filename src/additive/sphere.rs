//! Encodings of places on the Earth.

use core::fmt;

use ndarray::ArrayViewMut2;

use super::PositionalEncoding;
use super::fourier::check_size;
use crate::element::Element;
use crate::error::Error;
use crate::exact::Wide;
use crate::frequencies::Frequencies;
use crate::phase::Amplitude;
use crate::phase::projection::Projection;
use crate::positions::Positions;
use crate::threads;

/// The unit of latitudes and longitudes. It is always given, since degrees and radians are easily
/// confused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum AngleUnit {
    /// A circle has 360 degrees.
    Degrees,
    /// A circle has 2π radians.
    Radians,
}

impl AngleUnit {
    /// Returns the latitude of the north pole.
    fn pole(self) -> f64 {
        match self {
            Self::Degrees => 90.0,
            Self::Radians => core::f64::consts::FRAC_PI_2,
        }
    }

    /// Returns the number of radians in one unit.
    fn radians(self) -> Wide {
        match self {
            Self::Degrees => Wide::TAU.mul(Wide::from_u64(360).inverse_root(1)),
            Self::Radians => Wide::ONE,
        }
    }

    /// Checks that all positions are (latitude, longitude), with latitudes between the poles.
    fn check(self, positions: &Positions<'_>) -> Result<(), Error> {
        positions.check_axes(2)?;
        positions.check_finite()?;
        let high = self.pole();
        let mut latitudes = positions.iter().map(|latitude| latitude.to_f64()).enumerate();
        match latitudes.find(|(_, latitude)| latitude.abs() > high) {
            Some((index, position)) => {
                Err(Error::OutsideRange { index, position, low: -high, high })
            }
            None => Ok(()),
        }
    }
}

/// Sphere2Vec's encoding of places, which preserves distances on the sphere (Mai et al. 2023,
/// *Sphere2Vec*, arXiv 2306.17624; the variant sphereM).
///
/// Positions are (latitude φ, longitude λ), in the unit that [`AngleUnit`] names; a latitude past a
/// pole is an error. Each scale, with frequency w, has five features: sin φw, cos φw · cos λ,
/// cos φ · cos λw, cos φw · sin λ, cos φ · sin λw. Vectors have shape (places, 5 · scales).
///
/// ```
/// use ndarray::{Array2, array};
/// use positional_encodings::space::{AngleUnit, Sphere2Vec};
/// use positional_encodings::{Frequencies, PositionalEncoding, Positions};
///
/// // The paper's frequencies: 1/10 … 1/10000 at 16 scales
/// let scales = Frequencies::timescales(32, 10.0..=10_000.0)?;
/// let places = array![[48.1, 11.6], [-33.9, 151.2]]; // Munich, Sydney
/// let sphere = Sphere2Vec::new(&scales, AngleUnit::Degrees)?;
/// let features: Array2<f32> = sphere.encode(&Positions::from_points(&places)?)?;
/// assert_eq!(features.dim(), (2, 80));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone)]
pub struct Sphere2Vec {
    scales: Frequencies,
    unit: AngleUnit,
    /// The waves of latitude and longitude at all scales, then at scale 1.
    waves: Projection,
}

impl fmt::Debug for Sphere2Vec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sphere2Vec")
            .field("scales", &self.scales)
            .field("unit", &self.unit)
            .finish()
    }
}

impl PartialEq for Sphere2Vec {
    fn eq(&self, other: &Self) -> bool {
        (&self.scales, self.unit) == (&other.scales, other.unit)
    }
}

impl Sphere2Vec {
    /// Makes the encoding with the given frequencies, one for each scale.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`].
    pub fn new(scales: &Frequencies, unit: AngleUnit) -> Result<Self, Error> {
        let count = scales.len();
        let pairs = count.checked_mul(5).ok_or(Error::TooLarge { rows: 5, dim: count })?;
        check_size(2, pairs)?;
        let in_unit = |scale: &Wide| scale.mul(unit.radians());
        let own: Vec<Wide> = scales.as_wide().iter().chain([&Wide::ONE]).map(in_unit).collect();
        let none = vec![Wide::ZERO; count + 1];
        let latitude = [&own[..], &none].concat();
        let longitude = [&none[..], &own].concat();
        let phases = vec![Wide::ZERO; 2 * (count + 1)];
        let waves = Projection::new(&[latitude, longitude], &phases, Amplitude::ONE);
        Ok(Self { scales: scales.clone(), unit, waves })
    }

    /// Returns the unit of latitudes and longitudes.
    pub fn unit(&self) -> AngleUnit {
        self.unit
    }

    /// Returns the width of a position vector.
    pub fn dim(&self) -> usize {
        5 * self.scales.len()
    }
}

impl<A: Element> PositionalEncoding<A> for Sphere2Vec {
    fn dim(&self) -> usize {
        self.dim()
    }

    /// Returns the number of whole latitudes from the equator to the pole.
    fn max_len(&self) -> Option<usize> {
        Some(self.unit.pole() as usize + 1)
    }

    fn axes(&self) -> usize {
        2
    }

    fn check(&self, positions: &Positions<'_>) -> Result<(), Error> {
        self.unit.check(positions)
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.check_shape(positions, &out)?;
        PositionalEncoding::<A>::check(self, positions)?;
        let scales = self.scales.len();
        threads::rows(positions, out, &|positions, mut out| {
            positions.each_point(|index, point| {
                let latitude = |scale: usize| self.waves.exact::<f64>(scale, point);
                let longitude = |scale: usize| self.waves.exact::<f64>(scales + 1 + scale, point);
                let ([_, cos_phi], [sin_lambda, cos_lambda]) =
                    (latitude(scales), longitude(scales));
                let mut row = out.row_mut(index);
                for scale in 0..scales {
                    let ([sin, cos], [far_sin, far_cos]) = (latitude(scale), longitude(scale));
                    let own = [sin, cos * cos_lambda, cos_phi * far_cos, cos * sin_lambda, {
                        cos_phi * far_sin
                    }];
                    for (feature, value) in own.into_iter().enumerate() {
                        row[5 * scale + feature] = A::from_f64(value);
                    }
                }
            });
            Ok(())
        })
    }
}

/// Projects places (latitude, longitude) to points (x, y) by the Equal Earth projection (Šavrič et
/// al. 2018), scaled by 66.50336/180 as in GeoCLIP (Vivanco Cepeda et al. 2023, *GeoCLIP*, arXiv
/// 2309.16020).
///
/// GeoCLIP's features are [`Fourier`](crate::Fourier) features of these points, cosines first, with
/// a saved projection for each σ of 2⁰, 2⁴ and 2⁸.
///
/// # Errors
///
/// [`Error::AxesMismatch`] unless there are two axes; [`Error::NonFinitePosition`];
/// [`Error::OutsideRange`] for a latitude past a pole; [`Error::TooLarge`].
///
/// ```
/// use ndarray::{Array2, array};
/// use positional_encodings::space::{AngleUnit, equal_earth};
/// use positional_encodings::{FeatureLayout, Fourier, PositionalEncoding, Positions};
///
/// let places = array![[0.0, 180.0], [48.1, 11.6]];
/// let points = equal_earth(&Positions::from_points(&places)?, AngleUnit::Degrees)?;
/// assert!((points.to_array()?[[0, 0]] - 1.0).abs() < 1e-7); // the date line
/// let saved: Array2<f32> = array![[0.5, -1.25], [2.0, 0.75]]; // b transposed, (2, pairs)
/// let geoclip = Fourier::new(&saved)?.with_layout(FeatureLayout::CosSinHalves);
/// let features: Array2<f32> = geoclip.encode(&points)?;
/// assert_eq!(features.dim(), (2, 4));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
pub fn equal_earth(places: &Positions<'_>, unit: AngleUnit) -> Result<Positions<'static>, Error> {
    const A1: f64 = 1.340264;
    const A2: f64 = -0.081106;
    const A3: f64 = 0.000893;
    const A4: f64 = 0.003796;
    const SCALE: f64 = 66.50336 / 180.0;
    unit.check(places)?;
    let (root, to_radians) = (libm::sqrt(3.0), unit.radians().to_f64());
    let mut points = places.to_array()?;
    for mut point in points.rows_mut() {
        let (latitude, longitude) = (point[0] * to_radians, point[1] * to_radians);
        let theta = libm::asin(root / 2.0 * libm::sin(latitude));
        let square = theta * theta;
        let sixth = square * square * square;
        let slope = A1 + 3.0 * A2 * square + sixth * (7.0 * A3 + 9.0 * A4 * square);
        let x = 2.0 * root * longitude * libm::cos(theta) / (3.0 * slope);
        let y = theta * (A1 + A2 * square + sixth * (A3 + A4 * square));
        (point[0], point[1]) = (x * SCALE, y * SCALE);
    }
    let axes = [points.column(0).to_vec(), points.column(1).to_vec()];
    let flat = Positions::from_axes(axes)?;
    Ok(flat.shaped_like(places))
}
