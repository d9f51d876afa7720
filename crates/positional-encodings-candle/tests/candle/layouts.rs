//! Every layout and view gives the same result as its contiguous copy.

use candle_core::{DType, IndexOp, Result, Tensor};
use positional_encodings::{Pairing, Positions, Rotary, rotary::AxialOrder};
use positional_encodings_candle::{LayerRope, Rope, RopePlan, to_positions};

use crate::{DTYPES, PAIRINGS, assert_error, assert_same, rotary, tensor};

/// Returns the expected rotation, head by head and position by position, each row as a tensor of
/// its own.
fn by_rows(rotary: &Rotary, q: &Tensor, positions: &[i64]) -> Result<Tensor> {
    let rows = positions.iter().enumerate().map(|(index, &position)| {
        let row = q.narrow(q.rank() - 2, index, 1)?.contiguous()?;
        Rope::new(rotary.clone()).at(&[position])?.only().rope(&row)
    });
    Tensor::cat(&rows.collect::<Result<Vec<_>>>()?, q.rank() - 2)
}

/// A view of a larger tensor, of shape (2, 3, 5, 8): with an offset, gaps and other strides.
fn views(dtype: DType) -> Result<Vec<Tensor>> {
    let large = tensor(&[4, 7, 11, 24], dtype)?;
    Ok(vec![
        large.i((1..3, 2..5, 3..8, 8..16))?,
        tensor(&[2, 5, 3, 8], dtype)?.transpose(1, 2)?,
        tensor(&[8, 5, 3, 2], dtype)?.permute((3, 2, 1, 0))?, // features apart
        tensor(&[5, 2, 3, 8], dtype)?.permute((1, 2, 0, 3))?,
    ])
}

#[test]
fn views_of_every_type() -> Result<()> {
    for (pairing, dtype) in PAIRINGS.into_iter().flat_map(|p| DTYPES.map(|d| (p, d))) {
        let plan = Rope::new(rotary(8, pairing)).at(2..7)?;
        for view in views(dtype)? {
            assert!(!view.is_contiguous() && view.dims() == [2, 3, 5, 8]);
            let expected = plan.only().rope(&view.contiguous()?)?;
            assert_same(&plan.only().rope(&view)?, &expected);
            plan.only().rope_inplace(&view)?;
            assert_same(&view, &expected);
        }
        let plan = Rope::new(rotary(8, pairing)).at(2..5)?;
        for view in views(dtype)? {
            let expected = plan.only().rope_thd(&view.contiguous()?)?;
            assert_same(&plan.only().rope_thd(&view)?, &expected);
            plan.only().rope_thd_inplace(&view)?;
            assert_same(&view, &expected);
        }
    }
    Ok(())
}

/// In place, only the view changes.
#[test]
fn the_rest_of_the_memory_is_left_alone() -> Result<()> {
    let large = tensor(&[4, 9, 24], DType::F32)?;
    let before = large.copy()?;
    let plan = Rope::new(rotary(8, Pairing::Interleaved)).at(1..4)?;
    plan.only().rope_inplace(&large.i((1..3, 2..5, 8..16))?)?;
    let changed = large.ne(&before)?.to_dtype(DType::F32)?;
    assert_eq!(changed.sum_all()?.to_scalar::<f32>()?, (2 * 3 * 8) as f32);
    assert_eq!(changed.i((1..3, 2..5, 8..16))?.sum_all()?.to_scalar::<f32>()?, (2 * 3 * 8) as f32);
    Ok(())
}

#[test]
fn a_broadcast_tensor_is_read_where_it_lies() -> Result<()> {
    let row = tensor(&[1, 1, 1, 8], DType::F32)?;
    let wide = row.broadcast_as((2, 3, 5, 8))?;
    let plan = Rope::new(rotary(8, Pairing::Halves)).at(0..5)?;
    assert_same(&plan.only().rope(&wide)?, &plan.only().rope(&wide.contiguous()?)?);
    assert_error(plan.only().rope_inplace(&wide), "repeated elements");
    let plan = Rope::new(rotary(8, Pairing::Halves)).at(0..3)?;
    assert_error(plan.only().rope_thd_inplace(&wide), "repeated elements");
    assert_same(&row, &tensor(&[1, 1, 1, 8], DType::F32)?);
    Ok(())
}

#[test]
fn positions_before_heads_and_packed() -> Result<()> {
    for (pairing, dtype) in PAIRINGS.into_iter().flat_map(|p| DTYPES.map(|d| (p, d))) {
        let turned = |plan: LayerRope<'_>, q: &Tensor| -> Result<Tensor> {
            let axis = q.rank() - 3;
            plan.rope(&q.transpose(axis, axis + 1)?)?.transpose(axis, axis + 1)?.contiguous()
        };
        for (shape, positions) in [
            (&[2, 5, 3, 8][..], vec![0, 1, 2, 3, 4]),
            (&[5, 3, 8], vec![0, 1, 0, 1, 2]), // packed
            (&[2, 2, 5, 3, 8], vec![9, 8, 7, 6, 5]),
            (&[5, 1, 8], vec![0, 1, 2, 3, 4]),
        ] {
            let plan = Rope::new(rotary(8, pairing)).at(&positions)?;
            let q = tensor(shape, dtype)?;
            let expected = turned(plan.only(), &q)?;
            let rotated = plan.only().rope_thd(&q)?;
            assert!(rotated.is_contiguous());
            assert_same(&rotated, &expected);
            plan.only().rope_thd_inplace(&q)?;
            assert_same(&q, &expected);
        }
    }
    Ok(())
}

