//! The crate's own biases that read queries or keys, at positions that they support: a new bias
//! adds a line.

use ndarray::{Array2, Array3, Axis};
use positional_encodings::bias::{
    ContentBias, DecomposedBias, DisentangledBias, LogBuckets, RelativeLogits, ShawBias,
    TransformerXlBias,
};
use positional_encodings::training::DifferentiableContentBias;
use positional_encodings::{Element, Error, Positions};

use crate::biases::table;

/// A name, a bias, and positions of queries and keys that it supports.
pub type ContentCase<A> =
    (&'static str, Box<dyn DifferentiableContentBias<A>>, [Positions<'static>; 2]);

/// Returns small irregular values.
pub fn rows<A: Element>(heads: usize, entries: usize, dim: usize) -> Array3<A> {
    let values = table::<A>(heads * entries, dim).mapv(|value| value * A::from_f64(0.125));
    values.into_shape_with_order((heads, entries, dim)).unwrap()
}

pub fn flat<A: Element>(entries: usize, dim: usize) -> Array2<A> {
    rows(1, entries, dim).index_axis_move(Axis(0), 0)
}

pub fn content_biases<A: Element>() -> Result<Vec<ContentCase<A>>, Error> {
    let mut cases: Vec<ContentCase<A>> = Vec::new();
    let of = |ids: Vec<i64>| Positions::from(ids);
    for positions in [
        [Positions::from(0..20), Positions::from(0..20)],
        [Positions::from(17..20), Positions::from(0..20)],
        [of((0..9).chain(0..6).collect()), of((0..9).chain(0..6).collect())],
        [of((0..8).map(|i| i * 7 % 30 - 9).collect()), of((0..15).map(|i| i * 11 % 20).collect())],
    ] {
        let mut add = |name, bias| cases.push((name, bias, positions.clone()));
        add("Shaw", Box::new(ShawBias::shaw(flat(9, 5), 2)?));
        add("Wav2Vec2-BERT", Box::new(ShawBias::clipped(flat(9, 5), 6, 2)?));
        add("relative_key", Box::new(ShawBias::relative_key(flat(79, 4), 3)?));
        add("relative_key_query", Box::new(ShawBias::relative_key_query(flat(79, 4), 3)?));
        let [u, v] = [1, 2].map(|by| flat::<A>(2, 9).mapv(|u| u * A::from_f64(by as f64)));
        let xl = TransformerXlBias::transformer_xl(rows(2, 61, 9), -30, u, v)?;
        add("Transformer-XL", Box::new(xl));
        add("Inkling", Box::new(RelativeLogits::inkling(flat(7, 3), 2)?));
        let buckets = || LogBuckets::new(8, 16);
        let [c2p, p2c] = [|| Some(rows(2, 16, 8)), || Some(rows(1, 16, 8))];
        let deberta = DisentangledBias::disentangled(buckets()?, 2, c2p(), p2c())?;
        add("DeBERTa", Box::new(deberta));
        add("p2c", Box::new(DisentangledBias::disentangled(buckets()?, 2, None, p2c())?));
        let plain = DisentangledBias::disentangled(LogBuckets::plain(8)?, 2, c2p(), None)?;
        add("DeBERTa, plain", Box::new(plain));
    }
    let tables = || [flat(7, 6), flat(5, 6)];
    let grid = || Positions::grid(&[4, 3]);
    cases.push(("SAM", Box::new(DecomposedBias::new(tables(), 2)?), [grid()?, grid()?]));
    let pooled = Positions::grid(&[2, 3])?.map(|axis, at| if axis == 0 { 2.0 * at } else { at })?;
    cases.push(("MViT", Box::new(DecomposedBias::new(tables(), 2)?), [pooled, grid()?]));
    Ok(cases)
}

/// Queries and keys for a bias, and scores.
pub fn contents<A: Element>(bias: &dyn ContentBias<A>, lens: [usize; 2]) -> [Array3<A>; 3] {
    let widths = bias.widths().map(|width| width.unwrap_or(0));
    let of = |shape, which: usize| {
        Array3::from_shape_fn(shape, |(h, i, j)| {
            A::from_f64(((h * 7 + i * 5 + j * 3 + which) % 11) as f64 * 0.3 - 1.4)
        })
    };
    let heads = bias.heads();
    let [q, k] = [0, 1].map(|which| of((heads, lens[which], widths[which]), which));
    [q, k, of((heads, lens[0], lens[1]), 2)]
}
