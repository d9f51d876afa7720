//! From vectors of f64 to elements in memory: the one rounding, and the store or the addition.

use fearless_simd::prelude::*;

use super::rows::Rows;
use super::{Columns, Store, Waves};
use crate::Positions;

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
    /// Stores a group; `out` has its length.
    fn write_group<S: Simd>(group: Self::Group<S>, out: &mut [Self]);
    /// Adds a group in this type's arithmetic; `out` has its length.
    fn add_group<S: Simd>(simd: S, group: Self::Group<S>, out: &mut [Self]);
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
    fn write_group<S: Simd>(group: S::f32s, out: &mut [Self]) {
        group.store_slice(out);
    }

    #[inline(always)]
    fn add_group<S: Simd>(simd: S, group: S::f32s, out: &mut [Self]) {
        (S::f32s::from_slice(simd, out) + group).store_slice(out);
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

    fn rows(waves: &Waves, positions: &Positions<'_>, columns: &Columns, store: Store, rows: &mut Rows<'_, Self>) {
        waves.dispatch(positions, columns, store, rows);
    }
}

#[inline(always)]
fn interleave_pairs<S: Simd>(a: [S::f64s; 2], b: [S::f64s; 2]) -> [[S::f64s; 2]; 2] {
    [a[0].interleave(b[0]).into(), a[1].interleave(b[1]).into()]
}
