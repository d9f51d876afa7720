//! Results that are known in advance: sums of cosines, slopes, published figures.

use ndarray::Array2;
use positional_encodings::analysis::{
    self, ByDistance, Measure, RotaryProfile, RowNorms, Spectrum,
};
use positional_encodings::bias::{AlibiForm, Kerple};
use positional_encodings::scaling::Yarn;
use positional_encodings::{Alibi, FeatureLayout, Frequencies, Pairing, Rotary, Sinusoidal};

use crate::{assert_close, random_table, table};

/// PE(p)·PE(q) = Σ cos((p − q)·wᵢ) depends on nothing else.
#[test]
fn a_sinusoids_similarity_is_a_sum_of_cosines() {
    let frequencies = Frequencies::geometric(512, 10_000.0).unwrap().to_radians();
    let rows = table(&Sinusoidal::new(512).unwrap(), 700);
    for (measure, norm) in [(Measure::Dot, 1.0), (Measure::Cosine, 256.0)] {
        let similar = ByDistance::of_table(rows.view(), measure).unwrap();
        for (distance, mean) in similar.mean.iter().enumerate() {
            let expected: f64 = frequencies.iter().map(|w| (w * distance as f64).cos()).sum();
            assert_close(*mean, expected / norm, 1e-10 / norm);
        }
        assert!(similar.toeplitz_residual() < 1e-14);
        assert_eq!(similar.first_asymmetry(0.0), None);
        assert_eq!((similar.pairs[0], similar.pairs[699]), (700, 1));
    }
    assert!(
        RowNorms::of(rows.view()).unwrap().norms.iter().all(|norm| (norm - 16.0).abs() < 1e-13)
    );
    // Published: the normalised dot at distances 1, 2, 8, 64 and 512.
    let similar = ByDistance::of_table(rows.view(), Measure::Cosine).unwrap();
    for (distance, expected) in
        [(1, 0.973055), (2, 0.905209), (8, 0.722520), (64, 0.485390), (512, 0.276313)]
    {
        assert_close(similar.mean[distance], expected, 5e-7);
    }
}

/// f32 gives the same figures within its rounding.
#[test]
fn f32_and_f64_agree() {
    let rows = table(&Sinusoidal::new(64).unwrap(), 900);
    let narrow = rows.mapv(|value| value as f32);
    let wide = ByDistance::of_table(rows.view(), Measure::Dot).unwrap();
    let narrow = ByDistance::of_table(narrow.view(), Measure::Dot).unwrap();
    for (a, b) in wide.mean.iter().zip(&narrow.mean) {
        assert_close(*a, *b, 1e-4);
    }
    assert!(narrow.toeplitz_residual() < 1e-6);
}

/// A rotary kernel is the mean of cos(Δ·wᵢ), times the squared attention factor, from any first
/// position.
#[test]
fn the_rotary_kernel_is_a_mean_of_cosines() {
    let frequencies = Frequencies::geometric(64, 10_000.0).unwrap();
    let yarn = frequencies.clone().yarn(&Yarn::new(4.0, 4096)).unwrap();
    for frequencies in [frequencies, yarn] {
        let radians = frequencies.to_radians();
        let factor = frequencies.attention_factor();
        let rotary = Rotary::new(frequencies, Pairing::Halves);
        let uniform = analysis::uniform_products(32).unwrap();
        for start in [0, 12_345] {
            let rotation = rotary.at::<f64>(start..start + 500).unwrap();
            let kernel = analysis::rotary_kernel(&rotation, &uniform).unwrap();
            for (distance, value) in kernel.iter().enumerate() {
                let cosines: f64 = radians.iter().map(|w| (w * distance as f64).cos()).sum();
                assert_close(*value, factor * factor * cosines / 32.0, 1e-13);
            }
        }
    }
}

/// Reference values of rope-profiler, from its closed form and from a sum over all distances.
#[test]
fn profiles_are_rope_profilers() {
    let frequencies = Frequencies::geometric(8, 10_000.0).unwrap();
    let products = [[1.0, 0.0], [0.5, -0.25], [-0.3, 0.1], [0.0, 0.2]];
    for (len, mean, variance, reversal, sensitivity) in [
        (128, -0.2722409613, 0.6734211657, 0.6299607, 0.5057364),
        (4096, -0.0797236725, 0.7174891408, 0.5374929, 0.5069082),
        (131_072, -0.0005271506, 0.7263397563, 0.5002468, 0.5069227),
    ] {
        let profile = RotaryProfile::of(&frequencies, &products, len).unwrap();
        assert_close(profile.mean, mean, 6e-11);
        assert_close(profile.variance, variance, 6e-11);
        assert_close(profile.reversal, reversal, 6e-8);
        assert_close(profile.sensitivity, sensitivity, 6e-8);
    }
}

