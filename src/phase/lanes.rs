//! The arithmetic of each type, in vectors.

use fearless_simd::prelude::*;

use super::sums::Sums;
use crate::InstructionSet;
use crate::simd::launch;

pub trait Lanes: Copy {
    type Group<S: Simd>: Copy;
    fn write_group<S: Simd>(group: Self::Group<S>, out: &mut [Self]);
    fn sum<S: Simd>(a: Self::Group<S>, b: Self::Group<S>) -> Self::Group<S>;
    fn product<S: Simd>(a: Self::Group<S>, b: Self::Group<S>) -> Self::Group<S>;
    fn load_group<S: Simd>(simd: S, values: &[Self]) -> Self::Group<S>;
    fn add_up(set: InstructionSet, sums: Sums<'_, Self>);
}

impl Lanes for f32 {
    type Group<S: Simd> = S::f32s;

    #[inline(always)]
    fn write_group<S: Simd>(group: S::f32s, out: &mut [Self]) {
        group.store_slice(out);
    }

    #[inline(always)]
    fn sum<S: Simd>(a: S::f32s, b: S::f32s) -> S::f32s {
        a + b
    }

    #[inline(always)]
    fn product<S: Simd>(a: S::f32s, b: S::f32s) -> S::f32s {
        a * b
    }

    #[inline(always)]
    fn load_group<S: Simd>(simd: S, values: &[Self]) -> S::f32s {
        S::f32s::from_slice(simd, values)
    }

    fn add_up(set: InstructionSet, sums: Sums<'_, Self>) {
        launch(set.level_or_best(), sums);
    }
}

impl Lanes for f64 {
    type Group<S: Simd> = [S::f64s; 2];

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
    fn product<S: Simd>(a: [S::f64s; 2], b: [S::f64s; 2]) -> [S::f64s; 2] {
        [a[0] * b[0], a[1] * b[1]]
    }

    #[inline(always)]
    fn load_group<S: Simd>(simd: S, values: &[Self]) -> [S::f64s; 2] {
        let (low, high) = values.split_at(S::f64s::LEN);
        [S::f64s::from_slice(simd, low), S::f64s::from_slice(simd, high)]
    }

    fn add_up(set: InstructionSet, sums: Sums<'_, Self>) {
        launch(set.level_or_best(), sums);
    }
}
