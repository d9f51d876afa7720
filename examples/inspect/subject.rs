//! Encodings by name, and encodings from files.

use ndarray::Array2;
use positional_encodings::bias::{AlibiForm, Sandwich};
use positional_encodings::checkpoint::Checkpoint;
use positional_encodings::config::{ModelBias, ModelPositions, RotarySpec};
use positional_encodings::plot::Picture;
use positional_encodings::scaling::{Llama3, Scaling, Yarn};
use positional_encodings::{
    Alibi, AttentionBias, FeatureLayout, Frequencies, Pairing, PositionalEncoding, Positions,
    Rotary, Sinusoidal,
};

use crate::arguments::Arguments;
use crate::report::{Report, Section};
use crate::rotary::Rotations;
use crate::{Result, bias, table};

const NAMES: &str = "sinusoidal, marian, whisper, musicgen, rotary, alibi, sandwich, \
                     or a file .json or .safetensors";

/// All findings about what the arguments name, and a picture where there is one.
pub fn inspect(arguments: &Arguments) -> Result<(Report, Option<Picture>)> {
    let subject = arguments.subject.as_str();
    let base = arguments.base.unwrap_or(10_000.0);
    let (title, (sections, picture)) = match subject {
        "sinusoidal" | "marian" | "whisper" | "musicgen" => {
            let (dim, len) = (arguments.dim.unwrap_or(512), arguments.len.unwrap_or(512));
            let rows: Array2<f64> =
                sinusoid(subject, dim, base)?.encode(&Positions::from(0..len))?;
            (format!("{subject}, dim {dim}, base {base}"), table::inspect(rows.view(), None)?)
        }
        "rotary" => {
            let rotations = rotations(arguments, base)?;
            let title = format!("rotary, dim {}, base {base}", rotations.rotary.dim());
            (title, rotations.inspect("")?)
        }
        "alibi" | "sandwich" => {
            let (heads, len) = (arguments.heads.unwrap_or(8), arguments.len.unwrap_or(512));
            let bias: Box<dyn AttentionBias<f64>> = match subject {
                "alibi" => Box::new(Alibi::new(heads)?.with_form(AlibiForm::Symmetric)),
                _ => Box::new(Sandwich::new(heads, arguments.dim.unwrap_or(128))?),
            };
            (format!("{subject}, {heads} heads"), bias::inspect(&bias, len)?)
        }
        path if path.ends_with(".json") => return config(path, arguments),
        path if path.ends_with(".safetensors") => {
            (arguments.key.clone().unwrap_or_default(), tensor(path, arguments)?)
        }
        name => return Err(format!("{name:?} is not known: {NAMES}").into()),
    };
    let picture = picture.with_title(&title);
    Ok((Report { subject: title, sections }, Some(picture)))
}

fn sinusoid(name: &str, dim: usize, base: f64) -> Result<Sinusoidal> {
    let inclusive = matches!(name, "whisper" | "musicgen");
    let frequencies = match inclusive {
        true => Frequencies::geometric_inclusive(dim, base)?,
        false => Frequencies::geometric(dim, base)?,
    };
    Ok(Sinusoidal::from_frequencies(frequencies).with_layout(match name {
        "sinusoidal" => FeatureLayout::Interleaved,
        "musicgen" => FeatureLayout::CosSinHalves,
        _ => FeatureLayout::SinCosHalves,
    }))
}

