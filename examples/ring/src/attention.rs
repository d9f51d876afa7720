//! Causal attention: of a whole sequence, and block by block of keys.

use ndarray::{Array2, Array3, Axis, s};

type Array = Array3<f32>;

/// Attention over blocks of keys, one after the other: the largest score so far and the sum of
/// exponentials are kept for each query, and earlier sums are rescaled as they change
/// (Milakov and Gimelshein 2018; Liu et al. 2023, ring attention).
pub struct OnlineSoftmax {
    /// (heads, queries, dim)
    sum: Array,
    /// (heads, queries)
    largest: Array2<f32>,
    weight: Array2<f32>,
}

impl OnlineSoftmax {
    pub fn new(heads: usize, queries: usize, dim: usize) -> Self {
        Self {
            sum: Array::zeros((heads, queries, dim)),
            largest: Array2::from_elem((heads, queries), f32::NEG_INFINITY),
            weight: Array2::zeros((heads, queries)),
        }
    }

    /// Adds a block of keys and values at the positions `from`, for queries at the positions `to`:
    /// a query attends to keys up to its own position.
    pub fn add(&mut self, q: &Array, k: &Array, v: &Array, to: &[usize], from: &[usize]) {
        let (heads, _, _) = q.dim();
        for (head, (row, place)) in
            (0..heads).flat_map(|h| to.iter().enumerate().map(move |r| (h, r)))
        {
            let query = q.slice(s![head, row, ..]);
            let scores: Vec<(usize, f32)> = from
                .iter()
                .enumerate()
                .filter(|(_, key)| *key <= place)
                .map(|(key, _)| (key, score(query, k.slice(s![head, key, ..]))))
                .collect();
            let before = self.largest[[head, row]];
            let largest = scores.iter().fold(before, |largest, (_, score)| largest.max(*score));
            if scores.is_empty() {
                continue;
            }
            let scale = (before - largest).exp();
            let mut sum = self.sum.slice_mut(s![head, row, ..]);
            sum *= scale;
            self.weight[[head, row]] *= scale;
            for (key, score) in scores {
                let weight = (score - largest).exp();
                sum.scaled_add(weight, &v.slice(s![head, key, ..]));
                self.weight[[head, row]] += weight;
            }
            self.largest[[head, row]] = largest;
        }
    }

    /// The attention (heads, queries, dim).
    pub fn finish(self) -> Array {
        self.sum / self.weight.insert_axis(Axis(2))
    }
}

/// Returns the attention of a whole sequence, as one process computes it: all scores of a query,
/// their softmax, and the sum.
pub fn whole(q: &Array, k: &Array, v: &Array) -> Array {
    let (heads, len, dim) = q.dim();
    let mut output = Array::zeros((heads, len, dim));
    for head in 0..heads {
        for row in 0..len {
            let query = q.slice(s![head, row, ..]);
            let scores: Vec<f32> =
                (0..=row).map(|key| score(query, k.slice(s![head, key, ..]))).collect();
            let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let weights: Vec<f32> = scores.iter().map(|score| (score - largest).exp()).collect();
            let total: f32 = weights.iter().sum();
            let mut sum = output.slice_mut(s![head, row, ..]);
            for (key, weight) in weights.iter().enumerate() {
                sum.scaled_add(weight / total, &v.slice(s![head, key, ..]));
            }
        }
    }
    output
}

fn score(query: ndarray::ArrayView1<'_, f32>, key: ndarray::ArrayView1<'_, f32>) -> f32 {
    query.dot(&key) / (query.len() as f32).sqrt()
}
