//! The gradient of a sinusoid with respect to its frequencies.

use ndarray::{Array2, ArrayView2, Axis};

use super::Sinusoidal;
use crate::element::Element;
use crate::frequencies::Frequencies;
use crate::phase::{Columns, FeatureLayout};
use crate::positions::{Position, Positions};

impl Sinusoidal {
    /// Replaces the frequencies by as many others; everything else stays.
    pub(crate) fn replace_frequencies(&mut self, frequencies: Frequencies) {
        debug_assert_eq!(frequencies.len(), self.frequencies.len());
        self.waves = self.waves.with_frequencies(frequencies.as_wide());
        self.frequencies = frequencies;
    }

    /// Returns Σ upstream · ∂PE/∂wᵢ for each pair, in f64, a block of positions at a time.
    pub(crate) fn frequency_gradient<A: Element>(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
    ) -> Vec<f64> {
        const BLOCK: usize = 32;
        let pairs = self.frequencies.len();
        let halves = Columns {
            layout: FeatureLayout::SinCosHalves,
            pairs,
            last_is_single: false,
            dim: 2 * pairs,
        };
        let mut slopes = vec![0.0; pairs];
        let mut block = Array2::<f64>::zeros((positions.len().min(BLOCK), 2 * pairs));
        for (index, upstream) in upstream.axis_chunks_iter(Axis(0), BLOCK).enumerate() {
            let positions = positions.slice(index * BLOCK..index * BLOCK + upstream.nrows());
            let mut values = block.slice_axis_mut(Axis(0), (..upstream.nrows()).into());
            self.waves.rows(&positions, &halves, values.view_mut());
            for ((position, values), upstream) in
                positions.iter().zip(values.rows()).zip(upstream.rows())
            {
                if self.padding.is_some_and(|padding| position == Position::Integer(padding)) {
                    continue;
                }
                for (pair, slope) in slopes.iter_mut().enumerate() {
                    let [sine, cosine] = self.columns.of_pair(pair).map(|column| match column {
                        Some(column) => upstream[column].to_f64(),
                        None => 0.0,
                    });
                    *slope +=
                        position.to_f64() * (sine * values[pairs + pair] - cosine * values[pair]);
                }
            }
        }
        slopes
    }
}

impl Columns {
    /// Returns the columns of a pair's sine and cosine; the last pair may lack its second member.
    fn of_pair(&self, pair: usize) -> [Option<usize>; 2] {
        let (first, second) = match self.layout {
            FeatureLayout::Interleaved => (2 * pair, 2 * pair + 1),
            FeatureLayout::SinCosHalves | FeatureLayout::CosSinHalves => (pair, self.pairs + pair),
        };
        let second = (!self.last_is_single || pair + 1 < self.pairs).then_some(second);
        match self.layout {
            FeatureLayout::CosSinHalves => [second, Some(first)],
            FeatureLayout::Interleaved | FeatureLayout::SinCosHalves => [Some(first), second],
        }
    }
}
