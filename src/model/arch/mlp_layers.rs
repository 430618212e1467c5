//! The linear layers of an MLP or of an expert, by their names.

use crate::nn::expert_mlp::Bounded;

/// The linear layers of an MLP, by their names.
#[derive(Clone, Copy, Debug)]
pub(super) enum MlpLayers {
    /// Gate, up, down.
    Gated([&'static str; 3]),
    /// Gate and up in one matrix, down.
    GatedFused([&'static str; 2]),
    /// The same, by the names of the tensors themselves, which end in no `.weight`.
    GatedTensors([&'static str; 2]),
    /// In, out.
    Plain([&'static str; 2]),
    /// Tensors: gate and up `[D, 2·inner]`, the gate's columns first, and down `[inner, D]`.
    Columns([&'static str; 2]),
    /// The same with columns of gate and up in turn, biases, and bounds.
    Pairs([&'static str; 2], Bounded),
    /// Tensors: gate `[inner, D]`, up `[inner, D]`, and down `[inner, D]`.
    Rows([&'static str; 3]),
}

impl MlpLayers {
    pub(super) fn are_gated(&self) -> bool {
        !matches!(self, MlpLayers::Plain(_))
    }
}
