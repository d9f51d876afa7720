//! Rows by themselves, compared with the rows of runs.

use ndarray::Array2;
use positional_encodings::{
    Element, Frequencies, PositionalEncoding, Positions, Sinusoidal, testing::InstructionSet,
};

use crate::bits;

/// Single rows are computed in another way than runs of rows, and must not differ from them in a
/// single bit.
#[test]
fn single_rows_are_those_of_runs() {
    let mut random = 88_172_645_463_325_252_u64;
    for (dim, base, amplitude) in
        [(64, 1e4, 1.0), (34, 5e5, 1.0), (32, 100.0, 0.37), (32, 1e7, -1.9)]
    {
        let frequencies = Frequencies::geometric(dim, base).unwrap();
        let encoding = Sinusoidal::from_frequencies(frequencies).with_amplitude(amplitude).unwrap();
        let forced: Vec<_> = InstructionSet::available()
            .map(|set| encoding.clone().with_instruction_set(set).unwrap())
            .collect();
        for round in 0..300 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let start = (random >> (12 + round % 40)) as i64 - 64;
            let run: Vec<i64> = (start..start + 128).collect();
            let shuffled: Vec<i64> = (0..128).map(|i| run[i * 37 % 128]).collect();
            // The best set is tested every time, the others now and then, at positions of all
            // magnitudes: unoptimised builds should not take minutes.
            for (_, encoding) in
                forced.iter().rev().enumerate().filter(|(n, _)| *n == 0 || round % 7 == *n)
            {
                assert_single_rows_are_those_of_runs::<f32>(encoding, &run, &shuffled);
                assert_single_rows_are_those_of_runs::<f64>(encoding, &run, &shuffled);
            }
        }
    }
}

fn assert_single_rows_are_those_of_runs<A: Element>(
    encoding: &Sinusoidal,
    run: &[i64],
    shuffled: &[i64],
) {
    let rows: Array2<A> = encoding.encode(&Positions::from(run)).unwrap();
    let single: Array2<A> = encoding.encode(&Positions::from(shuffled)).unwrap();
    for (row, &position) in single.rows().into_iter().zip(shuffled) {
        let same = bits(row) == bits(rows.row((position - run[0]) as usize));
        assert!(same, "dim {}, position {position}, {encoding:?}", encoding.dim());
    }
}
