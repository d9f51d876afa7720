//! Sums of words and positions with unreasonable shapes: each call returns a typed error or an
//! empty result, without a panic or a wait.

use ndarray::{Array1, Array2, Array3, ArrayD, IxDyn, arr1, array};
use positional_encodings::training::{TouchedRows, backward_positions};
use positional_encodings::{
    Error, Frequencies, Learned, PositionalEncoding, Positions, Sinusoidal, TokenEmbedding,
    add_positions, add_positions_at, add_positions_to_slice, concat_positions, concat_positions_at,
    embed_with_positions, embed_with_positions_at,
};

const HUGE: usize = 1 << 58;

fn embedding() -> TokenEmbedding<f32, Learned<f32>> {
    let positions = Learned::from_table(Array2::zeros((9, 2))).unwrap();
    let words = array![[1.0, 2.0], [3.0, 4.0]];
    TokenEmbedding::new(words, positions).unwrap().with_segments(Array2::zeros((2, 2))).unwrap()
}

fn axes<T>(result: Result<T, Error>, expected: usize, found: usize) {
    let error = Error::LengthMismatch { what: "leading axes", expected, found };
    assert_eq!(result.err(), Some(error));
}

#[test]
fn axes_are_counted_where_dimensions_are_dynamic() {
    let embedding = embedding();
    let tokens = arr1(&[0_usize, 1]).into_dyn();
    let lookup = || embedding.lookup(&tokens);
    for (shape, found) in [(&[2][..], 0), (&[2, 3, 4, 2], 3), (&[2, 5, 2], 2)] {
        let mut out = ArrayD::from_elem(IxDyn(shape), 7.0);
        axes(lookup().embed_into(out.view_mut()), 1, found);
        assert!(out.iter().all(|value| *value == 7.0));
        let mut gradient = TouchedRows::new(2);
        axes(lookup().backward_words(out.view(), &mut gradient), 1, found);
        axes(lookup().backward_segments(out.view(), &mut gradient), 1, found);
        axes(lookup().backward_positions(out.view(), &mut [0.0; 18]), 1, found);
        assert!(gradient.rows().is_empty());
    }
    let scalar = lookup().embed_into(ArrayD::zeros(IxDyn(&[])).view_mut());
    assert_eq!(scalar, Err(Error::TooFewAxes { expected: 2, found: 0 }));
    let batch = array![[0, 1], [1, 0]].into_dyn();
    for (segments, found) in [(arr1(&[0, 1]).into_dyn(), 1), (ArrayD::zeros(IxDyn(&[2, 2, 1])), 3)]
    {
        axes(embedding.lookup(&batch).with_segments(&segments).embed(), 2, found);
    }
}

#[test]
fn no_room_is_made_for_no_work() {
    let wide = || Learned::from_table(Array2::<f32>::zeros((0, 1 << 60))).unwrap();
    let words = TokenEmbedding::new(Array2::zeros((0, 1 << 60)), wide()).unwrap();
    let input = words.embed(&Array2::<i64>::zeros((2, 0))).unwrap();
    assert_eq!(input.shape(), [2, 0, 1 << 60]);
    let padded = Sinusoidal::new(4).unwrap().padded_to(1 << 60).unwrap();
    let mut none = Array3::<f32>::zeros((2, 0, 1 << 60));
    assert_eq!(embed_with_positions(&none, &padded).unwrap().shape(), none.shape());
    assert_eq!(add_positions(none.view_mut(), &padded), Ok(()));
    let concat = concat_positions(&Array3::<f32>::zeros((2, 0, 4)), &padded).unwrap();
    assert_eq!(concat.shape(), [2, 0, (1 << 60) + 4]);
    // A larger shape than ndarray allows, even without elements.
    let too_wide = concat_positions(&Array3::<f32>::zeros((8, 0, 4)), &padded);
    assert!(matches!(too_wide, Err(Error::TooLarge { .. })), "{too_wide:?}");
    // A broadcast view whose sum would not fit into memory.
    let one = Array3::<f32>::zeros((1, 3, 4));
    let words = one.broadcast((1 << 50, 3, 4)).unwrap();
    let error = Error::TooLarge { rows: 3 << 50, dim: 4 };
    assert_eq!(embed_with_positions(&words, &Sinusoidal::new(4).unwrap()), Err(error));
    let error = Error::TooLarge { rows: 3 << 50, dim: 8 };
    assert_eq!(concat_positions(&words, &Sinusoidal::new(4).unwrap()), Err(error));
}

