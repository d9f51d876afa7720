//! The bias that a model adds to its attention scores, from transformers' `config.json`.

use super::families::biases::{Kind, Row, Slopes, row_of};
use super::families::of_model_type;
use super::fields::{Name, field};
use super::json::{Fields, parse};
use super::model::ModelRotary;
use super::reader::LIMIT;
use crate::bias::{Alibi, AlibiForm, Buckets, LogBuckets, Side};
use crate::error::Error;

/// The bias by position that a model adds to its attention scores. A bias by formula is complete; a
/// learned one lacks its tables, which are in the checkpoint.
///
/// ```
/// use positional_encodings::config::ModelBias;
/// use positional_encodings::{Alibi, bias::AlibiForm};
///
/// let bloom = ModelBias::from_json(r#"{"model_type": "bloom", "n_head": 112}"#)?;
/// assert_eq!(bloom, ModelBias::Alibi(Alibi::new(112)?.with_form(AlibiForm::Keys)));
///
/// let t5 = ModelBias::from_json(r#"{"model_type": "t5", "num_heads": 8}"#)?;
/// let ModelBias::Bucketed { heads, encoder, .. } = t5 else { panic!("{t5:?}") };
/// assert_eq!((heads, encoder.bucket(-20)), (8, 10));
///
/// let llama = r#"{"model_type": "llama", "head_dim": 64}"#;
/// assert_eq!(ModelBias::from_json(llama)?, ModelBias::None);
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ModelBias {
    /// The model adds no bias.
    None,
    /// ALiBi, complete. Falcon adds it to products that are divided by √(width of a head)
    /// afterwards.
    Alibi(Alibi),
    /// A table (buckets, heads) for [`T5Bias`](crate::T5Bias).
    Bucketed {
        /// The number of heads.
        heads: usize,
        /// The buckets of the encoder.
        encoder: Buckets,
        /// The buckets of the decoder, if there is one.
        decoder: Option<Buckets>,
        /// Whether all layers share the table of the first one.
        shared: bool,
    },
    /// Tables of the token position and of its box for [`AxesBias`](crate::bias::AxesBias).
    Layout {
        /// The number of heads.
        heads: usize,
        /// The buckets of the token position.
        text: Option<Buckets>,
        /// The buckets of x₀ and of y₁.
        boxes: Option<Buckets>,
        /// The number by which the tables must be divided: √(width of a head) in LayoutLMv3, 1 in
        /// LayoutLMv2.
        divisor: f64,
    },
    /// A table of a window for each layer of each stage, for
    /// [`WindowBias::swin`](crate::bias::WindowBias::swin); if `trained` is given, a network for
    /// [`SwinV2Bias`](crate::training::SwinV2Bias).
    Windows {
        /// The number of heads of each stage.
        heads: Vec<usize>,
        /// Height and width of the windows of each stage. In Swin V2 a window is no larger than the
        /// input of the stage.
        windows: Vec<[usize; 2]>,
        /// The window of each stage with which the network was trained.
        trained: Option<Vec<[usize; 2]>>,
    },
    /// A table of the whole image and a class token, for
    /// [`WindowBias::beit`](crate::bias::WindowBias::beit).
    ImageWindow {
        /// The number of heads.
        heads: usize,
        /// Rows and columns of patches.
        window: [usize; 2],
        /// Whether layers share one table.
        shared: bool,
    },
    /// A table with a vector for each distance, for [`ShawBias`](crate::bias::ShawBias).
    RelativeKeys {
        /// The number of heads.
        heads: usize,
        /// The vectors that are multiplied with the table.
        side: Side,
        /// The number of distances key − query with a row, below zero and above.
        reach: [usize; 2],
        /// Whether farther distances read the nearest row; otherwise they are an error.
        clips: bool,
    },
    /// Tables for [`DisentangledBias`](crate::bias::DisentangledBias).
    Disentangled {
        /// The number of heads.
        heads: usize,
        /// The buckets.
        buckets: LogBuckets,
        /// Whether queries are multiplied with positions (`c2p`), and whether keys are (`p2c`).
        parts: [bool; 2],
        /// Whether positions use the projections of queries and keys.
        shared: bool,
    },
    /// Projections and biases for [`TransformerXlBias`](crate::bias::TransformerXlBias).
    TransformerXl {
        /// The number of heads.
        heads: usize,
        /// The width of a head.
        dim: usize,
        /// The distance to which farther ones are clamped; `None` if no distance is.
        clamp: Option<usize>,
    },
    /// Tables of rows and columns for [`DecomposedBias`](crate::bias::DecomposedBias).
    Decomposed {
        /// The number of heads.
        heads: usize,
        /// Rows and columns of the layers that attend to the whole image.
        grid: [usize; 2],
        /// Rows and columns of a window, for the other layers.
        window: [usize; 2],
        /// The layers that attend to the whole image, counted from 0.
        global: Vec<usize>,
    },
}

