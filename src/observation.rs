//! Observations: what one forward pass showed of one prompt, before any protocol is applied.

use ndarray::{Array1, Array2};

/// Norms at every tap for one prompt of T tokens through L blocks, all float32, L2 over the width D.
///
/// Layer index l of `resid` and `max_abs` is the stream *entering* block l; index L is the last block's
/// output before the final norm. `attn_out[l]` and `mlp_out[l]` are what block l adds to the stream
/// (after any norm inside the branch).
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
    /// Largest |component| of h_l,t, `[L+1, T]`.
    pub max_abs: Array2<f32>,
    /// ‖final norm(h_L,t)‖, `[T]`.
    pub final_norm: Array1<f32>,
    /// Entropy of the next-token distribution at the last position, nats.
    pub entropy_nats: f32,
    /// The most probable next tokens at the last position, by falling probability (ties: lower id first).
    pub top: Vec<TopToken>,
}

/// One candidate continuation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TopToken {
    pub id: u32,
    pub prob: f32,
}

/// How many top tokens an observation keeps (fewer when the vocabulary is smaller).
pub const TOP_K: usize = 5;

impl PromptObservation {
    /// T.
    pub fn tokens(&self) -> usize {
        self.token_ids.len()
    }

    /// L.
    pub fn blocks(&self) -> usize {
        self.attn_out.nrows()
    }
}
