//! The order of heads and positions in a tensor.

/// The axis of the positions in a tensor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    /// The layout (…, heads, positions, dim).
    HeadsFirst,
    /// The layout (…, positions, heads, dim).
    PositionsFirst,
}
