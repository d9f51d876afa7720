//! The default config of every model class of transformers 5.24.0 that rotates, and what the class
//! computes from it (tests/golden/README.md): each is read correctly, or gives an error. The same
//! holds for released configs.

use positional_encodings::config::{ModelRotary, RotarySpec};
use positional_encodings::rotary::Sections;
use positional_encodings::{Error, Pairing};
use serde_json::Value;

/// The cases that are refused, and a part of the error message.
const REFUSED: &[(&str, &str)] = &[
    // A config without a model type.
    ("SaProtConfig", "model_type is missing"),
    // Not a rotation by position.
    ("musicflamingo", "read its text_config with from_json_part"),
    // 2048 features of 28 heads: transformers computes 37 frequencies for heads of 73 features,
    // which its class cannot apply. Released configs have a head_dim.
    ("qwen3_omni_moe_text", "partial_rotary_factor must be such that a positive"),
    ("qwen3_omni_moe_text", "partial_rotary_factor must be such that a positive"),
    // A config without a model type.
    ("Qwen3OmniMoeCode2WavConfig", "model_type is missing"),
];

/// The cases whose class makes frequencies that the default config does not use, and the field that
/// enables them. `layers` of the golden file counts `layer_types` only.
const UNUSED: &[(&str, &str)] =
    &[("esm", r#""position_embedding_type":"rotary""#), ("zamba2", r#""use_mem_rope":true"#)];

/// The case whose layers of indexed attention rotate in modeling_qwen4_exp.py, which the golden
/// file has as layers without positions.
const INDEXED: &str = "qwen4_exp_text";

fn cases(name: &str) -> Vec<Value> {
    let path = format!("{}/golden/transformers_{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Compares the values of one type of layers at each length with its spec.
fn compare(spec: &RotarySpec, lengths: &Value) -> Result<(), String> {
    for (length, golden) in lengths.as_object().unwrap() {
        let rotary = spec.rotary(length.parse().unwrap_or(1)).map_err(|error| error.to_string())?;
        let (found, pairs) = (rotary.frequencies(), golden["pairs"].as_u64().unwrap() as usize);
        // Pairs that do not rotate may be left out.
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

/// Returns the config of a case, changed so that its frequencies are used.
fn config(case: &Value, name: &str) -> String {
    let mut text = case["config"].to_string();
    if let Some((_, field)) = UNUSED.iter().find(|(known, _)| *known == name) {
        let key = field.split_once(':').unwrap().0;
        let unused = ModelRotary::from_json(&text).unwrap();
        assert_eq!(unused.only(), Err(Error::NotOneRotation { types: 0 }), "{name}");
        let old = format!("{key}:{}", case["config"][key.trim_matches('"')]);
        assert!(text.contains(&old));
        text = text.replace(&old, field);
    }
    text
}

/// Returns the pairs of ERNIE's list of frequencies, which has those of height first.
fn unsorted(mut lengths: Value, spec: &RotarySpec) -> Value {
    if let Some((sections, Sections::SpaceThenTime)) = &spec.sections {
        let [heights, widths] = [sections[0], sections[1]];
        let golden = lengths["any"]["frequencies"].as_object_mut().unwrap();
        *golden = golden
            .iter()
            .map(|(index, value)| {
                let index: usize = index.parse().unwrap();
                let pair = match index {
                    i if i < heights => 2 * i,
                    i if i < heights + widths => 2 * (i - heights) + 1,
                    i => i,
                };
                (pair.to_string(), value.clone())
            })
            .collect();
    }
    lengths
}

/// Compares a whole case.
fn check(case: &Value, name: &str) -> Result<(), String> {
    let model = match ModelRotary::from_json(&config(case, name)) {
        Ok(model) => model,
        Err(error @ Error::Config { .. }) => return Err(format!("refused: {error}")),
        Err(other) => panic!("{other}"),
    };
    let pairing = match case["pairing"].as_str() {
        Some("halves") => Some(Pairing::Halves),
        Some("interleaved") => Some(Pairing::Interleaved),
        _ => None,
    };
    let types = case["types"].as_object().unwrap();
    let mut seen: Vec<(&RotarySpec, &str)> = Vec::new();
    let mut one = |spec, kind| -> Result<(), String> {
        if seen.contains(&(spec, kind)) {
            return Ok(());
        }
        seen.push((spec, kind));
        compare(spec, &unsorted(types[kind].clone(), spec))?;
        let last = case["on_last_features"].as_bool();
        match pairing.is_none_or(|pairing| spec.pairing == pairing)
            && last.is_none_or(|last| last == spec.on_last_features)
        {
            true => Ok(()),
            false => Err(format!("{:?} {}", spec.pairing, spec.on_last_features)),
        }
    };
    let Some(layers) = case["layers"].as_array().filter(|_| name != INDEXED) else {
        let rotating: Vec<_> =
            model.types().filter_map(|(name, spec)| Some((name, spec?))).collect();
        return types.keys().try_for_each(|kind| {
            let found = rotating.iter().find(|(name, _)| name == kind);
            let (_, spec) = found.or(rotating.first()).ok_or("no type rotates")?;
            one(spec, kind.as_str()).map_err(|wrong| format!("type {kind}: {wrong}"))
        });
    };
    let mut layer = 0;
    for run in layers {
        for _ in 0..run[1].as_u64().unwrap() {
            let spec = model.layer(layer).map_err(|error| error.to_string())?;
            match (spec, run[0].as_str()) {
                (None, None) => {}
                (Some(spec), Some(kind)) => {
                    one(spec, kind).map_err(|wrong| format!("layer {layer}: {wrong}"))?;
                }
                (spec, kind) => return Err(format!("layer {layer}: {spec:?} for {kind:?}")),
            }
            layer += 1;
        }
    }
    if model.layer_count() == Some(layer) { Ok(()) } else { Err(format!("not {layer} layers")) }
}

#[test]
fn defaults_of_transformers() {
    let (mut right, mut wrong, mut left) = (0, Vec::new(), Vec::new());
    for case in cases("defaults") {
        let name = case["name"].as_str().unwrap().trim_start_matches("default/").to_string();
        match check(&case, &name) {
            Ok(()) => right += 1,
            Err(error) if error.starts_with("refused") => left.push((name, error)),
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    println!("{right} right, {} not read", left.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
    let expected = left.len() == REFUSED.len()
        && left
            .iter()
            .zip(REFUSED)
            .all(|((name, error), (known, reason))| name == known && error.contains(reason));
    assert!(expected, "{left:#?}");
}

/// Configs of released models, shortened to the fields about positions: all are read correctly.
#[test]
fn released_configs() {
    let cases = cases("released");
    let wrong = cases.iter().filter_map(|case| {
        let name = case["name"].as_str().unwrap();
        check(case, name).err().map(|error| format!("{name}: {error}"))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(cases.len(), 78);
}
