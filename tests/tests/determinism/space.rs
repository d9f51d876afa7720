//! Hashes of the encodings of grids, points and continuous time.

use ndarray::{Array1, Array2, Array3};
use positional_encodings::space::{
    AngleUnit, Cycle, MipNerf, Radial, Sphere2Vec, Wavelengths, equal_earth,
};
use positional_encodings::{
    Axes, Element, Error, Fourier, Frequencies, LearnedGrid, PositionalEncoding, Positions,
    Timestep,
    ids::{self, MaskCounts},
    space::{Input, Time2Vec},
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use crate::{bits, hash, random};

/// Hashes for f32, f64, f16, bf16.
const PINNED: [(&str, [u64; 4]); 19] = [
    (
        "mae",
        [
            0x651a_aa47_52a1_7c4b,
            0xea37_8b41_32f4_b673,
            0xb04b_a5b2_e30e_ea59,
            0x8d75_0baa_371a_c7f6,
        ],
    ),
    (
        "timm",
        [
            0x40f6_80df_315c_dfed,
            0xda01_f113_2cc4_f6c7,
            0xd424_128d_c046_03e5,
            0x90cd_1965_7fc9_93d5,
        ],
    ),
    (
        "loftr",
        [
            0xff27_bc9b_f7a6_38f8,
            0x5142_95f2_09b2_53e6,
            0x5bd1_c50e_4dbd_3c6c,
            0xd078_3b53_038d_e20a,
        ],
    ),
    (
        "detr",
        [
            0xe7e2_d615_5675_41e7,
            0x9b1e_3d03_5d9c_ab7d,
            0x0471_c834_4015_b03f,
            0x745e_d2b3_06f6_cb89,
        ],
    ),
    (
        "dab-detr",
        [
            0x2f39_e6f1_b022_6c3c,
            0x398c_2b73_bef4_23a6,
            0x44dc_7f94_587b_99c8,
            0x2021_c3b0_dae6_169b,
        ],
    ),
    (
        "learned grid",
        [
            0x4313_245e_d475_c8f6,
            0x5783_d568_4b94_bf26,
            0xed2a_23f4_d042_6cce,
            0x7ab8_9f6c_be35_eb26,
        ],
    ),
    (
        "timestep",
        [
            0xf157_4623_c9e7_828a,
            0x74db_8548_8c33_0727,
            0x9bca_378d_0909_9e14,
            0x7783_1402_7a22_f8b9,
        ],
    ),
    (
        "projection",
        [
            0xe0a1_eae9_cc19_7230,
            0x2715_51dc_86fa_5291,
            0xab9a_7c8b_c94b_9754,
            0x29fc_244e_e942_2905,
        ],
    ),
    (
        "projection, far",
        [
            0x6c1a_cd60_65af_b1f5,
            0x2ffb_a25e_6874_a5cd,
            0x589e_e85c_3603_5546,
            0x5e40_6732_16e7_fc88,
        ],
    ),
    (
        "nerf",
        [
            0xa8bf_9d0c_2e0c_801a,
            0x8558_4137_a603_bf9e,
            0xd7c5_3bb5_adfd_0385,
            0xc3ad_89d9_9c4f_a83e,
        ],
    ),
    (
        "perceiver",
        [
            0x0e2f_5e15_85fe_ecb5,
            0xb557_0962_0990_9942,
            0xb3d0_3b98_1763_8448,
            0x4e71_63ab_bf32_62da,
        ],
    ),
    (
        "calendar",
        [
            0xd219_944a_2450_a11a,
            0xe2a2_cbe9_c0a4_751a,
            0xf4ef_fbfc_6f76_82ce,
            0x422f_4eb7_6714_142b,
        ],
    ),
    (
        "mip-nerf",
        [
            0xd7f8_d2c0_0570_560f,
            0xde28_d412_c8ce_21fb,
            0x735b_3dbb_e5f1_3c51,
            0x9b0f_2353_92ac_12c0,
        ],
    ),
    (
        "time2vec",
        [
            0x1419_1f19_b4f9_1a17,
            0xda08_523c_6cc0_2c1f,
            0xfb53_6362_8e73_df35,
            0xe463_5ac9_c37b_2d83,
        ],
    ),
    (
        "wavelengths",
        [
            0xba05_fb51_1c49_d8fb,
            0xdb9e_7030_ef80_4d06,
            0x957a_6994_9828_b096,
            0x22f8_bb24_393f_38a6,
        ],
    ),
    (
        "sphere",
        [
            0xd584_4351_1736_1f3c,
            0x5b44_d575_6f0f_51f6,
            0x7fc8_e116_8e08_265e,
            0xcd34_696d_f0a9_b1e9,
        ],
    ),
    (
        "gaussians",
        [
            0x3c13_afe9_ed8e_50e8,
            0xd7fc_aa28_d9a5_095b,
            0xa269_c6e9_1071_64d9,
            0x83d3_5d2c_d822_c9c7,
        ],
    ),
    (
        "exp-normal",
        [
            0xdc85_c339_3b9b_7d25,
            0x0a2b_1296_2de5_4521,
            0xe8ad_e775_8a8c_044e,
            0x2447_fa61_f228_6085,
        ],
    ),
    (
        "dimenet",
        [
            0xe424_b0c5_d09a_e050,
            0xd7b7_6f71_3c07_d250,
            0x474a_9d06_fb39_9570,
            0xc32b_552c_9a9b_6a09,
        ],
    ),
];
/// Hashes of positions: of a mask, of the Equal Earth projection, and drawn in training.
const PINNED_POSITIONS: u64 = 0x0b39_8f28_294b_942c;

/// Returns reals with all bits, of magnitudes up to 2^`most`.
fn reals(count: usize, most: u32) -> Vec<f64> {
    let real = |z: u64| (z as i64 >> 11) as f64 / 2_f64.powi(52 - (z % u64::from(most)) as i32);
    random(count).map(real).collect()
}

fn points(axes: usize) -> Result<Positions<'static>, Error> {
    let all = reals(40 * axes, 12);
    Positions::from_axes(all.chunks(40).map(<[f64]>::to_vec))
}

