"""Write what the GGUF tests compare with: tests/goldens/gguf, by the `gguf` package, and the codebooks of the IQ types.

    python scripts/reference/make_gguf.py [OUTPUT_FOLDER]

`blocks.json` has for every type that stores weights: the sha256 of the float32 numbers of COUNT random blocks, and the numbers of
the first two. The blocks are the bytes of SplitMix64 from a seed that is the type's number, so that scales of every kind
come: subnormal, huge, infinite, NaN. NaNs are written as 7fc00000, whatever their sign and payload.

`<case>/model.gguf` is a random checkpoint, written as llama.cpp's converter writes it, and `reference.json` what transformers
measures in float64 on the weights that the `gguf` package dequantises of it.
"""

import hashlib
import json
import math
import shutil
import sys
import tempfile
import zlib
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
import transformers
from cases import PROMPT_LENGTHS, Case
from cases.case import LLAMA3, rope
from cases.llama import llama
from cases.qwen import qwen2, qwen3
from checkpoint import HEADS, random_tensor, write_json
from float64 import float64, float64_model
from gguf import GGUFWriter, RopeScalingType, quants
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from make_goldens import FLOAT32_WITHIN, load, rounded
from measure import measure, relative_deviation
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parents[2]
COUNT = 1024
GRIDS = ("IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ1_S")
MASK = (1 << 64) - 1


