//! The one list of models that add something to their attention scores: a row for each type.

/// A row: all that is known of a type of model.
pub(super) struct Row {
    /// The types of model that are alike.
    types: &'static [&'static str],
    /// The object of the config that is read; none is the config itself.
    pub(super) part: &'static str,
    /// The names of the number of heads, and its default.
    pub(super) heads: (&'static [&'static str], usize),
    pub(super) kind: Kind,
}

/// The bias that is added.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// ALiBi, where the flag `alibi` says so: of the config, or of an object in it.
    Alibi { part: &'static str, default: bool, slopes: Slopes },
    /// A table by buckets of the distance. Some models read neither the number of buckets nor the
    /// greatest distance from their config.
    Bucketed { decoder: bool, shared: bool, reads: [bool; 2] },
    /// Tables by buckets of text and of boxes, where flags say so.
    Layout { default: bool },
    /// Windows, with tables or with a network that was trained with others.
    Windows { trained: bool },
    /// The image as one window, where flags say so.
    ImageWindow,
    /// The meaning of a field.
    Typed { field: &'static str, default: &'static str, positions: usize },
    /// Disentangled attention, where a flag says so.
    Disentangled,
    /// Transformer-XL's; the width of a head is its own field, or that of the model over its heads.
    TransformerXl { dim: Option<usize>, clamp: Option<usize> },
    /// Rows and columns apart.
    Decomposed,
}

/// How slopes become a bias.
#[derive(Clone, Copy)]
pub(super) enum Slopes {
    /// Slope times the position of the key.
    Keys,
    /// ALiBi rounded to bf16.
    Rounded,
    /// Distances, with a `alibi_bias_max`.
    Max,
}

const ATTENTION_HEADS: &[&str] = &["num_attention_heads"];

/// An encoder and a decoder whose layers share a table of their own.
const BUCKETED: Kind = Kind::Bucketed { decoder: true, shared: true, reads: [true; 2] };

const fn row(
    types: &'static [&'static str],
    heads: (&'static [&'static str], usize),
    kind: Kind,
) -> Row {
    Row { types, part: "", heads, kind }
}

/// A field that names the type of position embedding, of so many positions.
const fn typed(positions: usize) -> Kind {
    Kind::Typed { field: "position_embedding_type", default: "absolute", positions }
}

const fn speech(default: &'static str) -> Kind {
    Kind::Typed { field: "position_embeddings_type", default, positions: 1 }
}

const ROWS: &[Row] = &[
    row(
        &["bloom"],
        (&["n_head", "num_attention_heads"], 8),
        Kind::Alibi { part: "", default: true, slopes: Slopes::Keys },
    ),
    row(
        &["falcon"],
        (&["num_attention_heads", "n_head"], 71),
        Kind::Alibi { part: "", default: false, slopes: Slopes::Rounded },
    ),
    row(
        &["mpt"],
        (&["n_heads"], 16),
        Kind::Alibi { part: "attn_config", default: true, slopes: Slopes::Max },
    ),
    row(&["t5", "longt5", "pop2piano"], (&["num_heads"], 8), BUCKETED),
    row(&["mt5"], (&["num_heads"], 6), BUCKETED),
    row(&["switch_transformers"], (&["num_heads"], 12), BUCKETED),
    row(
        &["umt5"],
        (&["num_heads"], 6),
        Kind::Bucketed { decoder: true, shared: false, reads: [true; 2] },
    ),
    row(
        &["mpnet"],
        (ATTENTION_HEADS, 12),
        Kind::Bucketed { decoder: false, shared: true, reads: [true, false] },
    ),
    row(&["layoutlmv2", "layoutlmv3"], (ATTENTION_HEADS, 12), Kind::Layout { default: true }),
    row(&["swin", "donut-swin", "maskformer-swin"], (&[], 1), Kind::Windows { trained: false }),
    row(&["swinv2"], (&[], 1), Kind::Windows { trained: true }),
    row(&["beit", "data2vec-vision"], (ATTENTION_HEADS, 12), Kind::ImageWindow),
    row(&["deberta"], (ATTENTION_HEADS, 12), Kind::Disentangled),
    row(&["deberta-v2"], (ATTENTION_HEADS, 24), Kind::Disentangled),
    row(
        &["bert", "roberta", "electra", "camembert", "xlm-roberta", "albert", "ernie"],
        (ATTENTION_HEADS, 12),
        typed(512),
    ),
    row(&["esm"], (ATTENTION_HEADS, 12), typed(1026)),
    row(&["wav2vec2-conformer"], (ATTENTION_HEADS, 12), speech("relative")),
    row(&["wav2vec2-bert"], (ATTENTION_HEADS, 16), speech("relative_key")),
    row(&["xlnet"], (&["n_head"], 16), Kind::TransformerXl { dim: None, clamp: None }),
    row(
        &["transfo-xl"],
        (&["n_head"], 16),
        Kind::TransformerXl { dim: Some(64), clamp: Some(1000) },
    ),
    Row { part: "vision_config", ..row(&["sam"], (ATTENTION_HEADS, 12), Kind::Decomposed) },
    row(&["sam_vision_model"], (ATTENTION_HEADS, 12), Kind::Decomposed),
];

/// Finds the row of the type of that name.
pub(super) fn row_of(model_type: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.types.contains(&model_type))
}

#[cfg(test)]
mod tests {
    #[test]
    fn types_are_there_once() {
        let types: Vec<_> = super::ROWS.iter().flat_map(|row| row.types).collect();
        for (index, name) in types.iter().enumerate() {
            assert!(!types[..index].contains(name), "{name}");
        }
    }
}
