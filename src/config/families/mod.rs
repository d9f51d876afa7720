//! All that is known about models by their names: no other code of `config` asks for a name.
//!
//! | table | a row says | a model needs one |
//! |---|---|---|
//! | [`text`], [`sound`], [`vision`], [`hub`] | what a config leaves out because its class fixes it | if it rotates |
//! | [`parts`] | the type of a part of a composite config | if its files leave out that type |
//! | [`biases`] | what a model adds to its scores, or that it adds nothing | if it does not rotate, or adds a bias too |
//! | [`timesteps`] | how a class of diffusers encodes timesteps | if diffusers runs it |
//! | [`architectures`] | what llama.cpp has in its code and a GGUF file does not state | if llama.cpp runs it |
//!
//! Rows of the first four files list the columns in which a model differs from `HALVES` or
//! `NEIGHBOURS`; [`Family`] documents the columns. Numbers are those of the config classes of
//! transformers 4.57, 5.23 and 5.24, and sizes those of 5.24; where versions disagree on a base, the
//! config must give it. `hub` lists the models whose code is not in transformers.

pub(super) mod architectures;
pub(super) mod biases;
mod hub;
pub(super) mod parts;
mod sound;
mod text;
pub(super) mod timesteps;
mod vision;

use super::family::Family;

const ALL: [&[(&str, Family)]; 4] = [text::MODELS, sound::MODELS, vision::MODELS, hub::MODELS];

/// The number of layers of Baichuan's 13B model, which has ALiBi; the 7B model has fewer layers and
/// rotates.
const BAICHUAN_13B: usize = 40;

/// Returns the family of transformers' `model_type`.
pub(super) fn of_model_type(name: &str) -> Option<Family> {
    ALL.into_iter().flatten().find(|(known, _)| *known == name).map(|(_, family)| *family)
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn rows_are_in_order_and_there_once() {
        assert!(ALL.iter().all(|models| models.windows(2).all(|rows| rows[0].0 < rows[1].0)));
        let mut names: Vec<_> =
            ALL.iter().flat_map(|models| models.iter()).map(|row| row.0).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
