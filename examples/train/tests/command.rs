//! The program from its command line: its messages for bad input, and its files after Ctrl-C.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder of a test, which is removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("train-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn train(arguments: &[&str], out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_train"));
    command.args(arguments).arg("--out").arg(out).stdin(Stdio::null());
    command
}

fn fails(arguments: &[&str], out: &Path) -> String {
    let Output { status, stderr, .. } = train(arguments, out).output().expect("it runs");
    assert_eq!(status.code(), Some(1), "{arguments:?}");
    String::from_utf8(stderr).expect("text")
}

#[test]
fn unknown_names_are_answered_with_a_list() {
    let folder = Folder::new("unknown");
    let said = fails(&["translate"], &folder.0);
    assert!(said.contains("classification, translation, dates, generation"), "{said}");
    let said = fails(&["dates", "--encodings", "none,rope"], &folder.0);
    assert!(said.contains("\"rope\"") && said.contains("rotary, alibi, t5"), "{said}");
    let said = fails(&["dates", "--epochs", "3"], &folder.0);
    assert!(said.contains("--epochs"), "{said}");
    let said = fails(&["dates", "--seeds", "0"], &folder.0);
    assert!(said.contains("--seeds") && said.contains('0'), "{said}");
}

#[test]
fn what_cannot_be_trained_is_said_before_training() {
    let folder = Folder::new("before");
    let odd = ["dates", "--encodings", "none,rotary", "--width", "20"];
    let said = fails(&odd, &folder.0);
    assert!(said.contains("rotary") && said.contains('5') && said.contains("odd"), "{said}");
    let said = fails(&["dates", "--width", "30"], &folder.0);
    assert!(said.contains("30") && said.contains("4 heads"), "{said}");
    let said = fails(&["classification", "--encodings", "lstm/alibi", "--quick"], &folder.0);
    assert!(said.contains("alibi") && said.contains("LSTM"), "{said}");
    let left = std::fs::read_dir(&folder.0).expect("the folder").count();
    assert_eq!(left, 0, "nothing was trained");
}

#[test]
fn missing_data_are_an_error() {
    let folder = Folder::new("data");
    let missing = folder.0.join("no.txt");
    let said = fails(&["generation", "--text", &missing.to_string_lossy()], &folder.0);
    assert!(said.starts_with("no data") && said.contains("no.txt"), "{said}");
    let empty = folder.0.to_string_lossy().into_owned();
    let said = fails(&["translation", "--catalogues", &empty], &folder.0);
    assert!(said.starts_with("no data") && said.contains("0 files"), "{said}");
}

#[test]
fn a_full_disk_is_an_error_with_its_name() {
    let full = Path::new("/dev/full");
    if full.exists() {
        let said = train::run::check_room(full, 3_000_000).expect_err("it is full").to_string();
        assert!(said.contains("/dev/full") && said.contains("3 MB"), "{said}");
        assert!(full.exists());
    }
    let folder = Folder::new("file");
    let file = folder.0.join("file");
    std::fs::write(&file, "a file, not a folder").expect("it is written");
    let said = fails(&["dates", "--quick"], &file);
    assert!(said.contains(&*file.to_string_lossy()), "{said}");
}

/// A small run that takes some seconds.
const SMALL: [&str; 15] = [
    "dates",
    "--encodings",
    "learned",
    "--seeds",
    "1",
    "--steps",
    "1500",
    "--width",
    "8",
    "--heads",
    "1",
    "--layers",
    "1",
    "--jobs",
    "1",
];

fn losses(out: &Path) -> serde_json::Value {
    let text = std::fs::read(out.join("results.json")).expect("results");
    let report: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
    report["outcomes"][0]["losses"].clone()
}

#[cfg(unix)]
#[test]
#[cfg_attr(debug_assertions, ignore = "candle is slow without optimisation: --release")]
fn an_interrupted_run_goes_on_as_if_nothing_had_been() {
    let (whole, parts) = (Folder::new("whole"), Folder::new("parts"));
    let mut child = train(&SMALL, &parts.0).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut said = BufReader::new(child.stderr.take().expect("piped"));
    let mut line = String::new();
    said.read_line(&mut line).expect("its first line");
    assert!(line.starts_with("dates: "), "{line}");
    std::thread::sleep(std::time::Duration::from_millis(800));
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill runs").success());
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(parts.0.join("learned-0.safetensors").is_file(), "there is a checkpoint");
    assert!(!parts.0.join("results.json").exists(), "it was stopped before the end");

    let again = train(&SMALL, &parts.0).output().expect("it runs");
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
    assert!(!parts.0.join("learned-0.safetensors").exists(), "the checkpoint was used");
    let once = train(&SMALL, &whole.0).output().expect("it runs");
    assert!(once.status.success());
    assert_eq!(losses(&parts.0), losses(&whole.0));
    for plot in ["loss.svg", "length.svg", "position.svg"] {
        let svg = std::fs::read_to_string(whole.0.join(plot)).expect("a plot");
        assert!(svg.contains("<svg") && svg.contains("learned"), "{plot}");
    }
}
