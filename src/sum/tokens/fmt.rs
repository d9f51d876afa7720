//! Shows the shapes of tables instead of their values.

use core::fmt;

use ndarray::Dimension;

use super::{Lookup, TokenEmbedding};

impl<A: fmt::Debug, E: fmt::Debug> fmt::Debug for TokenEmbedding<A, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenEmbedding")
            .field("words", &self.words.dim())
            .field("segments", &self.segments.as_ref().map(|segments| segments.dim()))
            .field("scale", &self.scale)
            .field("positions", &self.positions)
            .finish_non_exhaustive()
    }
}

impl<A: fmt::Debug, E: fmt::Debug, T, D: Dimension> fmt::Debug for Lookup<'_, A, E, T, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup")
            .field("tokens", &self.tokens.shape())
            .field("segments", &self.segments.as_ref().map(|segments| segments.shape()))
            .field("positions", &self.positions.as_ref().map(|positions| positions.len()))
            .field("embedding", &self.embedding)
            .finish()
    }
}
