//! The attention factors and regimes of frequencies, and how frequencies are printed and saved.

use ndarray::Array2;
use positional_encodings::scaling::{DynamicNtk, Llama3, LongRope, Regime, Yarn};
use positional_encodings::{
    Error, Frequencies, OddDim, Pairing, PositionalEncoding, Positions, Rotary, Sinusoidal,
};

fn plain() -> Frequencies {
    Frequencies::geometric(128, 1e6).unwrap()
}

fn longrope(pairs: usize) -> LongRope {
    let list = |step: f64| (0..pairs).map(|i| 1.0 + step * i as f64).collect();
    LongRope { short: list(0.1), long: list(0.3), original_len: 4096, factor: 32.0 }
}

/// A rotation multiplies by the attention factor of the scaling by itself.
#[test]
fn attention_factors_cannot_be_forgotten() {
    let yarn = Yarn::new(4.0, 32768);
    let longrope = longrope(64);
    let long = plain().longrope(&longrope, 5000).unwrap();
    for (frequencies, factor, regime) in [
        (plain(), 1.0, Regime::Fixed),
        (plain().yarn(&yarn).unwrap(), yarn.default_attention_factor(), Regime::Fixed),
        (long.clone(), longrope.default_attention_factor(), Regime::Long),
        (long.clone().with_attention_factor(1.25).unwrap(), 1.25, Regime::Long),
        // Other changes keep both.
        (
            long.clone().scaled(0.5).unwrap().linear(2.0).unwrap(),
            longrope.default_attention_factor(),
            Regime::Long,
        ),
        // A scaling multiplies the existing factor.
        (
            plain().with_attention_factor(2.0).unwrap().yarn(&yarn).unwrap(),
            2.0 * yarn.default_attention_factor(),
            Regime::Fixed,
        ),
    ] {
        assert_eq!((frequencies.attention_factor(), frequencies.regime()), (factor, regime));
        let rotary = Rotary::new(frequencies.clone(), Pairing::Halves);
        assert_eq!((rotary.attention_factor(), rotary.regime()), (factor, regime));
        let rotation = rotary.at::<f64>(0..3).unwrap();
        assert_eq!((rotation.cos_sin(0).unwrap()[0][7], rotation.regime()), (factor, regime));
        // Keys that already have the factor are moved without it.
        assert_eq!(rotary.shift::<f64>(0).unwrap().cos_sin(0).unwrap()[0][7], 1.0);
    }
    assert_ne!(long, long.clone().with_attention_factor(1.25).unwrap());
}

/// An attention factor belongs to attention: sinusoids have an amplitude of their own.
#[test]
fn sinusoids_are_not_multiplied() {
    let yarn = Yarn::new(4.0, 32768);
    let scaled = Sinusoidal::from_frequencies(plain().yarn(&yarn).unwrap());
    assert_eq!(scaled.amplitude(), 1.0);
    let row: Array2<f64> = scaled.encode(&Positions::from(0..1)).unwrap();
    assert_eq!(row[[0, 1]], 1.0);
}

#[test]
fn attention_factors_out_of_range() {
    let largest = 2_f64.powi(64);
    for factor in [largest, 1.0 / largest] {
        let rotary = Rotary::new(plain().with_attention_factor(factor).unwrap(), Pairing::Halves);
        assert_eq!(rotary.at::<f64>(0..1).unwrap().cos_sin(0).unwrap()[0][0], factor);
    }
    for factor in
        [largest.next_up(), (1.0 / largest).next_down(), 0.0, -1.0, f64::NAN, f64::INFINITY]
    {
        let error = plain().with_attention_factor(factor).unwrap_err();
        assert!(matches!(error, Error::InvalidParameter { name: "attention factor", .. }));
    }
    let huge = Yarn { mscale: 1e300, mscale_all_dim: 1.0, ..Yarn::new(4.0, 4096) };
    assert!(plain().yarn(&huge).is_err());
    let (short, long) = (vec![1.0; 64], vec![1.0; 64]);
    let of_one = LongRope { short, long, original_len: 1, factor: 2.0 };
    assert!(plain().longrope(&of_one, 1).is_err());
}

