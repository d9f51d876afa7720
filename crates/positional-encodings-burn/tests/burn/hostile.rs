//! Impossible calls panic like burn's operations, with this crate's message and before any work.

use burn::tensor::quantization::QuantScheme;
use burn::tensor::{DType, Device, Int, Tensor};
use positional_encodings::{NoPositions, Pairing, Positions, Sinusoidal};
use positional_encodings_burn::{
    LearnedPositionsConfig, PositionVectors, RopeConfig, TokenEmbedding, TokenEmbeddingConfig,
};

use crate::{assert_panics, assert_same, config, devices, ropes, rotary, tensor};

#[test]
fn shapes_that_do_not_fit() {
    for rope in ropes(&rotary(8, Pairing::Halves)) {
        let list = rope.at(0..5);
        let rows = rope.at(&ndarray::array![[0, 1, 2], [1, 2, 3]]);
        let f32 = DType::F32;
        assert_panics(|| list.only().forward(tensor([8], f32)), "axes");
        assert_panics(|| list.only().forward(tensor([2, 5, 7], f32)), "8");
        assert_panics(|| list.only().forward(tensor([2, 4, 8], f32)), "positions");
        assert_panics(|| list.only().forward(tensor([5, 2, 8], f32)), "positions");
        assert_panics(|| rows.only().forward(tensor([3, 8], f32)), "axes");
        assert_panics(|| rows.only().forward(tensor([3, 1, 3, 8], f32)), "sequences on the first");
        assert_panics(|| rows.only().forward(tensor([2, 1, 4, 8], f32)), "positions");
        let first = list.only();
        assert_panics(|| first.forward_positions_first(tensor([5, 8], f32)), "axes");
        assert_panics(|| first.forward_positions_first(tensor([1, 4, 5, 8], f32)), "positions");
        // A tensor of the wrong shape is unchanged for its other handles.
        let q = tensor([2, 4, 8], f32);
        assert_panics(|| list.only().forward(q.clone()), "4 positions where there must be 5");
        assert_same(&q, &tensor([2, 4, 8], f32));
    }
}

/// Packed tokens have no axis of sequences. With as many heads as sequences, and sequences as long
/// as the packed tokens, each head would be rotated as a sequence.
#[test]
fn rows_of_positions_and_packed_tokens() {
    for rope in ropes(&rotary(8, Pairing::Halves)) {
        let plan = rope.at(&ndarray::array![[0, 1], [5, 7]]);
        let packed = || tensor([2, 2, 8], DType::F32);
        let rotated = || plan.only().forward_positions_first(packed());
        assert_panics(rotated, "3 axes where at least 4");
        let one_head: Tensor<4> = packed().unsqueeze_dim(2);
        assert_eq!(plan.only().forward_positions_first(one_head).dims(), [2, 2, 1, 8]);
    }
}

#[test]
fn elements_without_rotation() {
    let [rope, _] = ropes(&rotary(32, Pairing::Halves));
    let positions = PositionVectors::new(Sinusoidal::new(32).unwrap());
    let quantised = tensor([2, 32], DType::F32).quantize_dynamic(&QuantScheme::default());
    assert_panics(|| rope.forward(quantised.clone(), 0..2), "rope: elements are QFloat");
    assert_panics(|| positions.forward(quantised), "position vectors: elements are QFloat");
    assert_panics(|| positions.vectors(0..2, DType::I32, &Device::flex()), "elements are I32");
}

#[test]
fn positions_that_cannot_be() {
    for rope in ropes(&rotary(8, Pairing::Halves)) {
        assert_panics(|| rope.at(&[f64::NAN]), "finite");
        assert_panics(|| rope.at(&[i64::MAX]), "position");
        assert_panics(|| rope.at(0..usize::MAX), "");
        assert_panics(|| rope.at(0..1 << 60), "");
        assert_panics(|| rope.at(Positions::grid(&[2, 2]).unwrap()), "ax");
    }
    let dynamic = r#"{"model_type": "llama", "head_dim": 64, "max_position_embeddings": 2048,
        "rope_scaling": {"type": "dynamic", "factor": 2.0}}"#;
    assert_panics(|| config(dynamic).at(0..1 << 60), "");
}

/// Empty lists of positions give empty results, and a wrong number of positions is still an error.
#[test]
fn no_positions() {
    let positions = PositionVectors::new(Sinusoidal::new(8).unwrap());
    for (rope, device) in ropes(&rotary(8, Pairing::Halves)).into_iter().zip(devices()) {
        let q = Tensor::<3>::zeros([2, 0, 8], (&device, DType::BF16));
        assert_eq!(rope.forward(q.clone(), 7..7).dims(), [2, 0, 8]);
        assert_panics(|| rope.forward(q.clone(), 7..8), "positions");
        assert_eq!(positions.forward_at(q.clone(), 7..7).dims(), [2, 0, 8]);
        assert_panics(|| positions.forward_at(q.clone(), 7..8), "positions");
        let none = Tensor::<4>::zeros([2, 0, 5, 8], &device);
        assert_eq!(rope.forward(none, 0..5).dims(), [2, 0, 5, 8]);
    }
}

