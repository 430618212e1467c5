//! Metrics: named numbers, each with unit and definition, computed from observations under a protocol.
//!
//! `reduce` turns tokens into one norm, `gains` divides norms, `derived` computes what is neither, `table` describes every
//! metric, `law` says which parts of a protocol enter its number, `measurements` takes all of them from one observation, `weights` from a weighing, `spectra` from the prompts of
//! a set, and `series` keeps numbers of different protocols apart by type.

mod derived;
mod gains;
mod law;
mod measurements;
mod reduce;
mod series;
mod spectra;
mod table;
mod weights;

pub use derived::{first_token_gains, first_token_norms};
pub use gains::{Gains, gains};
pub use law::{DecisiveParts, Depends};
pub use measurements::{attention_traces, measurements};
pub use reduce::reduce;
pub use series::{Paired, ProtocolMismatch, Series};
pub use spectra::spectra;
pub use table::Description;
pub use weights::{attention_trace, weights};

use base::named_enum;

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
        /// Norm of everything one block adds to the stream.
        WriteNorm = "write-norm",
        /// Cosine between the stream entering a block and what the block adds to it.
        WriteCosine = "write-cosine",
        /// The layer gain that follows from stream, write and their cosine.
        ReconstructedGain = "reconstructed-gain",
        /// Norm of what attention adds over the norm of the stream entering the block, a ratio.
        AttentionOverResidual = "attention-over-residual",
        /// Norm of what the MLP adds over the norm of the stream entering the block, a ratio.
        MlpOverResidual = "mlp-over-residual",
        /// Share of the blocks whose attention gain is below 1.
        ContractingAttentionShare = "contracting-attention-share",
        /// Norm of the first token at one layer.
        FirstTokenNorm = "first-token-norm",
        /// Gain of the first token over one block, a ratio.
        FirstTokenGain = "first-token-gain",
        /// Layer whose gain is the largest.
        JumpLayer = "jump-layer",
        /// Gain of the first token where the Frobenius gain is largest.
        JumpGainFirst = "jump-gain-first",
        /// Mean gain of the other tokens where the Frobenius gain is largest.
        JumpGainRest = "jump-gain-rest",
        /// Largest over smallest norm from the jump to the last but one block, a ratio.
        PlateauRatio = "plateau-ratio",
        /// Largest over smallest norm of the stream over all layers, a ratio.
        NormRange = "norm-range",
        /// Slope of the log gain of the last block on the log position, without the first token.
        PositionSlope = "position-slope",
        /// Attention off the diagonal, summed over query tokens, mean over the heads of one block.
        AttentionOffDiagonal = "attention-off-diagonal",
        /// Trace of the attention sheaf Laplacian of one block, mean over heads.
        AttentionTrace = "attention-trace",
        /// Mean of the attention trace over blocks.
        MeanAttentionTrace = "mean-attention-trace",
        /// Largest change of any logit when the last block's output is scaled, over the range of the logits.
        LogitShift = "logit-shift",
        /// Mean negative log-probability of the prompt's own next tokens, nats per token.
        Loss = "loss",
        /// Entropy of the next-token distribution read off one layer through final norm and head, nats.
        LensEntropy = "lens-entropy",
        /// Share of the variance of token vectors along their first principal direction, at one layer.
        Anisotropy = "anisotropy",
        /// Largest less smallest anisotropy over the layers.
        AnisotropyRange = "anisotropy-range",
        /// Exponential of the entropy of the covariance's normalised eigenvalues, at one layer.
        EffectiveRank = "effective-rank",
        /// Mean cosine between different token vectors at one layer.
        MeanCosine = "mean-cosine",
        /// Squared Frobenius norm of one head's value weights, mean over the heads of one block.
        ValueWeightSquare = "value-weight-square",
        /// The same, mean over blocks.
        MeanValueWeightSquare = "mean-value-weight-square",
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
        /// Standard deviation of the Euclidean norms of the unembedding's rows.
        UnembeddingRowNormSpread = "unembedding-row-norm-spread",
        /// Largest singular value of the unembedding less the mean of its rows.
        UnembeddingCentredSpectralNorm = "unembedding-centred-spectral-norm",
        /// Largest singular value of the unembedding with the final norm's weight folded in.
        UnembeddingFoldedSpectralNorm = "unembedding-folded-spectral-norm",
    }
}
