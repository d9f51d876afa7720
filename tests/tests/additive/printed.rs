//! Printing: `Debug` shows shapes and parameters, not values, and `Display` is a caption.

use std::fmt::Debug;

use ndarray::{Array2, Array3, Array4};
use positional_encodings::bias::{
    AlibiForm, AxesBias, Beyond, Buckets, ClippedBias, Cope, DecomposedBias, DisentangledBias,
    Forget, Kerple, LogBuckets, Order, RelativeLogits, RelativeValues, ResidueBias, Sandwich,
    ShawBias, Span, TransformerXlBias, WindowBias,
};
use positional_encodings::resample::Resample;
use positional_encodings::rotary::{
    AxialOrder, Diffusion, Dinov3Augmentation, MixedRotary, Precision, QueryTemperature, Sections,
    VJepa2, XPos,
};
use positional_encodings::scaling::{DynamicNtk, Llama3, LongRope, Scaling, Yarn};
use positional_encodings::space::{
    AngleUnit, Cycle, Input, MipNerf, Radial, Sphere2Vec, Time2Vec, Wavelengths,
};
use positional_encodings::training::{
    Activation, BoxBias, DistanceNetwork, Fire, Frozen, Layers, LearnedFrequencies,
    LearnedProjection, Linear, PositionNetwork, Scaled, Spacing, SwinV2Bias,
};
use positional_encodings::{
    Alibi, Axes, Error, FeatureLayout, Fourier, Frequencies, Init, Learned, LearnedGrid,
    NoPositions, OddDim, Pairing, PositionTable, PositionalEncoding, Positions, Rotary, Sinusoidal,
    T5Bias, Timestep, TokenEmbedding, ids,
};

/// The length of a line or two.
const MOST: usize = 300;

fn longrope(pairs: usize) -> LongRope {
    let list = |by: f64| (0..pairs).map(|pair| 1.0 + by * pair as f64).collect();
    LongRope { short: list(0.01), long: list(0.3), original_len: 4096, factor: 32.0 }
}

fn llama3() -> Frequencies {
    let (low_freq_factor, high_freq_factor) = (1.0, 4.0);
    let scaling = Llama3 { factor: 8.0, low_freq_factor, high_freq_factor, original_len: 8192 };
    Frequencies::geometric(128, 500_000.0).unwrap().llama3(scaling).unwrap()
}

fn table(rows: usize, columns: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows, columns), |(row, column)| (row * 7 + column) as f32 / 3.0)
}

fn layers(widths: &[usize]) -> Result<Layers<f32>, Error> {
    let layer = |pair: &[usize]| Linear::new(table(pair[1], pair[0]));
    Layers::new(widths.windows(2).map(layer).collect::<Result<Vec<_>, _>>()?, Activation::Relu)
}

/// Large encodings.
fn encodings() -> Result<Vec<Box<dyn Debug>>, Error> {
    let learned = Learned::from_table(table(512, 768))?;
    let many = (0..1000).map(|i| 2 * i..2 * i + 1);
    let frozen = many.fold(Learned::from_table(table(4096, 4)), |learned, rows| {
        learned?.with_frozen_rows(rows)
    })?;
    let sinusoid = || Sinusoidal::new(512);
    let network = PositionNetwork::new(
        sinusoid()?,
        Linear::new(table(64, 512))?,
        Activation::Silu,
        Linear::new(table(32, 64))?,
    )?;
    let list = ndarray::Array1::from_elem(1000, 1.0_f64 / 3.0);
    let words = TokenEmbedding::new(table(1000, 768), learned.clone().with_frozen_rows(0..2)?)?
        .with_segments(table(2, 768))?;
    let grid = Axes::<f32, _>::mae(64)?.encode(&Positions::grid(&[8, 8])?)?;
    let own = Frequencies::from_radians((0..1000).map(|i| 0.1 / f64::from(i + 1)))?;
    Ok(vec![
        Box::new(sinusoid()?),
        Box::new(Sinusoidal::from_frequencies(own.clone()).with_zero_position(i64::MIN)),
        Box::new(learned.clone().with_offset(2)?.with_padding_row(1)?),
        Box::new(frozen),
        Box::new(PositionTable::<f32>::of(table(196, 768))?),
        Box::new(PositionTable::<f32>::of(grid)?),
        Box::new(Axes::<f32, _>::mae(512)?),
        Box::new(Axes::<f32, _>::sum((0..64).map(|_| Fourier::nerf(100, 4).unwrap()))?),
        Box::new(LearnedGrid::from_table(Array4::<f32>::zeros((8, 16, 16, 768)))?),
        Box::new(NoPositions::new(1 << 20)?),
        Box::new(Timestep::flipped(320)),
        Box::new(Fourier::nerf(3, 60)?.with_input(Input::First)),
        Box::new(Fourier::calendar(&[Cycle::new(24.0), Cycle::new(168.0).from(96.0)])?),
        Box::new(Time2Vec::new(&list, &list)?),
        Box::new(MipNerf::new(3, 60)?),
        Box::new(Wavelengths::new(512, 0.01..=1e5)?),
        Box::new(Sphere2Vec::new(&Frequencies::timescales(512, 10.0..=1e4)?, AngleUnit::Degrees)?),
        Box::new(Sphere2Vec::new(&own, AngleUnit::Radians)?),
        Box::new(Radial::exp_normal(1000, 5.0)?),
        Box::new(Radial::bessel(1000, 5.0)?),
        Box::new(Radial::dimenet(1000, 5.0, 6)?),
        Box::new(Scaled::new(sinusoid()?, 1.0 / 3.0)?),
        Box::new(Frozen(learned.clone())),
        Box::new(LearnedFrequencies::new(sinusoid()?)),
        Box::new(LearnedProjection::new(Fourier::nerf(3, 60)?)),
        Box::new(network),
        Box::new(words),
        Box::new(Init::TruncatedNormal { std: 0.02, bound: 2.0 }),
        Box::new(Resample::vit().with_factors([1.5, 1.25])?),
        Box::new(ids::Shape { max: 1 << 20 }),
    ])
}

