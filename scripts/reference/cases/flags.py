"""Families that are LLaMA with a few choices made otherwise, in small checkpoints: configs have the keys that the hub's
have, and lack those that the class fills in."""

from .case import LLAMA3, Case, rope, without

LENGTHS = (1, 5, 17)
WINDOWS = ["sliding_attention", "sliding_attention", "full_attention"]


def small(model_type, architecture, **more):
    return {
        "architectures": [architecture],
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": 24,
        "intermediate_size": 37,
        "max_position_embeddings": 128,
        "model_type": model_type,
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "num_key_value_heads": 2,
        "pad_token_id": 0,
        "rms_norm_eps": 1e-05,
        "rope_theta": 10000.0,
        "vocab_size": 67,
    } | more


def case(name, notes, config, **more):
    dtype = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}[name.rsplit("_", 1)[1]]
    return Case(name, dtype, notes, config | {"torch_dtype": dtype}, lengths=LENGTHS, **more)


def granite(**more):
    return small("granite", "GraniteForCausalLM") | more


def olmo(**more):
    return without(small("olmo", "OlmoForCausalLM"), "rms_norm_eps") | more


def olmo3(**more):
    return small("olmo3", "Olmo3ForCausalLM", num_hidden_layers=4, sliding_window=5, rope_theta=500000) | more


def hunyuan(**more):
    return small("hunyuan_v1_dense", "HunYuanDenseV1ForCausalLM", head_dim=10, use_qk_norm=True) | more


def smollm3(**more):
    return small("smollm3", "SmolLM3ForCausalLM", num_hidden_layers=4) | more


def cohere2(**more):
    return (
        without(small("cohere2", "Cohere2ForCausalLM", num_hidden_layers=4, sliding_window=5), "rms_norm_eps")
        | {"layer_norm_eps": 1e-05, "logit_scale": 0.25, "use_qk_norm": False}
        | more
    )


def nemotron(**more):
    config = without(small("nemotron", "NemotronForCausalLM"), "rms_norm_eps")
    return config | {"hidden_act": "relu2", "norm_eps": 1e-05, "partial_rotary_factor": 0.5} | more


def glm(**more):
    return small("glm", "GlmForCausalLM", head_dim=12, attention_bias=True, rms_norm_eps=1.5625e-07) | more


def exaone4(**more):
    return small("exaone4", "Exaone4ForCausalLM", num_hidden_layers=4, head_dim=8) | more


def layer_norm(model_type, architecture, **more):
    config = without(small(model_type, architecture), "rms_norm_eps")
    return config | {"layer_norm_eps": 1e-05} | more


