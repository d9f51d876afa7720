//! Constructors and calls with any arguments, which write into the middle of a larger array.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use ndarray::{Array2, Array3, ArrayViewMut3, arr1, s};
use positional_encodings::bias::{AlibiForm, Kerple, Sandwich};
use positional_encodings::rotary::{AxialOrder, Sections, XPos};
use positional_encodings::scaling::{Llama3, Yarn};
use positional_encodings::{
    Alibi, AttentionBias, Error, FeatureLayout, Fourier, Frequencies, Learned, Pairing,
    PositionalEncoding, Positions, Rotary, Sinusoidal, Timestep, add_bias, add_positions_at,
    concat_positions_at, embed_with_positions_at, space::Time2Vec,
};

#[derive(Arbitrary, Debug)]
enum At {
    Range(u64, u8),
    Ids(Vec<i64>),
    Reals(Vec<f64>),
    Batch(u8, Vec<i64>),
    Grid(u8, u8),
    Points(Vec<[f64; 2]>),
}

#[derive(Arbitrary, Debug)]
enum Scaling {
    Linear(f64),
    Ntk(f64),
    Yarn(f64, usize, f64, f64),
    Llama3(f64, f64, f64, usize),
    Proportional(f64),
    AttentionFactor(f64),
    Divided(Vec<f64>),
}

#[derive(Arbitrary, Debug)]
enum Base {
    Geometric(f64),
    Inclusive(f64),
    Harmonic(f64),
    Given(Vec<f64>),
}

#[derive(Arbitrary, Debug)]
enum Method {
    Sinusoidal { layout: u8, amplitude: Option<f64>, padded: u8 },
    Learned { rows: u8, offset: Option<usize> },
    Fourier { turns: Vec<[f64; 2]>, phases: Vec<f64> },
    Time2Vec { frequencies: Vec<f64>, phases: Vec<f64> },
    Timestep,
    Rotary { pairing: bool, sections: Vec<usize>, axial: bool, last: bool, back: bool },
    XPos { origin: f64, scale_base: f64 },
    Alibi { symmetric: bool },
    Kerple { r1: f64, r2: f64 },
    Sandwich,
}

#[derive(Arbitrary, Debug)]
struct Call {
    method: Method,
    base: Base,
    scalings: Vec<Scaling>,
    dim: u8,
    at: At,
    keys: At,
    shape: [u8; 3],
    step: bool,
}

impl Call {
    /// Small sizes, so that an input takes milliseconds.
    fn sizes(&self) -> [usize; 3] {
        self.shape.map(|size| usize::from(size % 24))
    }
}

fn positions(at: &At) -> Result<Positions<'_>, Error> {
    Ok(match at {
        At::Range(start, len) => {
            let start = *start as usize;
            Positions::from(start..start.saturating_add(usize::from(*len)))
        }
        At::Ids(ids) => Positions::from(ids),
        At::Reals(reals) => Positions::from(reals),
        At::Batch(rows, ids) => {
            let rows = usize::from(*rows).max(1);
            let len = ids.len() / rows;
            let ids = Array2::from_shape_vec((rows, len), ids[..rows * len].to_vec());
            Positions::from(ids.map_err(|_| Error::ZeroDim)?)
        }
        At::Grid(rows, columns) => Positions::grid(&[usize::from(*rows), usize::from(*columns)])?,
        At::Points(points) => {
            Positions::from_points(&Array2::from(points.clone()))?.into_owned()?
        }
    })
}

fn frequencies(call: &Call) -> Result<Frequencies, Error> {
    let dim = usize::from(call.dim);
    let mut frequencies = match &call.base {
        Base::Geometric(base) => Frequencies::geometric(dim, *base)?,
        Base::Inclusive(base) => Frequencies::geometric_inclusive(dim, *base)?,
        Base::Harmonic(period) => Frequencies::harmonic(dim, *period)?,
        Base::Given(radians) => Frequencies::from_radians(radians.iter().copied())?,
    };
    for scaling in call.scalings.iter().take(3) {
        frequencies = match *scaling {
            Scaling::Linear(factor) => frequencies.linear(factor)?,
            Scaling::Ntk(factor) => frequencies.ntk(factor)?,
            Scaling::Yarn(factor, len, fast, slow) => frequencies.yarn(&Yarn {
                beta_fast: fast,
                beta_slow: slow,
                ..Yarn::new(factor, len)
            })?,
            Scaling::Llama3(factor, low, high, original_len) => frequencies.llama3(Llama3 {
                factor,
                low_freq_factor: low,
                high_freq_factor: high,
                original_len,
            })?,
            Scaling::Proportional(part) => frequencies.proportional(part)?,
            Scaling::AttentionFactor(factor) => frequencies.with_attention_factor(factor)?,
            Scaling::Divided(ref divisors) => frequencies.divided(divisors)?,
        };
    }
    Ok(frequencies)
}

