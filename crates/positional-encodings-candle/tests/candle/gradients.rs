//! Gradients exist and are right.

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::rotary_emb::{rope_i_slow, rope_slow};
use positional_encodings::{Frequencies, Pairing, Rotary, Sinusoidal};
use positional_encodings_candle::{LayerRope, PositionVectors, Rope};

use crate::{DTYPES, PAIRINGS, assert_same, rotary, tensor, values};

/// A loss whose gradient differs from feature to feature: Σ wᵢ·yᵢ + yᵢ²/2.
fn loss(y: &Tensor) -> Result<Tensor> {
    let weights = tensor(y.dims(), y.dtype())?.affine(1.5, 0.25)?;
    ((y * weights)? + (y.sqr()? * 0.5)?)?.sum_all()
}

fn gradient(x: &Var, rotate: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let gradients = loss(&rotate(x)?)?.backward()?;
    Ok(gradients.get(x).expect("a gradient").clone())
}

#[test]
fn finite_differences() -> Result<()> {
    type Apply = fn(LayerRope<'_>, &Tensor) -> Result<Tensor>;
    let calls: [Apply; 2] = [|by, x| by.rope(x), |by, x| by.rope_thd(x)];
    for (pairing, call) in PAIRINGS.into_iter().flat_map(|p| calls.map(|c| (p, c))) {
        // A part of the features, with an attention factor
        let frequencies = Frequencies::geometric(4, 100.0).unwrap();
        let frequencies = frequencies.with_attention_factor(1.25).unwrap();
        let plan = Rope::new(Rotary::new(frequencies, pairing)).at(5..8)?;
        let x = Var::from_tensor(&tensor(&[1, 3, 3, 6], DType::F64)?)?;
        let gradient = values(&gradient(&x, |x| call(plan.only(), x))?)?;
        let at = values(&x)?;
        for index in 0..at.len() {
            let moved = |by: f64| -> Result<f64> {
                let mut at = at.clone();
                at[index] += by;
                let x = Tensor::from_vec(at, (1, 3, 3, 6), &Device::Cpu)?;
                loss(&call(plan.only(), &x)?)?.to_scalar()
            };
            let slope = (moved(1e-5)? - moved(-1e-5)?) / 2e-5;
            assert!((slope - gradient[index]).abs() < 1e-8, "{slope} {}", gradient[index]);
        }
    }
    Ok(())
}

/// candle's slow path consists of operations with gradients.
#[test]
fn candles_slow_path() -> Result<()> {
    for (pairing, dtype) in
        PAIRINGS.into_iter().flat_map(|p| [DType::F32, DType::F64].map(|d| (p, d)))
    {
        let x = Var::from_tensor(&tensor(&[2, 3, 7, 16], dtype)?)?;
        let plan = Rope::new(rotary(16, pairing)).at(0..7)?;
        let (cos, sin) = plan.only().tables(&Device::Cpu)?.unwrap();
        let (cos, sin) = (cos.to_dtype(dtype)?, sin.to_dtype(dtype)?);
        let slow = if pairing == Pairing::Halves { rope_slow } else { rope_i_slow };
        let ours = gradient(&x, |x| plan.only().rope(x))?;
        let theirs = gradient(&x, |x| slow(x, &cos, &sin))?;
        let largest = (ours - theirs)?.abs()?.max_all()?.to_dtype(DType::F64)?;
        // candle's tables are in f32.
        assert!(largest.to_scalar::<f64>()? < 1e-6, "{largest}");
    }
    Ok(())
}

/// candle#3568: the fused ops return, `backward` succeeds, and there is no gradient.
#[test]
fn candles_fused_op_has_none() -> Result<()> {
    let x = Var::from_tensor(&tensor(&[1, 1, 4, 8], DType::F32)?)?;
    let plan = Rope::new(rotary(8, Pairing::Halves)).at(0..4)?;
    let (cos, sin) = plan.only().tables(&Device::Cpu)?.unwrap();
    let fused = candle_nn::rotary_emb::rope(&x, &cos, &sin)?;
    assert!(loss(&fused)?.backward()?.get(&x).is_none());
    assert!(loss(&plan.only().rope(&x)?)?.backward()?.get(&x).is_some());
    Ok(())
}

#[test]
fn every_element_type_and_views() -> Result<()> {
    for dtype in DTYPES {
        let x = Var::from_tensor(&tensor(&[2, 5, 3, 8], dtype)?)?;
        let plan = Rope::new(rotary(8, Pairing::Halves)).at(1..6)?;
        let gradient = gradient(&x, |x| plan.only().rope(&x.transpose(1, 2)?))?;
        assert_eq!((gradient.dims(), gradient.dtype()), (x.dims(), dtype));
    }
    Ok(())
}

#[test]
fn position_vectors_let_it_through() -> Result<()> {
    let x = Var::from_tensor(&tensor(&[2, 3, 8], DType::F32)?)?;
    let positions = PositionVectors::new(Sinusoidal::new(8).unwrap());
    let y = positions.forward_at(&x, 4..7)?;
    let gradients = (y * tensor(&[2, 3, 8], DType::F32)?)?.sum_all()?.backward()?;
    assert_same(gradients.get(&x).unwrap(), &tensor(&[2, 3, 8], DType::F32)?);
    Ok(())
}

#[test]
fn in_place_is_refused_where_it_would_falsify_them() -> Result<()> {
    let x = Var::from_tensor(&tensor(&[1, 4, 8], DType::F32)?)?;
    let y = (x.as_tensor() * 2.0)?;
    let before = y.copy()?;
    let plan = Rope::new(rotary(8, Pairing::Halves)).at(0..4)?;
    let positions = PositionVectors::new(Sinusoidal::new(8).unwrap());
    crate::assert_error(plan.only().rope_inplace(&y), "gradients are computed through this tensor");
    crate::assert_error(positions.add_inplace(&y, 0..4), "gradients are computed through this");
    assert_same(&y, &before);
    plan.only().rope_inplace(&y.detach())?; // the same memory
    assert_same(&y, &plan.only().rope(&before)?);
    Ok(())
}
