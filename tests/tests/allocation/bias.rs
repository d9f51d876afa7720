//! A decode step, a block and a whole matrix of a bias that needs no network take no memory from the
//! heap.

use crate::counter::measure;
use ndarray::{Array2, Array3, Array4};
use positional_encodings::bias::{AlibiForm, AxesBias, Forget, Kerple, WindowBias};
use positional_encodings::{Alibi, AttentionBias, Error, Positions, T5Bias, add_bias};

type Named = (&'static str, Box<dyn AttentionBias<f32>>, Positions<'static>);

fn biases() -> Result<Vec<Named>, Error> {
    let table = |rows| Array2::from_elem((rows, 8), 0.5_f32);
    let t5 = |buckets| T5Bias::causal(table(buckets), 128);
    let (text, window) = (Positions::from(0..150), Positions::grid(&[7, 9])?);
    let shuffled: Vec<i64> = (0..150).map(|i| i * 37 % 150).collect();
    let pair = Positions::from_axes([shuffled.clone(), shuffled.clone()])?;
    let r = [0.5; 8];
    Ok(vec![
        ("ALiBi", Box::new(Alibi::new(8)?), text.clone()),
        ("ALiBi, shuffled", Box::new(Alibi::geometric(8)?), Positions::from(shuffled)),
        ("ALiBi, keys", Box::new(Alibi::new(8)?.with_form(AlibiForm::Keys)), text.clone()),
        ("T5", Box::new(t5(32)?), text.clone()),
        ("windows", Box::new(WindowBias::swin(table(13 * 17), [7, 9])?), window),
        ("axes", Box::new(AxesBias::new([t5(32)?, t5(64)?])?), pair),
        ("KERPLE", Box::new(Kerple::log(&r, &r)?), text.clone()),
        ("forget gates", Box::new(Forget::from_sums(Array2::<f32>::zeros((8, 150)))?), text),
    ])
}

pub fn run() {
    for (name, bias, positions) in biases().unwrap() {
        let len = positions.len();
        let step = positions.slice(len - 1..len);
        let mut batch = Array4::<f32>::zeros((3, 8, 1, len));
        let mut whole = Array4::<f32>::zeros((1, 8, len, len));
        let mut block = Array3::<f32>::zeros((8, 16, 16));
        let (taken, ()) = measure(|| {
            add_bias(batch.view_mut(), &bias, &step, &positions).unwrap();
            add_bias(whole.view_mut(), &bias, &positions, &positions).unwrap();
            let (queries, keys) = (positions.slice(3..19), positions.slice(20..36));
            bias.encode_into(&queries, &keys, block.view_mut()).unwrap();
        });
        assert_eq!(taken.calls, 0, "{name}: up to {} bytes of the heap", taken.peak);
    }
}
