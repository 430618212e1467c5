"""The observations of the bench with transformers and forward hooks (see peer.py).

    python scripts/bench/peer_transformers.py CHECKPOINT [--dtype float32|bfloat16] [--batches N]

The head runs on last positions alone: a full batch's logits would be the peer's peak for no use.
"""

import transformers

from peer import TAPS, main, norms


def load(checkpoint, dtype):
    # Attention is the library's default (sdpa); weights are read straight into the wanted precision.
    return transformers.AutoModelForCausalLM.from_pretrained(checkpoint, dtype=dtype, low_cpu_mem_usage=True).eval()


def observe(model, ids, mask, last):
    taps = {tap: [] for tap in TAPS}

    def keep(tap):
        return lambda _m, _a, out: taps[tap].append(norms(out[0] if isinstance(out, tuple) else out))

    base = model.base_model
    hooks = [base.embed_tokens.register_forward_hook(keep("resid"))]
    for layer in base.layers:
        hooks.append(layer.self_attn.register_forward_hook(keep("attn_out")))
        hooks.append(layer.mlp.register_forward_hook(keep("mlp_out")))
        hooks.append(layer.register_forward_hook(keep("resid")))
    hooks.append(base.norm.register_forward_hook(keep("final")))
    hidden = base(ids, attention_mask=mask, use_cache=False).last_hidden_state
    for hook in hooks:
        hook.remove()
    return taps, model.get_output_embeddings()(hidden[range(len(ids)), last])


if __name__ == "__main__":
    main(__doc__, [], load, observe)
