//! Any bytes, read as a `config.json`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use positional_encodings::config::{ModelBias, ModelPositions, ModelRotary, RopeRatio};
use positional_encodings::{Error, Frequencies, Pairing, Timestep};

fn told<T>(result: Result<T, Error>) -> Option<T> {
    result.inspect_err(|error| assert!(!error.to_string().is_empty())).ok()
}

/// Checks that the rotations of the model have finite frequencies at several lengths.
fn rotates(model: &ModelRotary) {
    for (name, spec) in model.types() {
        let Some(spec) = spec else { continue };
        assert!(model.layer_type(name).is_ok());
        // A head of a million features is valid, but takes long.
        if spec.dim > 4096 {
            continue;
        }
        for len in [0, 1, 5000, 1 << 40] {
            let Some(rotary) = told(spec.rotary(len)) else { continue };
            assert!(rotary.frequencies().iter().all(|frequency| frequency.is_finite()));
            let plan = rotary.at::<f32>(7..8);
            let _ = told(plan);
        }
    }
    for layer in 0..model.layer_count().unwrap_or(0).min(64) {
        assert!(model.layer(layer).is_ok());
    }
    assert!(model.layer(usize::MAX).is_err() || model.layer_count().is_none());
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    for pairing in [Pairing::Interleaved, Pairing::Halves] {
        told(ModelRotary::from_json_with_pairing(text, pairing)).iter().for_each(rotates);
    }
    told(ModelRotary::from_json(text)).iter().for_each(rotates);
    told(ModelRotary::from_json_part(text, "vision_config")).iter().for_each(rotates);
    told(ModelRotary::from_json_with_rope_ratio(text, RopeRatio::MultipliesBase));
    told(ModelBias::from_json(text));
    told(ModelPositions::from_json(text));
    told(Timestep::from_json(text));
    // A config of the user.
    let _ = serde_json::from_str::<Frequencies>(text);
});
