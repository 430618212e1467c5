"""Write tests/headers/<model>.json: config and tensor shapes of published models, without weights: the eight of the
research, and one of each further family (published.py).

    python scripts/reference/make_headers.py [OUTPUT_FOLDER]

`config` is the config.json that the hub publishes, transcribed by hand: every key that decides a shape or a number.
`tensors` are the names and shapes of the transformers class built from it on the meta device, with the buffers that
files carry and without tied heads, experts as the hub's files have them; blocks and experts are folded:
`model.layers.{0..31}.mlp.up_proj.weight` stands for 32 tensors.
What published files hold beyond these (rotary tables, mask buffers) is not listed. The published parameter counts
check the transcription; of the further models they are known as the hub rounds them.
"""

import itertools
import json
import math
import re
import sys
import tempfile
from pathlib import Path

import torch
import transformers
from checkpoint import HEADS, model_class, write_json
from hub_names import as_on_the_hub
from published import FURTHER, ROUTED, WRAPPED
from remote import NAMES, Remote

ROOT = Path(__file__).resolve().parents[2]


def llama(**more):
    return {
        "architectures": ["LlamaForCausalLM"],
        "hidden_act": "silu",
        "hidden_size": 4096,
        "model_type": "llama",
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "rms_norm_eps": 1e-05,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
    } | more


def llama31():
    return llama(
        attention_bias=False,
        intermediate_size=14336,
        max_position_embeddings=131072,
        mlp_bias=False,
        num_key_value_heads=8,
        pretraining_tp=1,
        rope_scaling={
            "factor": 8.0,
            "high_freq_factor": 4.0,
            "low_freq_factor": 1.0,
            "original_max_position_embeddings": 8192,
            "rope_type": "llama3",
        },
        rope_theta=500000.0,
        vocab_size=128256,
    )


def gemma(**more):
    return {
        "attention_bias": False,
        "head_dim": 256,
        "max_position_embeddings": 8192,
        "num_attention_heads": 16,
        "rms_norm_eps": 1e-06,
        "rope_theta": 10000.0,
        "vocab_size": 256000,
    } | more


# id in experiments/models.toml: (hub repository, parameters, config)
MODELS = {
    "pythia-6.9b": (
        "EleutherAI/pythia-6.9b",
        6857302016,
        {
            "architectures": ["GPTNeoXForCausalLM"],
            "hidden_act": "gelu",
            "hidden_size": 4096,
            "intermediate_size": 16384,
            "layer_norm_eps": 1e-05,
            "max_position_embeddings": 2048,
            "model_type": "gpt_neox",
            "num_attention_heads": 32,
            "num_hidden_layers": 32,
            "rotary_emb_base": 10000,
            "rotary_pct": 0.25,
            "tie_word_embeddings": False,
            "torch_dtype": "float16",
            "use_parallel_residual": True,
            "vocab_size": 50432,
        },
    ),
    "gemma-7b": (
        "google/gemma-7b",
        8537680896,
        gemma(
            architectures=["GemmaForCausalLM"],
            hidden_act="gelu",
            hidden_activation=None,
            hidden_size=3072,
            intermediate_size=24576,
            model_type="gemma",
            num_hidden_layers=28,
            num_key_value_heads=16,
            rope_scaling=None,
            torch_dtype="bfloat16",
        ),
    ),
    "apertus-8b-2509": (
        "swiss-ai/Apertus-8B-2509",
        8053338176,
        llama(
            architectures=["ApertusForCausalLM"],
            attention_bias=False,
            hidden_act="xielu",
            intermediate_size=21504,
            max_position_embeddings=65536,
            mlp_bias=False,
            model_type="apertus",
            num_key_value_heads=8,
            post_norm=False,
            qk_norm=True,
            rope_scaling=llama31()["rope_scaling"] | {"type": "llama3"},
            rope_theta=12000000,
            vocab_size=131072,
        ),
    ),
    "llama-3.1-8b": ("meta-llama/Llama-3.1-8B", 8030261248, llama31()),
    "llama-3.1-8b-instruct": ("meta-llama/Llama-3.1-8B-Instruct", 8030261248, llama31()),
    "llama-2-7b": (
        "meta-llama/Llama-2-7b-hf",
        6738415616,
        llama(
            intermediate_size=11008,
            max_position_embeddings=4096,
            num_key_value_heads=32,
            pretraining_tp=1,
            rope_scaling=None,
            torch_dtype="float16",
            vocab_size=32000,
        ),
    ),
    "mistral-7b-v0.1": (
        "mistralai/Mistral-7B-v0.1",
        7241732096,
        llama(
            architectures=["MistralForCausalLM"],
            intermediate_size=14336,
            max_position_embeddings=32768,
            model_type="mistral",
            num_key_value_heads=8,
            rope_theta=10000.0,
            sliding_window=4096,
            vocab_size=32000,
        ),
    ),
    "gemma-2-9b": (
        "google/gemma-2-9b",
        9241705984,
        gemma(
            architectures=["Gemma2ForCausalLM"],
            attn_logit_softcapping=50.0,
            cache_implementation="hybrid",
            final_logit_softcapping=30.0,
            hidden_act="gelu_pytorch_tanh",
            hidden_activation="gelu_pytorch_tanh",
            hidden_size=3584,
            intermediate_size=14336,
            model_type="gemma2",
            num_hidden_layers=42,
            num_key_value_heads=8,
            query_pre_attn_scalar=256,
            sliding_window=4096,
            sliding_window_size=4096,
            torch_dtype="float32",
        ),
    ),
}


