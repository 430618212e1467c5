"""The observations of the bench with one nnsight trace that saves norms, not states (see peer.py).

    python scripts/bench/peer_nnsight.py CHECKPOINT [--dtype float32|bfloat16] [--batches N]

The head is called inside the trace on last positions, and the trace stops there.
"""

from nnsight import TransformersModel

from peer import TAPS, main, norms


def load(checkpoint, dtype):
    return TransformersModel(str(checkpoint), task="text-generation", dispatch=True, dtype=dtype)


def observe(model, ids, mask, last):
    # In the order of execution: a trace cannot look back at a module that has run.
    with model.trace({"input_ids": ids, "attention_mask": mask}, use_cache=False) as tracer:
        taps = {tap: [] for tap in TAPS}.save()
        taps["resid"].append(norms(model.model.embed_tokens.output))
        for layer in model.model.layers:
            taps["attn_out"].append(norms(layer.self_attn.output[0]))
            taps["mlp_out"].append(norms(layer.mlp.output))
            taps["resid"].append(norms(layer.output))
        hidden = model.model.norm.output
        taps["final"].append(norms(hidden))
        logits = model.lm_head(hidden[range(len(ids)), last]).save()
        tracer.stop()
    return taps, logits


if __name__ == "__main__":
    main(__doc__, ["nnsight"], load, observe)
