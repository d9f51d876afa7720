//! Stretched tables, compared with transformers and timm, and properties of the methods that no
//! library has.

use crate::common::Tensors;
use ndarray::{Array2, Array3, Array4, ArrayView2, Axis};
use positional_encodings::{
    Error, Init, Learned,
    resample::{GridResample, Kernel, Resample, Sampling},
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// The libraries compute weights and sums in f32.
fn close(name: &str, found: ArrayView2<'_, f32>, expected: ArrayView2<'_, f32>) {
    assert_eq!(found.dim(), expected.dim(), "{name}");
    for ((at, found), expected) in found.indexed_iter().zip(expected) {
        let error = (found - expected).abs();
        assert!(
            error <= 2e-6 * expected.abs().max(1.0),
            "{name} {at:?}: {found} instead of {expected}"
        );
    }
}

fn table(file: &Tensors, name: &str) -> Array2<f32> {
    file.get::<f32, ndarray::Ix3>(name).index_axis_move(Axis(0), 0)
}

#[test]
fn grids_are_those_of_transformers() {
    let file = Tensors::golden("b2_learned_vision");
    let cases = [
        ("vit/position", "vit_interpolate_up", [6, 6]),
        ("vit/position", "vit_interpolate_down", [2, 3]),
        ("vit/position", "vit_interpolate_rect", [7, 3]),
        ("vit/position", "vit_interpolate_x3", [12, 12]),
        ("dinov2_interpolate/old", "dinov2_interpolate", [6, 5]),
    ];
    for (old, name, to) in cases {
        let old = Learned::from_table(table(&file, old)).unwrap();
        let new = old.stretch().keeping(1).unwrap().grid([4, 4], to, Resample::vit()).unwrap();
        close(name, new.table(), table(&file, &format!("{name}/position")).view());
    }
}

#[test]
fn grids_are_those_of_timm() {
    let file = Tensors::golden("b2_learned_vision");
    let bilinear = |sampling| Resample::new(Kernel::Linear, sampling);
    let cases = [
        ("bilinear", [4, 4], [6, 3], 1, bilinear(Sampling::Antialiased)),
        ("bilinear_noaa", [4, 4], [6, 3], 1, bilinear(Sampling::HalfPixel)),
        ("down_aa", [8, 8], [5, 3], 1, Resample::timm()),
        ("down_noaa", [6, 6], [3, 4], 2, Resample::vit()),
        ("rect", [3, 5], [6, 4], 0, Resample::timm()),
        ("up_aa", [4, 4], [7, 7], 1, Resample::timm()),
    ];
    for (name, from, to, kept, resample) in cases {
        let old = Learned::from_table(table(&file, &format!("timm_resample_{name}/old"))).unwrap();
        let new = old.stretch().keeping(kept).unwrap().grid(from, to, resample).unwrap();
        close(name, new.table(), table(&file, &format!("timm_resample_{name}/new")).view());
    }
    let [old, new] = ["old", "new"]
        .map(|name| file.get::<f32, ndarray::Ix4>(&format!("timm_resample_nhwc/{name}")));
    let flat = |grid: Array4<f32>| {
        let (_, height, width, channels) = grid.dim();
        grid.into_shape_with_order((height * width, channels)).unwrap()
    };
    let resize = GridResample::new([4, 5], [6, 7], Resample::timm()).unwrap();
    close("nhwc", resize.apply(flat(old).view()).unwrap().view(), flat(new).view());
}

#[test]
fn gradients_of_grids_are_torchs() {
    let file = Tensors::golden("b4_learned_gradients");
    for (name, resample) in
        [("resample_bicubic", Resample::vit()), ("resample_bicubic_aa", Resample::timm())]
    {
        // (1, channels, height, width) to (height · width, channels)
        let rows = |tensor: &str| -> Array2<f32> {
            let image: Array3<f32> = file
                .get::<f32, ndarray::Ix4>(&format!("{name}/{tensor}"))
                .index_axis_move(Axis(0), 0);
            let points = image.dim().1 * image.dim().2;
            let channels = image.dim().0;
            image.into_shape_with_order((channels, points)).unwrap().reversed_axes()
        };
        let resize = GridResample::new([4, 4], [6, 7], resample).unwrap();
        close(name, resize.apply(rows("t").view()).unwrap().view(), rows("out").view());
        close(name, resize.backward(rows("upstream").view()).unwrap().view(), rows("grad").view());
    }
}

/// Every method keeps a constant, leaves a grid of the same size unchanged where documented, and
/// has its transpose as gradient.
#[test]
fn every_choice_has_weights_that_sum_to_one_and_a_transpose() {
    for kernel in [Kernel::Linear, Kernel::Cubic, Kernel::CatmullRom] {
        for sampling in [Sampling::HalfPixel, Sampling::AlignedCorners, Sampling::Antialiased] {
            for (from, to) in [
                ([1, 1], [3, 2]),
                ([5, 4], [5, 4]),
                ([7, 3], [2, 9]),
                ([2, 6], [1, 1]),
                ([40, 1], [3, 1]),
            ] {
                let name = format!("{kernel:?} {sampling:?} {from:?} {to:?}");
                let scaled = Resample::new(kernel, sampling).with_factors([0.9, 1.7]).unwrap();
                for resample in [Resample::new(kernel, sampling), scaled] {
                    let resize = GridResample::new(from, to, resample).unwrap();
                    let ones = Array2::<f64>::ones((from[0] * from[1], 1));
                    for value in resize.apply(ones.view()).unwrap() {
                        assert!((value - 1.0).abs() < 1e-14, "{name}: {value}");
                    }
                    let pattern = |n: usize, step: usize| {
                        Array2::from_shape_fn((n, 2), |(i, j)| ((i * step + j) % 13) as f64)
                    };
                    let (x, y) = (pattern(from[0] * from[1], 5), pattern(to[0] * to[1], 7));
                    let forward = (&resize.apply(x.view()).unwrap() * &y).sum();
                    let backward = (&resize.backward(y.view()).unwrap() * &x).sum();
                    assert!(
                        (forward - backward).abs() <= 1e-12 * forward.abs(),
                        "{name}: {forward} {backward}"
                    );
                }
                if from == to {
                    let x = Array2::from_shape_fn((20, 1), |(i, _)| i as f64);
                    let same =
                        GridResample::new(from, to, Resample::new(kernel, sampling)).unwrap();
                    assert_eq!(same.apply(x.view()).unwrap(), x, "{name}");
                }
            }
        }
    }
}

/// torch, `interpolate(scale_factor=1.6)` of [0, 1, 2, 3] and [0, 10, 0, 0], computed by torch's
/// formula in f64.
#[test]
fn factors_move_the_points() {
    let line = Array2::from_shape_vec((4, 1), vec![0.0_f64, 1.0, 2.0, 3.0]).unwrap();
    let linear =
        Resample::new(Kernel::Linear, Sampling::HalfPixel).with_factors([1.6, 1.0]).unwrap();
    let found = GridResample::new([4, 1], [6, 1], linear).unwrap().apply(line.view()).unwrap();
    for (index, found) in found.iter().enumerate() {
        let expected = ((index as f64 + 0.5) / 1.6 - 0.5).clamp(0.0, 3.0);
        assert!((found - expected).abs() < 1e-14);
    }
    assert_eq!(linear.with_factors([0.0, 1.0]), Err(Error::InvalidFactor { factor: 0.0 }));
    assert!(linear.with_factors([1.0, f64::NAN]).is_err());
}

fn numbered(rows: usize) -> Learned<f32> {
    Learned::from_table(Array2::from_shape_fn((rows, 2), |(i, j)| (10 * i + j) as f32)).unwrap()
}

fn firsts(learned: &Learned<f32>) -> Vec<f32> {
    learned.table().column(0).to_vec()
}

#[test]
fn rows_are_kept_cut_and_repeated() {
    let bart = numbered(5).with_offset(2).unwrap().with_padding_row(1).unwrap();
    let tiled = bart.stretch().tile(7).unwrap();
    assert_eq!(firsts(&tiled), [0.0, 10.0, 20.0, 30.0, 40.0, 20.0, 30.0, 40.0, 20.0]);
    assert_eq!((tiled.offset(), tiled.padding_row(), tiled.max_len()), (2, Some(1), Some(7)));
    assert_eq!(firsts(&bart.stretch().truncate(1).unwrap()), [0.0, 10.0, 20.0]);
    assert_eq!(firsts(&bart.stretch().keeping(0).unwrap().tile(2).unwrap()), [0.0, 10.0]);
    assert_eq!(
        firsts(&bart.stretch().repeat_last(4).unwrap()),
        [0.0, 10.0, 20.0, 30.0, 40.0, 40.0]
    );
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let longer = bart.stretch().initialise(5, Init::Normal { std: 0.02 }, rng).unwrap();
    assert_eq!(firsts(&longer)[..5], firsts(&bart));
    assert!(firsts(&longer)[5..].iter().all(|value| *value != 0.0 && value.abs() < 0.2));
    assert_eq!(firsts(&bart.stretch().initialise(1, Init::Zeros, rng).unwrap()), [0.0, 10.0, 20.0]);
}

#[test]
fn hierarchical_rows_follow_their_formula() {
    let learned = numbered(3);
    let longer = learned.stretch().hierarchical(9, 0.4).unwrap();
    assert_eq!(longer.table().slice_axis(Axis(0), (..3).into()), learned.table());
    for i in 1..3 {
        for j in 0..3 {
            for column in 0..2 {
                let u = |row: usize| {
                    let p = |row: usize| f64::from(learned.table()[[row, column]]);
                    (p(row) - 0.4 * p(0)) / 0.6
                };
                let expected = (0.4 * u(i) + 0.6 * u(j)) as f32;
                assert_eq!(longer.table()[[3 * i + j, column]], expected);
            }
        }
    }
}

#[test]
fn impossible_stretches_are_errors() {
    let learned = numbered(4);
    let stretch = learned.stretch();
    assert_eq!(
        stretch.truncate(5),
        Err(Error::PositionOutsideTable { position: 4.0, first: 0, len: 4 })
    );
    assert!(stretch.hierarchical(17, 0.4).is_err());
    for share in [0.0, 0.5, 1.0, -1.0, f64::NAN] {
        assert!(matches!(stretch.hierarchical(8, share), Err(Error::InvalidShare { .. })));
    }
    assert!(stretch.keeping(5).is_err());
    let none = stretch.keeping(4).unwrap();
    for result in [
        none.tile(3),
        none.repeat_last(3),
        none.linear(3, Sampling::HalfPixel),
        none.hierarchical(0, 0.4),
    ] {
        assert_eq!(result, Err(Error::EmptyGrid { rows: 0, columns: 1 }));
    }
    assert!(matches!(
        stretch.grid([2, 2], [0, 3], Resample::vit()),
        Err(Error::EmptyGrid { rows: 0, columns: 3 })
    ));
    assert!(matches!(
        stretch.grid([2, 3], [3, 3], Resample::vit()),
        Err(Error::LengthMismatch { .. })
    ));
    for len in [usize::MAX, usize::MAX / 8, 1 << 58] {
        assert!(matches!(stretch.tile(len), Err(Error::TooLarge { .. })));
    }
    for to in [[1 << 52, 1], [1, usize::MAX], [usize::MAX, usize::MAX]] {
        assert!(
            matches!(GridResample::new([2, 2], to, Resample::timm()), Err(Error::TooLarge { .. })),
            "{to:?}"
        );
        assert!(
            matches!(GridResample::new(to, [2, 2], Resample::timm()), Err(Error::TooLarge { .. })),
            "{to:?}"
        );
    }
    assert_eq!(stretch.linear(0, Sampling::AlignedCorners).unwrap().max_len(), Some(0));
    assert_eq!(firsts(&stretch.linear(1, Sampling::AlignedCorners).unwrap()), [0.0]);
}

/// Long-CLIP's load_from_clip: 20 rows stay, each other one becomes four, the last ones on the line
/// through the last two.
#[test]
fn long_clip() {
    let table = Array2::from_shape_fn((77, 2), |(row, column)| (row * row) as f64 + column as f64);
    let clip = Learned::from_table(table.clone()).unwrap();
    let long = clip.stretch().keeping(20).unwrap().linear(4 * 57, Sampling::FromFirst).unwrap();
    assert_eq!(long.table().nrows(), 248);
    for column in 0..2 {
        let old = |row: usize| table[[row, column]];
        for (row, &found) in long.table().column(column).iter().enumerate() {
            let expected = match row {
                0..20 => old(row),
                _ => {
                    let (whole, quarter) = (20 + (row - 20) / 4, ((row - 20) % 4) as f64 / 4.0);
                    let slope =
                        if whole < 76 { old(whole + 1) - old(whole) } else { old(76) - old(75) };
                    old(whole) + quarter * slope
                }
            };
            assert!((found - expected).abs() < 1e-9, "{row}: {found} instead of {expected}");
        }
    }
}
