//! Rotations in a line: `Display` as a caption, and `Debug` with the names of the parts.

use core::fmt;

use super::encoding::{Part, Rotary};
use super::pairing::Pairing;
use super::recipe::Precision;
use super::rotation::{AngleRows, Rotation};

impl fmt::Display for Pairing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Halves => "halves",
            Self::Interleaved => "interleaved",
        })
    }
}

/// The frequencies of each axis, or of the first two of many.
struct OfAxes<'a>(&'a [Part]);

impl fmt::Display for OfAxes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (axis, part) in self.0.iter().take(2).enumerate() {
            write!(f, "{}{}", if axis == 0 { "" } else { ", " }, part.frequencies)?;
        }
        f.write_str(if self.0.len() > 2 { ", …" } else { "" })
    }
}

/// Shows the rotation as a caption, such as `rotary, dim 128, geometric(128, 500000), halves`.
impl fmt::Display for Rotary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rotary, dim {}, ", self.dim())?;
        if self.axes > 1 {
            write!(f, "{} axes: ", self.axes)?;
        }
        write!(f, "{}, {}", OfAxes(&self.parts), self.pairing())?;
        if self.features.blocks > 1 {
            write!(f, " of {} blocks", self.features.blocks)?;
        }
        f.write_str(if self.features.last { ", on the last features" } else { "" })?;
        f.write_str(if self.precision == Precision::Exact { "" } else { ", in float32" })
    }
}

impl fmt::Debug for Rotary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotary")
            .field("dim", &self.dim())
            .field("pairing", &self.pairing())
            .field("axes", &self.axes)
            .field("frequencies", &format_args!("[{}]", OfAxes(&self.parts)))
            .field("attention_factor", &self.attention_factor)
            .field("regime", &self.regime)
            .finish_non_exhaustive()
    }
}

/// Shows the rotation as a caption, such as `rotation, dim 128, 10 positions, halves`.
impl<T> fmt::Display for Rotation<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { features, rows, len, back, .. } = self;
        write!(f, "rotation{}, dim {}, ", if *back { " back" } else { "" }, 2 * features.pairs)?;
        match rows {
            AngleRows::Shared => write!(f, "{len} positions")?,
            AngleRows::Batch(rows) => write!(f, "{rows} rows of {len} positions")?,
            AngleRows::Heads(heads) => write!(f, "{len} positions of {heads} heads")?,
            AngleRows::Everywhere => f.write_str("the same at all positions")?,
        }
        write!(f, ", {}", features.pairing)
    }
}

impl<T> fmt::Debug for Rotation<T> {
    /// Omits the angles, which [`tables`](Self::tables) returns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { features, rows, len, back, regime, .. } = self;
        f.debug_struct("Rotation")
            .field("dim", &(2 * features.pairs))
            .field("pairing", &features.pairing)
            .field("rows", rows)
            .field("positions", len)
            .field("back", back)
            .field("regime", regime)
            .finish_non_exhaustive()
    }
}
