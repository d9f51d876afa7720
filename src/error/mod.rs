//! Errors of calls, with the numbers at fault.

mod file;

pub use file::{FileError, FileProblem, Place};
pub(crate) use file::{at, reserve};

use core::fmt;

/// The error of a call. A call that fails has written nothing.
///
/// Each variant carries the numbers at fault, to be matched on and shown in the message:
///
/// ```
/// use positional_encodings::{Error, Sinusoidal};
///
/// let error = Sinusoidal::new(7).unwrap_err();
/// assert_eq!(error, Error::OddDim { dim: 7 });
/// assert_eq!(
///     error.to_string(),
///     "dim 7 is odd, and conventions for odd dims differ: choose an OddDim"
/// );
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// An encoding must have at least one feature.
    ZeroDim,
    /// An odd dim has several conventions, so one must be named (see [`OddDim`](crate::OddDim)).
    OddDim {
        /// The dim asked for.
        dim: usize,
    },
    /// The frequencies do not fit into the dim: they need more features than it has.
    DimTooSmall {
        /// The dim asked for.
        dim: usize,
        /// The features that the frequencies need.
        needed: usize,
    },
    /// The dim must be a multiple of a number, so that it divides among axes.
    IndivisibleDim {
        /// The dim asked for.
        dim: usize,
        /// The number that must divide it.
        divisor: usize,
    },
    /// The product of the sizes does not fit into memory.
    TooLarge {
        /// The number of rows asked for.
        rows: usize,
        /// The number of features in each row.
        dim: usize,
    },
    /// The base of a geometric progression must be positive and finite.
    InvalidBase {
        /// The base given.
        base: f64,
    },
    /// Timescales and periods must be positive and finite, the shorter one first.
    InvalidTimescales {
        /// The shortest one given.
        shortest: f64,
        /// The longest one given.
        longest: f64,
    },
    /// A frequency must be finite and make less than 2⁶³ turns per position.
    InvalidFrequency {
        /// The index of the pair.
        pair: usize,
        /// The frequency in radians per position.
        frequency: f64,
    },
    /// A factor that must be finite was not.
    InvalidFactor {
        /// The factor given.
        factor: f64,
    },
    /// A share must lie between 0 and 1, and not be one half.
    InvalidShare {
        /// The share given.
        share: f64,
    },
    /// A grid must have at least one row and one column.
    EmptyGrid {
        /// The rows of the grid.
        rows: usize,
        /// The columns of the grid.
        columns: usize,
    },
    /// The parameters of a random distribution are not usable.
    InvalidInit {
        /// The condition on the parameter.
        needs: &'static str,
        /// The value given.
        found: f64,
    },
    /// A position must be finite.
    NonFinitePosition {
        /// The index of the position.
        index: usize,
        /// The value given.
        position: f64,
    },
    /// A position must lie within ±2⁶²: beyond, phases are no longer exact.
    PositionTooLarge {
        /// The index of the position.
        index: usize,
        /// The position, rounded to f64.
        position: f64,
    },
    /// A table has no row for a position.
    PositionOutsideTable {
        /// The position asked for.
        position: f64,
        /// The first position of the table.
        first: i64,
        /// The number of positions of the table.
        len: usize,
    },
    /// A coordinate is outside the range of the encoding.
    OutsideRange {
        /// The index of the position.
        index: usize,
        /// The coordinate given.
        position: f64,
        /// The lower end of the range.
        low: f64,
        /// The upper end of the range.
        high: f64,
    },
    /// A size must be a multiple of another one.
    IndivisibleSize {
        /// The size given.
        size: usize,
        /// The number that must divide it.
        divisor: usize,
    },
    /// A table has no row for a token or segment id.
    IdOutsideTable {
        /// The name of the table.
        table: &'static str,
        /// The id asked for.
        id: i64,
        /// The number of rows of the table.
        rows: usize,
    },
    /// The last axis must be as wide as the encoding.
    WidthMismatch {
        /// The width of the encoding.
        expected: usize,
        /// The width of the array.
        found: usize,
    },
    /// An axis or a list has the wrong length.
    LengthMismatch {
        /// The counted items, in the plural.
        what: &'static str,
        /// The expected number.
        expected: usize,
        /// The number found.
        found: usize,
    },
    /// Positions must have as many axes as the encoding.
    AxesMismatch {
        /// The axes of the encoding.
        expected: usize,
        /// The axes of the positions.
        found: usize,
    },
    /// The rows of a batch must have the same length.
    Ragged {
        /// The first row of another length.
        row: usize,
        /// The length of the rows before it.
        expected: usize,
        /// The length of that row.
        found: usize,
    },
    /// A table has too few rows.
    TooFewRows {
        /// The smallest sufficient number of rows.
        needed: usize,
        /// The number of rows.
        found: usize,
    },
    /// A value of a table is NaN, infinite or too large to be multiplied with others.
    ValueOutOfRange {
        /// The row of the value.
        row: usize,
        /// The column of the value.
        column: usize,
        /// The value.
        value: f64,
    },
    /// An array must end in the axes (positions, dim), or scores in (heads, queries, keys).
    TooFewAxes {
        /// The smallest sufficient number of axes.
        expected: usize,
        /// The number of axes.
        found: usize,
    },
    /// Offsets of packed documents must start at 0 and never decrease.
    InvalidOffsets {
        /// The index of the first wrong offset.
        index: usize,
        /// The value given.
        offset: i64,
    },
    /// A parameter is outside its range.
    InvalidParameter {
        /// The name of the parameter.
        name: &'static str,
        /// The value given.
        value: f64,
        /// The condition that it must meet.
        needs: &'static str,
    },
    /// The last axis has fewer features than the rotation.
    TooNarrow {
        /// The number of rotated features.
        needed: usize,
        /// The number of features found.
        found: usize,
    },
    /// An array does not have the axis that was named.
    NoSuchAxis {
        /// The axis named.
        axis: usize,
        /// The number of axes.
        axes: usize,
    },
    /// A model has no layer of this index.
    NoSuchLayer {
        /// The layer asked for, counted from 0.
        layer: usize,
        /// The number of layers.
        layers: usize,
    },
    /// The layers of a model do not share one rotation.
    NotOneRotation {
        /// The number of types of layers; 0 where no layer is rotated.
        types: usize,
    },
    /// A model's config is invalid or not supported.
    Config {
        /// The path of the field, such as `rope_scaling.factor`.
        field: String,
        /// The problem with the field.
        problem: ConfigProblem,
    },
    /// The instruction set is not available on this machine.
    UnavailableInstructionSet {
        /// The name of the instruction set.
        name: &'static str,
    },
}

