//! The families that are read from GGUF.
//!
//! Names: `constants.py` and `tensor_mapping.py` of the `gguf` package. How a file keeps a module, and what a family reads:
//! `convert_hf_to_gguf.py` of llama.cpp and its `conversion` folder, for what files do not say the models' classes.

use super::{
    family::{Family, Kept, Module},
    own,
};

const RMS: (&str, &str) = ("attention.layer_norm_rms_epsilon", "rms_norm_eps");
const LAYER_NORM: &str = "attention.layer_norm_epsilon";
const SILU: &str = "silu";
const GELU: &str = "gelu";
const GELU_TANH: &str = "gelu_pytorch_tanh";

const fn same(file: &'static str, name: &'static str) -> Module {
    kept(Kept::Same, file, name)
}

const fn kept(kept: Kept, file: &'static str, name: &'static str) -> Module {
    Module { file, name, kept }
}

const OUTSIDE: &[Module] =
    &[same("token_embd", "model.embed_tokens"), same("output_norm", "model.norm"), same("output", "lm_head")];
/// Of LLaMA and those like it: what attention and MLP are made of, where q and k are as a checkpoint has them.
const APART: &[Module] = &[
    same("attn_q", "self_attn.q_proj"),
    same("attn_k", "self_attn.k_proj"),
    same("attn_v", "self_attn.v_proj"),
    same("attn_output", "self_attn.o_proj"),
    same("ffn_gate", "mlp.gate_proj"),
    same("ffn_up", "mlp.up_proj"),
    same("ffn_down", "mlp.down_proj"),
];
const NORMS_BEFORE: &[Module] =
    &[same("attn_norm", "input_layernorm"), same("ffn_norm", "post_attention_layernorm")];
const ATTENTION_BIAS: (&str, &str) = ("attention_bias", "blk.0.attn_q.bias");

/// A family of which the rows say what it has of its own.
const LIKE_LLAMA: Family = Family {
    architecture: "",
    model_type: "",
    marked_by: None,
    outside: OUTSIDE,
    layers: "model.layers",
    modules: [APART, NORMS_BEFORE],
    epsilon: RMS,
    activation: SILU,
    rotary_share: None,
    biases: &[],
    keys: &[],
    own: |_, _| Ok(()),
};

