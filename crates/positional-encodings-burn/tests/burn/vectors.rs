//! Position vectors, learned tables and token embeddings equal those on arrays.

use burn::module::{Module, ModuleMapper, Param};
use burn::store::ModuleRecord;
use burn::tensor::{DType, Device, Gradients, Int, Tensor, s};
use ndarray::{Array4, array};
use positional_encodings::{
    Learned, NoPositions, Pairing, Positions, Sinusoidal, embed_with_positions,
    embed_with_positions_at,
};
use positional_encodings_burn::{
    AddPositions, LearnedPositions, LearnedPositionsConfig, PositionVectors, Rope, RopeConfig,
    TokenEmbedding, TokenEmbeddingConfig, to_array, to_tensor,
};

use crate::{DTYPES, assert_same, devices, rotary, tensor, values};

fn sinusoidal(dim: usize) -> PositionVectors<Sinusoidal> {
    PositionVectors::new(Sinusoidal::new(dim).unwrap())
}

#[test]
fn sums_are_those_of_arrays() {
    let encoding = Sinusoidal::new(10).unwrap();
    let ids = array![[0_i64, 5, 1 << 40], [-3, 2, 2]];
    for at in [Positions::from(7..10), Positions::from(&ids), Positions::from(&[0.5, 1.0, 2.5])] {
        let words = tensor([2, 3, 10], DType::F32);
        let array = to_array::<f32, 3>(words.clone());
        let expected = embed_with_positions_at(&array, &encoding, &at).unwrap();
        let expected: Tensor<3> = to_tensor(expected, &Device::flex());
        assert_same(&sinusoidal(10).forward_at(words.clone(), &at), &expected);
        assert_same(&sinusoidal(10).forward_at(words.clone().autodiff(), &at), &expected);
        assert_same(&words, &to_tensor(array, &Device::flex()));
    }
    let words = tensor([1, 2, 3, 10], DType::F64);
    let expected = embed_with_positions(&to_array::<f64, 4>(words.clone()), &encoding).unwrap();
    assert_eq!(to_array::<f64, 4>(sinusoidal(10).forward(words)), expected);
}

/// Addition in the tensor's memory, and burn's addition of vectors on a device.
#[test]
fn in_one_pass_and_in_two() {
    for dtype in DTYPES {
        let large = tensor([4, 9, 20], dtype).slice(s![1..3, 2..5, 4..14]);
        for words in [large, tensor([2, 10, 3], dtype).swap_dims(1, 2)] {
            let vectors = sinusoidal(10).vectors(7..10, dtype, &Device::flex());
            let expected = words.clone() + vectors.unsqueeze();
            for words in [words.clone(), words.autodiff()] {
                assert_same(&sinusoidal(10).forward_at(words, 7..10), &expected);
            }
        }
    }
    let rows = sinusoidal(10).vectors(&array![[1], [2]], DType::F64, &Device::flex());
    assert_same(&rows, &sinusoidal(10).vectors(1..3, DType::F64, &Device::flex()));
}

#[test]
fn a_learned_table_is_looked_up() {
    let table = to_array::<f32, 2>(tensor([9, 4], DType::F32));
    let learned = Learned::from_table(table).unwrap().with_offset(2).unwrap();
    let ids = array![[0_i64, 6, -2], [1, 1, 3]];
    for device in devices() {
        let positions = LearnedPositions::from_learned(&learned, &device);
        assert_eq!((positions.max_len(), positions.dim()), (7, 4));
        let check = |shape: [usize; 4]| {
            let words = tensor(shape, DType::F32);
            let array: Array4<f32> = to_array(words.clone());
            let at = embed_with_positions_at(&array, &learned, &ids).unwrap();
            assert_eq!(to_array::<f32, 4>(positions.forward_at(words.clone(), &ids)), at);
            let shared = embed_with_positions(&array, &learned).unwrap();
            assert_eq!(to_array::<f32, 4>(positions.forward(words)), shared);
        };
        [[1, 2, 3, 4], [2, 1, 3, 4]].into_iter().for_each(check);
        assert_eq!(positions.to_learned::<f32>(), learned);
    }
}

/// Moves each parameter of a module by its gradient, as burn's optimisers do.
struct Descent(Gradients, f64);

impl ModuleMapper for Descent {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let gradient = param.val().grad(&self.0).map(Tensor::autodiff);
        param.map(|table| match gradient {
            Some(gradient) => (table.detach() - gradient * self.1).detach().require_grad(),
            None => table,
        })
    }
}

