#!/usr/bin/env bash
# Measures everything, and writes docs/speed.md and the table of the README; with FULL=1 also docs/sweep.md, which takes many
# minutes. Arguments go to criterion: a part of a name measures only what has it.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo bench --all-features --benches -- "$@"
cargo run --release --example ratios