/// Returns a matrix of such numbers.
fn matrix(rows: usize, columns: usize) -> Array2<f64> {
    let all = reals(rows * columns, 5);
    Array2::from_shape_fn((rows, columns), |(i, j)| all[i * columns + j])
}

type Case<A> = (&'static str, Box<dyn PositionalEncoding<A>>, Positions<'static>);

fn cases<A: Element>() -> Result<Vec<Case<A>>, Error> {
    let mask = Array3::from_shape_fn((2, 6, 7), |(i, y, x)| y < 6 - i && x < 4 + i);
    let grid = Positions::grid(&[9, 13])?;
    let magnitudes =
        || Positions::from(reals(40, 12).into_iter().map(f64::abs).collect::<Vec<_>>());
    let positive = || Positions::from_axes([magnitudes(), magnitudes()]);
    let degrees = || points(2)?.map(|axis, c| c % [90.0, 180.0][axis]);
    let learned =
        Array3::from_shape_fn((9, 13, 4), |(i, j, k)| A::from_f64((i * j + k) as f64 * 0.3));
    let ones = Array1::from(reals(20, 3));
    let timescales = Frequencies::timescales(6, 1.0..=100.0)?;
    Ok(vec![
        ("mae", Box::new(Axes::mae(64)?), grid.clone()),
        ("timm", Box::new(Axes::timm(24, 100.0)?), grid.clone()),
        ("loftr", Box::new(Axes::loftr(32)?), points(2)?),
        ("detr", Box::new(Axes::detr(48, 20.0)?), {
            Positions::from_masks(&mask, MaskCounts::NORMALIZED)?
        }),
        ("dab-detr", Box::new(Axes::dab_detr(64, 1e4)?), points(4)?),
        ("learned grid", Box::new(LearnedGrid::from_table(learned)?), {
            grid.map(|_, c| c * 0.93)?
        }),
        ("timestep", Box::new(Timestep::flux(33).encoding()?), Positions::from(reals(60, 10))),
        ("projection", Box::new(Fourier::new(&matrix(3, 150))?), points(3)?),
        ("projection, far", Box::new(Fourier::new(&matrix(2, 20))?), {
            points(2)?.map(|_, c| c * 1e9)?
        }),
        ("nerf", Box::new(Fourier::nerf(3, 10)?.with_input(Input::First)), points(3)?),
        ("perceiver", Box::new(Fourier::perceiver(&[32, 48], 9)?), points(2)?),
        ("calendar", Box::new(Fourier::calendar(&[Cycle::new(365.2425).from(0.3)])?), magnitudes()),
        ("mip-nerf", Box::new(MipNerf::new(1, 8)?), positive()?),
        ("time2vec", Box::new(Time2Vec::new(&ones, &ones)?), Positions::from(reals(40, 12))),
        ("wavelengths", Box::new(Wavelengths::new(16, 1e-9..=1e9)?), magnitudes()),
        ("sphere", Box::new(Sphere2Vec::new(&timescales, AngleUnit::Degrees)?), degrees()?),
        ("gaussians", Box::new(Radial::gaussian(20, 0.0..=50.0)?), magnitudes()),
        ("exp-normal", Box::new(Radial::exp_normal(20, 50.0)?), magnitudes()),
        ("dimenet", Box::new(Radial::dimenet(20, 500.0, 5)?), magnitudes()),
    ])
}

