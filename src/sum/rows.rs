//! Sums of rows: words × scale + segments + position vectors.

use core::hint::black_box;
use core::marker::PhantomData;

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd};
use ndarray::{Array2, ArrayViewMut2};

use crate::add::is_plain;
use crate::element::{AnyElement, Element, Lanes, OfElement};
use crate::simd::Kernel;

/// The number of rows by which a row of a table is prefetched before it is needed. With 1 or 2, a
/// lookup takes nine tenths of the time that it takes without.
const AHEAD: usize = 2;

/// The destination of rows.
pub(super) enum Target<'a, A> {
    /// Existing rows, which are overwritten.
    Rows(ArrayViewMut2<'a, A>),
    /// The end of a list that has room for them.
    End(&'a mut Vec<A>),
}

/// Rows of a table in row-major order.
#[derive(Clone, Copy)]
pub(super) struct Picked<'a, A> {
    pub(super) table: &'a [A],
    /// The indices of the rows; without them, all rows in order.
    pub(super) ids: Option<&'a [usize]>,
}

/// The terms of a sum, with as many rows as there are position vectors.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a, A> {
    pub(super) words: Picked<'a, A>,
    /// The factor of the words. Multiplying by 1 changes no bit.
    pub(super) scale: A,
    pub(super) segments: Option<Picked<'a, A>>,
    /// The position vectors, one after the other, and the width of each.
    pub(super) vectors: &'a [A],
    pub(super) dim: usize,
}

impl<'a, A> Picked<'a, A> {
    pub(super) fn rows(table: &'a Array2<A>, ids: &'a [usize]) -> Self {
        Self { table: table.as_slice().unwrap_or_default(), ids: Some(ids) }
    }

    /// Prefetches a row that is needed soon. It may be anywhere in a table larger than the cache.
    #[inline(always)]
    fn touch(&self, i: usize, dim: usize)
    where
        A: Copy,
    {
        if let Some(id) = self.ids.and_then(|ids| ids.get(i)) {
            black_box(self.table[id * dim]);
        }
    }

    #[inline(always)]
    fn row(&self, i: usize, dim: usize) -> &'a [A] {
        let start = self.ids.map_or(i, |ids| ids[i]) * dim;
        &self.table[start..start + dim]
    }
}

impl<A: Element> Terms<'_, A> {
    /// Writes the sums.
    pub(super) fn write(self, target: Target<'_, A>) {
        let out = match target {
            Target::End(out) => Out::End(out),
            Target::Rows(rows) if rows.is_standard_layout() => {
                Out::Rows(rows.into_slice().unwrap_or_default())
            }
            Target::Rows(rows) => return self.write_apart(rows),
        };
        let Self { words, scale, segments, vectors, dim } = self;
        // Rows that are adjacent in each term are one long row.
        let is_one = words.ids.is_none() && segments.is_none();
        let dim = if is_one { vectors.len() } else { dim };
        launch_any(A::any::<SumsOf<'_>>(Sums { out, words, scale, segments, vectors, dim }));
    }

    /// Writes rows, or elements, that are not adjacent in memory.
    fn write_apart(self, mut rows: ArrayViewMut2<'_, A>) {
        let dim = self.dim;
        let vectors = self.vectors.chunks_exact(dim.max(1));
        for (i, (mut row, vector)) in rows.rows_mut().into_iter().zip(vectors).enumerate() {
            let word = self.words.row(i, dim);
            let segment = self.segments.map(|segments| segments.row(i, dim));
            for (k, (out, vector)) in row.iter_mut().zip(vector).enumerate() {
                *out = sum(word[k], self.scale, segment.map(|segment| segment[k]), *vector);
            }
        }
    }
}

/// Sums the terms, in this order.
#[inline(always)]
fn sum<A: Element>(word: A, scale: A, segment: Option<A>, vector: A) -> A {
    let word = word * scale;
    segment.map_or(word, |segment| word + segment) + vector
}

enum Out<'a, A> {
    Rows(&'a mut [A]),
    End(&'a mut Vec<A>),
}

struct Sums<'a, A> {
    out: Out<'a, A>,
    words: Picked<'a, A>,
    scale: A,
    segments: Option<Picked<'a, A>>,
    vectors: &'a [A],
    dim: usize,
}

struct SumsOf<'a>(PhantomData<&'a ()>);

impl<'a> OfElement for SumsOf<'a> {
    type Of<A: Element> = Sums<'a, A>;
}

fn launch_any(sums: AnyElement<SumsOf<'_>>) {
    match sums {
        AnyElement::F32(sums) => sums.launch(Level::new()),
        AnyElement::F64(sums) => sums.launch(Level::new()),
        #[cfg(feature = "half")]
        AnyElement::F16(sums) => sums.launch(Level::new()),
        #[cfg(feature = "half")]
        AnyElement::Bf16(sums) => sums.launch(Level::new()),
    }
}

