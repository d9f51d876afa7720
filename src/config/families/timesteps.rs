//! The timesteps of diffusion models, a row for each class of diffusers.

use super::super::fields::{Name, field};

/// Where a class defines the width of its timesteps.
pub(in crate::config) enum Dim {
    /// A constant.
    Always(usize),
    /// The first of `block_out_channels`.
    FirstBlock,
    /// A field, with the default of the class.
    Field(Name, usize),
    /// `num_attention_heads` · `attention_head_dim`.
    Inner,
}

/// The conventions of a class of diffusers for timesteps.
pub(in crate::config) struct Class {
    name: &'static str,
    pub(in crate::config) dim: Dim,
    /// The `downscale_freq_shift`, unless a field gives it.
    pub(in crate::config) shift: f64,
    pub(in crate::config) scale: f64,
    /// Whether `flip_sin_to_cos` and `freq_shift` are fields of its config.
    pub(in crate::config) has_flags: bool,
}

/// Returns the class of that name.
pub(in crate::config) fn class_of(name: &str) -> Option<&'static Class> {
    CLASSES.iter().find(|class| class.name == name)
}

/// Cosines come first in all classes, unless a field says otherwise.
#[rustfmt::skip]
const CLASSES: &[Class] = &[
    Class { name: "UNet2DModel", dim: Dim::FirstBlock, shift: 0.0, scale: 1.0, has_flags: true },
    Class { name: "UNet2DConditionModel", dim: Dim::FirstBlock, shift: 0.0, scale: 1.0, has_flags: true },
    Class { name: "ControlNetModel", dim: Dim::FirstBlock, shift: 0.0, scale: 1.0, has_flags: true },
    Class { name: "UNet3DConditionModel", dim: Dim::FirstBlock, shift: 0.0, scale: 1.0, has_flags: false },
    Class { name: "UNetMotionModel", dim: Dim::FirstBlock, shift: 0.0, scale: 1.0, has_flags: false },
    Class { name: "UNetSpatioTemporalConditionModel", dim: Dim::FirstBlock, shift: 0.0, scale: 1.0, has_flags: false },
    Class { name: "CogVideoXTransformer3DModel", dim: Dim::Inner, shift: 0.0, scale: 1.0, has_flags: true },
    Class { name: "DiTTransformer2DModel", dim: Dim::Always(256), shift: 1.0, scale: 1.0, has_flags: false },
    Class { name: "PixArtTransformer2DModel", dim: Dim::Always(256), shift: 0.0, scale: 1.0, has_flags: false },
    Class { name: "SD3Transformer2DModel", dim: Dim::Always(256), shift: 0.0, scale: 1.0, has_flags: false },
    Class { name: "FluxTransformer2DModel", dim: Dim::Always(256), shift: 0.0, scale: 1000.0, has_flags: false },
    Class { name: "QwenImageTransformer2DModel", dim: Dim::Always(256), shift: 0.0, scale: 1000.0, has_flags: false },
    Class { name: "AuraFlowTransformer2DModel", dim: Dim::Always(256), shift: 0.0, scale: 1000.0, has_flags: false },
    Class { name: "HunyuanVideoTransformer3DModel", dim: Dim::Always(256), shift: 0.0, scale: 1.0, has_flags: false },
    Class { name: "WanTransformer3DModel", dim: Dim::Field(field::FREQ_DIM, 256), shift: 0.0, scale: 1.0, has_flags: false },
];

#[cfg(test)]
mod tests {
    #[test]
    fn documentation_lists_all_classes() {
        let text = include_str!("../timestep.rs");
        for class in super::CLASSES {
            assert!(text.contains(&format!(" `{}`", class.name)), "{}", class.name);
        }
    }
}
