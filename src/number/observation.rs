//! Observations: what one forward pass showed of one prompt, before any protocol is applied.

use std::collections::BTreeSet;

use ndarray::{Array1, Array2};

use base::named_enum;

/// What was seen at every tap for one prompt of T tokens through L blocks of H query heads, all float32, norms L2 over
/// the width D.
///
/// Layer index l of `resid`, `max_abs` and `lens_entropy_nats` is the stream *entering* block l; index L is the last
/// block's output before the final norm. `attn_out[l]` and `mlp_out[l]` are what block l adds to the stream (after any
/// norm inside the branch).
///
/// A decoder of another tool does not show all of this: norms that it does not give are NaN, its heads are unknown (H = 0)
/// and the options empty.
#[derive(Clone, Debug, PartialEq)]
pub struct PromptObservation {
    /// Token ids as run, BOS included, `[T]`.
    pub token_ids: Vec<u32>,
    /// ‖h_l,t‖, `[L+1, T]`.
    pub resid: Array2<f32>,
    /// ‖attention write‖, `[L, T]`.
    pub attn_out: Array2<f32>,
    /// ‖MLP write‖, `[L, T]`.
    pub mlp_out: Array2<f32>,
    /// ‖what the attention module receives‖, after the norm before it, where there is one, `[L, T]`.
    pub attn_module_in: Array2<f32>,
    /// ‖what the attention module gives‖, before the norm that follows it, where there is one, `[L, T]`.
    pub attn_module_out: Array2<f32>,
    /// The same of the MLP, `[L, T]`.
    pub mlp_module_in: Array2<f32>,
    /// The same of the MLP, `[L, T]`.
    pub mlp_module_out: Array2<f32>,
    /// ‖w_l,t‖ of all that block l adds, both writes as one vector, `[L, T]`.
    pub write: Array2<f32>,
    /// Cosine of h_l,t and w_l,t, 0 where one of them is 0, `[L, T]`.
    pub write_cosine: Array2<f32>,
    /// Largest |component| of h_l,t, `[L+1, T]`.
    pub max_abs: Array2<f32>,
    /// Attention probability off the diagonal, summed over query tokens, by query head, `[L, H]`.
    pub attn_off_diagonal: Array2<f32>,
    /// ‖final norm(h_L,t)‖, `[T]`.
    pub final_norm: Array1<f32>,
    /// Entropy of the next-token distribution at the last position, nats.
    pub entropy_nats: f32,
    /// Largest |change| of a logit of the last position when h_L is multiplied by one of [`SCALES`], over the largest less
    /// the smallest logit; `None` where all logits are equal.
    pub logit_shift: Option<f32>,
    /// The most probable next tokens at the last position, by falling probability (ties: lower id first).
    pub top: Vec<TopToken>,
    /// [`Extra::Loss`]: mean over positions 1..T-1 of -log p of the token there given those before it, nats; `None` for a
    /// single token.
    pub loss_nats: Option<f32>,
    /// [`Extra::Lens`]: entropy of head(final norm(h_l)) at the last position, nats, `[L+1]`.
    pub lens_entropy_nats: Option<Array1<f32>>,
}

/// One candidate continuation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TopToken {
    pub id: u32,
    pub prob: f32,
}

named_enum! {
    /// What is observed only where a prompt set asks for it: it takes the head more often.
    Extra, "extra" {
        /// Loss of the prompt's own tokens.
        Loss = "loss",
        /// Entropy of the next-token distribution read off every layer.
        Lens = "lens",
    }
}

/// The extras that were asked for.
pub type Extras = BTreeSet<Extra>;

/// The name of the branch that mixes tokens by attention.
pub const ATTENTION: &str = "attn";

/// The name of the branch that works on each token by itself.
pub const MLP: &str = "mlp";

/// How many top tokens an observation keeps (fewer when the vocabulary is smaller).
pub const TOP_K: usize = 5;

/// What h_L is multiplied by for `logit_shift`.
pub const SCALES: [f32; 4] = [0.25, 0.5, 2.0, 4.0];

/// Names, in tables and files, of what is observed for each block and token.
pub const BY_BLOCK: [&str; 8] = [
    "attn_out",
    "mlp_out",
    "attn_module_in",
    "attn_module_out",
    "mlp_module_in",
    "mlp_module_out",
    "write",
    "write_cosine",
];

impl PromptObservation {
    /// T.
    pub fn tokens(&self) -> usize {
        self.token_ids.len()
    }

    /// L.
    pub fn blocks(&self) -> usize {
        self.attn_out.nrows()
    }

    /// Every `[L, T]` table by its name, in the order of [`BY_BLOCK`].
    pub fn by_block(&self) -> [(&'static str, &Array2<f32>); BY_BLOCK.len()] {
        let [attn_out, mlp_out, attn_in, attn, mlp_in, mlp, write, cosine] = BY_BLOCK;
        [
            (attn_out, &self.attn_out),
            (mlp_out, &self.mlp_out),
            (attn_in, &self.attn_module_in),
            (attn, &self.attn_module_out),
            (mlp_in, &self.mlp_module_in),
            (mlp, &self.mlp_module_out),
            (write, &self.write),
            (cosine, &self.write_cosine),
        ]
    }
}
