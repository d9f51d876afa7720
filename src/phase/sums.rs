//! Sums of rows of four sequences side by side: words × scale + segments + positions, or positions
//! added in place.

use core::ops::Range;

use fearless_simd::prelude::*;
use ndarray::Array2;

use super::fixed::GROUP;
use super::line_start;
use crate::Element;
use crate::simd::Kernel;

/// Bytes of a row before it is the next row's turn, where it is gathered from a table: two lines of
/// a cache, which memory fetches together.
const GATHERED: usize = 128;
/// The same where a row is in place.
const IN_PLACE: usize = 512;

/// Rows of a table, by their numbers.
#[derive(Clone, Copy, Debug)]
pub struct Picked<'a, A> {
    pub(crate) table: &'a [A],
    pub(crate) ids: &'a [usize],
}

/// Rows of a sequence, one after the other, and what is summed in them.
pub struct Sequence<'a, A> {
    pub(crate) out: &'a mut [A],
    /// Nothing where `out` holds the words.
    pub(crate) words: Option<Picked<'a, A>>,
    pub(crate) segments: Option<Picked<'a, A>>,
    pub(crate) vectors: &'a [A],
}

/// Four sequences with the same terms: four streams of memory keep each other company. A sequence
/// may have fewer rows than others, or none.
pub struct Sums<'a, A> {
    pub(crate) sequences: [Sequence<'a, A>; 4],
    pub(crate) dim: usize,
    /// What words that are not in place are multiplied with.
    pub(crate) scale: A,
}

/// A row, or a part of it; words and segments that there are not are those of `vector`.
struct Terms<'a, A> {
    out: &'a mut [A],
    word: &'a [A],
    segment: &'a [A],
    vector: &'a [A],
}

impl<A> Default for Sequence<'_, A> {
    fn default() -> Self {
        Self { out: &mut [], words: None, segments: None, vectors: &[] }
    }
}

impl<'a, A> Picked<'a, A> {
    /// Rows of a table that lies in memory row by row.
    pub(crate) fn rows(table: &'a Array2<A>, ids: &'a [usize]) -> Option<Self> {
        table.as_slice().map(|table| Self { table, ids })
    }

    #[inline(always)]
    pub(crate) fn row(&self, i: usize, dim: usize) -> &'a [A] {
        let start = self.ids[i] * dim;
        &self.table[start..start + dim]
    }

    /// The rows before the `at`-th, and those from there on.
    fn split(self, at: usize) -> (Self, Self) {
        let (before, after) = self.ids.split_at(at);
        (Self { ids: before, ..self }, Self { ids: after, ..self })
    }
}

impl<'a, A> Sequence<'a, A> {
    /// The same rows as four sequences.
    pub(crate) fn quarters(self, dim: usize) -> [Self; 4] {
        let rows = self.out.len() / dim.max(1) / 4;
        let (first, rest) = self.split(rows, dim);
        let (second, rest) = rest.split(rows, dim);
        let (third, fourth) = rest.split(rows, dim);
        [first, second, third, fourth]
    }

    fn split(self, at: usize, dim: usize) -> (Self, Self) {
        let (out, out_after) = self.out.split_at_mut(at * dim);
        let split = |picked: Option<Picked<'a, A>>| picked.map(|picked| picked.split(at)).unzip();
        let ((words, words_after), (segments, segments_after)) =
            (split(self.words), split(self.segments));
        let (vectors, vectors_after) = self.vectors.split_at(at * dim);
        let after = Self {
            out: out_after,
            words: words_after,
            segments: segments_after,
            vectors: vectors_after,
        };
        (Self { out, words, segments, vectors }, after)
    }