def main():
    transformers.logging.set_verbosity_error()
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests" / "headers"
    out.mkdir(parents=True, exist_ok=True)
    all_models = {model: (hub, parameters, (), config) for model, (hub, parameters, config) in (MODELS | FURTHER | ROUTED).items()}
    for model, (hub, parameters, names, config) in (all_models | WRAPPED).items():
        shapes, counted = tensors(config)
        found = counted
        if isinstance(parameters, str):
            found = f"{counted / 1e9:.{len(parameters.split('.')[1])}f}"
        if found != parameters:
            raise SystemExit(f"{model}: the transcribed config makes {counted} parameters, published are {parameters}")
        if model in WRAPPED:  # of the text stack alone
            shapes, counted = of_text(shapes, names)
        source = "scripts/reference/remote.py" if config["model_type"] in NAMES else f"transformers {transformers.__version__}"
        header = {
            "source": f"published config.json of {hub}, transcribed; shapes of {source}",
            "config": config,
            "parameters": counted,
            "tensors": folded(shapes),
        }
        write_json(out / f"{model}.json", header, indent=1)
        print(f"{model:24} {counted:12} parameters, {len(shapes)} tensors in {len(header['tensors'])} lines")


def tensors(config: dict) -> tuple[dict, int]:
    """Shapes by name as a file holds them, buffers that files carry included; and the number of trained numbers."""
    if config["model_type"] in NAMES:
        with torch.device("meta"):
            model = Remote(config)
        read = model.config
    else:
        with tempfile.TemporaryDirectory() as folder:
            write_json(Path(folder) / "config.json", config)
            read = transformers.AutoConfig.from_pretrained(folder)
        with torch.device("meta"):
            model = model_class(read).from_config(read)
    drop = HEADS if read.tie_word_embeddings else set()
    found = {name: value for name, value in model.state_dict().items() if name not in drop}
    shapes = {name: list(value.shape) for name, value in as_on_the_hub(config["model_type"], found).items()}
    return shapes, sum(p.numel() for p in model.parameters())


def of_text(shapes: dict, names: tuple) -> tuple[dict, int]:
    """The tensors of a text stack under the names of the hub's files, and the numbers in them."""
    text = {}
    for name, shape in shapes.items():
        if name.startswith(("model.language_model.", "language_model.", "lm_head.")):
            for pattern, replacement in names:
                name = re.sub(pattern, replacement, name)
            text[name] = shape
    return text, sum(math.prod(shape) for shape in text.values())


def folded(shapes: dict) -> dict:
    """One line for the tensors of blocks that follow each other, and of all experts of a block."""
    lines = {}
    for name, shape in shapes.items():
        one = re.sub(r"\.experts\.\d+\.", ".experts.{E}.", name)
        block, expert = re.search(r"\.(\d+)\.", one), re.search(r"\.experts\.(\d+)\.", name)
        pattern = re.sub(r"\.\d+\.", ".{B}.", one, count=1)
        blocks = lines.setdefault((pattern, *shape), {})
        blocks.setdefault(int(block[1]) if block else 0, []).append(int(expert[1]) if expert else 0)
    folded = {}
    for (pattern, *shape), blocks in lines.items():
        number = len(next(iter(blocks.values())))
        assert all(experts == list(range(number)) for experts in blocks.values()), pattern
        for first in (block for block in blocks if block - 1 not in blocks):
            last = next(block for block in itertools.count(first) if block + 1 not in blocks)
            experts = f"{{0..{number - 1}}}"
            folded[pattern.replace("{B}", f"{{{first}..{last}}}").replace("{E}", experts)] = shape
    return folded


if __name__ == "__main__":
    main()