/// Returns a few frequencies by each kind of call.
fn many() -> Vec<Frequencies> {
    let llama3 =
        Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_len: 8192 };
    let dynamic = DynamicNtk { factor: 2.0, original_len: 4096 };
    [
        Frequencies::geometric(128, 5e5).and_then(|f| f.llama3(llama3)),
        Frequencies::geometric_odd(7, 1e4, OddDim::DropLast),
        Frequencies::geometric_odd(7, 1e4, OddDim::ZeroColumn).and_then(|f| f.ntk(2.0)),
        Frequencies::geometric_inclusive(16, 1e4).and_then(|f| f.scaled(-0.1)),
        Frequencies::timescales(16, 2.0..=512.0).and_then(Frequencies::full_turns),
        Frequencies::harmonic(6, 100.0),
        Frequencies::from_radians((0..1000).map(|i| 0.1 / f64::from(i + 1))),
        plain().yarn(&Yarn { truncate: false, ..Yarn::new(32.0, 4096) }),
        plain().dynamic_ntk(dynamic, 9000),
        plain().longrope(&longrope(64), 5000).and_then(|f| f.with_attention_factor(1.1)),
        plain().proportional(0.25).and_then(|f| f.linear(0.3)),
        plain().divided(&longrope(64).long),
    ]
    .map(Result::unwrap)
    .into()
}

#[test]
fn frequencies_show_themselves_in_a_line() {
    for frequencies in many() {
        let (shown, debug) = (frequencies.to_string(), format!("{frequencies:?}"));
        assert!(shown.len() < 120 && debug.len() < 240, "{debug}");
        assert!(!debug.contains('\n') && debug.contains(&shown), "{debug}");
    }
    let shown = format!("{:?}", many()[0]);
    let expected = "Frequencies { pairs: 64, made_by: geometric(128, 500000).llama3(8, 1, 4, 8192), \
        attention_factor: 1.0, regime: Fixed }";
    assert_eq!(shown, expected);
}

/// Frequencies are compared by value, however they were made.
#[test]
fn equal_frequencies() {
    assert_eq!(plain().linear(1.0).unwrap(), plain());
    assert_eq!(plain().scaled(0.5).unwrap(), plain().linear(2.0).unwrap());
    assert_ne!(plain().linear(2.0).unwrap(), plain());
}

#[cfg(feature = "serde")]
#[test]
fn what_is_saved_comes_back() {
    for frequencies in many() {
        let text = serde_json::to_string(&frequencies).unwrap();
        let back: Frequencies = serde_json::from_str(&text).unwrap();
        assert_eq!(back, frequencies, "{text}");
        assert_eq!(serde_json::to_string(&back).unwrap(), text);
    }
    for (text, found) in [
        ("[]", "dim 0"),
        (r#"[{"geometric": {"dim": 7, "base": 1e4}}]"#, "dim 7 is odd"),
        (r#"[{"geometric": {"dim": 8, "base": 1e4, "bass": 1}}]"#, "unknown field `bass`"),
        (r#"[{"geometrical": {"dim": 8, "base": 1e4}}]"#, "unknown variant `geometrical`"),
        (r#"[{"linear": {"factor": 2.0}}]"#, "linear(2) must be in order"),
        (
            r#"[{"geometric": {"dim": 8, "base": 1e4}}, {"harmonic": {"dim": 8, "period": 9.0}}]"#,
            "harmonic(8, 9) must be in order",
        ),
        (r#"[{"geometric": {"dim": 8, "base": 1e4}}, {"linear": {"factor": 0.0}}]"#, "factor is 0"),
        (
            r#"[{"geometric": {"dim": 8, "base": 1e4}}, {"yarn": {"factor": 2.0}}]"#,
            "missing field `original_len`",
        ),
        (r#"[{"geometric": {"dim": 1000000000000000, "base": 1e4}}]"#, "do not fit into memory"),
    ] {
        let error = serde_json::from_str::<Frequencies>(text).unwrap_err().to_string();
        assert!(error.contains(found), "{text}: {error}");
    }
    assert_eq!(serde_json::to_string(&Pairing::Halves).unwrap(), r#""halves""#);
    assert_eq!(serde_json::from_str::<OddDim>(r#""drop_last""#).unwrap(), OddDim::DropLast);
    let regime = serde_json::to_string(&Regime::Length(8192)).unwrap();
    assert_eq!(regime, r#"{"length":8192}"#);
}

/// YaRN divides once, not once for each pair: it was 23 times slower than `linear`.
#[test]
fn yarn_takes_little_more_than_linear() {
    let wide = Frequencies::geometric(1 << 15, 1e6).unwrap();
    let quickest = |change: &dyn Fn() -> Frequencies| {
        let time = || {
            let start = std::time::Instant::now();
            std::hint::black_box(change());
            start.elapsed()
        };
        (0..5).map(|_| time()).min().unwrap()
    };
    let linear = quickest(&|| wide.clone().linear(4.0).unwrap());
    let yarn = quickest(&|| wide.clone().yarn(&Yarn::new(4.0, 4096)).unwrap());
    println!("linear {linear:?}, yarn {yarn:?}");
    assert!(yarn < 12 * linear, "{yarn:?} after {linear:?}");
}
