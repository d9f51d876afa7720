//! A decode step, a block and a whole matrix of a bias that needs no network take no memory from
//! the heap.

use crate::counter::measure;
use ndarray::{Array2, Array3, Array4};
use positional_encodings::bias::{
    AlibiForm, AxesBias, ContentBias, DecomposedBias, DisentangledBias, Forget, Kerple, LogBuckets,
    RelativeLogits, ShawBias, TransformerXlBias, WindowBias,
};
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
    steps_and_blocks_take_nothing();
    no_index_of_a_window_is_kept();
    content_biases_take_a_row();
}

fn steps_and_blocks_take_nothing() {
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

/// 64 × 64 patches have 16 million pairs: making the bias and encoding a block of it allocate
/// nothing.
fn no_index_of_a_window_is_kept() {
    let table = Array2::from_elem((127 * 127, 2), 0.5_f32);
    let (patches, mut block) = (Positions::grid(&[64, 64]).unwrap(), Array3::zeros((2, 16, 4096)));
    let (taken, ()) = measure(|| {
        let window = WindowBias::swin(table, [64, 64]).unwrap();
        window.encode_into(&patches.slice(8..24), &patches, block.view_mut()).unwrap();
    });
    assert_eq!(taken.calls, 0, "up to {} bytes of the heap", taken.peak);
}

/// A call for 4,096 keys allocates a few numbers for each key and each row of the tables, whatever
/// the number of queries.
fn content_biases_take_a_row() {
    const KEYS: usize = 4096;
    const DIM: usize = 4;
    let rows = |entries| Array3::from_elem((2, entries, DIM), 0.5_f32);
    let (text, patches) = (Positions::from(0..KEYS), Positions::grid(&[64, 64]).unwrap());
    let buckets = LogBuckets::new(256, 512).unwrap();
    let deberta =
        DisentangledBias::disentangled(buckets, 2, Some(rows(512)), Some(rows(512))).unwrap();
    let none = || Array2::zeros((2, DIM));
    let first = 1 - KEYS as i64;
    let xl = TransformerXlBias::transformer_xl(rows(2 * KEYS - 1), first, none(), none()).unwrap();
    let sam = DecomposedBias::new([Array2::<f32>::ones((127, DIM)), Array2::ones((127, DIM))], 2);
    let shaw = ShawBias::shaw(Array2::<f32>::ones((129, DIM)), 2).unwrap();
    let inkling = RelativeLogits::inkling(Array2::<f32>::ones((512, DIM)), 2).unwrap();
    let biases: [(&str, &dyn ContentBias<f32>, usize, &Positions<'_>); 5] = [
        ("DeBERTa", &deberta, 512, &text),
        ("Transformer-XL", &xl, 2 * KEYS - 1, &text),
        ("SAM", &sam.unwrap(), 127, &patches),
        ("Shaw", &shaw, 129, &text),
        ("Inkling", &inkling, 512, &text),
    ];
    let content = |len| Array3::<f32>::ones((2, len, DIM));
    for (name, bias, entries, positions) in biases {
        let peak = |queries: usize| {
            let (q, k, mut scores) =
                (content(queries), content(KEYS), Array3::zeros((2, queries, KEYS)));
            let at = positions.slice(0..queries);
            let add =
                || bias.add_to(q.view(), k.view(), &at, positions, scores.view_mut()).unwrap();
            measure(add).0.peak
        };
        let peaks = [1, 8].map(peak);
        assert_eq!(peaks[0], peaks[1], "{name}");
        assert!(peaks[1] <= 16 * (KEYS + entries) + 1024, "{name}: {} bytes", peaks[1]);
    }
}
