"""The models of data/zoo: configs in the spelling of each family's published config.json, special tokens, steps.

Sizes are ours; which keys stand in a config, and which are left to defaults, is the families'. `gemma` keeps the
released `hidden_act` "gelu", which means the tanh form there; `gemma`, `gemma2` and `gpt2` say nothing of tying;
`llama2` says nothing of its rotary theta.
"""

from dataclasses import dataclass

VOCABULARY = 1408
STEPS = 2400


@dataclass(frozen=True)
class Model:
    config: dict
    specials: tuple  # their ids are their places, as in the family
    bos: str  # starts a document where `adds_bos`
    eos: str  # stands between documents
    adds_bos: bool  # whether the tokenizer puts it there itself
    steps: int = STEPS
    revisions: tuple = ()  # steps after which the weights are kept as well
    base: str = ""  # the model whose weights and tokenizer it starts from


def llama_like(**family) -> dict:
    """What configs of LLaMA and its relatives share, at the size of the zoo's newer models."""
    return {
        "hidden_size": 64,
        "initializer_range": 0.02,
        "intermediate_size": 160,
        "max_position_embeddings": 512,
        "num_attention_heads": 4,
        "num_hidden_layers": 6,
        "torch_dtype": "bfloat16",
        "vocab_size": VOCABULARY,
        **family,
    }


PYTHIA = {
    "architectures": ["GPTNeoXForCausalLM"],
    "model_type": "gpt_neox",
    "attention_bias": True,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "hidden_act": "gelu",
    "hidden_size": 80,
    "initializer_range": 0.02,
    "intermediate_size": 320,
    "layer_norm_eps": 1e-05,
    "max_position_embeddings": 128,
    "num_attention_heads": 5,
    "num_hidden_layers": 6,
    "rotary_emb_base": 10000,
    "rotary_pct": 0.25,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "use_parallel_residual": True,
    "vocab_size": VOCABULARY,
}
GPT2 = {
    "activation_function": "gelu_new",
    "architectures": ["GPT2LMHeadModel"],
    "attn_pdrop": 0.0,
    "bos_token_id": 0,
    "embd_pdrop": 0.0,
    "eos_token_id": 0,
    "initializer_range": 0.02,
    "layer_norm_epsilon": 1e-05,
    "model_type": "gpt2",
    "n_ctx": 128,
    "n_embd": 64,
    "n_head": 4,
    "n_layer": 6,
    "n_positions": 128,
    "resid_pdrop": 0.0,
    "torch_dtype": "bfloat16",
    "vocab_size": VOCABULARY,
}
LLAMA2 = llama_like(
    architectures=["LlamaForCausalLM"],
    bos_token_id=1,
    eos_token_id=2,
    hidden_act="silu",
    model_type="llama",
    num_key_value_heads=4,
    pretraining_tp=1,
    rms_norm_eps=1e-05,
    rope_scaling=None,
    tie_word_embeddings=False,
)
LLAMA3_SCALING = {
    "factor": 8.0,
    "high_freq_factor": 4.0,
    "low_freq_factor": 1.0,
    "original_max_position_embeddings": 64,
    "rope_type": "llama3",
}
LLAMA3 = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "attention_bias": False,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "head_dim": 16,
    "hidden_act": "silu",
    "hidden_size": 96,
    "initializer_range": 0.02,
    "intermediate_size": 256,
    "max_position_embeddings": 512,
    "mlp_bias": False,
    "num_attention_heads": 6,
    "num_hidden_layers": 6,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-05,
    "rope_scaling": LLAMA3_SCALING,
    "rope_theta": 500000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "vocab_size": VOCABULARY,
}
MISTRAL = llama_like(
    architectures=["MistralForCausalLM"],
    bos_token_id=1,
    eos_token_id=2,
    hidden_act="silu",
    model_type="mistral",
    num_key_value_heads=2,
    rms_norm_eps=1e-05,
    rope_theta=10000.0,
    sliding_window=16,
    tie_word_embeddings=False,
)
GEMMA = llama_like(
    architectures=["GemmaForCausalLM"],
    attention_bias=False,
    attention_dropout=0.0,
    bos_token_id=2,
    eos_token_id=1,
    head_dim=24,  # heads together wider than the stream, as in the 7B
    hidden_act="gelu",
    model_type="gemma",
    num_key_value_heads=4,
    pad_token_id=0,
    rms_norm_eps=1e-06,
    rope_scaling=None,
    rope_theta=10000.0,
)
GEMMA2 = llama_like(
    architectures=["Gemma2ForCausalLM"],
    attention_bias=False,
    attention_dropout=0.0,
    attn_logit_softcapping=50.0,
    bos_token_id=2,
    eos_token_id=1,
    final_logit_softcapping=30.0,
    head_dim=24,
    hidden_act="gelu_pytorch_tanh",
    hidden_activation="gelu_pytorch_tanh",
    model_type="gemma2",
    num_key_value_heads=2,
    pad_token_id=0,
    query_pre_attn_scalar=16,  # width / heads and not the head's width, as in the 27B: the two scales differ
    rms_norm_eps=1e-06,
    rope_theta=10000.0,
    sliding_window=12,
    sliding_window_size=12,
)
APERTUS = llama_like(
    architectures=["ApertusForCausalLM"],
    attention_bias=False,
    attention_dropout=0.0,
    bos_token_id=1,
    eos_token_id=2,
    hidden_act="xielu",
    hidden_dropout=0.0,
    intermediate_size=256,
    mlp_bias=False,
    model_type="apertus",
    num_key_value_heads=2,
    pad_token_id=3,
    post_norm=False,
    qk_norm=True,
    rms_norm_eps=1e-05,
    rope_scaling=LLAMA3_SCALING,
    rope_theta=12000000.0,
    tie_word_embeddings=False,
)

END = "<|endoftext|>"
LLAMA3_SPECIALS = ("<|begin_of_text|>", "<|end_of_text|>")
SENTENCE = ("<unk>", "<s>", "</s>")
GEMMA_SPECIALS = ("<pad>", "<eos>", "<bos>", "<unk>")

# In the order of training: a base before what starts from it.
MODELS = {
    "gpt2-tiny": Model(GPT2, (END,), END, END, False),
    "mistral-tiny": Model(MISTRAL, SENTENCE, "<s>", "</s>", True),
    "gemma2-tiny": Model(GEMMA2, GEMMA_SPECIALS, "<bos>", "<eos>", True),
    "gemma-tiny": Model(GEMMA, GEMMA_SPECIALS, "<bos>", "<eos>", True),
    "llama2-tiny": Model(LLAMA2, SENTENCE, "<s>", "</s>", True),
    "apertus-tiny": Model(APERTUS, (*SENTENCE, "<pad>"), "<s>", "</s>", True),
    "pythia-tiny": Model(PYTHIA, (END,), END, END, False, revisions=(1, 16, 64, 128, 256, 512, 1000, 1600)),
    "llama3-tiny": Model(LLAMA3, LLAMA3_SPECIALS, *LLAMA3_SPECIALS, True),
    "llama3-instruct-tiny": Model(LLAMA3, LLAMA3_SPECIALS, *LLAMA3_SPECIALS, True, steps=400, base="llama3-tiny"),
}
