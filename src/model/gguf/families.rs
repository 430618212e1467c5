//! The families that are read from GGUF: what llama.cpp calls their tensors and keys, and what their classes do.
//!
//! Names: `constants.py` and `tensor_mapping.py` of the `gguf` package.

use super::{
    error::{GgufError, OTHER},
    metadata::{Metadata, spelled},
};

/// One family.
pub(super) struct Family {
    /// `general.architecture`.
    pub architecture: &'static str,
    /// Of a `config.json`.
    pub model_type: &'static str,
    /// Tensors outside blocks, and their names in a checkpoint.
    outside: &'static [(&'static str, &'static str)],
    /// Modules of a block, and their names in a block of a checkpoint; those of many families, and its own.
    modules: [&'static [(&'static str, &'static str)]; 2],
    /// Of these modules the rows are interleaved by heads, whose number is under this key.
    interleaved: &'static [(&'static str, &'static str)],
    /// Keys of a config that say whether there are biases, and a tensor that is there if so.
    pub biases: &'static [(&'static str, &'static str)],
}

/// What a tensor is to a family.
pub(super) enum Known {
    /// A weight under this name.
    Weight {
        /// In a checkpoint.
        name: String,
        /// The key of the number of heads that its rows are interleaved by.
        heads: Option<&'static str>,
    },
    /// Nothing that is not in the config: tables that follow from it, or numbers that were read into it.
    OfConfig,
    /// Not known.
    Nothing,
}

const OUTSIDE: &[(&str, &str)] = &[
    ("token_embd.weight", "model.embed_tokens.weight"),
    ("output_norm.weight", "model.norm.weight"),
    ("output.weight", "lm_head.weight"),
];
const BLOCK: &[(&str, &str)] = &[
    ("attn_norm", "input_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_output", "self_attn.o_proj"),
    ("ffn_norm", "post_attention_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
];

const ATTENTION_BIAS: (&str, &str) = ("attention_bias", "blk.0.attn_q.bias");

static FAMILIES: &[Family] = &[
    Family {
        architecture: "llama",
        model_type: "llama",
        outside: OUTSIDE,
        modules: [BLOCK, &[]],
        interleaved: &[("attn_q", "attention.head_count"), ("attn_k", "attention.head_count_kv")],
        biases: &[ATTENTION_BIAS, ("mlp_bias", "blk.0.ffn_up.bias")],
    },
    Family {
        architecture: "qwen2",
        model_type: "qwen2",
        outside: OUTSIDE,
        modules: [BLOCK, &[]],
        interleaved: &[],
        biases: &[],
    },
    Family {
        architecture: "qwen3",
        model_type: "qwen3",
        outside: OUTSIDE,
        modules: [BLOCK, &[("attn_q_norm", "self_attn.q_norm"), ("attn_k_norm", "self_attn.k_norm")]],
        interleaved: &[],
        biases: &[ATTENTION_BIAS],
    },
];

/// Keys of a family, after its name, that are read into the config.
const READ: &[&str] = &[
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.layer_norm_rms_epsilon",
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

/// Keys that change the computation, and the one value of each that is computed.
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
    /// The family of a file.
    pub(super) fn of(metadata: &Metadata<'_>) -> Result<&'static Family, GgufError> {
        const KIND: &str = "general.type";
        const NAME: &str = "general.architecture";
        if let Some(kind) = metadata.text(KIND)?.filter(|kind| *kind != "model") {
            return Err(metadata.refuse(
                KIND,
                "a model",
                format!("{kind:?}"),
                "give the file of the model itself",
            ));
        }
        let found = metadata.need(NAME, "the name of a family", metadata.text(NAME)?)?;
        FAMILIES.iter().find(|family| family.architecture == found).ok_or_else(|| {
            let known: Vec<&str> = FAMILIES.iter().map(|family| family.architecture).collect();
            let expected = format!("a family that is read from GGUF ({})", known.join(", "));
            metadata.refuse(NAME, &expected, format!("{found:?}"), OTHER)
        })
    }

    /// A key of this family.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.architecture)
    }

    /// What a tensor of a file is.
    pub(super) fn known(&self, tensor: &str) -> Known {
        let weight = |name: String, heads| Known::Weight { name, heads };
        if let Some((_, name)) = self.outside.iter().find(|(known, _)| *known == tensor) {
            return weight((*name).to_string(), None);
        }
        if tensor == super::rope::FACTORS {
            return Known::OfConfig;
        }
        let Some((block, rest)) = tensor.strip_prefix("blk.").and_then(|rest| rest.split_once('.')) else {
            return Known::Nothing;
        };
        // As it is spelled: `blk.01` is no block.
        let numbered = block.parse::<u32>().is_ok_and(|number| number.to_string() == block);
        let Some((module, part)) = rest.split_once('.').filter(|_| numbered) else { return Known::Nothing };
        if module == "attn_rot_embd" {
            return Known::OfConfig;
        }
        match self.modules.iter().copied().flatten().find(|(known, _)| *known == module) {
            Some((_, name)) if part == "weight" || part == "bias" => {
                let heads = self.interleaved.iter().find(|(known, _)| *known == module).map(|(_, key)| *key);
                weight(format!("model.layers.{block}.{name}.{part}"), heads)
            }
            _ => Known::Nothing,
        }
    }

    /// A key of the family that is not known may change what is computed.
    pub(super) fn refuse_unknown_keys(&self, metadata: &Metadata<'_>) -> Result<(), GgufError> {
        let prefix = self.key("");
        for key in metadata.keys() {
            let Some(name) = key.strip_prefix(&prefix) else { continue };
            if READ.contains(&name) || TOLD.contains(&name) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_are_known_by_their_whole_names() {
        let name = |tensor: &str| match FAMILIES[0].known(tensor) {
            Known::Weight { name, heads } => format!("{name} {}", heads.unwrap_or("-")),
            Known::OfConfig => "config".into(),
            Known::Nothing => "nothing".into(),
        };
        assert_eq!(name("blk.12.ffn_up.weight"), "model.layers.12.mlp.up_proj.weight -");
        assert_eq!(name("blk.0.attn_k.bias"), "model.layers.0.self_attn.k_proj.bias attention.head_count_kv");
        assert_eq!(name("output.weight"), "lm_head.weight -");
        assert_eq!(name("rope_freqs.weight"), "config");
        for other in
            ["blk.01.ffn_up.weight", "blk.0.ffn_up.scale", "blk.0.ffn_up", "blk.0.ffn_gate_exps.weight", "x"]
        {
            assert_eq!(name(other), "nothing", "{other}");
        }
    }
}
