//! Properties of any grid with any encoding.

use ndarray::{Array2, Array3, Array4, ArrayD, Axis, s};
use positional_encodings::{
    Axes, Element, Error, FeatureLayout, Fourier, LearnedGrid, PositionalEncoding, Positions,
    Sinusoidal, add_positions_to_grid, embed_with_positions_at,
    ids::{self, MaskCounts},
};

type Outcome = Result<(), Error>;
type Grid = Axes<f32, Sinusoidal>;

fn recipes() -> Result<Vec<(&'static str, Grid)>, Error> {
    Ok(vec![
        ("mae", Axes::mae(48)?),
        ("i_jepa", Axes::i_jepa(64)?),
        ("timm", Axes::timm(48, 100.0)?),
        ("detr", Axes::detr(40, 20.0)?),
        ("loftr", Axes::loftr(32)?),
        ("python", Axes::python(22, 2)?),
        ("tensor2tensor", Axes::tensor2tensor(27, 2)?),
    ])
}

fn rows(encoding: &Grid, positions: &Positions<'_>) -> Array2<f32> {
    encoding.encode(positions).unwrap()
}

/// The slow way: each point by itself, so that nothing is copied.
fn one_by_one<A: Element>(
    encoding: &dyn PositionalEncoding<A>,
    positions: &Positions<'_>,
) -> Array2<A> {
    let mut all = Array2::zeros((positions.count(), encoding.dim()));
    for (index, row) in all.axis_chunks_iter_mut(Axis(0), 1).enumerate() {
        encoding.encode_into(&positions.slice(index..index + 1), row).unwrap();
    }
    all
}

/// Copied features equal computed ones.
#[test]
fn a_row_alone_is_its_row_in_the_grid() -> Outcome {
    let mask = Array3::from_shape_fn((3, 11, 13), |(i, y, x)| y < 11 - 2 * i && x < 6 + 3 * i);
    let cases = [
        Positions::grid(&[7, 9])?,
        Positions::grid_of(&[3..9, 1000..1100])?,
        Positions::grid(&[2, 1500])?, // more columns than rows are remembered
        Positions::grid(&[1500, 2])?,
        Positions::grid_in_blocks(&[8, 12], &[2, 4])?,
        Positions::from_masks(&mask, MaskCounts::NORMALIZED)?,
        Positions::from_masks(&mask, MaskCounts::CENTRED)?,
        Positions::linspace(&[6, 5], -1.0..=1.0)?,
        Positions::concat([Positions::from(&[-1]), Positions::grid(&[5, 5])?])?,
        // 5, 1029 and 2053 share a slot.
        Positions::from_axes([[5, 1029, 5, 5, 2053, 1029, 5], [0, 0, 1, 0, 1, 1, 0]].each_ref())?,
    ];
    for (name, encoding) in recipes()? {
        for positions in &cases {
            let whole = rows(&encoding, positions);
            assert_eq!(whole, one_by_one(&encoding, positions), "{name} at {positions:?}");
            let mut strided = Array2::<f32>::ones((2 * whole.nrows(), whole.ncols() + 3));
            let mut view = strided.slice_mut(s![..;2, 1..1 + encoding.dim()]);
            encoding.encode_into(positions, view.view_mut())?;
            assert_eq!(view, whole, "{name}, strided");
            let mut columns = Array2::<f32>::ones((whole.ncols(), whole.nrows()));
            encoding.encode_into(positions, columns.view_mut().reversed_axes())?;
            assert_eq!(columns.t(), whole, "{name}, column by column");
        }
    }
    Ok(())
}

#[test]
fn a_crop_of_a_grid_is_a_crop_of_its_vectors() -> Outcome {
    for (_, encoding) in recipes()? {
        let whole: ArrayD<f32> = encoding.encode_grid(&[9, 12])?;
        let crop = rows(&encoding, &Positions::grid_of(&[2..7, 3..11])?);
        let expected = whole.slice(s![2..7, 3..11, ..]).to_owned();
        assert_eq!(crop.as_slice(), expected.as_standard_layout().as_slice());
    }
    Ok(())
}

