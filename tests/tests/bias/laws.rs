//! The public battery over the crate's own biases: a new one adds its line.

use ndarray::Array2;
use positional_encodings::bias::{AlibiForm, WindowBias};
use positional_encodings::testing::check_bias_laws;
use positional_encodings::{Alibi, AttentionBias, Element, Error, Positions, T5Bias};

/// A name, a bias, and positions of queries and keys that it knows.
type Case<A> = (&'static str, Box<dyn AttentionBias<A>>, [Positions<'static>; 2]);

/// Values in no order.
fn table<A: Element>(rows: usize, heads: usize) -> Array2<A> {
    Array2::from_shape_fn((rows, heads), |(i, j)| {
        A::from_f64(((i * heads + j) * 37 % 101) as f64 / 7.0 - 5.0)
    })
}

/// Text: a whole, a cache of keys, two documents, shuffled ids.
fn text() -> Vec<[Positions<'static>; 2]> {
    let of = |ids: Vec<i64>| Positions::from(ids);
    vec![
        [Positions::from(0..70), Positions::from(0..70)],
        [Positions::from(200..231), Positions::from(0..231)],
        [of((0..40).chain(0..25).collect()), of((0..40).chain(0..25).collect())],
        [of((0..30).map(|i| i * 7 % 30 - 9).collect()), of((0..50).map(|i| i * 11 % 50).collect())],
    ]
}

/// Real times, some of whose differences are no doubles.
fn times() -> [Positions<'static>; 2] {
    let list = |len: usize, step: f64| (0..len).map(|i| i as f64 * step - 1.0).collect::<Vec<_>>();
    [Positions::from(list(20, 0.1)), Positions::from(list(30, 0.7))]
}

fn cases<A: Element>() -> Result<Vec<Case<A>>, Error> {
    let mut cases: Vec<Case<A>> = Vec::new();
    for positions in text() {
        let mut add = |name, bias| cases.push((name, bias, positions.clone()));
        add("ALiBi", Box::new(Alibi::new(12)?));
        add("ALiBi, symmetric", Box::new(Alibi::new(8)?.with_form(AlibiForm::Symmetric)));
        add("ALiBi, keys", Box::new(Alibi::new(3)?.with_form(AlibiForm::Keys)));
        add("ALiBi, the paper's text", Box::new(Alibi::geometric(5)?));
        add("ALiBi, Falcon", Box::new(Alibi::falcon(6)?));
        add("ALiBi, given", Box::new(Alibi::from_slopes(&[0.1, -0.3, 0.0])?));
        add("T5, both ways", Box::new(T5Bias::bidirectional(table(32, 5), 128)?));
        add("T5, causal", Box::new(T5Bias::causal(table(8, 2), 16)?));
    }
    for (name, bias) in [
        ("ALiBi at real times", Box::new(Alibi::new(12)?)),
        ("ALiBi at real times, keys", Box::new(Alibi::new(3)?.with_form(AlibiForm::Keys))),
    ] {
        cases.push((name, bias, times()));
    }
    let grid = |window: [usize; 2]| Positions::grid(&window);
    let moved = |by: f64| grid([4, 3])?.map(|_, position| position + by);
    let swin = || WindowBias::swin(table(35, 4), [4, 3]);
    cases.push(("Swin", Box::new(swin()?), [grid([4, 3])?, grid([4, 3])?]));
    cases.push(("Swin, elsewhere", Box::new(swin()?), [moved(100.0)?, moved(100.0)?]));
    let class = Positions::concat([Positions::from(vec![-1_i64]), grid([4, 3])?])?.into_owned()?;
    let beit = WindowBias::beit(table(38, 4), [4, 3])?;
    cases.push(("BEiT", Box::new(beit), [class.clone(), class]));
    Ok(cases)
}

fn check<A: Element>() {
    for (name, bias, [queries, keys]) in cases::<A>().unwrap() {
        if let Err(violation) = check_bias_laws(&bias, &queries, &keys) {
            panic!("{name}: {violation}");
        }
    }
}

#[test]
fn every_bias_obeys_the_laws() {
    check::<f32>();
    check::<f64>();
    #[cfg(feature = "half")]
    check::<half::f16>();
    #[cfg(feature = "half")]
    check::<half::bf16>();
}
