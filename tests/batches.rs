//! Sequences that share positions are added to several at a time: with the bits of one by one, whatever their number and layout.

use ndarray::{Array2, Array4, ArrayD, ArrayViewMutD, Axis, IxDyn, s};
use positional_encodings::{Element, PositionalEncoding, Positions, Sinusoidal, add_positions};

/// The same additions, one sequence after the other.
fn one_by_one<A: Element>(mut words: ArrayViewMutD<'_, A>, vectors: &Array2<A>) {
    if words.ndim() > 2 {
        return words.axis_iter_mut(Axis(0)).for_each(|words| one_by_one(words, vectors));
    }
    words.zip_mut_with(&vectors.view().into_dyn(), |word, vector| *word = *word + *vector);
}

fn words<A: Element>(shape: &[usize]) -> ArrayD<A> {
    let mut next = 0_u32;
    ArrayD::from_shape_simple_fn(IxDyn(shape), || {
        next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        A::from_f64(f64::from(next) / f64::from(u32::MAX) - 0.5)
    })
}

fn check<A: Element>() {
    for dim in [2, 66, 130] {
        let encoding = Sinusoidal::new(dim).unwrap();
        for len in [1, 7, 70] {
            let vectors: Array2<A> = encoding.encode(&Positions::from(0..len)).unwrap();
            for sequences in 0..10 {
                for shape in [vec![sequences, len, dim], vec![2, sequences, len, dim], vec![sequences, 1, 3, len, dim]]
                {
                    let (mut found, mut expected) = (words::<A>(&shape), words::<A>(&shape));
                    add_positions(found.view_mut(), &encoding).unwrap();
                    one_by_one(expected.view_mut(), &vectors);
                    assert_eq!(found, expected, "{shape:?}");
                }
            }
        }
    }
}

#[test]
fn any_number_of_sequences() {
    check::<f32>();
    check::<f64>();
    #[cfg(feature = "half")]
    check::<half::f16>();
    #[cfg(feature = "half")]
    check::<half::bf16>();
}

#[test]
fn sequences_with_gaps_and_backwards() {
    let encoding = Sinusoidal::new(6).unwrap();
    let vectors: Array2<f32> = encoding.encode(&Positions::from(0..9)).unwrap();
    let whole: Array4<f32> = words(&[5, 3, 18, 12]).into_dimensionality().unwrap();
    for view in [s![.., .., ..;2, ..6], s![..;-1, .., ..9, ..;2], s![.., 1..2, 9.., ..;-2]] {
        let (mut found, mut expected) = (whole.clone(), whole.clone());
        add_positions(found.slice_mut(view), &encoding).unwrap();
        one_by_one(expected.slice_mut(view).into_dyn(), &vectors);
        assert_eq!(found, expected);
    }
}
