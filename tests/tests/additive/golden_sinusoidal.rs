//! "To match X, write Y": each row of the table in the documentation of `Sinusoidal`, against
//! output of X.
//!
//! Libraries that compute the angle in f32 carry an error that grows with it, so values are
//! compared within 1e-6 + 3e-7 · |angle|; those that compute in f64 must agree to the bit.

use crate::common::Tensors;
use approx::assert_abs_diff_eq;
use ndarray::{Array1, Array2, Array3, ArrayView2, Axis, s};
use positional_encodings::{
    Error, FeatureLayout, Frequencies, OddDim, PositionalEncoding, Positions, Sinusoidal,
    embed_with_positions, embed_with_positions_at, ids,
};

type Outcome = Result<(), Error>;

fn golden() -> Tensors {
    Tensors::golden("a1_sinusoidal_1d")
}

/// The tolerance for a library's f32 arithmetic.
#[derive(Clone, Copy)]
struct Slack {
    constant: f64,
    per_radian: f64,
}

const F32_ANGLES: Slack = Slack { constant: 1e-6, per_radian: 3e-7 };
/// MLX computes powers by exp and log in f32.
const MLX: Slack = Slack { constant: 1e-6, per_radian: 1e-6 };

/// An encoding, and the frequency behind each of its columns: 0 for columns of zeros.
struct Case {
    encoding: Sinusoidal,
    frequencies: Vec<f64>,
}

fn case(
    frequencies: Frequencies,
    layout: FeatureLayout,
    finish: impl FnOnce(Sinusoidal) -> Result<Sinusoidal, Error>,
) -> Case {
    let radians = frequencies.to_radians();
    let encoding = finish(Sinusoidal::from_frequencies(frequencies).with_layout(layout)).unwrap();
    let pair_of = |column: usize| match layout {
        FeatureLayout::Interleaved => column / 2,
        _ => column % radians.len(),
    };
    let used = |column: usize| column < 2 * radians.len();
    let frequency = |column| if used(column) { radians[pair_of(column)] } else { 0.0 };
    let frequencies = (0..encoding.dim()).map(frequency).collect();
    Case { encoding, frequencies }
}

impl Case {
    #[track_caller]
    fn agrees(&self, positions: Positions<'_>, golden: ArrayView2<'_, f32>, slack: Slack) {
        let found: Array2<f32> = self.encoding.encode(&positions).unwrap();
        assert_eq!(found.dim(), golden.dim());
        for ((at, &found), &golden) in found.indexed_iter().zip(golden) {
            let angle = positions.get(at.0).unwrap().to_f64() * self.frequencies[at.1];
            let bound = slack.constant + slack.per_radian * angle.abs();
            let off = (f64::from(found) - f64::from(golden)).abs();
            assert!(
                off <= bound,
                "{at:?}: {found} instead of {golden}, off by {off:e} where {bound:e} is allowed"
            );
        }
    }

    #[track_caller]
    fn equals(&self, positions: Positions<'_>, golden: ArrayView2<'_, f32>) {
        let found: Array2<f32> = self.encoding.encode(&positions).unwrap();
        assert_eq!(found, golden);
    }
}

fn ok(encoding: Sinusoidal) -> Result<Sinusoidal, Error> {
    Ok(encoding)
}

/// XLM computes in f64, so values must agree to the bit.
#[test]
fn the_paper() -> Outcome {
    let golden = golden();
    for (name, dim, len) in [("xlm_interleaved_d10", 10, 20), ("xlm_interleaved_d64", 64, 40)] {
        let table: Array2<f32> = golden.get(&format!("{name}/table"));
        let found: Array2<f32> = Sinusoidal::new(dim)?.encode(&Positions::from(0..len))?;
        assert_eq!(found, table, "{name}");
    }
    Ok(())
}

