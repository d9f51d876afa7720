//! The public battery over the crate's own encodings: a new one adds its line.

use ndarray::Array2;
use positional_encodings::{
    Element, FeatureLayout, Frequencies, Init, InstructionSet, Learned, OddDim, PositionalEncoding,
    Sinusoidal,
    testing::check_laws,
    training::{Activation, LearnedFrequencies, Linear, PositionNetwork, Scaled},
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
        ("learned, one row", Box::new(Learned::from_table(Array2::<A>::zeros((1, 3)))?)),
    ])
}

fn check_all<A: Element>() {
    for (name, encoding) in encodings::<A>().unwrap() {
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