/// Sorted by architecture.
pub(super) static FAMILIES: &[Family] = &[
    Family {
        architecture: "apertus",
        model_type: "apertus",
        modules: [
            APART,
            &[
                same("attn_norm", "attention_layernorm"),
                same("ffn_norm", "feedforward_layernorm"),
                same("attn_q_norm", "self_attn.q_norm"),
                same("attn_k_norm", "self_attn.k_norm"),
            ],
        ],
        activation: "xielu",
        biases: &[ATTENTION_BIAS],
        own: own::apertus,
        ..LIKE_LLAMA
    },
    Family {
        architecture: "bloom",
        model_type: "bloom",
        outside: &[
            same("token_embd", "transformer.word_embeddings"),
            same("token_embd_norm", "transformer.word_embeddings_layernorm"),
            same("output_norm", "transformer.ln_f"),
            same("output", "lm_head"),
        ],
        layers: "transformer.h",
        modules: [
            NORMS_BEFORE,
            &[
                kept(Kept::Ungrouped, "attn_qkv", "self_attention.query_key_value"),
                same("attn_output", "self_attention.dense"),
                same("ffn_up", "mlp.dense_h_to_4h"),
                same("ffn_down", "mlp.dense_4h_to_h"),
            ],
        ],
        epsilon: (LAYER_NORM, "layer_norm_epsilon"),
        activation: GELU,
        own: own::bloom,
        ..LIKE_LLAMA
    },
    Family {
        architecture: "command-r",
        model_type: "cohere",
        modules: [
            APART,
            &[
                same("attn_norm", "input_layernorm"),
                same("attn_q_norm", "self_attn.q_norm"),
                same("attn_k_norm", "self_attn.k_norm"),
            ],
        ],
        epsilon: (LAYER_NORM, "layer_norm_eps"),
        biases: &[ATTENTION_BIAS, ("use_qk_norm", "blk.0.attn_q_norm.weight")],
        keys: &["logit_scale"],
        own: own::cohere,
        ..LIKE_LLAMA
    },
    Family {
        marked_by: Some("blk.0.attn_norm_2.weight"),
        modules: [FALCON_BLOCK, &[same("attn_norm", "ln_mlp"), same("attn_norm_2", "ln_attn")]],
        ..FALCON
    },
    FALCON,
    Family {
        architecture: "gemma",
        model_type: "gemma",
        outside: GEMMA_OUTSIDE,
        modules: [
            APART,
            &[
                kept(Kept::PlusOne, "attn_norm", "input_layernorm"),
                kept(Kept::PlusOne, "ffn_norm", "post_attention_layernorm"),
            ],
        ],
        activation: GELU_TANH,
        biases: &[ATTENTION_BIAS],
        ..LIKE_LLAMA
    },
    Family {
        architecture: "gemma2",
        model_type: "gemma2",
        outside: GEMMA_OUTSIDE,
        modules: [APART, GEMMA_NORMS],
        activation: GELU_TANH,
        biases: &[ATTENTION_BIAS],
        keys: &[
            "attention.sliding_window",
            "attention.sliding_window_pattern",
            "attn_logit_softcapping",
            "final_logit_softcapping",
        ],
        own: own::gemma2,
        ..LIKE_LLAMA
    },
    Family {
        architecture: "gemma3",
        model_type: "gemma3_text",
        outside: GEMMA_OUTSIDE,
        modules: [APART, GEMMA_NORMS],
        activation: GELU_TANH,
        biases: &[ATTENTION_BIAS],
        keys: &[
            "attention.sliding_window",
            "attention.sliding_window_pattern",
            "final_logit_softcapping",
            "rope.freq_base_swa",
        ],
        own: own::gemma3,
        ..LIKE_LLAMA
    },
    Family {
        architecture: "gpt2",
        model_type: "gpt2",
        outside: &[
            same("token_embd", "transformer.wte"),
            same("position_embd", "transformer.wpe"),
            same("output_norm", "transformer.ln_f"),
            same("output", "lm_head"),
        ],
        layers: "transformer.h",
        modules: [
            &[same("attn_norm", "ln_1"), same("ffn_norm", "ln_2")],
            &[
                kept(Kept::Transposed, "attn_qkv", "attn.c_attn"),
                kept(Kept::Transposed, "attn_output", "attn.c_proj"),
                kept(Kept::Transposed, "ffn_up", "mlp.c_fc"),
                kept(Kept::Transposed, "ffn_down", "mlp.c_proj"),
            ],
        ],
        epsilon: (LAYER_NORM, "layer_norm_epsilon"),
        activation: "gelu_new",
        own: own::gpt2,
        ..LIKE_LLAMA
    },
    Family {
        architecture: "gptneox",
        model_type: "gpt_neox",
        outside: &[
            same("token_embd", "gpt_neox.embed_in"),
            same("output_norm", "gpt_neox.final_layer_norm"),
            same("output", "embed_out"),
        ],
        layers: "gpt_neox.layers",
        modules: [
            NORMS_BEFORE,
            &[
                kept(Kept::Ungrouped, "attn_qkv", "attention.query_key_value"),
                same("attn_output", "attention.dense"),
                same("ffn_up", "mlp.dense_h_to_4h"),
                same("ffn_down", "mlp.dense_4h_to_h"),
            ],
        ],
        epsilon: (LAYER_NORM, "layer_norm_eps"),
        activation: GELU,
        rotary_share: Some("rotary_pct"),
        biases: &[("attention_bias", "blk.0.attn_qkv.bias")],
        keys: &["use_parallel_residual"],
        own: own::gpt_neox,
        ..LIKE_LLAMA
    },
    Family {
        architecture: "llama",
        model_type: "llama",
        modules: [
            &[
                kept(Kept::Interleaved("attention.head_count"), "attn_q", "self_attn.q_proj"),
                kept(Kept::Interleaved("attention.head_count_kv"), "attn_k", "self_attn.k_proj"),
                same("attn_v", "self_attn.v_proj"),
                same("attn_output", "self_attn.o_proj"),
                same("ffn_gate", "mlp.gate_proj"),
                same("ffn_up", "mlp.up_proj"),
                same("ffn_down", "mlp.down_proj"),
            ],
            NORMS_BEFORE,
        ],
        biases: &[ATTENTION_BIAS, ("mlp_bias", "blk.0.ffn_up.bias")],
        ..LIKE_LLAMA
    },
    Family {
        architecture: "olmo2",
        model_type: "olmo2",
        modules: [
            APART,
            &[
                same("post_attention_norm", "post_attention_layernorm"),
                same("post_ffw_norm", "post_feedforward_layernorm"),
                same("attn_q_norm", "self_attn.q_norm"),
                same("attn_k_norm", "self_attn.k_norm"),
            ],
        ],
        biases: &[ATTENTION_BIAS],
        ..LIKE_LLAMA
    },
    Family {
        architecture: "phi2",
        model_type: "phi",
        outside: &[
            same("token_embd", "model.embed_tokens"),
            same("output_norm", "model.final_layernorm"),
            same("output", "lm_head"),
        ],
        modules: [
            &[same("attn_norm", "input_layernorm")],
            &[
                same("attn_q", "self_attn.q_proj"),
                same("attn_k", "self_attn.k_proj"),
                same("attn_v", "self_attn.v_proj"),
                same("attn_output", "self_attn.dense"),
                same("ffn_up", "mlp.fc1"),
                same("ffn_down", "mlp.fc2"),
            ],
        ],
        epsilon: (LAYER_NORM, "layer_norm_eps"),
        activation: "gelu_new",
        rotary_share: Some("partial_rotary_factor"),
        ..LIKE_LLAMA
    },
    Family {
        architecture: "phi3",
        model_type: "phi3",
        modules: [
            NORMS_BEFORE,
            &[
                same("attn_qkv", "self_attn.qkv_proj"),
                same("attn_output", "self_attn.o_proj"),
                same("ffn_up", "mlp.gate_up_proj"),
                same("ffn_down", "mlp.down_proj"),
            ],
        ],
        rotary_share: Some("partial_rotary_factor"),
        keys: &["attention.sliding_window"],
        own: own::phi3,
        ..LIKE_LLAMA
    },
    Family { architecture: "qwen2", model_type: "qwen2", ..LIKE_LLAMA },
    Family {
        architecture: "qwen3",
        model_type: "qwen3",
        modules: [
            APART,
            &[
                same("attn_norm", "input_layernorm"),
                same("ffn_norm", "post_attention_layernorm"),
                same("attn_q_norm", "self_attn.q_norm"),
                same("attn_k_norm", "self_attn.k_norm"),
            ],
        ],
        biases: &[ATTENTION_BIAS],
        ..LIKE_LLAMA
    },
    Family {
        architecture: "stablelm",
        model_type: "stablelm",
        modules: [
            APART,
            &[
                same("attn_norm", "input_layernorm"),
                same("ffn_norm", "post_attention_layernorm"),
                kept(Kept::Stacked, "attn_q_norm", "self_attn.q_layernorm.norms"),
                kept(Kept::Stacked, "attn_k_norm", "self_attn.k_layernorm.norms"),
            ],
        ],
        epsilon: (LAYER_NORM, "layer_norm_eps"),
        rotary_share: Some("partial_rotary_factor"),
        biases: &[("use_qkv_bias", "blk.0.attn_q.bias"), ("qk_layernorm", "blk.0.attn_q_norm.weight")],
        keys: &["use_parallel_residual"],
        own: own::stablelm,
        ..LIKE_LLAMA
    },
    Family {
        architecture: "starcoder2",
        model_type: "starcoder2",
        modules: [
            NORMS_BEFORE,
            &[
                same("attn_q", "self_attn.q_proj"),
                same("attn_k", "self_attn.k_proj"),
                same("attn_v", "self_attn.v_proj"),
                same("attn_output", "self_attn.o_proj"),
                same("ffn_up", "mlp.c_fc"),
                same("ffn_down", "mlp.c_proj"),
            ],
        ],
        epsilon: (LAYER_NORM, "norm_epsilon"),
        activation: GELU_TANH,
        biases: &[("use_bias", "blk.0.attn_output.bias")],
        ..LIKE_LLAMA
    },
];