#[test]
fn an_alibi_sees_as_far_as_its_slope_says() {
    let symmetric = Alibi::new(8).unwrap().with_form(AlibiForm::Symmetric);
    let windows = analysis::bias_windows::<f64>(&symmetric, 600, 0.01).unwrap();
    for window in windows {
        let slope = 0.5_f64.powi(window.head as i32 + 1);
        let reach = (100_f64.ln() / slope).ceil() as usize;
        let expected = (reach < 600).then_some(reach);
        assert_eq!((window.behind, window.ahead), (expected, expected));
    }
    let curves = analysis::bias_by_distance::<f64>(&symmetric, 50).unwrap();
    let curve = ByDistance::of_curve(-49, curves.row(2)).unwrap();
    assert_eq!((curve.first_rise(0.0), curve.first_asymmetry(0.0)), (None, None));
    assert_eq!(curve.monotone_share(), 1.0);
    // KERPLE's logarithm: r₁·ln(1 + r₂·d) = ln 100 at d = (100^(1/r₁) − 1)/r₂ = 22.5.
    let kerple = Kerple::log(&[2.0], &[0.4]).unwrap();
    let window = analysis::bias_windows::<f64>(&kerple, 100, 0.01).unwrap()[0];
    assert_eq!(window.behind, Some(23));
}

#[test]
fn yarn_keeps_fast_pairs_and_slows_the_others() {
    let trained = Frequencies::geometric(128, 1e6).unwrap();
    let yarn = trained.clone().yarn(&Yarn::new(4.0, 32_768)).unwrap();
    let (before, after) = (trained.to_radians(), yarn.to_radians());
    let pairs = analysis::rescaled((&before, 32_768), (&after, 131_072)).unwrap();
    assert!(pairs[..=23].iter().all(|pair| pair.ratio == 1.0));
    assert!(pairs[40..].iter().all(|pair| (pair.ratio - 0.25).abs() < 1e-15));
    assert!(pairs[24..40].windows(2).all(|pair| pair[0].ratio > pair[1].ratio));
    // Interpolated pairs turn as far in the longer context as they did in the shorter one.
    for pair in &pairs[40..] {
        assert_close(pair.after.turns, pair.before.turns, 1e-12 * pair.before.turns);
    }
    assert_close(pairs[0].before.wavelength, std::f64::consts::TAU, 1e-15);
}

/// A shift of a sinusoid rotates each pair, so a linear map does it; positions are recovered as
/// long as the slowest wave has not made a turn.
#[test]
fn linear_maps_read_and_shift_sinusoids() {
    let rows = table(&Sinusoidal::new(64).unwrap(), 512);
    for shift in [0, 1, 30] {
        assert!(analysis::probe_shift(rows.view(), shift, 1e-12).unwrap() > 1.0 - 1e-6);
    }
    let probe = analysis::probe_position(rows.view(), 1e-9).unwrap();
    assert!(probe.r_squared > 0.9999 && probe.mean_error < 1.0, "{probe:?}");
    // Nothing can be read from random vectors that were not fitted, even with fewer rows than
    // features.
    for (len, dim) in [(256, 16), (64, 128)] {
        let random = random_table(len, dim, 7);
        let probe = analysis::probe_position(random.view(), 1.0).unwrap();
        assert!(probe.r_squared < 0.3, "{probe:?}");
        assert!(analysis::probe_shift(random.view(), 1, 1.0).unwrap() < 0.3);
    }
}

/// k equal variances have the effective rank k.
#[test]
fn equal_variances_count() {
    let corners = Array2::from_shape_fn((32, 40), |(row, column)| match column {
        0..5 => f64::from(u8::from(row >> column & 1 == 1)),
        _ => 7.0,
    });
    let spectrum = Spectrum::of(corners.view()).unwrap();
    assert_close(spectrum.effective_rank(), 5.0, 1e-9);
    assert_eq!((spectrum.components_for(0.79), spectrum.components_for(0.81)), (4, 5));
    assert_close(spectrum.variances[0], 0.25, 1e-14);
    assert_eq!(spectrum.variances.len(), 32);
}

#[test]
fn every_order_of_features_is_named() {
    use analysis::FeatureOrder::*;
    let of = |layout| table(&Sinusoidal::new(16).unwrap().with_layout(layout), 40);
    let [inter, sin_cos, cos_sin] =
        [FeatureLayout::Interleaved, FeatureLayout::SinCosHalves, FeatureLayout::CosSinHalves]
            .map(of);
    let swapped = Array2::from_shape_fn(inter.dim(), |(row, column)| inter[[row, column ^ 1]]);
    for (a, b, order) in [
        (&inter, &inter, Same),
        (&sin_cos, &cos_sin, HalvesExchanged),
        (&inter, &swapped, NeighboursExchanged),
        (&sin_cos, &inter, HalvesInterleaved),
        (&cos_sin, &inter, ExchangedHalvesInterleaved),
        (&inter, &sin_cos, NeighboursHalved),
        (&inter, &cos_sin, ExchangedNeighboursHalved),
    ] {
        let explanation = analysis::explain(a.view(), b.view()).unwrap();
        assert_eq!((explanation.order, explanation.row_shift), (order, 0));
        assert_eq!(explanation.difference.largest, 0.0);
        // Two rows in front, as in OPT and fairseq.
        let rows = ndarray::concatenate![ndarray::Axis(0), Array2::zeros((2, 16)), b.view()];
        let explanation = analysis::explain(a.view(), rows.view()).unwrap();
        assert_eq!((explanation.order, explanation.row_shift), (order, 2));
        assert_eq!(explanation.difference.largest, 0.0);
    }
}
