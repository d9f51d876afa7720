//! candle-transformers' `Llama` of random weights, and the same weights with its rotary file
//! replaced by one line of `positional-encodings-candle`.

use candle_core::quantized::QMatMul;
use candle_core::{DType, Device, IndexOp, Result, Tensor};
use candle_nn::{VarBuilder, VarMap};
use candle_transformers::models::llama::{Cache, Config, Llama, LlamaConfig};
use positional_encodings_candle::Rope;
use smollm2::model::{Model, Shape};
use smollm2::recipe::Recipe;
use smollm2::session::Session;

const PLAIN: &str = r#""rope_theta": 10000.0"#;
const LLAMA3: &str = r#""rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3",
    "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 256}"#;

fn json(rope: &str) -> String {
    format!(
        r#"{{"model_type": "llama", "hidden_size": 64, "intermediate_size": 96, "vocab_size": 101,
        "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
        "rms_norm_eps": 1e-5, "max_position_embeddings": 2048, "tie_word_embeddings": true,
        {rope}}}"#
    )
}

/// candle's config.
fn config(rope: &str) -> Config {
    let config: LlamaConfig = serde_json::from_str(&json(rope)).unwrap();
    config.into_config(false)
}

/// Makes candle's model with weights large enough for attention to select few tokens.
fn theirs(vars: &VarMap, config: &Config) -> Result<Llama> {
    let llama = Llama::load(VarBuilder::from_varmap(vars, DType::F32, &Device::Cpu), config)?;
    for (name, var) in vars.data().lock().unwrap().iter() {
        if !name.contains("norm") {
            var.set(&Tensor::randn(0_f32, 0.2, var.shape(), &Device::Cpu)?)?;
        }
    }
    Ok(llama)
}

/// The model of this package over the same tensors.
fn ours(vars: &VarMap, config: &Config) -> Result<Model> {
    let shape = Shape {
        layers: config.num_hidden_layers,
        heads: config.num_attention_heads,
        kv_heads: config.num_key_value_heads,
        head_dim: config.hidden_size / config.num_attention_heads,
        context: config.max_position_embeddings,
        base: config.rope_theta,
        epsilon: config.rms_norm_eps as f32,
        end: 0,
    };
    let vars = vars.data().lock().unwrap();
    // Nothing is trained here, and queries and keys are rotated in place.
    Model::new(shape, |name| Ok(QMatMul::Tensor(vars[&name_of_theirs(name)].detach())))
}

/// Returns the name of a GGUF file's tensor in a checkpoint of transformers.
fn name_of_theirs(name: &str) -> String {
    let names = [
        ("token_embd", "model.embed_tokens"),
        ("output_norm", "model.norm"),
        ("blk.", "model.layers."),
        ("attn_norm", "input_layernorm"),
        ("ffn_norm", "post_attention_layernorm"),
        ("attn_q.", "self_attn.q_proj."),
        ("attn_k.", "self_attn.k_proj."),
        ("attn_v.", "self_attn.v_proj."),
        ("attn_output", "self_attn.o_proj"),
        ("ffn_gate", "mlp.gate_proj"),
        ("ffn_up", "mlp.up_proj"),
        ("ffn_down", "mlp.down_proj"),
    ];
    names.iter().fold(name.to_string(), |name, (gguf, theirs)| name.replace(gguf, theirs))
}

/// Runs a prompt and decode steps, and returns the largest difference of logits, and the largest
/// logit.
fn difference(rope: &str, recipe: impl Fn(Rope) -> Recipe) -> Result<(f32, f32)> {
    let (vars, config) = (VarMap::new(), config(rope));
    let theirs = theirs(&vars, &config)?;
    let ours = ours(&vars, &config)?;
    let mut cache = Cache::new(true, DType::F32, &config, &Device::Cpu)?;
    let recipe = recipe(Rope::from_json(&json(rope))?);
    let mut session = Session::new(&ours, &recipe, 96);
    let tokens: Vec<u32> = (0..96).map(|at| at * at * 7 % 101).collect();
    let (mut largest, mut size, mut past) = (0_f32, 0_f32, 0);
    for part in [&tokens[..64], &tokens[64..65], &tokens[65..66], &tokens[66..96]] {
        let expected = theirs
            .forward(&Tensor::new(part, &Device::Cpu)?.unsqueeze(0)?, past, &mut cache)?
            .i(0)?;
        let found = session.next_logits(part)?;
        let changed = (found - &expected)?.abs()?.max_all()?.to_scalar::<f32>()?;
        largest = largest.max(changed);
        size = size.max(expected.abs()?.max_all()?.to_scalar()?);
        past += part.len();
    }
    Ok((largest, size))
}

#[test]
fn logits_are_the_same() -> Result<()> {
    for rope in [PLAIN, LLAMA3] {
        let (largest, size) = difference(rope, Recipe::exact)?;
        assert!(largest < 1e-4 && size > 1.0, "{largest} of {size}");
    }
    Ok(())
}

/// The comparison detects missing positions and unscaled frequencies.
#[test]
fn other_positions_give_other_logits() -> Result<()> {
    let (largest, _) = difference(PLAIN, |_| Recipe::none())?;
    assert!(largest > 0.1, "{largest}");
    let (largest, _) =
        difference(LLAMA3, |_| Recipe::exact(Rope::from_json(&json(PLAIN)).unwrap()))?;
    assert!(largest > 1e-3, "{largest}");
    Ok(())
}
