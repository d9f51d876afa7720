//! From vectors of f64 to elements in memory: the one rounding and the store; and the arithmetic of
//! each type.

use fearless_simd::prelude::*;

use super::long::Long;
use super::rows::Rows;
use super::sincos::Two;
use super::turned::Number;
use super::{Columns, Store, Waves};
use crate::Positions;

/// What a kernel needs to know of an element type. A group is what two vectors of f64 become: 2 ·
/// `f64s::LEN` values.
pub trait Lanes: Copy {
    /// A group rounded to this type, in registers.
    type Group<S: Simd>: Copy;
    /// The numbers that are turned to make a group.
    type Number<S: Simd>: Number<S>;
    /// Whether doubles are not enough for them.
    const EXACT: bool;
    /// Whether sines and cosines in turn are stored as they are shown.
    const PAIRED: bool;

    /// Rounds two vectors, the first one's lanes first.
    fn to_group<S: Simd>(values: Two<S::f64s>) -> Self::Group<S>;
    /// The same, but where it says so the last bit may be wrong.
    #[inline(always)]
    fn to_group_or_doubt<S: Simd>(values: Two<S::f64s>) -> (Self::Group<S>, S::mask32s) {
        (Self::to_group::<S>(values), S::mask32s::splat(values.0.token(), false))
    }
    /// a0 b0 a1 b1 …: the first half, and the second.
    fn interleave<S: Simd>(a: Self::Group<S>, b: Self::Group<S>) -> [Self::Group<S>; 2];
    /// Whether two groups have the same bits.
    fn are_same<S: Simd>(a: Self::Group<S>, b: Self::Group<S>) -> bool;
    /// Stores a group; `out` has its length.
    fn write_group<S: Simd>(group: Self::Group<S>, out: &mut [Self]);
    /// The sum in this type's arithmetic.
    fn sum<S: Simd>(a: Self::Group<S>, b: Self::Group<S>) -> Self::Group<S>;
    /// Stores a0 b0 a1 b1 … in the first slice and then in the second; each has the length of a
    /// group.
    #[inline(always)]
    fn write_pairs<S: Simd>(a: Self::Group<S>, b: Self::Group<S>, out: (&mut [Self], &mut [Self])) {
        let [first, second] = Self::interleave::<S>(a, b);
        Self::write_group::<S>(first, out.0);
        Self::write_group::<S>(second, out.1);
    }
    /// The group that is in memory.
    fn load_group<S: Simd>(simd: S, values: &[Self]) -> Self::Group<S>;
    /// All kernels of this type. It is not generic, so that they are compiled here, once, and not
    /// in every crate that uses them.
    fn rows(
        waves: &Waves,
        positions: &Positions<'_>,
        columns: &Columns,
        store: Store,
        rows: &mut Rows<'_, Self>,
    );
}

impl Lanes for f32 {
    type Group<S: Simd> = S::f32s;
    type Number<S: Simd> = Two<S::f64s>;
    const EXACT: bool = false;
    const PAIRED: bool = true;

    #[inline(always)]
    fn to_group<S: Simd>(Two(low, high): Two<S::f64s>) -> S::f32s {
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
    fn sum<S: Simd>(a: S::f32s, b: S::f32s) -> S::f32s {
        a + b
    }

    #[inline(always)]
    fn load_group<S: Simd>(simd: S, values: &[Self]) -> S::f32s {
        S::f32s::from_slice(simd, values)
    }

    fn rows(
        waves: &Waves,
        positions: &Positions<'_>,
        columns: &Columns,
        store: Store,
        rows: &mut Rows<'_, Self>,
    ) {
        waves.dispatch(positions, columns, store, rows);
    }
}

impl Lanes for f64 {
    type Group<S: Simd> = [S::f64s; 2];
    type Number<S: Simd> = Long<Two<S::f64s>>;
    const EXACT: bool = true;
    const PAIRED: bool = true;

    #[inline(always)]
    fn to_group<S: Simd>(Two(low, high): Two<S::f64s>) -> [S::f64s; 2] {
        [low, high]
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
    fn sum<S: Simd>(a: [S::f64s; 2], b: [S::f64s; 2]) -> [S::f64s; 2] {
        [a[0] + b[0], a[1] + b[1]]
    }

    #[inline(always)]
    fn load_group<S: Simd>(simd: S, values: &[Self]) -> [S::f64s; 2] {
        let (low, high) = values.split_at(S::f64s::LEN);
        [S::f64s::from_slice(simd, low), S::f64s::from_slice(simd, high)]
    }

    fn rows(
        waves: &Waves,
        positions: &Positions<'_>,
        columns: &Columns,
        store: Store,
        rows: &mut Rows<'_, Self>,
    ) {
        waves.dispatch(positions, columns, store, rows);
    }
}

#[inline(always)]
fn interleave_pairs<S: Simd>(a: [S::f64s; 2], b: [S::f64s; 2]) -> [[S::f64s; 2]; 2] {
    [a[0].interleave(b[0]).into(), a[1].interleave(b[1]).into()]
}
