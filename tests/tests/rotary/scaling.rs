//! Frequencies and tables of every rope type of transformers, and of published reference values.

use positional_encodings::scaling::{DynamicNtk, Llama3, LongRope, Regime, Yarn};
use positional_encodings::{Frequencies, Pairing, Rotary, rotary::Precision};
use serde_json::Value;

use crate::golden::Golden;

/// Returns the rotation for the parameters of a golden case, at a total length.
fn rotary(params: &Value, len: usize) -> Rotary {
    let number = |name: &str| params[name].as_f64();
    let count = |name: &str| number(name).map(|value| value as usize);
    let kind = params["rope_type"].as_str().unwrap_or("default");
    let base = number("rope_theta").unwrap_or(10_000.0);
    let fraction = number("partial_rotary_factor").unwrap_or(1.0);
    let head = count("head_dim").unwrap();
    let dim = if kind == "proportional" { head } else { (head as f64 * fraction) as usize };
    let plain = Frequencies::geometric(dim, base).unwrap();
    let factor = number("factor");
    let max_len = count("max_position_embeddings");
    let original_len = count("original_max_position_embeddings").or(max_len).unwrap_or(0);
    let frequencies = match kind {
        "default" => plain,
        "linear" => plain.linear(factor.unwrap()).unwrap(),
        "dynamic" => {
            let parameters = DynamicNtk { factor: factor.unwrap(), original_len: max_len.unwrap() };
            plain.dynamic_ntk(parameters, len).unwrap()
        }
        "llama3" => {
            let [low_freq_factor, high_freq_factor] =
                ["low_freq_factor", "high_freq_factor"].map(|name| number(name).unwrap());
            let parameters =
                Llama3 { factor: factor.unwrap(), low_freq_factor, high_freq_factor, original_len };
            plain.llama3(parameters).unwrap()
        }
        "yarn" => {
            let plain_yarn = Yarn::new(factor.unwrap(), original_len);
            let yarn = Yarn {
                beta_fast: number("beta_fast").unwrap_or(32.0),
                beta_slow: number("beta_slow").unwrap_or(1.0),
                truncate: params["truncate"].as_bool().unwrap_or(true),
                mscale: number("mscale").unwrap_or(0.0),
                mscale_all_dim: number("mscale_all_dim").unwrap_or(0.0),
                ..plain_yarn
            };
            plain.yarn(&yarn).unwrap()
        }
        "longrope" => {
            let list = |name: &str| {
                params[name].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
            };
            let factor = factor.unwrap_or(max_len.unwrap() as f64 / original_len as f64);
            let (short, long) = (list("short_factor"), list("long_factor"));
            let longrope = LongRope { short, long, original_len, factor };
            plain.longrope(&longrope, len).unwrap()
        }
        "proportional" => {
            let kept = plain.proportional(fraction).unwrap();
            kept.linear(factor.unwrap_or(1.0)).unwrap()
        }
        other => panic!("{other}"),
    };
    let frequencies = match number("attention_factor") {
        Some(given) => frequencies.with_attention_factor(given).unwrap(),
        None => frequencies,
    };
    Rotary::new(frequencies, Pairing::Halves)
}

/// Asserts that frequencies are within a few f32 roundings of torch's.
#[track_caller]
fn same_frequencies(case: &str, rotary: &Rotary, golden: &[f64]) {
    // Torch rounds base^x, its reciprocal and each step of a scaling; llama3's smoothing cancels.
    let bound = if case.starts_with("llama3") { 1.5e-6 } else { 2.5e-7 };
    for (i, (found, expected)) in rotary.frequencies().iter().zip(golden).enumerate() {
        assert!(
            (found - expected).abs() <= bound * found.abs(),
            "{case} {i}: {found} instead of {expected}"
        );
    }
}

