//! Queries (1, 32, 2048, 128), and those of a decode step, rotated: this crate on candle's tensors,
//! candle-nn, and this crate on ndarray. All angles are precomputed.
//!
//! ```text
//! RAYON_NUM_THREADS=1 cargo bench -p positional-encodings-candle
//! ```
//!
//! The last lines are ratios for the large tensors, medians of rounds in which all take turns,
//! since a shared machine changes its speed from one second to the next.

use std::hint::black_box;
use std::time::Instant;

use candle_core::{DType, Device, Tensor};
use candle_nn::rotary_emb::{rope, rope_i};
use criterion::Criterion;
use ndarray::Array4;
use positional_encodings::{Frequencies, Pairing, Rotary};
use positional_encodings_candle::Rope;

const PROMPT: usize = 2048;
const ROUNDS: usize = 41;

type Run = Box<dyn FnMut()>;

/// The ways to rotate (1, 32, len, 128), by name. One tensor is rotated repeatedly, which changes
/// neither its norm nor the time.
fn ways(len: usize, dtype: DType, pairing: Pairing) -> Vec<(&'static str, Run)> {
    let shape = (1, 32, len, 128);
    let q = Tensor::ones(shape, dtype, &Device::Cpu).unwrap();
    let rotary = Rotary::new(Frequencies::geometric(shape.3, 500_000.0).unwrap(), pairing);
    let positions = PROMPT - len..PROMPT;
    let plan = || Rope::new(rotary.clone()).at(positions.clone()).unwrap();
    let (in_place, copy) = (plan(), plan());
    let fused = if pairing == Pairing::Halves { rope } else { rope_i };
    let tables = in_place.only().tables(&Device::Cpu).unwrap().unwrap();
    let (cos, sin) = (tables.0.to_dtype(dtype).unwrap(), tables.1.to_dtype(dtype).unwrap());
    let (a, b, c) = (q.copy().unwrap(), q.copy().unwrap(), q);
    let mut ways: Vec<(&str, Run)> = vec![
        ("in place", Box::new(move || in_place.only().rope_inplace(&a).unwrap())),
        ("candle-nn", Box::new(move || drop(black_box(fused(&b, &cos, &sin).unwrap())))),
        ("copy", Box::new(move || drop(black_box(copy.only().rope(&c).unwrap())))),
    ];
    if dtype == DType::F32 {
        let mut q = Array4::<f32>::ones(shape);
        let rotation = rotary.at(positions).unwrap();
        let apply = move || rotation.apply(q.view_mut()).unwrap();
        ways.push(("ndarray, in place", Box::new(apply)));
    }
    ways
}

fn group(c: &mut Criterion, name: &str, ways: Vec<(&'static str, Run)>) {
    let mut group = c.benchmark_group(name);
    for (name, mut run) in ways {
        group.bench_function(name, |b| b.iter(&mut run));
    }
    group.finish();
}

/// Prints the times of all ways as multiples of the first.
fn ratios(name: &str, mut ways: Vec<(&'static str, Run)>, rounds: usize) {
    let mut times = vec![Vec::new(); ways.len()];
    for _ in 0..rounds {
        for ((_, run), times) in ways.iter_mut().zip(&mut times) {
            let start = Instant::now();
            run();
            times.push(start.elapsed().as_secs_f64());
        }
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let medians: Vec<f64> = times.iter_mut().map(median).collect();
    println!("{name}: in place {:.2} ms", 1e3 * medians[0]);
    for ((way, _), time) in ways.iter().zip(&medians).skip(1) {
        println!("  {way:20}{:6.2} x as long", time / medians[0]);
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    // `cargo test` runs each bench once.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { ROUNDS } else { 1 };
    let pairings = [("halves", Pairing::Halves), ("neighbours", Pairing::Interleaved)];
    let dtypes = [("f32", DType::F32), ("bf16", DType::BF16)];
    let all = || pairings.into_iter().flat_map(|pairing| dtypes.map(|dtype| (pairing, dtype)));
    for ((pairing, by), (dtype, elements)) in all() {
        group(&mut criterion, &format!("{pairing}, {dtype}"), ways(PROMPT, elements, by));
        group(&mut criterion, &format!("{pairing}, {dtype}, decode"), ways(1, elements, by));
    }
    criterion.final_summary();
    for ((pairing, by), (dtype, elements)) in all() {
        ratios(&format!("{pairing}, {dtype}"), ways(PROMPT, elements, by), rounds);
    }
}
