//! Sums of rows, four at a time: words × scale + segments + positions, or positions added in place.

use fearless_simd::prelude::*;

use super::level::Kernel;
use super::turns::GROUP;
use crate::Element;

/// Bytes of a row before it is the next row's turn: two lines of a cache, which memory fetches together.
const STRIPE_BYTES: usize = 128;

/// A row and what is summed in it. All slices have one length.
pub struct Terms<'a, A> {
    pub(crate) out: &'a mut [A],
    /// Nothing where `out` holds the words.
    pub(crate) word: Option<&'a [A]>,
    pub(crate) segment: Option<&'a [A]>,
    pub(crate) vector: &'a [A],
}

impl<A> Default for Terms<'_, A> {
    fn default() -> Self {
        Self { out: &mut [], word: None, segment: None, vector: &[] }
    }
}

/// Rows with the same terms, side by side: four streams of memory keep each other company.
pub(super) struct Sums<'a, A> {
    pub(super) rows: [Terms<'a, A>; 4],
    /// What words that are not in place are multiplied with.
    pub(super) scale: A,
}

impl<A: Element> Kernel for Sums<'_, A> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match self.rows.iter().find(|row| !row.out.is_empty()) {
            None => {}
            Some(Terms { word: None, .. }) => self.sum::<S, false, false>(simd),
            Some(Terms { segment: None, .. }) => self.sum::<S, true, false>(simd),
            Some(_) => self.sum::<S, true, true>(simd),
        }
    }
}

impl<A: Element> Sums<'_, A> {
    #[inline(always)]
    fn sum<S: Simd, const WORD: bool, const SEGMENT: bool>(self, simd: S) {
        let stripe = STRIPE_BYTES / size_of::<A>();
        let factor = A::load_group(simd, &[self.scale; GROUP][..2 * S::f64s::LEN]);
        if self.rows.iter().all(|row| row.out.len() == self.rows[0].out.len()) {
            let [a, b, c, d] = self.rows;
            let ((a, a_rest), (b, b_rest)) = (a.split(stripe), b.split(stripe));
            let ((c, c_rest), (d, d_rest)) = (c.split(stripe), d.split(stripe));
            let stripes = (a.chunks(stripe).zip(b.chunks(stripe))).zip(c.chunks(stripe).zip(d.chunks(stripe)));
            for ((a, b), (c, d)) in stripes {
                for row in [a, b, c, d] {
                    sum_groups::<S, A, WORD, SEGMENT>(simd, factor, row);
                }
            }
            for row in [a_rest, b_rest, c_rest, d_rest] {
                row.elements::<S, WORD, SEGMENT>(simd, factor, self.scale);
            }
        } else {
            for row in self.rows {
                row.elements::<S, WORD, SEGMENT>(simd, factor, self.scale);
            }
        }
    }
}

/// A row, or a part of it; words and segments that there are not are those of `vector`.
type Part<'a, A> = (((&'a mut [A], &'a [A]), &'a [A]), &'a [A]);

impl<'a, A> Terms<'a, A> {
    /// Whole parts of `len` elements, and the rest.
    #[inline(always)]
    fn split(self, len: usize) -> (Self, Self) {
        let whole = self.out.len() - self.out.len() % len;
        let (out, out_rest) = self.out.split_at_mut(whole);
        let split = |values: Option<&'a [A]>| values.map(|values| values.split_at(whole)).unzip();
        let ((word, word_rest), (segment, segment_rest)) = (split(self.word), split(self.segment));
        let (vector, vector_rest) = self.vector.split_at(whole);
        let rest = Self { out: out_rest, word: word_rest, segment: segment_rest, vector: vector_rest };
        (Self { out, word, segment, vector }, rest)
    }

    #[inline(always)]
    fn chunks(self, len: usize) -> impl Iterator<Item = Part<'a, A>> {
        let chunks = |values: Option<&'a [A]>| values.unwrap_or(self.vector).chunks_exact(len);
        self.out
            .chunks_exact_mut(len)
            .zip(chunks(self.word))
            .zip(chunks(self.segment))
            .zip(self.vector.chunks_exact(len))
    }
}

/// Sums a whole number of groups.
#[inline(always)]
fn sum_groups<S: Simd, A: Element, const WORD: bool, const SEGMENT: bool>(
    simd: S,
    factor: A::Group<S>,
    (((out, word), segment), vector): Part<'_, A>,
) {
    let width = 2 * S::f64s::LEN;
    let terms = word.chunks_exact(width).zip(segment.chunks_exact(width)).zip(vector.chunks_exact(width));
    for (out, ((word, segment), vector)) in out.chunks_exact_mut(width).zip(terms) {
        let mut sum = if WORD { A::product::<S>(A::load_group(simd, word), factor) } else { A::load_group(simd, out) };
        if SEGMENT {
            sum = A::sum::<S>(sum, A::load_group(simd, segment));
        }
        A::write_group::<S>(A::sum::<S>(sum, A::load_group(simd, vector)), out);
    }
}

impl<A: Element> Terms<'_, A> {
    /// Any number of elements.
    #[inline(always)]
    fn elements<S: Simd, const WORD: bool, const SEGMENT: bool>(self, simd: S, factor: A::Group<S>, scale: A) {
        let (groups, rest) = self.split(2 * S::f64s::LEN);
        for group in groups.chunks(2 * S::f64s::LEN) {
            sum_groups::<S, A, WORD, SEGMENT>(simd, factor, group);
        }
        for (((out, word), segment), vector) in rest.chunks(1) {
            let word = if WORD { word[0] * scale } else { out[0] };
            out[0] = if SEGMENT { word + segment[0] } else { word } + vector[0];
        }
    }
}
