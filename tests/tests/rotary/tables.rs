//! Tables of cosines, sines, angles and frequencies of other systems, and a check that every golden
//! tensor is read.

use ndarray::{Array2, ArrayD, Axis, Slice};
use positional_encodings::scaling::Llama3;
use positional_encodings::{Element, Frequencies, Pairing, Positions, Rotary, rotary::AxialOrder};

use crate::golden::Golden;

fn plain(dim: usize, base: f64) -> Rotary {
    // A table does not depend on the pairing.
    Rotary::new(Frequencies::geometric(dim, base).unwrap(), Pairing::Halves)
}

/// Returns the pair of a column where each cosine is repeated, [c₀ c₀ c₁ c₁ …].
fn twice(column: usize) -> usize {
    column / 2
}

fn once(column: usize) -> usize {
    column
}

/// Compares cosines and sines element by element in all rows of the positions, within a unit of the
/// type and the error of f32 angles (torchtune's are scaled as Llama 3's).
#[track_caller]
fn same<T: Element>(
    case: &str,
    rotary: &Rotary,
    positions: &Positions<'_>,
    [cos, sin]: [ArrayD<f64>; 2],
    pair: impl Fn(usize) -> usize,
    unit: f64,
) {
    let width = *cos.shape().last().unwrap();
    let (rows, per_row) = (positions.rows().unwrap_or(1), positions.len());
    assert_eq!((cos.shape(), cos.len()), (sin.shape(), rows * per_row * width), "{case}");
    let (frequencies, slack) =
        (rotary.frequencies(), if case == "torchtune" { 1e-6 } else { 3e-7 });
    let lists = [cos, sin].map(|table| table.iter().copied().collect::<Vec<f64>>());
    for row in 0..rows {
        let ids: Vec<f64> =
            positions.axis(0).unwrap().row(row).iter().map(|p| p.to_f64()).collect();
        let rotation = rotary.at::<T::Angle>(&ids).unwrap();
        for at in 0..per_row * width {
            let bound = unit + slack * (ids[at / width] * frequencies[pair(at % width)]).abs();
            let found = rotation
                .cos_sin(at / width)
                .unwrap()
                .map(|values| values[pair(at % width)].to_f64());
            for (found, list) in found.into_iter().zip(&lists) {
                let expected = list[row * per_row * width + at];
                assert!(
                    (found - expected).abs() <= bound,
                    "{case} {row} {at}: {found} instead of {expected}"
                );
            }
        }
    }
}

fn ids<'a>(golden: &Golden, name: &str) -> Positions<'a> {
    let ids: Array2<f64> = golden.tensor(name).into_dimensionality().unwrap();
    Positions::from(&ids).map(|_, id| id).unwrap()
}

#[test]
fn transformers() {
    let golden = Golden::open("c2_rope_apply");
    let table = |case: &str| ["cos", "sin"].map(|name| golden.tensor(&format!("{case}/{name}")));
    let llama = ids(&golden, "llama/positions");
    same::<f32>("llama", &plain(16, 1e4), &llama, table("llama"), |i| i % 8, 1e-6);
    same::<f32>("cohere", &plain(16, 1e4), &llama, table("cohere_interleaved"), twice, 1e-6);
    same::<f32>("gpt_neox", &plain(4, 1e4), &llama, table("gpt_neox_partial"), |i| i % 2, 1e-6);
    let parts = |array: &ArrayD<f64>, axis: usize| {
        [0, 1].map(|part| array.index_axis(Axis(axis), part).to_owned())
    };
    let complex = golden.tensor("llama4_complex/freqs_cis");
    same::<f32>("llama4", &plain(16, 1e4), &llama, parts(&complex, 3), once, 1e-6);
    // GPT-J: [sin | cos]
    let rows = golden.tensor("gptj_partial/table_rows");
    let half =
        |part: usize| rows.slice_axis(Axis(2), Slice::from(4 * part..4 * part + 4)).to_owned();
    same::<f32>(
        "gptj",
        &plain(8, 1e4),
        &ids(&golden, "gptj_partial/positions"),
        [half(1), half(0)],
        once,
        1e-6,
    );
}