/// The tutorial and diffusers share their code line for line.
#[test]
fn pytorch_tutorial() -> Outcome {
    let golden = golden();
    let tutorial = case(Frequencies::geometric(16, 10_000.0)?, FeatureLayout::Interleaved, ok);
    let table: Array2<f32> = golden.get("vaswani_interleaved/table");
    tutorial.agrees(Positions::from(0..24), table.view(), F32_ANGLES);
    assert_eq!(
        PositionalEncoding::<f32>::encode(&Sinusoidal::new(16)?, &Positions::from(0..24))?,
        PositionalEncoding::<f32>::encode(&tutorial.encoding, &Positions::from(0..24))?
    );

    let words: Array3<f32> = golden.get("vaswani_interleaved/x");
    let expected: Array3<f32> = golden.get("vaswani_interleaved/x_plus_pe");
    let input = embed_with_positions(&words, &Sinusoidal::new(16)?)?;
    for (found, expected) in input.iter().zip(&expected) {
        assert_abs_diff_eq!(found, expected, epsilon = 1e-5);
    }
    Ok(())
}

#[test]
fn tensor2tensor() -> Outcome {
    let golden = golden();
    let out =
        |name: &str| golden.get::<f32, ndarray::Ix3>(&format!("{name}/out")).remove_axis(Axis(0));
    let even =
        case(Frequencies::geometric_inclusive(8, 10_000.0)?, FeatureLayout::SinCosHalves, ok);
    even.agrees(Positions::from(0..11), out("t2t_even").view(), F32_ANGLES);

    let odd =
        case(Frequencies::geometric_inclusive(6, 10_000.0)?, FeatureLayout::SinCosHalves, |e| {
            e.padded_to(7)
        });
    odd.agrees(Positions::from(5..11), out("t2t_odd_start").view(), F32_ANGLES);
    assert!(out("t2t_odd_start").column(6).iter().all(|&value| value == 0.0));

    let two = case(Frequencies::geometric_inclusive(2, 10_000.0)?, FeatureLayout::SinCosHalves, ok);
    two.agrees(Positions::from(0..4), out("t2t_two").view(), F32_ANGLES);

    // It multiplies by min_timescale, 2 here, where the formula divides.
    let timescales = case(
        Frequencies::timescales(6, 2.0..=500.0)?.scaled(2.0 * 2.0)?,
        FeatureLayout::SinCosHalves,
        ok,
    );
    timescales.agrees(Positions::from(0..6), out("t2t_timescales").view(), F32_ANGLES);
    Ok(())
}

/// fairseq's encoding with its padding row, and those of FSMT, M2M-100 and Speech2Text.
#[test]
fn fairseq() -> Outcome {
    let golden = golden();
    let even = || {
        let frequencies = Frequencies::geometric_inclusive(8, 10_000.0)?;
        Ok::<_, Error>(case(frequencies, FeatureLayout::SinCosHalves, |e| {
            Ok(e.with_zero_position(1))
        }))
    };
    let odd =
        case(Frequencies::geometric_inclusive(6, 10_000.0)?, FeatureLayout::SinCosHalves, |e| {
            Ok(e.padded_to(7)?.with_zero_position(1))
        });
    for (name, fairseq) in [("fairseq_d8", even()?), ("fairseq_d7", odd)] {
        let tensor = |part: &str| format!("{name}/{part}");
        let table: Array2<f32> = golden.get(&tensor("table"));
        fairseq.agrees(Positions::from(0..16), table.view(), F32_ANGLES);
        batch_agrees(&golden, name, &fairseq, 0, "out");
        let step: Array3<f32> = golden.get(&tensor("incremental_step_len5"));
        for sentence in step.outer_iter() {
            fairseq.agrees(Positions::from(6..7), sentence, F32_ANGLES);
        }
    }
    for (name, rows, past) in
        [("fsmt", 20, None), ("m2m100", 22, Some(4)), ("speech_to_text", 22, Some(4))]
    {
        let table: Array2<f32> = golden.get(&format!("{name}/table"));
        even()?.agrees(Positions::from(0..rows), table.view(), F32_ANGLES);
        let tokens: Array2<i64> = golden.get(&format!("{name}/input_ids"));
        let expected: Array2<i64> = golden.get(&format!("{name}/position_ids"));
        assert_eq!(ids::padding_aware(&tokens, 1, past.unwrap_or(0)).unwrap(), expected, "{name}");
        batch_agrees(&golden, name, &even()?, past.unwrap_or(0), "out");
        if past.is_some() {
            batch_agrees(&golden, name, &even()?, 0, "out_no_past");
        }
    }
    Ok(())
}

