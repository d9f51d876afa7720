//! Dot products of rows with rows. Sums stay in registers until they are complete.

use core::marker::PhantomData;

use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd};
use ndarray::{ArrayView2, ArrayViewMut2, Axis};

use crate::arrays::zeros;
use crate::element::{AnyElement, Element, Lanes, OfElement};
use crate::error::Error;
use crate::simd::Kernel;

/// The number of rows whose sums are in registers together: 2 · `ROWS` vectors of sums, and three
/// more, fit into the 16 registers of AVX2.
const ROWS: usize = 6;
/// The elements of the longest vector.
const LANES: usize = 16;

/// Writes to `out` (rows, columns) the dot products of the rows of `left` (rows, dim) with those of
/// `right` (columns, dim), all in row-major order.
///
/// With ndarray's own product, similarity takes a third longer where there is AVX-512, for which
/// `matrixmultiply` has no code.
///
/// # Errors
///
/// [`Error::TooLarge`] where a copy of `left` does not fit into memory.
pub(super) fn dot_products<T: Element>(
    left: ArrayView2<'_, T>,
    right: ArrayView2<'_, T>,
    out: ArrayViewMut2<'_, T>,
) -> Result<(), Error> {
    dot_products_at(Level::new(), left, right, out)
}

fn dot_products_at<T: Element>(
    level: Level,
    left: ArrayView2<'_, T>,
    right: ArrayView2<'_, T>,
    mut out: ArrayViewMut2<'_, T>,
) -> Result<(), Error> {
    let dim = left.ncols();
    let mut strips = zeros(left.nrows().div_ceil(ROWS), ROWS * dim)?;
    for (rows, mut strip) in left.axis_chunks_iter(Axis(0), ROWS).zip(strips.outer_iter_mut()) {
        transpose(rows, ROWS, strip.as_slice_mut().unwrap_or_default());
    }
    let mut panel = zeros(dim + 1, 2 * LANES)?;
    // Views of ndarray 0.16 do not shorten their lifetimes by themselves.
    let (strips, right) = (strips.view(), right.view());
    let (panel, out) = (panel.view_mut(), out.view_mut());
    match T::any::<ProductsOf<'_>>(Products { strips, right, panel, out }) {
        AnyElement::F32(products) => products.launch(level),
        AnyElement::F64(products) => products.launch(level),
        // Tables are converted to the type of their angles first.
        #[cfg(feature = "half")]
        AnyElement::F16(_) | AnyElement::Bf16(_) => (),
    }
    Ok(())
}

/// Writes the first elements of all `count` rows, then the second ones, and so on. Rows beyond the
/// last are left as they are.
fn transpose<T: Element>(rows: ArrayView2<'_, T>, count: usize, out: &mut [T]) {
    /// A cache line of f32: a line is read once, and what it is written to is in cache.
    const AT_A_TIME: usize = 16;
    let columns = rows.axis_chunks_iter(Axis(1), AT_A_TIME);
    for (columns, out) in columns.zip(out.chunks_mut(AT_A_TIME * count)) {
        for (i, row) in columns.outer_iter().enumerate() {
            out.iter_mut().skip(i).step_by(count).zip(row).for_each(|(out, value)| *out = *value);
        }
    }
}

struct Products<'a, T> {
    /// Groups of rows on the left, each transposed.
    strips: ArrayView2<'a, T>,
    right: ArrayView2<'a, T>,
    /// Room for a group of rows on the right, transposed, from the next cache line on.
    panel: ArrayViewMut2<'a, T>,
    out: ArrayViewMut2<'a, T>,
}

struct ProductsOf<'a>(PhantomData<&'a ()>);

impl<'a> OfElement for ProductsOf<'a> {
    type Of<A: Element> = Products<'a, A>;
}

impl<T: Lanes<Angle = T> + SimdFloatElement> Kernel for Products<'_, T> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { strips, right, mut panel, mut out } = self;
        let width = 2 * T::Vector::<S>::LEN;
        let panel = panel.as_slice_mut().unwrap_or_default();
        // A vector that straddles two cache lines costs twice as much.
        let start = panel.as_ptr().align_offset(64).min(LANES);
        let panel = &mut panel[start..][..width * right.ncols()];
        let groups = right.axis_chunks_iter(Axis(0), width);
        for (rows, mut out) in groups.zip(out.axis_chunks_iter_mut(Axis(1), width)) {
            transpose(rows, width, panel);
            for (strip, mut out) in strips.outer_iter().zip(out.axis_chunks_iter_mut(Axis(0), ROWS))
            {
                let strip = strip.to_slice().unwrap_or_default();
                let sums = of_strip::<S, T>(simd, strip, panel);
                for ([low, high], mut out) in sums.into_iter().zip(out.outer_iter_mut()) {
                    let mut row = [T::zero(); 2 * LANES];
                    let (first, second) = row[..width].split_at_mut(width / 2);
                    T::store(low, first);
                    T::store(high, second);
                    out.iter_mut().zip(row).for_each(|(out, value)| *out = value);
                }
            }
        }
    }
}

/// Returns the dot products of a strip of rows with two vectors of rows.
#[inline(always)]
fn of_strip<S: Simd, T: Lanes<Angle = T> + SimdFloatElement>(
    simd: S,
    strip: &[T],
    panel: &[T],
) -> [[T::Vector<S>; 2]; ROWS] {
    let lanes = T::Vector::<S>::LEN;
    let mut sums = [[T::Vector::splat(simd, T::zero()); 2]; ROWS];
    let (strip, _) = strip.as_chunks::<ROWS>();
    for (left, right) in strip.iter().zip(panel.chunks_exact(2 * lanes)) {
        let (low, high) = right.split_at(lanes);
        let right = [T::load(simd, low), T::load(simd, high)];
        for (sums, left) in sums.iter_mut().zip(left) {
            let left = T::Vector::splat(simd, *left);
            *sums = [left.mul_add(right[0], sums[0]), left.mul_add(right[1], sums[1])];
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::simd::InstructionSet;

    /// Compares with ndarray's product where rows and columns do not fill the last vectors.
    fn check<T: Element + ndarray::LinalgScalar>() {
        let number = |i: usize| T::from_f64(((i * 7919) % 1013) as f64 / 512.0 - 1.0);
        for (rows, columns, dim) in [(1, 1, 1), (13, 37, 35), (6, 32, 16), (20, 70, 129)] {
            let left = Array2::from_shape_fn((rows, dim), |(i, k)| number(i * dim + k));
            let right = Array2::from_shape_fn((columns, dim), |(i, k)| number(5 + i * dim + k));
            let expected = left.dot(&right.t());
            for set in InstructionSet::available() {
                // Columns of a wider array, as for blocks at the end of a table.
                let mut room = Array2::from_elem((rows, columns + 3), T::from_f64(9.0));
                let (out, rest) = room.view_mut().split_at(Axis(1), columns);
                let level = set.level().unwrap();
                dot_products_at(level, left.view(), right.view(), out).unwrap();
                assert!(rest.iter().all(|value| value.to_f64() == 9.0));
                for (at, expected) in expected.indexed_iter() {
                    let (found, expected) = (room[at].to_f64(), expected.to_f64());
                    assert!((found - expected).abs() < 1e-4, "{set:?}: {found} {expected}");
                }
            }
        }
    }

    #[test]
    fn products_are_those_of_ndarray() {
        check::<f32>();
        check::<f64>();
    }
}
