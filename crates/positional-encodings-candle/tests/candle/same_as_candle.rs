//! Rotations equal candle-nn's ops with exact tables.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::rotary_emb::{rope, rope_i, rope_thd};
use positional_encodings::{Pairing, Positions, rotary::TableForm};
use positional_encodings_candle::{Rope, to_tensor};

use crate::{DTYPES, PAIRINGS, assert_same, rotary, tensor};

/// candle's op in at least 32 bits, rounded once.
fn by_candle(q: &Tensor, pairing: Pairing, positions: &Positions<'_>, thd: bool) -> Result<Tensor> {
    let rotary = rotary(*q.dims().last().unwrap(), pairing);
    let form = TableForm::Pairs;
    let dtype = if q.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    let tables = match dtype {
        DType::F64 => {
            let (cos, sin) = rotary.cos_sin_tables::<f64>(positions, form).unwrap();
            [to_tensor(cos, &Device::Cpu)?, to_tensor(sin, &Device::Cpu)?]
        }
        _ => {
            let (cos, sin) = rotary.cos_sin_tables::<f32>(positions, form).unwrap();
            [to_tensor(cos, &Device::Cpu)?, to_tensor(sin, &Device::Cpu)?]
        }
    };
    let [cos, sin] = match positions.rows() {
        Some(rows) => tables.map(|table| table.reshape((rows, positions.len(), ())).unwrap()),
        None => tables,
    };
    let x = q.to_dtype(dtype)?.contiguous()?;
    let rotated = match (pairing, thd) {
        (Pairing::Halves, false) => rope(&x, &cos, &sin)?,
        (Pairing::Halves, true) => rope_thd(&x, &cos, &sin)?,
        _ => rope_i(&x, &cos, &sin)?,
    };
    rotated.to_dtype(q.dtype())
}

#[test]
fn a_prompt_and_a_decode_step() -> Result<()> {
    for (pairing, dtype) in PAIRINGS.into_iter().flat_map(|p| DTYPES.map(|d| (p, d))) {
        for (positions, dim) in [(0..33, 64), (4095..4096, 128), (1 << 40..(1 << 40) + 7, 6)] {
            let q = tensor(&[2, 3, positions.len(), dim], dtype)?;
            let plan = Rope::new(rotary(dim, pairing)).at(positions.clone())?;
            let expected = by_candle(&q, pairing, &Positions::from(positions), false)?;
            assert_same(&plan.only().rope(&q)?, &expected);
            plan.layer(7).rope_inplace(&q)?;
            assert_same(&q, &expected);
        }
    }
    Ok(())
}

#[test]
fn a_row_of_positions_for_each_sequence() -> Result<()> {
    let ids = ndarray::array![[0, 0, 1, 2], [0, 1, 2, 3], [7, 1000, -5, 7]];
    for (pairing, dtype) in PAIRINGS.into_iter().flat_map(|p| DTYPES.map(|d| (p, d))) {
        let q = tensor(&[3, 2, 4, 32], dtype)?;
        let plan = Rope::new(rotary(32, pairing)).at(&ids)?;
        let expected = by_candle(&q, pairing, &Positions::from(&ids), false)?;
        assert_same(&plan.only().rope(&q)?, &expected);
    }
    Ok(())
}

#[test]
fn positions_before_heads() -> Result<()> {
    let q = tensor(&[2, 5, 3, 16], DType::F32)?;
    let plan = Rope::new(rotary(16, Pairing::Halves)).at(3..8)?;
    let expected = by_candle(&q, Pairing::Halves, &Positions::from(3..8), true)?;
    assert_same(&plan.only().rope_thd(&q)?, &expected);
    Ok(())
}

/// candle's op in 16 bits rounds each product and the sum; this crate rounds once.
#[test]
fn sixteen_bits_are_rounded_once() -> Result<()> {
    let q = tensor(&[1, 8, 64, 128], DType::BF16)?;
    let plan = Rope::new(rotary(128, Pairing::Halves)).at(0..64)?;
    let (cos, sin) = plan.only().tables(&Device::Cpu)?.unwrap();
    let narrow = rope(&q, &cos.to_dtype(DType::BF16)?, &sin.to_dtype(DType::BF16)?)?;
    let exact = by_candle(&q.to_dtype(DType::F64)?, Pairing::Halves, &(0..64).into(), false)?;
    let nearest = exact.to_dtype(DType::BF16)?;
    let wrong = |x: &Tensor| -> Result<f32> {
        x.ne(&nearest)?.to_dtype(DType::F32)?.sum_all()?.to_scalar()
    };
    let (ours, candle) = (wrong(&plan.only().rope(&q)?)?, wrong(&narrow)?);
    assert!(ours < 40.0 && candle > 10_000.0, "{ours} and {candle} of 65536");
    Ok(())
}