#[test]
fn empty_axes_beside_huge_ones_are_no_work() {
    let encoding = Sinusoidal::new(4).unwrap();
    for shape in [(HUGE, 0, 4), (0, HUGE, 4)] {
        let mut words = Array3::<f32>::zeros(shape);
        let ids = Array2::<i64>::zeros((shape.0, shape.1));
        let same = |found: Result<Array3<f32>, Error>| {
            assert_eq!(found.unwrap().dim(), shape);
        };
        same(embed_with_positions(&words, &encoding));
        same(embed_with_positions_at(&words, &encoding, &ids));
        assert_eq!(add_positions(words.view_mut(), &encoding), Ok(()));
        assert_eq!(add_positions_at(words.view_mut(), &encoding, &ids), Ok(()));
        assert_eq!(concat_positions(&words, &encoding).unwrap().dim(), (shape.0, shape.1, 8));
        let concat = concat_positions_at(&words, &encoding, &ids).unwrap();
        assert_eq!(concat.dim(), (shape.0, shape.1, 8));
        let embedding = TokenEmbedding::new(Array2::<f32>::zeros((3, 4)), &encoding).unwrap();
        same(embedding.embed(&ids));
        same(embedding.lookup(&ids).at(&ids).with_segments(&ids).embed().or_else(|_| {
            // An empty list of segments for a model without segments.
            embedding.lookup(&ids).at(&ids).embed()
        }));
        assert_eq!(embedding.lookup(&ids).embed_into(words.view_mut()), Ok(()));
        let mut touched = TouchedRows::new(4);
        assert_eq!(embedding.lookup(&ids).backward_words(words.view(), &mut touched), Ok(()));
    }
    let learned = Learned::from_table(Array2::<f32>::zeros((3, 4))).unwrap();
    let none = Array3::<f32>::zeros((HUGE, 0, 4));
    assert_eq!(backward_positions(&none, &learned, &mut [0.0; 12]), Ok(()));
    let embedding = TokenEmbedding::new(Array2::<f32>::zeros((3, 4)), learned).unwrap();
    let ids = Array2::<i64>::zeros((HUGE, 0));
    assert_eq!(embedding.lookup(&ids).backward_positions(none.view(), &mut [0.0; 12]), Ok(()));
}

#[test]
fn thousands_of_axes() {
    let shape = |last: &[usize]| IxDyn(&[&[1; 5000][..], last].concat());
    let learned = Learned::from_table(array![[1.0_f32, 2.0], [3.0, 4.0]]).unwrap();
    let vectors = array![[1.0, 2.0], [3.0, 4.0]];
    let mut words = ArrayD::<f32>::zeros(shape(&[2, 2]));
    let is = |found: &ArrayD<f32>| assert!(found.iter().eq(&vectors));
    is(&embed_with_positions(&words, &learned).unwrap());
    add_positions(words.view_mut(), &learned).unwrap();
    is(&words);
    add_positions(words.view_mut().reversed_axes().reversed_axes(), &learned).unwrap();
    assert!(words.iter().eq(&(vectors.clone() + &vectors)));
    let concat = concat_positions(&words, &learned).unwrap();
    assert_eq!(concat.iter().skip(2).take(2).collect::<Vec<_>>(), [&1.0, &2.0]);
    let embedding = TokenEmbedding::new(Array2::<f32>::zeros((3, 2)), learned.clone()).unwrap();
    let tokens = ArrayD::<u8>::zeros(shape(&[2]));
    is(&embedding.embed(&tokens).unwrap());
    embedding.lookup(&tokens).embed_into(words.view_mut()).unwrap();
    is(&words);
    let mut gradient = [0.0; 4];
    backward_positions(&words, &learned, &mut gradient).unwrap();
    assert_eq!(gradient, [1.0, 2.0, 3.0, 4.0]);
    let mut touched = TouchedRows::new(2);
    embedding.lookup(&tokens).backward_words(words.view(), &mut touched).unwrap();
    assert_eq!(touched.gradient(), array![[4.0, 6.0]]);
}

#[test]
fn ids_of_128_bits_do_not_wrap() {
    let embedding = embedding();
    for id in [1_u128 << 64, u128::MAX, 2] {
        let error = embedding.embed(&arr1(&[id])).unwrap_err();
        let id = i64::try_from(id).unwrap_or(i64::MAX);
        assert_eq!(error, Error::IdOutsideTable { table: "word", id, rows: 2 });
    }
    for id in [-(1_i128 << 64), -1] {
        let error = embedding.embed(&arr1(&[id])).unwrap_err();
        let id = i64::try_from(id).unwrap_or(i64::MIN);
        assert_eq!(error, Error::IdOutsideTable { table: "word", id, rows: 2 });
    }
    assert_eq!(embedding.embed(&arr1(&[1_u128])).unwrap(), array![[3.0, 4.0]]);
}