CASES = [
    case(
        "granite_multipliers_bf16",
        "factors on embedding, scores, writes and logits; tied; keys of the 3.x 2B",
        granite(
            attention_bias=False,
            attention_multiplier=0.3,
            embedding_multiplier=3.0,
            logits_scaling=0.5,
            mlp_bias=False,
            residual_multiplier=0.22,
            rope_scaling=None,
            tie_word_embeddings=True,
        ),
        acts=(
            {"attention_multiplier": 1.0},
            {"embedding_multiplier": 1.0},
            {"logits_scaling": 1.0},
            {"residual_multiplier": 1.0},
        ),
        scales={"embed_tokens": 0.6},
    ),
    case(
        "granite_biases_bare_f16",
        "no factor given: all are 1, that of scores too; biases everywhere; untied; eps 1e-6 by default",
        without(granite(attention_bias=True, mlp_bias=True, num_key_value_heads=4), "rms_norm_eps"),
        scales={"q_proj": 0.6, "k_proj": 0.6},
    ),
    case(
        "olmo_clipped_bf16",
        "LayerNorm without weights; q, k and v bounded by 0.7; grouped",
        olmo(clip_qkv=0.7, attention_bias=False, rope_scaling=None),
        acts=({"clip_qkv": None}, {"clip_qkv": 0.9}),
    ),
    case(
        "olmo_tied_f16",
        "no bound, tied, multi-head (the 1B); key/value heads not given",
        without(olmo(clip_qkv=None, tie_word_embeddings=True), "num_key_value_heads"),
    ),
    case(
        "olmo3_yarn_on_full_bf16",
        "windows on three blocks of four by default; yarn on the others alone; key/value heads grouped",
        olmo3(
            attention_bias=False,
            rope_scaling={
                "attention_factor": 1.2079441541679836,
                "beta_fast": 32.0,
                "beta_slow": 1.0,
                "factor": 8.0,
                "original_max_position_embeddings": 16,
                "rope_type": "yarn",
            },
        ),
        acts=({"sliding_window": 6}, {"rope_scaling": None}),
    ),
    case(
        "olmo3_nested_types_f16",
        "layer_types and rope_parameters spelled out, another base under a window",
        without(
            olmo3(
                layer_types=WINDOWS,
                num_hidden_layers=3,
                num_key_value_heads=4,
                rms_norm_eps=1e-3,
                rope_parameters={
                    "sliding_attention": rope(500.0),
                    "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0},
                },
            ),
            "rope_theta",
        ),
        acts=({"layer_types": WINDOWS[::-1]}, {"rms_norm_eps": 1e-6}),
    ),
    case(
        "hunyuan_alpha_bf16",
        "norms on heads after the rotation; dynamic scaling with a fixed alpha, keys of the 7B; head_dim 10",
        hunyuan(
            attention_bias=False,
            mlp_bias=False,
            norm_type="rms",
            rope_scaling={
                "alpha": 1000.0,
                "beta_fast": 32,
                "beta_slow": 1,
                "factor": 1.0,
                "mscale": 1.0,
                "mscale_all_dim": 1.0,
                "type": "dynamic",
            },
            use_cla=False,
        ),
        acts=({"rope_scaling": None},),
    ),
    case(
        "hunyuan_biases_tied_f16",
        "attention_bias, tied, no scaling, eps 1e-3",
        hunyuan(attention_bias=True, head_dim=6, rms_norm_eps=1e-3, tie_word_embeddings=True),
        acts=({"rms_norm_eps": 1e-6},),
    ),
    case(
        "smollm3_every_fourth_bf16",
        "the fourth block sees no positions, by default; tied by default; keys of the 3B",
        smollm3(
            attention_bias=False,
            layer_types=["full_attention"] * 4,
            mlp_bias=False,
            no_rope_layer_interval=4,
            rope_scaling=None,
            sliding_window=None,
            use_sliding_window=False,
        ),
        acts=({"no_rope_layer_interval": 2}, {"rope_theta": 2000000.0}),
    ),
    case(
        "smollm3_window_f16",
        "no_rope_layers given; a window where no positions are seen; untied; biases",
        smollm3(
            attention_bias=True,
            mlp_bias=True,
            no_rope_layers=[1, 0],
            num_hidden_layers=2,
            sliding_window=5,
            tie_word_embeddings=False,
            use_sliding_window=True,
        ),
        acts=({"no_rope_layers": [0, 1]}, {"sliding_window": 6}, {"use_sliding_window": False}),
    ),
    case(
        "cohere2_pattern_f16",
        "windows with interleaved rotary and, every second block, all tokens without positions; tied by default",
        cohere2(head_dim=6, rope_theta=50000, sliding_window_pattern=2, rotary_pct=1.0, num_hidden_layers=2),
        acts=({"sliding_window_pattern": 4}, {"sliding_window": 6}, {"logit_scale": 0.0625}),
        scales={"embed_tokens": 3.0},
    ),
    case(
        "cohere2_biases_untied_bf16",
        "attention_bias, untied, the pattern of four by default, multi-head",
        without(cohere2(attention_bias=True, tie_word_embeddings=False), "num_key_value_heads"),
        acts=({"rope_theta": 100.0},),
    ),
    case(
        "nemotron_half_rotary_bf16",
        "LayerNorm of 1 + weight with bias, relu squared without a gate, rotary on half of each head of 10",
        nemotron(head_dim=10, rope_percent=0.5, tie_word_embeddings=False),
        acts=({"rope_theta": 100.0},),
    ),
    case(
        "nemotron_biases_f16",
        "biases everywhere, tied, partial_rotary_factor by default, eps 1e-3",
        without(
            nemotron(
                attention_bias=True,
                hidden_size=32,
                mlp_bias=True,
                norm_eps=1e-3,
                num_key_value_heads=4,
                tie_word_embeddings=True,
            ),
            "partial_rotary_factor",
        ),
        acts=({"norm_eps": 1e-6},),
    ),
    case(
        "glm_biases_bf16",
        "biases on q, k and v, fused gate and up, interleaved rotary on half of each head of 12",
        glm(partial_rotary_factor=0.5),
        acts=({"rope_theta": 100.0}, {"partial_rotary_factor": 1.0}),
    ),
    case(
        "glm_no_biases_f16",
        "no biases, tied, one key/value head, the rotary share by default, eps 1e-3",
        glm(attention_bias=False, num_key_value_heads=1, rms_norm_eps=1e-3, tie_word_embeddings=True),
        acts=({"rms_norm_eps": 1e-7},),
    ),
    case(
        "glm4_sandwich_bf16",
        "glm with norms after both branches; no biases (the 9B-0414)",
        glm(
            architectures=["Glm4ForCausalLM"],
            attention_bias=False,
            model_type="glm4",
            partial_rotary_factor=0.5,
            rms_norm_eps=1e-05,
        ),
        acts=({"rope_theta": 100.0},),
    ),
    case(
        "glm4_biases_f16",
        "biases on q, k and v, tied, head_dim 8, eps 1e-3",
        glm(
            architectures=["Glm4ForCausalLM"],
            head_dim=8,
            model_type="glm4",
            num_key_value_heads=4,
            rms_norm_eps=1e-3,
            tie_word_embeddings=True,
        ),
        acts=({"rms_norm_eps": 1e-7},),
    ),
    case(
        "arcee_yarn_bf16",
        "relu squared without a gate; yarn, keys of the 4.5B; head_dim 8 is not hidden/heads",
        small(
            "arcee",
            "ArceeForCausalLM",
            attention_bias=False,
            head_dim=8,
            hidden_act="relu2",
            mlp_bias=False,
            rope_scaling={
                "beta_fast": 32.0,
                "beta_slow": 1.0,
                "factor": 8.0,
                "mscale": 1.0,
                "original_max_position_embeddings": 16,
                "rope_type": "yarn",
                "type": "yarn",
            },
        ),
        acts=({"rope_scaling": None}, {"hidden_act": "relu"}),
    ),
    case(
        "arcee_biases_tied_f16",
        "biases everywhere, tied, the activation by default",
        without(
            small(
                "arcee",
                "ArceeForCausalLM",
                attention_bias=True,
                mlp_bias=True,
                num_key_value_heads=1,
                tie_word_embeddings=True,
            ),
            "hidden_act",
        ),
    ),
    case(
        "seed_oss_published_biases_bf16",
        "biases on q, k and v alone, head_dim 8 is not hidden/heads; keys of the 36B",
        small(
            "seed_oss",
            "SeedOssForCausalLM",
            attention_bias=True,
            attention_out_bias=False,
            head_dim=8,
            mlp_bias=False,
            residual_dropout=0.1,
            rope_scaling={"rope_type": "default"},
        ),
        acts=({"rope_theta": 100.0},),
    ),
    case(
        "seed_oss_other_biases_f16",
        "a bias after attention and in the MLP alone, tied, eps 1e-3",
        small(
            "seed_oss",
            "SeedOssForCausalLM",
            attention_bias=False,
            attention_out_bias=True,
            head_dim=6,
            mlp_bias=True,
            rms_norm_eps=1e-3,
            tie_word_embeddings=True,
        ),
        acts=({"rms_norm_eps": 1e-6},),
    ),
    case(
        "helium_interleaved_bf16",
        "interleaved rotary, multi-head",
        small("helium", "HeliumForCausalLM", head_dim=6, num_key_value_heads=4, rms_norm_eps=1e-08),
        acts=({"rope_theta": 100.0},),
    ),
    case(
        "helium_biases_f16",
        "biases on q, k, v and in the MLP, none after attention; rotary base by default (100000), tied",
        without(
            small(
                "helium", "HeliumForCausalLM", attention_bias=True, head_dim=6, mlp_bias=True, tie_word_embeddings=True
            ),
            "rope_theta",
        ),
        acts=({"rope_theta": 100.0},),
    ),
    case(
        "exaone4_hybrid_bf16",
        "norms on branches' outputs and on heads; blocks without a window see no positions (the 32B); llama3 scaling",
        exaone4(
            layer_types=["sliding_attention"] * 3 + ["full_attention"],
            rope_scaling=LLAMA3,
            sliding_window=5,
            sliding_window_pattern="LLLG",
        ),
        acts=({"sliding_window": 6}, {"rope_scaling": None}),
    ),
    case(
        "exaone4_no_window_f16",
        "all blocks see everything and positions (the 1.2B); tied; eps 1e-3",
        exaone4(
            layer_types=["full_attention"] * 2,
            num_hidden_layers=2,
            rms_norm_eps=1e-3,
            sliding_window=None,
            sliding_window_pattern=None,
            tie_word_embeddings=True,
        ),
        acts=({"rms_norm_eps": 1e-6}, {"sliding_window": 30}),
    ),
    case(
        "exaone4_pattern_f32",
        "windows by a pattern of two, no layer_types",
        exaone4(num_hidden_layers=2, num_key_value_heads=1, sliding_window=5, sliding_window_pattern=2),
        acts=({"sliding_window_pattern": 4},),
    ),
    case(
        "ministral_types_bf16",
        "windows by layer_types; head_dim 8 is not hidden/heads",
        small(
            "ministral",
            "MinistralForCausalLM",
            head_dim=8,
            layer_types=WINDOWS,
            num_hidden_layers=3,
            sliding_window=5,
        ),
        acts=({"layer_types": WINDOWS[::-1]}, {"sliding_window": 6}),
    ),
    case(
        "ministral_window_everywhere_f16",
        "a window on every block, by default; tied; eps 1e-6 by default",
        without(
            small("ministral", "MinistralForCausalLM", head_dim=6, sliding_window=5, tie_word_embeddings=True),
            "rms_norm_eps",
        ),
        acts=({"sliding_window": 6},),
    ),
    case(
        "ministral3_temperature_bf16",
        "queries grow at every eighth position; yarn, keys of the 3B in their nested spelling",
        without(
            small(
                "ministral3",
                "Ministral3ForCausalLM",
                head_dim=8,
                rope_parameters={
                    "beta_fast": 32.0,
                    "beta_slow": 1.0,
                    "factor": 16.0,
                    "llama_4_scaling_beta": 0.9,
                    "mscale": 1.0,
                    "mscale_all_dim": 1.0,
                    "original_max_position_embeddings": 8,
                    "rope_theta": 10000.0,
                    "rope_type": "yarn",
                    "type": "yarn",
                },
                sliding_window=None,
            ),
            "rope_theta",
        ),
        acts=({"sliding_window": 5},),
    ),
    case(
        "ministral3_window_f16",
        "a window; tied; queries that do not grow within the prompts",
        without(
            small(
                "ministral3",
                "Ministral3ForCausalLM",
                head_dim=6,
                rope_parameters={
                    "llama_4_scaling_beta": 0.1,
                    "original_max_position_embeddings": 64,
                    "rope_theta": 10000.0,
                    "rope_type": "default",
                },
                sliding_window=5,
                tie_word_embeddings=True,
            ),
            "rope_theta",
        ),
        acts=({"sliding_window": 6},),
    ),
    case(
        "cwm_llama3_bf16",
        "every fourth block from the first on sees everything; llama3 scaling",
        small(
            "cwm",
            "CwmForCausalLM",
            head_dim=10,
            num_hidden_layers=3,
            rope_scaling=LLAMA3,
            rope_theta=500.0,
            sliding_window=5,
        ),
        acts=({"sliding_window": 6}, {"rope_scaling": {"rope_type": "default"}}),
    ),
    case(
        "cwm_types_f16",
        "layer_types given, no rotary keys at all: the class's own scaling; tied; MLP biases",
        without(
            small(
                "cwm",
                "CwmForCausalLM",
                head_dim=6,
                layer_types=["sliding_attention", "full_attention"],
                mlp_bias=True,
                sliding_window=5,
                tie_word_embeddings=True,
            ),
            "rope_theta",
        ),
        acts=({"layer_types": ["full_attention", "sliding_attention"]},),
    ),
    case(
        "ernie4_5_tied_bf16",
        "interleaved rotary, tied by default; keys of the 0.3B",
        small("ernie4_5", "Ernie4_5ForCausalLM", compression_ratio=1.0, head_dim=8, use_bias=False),
        acts=({"rope_theta": 100.0},),
    ),
    case(
        "ernie4_5_biases_f16",
        "use_bias, untied, eps 1e-3, rotary base by default (500000)",
        without(
            small(
                "ernie4_5",
                "Ernie4_5ForCausalLM",
                head_dim=6,
                rms_norm_eps=1e-3,
                tie_word_embeddings=False,
                use_bias=True,
            ),
            "rope_theta",
        ),
        acts=({"rms_norm_eps": 1e-6}, {"rope_theta": 100.0}),
    ),
    case(
        "jais2_biases_bf16",
        "layer norms with biases, relu squared without a gate, biases everywhere by default; multi-head",
        without(
            layer_norm("jais2", "Jais2ForCausalLM", hidden_act="relu2", head_dim=6), "num_key_value_heads"
        ),
        acts=({"rope_theta": 100.0},),
    ),
    case(
        "jais2_no_biases_tied_f16",
        "no biases in linear layers, tied, grouped, eps 1e-3",
        layer_norm(
            "jais2",
            "Jais2ForCausalLM",
            attention_bias=False,
            hidden_act="relu2",
            layer_norm_eps=1e-3,
            mlp_bias=False,
            tie_word_embeddings=True,
        ),
        acts=({"layer_norm_eps": 1e-6},),
    ),
    case(
        "nanochat_capped_bf16",
        "norms without weights, on the embedding and, after the rotation, on heads too; heads turn backwards; logits capped",
        without(small("nanochat", "NanoChatForCausalLM", hidden_act="relu2"), "num_key_value_heads"),
        acts=({"final_logit_softcapping": 2.0}, {"rope_theta": 100.0}),
    ),
    case(
        "nanochat_no_cap_f16",
        "no cap, tied, attention_bias, grouped, eps 1e-3",
        small(
            "nanochat",
            "NanoChatForCausalLM",
            attention_bias=True,
            final_logit_softcapping=None,
            hidden_act="relu2",
            rms_norm_eps=1e-3,
            tie_word_embeddings=True,
        ),
        acts=({"rms_norm_eps": 1e-6}, {"final_logit_softcapping": 2.0}),
    ),
    case(
        "vaultgemma_window_bf16",
        "gemma2 without norms after the branches: scaled embedding, caps, a window on even blocks; tied",
        without(
            small(
                "vaultgemma",
                "VaultGemmaForCausalLM",
                attn_logit_softcapping=3.0,
                final_logit_softcapping=5.0,
                head_dim=10,
                hidden_activation="gelu_pytorch_tanh",
                query_pre_attn_scalar=9,
                sliding_window=5,
            ),
            "hidden_act",
        ),
        acts=({"sliding_window": 6}, {"attn_logit_softcapping": 50.0}, {"final_logit_softcapping": 30.0}),
        scales={"embed_tokens": 0.6},
    ),
    case(
        "vaultgemma_no_caps_f16",
        "no caps, attention_bias, layer_types given, untied, published scalar",
        without(
            small(
                "vaultgemma",
                "VaultGemmaForCausalLM",
                attention_bias=True,
                attn_logit_softcapping=None,
                final_logit_softcapping=None,
                head_dim=8,
                layer_types=["full_attention", "sliding_attention"],
                num_key_value_heads=1,
                query_pre_attn_scalar=256,
                sliding_window=5,
                tie_word_embeddings=False,
            ),
            "hidden_act",
        ),
        acts=({"sliding_window": 6}, {"query_pre_attn_scalar": 8}),
        scales={"q_proj": 2.0, "k_proj": 2.0, "embed_tokens": 0.3},
    ),
    case(
        "bitnet_inner_norms_bf16",
        "norms before the last matrix of each branch, gated relu squared; grouped; rotary base by default (500000)",
        without(small("bitnet", "BitNetForCausalLM", hidden_act="relu2", tie_word_embeddings=True), "rope_theta"),
        acts=({"rope_theta": 100.0}, {"hidden_act": "silu"}),
    ),
    case(
        "bitnet_biases_f16",
        "attention_bias, untied, multi-head, eps 1e-3",
        small(
            "bitnet",
            "BitNetForCausalLM",
            attention_bias=True,
            hidden_act="relu2",
            num_key_value_heads=4,
            rms_norm_eps=1e-3,
        ),
        acts=({"rms_norm_eps": 1e-6},),
    ),
    case(
        "internlm3_bf16",
        "llama with keys of its own for biases (qkv_bias, bias); dynamic scaling that these prompts do not reach",
        small(
            "internlm3",
            "InternLM3ForCausalLM",
            bias=False,
            head_dim=8,
            qkv_bias=False,
            rope_scaling={"factor": 6.0, "rope_type": "dynamic"},
        ),
        acts=({"rope_theta": 100.0},),
    ),
    case(
        "internlm3_biases_f16",
        "qkv_bias and bias, tied",
        small(
            "internlm3", "InternLM3ForCausalLM", bias=True, head_dim=6, qkv_bias=True, tie_word_embeddings=True
        ),
    ),
    case(
        "iquestcoder_bf16",
        "llama; head_dim 8 is not hidden/heads",
        small("iquestcoder", "IQuestCoderForCausalLM", clip_qkv=None, head_dim=8, use_sliding_window=False),
        acts=({"rope_theta": 100.0},),
    ),
    case(
        "iquestcoder_biases_f16",
        "biases everywhere, tied, eps 1e-3",
        small(
            "iquestcoder",
            "IQuestCoderForCausalLM",
            attention_bias=True,
            head_dim=6,
            mlp_bias=True,
            rms_norm_eps=1e-3,
            tie_word_embeddings=True,
        ),
        acts=({"rms_norm_eps": 1e-6},),
    ),
]
