//! The order of heads and positions in a tensor.

/// Which axis of a tensor is that of the positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    /// (…, heads, positions, dim)
    HeadsFirst,
    /// (…, positions, heads, dim)
    PositionsFirst,
}
