//! Rotations of models, layer by layer.

use burn::module::Module;
use burn::tensor::{DType, Device};
use positional_encodings::{Frequencies, Pairing, Rotary, config::ModelRotary};
use positional_encodings_burn::RopeConfig;

use crate::{assert_same, config, tensor};

const DYNAMIC: &str = r#"{"model_type": "llama", "head_dim": 64, "num_hidden_layers": 2,
    "max_position_embeddings": 32, "rope_scaling": {"type": "dynamic", "factor": 2.0}}"#;

#[test]
fn layers_of_several_types() {
    let rope = config(r#"{"model_type": "gemma3_text", "head_dim": 64, "num_hidden_layers": 6}"#);
    let plan = rope.at(100..104);
    let q = tensor([1, 2, 4, 64], DType::F32);
    for layer in 0..6 {
        let base = if layer == 5 { 1e6 } else { 1e4 };
        let by_hand = Rotary::new(Frequencies::geometric(64, base).unwrap(), Pairing::Halves);
        let by_hand = RopeConfig::new(by_hand).init(&Device::flex());
        assert_same(&plan.layer(layer).forward(q.clone()), &by_hand.forward(q.clone(), 100..104));
    }
    let local = plan.layer_type("sliding_attention").forward(q.clone());
    assert_same(&local, &plan.layer(0).forward(q));
}

#[test]
fn layers_without_positions() {
    let rope = config(r#"{"model_type": "smollm3", "head_dim": 64, "num_hidden_layers": 8}"#);
    let plan = rope.at(0..4);
    let q = tensor([1, 2, 4, 64], DType::BF16);
    assert!(rope.rotary(3).unwrap().is_none() && plan.layer(3).tables().is_none());
    assert_same(&plan.layer(3).forward(q.clone()), &q);
    let moved: f32 = (plan.layer(2).forward(q.clone()) - q).abs().max().into_scalar();
    assert!(moved > 0.1);
}

/// The base grows with the length of the whole sequence, cache included.
#[test]
fn what_depends_on_the_length() {
    let (rope, model) = (config(DYNAMIC), ModelRotary::from_json(DYNAMIC).unwrap());
    let q = tensor([1, 2, 1, 64], DType::F32);
    for past in [0, 31, 32, 100] {
        let rotaries = model.rotaries(past + 1).unwrap();
        let expected = RopeConfig::new(rotaries.layer(0).unwrap().unwrap().clone());
        let expected = expected.init(&Device::flex()).forward(q.clone(), past..past + 1);
        assert_same(&rope.at(past..past + 1).layer(0).forward(q.clone()), &expected);
        assert_same(&rope.forward(q.clone(), past..past + 1), &expected);
        assert_eq!(rope.fits(past + 1), past < 32);
    }
}

/// A model with equal layers and an unknown number of them has any layer.
#[test]
fn nobody_says_how_many_layers() {
    let config = r#"{"model_type": "mine", "head_dim": 64, "rope_theta": 1e6}"#;
    let model = ModelRotary::from_json_with_pairing(config, Pairing::Halves).unwrap();
    assert_eq!(model.layer_count(), None);
    let rope = RopeConfig::from_rotaries(model).unwrap().init(&Device::flex());
    let q = tensor([1, 2, 1, 64], DType::F32);
    let plan = rope.at(9..10);
    assert_same(&plan.layer(1000).forward(q.clone()), &plan.only().forward(q));
}

/// The files of a model; an error names the file.
#[test]
fn from_files() {
    let path = |end| std::env::temp_dir().join(format!("burn-rope-{}.{end}", std::process::id()));
    let written = |end, bytes: &[u8]| {
        std::fs::write(path(end), bytes).unwrap();
        let read = RopeConfig::from_model(path(end));
        std::fs::remove_file(path(end)).unwrap();
        read
    };
    let rope = written("json", DYNAMIC.as_bytes()).unwrap().init(&Device::flex());
    assert_eq!(rope.rotary(1).unwrap().unwrap().dim(), 64);
    let error = written("json", b"{}").unwrap_err().to_string();
    assert!(error.contains("model_type") && error.contains(".json"), "{error}");
    let error = written("gguf", b"GGUF").unwrap_err().to_string();
    assert!(error.contains(".gguf"), "{error}");

    let rope = written("gguf", &gguf()).unwrap().init(&Device::flex());
    let by_hand = Frequencies::geometric(64, 500_000.0).unwrap();
    let by_hand = RopeConfig::new(Rotary::new(by_hand, Pairing::Interleaved)).init(&Device::flex());
    let q = tensor([1, 4, 3, 64], DType::F32);
    assert_same(&rope.forward(q.clone(), 7..10), &by_hand.forward(q, 7..10));
}

/// Metadata of a GGUF file: llama.cpp's llama pairs neighbours.
fn gguf() -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let numbers = [
        ("llama.block_count", 2_u32),
        ("llama.context_length", 2048),
        ("llama.embedding_length", 256),
        ("llama.attention.head_count", 4),
        ("llama.rope.dimension_count", 64),
    ];
    let mut file = [&b"GGUF"[..], &3_u32.to_le_bytes(), &0_u64.to_le_bytes()].concat();
    file.extend((numbers.len() as u64 + 2).to_le_bytes());
    let mut field = |key: &str, kind: u32, value: &[u8]| {
        file.extend([&text(key)[..], &kind.to_le_bytes(), value].concat());
    };
    field("general.architecture", 8, &text("llama"));
    numbers.iter().for_each(|(key, value)| field(key, 4, &value.to_le_bytes()));
    field("llama.rope.freq_base", 6, &500_000_f32.to_le_bytes());
    file
}

/// A rotary encoding is a module without parameters, on a device, and the same in training and
/// inference.
#[test]
fn a_module_among_others() {
    #[derive(Module, Debug)]
    struct Block {
        rope: positional_encodings_burn::Rope,
    }
    let device = Device::flex();
    let block = Block { rope: config(DYNAMIC) };
    assert_eq!((block.num_params(), block.devices()), (0, vec![device.clone()]));
    let q = tensor([1, 2, 3, 64], DType::F32);
    let expected = block.rope.forward(q.clone(), 0..3);
    let training = block.train().to_device(&device.clone().autodiff());
    let tracked = q.clone().autodiff().require_grad();
    assert_same(&training.rope.forward(tracked, 0..3), &expected);
    assert_same(&training.valid().fork(&device).rope.forward(q, 0..3), &expected);
    let shown = training.rope.to_string();
    assert!(shown.starts_with("Rope") && shown.contains("all: 64 features, Halves"), "{shown}");
}

/// A model and its plan may be shared among threads.
#[test]
fn threads_share_a_plan() {
    let rope = config(DYNAMIC);
    let plan = rope.at(0..3);
    let q = tensor([1, 2, 3, 64], DType::F64);
    let expected = plan.layer(0).forward(q.clone());
    std::thread::scope(|scope| {
        for layer in 0..2 {
            let (plan, q, expected) = (&plan, q.clone(), expected.clone());
            scope.spawn(move || assert_same(&plan.layer(layer).forward(q), &expected));
        }
    });
}