/// The uses of positions in a model's attention: the rotations of its queries and keys, and the
/// bias of its scores.
///
/// ```
/// use positional_encodings::config::{ModelBias, ModelPositions};
///
/// let falcon = r#"{"model_type": "falcon", "alibi": true, "head_dim": 64,
///     "num_attention_heads": 8}"#;
/// let model = ModelPositions::from_json(falcon)?;
/// assert!(model.rotary.unwrap().only().is_err()); // no layer is rotated
/// assert!(matches!(model.bias, ModelBias::Alibi(_)));
/// # Ok::<(), positional_encodings::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ModelPositions {
    /// The rotations; `None` for types that have none.
    pub rotary: Option<ModelRotary>,
    /// The bias.
    pub bias: ModelBias,
}

impl ModelPositions {
    /// Reads the text of a `config.json` whose `model_type` this crate knows.
    ///
    /// # Errors
    ///
    /// [`Error::Config`].
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let bias = ModelBias::from_json(text)?;
        let root = parse(text)?;
        let name = of_text(&root)?.text(field::MODEL_TYPE)?.unwrap_or_default();
        let rotates = of_model_type(name).is_some();
        let rotary = rotates.then(|| ModelRotary::from_json(text)).transpose()?;
        Ok(Self { rotary, bias })
    }
}

impl ModelBias {
    /// Reads the text of a `config.json` whose `model_type` this crate knows. Types that are known
    /// by their rotations only have no bias. Of a multimodal config, the `text_config` is read.
    ///
    /// # Errors
    ///
    /// [`Error::Config`].
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let root = parse(text)?;
        let fields = of_text(&root)?;
        let name = fields.need(field::MODEL_TYPE, fields.text(field::MODEL_TYPE)?)?;
        match row_of(name) {
            Some(row) => {
                let Some(part) = row.part else { return row.read(fields) };
                let empty = serde_json::Map::new();
                row.read(Fields::new(&part, fields.object(part)?.unwrap_or(&empty)))
            }
            None if of_model_type(name).is_some() => Ok(Self::None),
            None => Err(fields.unknown(field::MODEL_TYPE, name)),
        }
    }
}

/// Returns the part of a config that describes the language model.
fn of_text(root: &serde_json::Map<String, serde_json::Value>) -> Result<Fields<'_>, Error> {
    let whole = Fields::new("", root);
    let text = whole.object(field::TEXT_CONFIG)?;
    Ok(text.map_or(whole, |text| Fields::new(&field::TEXT_CONFIG, text)))
}