/// Large rotations.
fn rotations() -> Result<Vec<Box<dyn Debug>>, Error> {
    let long = Frequencies::geometric(128, 1e4)?.longrope(&longrope(64), 5000)?;
    let yarn = Frequencies::geometric(128, 1e6)?.yarn(&Yarn::new(4.0, 32_768))?;
    let sections = Rotary::new(yarn, Pairing::Interleaved)
        .with_sections(&[24, 20, 20], Sections::Interleaved)?;
    let many = Rotary::axial((0..64).map(|_| Frequencies::geometric(16, 1e4).unwrap()), {
        Pairing::Halves
    })?;
    let mixed = MixedRotary::new(Array3::from_elem((2, 12, 32), 0.1), Pairing::Interleaved)?;
    Ok(vec![
        Box::new(llama3()),
        Box::new(long.clone()),
        Box::new(longrope(64)),
        Box::new(Scaling::LongRope(longrope(64))),
        Box::new(Scaling::Yarn(Yarn::new(4.0, 32_768))),
        Box::new(Rotary::new(llama3(), Pairing::Halves)),
        Box::new(Rotary::new(long, Pairing::Halves).with_precision(Precision::Float32Recipe)),
        Box::new(sections),
        Box::new(many),
        Box::new(Rotary::axial_2d(128, 1e4, AxialOrder::Gemma4)?),
        Box::new(Diffusion::Flux.rotary()?.at::<f32>(&Diffusion::Flux.ids(512, [1, 64, 64])?)?),
        Box::new(mixed.at::<f32>(Positions::grid(&[14, 14])?)?),
        Box::new(mixed),
        Box::new(XPos::new(128)?),
        Box::new(VJepa2::new(64)?),
        Box::new(QueryTemperature::llama4(0.1, 8192.0)?),
        Box::new(Dinov3Augmentation::default()),
        Box::new(DynamicNtk { factor: 2.0, original_len: 2048 }),
    ])
}

