//! Facts that any short run must show.

use std::process::Command;

use train::report::Report;

/// Without positions the order of words cannot be seen; with sinusoidal or learned ones it can.
#[test]
#[cfg_attr(debug_assertions, ignore = "candle is slow without optimisation: --release")]
fn order_needs_positions() -> train::Result<()> {
    let out = std::env::temp_dir().join(format!("train-facts-{}", std::process::id()));
    let run = Command::new(env!("CARGO_BIN_EXE_train"))
        .args(["classification", "--quick", "--out"])
        .arg(&out)
        .status()?;
    assert!(run.success());
    let report: Report = serde_json::from_slice(&std::fs::read(out.join("results.json"))?)?;
    std::fs::remove_dir_all(&out)?;
    let accuracy = |variant| {
        report.summary(variant, "accuracy, shuffled").map_or(f64::NAN, |summary| summary.mean)
    };
    assert!((accuracy("none") - 0.5).abs() <= 0.03, "none: {}", accuracy("none"));
    assert!(accuracy("sinusoidal") > 0.9, "sinusoidal: {}", accuracy("sinusoidal"));
    assert!(accuracy("learned") > 0.9, "learned: {}", accuracy("learned"));
    Ok(())
}