impl Row {
    fn read(&self, fields: Fields<'_>) -> Result<ModelBias, Error> {
        let heads = || count(&fields, self.heads.0, self.heads.1);
        match self.kind {
            Kind::Nothing => Ok(ModelBias::None),
            Kind::Alibi { part, default, slopes } => alibi(fields, heads()?, part, default, slopes),
            Kind::Bucketed { decoder, shared, reads } => {
                let names =
                    [field::RELATIVE_ATTENTION_NUM_BUCKETS, field::RELATIVE_ATTENTION_MAX_DISTANCE];
                let number = |which: usize, default| match reads[which] {
                    true => count(&fields, &[names[which]], default),
                    false => Ok(default),
                };
                let (buckets, most) = (number(0, 32)?, number(1, 128)?);
                let valid =
                    |buckets: Result<_, _>| buckets.map_err(|e| fields.invalid(names[0], e));
                let encoder = valid(Buckets::bidirectional(buckets, most))?;
                let decoder = decoder.then(|| valid(Buckets::causal(buckets, most))).transpose()?;
                Ok(ModelBias::Bucketed { heads: heads()?, encoder, decoder, shared })
            }
            Kind::AlibiOfLayers(layers) => {
                let found = count(&fields, &[field::NUM_HIDDEN_LAYERS], layers)?;
                let own = (found == layers).then(heads).transpose()?.map(Alibi::new).transpose();
                let own = own.map_err(|error| fields.invalid(field::NUM_ATTENTION_HEADS, error))?;
                Ok(own.map_or(ModelBias::None, ModelBias::Alibi))
            }
            Kind::Layout { divided } => {
                let of = |flag, [bins, most]: [Name; 2], defaults: [usize; 2]| {
                    if !fields.flag(flag)?.unwrap_or(true) {
                        return Ok(None);
                    }
                    let number = count(&fields, &[bins], defaults[0])?;
                    let most = count(&fields, &[most], defaults[1])?;
                    let buckets = Buckets::bidirectional(number, most);
                    buckets.map(Some).map_err(|error| fields.invalid(bins, error))
                };
                let text = of(
                    field::HAS_RELATIVE_ATTENTION_BIAS,
                    [field::REL_POS_BINS, field::MAX_REL_POS],
                    [32, 128],
                )?;
                let boxes = [field::REL_2D_POS_BINS, field::MAX_REL_2D_POS];
                let boxes = of(field::HAS_SPATIAL_ATTENTION_BIAS, boxes, [64, 256])?;
                let heads = heads()?;
                let width = count(&fields, &[field::HIDDEN_SIZE], 768)? / heads;
                let divisor = if divided { (width as f64).sqrt() } else { 1.0 };
                Ok(ModelBias::Layout { heads, text, boxes, divisor })
            }
            Kind::Windows { trained } => windows(&fields, trained),
            Kind::ImageWindow => {
                let flag = |name| Ok(fields.flag(name)?.unwrap_or(false));
                let shared = flag(field::USE_SHARED_RELATIVE_POSITION_BIAS)?;
                if !shared && !flag(field::USE_RELATIVE_POSITION_BIAS)? {
                    return Ok(ModelBias::None);
                }
                let window = patches(&fields, [224, 16])?;
                Ok(ModelBias::ImageWindow { heads: heads()?, window, shared })
            }
            Kind::Typed { positions } => typed(&fields, heads()?, positions),
            Kind::Speech { default, width } => speech(&fields, heads()?, default, width),
            Kind::Disentangled => disentangled(&fields, heads()?),
            Kind::TransformerXl { dim, clamp } => {
                let heads = heads()?;
                let dim = match dim {
                    Some(dim) => count(&fields, &[field::D_HEAD], dim)?,
                    None => count(&fields, &[field::D_MODEL], 1024)? / heads,
                };
                let clamp = distance(&fields, field::CLAMP_LEN)?.unwrap_or(clamp);
                Ok(ModelBias::TransformerXl { heads, dim, clamp })
            }
            Kind::Decomposed => {
                if !fields.flag(field::USE_REL_POS)?.unwrap_or(true) {
                    return Ok(ModelBias::None);
                }
                let window = [count(&fields, &[field::WINDOW_SIZE], 14)?; 2];
                let global =
                    fields.counts(field::GLOBAL_ATTN_INDEXES)?.unwrap_or(vec![2, 5, 8, 11]);
                let grid = patches(&fields, [1024, 16])?;
                Ok(ModelBias::Decomposed { heads: heads()?, grid, window, global })
            }
        }
    }
}

/// Reads a whole number from 1 on, which may have any of several names.
fn count(fields: &Fields<'_>, names: &[Name], default: usize) -> Result<usize, Error> {
    let found = fields.one_of(names.iter().copied(), Fields::count)?;
    match found {
        Some(count) if !(1..=LIMIT).contains(&count) => {
            let given = names.iter().find(|name| fields.get(**name).is_some());
            Err(fields.not_a(given.map_or("", |name| name), "a number from 1 to 65,536"))
        }
        found => Ok(found.unwrap_or(default)),
    }
}

