//! Arrays become tensors and tensors arrays.

use burn::tensor::{DType, Device, Int, Tensor, s};
use ndarray::{Array2, Array3, Axis, array, s as part};
use positional_encodings::Positions;
use positional_encodings_burn::{to_array, to_positions, to_tensor};

use crate::{assert_panics, tensor, values};

#[test]
fn what_owns_its_elements_gives_them_up() {
    let array = Array3::from_shape_fn((2, 3, 4), |(i, j, k)| (100 * i + 10 * j + k) as f64);
    let (expected, place) = (array.clone(), array.as_ptr());
    let back = to_array::<f64, 3>(to_tensor(array, &Device::flex()));
    assert_eq!(back, expected);
    assert_eq!(back.as_ptr(), place, "it was copied");
}

#[test]
fn what_is_in_another_order_is_copied() {
    let whole = Array2::from_shape_fn((6, 5), |(i, j)| (10 * i + j) as f32);
    let mut backwards = whole.clone();
    backwards.invert_axis(Axis(0));
    let rows = whole.clone().slice_move(part![2..4, ..]);
    let columns = whole.clone().slice_move(part![.., 1..4;2]);
    let turned = whole.clone().reversed_axes();
    for array in [backwards, rows, columns, turned, Array2::zeros((0, 3)), Array2::zeros((3, 0))] {
        let tensor: Tensor<2> = to_tensor(array.clone(), &Device::flex());
        assert_eq!(to_array::<f32, 2>(tensor), array);
    }
    let view = whole.slice(part![1..;2, ..;-1]);
    assert_eq!(to_array::<f32, 2>(to_tensor(view, &Device::flex())), view);
    let repeated = array![1_u32, 2];
    let repeated = repeated.broadcast((3, 2)).unwrap();
    let tensor: Tensor<2, Int> = to_tensor(repeated, &Device::flex());
    assert_eq!(tensor.dtype(), DType::U32);
    assert_eq!(to_array::<u32, 2>(tensor), repeated);
}

#[test]
fn views_of_tensors() {
    let large = tensor([4, 5, 6], DType::F64);
    for view in [
        large.clone().slice(s![1..3, .., 2..4]),
        large.clone().swap_dims(0, 2),
        large.clone().flip([1]),
        tensor([4, 1, 6], DType::F64).expand([4, 5, 6]),
    ] {
        let array = to_array::<f64, 3>(view.clone());
        assert_eq!(array.shape(), view.dims());
        assert_eq!(array.into_iter().collect::<Vec<_>>(), values(&view));
    }
    assert_panics(|| to_array::<f32, 3>(large), "F64");
}

#[test]
fn ids() {
    let device = Device::flex();
    let ids = Tensor::<2, Int>::from_data([[0, 0, 1], [0, 1, 2]], (&device, DType::I64));
    assert_eq!(to_positions(ids.clone()), Positions::from(array![[0, 0, 1], [0, 1, 2]]));
    let narrow = ids.clone().cast(DType::U8).transpose();
    assert_eq!(to_positions(narrow), Positions::from(array![[0, 0], [0, 1], [1, 2]]));
    let times = Tensor::<1>::from_data([0.5, 2.0], &device);
    assert_eq!(to_positions(times), Positions::from(&[0.5, 2.0]));
    let axes = Tensor::<2, Int>::stack::<3>(vec![ids.clone(), ids.clone() * 2 + 1], 0);
    let expected =
        Positions::from_axes([array![[0, 0, 1], [0, 1, 2]], array![[1, 1, 3], [1, 3, 5]]]);
    assert_eq!(to_positions(axes), expected.unwrap());
    let large = (1_i64 << 53) + 1;
    let exact = Tensor::<1, Int>::from_data([large], (&device, DType::I64));
    assert_eq!(to_positions(exact), Positions::from(&[large]));
    let mask = ids.clone().equal_elem(0);
    assert_panics(|| to_positions(mask), "must be whole numbers or floats");
    assert_panics(|| to_positions(ids.clone().unsqueeze_dims::<4>(&[0, 0])), "[1, 1, 2, 3]");
    let none = Tensor::<3, Int>::zeros([0, 2, 3], &device);
    assert_panics(|| to_positions(none), "[0, 2, 3]");
}
