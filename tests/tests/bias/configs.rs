//! Biases read from `config.json`: published configs, defaults, and refused ones.

use positional_encodings::bias::{AlibiForm, Buckets, LogBuckets, Side};
use positional_encodings::config::{ConfigProblem, ModelBias, ModelPositions, ModelRotary};
use positional_encodings::{Alibi, Error, Pairing};

fn read(config: &str) -> ModelBias {
    ModelBias::from_json(config).unwrap_or_else(|error| panic!("{config}: {error}"))
}

#[test]
fn alibi_of_four_families() {
    let bloom = Alibi::new(112).unwrap().with_form(AlibiForm::Keys);
    // BLOOM's own config has both names.
    let config = r#"{"model_type": "bloom", "n_head": 112, "num_attention_heads": 112}"#;
    assert_eq!(read(config), ModelBias::Alibi(bloom));
    let mpt = r#"{"model_type": "mpt", "n_heads": 32,
        "attn_config": {"alibi": true, "alibi_bias_max": 16}}"#;
    assert_eq!(read(mpt), ModelBias::Alibi(Alibi::with_bias_max(32, 16).unwrap()));
    let mpt = r#"{"model_type": "mpt", "n_heads": 32, "attn_config": {"alibi": false}}"#;
    assert_eq!(read(mpt), ModelBias::None);
    let falcon = r#"{"model_type": "falcon", "num_attention_heads": 8, "alibi": true}"#;
    assert_eq!(read(falcon), ModelBias::Alibi(Alibi::falcon(8).unwrap()));
    assert_eq!(read(r#"{"model_type": "falcon", "num_attention_heads": 8}"#), ModelBias::None);
    let jina = r#"{"model_type": "bert", "position_embedding_type": "alibi"}"#;
    let symmetric = Alibi::new(12).unwrap().with_form(AlibiForm::Symmetric);
    assert_eq!(read(jina), ModelBias::Alibi(symmetric));
}

/// Types that only add vectors to their words, and recurrent ones: no rotation, no bias.
#[test]
fn types_without_either() {
    for name in ["gpt2", "opt", "bart", "whisper", "vit", "mamba", "rwkv"] {
        let config = format!("{{\"model_type\": \"{name}\"}}");
        let model = ModelPositions::from_json(&config).unwrap();
        assert_eq!((model.rotary, model.bias), (None, ModelBias::None));
        let error = ModelRotary::from_json(&config).unwrap_err().to_string();
        assert!(error.contains("rotate nothing"), "{name}: {error}");
    }
    let bloom = ModelRotary::from_json(r#"{"model_type": "bloom"}"#).unwrap_err().to_string();
    assert!(bloom.contains("ModelPositions"), "{bloom}");
}

/// The fields about positions of Baichuan2's two sizes: one model type, two methods.
#[test]
fn baichuan_has_alibi_or_rotates() {
    let large = r#"{"model_type": "baichuan", "hidden_size": 5120, "num_attention_heads": 40,
        "num_hidden_layers": 40, "model_max_length": 4096}"#;
    let large = ModelPositions::from_json(large).unwrap();
    assert_eq!(large.bias, ModelBias::Alibi(Alibi::new(40).unwrap()));
    assert_eq!(large.rotary.unwrap().only(), Err(Error::NotOneRotation { types: 0 }));
    let small = r#"{"model_type": "baichuan", "hidden_size": 4096, "num_attention_heads": 32,
        "num_hidden_layers": 32, "max_position_embeddings": 4096, "model_max_length": 4096}"#;
    let small = ModelPositions::from_json(small).unwrap();
    assert_eq!(small.bias, ModelBias::None);
    let rotary = small.rotary.unwrap();
    let spec = rotary.only().unwrap();
    assert_eq!((spec.dim, spec.base, spec.pairing), (128, 1e4, Pairing::Halves));
}