    #[inline(always)]
    fn row<const WORD: bool, const SEGMENT: bool>(
        &mut self,
        i: usize,
        dim: usize,
    ) -> Option<Terms<'_, A>> {
        let row = i * dim..(i + 1) * dim;
        let (out, vector) = (self.out.get_mut(row.clone())?, self.vectors.get(row)?);
        let picked = |picked: &Option<Picked<'a, A>>| {
            picked.as_ref().map_or(vector, |picked| picked.row(i, dim))
        };
        let word = if WORD { picked(&self.words) } else { vector };
        let segment = if SEGMENT { picked(&self.segments) } else { vector };
        Some(Terms { out, word, segment, vector })
    }
}

impl<A: Element> Kernel for Sums<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match self.sequences.iter().find(|sequence| !sequence.out.is_empty()) {
            None => {}
            Some(Sequence { words: None, .. }) => self.sum::<S, false, false>(simd),
            Some(Sequence { segments: None, .. }) => self.sum::<S, true, false>(simd),
            Some(_) => self.sum::<S, true, true>(simd),
        }
    }
}

impl<A: Element> Sums<'_, A> {
    #[inline(always)]
    fn sum<S: Simd, const WORD: bool, const SEGMENT: bool>(mut self, simd: S) {
        let factor = A::load_group(simd, &[self.scale; GROUP][..2 * S::f64s::LEN]);
        let stripe = if WORD { GATHERED } else { IN_PLACE } / size_of::<A>();
        for i in 0.. {
            let [a, b, c, d] = &mut self.sequences;
            let mut rows = [a, b, c, d].map(|sequence| sequence.row::<WORD, SEGMENT>(i, self.dim));
            let mut done = 0;
            if let [Some(a), Some(b), Some(c), Some(d)] = &mut rows {
                // Up to where a line of the cache begins: vectors that lie in two lines cost twice
                // as much.
                let head = line_start(a.out.as_ptr()).min(self.dim);
                for row in [&mut *a, &mut *b, &mut *c, &mut *d] {
                    row.sum_elements::<WORD, SEGMENT>(self.scale, 0..head);
                }
                done = head;
                for stripe in [stripe, 2 * S::f64s::LEN] {
                    while done + stripe <= self.dim {
                        for row in [&mut *a, &mut *b, &mut *c, &mut *d] {
                            row.sum_groups::<S, WORD, SEGMENT>(simd, factor, done..done + stripe);
                        }
                        done += stripe;
                    }
                }
            } else if rows.iter().all(Option::is_none) {
                break;
            }
            for row in rows.iter_mut().flatten() {
                let whole = self.dim - (self.dim - done) % (2 * S::f64s::LEN);
                row.sum_groups::<S, WORD, SEGMENT>(simd, factor, done..whole);
                row.sum_elements::<WORD, SEGMENT>(self.scale, whole..self.dim);
            }
        }
    }
}

impl<A: Element> Terms<'_, A> {
    /// Sums a whole number of groups.
    #[inline(always)]
    fn sum_groups<S: Simd, const WORD: bool, const SEGMENT: bool>(
        &mut self,
        simd: S,
        factor: A::Group<S>,
        part: Range<usize>,
    ) {
        let width = 2 * S::f64s::LEN;
        let [word, segment, vector] = [self.word, self.segment, self.vector]
            .map(|term| term[part.clone()].chunks_exact(width));
        let groups = self.out[part].chunks_exact_mut(width);
        for (out, ((word, segment), vector)) in groups.zip(word.zip(segment).zip(vector)) {
            let mut sum = if WORD {
                A::product::<S>(A::load_group(simd, word), factor)
            } else {
                A::load_group(simd, out)
            };
            if SEGMENT {
                sum = A::sum::<S>(sum, A::load_group(simd, segment));
            }
            A::write_group::<S>(A::sum::<S>(sum, A::load_group(simd, vector)), out);
        }
    }

    #[inline(always)]
    fn sum_elements<const WORD: bool, const SEGMENT: bool>(
        &mut self,
        scale: A,
        part: Range<usize>,
    ) {
        for i in part {
            let word = if WORD { self.word[i] * scale } else { self.out[i] };
            self.out[i] = if SEGMENT { word + self.segment[i] } else { word } + self.vector[i];
        }
    }
}
