//! The same tasks by this crate, by other crates and by loops written by hand; [`check`] compares
//! their results.

#![forbid(unsafe_code)]

use std::process::{Command, exit};

pub mod burn;
pub mod candle;
pub mod check;
pub mod loops;
pub mod ours;
pub mod work;

/// All contenders read the number of threads from these variables when they start.
const ONE_THREAD: [(&str, &str); 2] = [("RAYON_NUM_THREADS", "1"), ("CANDLE_NUM_THREADS", "1")];

/// The memory of outputs. New memory costs a page fault for every 4 KiB, a multiple of most work
/// here, and whether the C library uses new memory depends on what ran before. So it is set (for
/// glibc; other libraries have no such setting), and calls that allocate are compared with calls
/// that allocate.
#[derive(Clone, Copy, PartialEq)]
pub enum Memory {
    /// Every array over 1 MiB is new memory of the system.
    New,
    /// Freed memory is reused.
    Kept,
    /// Outputs too small for a difference: the C library reuses their memory in any case.
    Little,
    /// Work in place, without a new output.
    InPlace,
}

impl Memory {
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new memory",
            Self::Kept => "kept memory",
            Self::Little => "allocated",
            Self::InPlace => "in place",
        }
    }

    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Kept => &[
                ("MALLOC_MMAP_THRESHOLD_", "4294967296"),
                ("MALLOC_TRIM_THRESHOLD_", "17179869184"),
            ],
            Self::New => &[("MALLOC_MMAP_THRESHOLD_", "1048576")],
            Self::Little | Self::InPlace => &[],
        }
    }
}

/// Runs a program once for each kind of memory, on one thread. A program cannot change these
/// settings while it runs, so it restarts itself with them.
pub fn with_memories(run: impl Fn(Memory)) {
    const NAME: &str = "PEERS_MEMORY";
    let memories = [Memory::New, Memory::Kept];
    if let Ok(name) = std::env::var(NAME) {
        return memories.into_iter().filter(|memory| memory.name() == name).for_each(run);
    }
    for memory in memories {
        again(&[&ONE_THREAD, memory.settings(), &[(NAME, memory.name())]].concat());
    }
}

/// Makes the program run on one thread.
pub fn one_thread() {
    if ONE_THREAD
        .iter()
        .any(|(name, value)| std::env::var_os(name).is_none_or(|found| found != *value))
    {
        again(&ONE_THREAD);
        exit(0);
    }
}

/// Restarts this program with other settings, and ends if it fails.
fn again(settings: &[(&str, &str)]) {
    let this = std::env::current_exe().expect("a program knows where it is");
    let status = Command::new(this)
        .args(std::env::args_os().skip(1))
        .envs(settings.iter().copied())
        .status();
    let status = status.expect("a program can start itself");
    if !status.success() {
        exit(status.code().unwrap_or(1));
    }
}
