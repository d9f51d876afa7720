//! Findings about a table of position vectors.

use half::{bf16, f16};
use ndarray::ArrayView2;
use positional_encodings::analysis::{self, ByDistance, Measure, RowNorms, Spectrum};
use positional_encodings::plot::Picture;

use crate::Result;
use crate::report::{Cell, Section, distances};

/// The penalty of the probes, so that features that hardly vary are not taken for signal.
const RIDGE: f64 = 1e-6;

/// The longest table whose similarities are drawn: a larger matrix shows no more.
const DRAWN: usize = 1024;

pub fn inspect(
    table: ArrayView2<'_, f64>,
    words: Option<ArrayView2<'_, f64>>,
) -> Result<(Vec<Section>, Picture)> {
    let cosine = ByDistance::of_table(table, Measure::Cosine)?;
    let dot = ByDistance::of_table(table, Measure::Dot)?;
    let mut figures = Section::new("figures", &["what", "value", "unit"]);
    figures.figure("positions", table.nrows(), "rows");
    figures.figure("dim", table.ncols(), "features");
    if table.nrows() > 1 {
        by_distance(&mut figures, &cosine);
        dimensions(&mut figures, table)?;
    }
    norms(&mut figures, table, words)?;
    if table.nrows() > 4 {
        probes(&mut figures, table)?;
    }
    let mut sections = vec![figures];
    if table.nrows() > 1
        && let Some(formula) = analysis::closest_formula(table)?
    {
        let columns = ["nearest sinusoid", "largest difference", "is it that?"];
        let mut section = Section::new("formula", &columns);
        let is_that = if formula.fits() { "yes, as far as 16 bits can tell" } else { "no" };
        section.row([formula.name.into(), formula.difference.largest.into(), is_that.into()]);
        sections.push(section);
    }
    let mut similar =
        Section::new("similarity by distance", &["distance", "cosine", "spread", "dot product"]);
    for distance in distances(table.nrows()) {
        let values = [cosine.mean[distance], cosine.spread[distance], dot.mean[distance]];
        similar.row([distance.into()].into_iter().chain(values.map(Cell::from)));
    }
    let drawn = table.nrows().min(DRAWN);
    let (drawn, _) = table.split_at(ndarray::Axis(0), drawn);
    let picture = Picture::similarity(analysis::similarity(drawn, Measure::Cosine)?.view())?;
    sections.push(similar);
    Ok((sections, picture.with_values("cosine")))
}

fn by_distance(figures: &mut Section, cosine: &ByDistance) {
    figures.figure("Toeplitz residual", cosine.toeplitz_residual(), "0 where distance is all");
    // The rounding to f32 is not a rise.
    let rise = cosine.first_rise(1e-6);
    let rise = rise.map_or(Cell::None("never".to_string()), Cell::Count);
    figures.figure("similarity first rises at", rise, "positions apart");
    figures.figure("similarity falls or stays at", cosine.monotone_share(), "of all steps");
}

fn dimensions(figures: &mut Section, table: ArrayView2<'_, f64>) -> Result<()> {
    let spectrum = Spectrum::of(table)?;
    figures.figure("effective rank", spectrum.effective_rank(), "dimensions");
    figures.figure("95 % of the variance", spectrum.components_for(0.95), "dimensions");
    let nearest = analysis::nearest_pair(table)?;
    let pair = format!("positions {} and {}", nearest.positions[0], nearest.positions[1]);
    figures.figure("nearest pair", nearest.distance, &pair);
    for (name, groups) in [
        ("one vector with others in f16", analysis::collisions::<_, f16>(table)?),
        ("one vector with others in bf16", analysis::collisions::<_, bf16>(table)?),
    ] {
        figures.figure(name, groups.iter().map(Vec::len).sum::<usize>(), "positions");
    }
    let untrained = analysis::untrained_rows(table)?;
    let first =
        untrained.first().map_or(String::new(), |found| format!(", from row {} on", found.row));
    figures.figure("rows that look untrained", untrained.len(), &format!("rows{first}"));
    Ok(())
}

fn norms(
    figures: &mut Section,
    table: ArrayView2<'_, f64>,
    words: Option<ArrayView2<'_, f64>>,
) -> Result<()> {
    let norms = RowNorms::of(table)?;
    figures.figure("mean norm", norms.mean, "length of a row");
    for (name, row) in [("smallest norm", norms.smallest), ("largest norm", norms.largest)] {
        figures.figure(name, norms.norms[row], &format!("position {row}"));
    }
    if let Some(words) = words {
        let words = RowNorms::of(words)?.mean;
        figures.figure("mean norm of words", words, "length of a row");
        figures.figure("positions beside words", norms.mean / words, "ratio of the means");
    }
    Ok(())
}

fn probes(figures: &mut Section, table: ArrayView2<'_, f64>) -> Result<()> {
    let probe = analysis::probe_position(table, RIDGE)?;
    figures.figure("a linear map reads the position", probe.r_squared, "R² on rows held out");
    figures.figure("mean error of that map", probe.mean_error, "positions");
    let shift = analysis::probe_shift(table, 1, RIDGE)?;
    figures.figure("a linear map moves it by one", shift, "R² on rows held out");
    Ok(())
}
