//! Sizes of every magnitude with 8 MiB of memory: each call does its work or returns an error. A
//! call that allocates without checking for failure aborts this process.

use crate::counter::limited;
use ndarray::{Array2, Array3, array};
use positional_encodings::{
    Alibi, Error, Fourier, Frequencies, Init, Learned, Pairing, PositionalEncoding, Positions,
    Rotary, Sinusoidal,
    ids::{self, MaskCounts},
    resample::Sampling,
    rotary::{AxialOrder, Dinov3Augmentation, MixedRotary, QueryTemperature, XPos},
    scaling::Yarn,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

const MEMORY: usize = 8 << 20;
const NORMAL: Init = Init::Normal { std: 0.02 };

/// Small and large sizes, up to the largest.
fn sizes() -> impl Iterator<Item = usize> {
    (0..usize::BITS).step_by(2).map(|bits| (1 << bits) + 1).chain([usize::MAX])
}

/// Makes the call at every size: a small one succeeds, a large one is refused.
fn sweep<T>(name: &str, call: impl Fn(usize) -> Result<T, Error>) {
    let (mut done, mut refused) = (0, 0);
    for size in sizes() {
        match limited(MEMORY, || call(size).map(drop)) {
            Ok(()) => done += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(done > 0 && refused > 0, "{name}: {done} sizes done, {refused} refused");
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(7)
}

pub fn run() {
    constructors();
    positions();
    rotations();
    tables();
    broadcast_views();
}

fn constructors() {
    sweep("Sinusoidal::new", |n| Sinusoidal::new(n & !1));
    sweep("Frequencies::geometric", |n| Frequencies::geometric(n & !1, 1e4));
    sweep("yarn", |n| Frequencies::geometric(n & !1, 1e4)?.yarn(&Yarn::new(2.0, 4096)));
    sweep("Rotary::axial_2d", |n| Rotary::axial_2d(n & !3, 1e4, AxialOrder::Qwen2Vl));
    sweep("Rotary::ltx", |n| Rotary::ltx(n, 1e4));
    sweep("XPos::new", |n| XPos::new(n & !1));
    sweep("MixedRotary::init, dim", |n| {
        MixedRotary::init(1, n & !3, 10.0, Pairing::Halves, &mut rng())
    });
    sweep("MixedRotary::init, heads", |n| {
        MixedRotary::init(n, 8, 10.0, Pairing::Halves, &mut rng())
    });
    sweep("Learned::init, rows", |n| Learned::<f32>::init(n, 4, NORMAL, &mut rng()));
    sweep("Learned::init, dim", |n| Learned::<f32>::init(4, n, NORMAL, &mut rng()));
    sweep("Fourier::random", |n| Fourier::random(2, n, 1.0, &mut rng()));
    sweep("Alibi::new", Alibi::new);
}

fn positions() {
    sweep("Positions::grid", |n| Positions::grid(&[n, 2])?.to_array());
    sweep("Positions::centred", |n| Positions::centred(&[n, 2]));
    sweep("Positions::mochi", |n| Positions::mochi(n, 2, 2));
    sweep("Positions::dinov3", |n| Positions::dinov3(n, 2));
    sweep("Positions::merged", |n| Positions::merged(n & !1, 2, 2));
    sweep("map", |n| Positions::from(0..n).map(|_, p| p + 0.5));
    sweep("augment", |n| Dinov3Augmentation::default().augment(&Positions::from(0..n), &mut rng()));
    sweep("QueryTemperature", |n| QueryTemperature::llama4(0.1, 8192.0)?.factors(0..n));
    sweep("ids::packed", |n| ids::packed(&[n]));
    let none = |n: usize| vec![(); n];
    sweep("ids::batch", |n| ids::batch(&[none(n), none(n)]));
}

fn rotations() {
    let rotary = Rotary::new(Frequencies::geometric(8, 1e4).unwrap(), Pairing::Halves);
    sweep("Rotary::at", |n| rotary.at::<f32>(0..n));
    sweep("XPos::at", |n| XPos::new(8)?.with_scale_base(1e300)?.at::<f64>(0..n));
    let mixed = MixedRotary::new(Array3::ones((2, 3, 4)), Pairing::Halves).unwrap();
    sweep("MixedRotary::at", |n| mixed.at::<f32>(Positions::grid(&[n, 1])?));
    sweep("encode", |n| -> Result<Array2<f32>, Error> {
        Sinusoidal::new(4)?.encode(&Positions::from(0..n))
    });
}

fn tables() {
    let learned = Learned::from_table(Array2::<f32>::ones((3, 1))).unwrap();
    sweep("linear", |n| learned.stretch().linear(n, Sampling::AlignedCorners));
    sweep("linear", |n| learned.stretch().linear(n, Sampling::HalfPixel));
    sweep("tile", |n| learned.stretch().tile(n));
    sweep("repeat_last", |n| learned.stretch().repeat_last(n));
    sweep("hierarchical", |n| learned.stretch().hierarchical(n.min(1 << 60), 0.4));
    sweep("initialise", |n| learned.stretch().initialise(n, NORMAL, &mut rng()));
}

/// Broadcast views of one element, whose shapes are larger than memory.
fn broadcast_views() {
    let whole = |len: usize| Error::TooLarge { rows: len, dim: 1 };
    let real = array![[1.0_f32]];
    let id = array![[1_i64]];
    let rows = |n: usize| id.broadcast((n, 2)).ok_or(whole(n));
    sweep("from_mask", |n| ids::from_mask(&rows(n)?, -1));
    sweep("padding_aware", |n| ids::padding_aware(&rows(n)?, 0, 0));
    sweep("From for Positions", |n| Positions::from(&rows(n)?).into_owned());
    sweep("from_points", |n| Positions::from_points(&rows(n)?)?.into_owned());
    sweep("from_masks", |n| {
        Positions::from_masks(&id.broadcast((n, 2, 2)).ok_or(whole(n))?, MaskCounts::PLAIN)
    });
    sweep("convert_projection", |n| {
        let weights = real.broadcast((8, n)).ok_or(whole(n))?;
        Pairing::Halves.convert_projection(&weights, 2, 4, Pairing::Interleaved)
    });
    sweep("convert_features", |n| {
        let features = real.broadcast((n, 8)).ok_or(whole(n))?;
        Pairing::Halves.convert_features(&features, 4, Pairing::Interleaved)
    });
}
