//! What must come out of a short run, whatever else does.

use std::sync::atomic::AtomicBool;

use train::compare::compare;
use train::options::Options;

/// Without positions the order of words cannot be seen; with sinusoidal or learned ones it can.
#[test]
#[cfg_attr(debug_assertions, ignore = "candle is slow without optimisation: --release")]
fn order_needs_positions() -> train::Result<()> {
    let out = std::env::temp_dir().join(format!("train-facts-{}", std::process::id()));
    let arguments = ["classification", "--quick", "--out", &out.to_string_lossy()];
    let options = Options::read(arguments.map(String::from))?.ok_or("no options")?;
    let report = compare(&options, &AtomicBool::new(false))?.ok_or("it was stopped")?;
    std::fs::remove_dir_all(&out)?;
    eprintln!("{}", report.table());
    let accuracy = |variant| {
        report.summary(variant, "accuracy, shuffled").map_or(f64::NAN, |summary| summary.mean)
    };
    assert!((accuracy("none") - 0.5).abs() <= 0.03, "none: {}", accuracy("none"));
    assert!(accuracy("sinusoidal") > 0.9, "sinusoidal: {}", accuracy("sinusoidal"));
    assert!(accuracy("learned") > 0.9, "learned: {}", accuracy("learned"));
    Ok(())
}
