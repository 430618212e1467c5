"""OLMo 2, StarCoder2 and Cohere checkpoints."""

from .case import Case, rope


def olmo2(**more):
    return {
        "architectures": ["Olmo2ForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": 36,
        "intermediate_size": 59,
        "max_position_embeddings": 128,
        "model_type": "olmo2",
        "num_attention_heads": 3,
        "num_hidden_layers": 3,
        "num_key_value_heads": 3,
        "pad_token_id": 0,
        "rms_norm_eps": 1e-06,
        "tie_word_embeddings": False,
        "vocab_size": 131,
    } | more


def starcoder2(**more):
    return {
        "architectures": ["Starcoder2ForCausalLM"],
        "attention_dropout": 0.1,
        "bos_token_id": 0,
        "embedding_dropout": 0.1,
        "eos_token_id": 0,
        "hidden_act": "gelu_pytorch_tanh",
        "hidden_size": 36,
        "intermediate_size": 83,
        "max_position_embeddings": 128,
        "mlp_type": "default",
        "model_type": "starcoder2",
        "norm_epsilon": 1e-05,
        "norm_type": "layer_norm",
        "num_attention_heads": 6,
        "num_hidden_layers": 2,
        "num_key_value_heads": 2,
        "residual_dropout": 0.1,
        "rope_theta": 999999.4420358813,
        "sliding_window": 7,
        "use_bias": True,
        "vocab_size": 131,
    } | more


def cohere(**more):
    return {
        "architectures": ["CohereForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": 5,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": 36,
        "intermediate_size": 59,
        "layer_norm_eps": 1e-05,
        "logit_scale": 0.0625,
        "max_position_embeddings": 128,
        "model_type": "cohere",
        "num_attention_heads": 3,
        "num_hidden_layers": 2,
        "num_key_value_heads": 3,
        "pad_token_id": 0,
        "pretraining_tp": 1,
        "vocab_size": 131,
    } | more


CASES = [
    Case(
        "olmo2_7b_bf16",
        "bfloat16",
        "norms on the branches' outputs, none before them; norms on the whole q and k projections; rope_theta 500000",
        olmo2(rope_scaling=None, rope_theta=500000, torch_dtype="bfloat16"),
        acts=({"rope_theta": 10000},),
    ),
    Case(
        "olmo2_grouped_f32",
        "float32",
        "grouped queries (the 32B), so q_norm and k_norm differ in width; nested rope_parameters; eps 1e-3",
        olmo2(
            hidden_size=40,
            num_attention_heads=4,
            num_hidden_layers=2,
            num_key_value_heads=2,
            rms_norm_eps=1e-3,
            rope_parameters=rope(10000.0),
            dtype="float32",
        ),
        acts=({"rms_norm_eps": 1e-6},),
    ),
    Case(
        "starcoder2_window_bf16",
        "bfloat16",
        "layer norms and biases everywhere, grouped queries, sliding_window 7, tied; rope_theta of the 3B",
        starcoder2(torch_dtype="bfloat16"),
        acts=({"sliding_window": 8}, {"rope_theta": 10000.0}, {"hidden_act": "relu"}),
    ),
    Case(
        "starcoder2_no_window_no_bias_f16",
        "float16",
        "sliding_window null, use_bias false, untied; eps 1e-3",
        starcoder2(
            norm_epsilon=1e-3,
            rope_theta=10000.0,
            sliding_window=None,
            tie_word_embeddings=False,
            torch_dtype="float16",
            use_bias=False,
        ),
        acts=({"sliding_window": 7}, {"norm_epsilon": 1e-5}),
    ),
    Case(
        "cohere_command_r_f16",
        "float16",
        "mean-centred norms without bias, one per block, parallel; interleaved rotary; logits times 0.0625; tied",
        cohere(rope_theta=8000000.0, torch_dtype="float16"),
        acts=({"logit_scale": 0.1}, {"rope_theta": 10000.0}),
        scales={"embed_tokens": 4.0},
    ),
    Case(
        "cohere_command_r_plus_f32",
        "float32",
        "use_qk_norm: mean-centred norms with a weight per head and channel; grouped queries; logit_scale 5/6; "
        "eps 1e-3",
        cohere(
            hidden_size=40,
            layer_norm_eps=1e-3,
            logit_scale=0.8333333333333334,
            num_attention_heads=4,
            num_key_value_heads=2,
            rope_parameters=rope(75000000.0),
            use_qk_norm=True,
            dtype="float32",
        ),
        acts=({"layer_norm_eps": 1e-5}, {"logit_scale": 1.0}),
    ),
    Case(
        "cohere_biases_untied_bf16",
        "bfloat16",
        "attention_bias; untied; logit_scale 1",
        cohere(
            attention_bias=True,
            logit_scale=1.0,
            rope_theta=10000.0,
            tie_word_embeddings=False,
            torch_dtype="bfloat16",
        ),
    ),
]