#[test]
fn layers_that_are_not() {
    let rope = config(r#"{"model_type": "gemma3_text", "head_dim": 8, "num_hidden_layers": 6}"#);
    let q = tensor([1, 2, 1, 8], DType::F32);
    let plan = rope.at(0..1);
    assert_eq!(plan.layer(5).forward(q.clone()).dims(), q.dims());
    assert_panics(|| plan.layer(6).forward(q.clone()), "6");
    assert_panics(|| plan.layer(6).tables(), "6");
    let unknown = plan.layer_type("chunked_attention");
    assert_panics(|| unknown.forward(q.clone()), "chunked_attention");
    assert_panics(|| plan.only().forward(q.clone()), "2");
    assert_panics(|| rope.forward(q.clone(), 0..1), "2");
    assert!(rope.rotary(6).is_err());
}

#[test]
fn files_that_cannot_be_read() {
    let error = RopeConfig::from_model("no/such/config.json").unwrap_err();
    assert!(error.to_string().contains("no/such/config.json"), "{error}");
    assert!(RopeConfig::from_json("{").is_err());
    let error = RopeConfig::from_json(r#"{"model_type": "qwen9"}"#).unwrap_err();
    assert!(error.to_string().contains("qwen9"), "{error}");
}

#[test]
fn tables_without_a_row() {
    for device in devices() {
        let positions = LearnedPositionsConfig::new(4, 3).init(&device);
        let words = tensor([2, 2, 3], DType::F32);
        let at = |from| positions.forward_at(words.clone(), from..from + 2);
        assert_panics(|| at(3), "position 4 is outside a table of 4 rows");
        assert_panics(|| positions.forward_at(words.clone(), &[0, -1]), "-1");
        let half = &[0.0, 0.5];
        assert_panics(|| positions.forward_at(words.clone(), half), "position 0.5 is not whole");
        let narrow = tensor([2, 2, 3], DType::F16);
        assert_panics(|| positions.forward(narrow), "the table is F32, the tensor F16");
        assert_panics(|| positions.forward_at(words.clone(), 0..3), "positions");
        assert_panics(|| positions.forward_at(words.clone(), 0..usize::MAX), "");
        assert_panics(|| positions.vectors(0..usize::MAX), "outside");
        assert_panics(|| positions.forward(tensor([2, 4], DType::F32)), "3");
        assert_panics(|| positions.forward(tensor([3], DType::F32)), "axes");
        let rows = ndarray::array![[0, 1], [1, 2], [2, 3]];
        assert_panics(|| positions.forward_at(words.clone(), &rows), "rows of positions");
    }
    let device = Device::flex();
    assert_panics(|| LearnedPositionsConfig::new(4, 0).init(&device), "");
    assert_panics(|| LearnedPositionsConfig::new(4, 3).with_offset(5).init(&device), "5");
    for deviation in [-1.0, f64::NAN, f64::INFINITY] {
        let config = LearnedPositionsConfig::new(4, 3).with_deviation(deviation);
        assert_panics(|| config.init(&device), "finite and not negative");
        let none = PositionVectors::new(NoPositions::new(3).unwrap());
        let config = TokenEmbeddingConfig::new(4).with_deviation(deviation);
        assert_panics(|| config.init(none, &device), "finite and not negative");
    }
}

#[test]
fn tokens_without_a_row() {
    let device = Device::flex();
    let positions = || LearnedPositionsConfig::new(4, 3).init(&device);
    let words = || tensor([10, 3], DType::F32);
    let embedding = TokenEmbedding::new(words(), None, 1.0, positions()).unwrap();
    let ids = |last: i32| Tensor::<2, Int>::from_data([[1, last]], &device);
    assert_panics(|| embedding.forward(ids(10)), "id 10 is outside a table of 10 words");
    assert_panics(|| embedding.forward(ids(-1)), "id -1");
    assert_panics(|| embedding.forward_at(ids(9), Some(ids(0)), 0..2), "segments");
    let wide = TokenEmbedding::new(words(), Some(tensor([2, 4], DType::F32)), 1.0, positions());
    assert!(wide.unwrap_err().to_string().contains('4'));
    assert!(TokenEmbedding::new(words(), None, f64::NAN, positions()).is_err());
    let segments = Some(tensor([2, 3], DType::F32));
    let embedding = TokenEmbedding::new(words(), segments, 1.0, positions()).unwrap();
    let short = Tensor::<2, Int>::from_data([[1]], &device);
    assert_panics(|| embedding.forward_at(ids(9), Some(short), 0..2), "segments");
    assert_panics(|| embedding.forward_at(ids(9), Some(ids(2)), 0..2), "2 segments");
}
