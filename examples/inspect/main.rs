//! Shows what an encoding can and cannot tell apart: an encoding by name, that of a model's
//! `config.json`, or a table of a checkpoint.
//!
//! ```text
//! cargo run --release --all-features --example inspect -- sinusoidal --dim 512 --len 1000
//! cargo run --release --all-features --example inspect -- rotary --scaling yarn --factor 4
//! cargo run --release --all-features --example inspect -- model.safetensors --key wpe.weight
//! ```

mod arguments;
mod bias;
mod report;
mod rotary;
mod subject;
mod table;

use std::io::Write;
use std::process::ExitCode;

use arguments::{Arguments, USAGE};

/// Any error, shown by its message.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments = match Arguments::parse() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let (report, picture) = subject::inspect(arguments)?;
    if let Some(path) = &arguments.plot {
        picture.ok_or("there is no picture of this")?.save(path)?;
    }
    let text = if arguments.json { format!("{:#}\n", report.to_json()) } else { report.to_text() };
    // A reader such as `head` may close the pipe.
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
