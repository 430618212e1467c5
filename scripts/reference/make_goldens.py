"""Write tests/goldens/<case>/: random checkpoints and what transformers measures on them in float64.

    python scripts/reference/make_goldens.py [OUTPUT_FOLDER]

The stored weights are loaded back from the file, widened exactly, and run one prompt at a time with eager
attention. Three places of transformers compute in float32 whatever the dtype (RMSNorm, softmax, rotary angles);
`float64_reference` replaces them. The unmodified float32 model is run as well, and the script fails when the two
differ by more than 6e-6, so the overrides cannot drift from the library. Same seed, same versions: same bytes.
"""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from golden_cases import CASES, Case
from safetensors.torch import save_file
from transformers.models.gpt_neox import modeling_gpt_neox
from transformers.models.llama import modeling_llama

PROMPT_LENGTHS = [1, 2, 5, 17, 23]
ROOT = Path(__file__).resolve().parents[2]


def main():
    torch.set_num_threads(1)
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests" / "goldens"
    for number, case in enumerate(CASES):
        folder = out / case.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        rng = np.random.default_rng(1000 + number)
        write_json(folder / "config.json", case.config, indent=2)
        write_checkpoint(folder, case, rng)
        prompts = [rng.integers(0, case.config["vocab_size"], n).tolist() for n in PROMPT_LENGTHS]
        prompts[-1][7:11] = [prompts[-1][6]] * 4  # a run of one token: only positions tell its members apart

        plain = load(folder, torch.float32)
        rough = [measure(plain, ids) for ids in prompts]
        model = float64_reference(load(folder, torch.float64))
        exact = [measure(model, ids) for ids in prompts]
        deviation = max(relative_deviation(a, b) for a, b in zip(rough, exact))
        if deviation > 6e-6:
            raise SystemExit(f"{case.name}: float32 transformers and the float64 reference differ by {deviation:.1e}")
        reference = {
            "generator": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__},
            "family": case.family,
            "config_notes": case.notes,
            "prompts": exact,
        }
        write_json(folder / "reference.json", reference)
        share = np.mean([v for p in exact for row in p["attn_out"] for v in row]) / np.mean(
            [v for p in exact for row in p["mlp_out"] for v in row]
        )
        size = sum(f.stat().st_size for f in folder.iterdir())
        entropies = " ".join(f"{p['entropy_nats']:.2f}" for p in exact)
        print(f"{case.name:40} {size:7} bytes  float32 within {deviation:.1e}  attn/mlp {share:.2f}  nats {entropies}")


def write_checkpoint(folder: Path, case: Case, rng: np.random.Generator):
    """Random tensors under the names and shapes of the transformers class; the class decides, not this script."""
    config = transformers.AutoConfig.from_pretrained(folder)
    with torch.device("meta"):
        skeleton = transformers.AutoModelForCausalLM.from_config(config)
    tied = {"lm_head.weight", "embed_out.weight"} if case.config["tie_word_embeddings"] else set()
    tensors = {}
    for name, parameter in skeleton.named_parameters(remove_duplicate=False):
        if name not in tied:
            value = random_tensor(name, tuple(parameter.shape), bool(tied), rng)
            tensors[name] = torch.from_numpy(value).to(getattr(torch, case.dtype))
    if case.buffers:
        tensors |= stale_buffers(case, tensors)
    names = sorted(tensors)
    if case.shards == 1:
        save_file({n: tensors[n] for n in names}, folder / "model.safetensors", metadata={"format": "pt"})
        return
    weight_map, total = {}, 0
    for shard in range(case.shards):
        file = f"model-{shard + 1:05}-of-{case.shards:05}.safetensors"
        # Round-robin: the tensors of one block lie in different files.
        part = {n: tensors[n] for n in names[shard :: case.shards]}
        save_file(part, folder / file, metadata={"format": "pt"})
        weight_map |= dict.fromkeys(part, file)
        total += sum(t.numel() * t.element_size() for t in part.values())
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    write_json(folder / "model.safetensors.index.json", index, indent=2)


def random_tensor(name: str, shape: tuple, tied: bool, rng: np.random.Generator) -> np.ndarray:
    """Large enough that attention is far from uniform and every branch moves the stream, small enough that float32
    still resolves every number to 1e-5: logits with a spread of about 2, scores of about 1."""
    if "norm" in name and name.endswith("weight"):
        return rng.uniform(0.3, 2.5, shape)
    if name.endswith("bias"):
        return rng.normal(0.0, 0.5, shape)
    if "embed_tokens" in name or "embed_in" in name:
        spread = 0.7 / np.sqrt(shape[1]) if tied else 0.6
        return rng.normal(0.0, spread, shape) * rng.uniform(0.3, 2.5, (shape[0], 1))
    return rng.normal(0.0, 0.8 / np.sqrt(shape[1]), shape)


def stale_buffers(case: Case, tensors: dict) -> dict:
    """What old exports stored beside the weights; wrong values on purpose, since nobody may read them."""
    layers = case.config["num_hidden_layers"]
    if case.family == "llama":
        return {f"model.layers.{i}.self_attn.rotary_emb.inv_freq": torch.full((6,), 0.5) for i in range(layers)}
    extra = {}
    for i in range(layers):
        scope = f"gpt_neox.layers.{i}.attention"
        extra[f"{scope}.bias"] = torch.tril(torch.ones(1, 1, 8, 8, dtype=torch.bool))
        extra[f"{scope}.masked_bias"] = torch.tensor(-1e9)
        extra[f"{scope}.rotary_emb.inv_freq"] = torch.full((3,), 0.5)
    return extra


