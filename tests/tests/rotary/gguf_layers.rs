//! Layers of GGUF files that differ from one another, as load_arch_hparams of each of llama.cpp's
//! architectures has them.

use positional_encodings::Error;
use positional_encodings::config::{ConfigProblem, Metadata, ModelRotary, RotarySpec};
use positional_encodings::scaling::{Scaling, Yarn};

type Keys = Vec<(&'static str, Metadata)>;

fn read(name: &str, keys: &Keys) -> Result<ModelRotary, Error> {
    let own = keys.iter().map(|(key, value)| (format!("{name}.{key}"), value.clone()));
    let architecture = ("general.architecture".to_string(), Metadata::from(name));
    ModelRotary::from_gguf(std::iter::once(architecture).chain(own))
}

/// Eight blocks of heads of 128 features and a window.
fn keys(more: &[(&'static str, Metadata)]) -> Keys {
    let own = [
        ("block_count", 8.into()),
        ("attention.key_length", 128.into()),
        ("attention.sliding_window", 512.into()),
        ("rope.freq_base", 1e6.into()),
    ];
    own.iter().chain(more).cloned().collect()
}

/// Returns the value of `of` for each layer, `None` for layers without positions.
fn each<T>(model: &ModelRotary, of: impl Fn(&RotarySpec) -> T) -> Vec<Option<T>> {
    (0..8).map(|layer| model.layer(layer).unwrap().map(&of)).collect()
}

fn bases(name: &str, more: &[(&'static str, Metadata)]) -> Vec<Option<f64>> {
    each(&read(name, &keys(more)).unwrap(), |spec| spec.base)
}

fn list(numbers: &[f64]) -> Metadata {
    Metadata::Numbers(numbers.to_vec())
}

/// load_swa_pattern with dense_first: the first of each n is a full layer. The converter of
/// ModernBERT writes the number.
#[test]
fn full_layers_that_come_first() {
    let (far, near) = (Some(160_000.0), Some(10_000.0));
    let more = [
        ("rope.freq_base", 160_000.into()),
        ("rope.freq_base_swa", 10_000.into()),
        ("attention.sliding_window_pattern", 3.into()),
    ];
    let model = bases("modern-bert", &more);
    assert_eq!(model, [far, near, near, far, near, near, far, near]);
    let (with, without) = (Some(1e6), None);
    let smallthinker = bases("smallthinker", &[]);
    assert_eq!(smallthinker, [without, with, with, with, without, with, with, with]);
    // Cohere 2's mixture: its first layers, without experts, rotate all the same.
    let mixture = bases("cohere2moe", &[("leading_dense_block_count", 1.into())]);
    assert_eq!(mixture, [with, with, with, with, without, with, with, with]);
}

/// laguna.cpp and mellum.cpp: sliding layers are not scaled.
#[test]
fn sliding_layers_without_the_scaling() {
    let more = [
        ("rope.scaling.type", "yarn".into()),
        ("rope.scaling.factor", 8.into()),
        ("rope.scaling.original_context_length", 8192.into()),
        ("rope.freq_base_swa", 1e4.into()),
        ("rope.dimension_count", 64.into()),
        ("rope.dimension_count_swa", 128.into()),
    ];
    for (name, full) in [("laguna", [0, 4]), ("mellum", [3, 7])] {
        let model = read(name, &keys(&more)).unwrap();
        for layer in 0..8 {
            let spec = model.layer(layer).unwrap().unwrap();
            let expected = match full.contains(&layer) {
                true => (64, 1e6, Scaling::Yarn(Yarn::new(8.0, 8192))),
                false => (128, 1e4, Scaling::None),
            };
            assert_eq!((spec.dim, spec.base, spec.scaling.clone()), expected, "{name} {layer}");
            assert_eq!(spec.attention_factor > 1.0, full.contains(&layer), "{name} {layer}");
            assert_eq!(spec.short_attention_factor, spec.attention_factor, "{name} {layer}");
        }
    }
}

/// step35.cpp: full layers rotate half of the features in the file; mimo2.cpp, gemma4.cpp,
/// plamo3.cpp: local layers have base 10000 where the file has none.
#[test]
fn what_the_code_has_for_local_layers() {
    let sliding = list(&[0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0]);
    let more = [
        ("attention.sliding_window_pattern", sliding.clone()),
        ("rope.scaling.factor", 2.into()),
        ("rope.dimension_count", 128.into()),
    ];
    let step = read("step35", &keys(&more)).unwrap();
    let found = each(&step, |spec| (spec.dim, spec.base, spec.scaling.clone()));
    assert_eq!(found[0], Some((64, 1e6, Scaling::Linear { factor: 2.0 })));
    assert_eq!(found[1], Some((128, 1e4, Scaling::None)));
    let pattern = [("attention.sliding_window_pattern", sliding)];
    assert_eq!(bases("mimo2", &pattern)[..2], [Some(1e6), Some(1e4)]);
    assert_eq!(bases("gemma4", &pattern)[..2], [Some(1e6), Some(1e4)]);
    // The last of each eight is full.
    assert_eq!(bases("plamo3", &[])[6..], [Some(1e4), Some(1e6)]);
}

/// deepseek4.cpp: compressed layers have a base of their own and alone are scaled, by YaRN whose
/// factor is taken out again.
#[test]
fn layers_that_compress() {
    let mut more = vec![
        ("rope.dimension_count", 64.into()),
        ("rope.scaling.type", "yarn".into()),
        ("rope.scaling.factor", 16.into()),
        ("rope.scaling.original_context_length", 65536.into()),
        ("attention.compress_rope_freq_base", 160_000.into()),
        // One more than the blocks
        ("attention.compress_ratios", list(&[0.0, 0.0, 4.0, 128.0, 4.0, 128.0, 4.0, 128.0, 0.0])),
    ];
    let model = read("deepseek4", &keys(&more)).unwrap();
    let found = each(&model, |spec| (spec.base, spec.attention_factor, spec.scaling.clone()));
    assert_eq!(found[1], Some((1e6, 1.0, Scaling::None)));
    let yarn = Scaling::Yarn(Yarn::new(16.0, 65536));
    assert_eq!(found[2], Some((160_000.0, 1.0, yarn)));
    assert!(each(&model, |spec| spec.on_last_features).iter().all(|last| *last == Some(true)));
    more.pop();
    let field = "deepseek4.attention.compress_ratios".to_string();
    let missing = Error::Config { field, problem: ConfigProblem::Missing };
    assert_eq!(read("deepseek4", &keys(&more)), Err(missing));
}

/// Layers that are recurrent, or have no key heads, do not rotate.
#[test]
fn layers_without_attention() {
    let (with, without) = (Some(1e6), None);
    let fourth = [without, without, without, with, without, without, without, with];
    for name in ["qwen3next", "qwen35", "qwen35moe", "qwen4exp"] {
        assert_eq!(bases(name, &[]), fourth, "{name}");
        let second = bases(name, &[("full_attention_interval", 2.into())]);
        assert_eq!(second[..4], [without, with, without, with], "{name}");
        // The last block predicts further tokens, with attention.
        let further = bases(
            name,
            &[("full_attention_interval", 5.into()), ("nextn_predict_layers", 1.into())],
        );
        assert_eq!(further[4..], [with, without, without, with], "{name}");
    }
    assert_eq!(bases("minimax-01", &[])[6..], [without, with]);
    let recurrent = list(&[1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
    assert_eq!(
        bases("qwen35", &[("attention.recurrent_layers", recurrent)])[..3],
        [without, with, without]
    );
    let heads = list(&[0.0, 0.0, 8.0, 0.0, 0.0, 8.0, 0.0, 8.0]);
    let model = read("lfm2", &keys(&[("attention.head_count_kv", heads)])).unwrap();
    assert_eq!(each(&model, |spec| spec.base)[..3], [without, without, with]);
    assert_eq!(model.types().map(|(name, _)| name).collect::<Vec<_>>(), ["rope", "no_rope"]);
    let pattern = list(&[1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0]);
    let swa = bases("granite_swa", &[("attention.rope_pattern", pattern)]);
    assert_eq!(swa[2..4], [with, without]);
    let short = [("attention.head_count_kv", list(&[8.0, 0.0]))];
    let problem = ConfigProblem::Contradicts { other: "block_count".into() };
    let field = "lfm2.attention.head_count_kv".to_string();
    assert_eq!(read("lfm2", &keys(&short)), Err(Error::Config { field, problem }));
}

/// hunyuan-vl.cpp: `alpha` changes the base at every length; other architectures do not read it.
#[test]
fn a_base_changed_by_alpha() {
    let alpha = [("rope.scaling.type", "none".into()), ("rope.scaling.alpha", 1000.into())];
    let model = read("hunyuan_vl", &keys(&alpha)).unwrap();
    assert_eq!(model.only().unwrap().scaling, Scaling::Ntk { factor: 1000.0 });
    assert!(read("qwen3", &keys(&alpha)).is_err());
}

/// Layers that a list leaves without positions join those that have none by their place.
#[test]
fn layers_without_positions_by_place_and_by_list() {
    let pattern = list(&[0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
    let model = read("smollm3", &keys(&[("attention.rope_pattern", pattern)])).unwrap();
    let rotate = each(&model, |_| ()).iter().map(Option::is_some).collect::<Vec<_>>();
    assert_eq!(rotate, [false, true, true, false, true, true, true, false]);
    assert_eq!(model.types().map(|(name, _)| name).collect::<Vec<_>>(), ["rope", "no_rope"]);
}

/// A pattern that is a number counts from the first layer, with full layers at the end of each
/// group, also where only the file has local layers. Dense layers are a matter of Cohere 2.
#[test]
fn patterns_of_architectures_without_one() {
    let (far, near) = (Some(1e6), Some(1e4));
    let more = [
        ("rope.freq_base_swa", 1e4.into()),
        ("attention.sliding_window_pattern", 3.into()),
        ("leading_dense_block_count", 8.into()),
    ];
    assert_eq!(bases("gpt-oss", &more), [near, near, far, near, near, far, near, near]);
}

/// A list of heads has nothing to agree with where the file has no number of blocks.
#[test]
fn lists_of_files_without_blocks() {
    let heads = ("attention.head_count_kv", list(&[0.0, 8.0]));
    let model = read("lfm2", &keys(&[("block_count", 0.into()), heads])).unwrap();
    assert_eq!((model.layer_count(), model.only().unwrap().base), (None, 1e6));
}

/// The largest numbers that are read, and numbers that no file has.
#[test]
fn numbers_at_their_limits() {
    let pattern = ("attention.sliding_window_pattern", list(&[1.0; 8]));
    let wide = [pattern, ("attention.key_length_swa", 65_536.into())];
    let model = read("mimo2", &keys(&wide)).unwrap();
    assert_eq!(model.layer(0).unwrap().unwrap().dim, 65_536);
    let deep = read("qwen3", &keys(&[("block_count", 65_536.into())])).unwrap();
    assert_eq!(deep.layer_count(), Some(65_536));
    let ratios = ("attention.compress_ratios", list(&[4.0; 7]));
    let compressed = [("attention.compress_rope_freq_base", 160_000.into()), ratios];
    for (name, more, field) in [
        ("qwen3", &[("block_count", 65_537.into())][..], "block_count"),
        ("qwen3next", &[("full_attention_interval", 0.into())], "full_attention_interval"),
        ("deepseek4", &compressed, "attention.compress_ratios"),
    ] {
        match read(name, &keys(more)) {
            Err(Error::Config { field: found, .. }) => assert_eq!(found, format!("{name}.{field}")),
            other => panic!("{name} {field}: {other:?}"),
        }
    }
}
