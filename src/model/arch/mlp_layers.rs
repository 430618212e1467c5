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
    /// Tensors: the columns of the gate before those of up, down, both the other way round than those above.
    Columns([&'static str; 2]),
    /// The same with columns of gate and up in turn, biases, and bounds.
    Pairs([&'static str; 2], Bounded),
    /// Tensors: gate, up, and down the other way round.
    Rows([&'static str; 3]),
}

impl MlpLayers {
    pub(super) fn are_gated(&self) -> bool {
        !matches!(self, MlpLayers::Plain(_))
    }
}
