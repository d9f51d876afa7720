//! The laws that every encoding and every attention bias must obey, for tests of your own
//! implementations, and the instruction sets that tests and benchmarks can choose.

mod bias;
mod content_bias;

pub use crate::simd::InstructionSet;
pub use bias::check_bias_laws;
pub use content_bias::check_content_bias_laws;

use core::fmt;

use ndarray::{Array2, ArrayView2, Axis};

use crate::additive::PositionalEncoding;
use crate::element::Element;
use crate::error::Error;
use crate::positions::Positions;

/// A law that an encoding or a bias violates.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Violation {
    /// The law.
    pub law: &'static str,
    /// Where it does not hold.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, self.detail)
    }
}

impl std::error::Error for Violation {}

/// Checks an encoding as the crate's own encodings are checked.
///
/// - A row has the same bits alone, in a range, as an id, as a real, among repeated and shuffled
///   ids, in a batch, in a strided view.
/// - `encode_into` writes every element, whatever was there.
/// - `add_to` equals `encode` and an addition, to the bit.
/// - Wrong shapes, positions on other axes or past `max_len`, NaN and infinities are errors that
///   leave the output unchanged.
/// - Empty positions are accepted.
///
/// # Errors
///
/// The first law that is violated.
///
/// ```
/// use ndarray::ArrayViewMut2;
/// use positional_encodings::{Error, PositionalEncoding, Positions, testing};
///
/// /// One feature: the parity of the position.
/// struct Parity;
///
/// impl PositionalEncoding<f32> for Parity {
///     fn dim(&self) -> usize {
///         1
///     }
///     fn max_len(&self) -> Option<usize> {
///         None
///     }
///     fn encode_into(
///         &self,
///         positions: &Positions<'_>,
///         mut out: ArrayViewMut2<'_, f32>,
///     ) -> Result<(), Error> {
///         PositionalEncoding::<f32>::check_shape(self, positions, &out)?;
///         PositionalEncoding::<f32>::check(self, positions)?;
///         for (position, mut row) in positions.iter().zip(out.rows_mut()) {
///             row[0] = position.to_f64().rem_euclid(2.0) as f32;
///         }
///         Ok(())
///     }
/// }
///
/// testing::check_laws(&Parity)?;
/// # Ok::<(), testing::Violation>(())
/// ```
pub fn check_laws<A: Element>(encoding: &dyn PositionalEncoding<A>) -> Result<(), Violation> {
    if encoding.dim() == 0 {
        return Err(Violation {
            law: "a position vector has at least one feature",
            detail: "dim 0".into(),
        });
    }
    let len = encoding.max_len().unwrap_or(300).min(300);
    rows_do_not_depend_on_their_company(encoding, len)?;
    every_element_is_written(encoding, len)?;
    adding_is_encoding_and_addition(encoding, len)?;
    bad_input_is_refused(encoding, len)?;
    no_positions_are_no_work(encoding)
}

/// Makes positions with the same coordinate on each axis of the encoding.
fn at<'p, A: Element>(
    e: &dyn PositionalEncoding<A>,
    positions: impl Into<Positions<'p>>,
) -> Positions<'p> {
    on_axes(e.axes(), positions.into())
}