/// A batch of tokens at padding-aware positions, encoded from ids and added to words of zeros.
fn batch_agrees(golden: &Tensors, name: &str, fairseq: &Case, past: usize, out: &str) {
    let tokens: Array2<i64> = golden.get(&format!("{name}/input_ids"));
    let out: Array3<f32> = golden.get(&format!("{name}/{out}"));
    let positions = ids::padding_aware(&tokens, 1, past).unwrap();
    for (positions, out) in positions.outer_iter().zip(out.outer_iter()) {
        fairseq.agrees(Positions::from(positions), out, F32_ANGLES);
    }
    let words = Array3::<f32>::zeros(out.dim());
    let input = embed_with_positions_at(&words, &fairseq.encoding, &positions).unwrap();
    for ((at, found), expected) in input.indexed_iter().zip(&out) {
        assert_abs_diff_eq!(found, expected, epsilon = 1e-5);
        let is_padding = tokens[[at.0, at.1]] == 1;
        assert!(!is_padding || *found == 0.0, "{name} {at:?}: padding has no position");
    }
}

/// Marian computes in f64, so values must agree to the bit. Pegasus, RoFormer and Informer use the
/// same table.
#[test]
fn marian() -> Outcome {
    let golden = golden();
    let even = case(Frequencies::geometric(16, 10_000.0)?, FeatureLayout::SinCosHalves, ok);
    let odd = case(
        Frequencies::geometric_odd(9, 10_000.0, OddDim::DropLast)?,
        FeatureLayout::SinCosHalves,
        |e| Ok(e.drop_last()),
    );
    for (name, marian, rows, past) in
        [("marian_half_split_d16", even, 30, 3), ("marian_half_split_d9", odd, 12, 0)]
    {
        let table: Array2<f32> = golden.get(&format!("{name}/table"));
        marian.equals(Positions::from(0..rows), table.view());
        let forward: Array2<f32> = golden.get(&format!("{name}/forward"));
        marian.equals(Positions::from(past..past + forward.nrows()), forward.view());
    }
    Ok(())
}

#[test]
fn xlnet() -> Outcome {
    let golden = golden();
    let xlnet = case(Frequencies::geometric(8, 10_000.0)?, FeatureLayout::SinCosHalves, ok);
    let descending: Vec<i64> = (-4..=7).rev().collect();
    let negated: Vec<i64> = descending.iter().map(|position| -position).collect();
    let clamped: Vec<i64> = (0..=7).rev().map(|position: i64| position.clamp(-4, 4)).collect();
    for (name, positions) in [
        ("xlnet_bi", [&descending, &descending]),
        ("xlnet_bi_data", [&descending, &negated]),
        ("xlnet_uni_clamp", [&clamped, &clamped]),
    ] {
        let out: Array3<f32> = golden.get(&format!("{name}/out"));
        for (positions, out) in positions.into_iter().zip(out.axis_iter(Axis(1))) {
            xlnet.agrees(Positions::from(positions), out, F32_ANGLES);
        }
    }
    Ok(())
}

#[test]
fn whisper() -> Outcome {
    let golden = golden();
    for (name, dim, base, rows) in [("whisper_c16", 16, 10_000.0, 30), ("whisper_c6", 6, 500.0, 12)]
    {
        let whisper =
            case(Frequencies::geometric_inclusive(dim, base)?, FeatureLayout::SinCosHalves, ok);
        let table: Array2<f32> = golden.get(&format!("{name}/table"));
        whisper.agrees(Positions::from(0..rows), table.view(), F32_ANGLES);
    }
    Ok(())
}

