//! An encoding written outside the crate passes the public battery, and the battery catches every
//! broken one.

use ndarray::{Array2, Array3, ArrayViewMut2, array};
use positional_encodings::{
    Element, Error, Learned, Position, PositionalEncoding, Positions, TokenEmbedding,
    add_positions_at, concat_positions_at, embed_with_positions, embed_with_positions_at,
    testing::{Violation, check_laws},
};

/// The digits of a position in base 2, least significant first: as many positions as the digits can
/// tell apart.
struct Binary {
    digits: usize,
}

impl<A: Element> PositionalEncoding<A> for Binary {
    fn dim(&self) -> usize {
        self.digits
    }

    fn max_len(&self) -> Option<usize> {
        Some(1 << self.digits)
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        mut out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        PositionalEncoding::<A>::check_shape(self, positions, &out)?;
        PositionalEncoding::<A>::check(self, positions)?;
        for (position, mut row) in positions.iter().zip(out.rows_mut()) {
            let mut rest = position.to_f64() as u64;
            for digit in &mut row {
                *digit = if rest % 2 == 1 { A::one() } else { A::zero() };
                rest /= 2;
            }
        }
        Ok(())
    }
}

#[test]
fn it_obeys_the_laws() -> Result<(), Violation> {
    for digits in [1, 3, 10] {
        check_laws::<f32>(&Binary { digits })?;
        check_laws::<f64>(&Binary { digits })?;
        check_laws::<f32>(&&Binary { digits })?;
        check_laws::<f32>(&Box::new(Binary { digits }))?;
        check_laws::<f32>(&std::sync::Arc::new(Binary { digits }))?;
    }
    #[cfg(feature = "half")]
    check_laws::<half::bf16>(&Binary { digits: 10 })?;
    Ok(())
}

#[test]
fn it_works_wherever_the_crates_own_do() -> Result<(), Error> {
    let binary = Binary { digits: 3 };
    let input = embed_with_positions(&Array3::<f32>::zeros((2, 8, 3)), &binary)?;
    assert_eq!(input.slice(ndarray::s![1, 5, ..]), array![1.0, 0.0, 1.0]);
    let too_long = embed_with_positions(&Array2::<f32>::zeros((9, 3)), &binary);
    assert_eq!(too_long, Err(Error::PositionOutsideTable { position: 8.0, first: 0, len: 8 }));
    let tokens = TokenEmbedding::new(Array2::<f64>::ones((4, 3)), &binary)?;
    assert_eq!(
        tokens.lookup(&array![0, 0]).at(&[6, 7]).embed()?,
        array![[1.0, 2.0, 2.0], [2.0, 2.0, 2.0]]
    );
    let learned: Learned<f32> = Learned::from_encoding(&binary, 8)?;
    assert_eq!(
        learned.table(),
        PositionalEncoding::<f32>::encode(&binary, &Positions::from(0..8))?
    );
    let chosen: Box<dyn PositionalEncoding<f64>> = Box::new(binary);
    assert_eq!(chosen.encode(&Positions::from(&[2.0]))?, array![[0.0, 1.0, 0.0]]);
    Ok(())
}

/// Faults, one for each law and each kind of call that it covers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// A row depends on the row before it.
    KnowsItsNeighbour,
    /// Ranges and ids give different rows.
    IndexInsteadOfPosition,
    /// The sign of zero differs, which == would not see.
    SignOfZero,
    /// The last bit differs in longer calls.
    LastBit,
    /// Adds to the previous contents.
    Accumulates,
    /// Leaves out the last column.
    ForgetsAColumn,
    /// Ignores the strides of the view.
    IgnoresStrides,
    /// add_to overwrites.
    AddWrites,
    /// add_to adds twice.
    AddsTwice,
    /// No positions are an error.
    RefusesNothing,
    /// Positions past the table wrap around.
    WrapsAround,
    /// NaN is taken for 0.
    TakesNan,
    /// An output of the wrong width is partly written.
    TakesAnyWidth,
    /// An output with too many rows is partly written.
    TakesAnyLength,
    /// The second axis of positions is ignored.
    TakesAnyAxes,
    /// Writes before it checks.
    WritesThenFails,
}

/// The parity of a position and one more feature, with a fault.
struct Faulty(Fault);

const LEN: usize = 40;

impl Faulty {
    fn value(&self, index: usize, position: f64, column: usize) -> f32 {
        let position =
            if self.0 == Fault::IndexInsteadOfPosition { index as f64 } else { position };
        let position = if position.is_nan() { 0.0 } else { position };
        let value = (position % LEN as f64) as f32 - 3.0 * column as f32;
        match self.0 {
            Fault::SignOfZero if value == 0.0 && index > 20 => -0.0,
            Fault::LastBit if index > 30 => value.next_up(),
            Fault::KnowsItsNeighbour if index > 0 => value + 1.0,
            _ => value,
        }
    }