/// The defaults of the classes of transformers where a config has the type alone.
#[test]
fn defaults_of_classes_with_relative_keys() {
    let text = |bias: &str| format!("\"position_embedding_type\": \"{bias}\"");
    for (name, heads, positions) in [
        ("bert", 12, 512),
        ("camembert", 12, 512),
        ("data2vec-text", 12, 512),
        ("ernie", 12, 512),
        ("layoutlm", 12, 512),
        ("lilt", 12, 512),
        ("markuplm", 12, 512),
        ("roberta", 12, 512),
        ("roberta-prelayernorm", 12, 512),
        ("roc_bert", 12, 512),
        ("xlm-roberta", 12, 512),
        ("xmod", 12, 512),
        ("electra", 4, 512),
        ("bert-generation", 16, 512),
        ("megatron-bert", 16, 512),
        ("albert", 64, 512),
        ("xlm-roberta-xl", 32, 514),
        ("esm", 12, 1026),
    ] {
        for (kind, side) in [("relative_key", Side::Queries), ("relative_key_query", Side::Both)] {
            let found = read(&format!(r#"{{"model_type": "{name}", {}}}"#, text(kind)));
            let reach = [positions - 1; 2];
            let expected = ModelBias::RelativeKeys { heads, side, reach, clips: false };
            assert_eq!(found, expected, "{name}");
        }
        let plain = read(&format!(r#"{{"model_type": "{name}"}}"#));
        assert_eq!(plain, ModelBias::None, "{name}");
    }
}

#[test]
fn defaults_of_classes_with_buckets() {
    for (name, heads, has_decoder, is_shared) in [
        ("t5", 8, true, true),
        ("longt5", 8, true, true),
        ("pop2piano", 8, true, true),
        ("mt5", 6, true, true),
        ("umt5", 6, true, false),
        ("switch_transformers", 12, true, true),
        ("mpnet", 12, false, true),
    ] {
        let decoder = has_decoder.then(|| Buckets::causal(32, 128).unwrap());
        let (encoder, shared) = (Buckets::bidirectional(32, 128).unwrap(), is_shared);
        let expected = ModelBias::Bucketed { heads, encoder, decoder, shared };
        assert_eq!(read(&format!(r#"{{"model_type": "{name}"}}"#)), expected, "{name}");
    }
}

fn check(cases: impl IntoIterator<Item = (&'static str, ModelBias)>) {
    for (config, expected) in cases {
        assert_eq!(read(&format!(r#"{{"model_type": {config}}}"#)), expected, "{config}");
    }
}

#[test]
fn defaults_of_classes_with_slopes_and_windows() {
    let alibi = |heads| Alibi::new(heads).unwrap();
    let bloom = ModelBias::Alibi(alibi(8).with_form(AlibiForm::Keys));
    let windows = |trained: Option<Vec<[usize; 2]>>| {
        let heads = vec![3, 6, 12, 24];
        ModelBias::Windows { heads, windows: vec![[7; 2]; 4], trained }
    };
    let beit = ModelBias::ImageWindow { heads: 12, window: [14; 2], shared: false };
    let shared = ModelBias::ImageWindow { heads: 12, window: [14; 2], shared: true };
    let falcon = ModelBias::Alibi(Alibi::falcon(71).unwrap());
    check([
        (r#""bloom""#, bloom),
        (r#""mpt""#, ModelBias::Alibi(alibi(16))),
        (r#""falcon""#, ModelBias::None),
        (r#""falcon", "alibi": true, "new_decoder_architecture": false"#, falcon),
        (r#""falcon", "new_decoder_architecture": true"#, ModelBias::None),
        (r#""swin""#, windows(None)),
        (r#""swinv2""#, windows(Some(vec![[7; 2]; 4]))),
        (r#""beit""#, ModelBias::None),
        (r#""beit", "use_relative_position_bias": true"#, beit.clone()),
        (r#""data2vec-vision", "use_relative_position_bias": true"#, beit),
        (r#""beit", "use_shared_relative_position_bias": true"#, shared),
    ]);
}

#[test]
fn defaults_of_other_classes() {
    let xl = |heads, clamp| ModelBias::TransformerXl { heads, dim: 64, clamp };
    let shaw = |heads| {
        let (side, reach) = (Side::Queries, [64, 8]);
        ModelBias::RelativeKeys { heads, side, reach, clips: true }
    };
    let deberta = |heads| {
        let (buckets, parts) = (LogBuckets::plain(512).unwrap(), [true; 2]);
        ModelBias::Disentangled { heads, buckets, parts, shared: false }
    };
    let sam = |global| {
        let (grid, window) = ([64; 2], [14; 2]);
        ModelBias::Decomposed { heads: 12, grid, window, global }
    };
    check([
        (r#""deberta""#, ModelBias::None),
        (r#""deberta", "relative_attention": true, "pos_att_type": "C2P|p2c""#, deberta(12)),
        (r#""deberta-v2", "relative_attention": true, "pos_att_type": "p2c|c2p""#, deberta(24)),
        (r#""xlnet""#, xl(16, None)),
        (r#""transfo-xl""#, xl(16, Some(1000))),
        (r#""wav2vec2-conformer""#, xl(12, None)),
        (r#""wav2vec2-conformer", "position_embeddings_type": null"#, ModelBias::None),
        (r#""wav2vec2-bert""#, shaw(16)),
        (r#""wav2vec2-bert", "position_embeddings_type": "relative""#, xl(16, None)),
        (r#""seamless_m4t""#, xl(16, None)),
        (r#""seamless_m4t_v2""#, shaw(16)),
        (r#""sam""#, sam(vec![2, 5, 8, 11])),
        (r#""sam_hq_vision_model""#, sam(vec![2, 5, 8, 11])),
        (r#""sam_vision_model", "use_rel_pos": false"#, ModelBias::None),
    ]);
}

#[test]
fn buckets_of_text_and_of_boxes() {
    let [encoder, decoder] =
        [Buckets::bidirectional(32, 128).unwrap(), Buckets::causal(32, 128).unwrap()];
    let t5 = r#"{"model_type": "t5", "num_heads": 12, "relative_attention_num_buckets": 32}"#;
    let (shared, both) = (true, Some(decoder.clone()));
    let expected =
        ModelBias::Bucketed { heads: 12, encoder: encoder.clone(), decoder: both, shared };
    assert_eq!(read(t5), expected);
    let umt5 = read(r#"{"model_type": "umt5", "relative_attention_max_distance": 256}"#);
    assert!(
        matches!(&umt5, ModelBias::Bucketed { heads: 6, shared: false, encoder, .. }
        if *encoder == Buckets::bidirectional(32, 256).unwrap()),
        "{umt5:?}"
    );
    // The fields about positions of all-mpnet-base-v2's config.
    let mpnet = r#"{"model_type": "mpnet", "num_attention_heads": 12, "hidden_size": 768,
        "max_position_embeddings": 514, "relative_attention_num_buckets": 32}"#;
    assert_eq!(read(mpnet), ModelBias::Bucketed { heads: 12, encoder, decoder: None, shared });
    // LayoutLMv3 divides its tables, LayoutLMv2 does not.
    let text = Buckets::bidirectional(32, 128).ok();
    for (name, divisor) in [("layoutlmv3", 8.0), ("layoutlmv2", 1.0)] {
        let found = read(&format!(r#"{{"model_type": "{name}"}}"#));
        let (text, boxes) = (text.clone(), Buckets::bidirectional(64, 256).ok());
        assert_eq!(found, ModelBias::Layout { heads: 12, text, boxes, divisor }, "{name}");
    }
    // layoutlmv3-large, without boxes.
    let large = r#"{"model_type": "layoutlmv3", "has_spatial_attention_bias": false,
        "hidden_size": 1024, "num_attention_heads": 16}"#;
    let (boxes, divisor) = (None, 8.0);
    assert_eq!(read(large), ModelBias::Layout { heads: 16, text, boxes, divisor });
}

#[test]
fn windows_and_images() {
    // swin-base-patch4-window12-384
    let swin = read(r#"{"model_type": "swin", "window_size": 12, "num_heads": [4, 8, 16, 32]}"#);
    let (heads, windows) = (vec![4, 8, 16, 32], vec![[12; 2]; 4]);
    assert_eq!(swin, ModelBias::Windows { heads: heads.clone(), windows, trained: None });
    // swinv2-base-patch4-window12to24-192to384: the last stage has 12 × 12 patches.
    let swin = r#"{"model_type": "swinv2", "image_size": 384, "patch_size": 4, "window_size": 24,
        "num_heads": [4, 8, 16, 32], "pretrained_window_sizes": [12, 12, 12, 6]}"#;
    let windows = vec![[24; 2], [24; 2], [24; 2], [12; 2]];
    let trained = Some(vec![[12; 2], [12; 2], [12; 2], [6; 2]]);
    assert_eq!(read(swin), ModelBias::Windows { heads, windows, trained });
    // swinv2-tiny-patch4-window16-256: 8 × 8 patches, and no pretrained windows.
    let swin = r#"{"model_type": "swinv2", "image_size": 256, "window_size": 16,
        "num_heads": [3, 6, 12, 24], "pretrained_window_sizes": [0, 0, 0, 0]}"#;
    let windows = vec![[16; 2], [16; 2], [16; 2], [8; 2]];
    let (heads, trained) = (vec![3, 6, 12, 24], Some(windows.clone()));
    assert_eq!(read(swin), ModelBias::Windows { heads, windows, trained });
    let beit = r#"{"model_type": "beit", "use_relative_position_bias": true, "image_size": 384}"#;
    assert_eq!(read(beit), ModelBias::ImageWindow { heads: 12, window: [24; 2], shared: false });
    assert_eq!(read(r#"{"model_type": "beit"}"#), ModelBias::None);
    let wide = r#"{"model_type": "beit", "use_relative_position_bias": true,
        "image_size": [224, 448], "patch_size": [16, 8]}"#;
    let window = [14, 56];
    assert_eq!(read(wide), ModelBias::ImageWindow { heads: 12, window, shared: false });
    let sam = r#"{"model_type": "sam", "vision_config": {"num_attention_heads": 16,
        "global_attn_indexes": [7, 15, 23, 31]}}"#;
    let (grid, window, global) = ([64; 2], [14; 2], vec![7, 15, 23, 31]);
    assert_eq!(read(sam), ModelBias::Decomposed { heads: 16, grid, window, global });
}

#[test]
fn what_reads_queries_and_keys() {
    let esm = r#"{"model_type": "esm", "position_embedding_type": "relative_key_query",
        "max_position_embeddings": 514, "num_attention_heads": 20}"#;
    let (side, reach) = (Side::Both, [513; 2]);
    assert_eq!(read(esm), ModelBias::RelativeKeys { heads: 20, side, reach, clips: false });
    assert_eq!(
        read(r#"{"model_type": "esm", "position_embedding_type": "rotary"}"#),
        ModelBias::None
    );
    let speech = read(r#"{"model_type": "wav2vec2-bert"}"#);
    let (side, reach) = (Side::Queries, [64, 8]);
    assert_eq!(speech, ModelBias::RelativeKeys { heads: 16, side, reach, clips: true });
    let deberta = r#"{"model_type": "deberta-v2", "num_attention_heads": 12,
        "relative_attention": true,
        "position_buckets": 256, "max_relative_positions": -1, "max_position_embeddings": 512,
        "pos_att_type": "p2c|c2p", "share_att_key": true}"#;
    let (buckets, parts) = (LogBuckets::new(256, 512).unwrap(), [true; 2]);
    let expected = ModelBias::Disentangled { heads: 12, buckets, parts, shared: true };
    assert_eq!(read(deberta), expected);
    let plain = r#"{"model_type": "deberta", "relative_attention": true, "pos_att_type": ["c2p"]}"#;
    let (buckets, parts) = (LogBuckets::plain(512).unwrap(), [true, false]);
    let expected = ModelBias::Disentangled { heads: 12, buckets, parts, shared: false };
    assert_eq!(read(plain), expected);
    // Lengths of 0 and −1 stand for the default.
    let unset = r#"{"model_type": "deberta", "relative_attention": true, "pos_att_type": ["c2p"],
        "max_relative_positions": 0, "position_buckets": 0}"#;
    assert_eq!(read(unset), expected);
    // The parts are read only where attention is relative, and without parts nothing is added.
    for config in [
        r#"{"model_type": "deberta", "relative_attention": false, "pos_att_type": ["c2p"]}"#,
        r#"{"model_type": "deberta", "relative_attention": true}"#,
        r#"{"model_type": "deberta", "relative_attention": true, "pos_att_type": []}"#,
    ] {
        assert_eq!(read(config), ModelBias::None, "{config}");
    }
    let xlnet = read(r#"{"model_type": "xlnet", "n_head": 16, "d_model": 1024, "clamp_len": -1}"#);
    assert_eq!(xlnet, ModelBias::TransformerXl { heads: 16, dim: 64, clamp: None });
    let xl = read(r#"{"model_type": "transfo-xl", "clamp_len": 400}"#);
    assert_eq!(xl, ModelBias::TransformerXl { heads: 16, dim: 64, clamp: Some(400) });
}

#[test]
fn one_call_says_all() {
    let model = ModelPositions::from_json(r#"{"model_type": "llama", "head_dim": 64}"#).unwrap();
    assert_eq!((model.rotary.unwrap().only().unwrap().dim, model.bias), (64, ModelBias::None));
    let model = ModelPositions::from_json(r#"{"model_type": "t5"}"#).unwrap();
    assert!(model.rotary.is_none() && matches!(model.bias, ModelBias::Bucketed { .. }));
}

#[test]
fn what_nobody_would_follow_is_refused() {
    let cases = [
        (r#"{"model_type": "nobody"}"#, "model_type"),
        (r#"{}"#, "model_type"),
        (
            r#"{"model_type": "bloom", "n_head": 8, "num_attention_heads": 9}"#,
            "num_attention_heads",
        ),
        (r#"{"model_type": "bloom", "n_head": 0}"#, "n_head"),
        (r#"{"model_type": "bloom", "n_head": 1e12}"#, "n_head"),
        (r#"{"model_type": "mpt", "attn_config": {"alibi": "yes"}}"#, "attn_config.alibi"),
        (
            r#"{"model_type": "mpt", "attn_config": {"alibi_bias_max": 0}}"#,
            "attn_config.alibi_bias_max",
        ),
        (
            r#"{"model_type": "t5", "relative_attention_num_buckets": 7}"#,
            "relative_attention_num_buckets",
        ),
        (
            r#"{"model_type": "bert", "position_embedding_type": "relative"}"#,
            "position_embedding_type",
        ),
        (
            r#"{"model_type": "bert", "position_embedding_type": "absolut"}"#,
            "position_embedding_type",
        ),
        (r#"{"model_type": "swin", "num_heads": []}"#, "num_heads"),
        (r#"{"model_type": "swin", "num_heads": [3, 0]}"#, "num_heads"),
        (r#"{"model_type": "swin", "window_size": [7, 0]}"#, "window_size"),
        (r#"{"model_type": "swinv2", "patch_size": 0}"#, "patch_size"),
        (r#"{"model_type": "swinv2", "patch_size": [4, 0]}"#, "patch_size"),
        (r#"{"model_type": "swinv2", "image_size": [224, 65537]}"#, "image_size"),
        (r#"{"model_type": "swin", "window_size": [7, 7, 7]}"#, "window_size"),
        (r#"{"model_type": "swinv2", "pretrained_window_sizes": [1]}"#, "pretrained_window_sizes"),
        (
            r#"{"model_type": "beit", "use_relative_position_bias": true, "patch_size": 999}"#,
            "patch_size",
        ),
        (
            r#"{"model_type": "deberta-v2", "relative_attention": true, "pos_att_type": ["p2p"]}"#,
            "pos_att_type",
        ),
        (
            r#"{"model_type": "deberta-v2", "relative_attention": true, "pos_att_type": "c2p",
                "position_buckets": 3}"#,
            "position_buckets",
        ),
        (r#"{"model_type": "xlnet", "clamp_len": -7}"#, "clamp_len"),
    ];
    for (config, expected) in cases {
        match ModelBias::from_json(config) {
            Err(Error::Config { field, .. }) if field == expected => {}
            other => panic!("{config}: {other:?}"),
        }
    }
    let syntax = ModelBias::from_json("{").unwrap_err();
    assert!(matches!(syntax, Error::Config { problem: ConfigProblem::Syntax { .. }, .. }));
}