#[test]
fn a_transposed_grid_swaps_the_axes() -> Outcome {
    let (tall, wide) = (Positions::grid(&[4, 7])?, Positions::grid(&[7, 4])?);
    for (name, encoding) in recipes()? {
        let swapped = encoding.clone().reading(&match name {
            "mae" | "loftr" => [0, 1],
            _ => [1, 0],
        })?;
        let (here, there) = (rows(&encoding, &tall), rows(&swapped, &wide));
        for (y, x) in (0..4).flat_map(|y| (0..7).map(move |x| (y, x))) {
            assert_eq!(here.row(7 * y + x), there.row(4 * x + y), "{name}");
        }
    }
    Ok(())
}

/// Sines change their sign where a centred grid is flipped, and cosines do not.
#[test]
fn a_flipped_grid_turns_its_sines_round() -> Outcome {
    let centred = |sign: f64| Positions::grid(&[5, 5])?.map(|_, c| sign * (c - 2.0));
    for layout in [FeatureLayout::Interleaved, FeatureLayout::SinCosHalves] {
        let axis = Sinusoidal::new(8)?.with_layout(layout);
        let grid: Grid = Axes::concat([axis.clone(), axis])?;
        let (here, flipped) = (rows(&grid, &centred(1.0)?), rows(&grid, &centred(-1.0)?));
        for (((_, column), a), b) in here.indexed_iter().zip(&flipped) {
            let is_sine = match layout {
                FeatureLayout::Interleaved => column % 2 == 0,
                _ => column % 8 < 4,
            };
            assert_eq!(*b, if is_sine { -a } else { *a });
        }
    }
    Ok(())
}

/// Without padding a mask is a grid, and padding does not change what is kept.
#[test]
fn masks_and_their_padding() -> Outcome {
    let detr: Grid = Axes::detr(32, 1e4)?;
    let full = Array3::from_elem((1, 4, 6), true);
    let plain = Positions::from_masks(&full, MaskCounts::PLAIN)?;
    assert_eq!(plain.row(0), Positions::grid_of(&[1..5, 1..7])?);
    for counts in [MaskCounts::PLAIN, MaskCounts::NORMALIZED, MaskCounts::CENTRED] {
        let sizes = [(4, 6), (7, 3), (7, 6)];
        let masks = sizes.map(|size| Array2::from_elem(size, 1_u8));
        let batch = Positions::from_masks_of_sizes(&masks, counts)?;
        let together = detr.encode_batch(&batch)?.into_shape_with_order((3, 7, 6, 32)).unwrap();
        for (index, (rows, columns)) in sizes.into_iter().enumerate() {
            let alone = Positions::from_masks(&masks[index].view().insert_axis(Axis(0)), counts)?;
            let alone = detr.encode_batch(&alone)?;
            let alone = alone.into_shape_with_order((rows, columns, 32)).unwrap();
            assert_eq!(together.slice(s![index, ..rows, ..columns, ..]), alone);
        }
        assert_eq!(ids::padded_masks(&masks)?.dim(), (3, 7, 6));
    }
    Ok(())
}

/// Axes in any combination, compared with their parts.
#[test]
fn parts_side_by_side_summed_and_dealt() -> Outcome {
    let (rows, columns) = (Sinusoidal::new(6)?, Sinusoidal::new(6)?.with_amplitude(0.5)?);
    let at = Positions::grid(&[3, 4])?;
    let part = |encoding: &Sinusoidal, axis| -> Array2<f32> {
        encoding.encode(&at.axis(axis).unwrap()).unwrap()
    };
    let (a, b) = (part(&rows, 0), part(&columns, 1));
    let beside = ndarray::concatenate![Axis(1), a, b];
    let concat = Axes::concat([rows.clone(), columns.clone()])?;
    assert_eq!(concat.encode(&at)?, beside);
    assert_eq!(Grid::sum([rows.clone(), columns.clone()])?.encode(&at)?, &a + &b);
    for chunk in [1, 2, 3, 6] {
        let dealt: Array2<f32> = concat.clone().interleaved(chunk)?.encode(&at)?;
        for (column, values) in dealt.columns().into_iter().enumerate() {
            let (turn, within) = (column / chunk, column % chunk);
            let expected = [&a, &b][turn % 2].column(turn / 2 * chunk + within).to_owned();
            assert_eq!(values, expected, "chunk {chunk}, column {column}");
        }
        for dim in [1, 5, 7, 11, 12, 20] {
            let cut: Array2<f32> = concat.clone().interleaved(chunk)?.with_dim(dim)?.encode(&at)?;
            let kept = dim.min(12);
            assert_eq!(cut.slice(s![.., ..kept]), dealt.slice(s![.., ..kept]));
            assert!(cut.slice(s![.., kept..]).iter().all(|value| *value == 0.0));
        }
    }
    // An encoding that has two axes takes the next two.
    let nested: [Box<dyn PositionalEncoding<f32>>; 2] =
        [Box::new(Sinusoidal::new(4)?), Box::new(concat)];
    let video = Axes::concat(nested)?;
    let at_video = Positions::grid(&[2, 3, 4])?;
    let found = video.encode(&at_video)?;
    assert_eq!(found.slice(s![12.., 4..]), beside);
    assert_eq!(found, one_by_one(&video, &at_video));
    Ok(())
}