/// Reads a distance, where −1 stands for none; `None` where the config does not give it.
fn distance(fields: &Fields<'_>, name: Name) -> Result<Option<Option<usize>>, Error> {
    match fields.number(name)? {
        None => Ok(None),
        Some(-1.0) => Ok(Some(None)),
        Some(_) => Ok(Some(fields.count(name)?.filter(|distance| *distance > 0))),
    }
}

/// Reads rows and columns from one number or two.
fn sizes(fields: &Fields<'_>, name: Name, default: usize) -> Result<[usize; 2], Error> {
    let sizes = match fields.get(name) {
        Some(value) if value.is_array() => fields.counts(name)?.unwrap_or_default(),
        _ => vec![fields.count(name)?.unwrap_or(default); 2],
    };
    match sizes[..] {
        [rows, columns] if [rows, columns].iter().all(|size| (1..=LIMIT).contains(size)) => {
            Ok([rows, columns])
        }
        _ => Err(fields.not_a(name, "one or two numbers from 1 to 65,536")),
    }
}

/// Returns the numbers of rows and columns of patches in an image.
fn patches(fields: &Fields<'_>, [image, patch]: [usize; 2]) -> Result<[usize; 2], Error> {
    let (image, patch) =
        (sizes(fields, field::IMAGE_SIZE, image)?, sizes(fields, field::PATCH_SIZE, patch)?);
    let patches = [0, 1].map(|axis| image[axis] / patch[axis]);
    match patches.contains(&0) {
        true => Err(fields.not_a(field::PATCH_SIZE, "a size within the image")),
        false => Ok(patches),
    }
}

fn alibi(
    fields: Fields<'_>,
    heads: usize,
    part: Option<Name>,
    default: bool,
    slopes: Slopes,
) -> Result<ModelBias, Error> {
    let fields = match &part {
        Some(part) => fields.object(*part)?.map_or(fields, |object| Fields::new(part, object)),
        None => fields,
    };
    if !fields.flag(field::ALIBI)?.unwrap_or(default) {
        return Ok(ModelBias::None);
    }
    let alibi = match slopes {
        Slopes::Keys => Alibi::new(heads).map(|alibi| alibi.with_form(AlibiForm::Keys)),
        Slopes::Rounded => Alibi::falcon(heads),
        Slopes::Max => {
            let most = count(&fields, &[field::ALIBI_BIAS_MAX], 8)?;
            let too_large = |_| fields.not_a(field::ALIBI_BIAS_MAX, "a number from 1 to 65,536");
            Alibi::with_bias_max(heads, most.try_into().map_err(too_large)?)
        }
    };
    alibi.map(ModelBias::Alibi).map_err(|error| fields.invalid(field::ALIBI, error))
}

fn windows(fields: &Fields<'_>, trained: bool) -> Result<ModelBias, Error> {
    let heads = fields.counts(field::NUM_HEADS)?.unwrap_or(vec![3, 6, 12, 24]);
    if heads.is_empty() || heads.iter().any(|heads| !(1..=LIMIT).contains(heads)) {
        return Err(fields.not_a(field::NUM_HEADS, "a list of numbers from 1 to 65,536"));
    }
    let mut windows = vec![sizes(fields, field::WINDOW_SIZE, 7)?; heads.len()];
    if !trained {
        return Ok(ModelBias::Windows { heads, windows, trained: None });
    }
    // Each stage has half as many rows and columns of patches as the one before.
    let mut seen = patches(fields, [224, 4])?;
    for window in &mut windows {
        *window = [0, 1].map(|axis| window[axis].min(seen[axis]).max(1));
        seen = seen.map(|patches| patches / 2);
    }
    let name = field::PRETRAINED_WINDOW_SIZES;
    let trained = fields.counts(name)?.unwrap_or(vec![0; heads.len()]);
    if trained.len() != heads.len() {
        return Err(fields.contradicts(name, &field::NUM_HEADS));
    }
    // 0 stands for the stage's own window.
    let own = |(&size, &window): (&usize, &[usize; 2])| if size == 0 { window } else { [size; 2] };
    let trained = Some(trained.iter().zip(&windows).map(own).collect());
    Ok(ModelBias::Windows { heads, windows, trained })
}

