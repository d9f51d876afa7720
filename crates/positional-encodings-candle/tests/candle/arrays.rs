//! Arrays become tensors and tensors arrays.

use candle_core::{DType, Device, IndexOp, Result, Tensor};
use ndarray::{Array2, Array3, ArrayD, Axis, array, s};
use positional_encodings::Positions;
use positional_encodings_candle::{to_array, to_positions, to_tensor, with_array};

use crate::tensor;

fn address(tensor: &Tensor) -> usize {
    with_array::<f64, _>(tensor, |array| array.as_ptr() as usize).unwrap()
}

#[test]
fn what_owns_its_elements_gives_them_up() -> Result<()> {
    let array = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (100 * i + 10 * j + k) as f64);
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
        let permuted = array.clone().permuted_axes(order);
        let (expected, place) = (permuted.clone(), permuted.as_ptr() as usize);
        let tensor = to_tensor(permuted, &Device::Cpu)?;
        assert_eq!(address(&tensor), place, "{order:?} was copied");
        assert_eq!(to_array::<f64>(&tensor)?, expected.into_dyn());
    }
    Ok(())
}

#[test]
fn what_has_gaps_is_copied() -> Result<()> {
    let whole = Array2::from_shape_fn((6, 5), |(i, j)| (10 * i + j) as f32);
    let mut backwards = whole.clone();
    backwards.invert_axis(Axis(0));
    let rows = whole.clone().slice_move(s![2..4, ..]);
    let columns = whole.clone().slice_move(s![.., 1..4;2]);
    for array in [backwards, rows, columns, Array2::zeros((0, 3)), Array2::zeros((3, 0))] {
        assert_eq!(to_array::<f32>(&to_tensor(array.clone(), &Device::Cpu)?)?, array.into_dyn());
    }
    let view = whole.slice(s![1..;2, ..;-1]);
    assert_eq!(to_array::<f32>(&to_tensor(view, &Device::Cpu)?)?, view.into_dyn());
    assert_eq!(to_tensor(&whole, &Device::Cpu)?.dims(), [6, 5]);
    let scalar = ArrayD::from_elem(vec![], 3_i64);
    assert_eq!(to_tensor(scalar, &Device::Cpu)?.to_scalar::<i64>()?, 3);
    let repeated = array![1_u32, 2];
    let repeated = repeated.broadcast((3, 2)).unwrap();
    assert_eq!(to_tensor(repeated, &Device::Cpu)?.to_vec2::<u32>()?, [[1, 2]; 3]);
    Ok(())
}

#[test]
fn views_of_tensors() -> Result<()> {
    let large = tensor(&[4, 5, 6], DType::F64)?;
    for view in [large.i((1..3, .., 2..4))?, large.transpose(0, 2)?, large.i((.., 3, ..))?.t()?] {
        let array = to_array::<f64>(&view)?;
        assert_eq!(array.shape(), view.dims());
        assert_eq!(array.into_iter().collect::<Vec<_>>(), crate::values(&view)?);
    }
    assert_eq!(address(&large.i(1)?), address(&large) + 30 * size_of::<f64>());
    let wide = Tensor::new(&[1.0_f64, 2.0], &Device::Cpu)?.broadcast_as((3, 2))?;
    assert_eq!(to_array::<f64>(&wide)?, array![[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]].into_dyn());
    Ok(())
}

#[test]
fn ids() -> Result<()> {
    let ids = Tensor::new(&[[0_i64, 0, 1], [0, 1, 2]], &Device::Cpu)?;
    assert_eq!(to_positions(&ids)?, Positions::from(array![[0, 0, 1], [0, 1, 2]]));
    let narrow = ids.to_dtype(DType::U8)?.t()?;
    assert_eq!(to_positions(&narrow)?, Positions::from(array![[0, 0], [0, 1], [1, 2]]));
    let times = Tensor::new(&[0.5_f32, 2.0], &Device::Cpu)?;
    assert_eq!(to_positions(&times)?, Positions::from(&[0.5, 2.0]));
    let axes = Tensor::stack(&[&ids, &ids.affine(2.0, 1.0)?], 0)?;
    let expected =
        Positions::from_axes([array![[0, 0, 1], [0, 1, 2]], array![[1, 1, 3], [1, 3, 5]]]);
    assert_eq!(to_positions(&axes)?, expected.unwrap());
    assert!(to_positions(&ids.i((.., 0..0))?)?.is_empty());
    Ok(())
}