/// Calls with the middle of an array of sentinels, and checks what was written.
fn framed(
    call: &Call,
    dim: usize,
    filler: f32,
    write: &dyn Fn(ArrayViewMut3<'_, f32>) -> Result<(), Error>,
) -> Result<(), Error> {
    let [a, b, _] = call.sizes();
    let step = if call.step { 2 } else { 1 };
    let mut whole = Array3::from_elem((a + 2, step * b + 2, step * dim + 2), filler);
    let before = whole.clone();
    let middle = s![1..a + 1, 1..step * b + 1; step, 1..step * dim + 1; step];
    let result = write(whole.slice_mut(middle));
    let same = |a: &f32, b: &f32| a.to_bits() == b.to_bits();
    if result.is_err() {
        assert!(
            whole.iter().zip(&before).all(|(a, b)| same(a, b)),
            "written by a call that failed"
        );
    } else {
        whole.slice_mut(middle).assign(&before.slice(middle));
        assert!(whole.iter().zip(&before).all(|(a, b)| same(a, b)), "written beside the output");
    }
    result
}

fn additive(call: &Call, encoding: &dyn PositionalEncoding<f32>) -> Result<(), Error> {
    let (at, dim) = (positions(&call.at)?, encoding.dim());
    if dim > 600 || at.total_len() > 70_000 {
        return Ok(());
    }
    let width = dim.saturating_add(call.sizes()[2] % 3).saturating_sub(1);
    let _ = framed(call, width, 1.5, &|out| add_positions_at(out, encoding, &at));
    if at.len() * dim > 1 << 16 {
        return Ok(());
    }
    let words = Array3::<f32>::ones((call.sizes()[0], at.len(), dim));
    let sum = embed_with_positions_at(&words, encoding, &at);
    let both = concat_positions_at(&words, encoding, &at);
    assert_eq!(sum.is_ok(), both.is_ok());
    if at.rows().is_none() {
        let table: Result<Array2<f32>, Error> = encoding.encode(&at);
        let Ok(table) = table else { return Ok(()) };
        let last = at.len().saturating_sub(1);
        for row in [0, at.len() / 2, last].into_iter().filter(|&row| row < at.len()) {
            let alone: Array2<f32> = encoding.encode(&at.slice(row..row + 1))?;
            let bits = |row: ndarray::ArrayView1<'_, f32>| row.map(|value| value.to_bits());
            assert_eq!(bits(alone.row(0)), bits(table.row(row)), "a row alone");
        }
    }
    Ok(())
}

fn rotary(call: &Call, rotary: &Rotary, back: bool) -> Result<(), Error> {
    let at = positions(&call.at)?;
    let plan = rotary.at::<f32>(&at)?;
    let plan = if back { plan.inverse() } else { plan };
    let width = rotary.dim() + call.sizes()[2] % 3;
    framed(call, width.saturating_sub(1), 0.5, &|out| plan.apply(out))
}

fn bias(call: &Call, bias: &dyn AttentionBias<f32>) -> Result<(), Error> {
    let (queries, keys) = (positions(&call.at)?, positions(&call.keys)?);
    let width = call.sizes()[2];
    framed(call, width, -0.5, &|scores| add_bias(scores, bias, &queries, &keys))
}

fn run(call: &Call) -> Result<(), Error> {
    match &call.method {
        Method::Sinusoidal { layout, amplitude, padded } => {
            let layout = match layout % 3 {
                0 => FeatureLayout::Interleaved,
                1 => FeatureLayout::SinCosHalves,
                _ => FeatureLayout::CosSinHalves,
            };
            let mut encoding = Sinusoidal::from_frequencies(frequencies(call)?).with_layout(layout);
            if let Some(amplitude) = amplitude {
                encoding = encoding.with_amplitude(*amplitude)?;
            }
            if *padded > 0 {
                encoding = encoding.padded_to(usize::from(*padded))?;
            }
            additive(call, &encoding)
        }
        Method::Learned { rows, offset } => {
            let shape = (usize::from(*rows), usize::from(call.dim));
            let mut learned = Learned::from_table(Array2::<f32>::ones(shape))?;
            if let Some(offset) = offset {
                learned = learned.with_offset(*offset)?;
            }
            additive(call, &learned)
        }
        Method::Fourier { turns, phases } => {
            let mut fourier = Fourier::new(&Array2::from(turns.clone()).reversed_axes())?;
            if !phases.is_empty() {
                fourier = fourier.with_phases(phases)?;
            }
            additive(call, &fourier)
        }
        Method::Time2Vec { frequencies, phases } => {
            additive(call, &Time2Vec::new(&arr1(frequencies), &arr1(phases))?)
        }
        Method::Timestep => additive(call, &Timestep::new(usize::from(call.dim)).encoding()?),
        Method::Rotary { pairing, sections, axial, last, back } => {
            let pairing = if *pairing { Pairing::Halves } else { Pairing::Interleaved };
            let mut plan = match axial {
                true => Rotary::axial_2d(usize::from(call.dim), 1e4, AxialOrder::Qwen2Vl)?,
                false => Rotary::new(frequencies(call)?, pairing),
            };
            if !sections.is_empty() {
                plan = plan.with_sections(sections, Sections::Interleaved)?;
            }
            if *last {
                plan = plan.on_last_features();
            }
            rotary(call, &plan, *back)
        }
        Method::XPos { origin, scale_base } => {
            let xpos = XPos::new(usize::from(call.dim))?
                .with_scale_base(*scale_base)?
                .with_origin(*origin)?;
            let (queries, keys) = xpos.at::<f32>(&positions(&call.at)?)?;
            let width = usize::from(call.dim);
            framed(call, width, 0.5, &|out| queries.apply(out))?;
            framed(call, width, 0.5, &|out| keys.inverse().apply(out))
        }
        Method::Alibi { symmetric } => {
            let alibi = Alibi::new(call.sizes()[0])?;
            bias(
                call,
                &alibi.with_form(if *symmetric { AlibiForm::Symmetric } else { AlibiForm::Causal }),
            )
        }
        Method::Kerple { r1, r2 } => {
            let heads = call.sizes()[0];
            bias(call, &Kerple::power(&vec![*r1; heads], &vec![*r2; heads])?)
        }
        Method::Sandwich => bias(call, &Sandwich::new(call.sizes()[0], call.dim.into())?),
    }
}

fuzz_target!(|call: Call| {
    if let Err(error) = run(&call) {
        assert!(!error.to_string().is_empty());
    }
});
