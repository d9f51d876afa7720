//! Every known model type, one row each: what a config leaves out because its class fixes it.
//!
//! A row lists the columns in which a model differs from `HALVES` or `NEIGHBOURS`; [`Family`]
//! documents the columns. Numbers are those of the config classes of transformers 4.57, 5.23 and
//! 5.24; where versions disagree on a base, the config must give it. `hub` lists the models whose
//! code is not in transformers. A new model is a row here and a line in
//! `tests/tests/rotary/families.rs`.

mod hub;
mod text;
mod vision;

use super::family::Family;

/// Returns the family of transformers' `model_type`.
pub(super) fn of_model_type(name: &str) -> Option<Family> {
    let all = text::MODELS.iter().chain(vision::MODELS).chain(hub::MODELS);
    all.into_iter().find(|(known, _)| *known == name).map(|(_, family)| *family)
}

#[cfg(test)]
mod tests {
    use super::{hub, text, vision};

    #[test]
    fn rows_are_in_order_and_there_once() {
        let all = [text::MODELS, vision::MODELS, hub::MODELS];
        for models in all {
            assert!(models.windows(2).all(|rows| rows[0].0 < rows[1].0));
        }
        let mut names: Vec<_> =
            all.iter().flat_map(|models| models.iter()).map(|row| row.0).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
