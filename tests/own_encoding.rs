//! A user outside the crate writes an encoding and runs the public battery; and the battery catches
//! every broken one.

use ndarray::{Array2, Array3, ArrayViewMut2, array};
use positional_encodings::{
    Element, Error, Learned, Position, PositionalEncoding, Positions, TokenEmbedding,
    embed_with_positions,
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

/// Ways to be wrong, one for each law and each way of asking that it covers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    /// A row depends on the row before it.
    KnowsItsNeighbour,
    /// A range and ids give different rows.
    IndexInsteadOfPosition,
    /// Bits that a comparison with == would miss.
    SignOfZero,
    /// The last bit differs in longer calls.
    LastBit,
    /// Adds to what stood there.
    Accumulates,
    /// Leaves the last column alone.
    ForgetsAColumn,
    /// Takes the view for a row-major one.
    IgnoresStrides,
    /// add_to writes.
    AddWrites,
    /// add_to adds twice.
    AddsTwice,
    /// No positions are an error.
    RefusesNothing,
    /// Positions past the table wrap around.
    WrapsAround,
    /// NaN is taken for 0.
    TakesNan,
    /// An output of the wrong width is written as far as it goes.
    TakesAnyWidth,
    /// An output with too many rows is written as far as it goes.
    TakesAnyLength,
    /// Writes before it looks.
    WritesThenFails,
}

/// One feature more than the position's parity needs, and a fault.
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
        self.looks(positions, &Array2::zeros((positions.len(), 3)).view_mut())
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
    const NOTHING: &str = "no positions are no work";
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