def random_bytes(seed: int, count: int) -> np.ndarray:
    """Steele et al. 2014; every number gives its eight bytes, the lowest first."""
    state, numbers = seed, []
    for _ in range((count + 7) // 8):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        numbers.append(z ^ (z >> 31))
    return np.array(numbers, dtype="<u8").view(np.uint8)[:count]


def numbers_of(kind: GGMLQuantizationType, blocks: np.ndarray) -> np.ndarray:
    if kind == GGMLQuantizationType.F64:
        return blocks.view("<f8").astype(np.float32)
    return quants.dequantize(blocks, kind)


def canonical(numbers: np.ndarray) -> np.ndarray:
    bits = np.ascontiguousarray(numbers, dtype="<f4").view("<u4").copy()
    bits[np.isnan(numbers)] = 0x7FC00000
    return bits


def make_blocks() -> dict:
    found = {}
    for kind in GGMLQuantizationType:
        elements, size = GGML_QUANT_SIZES[kind]
        raw = random_bytes(int(kind), COUNT * size)
        try:
            with np.errstate(all="ignore"):
                bits = canonical(numbers_of(kind, raw).reshape(-1))
        except NotImplementedError:
            continue
        assert bits.size == COUNT * elements
        first = [f"{b:08x}" for b in bits[: 2 * elements]]
        digest = hashlib.sha256(bits.tobytes()).hexdigest()
        found[kind.name] = {"sha256": digest, "first": "".join(first)}
    return found


def write_grids(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in GRIDS:
        file = folder / f"{'iq1' if name == 'IQ1_S' else name.lower()}.bin"
        file.write_bytes(bytes.fromhex(getattr(quants, name).grid_hex.decode()))


NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
}

# The type of matrices, of the embedding, and the case. Rows of blocks need widths of whole blocks.
CASES = [
    ("F32", "F32", Case("llama_f32", "float32", "whole and in parts", llama(36, 3, 3, 3, 71, 131, head_dim=12))),
    (
        "BF16",
        "F16",
        Case(
            "llama_bf16_factors",
            "float32",
            "LLaMA 3's scaling as a tensor of divisors, grouped, tied",
            llama(48, 2, 4, 2, 70, 130, tie_word_embeddings=True, rope_parameters=LLAMA3 | {"rope_theta": 500.0}),
        ),
    ),
    (
        "Q8_0",
        "F16",
        Case(
            "llama_q8_0_linear",
            "float32",
            "multi-query, linear scaling",
            llama(96, 2, 3, 1, 160, 131, rope_parameters=rope(1000.0, rope_type="linear", factor=4.0)),
        ),
    ),
    (
        "Q4_1",
        "Q8_0",
        Case(
            "llama_q4_1_biases",
            "float32",
            "tied, grouped, biases, heads wider than the stream's share",
            llama(64, 3, 4, 2, 96, 131, head_dim=24, tie_word_embeddings=True, attention_bias=True, mlp_bias=True),
        ),
    ),
    (
        "Q6_K",
        "Q5_0",
        Case(
            "llama_q6_k_yarn",
            "float32",
            "YaRN; matrices whose rows are no whole blocks of Q6_K are Q5_0",
            llama(
                256,
                1,
                4,
                1,
                96,
                67,
                head_dim=32,
                rope_parameters=rope(
                    500.0, rope_type="yarn", factor=4.0, original_max_position_embeddings=16, beta_fast=8.0
                ),
            ),
        ),
    ),
]


CASES += [
    ("F16", "F16", Case("qwen2_f16", "float32", "biases on q, k and v, rows as they are", qwen2(rope_theta=1000000.0))),
    (
        "Q5_1",
        "Q4_0",
        Case(
            "qwen3_q5_1",
            "float32",
            "norms on q and k, heads wider than the stream's share",
            qwen3(hidden_size=64, intermediate_size=96, head_dim=24),
        ),
    ),
]


def gguf_name(name: str) -> str:
    stem, part = name.rsplit(".", 1)
    if stem.startswith("model.layers."):
        block, module = stem.removeprefix("model.layers.").split(".", 1)
        return f"blk.{block}.{NAMES[module]}.{part}"
    return f"{NAMES[stem]}.{part}"


def interleaved(weights: np.ndarray, heads: int) -> np.ndarray:
    """`LlamaModel.permute` of convert_hf_to_gguf.py."""
    return weights.reshape(heads, 2, -1, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def apart(weights: np.ndarray, heads: int) -> np.ndarray:
    return weights.reshape(heads, -1, 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def divisors(config: dict) -> np.ndarray:
    """`LlamaModel.generate_extra_tensors` of convert_hf_to_gguf.py."""
    p, width = config["rope_parameters"], config["hidden_size"] // config["num_attention_heads"]
    low, high, context = p["low_freq_factor"], p["high_freq_factor"], p["original_max_position_embeddings"]
    found = []
    for i in range(0, width, 2):
        wavelength = 2 * math.pi * p["rope_theta"] ** (i / width)
        if wavelength < context / high:
            found.append(1.0)
        elif wavelength > context / low:
            found.append(p["factor"])
        else:
            smooth = (context / wavelength - low) / (high - low)
            found.append(1 / ((1 - smooth) / p["factor"] + smooth))
    return np.array(found, dtype=np.float32)


def quantised(value: np.ndarray, kind: str):
    """The bytes of a matrix in a type, the type, and the numbers they stand for."""
    kind = GGMLQuantizationType[kind]
    if value.ndim == 1:
        kind = GGMLQuantizationType.F32
    elif value.shape[-1] % GGML_QUANT_SIZES[kind][0]:
        kind = GGMLQuantizationType.Q5_0
    elif kind == GGMLQuantizationType.Q6_K:
        # The package does not quantise to this type: any blocks with small scales will do.
        raw = random_bytes(value.size, value.size // 256 * 210).reshape(-1, 210).copy()
        raw[:, 208:] = np.full((len(raw), 1), 8e-6, dtype="<f2").view(np.uint8)
        raw = raw.reshape(value.shape[0], -1)
        return raw, kind, quants.dequantize(raw, kind)
    raw = quants.quantize(value.astype(np.float32), kind)
    return raw, kind, quants.dequantize(raw, kind).reshape(value.shape)


def write_keys(writer: GGUFWriter, config: dict, has_divisors: bool):
    p = config.get("rope_parameters", rope(config.get("rope_theta", 10000.0)))
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(p["rope_theta"])
    width = config.get("head_dim", config["hidden_size"] // config["num_attention_heads"])
    writer.add_rope_dimension_count(width)
    writer.add_vocab_size(config["vocab_size"])
    if "head_dim" in config:
        writer.add_key_length(width)
        writer.add_value_length(width)
    if p["rope_type"] in ("linear", "yarn"):
        writer.add_rope_scaling_type(RopeScalingType[p["rope_type"].upper()])
        writer.add_rope_scaling_factor(p["factor"])
    if p["rope_type"] == "yarn":
        writer.add_rope_scaling_orig_ctx_len(p["original_max_position_embeddings"])
        writer.add_rope_scaling_yarn_beta_fast(p["beta_fast"])
    if has_divisors:
        writer.add_tensor("rope_freqs.weight", divisors(config))
    writer.add_bos_token_id(config["bos_token_id"])


def make_model(kind: str, embedding: str, case: Case, folder: Path):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rng = np.random.default_rng(zlib.crc32(case.name.encode()) if case.seed is None else case.seed)
    config, tensors, numbers = case.config, [], {}
    with torch.device("meta"):
        skeleton = transformers.AutoModelForCausalLM.from_config(transformers.AutoConfig.for_model(**config))
    tied = HEADS if config["tie_word_embeddings"] else set()
    for name, parameter in skeleton.named_parameters(remove_duplicate=False):
        if name in tied:
            continue
        value = random_tensor(name, tuple(parameter.shape), case, bool(tied), rng).astype(np.float32)
        heads = {"q": config["num_attention_heads"], "k": config["num_key_value_heads"]}
        heads = next((n for part, n in heads.items() if f".{part}_proj." in name and case.family == "llama"), None)
        stored = interleaved(value, heads) if heads else value
        raw, stored_as, found = quantised(stored, embedding if "embed" in name or "lm_head" in name else kind)
        numbers[name] = torch.from_numpy(np.ascontiguousarray(apart(found, heads) if heads else found))
        tensors.append((gguf_name(name), raw, stored_as))
    parts = [(folder / "model.gguf", 0)] + [(folder / "parts/model.gguf", 8)] * (kind == "F32")
    for file, most in parts:
        file.parent.mkdir(exist_ok=True)
        writer = GGUFWriter(file, case.family, split_max_tensors=most)
        write_keys(writer, config, config.get("rope_parameters", {}).get("rope_type") == "llama3")
        for name, raw, stored_as in tensors:
            writer.add_tensor(name, raw, raw_dtype=stored_as)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    prompts = [rng.integers(0, config["vocab_size"], n).tolist() for n in PROMPT_LENGTHS]
    prompts[-1][7:11] = [prompts[-1][6]] * 4
    with tempfile.TemporaryDirectory() as other:
        write_json(Path(other) / "config.json", config)
        save_file(numbers, Path(other) / "model.safetensors", metadata={"format": "pt"})
        plain = load(Path(other), case.attention)
    rough = [measure(plain, ids) for ids in prompts]
    model = float64_model(plain)
    with float64():
        exact = [measure(model, ids) for ids in prompts]
    deviation = max(relative_deviation(a, b) for a, b in zip(rough, exact))
    made_by = {name: version(name) for name in ("gguf", "torch", "transformers")}
    made_by["torch"] = made_by["torch"].split("+")[0]
    reference = {"generator": made_by, "family": case.family, "config_notes": case.notes, "prompts": rounded(exact)}
    write_json(folder / "reference.json", reference)
    entropies = " ".join(f"{p['entropy_nats']:.2f}" for p in exact)
    print(f"{case.name:24} float32 within {deviation:.1e}  nats {entropies}", flush=True)
    if deviation > FLOAT32_WITHIN:
        raise SystemExit(f"{case.name}: float32 transformers and the float64 reference differ by {deviation:.1e}")


def main() -> None:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests/goldens/gguf"
    out.mkdir(parents=True, exist_ok=True)
    golden = {"made_by": f"gguf {version('gguf')}", "count": COUNT, "types": make_blocks()}
    (out / "blocks.json").write_text(json.dumps(golden, indent=1) + "\n", encoding="utf-8")
    write_grids(ROOT / "src/model/gguf/dequantise/grids")
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    for kind, embedding, case in CASES:
        make_model(kind, embedding, case, out / case.name)


if __name__ == "__main__":
    main()
