//! Reads the timesteps of a diffusion model from diffusers' `config.json`.

use super::families::timesteps::{Dim, class_of};
use super::fields::{Name, field};
use super::json::{Fields, parse};
use super::reader::LIMIT;
use crate::additive::Timestep;
use crate::error::Error;
use crate::phase::FeatureLayout::{CosSinHalves, SinCosHalves};

impl Timestep {
    /// Reads the timesteps of a model from the text of its `config.json`, as diffusers writes it,
    /// by its `_class_name`: `UNet2DModel`, `UNet2DConditionModel`, `UNet3DConditionModel`,
    /// `UNetMotionModel`, `UNetSpatioTemporalConditionModel`, `ControlNetModel`,
    /// `CogVideoXTransformer3DModel`, `DiTTransformer2DModel`, `PixArtTransformer2DModel`,
    /// `SD3Transformer2DModel`, `FluxTransformer2DModel`, `QwenImageTransformer2DModel`,
    /// `AuraFlowTransformer2DModel`, `HunyuanVideoTransformer3DModel`, `WanTransformer3DModel`.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] for an unknown class, and for a `time_embedding_type` other than the
    /// sinusoid.
    ///
    /// ```
    /// use positional_encodings::Timestep;
    ///
    /// let config = r#"{"_class_name": "UNet2DConditionModel", "block_out_channels": [320, 640],
    ///     "flip_sin_to_cos": true, "freq_shift": 0}"#;
    /// assert_eq!(Timestep::from_json(config)?, Timestep::flipped(320));
    /// let flux = r#"{"_class_name": "FluxTransformer2DModel"}"#;
    /// assert_eq!(Timestep::from_json(flux)?, Timestep::flux(256));
    /// let error = Timestep::from_json(r#"{"_class_name": "New"}"#).unwrap_err();
    /// assert_eq!(error.to_string(), "config field _class_name: \"New\" is not known");
    /// # Ok::<(), positional_encodings::Error>(())
    /// ```
    pub fn from_json(text: &str) -> Result<Self, Error> {
        let object = parse(text)?;
        let fields = Fields::new("", &object);
        let name = fields.need(field::CLASS_NAME, fields.text(field::CLASS_NAME)?)?;
        let class = class_of(name).ok_or_else(|| fields.unknown(field::CLASS_NAME, name))?;
        let dim = class.dim.read(&fields)?;
        let mut timestep =
            Self { downscale_freq_shift: class.shift, scale: class.scale, ..Self::flipped(dim) };
        if class.has_flags {
            let kind = field::TIME_EMBEDDING_TYPE;
            if let Some(found) = fields.text(kind)?.filter(|found| *found != "positional") {
                return Err(fields.unknown(kind, found));
            }
            let is_flipped = fields.flag(field::FLIP_SIN_TO_COS)?.unwrap_or(true);
            timestep.layout = if is_flipped { CosSinHalves } else { SinCosHalves };
            let shift = fields.number(field::FREQ_SHIFT)?;
            timestep.downscale_freq_shift = shift.unwrap_or(class.shift);
        }
        // Invalid values are an error of the config.
        match timestep.encoding() {
            Ok(_) => Ok(timestep),
            Err(error) => Err(fields.invalid(field::FREQ_SHIFT, error)),
        }
    }
}

impl Dim {
    fn read(&self, fields: &Fields<'_>) -> Result<usize, Error> {
        let check = |name: Name, dim: Option<usize>| {
            let expected = "a width from 2 to 65536";
            let is_one = |dim: &usize| (2..=LIMIT).contains(dim);
            dim.filter(is_one).ok_or_else(|| fields.not_a(name, expected))
        };
        match *self {
            Self::Always(dim) => Ok(dim),
            Self::Field(name, default) => check(name, Some(fields.count(name)?.unwrap_or(default))),
            Self::FirstBlock => {
                let name = field::BLOCK_OUT_CHANNELS;
                let channels = fields.need(name, fields.counts(name)?)?;
                check(name, channels.first().copied())
            }
            Self::Inner => {
                let [heads, width] = [field::NUM_ATTENTION_HEADS, field::ATTENTION_HEAD_DIM];
                let of = |name| fields.need(name, fields.count(name)?);
                check(width, of(heads)?.checked_mul(of(width)?))
            }
        }
    }
}
