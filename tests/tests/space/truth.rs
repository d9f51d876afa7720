//! The errors of values at random real coordinates, measured against references of 90 digits.
//!
//! `tools/truth_space.py` makes `tests/truth/space.safetensors`.

use ndarray::{Array2, ArrayView2};
use positional_encodings::space::{AngleUnit, Cycle, Radial, Sphere2Vec};
use positional_encodings::{
    Element, Error, FeatureLayout, Fourier, Frequencies, PositionalEncoding, Positions, Timestep,
    space::Time2Vec,
};

use crate::common::Tensors;

type Outcome = Result<(), Error>;

fn truth() -> Tensors {
    Tensors::open("truth", "space")
}

fn doubles(name: &str) -> Vec<f64> {
    truth().list(name)
}

fn counts(name: &str) -> Vec<usize> {
    truth().list::<i32>(name).into_iter().map(|n| usize::try_from(n).unwrap()).collect()
}

/// A true value: the nearest f64, and the remainder.
#[derive(Clone, Copy)]
struct True {
    nearest: f64,
    rest: f64,
}

impl True {
    /// Returns the error of a value in units of the last of `bits` bits.
    fn ulps(self, value: f64, bits: i32) -> f64 {
        let exponent = (self.nearest.abs().to_bits() >> 52) as i32 - 1023;
        ((value - self.nearest) - self.rest).abs() / 2_f64.powi(exponent - bits + 1)
    }
}

/// Returns the true sine and cosine of each case of a section.
fn waves(section: &str) -> Vec<[True; 2]> {
    let [sin, cos] = ["sin", "cos"].map(|name| doubles(&format!("{section}/{name}")));
    let rest = |name| truth().list::<f32>(&format!("{section}/{name}_rest"));
    let (sin_rest, cos_rest) = (rest("sin"), rest("cos"));
    let pair = |i: usize| {
        let of = |nearest, rest: f32| True { nearest, rest: rest.into() };
        [of(sin[i], sin_rest[i]), of(cos[i], cos_rest[i])]
    };
    (0..sin.len()).map(pair).collect()
}

/// Checks the sine and cosine of a case, which are in the given columns of the encoding.
fn check(
    case: usize,
    encoding: &dyn Encodings,
    point: ArrayView2<'_, f64>,
    columns: [usize; 2],
    expected: [True; 2],
) {
    let at = Positions::from_points(&point).unwrap();
    let (narrow, wide) = (encoding.narrow(&at), encoding.wide(&at));
    for (column, truth) in columns.into_iter().zip(expected) {
        if column == usize::MAX {
            continue;
        }
        let (f32, f64) = (narrow[[0, column]], wide[[0, column]]);
        let off = truth.ulps(f32.into(), 24);
        assert!(off <= 0.501, "case {case}: f32 {f32} is {off} ulp off {}", truth.nearest);
        let off = truth.ulps(f64, 53);
        let is_small = truth.nearest.abs() < 2_f64.powi(-14);
        let is_close = (f64 - truth.nearest).abs() <= 2_f64.powi(-62);
        let is_good = off <= 0.51 || is_small && is_close && off <= 1.0;
        assert!(is_good, "case {case}: f64 {f64} is {off} ulp off {}", truth.nearest);
        #[cfg(feature = "half")]
        {
            let bf16 = encoding.brain(&at)[[0, column]];
            // The conversion of the `half` crate may round twice, so it is not used.
            let rounded = <half::bf16 as Element>::from_f64(truth.nearest);
            assert_eq!(bf16, rounded, "case {case}");
        }
    }
}

