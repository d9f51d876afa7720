//! The example `inspect`, run from its command line.
//!
//! `cargo test --all-features` builds it beside the tests; where it is missing, the test says so on
//! standard error.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Runs the example; returns `None` where it was not built.
fn inspect(arguments: &[&str]) -> Option<Output> {
    let this = std::env::current_exe().unwrap();
    let folder = this.parent().and_then(Path::parent).unwrap().join("examples");
    let program = folder.join(format!("inspect{}", std::env::consts::EXE_SUFFIX));
    if !program.is_file() {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED, the example `inspect` is not run: `cargo test --all-features` builds it"
        );
        return None;
    }
    Some(Command::new(program).args(arguments).output().unwrap())
}

fn text(arguments: &[&str]) -> Option<String> {
    let output = inspect(arguments)?;
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

fn json(arguments: &[&str]) -> Option<Value> {
    let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
    Some(serde_json::from_str(&text(&arguments)?).unwrap())
}

/// Returns the value of a figure.
fn figure<'v>(report: &'v Value, what: &str) -> &'v Value {
    let figures = report["figures"].as_array().unwrap();
    let row = figures.iter().find(|row| row["what"] == what);
    &row.unwrap_or_else(|| panic!("no {what} in {report}"))["value"]
}

fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("positional-encodings-inspect-{}-{name}", std::process::id()))
}

#[test]
fn a_sinusoid_by_name() {
    let arguments = ["sinusoidal", "--dim", "64", "--len", "256"];
    let Some(report) = json(&arguments) else { return };
    let formula = &report["formula"][0];
    let name = "the Transformer paper's, sines and cosines interleaved";
    assert_eq!(
        (&formula["nearest sinusoid"], &formula["largest difference"]),
        (&name.into(), &0.0.into())
    );
    assert_eq!(figure(&report, "dim"), 64);
    assert_eq!(figure(&report, "similarity first rises at"), 6);
    assert_eq!(figure(&report, "one vector with others in f16"), 0);
    assert!((figure(&report, "mean norm").as_f64().unwrap() - 32_f64.sqrt()).abs() < 1e-9);
    let at = &report["similarity by distance"][1];
    assert!(at["distance"] == 1 && at["cosine"].as_f64().unwrap() > 0.96);
    // The same numbers as text, in columns.
    let text = text(&arguments).unwrap();
    let line = text.lines().find(|line| line.contains("similarity first rises at")).unwrap();
    assert!(line.contains('6') && line.ends_with("positions apart"), "{line}");
}

#[test]
fn a_scaled_rotation_and_its_picture() {
    let picture = scratch("yarn.svg");
    let file = picture.to_str().unwrap();
    let yarn =
        ["rotary", "--scaling", "yarn", "--factor", "4", "--trained", "32768", "--base", "1e6"];
    let Some(report) = json(&[&yarn[..], &["--plot", file]].concat()) else { return };
    let pairs = report["pairs, in positions"].as_array().unwrap();
    assert_eq!(pairs.len(), 64);
    let ratio = |pair: usize| pairs[pair]["frequency ratio"].as_f64().unwrap();
    assert_eq!((ratio(23), ratio(40)), (1.0, 0.25));
    assert_eq!(figure(&report, "attention factor").as_f64().unwrap(), 1.138629436111989);
    let drawn = std::fs::read_to_string(&picture).unwrap();
    assert!(drawn.starts_with("<svg") || drawn.starts_with("<?xml"));
    assert!(drawn.contains("rotary, dim 128, base 1000000"));
    std::fs::remove_file(picture).unwrap();
}

#[test]
fn a_bias_a_config_and_a_checkpoint() {
    let Some(alibi) = json(&["alibi", "--heads", "8", "--len", "200"]) else { return };
    let windows = alibi["window: below 1 % of the largest weight from here on"].as_array().unwrap();
    assert_eq!((&windows[0]["behind"], &windows[5]["behind"]), (&Value::from(10), &Value::Null));

    let config = scratch("config.json");
    let llama = r#"{"model_type": "llama", "head_dim": 128, "rope_theta": 500000.0,
        "max_position_embeddings": 131072, "rope_scaling": {"rope_type": "llama3", "factor": 8.0,
        "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192}}"#;
    std::fs::write(&config, llama).unwrap();
    let report = json(&[config.to_str().unwrap()]).unwrap();
    let pairs = report["pairs of layers all, in positions"].as_array().unwrap();
    assert_eq!(pairs[28]["frequency ratio"], 1.0);
    assert!((pairs[30]["frequency ratio"].as_f64().unwrap() - 0.6437431331).abs() < 1e-9);
    // Trained on 8192 positions.
    assert!((pairs[0]["turns"].as_f64().unwrap() - 8192.0 / std::f64::consts::TAU).abs() < 1e-9);
    std::fs::remove_file(config).unwrap();

    let excerpt =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/minilm_excerpt.safetensors");
    let [positions, words] =
        ["position", "word"].map(|name| format!("embeddings.{name}_embeddings.weight"));
    let report = json(&[excerpt, "--key", &positions, "--words", &words]).unwrap();
    assert_eq!(figure(&report, "95 % of the variance"), 10);
    assert!((figure(&report, "largest norm").as_f64().unwrap() - 2.3618103).abs() < 1e-6);
    assert!(figure(&report, "positions beside words").as_f64().unwrap() < 0.5);
    // Without a key, the error lists the tensors.
    let output = inspect(&[excerpt]).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains(&positions));
}

#[test]
fn what_is_not_known_is_listed() {
    for (arguments, code, said) in [
        (&["sinus"][..], 1, "sinusoidal, marian, whisper, musicgen, rotary, alibi"),
        (&["rotary", "--scaling", "yearn"], 1, "linear, ntk, yarn, llama3"),
        (&["sinusoidal", "--dims", "8"], 2, "--dims"),
        (&["sinusoidal", "--dim", "many"], 2, "many"),
        (&[], 2, "what is to be inspected?"),
        (&["sinusoidal", "--dim", "0"], 1, "dim 0"),
        (&["sinusoidal", "--len", "0"], 1, "0 rows"),
        (&["rotary", "--len", "0"], 1, "length is 0"),
        (&["alibi", "--len", "0"], 1, "0 rows"),
        (&["alibi", "--heads", "0"], 1, "heads"),
        (&["nowhere.json"], 1, "nowhere.json"),
        (&["nowhere.safetensors", "--key", "x"], 1, "nowhere.safetensors"),
        (&["sinusoidal", "--plot", "picture.gif"], 1, "gif"),
    ] {
        let Some(output) = inspect(arguments) else { return };
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(said), "{arguments:?}: {error}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    let help = inspect(&["--help"]).unwrap();
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("SUBJECT"));
}
