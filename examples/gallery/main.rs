//! Every method of the crate as pictures, and one interactive page.
//!
//! `cargo run --release --example gallery --features plot` writes `target/gallery/`: a picture for
//! each figure as SVG, its numbers as JSON, and `index.html`, which needs no other file and no
//! network. `--out FOLDER` writes elsewhere, `--docs` also writes the pictures of the
//! documentation.
//!
//! The interactive figures are computed by this crate, compiled to WebAssembly. Without that target
//! (`rustup target add wasm32-unknown-unknown`) the page has static pictures.

mod docs;
mod draw;
mod methods;
mod page;

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use methods::{answer, answer_json};

fn main() -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let (mut out, mut with_docs) = (target_folder()?.join("gallery"), false);
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--out" => out = arguments.next().ok_or("--out needs a folder")?.into(),
            "--docs" => with_docs = true,
            other => return Err(format!("{other}: only --out FOLDER and --docs are known").into()),
        }
    }
    fs::create_dir_all(&out)?;
    if with_docs {
        docs::write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs"))?;
    }
    let wasm = compiled_methods()?;
    let stills = pictures(&out)?;
    let html = page::write(&stills, wasm.as_deref());
    let index = out.join("index.html");
    fs::write(&index, &html)?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{}: {} kB, in {seconds:.0} s", index.display(), html.len() / 1000);
    Ok(())
}

/// The folder of the build: this program is `target/release/examples/gallery`.
fn target_folder() -> Result<PathBuf, Box<dyn Error>> {
    let program = env::current_exe()?;
    Ok(program.ancestors().nth(3).ok_or("this program is in no target folder")?.to_path_buf())
}

/// Compiles the methods for the page, or says why the page is static.
fn compiled_methods() -> Result<Option<Vec<u8>>, Box<dyn Error>> {
    const TARGET: &str = "wasm32-unknown-unknown";
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let known = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let folder = known.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_string());
    if !folder.is_ok_and(|folder| Path::new(&folder).is_dir()) {
        println!("The target {TARGET} is missing, so the page has no knobs that turn.");
        println!("`rustup target add {TARGET}` adds it.");
        return Ok(None);
    }
    println!("compiling the methods for the page ({TARGET}), once …");
    let target = target_folder()?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--profile", "page", "--package", "gallery-page", "--lib"])
        .args(["--target", TARGET, "--target-dir"])
        .arg(&target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()?;
    if !status.success() {
        return Err("the methods do not compile for the page".into());
    }
    Ok(Some(fs::read(target.join(TARGET).join("page/gallery_page.wasm"))?))
}

/// Draws all figures of all methods with their first values, and returns for each method one PNG
/// for the page.
fn pictures(out: &Path) -> Result<Vec<page::Still>, Box<dyn Error>> {
    let count = methods::methods().count();
    let mut stills = Vec::new();
    for (i, method) in methods::methods().enumerate() {
        let answer = answer(method.id)?;
        for (number, figure) in answer.figures.iter().enumerate() {
            let picture = draw::picture(method, figure)?;
            picture.save(out.join(format!("{}-{}.svg", method.id, number + 1)))?;
        }
        fs::write(out.join(format!("{}.json", method.id)), answer_json(method.id))?;
        let first = draw::picture(method, &answer.figures[0])?;
        stills.push((method.id, first.with_size(400, 260).to_png()?));
        println!("[{:2}/{count}] {}", i + 1, method.name.en);
    }
    Ok(stills)
}