fn hashes<A: Element>() -> Vec<u64> {
    let hash_of = |(_, encoding, at): &Case<A>| hash(bits(&encoding.encode(at).unwrap()));
    cases::<A>().unwrap().iter().map(hash_of).collect()
}

#[test]
fn outputs_of_space_are_pinned() {
    let [f32, f64] = [hashes::<f32>(), hashes::<f64>()].map(Some);
    #[cfg(feature = "half")]
    let [f16, bf16] = [hashes::<half::f16>(), hashes::<half::bf16>()].map(Some);
    #[cfg(not(feature = "half"))]
    let [f16, bf16]: [Option<Vec<u64>>; 2] = [None, None];
    let (mut table, mut differ) = (String::new(), Vec::new());
    for (index, (name, ..)) in cases::<f32>().unwrap().iter().enumerate() {
        let found = [&f32, &f64, &f16, &bf16].map(|all| all.as_ref().map(|all| all[index]));
        let pinned = PINNED.get(index).copied().unwrap_or(("", [0; 4]));
        let same = |(found, pinned): (&Option<u64>, u64)| found.is_none_or(|found| found == pinned);
        if pinned.0 != *name || !found.iter().zip(pinned.1).all(same) {
            differ.push(*name);
        }
        let hashes = found.map(|hash| format!("0x{:016x}", hash.unwrap_or_default()));
        table += &format!("    (\"{name}\", [{}]),\n", hashes.join(", "));
    }
    assert!(differ.is_empty(), "other values than pinned: {differ:?}; now they are\n{table}");
}

#[test]
fn positions_are_pinned() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let batch = Positions::from(Array2::from_shape_fn((3, 20), |(_, j)| j));
    let cape = ids::Cape { centred: true, global_shift: 5.0, local_shift: 0.5, scaling: 1.1 };
    let places = points(2).unwrap().map(|axis, c| c % [90.0, 180.0][axis]).unwrap();
    let all = [
        ids::Shape { max: 1000 }.augment(&batch, &mut rng),
        cape.augment(&batch, &mut rng),
        ids::RandPos { max: 2048 }.draw(3, 20, &mut rng),
        equal_earth(&places, AngleUnit::Degrees),
        Positions::linspace(&[7, 10], -1.0..=1.0),
    ];
    let found = hash(all.into_iter().flat_map(|at| bits(&at.unwrap().to_array().unwrap())));
    assert_eq!(found, PINNED_POSITIONS, "now 0x{found:016x}");
}
