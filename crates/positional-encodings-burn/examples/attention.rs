//! An attention block with a KV cache, as a burn user writes it, and rotary embeddings by this
//! crate: a prompt, then token after token, gives what the whole sequence gives.
//!
//! `cargo run -p positional-encodings-burn --example attention`

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Bool, Device, Tensor, s};
use burn_nn::{Linear, LinearConfig};
use positional_encodings_burn::{Rope, RopeConfig};

const CONFIG: &str = r#"{"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4,
    "num_key_value_heads": 4, "rope_theta": 500000.0, "max_position_embeddings": 131072}"#;
const HEADS: usize = 4;
const WIDTH: usize = 64;

#[derive(Module, Debug)]
struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    rope: Rope,
}

/// The keys, rotated, and the values of the tokens so far, (batch, heads, positions, dim).
type Cache = Option<[Tensor<4>; 2]>;

impl Attention {
    fn new(rope: Rope, device: &Device) -> Self {
        let linear = || LinearConfig::new(WIDTH, WIDTH).with_bias(false).init(device);
        Self { query: linear(), key: linear(), value: linear(), output: linear(), rope }
    }

    /// The output (batch, positions, width) for the tokens that follow those of the cache.
    fn forward(&self, x: Tensor<3>, cache: &mut Cache) -> Tensor<3> {
        let [batch, len, _] = x.dims();
        let past = cache.as_ref().map_or(0, |[keys, _]| keys.dims()[2]);
        let heads = |x: Tensor<3>| x.reshape([batch, len, HEADS, WIDTH / HEADS]);

        // The lines about positions: two.
        let q = self
            .rope
            .forward_positions_first(heads(self.query.forward(x.clone())), past..past + len);
        let k =
            self.rope.forward_positions_first(heads(self.key.forward(x.clone())), past..past + len);

        let new = [k, heads(self.value.forward(x))].map(|x| x.swap_dims(1, 2));
        let [keys, values] = match cache.take() {
            Some([keys, values]) => {
                let [k, v] = new;
                [Tensor::cat(vec![keys, k], 2), Tensor::cat(vec![values, v], 2)]
            }
            None => new,
        };
        *cache = Some([keys.clone(), values.clone()]);

        let scale = ((WIDTH / HEADS) as f64).sqrt();
        let scores = q.swap_dims(1, 2).matmul(keys.transpose()) / scale;
        let later = Tensor::<2, Bool>::tril_mask([len, past + len], past as i64, &scores.device());
        let weights = softmax(scores.mask_fill(later.unsqueeze(), f32::NEG_INFINITY), 3);
        let mixed = weights.matmul(values).swap_dims(1, 2).reshape([batch, len, WIDTH]);
        self.output.forward(mixed)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::default();
    device.seed(7);
    // From a file: RopeConfig::from_model("config.json")?
    let rope = RopeConfig::from_json(CONFIG)?.init(&device);
    let attention = Attention::new(rope, &device);
    println!("{attention}");

    let words = Tensor::<3>::random([1, 12, WIDTH], burn::tensor::Distribution::Default, &device);
    let whole = attention.forward(words.clone(), &mut None);

    let mut cache = None;
    let mut parts = vec![attention.forward(words.clone().slice(s![.., 0..8, ..]), &mut cache)];
    for token in 8..12 {
        let word = words.clone().slice(s![.., token..token + 1, ..]);
        parts.push(attention.forward(word, &mut cache));
    }
    let difference: f32 = (whole - Tensor::cat(parts, 1)).abs().max().into_scalar();
    println!("a prompt of 8 and 4 steps differ from the whole by at most {difference:e}");
    assert!(difference < 1e-6, "{difference}");
    Ok(())
}
