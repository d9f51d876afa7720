//! Frequencies as parameters.

use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};

use super::{PositionalEncoding, Sinusoidal};
use crate::phase::{Columns, Store, Waves};
use crate::training::{check_backward, check_values};
use crate::{
    Element, Error, Frequencies, InstructionSet, Layout, Parameter, Position, Positions, Trainable,
};

/// A sinusoid whose frequencies are learned (Li et al. 2021, *Learnable Fourier features for
/// multi-dimensional spatial positional encoding*; Time2Vec's periodic part).
///
/// PE(p) is that of the [`Sinusoidal`]; ∂PE/∂wᵢ = p · a · cos(p · wᵢ) in the sine's column and −p ·
/// a · sin(p · wᵢ) in the cosine's, a the amplitude. The gradient grows with the position: scale
/// long positions down (see [`Frequencies::scaled`]) or train with a small step.
///
/// Frequencies are held as doubles. Values read and set in a narrower type are rounded to it.
///
/// ```
/// use positional_encodings::{LearnedFrequencies, PositionalEncoding, Positions, Sinusoidal, Trainable};
///
/// let mut learned = LearnedFrequencies::new(Sinusoidal::new(4)?);
/// assert_eq!(Trainable::<f64>::values(&learned), [1.0, 0.01]);
/// learned.set_values(&[0.5_f64, 0.25])?;
/// let row: ndarray::Array2<f64> = learned.encode(&Positions::from(2..3))?;
/// assert_eq!(row[[0, 2]], 0.5_f64.sin());
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LearnedFrequencies {
    sinusoidal: Sinusoidal,
}

impl LearnedFrequencies {
    /// Learns the frequencies of `sinusoidal`, from those it has.
    pub fn new(sinusoidal: Sinusoidal) -> Self {
        Self { sinusoidal }
    }

    /// The encoding as it is now.
    pub fn sinusoidal(&self) -> &Sinusoidal {
        &self.sinusoidal
    }

    /// The encoding as it is now, to be used without training.
    pub fn into_sinusoidal(self) -> Sinusoidal {
        self.sinusoidal
    }
}

impl<A: Element> PositionalEncoding<A> for LearnedFrequencies {
    fn dim(&self) -> usize {
        self.sinusoidal.dim()
    }

    fn max_len(&self) -> Option<usize> {
        self.sinusoidal.max_len()
    }

    fn encode_into(
        &self,
        positions: &Positions<'_>,
        out: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.sinusoidal.encode_into(positions, out)
    }

    fn instruction_set(&self) -> InstructionSet {
        self.sinusoidal.set
    }

    fn add_to(
        &self,
        positions: &Positions<'_>,
        embeddings: ArrayViewMut2<'_, A>,
    ) -> Result<(), Error> {
        self.sinusoidal.add_to(positions, embeddings)
    }
}

impl<A: Element> Trainable<A> for LearnedFrequencies {
    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter::new("frequencies", [self.sinusoidal.frequencies.len()], false)]
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        check_values(self.sinusoidal.frequencies.len(), values.len())?;
        let radians = self.sinusoidal.frequencies.to_radians();
        values.iter_mut().zip(radians).for_each(|(value, radians)| *value = A::from_f64(radians));
        Ok(())
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(self.sinusoidal.frequencies.len(), values.len())?;
        let frequencies = Frequencies::from_radians(values.iter().map(|value| value.to_f64()))?;
        self.sinusoidal.replace_frequencies(frequencies);
        Ok(())
    }

    fn backward(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        check_backward(
            self,
            positions,
            &upstream,
            self.sinusoidal.frequencies.len(),
            gradient.len(),
        )?;
        let slopes = self.sinusoidal.frequency_gradient(&positions.flat(), upstream);
        gradient
            .iter_mut()
            .zip(slopes)
            .for_each(|(gradient, slope)| *gradient = *gradient + A::from_f64(slope));
        Ok(())
    }

    fn parameter_count(&self) -> usize {
        self.sinusoidal.frequencies.len()
    }
}

impl<A: Element> Trainable<A> for Sinusoidal {
    /// None: a formula.
    fn parameters(&self) -> Vec<Parameter> {
        Vec::new()
    }

    fn values_into(&self, values: &mut [A]) -> Result<(), Error> {
        check_values(0, values.len())
    }

    fn set_values(&mut self, values: &[A]) -> Result<(), Error> {
        check_values(0, values.len())
    }

    fn backward(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
        gradient: &mut [A],
    ) -> Result<(), Error> {
        check_backward(self, positions, &upstream, 0, gradient.len())
    }
}

impl Sinusoidal {
    /// Other frequencies, as many as before; everything else stays.
    fn replace_frequencies(&mut self, frequencies: Frequencies) {
        debug_assert_eq!(frequencies.len(), self.frequencies.len());
        let waves = Waves::new(frequencies.as_wide(), self.amplitude);
        self.waves = if self.set == InstructionSet::Best {
            waves
        } else {
            waves.with_level(self.set.level_or_best())
        };
        self.frequencies = frequencies;
    }

    /// Σ upstream · ∂PE/∂wᵢ for each pair, in f64, a block of positions at a time.
    fn frequency_gradient<A: Element>(
        &self,
        positions: &Positions<'_>,
        upstream: ArrayView2<'_, A>,
    ) -> Vec<f64> {
        const BLOCK: usize = 32;
        let pairs = self.frequencies.len();
        let halves =
            Columns { layout: Layout::SinCosHalves, pairs, last_is_single: false, dim: 2 * pairs };
        let mut slopes = vec![0.0; pairs];
        let mut block = Array2::<f64>::zeros((positions.len().min(BLOCK), 2 * pairs));
        for (index, upstream) in upstream.axis_chunks_iter(Axis(0), BLOCK).enumerate() {
            let positions = positions.slice(index * BLOCK..index * BLOCK + upstream.nrows());
            let mut values = block.slice_axis_mut(Axis(0), (..upstream.nrows()).into());
            self.waves.rows(&positions, &halves, Store::Write, values.view_mut());
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
    /// The columns of the sine and of the cosine of a pair; the last may lack its second member.
    fn of_pair(&self, pair: usize) -> [Option<usize>; 2] {
        let (first, second) = match self.layout {
            Layout::Interleaved => (2 * pair, 2 * pair + 1),
            Layout::SinCosHalves | Layout::CosSinHalves => (pair, self.pairs + pair),
        };
        let second = (!self.last_is_single || pair + 1 < self.pairs).then_some(second);
        match self.layout {
            Layout::CosSinHalves => [second, Some(first)],
            Layout::Interleaved | Layout::SinCosHalves => [Some(first), second],
        }
    }
}
