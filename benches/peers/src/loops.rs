//! Loops written by hand.

use crate::work::BASE;

/// `powf`, `sin` and `cos` for every value.
pub fn table_naive(out: &mut [f32], dim: usize) {
    for (i, value) in out.iter_mut().enumerate() {
        let (position, feature) = (i / dim, i % dim);
        let angle = position as f32 / (BASE as f32).powf((feature / 2 * 2) as f32 / dim as f32);
        *value = if feature % 2 == 0 { angle.sin() } else { angle.cos() };
    }
}

/// Frequencies computed once.
pub fn table_hoisted(out: &mut [f32], dim: usize) {
    let frequencies = frequencies(dim);
    for (position, row) in out.chunks_exact_mut(dim).enumerate() {
        for (pair, frequency) in row.as_chunks_mut::<2>().0.iter_mut().zip(&frequencies) {
            let angle = position as f32 * frequency;
            *pair = [angle.sin(), angle.cos()];
        }
    }
}

/// Frequencies computed once; sines, then cosines.
pub fn table_hoisted_halves(out: &mut [f32], dim: usize) {
    let frequencies = frequencies(dim);
    for (position, row) in out.chunks_exact_mut(dim).enumerate() {
        let (sines, cosines) = row.split_at_mut(dim / 2);
        for ((sin, cos), frequency) in sines.iter_mut().zip(cosines).zip(&frequencies) {
            let angle = position as f32 * frequency;
            (*sin, *cos) = (angle.sin(), angle.cos());
        }
    }
}

fn frequencies(dim: usize) -> Vec<f32> {
    (0..dim / 2).map(|i| (BASE as f32).powf(-2.0 * i as f32 / dim as f32)).collect()
}

/// Adds the table of a sequence's positions to every sequence.
pub fn add(words: &mut [f32], table: &[f32]) {
    for sequence in words.chunks_exact_mut(table.len()) {
        sequence.iter_mut().zip(table).for_each(|(word, value)| *word += value);
    }
}

/// Cosines and sines of the pairs, position after position.
pub struct Tables {
    cos: Vec<f32>,
    sin: Vec<f32>,
    pairs: usize,
}

impl Tables {
    pub fn new(positions: std::ops::Range<usize>, dim: usize) -> Self {
        let frequencies = frequencies(dim);
        let angles: Vec<f32> =
            positions.flat_map(|p| frequencies.iter().map(move |f| p as f32 * f)).collect();
        let (cos, sin) =
            (angles.iter().map(|a| a.cos()).collect(), angles.iter().map(|a| a.sin()).collect());
        Self { cos, sin, pairs: dim / 2 }
    }

    /// Returns the rows of `q` with their cosines and sines; heads share the positions.
    fn rows<'a>(
        &'a self,
        q: &'a mut [f32],
    ) -> impl Iterator<Item = (&'a mut [f32], &'a [f32], &'a [f32])> {
        q.chunks_exact_mut(2 * self.cos.len()).flat_map(|head| {
            let angles = self.cos.chunks_exact(self.pairs).zip(self.sin.chunks_exact(self.pairs));
            head.chunks_exact_mut(2 * self.pairs)
                .zip(angles)
                .map(|(row, (cos, sin))| (row, cos, sin))
        })
    }

    pub fn rotate_halves(&self, q: &mut [f32]) {
        for (row, cos, sin) in self.rows(q) {
            let (low, high) = row.split_at_mut(self.pairs);
            for (((low, high), cos), sin) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                (*low, *high) = (*low * cos - *high * sin, *low * sin + *high * cos);
            }
        }
    }

    pub fn rotate_interleaved(&self, q: &mut [f32]) {
        for (row, cos, sin) in self.rows(q) {
            for ((pair, cos), sin) in row.as_chunks_mut::<2>().0.iter_mut().zip(cos).zip(sin) {
                *pair = [pair[0] * cos - pair[1] * sin, pair[0] * sin + pair[1] * cos];
            }
        }
    }
}

/// The floor of work in place: every value is read, multiplied and written.
pub fn sweep(values: &mut [f32]) {
    let factor = std::hint::black_box(1.0);
    values.iter_mut().for_each(|value| *value *= factor);
}