/// An encoding for all element types.
trait Encodings {
    fn narrow(&self, at: &Positions<'_>) -> Array2<f32>;
    fn wide(&self, at: &Positions<'_>) -> Array2<f64>;
    #[cfg(feature = "half")]
    fn brain(&self, at: &Positions<'_>) -> Array2<half::bf16>;
}

fn encode<A: Element>(encoding: &impl PositionalEncoding<A>, at: &Positions<'_>) -> Array2<A> {
    if encoding.axes() == 1 && at.axes() == 1 {
        return encoding.encode(&at.axis(0).unwrap()).unwrap();
    }
    encoding.encode(at).unwrap()
}

#[cfg(feature = "half")]
impl<E> Encodings for E
where
    E: PositionalEncoding<f32> + PositionalEncoding<f64> + PositionalEncoding<half::bf16>,
{
    fn narrow(&self, at: &Positions<'_>) -> Array2<f32> {
        encode(self, at)
    }
    fn wide(&self, at: &Positions<'_>) -> Array2<f64> {
        encode(self, at)
    }
    fn brain(&self, at: &Positions<'_>) -> Array2<half::bf16> {
        encode(self, at)
    }
}

#[cfg(not(feature = "half"))]
impl<E: PositionalEncoding<f32> + PositionalEncoding<f64>> Encodings for E {
    fn narrow(&self, at: &Positions<'_>) -> Array2<f32> {
        encode(self, at)
    }
    fn wide(&self, at: &Positions<'_>) -> Array2<f64> {
        encode(self, at)
    }
}

#[test]
fn timesteps() -> Outcome {
    let column = |name: &str| doubles(&format!("timesteps/{name}"));
    let (period, scale, shift, t) =
        (column("max_period"), column("scale"), column("shift"), column("t"));
    let (half, pair) = (counts("timesteps/half"), counts("timesteps/pair"));
    for (i, truth) in waves("timesteps").into_iter().enumerate() {
        let timestep = Timestep {
            dim: 2 * half[i],
            layout: FeatureLayout::CosSinHalves,
            downscale_freq_shift: shift[i],
            scale: scale[i],
            max_period: period[i],
        };
        let point = ndarray::array![[t[i]]];
        let columns = [half[i] + pair[i], pair[i]];
        check(i, &timestep.encoding()?, point.view(), columns, truth);
    }
    Ok(())
}

#[test]
fn projections() -> Outcome {
    let (b, x, phase) =
        (doubles("projections/b"), doubles("projections/x"), doubles("projections/phase"));
    for (i, truth) in waves("projections").into_iter().enumerate() {
        let matrix = Array2::from_shape_vec((3, 1), b[3 * i..3 * i + 3].to_vec()).unwrap();
        let fourier = Fourier::new(&matrix)?.with_phases(&[phase[i]])?;
        let point = ArrayView2::from_shape((1, 3), &x[3 * i..3 * i + 3]).unwrap();
        check(i, &fourier, point, [0, 1], truth);
    }
    Ok(())
}

#[test]
fn bands_calendars_and_lines() -> Outcome {
    let (exponent, x) = (counts("bands/exponent"), doubles("bands/x"));
    for (i, truth) in waves("bands").into_iter().enumerate() {
        let point = ndarray::array![[x[i]]];
        check(
            i,
            &Fourier::nerf(1, 20)?,
            point.view(),
            [2 * exponent[i], 2 * exponent[i] + 1],
            truth,
        );
    }
    let column = |name: &str| doubles(&format!("calendar/{name}"));
    let (period, phase, t) = (column("period"), column("phase"), column("t"));
    for (i, truth) in waves("calendar").into_iter().enumerate() {
        let calendar = Fourier::calendar(&[Cycle::new(period[i]).from(phase[i])])?;
        check(i, &calendar, ndarray::array![[t[i]]].view(), [0, 1], truth);
    }
    let column = |name: &str| doubles(&format!("lines/{name}"));
    let (w, p, t) = (column("w"), column("p"), column("t"));
    for (i, truth) in waves("lines").into_iter().enumerate() {
        let times = Time2Vec::new(&ndarray::array![0.0, w[i]], &ndarray::array![0.0, p[i]])?;
        check(i, &times, ndarray::array![[t[i]]].view(), [1, usize::MAX], truth);
    }
    Ok(())
}

#[test]
fn distances() -> Outcome {
    let (kind, dim, k) =
        (truth().list::<u8>("radial/kind"), counts("radial/dim"), counts("radial/k"));
    let column = |name: &str| doubles(&format!("radial/{name}"));
    let (cutoff, d, value) = (column("cutoff"), column("d"), column("value"));
    for i in 0..kind.len() {
        let radial = match kind[i] {
            0 => Radial::gaussian(dim[i], 0.0..=cutoff[i])?,
            1 => Radial::exp_normal(dim[i], cutoff[i])?,
            2 => Radial::bessel(dim[i], cutoff[i])?,
            _ => Radial::dimenet(dim[i], cutoff[i], 5)?,
        };
        let at = Positions::from(&d[i..=i]);
        let found: Array2<f32> = radial.encode(&at)?;
        let truth = True { nearest: value[i], rest: 0.0 };
        // Exponents of −100 lose some bits of f64; the envelope cancels near the cutoff.
        let small = value[i].abs() < 1e-30 || kind[i] == 3 && d[i] > 0.9 * cutoff[i];
        let off = truth.ulps(found[[0, k[i]]].into(), 24);
        let close = (f64::from(found[[0, k[i]]]) - value[i]).abs() < 1e-12;
        assert!(off <= 0.52 || small && close, "case {i}: {} is {off} ulp off", found[[0, k[i]]]);
    }
    Ok(())
}

#[test]
fn places() -> Outcome {
    let column = |name: &str| doubles(&format!("sphere/{name}"));
    let (w, latitude, longitude, values) =
        (column("w"), column("latitude"), column("longitude"), column("values"));
    for (i, expected) in values.chunks(5).enumerate() {
        let scale = Frequencies::from_radians([w[i]])?;
        let point = ndarray::array![[latitude[i], longitude[i]]];
        let sphere = Sphere2Vec::new(&scale, AngleUnit::Degrees)?;
        let found: Array2<f32> = sphere.encode(&Positions::from_points(&point)?)?;
        for (&found, &nearest) in found.iter().zip(expected) {
            let off = True { nearest, rest: 0.0 }.ulps(found.into(), 24);
            assert!(off <= 0.501, "case {i}: {found} is {off} ulp off");
        }
        // The other unit gives another place.
        let radians = Sphere2Vec::new(&scale, AngleUnit::Radians)?;
        let point = point.mapv(f64::to_radians);
        let same: Array2<f64> = radians.encode(&Positions::from_points(&point)?)?;
        for (same, nearest) in same.iter().zip(expected) {
            assert!((same - nearest).abs() < 1e-13, "case {i}");
        }
    }
    Ok(())
}