const GEMMA_OUTSIDE: &[Module] = &[
    same("token_embd", "model.embed_tokens"),
    kept(Kept::PlusOne, "output_norm", "model.norm"),
    same("output", "lm_head"),
];
/// Of Gemma 2 and 3.
const GEMMA_NORMS: &[Module] = &[
    kept(Kept::PlusOne, "attn_norm", "input_layernorm"),
    kept(Kept::PlusOne, "post_attention_norm", "post_attention_layernorm"),
    kept(Kept::PlusOne, "ffn_norm", "pre_feedforward_layernorm"),
    kept(Kept::PlusOne, "post_ffw_norm", "post_feedforward_layernorm"),
    kept(Kept::PlusOne, "attn_q_norm", "self_attn.q_norm"),
    kept(Kept::PlusOne, "attn_k_norm", "self_attn.k_norm"),
];

const FALCON_BLOCK: &[Module] = &[
    kept(Kept::Ungrouped, "attn_qkv", "self_attention.query_key_value"),
    same("attn_output", "self_attention.dense"),
    same("ffn_up", "mlp.dense_h_to_4h"),
    same("ffn_down", "mlp.dense_4h_to_h"),
];
/// With one norm before both branches.
const FALCON: Family = Family {
    architecture: "falcon",
    model_type: "falcon",
    outside: &[
        same("token_embd", "transformer.word_embeddings"),
        same("output_norm", "transformer.ln_f"),
        same("output", "lm_head"),
    ],
    layers: "transformer.h",
    modules: [FALCON_BLOCK, &[same("attn_norm", "input_layernorm")]],
    epsilon: (LAYER_NORM, "layer_norm_epsilon"),
    activation: GELU,
    own: own::falcon,
    ..LIKE_LLAMA
};