def load(folder: Path, dtype: torch.dtype):
    model, info = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, attn_implementation="eager", output_loading_info=True
    )
    for kind in ("missing_keys", "mismatched_keys"):
        if info[kind]:
            raise SystemExit(f"{folder.name}: {kind}: {info[kind]}")
    return model.eval()


def float64_reference(model):
    """Replace what transformers 5.23 pins to float32 by the same formula in float64."""
    for module in model.modules():
        if isinstance(module, modeling_llama.LlamaRMSNorm):
            module.forward = rms_norm.__get__(module)
    rotary = model.base_model.rotary_emb
    rotary.forward = rotary_tables(rotary_frequencies(model.config), rotary.attention_scaling)
    for parameter in model.parameters():
        assert parameter.dtype == torch.float64
    return model


def rms_norm(self, x):
    return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon))


def rotary_frequencies(config) -> torch.Tensor:
    """transformers `compute_default_rope_parameters` and `_compute_llama3_parameters`, in float64."""
    rope = config.rope_parameters
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    dim = int(head_dim * rope.get("partial_rotary_factor", 1.0))
    inv_freq = 1.0 / rope["rope_theta"] ** (torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    if rope["rope_type"] == "default":
        return inv_freq
    assert rope["rope_type"] == "llama3"
    context, low, high = rope["original_max_position_embeddings"], rope["low_freq_factor"], rope["high_freq_factor"]
    wavelength = 2 * torch.pi / inv_freq
    smooth = ((context / wavelength - low) / (high - low)).clamp(0.0, 1.0)
    return (1 - smooth) * inv_freq / rope["factor"] + smooth * inv_freq


def rotary_tables(inv_freq: torch.Tensor, scaling: float):
    def forward(x, position_ids):
        angles = position_ids[..., None].to(torch.float64) * inv_freq
        angles = torch.cat((angles, angles), dim=-1)
        return angles.cos() * scaling, angles.sin() * scaling

    return forward


def exact_attention(module, query, key, value, attention_mask, scaling, dropout=0.0, **_):
    """Eager attention with the softmax in the dtype of its scores; serves both families (repeats are 1 in gpt_neox)."""
    repeats = getattr(module, "num_key_value_groups", 1)
    key, value = key.repeat_interleave(repeats, dim=1), value.repeat_interleave(repeats, dim=1)
    scores = query @ key.transpose(2, 3) * scaling
    if attention_mask is not None:
        scores = scores + attention_mask
    weights = torch.softmax(scores, dim=-1)
    return (weights @ value).transpose(1, 2).contiguous(), weights


@torch.no_grad()
def measure(model, ids: list) -> dict:
    """Norms at every tap for one prompt; the layout is that of reference.json."""
    base = model.base_model
    llama = isinstance(base, modeling_llama.LlamaModel)
    streams, attn, mlp, final = [], [], [], []
    hooks = [base.layers[0].register_forward_pre_hook(lambda _m, a: streams.append(a[0]))]
    for layer in base.layers:
        attention = layer.self_attn if llama else layer.attention
        hooks.append(attention.register_forward_hook(lambda _m, _a, o: attn.append(o[0])))
        hooks.append(layer.mlp.register_forward_hook(lambda _m, _a, o: mlp.append(o)))
        hooks.append(layer.register_forward_hook(lambda _m, _a, o: streams.append(o)))
    norm = base.norm if llama else base.final_layer_norm
    hooks.append(norm.register_forward_hook(lambda _m, a, o: final.append((a[0], o))))

    module = modeling_llama if llama else modeling_gpt_neox
    library_attention = module.eager_attention_forward
    if model.dtype == torch.float64:
        module.eager_attention_forward = exact_attention
    try:
        logits = model(torch.tensor([ids]), use_cache=False).logits[0, -1]
    finally:
        module.eager_attention_forward = library_attention
        for hook in hooks:
            hook.remove()

    assert torch.equal(final[0][0], streams[-1]), "the stream after the last block is what the final norm reads"
    for before, a, m, after in zip(streams, attn, mlp, streams[1:]):
        assert torch.allclose(before + a + m, after, rtol=1e-4, atol=1e-5), "two branches explain a block"
    logits = logits.double()
    log_probs = torch.log_softmax(logits, dim=-1)
    top = torch.topk(log_probs.exp(), 5)
    return {
        "token_ids": ids,
        "resid": norms(streams),
        "attn_out": norms(attn),
        "mlp_out": norms(mlp),
        "max_abs": [s[0].double().abs().amax(-1).tolist() for s in streams],
        "final": norms([final[0][1]])[0],
        "entropy_nats": float(-(log_probs.exp() * log_probs).sum()),
        "top": [{"id": i, "prob": p} for i, p in zip(top.indices.tolist(), top.values.tolist())],
    }


def norms(tensors: list) -> list:
    """L2 norm per token: one list of T numbers per `[1, T, D]` tensor."""
    return [torch.linalg.vector_norm(t[0].double(), dim=-1).tolist() for t in tensors]


def relative_deviation(rough: dict, exact: dict) -> float:
    fields = ["resid", "attn_out", "mlp_out", "max_abs", "final", "entropy_nats"]
    a = np.concatenate([np.ravel(rough[f]) for f in fields] + [[t["prob"] for t in rough["top"]]])
    b = np.concatenate([np.ravel(exact[f]) for f in fields] + [[t["prob"] for t in exact["top"]]])
    return float(np.max(np.abs(a - b) / np.abs(b)))


def write_json(path: Path, value, indent=None):
    separators = None if indent else (",", ":")
    path.write_text(json.dumps(value, indent=indent, separators=separators) + "\n")


if __name__ == "__main__":
    main()