#[test]
pub fn every_rope_type_of_transformers() {
    let golden = Golden::open("c1_rope_scaling_hf");
    for case in golden.cases() {
        if matches!(&*case, "deepseek_mscale" | "gemma3_dual_theta") {
            continue;
        }
        let (params, key) = (golden.params(&case), |name: &str| format!("{case}/{name}"));
        let positions =
            if golden.has(&key("positions")) { golden.ids(&key("positions")) } else { Vec::new() };
        let len = positions.iter().max().map_or(0, |max| *max as usize + 1);
        let rotary = rotary(&params, len);
        if golden.has(&key("attention_scaling")) {
            let expected = golden.tensor(&key("attention_scaling"))[[0]];
            assert!((rotary.attention_factor() - expected).abs() < 1e-15, "{case}");
        }
        // Before the first forward, transformers has the frequencies of a short sequence.
        let short = self::rotary(&params, 0);
        same_frequencies(&case, &short, golden.tensor(&key("inv_freq")).as_slice().unwrap());
        let after = key("inv_freq_after_forward");
        if golden.has(&after) {
            let factor = golden.tensor(&key("attention_scaling_after_forward"))[[0]];
            assert!((rotary.attention_factor() - factor).abs() < 1e-15, "{case}");
        }
        let inv_freq = golden.tensor(&if golden.has(&after) { after } else { key("inv_freq") });
        assert_eq!(inv_freq.len(), rotary.frequencies().len(), "{case}");
        same_frequencies(&case, &rotary, inv_freq.as_slice().unwrap());
        if golden.has(&key("cos")) {
            same_tables(&case, &rotary, &positions, &golden, ["cos", "sin"].map(key));
        }
    }
}

