//! Rotations from one array into another, and into a new one, give the bits of a copy that is
//! rotated in place.

use ndarray::{Array, Array2, Array3, Array4, ArrayD, ArrayViewMutD, Axis, Dimension, Slice};
use positional_encodings::{
    Element, Error, Pairing, Positions, Rotary, Rotation,
    rotary::{AxialOrder, MixedRotary},
    testing::InstructionSet,
};
use proptest::prelude::*;

use crate::apply::{plain, positions_on};

fn bits<T: Element, D: Dimension>(values: &Array<T, D>) -> Vec<u64> {
    values.iter().map(|value| value.to_f64().to_bits()).collect()
}

fn filled<T: Element>(shape: &[usize]) -> ArrayD<T> {
    let mut count = 0;
    ArrayD::from_shape_simple_fn(shape, || {
        count += 1;
        T::from_f64((count as f64 * 0.7).sin())
    })
}

/// The layout of a view in memory: the order of the axes, and the step along each.
#[derive(Clone, Debug)]
struct Layout {
    order: Vec<usize>,
    steps: Vec<isize>,
}

fn layouts(axes: usize) -> impl Strategy<Value = Layout> {
    let plain = Layout { order: (0..axes).collect(), steps: vec![1; axes] };
    let order = Just(plain.order.clone()).prop_shuffle();
    let steps = prop::collection::vec(prop::sample::select(vec![1, 1, 1, 2, -1, -2]), axes);
    // Adjacent features, then any layout.
    let kept = (order.clone(), steps.clone()).prop_map(move |(mut order, mut steps)| {
        order.retain(|&axis| axis + 1 < axes);
        order.push(axes - 1);
        steps[axes - 1] = 1;
        Layout { order, steps }
    });
    prop_oneof![
        Just(plain),
        kept,
        (order, steps).prop_map(|(order, steps)| Layout { order, steps })
    ]
}

/// Returns memory for an array of this shape and layout, filled with `value`.
fn memory<T: Element>(shape: &[usize], layout: &Layout, value: f64) -> ArrayD<T> {
    let len = |&axis: &usize| shape[axis] * layout.steps[axis].unsigned_abs();
    ArrayD::from_elem(layout.order.iter().map(len).collect::<Vec<_>>(), T::from_f64(value))
}

/// Returns the view of this layout in its memory.
fn view<'a, T>(memory: &'a mut ArrayD<T>, layout: &Layout) -> ArrayViewMutD<'a, T> {
    let mut back = vec![0; layout.order.len()];
    layout.order.iter().enumerate().for_each(|(i, &axis)| back[axis] = i);
    let mut view = memory.view_mut().permuted_axes(back);
    for (axis, &step) in layout.steps.iter().enumerate() {
        view.slice_axis_inplace(Axis(axis), Slice::new(0, None, step));
    }
    view
}

/// All ways to rotate give the same bits as the first, and write nothing else.
fn same_in_all_ways<T: Element>(
    rotation: &Rotation<T::Angle>,
    positions: usize,
    x: &ArrayD<T>,
    [from, to]: [&Layout; 2],
) -> Result<(), TestCaseError> {
    let mut expected = x.clone();
    rotation.apply(positions_on(positions, expected.view_mut())).unwrap();
    let expected = bits(&expected);
    let mut source = memory(x.shape(), from, 3.0);
    view(&mut source, from).assign(x);
    let mut target = memory::<T>(x.shape(), to, 5.0);
    {
        let source = positions_on(positions, view(&mut source, from));
        let target = positions_on(positions, view(&mut target, to));
        rotation.apply_into(source.view(), target).unwrap();
        let mut new = rotation.applied(source.view()).unwrap();
        prop_assert!(new.is_standard_layout());
        new.swap_axes(positions, new.ndim() - 2);
        prop_assert_eq!(bits(&new), expected.clone(), "a new array");
    }
    prop_assert_eq!(bits(&view(&mut source, from).to_owned()), bits(x), "what is read");
    prop_assert_eq!(bits(&view(&mut target, to).to_owned()), expected.clone(), "what is written");
    view(&mut target, to).fill(T::from_f64(5.0));
    prop_assert!(target.iter().all(|value| value.to_f64() == 5.0), "written outside of the view");
    rotation.apply(positions_on(positions, view(&mut source, from))).unwrap();
    prop_assert_eq!(bits(&view(&mut source, from).to_owned()), expected, "in place");
    Ok(())
}