/// Each use of a row adds to its gradient, and unused rows do not change.
#[test]
fn gradient_descent_trains_it() {
    let device = Device::flex().autodiff();
    let table = Learned::from_table(to_array::<f64, 2>(tensor([4, 2], DType::F64))).unwrap();
    let positions = LearnedPositions::from_learned(&table, &device);
    let before = positions.table();
    let words = Tensor::<3>::zeros([1, 3, 2], (&device, DType::F64));
    let loss = positions.forward_at(words, &[0, 2, 2]).sum();
    let positions = positions.map(&mut Descent(loss.backward(), 0.25));
    let moved = values(&(before - positions.table()));
    let expected = [0.25, 0.25, 0.0, 0.0, 0.5, 0.5, 0.0, 0.0];
    assert!(moved.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{moved:?}");
}

#[test]
fn new_tables() {
    let device = Device::flex();
    device.seed(3);
    let positions = LearnedPositionsConfig::new(512, 64).init(&device);
    let deviation = |table: Tensor<2>| -> f32 { table.square().mean().sqrt().into_scalar() };
    assert!((deviation(positions.table()) - 0.02).abs() < 1e-3);
    let none = PositionVectors::new(NoPositions::new(64).unwrap());
    let config = TokenEmbeddingConfig::new(300).with_segments(2).with_scale(8.0);
    let embedding = config.init(none, &device);
    assert!((deviation(embedding.words()) - 0.02).abs() < 1e-3);
    assert_eq!((embedding.num_params(), positions.num_params()), (302 * 64, 512 * 64));
}

#[test]
fn tokens_and_segments() {
    let [words, segments] = [10, 2].map(|rows| tensor([rows, 6], DType::F32));
    let array = |table: &Tensor<2>| to_array::<f32, 2>(table.clone());
    let sinusoid = Sinusoidal::new(6).unwrap();
    let ours = positional_encodings::TokenEmbedding::new(array(&words), sinusoid.clone()).unwrap();
    let ours = ours.with_segments(array(&segments)).unwrap().with_scale(6_f64.sqrt()).unwrap();
    let positions = PositionVectors::new(sinusoid);
    let embedding = TokenEmbedding::new(words, Some(segments), 6_f64.sqrt(), positions).unwrap();

    let (ids, kinds) = (array![[1_u32, 9, 0]], array![[0_u32, 1, 1]]);
    let [tokens, types]: [Tensor<2, Int>; 2] =
        [&ids, &kinds].map(|ids| to_tensor(ids, &Device::flex()));
    let expected = ours.lookup(&ids).with_segments(&kinds).at(5..8).embed().unwrap();
    let sum = embedding.forward_at(tokens.clone(), Some(types), 5..8);
    assert_eq!(to_array::<f32, 3>(sum), expected);
    let expected = ours.embed(&ids).unwrap();
    assert_eq!(to_array::<f32, 3>(embedding.forward(tokens.clone())), expected);

    // All tables are trained: words, segments.
    let training = embedding.train();
    let loss = training.forward(tokens).sum();
    let moved = training.clone().map(&mut Descent(loss.backward(), 1.0));
    let changed: f32 = (moved.words() - training.words()).abs().sum().into_scalar();
    assert!((changed - 3.0 * 6.0 * 6_f32.sqrt()).abs() < 1e-4, "{changed}");
}

/// A model with all modules, as in a checkpoint: records hold the tables alone, under their names.
#[test]
fn records_hold_the_tables() {
    #[derive(Module, Debug)]
    struct Model {
        embedding: TokenEmbedding<LearnedPositions>,
        sinusoids: PositionVectors<Sinusoidal>,
        rope: Rope,
    }
    for device in devices() {
        let new = || {
            let positions = LearnedPositionsConfig::new(6, 8).with_offset(2).init(&device);
            let tokens = TokenEmbeddingConfig::new(10).with_segments(2).with_scale(2.0);
            let embedding = tokens.init(positions, &device);
            let rope = RopeConfig::new(rotary(8, Pairing::Halves)).init(&device);
            Model { embedding, sinusoids: sinusoidal(8), rope }
        };
        let output = |model: &Model| {
            let ids = Tensor::<2, Int>::from_data([[1, 2, 3]], &device);
            let x = model.sinusoids.forward(model.embedding.forward(ids));
            model.rope.forward(x, 0..3)
        };
        let (trained, other) = (new(), new());
        assert_ne!(values(&output(&trained)), values(&output(&other)));
        let bytes = trained.clone().into_record().into_bytes().unwrap();
        let record = ModuleRecord::from_bytes(bytes).unwrap();
        assert_eq!(record.len(), 3); // words, segments, positions
        assert_same(&output(&other.load_record(record)), &output(&trained));
    }
}
