//! The sequence lengths that frequencies are made for.

/// The sequence lengths that frequencies are made for. Keys rotated in one regime do not fit
/// queries of another: tag a cache of keys with its regime.
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
    /// The frequencies have LongRoPE's short factors.
    Short,
    /// The frequencies have LongRoPE's long factors.
    Long,
    /// The frequencies are those of dynamic NTK for this total length, beyond the original one.
    /// With stepped NTK it is the longest length that has the same frequencies.
    Length(usize),
}
