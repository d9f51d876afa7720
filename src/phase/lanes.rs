//! From vectors of f64 to elements in memory: the one rounding, and the store or the addition.

use fearless_simd::Level;
use fearless_simd::prelude::*;

use super::level::{Kernel, launch};
use super::rows::Rows;
use super::{Columns, Store, Waves};
use crate::{Element, Positions};

/// What a kernel needs to know of an element type. A group is what two vectors of f64 become: 2 · `f64s::LEN` values.
pub trait Lanes: Copy {
    /// A group rounded to this type, in registers.
    type Group<S: Simd>: Copy;
    /// Whether sums and differences of f64 products are not accurate enough for this type.
    const EXACT: bool;

    /// Rounds two vectors, the first one's lanes first.
    fn to_group<S: Simd>(values: [S::f64s; 2]) -> Self::Group<S>;
    /// a0 b0 a1 b1 …: the first half, and the second.
    fn interleave<S: Simd>(a: Self::Group<S>, b: Self::Group<S>) -> [Self::Group<S>; 2];
    /// Whether two groups have the same bits.
    fn are_same<S: Simd>(a: Self::Group<S>, b: Self::Group<S>) -> bool;
    /// Stores a group; `out` has its length.
    fn write_group<S: Simd>(group: Self::Group<S>, out: &mut [Self]);
    /// Adds a group in this type's arithmetic; `out` has its length.
    fn add_group<S: Simd>(simd: S, group: Self::Group<S>, out: &mut [Self]);
    /// Stores a0 b0 a1 b1 … in the first slice and then in the second; each has the length of a group.
    #[inline(always)]
    fn write_pairs<S: Simd>(a: Self::Group<S>, b: Self::Group<S>, out: (&mut [Self], &mut [Self])) {
        let [first, second] = Self::interleave::<S>(a, b);
        Self::write_group::<S>(first, out.0);
        Self::write_group::<S>(second, out.1);
    }
    /// Adds a0 b0 a1 b1 … in the same way.
    #[inline(always)]
    fn add_pairs<S: Simd>(simd: S, a: Self::Group<S>, b: Self::Group<S>, out: (&mut [Self], &mut [Self])) {
        let [first, second] = Self::interleave::<S>(a, b);
        Self::add_group::<S>(simd, first, out.0);
        Self::add_group::<S>(simd, second, out.1);
    }
    /// The group that is in memory.
    fn load_group<S: Simd>(simd: S, values: &[Self]) -> Self::Group<S>;
    /// Adds `vectors` to as many elements of `out`. Not generic, as `rows`.
    fn add_slice(out: &mut [Self], vectors: &[Self]);
    /// The same to four places at once: `vectors` are read once, and four streams of memory keep each other company.
    fn add_to_four(outs: [&mut [Self]; 4], vectors: &[Self]);
    /// All kernels of this type. It is not generic, so that they are compiled here, once, and not in every crate that
    /// uses them.
    fn rows(waves: &Waves, positions: &Positions<'_>, columns: &Columns, store: Store, rows: &mut Rows<'_, Self>);
}

impl Lanes for f32 {
    type Group<S: Simd> = S::f32s;
    const EXACT: bool = false;

    #[inline(always)]
    fn to_group<S: Simd>([low, high]: [S::f64s; 2]) -> S::f32s {
        low.narrow(high)
    }

    #[inline(always)]
    fn interleave<S: Simd>(a: S::f32s, b: S::f32s) -> [S::f32s; 2] {
        a.interleave(b).into()
    }

    #[inline(always)]
    fn are_same<S: Simd>(a: S::f32s, b: S::f32s) -> bool {
        a.bitcast::<S::u32s>().simd_eq(b.bitcast::<S::u32s>()).all_true()
    }

    #[inline(always)]
    fn write_group<S: Simd>(group: S::f32s, out: &mut [Self]) {
        group.store_slice(out);
    }

    #[inline(always)]
    fn add_group<S: Simd>(simd: S, group: S::f32s, out: &mut [Self]) {
        (S::f32s::from_slice(simd, out) + group).store_slice(out);
    }