impl<A: Lanes> Kernel for Sums<'_, A> {
    const BYTES: usize = 32;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (dim, mut target) = (self.dim, self.out);
        for (i, vector) in self.vectors.chunks_exact(dim.max(1)).enumerate() {
            let word = self.words.row(i, dim);
            let segment = self.segments.map(|segments| segments.row(i, dim));
            self.words.touch(i + AHEAD, dim);
            match &mut target {
                Out::Rows(rows) => {
                    let out = &mut rows[i * dim..(i + 1) * dim];
                    write_row(simd, out, word, self.scale, segment, vector);
                }
                Out::End(out) => append_row(simd, out, word, self.scale, segment, vector),
            }
        }
    }
}

/// Appends a row.
#[inline(always)]
fn append_row<S: Simd, A: Lanes>(
    simd: S,
    out: &mut Vec<A>,
    word: &[A],
    scale: A,
    segment: Option<&[A]>,
    vector: &[A],
) {
    if is_plain::<A>() {
        let terms = word.iter().zip(vector);
        match segment {
            None => out.extend(terms.map(|(word, vector)| sum(*word, scale, None, *vector))),
            Some(segment) => {
                let terms = terms.zip(segment);
                out.extend(
                    terms.map(|((word, vector), segment)| {
                        sum(*word, scale, Some(*segment), *vector)
                    }),
                );
            }
        }
    } else {
        let start = out.len();
        out.resize(start + vector.len(), A::zero());
        write_row(simd, &mut out[start..], word, scale, segment, vector);
    }
}

#[inline(always)]
fn write_row<S: Simd, A: Lanes>(
    simd: S,
    out: &mut [A],
    word: &[A],
    scale: A,
    segment: Option<&[A]>,
    vector: &[A],
) {
    if is_plain::<A>() {
        let terms = word.iter().zip(vector);
        return match segment {
            None => out
                .iter_mut()
                .zip(terms)
                .for_each(|(out, (word, vector))| *out = sum(*word, scale, None, *vector)),
            Some(segment) => {
                for ((out, (word, vector)), segment) in out.iter_mut().zip(terms).zip(segment) {
                    *out = sum(*word, scale, Some(*segment), *vector);
                }
            }
        };
    }
    let len = A::Vector::<S>::LEN;
    let factor = A::Vector::<S>::splat(simd, scale.widen());
    let (groups, rest) = out.split_at_mut(out.len() - out.len() % len);
    let whole = groups.len();
    for (i, out) in groups.chunks_exact_mut(len).enumerate() {
        let at = i * len..(i + 1) * len;
        let mut sum = A::round(A::load(simd, &word[at.clone()]) * factor);
        if let Some(segment) = segment {
            sum = A::round(sum + A::load(simd, &segment[at.clone()]));
        }
        A::store(sum + A::load(simd, &vector[at]), out);
    }
    for (k, out) in (whole..).zip(rest) {
        *out = sum(word[k], scale, segment.map(|segment| segment[k]), vector[k]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::InstructionSet;

    fn check<A: Lanes>() {
        let value = |i: usize| A::from_f64((i * 37 % 101) as f64 / 7.0 - 5.0);
        let list =
            |len: usize, first: usize| (0..len).map(|i| value(i + first)).collect::<Vec<A>>();
        let ids = [2, 0, 1, 2];
        for dim in [1, 5, 16, 67] {
            let (table, kinds, vectors) = (list(3 * dim, 0), list(3 * dim, 9), list(4 * dim, 31));
            let (words, scale) = (Picked { table: &table, ids: Some(&ids) }, A::from_f64(0.3));
            for segments in [None, Some(Picked { table: &kinds, ids: Some(&ids) })] {
                let expected: Vec<A> = (0..4 * dim)
                    .map(|i| {
                        let at = ids[i / dim] * dim + i % dim;
                        let word = table[at] * scale;
                        segments.map_or(word, |_| word + kinds[at]) + vectors[i]
                    })
                    .collect();
                for set in InstructionSet::available() {
                    let (mut rows, mut end) = (list(4 * dim, 3), list(2, 5));
                    for out in [Out::Rows(&mut rows), Out::End(&mut end)] {
                        let sums = Sums { out, words, scale, segments, vectors: &vectors, dim };
                        sums.launch(set.level().unwrap());
                    }
                    assert_eq!(rows, expected, "{set:?} {dim}");
                    assert_eq!((&end[..2], &end[2..]), (&list(2, 5)[..], &expected[..]));
                }
            }
        }
    }

    #[test]
    fn all_instruction_sets_sum_alike() {
        check::<f32>();
        check::<f64>();
        #[cfg(feature = "half")]
        check::<half::f16>();
        #[cfg(feature = "half")]
        check::<half::bf16>();
    }
}