#[test]
#[cfg(feature = "half")]
fn transformers_in_half_precision() {
    let golden = Golden::open("c2_rope_apply");
    let table = |case: &str| ["cos", "sin"].map(|name| golden.tensor(&format!("{case}/{name}")));
    let llama = ids(&golden, "llama/positions");
    same::<half::bf16>(
        "bf16",
        &plain(16, 1e4),
        &llama,
        table("llama_bf16"),
        |i| i % 8,
        2_f64.powi(-8),
    );
    same::<half::f16>(
        "f16",
        &plain(16, 1e4),
        &llama,
        table("llama_f16"),
        |i| i % 8,
        2_f64.powi(-11),
    );
}

#[test]
fn other_systems() {
    let golden = Golden::open("c2_rope_apply");
    for (case, dim) in [("onnx_full", 16), ("onnx_interleaved_partial", 8), ("onnx_three_d", 16)] {
        let table = ["cos_cache", "sin_cache"].map(|name| golden.tensor(&format!("{case}/{name}")));
        same::<f32>(case, &plain(dim, 1e4), &(0..64).into(), table, once, 1e-6);
    }
    let cache = golden.tensor("torchtune_llama3_scaled/cache");
    let table = [0, 1].map(|part| cache.index_axis(Axis(2), part).to_owned());
    let llama3 =
        Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_len: 8192 };
    let frequencies = Frequencies::geometric(32, 5e5).unwrap().llama3(llama3).unwrap();
    let torchtune = Rotary::new(frequencies, Pairing::Interleaved);
    same::<f32>("torchtune", &torchtune, &(0..12).into(), table, once, 1e-6);
    let of = |frequencies: Frequencies| Rotary::new(frequencies, Pairing::Interleaved);
    let geometric = |dim| Frequencies::geometric(dim, 1e4).unwrap();
    for (case, rotary) in [
        ("x_transformers_plain", of(geometric(16))),
        ("x_transformers_xpos", of(geometric(16))),
        ("x_transformers_ntk", of(geometric(16).ntk(4.0).unwrap())),
        ("x_transformers_partial_interp", of(geometric(8).linear(2.0).unwrap())),
    ] {
        let angles = golden.tensor(&format!("{case}/freqs"));
        same::<f32>(
            case,
            &rotary,
            &(0..5).into(),
            [angles.mapv(f64::cos), angles.mapv(f64::sin)],
            twice,
            1e-6,
        );
    }
    let golden = Golden::open("c3_rope_multi_axis");
    let cis = golden.tensor("diffusers_1d_cis/cis");
    let table = [0, 1].map(|part| cis.index_axis(Axis(2), part).to_owned());
    same::<f32>("diffusers_1d_cis", &plain(8, 1e4), &(0..6).into(), table, once, 1e-6);
    let table = |case: &str| ["cos", "sin"].map(|name| golden.tensor(&format!("{case}/{name}")));
    let interleaved = "diffusers_1d_interleaved";
    same::<f32>(interleaved, &plain(8, 500.0), &(0..6).into(), table(interleaved), twice, 1e-6);
    // ntk_factor multiplies the base directly.
    let ntk = of(Frequencies::geometric(8, 3.0 * 1e4).unwrap().linear(2.0).unwrap());
    let half_ntk = "diffusers_1d_half_ntk";
    same::<f32>(half_ntk, &ntk, &(0..5).into(), table(half_ntk), |i| i % 4, 1e-6);
}