fn on_axes(axes: usize, positions: Positions<'_>) -> Positions<'_> {
    let all = core::iter::repeat_n(positions.clone(), axes);
    if axes == 1 { positions } else { Positions::from_axes(all).unwrap_or(positions) }
}

fn rows_do_not_depend_on_their_company<A: Element>(
    e: &dyn PositionalEncoding<A>,
    len: usize,
) -> Result<(), Violation> {
    const LAW: &str = "a row does not depend on how it is asked for";
    let whole = encode(LAW, e, &at(e, 0..len))?;
    let rows = |ids: &[usize]| whole.select(Axis(0), ids);
    for start in [1, 17, len / 2, len.saturating_sub(1)].into_iter().filter(|&start| start < len) {
        let part = encode(LAW, e, &at(e, start..len))?;
        same_bits(
            LAW,
            format!("range {start}..{len}"),
            part.view(),
            rows(&Vec::from_iter(start..len)).view(),
        )?;
    }
    for position in (0..len).step_by(7) {
        let alone = encode(LAW, e, &at(e, position..position + 1))?;
        same_bits(
            LAW,
            format!("position {position} alone"),
            alone.view(),
            rows(&[position]).view(),
        )?;
    }
    // Shuffled ids with repetitions: runs of all lengths, ascending and not.
    let ids: Vec<usize> =
        (0..2 * len).map(|i| if i % 5 < 3 { i / 2 } else { i * 37 % len }).collect();
    let expected = rows(&ids);
    let signed: Vec<i64> = ids.iter().map(|&id| id as i64).collect();
    let reals: Vec<f64> = ids.iter().map(|&id| id as f64).collect();
    let batch = ArrayView2::from_shape((2, len), &ids);
    let batch = batch.map_or_else(|_| Positions::from(&ids), Positions::from);
    for (name, positions) in [
        ("unsigned ids", at(e, &ids)),
        ("signed ids", at(e, &signed)),
        ("whole reals", at(e, &reals)),
        ("a batch", at(e, batch.clone())),
    ] {
        same_bits(LAW, name.to_string(), encode(LAW, e, &positions)?.view(), expected.view())?;
    }
    Ok(())
}

fn every_element_is_written<A: Element>(
    e: &dyn PositionalEncoding<A>,
    len: usize,
) -> Result<(), Violation> {
    const LAW: &str = "encode_into writes every element of any view";
    let expected = encode(LAW, e, &at(e, 0..len))?;
    // Every second row and column of a larger array, and a column-major one.
    let mut large = Array2::from_elem((2 * len, 2 * e.dim()), nan::<A>());
    let mut strided = large.view_mut();
    strided.slice_axis_inplace(Axis(0), ndarray::Slice::new(0, None, 2));
    strided.slice_axis_inplace(Axis(1), ndarray::Slice::new(0, None, -2));
    ok(LAW, e.encode_into(&at(e, 0..len), strided.view_mut()))?;
    same_bits(LAW, "a strided view".into(), strided.view(), expected.view())?;
    let mut columns = Array2::from_elem((e.dim(), len), nan::<A>());
    ok(LAW, e.encode_into(&at(e, 0..len), columns.view_mut().reversed_axes()))?;
    same_bits(LAW, "a column-major view".into(), columns.t(), expected.view())?;
    let mut wide = Array2::from_elem((len, e.dim() + 3), nan::<A>());
    let mut part = wide.view_mut();
    part.slice_axis_inplace(Axis(1), (1..e.dim() + 1).into());
    ok(LAW, e.encode_into(&at(e, 0..len), part.view_mut()))?;
    same_bits(LAW, "some columns of a wider array".into(), part.view(), expected.view())
}

fn adding_is_encoding_and_addition<A: Element>(
    e: &dyn PositionalEncoding<A>,
    len: usize,
) -> Result<(), Violation> {
    const LAW: &str = "add_to is encode and an addition";
    let words = Array2::from_shape_fn((len, e.dim()), |(i, j)| {
        A::from_f64((i * 31 + j) as f64 * 0.37 - 5.0)
    });
    let vectors = encode(LAW, e, &at(e, 0..len))?;
    let mut expected = words.clone();
    expected.zip_mut_with(&vectors, |word, vector| *word = *word + *vector);
    let mut sum = words.clone();
    ok(LAW, e.add_to(&at(e, 0..len), sum.view_mut()))?;
    same_bits(LAW, "a whole array".into(), sum.view(), expected.view())?;
    let mut columns = words.t().as_standard_layout().into_owned();
    ok(LAW, e.add_to(&at(e, 0..len), columns.view_mut().reversed_axes()))?;
    same_bits(LAW, "a column-major view".into(), columns.t(), expected.view())?;
    for (position, mut row) in words.clone().axis_chunks_iter_mut(Axis(0), 1).enumerate() {
        ok(LAW, e.add_to(&at(e, position..position + 1), row.view_mut()))?;
        let expected = expected.select(Axis(0), &[position]);
        same_bits(LAW, format!("position {position} alone"), row.view(), expected.view())?;
    }
    Ok(())
}

fn bad_input_is_refused<A: Element>(
    e: &dyn PositionalEncoding<A>,
    len: usize,
) -> Result<(), Violation> {
    const LAW: &str = "bad input is an error, and the output stays as it was";
    let past: Vec<f64> = e.max_len().map_or(vec![f64::NAN], |len| vec![len as f64, f64::NAN]);
    let bad = past.into_iter().chain([f64::INFINITY, f64::NEG_INFINITY]);
    for position in bad {
        // The valid positions before the invalid one must not be written either.
        let mut positions = vec![0.0; len.min(3)];
        positions.push(position);
        refuses(LAW, e, &at(e, &positions), (positions.len(), e.dim()))?;
    }
    let positions = at(e, 0..len.min(3));
    let rows = positions.count();
    let other_axes = on_axes(e.axes() + 1, Positions::from(0..rows));
    refuses(LAW, e, &other_axes, (rows, e.dim()))?;
    for shape in [(rows, e.dim() + 1), (rows, e.dim() - 1), (rows + 1, e.dim())] {
        refuses(LAW, e, &positions, shape)?;
    }
    Ok(())
}

fn refuses<A: Element>(
    law: &'static str,
    e: &dyn PositionalEncoding<A>,
    positions: &Positions<'_>,
    shape: (usize, usize),
) -> Result<(), Violation> {
    let before = Array2::from_shape_fn(shape, |(i, j)| A::from_f64((i + 2 * j) as f64));
    let detail = || format!("positions {positions:?}, output {shape:?}");
    let mut after = before.clone();
    for result in
        [e.encode_into(positions, after.view_mut()), e.add_to(positions, after.view_mut())]
    {
        if result.is_ok() {
            return Err(Violation { law, detail: format!("no error: {}", detail()) });
        }
    }
    same_bits(law, detail(), after.view(), before.view())
}

fn no_positions_are_no_work<A: Element>(e: &dyn PositionalEncoding<A>) -> Result<(), Violation> {
    const LAW: &str = "no positions give an empty result";
    let none = encode(LAW, e, &at(e, 0..0))?;
    same_bits(LAW, "an empty range".into(), none.view(), Array2::zeros((0, e.dim())).view())
}

fn encode<A: Element>(
    law: &'static str,
    e: &dyn PositionalEncoding<A>,
    positions: &Positions<'_>,
) -> Result<Array2<A>, Violation> {
    ok(law, e.encode(positions))
}

fn ok<T>(law: &'static str, result: Result<T, Error>) -> Result<T, Violation> {
    result.map_err(|error| Violation { law, detail: format!("unexpected error: {error}") })
}

fn nan<A: Element>() -> A {
    A::from_f64(f64::NAN)
}

/// Checks that values are equal, including the sign of zero. Conversion to f64 keeps every bit that
/// matters.
fn same_bits<A: Element>(
    law: &'static str,
    detail: String,
    found: ArrayView2<'_, A>,
    expected: ArrayView2<'_, A>,
) -> Result<(), Violation> {
    if found.dim() != expected.dim() {
        let detail = format!("{detail}: shape {:?} instead of {:?}", found.dim(), expected.dim());
        return Err(Violation { law, detail });
    }
    for ((at, found), expected) in found.indexed_iter().zip(expected) {
        if found.to_f64().to_bits() != expected.to_f64().to_bits() {
            return Err(Violation {
                law,
                detail: format!("{detail}: {found:?} instead of {expected:?} at {at:?}"),
            });
        }
    }
    Ok(())
}