    fn looks(&self, positions: &Positions<'_>, out: &ArrayViewMut2<'_, f32>) -> Result<(), Error> {
        if self.0 == Fault::RefusesNothing && positions.is_empty() {
            return Err(Error::ZeroDim);
        }
        let first = positions.axis(0);
        let positions = match &first {
            Some(first) if self.0 == Fault::TakesAnyAxes => first,
            _ => positions,
        };
        match self.check_shape(positions, out) {
            Err(Error::WidthMismatch { .. }) if self.0 == Fault::TakesAnyWidth => {}
            Err(Error::LengthMismatch { .. }) if self.0 == Fault::TakesAnyLength => {}
            checked => checked?,
        }
        let known = |position: Position| match self.0 {
            Fault::WrapsAround => position.to_f64().is_finite(),
            Fault::TakesNan if position.to_f64().is_nan() => true,
            _ => (0.0..LEN as f64).contains(&position.to_f64()),
        };
        match positions.iter().position(|position| !known(position)) {
            Some(index) => Err(Error::NonFinitePosition { index, position: f64::NAN }),
            None => Ok(()),
        }
    }

    fn write(&self, positions: &Positions<'_>, out: &mut ArrayViewMut2<'_, f32>) {
        for (index, (position, mut row)) in positions.iter().zip(out.rows_mut()).enumerate() {
            for (column, slot) in row.iter_mut().enumerate() {
                let value = self.value(index, position.to_f64(), column);
                match self.0 {
                    Fault::Accumulates => *slot += value,
                    Fault::ForgetsAColumn if column == 2 => {}
                    _ => *slot = value,
                }
            }
        }
    }
}

impl PositionalEncoding<f32> for Faulty {
    fn dim(&self) -> usize {
        3
    }

    fn max_len(&self) -> Option<usize> {
        Some(LEN)
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        mut out: ArrayViewMut2<'_, f32>,
    ) -> Result<(), Error> {
        if self.0 == Fault::WritesThenFails {
            self.write(positions, &mut out);
        }
        self.looks(positions, &out)?;
        if self.0 == Fault::IgnoresStrides && !out.is_standard_layout() {
            out.fill(1.0);
            return Ok(());
        }
        self.write(positions, &mut out);
        Ok(())
    }

    fn check(&self, positions: &Positions<'_>) -> Result<(), Error> {
        self.looks(positions, &Array2::zeros((positions.count(), 3)).view_mut())
    }

    fn add_to(
        &self,
        positions: &Positions<'_>,
        mut out: ArrayViewMut2<'_, f32>,
    ) -> Result<(), Error> {
        if self.0 == Fault::AddWrites {
            return self.encode_into(positions, out);
        }
        self.looks(positions, &out)?;
        let vectors = self.encode(positions)?;
        for (out, vector) in out.rows_mut().into_iter().zip(vectors.rows()) {
            for (slot, value) in out.into_iter().zip(vector) {
                *slot += if self.0 == Fault::AddsTwice { 2.0 * value } else { *value };
            }
        }
        Ok(())
    }
}

#[test]
fn the_battery_catches_every_fault() {
    const COMPANY: &str = "a row does not depend on how it is asked for";
    const WRITTEN: &str = "encode_into writes every element of any view";
    const ADDED: &str = "add_to is encode and an addition";
    const REFUSED: &str = "bad input is an error, and the output stays as it was";
    const NOTHING: &str = "no positions give an empty result";
    assert_eq!(check_laws(&Faulty(Fault::None)), Ok(()));
    for (fault, law) in [
        (Fault::KnowsItsNeighbour, COMPANY),
        (Fault::IndexInsteadOfPosition, COMPANY),
        (Fault::SignOfZero, COMPANY),
        (Fault::LastBit, COMPANY),
        (Fault::Accumulates, WRITTEN),
        (Fault::ForgetsAColumn, WRITTEN),
        (Fault::IgnoresStrides, WRITTEN),
        (Fault::AddWrites, ADDED),
        (Fault::AddsTwice, ADDED),
        (Fault::WrapsAround, REFUSED),
        (Fault::TakesNan, REFUSED),
        (Fault::TakesAnyWidth, REFUSED),
        (Fault::TakesAnyLength, REFUSED),
        (Fault::TakesAnyAxes, REFUSED),
        (Fault::WritesThenFails, REFUSED),
        (Fault::RefusesNothing, NOTHING),
    ] {
        let violation = check_laws(&Faulty(fault)).expect_err(&format!("{fault:?} was not caught"));
        assert_eq!(violation.law, law, "{fault:?}: {violation}");
        assert!(
            violation.to_string().starts_with(law) && violation.detail.len() > 5,
            "{violation}"
        );
    }
}

/// The coordinates of a point in a plane: an encoding of two axes.
struct Plane;

impl PositionalEncoding<f64> for Plane {
    fn dim(&self) -> usize {
        2
    }

