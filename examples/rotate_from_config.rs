//! From a model's `config.json` to rotated queries and keys.
//!
//! `cargo run --release --features serde --example rotate_from_config -- path/to/config.json`;
//! without a path it takes Llama 3.1 8B.

use std::process::ExitCode;

use ndarray::{Array4, ArrayView1, s};
use positional_encodings::config::ModelRotary;

/// The fields about positions in the config of meta-llama/Llama-3.1-8B.
const LLAMA_3_1_8B: &str = r#"{
    "model_type": "llama",
    "hidden_size": 4096,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "max_position_embeddings": 131072,
    "rope_theta": 500000.0,
    "rope_scaling": {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192
    }
}"#;

const PROMPT: usize = 100_000;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let config = match std::env::args_os().nth(1) {
        Some(path) => std::fs::read_to_string(path)?,
        None => LLAMA_3_1_8B.to_string(),
    };
    let model = ModelRotary::from_json(&config)?;
    for (layers, spec) in model.types() {
        match spec {
            Some(spec) => println!(
                "{layers}: {} of {} features, {:?}, base {}, {:?}, attention factor {}",
                spec.dim,
                spec.head_dim,
                spec.pairing,
                spec.base,
                spec.scaling,
                spec.attention_factor
            ),
            None => println!("{layers}: no positions"),
        }
    }
    let Some((_, Some(spec))) = model.types().find(|(_, spec)| spec.is_some()) else {
        return Ok(());
    };

    // The plan for the prompt is made once, for queries and keys of every layer of this type. Here
    // the last 100 tokens are enough.
    let rotary = spec.rotary(PROMPT + 1)?;
    let rotation = rotary.at::<f32>(PROMPT - 100..PROMPT)?;
    let plain = |heads, len| {
        Array4::from_shape_fn((1, heads, len, spec.head_dim), |(_, _, _, i)| (i as f32).cos())
    };
    let mut k = plain(8, 100); // (batch, heads, positions, dim)
    rotation.apply(k.view_mut())?;

    // A decode step: the plan is remade in place.
    let mut q = plain(32, 1);
    let mut step = rotary.at::<f32>(0..1)?;
    rotary.at_into(PROMPT..PROMPT + 1, &mut step)?;
    step.apply(q.view_mut())?;

    // The score of the newest query and the key five positions before it equals that of a query at
    // 5 and a key at 0.
    let (mut q5, mut k0) = (plain(1, 1), plain(1, 1));
    rotary.at(5..6)?.apply(q5.view_mut())?;
    rotary.at(0..1)?.apply(k0.view_mut())?;
    let score = |q: ArrayView1<'_, f32>, k: ArrayView1<'_, f32>| q.dot(&k);
    println!(
        "score at {PROMPT} and {}: {:.3}",
        PROMPT - 5,
        score(q.slice(s![0, 0, 0, ..]), k.slice(s![0, 0, 95, ..]))
    );
    println!(
        "score at 5 and 0: {:.3}",
        score(q5.slice(s![0, 0, 0, ..]), k0.slice(s![0, 0, 0, ..]))
    );
    Ok(())
}
