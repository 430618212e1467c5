//! The table of metrics: each with its name, unit and definition, and what its number depends on.
//!
//! A new metric is an entry here and its formula where rows are made (`measurements`, `weights` or `spectra`).

use base::named_enum;

use super::law::Depends::{self, Everything, Nothing, Reduction, Tokens};

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Description {
    /// E.g. `ratio`, `nats`, `tokens`.
    pub unit: &'static str,
    /// How the number is computed, in one sentence.
    pub definition: &'static str,
    /// Which parts of a protocol enter the number.
    pub depends: Depends,
    /// Whether there is one value per layer.
    pub per_layer: bool,
    /// Whether its natural value may be zero, so that two values are compared in its own unit and not by their ratio.
    pub near_zero: bool,
}

impl Description {
    /// Whether a row of this metric must carry a protocol.
    pub fn needs_protocol(&self) -> bool {
        self.depends != Depends::Nothing
    }
}

/// One value per layer.
const BY_LAYER: bool = true;
/// One value.
const SINGLE: bool = false;
/// The natural value may be zero.
const NEAR_ZERO: bool = true;

/// Declares the metrics: the enum and its table, from one entry for each.
macro_rules! metrics {
    ($($(#[$doc:meta])* $metric:ident = $name:literal:
        $unit:literal, $depends:ident, $per_layer:ident, $definition:literal $(, $near_zero:ident)?;)*) => {
        named_enum! {
            /// A named number. Unit and definition are in [`Metric::describe`].
            Metric, "metric" { $($(#[$doc])* $metric = $name,)* }
        }

        impl Metric {
            /// Unit and definition of the metric, and what its number depends on.
            pub const fn describe(self) -> Description {
                match self {
                    $(Metric::$metric => Description {
                        unit: $unit,
                        definition: $definition,
                        depends: $depends,
                        per_layer: $per_layer,
                        near_zero: false $(|| $near_zero)?,
                    },)*
                }
            }
        }
    };
}

metrics! {
    /// Gain of the last block (or of the endpoint the protocol names), a ratio of norms.
    LastGain = "last-gain": "ratio", Everything, SINGLE, "the endpoint's norm over the norm one step below it";
    /// Last norm of the endpoint over the norm entering block 0, a ratio.
    CumulativeGain = "cumulative-gain": "ratio", Everything, SINGLE,
        "the endpoint's norm over the norm entering block 0";
    /// Last block's output over the FIRST block's output, a ratio (some published tables call this total).
    GainAfterFirstBlock = "gain-after-first-block": "ratio", Everything, SINGLE,
        "the endpoint's norm over the first block's output norm";
    /// Reduced norm of the stream at one layer.
    ResidualNorm = "residual-norm": "norm", Reduction, BY_LAYER,
        "norm of the stream entering block l; l = L: the last block's output";
    /// Reduced gain of one block: layer l over layer l-1.
    LayerGain = "layer-gain": "ratio", Reduction, BY_LAYER, "residual norm at layer l over layer l-1, l = 1..L";
    /// Reduced norm of the stream entering block 0.
    EmbeddingNorm = "embedding-norm": "norm", Reduction, SINGLE, "norm of the stream entering block 0";
    /// Reduced norm of what attention adds at one block.
    AttentionWrite = "attention-write": "norm", Reduction, BY_LAYER,
        "norm of what attention adds to the stream in block l";
    /// Reduced norm of what the MLP adds at one block.
    MlpWrite = "mlp-write": "norm", Reduction, BY_LAYER, "norm of what the MLP adds to the stream in block l";
    /// Norm of the first token over the mean norm of the others, at one layer.
    FirstTokenShare = "first-token-share": "ratio", Tokens, BY_LAYER,
        "residual norm of the first token over the mean of the others, at layer l";
    /// Entropy of the next-token distribution at the last position, nats.
    OutputEntropy = "output-entropy": "nats", Tokens, SINGLE,
        "entropy of the next-token distribution at the last position", NEAR_ZERO;
    /// Probability of the most probable next token.
    TopProbability = "top-probability": "probability", Tokens, SINGLE,
        "probability of the most probable next token", NEAR_ZERO;
    /// Number of tokens run, BOS included.
    TokenCount = "token-count": "tokens", Tokens, SINGLE, "tokens run, BOS included";
    /// Norm of the attention module's output over the norm of its (normalised) input, one block, a ratio.
    AttentionGain = "attention-gain": "ratio", Reduction, BY_LAYER,
        "attention's output norm over its normalised input's norm, block l";
    /// Norm of the MLP's output over the norm of its (normalised) input, one block, a ratio.
    MlpGain = "mlp-gain": "ratio", Reduction, BY_LAYER,
        "the MLP's output norm over its normalised input's norm, block l";
    /// Attention gain times MLP gain of one block (no gain of the stream), a ratio.
    ModuleGainProduct = "module-gain-product": "ratio", Reduction, BY_LAYER,
        "attention gain times MLP gain of block l; not a gain of the stream";
    /// Correlation over statement pairs of where their pooled tokens lie at one layer with the loss of the output.
    // The reduction pools the token vectors of a statement here.
    EmbeddingCorrelation = "embedding-correlation": "correlation", Reduction, BY_LAYER,
        "Pearson r over statement pairs A, B at layer l: cosine of the pooled tokens with the mean of their side, A \
         less B, against the loss of B less A";
    /// Norm of everything one block adds to the stream.
    WriteNorm = "write-norm": "norm", Reduction, BY_LAYER, "norm of all that block l adds to the stream";
    /// Cosine between the stream entering a block and what the block adds to it.
    WriteCosine = "write-cosine": "cosine", Reduction, BY_LAYER,
        "cosine of the stream entering block l and what the block adds to it; for mean reductions the mean over \
         tokens, for frobenius that of the two matrices", NEAR_ZERO;
    /// The layer gain that follows from stream, write and their cosine.
    ReconstructedGain = "reconstructed-gain": "ratio", Reduction, BY_LAYER,
        "sqrt(1 + 2 r c + r^2) with r = write norm over residual norm and c = write cosine, layer l; for mean \
         reductions from each token's own r and c";
    /// Norm of what attention adds over the norm of the stream entering the block, a ratio.
    AttentionOverResidual = "attention-over-residual": "ratio", Reduction, BY_LAYER,
        "attention write over the norm of the stream entering block l";
    /// Norm of what the MLP adds over the norm of the stream entering the block, a ratio.
    MlpOverResidual = "mlp-over-residual": "ratio", Reduction, BY_LAYER,
        "MLP write over the norm of the stream entering block l";
    /// Reduced norm of what one named branch adds at one block.
    BranchWrite = "branch-write": "norm", Reduction, BY_LAYER,
        "norm of what the named branch adds to the stream in block l";
    /// Norm of the output of one named branch over the norm of its (normalised) input, one block, a ratio.
    BranchGain = "branch-gain": "ratio", Reduction, BY_LAYER,
        "the named branch's output norm over its normalised input's norm, block l";
    /// Norm of what one named branch adds over the norm of the stream entering the block, a ratio.
    BranchOverResidual = "branch-over-residual": "ratio", Reduction, BY_LAYER,
        "write of the named branch over the norm of the stream entering block l";
    /// Attention of one named branch off the diagonal, summed over query tokens, mean over its heads in one block.
    BranchOffDiagonal = "branch-off-diagonal": "tokens", Tokens, BY_LAYER,
        "attention probability of the named branch off the diagonal, summed over query tokens, mean over its heads in \
         block l", NEAR_ZERO;
    /// Share of the blocks whose attention gain is below 1.
    ContractingAttentionShare = "contracting-attention-share": "share", Reduction, SINGLE,
        "share of the blocks whose attention gain is below 1";
    /// Norm of the first token at one layer.
    FirstTokenNorm = "first-token-norm": "norm", Tokens, BY_LAYER,
        "norm of the first token, BOS included, entering block l";
    /// Gain of the first token over one block, a ratio.
    FirstTokenGain = "first-token-gain": "ratio", Tokens, BY_LAYER,
        "norm of the first token at layer l over layer l-1, l = 1..L";
    /// Layer whose gain is the largest.
    JumpLayer = "jump-layer": "layer", Reduction, SINGLE, "the l = 1..L whose layer gain is the largest";
    /// Gain of the first token where the Frobenius gain is largest.
    JumpGainFirst = "jump-gain-first": "ratio", Tokens, SINGLE,
        "gain of the first token at the layer with the largest Frobenius layer gain";
    /// Mean gain of the other tokens where the Frobenius gain is largest.
    JumpGainRest = "jump-gain-rest": "ratio", Tokens, SINGLE,
        "mean norm of the other tokens over that one layer below, at the layer with the largest Frobenius layer \
         gain";
    /// Largest over smallest norm from the jump to the last but one block, a ratio.
    PlateauRatio = "plateau-ratio": "ratio", Reduction, SINGLE,
        "largest over smallest residual norm from the layer with the largest gain to layer L-1";
    /// Largest over smallest norm of the stream over all layers, a ratio.
    NormRange = "norm-range": "ratio", Reduction, SINGLE, "largest over smallest residual norm over the layers 1..L";
    /// Slope of the log gain of the last block on the log position, without the first token.
    PositionSlope = "position-slope": "slope", Tokens, SINGLE,
        "least-squares slope of log(norm at L over norm at L-1) of each token on log(position), positions 1, 2, \
         ...", NEAR_ZERO;
    /// Attention off the diagonal, summed over query tokens, mean over the heads of one block.
    AttentionOffDiagonal = "attention-off-diagonal": "tokens", Tokens, BY_LAYER,
        "attention probability off the diagonal, summed over query tokens, mean over the heads of block l", NEAR_ZERO;
    /// Trace of the attention sheaf Laplacian of one block, mean over heads.
    AttentionTrace = "attention-trace": "trace", Tokens, BY_LAYER,
        "off-diagonal attention of a head times its squared Frobenius norm of value weights, mean over the heads of \
         block l";
    /// Mean of the attention trace over blocks.
    MeanAttentionTrace = "mean-attention-trace": "trace", Tokens, SINGLE, "mean of the attention trace over blocks";
    /// Largest change of any logit when the last block's output is scaled, over the range of the logits.
    LogitShift = "logit-shift": "share of range", Tokens, SINGLE,
        "largest |logit change| over the vocabulary when h_L is multiplied by 1/4, 1/2, 2 or 4, over the largest \
         less the smallest logit, last position", NEAR_ZERO;
    /// Mean negative log-probability of the prompt's own next tokens, nats per token.
    Loss = "loss": "nats", Tokens, SINGLE, "mean over positions of -log p of the prompt's own next token", NEAR_ZERO;
    /// Entropy of the next-token distribution read off one layer through final norm and head, nats.
    LensEntropy = "lens-entropy": "nats", Tokens, BY_LAYER,
        "entropy of head(final norm(stream entering block l)) at the last position", NEAR_ZERO;
    /// Share of the variance of token vectors along their first principal direction, at one layer.
    Anisotropy = "anisotropy": "share", Reduction, BY_LAYER,
        "largest eigenvalue over the sum, of the centred covariance of the token vectors of all prompts of a set";
    /// Largest less smallest anisotropy over the layers.
    AnisotropyRange = "anisotropy-range": "share", Reduction, SINGLE,
        "largest less smallest anisotropy over block outputs, layers 1..L";
    /// Exponential of the entropy of the covariance's normalised eigenvalues, at one layer.
    EffectiveRank = "effective-rank": "dimensions", Reduction, BY_LAYER,
        "exp of the entropy of the covariance's eigenvalues over their sum (Roy and Vetterli 2007)";
    /// Mean cosine between different token vectors at one layer.
    MeanCosine = "mean-cosine": "cosine", Reduction, BY_LAYER,
        "mean cosine of pairs of different token vectors, not centred";
    /// Squared Frobenius norm of one head's value weights, mean over the heads of one block.
    ValueWeightSquare = "value-weight-square": "squared norm", Nothing, BY_LAYER,
        "squared Frobenius norm of a query head's value weights, mean over the heads of block l";
    /// The same, mean over blocks.
    MeanValueWeightSquare = "mean-value-weight-square": "squared norm", Nothing, SINGLE,
        "mean of the value weights' square over blocks";
    /// Largest singular value of the embedding.
    EmbeddingSpectralNorm = "embedding-spectral-norm": "norm", Nothing, SINGLE,
        "largest singular value of the embedding";
    /// Frobenius norm of the embedding.
    EmbeddingFrobeniusNorm = "embedding-frobenius-norm": "norm", Nothing, SINGLE, "Frobenius norm of the embedding";
    /// Mean Euclidean norm of the embedding's rows.
    EmbeddingRowNorm = "embedding-row-norm": "norm", Nothing, SINGLE, "mean Euclidean norm of the embedding's rows";
    /// Largest singular value of the unembedding.
    UnembeddingSpectralNorm = "unembedding-spectral-norm": "norm", Nothing, SINGLE,
        "largest singular value of the unembedding";
    /// Frobenius norm of the unembedding.
    UnembeddingFrobeniusNorm = "unembedding-frobenius-norm": "norm", Nothing, SINGLE,
        "Frobenius norm of the unembedding";
    /// Mean Euclidean norm of the unembedding's rows.
    UnembeddingRowNorm = "unembedding-row-norm": "norm", Nothing, SINGLE,
        "mean Euclidean norm of the unembedding's rows";
    /// Standard deviation of the Euclidean norms of the unembedding's rows.
    UnembeddingRowNormSpread = "unembedding-row-norm-spread": "norm", Nothing, SINGLE,
        "standard deviation of the Euclidean norms of the unembedding's rows";
    /// Largest singular value of the unembedding less the mean of its rows.
    UnembeddingCentredSpectralNorm = "unembedding-centred-spectral-norm": "norm", Nothing, SINGLE,
        "largest singular value of the unembedding less the mean of its rows";
    /// Largest singular value of the unembedding with the final norm's weight folded in.
    UnembeddingFoldedSpectralNorm = "unembedding-folded-spectral-norm": "norm", Nothing, SINGLE,
        "largest singular value of the unembedding times diag(final norm weight), rows' mean removed";
}