/// Large biases, and the networks of some.
fn biases() -> Result<Vec<Box<dyn Debug>>, Error> {
    let t5 = || T5Bias::bidirectional(table(64, 12), 256);
    let rows = |heads, entries| Array3::<f32>::ones((heads, entries, 64));
    let buckets = LogBuckets::new(256, 512)?;
    let content = DisentangledBias::disentangled(
        buckets.clone(),
        12,
        Some(rows(12, 512)),
        Some(rows(12, 512)),
    )?;
    let xl = TransformerXlBias::transformer_xl(rows(16, 1023), -511, table(16, 64), table(16, 64))?;
    Ok(vec![
        Box::new(Alibi::new(112)?),
        Box::new(Alibi::falcon(71)?),
        Box::new(t5()?),
        Box::new(AxesBias::new((0..8).map(|_| t5().unwrap()))?),
        Box::new(WindowBias::beit(table(27 * 27 + 3, 12), [14, 14])?),
        Box::new(Kerple::log(&[1.0 / 3.0; 112], &[1.0 / 7.0; 112])?),
        Box::new(Sandwich::new(112, 512)?),
        Box::new(Forget::from_sums(table(12, 4096))?),
        Box::new(ClippedBias::clipped_distances(table(65, 128))?),
        Box::new(ResidueBias::residues(table(66, 128))?),
        Box::new(ShawBias::relative_key_query(table(1023, 64), 12)?),
        Box::new(RelativeLogits::inkling(table(64, 4096), 12)?),
        Box::new(xl),
        Box::new(content),
        Box::new(DecomposedBias::new([table(127, 64), table(127, 64)], 12)?),
        Box::new(Cope::with_tables(rows(12, 64), 12)?),
        Box::new(RelativeValues::new(Span::clipped(64), 12, rows(1, 129))?),
        Box::new(Buckets::bidirectional(1 << 10, 1 << 40)?),
        Box::new(buckets),
        Box::new(LogBuckets::plain(1 << 20)?),
        Box::new(Span::new(-(1 << 52), 1 << 32, Order::KeyMinusQuery, Beyond::Nothing)?),
        Box::new(layers(&[64; 100])?),
        Box::new(SwinV2Bias::new(layers(&[2, 512, 16])?, [8, 8], [8, 8])?),
        Box::new(BoxBias::new([layers(&[2, 256, 8])?, layers(&[2, 256, 8])?])?),
        Box::new(DistanceNetwork::new(layers(&[1, 64, 64, 8])?, Spacing::Log)?),
        Box::new(Fire::new(layers(&[1, 32, 8])?, 0.1, 512.0)?),
    ])
}

/// Configs of large models.
#[cfg(feature = "serde")]
fn configs() -> Result<Vec<Box<dyn Debug>>, Error> {
    use positional_encodings::config::{ModelBias, ModelPositions, ModelRotary};
    let text = |config: serde_json::Value| config.to_string();
    let (short, long) = (longrope(48).short, longrope(48).long);
    let phi3 = text(serde_json::json!({
        "model_type": "phi3", "hidden_size": 3072, "num_attention_heads": 32,
        "num_hidden_layers": 32, "max_position_embeddings": 131_072,
        "original_max_position_embeddings": 4096,
        "rope_scaling": {"type": "longrope", "short_factor": short, "long_factor": long},
    }));
    let mut shown: Vec<Box<dyn Debug>> = Vec::new();
    let kinds = ["full_attention", "sliding_attention"];
    let layers: Vec<_> = (0..62).map(|layer| kinds[usize::from(layer % 6 != 5)]).collect();
    let dict = serde_json::json!({"rope_type": "yarn", "rope_theta": 1e6, "factor": 8.0,
        "original_max_position_embeddings": 32_768});
    let gemma3 = text(serde_json::json!({"model_type": "gemma3_text", "num_hidden_layers": 62,
        "head_dim": 256, "layer_types": layers,
        "rope_parameters": {"full_attention": dict, "sliding_attention": dict}}));
    for config in [
        &phi3,
        &gemma3,
        r#"{"model_type": "gpt_oss", "num_hidden_layers": 24}"#,
        r#"{"model_type": "deepseek_v3", "num_hidden_layers": 61}"#,
        r#"{"model_type": "llama4_text", "num_hidden_layers": 48}"#,
        r#"{"model_type": "smollm3", "num_hidden_layers": 36}"#,
        r#"{"model_type": "bloom", "n_head": 112}"#,
    ] {
        let model = ModelPositions::from_json(config)?;
        if let Some(rotary) = &model.rotary {
            for (_, spec) in rotary.types() {
                shown.extend(spec.map(|spec| Box::new(spec.clone()) as Box<dyn Debug>));
            }
            shown.push(Box::new(rotary.rotaries(5000)?));
            shown.push(Box::new(rotary.clone()));
        }
        shown.push(Box::new(model));
    }
    for config in [
        r#"{"model_type": "t5", "num_heads": 8}"#,
        r#"{"model_type": "layoutlmv3", "num_attention_heads": 12}"#,
        r#"{"model_type": "swinv2"}"#,
        r#"{"model_type": "deberta-v2", "relative_attention": true}"#,
    ] {
        shown.push(Box::new(ModelBias::from_json(config)?));
    }
    let vision = r#"{"model_type": "qwen2_5_vl", "text_config": {"hidden_size": 3584},
        "vision_config": {"hidden_size": 1280, "num_heads": 16}}"#;
    shown.push(Box::new(ModelRotary::from_json_part(vision, "vision_config")?));
    Ok(shown)
}

