//! The same bits everywhere: on every machine, with every instruction set, in debug and in release,
//! however a row is asked for.
//!
//! The hashes below are outputs of this crate. A changed hash is a change of values: it belongs in
//! CHANGELOG.md as value-breaking. A failing test prints the new table. To run it in all
//! profiles, add `--release` or `--profile dev` to:
//!
//!     cargo test --all-features --test determinism

mod bias;
#[path = "../bias/biases.rs"]
mod biases;
#[path = "../bias/content_biases.rs"]
mod content_biases;
mod single_rows;
mod space;

use ndarray::{Array2, Array3, ArrayView2, Axis, s};
use positional_encodings::{
    Element, FeatureLayout, Frequencies, Learned, OddDim, PositionalEncoding, Positions,
    Sinusoidal, TokenEmbedding, add_positions, embed_with_positions_at, testing::InstructionSet,
};

/// Hashes of the rows of an encoding at all the positions below: f32, f64, f16, bf16.
type Pinned = (&'static str, [u64; 4]);

const PINNED: [Pinned; 11] = [
    (
        "the paper",
        [
            0x869e_b381_da10_1055,
            0x858d_ea19_137b_c6de,
            0xd3bd_af97_f7fc_533f,
            0x1572_47bc_30ca_0546,
        ],
    ),
    (
        "base 500,000",
        [
            0x7acc_03d4_8754_3bb5,
            0x5c1a_f44e_f30a_5257,
            0xeeba_a8d7_3e84_014b,
            0x16c5_f03f_b6c0_3577,
        ],
    ),
    (
        "base 1e8, wide",
        [
            0x4ffd_9840_d6e3_020f,
            0xa8f5_ffef_0517_7720,
            0x697a_5d64_4665_b2a0,
            0x5a23_a503_4737_a2d8,
        ],
    ),
    (
        "whisper",
        [
            0x22b6_f976_35c5_3f56,
            0x6a2d_77cd_ea73_d4f6,
            0x22c2_1803_dc1e_654f,
            0xdccd_da83_7fff_dc9f,
        ],
    ),
    (
        "fairseq",
        [
            0xc403_bf9e_cdb1_b5f2,
            0x8949_c71e_1c4c_4ca7,
            0x3b5b_136f_0b36_7f96,
            0x6049_943d_a95b_fb08,
        ],
    ),
    (
        "odd, drop last",
        [
            0xac39_da42_4002_9bd8,
            0x5a67_6bf8_aeff_016f,
            0x94ac_e5e1_2106_ddc7,
            0x5953_4944_d7c4_fd73,
        ],
    ),
    (
        "odd, cosines first",
        [
            0x92c3_1619_6d5a_5bc7,
            0x98b9_1bc5_a71d_eaef,
            0x38a9_35e8_7cd5_0f53,
            0xe957_5acc_3de8_53dd,
        ],
    ),
    ("mlx", [0x0c35a27278b7d7d2, 0x438b_3bb4_520d_791a, 0x2f6c64cb4aa7a5d0, 0x831686182ac3e44d]),
    (
        "timescales",
        [
            0x635f_93ae_49ca_af20,
            0xa743_530b_6ab3_9170,
            0x2bd5_5423_16c0_0952,
            0xa6fb_4ea7_ff1b_cbda,
        ],
    ),
    (
        "harmonic",
        [
            0x3df2_e7e6_b979_9237,
            0xbc6c_27a3_ff17_c76e,
            0xf600_a43e_09d5_0757,
            0xf62c_1045_2963_1f30,
        ],
    ),
    ("given", [0x3a672e2b4b82d969, 0x686c_be09_ec29_1d70, 0xedb85c73f5254402, 0x9897c2bf9b1ec545]),
];

/// A hash of the frequencies in radians of all encodings.
const PINNED_FREQUENCIES: u64 = 0xc32b_97e9_d5ac_29ed;
/// Hashes of a table's interpolated rows, and of a lookup with scale and segments.
const PINNED_TABLES: [u64; 4] =
    [0x3ddf_e39c_840a_69db, 0x38a5_2236_a7fa_5971, 0xa37a_5b31_ee0c_4345, 0x8cae_8b7b_ca76_2c21];

/// Hashes by multiplying and shifting, so that every bit of every value and the order count.
fn hash(values: impl IntoIterator<Item = u64>) -> u64 {
    values.into_iter().fold(0x9e37_79b9_7f4a_7c15, |hash: u64, value| {
        let mixed = (hash ^ value).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 31)
    })
}