fn rotations(arguments: &Arguments, base: f64) -> Result<Rotations> {
    let plain = Frequencies::geometric(arguments.dim.unwrap_or(128), base)?;
    let trained = plain.to_radians();
    let factor = arguments.factor.unwrap_or(4.0);
    let trained_len = arguments.trained.unwrap_or(4096);
    let scaled = match arguments.scaling.as_deref() {
        None => plain,
        Some("linear") => plain.linear(factor)?,
        Some("ntk") => plain.ntk(factor)?,
        Some("yarn") => plain.yarn(&Yarn::new(factor, trained_len))?,
        Some("llama3") => plain.llama3(Llama3 {
            factor,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_len: trained_len,
        })?,
        Some(name) => {
            return Err(format!("scaling {name:?} is not known: linear, ntk, yarn, llama3").into());
        }
    };
    let longer = if arguments.scaling.is_some() { factor } else { 1.0 };
    let len = arguments.len.unwrap_or((trained_len as f64 * longer) as usize);
    Ok(Rotations { trained, trained_len, rotary: Rotary::new(scaled, Pairing::Halves), len })
}

/// How a model uses positions after its embeddings.
fn config(path: &str, arguments: &Arguments) -> Result<(Report, Option<Picture>)> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let model = ModelPositions::from_json(&text)?;
    let field = |name: &str| {
        let value: serde_json::Value = serde_json::from_str(&text).ok()?;
        usize::try_from(value.get(name)?.as_u64()?).ok()
    };
    let len = arguments.len.or_else(|| field("max_position_embeddings")).unwrap_or(4096);
    let (mut sections, mut picture) = (Vec::new(), None);
    for (name, spec) in model.rotary.iter().flat_map(|rotary| rotary.types()) {
        let Some(spec) = spec else { continue };
        let (found, drawn) =
            of_spec(spec, len, arguments)?.inspect(&format!(" of layers {name}"))?;
        sections.extend(found);
        picture.get_or_insert(drawn.with_title(&format!("layers {name}")));
    }
    match model.bias {
        ModelBias::None => {}
        ModelBias::Alibi(alibi) => {
            let (found, drawn) = bias::inspect(&alibi, len.min(4096))?;
            sections.extend(found);
            picture.get_or_insert(drawn.with_title("ALiBi"));
        }
        learned => {
            let mut section = Section::new("bias", &["what", "needs"]);
            section.row([format!("{learned:?}").into(), "the tables of a checkpoint".into()]);
            sections.push(section);
        }
    }
    Ok((Report { subject: path.to_string(), sections }, picture))
}

/// Returns a rotation of a config before and after scaling, with the length of training if it is
/// known.
fn of_spec(spec: &RotarySpec, len: usize, arguments: &Arguments) -> Result<Rotations> {
    let rotary = spec.rotary(len)?;
    let plain = Frequencies::geometric(spec.dim, spec.base).map(|plain| plain.to_radians());
    // Where pairs are divided among axes, there is no list before scaling to compare with.
    let comparable = spec.grid.is_none() && spec.sections.is_none();
    let trained = plain.ok().filter(|_| comparable).unwrap_or_else(|| rotary.frequencies());
    let original = match &spec.scaling {
        Scaling::Yarn(yarn) => Some(yarn.original_len),
        Scaling::Llama3(llama3) => Some(llama3.original_len),
        Scaling::LongRope(longrope) => Some(longrope.original_len),
        Scaling::DynamicNtk(dynamic) => Some(dynamic.original_len),
        _ => None,
    };
    let trained_len = arguments.trained.or(original).unwrap_or(len);
    Ok(Rotations { trained, trained_len, rotary, len })
}

/// A table of a checkpoint, beside its words if they are named.
fn tensor(path: &str, arguments: &Arguments) -> Result<(Vec<Section>, Picture)> {
    let mut checkpoint = Checkpoint::open(path)?;
    let Some(key) = &arguments.key else {
        let mut text = String::from("which tensor? --key is one of");
        for key in checkpoint.keys() {
            text += &format!("\n  {key} {:?}", checkpoint.shape(key).unwrap_or_default());
        }
        return Err(text.into());
    };
    let rows: Array2<f64> = checkpoint.table(key)?;
    let words = arguments.words.as_ref().map(|key| checkpoint.table::<f64>(key)).transpose()?;
    table::inspect(rows.view(), words.as_ref().map(|words| words.view()))
}
