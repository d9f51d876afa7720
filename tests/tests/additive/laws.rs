//! The public battery over the crate's own encodings: a new encoding adds a line.

use ndarray::{Array2, ArrayViewMut2};
use positional_encodings::{
    Axes, Element, Error, FeatureLayout, Fourier, Frequencies, Init, Learned, LearnedGrid,
    NoPositions, OddDim, PositionalEncoding, Positions, Sinusoidal, Timestep,
    space::{AngleUnit, Cycle, Input, MipNerf, Radial, Sphere2Vec, Time2Vec, Wavelengths},
    testing::{InstructionSet, check_laws},
    training::{
        Activation, LearnedFrequencies, LearnedProjection, Linear, PositionNetwork, Scaled,
    },
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

type Named<A> = (&'static str, Box<dyn PositionalEncoding<A>>);

fn encodings<A: Element>() -> Result<Vec<Named<A>>, positional_encodings::Error> {
    let table = || {
        Learned::<A>::init(200, 10, Init::Normal { std: 0.02 }, &mut ChaCha8Rng::seed_from_u64(7))
    };
    let inclusive =
        |dim| Frequencies::geometric_inclusive(dim, 10_000.0).map(Sinusoidal::from_frequencies);
    Ok(vec![
        ("paper", Box::new(Sinusoidal::new(64)?)),
        ("more pairs than a chunk", Box::new(Sinusoidal::new(2100)?)),
        ("no whole vector", Box::new(Sinusoidal::new(6)?)),
        ("dim 2", Box::new(inclusive(2)?)),
        ("halves", Box::new(inclusive(54)?.with_layout(FeatureLayout::SinCosHalves))),
        ("cosines first", Box::new(Sinusoidal::new(70)?.with_layout(FeatureLayout::CosSinHalves))),
        (
            "fairseq",
            Box::new(
                inclusive(6)?
                    .with_layout(FeatureLayout::SinCosHalves)
                    .padded_to(7)?
                    .with_zero_position(1),
            ),
        ),
        ("odd, interleaved", Box::new(Sinusoidal::odd(17, OddDim::DropLast)?)),
        (
            "odd, halves",
            Box::new(
                Sinusoidal::odd(17, OddDim::DropLast)?.with_layout(FeatureLayout::SinCosHalves),
            ),
        ),
        (
            "odd, cosines first",
            Box::new(
                Sinusoidal::odd(35, OddDim::DropLastOfEven)?
                    .with_layout(FeatureLayout::CosSinHalves),
            ),
        ),
        ("odd, zero column", Box::new(Sinusoidal::odd(1025, OddDim::ZeroColumn)?)),
        ("dim 1", Box::new(Sinusoidal::odd(1, OddDim::DropLast)?)),
        ("amplitude", Box::new(Sinusoidal::new(64)?.with_amplitude(-0.3)?)),
        ("no amplitude", Box::new(Sinusoidal::new(64)?.with_amplitude(0.0)?)),
        ("period", Box::new(Frequencies::harmonic(64, 32.0).map(Sinusoidal::from_frequencies)?)),
        ("negative and huge frequencies", {
            Box::new(Sinusoidal::from_frequencies(Frequencies::from_radians([
                -3.0, 1e18, 0.0, 1e-300,
            ])?))
        }),
        (
            "baseline",
            Box::new(Sinusoidal::new(100)?.with_instruction_set(InstructionSet::Baseline)?),
        ),
        ("learned", Box::new(table()?)),
        ("learned with an offset", Box::new(table()?.with_offset(2)?)),
        ("learned, column-major", {
            Box::new(Learned::from_table(
                Array2::<A>::from_elem((5, 300), A::from_f64(0.5)).reversed_axes(),
            )?)
        }),
        ("a learned amplitude", Box::new(Scaled::new(Sinusoidal::new(64)?, 0.75)?)),
        ("learned frequencies", Box::new(LearnedFrequencies::new(Sinusoidal::new(64)?))),
        ("a network", {
            let [first, second] = [(7, 10), (3, 7)].map(|shape| {
                Linear::new(Array2::from_shape_fn(shape, |(i, j)| {
                    A::from_f64(i as f64 * 0.1 - j as f64 * 0.3)
                }))
            });
            Box::new(PositionNetwork::new(table()?, first?, Activation::Gelu, second?)?)
        }),
        ("no positions", Box::new(NoPositions::new(5)?)),
        ("learned, one row", Box::new(Learned::from_table(Array2::<A>::zeros((1, 3)))?)),
    ])
}

/// Encodings of points, times and quantities.
fn of_space<A: Element>() -> Result<Vec<Named<A>>, positional_encodings::Error> {
    let rng = || ChaCha8Rng::seed_from_u64(7);
    let table = |rows| Learned::<A>::init(rows, 6, Init::Normal { std: 0.02 }, &mut rng());
    let scales = Frequencies::timescales(6, 1.0..=100.0)?;
    let ones = ndarray::Array1::from_elem(140, A::from_f64(0.3));
    Ok(vec![
        ("mae", Box::new(Axes::mae(64)?)),
        ("timm", Box::new(Axes::timm(12, 100.0)?)),
        ("loftr", Box::new(Axes::loftr(24)?)),
        ("detr", Box::new(Axes::detr(36, 20.0)?)),
        ("dab-detr", Box::new(Axes::dab_detr(32, 1e4)?)),
        ("python, cut", Box::new(Axes::python(10, 3)?)),
        ("tensor2tensor", Box::new(Axes::tensor2tensor(23, 2)?)),
        ("v-jepa", Box::new(Axes::v_jepa(48)?)),
        ("learned, summed", Box::new(Axes::sum([table(200)?, table(150)?])?)),
        ("learned, side by side", Box::new(Axes::concat([table(200)?, table(150)?])?.with_dim(9)?)),
        ("learned grid", {
            Box::new(LearnedGrid::from_table(ndarray::Array3::from_elem((7, 9, 3), A::one()))?)
        }),
        ("timestep", Box::new(Timestep::flux(17).encoding()?)),
        ("random features", Box::new(Fourier::random(2, 150, 3.0, &mut rng())?)),
        ("nerf", Box::new(Fourier::nerf(3, 6)?)),
        ("nerf's code", Box::new(Fourier::nerf_code(3, 5)?)),
        ("nerfstudio", Box::new(Fourier::nerfstudio(2, 3, (0.0, 5.0))?.with_input(Input::Last))),
        ("perceiver", Box::new(Fourier::perceiver(&[8, 16], 5)?.sines_only())),
        ("ten axes", Box::new(Fourier::random(10, 3, 1.0, &mut rng())?.with_input(Input::First))),
        ("calendar", Box::new(Fourier::calendar(&[Cycle::new(24.0), Cycle::new(7.3).from(2.0)])?)),
        ("a learned projection", {
            Box::new(LearnedProjection::new(Fourier::random(2, 7, 1.0, &mut rng())?))
        }),
        ("mip-nerf", Box::new(MipNerf::new(2, 4)?)),
        ("time2vec", Box::new(Time2Vec::new(&ones, &ones)?)),
        ("wavelengths", Box::new(Wavelengths::new(10, 0.5..=1000.0)?)),
        ("degrees", Box::new(Sphere2Vec::new(&scales, AngleUnit::Degrees)?)),
        ("radians", Box::new(Sphere2Vec::new(&scales, AngleUnit::Radians)?)),
        ("gaussians", Box::new(Radial::gaussian(9, 0.0..=300.0)?)),
        ("exp-normal", Box::new(Radial::exp_normal(9, 200.0)?)),
        ("bessel", Box::new(Radial::bessel(9, 30.0)?)),
        ("dimenet", Box::new(Radial::dimenet(9, 200.0, 5)?)),
    ])
}

fn check_all<A: Element>() {
    let all = [encodings::<A>().unwrap(), of_space().unwrap()];
    for (name, encoding) in all.into_iter().flatten() {
        check_laws(&*encoding).unwrap_or_else(|violation| panic!("{name}: {violation}"));
    }
}

#[test]
fn f32_encodings_obey_the_laws() {
    check_all::<f32>();
}

#[test]
fn f64_encodings_obey_the_laws() {
    check_all::<f64>();
}

#[test]
#[cfg(feature = "half")]
fn half_encodings_obey_the_laws() {
    check_all::<half::f16>();
    check_all::<half::bf16>();
}

/// The neutral element of addition: -0.0, so that words keep the sign of their zeros.
#[test]
fn no_positions_leave_every_bit_as_it_was() {
    let none = NoPositions::new(3).unwrap();
    let words = Array2::from_shape_fn((4, 3), |(i, j)| [0.0_f32, -0.0, 1.5][(i + j) % 3]);
    let input = positional_encodings::embed_with_positions(&words, &none).unwrap();
    let bits = |rows: &Array2<f32>| rows.mapv(f32::to_bits);
    assert_eq!(bits(&input), bits(&words));
    assert!(NoPositions::new(0).is_err());
}

#[test]
fn an_encoding_without_features_breaks_a_law() {
    struct Nothing;
    impl PositionalEncoding<f32> for Nothing {
        fn dim(&self) -> usize {
            0
        }
        fn max_len(&self) -> Option<usize> {
            None
        }
        fn encode_into(
            &self,
            positions: &Positions<'_>,
            out: ArrayViewMut2<'_, f32>,
        ) -> Result<(), Error> {
            self.check_shape(positions, &out)?;
            self.check(positions)
        }
    }
    let violation = check_laws(&Nothing).unwrap_err();
    assert_eq!(violation.to_string(), "a position vector has at least one feature: dim 0");
}

#[test]
fn encodings_are_equal_if_their_values_are() {
    let sinusoid = || Sinusoidal::new(512).unwrap();
    assert_eq!(sinusoid(), sinusoid().with_instruction_set(InstructionSet::Baseline).unwrap());
    assert_ne!(sinusoid(), sinusoid().with_layout(FeatureLayout::CosSinHalves));
}