    #[inline(always)]
    fn load_group<S: Simd>(simd: S, values: &[Self]) -> S::f32s {
        S::f32s::from_slice(simd, values)
    }

    fn add_slice(out: &mut [Self], vectors: &[Self]) {
        launch(Level::new(), Addition { outs: [out], vectors });
    }

    fn add_to_four(outs: [&mut [Self]; 4], vectors: &[Self]) {
        launch(Level::new(), Addition { outs, vectors });
    }

    fn rows(waves: &Waves, positions: &Positions<'_>, columns: &Columns, store: Store, rows: &mut Rows<'_, Self>) {
        waves.dispatch(positions, columns, store, rows);
    }
}

impl Lanes for f64 {
    type Group<S: Simd> = [S::f64s; 2];
    const EXACT: bool = true;

    #[inline(always)]
    fn to_group<S: Simd>(values: [S::f64s; 2]) -> [S::f64s; 2] {
        values
    }

    #[inline(always)]
    fn interleave<S: Simd>(a: [S::f64s; 2], b: [S::f64s; 2]) -> [[S::f64s; 2]; 2] {
        interleave_pairs::<S>(a, b)
    }

    #[inline(always)]
    fn are_same<S: Simd>(a: [S::f64s; 2], b: [S::f64s; 2]) -> bool {
        let same = |i: usize| a[i].bitcast::<S::u64s>().simd_eq(b[i].bitcast::<S::u64s>());
        (same(0) & same(1)).all_true()
    }

    #[inline(always)]
    fn write_group<S: Simd>([low, high]: [S::f64s; 2], out: &mut [Self]) {
        let (first, second) = out.split_at_mut(S::f64s::LEN);
        low.store_slice(first);
        high.store_slice(second);
    }

    #[inline(always)]
    fn add_group<S: Simd>(simd: S, [low, high]: [S::f64s; 2], out: &mut [Self]) {
        let (first, second) = out.split_at_mut(S::f64s::LEN);
        (S::f64s::from_slice(simd, first) + low).store_slice(first);
        (S::f64s::from_slice(simd, second) + high).store_slice(second);
    }

    #[inline(always)]
    fn load_group<S: Simd>(simd: S, values: &[Self]) -> [S::f64s; 2] {
        let (low, high) = values.split_at(S::f64s::LEN);
        [S::f64s::from_slice(simd, low), S::f64s::from_slice(simd, high)]
    }

    fn add_slice(out: &mut [Self], vectors: &[Self]) {
        launch(Level::new(), Addition { outs: [out], vectors });
    }

    fn add_to_four(outs: [&mut [Self]; 4], vectors: &[Self]) {
        launch(Level::new(), Addition { outs, vectors });
    }

    fn rows(waves: &Waves, positions: &Positions<'_>, columns: &Columns, store: Store, rows: &mut Rows<'_, Self>) {
        waves.dispatch(positions, columns, store, rows);
    }
}

/// Each of `outs`, which are as long as `vectors`, + `vectors`.
pub(super) struct Addition<'a, A, const N: usize> {
    pub(super) outs: [&'a mut [A]; N],
    pub(super) vectors: &'a [A],
}

impl<A: Element, const N: usize> Kernel for Addition<'_, A, N> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let width = 2 * S::f64s::LEN;
        let Self { outs, vectors } = self;
        let (whole, rest) = vectors.split_at(vectors.len() - vectors.len() % width);
        let mut outs = outs.map(|out| out.split_at_mut(whole.len()));
        for (at, vector) in (0..).step_by(width).zip(whole.chunks_exact(width)) {
            let group = A::load_group(simd, vector);
            for (out, _) in &mut outs {
                A::add_group(simd, group, &mut out[at..at + width]);
            }
        }
        for (_, out) in outs {
            for (out, vector) in out.iter_mut().zip(rest) {
                *out = *out + *vector;
            }
        }
    }
}

#[inline(always)]
fn interleave_pairs<S: Simd>(a: [S::f64s; 2], b: [S::f64s; 2]) -> [[S::f64s; 2]; 2] {
    [a[0].interleave(b[0]).into(), a[1].interleave(b[1]).into()]
}
