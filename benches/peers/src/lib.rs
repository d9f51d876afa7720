//! The same work by this crate, by other crates and by loops written by hand; [`check`] tells whether it is the same.

#![forbid(unsafe_code)]

use std::process::{Command, exit};

pub mod burn;
pub mod candle;
pub mod check;
pub mod loops;
pub mod ours;
pub mod work;

/// Sees to it that every crate here works on one thread. They read that from the environment before anything runs, so a program
/// that was started without it starts itself once more.
pub fn one_thread() {
    const SETTINGS: [&str; 2] = ["RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"];
    if SETTINGS.iter().all(|name| std::env::var_os(name).is_some_and(|value| value == "1")) {
        return;
    }
    let this = std::env::current_exe().expect("a program knows where it is");
    let again = Command::new(this).args(std::env::args_os().skip(1)).envs(SETTINGS.map(|name| (name, "1"))).status();
    exit(again.expect("a program can start itself").code().unwrap_or(1));
}
