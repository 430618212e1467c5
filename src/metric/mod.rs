//! Metrics: named numbers, each with unit and definition, computed from observations under a protocol.
//!
//! `reduce` turns tokens into one norm, `gains` divides norms, `table` describes every metric, `measurements` takes
//! all of them from one observation, and `series` keeps numbers of different protocols apart by type.

mod gains;
mod measurements;
mod reduce;
mod series;
mod table;

pub use gains::{Gains, gains};
pub use measurements::measurements;
pub use reduce::reduce;
pub use series::{Paired, ProtocolMismatch, Series};
pub use table::{Depends, Description};

use crate::protocol::named_enum;

named_enum! {
    /// A named number. Its table line (unit, definition) is in [`Metric::describe`].
    Metric, "metric" {
        /// Gain of the last block (or of the endpoint the protocol names), a ratio of norms.
        LastGain = "last-gain",
        /// Last norm of the endpoint over the norm entering block 0, a ratio.
        CumulativeGain = "cumulative-gain",
        /// Last block's output over the FIRST block's output, a ratio (some published tables call this total).
        GainAfterFirstBlock = "gain-after-first-block",
        /// Reduced norm of the stream at one layer.
        ResidualNorm = "residual-norm",
        /// Reduced gain of one block: layer l over layer l-1.
        LayerGain = "layer-gain",
        /// Reduced norm of the stream entering block 0.
        EmbeddingNorm = "embedding-norm",
        /// Reduced norm of what attention adds at one block.
        AttentionWrite = "attention-write",
        /// Reduced norm of what the MLP adds at one block.
        MlpWrite = "mlp-write",
        /// Norm of the first token over the mean norm of the others, at one layer.
        FirstTokenShare = "first-token-share",
        /// Entropy of the next-token distribution at the last position, nats.
        OutputEntropy = "output-entropy",
        /// Probability of the most probable next token.
        TopProbability = "top-probability",
        /// Number of tokens run, BOS included.
        TokenCount = "token-count",
        /// Norm of the attention module's output over the norm of its (normalised) input, one block, a ratio.
        AttentionGain = "attention-gain",
        /// Norm of the MLP's output over the norm of its (normalised) input, one block, a ratio.
        MlpGain = "mlp-gain",
        /// Attention gain times MLP gain of one block (no gain of the stream), a ratio.
        ModuleGainProduct = "module-gain-product",
        /// Correlation over statement pairs of where their pooled tokens lie at one layer with the loss of the output.
        EmbeddingCorrelation = "embedding-correlation",
        /// Largest singular value of the embedding.
        EmbeddingSpectralNorm = "embedding-spectral-norm",
        /// Frobenius norm of the embedding.
        EmbeddingFrobeniusNorm = "embedding-frobenius-norm",
        /// Mean Euclidean norm of the embedding's rows.
        EmbeddingRowNorm = "embedding-row-norm",
        /// Largest singular value of the unembedding.
        UnembeddingSpectralNorm = "unembedding-spectral-norm",
        /// Frobenius norm of the unembedding.
        UnembeddingFrobeniusNorm = "unembedding-frobenius-norm",
        /// Mean Euclidean norm of the unembedding's rows.
        UnembeddingRowNorm = "unembedding-row-norm",
    }
}