#[cfg(test)]
mod tests {
    use super::{super::family::Known, *};

    fn of(architecture: &str) -> &'static Family {
        FAMILIES.iter().find(|family| family.architecture == architecture).unwrap()
    }

    #[test]
    fn tensors_are_known_by_their_whole_names() {
        let name = |tensor: &str| match of("llama").known(tensor) {
            Known::Weight { name, kept } => format!("{name} {kept:?}"),
            Known::Fused(parts) => parts.map(|(name, _)| name).join(" "),
            Known::OfConfig => "config".into(),
            Known::Nothing => "nothing".into(),
        };
        assert_eq!(name("blk.12.ffn_up.weight"), "model.layers.12.mlp.up_proj.weight Same");
        assert_eq!(
            name("blk.0.attn_k.bias"),
            "model.layers.0.self_attn.k_proj.bias Interleaved(\"attention.head_count_kv\")"
        );
        assert_eq!(name("output.weight"), "lm_head.weight Same");
        assert_eq!(name("rope_freqs.weight"), "config");
        assert_eq!(name("blk.0.attn_rot_embd.weight"), "config");
        let fused = ["q", "k", "v"].map(|part| format!("model.layers.3.self_attn.{part}_proj.bias"));
        assert_eq!(name("blk.3.attn_qkv.bias"), fused.join(" "));
        for other in
            ["blk.01.ffn_up.weight", "blk.0.ffn_up.scale", "blk.0.ffn_up", "blk.0.ffn_gate_exps.weight", "x"]
        {
            assert_eq!(name(other), "nothing", "{other}");
        }
    }

    #[test]
    fn a_name_in_a_file_is_found_again_from_that_in_a_checkpoint() {
        for family in FAMILIES {
            let blocks =
                family.modules.iter().copied().flatten().map(|known| format!("blk.7.{}", known.file));
            let outside = family.outside.iter().map(|known| known.file.to_string());
            for tensor in outside.chain(blocks).map(|module| format!("{module}.weight")) {
                let Known::Weight { name, .. } = family.known(&tensor) else { panic!("{tensor}") };
                assert_eq!(family.name_in_file(&name), Some(tensor), "{}", family.architecture);
            }
        }
    }

    #[test]
    fn families_are_sorted_and_a_marked_kind_comes_before_the_usual_one() {
        let order: Vec<_> =
            FAMILIES.iter().map(|family| (family.architecture, family.marked_by.is_none())).collect();
        assert!(order.windows(2).all(|pair| pair[0] < pair[1]), "{order:?}");
    }
}
