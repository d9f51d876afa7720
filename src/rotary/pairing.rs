//! Which features make a pair.

/// Which features of a query or key are rotated together.
///
/// With r rotated features:
///
/// | pairing | pair i | systems |
/// |---|---|---|
/// | `Halves` | (xᵢ, xᵢ₊ᵣ/₂) | GPT-NeoX; Llama, Mistral, Qwen, Gemma, Phi, gpt-oss in transformers; GGUF's NEOX; flash-attention's default; keras-hub |
/// | `Interleaved` | (x₂ᵢ, x₂ᵢ₊₁) | RoFormer, GPT-J, Meta's own Llama, GLM, Cohere, DeepSeek, ERNIE 4.5; GGUF's NORM; torchtune, burn, rotary-embedding-torch |
///
/// Attention scores are the same with both, provided that queries and keys share the pairing *and* the projections were
/// trained with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pairing {
    /// A feature of the first half with its counterpart in the second (`rotate_half`).
    Halves,
    /// Neighbours (`rotate_every_two`).
    Interleaved,
}
