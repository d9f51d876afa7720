//! Findings about rotations.

use positional_encodings::analysis::{self, ByDistance, RotaryProfile};
use positional_encodings::plot::Picture;
use positional_encodings::rotary::Precision;
use positional_encodings::{Error, Frequencies, Rotary};

use crate::Result;
use crate::report::{Cell, Section, distances};

/// The frequencies of training and their length, and the rotation as used and its length.
pub struct Rotations {
    pub trained: Vec<f64>,
    pub trained_len: usize,
    pub rotary: Rotary,
    pub len: usize,
}

impl Rotations {
    /// Returns all findings and a picture; `of` distinguishes the tables of several types of
    /// layers.
    pub fn inspect(&self, of: &str) -> Result<(Vec<Section>, Picture)> {
        let frequencies = self.rotary.frequencies();
        let pairs =
            analysis::rescaled((&self.trained, self.trained_len), (&frequencies, self.len))?;
        let mut figures = Section::new(format!("figures{of}"), &["what", "value", "unit"]);
        figures.figure("rotated features", self.rotary.dim(), "features");
        figures.figure("attention factor", self.rotary.attention_factor(), "of cosines and sines");
        let trained = pairs.iter().filter(|pair| !pair.before.finishes_a_turn()).count();
        let used = pairs.iter().filter(|pair| !pair.after.finishes_a_turn()).count();
        let within = |len: usize| format!("of {} pairs, within {len} positions", pairs.len());
        figures.figure("never finish a turn, as trained", trained, &within(self.trained_len));
        figures.figure("never finish a turn, as used", used, &within(self.len));
        let mut sections = vec![self.pairs(of, &pairs)];
        match self.kernel(of, &mut figures) {
            Ok(kernel) => sections.extend([kernel, self.precision(of)?]),
            // Rows and columns have distances of their own.
            Err(error) if matches!(error.downcast_ref(), Some(Error::AxesMismatch { .. })) => {
                figures.figure("axes", self.rotary.axes(), "no distance along one alone");
            }
            Err(error) => return Err(error),
        }
        sections.insert(0, figures);
        let longest = |list: Vec<f64>| -> Vec<f64> {
            // A pair that does not rotate has no wavelength to draw.
            let drawn = |w: f64| std::f64::consts::TAU / w.abs().max(1e-15);
            list.into_iter().map(drawn).collect()
        };
        let (before, after) = (longest(self.trained.clone()), longest(frequencies));
        let picture = match before == after {
            true => Picture::wavelengths(&after, self.len as f64)?,
            false => Picture::scaling(&before, &after, self.len as f64)?,
        };
        Ok((sections, picture))
    }

    fn pairs(&self, of: &str, pairs: &[analysis::Rescaled]) -> Section {
        let columns = [
            "pair",
            "wavelength trained",
            "turns",
            "wavelength used",
            "turns used",
            "frequency ratio",
        ];
        let mut section = Section::new(format!("pairs{of}, in positions"), &columns);
        for pair in pairs {
            let (before, after) = (pair.before, pair.after);
            section.row([
                before.pair.into(),
                before.wavelength.into(),
                before.turns.into(),
                after.wavelength.into(),
                after.turns.into(),
                pair.ratio.into(),
            ]);
        }
        section
    }

    /// Returns the mean score of equal queries and keys by distance.
    fn kernel(&self, of: &str, figures: &mut Section) -> Result<Section> {
        let rotation = self.rotary.at::<f64>(0..self.len)?;
        let uniform = analysis::uniform_products(self.rotary.dim() / 2)?;
        let kernel = analysis::rotary_kernel(&rotation, &uniform)?;
        let curve = ByDistance::of_curve(0, ndarray::aview1(&kernel))?;
        let rise = curve.first_rise(0.0).map_or(Cell::None("never".to_string()), Cell::Count);
        figures.figure("kernel first rises at", rise, "positions apart");
        if self.rotary.axes() == 1 && self.len > 1 {
            let frequencies = Frequencies::from_radians(self.rotary.frequencies())?;
            let profile = RotaryProfile::of(&frequencies, &uniform, self.len)?;
            figures.figure("mean of the kernel", profile.mean, "over all distances");
            figures.figure("standard deviation", profile.variance.sqrt(), "over all distances");
            figures.figure(
                "sensitivity",
                profile.sensitivity,
                "change from one distance to the next",
            );
        }
        let mut section = Section::new(format!("kernel{of}"), &["distance", "mean cosine"]);
        for distance in distances(self.len) {
            section.row([distance.into(), kernel[distance].into()]);
        }
        Ok(section)
    }

    /// The usual recipe in f32, and this crate, against f64.
    fn precision(&self, of: &str) -> Result<Section> {
        let positions = [100, 1_000, 10_000, 100_000, 1_000_000];
        let truth = self.rotary.at::<f64>(&positions)?;
        let recipe = self.rotary.clone().with_precision(Precision::Float32Recipe);
        let errors = |rotary: &Rotary| -> Result<Vec<f64>> {
            Ok(analysis::rotation_errors(&rotary.at::<f32>(&positions)?, &truth)?)
        };
        let (usual, ours) = (errors(&recipe)?, errors(&self.rotary)?);
        let columns = ["position", "usual f32 recipe", "this crate, f32"];
        let mut section = Section::new(format!("largest error of cosines and sines{of}"), &columns);
        for ((position, usual), ours) in positions.into_iter().zip(usual).zip(ours) {
            section.row([position.into(), usual.into(), ours.into()]);
        }
        Ok(section)
    }
}
