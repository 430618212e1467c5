//! What a family that is read from GGUF is: what llama.cpp calls its tensors and keys, and what its class does.

use super::{
    error::{GgufError, OTHER},
    metadata::Metadata,
    source::{Config, Source},
    value::spelled,
};

/// One family.
pub(super) struct Family {
    /// `general.architecture`.
    pub architecture: &'static str,
    /// Of a `config.json`.
    pub model_type: &'static str,
    /// A tensor that files of this kind of the family have, where it has several kinds.
    pub marked_by: Option<&'static str>,
    /// Modules outside blocks.
    pub outside: &'static [Module],
    /// Where blocks lie in a checkpoint, e.g. `model.layers`.
    pub layers: &'static str,
    /// Modules of a block; those of many families, and its own.
    pub modules: [&'static [Module]; 2],
    /// The key of the norms' epsilon, and its name in a config.
    pub epsilon: (&'static str, &'static str),
    /// What files do not say: the activation of the class.
    pub activation: &'static str,
    /// The name in a config of the share of a head that positions turn, if it can be a part.
    pub rotary_share: Option<&'static str>,
    /// Keys of a config that say whether there are biases, and a tensor that is there if so.
    pub biases: &'static [(&'static str, &'static str)],
    /// Keys that this family alone reads.
    pub keys: &'static [&'static str],
    /// Adds to the config what is the family's own.
    pub own: fn(&Source<'_>, &mut Config) -> Result<(), GgufError>,
}

/// A module of a file, and where a checkpoint has it.
pub(super) struct Module {
    /// In the file, without block, `weight` and `bias`.
    pub file: &'static str,
    /// In a checkpoint, likewise.
    pub name: &'static str,
    pub kept: Kept,
}

/// How a file keeps a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// As a checkpoint has it.
    Same,
    /// Rows interleaved by heads, whose number is under this key.
    Interleaved(&'static str),
    /// Queries, keys and values in turn, not group by group.
    Ungrouped,
    /// Matrices transposed.
    Transposed,
    /// Factors of a norm, of which a checkpoint has the distance from 1.
    PlusOne,
    /// One matrix with a row for every head, where a checkpoint has a tensor for each: `<name>.<head>.weight`.
    Stacked,
}

/// What a tensor is to a family.
pub(super) enum Known {
    /// A weight under this name.
    Weight {
        /// In a checkpoint.
        name: String,
        kept: Kept,
    },
    /// The rows of queries, of keys and of values, which are weights of their own.
    Fused([(String, Kept); 3]),
    /// Nothing that is not in the config: tables that follow from it, or numbers that were read into it.
    OfConfig,
    /// Not known.
    Nothing,
}

/// Keys of a family, after its name, that are read into the config.
const READ: &[&str] = &[
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.value_length",
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.scale_linear",
    "rope.scaling.attn_factor",
    "rope.scaling.factor",
    "rope.scaling.original_context_length",
    "rope.scaling.type",
    "rope.scaling.yarn_attn_factor",
    "rope.scaling.yarn_beta_fast",
    "rope.scaling.yarn_beta_slow",
    "vocab_size",
];

/// Keys that say where a file comes from; no computation follows from them.
const TOLD: &[&str] = &["rope.scaling.finetuned", "tensor_data_layout"];

/// Keys that change the computation, and the one value of each that is computed where a family does not read it.
const ONLY: &[(&str, &str)] = &[
    ("attention.causal", "true"),
    ("attention.sliding_window", "0"),
    ("expert_count", "0"),
    ("expert_used_count", "0"),
    ("pooling_type", "0"),
    ("rope.scaling.yarn_ext_factor", "1"),
    ("use_parallel_residual", "false"),
];

impl Family {
    /// What a tensor of a file is.
    pub(super) fn known(&self, tensor: &str) -> Known {
        const FUSED: &str = "attn_qkv";
        if super::rope::TENSORS.contains(&tensor) {
            return Known::OfConfig;
        }
        let Some((block, rest)) = tensor.strip_prefix("blk.").and_then(|rest| rest.split_once('.')) else {
            let known = part(tensor).and_then(|(module, part)| weight(self.outside.iter(), "", module, part));
            return known.map_or(Known::Nothing, |(name, kept)| Known::Weight { name, kept });
        };
        // As it is spelled: `blk.01` is no block.
        let numbered = block.parse::<u32>().is_ok_and(|number| number.to_string() == block);
        let Some((module, part)) = part(rest).filter(|_| numbered) else { return Known::Nothing };
        let base = format!("{}.{block}.", self.layers);
        let find = |module| weight(self.modules.iter().copied().flatten(), &base, module, part);
        if let Some((name, kept)) = find(module) {
            return Known::Weight { name, kept };
        }
        match module {
            "attn_rot_embd" => Known::OfConfig,
            FUSED => match (find("attn_q"), find("attn_k"), find("attn_v")) {
                (Some(q), Some(k), Some(v)) => Known::Fused([q, k, v]),
                _ => Known::Nothing,
            },
            _ => Known::Nothing,
        }
    }

    /// The name in a file of a weight of a checkpoint, where the file keeps it as a tensor of its own.
    pub(super) fn name_in_file(&self, tensor: &str) -> Option<String> {
        let named = |modules: &[Module], name: &str| {
            let (module, part) = part(name)?;
            let known = modules.iter().find(|known| known.name == module)?;
            Some(format!("{}.{part}", known.file))
        };
        let in_block = || {
            let (block, rest) = tensor.strip_prefix(self.layers)?.strip_prefix('.')?.split_once('.')?;
            let name = self.modules.iter().find_map(|modules| named(modules, rest))?;
            Some(format!("blk.{block}.{name}"))
        };
        named(self.outside, tensor).or_else(in_block)
    }

    /// A key of the family that is not known may change what is computed.
    pub(super) fn refuse_unknown_keys(&self, metadata: &Metadata<'_>) -> Result<(), GgufError> {
        let prefix = format!("{}.", self.architecture);
        for key in metadata.keys() {
            let Some(name) = key.strip_prefix(&prefix) else { continue };
            if name == self.epsilon.0 || [READ, TOLD, self.keys].iter().any(|known| known.contains(&name)) {
                continue;
            }
            let found = metadata.get(key).map(spelled).unwrap_or_default();
            match ONLY.iter().find(|(known, _)| *known == name) {
                Some((_, computed)) if found == *computed => {}
                Some((_, computed)) => return Err(metadata.refuse(key, computed, found, OTHER)),
                None => return Err(metadata.refuse(key, "a key that is computed with", found, OTHER)),
            }
        }
        Ok(())
    }
}

/// A module's name, and `weight` or `bias`.
fn part(tensor: &str) -> Option<(&str, &str)> {
    tensor.rsplit_once('.').filter(|(_, part)| ["weight", "bias"].contains(part))
}

/// The name in a checkpoint of one part of a module, and how the file keeps it.
fn weight<'m>(
    mut modules: impl Iterator<Item = &'m Module>,
    base: &str,
    module: &str,
    part: &str,
) -> Option<(String, Kept)> {
    let Module { name, kept, .. } = modules.find(|known| known.file == module)?;
    Some((format!("{base}{name}.{part}"), *kept))
}
