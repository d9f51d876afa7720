//! The lengths of sequence that frequencies are for.

/// The lengths of sequence that frequencies were made for. Keys rotated in one regime do not fit
/// queries of another, so a cache of keys wants to be tagged with it.
///
/// ```
/// use positional_encodings::{Frequencies, Pairing, Rotary, scaling::{DynamicNtk, Regime}};
///
/// let parameters = DynamicNtk { factor: 2.0, original_len: 4096 };
/// let frequencies = Frequencies::geometric(128, 10_000.0)?.dynamic_ntk(parameters, 8192)?;
/// let rotary = Rotary::new(frequencies, Pairing::Halves);
/// assert_eq!(rotary.regime(), Regime::Length(8192));
/// assert_eq!(rotary.at::<f32>(8191..8192)?.regime(), Regime::Length(8192));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Regime {
    /// The frequencies do not depend on the length, or the length is within the one trained on.
    #[default]
    Fixed,
    /// LongRoPE's short factors.
    Short,
    /// LongRoPE's long factors.
    Long,
    /// Dynamic NTK beyond the original length: this length in all. With stepped NTK it is the
    /// longest length that has the same frequencies.
    Length(usize),
}
