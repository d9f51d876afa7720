//! What a `config.json` says of biases: published configs, defaults, and what is refused.

use positional_encodings::bias::{AlibiForm, Buckets, LogBuckets, Side};
use positional_encodings::config::{ConfigProblem, ModelBias, ModelPositions};
use positional_encodings::{Alibi, Error};

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
    // The config of all-mpnet-base-v2, as far as positions go.
    let mpnet = r#"{"model_type": "mpnet", "num_attention_heads": 12, "hidden_size": 768,
        "max_position_embeddings": 514, "relative_attention_num_buckets": 32}"#;
    assert_eq!(read(mpnet), ModelBias::Bucketed { heads: 12, encoder, decoder: None, shared });
    let layout = read(r#"{"model_type": "layoutlmv3", "has_spatial_attention_bias": false}"#);
    let text = Buckets::bidirectional(32, 128).ok();
    assert_eq!(layout, ModelBias::Layout { heads: 12, text, boxes: None });
}

#[test]
fn windows_and_images() {
    let swin = read(r#"{"model_type": "swin", "window_size": 12, "num_heads": [4, 8, 16, 32]}"#);
    let heads = vec![4, 8, 16, 32];
    let expected = ModelBias::Windows { heads: heads.clone(), window: [12; 2], trained: None };
    assert_eq!(swin, expected);
    let swin = r#"{"model_type": "swinv2", "window_size": 24, "num_heads": [4, 8, 16, 32],
        "pretrained_window_sizes": [12, 12, 12, 0]}"#;
    let trained = Some(vec![[12; 2], [12; 2], [12; 2], [24; 2]]);
    assert_eq!(read(swin), ModelBias::Windows { heads, window: [24; 2], trained });
    let beit = r#"{"model_type": "beit", "use_relative_position_bias": true, "image_size": 384}"#;
    assert_eq!(read(beit), ModelBias::ImageWindow { heads: 12, window: [24; 2], shared: false });
    assert_eq!(read(r#"{"model_type": "beit"}"#), ModelBias::None);
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