#[test]
fn ranks_from_two_on() -> Result<()> {
    let rotary = rotary(6, Pairing::Halves);
    let positions = [3, 1, 4];
    for shape in [&[3, 6][..], &[2, 3, 6], &[2, 1, 3, 6], &[2, 1, 2, 3, 6], &[0, 2, 3, 6]] {
        let q = tensor(shape, DType::F64)?;
        let rotated = Rope::new(rotary.clone()).at(&positions)?.only().rope(&q)?;
        assert_same(&rotated, &by_rows(&rotary, &q, &positions)?);
    }
    Ok(())
}

#[test]
fn a_part_of_the_features() -> Result<()> {
    for (rotary, range) in PAIRINGS.into_iter().flat_map(|pairing| {
        let rotary = rotary(8, pairing);
        [(rotary.clone(), 0..8), (rotary.on_last_features(), 12..20)]
    }) {
        let q = tensor(&[1, 2, 5, 20], DType::F32)?;
        let plan = Rope::new(rotary).at(10..15)?;
        let rotated = plan.only().rope(&q)?;
        let part = q.i((.., .., .., range.clone()))?;
        assert_same(&rotated.i((.., .., .., range.clone()))?, &plan.only().rope(&part)?);
        let rest = if range.start == 0 { 8..20 } else { 0..12 };
        assert_same(&rotated.i((.., .., .., rest.clone()))?, &q.i((.., .., .., rest))?);
    }
    Ok(())
}

/// M-RoPE: a token with the same position on all axes is rotated as text.
#[test]
fn coordinates_on_several_axes() -> Result<()> {
    use positional_encodings::rotary::Sections;
    let plain = rotary(16, Pairing::Halves);
    let video = plain.clone().with_sections(&[2, 3, 3], Sections::Chunked).unwrap();
    let q = tensor(&[1, 2, 4, 16], DType::F32)?;
    let at = |rotary: &Rotary, positions: Positions<'_>| Rope::new(rotary.clone()).at(positions);
    let text = Positions::from_axes([&[5, 6, 7, 8]; 3]).unwrap();
    let as_text = at(&plain, (5..9).into())?.only().rope(&q)?;
    assert_same(&at(&video, text)?.only().rope(&q)?, &as_text);
    let grid = Positions::from_axes([[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 0, 1]].each_ref()).unwrap();
    let rotated = at(&video, grid)?.only().rope(&q)?;
    // Nothing is rotated at the origin, and a token's rotation does not depend on other tokens.
    assert_same(&rotated.i((.., .., 0, ..))?, &q.i((.., .., 0, ..))?);
    assert!(
        rotated.i((.., .., 3, ..))?.ne(&q.i((.., .., 3, ..))?)?.sum_all()?.to_scalar::<u8>()? > 0
    );
    Ok(())
}

/// A batch of M-RoPE's ids (axes, batch, positions), as models hold them, rotates each sequence as
/// if it were alone.
#[test]
fn coordinates_of_a_batch() -> Result<()> {
    use positional_encodings::rotary::Sections;
    let rotary = rotary(16, Pairing::Halves);
    let rope = Rope::new(rotary.with_sections(&[2, 3, 3], Sections::Chunked).unwrap());
    let ids = [
        [[0_i64, 0, 0, 1], [5, 6, 6, 6]],
        [[0, 0, 1, 2], [5, 6, 6, 7]],
        [[0, 1, 0, 3], [5, 6, 7, 6]],
    ];
    let ids = Tensor::new(&ids, &candle_core::Device::Cpu)?;
    let q = tensor(&[2, 3, 4, 16], DType::BF16)?;
    let rotated = rope.at(to_positions(&ids)?)?.only().rope(&q)?;
    for row in 0..2 {
        let alone = rope.at(to_positions(&ids.narrow(1, row, 1)?)?)?;
        let expected = alone.only().rope(&q.narrow(0, row, 1)?)?;
        assert_same(&rotated.narrow(0, row, 1)?, &expected);
    }
    Ok(())
}

/// Blocks with their own pairing, as in Gemma 4's vision tower.
#[test]
fn paired_blocks() -> Result<()> {
    let rotary = Rotary::axial_2d(16, 100.0, AxialOrder::Gemma4).unwrap();
    let plan: RopePlan = Rope::new(rotary.clone()).at(Positions::grid(&[2, 3]).unwrap())?;
    let q = tensor(&[1, 2, 6, 16], DType::F64)?;
    let ours = rotary.at::<f64>(Positions::grid(&[2, 3]).unwrap()).unwrap();
    let expected = positional_encodings_candle::with_array::<f64, _>(&q, |q| ours.applied(q))?;
    let expected = positional_encodings_candle::to_tensor(expected.unwrap(), q.device())?;
    assert_same(&plan.only().rope(&q)?, &expected);
    Ok(())
}
