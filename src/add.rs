//! Adds position vectors, and multiples of shared numbers, to rows in memory.

use core::marker::PhantomData;

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd};
use ndarray::{ArrayView2, ArrayViewMut2};

use crate::element::{AnyElement, Element, Lanes, OfElement};
use crate::simd::Kernel;

/// The bytes of a stream that are added before the next stream takes its turn.
const STRIPE: usize = 512;

/// Whether numbers replace what is in memory or are added to it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Put {
    Write,
    Add,
}

/// The rows of up to four sequences.
pub(crate) type Four<'a, A> = [Option<ArrayViewMut2<'a, A>>; 4];

/// Adds `vectors` to `rows`, of the same shape.
pub(crate) fn add<A: Element>(rows: ArrayViewMut2<'_, A>, vectors: ArrayView2<'_, A>) {
    add_to_four([Some(rows), None, None, None], vectors);
}

/// Adds `vectors` to the rows of each sequence.
///
/// Four sequences at once are 1.4 times as fast as one after the other, since memory answers
/// several requests at a time. A single sequence is cut into four parts for the same effect.
pub(crate) fn add_to_four<A: Element>(sequences: Four<'_, A>, vectors: ArrayView2<'_, A>) {
    let whole = sequences.iter().flatten().all(|rows| rows.is_standard_layout());
    let (Some(vectors), true) = (vectors.to_slice(), whole) else {
        let add = |rows: ArrayViewMut2<'_, A>| {
            let mut rows = rows;
            rows.zip_mut_with(&vectors, |row, vector| *row = *row + *vector);
        };
        return sequences.into_iter().flatten().for_each(add);
    };
    let streams = sequences.map(|rows| {
        let out = rows.and_then(ArrayViewMut2::into_slice).unwrap_or_default();
        let vectors = &vectors[..out.len()];
        (out, vectors)
    });
    add_streams(streams);
}

/// Adds the second slice of each pair to the first, of the same length. A single pair is cut into
/// four.
pub(crate) fn add_streams<A: Element>(streams: [(&mut [A], &[A]); 4]) {
    let streams = match streams {
        [alone, (&mut [], _), (&mut [], _), (&mut [], _)] => in_four(alone),
        streams => streams,
    };
    launch_any(A::any::<AddedOf<'_>>(Added { streams }));
}

/// Cuts both slices of a pair into four parts.
fn in_four<'a, A>((out, vectors): (&'a mut [A], &'a [A])) -> [(&'a mut [A], &'a [A]); 4] {
    let part = out.len().div_ceil(4).max(1);
    let mut parts = out.chunks_mut(part).zip(vectors.chunks(part));
    core::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// Four streams of memory, and the vectors that are added to each.
struct Added<'a, A> {
    streams: [(&'a mut [A], &'a [A]); 4],
}

struct AddedOf<'a>(PhantomData<&'a ()>);

impl<'a> OfElement for AddedOf<'a> {
    type Of<A: Element> = Added<'a, A>;
}

fn launch_any(added: AnyElement<AddedOf<'_>>) {
    match added {
        AnyElement::F32(added) => added.launch(Level::new()),
        AnyElement::F64(added) => added.launch(Level::new()),
        #[cfg(feature = "half")]
        AnyElement::F16(added) => added.launch(Level::new()),
        #[cfg(feature = "half")]
        AnyElement::Bf16(added) => added.launch(Level::new()),
    }
}

impl<A: Lanes> Kernel for Added<'_, A> {
    const BYTES: usize = 32;

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let stripe = STRIPE / size_of::<A>();
        let least = self.streams.iter().map(|(out, _)| out.len()).min().unwrap_or(0);
        let whole = least - least % stripe;
        for start in (0..whole).step_by(stripe) {
            for (out, vectors) in &mut self.streams {
                let stripe = start..start + stripe;
                add_slice(simd, &mut out[stripe.clone()], &vectors[stripe]);
            }
        }
        for (out, vectors) in &mut self.streams {
            add_slice(simd, &mut out[whole..], &vectors[whole..]);
        }
    }
}

/// Numbers for a part of a row in several heads: each head gets them times its own power of two. A
/// product is rounded to the element type before it is written or added.
pub(crate) struct Multiples<'a, A: Element> {
    pub(crate) numbers: &'a [A::Angle],
    /// The heads, each with its power of two.
    pub(crate) heads: &'a [(usize, f64)],
    /// The rows of all heads.
    pub(crate) out: &'a mut [A],
    /// The length of a row, and the column at which the part begins.
    pub(crate) row: [usize; 2],
    pub(crate) put: Put,
}

