"""The same observations with transformers, for comparison with streamgauge: norms per token and layer, entropy.

    python scripts/bench/peer_transformers.py CHECKPOINT [--dtype float32|bfloat16] [--one-by-one]

Reads CHECKPOINT/bench_prompts.json; prompts are padded on the right into one batch unless --one-by-one. Prints
`{"observations": [{"token_ids", "resid", "attn_out", "mlp_out", "final", "entropy_nats"}]}`.
"""

import argparse
import json
from pathlib import Path

import torch
import transformers


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--one-by-one", action="store_true")
    args = parser.parse_args()
    prompts = json.loads((args.checkpoint / "bench_prompts.json").read_text())
    model = transformers.AutoModelForCausalLM.from_pretrained(args.checkpoint, dtype=getattr(torch, args.dtype)).eval()
    batches = [[p] for p in prompts] if args.one_by_one else [prompts]
    print(json.dumps({"observations": [o for batch in batches for o in measure(model, batch)]}))


@torch.no_grad()
def measure(model, prompts: list) -> list:
    longest = max(map(len, prompts))
    ids = torch.tensor([p + [0] * (longest - len(p)) for p in prompts])
    mask = torch.tensor([[1] * len(p) + [0] * (longest - len(p)) for p in prompts])
    taps = {"resid": [], "attn_out": [], "mlp_out": [], "final": []}

    def keep(tap):
        return lambda _m, _a, out: taps[tap].append(norms(out[0] if isinstance(out, tuple) else out))

    base = model.base_model
    llama = hasattr(base, "embed_tokens")
    hooks = [(base.embed_tokens if llama else base.embed_in).register_forward_hook(keep("resid"))]
    for layer in base.layers:
        hooks.append((layer.self_attn if llama else layer.attention).register_forward_hook(keep("attn_out")))
        hooks.append(layer.mlp.register_forward_hook(keep("mlp_out")))
        hooks.append(layer.register_forward_hook(keep("resid")))
    hooks.append((base.norm if llama else base.final_layer_norm).register_forward_hook(keep("final")))
    hidden = base(ids, attention_mask=mask, use_cache=False).last_hidden_state
    for hook in hooks:
        hook.remove()
    last = torch.tensor([len(p) - 1 for p in prompts])
    # The head on last positions alone: the full batch's logits would be the peer's peak for no use.
    log_probs = torch.log_softmax(model.get_output_embeddings()(hidden[range(len(prompts)), last]).float(), -1)
    entropies = -(log_probs.exp() * log_probs).sum(-1)
    out = []
    for i, prompt in enumerate(prompts):
        rows = {tap: [v[i, : len(prompt)].tolist() for v in values] for tap, values in taps.items()}
        rows["final"] = rows["final"][0]
        out.append({"token_ids": prompt, **rows, "entropy_nats": entropies[i].item()})
    return out


def norms(x: torch.Tensor) -> torch.Tensor:
    """`[B, T, D]` to `[B, T]`."""
    return torch.linalg.vector_norm(x.float(), dim=-1)


if __name__ == "__main__":
    main()
