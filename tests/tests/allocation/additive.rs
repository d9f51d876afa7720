//! Once an encoding exists, no call that writes to the caller's arrays takes anything from the
//! heap.

use crate::counter::measure;
use ndarray::{Array1, Array2, Array3, Array4, ArrayView1, ArrayViewMut2, Axis, Slice};
use positional_encodings::{
    Element, Error, FeatureLayout, Fourier, Frequencies, Learned, OddDim, PositionalEncoding,
    Positions, Sinusoidal, TokenEmbedding, add_positions, add_positions_at, training::Scaled,
};

const LEN: usize = 70;
/// One more than an encoding's `dim`, so that there can be gaps between rows.
const GAP: usize = 1;

type Named<A> = (&'static str, Box<dyn PositionalEncoding<A>>);

fn encodings<A: Element>() -> Result<Vec<Named<A>>, Error> {
    let table = |dim| Learned::from_table(Array2::from_elem((LEN + 2, dim), A::from_f64(0.5)));
    let odd = |dim, convention| Sinusoidal::odd(dim, convention);
    let inclusive =
        |dim| Frequencies::geometric_inclusive(dim, 10_000.0).map(Sinusoidal::from_frequencies);
    Ok(vec![
        ("the paper", Box::new(Sinusoidal::new(64)?)),
        ("halves", Box::new(Sinusoidal::new(66)?.with_layout(FeatureLayout::SinCosHalves))),
        ("dim 2", Box::new(inclusive(2)?)),
        ("dim 1", Box::new(odd(1, OddDim::DropLast)?)),
        ("odd, interleaved", Box::new(odd(17, OddDim::DropLast)?)),
        (
            "odd, halves",
            Box::new(odd(1023, OddDim::DropLastOfEven)?.with_layout(FeatureLayout::CosSinHalves)),
        ),
        ("odd, a column of zeros", Box::new(odd(1025, OddDim::ZeroColumn)?)),
        ("more pairs than a chunk", Box::new(Sinusoidal::new(2100)?)),
        ("as wide as models get", Box::new(Sinusoidal::new(8192)?)),
        (
            "fairseq",
            Box::new(
                inclusive(6)?
                    .with_layout(FeatureLayout::SinCosHalves)
                    .padded_to(7)?
                    .with_zero_position(1),
            ),
        ),
        ("learned", Box::new(table(64)?)),
        ("learned, odd", Box::new(table(17)?)),
        ("learned, with an offset", Box::new(table(64)?.with_offset(2)?)),
        ("an amplitude", Box::new(Scaled::new(Sinusoidal::new(64)?, 0.75)?)),
        ("an amplitude, odd", Box::new(Scaled::new(odd(1023, OddDim::DropLast)?, 0.75)?)),
        ("an amplitude of a table", Box::new(Scaled::new(table(17)?, 0.75)?)),
    ])
}

/// Fails if `work` allocates. There is no warm-up: the first call must not allocate either.
fn takes_nothing(what: &str, name: &str, work: impl FnOnce() -> Result<(), Error>) {
    let (taken, result) = measure(work);
    result.unwrap_or_else(|error| panic!("{what}, {name}: {error}"));
    assert_eq!(taken.calls, 0, "{what}, {name}: up to {} bytes of the heap", taken.peak);
}

/// Contiguous rows, rows with gaps, features with gaps, features in reverse, and rows and columns
/// exchanged.
fn views<A: Element>(rows: usize, dim: usize, mut visit: impl FnMut(&str, ArrayViewMut2<'_, A>)) {
    visit("contiguous", Array2::zeros((rows, dim)).view_mut());
    let mut wide = Array2::zeros((rows, dim + GAP));
    visit("rows apart", wide.slice_axis_mut(Axis(1), (..dim).into()));
    visit("unaligned rows", wide.slice_axis_mut(Axis(1), (GAP..).into()));
    let mut wider = Array2::zeros((rows, 2 * dim));
    visit("features apart", wider.slice_axis_mut(Axis(1), Slice::new(0, None, 2)));
    visit(
        "features backwards",
        wider.slice_axis_mut(Axis(1), Slice::new(0, Some(dim as isize), -1)),
    );
    visit("column-major", Array2::zeros((dim, rows)).view_mut().reversed_axes());
}

fn matrices<A: Element>(name: &str, encoding: &dyn PositionalEncoding<A>) {
    let shuffled: Vec<i64> = (0..LEN as i64).map(|i| i * 37 % LEN as i64).collect();
    let packed: Vec<usize> = (0..LEN).map(|i| i % 30).collect();
    let reals: Vec<f64> = (0..LEN).map(|i| i as f64 * 0.75).collect();
    let lists = [
        ("a range", Positions::from(1..LEN)),
        ("a decode step", Positions::from(LEN - 1..LEN)),
        ("nothing", Positions::from(5..5)),
        ("shuffled ids", Positions::from(&shuffled)),
        ("packed documents", Positions::from(&packed)),
        ("reals", Positions::from(&reals)),
    ];
    for (list, positions) in &lists {
        views(positions.len(), encoding.dim(), |view, mut out| {
            let what = |call| format!("{call} at {list}, {view}");
            takes_nothing(&what("encode_into"), name, || {
                encoding.encode_into(positions, out.view_mut())
            });
            takes_nothing(&what("add_to"), name, || encoding.add_to(positions, out.view_mut()));
        });
    }
}

fn batches<A: Element>(name: &str, encoding: &dyn PositionalEncoding<A>) {
    let dim = encoding.dim();
    let mut batch = Array3::<A>::zeros((3, LEN, dim));
    let mut apart = Array3::<A>::zeros((3, LEN, dim + GAP));
    let mut step = Array3::<A>::zeros((3, 1, dim));
    let mut heads = Array4::<A>::zeros((2, 3, 7, dim));
    takes_nothing("add_positions", name, || add_positions(batch.view_mut(), &encoding));
    takes_nothing("add_positions, one row each", name, || {
        add_positions(step.view_mut(), &encoding)
    });
    takes_nothing("add_positions, four axes", name, || add_positions(heads.view_mut(), &encoding));
    let rows = apart.slice_axis_mut(Axis(2), (..dim).into());
    takes_nothing("add_positions, rows apart", name, || add_positions(rows, &encoding));

    let ids = Array2::from_shape_fn((3, LEN), |(b, i)| (i.max(b) - b) as i64);
    let last = Array2::from_shape_fn((3, 1), |(b, _)| LEN - 1 - b);
    takes_nothing("add_positions_at a range", name, || {
        add_positions_at(batch.view_mut(), &encoding, 0..LEN)
    });
    takes_nothing("add_positions_at ids", name, || {
        add_positions_at(batch.view_mut(), &encoding, &ids)
    });
    takes_nothing("add_positions_at ids of a step", name, || {
        add_positions_at(step.view_mut(), &encoding, &last)
    });
    let rows = apart.slice_axis_mut(Axis(2), (..dim).into());
    takes_nothing("add_positions_at ids, rows apart", name, || {
        add_positions_at(rows, &encoding, &ids)
    });
}

fn lookups<A: Element>(name: &str, encoding: &dyn PositionalEncoding<A>) -> Result<(), Error> {
    let dim = encoding.dim();
    let table = |rows| Array2::from_elem((rows, dim), A::from_f64(0.25));
    let words = TokenEmbedding::new(table(11), encoding)?;
    let scaled =
        TokenEmbedding::new(table(11), encoding)?.with_scale(32.0)?.with_segments(table(2))?;
    let tokens = Array2::from_shape_fn((3, LEN), |(b, i)| (b + i) as i64 % 11);
    let kinds = tokens.mapv(|token| token % 2);
    let ids = Array2::from_shape_fn((3, LEN), |(b, i)| (i.max(b) - b) as i64);
    let mut out = Array3::zeros((3, LEN, dim));
    for (embedding, what) in [(&words, "words"), (&scaled, "words, scale and segments")] {
        takes_nothing(what, name, || embedding.lookup(&tokens).embed_into(out.view_mut()));
        takes_nothing(what, name, || embedding.lookup(&tokens).at(&ids).embed_into(out.view_mut()));
        let step: ArrayView1<'_, i64> = tokens.index_axis(Axis(0), 0);
        takes_nothing(what, name, || {
            embedding.lookup(&step).embed_into(out.index_axis_mut(Axis(0), 1))
        });
    }
    takes_nothing("named segments", name, || {
        scaled.lookup(&tokens).with_segments(&kinds).embed_into(out.view_mut())
    });
    let mut apart = Array3::zeros((3, LEN, dim + GAP));
    let rows = apart.slice_axis_mut(Axis(2), (..dim).into());
    takes_nothing("rows apart", name, || scaled.lookup(&tokens).embed_into(rows));
    let token = Array1::from_elem(1, 7_i64);
    let mut row = Array2::zeros((1, dim));
    takes_nothing("a decode step", name, || {
        scaled.lookup(&token).at(LEN - 1..LEN).embed_into(row.view_mut())
    });
    Ok(())
}

/// The widest rows of which a block fits on the stack, as stated in CHANGELOG.md.
fn widest<A>() -> usize {
    match size_of::<A>() {
        8 => 32_768,
        4 => 65_536,
        _ => 65_520,
    }
}

/// Blocks of rows that are added are on the stack. A row that is wider than such a block is on the
/// heap, once in a call.
fn very_wide_rows<A: Element>() {
    for (dim, most) in [(widest::<A>(), 0), (widest::<A>() + 2, 1)] {
        let encoding = Sinusoidal::new(dim).unwrap();
        let positions = Positions::from(0..3);
        let name = format!("dim {dim}, {}", std::any::type_name::<A>());
        let mut batch = Array3::<A>::zeros((2, 3, 2 * dim));
        let mut rows = batch.slice_axis_mut(Axis(2), (..dim).into());
        let rows = rows.index_axis_mut(Axis(0), 0);
        takes_a_row::<A>("a matrix of wide rows", &name, dim * most, || {
            encoding.add_to(&positions, rows)
        });
        let mut rows = batch.slice_axis_mut(Axis(2), Slice::new(0, None, 2));
        let rows = rows.index_axis_mut(Axis(0), 0);
        takes_nothing("features apart", &name, || encoding.encode_into(&positions, rows));
        for step in [1, 2] {
            let rows = batch
                .slice_axis_mut(Axis(2), Slice::new(0, Some((step * dim) as isize), step as isize));
            takes_a_row::<A>("a batch of wide rows", &name, dim * most, || {
                add_positions(rows, &encoding)
            });
        }
    }
}

/// Fails if `work` allocates anything but one row, or anything at all if the row has no elements.
fn takes_a_row<A>(
    what: &str,
    name: &str,
    elements: usize,
    work: impl FnOnce() -> Result<(), Error>,
) {
    let (taken, result) = measure(work);
    result.unwrap_or_else(|error| panic!("{what}, {name}: {error}"));
    let expected = (usize::from(elements > 0), elements * size_of::<A>());
    assert_eq!((taken.calls, taken.peak), expected, "{what}, {name}: calls and bytes");
}

/// Points on up to 8 axes, in rows that kernels write and in rows that they do not.
fn points<A: Element>() -> Result<(), Error> {
    for (axes, pairs) in [(2, 64), (3, 5), (8, 16)] {
        let turns = Array2::from_shape_fn((axes, pairs), |(k, j)| 0.3 * (k + j) as f64 - 1.0);
        let points = Array2::from_shape_fn((LEN, axes), |(i, k)| 0.1 * i as f32 - k as f32);
        let points = Positions::from_points(&points)?;
        for layout in [FeatureLayout::SinCosHalves, FeatureLayout::Interleaved] {
            let fourier = Fourier::new(&turns)?.with_layout(layout);
            let mut rows = Array2::<A>::zeros((LEN, 2 * pairs));
            let name = format!("{axes} axes, {pairs} pairs, {layout:?}");
            takes_nothing("points", &name, || fourier.encode_into(&points, rows.view_mut()));
        }
    }
    Ok(())
}

/// All checks, on one thread.
fn all<A: Element>() {
    points::<A>().unwrap();
    for (name, encoding) in encodings::<A>().unwrap() {
        let name = format!("{name}, {}", std::any::type_name::<A>());
        matrices(&name, &*encoding);
        batches(&name, &*encoding);
        lookups(&name, &*encoding).unwrap();
    }
    very_wide_rows::<A>();
}

/// Runs `work` in a pool of the given number of threads and returns the pool: threads allocate when
/// they start or end.
#[cfg(feature = "rayon")]
fn on_threads(count: usize, work: impl FnOnce() + Send) -> rayon::ThreadPool {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count).build().unwrap();
    pool.broadcast(|_| ());
    pool.install(work);
    pool
}

#[cfg(not(feature = "rayon"))]
fn on_threads(_: usize, work: impl FnOnce()) -> NoPool {
    work();
    NoPool
}

/// Without rayon there is no pool.
#[cfg(not(feature = "rayon"))]
struct NoPool;

/// Short calls stay on their thread. Long ones use other threads, and allocate nothing but room in
/// rayon's queues now and then.
fn among_threads() {
    const CALLS: usize = 256;
    let encoding = Sinusoidal::new(64).unwrap();
    matrices::<f32>("among threads", &encoding);
    batches::<f32>("among threads", &encoding);
    let mut words = Array3::<f32>::zeros((64, 256, 64));
    let (taken, ()) =
        measure(|| (0..CALLS).for_each(|_| add_positions(words.view_mut(), &encoding).unwrap()));
    assert!(taken.calls <= CALLS / 32, "{} in {CALLS} calls", taken.calls);
}

pub fn run() {
    let _one = on_threads(1, || {
        all::<f32>();
        all::<f64>();
        #[cfg(feature = "half")]
        {
            all::<half::f16>();
            all::<half::bf16>();
        }
    });
    let _two = on_threads(2, among_threads);
}
