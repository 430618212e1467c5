//! A mixture of experts in place of a decoder's MLP, as a config describes it.

use super::{ArchError, Experts, choices::MlpLayers, sizes::sizes};
use crate::nn::{ExpertLayout, experts::Router};

/// A router and experts in place of an MLP.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mixture {
    /// The module of a block that holds the router.
    pub module: &'static str,
    pub router: Router,
    /// Where the experts lie, relative to the block.
    pub experts: &'static str,
    pub layout: ExpertLayout,
    /// The linear layers of an expert.
    pub layers: MlpLayers,
    /// The layers of an expert have biases.
    pub bias: bool,
    /// Components inside an expert.
    pub width: usize,
    pub shared: Option<Shared>,
    /// The weight of the one chosen expert multiplies what it receives, not what it gives.
    pub weighs_input: bool,
}

/// An MLP beside the experts that every token goes through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shared {
    /// Its module, relative to the block.
    pub module: &'static str,
    pub layers: MlpLayers,
    pub width: usize,
    /// The linear layer, relative to the block, whose logistic function is a factor on what the MLP gives.
    pub gate: Option<&'static str>,
}

/// Experts that a model may have, in all blocks together: a mistyped number must not ask for memory.
const MOST_EXPERTS: usize = 1 << 17;

impl Mixture {
    /// Experts of the layers of LLaMA's MLP, in its place.
    pub(super) fn in_mlp(router: Router, width: usize) -> Mixture {
        Mixture {
            module: "mlp",
            router,
            experts: "mlp.experts",
            layout: ExpertLayout::Apart,
            layers: MlpLayers::Gated(["gate_proj", "up_proj", "down_proj"]),
            bias: false,
            width,
            shared: None,
            weighs_input: false,
        }
    }

    /// Experts as Mixtral names them.
    pub(super) fn in_sparse_block(router: Router, width: usize) -> Mixture {
        Mixture {
            module: "block_sparse_moe",
            experts: "block_sparse_moe.experts",
            layers: MlpLayers::Gated(["w1", "w3", "w2"]),
            ..Mixture::in_mlp(router, width)
        }
    }

    pub(super) fn described(&self) -> Experts {
        let Router { experts: count, chosen, .. } = self.router;
        Experts { module: self.experts, count, chosen, layout: self.layout }
    }
}

/// How many experts there are and how many a token chooses, checked; the errors name the keys.
pub(super) fn choice(
    family: &'static str,
    (experts_key, experts): (&'static str, usize),
    (chosen_key, chosen): (&'static str, usize),
    blocks: usize,
) -> Result<(usize, usize), ArchError> {
    sizes(family, &[(experts_key, experts), (chosen_key, chosen)])?;
    let refuse = |reason| Err(ArchError::Config { family, reason });
    if chosen > experts {
        return refuse(format!("`{chosen_key}` = {chosen}; expected at most `{experts_key}` = {experts}"));
    }
    if experts.saturating_mul(blocks) > MOST_EXPERTS {
        return refuse(format!(
            "`{experts_key}` = {experts} in {blocks} blocks; expected at most {MOST_EXPERTS} experts in all"
        ));
    }
    Ok((experts, chosen))
}

/// Whether each block has experts: every `step`-th one that is not listed in `mlp_only_layers`.
pub(super) fn every(
    family: &'static str,
    blocks: usize,
    step: usize,
    mlp_only_layers: &[usize],
) -> Result<Vec<bool>, ArchError> {
    sizes(family, &[("decoder_sparse_step", step)])?;
    if let Some(layer) = mlp_only_layers.iter().find(|layer| **layer >= blocks) {
        let reason = format!("`mlp_only_layers` has {layer}; expected blocks from 0 to {}", blocks - 1);
        return Err(ArchError::Config { family, reason });
    }
    Ok((0..blocks).map(|l| !mlp_only_layers.contains(&l) && (l + 1).is_multiple_of(step)).collect())
}
