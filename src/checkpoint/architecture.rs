//! The names under which architectures keep their tables.

/// A known model architecture: the names of its tables, its offset and its padding.
///
/// | architecture | position table | offset | padding row |
/// |---|---|---|---|
/// | `Bert`, `Albert`, `DistilBert` | `embeddings.position_embeddings.weight` | 0 | |
/// | `Roberta`, `Mpnet` (XLM-R, CamemBERT, ESM) | `embeddings.position_embeddings.weight` | 2 | 1 |
/// | `Gpt2` | `wpe.weight` | 0 | |
/// | `Opt` | `decoder.embed_positions.weight` | 2 | |
/// | `BartEncoder`, `BartDecoder` (mBART, PLBart) | `encoder.embed_positions.weight`, `decoder.…` | 2 | |
/// | `Vit` (DeiT, DINOv2, BEiT in transformers) | `embeddings.position_embeddings` | 0 | |
/// | `Timm` | `pos_embed` | 0 | |
/// | `ClipText` | `text_model.embeddings.position_embedding.weight`, OpenAI `positional_embedding` | 0 | |
/// | `ClipVision` | `vision_model.embeddings.position_embedding.weight`, OpenAI `visual.positional_embedding` | 0 | |
/// | `WhisperEncoder`, `WhisperDecoder` | `encoder.embed_positions.weight`, OpenAI `encoder.positional_embedding`; `decoder.…` | 0 | |
///
/// Names may have any prefix (`bert.`, `model.`, `transformer.`). RoBERTa's ids count from 2, and
/// its padding reads row 1. With the offset set, positions count from 0 as for other models, and
/// padding is position −1 ([`ids::from_mask`](crate::ids::from_mask) with `pad` −1). For ids by
/// [`ids::padding_aware`](crate::ids::padding_aware), which count from 2 themselves, remove the
/// offset: `with_offset(0)`. If the padding id is not 1, as in rinna's models, where it is 3,
/// positions begin after it: `with_offset(4)`, or `padding_aware` with that id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Architecture {
    /// BERT.
    Bert,
    /// ALBERT.
    Albert,
    /// DistilBERT, which has no segments.
    DistilBert,
    /// RoBERTa, and models with its embeddings, such as XLM-R, CamemBERT and ESM.
    Roberta,
    /// MPNet, which has no segments.
    Mpnet,
    /// GPT-2.
    Gpt2,
    /// OPT.
    Opt,
    /// The encoder of BART, and of models with its embeddings.
    BartEncoder,
    /// The decoder of BART, and of models with its embeddings.
    BartDecoder,
    /// Vision transformers of transformers: ViT, DeiT, DINOv2 and BEiT.
    Vit,
    /// Vision transformers of timm.
    Timm,
    /// The text encoder of CLIP.
    ClipText,
    /// The image encoder of CLIP.
    ClipVision,
    /// The encoder of Whisper.
    WhisperEncoder,
    /// The decoder of Whisper.
    WhisperDecoder,
}

impl Architecture {
    /// Returns the names of the position table, the most common first, without prefixes.
    ///
    /// ```
    /// use positional_encodings::checkpoint::Architecture;
    ///
    /// assert_eq!(Architecture::Gpt2.position_keys(), ["wpe.weight"]);
    /// ```
    pub fn position_keys(self) -> &'static [&'static str] {
        match self {
            Self::Bert | Self::Albert | Self::DistilBert | Self::Roberta | Self::Mpnet => {
                &["embeddings.position_embeddings.weight"]
            }
            Self::Gpt2 => &["wpe.weight"],
            Self::Opt | Self::BartDecoder => &["decoder.embed_positions.weight"],
            Self::BartEncoder => &["encoder.embed_positions.weight"],
            Self::Vit => &["embeddings.position_embeddings"],
            Self::Timm => &["pos_embed"],
            Self::ClipText => {
                &["text_model.embeddings.position_embedding.weight", "positional_embedding"]
            }
            Self::ClipVision => &[
                "vision_model.embeddings.position_embedding.weight",
                "visual.positional_embedding",
            ],
            Self::WhisperEncoder => {
                &["encoder.embed_positions.weight", "encoder.positional_embedding"]
            }
            Self::WhisperDecoder => {
                &["decoder.embed_positions.weight", "decoder.positional_embedding"]
            }
        }
    }

    /// Names of other tables that end with one of this architecture's names.
    pub(super) fn sibling_keys(self) -> &'static [&'static str] {
        match self {
            Self::ClipText => &["visual.positional_embedding"],
            _ => &[],
        }
    }

    /// Returns the names of the word table; empty for a model without tokens.
    pub fn word_keys(self) -> &'static [&'static str] {
        match self {
            Self::Bert | Self::Albert | Self::DistilBert | Self::Roberta | Self::Mpnet => {
                &["embeddings.word_embeddings.weight"]
            }
            Self::Gpt2 => &["wte.weight"],
            Self::Opt => &["decoder.embed_tokens.weight"],
            Self::BartEncoder => &["encoder.embed_tokens.weight", "shared.weight"],
            Self::BartDecoder => &["decoder.embed_tokens.weight", "shared.weight"],
            Self::ClipText => {
                &["text_model.embeddings.token_embedding.weight", "token_embedding.weight"]
            }
            Self::WhisperDecoder => {
                &["decoder.embed_tokens.weight", "decoder.token_embedding.weight"]
            }
            Self::Vit | Self::Timm | Self::ClipVision | Self::WhisperEncoder => &[],
        }
    }

    /// Returns the names of the segment table; empty for a model without segments.
    pub fn segment_keys(self) -> &'static [&'static str] {
        match self {
            Self::Bert | Self::Albert | Self::Roberta => {
                &["embeddings.token_type_embeddings.weight"]
            }
            _ => &[],
        }
    }

    /// Returns the row that position 0 reads.
    pub fn offset(self) -> usize {
        match self {
            Self::Roberta | Self::Mpnet | Self::Opt | Self::BartEncoder | Self::BartDecoder => 2,
            _ => 0,
        }
    }

    /// Returns the row of the position table that padding reads; it gets no gradient.
    pub fn padding_row(self) -> Option<usize> {
        matches!(self, Self::Roberta | Self::Mpnet).then_some(1)
    }

    /// Returns the padding token of the published models.
    pub fn padding_token(self) -> Option<usize> {
        match self {
            Self::Bert | Self::Albert | Self::DistilBert => Some(0),
            Self::Roberta | Self::Mpnet | Self::Opt | Self::BartEncoder | Self::BartDecoder => {
                Some(1)
            }
            _ => None,
        }
    }
}
