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

/// The environment that candle and the C library read when a program starts.
///
/// On small tensors, candle's threads wait for each other longer than they work, so each training
/// uses one thread; and glibc returns memory of this size to the system after each use, which takes
/// a quarter of the time.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("CANDLE_NUM_THREADS", "1"),
    ("RAYON_NUM_THREADS", "1"),
    ("MALLOC_MMAP_THRESHOLD_", "1000000000"),
    ("MALLOC_TRIM_THRESHOLD_", "1000000000"),
];

/// Restarts this program in that environment, unless it is already set.
fn started_anew() -> Result<Option<ExitCode>> {
    let missing = ENVIRONMENT.iter().filter(|(name, _)| std::env::var_os(name).is_none());
    let missing: Vec<&(&str, &str)> = missing.collect();
    if missing.is_empty() {
        return Ok(None);
    }
    let mut anew = std::process::Command::new(std::env::current_exe()?);
    anew.args(std::env::args_os().skip(1));
    anew.envs(missing.into_iter().copied());
    #[cfg(unix)]
    return Err(std::os::unix::process::CommandExt::exec(&mut anew).into());
    #[cfg(not(unix))]
    return Ok(Some(ExitCode::from(u8::try_from(anew.status()?.code().unwrap_or(1)).unwrap_or(1))));
}

fn run() -> Result<ExitCode> {
    if let Some(code) = started_anew()? {
        return Ok(code);
    }
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