#[test]
fn arrays_of_images() -> Outcome {
    let encoding: Grid = Axes::mae(16)?;
    let table: ArrayD<f32> = encoding.encode_grid(&[3, 5])?;
    let words = Array4::from_shape_fn((2, 3, 5, 16), |(b, y, x, c)| (b + y * x + c) as f32);
    let expected = &words + &table;
    let mut images = words.clone();
    add_positions_to_grid(images.view_mut(), &encoding)?;
    assert_eq!(images.view().into_dyn(), expected.view().into_dyn());
    // Channels first, as in torch.
    let mut channels_first =
        words.view().permuted_axes([0, 3, 1, 2]).as_standard_layout().to_owned();
    let view = channels_first.view_mut().permuted_axes([0, 2, 3, 1]);
    add_positions_to_grid(view, &encoding)?;
    assert_eq!(channels_first.permuted_axes([0, 2, 3, 1]).into_dyn(), expected.view().into_dyn());
    // One image, and a view of a larger one.
    let mut one = words.index_axis(Axis(0), 1).to_owned();
    add_positions_to_grid(one.view_mut(), &encoding)?;
    assert_eq!(one.into_dyn(), expected.index_axis(Axis(0), 1));
    let mut larger = Array4::<f32>::zeros((2, 4, 7, 20));
    add_positions_to_grid(larger.slice_mut(s![.., 1.., ..5, 4..]), &encoding)?;
    assert_eq!(larger.slice(s![1, 1.., ..5, 4..]).into_dyn(), table);
    assert!(larger.slice(s![.., 0, .., ..]).iter().all(|value| *value == 0.0));
    // Class and register tokens in front.
    let tokens = Positions::concat([Positions::from(&[-1, -1, -1]), Positions::grid(&[3, 5])?])?;
    let words = Array3::<f32>::ones((2, 18, 16));
    let with_zeros = encoding.clone().with_zero_position(-1);
    let input = embed_with_positions_at(&words, &with_zeros, tokens)?;
    assert!(input.slice(s![.., ..3, ..]).iter().all(|value| *value == 1.0));
    let patches = input.slice(s![1, 3.., ..]).to_owned().into_shape_with_order((3, 5, 16)).unwrap();
    assert_eq!(patches.into_dyn(), table + 1.0);
    Ok(())
}

/// Images of one row, with the channels first.
#[test]
fn images_of_one_row() -> Outcome {
    let encoding: Grid = Axes::mae(16)?;
    let table: ArrayD<f32> = encoding.encode_grid(&[1, 5])?;
    let mut images = Array4::from_shape_fn((2, 16, 1, 5), |(b, c, _, x)| (b + 2 * c + x) as f32);
    let expected = &images.view().permuted_axes([0, 2, 3, 1]) + &table;
    add_positions_to_grid(images.view_mut().permuted_axes([0, 2, 3, 1]), &encoding)?;
    assert_eq!(images.permuted_axes([0, 2, 3, 1]).into_dyn(), expected.into_dyn());
    Ok(())
}

/// Patches in the order of merged blocks are the patches of the grid in another order.
#[test]
fn merge_blocks_are_a_permutation() -> Outcome {
    let encoding: Grid = Axes::i_jepa(16)?;
    let merged = rows(&encoding, &Positions::grid_in_blocks(&[4, 6], &[2, 2])?);
    let table: ArrayD<f32> = encoding.encode_grid(&[4, 6])?;
    let blocks = table.into_shape_with_order((2, 2, 3, 2, 16)).unwrap();
    let expected = blocks.permuted_axes([0, 2, 1, 3, 4]);
    let expected =
        expected.as_standard_layout().to_owned().into_shape_with_order((24, 16)).unwrap();
    assert_eq!(merged, expected);
    Ok(())
}