struct MultiplesOf<'a>(PhantomData<&'a ()>);

impl<'a> OfElement for MultiplesOf<'a> {
    type Of<A: Element> = Multiples<'a, A>;
}

/// Writes or adds the multiples of all heads.
pub(crate) fn put_multiples<A: Element>(multiples: Multiples<'_, A>) {
    match A::any::<MultiplesOf<'_>>(multiples) {
        AnyElement::F32(multiples) => multiples.launch(Level::new()),
        AnyElement::F64(multiples) => multiples.launch(Level::new()),
        #[cfg(feature = "half")]
        AnyElement::F16(multiples) => multiples.launch(Level::new()),
        #[cfg(feature = "half")]
        AnyElement::Bf16(multiples) => multiples.launch(Level::new()),
    }
}

impl<A: Lanes> Kernel for Multiples<'_, A> {
    const BYTES: usize = 32;

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let [len, start] = self.row;
        for &(head, power) in self.heads {
            let place = head * len + start;
            let Some(out) = self.out.get_mut(place..place + self.numbers.len()) else { continue };
            let power = A::Angle::from_f64(power);
            let vectors = if is_plain::<A>() { usize::MAX } else { A::Vector::<S>::LEN };
            let mut groups = out.chunks_exact_mut(vectors);
            let numbers = self.numbers.chunks_exact(vectors);
            let rest = numbers.remainder();
            for (out, numbers) in groups.by_ref().zip(numbers) {
                let bias = A::Vector::<S>::from_slice(simd, numbers) * power;
                match self.put {
                    Put::Write => A::store(bias, out),
                    Put::Add => A::store(A::load(simd, out) + A::round(bias), out),
                }
            }
            let rest = groups.into_remainder().iter_mut().zip(rest);
            match self.put {
                Put::Write => rest.for_each(|(out, number)| *out = A::narrow(*number * power)),
                Put::Add => rest.for_each(|(out, number)| *out = *out + A::narrow(*number * power)),
            }
        }
    }
}

/// Writes one number to all elements of `out`, or adds it to them.
pub(crate) fn put_one<A: Element>(out: &mut [A], number: A, put: Put) {
    match put {
        Put::Write => out.fill(number),
        Put::Add => out.iter_mut().for_each(|out| *out = *out + number),
    }
}

/// Returns true for f32 and f64, for which the compiler vectorises a plain loop better than
/// explicit loads and stores.
#[inline(always)]
pub(crate) fn is_plain<A: Element>() -> bool {
    size_of::<A>() == size_of::<A::Angle>()
}

#[inline(always)]
fn add_slice<S: Simd, A: Lanes>(simd: S, out: &mut [A], vectors: &[A]) {
    if is_plain::<A>() {
        return out.iter_mut().zip(vectors).for_each(|(out, vector)| *out = *out + *vector);
    }
    let mut groups = out.chunks_exact_mut(A::Vector::<S>::LEN);
    let vectors = vectors.chunks_exact(A::Vector::<S>::LEN);
    let rest = vectors.remainder();
    for (out, vector) in groups.by_ref().zip(vectors) {
        A::store(A::load(simd, out) + A::load(simd, vector), out);
    }
    for (out, vector) in groups.into_remainder().iter_mut().zip(rest) {
        *out = *out + *vector;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::InstructionSet;

    fn check<A: Lanes>() {
        let value = |i: usize| A::from_f64((i * 37 % 101) as f64 / 7.0 - 5.0);
        for set in InstructionSet::available() {
            for lengths in [[0; 4], [1, 0, 0, 0], [700, 700, 3, 0], [1030; 4], [257, 300, 256, 900]]
            {
                let mut rows = lengths.map(|len| (0..len).map(value).collect::<Vec<A>>());
                let vectors: Vec<A> = (0..1030).map(|i| value(i + 11)).collect();
                let expected = rows.clone().map(|rows| {
                    rows.iter()
                        .zip(&vectors)
                        .map(|(row, vector)| *row + *vector)
                        .collect::<Vec<A>>()
                });
                let streams = rows.each_mut().map(|rows| {
                    let len = rows.len();
                    (&mut rows[..], &vectors[..len])
                });
                Added { streams }.launch(set.level().unwrap());
                assert_eq!(rows, expected, "{set:?} {lengths:?}");
            }
        }
    }

    #[test]
    fn all_instruction_sets_add_alike() {
        check::<f32>();
        check::<f64>();
        #[cfg(feature = "half")]
        check::<half::f16>();
        #[cfg(feature = "half")]
        check::<half::bf16>();
    }
}