/// A row of zeros has the same signs alone and among other rows.
#[test]
fn zeros_keep_their_sign() {
    let frequencies = Frequencies::geometric(4, 1e4).unwrap().proportional(0.5).unwrap();
    let negative = Sinusoidal::from_frequencies(frequencies).with_amplitude(-1.0).unwrap();
    let bits = |len: usize| -> Vec<u64> {
        let table: Array2<f64> = negative.encode(&Positions::from(0..len)).unwrap();
        table.row(0).iter().map(|value| value.to_bits()).collect()
    };
    assert_eq!(bits(1), bits(3));
    assert_eq!(bits(1), bits(300));
}

/// Calls on rows of the largest width are refused before any work.
#[test]
fn touched_rows_of_any_width() {
    let mut touched = TouchedRows::<f32>::new(usize::MAX);
    assert_eq!(touched.gradient().nrows(), 0);
    assert!(matches!(touched.to_dense(1), Err(Error::TooLarge { .. })));
    let learned = Learned::from_table(Array2::<f32>::zeros((3, 4))).unwrap();
    let upstream = Array2::<f32>::ones((1, 4));
    let refused = learned.backward_rows(&Positions::from(0..1), upstream.view(), &mut touched);
    assert_eq!(refused, Err(Error::WidthMismatch { expected: 4, found: usize::MAX }));
}

#[test]
fn slices_of_another_length_are_refused() {
    let encoding = Sinusoidal::new(2).unwrap();
    let mut words = [7.0_f32; 12];
    let error = Error::LengthMismatch { what: "elements", expected: 16, found: 12 };
    let found = add_positions_to_slice(&mut words, &[2, 4, 2], &encoding, 0..4);
    assert_eq!(found, Err(error));
    let error = Error::LengthMismatch { what: "elements", expected: usize::MAX, found: 12 };
    let found = add_positions_to_slice(&mut words, &[usize::MAX, 4, 2], &encoding, 0..4);
    assert_eq!(found, Err(error));
    let error = Error::TooFewAxes { expected: 2, found: 1 };
    assert_eq!(add_positions_to_slice(&mut words, &[12], &encoding, 0..4), Err(error));
    let error = Error::LengthMismatch { what: "elements", expected: 8, found: 12 };
    assert_eq!(encoding.encode_slice(&Positions::from(0..4), &mut words), Err(error));
    assert_eq!(words, [7.0; 12]);
}

/// The stack that a thread needs according to the documentation.
#[test]
fn small_stacks() {
    fn on_stack(kib: usize, work: impl FnOnce() + Send + 'static) {
        std::thread::Builder::new().stack_size(kib << 10).spawn(work).unwrap().join().unwrap();
    }
    on_stack(128, || {
        let encoding = Sinusoidal::new(64).unwrap();
        let mut words = Array3::<f32>::zeros((2, 3, 64));
        add_positions(words.view_mut(), &encoding).unwrap();
        embed_with_positions(&words, &encoding).unwrap();
        let embedding = TokenEmbedding::new(Array2::<f32>::zeros((4, 64)), encoding).unwrap();
        embedding.embed(&Array1::<i64>::zeros(3)).unwrap();
    });
    on_stack(512, || {
        let encoding = Sinusoidal::new(1024).unwrap();
        let mut words = Array3::<f64>::zeros((2, 1024, 300));
        add_positions_at(words.view_mut().permuted_axes([0, 2, 1]), &encoding, 0..300).unwrap();
        let mut words = Array3::<f64>::zeros((2, 300, 1024));
        add_positions(words.view_mut(), &encoding).unwrap();
        embed_with_positions(&words, &encoding).unwrap();
    });
}

/// Rayon's global pool cannot be built where no thread can be started; no call may panic then.
#[cfg(feature = "rayon")]
mod without_threads {
    use super::*;

    /// The test below runs this one in a process whose threads need more memory than the machine
    /// has.
    #[test]
    #[ignore = "wants a process of its own"]
    fn child() {
        let encoding = Sinusoidal::new(1024).unwrap();
        let row: Array2<f32> = encoding.encode(&Positions::from(7..8)).unwrap();
        let long: Array2<f32> = encoding.encode(&Positions::from(0..1024)).unwrap();
        assert_eq!(long.row(7), row.row(0));
        let mut words = Array3::<f32>::zeros((2, 1024, 1024));
        add_positions(words.view_mut(), &encoding).unwrap();
        assert_eq!(embed_with_positions(&(0.0 * &words), &encoding).unwrap(), words);
        assert!(rayon::ThreadPoolBuilder::new().build().is_err(), "there are threads after all");
    }

    #[test]
    fn one_thread_does_it_all() {
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "hostile_sums::without_threads::child",
                "--ignored",
                "--test-threads=1",
            ])
            .env("RUST_MIN_STACK", (1_usize << 46).to_string())
            .env_remove("RAYON_NUM_THREADS")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&child.stdout);
        assert!(child.status.success() && text.contains("1 passed"), "{text}");
    }
}