/// Cosines and sines are within the error of f32 angles, and those by the recipe within a few ulps.
fn same_tables(
    case: &str,
    rotary: &Rotary,
    positions: &[i64],
    golden: &Golden,
    names: [String; 2],
) {
    let [cos, sin] = names.map(|name| golden.tensor(&name));
    let pairs = rotary.dim() / 2;
    let recipe = rotary.clone().with_precision(Precision::Float32Recipe);
    // The tolerance of the golden README; the recipe's frequencies may differ from transformers' by
    // the tolerance of frequencies.
    let slack = |exact| match (case.starts_with("llama3"), exact) {
        (false, _) => 3e-7,
        (true, true) => 1e-6,
        (true, false) => 1.5e-6,
    };
    for (exact, rotary) in [(true, rotary), (false, &recipe)] {
        let rotation = rotary.at::<f32>(positions).unwrap();
        for (row, position) in positions.iter().enumerate() {
            let [c, s] = rotation.cos_sin(row).unwrap();
            for i in 0..2 * pairs {
                let angle = *position as f64 * rotary.frequencies()[i % pairs];
                // The recipe differs where a frequency differs in its last bit.
                let bound = (if exact { 1e-6 } else { 2.5e-7 } + slack(exact) * angle.abs())
                    * rotary.attention_factor();
                for (found, expected) in
                    [(c[i % pairs], cos[[row, i]]), (s[i % pairs], sin[[row, i]])]
                {
                    let error = (f64::from(found) - expected).abs();
                    assert!(
                        error <= bound,
                        "{case} {exact} {position} {i}: {found} instead of {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_recipe_is_within_a_few_ulp_of_torch() {
    let golden = Golden::open("c1_rope_scaling_hf");
    for case in [
        "default",
        "default_theta2",
        "linear",
        "dynamic_long",
        "longrope_long",
        "phi_partial",
        "yarn",
    ] {
        let positions = golden.ids(&format!("{case}/positions"));
        let len = positions.iter().max().map_or(0, |max| *max as usize + 1);
        let rotary = rotary(&golden.params(case), len).with_precision(Precision::Float32Recipe);
        let rotation = rotary.at::<f32>(&positions).unwrap();
        let (mut far, mut all) = (0, 0);
        for (row, cos) in golden.f32(&format!("{case}/cos")).outer_iter().enumerate() {
            for (i, expected) in cos.iter().take(rotary.dim() / 2).enumerate() {
                let found = rotation.cos_sin(row).unwrap()[0][i];
                all += 1;
                far += usize::from((found - expected).abs() > 3.0 * f32::EPSILON);
            }
        }
        println!("{case}: {far} of {all} cosines are more than 3 ulp of one apart");
        assert!(far * 10 <= all, "{case}: {far} of {all}");
    }
}

/// With torch's own frequencies only its sine and cosine can differ, which are right to an ulp, in
/// units of the last place of the value itself, however small it is.
#[test]
fn the_recipe_with_torchs_frequencies_is_torch() {
    let golden = Golden::open("c1_rope_scaling_hf");
    let mut compared = 0;
    for case in golden.cases() {
        let key = |name: &str| format!("{case}/{name}");
        let given = [key("inv_freq_after_forward"), key("inv_freq")]
            .into_iter()
            .find(|name| golden.has(name));
        let (true, Some(given)) = (golden.has(&key("cos")), given) else { continue };
        let frequencies = Frequencies::from_radians(golden.tensor(&given).iter().copied()).unwrap();
        let factor = [key("attention_scaling_after_forward"), key("attention_scaling")];
        let factor = factor
            .iter()
            .find(|name| golden.has(name))
            .map_or(1.0, |name| golden.tensor(name)[[0]]);
        let rotary =
            Rotary::new(frequencies.with_attention_factor(factor).unwrap(), Pairing::Halves);
        let rotation = rotary
            .with_precision(Precision::Float32Recipe)
            .at::<f32>(&golden.ids(&key("positions")))
            .unwrap();
        for (part, name) in ["cos", "sin"].into_iter().enumerate() {
            for (at, &expected) in golden.f32(&key(name)).indexed_iter() {
                let found = rotation.cos_sin(at[0]).unwrap()[part][at[1] % (rotation.dim() / 2)];
                let ulp = expected.abs().next_up() - expected.abs();
                assert!(
                    (found - expected).abs() <= 2.0 * ulp,
                    "{case} {name} {at:?}: {found} instead of {expected}"
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 5000, "{compared}");
}

#[test]
pub fn two_thetas_of_gemma3() {
    let golden = Golden::open("c1_rope_scaling_hf");
    let params = &golden.params("gemma3_dual_theta")["rope_parameters"];
    let positions = golden.ids("gemma3_dual_theta/positions");
    for kind in ["full_attention", "sliding_attention"] {
        let mut params = params[kind].clone();
        params["head_dim"] = 16.into();
        let rotary = rotary(&params, 0);
        let name = |what: &str| format!("gemma3_dual_theta/{kind}_{what}");
        same_frequencies(kind, &rotary, golden.tensor(&name("inv_freq")).as_slice().unwrap());
        same_tables(kind, &rotary, &positions, &golden, [name("cos"), name("sin")]);
    }
}

#[test]
pub fn mscale_of_deepseek() {
    let golden = Golden::open("c1_rope_scaling_hf");
    let [scale, mscale] = ["softmax_scale", "get_mscale"]
        .map(|name| golden.tensor(&format!("deepseek_mscale/{name}")));
    for (i, factor) in [1.0, 4.0, 40.0].into_iter().enumerate() {
        for (j, mscale_all_dim) in [1.0, 0.707, 0.0].into_iter().enumerate() {
            let yarn = Yarn { mscale_all_dim, ..Yarn::new(factor, 4096) };
            let found = 192_f64.powf(-0.5) * yarn.softmax_factor();
            assert!((found - scale[[i, j]]).abs() < 1e-16, "{factor} {mscale_all_dim}");
            assert!(
                (yarn.softmax_factor().sqrt() - mscale[[i, j]]).abs() < 1e-15,
                "{factor} {mscale_all_dim}"
            );
        }
    }
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() <= 4e-9 * expected.abs(), "{found} instead of {expected}");
}

#[test]
fn reference_values() {
    let plain = |dim, base| Frequencies::geometric(dim, base).unwrap();
    let ratios = |dim, base, factor| {
        let parameters =
            Llama3 { factor, low_freq_factor: 1.0, high_freq_factor: 4.0, original_len: 8192 };
        let scaled = plain(dim, base).llama3(parameters).unwrap().to_radians();
        scaled.iter().zip(plain(dim, base).to_radians()).map(|(a, b)| a / b).collect::<Vec<f64>>()
    };
    let llama31 = ratios(128, 5e5, 8.0);
    assert!(
        llama31[..29].iter().all(|&ratio| ratio == 1.0)
            && llama31[35..].iter().all(|&ratio| ratio == 0.125)
    );
    let expected =
        [0.8281684118, 0.6437431331, 0.4935071227, 0.3711222795, 0.2714254771, 0.1902107436];
    llama31[29..35].iter().zip(expected).for_each(|(found, expected)| near(*found, expected));
    let llama32 = ratios(64, 5e5, 32.0);
    assert!(
        llama32[..15].iter().all(|&ratio| ratio == 1.0)
            && llama32[18..].iter().all(|&ratio| ratio == 1.0 / 32.0)
    );
    let expected = [0.6055727545, 0.3037425238, 0.1034476090];
    llama32[15..18].iter().zip(expected).for_each(|(found, expected)| near(*found, expected));
    let gpt_oss = Yarn { truncate: false, ..Yarn::new(32.0, 4096) };
    near(gpt_oss.default_attention_factor(), 1.3465735902799727);
    let scaled = plain(64, 150_000.0).yarn(&gpt_oss).unwrap().to_radians();
    let expected = [0.0508132748, 0.0317056962, 0.0193350011, 0.0115920493];
    scaled[8..12].iter().zip(expected).for_each(|(found, expected)| near(*found, expected));
}

/// transformers' _compute_yarn_parameters in f64, where its ramp is cut off at either end, has no
/// width, or runs past the last pair.
#[test]
fn ramps_of_yarn() {
    let expected = |dim: usize, base: f64, yarn: &Yarn| -> Vec<f64> {
        let pair_of = |turns: f64| {
            dim as f64 * (yarn.original_len as f64 / (turns * std::f64::consts::TAU)).ln()
                / (2.0 * base.ln())
        };
        let (mut low, mut high) = (pair_of(yarn.beta_fast), pair_of(yarn.beta_slow));
        if yarn.truncate {
            (low, high) = (low.floor(), high.ceil());
        }
        (low, high) = (low.max(0.0), high.min(dim as f64 - 1.0));
        if low == high {
            high += 0.001;
        }
        let one = |i: usize| {
            let (w, ramp) = (
                base.powf(-2.0 * i as f64 / dim as f64),
                ((i as f64 - low) / (high - low)).clamp(0.0, 1.0),
            );
            w / yarn.factor * ramp + w * (1.0 - ramp)
        };
        (0..dim / 2).map(one).collect()
    };
    for (dim, base, original_len, beta_fast, beta_slow, truncate) in [
        (64, 1e4, 4096, 32.0, 1.0, true),
        (16, 1e4, 1 << 20, 32.0, 1.0, true), // high is 11 of 8 pairs
        (16, 1e4, 1 << 30, 32.0, 1.0, false), // high is cut off at 15
        (16, 1e4, 40, 32.0, 1.0, true),      // low is cut off at 0
        (16, 1e4, 5, 32.0, 1.0, true),       // both are 0
        (64, 1e4, 4096, 8.0, 8.0, false),    // no width, between two pairs
        (64, 5e5, 8192, 64.0, 0.5, false),
    ] {
        let yarn = Yarn { beta_fast, beta_slow, truncate, ..Yarn::new(4.0, original_len) };
        let found = Frequencies::geometric(dim, base).unwrap().yarn(&yarn).unwrap().to_radians();
        for (i, (found, expected)) in found.iter().zip(expected(dim, base, &yarn)).enumerate() {
            assert!(
                (found / expected - 1.0).abs() < 1e-13,
                "{yarn:?} {i}: {found} instead of {expected}"
            );
        }
    }
}

/// Regimes end at the same lengths as in transformers.
#[test]
fn ends_of_regimes() {
    let plain = || Frequencies::geometric(16, 1e4).unwrap();
    let parameters = DynamicNtk { factor: 2.0, original_len: 4096 };
    let at = plain().dynamic_ntk(parameters, 4096).unwrap();
    assert_eq!((&at, at.regime()), (&plain(), Regime::Fixed));
    let past = plain().dynamic_ntk(parameters, 4097).unwrap();
    assert!(past != plain() && past.regime() == Regime::Length(4097));
    // A remade plan describes its new frequencies.
    let rotary = |len| {
        let (short, long) = (vec![1.0; 8], vec![2.0; 8]);
        let longrope = LongRope { short, long, original_len: 4096, factor: 32.0 };
        Rotary::new(plain().longrope(&longrope, len).unwrap(), Pairing::Halves)
    };
    let mut plan = rotary(4096).at::<f32>(4095..4096).unwrap();
    assert_eq!(plan.regime(), Regime::Short);
    rotary(4097).at_into(4096..4097, &mut plan).unwrap();
    assert_eq!(plan.regime(), Regime::Long);
    // int(0.3 · 16 // 2), int(0.35 · 16 // 2)
    for fraction in [0.3, 0.35] {
        let turning = plain().proportional(fraction).unwrap().to_radians();
        assert_eq!(turning.iter().filter(|&&frequency| frequency != 0.0).count(), 2);
    }
}

/// Quotients of exact frequencies are rounded once, within an ulp of the quotient of rounded ones.
#[test]
fn divided_frequencies_are_quotients() {
    let plain = || Frequencies::geometric(64, 5e5).unwrap();
    let factors: Vec<f64> = (0..32).map(|i| 1.0 + 0.37 * f64::from(i)).collect();
    let (short, long) = (vec![1.0; 32], factors.clone());
    let longrope = LongRope { short, long, original_len: 4096, factor: 32.0 };
    let ntk_base = 5e5 * 3_f64.powf(64.0 / 62.0);
    for (what, scaled, expected) in [
        ("linear", plain().linear(3.0), plain().to_radians().iter().map(|w| w / 3.0).collect()),
        (
            "divided",
            plain().divided(&factors),
            plain().to_radians().iter().zip(&factors).map(|(w, f)| w / f).collect(),
        ),
        (
            "longrope",
            plain().longrope(&longrope, 4097),
            plain().to_radians().iter().zip(&factors).map(|(w, f)| w / f).collect::<Vec<f64>>(),
        ),
        ("ntk", plain().ntk(3.0), (0..32).map(|i| ntk_base.powf(-f64::from(i) / 32.0)).collect()),
    ] {
        // ntk_base is an f64, and its power has an error of its own.
        let ulps = if what == "ntk" { 16.0 } else { 1.0 };
        for (found, expected) in scaled.unwrap().to_radians().iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= ulps * f64::EPSILON * expected,
                "{what}: {found} instead of {expected}"
            );
        }
    }
}

#[test]
fn scaled_frequencies_are_the_truth() {
    let golden = Golden::open("e2_truth_frequencies");
    let plain = |base| Frequencies::geometric(128, base).unwrap();
    let yarn = |truncate| Yarn { truncate, ..Yarn::new(4.0, 2048) };
    let llama3 =
        Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_len: 8192 };
    let dynamic = DynamicNtk { factor: 4.0, original_len: 2048 };
    // The ends of YaRN's ramp are found in f64; the rest is exact.
    for (case, frequencies, bound) in [
        ("llama3", plain(500_000.0).llama3(llama3), 0.0),
        ("dynamic_ntk", plain(10_000.0).dynamic_ntk(dynamic, 8192), 0.0),
        ("yarn_truncate", plain(10_000.0).yarn(&yarn(true)), 0.0),
        ("yarn_no_truncate", plain(10_000.0).yarn(&yarn(false)), 1e-14),
    ] {
        let truth = golden.tensor(&format!("{case}/f64"));
        for (found, truth) in frequencies.unwrap().to_radians().iter().zip(&truth) {
            assert!((found - truth).abs() <= bound * truth, "{case}: {found} instead of {truth}");
        }
    }
}

/// Formulas that divide by zero, and factors below 1.
#[test]
fn edges_of_formulas() {
    // The middle of a ramp of no width, which transformers makes 0.001 wide: from pair 4.9995 on.
    let turns = 4096.0 / std::f64::consts::TAU / 1e4_f64.powf(2.0 * 4.9995 / 64.0);
    let yarn = Yarn { beta_fast: turns, beta_slow: turns, truncate: false, ..Yarn::new(4.0, 4096) };
    let plain = || Frequencies::geometric(64, 1e4).unwrap();
    let ratio = plain().yarn(&yarn).unwrap().to_radians()[5] / plain().to_radians()[5];
    assert!((ratio - (0.5 + 0.5 / 4.0)).abs() < 1e-9, "{ratio}");
    // Llama 3's two bounds are equal, and a pair is on the bound: it is kept, where transformers
    // divides zero by zero.
    let llama3 =
        Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 1.0, original_len: 8192 };
    let on_it = Frequencies::harmonic(2, 8192.0).unwrap();
    assert_eq!(on_it.clone().llama3(llama3).unwrap(), on_it);
    // NTK: the last of two pairs is divided, the only one is not.
    let ntk = |dim| Frequencies::geometric(dim, 1e4).unwrap().ntk(4.0).unwrap().to_radians();
    assert_eq!((ntk(4), ntk(2)), (vec![1.0, 0.0025], vec![1.0]));
    // The attention factor is 1 where the context does not grow
    for factor in [0.25, 1.0] {
        let (short, long) = (vec![1.0], vec![1.0]);
        let longrope = LongRope { short, long, original_len: 4096, factor };
        assert_eq!(Yarn::new(factor, 4096).default_attention_factor(), 1.0);
        assert_eq!(Yarn { mscale_all_dim: 1.0, ..Yarn::new(factor, 4096) }.softmax_factor(), 1.0);
        assert_eq!(longrope.default_attention_factor(), 1.0);
    }
}

/// A pair that rotates backwards is scaled as the one that rotates forwards.
#[test]
fn llama3_scales_by_magnitude() {
    let llama3 =
        Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_len: 8192 };
    let forwards = Frequencies::geometric(128, 500_000.0).unwrap().to_radians();
    let scaled = |radians: &[f64]| {
        Frequencies::from_radians(radians.iter().copied())
            .unwrap()
            .llama3(llama3)
            .unwrap()
            .to_radians()
    };
    let backwards: Vec<f64> = forwards.iter().map(|frequency| -frequency).collect();
    let expected: Vec<f64> = scaled(&forwards).iter().map(|frequency| -frequency).collect();
    assert_eq!(scaled(&backwards), expected);
}
