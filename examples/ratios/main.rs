//! Makes the tables of docs/speed.md and of the README from what `cargo bench` measured.
//!
//! ```text
//! cargo bench --features half,rayon               # under two minutes for `--bench speed`
//! cargo run --release --example ratios            # writes the tables, and prints the short one and the targets
//! cargo run --release --example ratios -- --print # only prints
//! ```
//!
//! With `FULL=1` for the bench there is a sweep, which goes to docs/sweep.md.

mod machine;
mod page;
mod results;
mod targets;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use results::Results;

const START: &str =
    "<!-- from here to the end mark written by `cargo run --release --example ratios` -->\n";
const END: &str = "<!-- end -->";

fn main() -> ExitCode {
    let print_only = match std::env::args().skip(1).collect::<Vec<_>>()[..] {
        [] => false,
        [ref argument] if argument == "--print" => true,
        _ => {
            eprintln!("usage: ratios [--print]");
            return ExitCode::from(2);
        }
    };
    let folder = criterion_folder();
    let results = Results::read(&folder);
    if results.groups.is_empty() {
        eprintln!(
            "nothing measured under {}: run `cargo bench --bench speed` first",
            folder.display()
        );
        return ExitCode::FAILURE;
    }
    if results.left_out > 0 {
        eprintln!("{} results of older runs left out", results.left_out);
    }
    println!("{}\n{}", page::short(&results), page::targets(&results));
    if print_only {
        return ExitCode::SUCCESS;
    }
    match write(&results) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Where criterion keeps its results: as it finds it out itself.
fn criterion_folder() -> PathBuf {
    if let Some(home) = std::env::var_os("CRITERION_HOME") {
        return home.into();
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).or_else(|| {
        // This program is target/release/examples/ratios.
        Some(std::env::current_exe().ok()?.ancestors().nth(3)?.to_path_buf())
    });
    target.unwrap_or("target".into()).join("criterion")
}

fn write(results: &Results) -> Result<(), String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let save = |name: &str, text: &str| {
        println!("wrote {name}");
        std::fs::write(root.join(name), text).map_err(|error| format!("{name}: {error}"))
    };
    save("docs/speed.md", &page::long(results))?;
    if let Some(sweep) = page::sweep(results) {
        save("docs/sweep.md", &sweep)?;
    }
    let readme = std::fs::read_to_string(root.join("README.md"))
        .map_err(|error| format!("README.md: {error}"))?;
    save("README.md", &quoted(&readme, &page::short(results))?)
}

/// The README with another text between its marks.
fn quoted(readme: &str, text: &str) -> Result<String, String> {
    let parts =
        readme.split_once(START).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) =
        parts.ok_or_else(|| format!("README.md has no marks {} … {END}", START.trim_end()))?;
    Ok(format!("{before}{START}{text}{END}{after}"))
}