/// A grid of learned vectors between its points.
#[test]
fn learned_grids_between_their_points() -> Outcome {
    let plane = |y: f64, x: f64| 3.0 * y - 2.0 * x + 1.0;
    let table = Array3::from_shape_fn((4, 5, 1), |(y, x, _)| plane(y as f64, x as f64));
    let grid = LearnedGrid::from_table(table)?;
    let points = ndarray::array![[0.25, 3.5], [3.0, 4.0], [2.75, 0.0], [0.0, 0.0], [3.0, 0.5]];
    let found = grid.encode(&Positions::from_points(&points)?)?;
    for (point, found) in points.rows().into_iter().zip(&found) {
        assert_eq!(*found, plane(point[0], point[1]));
    }
    Ok(())
}

/// Rows and columns of a grid are computed once, and copied.
#[test]
fn coordinates_that_repeat_are_computed_once() -> Outcome {
    struct Counting<'a>(&'a std::sync::atomic::AtomicUsize);
    impl PositionalEncoding<f32> for Counting<'_> {
        fn dim(&self) -> usize {
            4
        }
        fn max_len(&self) -> Option<usize> {
            None
        }
        fn encode_into(
            &self,
            positions: &Positions<'_>,
            mut out: ndarray::ArrayViewMut2<'_, f32>,
        ) -> Result<(), Error> {
            self.0.fetch_add(positions.len(), std::sync::atomic::Ordering::Relaxed);
            for (position, mut row) in positions.iter().zip(out.rows_mut()) {
                row.fill(position.to_f64() as f32);
            }
            Ok(())
        }
    }
    let mask = Array3::from_elem((2, 30, 40), true);
    for positions in [
        Positions::grid(&[30, 40])?,
        Positions::grid_in_blocks(&[30, 40], &[2, 2])?,
        Positions::grid(&[30, 40])?.map(|_, c| c * 0.37)?,
        Positions::linspace(&[30, 40], -1.0..=1.0)?,
        Positions::from_masks(&mask, MaskCounts::NORMALIZED)?,
    ] {
        let count = std::sync::atomic::AtomicUsize::new(0);
        let axes = Axes::concat([Counting(&count), Counting(&count)])?;
        let found = axes.encode(&positions)?;
        let computed = count.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(computed, 70, "of {} at {positions:?}", 2 * positions.count());
        assert_eq!(
            found[[found.nrows() - 1, 7]],
            positions.axis(1).unwrap().iter().last().unwrap().to_f64() as f32
        );
    }
    Ok(())
}

/// Kernels write some rows of Fourier features directly; these have the bits of all others.
#[test]
fn fourier_features_have_the_same_bits_in_all_rows() -> Outcome {
    const PAIRS: usize = 32;
    let number = |i: usize| ((i * 7919 + 13) % 10_007) as f64 / 5003.5 - 1.0;
    let turns = Array2::from_shape_fn((2, PAIRS), |(k, j)| 10.0 * number(k * PAIRS + j));
    // Every ninth point is far away.
    let far = |i: usize| if i % 9 == 4 { 1e12 } else { 1.0 };
    let points = Array2::from_shape_fn((200, 2), |(i, k)| far(i) * number(3 * i + k));
    let points = Positions::from_points(&points)?;
    let halves = Fourier::new(&turns)?;
    let direct: Array2<f32> = halves.encode(&points)?;
    assert_eq!(one_by_one::<f32>(&halves, &points), direct);
    let mut columns = Array2::<f32>::zeros((2 * PAIRS, 200));
    halves.encode_into(&points, columns.view_mut().reversed_axes())?;
    assert_eq!(columns.t(), direct);
    let pairs = halves.clone().with_layout(FeatureLayout::Interleaved);
    let pairs: Array2<f32> = pairs.encode(&points)?;
    assert_eq!(pairs.slice(s![.., ..;2]), direct.slice(s![.., ..PAIRS]));
    assert_eq!(pairs.slice(s![.., 1..;2]), direct.slice(s![.., PAIRS..]));
    let swapped = halves.with_layout(FeatureLayout::CosSinHalves);
    let swapped: Array2<f32> = swapped.encode(&points)?;
    assert_eq!(swapped.slice(s![.., PAIRS..]), direct.slice(s![.., ..PAIRS]));
    Ok(())
}