/// A problem with a field of a model's config.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConfigProblem {
    /// The field is required and missing.
    Missing,
    /// The field has another type, or is outside its range.
    NotA {
        /// The condition that it must meet.
        expected: &'static str,
    },
    /// The name or value is unknown; it is not taken for a default.
    Unknown {
        /// The name or value.
        found: String,
    },
    /// The field contradicts another field.
    Contradicts {
        /// The other field.
        other: String,
    },
    /// The setting of the field is not supported, or needs more than one rotation; the reason says
    /// what it is and what to use instead.
    Unsupported {
        /// The reason.
        reason: &'static str,
    },
    /// The text is not valid JSON at this place.
    Syntax {
        /// The line, counted from 1.
        line: usize,
        /// The byte of the line, counted from 1; 0 where the text ends, or fails, right at the line
        /// break before it.
        column: usize,
    },
    /// The setting of the field is not possible.
    Invalid(Box<Error>),
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, " is missing"),
            Self::NotA { expected } => write!(f, " must be {expected}"),
            Self::Unknown { found } => write!(f, ": {found:?} is not known"),
            Self::Contradicts { other } => write!(f, " contradicts {other}"),
            Self::Unsupported { reason } => write!(f, ": {reason}"),
            Self::Syntax { line, column } => {
                write!(f, " is not JSON at line {line}, column {column}")
            }
            Self::Invalid(error) => write!(f, ": {error}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroDim => write!(f, "dim 0: an encoding needs at least one feature"),
            Self::OddDim { dim } => {
                write!(f, "dim {dim} is odd, and conventions for odd dims differ: choose an OddDim")
            }
            Self::DimTooSmall { dim, needed } => {
                write!(f, "dim {dim} is too small: the frequencies need {needed} features")
            }
            Self::IndivisibleDim { dim, divisor } => {
                let below = dim / divisor * divisor;
                let would = if below == 0 { *divisor } else { below };
                let next = would.saturating_add(*divisor);
                write!(
                    f,
                    "dim {dim} cannot be divided among the axes: it must be a multiple of {divisor}, \
                     such as {would} or {next}"
                )
            }
            Self::OutsideRange { index, position, low, high } => {
                write!(f, "position {position} at index {index} is outside {low} to {high}")
            }
            Self::IndivisibleSize { size, divisor } => {
                write!(f, "size {size} is not a multiple of {divisor}")
            }
            Self::TooLarge { rows, dim } => {
                write!(f, "{rows} rows of {dim} features do not fit into memory")
            }
            Self::InvalidBase { base } => write!(f, "base {base} is not a positive finite number"),
            Self::InvalidTimescales { shortest, longest } => write!(
                f,
                "timescales from {shortest} to {longest}: they must be positive and finite, the shorter one first"
            ),
            Self::InvalidFrequency { pair, frequency } => {
                write!(
                    f,
                    "frequency {frequency} of pair {pair} is not finite, or makes 2^63 turns or more per position"
                )
            }
            Self::InvalidFactor { factor } => write!(f, "factor {factor} is not finite"),
            Self::InvalidShare { share } => {
                write!(f, "share {share}: it must lie between 0 and 1, and not be one half")
            }
            Self::EmptyGrid { rows, columns } => {
                write!(f, "a grid of {rows} rows and {columns} columns has no points")
            }
            Self::InvalidInit { needs, found } => write!(f, "{needs}, but it is {found}"),
            Self::NonFinitePosition { index, position } => {
                write!(f, "position {position} at index {index} is not finite")
            }
            Self::PositionTooLarge { index, position } => {
                write!(f, "position {position} at index {index} is outside ±2^62")
            }
            Self::PositionOutsideTable { position, first: 0, len } => {
                write!(f, "position {position} is outside a table of {len} rows")
            }
            Self::PositionOutsideTable { position, first, len } => {
                write!(
                    f,
                    "position {position} is outside a table of {len} rows, the first for position {first}"
                )
            }
            Self::IdOutsideTable { table, id, rows } => {
                write!(f, "{table} id {id} is outside a table of {rows} rows")
            }
            Self::WidthMismatch { expected, found } => {
                write!(f, "the last axis has {found} features where the encoding has {expected}")
            }
            Self::LengthMismatch { what, expected, found } => {
                write!(f, "{found} {what} where there must be {expected}")
            }
            Self::AxesMismatch { expected, found } => {
                write!(f, "the number of axes of the positions is {found}, but must be {expected}")
            }
            Self::Ragged { row, expected, found } => {
                write!(f, "row {row} has {found} ids where the rows before it have {expected}")
            }
            Self::TooFewAxes { expected: expected @ 3.., found } => {
                write!(f, "an array of {found} axes where at least {expected} are needed")
            }
            Self::TooFewAxes { expected, found } => {
                write!(
                    f,
                    "an array of {found} axes where at least {expected} are needed, the last two (positions, dim)"
                )
            }
            Self::TooFewRows { needed, found } => {
                write!(f, "a table of {found} rows where at least {needed} are needed")
            }
            Self::ValueOutOfRange { row, column, value } => {
                write!(f, "value {value} in row {row}, column {column} is not within ±2^50")
            }
            Self::InvalidOffsets { index, offset } => {
                write!(
                    f,
                    "offset {offset} at index {index}: offsets of packed documents start at 0 and never decrease"
                )
            }
            Self::InvalidParameter { name, value, needs } => {
                write!(f, "{name} is {value}, but must be {needs}")
            }
            Self::TooNarrow { needed, found } => {
                write!(f, "the last axis has {found} features where the rotation needs {needed}")
            }
            Self::NoSuchAxis { axis, axes } => {
                write!(f, "axis {axis} is not one of the {axes} axes before the features")
            }
            Self::NoSuchLayer { layer, layers } => {
                write!(f, "layer {layer} is not one of the {layers} layers of the model")
            }
            Self::NotOneRotation { types: 0 } => write!(f, "no layer of the model is rotated"),
            Self::NotOneRotation { types } => {
                write!(f, "layers of {types} types do not share one rotation: choose by layer")
            }
            Self::Config { field, problem } => write!(f, "config field {field}{problem}"),
            Self::UnavailableInstructionSet { name } => {
                write!(f, "this machine does not have the instruction set {name}")
            }
        }
    }
}

impl std::error::Error for Error {}

/// Checks that a parameter meets its condition.
pub(crate) fn check_parameter(
    name: &'static str,
    value: f64,
    is_met: bool,
    needs: &'static str,
) -> Result<(), Error> {
    if is_met { Ok(()) } else { Err(Error::InvalidParameter { name, value, needs }) }
}

/// Returns a parameter that must be positive and finite.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<f64, Error> {
    let is_met = value > 0.0 && value.is_finite();
    check_parameter(name, value, is_met, "positive and finite").map(|()| value)
}

/// Returns a parameter that must be finite and not negative.
pub(crate) fn not_negative(name: &'static str, value: f64) -> Result<f64, Error> {
    let is_met = value >= 0.0 && value.is_finite();
    check_parameter(name, value, is_met, "finite and not negative").map(|()| value)
}

/// Returns a parameter that must be finite and at least 1.
pub(crate) fn at_least_one(name: &'static str, value: f64) -> Result<f64, Error> {
    let is_met = value >= 1.0 && value.is_finite();
    check_parameter(name, value, is_met, "finite and at least 1").map(|()| value)
}
