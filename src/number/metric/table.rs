//! The table of metrics: unit, definition, and which parts of a protocol a metric's value depends on.

use super::Metric;
use super::law::Depends;

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
}

impl Description {
    /// Whether a row of this metric must carry a protocol.
    pub fn needs_protocol(&self) -> bool {
        self.depends != Depends::Nothing
    }
}

impl Metric {
    /// Unit and definition of the metric, and what its number depends on.
    pub const fn describe(self) -> Description {
        use Depends::{Everything, Nothing, Reduction as Reduced, Tokens};
        let (unit, depends, per_layer, definition) = match self {
            Metric::LastGain => {
                ("ratio", Everything, false, "the endpoint's norm over the norm one step below it")
            }
            Metric::CumulativeGain => {
                ("ratio", Everything, false, "the endpoint's norm over the norm entering block 0")
            }
            Metric::GainAfterFirstBlock => {
                ("ratio", Everything, false, "the endpoint's norm over the first block's output norm")
            }
            Metric::ResidualNorm => {
                ("norm", Reduced, true, "norm of the stream entering block l; l = L: the last block's output")
            }
            Metric::LayerGain => {
                ("ratio", Reduced, true, "residual norm at layer l over layer l-1, l = 1..L")
            }
            Metric::EmbeddingNorm => ("norm", Reduced, false, "norm of the stream entering block 0"),
            Metric::AttentionWrite => {
                ("norm", Reduced, true, "norm of what attention adds to the stream in block l")
            }
            Metric::MlpWrite => ("norm", Reduced, true, "norm of what the MLP adds to the stream in block l"),
            Metric::FirstTokenShare => (
                "ratio",
                Tokens,
                true,
                "residual norm of the first token over the mean of the others, at layer l",
            ),
            Metric::OutputEntropy => {
                ("nats", Tokens, false, "entropy of the next-token distribution at the last position")
            }
            Metric::TopProbability => {
                ("probability", Tokens, false, "probability of the most probable next token")
            }
            Metric::TokenCount => ("tokens", Tokens, false, "tokens run, BOS included"),
            Metric::AttentionGain => {
                ("ratio", Reduced, true, "attention's output norm over its normalised input's norm, block l")
            }
            Metric::MlpGain => {
                ("ratio", Reduced, true, "the MLP's output norm over its normalised input's norm, block l")
            }
            Metric::ModuleGainProduct => {
                ("ratio", Reduced, true, "attention gain times MLP gain of block l; not a gain of the stream")
            }
            // The reduction pools the token vectors of a statement here.
            Metric::EmbeddingCorrelation => (
                "correlation",
                Reduced,
                true,
                "Pearson r over statement pairs A, B at layer l: cosine of the pooled tokens with the mean of their \
                 side, A less B, against the loss of B less A",
            ),
            Metric::WriteNorm => ("norm", Reduced, true, "norm of all that block l adds to the stream"),
            Metric::WriteCosine => (
                "cosine",
                Reduced,
                true,
                "cosine of the stream entering block l and what the block adds to it; for mean reductions the mean over \
                 tokens, for frobenius that of the two matrices",
            ),
            Metric::ReconstructedGain => (
                "ratio",
                Reduced,
                true,
                "sqrt(1 + 2 r c + r^2) with r = write norm over residual norm and c = write cosine, layer l; for mean \
                 reductions from each token's own r and c",
            ),
            Metric::AttentionOverResidual => {
                ("ratio", Reduced, true, "attention write over the norm of the stream entering block l")
            }
            Metric::MlpOverResidual => {
                ("ratio", Reduced, true, "MLP write over the norm of the stream entering block l")
            }
            Metric::ContractingAttentionShare => {
                ("share", Reduced, false, "share of the blocks whose attention gain is below 1")
            }
            Metric::FirstTokenNorm => {
                ("norm", Tokens, true, "norm of the first token, BOS included, entering block l")
            }
            Metric::FirstTokenGain => {
                ("ratio", Tokens, true, "norm of the first token at layer l over layer l-1, l = 1..L")
            }
            Metric::JumpLayer => ("layer", Reduced, false, "the l = 1..L whose layer gain is the largest"),
            Metric::JumpGainFirst => (
                "ratio",
                Tokens,
                false,
                "gain of the first token at the layer with the largest Frobenius layer gain",
            ),
            Metric::JumpGainRest => (
                "ratio",
                Tokens,
                false,
                "mean norm of the other tokens over that one layer below, at the layer with the largest Frobenius layer \
                 gain",
            ),
            Metric::PlateauRatio => (
                "ratio",
                Reduced,
                false,
                "largest over smallest residual norm from the layer with the largest gain to layer L-1",
            ),
            Metric::NormRange => {
                ("ratio", Reduced, false, "largest over smallest residual norm over the layers 1..L")
            }
            Metric::PositionSlope => (
                "slope",
                Tokens,
                false,
                "least-squares slope of log(norm at L over norm at L-1) of each token on log(position), positions 1, 2, ...",
            ),
            Metric::AttentionOffDiagonal => (
                "tokens",
                Tokens,
                true,
                "attention probability off the diagonal, summed over query tokens, mean over the heads of block l",
            ),
            Metric::AttentionTrace => (
                "trace",
                Tokens,
                true,
                "off-diagonal attention of a head times its squared Frobenius norm of value weights, mean over the heads \
                 of block l",
            ),
            Metric::MeanAttentionTrace => ("trace", Tokens, false, "mean of the attention trace over blocks"),
            Metric::LogitShift => (
                "share of range",
                Tokens,
                false,
                "largest |logit change| over the vocabulary when h_L is multiplied by 1/4, 1/2, 2 or 4, over the largest \
                 less the smallest logit, last position",
            ),
            Metric::Loss => {
                ("nats", Tokens, false, "mean over positions of -log p of the prompt's own next token")
            }
            Metric::LensEntropy => (
                "nats",
                Tokens,
                true,
                "entropy of head(final norm(stream entering block l)) at the last position",
            ),
            Metric::Anisotropy => (
                "share",
                Reduced,
                true,
                "largest eigenvalue over the sum, of the centred covariance of the token vectors of all prompts of a set",
            ),
            Metric::AnisotropyRange => {
                ("share", Reduced, false, "largest less smallest anisotropy over block outputs, layers 1..L")
            }
            Metric::EffectiveRank => (
                "dimensions",
                Reduced,
                true,
                "exp of the entropy of the covariance's eigenvalues over their sum (Roy and Vetterli 2007)",
            ),
            Metric::MeanCosine => {
                ("cosine", Reduced, true, "mean cosine of pairs of different token vectors, not centred")
            }
            Metric::ValueWeightSquare => (
                "squared norm",
                Nothing,
                true,
                "squared Frobenius norm of a query head's value weights, mean over the heads of block l",
            ),
            Metric::MeanValueWeightSquare => {
                ("squared norm", Nothing, false, "mean of the value weights' square over blocks")
            }
            Metric::EmbeddingSpectralNorm => {
                ("norm", Nothing, false, "largest singular value of the embedding")
            }
            Metric::EmbeddingFrobeniusNorm => ("norm", Nothing, false, "Frobenius norm of the embedding"),
            Metric::EmbeddingRowNorm => {
                ("norm", Nothing, false, "mean Euclidean norm of the embedding's rows")
            }
            Metric::UnembeddingSpectralNorm => {
                ("norm", Nothing, false, "largest singular value of the unembedding")
            }
            Metric::UnembeddingFrobeniusNorm => ("norm", Nothing, false, "Frobenius norm of the unembedding"),
            Metric::UnembeddingRowNorm => {
                ("norm", Nothing, false, "mean Euclidean norm of the unembedding's rows")
            }
            Metric::UnembeddingRowNormSpread => (
                "norm",
                Nothing,
                false,
                "standard deviation of the Euclidean norms of the unembedding's rows",
            ),
            Metric::UnembeddingCentredSpectralNorm => (
                "norm",
                Nothing,
                false,
                "largest singular value of the unembedding less the mean of its rows",
            ),
            Metric::UnembeddingFoldedSpectralNorm => (
                "norm",
                Nothing,
                false,
                "largest singular value of the unembedding times diag(final norm weight), rows' mean removed",
            ),
        };
        Description { unit, definition, depends, per_layer }
    }
}
