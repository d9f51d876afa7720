//! This crate's side of `python.py`: medians of its times in nanoseconds, and some of the values,
//! as JSON.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ndarray::{Array2, Array3, Array4};
use peers::ours::{add_bias, alibi, embedding, rotary, rotation, sinusoid, t5, with_bias};
use peers::work::{
    BASE, DIM, LEN, PIXEL_DIM, POSITIONS, ROWS, SCORES, STEP, ids, masks, queries, scores,
};
use positional_encodings::{
    AttentionBias, Axes, FeatureLayout, Pairing, PositionalEncoding, Positions, ids::MaskCounts,
};
use serde_json::{Map, Value, json};

/// Every `STRIDE`-th value of a result longer than `SHORT` is printed, and all of a shorter one.
const STRIDE: usize = 9973;
const SHORT: usize = 10_000;

#[derive(Default)]
struct Report {
    medians: Map<String, Value>,
    values: Map<String, Value>,
}

impl Report {
    fn time(&mut self, work: &str, run: impl FnMut()) {
        self.medians.insert(work.to_string(), json!(median(run)));
    }

    fn values(&mut self, work: &str, values: &[f32]) {
        let stride = if values.len() > SHORT { STRIDE } else { 1 };
        self.values.insert(work.to_string(), values.iter().step_by(stride).copied().collect());
    }
}

/// Returns the median time of a call in half a second of samples, each long enough for the clock.
fn median(mut run: impl FnMut()) -> f64 {
    let start = Instant::now();
    run();
    run();
    let once = start.elapsed() / 2;
    let repeat = (Duration::from_micros(200).as_nanos() / once.as_nanos().max(1)).max(1) as u32;
    let mut samples = Vec::new();
    while samples.len() < 7 || start.elapsed() < Duration::from_millis(500) {
        let sample = Instant::now();
        (0..repeat).for_each(|_| run());
        samples.push(sample.elapsed().as_nanos() as f64 / f64::from(repeat));
    }
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn main() {
    peers::one_thread();
    let mut report = Report::default();
    floors(&mut report);
    table(&mut report);
    lookup(&mut report);
    rotate(&mut report);
    decode(&mut report);
    pixels(&mut report);
    for (step, shape) in ["", " step"].into_iter().zip(SCORES) {
        bias(&mut report, &format!("T5{step}"), shape, &t5(), &(0..shape[1]).into());
        let from_last: Vec<i64> = (1 - shape[1] as i64..1).collect();
        bias(&mut report, &format!("ALiBi{step}"), shape, &alibi(), &(&from_last).into());
    }
    println!("{}", json!({ "medians": report.medians, "values": report.values }));
}

/// 32 MiB filled and copied.
fn floors(report: &mut Report) {
    let source = vec![0.5_f32; ROWS * DIM];
    let mut out = source.clone();
    report.time("fill, in place", || black_box(&mut out).fill(black_box(0.5)));
    report.time("copy, in place", || out.copy_from_slice(black_box(&source)));
    report.time("fill, allocated", || drop(black_box(vec![black_box(0.5_f32); source.len()])));
    report.time("copy, allocated", || drop(black_box(black_box(&source).to_vec())));
}

fn table(report: &mut Report) {
    let (encoding, positions) =
        (sinusoid(DIM, FeatureLayout::Interleaved), Positions::from(0..ROWS));
    let mut out = Array2::<f32>::zeros((ROWS, DIM));
    report.time("table, in place", || encoding.encode_into(&positions, out.view_mut()).unwrap());
    report.values("table", out.as_slice().unwrap());
    report.time("table, allocated", || {
        drop(black_box::<Array2<f32>>(encoding.encode(&positions).unwrap()))
    });
}

/// Word row × 32 + position for ids (8, 1024).
fn lookup(report: &mut Report) {
    let (embedding, ids) = (embedding(), ids());
    let mut out = Array3::<f32>::zeros((ids.nrows(), LEN, DIM));
    report.time("lookup, in place", || embedding.lookup(&ids).embed_into(out.view_mut()).unwrap());
    report.values("lookup", out.as_slice().unwrap());
    report.time("lookup, allocated", || drop(black_box(embedding.embed(&ids).unwrap())));
}

/// Queries and keys (1, 32, 2048, 128).
fn rotate(report: &mut Report) {
    let rotation = rotation(Pairing::Halves, 0..POSITIONS);
    let rotated = |q: &Array4<f32>| rotation.applied(q.view()).unwrap();
    let (mut q, mut k) = (queries(POSITIONS), queries(POSITIONS));
    report.values("rotary", rotated(&q).as_slice().unwrap());
    report.time("rotary, allocated", || drop(black_box((rotated(&q), rotated(&k)))));
    report.time("rotary, in place", || {
        rotation.apply(q.view_mut()).unwrap();
        rotation.apply(k.view_mut()).unwrap();
    });
}

/// A decode step: the cosines and sines of one position, and the rotation.
fn decode(report: &mut Report) {
    let rotary = rotary(Pairing::Halves);
    let mut rotation = rotary.at::<f32>(STEP..STEP + 1).unwrap();
    report.time("angles, in place", || {
        rotary.at_into(black_box(STEP)..STEP + 1, &mut rotation).unwrap()
    });
    report.values("angles", rotation.cos_sin(0).unwrap()[0]);
    let (mut q, mut k) = (queries(1), queries(1));
    report.time("decode, in place", || {
        rotation.apply(black_box(&mut q).view_mut()).unwrap();
        rotation.apply(black_box(&mut k).view_mut()).unwrap();
    });
    let mut q = queries(1);
    rotation.apply(q.view_mut()).unwrap();
    report.values("decode", q.as_slice().unwrap());
}

/// A bias added to scores (1, 32, queries, keys), with the queries at the last positions.
fn bias(
    report: &mut Report,
    name: &str,
    shape: [usize; 2],
    bias: &dyn AttentionBias<f32>,
    positions: &Positions<'_>,
) {
    let mut scores = scores(shape);
    let added = || with_bias(&scores, bias, positions);
    report.values(name, added().as_slice().unwrap());
    report.time(&format!("{name}, allocated"), || drop(black_box(added())));
    report.time(&format!("{name}, in place"), || add_bias(black_box(&mut scores), bias, positions));
}

/// DETR's encoding of the pixels of padded images, from their masks.
fn pixels(report: &mut Report) {
    let (masks, detr) = (masks(), Axes::detr(PIXEL_DIM, BASE).unwrap());
    let counted = || Positions::from_masks(&masks, MaskCounts::NORMALIZED).unwrap();
    let mut out = Array2::<f32>::zeros((masks.len(), PIXEL_DIM));
    report.time("masks, in place", || detr.encode_into(&counted(), out.view_mut()).unwrap());
    report.values("masks", out.as_slice().unwrap());
    report.time("masks, allocated", || drop(black_box(detr.encode_batch(&counted()).unwrap())));
}
