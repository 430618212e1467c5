//! Where the tensors of a family lie in a checkpoint.

use crate::checkpoint::Checkpoint;

/// Where a family's tensors lie in a checkpoint.
#[derive(Clone, Debug)]
pub struct Names {
    /// Prefixes of the base model that checkpoints use, the usual one first, e.g. `model.`; checkpoints of the bare base
    /// model have none.
    pub base: &'static [&'static str],
    /// Block l is `<base><layers>.<l>`, e.g. `layers`.
    pub layers: &'static str,
    /// Relative to the base model.
    pub embedding: &'static str,
    /// Full names the head tensor goes by, the usual one first; a checkpoint has one of them, unless the head is tied.
    pub unembedding: &'static [&'static str],
    /// Full name of the head's bias `[vocabulary]`, if the family has one.
    pub unembedding_bias: Option<&'static str>,
    /// The head is the embedding matrix.
    pub tied: bool,
    /// How names of what older exports keep beside the weights of a block end: tables and masks that follow from the
    /// config. Nothing reads them.
    pub buffers: &'static [&'static str],
    /// Blocks after the last one, which predict further tokens: they write nothing to the stream, and nothing reads them.
    pub further: usize,
}

/// How the names of tables end that exports of many families keep in a block, at any depth: rotary frequencies and their
/// cosines and sines, positions, slopes of ALiBi, and what a mask is filled with. They follow from the config, and the
/// reference reads none of them.
const TABLES: [&str; 12] = [
    ".inv_freq",
    ".original_inv_freq",
    ".cos_cached",
    ".sin_cached",
    ".cos_cache",
    ".sin_cache",
    ".rotary_emb.freqs",
    ".embed_positions",
    ".position_ids",
    ".masked_bias",
    ".causal_mask",
    ".alibi",
];

/// How names end of the one number by which what runs or quantises a model rounds activations and the cache of keys and values.
const SCALES_OF_ACTIVATIONS: [&str; 6] =
    [".input_scale", ".output_scale", ".q_scale", ".k_scale", ".v_scale", ".kv_scale"];
/// What Transformer Engine keeps of its own state.
const STATE: &str = "._extra_state";

impl Names {
    /// Whether a tensor of a block is no weight. It follows from the config: by its name, or as a causal mask `[1, 1, n, n]`, which
    /// attention of any family may have kept under `bias`; or it is how another tool rounds what it computes.
    pub(super) fn is_buffer(&self, tensor: &str, shape: &[usize]) -> bool {
        let ends = |ends: &[&str]| ends.iter().any(|end| tensor.ends_with(end));
        let is_mask = matches!(*shape, [1, 1, rows, columns] if rows == columns) && tensor.ends_with(".bias");
        let is_scale = matches!(shape, [] | [1]) && ends(&SCALES_OF_ACTIVATIONS);
        is_mask || is_scale || tensor.ends_with(STATE) || ends(self.buffers) || ends(&TABLES)
    }

    /// Whether a tensor, named from the number of its block on, lies in one of the blocks after the last of `blocks`.
    pub(super) fn is_further(&self, tensor: &str, blocks: usize) -> bool {
        let number = tensor.split('.').next().and_then(|number| number.parse::<usize>().ok());
        number.and_then(|number| number.checked_sub(blocks)).is_some_and(|after| after < self.further)
    }

    /// As LLaMA's class has them, and many after it.
    pub fn like_llama(tied: bool) -> Names {
        Names {
            base: &["model."],
            layers: "layers",
            embedding: "embed_tokens.weight",
            unembedding: &["lm_head.weight"],
            unembedding_bias: None,
            tied,
            buffers: &[".rotary_emb.inv_freq"],
            further: 0,
        }
    }
}

/// Exports of the bare base model lack the prefix; the embedding, which every checkpoint has, decides.
pub(super) fn base(names: &Names, checkpoint: &Checkpoint) -> &'static str {
    let usual = names.base.first().copied().unwrap_or_default();
    let mut prefixes = names.base.iter().copied().chain([""]);
    prefixes.find(|prefix| checkpoint.has(&format!("{prefix}{}", names.embedding))).unwrap_or(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_as_many_blocks_are_further_as_the_config_says() {
        let names = Names { further: 1, ..Names::like_llama(false) };
        let of = |tensor| names.is_further(tensor, 2);
        assert!(of("2.mlp.gate.weight"));
        assert!(!of("1.mlp.gate.weight") && !of("3.mlp.gate.weight") && !of("x.weight"));
        assert!(!Names::like_llama(false).is_further("2.mlp.gate.weight", 2));
    }
}
