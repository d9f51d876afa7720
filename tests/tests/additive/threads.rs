//! Long calls run on all cores, with the same bits as on one.

use ndarray::{Array2, Array3, ArrayView, ArrayViewMut2, Axis, Dimension, s};
use positional_encodings::{
    Element, Error, Learned, PositionalEncoding, Positions, Sinusoidal, TokenEmbedding,
    add_positions, add_positions_at, embed_with_positions,
};
use rayon::ThreadPoolBuilder;

/// Calls on more bytes than this are divided among threads.
const CUT: usize = 1 << 20;
/// Enough rows to be divided twice, and not a round number.
fn rows<A>() -> usize {
    2 * CUT / (530 * size_of::<A>()) + 27
}

/// The results by name: a hash for each row.
type Results = Vec<(String, Vec<u64>)>;

/// Keeps a hash of the bits of each row, for calls long enough to be divided twice.
fn keep<A: Element, D: Dimension>(
    results: &mut Results,
    name: String,
    values: ArrayView<'_, A, D>,
) {
    assert!(values.len() * size_of::<A>() > 2 * CUT, "{name} is not cut into more than two parts");
    let dim = values.shape()[values.ndim() - 1];
    let values = values.to_slice().unwrap();
    results.push((name, values.chunks(dim).map(hash).collect()));
}

/// Returns a hash that depends on every bit and on the order. Conversion to f64 keeps all bits, the
/// sign of zero included.
fn hash<A: Element>(values: &[A]) -> u64 {
    values.iter().fold(0x9e37_79b9_7f4a_7c15, |hash, value| {
        let mixed = (hash ^ value.to_f64().to_bits()).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 31)
    })
}

fn value<A: Element>(i: usize, k: usize) -> A {
    A::from_f64((i * 31 % 1009 + k * 7 % 13) as f64 * 0.01 - 5.0)
}

fn table<A: Element>(rows: usize, dim: usize) -> Array2<A> {
    Array2::from_shape_fn((rows, dim), |(i, k)| value(i, k))
}

type Named<A> = (&'static str, Box<dyn PositionalEncoding<A>>);

fn encodings<A: Element>() -> Result<Vec<Named<A>>, Error> {
    Ok(vec![
        ("the paper", Box::new(Sinusoidal::new(530)?)),
        ("learned", Box::new(Learned::from_table(table(rows::<A>() + 7, 530))?)),
    ])
}

fn matrices<A: Element>(
    results: &mut Results,
    name: &str,
    encoding: &dyn PositionalEncoding<A>,
) -> Result<(), Error> {
    let len = rows::<A>();
    let shuffled: Vec<i64> = (0..len).map(|i| (i * 37 % len) as i64).collect();
    let reals: Vec<f64> = (0..len).map(|i| i as f64 * 0.75).collect();
    let lists = [
        ("a range", Positions::from(5..len + 5)),
        ("ids", (&shuffled).into()),
        ("reals", (&reals).into()),
    ];
    for (list, positions) in &lists {
        let what = |call: &str| format!("{call} at {list}, {name}, {}", std::any::type_name::<A>());
        keep(results, what("encode"), encoding.encode(positions)?.view());
        let mut out = Array2::<A>::ones((len, encoding.dim() + 1));
        let part = |out: &mut Array2<A>,
                    work: &dyn Fn(ArrayViewMut2<'_, A>) -> Result<(), Error>| {
            work(out.slice_mut(s![.., 1..]))
        };
        part(&mut out, &|rows| encoding.encode_into(positions, rows))?;
        keep(results, what("encode_into"), out.view());
        part(&mut out, &|rows| encoding.add_to(positions, rows))?;
        keep(results, what("add_to"), out.view());
    }
    Ok(())
}

fn batches<A: Element>(
    results: &mut Results,
    name: &str,
    encoding: &dyn PositionalEncoding<A>,
) -> Result<(), Error> {
    let dim = encoding.dim();
    let what = |call: &str| format!("{call}, {name}, {}", std::any::type_name::<A>());
    // Long sequences are divided at a position, short ones between sequences.
    for (sequences, len) in [(2, rows::<A>() / 2 + 9), (41, rows::<A>() / 41 + 1)] {
        let words = Array3::from_elem((sequences, len, dim), value::<A>(7, 5));
        keep(
            results,
            what("embed_with_positions"),
            embed_with_positions(&words, &encoding)?.view(),
        );
        let mut sum = words.clone();
        add_positions(sum.view_mut(), &encoding)?;
        keep(results, what("add_positions"), sum.view());
        let ids = Array2::from_shape_fn((sequences, len), |(n, i)| (i.max(n) - n) as i64);
        add_positions_at(sum.view_mut(), &encoding, &ids)?;
        keep(results, what("add_positions_at ids"), sum.view());
    }
    Ok(())
}

fn lookups<A: Element>(
    results: &mut Results,
    name: &str,
    encoding: &dyn PositionalEncoding<A>,
) -> Result<(), Error> {
    let dim = encoding.dim();
    let what = |call: &str| format!("{call}, {name}, {}", std::any::type_name::<A>());
    let words = TokenEmbedding::new(table(97, dim), encoding)?.with_scale(32.7)?;
    let segmented = words.clone().with_segments(table(2, dim))?;
    for (sequences, len) in [(1, rows::<A>()), (41, rows::<A>() / 41 + 1)] {
        let tokens = Array2::from_shape_fn((sequences, len), |(n, i)| (31 * n + 17 * i * i) % 97);
        let kinds = tokens.mapv(|token| token % 2);
        let ids = Array2::from_shape_fn((sequences, len), |(n, i)| (i.max(n) - n) as i64);
        keep(results, what("embed"), words.embed(&tokens)?.view());
        let mut out = Array3::ones((sequences, len, dim));
        segmented.lookup(&tokens).with_segments(&kinds).embed_into(out.view_mut())?;
        keep(results, what("a lookup with segments"), out.view());
        segmented.lookup(&tokens).with_segments(&kinds).at(&ids).embed_into(out.view_mut())?;
        keep(results, what("a lookup with segments at ids"), out.view());
        let one = tokens.index_axis(Axis(0), 0);
        if sequences == 1 {
            keep(results, what("a lookup of one sequence"), words.lookup(&one).embed()?.view());
        }
    }
    Ok(())
}

fn all<A: Element>() -> Results {
    let mut results = Vec::new();
    for (name, encoding) in encodings::<A>().unwrap() {
        matrices(&mut results, name, &*encoding).unwrap();
        batches(&mut results, name, &*encoding).unwrap();
        lookups(&mut results, name, &*encoding).unwrap();
    }
    results
}

fn check<A: Element>() {
    let on =
        |threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(all::<A>);
    let one = on(1);
    for threads in [2, 3] {
        let many = on(threads);
        assert_eq!(many.len(), one.len());
        for ((name, found), (_, expected)) in many.iter().zip(&one) {
            let differ = found.iter().zip(expected).position(|(found, expected)| found != expected);
            assert_eq!(differ, None, "the row that differs: {name}, {threads} threads");
            assert_eq!(found.len(), expected.len());
        }
    }
}

#[test]
fn f32_has_the_bits_of_one_thread() {
    check::<f32>();
}

#[test]
fn f64_has_the_bits_of_one_thread() {
    check::<f64>();
}

#[cfg(feature = "half")]
#[test]
fn f16_has_the_bits_of_one_thread() {
    check::<half::f16>();
}

#[cfg(feature = "half")]
#[test]
fn bf16_has_the_bits_of_one_thread() {
    check::<half::bf16>();
}
