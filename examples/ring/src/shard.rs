//! The tokens of a sequence that each process has.

/// How a sequence is divided among the processes.
#[derive(Clone, Copy, Debug)]
pub enum Layout {
    /// One run of tokens for each process.
    Contiguous,
    /// Two runs, one from each end: under a causal mask all processes then have the same work.
    ZigZag,
}

impl Layout {
    /// The tokens of a process, counted from the start of a sequence of `len`, which is a multiple
    /// of 2 · `ranks`.
    pub fn indices(self, rank: usize, ranks: usize, len: usize) -> Vec<usize> {
        let piece = len / (2 * ranks);
        let pieces = match self {
            Self::Contiguous => [2 * rank, 2 * rank + 1],
            Self::ZigZag => [rank, 2 * ranks - 1 - rank],
        };
        pieces.into_iter().flat_map(|index| index * piece..(index + 1) * piece).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Layout;

    #[test]
    fn every_token_belongs_to_one_process() {
        assert_eq!(Layout::Contiguous.indices(1, 2, 8), [4, 5, 6, 7]);
        assert_eq!(Layout::ZigZag.indices(1, 2, 8), [2, 3, 4, 5]);
        for layout in [Layout::Contiguous, Layout::ZigZag] {
            let mut all: Vec<_> = (0..4).flat_map(|rank| layout.indices(rank, 4, 24)).collect();
            all.sort();
            assert!(all.into_iter().eq(0..24));
        }
    }
}