fn of_type<T: Element>(
    rotary: &Rotary,
    [batch, heads, len, width]: [usize; 4],
    inside: bool,
    [from, to]: [&Layout; 2],
) -> Result<(), TestCaseError> {
    let (shape, positions) =
        if inside { ([batch, len, heads, width], 1) } else { ([batch, heads, len, width], 2) };
    let x = filled::<T>(&shape);
    let ids = Array2::from_shape_fn((batch, len), |(row, i)| (row * 100 + i * i) as i64);
    for rotation in
        [rotary.at(5..5 + len).unwrap(), rotary.at(&ids).unwrap(), rotary.shift(-3).unwrap()]
    {
        same_in_all_ways(&rotation, positions, &x, [from, to])?;
        same_in_all_ways(&rotation.gradient(), positions, &x, [from, to])?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    /// Any shape, layout, type, pairing, instruction set; parts of the features; rows of a batch;
    /// heads outside and inside.
    #[test]
    fn the_bits_of_a_copy_rotated_in_place(
        shape in [1_usize..4, 1_usize..7, 1_usize..6], pairs in 1_usize..40, more in 0_usize..4, last: bool, inside: bool,
        interleaved: bool, kind in 0_usize..4, set in any::<prop::sample::Index>(), from in layouts(4), to in layouts(4),
    ) {
        let pairing = if interleaved { Pairing::Interleaved } else { Pairing::Halves };
        let set = *set.get(&InstructionSet::available().collect::<Vec<_>>());
        let rotary = plain(2 * pairs, 1e4, pairing).with_instruction_set(set).unwrap();
        let rotary = if last { rotary.on_last_features() } else { rotary };
        let (shape, layouts) = ([shape[0], shape[1], shape[2], 2 * pairs + more], [&from, &to]);
        match kind {
            0 => of_type::<f32>(&rotary, shape, inside, layouts)?,
            1 => of_type::<f64>(&rotary, shape, inside, layouts)?,
            #[cfg(feature = "half")]
            2 => of_type::<half::bf16>(&rotary, shape, inside, layouts)?,
            #[cfg(feature = "half")]
            3 => of_type::<half::f16>(&rotary, shape, inside, layouts)?,
            _ => of_type::<f32>(&rotary, shape, inside, layouts)?,
        }
    }
}

/// Blocks with their own pairing, and heads with their own angles.
#[test]
fn images() {
    let standard = Layout { order: (0..4).collect(), steps: vec![1; 4] };
    let swapped = Layout { order: vec![0, 2, 1, 3], steps: vec![1; 4] };
    let grid = Positions::grid(&[3, 4]).unwrap();
    let axial = Rotary::axial_2d(16, 1e4, AxialOrder::Gemma4).unwrap().at::<f32>(&grid).unwrap();
    let frequencies = Array3::from_shape_fn((2, 3, 8), |(axis, head, pair)| {
        (1 + axis + head + pair) as f64 / 10.0
    });
    let mixed = MixedRotary::new(frequencies, Pairing::Halves).unwrap().at::<f32>(&grid).unwrap();
    for rotation in [axial, mixed] {
        for layouts in [[&standard; 2], [&standard, &swapped], [&swapped, &standard], [&swapped; 2]]
        {
            same_in_all_ways(&rotation, 2, &filled::<f32>(&[2, 3, 12, 18]), layouts).unwrap();
            same_in_all_ways(&rotation, 1, &filled::<f32>(&[2, 12, 3, 18]), layouts).unwrap();
        }
    }
}

/// There is no recursion over axes, and axes without rows are not walked.
#[test]
fn strange_shapes() {
    let rotation = plain(8, 1e4, Pairing::Halves).at::<f32>(0..3).unwrap();
    let mut shape = vec![1; 5000];
    shape.extend([2, 3, 8]);
    let x = filled::<f32>(&shape);
    let rotated = rotation.applied(x.view()).unwrap();
    let three = x.clone().into_shape_with_order((2, 3, 8)).unwrap();
    let expected = rotation.applied(three.view()).unwrap();
    assert_eq!(bits(&rotated), bits(&expected));
    let mut gaps = filled::<f32>(&[2, 3, 16]);
    let mut view = gaps.slice_axis_mut(Axis(2), Slice::new(0, None, 2)).into_dyn();
    view.assign(&three);
    for _ in 0..500 {
        view.insert_axis_inplace(Axis(0));
    }
    rotation.apply(view.view_mut()).unwrap();
    assert_eq!(bits(&view.to_owned()), bits(&expected));
    let mut none = ArrayD::<f32>::zeros(vec![1 << 58, 0, 3, 8]);
    rotation.apply(none.view_mut()).unwrap();
    rotation.apply_slice::<f32>(&mut [], &[1 << 58, 0, 3, 8]).unwrap();
    // Nine axes that cannot be joined.
    let mut shape = vec![2; 8];
    shape.extend([3, 8]);
    let x = filled::<f32>(&shape);
    let expected = rotation.applied(x.view()).unwrap();
    let mut found = x.clone();
    let order: Vec<usize> = (0..8).rev().chain([8, 9]).collect();
    let mut reversed = ArrayD::zeros(shape);
    reversed.assign(&x.view().permuted_axes(order));
    for axis in 0..9 {
        found.invert_axis(Axis(axis));
        found.assign(&x);
        rotation.apply(found.view_mut()).unwrap();
        assert_eq!(bits(&found), bits(&expected));
    }
    let mut out = ArrayD::zeros(x.shape());
    let order: Vec<usize> = (0..8).rev().chain([8, 9]).collect();
    rotation.apply_into(reversed.view().permuted_axes(order), out.view_mut()).unwrap();
    assert_eq!(bits(&out), bits(&expected));
}

#[test]
fn slices_and_tables() {
    let rotary = plain(8, 1e4, Pairing::Interleaved);
    let rotation = rotary.at::<f32>(5..8).unwrap();
    let x = filled::<f32>(&[2, 3, 9]);
    let expected = rotation.applied(x.view()).unwrap().into_raw_vec_and_offset().0;
    let mut data = x.as_slice().unwrap().to_vec();
    let mut out = vec![0.0; data.len()];
    rotation.apply_slice_into(&data, &mut out, &[2, 3, 9]).unwrap();
    rotation.apply_slice(&mut data, &[2, 3, 9]).unwrap();
    assert_eq!((&data, &out), (&expected, &expected));
    let error =
        |found| Err(Error::LengthMismatch { what: "elements of the slice", expected: 54, found });
    assert_eq!(rotation.apply_slice(&mut data[1..], &[2, 3, 9]), error(53));
    assert_eq!(rotation.apply_slice_into(&data, &mut out[..3], &[2, 3, 9]), error(3));
    let huge = rotation.apply_slice(&mut data, &[1 << 40, 1 << 40, 3, 9]);
    assert!(matches!(huge, Err(Error::LengthMismatch { expected: usize::MAX, .. })));
    let (cos, sin) = rotation.tables();
    assert_eq!((cos.dim(), sin.dim()), ((3, 4), (3, 4)));
    for i in 0..3 {
        assert_eq!(rotation.cos_sin(i).unwrap(), [&cos.row(i).to_vec()[..], &sin.row(i).to_vec()]);
    }
    let again = Rotation::from_cos_sin(cos, sin, Pairing::Interleaved).unwrap();
    assert_eq!(bits(&again.applied(x.view()).unwrap()), bits(&rotation.applied(x.view()).unwrap()));
    assert!(Rotation::from_cos_sin(cos, sin.slice(ndarray::s![1.., ..]), Pairing::Halves).is_err());
    assert_eq!(rotation, rotary.at(5..8).unwrap());
    assert_ne!(rotation, rotation.gradient());
    assert_ne!(rotary, plain(8, 1e4, Pairing::Halves));
    assert!(format!("{rotary:?} {rotation:?}").len() < 400);
}

/// Arrays with many rows, wide rows, and many axes.
#[test]
fn long_arrays() {
    for (shape, axis) in [
        (&[3, 5, 70, 64][..], 2),
        (&[3, 70, 5, 64], 1),
        (&[2, 3, 9000], 1),
        (&[2, 1, 1, 3, 1, 1, 1, 1, 2, 1, 500, 24], 10),
    ] {
        let x = filled::<f32>(shape);
        let rotary = plain(20, 1e4, Pairing::Interleaved);
        let layout = Layout { order: (0..shape.len()).collect(), steps: vec![1; shape.len()] };
        let ids = Array2::from_shape_fn((shape[0], shape[axis]), |(row, i)| (row * 100 + i) as i64);
        for rotation in [rotary.at(9..9 + shape[axis]).unwrap(), rotary.at(&ids).unwrap()] {
            same_in_all_ways(&rotation, axis, &x, [&layout; 2]).unwrap();
        }
    }
}

#[test]
fn sources_that_repeat() {
    let rotation = plain(8, 1e4, Pairing::Halves).at::<f64>(0..3).unwrap();
    let key = Array2::from_shape_fn((3, 8), |(i, j)| ((i * 8 + j) as f64).cos());
    let all = key.broadcast((2, 4, 3, 8)).unwrap();
    let rotated = rotation.applied(all).unwrap();
    let mut out = Array4::zeros((2, 4, 3, 8));
    rotation.apply_into(all, out.view_mut()).unwrap();
    assert_eq!(rotated, out);
    assert_eq!(rotated, rotation.applied(key.view()).unwrap().broadcast((2, 4, 3, 8)).unwrap());
}

#[test]
fn nothing_to_rotate() {
    let rotary = plain(8, 1e4, Pairing::Halves);
    for shape in [[0, 2, 3, 9], [2, 0, 3, 9], [2, 2, 0, 9]] {
        let none = Array4::<f32>::ones(shape);
        assert_eq!(rotary.at(0..shape[2]).unwrap().applied(none.view()).unwrap(), none);
        rotary.at(0..shape[2]).unwrap().apply_into(none.view(), none.clone().view_mut()).unwrap();
    }
}

#[test]
fn bad_input() {
    let rotation = plain(8, 1e4, Pairing::Halves).at::<f32>(0..3).unwrap();
    let x = Array3::<f32>::zeros((2, 3, 8));
    let mut out = Array3::<f32>::ones((2, 3, 9));
    let error = rotation.apply_into(x.view(), out.view_mut()).unwrap_err();
    assert_eq!(
        error,
        Error::LengthMismatch { what: "indices on an axis of the output", expected: 8, found: 9 }
    );
    assert_eq!(error.to_string(), "9 indices on an axis of the output where there must be 8");
    let two = Array2::<f32>::zeros((3, 8));
    let error = rotation.apply_into(two.view().into_dyn(), out.view_mut().into_dyn()).unwrap_err();
    assert_eq!(error, Error::LengthMismatch { what: "axes of the output", expected: 2, found: 3 });
    let narrow = Array3::<f32>::zeros((2, 3, 6));
    let mut narrow_out = Array3::<f32>::ones((2, 3, 6));
    let error = Error::TooNarrow { needed: 8, found: 6 };
    assert_eq!(rotation.apply_into(narrow.view(), narrow_out.view_mut()), Err(error.clone()));
    assert_eq!(rotation.applied(narrow.view()), Err(error));
    let error = Error::LengthMismatch { what: "positions", expected: 3, found: 2 };
    let swapped = x.view().permuted_axes([1, 0, 2]);
    assert_eq!(rotation.applied(swapped), Err(error.clone()));
    let mut same = Array3::<f32>::ones((2, 3, 8));
    let swapped_out = same.view_mut().permuted_axes([1, 0, 2]);
    assert_eq!(rotation.apply_into(swapped, swapped_out), Err(error));
    assert_eq!(
        rotation.applied(ndarray::Array1::<f32>::ones(8).view()),
        Err(Error::TooFewAxes { expected: 2, found: 1 })
    );
    // A broadcast view of one number can have any shape, but memory cannot.
    let shift = plain(8, 1e4, Pairing::Halves).shift::<f32>(1).unwrap();
    let one = ndarray::arr0(1_f32);
    let endless = one.broadcast((1 << 40, 1 << 10, 8)).unwrap();
    assert_eq!(shift.applied(endless), Err(Error::TooLarge { rows: 1 << 50, dim: 8 }));
    assert!(out.iter().chain(&narrow_out).chain(&same).all(|&value| value == 1.0));
}