/// Frequencies that the systems computed in f32.
#[test]
fn inverse_frequencies() {
    let (c2, c3) = (Golden::open("c2_rope_apply"), Golden::open("c3_rope_multi_axis"));
    let geometric = |dim, base| Frequencies::geometric(dim, base).unwrap();
    let llama3 =
        Llama3 { factor: 8.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original_len: 8192 };
    let scaled = geometric(32, 5e5).llama3(llama3).unwrap();
    for (golden, name, frequencies, bound) in [
        (&c2, "glm_partial_interleaved/inv_freq", geometric(8, 1e4), 2.5e-7),
        (&c2, "gpt_neox_partial/inv_freq", geometric(4, 1e4), 2.5e-7),
        // The smoothing cancels.
        (&c2, "torchtune_llama3_scaled/theta", scaled, 2e-6),
        (&c2, "x_transformers_plain/inv_freq", geometric(16, 1e4), 2.5e-7),
        (&c2, "x_transformers_xpos/inv_freq", geometric(16, 1e4), 2.5e-7),
        (&c2, "x_transformers_ntk/inv_freq", geometric(16, 1e4).ntk(4.0).unwrap(), 2.5e-7),
        // Interpolation divides positions.
        (&c2, "x_transformers_partial_interp/inv_freq", geometric(8, 1e4), 2.5e-7),
        (&c3, "qwen2_vl_vision/inv_freq", geometric(8, 1e4), 2.5e-7),
        (&c3, "rotary_torch_lang/freqs", geometric(16, 1e4), 2.5e-7),
        (&c3, "rotary_torch_interp/freqs", geometric(8, 1e4), 2.5e-7),
        (&c3, "rotary_torch_ntk/freqs", geometric(16, 1e4).ntk(4.0).unwrap(), 2.5e-7),
        (&c3, "rotary_torch_partial_offset/freqs", geometric(8, 1000.0), 2.5e-7),
    ] {
        let expected = golden.tensor(name);
        assert_eq!(expected.len(), frequencies.len(), "{name}");
        for (found, expected) in frequencies.to_radians().iter().zip(&expected) {
            assert!(
                (found - expected).abs() <= bound * found,
                "{name}: {found} instead of {expected}"
            );
        }
    }
    // The features of rows, then those of columns.
    let pixtral = Rotary::axial_2d(16, 1e4, AxialOrder::Pixtral).unwrap().frequencies();
    for (found, expected) in pixtral.iter().zip(&c3.tensor("pixtral/inv_freq")) {
        assert!(
            (found - expected).abs() <= 2.5e-7 * found,
            "pixtral: {found} instead of {expected}"
        );
    }
    let periods = c3.tensor("timm_dinov3/periods");
    for (frequency, period) in geometric(8, 100.0).to_radians().iter().zip(&periods) {
        assert!((frequency * period - 1.0).abs() < 2.5e-7, "{period}");
    }
}

/// Every tensor of the three files is read by one of these tests.
#[test]
#[cfg(feature = "half")]
fn nothing_stays_unread() {
    use crate::{apply, axes, extras, scaling};
    for test in [
        transformers,
        transformers_in_half_precision,
        other_systems,
        inverse_frequencies,
        scaling::every_rope_type_of_transformers,
        scaling::two_thetas_of_gemma3,
        scaling::mscale_of_deepseek,
        apply::transformers,
        apply::transformers_in_half_precision,
        apply::deepseek_reorders,
        apply::other_systems,
        apply::onnx,
        apply::rotary_embedding_torch,
        axes::vision_towers_of_transformers,
        axes::llama4_vision,
        axes::dinov3,
        axes::flux_and_diffusers,
        axes::timm_and_rotary_embedding_torch,
        axes::multimodal_sections,
        axes::multimodal_positions,
        extras::xpos_is_theirs_without_the_centre,
    ] {
        test();
    }
    let read = crate::golden::read_so_far();
    let files = ["c1_rope_scaling_hf", "c2_rope_apply", "c3_rope_multi_axis"];
    let all: Vec<String> = files.iter().flat_map(|file| Golden::open(file).names()).collect();
    assert!(all.len() > 300, "{}", all.len());
    let unread: Vec<&String> = all.iter().filter(|name| !read.contains(*name)).collect();
    assert!(unread.is_empty(), "{unread:#?}");
}
