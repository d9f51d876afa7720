//! Sequences that share positions are summed several at a time, with the same bits as one by one,
//! whatever their number and layout.

use ndarray::{
    Array2, Array3, Array4, ArrayD, ArrayViewMut3, ArrayViewMutD, Axis, IxDyn, array, s,
};
use positional_encodings::training::{Differentiable, backward_positions_at};
use positional_encodings::{
    Element, Learned, PositionalEncoding, Positions, Sinusoidal, TokenEmbedding, add_positions,
    add_positions_at, concat_positions_at, embed_with_positions, embed_with_positions_at,
};

/// The reference: the sequences added one after the other.
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
                for shape in [
                    vec![sequences, len, dim],
                    vec![2, sequences, len, dim],
                    vec![sequences, 1, 3, len, dim],
                ] {
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

fn table<A: Element>(rows: usize, dim: usize) -> Array2<A> {
    words(&[rows, dim]).into_dimensionality().unwrap()
}

/// Lookups with and without segments, into outputs that begin anywhere in a cache line, have gaps,
/// or are not contiguous.
fn check_lookups<A: Element>() {
    for (dim, len, sequences) in
        [(37, 70, 5), (37, 3, 1), (150, 7, 1), (300, 9, 4), (1, 5, 3), (1100, 3, 2)]
    {
        let (vocabulary, kinds, places) =
            (table::<A>(50, dim), table::<A>(2, dim), table::<A>(len, dim));
        let tokens = Array2::from_shape_fn((sequences, len), |(n, i)| (31 * n + 17 * i * i) % 50);
        let segments = tokens.mapv(|token| token % 2);
        let (scale, learned) = (A::from_f64(0.3), || Learned::from_table(places.clone()).unwrap());
        let plain =
            TokenEmbedding::new(vocabulary.clone(), learned()).unwrap().with_scale(0.3).unwrap();
        let segmented = plain.clone().with_segments(kinds.clone()).unwrap();
        let expected = |with_segments: bool| {
            Array3::from_shape_fn((sequences, len, dim), |(n, i, k)| {
                let word = vocabulary[[tokens[[n, i]], k]] * scale;
                let sum = if with_segments { word + kinds[[segments[[n, i]], k]] } else { word };
                sum + places[[i, k]]
            })
        };
        let size = sequences * len * dim;
        let mut room = vec![A::zero(); 40 + 2 * size];
        for start in 0..18 {
            let mut out =
                ArrayViewMut3::from_shape((sequences, len, dim), &mut room[start..start + size])
                    .unwrap();
            plain.lookup(&tokens).embed_into(out.view_mut()).unwrap();
            assert_eq!(out, expected(false), "{dim} {start}");
            segmented.lookup(&tokens).with_segments(&segments).embed_into(out.view_mut()).unwrap();
            assert_eq!(out, expected(true), "{dim} {start}");
        }
        let mut wide =
            ArrayViewMut3::from_shape((sequences, len, 2 * dim), &mut room[3..3 + 2 * size])
                .unwrap();
        for view in [s![.., .., dim..], s![.., .., ..;2], s![.., .., ..dim;-1]] {
            let mut out = wide.slice_mut(view);
            segmented.lookup(&tokens).with_segments(&segments).embed_into(out.view_mut()).unwrap();
            assert_eq!(out, expected(true), "{dim} {view:?}");
        }
    }
}

#[test]
fn lookups() {
    check_lookups::<f32>();
    check_lookups::<f64>();
    #[cfg(feature = "half")]
    check_lookups::<half::f16>();
    #[cfg(feature = "half")]
    check_lookups::<half::bf16>();
}

#[test]
fn words_of_any_layout() {
    let encoding = Sinusoidal::new(6).unwrap();
    let vectors: Array2<f32> = encoding.encode(&Positions::from(0..9)).unwrap();
    let whole: Array4<f32> = words(&[5, 3, 18, 12]).into_dimensionality().unwrap();
    for view in [
        s![.., .., ..9, ..6],
        s![.., .., ..;2, ..6],
        s![..;-1, .., ..9, ..;2],
        s![.., 1..2, 9.., ..;-2],
    ] {
        let mut expected = whole.slice(view).to_owned();
        one_by_one(expected.view_mut().into_dyn(), &vectors);
        assert_eq!(embed_with_positions(&whole.slice(view), &encoding).unwrap(), expected);
        assert_eq!(
            embed_with_positions(&whole.slice(view).to_owned(), &encoding).unwrap(),
            expected
        );
    }
}

/// Sequences longer than a block of encoded rows: each row of words meets its own vector, whether
/// sequences share positions or not, and in any layout.
#[test]
fn words_beside_vectors_of_long_sequences() {
    let (batch, len, width, dim) = (2, 150, 3, 4);
    let encoding = Sinusoidal::new(dim).unwrap();
    let words: Array3<f32> = words(&[batch, len, width]).into_dimensionality().unwrap();
    let ids = Array2::from_shape_fn((batch, len), |(row, i)| 7 * row + i);
    let apart = words.t().as_standard_layout().into_owned();
    for words in [words.view(), apart.t()] {
        for positions in [Positions::from(0..len), Positions::from(&ids)] {
            let beside = concat_positions_at(&words, &encoding, positions.clone()).unwrap();
            for (sequence, beside) in beside.outer_iter().enumerate() {
                let vectors: Array2<f32> = encoding.encode(&positions.row(sequence)).unwrap();
                assert_eq!(beside.slice(s![.., ..width]), words.slice(s![sequence, .., ..]));
                assert_eq!(beside.slice(s![.., width..]), vectors);
            }
        }
    }
}

/// Ids (batch, len) need no words, and a single row of them is shared by all sequences.
#[test]
fn ids_of_a_batch_and_a_single_row() {
    let sinusoidal = Sinusoidal::new(6).unwrap();
    let learned = Learned::from_encoding(&sinusoidal, 10).unwrap();
    let ids = array![[0, 1, 2, 3], [7, 0, 0, 1], [9, 8, 8, 0]];
    let words: Array3<f32> = words(&[3, 4, 6]).into_dimensionality().unwrap();
    for encoding in [&sinusoidal as &dyn PositionalEncoding<f32>, &learned] {
        let vectors = encoding.encode_batch(&Positions::from(&ids)).unwrap();
        let rows = encoding.encode(&Positions::from(ids.t().t())).unwrap();
        assert_eq!(vectors.clone().into_shape_with_order((12, 6)).unwrap(), rows);
        for (vectors, ids) in vectors.outer_iter().zip(ids.outer_iter()) {
            assert_eq!(vectors, encoding.encode(&Positions::from(ids)).unwrap());
        }
        assert_eq!(embed_with_positions_at(&words, encoding, &ids).unwrap(), &words + &vectors);
        let row = ids.slice(s![1..2, ..]);
        let shared = &words + &vectors.slice(s![1..2, .., ..]);
        assert_eq!(embed_with_positions_at(&words, encoding, row).unwrap(), shared);
        let mut in_place = words.clone();
        add_positions_at(in_place.view_mut(), encoding, row).unwrap();
        assert_eq!(in_place, shared);
        let beside = concat_positions_at(&words, encoding, row).unwrap();
        assert_eq!(beside.slice(s![2, .., 6..]), vectors.slice(s![1, .., ..]));
        let broadcast = row.broadcast((3, 4)).unwrap();
        assert_eq!(embed_with_positions_at(&words, encoding, broadcast).unwrap(), shared);
    }
    let table = words.slice(s![0, .., ..]).to_owned();
    let embedding = TokenEmbedding::new(table, &learned).unwrap();
    let (tokens, row) = (array![[0, 1], [2, 3]], array![[5, 4]]);
    let expected = embedding.lookup(&tokens).at(&[5, 4]).embed().unwrap();
    assert_eq!(embedding.lookup(&tokens).at(&row).embed().unwrap(), expected);
    let (mut of_row, mut of_list) = (vec![0.0; 60], vec![0.0; 60]);
    let upstream = words.slice(s![.., ..2, ..]);
    backward_positions_at(&upstream, &learned, &row, &mut of_row).unwrap();
    backward_positions_at(&upstream, &learned, &[5, 4], &mut of_list).unwrap();
    assert_eq!(of_row, of_list);
    let mut of_batch = vec![0.0; 60];
    let flat: Array2<f32> = words.clone().into_shape_with_order((12, 6)).unwrap();
    learned.backward(&Positions::from(&ids), flat.view(), &mut of_batch).unwrap();
    of_list.fill(0.0);
    backward_positions_at(&words, &learned, &ids, &mut of_list).unwrap();
    assert_eq!(of_batch, of_list);
}
