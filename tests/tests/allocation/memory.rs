//! The memory that calls with a promise about it take, counted by an allocator.

use crate::counter::{limited, measure};
use ndarray::{Array2, Array3};
use positional_encodings::{
    Error, Learned, Positions, Sinusoidal,
    ids::Segment,
    resample::{GridResample, Resample, Sampling},
    training::backward_positions_at,
    words::WordVectors,
};

pub fn run() {
    what_does_not_fit_is_refused();
    gradients_are_not_allocated();
    a_stretched_table_takes_its_own_memory();
    word_vectors_take_their_table_and_little_more();
    #[cfg(feature = "safetensors")]
    checkpoints_take_their_table_and_little_more();
}

/// With 64 MiB of memory an encoding is made or refused, and the process goes on: memory is
/// reserved before it is used.
fn what_does_not_fit_is_refused() {
    let (mut made, mut refused) = (0, 0);
    for bits in 1..usize::BITS {
        let dim = 1 << bits;
        match limited(64 << 20, || Sinusoidal::new(dim).map(|_| ())) {
            Ok(()) => made += 1,
            Err(error) => {
                assert_eq!(error, Error::TooLarge { rows: 1, dim });
                refused += 1;
            }
        }
    }
    assert!(made > 15 && refused > 40, "{made} encodings, {refused} refused");
    let image = |rows| Segment::Image { rows, columns: 1 };
    for len in [1 << 24, usize::MAX] {
        let rows = len.saturating_mul(2);
        let points = || Positions::grid(&[len, 2])?.to_array();
        assert_eq!(limited(64 << 20, points).unwrap_err(), Error::TooLarge { rows, dim: 2 });
        let error = limited(64 << 20, || Positions::dinov3(2, len)).unwrap_err();
        assert_eq!(error, Error::TooLarge { rows, dim: 2 });
        let error = limited(64 << 20, || Positions::multimodal(&[Segment::Text(len), image(len)]))
            .unwrap_err();
        assert_eq!(error, Error::TooLarge { rows, dim: 3 });
    }
}

fn gradients_are_not_allocated() {
    let learned = Learned::from_table(Array2::<f32>::zeros((64, 32))).unwrap();
    let upstream = Array3::<f32>::ones((4, 64, 32));
    let ids = Array2::from_shape_fn((4, 64), |(b, i)| ((i * 7 + b) % 64) as i64);
    let mut gradient = vec![0.0; 64 * 32];
    let (taken, ()) =
        measure(|| backward_positions_at(&upstream, &learned, 0..64, &mut gradient).unwrap());
    assert_eq!(taken.calls, 0);
    let (taken, ()) =
        measure(|| backward_positions_at(&upstream, &learned, &ids, &mut gradient).unwrap());
    assert_eq!(taken.calls, 0);
}

/// A stretched table allocates nothing beside itself, however long and narrow it is: the weights of
/// a row are computed with the row.
fn a_stretched_table_takes_its_own_memory() {
    let learned = Learned::from_table(ndarray::array![[0.0_f32], [4.0]]).unwrap();
    let (taken, stretched) =
        measure(|| learned.stretch().linear(1 << 20, Sampling::HalfPixel).unwrap());
    assert_eq!(stretched.max_len(), Some(1 << 20));
    assert!(taken.peak < (4 << 20) + (1 << 12), "{}", taken.peak);
    // The plan of a grid is refused where memory is short.
    let plan = || GridResample::new([2, 2], [1 << 40, 2], Resample::timm()).map(|_| ());
    let error = limited(64 << 20, plan).unwrap_err();
    assert_eq!(error, Error::TooLarge { rows: 1 << 40, dim: 1 });
}

fn word_vectors_take_their_table_and_little_more() {
    let path = std::env::temp_dir()
        .join(format!("positional-encodings-memory-{}.txt", std::process::id()));
    let numbers = " -0.12345".repeat(200);
    let text: String = (0..20_000).map(|word| format!("word{word}{numbers}\n")).collect();
    std::fs::write(&path, text).unwrap();
    let (taken, vectors) = measure(|| WordVectors::glove(&path).unwrap());
    std::fs::remove_file(&path).unwrap();
    let table = vectors.table().len() * 4;
    assert!(
        taken.peak < table + table / 50 + (2 << 20),
        "{} bytes for a table of {table}",
        taken.peak
    );
}

#[cfg(feature = "safetensors")]
fn checkpoints_take_their_table_and_little_more() {
    use positional_encodings::checkpoint::Checkpoint;
    let path = std::env::temp_dir()
        .join(format!("positional-encodings-memory-{}.safetensors", std::process::id()));
    let learned = Learned::from_table(Array2::<f32>::ones((4096, 768))).unwrap();
    learned.save(&path, "table").unwrap();
    let (taken, read) =
        measure(|| Checkpoint::open(&path).unwrap().learned_at::<f32>("table").unwrap());
    std::fs::remove_file(&path).unwrap();
    assert_eq!(read, learned);
    assert!(taken.peak < 4096 * 768 * 4 + (1 << 20), "{}", taken.peak);
}
