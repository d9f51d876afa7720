//! What users write in configs of their own comes back, and a config is refused where the
//! constructor refuses.

use std::fmt::Debug;

use positional_encodings::bias::{Beyond, Buckets, LogBuckets, Order, Side, Span};
use positional_encodings::config::{ModelRotary, RopeRatio, RotarySpec};
use positional_encodings::resample::{Kernel, Resample, Sampling};
use positional_encodings::rotary::{
    AxialOrder, Diffusion, Precision, QueryTemperature, Sections, TableForm,
};
use positional_encodings::training::Activation;
use positional_encodings::{FeatureLayout, Init};

#[test]
fn choices_stand_in_configs() {
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let layout = FeatureLayout::SinCosHalves;
    assert_eq!(serde_json::to_value(layout).unwrap(), json(r#""sin_cos_halves""#));
    assert_eq!(serde_json::from_str::<Activation>(r#""gelu_tanh""#).unwrap(), Activation::GeluTanh);
    let init = Init::TruncatedNormal { std: 0.02, bound: 2.0 };
    let text = r#"{"truncated_normal":{"std":0.02,"bound":2.0}}"#;
    assert_eq!(serde_json::to_value(init).unwrap(), json(text));
    assert_eq!(serde_json::from_str::<Init>(text).unwrap(), init);
    let dino = Resample::vit().with_factors([1.5, 1.25]).unwrap();
    let text = r#"{"kernel":"cubic","sampling":"half_pixel","factors":[1.5,1.25]}"#;
    assert_eq!(serde_json::to_value(dino).unwrap(), json(text));
    assert_eq!(serde_json::from_str::<Resample>(text).unwrap(), dino);
    let plain = Resample::new(Kernel::Linear, Sampling::AlignedCorners);
    let text = r#"{"kernel":"linear","sampling":"aligned_corners"}"#;
    assert_eq!(serde_json::from_str::<Resample>(text).unwrap(), plain);
    // A config is refused where the constructor refuses.
    for bad in ["[0.0,1.0]", "[1.0,-1.0]"] {
        let text = format!(r#"{{"kernel":"cubic","sampling":"half_pixel","factors":{bad}}}"#);
        assert!(serde_json::from_str::<Resample>(&text).is_err(), "{text}");
    }
    assert!(serde_json::from_str::<FeatureLayout>(r#""halves""#).is_err());
}

fn same<T: Debug + PartialEq>(value: &T, back: serde_json::Result<T>, text: &str) {
    assert_eq!(&back.unwrap_or_else(|error| panic!("{text}: {error}")), value);
}

/// Checks that a value is saved as this text, and comes back.
macro_rules! saved {
    ($($value:expr => $text:expr,)*) => {$(
        let value = $value;
        assert_eq!(serde_json::to_string(&value).unwrap(), $text);
        same(&value, serde_json::from_str($text), $text);
    )*};
}

fn refused<T: Debug>(result: serde_json::Result<T>, found: &str) {
    let error = result.unwrap_err().to_string();
    assert!(error.contains(found), "{error} instead of {found}");
}

#[test]
fn names_of_conventions() {
    saved! {
        Side::Both => r#""both""#,
        Order::KeyMinusQuery => r#""key_minus_query""#,
        Beyond::Refuse => r#""refuse""#,
        AxialOrder::Qwen2Vl => r#""qwen2_vl""#,
        AxialOrder::KimiK25 => r#""kimi_k25""#,
        Sections::SpaceThenTime => r#""space_then_time""#,
        Precision::Float32Recipe => r#""float32_recipe""#,
        TableForm::Doubled => r#""doubled""#,
        RopeRatio::MultipliesBase => r#""multiplies_base""#,
        Diffusion::Flux2 => r#""flux2""#,
        Diffusion::QwenImage => r#""qwen_image""#,
        Diffusion::CogVideoX => r#""cogvideox""#,
        Diffusion::Kandinsky5Lite => r#""kandinsky5_lite""#,
    }
    refused(serde_json::from_str::<Sections>(r#""Chunked""#), "unknown variant `Chunked`");
}

#[test]
fn rules_of_biases() {
    let span = Span::new(-3, 6, Order::KeyMinusQuery, Beyond::Clip).unwrap();
    saved! {
        span => r#"{"first":-3,"len":6,"order":"key_minus_query","beyond":"clip"}"#,
        Buckets::bidirectional(32, 128).unwrap() =>
            r#"{"bidirectional":{"buckets":32,"max_distance":128}}"#,
        Buckets::causal(32, 128).unwrap() => r#"{"causal":{"buckets":32,"max_distance":128}}"#,
        LogBuckets::new(256, 512).unwrap() => r#"{"buckets":256,"max_distance":512}"#,
        LogBuckets::plain(512).unwrap() => r#"{"max_distance":512}"#,
    }
    let span = |first: &str| {
        let rest = r#""order":"key_minus_query","beyond":"clip""#;
        serde_json::from_str::<Span>(&format!("{{{first},{rest}}}"))
    };
    refused(span(r#""first":0,"len":0"#), "number of distances is 0");
    refused(span(r#""first":0,"len":1,"last":0"#), "unknown field `last`");
    let buckets = |text| serde_json::from_str::<Buckets>(text);
    refused(buckets(r#"{"causal":{"buckets":7,"max_distance":128}}"#), "number of buckets is 7");
    let text = r#"{"bidirectional":{"buckets":32,"max_distance":8}}"#;
    refused(buckets(text), "max_distance is 8");
    let buckets = |text| serde_json::from_str::<LogBuckets>(text);
    refused(buckets(r#"{"buckets":3,"max_distance":512}"#), "number of buckets is 3");
    refused(buckets(r#"{"max_distance":0}"#), "max_distance is 0");
}

#[test]
fn temperatures_of_queries() {
    saved! {
        QueryTemperature::llama4(0.1, 8192.0).unwrap() =>
            r#"{"llama4":{"scale":0.1,"floor":8192.0}}"#,
        QueryTemperature::ministral3(0.1, 16_384).unwrap() =>
            r#"{"ministral3":{"beta":0.1,"original_len":16384}}"#,
        QueryTemperature::logn(2048).unwrap() => r#"{"logn":{"original_len":2048}}"#,
    }
    let largest = QueryTemperature::ministral3(1.0, usize::MAX).unwrap();
    let text = serde_json::to_string(&largest).unwrap();
    same(&largest, serde_json::from_str(&text), &text);
    let read = |text| serde_json::from_str::<QueryTemperature>(text);
    refused(read(r#"{"llama4":{"scale":0.1,"floor":0.5}}"#), "floor is 0.5");
    refused(read(r#"{"logn":{"original_len":1}}"#), "original length is 1");
}

/// A spec is plain data; a value that no rotation has is refused where the rotation is made.
#[test]
fn specs_of_rotations() {
    for config in [
        r#"{"model_type": "gpt_oss", "num_hidden_layers": 24}"#,
        r#"{"model_type": "qwen2", "head_dim": 64}"#,
        r#"{"model_type": "qwen2_vl", "hidden_size": 1024, "num_attention_heads": 8,
            "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]}}"#,
        r#"{"model_type": "phi3", "head_dim": 8, "max_position_embeddings": 131072,
            "original_max_position_embeddings": 4096, "rope_scaling": {"type": "longrope",
            "short_factor": [1, 1, 1, 1], "long_factor": [1.5, 2, 3, 4]}}"#,
    ] {
        let model = ModelRotary::from_json(config).unwrap();
        let spec = model.only().unwrap();
        let text = serde_json::to_string(spec).unwrap();
        same(spec, serde_json::from_str(&text), &text);
        let other = text.replacen(r#"{"dim":"#, r#"{"dims":"#, 1);
        refused(serde_json::from_str::<RotarySpec>(&other), "unknown field `dims`");
    }
    let text = r#"{"dim": 64, "frequency_dim": 64, "head_dim": 128, "base": 10000.0,
        "scaling": "none", "attention_factor": 1.0, "short_attention_factor": 1.0,
        "softmax_factor": 1.0, "pairing": "halves", "on_last_features": false}"#;
    let spec: RotarySpec = serde_json::from_str(text).unwrap();
    assert_eq!(spec.rotary(0).unwrap().dim(), 64);
}