#[test]
fn mlx() -> Outcome {
    let golden = golden();
    let sqrt = |x: f64| x.sqrt();
    let default =
        case(Frequencies::geometric_inclusive(12, 10_000.0)?, FeatureLayout::SinCosHalves, |e| {
            e.with_amplitude(sqrt(2.0 / 12.0))
        });
    let full_turns = case(
        Frequencies::geometric_inclusive(6, 10_000.0)?.full_turns()?,
        FeatureLayout::SinCosHalves,
        |e| e.with_amplitude(sqrt(2.0 / 6.0)),
    );
    // min_freq 0.01, max_freq 2, cos_first, scale 1
    let options =
        case(Frequencies::timescales(8, 1.0 / 2.0..=1.0 / 0.01)?, FeatureLayout::CosSinHalves, ok);
    let two =
        case(Frequencies::geometric_inclusive(2, 10_000.0)?, FeatureLayout::SinCosHalves, |e| {
            e.with_amplitude(1.0)
        });
    for (name, mlx) in [
        ("mlx_default", default),
        ("mlx_full_turns", full_turns),
        ("mlx_opts", options),
        ("mlx_two", two),
    ] {
        let positions: Array1<f32> = golden.get(&format!("{name}/positions"));
        let out: Array2<f32> = golden.get(&format!("{name}/out"));
        mlx.agrees(Positions::from(&positions), out.view(), MLX);
    }
    Ok(())
}

#[test]
fn keras_hub() -> Outcome {
    let golden = golden();
    let even = case(Frequencies::geometric(16, 10_000.0)?, FeatureLayout::Interleaved, ok);
    even.agrees(Positions::from(0..12), golden.get("keras_hub_sine_even/table").view(), F32_ANGLES);
    let odd = case(
        Frequencies::geometric_odd(9, 500.0, OddDim::DropLast)?,
        FeatureLayout::Interleaved,
        |e| Ok(e.drop_last()),
    );
    odd.agrees(
        Positions::from(11..18),
        golden.get("keras_hub_sine_odd_start/table").view(),
        F32_ANGLES,
    );
    Ok(())
}

/// The values in burn's test of its `PositionalEncoding`, to the five decimals stated there.
#[test]
fn burn() -> Outcome {
    let expected = ndarray::array![
        [0.00000, 1.00000, 0.00000, 1.00000, 0.00000, 1.00000],
        [0.84147, 0.54030, 0.04640, 0.99892, 0.00215, 1.00000],
        [0.90930, -0.41615, 0.09270, 0.99569, 0.00431, 0.99999],
    ];
    let found: Array2<f64> = Sinusoidal::new(6)?.encode(&Positions::from(0..3))?;
    for (found, expected) in found.iter().zip(&expected) {
        assert_abs_diff_eq!(found, expected, epsilon = 0.5e-5 + 1e-12);
    }
    Ok(())
}

#[test]
fn positional_encodings_python() -> Outcome {
    let golden = golden();
    let even = case(Frequencies::geometric(8, 10_000.0)?, FeatureLayout::Interleaved, ok);
    even.agrees(
        Positions::from(0..13),
        golden.get("positional_encodings_1d_c8/table").view(),
        F32_ANGLES,
    );
    let table: Array2<f32> = golden.get("positional_encodings_1d_c7/table");
    let odd = case(
        Frequencies::geometric_odd(7, 10_000.0, OddDim::DropLastOfEven)?,
        FeatureLayout::Interleaved,
        |e| Ok(e.drop_last()),
    );
    odd.agrees(Positions::from(0..9), table.view(), F32_ANGLES);
    assert_eq!(
        PositionalEncoding::<f32>::encode(
            &Sinusoidal::odd(7, OddDim::DropLastOfEven)?,
            &Positions::from(0..9)
        )?,
        PositionalEncoding::<f32>::encode(&odd.encoding, &Positions::from(0..9))?
    );
    Ok(())
}

