//! The default config of every model class of transformers 5.24.0 that rotates, and what the class
//! computes from it (tests/golden/README.md): read and right, or an error.

use positional_encodings::config::{ModelRotary, RotarySpec};
use positional_encodings::{Error, Pairing};
use serde_json::Value;

/// The cases that are not read yet. Each must be an error, which is what it is for: none is read
/// wrong in silence. What is read leaves the list.
const NOT_YET: &[&str] = &[
    "bailing_hybrid",
    "bamba",
    "cosmos3_edge_text",
    "dbrx",
    "deepseek_v4",
    "dory",
    "dots3_note_text",
    "ernie4_5_vl_moe_text",
    "esm",
    "SaProtConfig",
    "glm4_moe",
    "glm4v_text",
    "glm4v_moe_text",
    "glm_image_text",
    "glm_ocr_text",
    "granitemoehybrid",
    "hunyuan_vl_text",
    "hy_v4",
    "hy_v4_vl_text",
    "lara_mini",
    "lfm2",
    "lfm2_moe",
    "lfm3",
    "mistral4",
    "mistral_large4_text",
    "mllama_text_model",
    "moonshine",
    "moonshine_streaming",
    "musicflamingo",
    "neomme",
    "nomic_bert",
    "qwen3_omni_moe_text",
    "qwen3_omni_moe_text",
    "qwen4_exp_text",
    "recurrent_gemma",
    "unlimited_ocr_text",
    "zamba2",
    "zaya",
    "minimax_m3_vl_text",
    "paddleocr_vl_text",
    "qwen2_5_omni_text",
    "qwen2_5_omni_talker",
    "Qwen3OmniMoeCode2WavConfig",
    "step3p5",
];

fn cases() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/transformers_defaults.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What one type of layers has at each length, against its spec.
fn compare(spec: &RotarySpec, lengths: &Value) -> Result<(), String> {
    for (length, golden) in lengths.as_object().unwrap() {
        let rotary = spec.rotary(length.parse().unwrap_or(1)).map_err(|error| error.to_string())?;
        let (found, pairs) = (rotary.frequencies(), golden["pairs"].as_u64().unwrap() as usize);
        // A pair that does not rotate is one that may be left out.
        let still = found.iter().skip(pairs).all(|&frequency| frequency == 0.0);
        if found.len() < pairs || !still {
            return Err(format!("{} pairs instead of {pairs}", found.len()));
        }
        let factor = golden["attention_factor"].as_f64().unwrap();
        if (rotary.attention_factor() - factor).abs() > 1e-7 {
            return Err(format!("factor {} instead of {factor}", rotary.attention_factor()));
        }
        for (index, expected) in golden["frequencies"].as_object().unwrap() {
            let (found, expected) =
                (found[index.parse::<usize>().unwrap()], expected.as_f64().unwrap());
            // llama3's smoothing cancels.
            if (found - expected).abs() > 1.5e-6 * found.abs() {
                return Err(format!("{index}: {found} instead of {expected}"));
            }
        }
    }
    Ok(())
}

/// A whole case.
fn check(case: &Value) -> Result<(), String> {
    let config = case["config"].to_string();
    let model = match ModelRotary::from_json(&config) {
        Ok(model) => model,
        Err(Error::Config { field, problem }) => return Err(format!("refused: {field}{problem}")),
        Err(other) => panic!("{other}"),
    };
    let types = case["types"].as_object().unwrap();
    let layers = case["layers"].as_array().ok_or("read, but layers are not known")?;
    let mut layer = 0;
    for run in layers {
        for _ in 0..run[1].as_u64().unwrap() {
            let spec = model.layer(layer).map_err(|error| error.to_string())?;
            let (spec, kind) = match (spec, run[0].as_str()) {
                (None, None) => {
                    layer += 1;
                    continue;
                }
                (Some(spec), Some(kind)) => (spec, kind),
                (spec, kind) => return Err(format!("layer {layer}: {spec:?} for {kind:?}")),
            };
            compare(spec, &types[kind]).map_err(|wrong| format!("layer {layer}: {wrong}"))?;
            let pairing = match case["pairing"].as_str() {
                Some("halves") => Pairing::Halves,
                Some("interleaved") => Pairing::Interleaved,
                other => return Err(format!("read, but the pairing is {other:?}")),
            };
            let last = case["on_last_features"].as_bool();
            if spec.pairing != pairing || last.is_some_and(|last| last != spec.on_last_features) {
                return Err(format!("layer {layer}: {:?} {}", spec.pairing, spec.on_last_features));
            }
            layer += 1;
        }
    }
    if model.layer_count() == Some(layer) { Ok(()) } else { Err(format!("not {layer} layers")) }
}

#[test]
fn defaults_of_transformers() {
    let (mut right, mut wrong, mut left) = (0, Vec::new(), Vec::new());
    for case in cases() {
        let name = case["name"].as_str().unwrap().trim_start_matches("default/").to_string();
        match check(&case) {
            Ok(()) => right += 1,
            Err(error) if error.starts_with("refused") => left.push(name),
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    println!("{right} right, {} not read", left.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(left, NOT_YET, "{left:#?}");
}