/// Returns the values as bits: conversion to f64 is exact, the sign of zero included.
fn bits<'a, A: Element>(values: impl IntoIterator<Item = &'a A>) -> Vec<u64> {
    values.into_iter().map(|value| value.to_f64().to_bits()).collect()
}

/// splitmix64
fn random(n: usize) -> impl Iterator<Item = u64> {
    (1..=n as u64).map(|i| {
        let z = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// Near and distant ranges, unordered and negative ids, reals.
fn positions() -> Vec<Positions<'static>> {
    // In i64, so that the positions are the same where usize has 32 bits.
    const LAST: i64 = (1 << 53) - 1;
    let ids: Vec<i64> = random(60).map(|z| (z as i64) >> (11 + z % 40)).collect();
    let near: Vec<usize> = random(60).map(|z| (z % 300) as usize).collect();
    let reals: Vec<f64> =
        random(40).map(|z| (z >> 12) as f64 / (1_u64 << (z % 60)) as f64 - 1000.0).collect();
    vec![
        Positions::from(0..150),
        Positions::from(4095..4096),
        Positions::from(1_000_003..1_000_100),
        Positions::from((LAST - 70..=LAST).collect::<Vec<i64>>()),
        Positions::from((-50..50).rev().collect::<Vec<i64>>()),
        Positions::from(ids),
        Positions::from(near),
        Positions::from(reals),
        // Positions with tiny sines.
        Positions::from(vec![22_i64, 355, 103_993, 80_143_857, 6_167_950_454, 14_885_392_687]),
    ]
}

/// A padded sequence, a grid, and padding at a distant position.
fn repeated() -> [Positions<'static>; 3] {
    [
        Positions::from(vec![1_i64, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
        Positions::from((0..60).map(|i| i / 12).collect::<Vec<usize>>()),
        Positions::from(vec![-1_i64 << 50, -1 << 50, -1 << 50, 0, 0, 1]),
    ]
}

fn encodings() -> Vec<(&'static str, Sinusoidal)> {
    let build = || -> Result<_, positional_encodings::Error> {
        let of = Sinusoidal::from_frequencies;
        let inclusive = |dim| Frequencies::geometric_inclusive(dim, 10_000.0).map(of);
        Ok(vec![
            ("the paper", Sinusoidal::new(64)?),
            ("base 500,000", of(Frequencies::geometric(128, 500_000.0)?)),
            ("base 1e8, wide", of(Frequencies::geometric(1100, 1e8)?)),
            ("whisper", inclusive(54)?.with_layout(FeatureLayout::SinCosHalves)),
            (
                "fairseq",
                inclusive(6)?
                    .with_layout(FeatureLayout::SinCosHalves)
                    .padded_to(7)?
                    .with_zero_position(1),
            ),
            ("odd, drop last", Sinusoidal::odd(17, OddDim::DropLast)?),
            (
                "odd, cosines first",
                Sinusoidal::odd(35, OddDim::DropLastOfEven)?
                    .with_layout(FeatureLayout::CosSinHalves),
            ),
            (
                "mlx",
                inclusive(12)?
                    .with_layout(FeatureLayout::SinCosHalves)
                    .with_amplitude((2.0_f64 / 12.0).sqrt())?,
            ),
            ("timescales", of(Frequencies::timescales(20, 0.5..=1000.0)?.full_turns()?)),
            ("harmonic", of(Frequencies::harmonic(30, 17.5)?)),
            (
                "given",
                of(Frequencies::from_radians([1.0, -0.3, 0.0, 1e18, 1e-300, 7.25])?.scaled(1.1)?),
            ),
        ])
    };
    build().unwrap()
}

fn rows_hash<A: Element>(encoding: &Sinusoidal) -> u64 {
    // A few wide rows, around the middle between two anchors: unoptimised builds should not take
    // minutes.
    let part = if encoding.dim() > 200 { 25..40 } else { 0..usize::MAX };
    let rows =
        |at: &Positions<'_>| -> Array2<A> { encoding.encode(&at.slice(part.clone())).unwrap() };
    hash(positions().iter().flat_map(|at| bits(&rows(at))))
}

#[cfg(feature = "half")]
fn half_hashes(encoding: &Sinusoidal) -> [Option<u64>; 2] {
    [Some(rows_hash::<half::f16>(encoding)), Some(rows_hash::<half::bf16>(encoding))]
}

#[cfg(not(feature = "half"))]
fn half_hashes(_: &Sinusoidal) -> [Option<u64>; 2] {
    [None; 2]
}

#[test]
fn outputs_are_pinned() {
    let mut table = String::new();
    let mut differ = Vec::new();
    for (index, (name, encoding)) in encodings().into_iter().enumerate() {
        for set in InstructionSet::available() {
            let forced = encoding.clone().with_instruction_set(set).unwrap();
            let [f16, bf16] = half_hashes(&forced);
            let found =
                [Some(rows_hash::<f32>(&forced)), Some(rows_hash::<f64>(&forced)), f16, bf16];
            let pinned = PINNED.get(index).copied().unwrap_or(("", [0; 4]));
            let same =
                |(found, pinned): (&Option<u64>, u64)| found.is_none_or(|found| found == pinned);
            if pinned.0 != name || !found.iter().zip(pinned.1).all(same) {
                differ.push(format!("{name} with {}", set.name()));
            }
            if set == InstructionSet::Baseline {
                let hashes = found.map(|hash| format!("0x{:016x}", hash.unwrap_or_default()));
                table += &format!("    (\"{name}\", [{}]),\n", hashes.join(", "));
            }
        }
    }
    assert!(differ.is_empty(), "other values than pinned: {differ:?}; now they are\n{table}");
}

#[test]
fn frequencies_are_pinned() {
    let lists = [
        Frequencies::geometric(1024, 10_000.0),
        Frequencies::geometric(128, 500_000.0),
        Frequencies::geometric_inclusive(384, 10_000.0),
        Frequencies::geometric_odd(77, 3.7, OddDim::DropLast),
        Frequencies::timescales(64, 0.3..=12_345.6),
        Frequencies::harmonic(64, 77.7),
    ];
    let found = hash(lists.into_iter().flat_map(|list| bits(&list.unwrap().to_radians())));
    assert_eq!(found, PINNED_FREQUENCIES, "now 0x{found:016x}");
}

#[test]
fn tables_are_pinned() {
    fn found<A: Element>() -> u64 {
        let value =
            |i: usize, j: usize| A::from_f64(((i * 37 + j * 101) % 257) as f64 / 97.0 - 1.3);
        let learned =
            Learned::from_table(Array2::from_shape_fn((200, 24), |(i, j)| value(i, j))).unwrap();
        let reals: Vec<f64> =
            random(100).map(|z| (z >> 11) as f64 / (1_u64 << 53) as f64 * 199.0).collect();
        let interpolated = learned.encode(&Positions::from(&reals)).unwrap();
        let embedding =
            TokenEmbedding::new(Array2::from_shape_fn((50, 24), |(i, j)| value(j, i)), &learned)
                .and_then(|embedding| embedding.with_scale(24_f64.sqrt()))
                .and_then(|embedding| {
                    embedding
                        .with_segments(Array2::from_shape_fn((2, 24), |(i, j)| value(i + 5, j)))
                })
                .unwrap();
        let tokens = Array2::from_shape_fn((3, 40), |(i, j)| (i * 13 + j * 7) % 50);
        let sum = embedding.embed(&tokens).unwrap();
        hash(bits(&interpolated).into_iter().chain(bits(&sum)))
    }
    #[cfg(feature = "half")]
    let [f16, bf16] = [Some(found::<half::f16>()), Some(found::<half::bf16>())];
    #[cfg(not(feature = "half"))]
    let [f16, bf16] = [None; 2];
    let found = [Some(found::<f32>()), Some(found::<f64>()), f16, bf16];
    let same = found
        .iter()
        .zip(PINNED_TABLES)
        .all(|(found, pinned)| found.is_none_or(|found| found == pinned));
    assert!(same, "other values than pinned: now they are {found:#018x?}");
}

/// A row has the same bits alone, in a range that starts elsewhere, as an id, in a batch, strided,
/// transposed and added.
fn company<A: Element>(encoding: &Sinusoidal) {
    let dim = encoding.dim();
    for at in positions().into_iter().chain(repeated()) {
        let whole: Array2<A> = encoding.encode(&at).unwrap();
        let expected = bits(&whole);
        let same = |found: ArrayView2<'_, A>, how: &str| {
            assert_eq!(bits(found), expected, "{how} at {at:?}")
        };
        let n = at.len();
        for start in [1, 31, 33, 64].into_iter().filter(|&start| start < n) {
            let part: Array2<A> = encoding.encode(&at.slice(start..n)).unwrap();
            assert_eq!(
                bits(&part),
                bits(whole.slice(s![start.., ..])),
                "from {start} on at {at:?}"
            );
        }
        let mut alone = Array2::from_elem((n, dim), A::one());
        for (i, row) in alone.axis_chunks_iter_mut(Axis(0), 1).enumerate() {
            encoding.encode_into(&at.slice(i..i + 1), row).unwrap();
        }
        same(alone.view(), "alone");

        let mut strided = Array2::from_elem((2 * n, 3 * dim), A::one());
        let mut view = strided.slice_mut(s![1..;2, ..;-3]);
        encoding.encode_into(&at, view.view_mut()).unwrap();
        same(view.view(), "strided");
        let mut part = strided.slice_mut(s![..n, 1..dim + 1]);
        encoding.encode_into(&at, part.view_mut()).unwrap();
        same(part.view(), "in a part of wider rows");
        let mut transposed = Array2::from_elem((dim, n), A::one());
        encoding.encode_into(&at, transposed.view_mut().reversed_axes()).unwrap();
        same(transposed.t(), "transposed");

        let words = Array3::from_shape_fn((2, n, dim), |(i, j, k)| {
            A::from_f64(((i * 31 + j * 17 + k * 7) % 64) as f64 / 16.0 - 2.0)
        });
        let batch = embed_with_positions_at(&words, encoding, &at).unwrap();
        let mut in_place = words.clone();
        for (i, mut words) in in_place.outer_iter_mut().enumerate() {
            let sum: Vec<A> =
                words.iter().zip(&whole).map(|(&word, &vector)| word + vector).collect();
            assert_eq!(bits(batch.index_axis(Axis(0), i)), bits(&sum), "in a batch at {at:?}");
            encoding.add_to(&at, words.view_mut()).unwrap();
            assert_eq!(bits(&words), bits(&sum), "added at {at:?}");
        }
    }
}

#[test]
fn a_row_has_the_same_bits_in_any_company() {
    for (name, encoding) in encodings().into_iter().filter(|(name, _)| *name != "base 1e8, wide") {
        for set in InstructionSet::available() {
            let forced = encoding.clone().with_instruction_set(set).unwrap();
            println!("{name} with {}", set.name());
            company::<f32>(&forced);
            company::<f64>(&forced);
            #[cfg(feature = "half")]
            company::<half::bf16>(&forced);
        }
    }
}

/// Where rows and halves are whole pages apart, the sines of eight rows are stored before their
/// cosines; the bits are the same as in other layouts.
#[test]
fn halves_that_are_pages_apart_have_the_same_bits() {
    fn check<A: Element>(interleaved: &Sinusoidal, set: InstructionSet) {
        let halves = interleaved.clone().with_layout(FeatureLayout::SinCosHalves);
        let pairs = interleaved.dim() / 2;
        assert_eq!(pairs * size_of::<A>() % 4096, 0, "halves are whole pages apart");
        // Angles before and after they wrap, and rows that begin within a block.
        for start in [0, -64, 1_000_003, 3 << 40] {
            let run: Vec<i64> = (start..start + 70).collect();
            let positions = Positions::from(&run);
            let (pairwise, apart): (Array2<A>, Array2<A>) =
                (interleaved.encode(&positions).unwrap(), halves.encode(&positions).unwrap());
            for (row, expected) in apart.rows().into_iter().zip(pairwise.rows()) {
                for i in 0..pairs {
                    let found = [row[i], row[pairs + i]].map(Element::to_f64).map(f64::to_bits);
                    let expected = [expected[2 * i], expected[2 * i + 1]]
                        .map(Element::to_f64)
                        .map(f64::to_bits);
                    assert_eq!(found, expected, "{} from {start}, pair {i}", set.name());
                }
            }
        }
    }
    for set in InstructionSet::available() {
        for amplitude in [1.0, 0.3] {
            let new = |dim| {
                let encoding = Sinusoidal::new(dim).unwrap().with_amplitude(amplitude).unwrap();
                encoding.with_instruction_set(set).unwrap()
            };
            check::<f64>(&new(1024), set);
            check::<f32>(&new(2048), set);
            #[cfg(feature = "half")]
            check::<half::f16>(&new(4096), set);
            #[cfg(feature = "half")]
            check::<half::bf16>(&new(4096), set);
        }
    }
}

/// Additions in place and lookups use the encoding's instruction set, in batches that do not fill
/// whole groups of rows or lanes.
#[test]
fn sums_have_the_same_bits_with_every_set() {
    fn sums<A: Element>(encoding: &Sinusoidal) -> Vec<u64> {
        let value = |i: usize| A::from_f64((i * 37 % 101) as f64 / 7.0 - 3.0);
        let table = |rows: usize| {
            Array2::from_shape_fn((rows, 70), |(row, column)| value(row * 70 + column))
        };
        let mut words = Array3::from_shape_fn((6, 19, 70), |(n, row, column)| {
            value((n * 19 + row) * 70 + column)
        });
        add_positions(words.view_mut(), encoding).unwrap();
        let embedding =
            TokenEmbedding::new(table(40), encoding).unwrap().with_segments(table(2)).unwrap();
        let embedding = embedding.with_scale(70_f64.sqrt()).unwrap();
        let tokens = Array2::from_shape_fn((6, 19), |(n, row)| ((n * 19 + row) * 13 % 40) as i64);
        let input = embedding.embed(&tokens).unwrap();
        words.iter().chain(&input).map(|value| value.to_f64().to_bits()).collect()
    }
    let encoding = Sinusoidal::new(70).unwrap();
    let best = [sums::<f32>(&encoding), sums::<f64>(&encoding)];
    for set in InstructionSet::available() {
        let forced = encoding.clone().with_instruction_set(set).unwrap();
        assert_eq!([sums::<f32>(&forced), sums::<f64>(&forced)], best, "{}", set.name());
        #[cfg(feature = "half")]
        {
            assert_eq!(sums::<half::f16>(&forced), sums::<half::f16>(&encoding), "{}", set.name());
            assert_eq!(
                sums::<half::bf16>(&forced),
                sums::<half::bf16>(&encoding),
                "{}",
                set.name()
            );
        }
    }
}

/// Rows do not depend on the calling thread: encodings are values without state.
#[test]
fn threads_agree() {
    let encoding = Sinusoidal::new(128).unwrap();
    let whole: Array2<f32> = encoding.encode(&Positions::from(0..1000)).unwrap();
    let mut parts = Array2::<f32>::zeros((1000, 128));
    std::thread::scope(|scope| {
        for (i, part) in parts.axis_chunks_iter_mut(Axis(0), 77).enumerate() {
            let encoding = &encoding;
            scope.spawn(move || {
                encoding.encode_into(&Positions::from(77 * i..77 * i + part.nrows()), part).unwrap()
            });
        }
    });
    assert_eq!(bits(&parts), bits(&whole));
}