#[test]
fn x_transformers() -> Outcome {
    let golden = golden();
    let scale = golden.list::<f32>("x_transformers_scaled/scale")[0];
    assert_eq!(scale, 16_f32.sqrt().recip());
    let scaled = case(Frequencies::geometric(16, 10_000.0)?, FeatureLayout::SinCosHalves, |e| {
        e.with_amplitude(16_f64.sqrt().recip())
    });
    scaled.agrees(
        Positions::from(0..10),
        golden.get("x_transformers_scaled/table").view(),
        F32_ANGLES,
    );
    Ok(())
}

#[test]
fn speecht5() -> Outcome {
    let golden = golden();
    let table = case(Frequencies::geometric(12, 10_000.0)?, FeatureLayout::Interleaved, ok);
    table.agrees(Positions::from(0..15), golden.get("speecht5_scaled/table").view(), F32_ANGLES);
    let words: Array3<f32> = golden.get("speecht5_scaled/x");
    let expected: Array3<f32> = golden.get("speecht5_scaled/out");
    let input = embed_with_positions(&words, &Sinusoidal::new(12)?.with_amplitude(0.75)?)?;
    for (found, expected) in input.iter().zip(&expected) {
        assert_abs_diff_eq!(found, expected, epsilon = 1e-5);
    }
    Ok(())
}

#[test]
fn musicgen() -> Outcome {
    let golden = golden();
    let musicgen =
        case(Frequencies::geometric_inclusive(10, 10_000.0)?, FeatureLayout::CosSinHalves, ok);
    musicgen.agrees(
        Positions::from(0..15),
        golden.get("musicgen_cos_first/table").view(),
        F32_ANGLES,
    );
    Ok(())
}

#[test]
fn ctrl() -> Outcome {
    let golden = golden();
    let ctrl = case(Frequencies::geometric(10, 10_000.0)?, FeatureLayout::SinCosHalves, ok);
    ctrl.agrees(Positions::from(0..16), golden.get("ctrl_half_split/table").view(), F32_ANGLES);
    Ok(())
}

/// The shortcuts in the table give the same encodings as the frequencies spelled out above.
#[test]
fn short_forms() -> Outcome {
    let same = |short: Sinusoidal, long: Sinusoidal| {
        let rows = |encoding: &Sinusoidal| -> Result<Array2<f64>, Error> {
            encoding.encode(&Positions::from(0..70))
        };
        assert_eq!(rows(&short)?, rows(&long)?);
        Ok::<_, Error>(())
    };
    let of = Sinusoidal::from_frequencies;
    let halves = FeatureLayout::SinCosHalves;
    // Marian, XLNet, CTRL, x-transformers
    same(
        Sinusoidal::new(16)?.with_layout(halves),
        of(Frequencies::geometric(16, 10_000.0)?).with_layout(halves),
    )?;
    let odd = Frequencies::geometric_odd(9, 10_000.0, OddDim::DropLast)?;
    same(
        Sinusoidal::odd(9, OddDim::DropLast)?.with_layout(halves),
        of(odd.clone()).drop_last().with_layout(halves),
    )?;
    // keras-hub
    same(Sinusoidal::odd(9, OddDim::DropLast)?, of(odd).drop_last())
}

/// tensor2tensor over two axes: the encodings of both indices side by side, then columns of zeros.
#[test]
fn tensor2tensor_nd() -> Outcome {
    let out: ndarray::Array4<f32> = golden().get("t2t_nd/out");
    let axis =
        case(Frequencies::geometric_inclusive(4, 10_000.0)?, FeatureLayout::SinCosHalves, ok);
    for row in 0..3 {
        for column in 0..2 {
            let vector = out.slice(s![0, row..row + 1, column, ..]);
            axis.agrees(Positions::from(row..row + 1), vector.slice(s![.., ..4]), F32_ANGLES);
            axis.agrees(
                Positions::from(column..column + 1),
                vector.slice(s![.., 4..8]),
                F32_ANGLES,
            );
            assert!(vector.slice(s![.., 8..]).iter().all(|&value| value == 0.0));
        }
    }
    Ok(())
}
