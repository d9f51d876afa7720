//! Rotations of queries (batch, heads, positions, dim), beside `x *= c` on the same memory.

use std::hint::black_box;

use benches::{Group, fill, run};
use criterion::Criterion;
use ndarray::Array4;
use positional_encodings::{Element, Frequencies, Pairing, Rotary};

const PAIRINGS: [(&str, Pairing); 2] =
    [("halves", Pairing::Halves), ("interleaved", Pairing::Interleaved)];

fn main() {
    run(&[long, into_another, decode_step, plan]);
}

fn rotary(pairing: Pairing) -> Rotary {
    Rotary::new(Frequencies::geometric(128, 500_000.0).unwrap(), pairing)
}

fn long(criterion: &mut Criterion) {
    of_type::<f32>(criterion, "f32");
    of_type::<f64>(criterion, "f64");
    of_type::<half::bf16>(criterion, "bf16");
}

fn of_type<A: Element>(criterion: &mut Criterion, element: &str) {
    let (name, q) = (
        format!("rotation of (1, 32, 2048, 128), {element}"),
        Array4::<A>::ones((1, 32, 2048, 128)),
    );
    let bytes = q.len() * size_of::<A>();
    let mut group = Group::new(criterion, &name, bytes, q, ("sweep", sweep));
    for (name, pairing) in PAIRINGS {
        let rotation = rotary(pairing).at::<A::Angle>(0..2048).unwrap();
        group.row(name, |q| rotation.apply(q.view_mut()).unwrap());
    }
}

/// Reads, multiplies and writes every value.
fn sweep<A: Element>(q: &mut Array4<A>) {
    let factor = black_box(A::from_f64(1.0));
    q.as_slice_mut().unwrap().iter_mut().for_each(|value| *value = *value * factor);
}

fn into_another(criterion: &mut Criterion) {
    let q = Array4::<f32>::ones((1, 32, 2048, 128));
    let (name, out) = ("rotation into another (1, 32, 2048, 128), f32", q.clone());
    let floor = |out: &mut Array4<f32>| {
        out.as_slice_mut().unwrap().copy_from_slice(black_box(&q).as_slice().unwrap());
    };
    let mut group = Group::new(criterion, name, 4 * q.len(), out, ("copy", floor));
    for (name, pairing) in PAIRINGS {
        let rotation = rotary(pairing).at::<f32>(0..2048).unwrap();
        group.row(name, |out| rotation.apply_into(q.view(), out.view_mut()).unwrap());
    }
}

fn decode_step(criterion: &mut Criterion) {
    let (name, q) =
        ("rotation of a decode step (1, 32, 1, 128), f32", Array4::<f32>::ones((1, 32, 1, 128)));
    let mut group = Group::new(criterion, name, 4 * q.len(), q, ("sweep", sweep));
    for (name, pairing) in PAIRINGS {
        let (rotary, mut position) = (rotary(pairing), 4095);
        let mut rotation = rotary.at::<f32>(4095..4096).unwrap();
        group.row(name, |q| rotation.apply(q.view_mut()).unwrap());
        group.row(&format!("{name}, the next plan"), |_| {
            position += 1;
            rotary.at_into(position..position + 1, &mut rotation).unwrap();
        });
    }
}

/// Cosines and sines of 8192 positions and 64 pairs.
fn plan(criterion: &mut Criterion) {
    let rotary = rotary(Pairing::Halves);
    let mut rotation = rotary.at::<f32>(0..8192).unwrap();
    let (name, same) = ("plan of 8192 positions x 64 pairs, f32", vec![0_f32; 8192 * 128]);
    let floor = |same: &mut Vec<f32>| fill(same, 1.0);
    Group::new(criterion, name, 4 * same.len(), same, ("fill", floor))
        .row("at_into", |_| rotary.at_into(0..8192, &mut rotation).unwrap());
}
