//! GGUF metadata, as key-value pairs.

use serde_json::Value;

/// A value of GGUF metadata.
///
/// ```
/// use positional_encodings::config::Metadata;
///
/// assert_eq!(Metadata::from(10_000_f32), Metadata::Number(10_000.0));
/// assert_eq!(Metadata::from("yarn"), Metadata::Text("yarn".to_string()));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Metadata {
    /// An integer or a float of any width.
    Number(f64),
    /// A string.
    Text(String),
    /// An array of numbers, or of booleans as 1 and 0.
    Numbers(Vec<f64>),
    /// A boolean.
    Flag(bool),
}

macro_rules! from_number {
    ($($type:ty),*) => {$(
        impl From<$type> for Metadata {
            fn from(number: $type) -> Self {
                Self::Number(number as f64)
            }
        }
    )*};
}

from_number!(f32, f64, u8, u16, u32, u64, i8, i16, i32, i64);

impl From<&str> for Metadata {
    fn from(text: &str) -> Self {
        Self::Text(text.to_string())
    }
}

impl From<bool> for Metadata {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Metadata> for Value {
    fn from(metadata: Metadata) -> Self {
        match metadata {
            Metadata::Number(number) => Self::from(number),
            Metadata::Text(text) => Self::from(text),
            Metadata::Numbers(numbers) => Self::from(numbers),
            Metadata::Flag(flag) => Self::from(flag),
        }
    }
}
