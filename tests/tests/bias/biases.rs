//! The crate's own biases, at positions that they support: a new bias adds a line.

use ndarray::Array2;
use positional_encodings::bias::{AlibiForm, AxesBias, Forget, Kerple, Sandwich, WindowBias};
use positional_encodings::training::{
    Activation, BoxBias, DifferentiableBias, DistanceNetwork, Fire, Layers, Linear, Spacing,
    SwinV2Bias,
};
use positional_encodings::{Alibi, Element, Error, Positions, T5Bias};

/// A name, a bias, and positions of queries and keys that it supports.
pub type Case<A> = (&'static str, Box<dyn DifferentiableBias<A>>, [Positions<'static>; 2]);

/// Returns irregular values.
pub fn table<A: Element>(rows: usize, heads: usize) -> Array2<A> {
    Array2::from_shape_fn((rows, heads), |(i, j)| {
        A::from_f64(((i * heads + j) * 37 % 101) as f64 / 7.0 - 5.0)
    })
}

/// Returns layers of these widths, with SiLU, which has a derivative everywhere.
pub fn layers<A: Element>(widths: [usize; 3]) -> Result<Layers<A>, Error> {
    let layer = |inputs, outputs| {
        let bias = table::<A>(1, outputs).row(0).mapv(|value| value * A::from_f64(0.1));
        Linear::new(table(outputs, inputs).mapv(|value: A| value * A::from_f64(0.125)))?
            .with_bias(bias)
    };
    let [inputs, hidden, outputs] = widths;
    Layers::new([layer(inputs, hidden)?, layer(hidden, outputs)?], Activation::Silu)
}

/// Text: a whole sequence, a cache of keys, two documents, shuffled ids.
fn text() -> Vec<[Positions<'static>; 2]> {
    let of = |ids: Vec<i64>| Positions::from(ids);
    vec![
        [Positions::from(0..36), Positions::from(0..36)],
        [Positions::from(194..200), Positions::from(0..200)],
        [of((0..20).chain(0..17).collect()), of((0..20).chain(0..17).collect())],
        [of((0..12).map(|i| i * 7 % 30 - 9).collect()), of((0..25).map(|i| i * 11 % 50).collect())],
    ]
}

/// Real times, some of whose differences are not exact in f64.
fn times() -> [Positions<'static>; 2] {
    let list = |len: usize, step: f64| (0..len).map(|i| i as f64 * step - 1.0).collect::<Vec<_>>();
    [Positions::from(list(20, 0.1)), Positions::from(list(30, 0.7))]
}

pub fn biases<A: Element>() -> Result<Vec<Case<A>>, Error> {
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
        add("KERPLE, log", Box::new(Kerple::log(&[0.5, 1.0], &[0.25, 3.0])?));
        add("KERPLE, power", Box::new(Kerple::power(&[0.5, 1.0], &[0.25, 1.5])?));
        add("Sandwich", Box::new(Sandwich::new(3, 16)?));
        add("a network", Box::new(DistanceNetwork::new(layers([1, 4, 3])?, Spacing::Log)?));
        add("FIRE", Box::new(Fire::new(layers([1, 5, 2])?, 0.3, 20.5)?));
    }
    for (name, bias) in [
        ("ALiBi at real times", Box::new(Alibi::new(12)?)),
        ("ALiBi at real times, keys", Box::new(Alibi::new(3)?.with_form(AlibiForm::Keys))),
    ] {
        cases.push((name, bias, times()));
    }
    let gates = || Forget::from_log_gates(table::<A>(2, 40).mapv(|value| value * A::from_f64(0.1)));
    let shuffled: Vec<i64> = (0..30).map(|i| i * 7 % 40).collect();
    cases.push((
        "forget gates",
        Box::new(gates()?),
        [Positions::from(0..40), Positions::from(0..40)],
    ));
    cases.push((
        "forget gates, shuffled",
        Box::new(gates()?),
        [Positions::from(3..9), Positions::from(shuffled)],
    ));
    let axis = |by: i64, below: i64| (0..20).map(|i| i * by % below).collect::<Vec<i64>>();
    let tokens = Positions::from_axes([axis(1, 100), axis(37, 300), axis(91, 500)])?;
    let of_box = || T5Bias::bidirectional(table(64, 3), 256);
    let layout = AxesBias::new([T5Bias::bidirectional(table(32, 3), 128)?, of_box()?, of_box()?])?;
    cases.push(("LayoutLM", Box::new(layout), [tokens.clone(), tokens]));
    let grid = |window: [usize; 2]| Positions::grid(&window);
    let moved = |by: f64| grid([4, 3])?.map(|_, position| position + by);
    let swin = || WindowBias::swin(table(35, 4), [4, 3]);
    cases.push(("Swin", Box::new(swin()?), [grid([4, 3])?, grid([4, 3])?]));
    cases.push(("Swin, elsewhere", Box::new(swin()?), [moved(100.0)?, moved(100.0)?]));
    let class = Positions::concat([Positions::from(vec![-1_i64]), grid([4, 3])?])?.into_owned()?;
    let beit = WindowBias::beit(table(38, 4), [4, 3])?;
    cases.push(("BEiT", Box::new(beit), [class.clone(), class]));
    let swin_v2 = |trained| SwinV2Bias::new(layers([2, 6, 3])?, [4, 3], trained);
    cases.push(("Swin V2", Box::new(swin_v2([4, 3])?), [grid([4, 3])?, grid([4, 3])?]));
    cases.push(("Swin V2, wider", Box::new(swin_v2([2, 2])?), [grid([4, 3])?, grid([4, 3])?]));
    let pixels = grid([4, 5])?.map(|axis, place| place / [4.0, 5.0][axis])?;
    let of = |corner: f64| Positions::from(vec![corner, corner * 0.5, 0.9]);
    let boxes = Positions::from_axes([of(0.1), of(0.2), of(0.7), of(0.8)])?;
    let bias = BoxBias::new([layers([2, 4, 3])?, layers([2, 4, 3])?])?;
    cases.push(("SAM 3", Box::new(bias), [boxes, pixels]));
    Ok(cases)
}
