//! The tables of attention biases, by architecture.

use core::cmp::Ordering;
use std::io::{Read, Seek};

use ndarray::Array2;

use super::safetensors::Checkpoint;
use crate::element::Element;
use crate::error::{FileError, FileProblem};

/// A table of an attention bias, by architecture.
///
/// | table | tensors | shape, for |
/// |---|---|---|
/// | `T5Encoder`, `T5Decoder` (mT5, UMT5, LongT5, Switch) | `encoder.block.….SelfAttention.relative_attention_bias.weight`, `decoder.…` | (buckets, heads), [`T5Bias`](crate::T5Bias) |
/// | `Mpnet` | `encoder.relative_attention_bias.weight` | (buckets, heads), [`T5Bias`](crate::T5Bias) |
/// | `Swin` | `….relative_position_bias_table` | (offsets, heads), [`WindowBias::swin`](crate::bias::WindowBias::swin) |
/// | `Beit` (Data2Vec-vision) | `….relative_position_bias_table` | (offsets + 3, heads), [`WindowBias::beit`](crate::bias::WindowBias::beit) |
/// | `Deberta` | `encoder.rel_embeddings.weight` | (2 · span, width), before the projections of [`DisentangledBias`](crate::bias::DisentangledBias) |
/// | `BertRelativeKey` (ESM) | `attention.self.distance_embedding.weight` | (2 · positions − 1, dim), [`ShawBias::relative_key`](crate::bias::ShawBias) |
/// | `XlnetR` | `rel_attn.r` | (width · heads, dim): the projection of [`TransformerXlBias`](crate::bias::TransformerXlBias) |
/// | `XlnetU`, `XlnetV` | `rel_attn.r_w_bias`, `rel_attn.r_r_bias` | (heads, dim): u and v of [`TransformerXlBias`](crate::bias::TransformerXlBias) |
/// | `SamRows`, `SamColumns` | `attn.rel_pos_h`, `attn.rel_pos_w` | (2 · len − 1, dim), [`DecomposedBias`](crate::bias::DecomposedBias) |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BiasTable {
    /// The buckets of T5's encoder: one table, in UMT5 one for each layer.
    T5Encoder,
    /// The buckets of T5's decoder: one table, in UMT5 one for each layer.
    T5Decoder,
    /// The buckets of MPNet: one table.
    Mpnet,
    /// The offsets within a window of Swin, for each layer.
    Swin,
    /// The offsets between patches of BEiT, then three rows for the class token: one table, or one
    /// for each layer.
    Beit,
    /// The relative positions of DeBERTa: one table.
    Deberta,
    /// The distances of BERT with `relative_key` or `relative_key_query`, for each layer.
    BertRelativeKey,
    /// The projection of XLNet's relative positions, for each layer.
    XlnetR,
    /// XLNet's u, which is added to the queries of content scores, for each layer.
    XlnetU,
    /// XLNet's v, which is added to the queries of position scores, for each layer.
    XlnetV,
    /// The vertical offsets of SAM's image encoder, for each layer.
    SamRows,
    /// The horizontal offsets of SAM's image encoder, for each layer.
    SamColumns,
}

impl BiasTable {
    /// Returns a part and the end of the names of the table's tensors.
    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::T5Encoder => ("encoder.block.", "SelfAttention.relative_attention_bias.weight"),
            Self::T5Decoder => ("decoder.block.", "SelfAttention.relative_attention_bias.weight"),
            Self::Mpnet => ("", "encoder.relative_attention_bias.weight"),
            Self::Swin | Self::Beit => ("", "relative_position_bias_table"),
            Self::Deberta => ("", "encoder.rel_embeddings.weight"),
            Self::BertRelativeKey => ("", "attention.self.distance_embedding.weight"),
            Self::XlnetR => ("", "rel_attn.r"),
            Self::XlnetU => ("", "rel_attn.r_w_bias"),
            Self::XlnetV => ("", "rel_attn.r_r_bias"),
            Self::SamRows => ("", "attn.rel_pos_h"),
            Self::SamColumns => ("", "attn.rel_pos_w"),
        }
    }
}

impl<R: Read + Seek> Checkpoint<R> {
    /// Reads the tables of a bias, with the names of their tensors, in the order of the layers;
    /// there is one where all layers share it.
    ///
    /// # Errors
    ///
    /// The errors of [`table`](Self::table); [`FileProblem::MissingKey`] where there is no such
    /// table.
    ///
    /// ```
    /// use positional_encodings::checkpoint::{BiasTable, Checkpoint};
    /// use positional_encodings::{Learned, T5Bias};
    ///
    /// # let path = std::env::temp_dir().join(format!("bias-{}.safetensors", std::process::id()));
    /// # let table = Learned::<f32>::from_table(ndarray::Array2::zeros((32, 12)))?;
    /// # table.save(&path, "mpnet.encoder.relative_attention_bias.weight")?;
    /// let mut file = Checkpoint::open(&path)?; // MPNet's model.safetensors
    /// let (name, table) = file.bias_tables::<f32>(BiasTable::Mpnet)?.remove(0);
    /// assert_eq!(name, "mpnet.encoder.relative_attention_bias.weight");
    /// let bias = T5Bias::bidirectional(table, 128)?;
    /// # std::fs::remove_file(path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn bias_tables<A: Element>(
        &mut self,
        table: BiasTable,
    ) -> Result<Vec<(String, Array2<A>)>, FileError> {
        let (within, ending) = table.name();
        let has_ending = |key: &&str| {
            let before = key.strip_suffix(ending);
            let is_whole = |before: &str| before.is_empty() || before.ends_with('.');
            before.is_some_and(is_whole) && key.contains(within)
        };
        let mut keys: Vec<String> = self.keys().filter(has_ending).map(str::to_string).collect();
        if keys.is_empty() {
            let key = format!("{within}{ending}");
            return Err(self.refuse(FileProblem::MissingKey { key }));
        }
        keys.sort_by(|a, b| by_layers(a, b));
        keys.into_iter().map(|key| self.table(&key).map(|table| (key, table))).collect()
    }
}

/// Compares names whose parts may be numbers: layer 2 comes before layer 10.
fn by_layers(a: &str, b: &str) -> Ordering {
    let number = |part: &str| part.parse::<u64>().ok();
    let parts = a.split('.').zip(b.split('.'));
    let orders = parts.map(|(a, b)| match (number(a), number(b)) {
        (Some(x), Some(y)) => x.cmp(&y),
        _ => a.cmp(b),
    });
    orders.fold(Ordering::Equal, Ordering::then).then_with(|| a.cmp(b))
}
