//! Trains a small model with each encoding, and compares them.
//!
//! ```text
//! cargo run --release -p train -- classification --quick
//! cargo run --release -p train -- --help
//! ```

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use train::Result;
use train::compare::compare;
use train::options::{HELP, Options};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let Some(options) = Options::read(std::env::args().skip(1))? else {
        println!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    };
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    ctrlc::set_handler(move || asked.store(true, Ordering::Relaxed))?;
    match compare(&options, &stop)? {
        Some(report) => {
            println!("{}", report.table());
            println!("{}", report.samples());
            println!("plots, results.json and table.md are in {}", options.out.display());
            Ok(ExitCode::SUCCESS)
        }
        None => {
            eprintln!("stopped: the same command goes on from here");
            Ok(ExitCode::from(130))
        }
    }
}
