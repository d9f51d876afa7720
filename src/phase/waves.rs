//! The frequencies of an encoding, prepared for kernels.

use core::ops::Range;
use std::sync::Arc;

use fearless_simd::{Level, Simd};

use super::amplitude::Amplitude;
use super::anchor::At;
use super::arithmetic::Arithmetic;
use super::definition::Pair;
use super::fixed::{self, Fixed, GROUP, Line};
use super::rotations::Table;
use crate::exact::Wide;
use crate::positions::Position;

/// Computes sine and cosine of position × frequency for a list of frequencies, at any positions.
#[derive(Clone, Debug)]
pub struct Waves {
    pub(super) fixed: Arc<Vec<Fixed>>,
    pub(super) amplitude: Amplitude,
    pub(super) level: Level,
    /// The rotations of each vector of pairs, in doubles and in double-double numbers.
    tables: [Arc<Table>; 2],
}

impl Waves {
    pub(crate) fn new(frequencies: &[Wide], amplitude: Amplitude) -> Self {
        let (fixed, level) = (Arc::new(fixed::groups(frequencies)), Level::new());
        let tables = tables(&fixed, level);
        Self { fixed, amplitude, level, tables }
    }

    pub(crate) fn with_amplitude(self, amplitude: Amplitude) -> Self {
        Self { amplitude, ..self }
    }

    pub(crate) fn amplitude(&self) -> f64 {
        self.amplitude.value()
    }

    /// Returns other frequencies with the same amplitude and instruction set.
    pub(crate) fn with_frequencies(&self, frequencies: &[Wide]) -> Self {
        Self::new(frequencies, self.amplitude).with_level(self.level)
    }

    pub(crate) fn with_level(self, level: Level) -> Self {
        Self { level, tables: tables(&self.fixed, level), ..self }
    }

    /// Returns an upper bound of the bytes on the heap that making some pairs takes.
    pub(crate) fn room_for(pairs: usize) -> usize {
        let of_group = size_of::<Fixed>() + Table::room_for_group::<f32>();
        pairs.div_ceil(GROUP).saturating_mul(of_group + Table::room_for_group::<f64>())
    }

    /// Returns the bytes on the heap.
    pub(crate) fn memory(&self) -> usize {
        let tables: usize = self.tables.iter().map(|table| table.memory()).sum();
        size_of_val(self.fixed.as_slice()) + tables
    }

    /// Returns a pair by its index.
    pub(super) fn pair(&self, index: usize) -> Pair<'_> {
        (&self.fixed[index / GROUP], index % GROUP)
    }

    /// Returns the entries of each vector of pairs in some groups.
    #[inline(always)]
    pub(super) fn tables<S: Simd, A: Arithmetic>(
        &self,
        groups: Range<usize>,
    ) -> impl Iterator<Item = &[Line]> {
        self.tables[A::PARTS - 1].of_vectors::<S, A>(groups)
    }

    /// Writes sines and cosines at a position, from the phases: the anchors of some groups.
    pub(super) fn anchors<A: Arithmetic>(
        &self,
        position: Position,
        groups: Range<usize>,
        to: &mut [Line],
    ) {
        let at = At { position, amplitude: self.amplitude };
        at.phase::<A>(self.level, &self.fixed[groups], to);
    }
}

fn tables(fixed: &[Fixed], level: Level) -> [Arc<Table>; 2] {
    [Arc::new(Table::new::<f32>(fixed, level)), Arc::new(Table::new::<f64>(fixed, level))]
}
