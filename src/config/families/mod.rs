//! Every model type that is known, one row each: what a config does not say, because its class
//! does.
//!
//! A row has the columns in which a model differs from `HALVES` or `NEIGHBOURS`; what a column
//! means stands in [`Family`]. Numbers are those of the config classes of transformers 4.57,
//! 5.23 and 5.24; where versions disagree on a base, the config must have it. A new model is a row
//! here and a line in `tests/rotary/families.rs`.

mod text;
mod vision;

use super::family::Family;

/// The family of transformers' `model_type`.
pub(super) fn of_model_type(name: &str) -> Option<Family> {
    let all = text::MODELS.iter().chain(vision::MODELS);
    all.into_iter().find(|(known, _)| *known == name).map(|(_, family)| *family)
}

#[cfg(test)]
mod tests {
    use super::{text, vision};

    #[test]
    fn rows_are_in_order_and_there_once() {
        for models in [text::MODELS, vision::MODELS] {
            assert!(models.windows(2).all(|rows| rows[0].0 < rows[1].0));
        }
        let is_text = |name: &str| text::MODELS.iter().any(|(known, _)| *known == name);
        assert!(vision::MODELS.iter().all(|(name, _)| !is_text(name)));
    }
}