/// Returns the bias of a `position_embedding_type`.
fn typed(fields: &Fields<'_>, heads: usize, positions: usize) -> Result<ModelBias, Error> {
    let name = field::POSITION_EMBEDDING_TYPE;
    let side = match fields.text(name)?.unwrap_or("absolute") {
        "relative_key" => Side::Queries,
        "relative_key_query" => Side::Both,
        "alibi" => {
            let alibi = Alibi::new(heads).map_err(|error| fields.invalid(name, error))?;
            return Ok(ModelBias::Alibi(alibi.with_form(AlibiForm::Symmetric)));
        }
        "absolute" | "rotary" | "none" => return Ok(ModelBias::None),
        other => return Err(fields.unknown(name, other)),
    };
    let positions = count(fields, &[field::MAX_POSITION_EMBEDDINGS], positions)?;
    Ok(ModelBias::RelativeKeys { heads, side, reach: [positions - 1; 2], clips: false })
}

/// Returns the bias of a `position_embeddings_type` in models of speech; a null is none.
fn speech(
    fields: &Fields<'_>,
    heads: usize,
    default: &str,
    width: usize,
) -> Result<ModelBias, Error> {
    let name = field::POSITION_EMBEDDINGS_TYPE;
    let default = if fields.is_null(name) { "none" } else { default };
    match fields.text(name)?.unwrap_or(default) {
        "relative_key" => {
            let left = count(fields, &[field::LEFT_MAX_POSITION_EMBEDDINGS], 64)?;
            let right = count(fields, &[field::RIGHT_MAX_POSITION_EMBEDDINGS], 8)?;
            let (side, reach) = (Side::Queries, [left, right]);
            Ok(ModelBias::RelativeKeys { heads, side, reach, clips: true })
        }
        "relative" => {
            let dim = count(fields, &[field::HIDDEN_SIZE], width)? / heads;
            Ok(ModelBias::TransformerXl { heads, dim, clamp: None })
        }
        "rotary" | "none" => Ok(ModelBias::None),
        other => Err(fields.unknown(name, other)),
    }
}

fn disentangled(fields: &Fields<'_>, heads: usize) -> Result<ModelBias, Error> {
    if !fields.flag(field::RELATIVE_ATTENTION)?.unwrap_or(false) {
        return Ok(ModelBias::None);
    }
    // A list, or one string with bars.
    let name = field::POS_ATT_TYPE;
    let types: Vec<&str> = match fields.get(name) {
        Some(value) if value.is_array() => fields.texts(name)?.unwrap_or_default(),
        _ => fields.text(name)?.map_or(Vec::new(), |text| text.split('|').collect()),
    };
    let types: Vec<String> = types.iter().map(|kind| kind.trim().to_lowercase()).collect();
    if let Some(other) = types.iter().find(|kind| !["c2p", "p2c", ""].contains(&kind.as_str())) {
        return Err(fields.unknown(name, other));
    }
    let parts = ["c2p", "p2c"].map(|part| types.iter().any(|kind| kind == part));
    if parts == [false; 2] {
        return Ok(ModelBias::None);
    }
    let most = match distance(fields, field::MAX_RELATIVE_POSITIONS)?.flatten() {
        Some(most) => most,
        None => count(fields, &[field::MAX_POSITION_EMBEDDINGS], 512)?,
    };
    let buckets = match distance(fields, field::POSITION_BUCKETS)?.flatten() {
        Some(buckets) => LogBuckets::new(buckets, most),
        None => LogBuckets::plain(most),
    };
    let buckets = buckets.map_err(|error| fields.invalid(field::POSITION_BUCKETS, error))?;
    let shared = fields.flag(field::SHARE_ATT_KEY)?.unwrap_or(false);
    Ok(ModelBias::Disentangled { heads, buckets, parts, shared })
}
