"""The observations of the bench with TransformerLens 4 and its hooks (see peer.py).

    python scripts/bench/peer_transformer_lens.py CHECKPOINT [--dtype float32|bfloat16] [--batches N]

`TransformerBridge.boot_transformers` takes the folder of a checkpoint and folds nothing unless it is asked to
(`enable_compatibility_mode`), so norms are the model's own. Hooks keep norms, not states; one at the unembedding cuts
the stream down to last positions, without which a batch's logits would be the peer's peak.
"""

from transformer_lens.model_bridge import TransformerBridge

from peer import TAPS, main, norms


def load(checkpoint, dtype):
    return TransformerBridge.boot_transformers(str(checkpoint), dtype=dtype, device="cpu").eval()


def observe(model, ids, mask, last):
    taps = {tap: [] for tap in TAPS}

    def keep(tap):
        def hook(x, hook):
            taps[tap].append(norms(x))

        return hook

    def last_only(x, hook):
        return x[range(len(ids)), last][:, None]

    hooks = [("embed.hook_out", keep("resid")), ("ln_final.hook_out", keep("final")), ("unembed.hook_in", last_only)]
    for i in range(model.cfg.n_layers):
        hooks.append((f"blocks.{i}.attn.hook_out", keep("attn_out")))
        hooks.append((f"blocks.{i}.mlp.hook_out", keep("mlp_out")))
        hooks.append((f"blocks.{i}.hook_out", keep("resid")))
    logits = model.run_with_hooks(ids, attention_mask=mask, fwd_hooks=hooks, return_type="logits", use_cache=False)
    return taps, logits[:, 0]


if __name__ == "__main__":
    main(__doc__, ["transformer-lens"], load, observe)