/// Printing a value shows its parameters and shapes, not its numbers.
#[test]
fn values_are_printed_in_a_line_or_two() {
    let mut all = encodings().unwrap();
    all.extend(rotations().unwrap());
    all.extend(biases().unwrap());
    #[cfg(feature = "serde")]
    all.extend(configs().unwrap());
    let mut long = Vec::new();
    for value in all {
        let (shown, lines) = (format!("{value:?}"), format!("{value:#?}").lines().count());
        let len = shown.chars().count();
        if !(1..=MOST).contains(&len) || lines > 50 {
            long.push(format!("{len} characters, {lines} lines: {shown}"));
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
    assert_eq!(
        format!("{:?}", Sinusoidal::new(4).unwrap()),
        "Sinusoidal { dim: 4, layout: Interleaved, pairs: 2, frequencies: 1e0 to 1e-2, \
         amplitude: 1.0, zero_position: None }"
    );
    let of_base = |base| Rotary::new(Frequencies::geometric(8, base).unwrap(), Pairing::Halves);
    assert_ne!(format!("{:?}", of_base(1e4)), format!("{:?}", of_base(5e5)));
    assert_eq!(
        format!("{:?}", of_base(1e4)),
        "Rotary { dim: 8, pairing: Halves, axes: 1, frequencies: [geometric(8, 10000)], \
         attention_factor: 1.0, regime: Fixed, .. }"
    );
}

fn check<T: ToString>(cases: impl IntoIterator<Item = (Result<T, Error>, &'static str)>) {
    for (value, expected) in cases {
        assert_eq!(value.unwrap().to_string(), expected);
    }
}

#[test]
fn captions_of_encodings() {
    let paper = || Sinusoidal::new(512);
    check([
        (paper(), "sinusoidal, dim 512, geometric(512, 10000), interleaved"),
        (
            paper().map(|own| own.with_layout(FeatureLayout::SinCosHalves)),
            "sinusoidal, dim 512, geometric(512, 10000), sines then cosines",
        ),
        (
            paper().and_then(|own| own.with_zero_position(1).with_amplitude(0.5)),
            "sinusoidal, dim 512, geometric(512, 10000), interleaved, amplitude 0.5, \
             zero at position 1",
        ),
    ]);
    let learned = || Learned::from_table(table(514, 768));
    check([
        (learned(), "learned, 514 positions, dim 768"),
        (
            learned().and_then(|own| own.with_offset(2)?.with_padding_row(1)),
            "learned, 514 positions, dim 768, offset 2, padding row 1",
        ),
    ]);
    let grid = LearnedGrid::from_table(Array3::<f32>::zeros((14, 16, 768)));
    check([(grid, "learned grid, 14 × 16 positions, dim 768")]);
    check([(NoPositions::new(512), "no positions, dim 512")]);
    check([
        (Ok(Timestep::flipped(320)), "timestep, dim 320, base 10000, cosines then sines"),
        (
            Ok(Timestep { scale: 1000.0, ..Timestep::new(256) }),
            "timestep, dim 256, base 10000, sines then cosines, shift 1, scale 1000",
        ),
    ]);
    check([
        (
            Fourier::nerf(3, 10).map(|own| own.with_input(Input::First)),
            "Fourier features, dim 63, 3 axes, 30 pairs, interleaved, coordinates first",
        ),
        (
            Fourier::new(&table(2, 64)).and_then(|own| own.with_amplitude(2.0)),
            "Fourier features, dim 128, 2 axes, 64 pairs, sines then cosines, amplitude 2",
        ),
    ]);
    let mae = Axes::<f32, _>::mae(512);
    check([(mae, "2 encodings, dims [256, 256], side by side, dim 512")]);
    let sum = Axes::<f32, _>::sum([NoPositions::new(8).unwrap(), NoPositions::new(8).unwrap()]);
    check([(sum, "2 encodings, dims [8, 8], summed, dim 8")]);
}

#[test]
fn captions_of_rotations() {
    let halves = |frequencies| Rotary::new(frequencies, Pairing::Halves);
    let plain = || Frequencies::geometric(64, 1e4);
    check([
        (
            Ok(halves(llama3())),
            "rotary, dim 128, geometric(128, 500000).llama3(8, 1, 4, 8192), halves",
        ),
        (
            plain().map(|own| halves(own).with_precision(Precision::Float32Recipe)),
            "rotary, dim 64, geometric(64, 10000), halves, in float32",
        ),
        (
            plain().map(|own| Rotary::new(own, Pairing::Interleaved).on_last_features()),
            "rotary, dim 64, geometric(64, 10000), interleaved, on the last features",
        ),
        (
            Diffusion::Flux.rotary(),
            "rotary, dim 128, 3 axes: geometric(16, 10000), geometric(56, 10000), …, interleaved",
        ),
        (
            Rotary::axial_2d(64, 100.0, AxialOrder::Gemma4),
            "rotary, dim 64, 2 axes: geometric(32, 100), geometric(32, 100), halves of 2 blocks",
        ),
    ]);
    let rotary = halves(plain().unwrap());
    let ids = ndarray::array![[0, 0, 1], [0, 1, 2]];
    check([
        (rotary.at::<f32>(0..10), "rotation, dim 64, 10 positions, halves"),
        (rotary.at(&ids), "rotation, dim 64, 2 rows of 3 positions, halves"),
        (rotary.shift(-3), "rotation, dim 64, the same at all positions, halves"),
        (
            rotary.at(0..10).map(|rotation| rotation.inverse()),
            "rotation back, dim 64, 10 positions, halves",
        ),
    ]);
    let mixed = MixedRotary::new(Array3::from_elem((1, 4, 8), 0.1), Pairing::Interleaved);
    check([(
        mixed.and_then(|mixed| mixed.at::<f32>(0..9)),
        "rotation, dim 16, 9 positions of 4 heads, interleaved",
    )]);
    let (fraction, factor) = (0.25, 2.0);
    let dynamic = DynamicNtk { factor, original_len: 2048 };
    check([
        (Ok(Scaling::None), "none"),
        (Ok(Scaling::Linear { factor }), "linear(2)"),
        (Ok(Scaling::Ntk { factor }), "ntk(2)"),
        (Ok(Scaling::DynamicNtk(dynamic)), "dynamic_ntk(2, 2048)"),
        (Ok(Scaling::SteppedNtk { original_len: 2048 }), "stepped_ntk(2048)"),
        (Ok(Scaling::Yarn(Yarn::new(4.0, 32_768))), "yarn(4, 32768, 32, 1, true)"),
        (Ok(Scaling::LongRope(longrope(4))), "longrope(32, 4096, [1, … 1.03: 4])"),
        (Ok(Scaling::Proportional { fraction, factor }), "proportional(0.25).linear(2)"),
    ]);
}

#[test]
fn captions_of_biases_and_choices() {
    check([
        (Alibi::new(8), "ALiBi, 8 heads, slopes [0.5, … 0.00390625: 8], causal"),
        (
            Alibi::new(2).map(|own| own.with_form(AlibiForm::Symmetric)),
            "ALiBi, 2 heads, slopes [0.0625, 0.00390625], symmetric",
        ),
        (Alibi::falcon(8), "ALiBi, 8 heads, slopes [0.5, … 0.00390625: 8], of keys, in bf16"),
    ]);
    check([
        (
            T5Bias::bidirectional(table(32, 8), 128),
            "T5 bias, 8 heads, 32 buckets up to distance 128, both ways",
        ),
        (
            T5Bias::causal(table(32, 8), 256),
            "T5 bias, 8 heads, 32 buckets up to distance 256, causal",
        ),
    ]);
    check([(Ok(Pairing::Halves), "halves"), (Ok(Pairing::Interleaved), "interleaved")]);
    check([
        (Ok(FeatureLayout::Interleaved), "interleaved"),
        (Ok(FeatureLayout::CosSinHalves), "cosines then sines"),
    ]);
    check([
        (Ok(OddDim::DropLast), "last member dropped"),
        (Ok(OddDim::DropLastOfEven), "last member of dim + 1 dropped"),
        (Ok(OddDim::ZeroColumn), "column of zeros"),
    ]);
}

#[test]
#[cfg(feature = "serde")]
fn captions_of_specs() {
    let spec = |config: &str| {
        let model = positional_encodings::config::ModelRotary::from_json(config)?;
        model.only().cloned()
    };
    check([
        (
            spec(r#"{"model_type": "gpt_oss", "num_hidden_layers": 24}"#),
            "dim 64 of 64, base 150000, halves, yarn(32, 4096, 32, 1, false)",
        ),
        (spec(r#"{"model_type": "qwen2", "head_dim": 64}"#), "dim 64 of 64, base 10000, halves"),
    ]);
}
