//! The numbers in `docs/adopt.md`: the results of other recipes, and the right ones.

use candle_core::{DType, Device, Result, Tensor};
use half::bf16;
use positional_encodings::scaling::DynamicNtk;
use positional_encodings::{Element, Frequencies, Pairing, Rotary, rotary::TableForm};
use positional_encodings_candle::Rope;

use crate::{assert_error, rotary};

/// text-embeddings-inference: every config with a factor is NTK, with a division by s.
#[test]
fn linear_is_not_ntk() -> Result<()> {
    let config = |kind: &str| {
        format!(
            r#"{{"model_type": "qwen2", "head_dim": 256, "rope_theta": 1e6,
            "rope_scaling": {{"rope_type": "{kind}", "factor": 8.0}}}}"#
        )
    };
    let theirs = 8_f64.powf(2.0 / 256.0).recip();
    let ours = Rope::from_json(&config("linear"))?.rotary(0)?.unwrap().frequencies()[0];
    assert!((theirs - 0.98389).abs() < 1e-5 && ours == 0.125, "{theirs} {ours}");
    assert_error(Rope::from_json(&config("liner")), "rope_scaling.rope_type");
    Ok(())
}

/// Nomic in text-embeddings-inference: an exponent of 64/62 that is rounded down to 1.
#[test]
fn an_exponent_is_no_integer() {
    let (factor, dim) = (2.0, 64);
    let stretch: f64 = factor * 8192.0 / 2048.0 - (factor - 1.0);
    let [theirs, right] = [stretch, stretch.powf(64.0 / 62.0)].map(|s| 1000.0 * s);
    assert!(theirs == 7000.0 && (right - 7453.483).abs() < 1e-3, "{right}");
    let plain = Frequencies::geometric(dim, 1000.0).unwrap();
    let ours = plain.dynamic_ntk(DynamicNtk { factor, original_len: 2048 }, 8192).unwrap();
    let [theirs, right] = [theirs, right].map(|base| Frequencies::geometric(dim, base).unwrap());
    let farthest = |other: &Frequencies| {
        let pairs = ours.to_radians().into_iter().zip(other.to_radians());
        pairs.map(|(a, b)| 8191.0 * (a - b).abs()).fold(0.0, f64::max)
    };
    assert!(farthest(&right) < 1e-8, "{}", farthest(&right));
    assert!((farthest(&theirs) - 21.17).abs() < 0.01, "{}", farthest(&theirs));
}

/// candle-transformers: position times frequency in f32.
#[test]
fn angles_in_f32_drift() -> Result<()> {
    let positions = 1_000_000..1_000_016;
    let inverse: Vec<f32> = (0..64).map(|i| 1.0 / 500_000_f32.powf(i as f32 / 64.0)).collect();
    let inverse = Tensor::from_vec(inverse, (1, 64), &Device::Cpu)?;
    let at = Tensor::arange(1_000_000_u32, 1_000_016, &Device::Cpu)?.to_dtype(DType::F32)?;
    let cos = at.unsqueeze(1)?.matmul(&inverse)?.cos()?;
    let exact = Rotary::new(Frequencies::geometric(128, 500_000.0).unwrap(), Pairing::Halves);
    let (exact, _) = Rope::new(exact).at(positions)?.only().tables(&Device::Cpu)?.unwrap();
    let error = (cos - exact)?.abs()?.max_all()?.to_scalar::<f32>()?;
    assert!((0.01..0.1).contains(&error), "{error}");
    Ok(())
}

/// mistral.rs: rounded to bf16, multiplied by the attention factor, and rounded again.
#[test]
fn a_factor_after_rounding_rounds_twice() {
    let (factor, form) = (1.190_238_071_423_809, TableForm::Pairs);
    let frequencies = Frequencies::geometric(96, 10_000.0).unwrap();
    let scaled = frequencies.with_attention_factor(factor).unwrap();
    let scaled = Rotary::new(scaled, Pairing::Halves);
    let (nearest, _) = scaled.cos_sin_tables::<bf16>(0..4096, form).unwrap();
    let (plain, _) = rotary(96, Pairing::Halves).cos_sin_tables::<bf16>(0..4096, form).unwrap();
    let twice = plain.mapv(|cos| <bf16 as Element>::from_f64(Element::to_f64(cos) * factor));
    let wrong = nearest.iter().zip(&twice).filter(|(a, b)| a != b).count();
    assert!(wrong * 5 > nearest.len(), "{wrong} of {}", nearest.len());
}