    fn max_len(&self) -> Option<usize> {
        None
    }

    fn axes(&self) -> usize {
        2
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        mut out: ArrayViewMut2<'_, f64>,
    ) -> Result<(), Error> {
        self.check_shape(positions, &out)?;
        self.check(positions)?;
        for (axis, mut column) in out.columns_mut().into_iter().enumerate() {
            let positions = positions.axis(axis).ok_or(Error::ZeroDim)?;
            column.iter_mut().zip(positions.iter()).for_each(|(x, at)| *x = at.to_f64());
        }
        Ok(())
    }
}

#[test]
fn an_encoding_of_two_axes() -> Result<(), Error> {
    assert_eq!(check_laws::<f64>(&Plane), Ok(()));
    // A class token before a grid of patches
    let patches = Positions::grid(&[2, 2])?.map(|_, position| position + 1.0)?;
    let tokens = Positions::concat([&Positions::from(&[0]), &patches])?;
    let vectors = array![[0.0, 0.0], [1.0, 1.0], [1.0, 2.0], [2.0, 1.0], [2.0, 2.0]];
    assert_eq!(Plane.encode(&tokens)?, vectors);
    let words = Array3::from_elem((3, 5, 2), 10.0);
    let sum = &words + &vectors;
    assert_eq!(embed_with_positions_at(&words, &Plane, &tokens)?, sum);
    let mut in_place = words.clone();
    add_positions_at(in_place.view_mut(), &Plane, &tokens)?;
    assert_eq!(in_place, sum);
    let beside = concat_positions_at(&words, &Plane, &tokens)?;
    assert_eq!(beside.slice(ndarray::s![1, .., 2..]), vectors);
    // A batch of points
    let (x, y) = (array![[1, 2], [3, 4]], array![[5, 6], [7, 8]]);
    let batch = Positions::from_axes([&x, &y])?;
    let expected = array![[[1.0, 5.0], [2.0, 6.0]], [[3.0, 7.0], [4.0, 8.0]]];
    assert_eq!(Plane.encode_batch(&batch)?, expected);
    assert_eq!(embed_with_positions_at(&Array3::zeros((2, 2, 2)), &Plane, &batch)?, expected);
    // Positions on one axis are not points.
    let error = Err(Error::AxesMismatch { expected: 2, found: 1 });
    assert_eq!(Plane.encode(&Positions::from(0..5)), error);
    assert_eq!(embed_with_positions(&words, &Plane).map(drop), error.map(|_: Array2<f64>| ()));
    Ok(())
}

/// The largest number of positions, and an encoding without a row for the last.
struct Endless;

impl PositionalEncoding<f64> for Endless {
    fn dim(&self) -> usize {
        1
    }

    fn max_len(&self) -> Option<usize> {
        Some(1 << 40)
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, f64>,
    ) -> Result<(), Error> {
        self.check_shape(positions, &out)?;
        self.check(positions)
    }
}

#[test]
fn long_ranges_are_checked_at_once() {
    assert_eq!(Endless.check(&Positions::from(0..1 << 40)), Ok(()));
    let (position, len) = ((1_u64 << 40) as f64, 1 << 40);
    let error = Err(Error::PositionOutsideTable { position, first: 0, len });
    assert_eq!(Endless.check(&Positions::from(0..(1 << 40) + 1)), error);
    assert_eq!(Endless.check(&Positions::from(7..1 << 62)), error);
    let one = ndarray::arr1(&[(1_i64 << 40)]);
    assert_eq!(Endless.check(&Positions::from(one.broadcast(1 << 61).unwrap())), error);
    let huge = Endless.encode(&Positions::from(0..1 << 62)).unwrap_err();
    assert_eq!(huge, Error::TooLarge { rows: 1 << 62, dim: 1 });
}

/// An encoding that fails at one sequence of a batch, after its checks, is an error of the batch.
#[test]
fn a_failure_within_a_batch() {
    struct Fails;
    impl PositionalEncoding<f32> for Fails {
        fn dim(&self) -> usize {
            2
        }
        fn max_len(&self) -> Option<usize> {
            None
        }
        fn encode_into(
            &self,
            positions: &Positions<'_>,
            _: ArrayViewMut2<'_, f32>,
        ) -> Result<(), Error> {
            let fails = positions.iter().any(|id| id == Position::Integer(13));
            if fails { Err(Error::ZeroDim) } else { Ok(()) }
        }
    }
    for failing in 0..3 {
        let ids = Array2::from_shape_fn((3, 4), |(row, _)| if row == failing { 13 } else { 0 });
        let mut words = Array3::<f32>::zeros((3, 4, 2));
        let result = add_positions_at(words.view_mut(), &Fails, &ids);
        assert_eq!(result, Err(Error::ZeroDim), "{failing}");
        assert_eq!(embed_with_positions_at(&words, &Fails, &ids), Err(Error::ZeroDim), "{failing}");
    }
}
