"""The norms of reference.json, read by hooks from a transformers model.

The last stream is the last block's output, never `hidden_states[-1]`, which is after the final norm.
"""

import numpy as np
import torch
from taps import taps_of


@torch.no_grad()
def measure(model, ids: list) -> dict:
    """Norms at every tap for one prompt; the layout is that of reference.json."""
    taps = taps_of(model.config)
    blocks = model.get_submodule(taps.layers)
    streams, attn, mlp, final, mids = [], [], [], [], []
    hooks = [blocks[0].register_forward_pre_hook(lambda _m, a: streams.append(a[0].clone()))]

    def keep(module, to):
        # A copy: falcon goes on to add the attention to the MLP's output in place.
        hooks.append(module.register_forward_hook(lambda _m, _a, o: to.append(first(o).clone())))

    for block in blocks:
        keep(block.get_submodule(taps.attention), attn)
        keep(block.get_submodule(taps.mlp), mlp)
        keep(block, streams)
        if taps.stream_norms:
            keep(block.get_submodule(taps.stream_norms[0]), mids)
    if taps.final_norm:
        norm = model.get_submodule(taps.final_norm)
        hooks.append(norm.register_forward_hook(lambda _m, a, o: final.append((a[0], o))))
    try:
        logits = model(torch.tensor([ids]), use_cache=False).logits[0, -1]
    finally:
        for hook in hooks:
            hook.remove()

    mlp = [m.reshape(streams[0].shape) for m in mlp]  # opt's MLP sees [T, D]
    if taps.stream_norms:
        check_stream_norms(blocks, taps, streams, attn, mlp, mids)
        attn = [mid - before for before, mid in zip(streams, mids)]
        mlp = [after - mid for mid, after in zip(mids, streams[1:])]
    if final:
        assert torch.equal(final[0][0], streams[-1]), "the stream after the last block is what the final norm reads"
    assert len(attn) == len(mlp) == len(blocks) == len(streams) - 1
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
        "final": norms([final[0][1] if final else streams[-1]])[0],
        "entropy_nats": float(-(log_probs.exp() * log_probs).sum()),
        "top": [{"id": i, "prob": p} for i, p in zip(top.indices.tolist(), top.values.tolist())],
    }


def first(output):
    return output[0] if isinstance(output, tuple) else output


def check_stream_norms(blocks, taps, streams, attn, mlp, mids):
    """The norms on the stream read the sums that the branches' modules make."""
    for block, before, a, m, mid, after in zip(blocks, streams, attn, mlp, mids, streams[1:]):
        one, two = (block.get_submodule(name) for name in taps.stream_norms)
        assert torch.allclose(one(before + a), mid, rtol=1e-4, atol=1e-5)
        assert torch.allclose(two(mid + m), after, rtol=1e-4, atol=1e-5)


def norms(tensors: list) -> list:
    """L2 norm per token: one list of T numbers per `[1, T, D]` tensor."""
    return [torch.linalg.vector_norm(t[0].double(), dim=-1).tolist() for t in tensors]


def relative_deviation(rough: dict, exact: dict) -> float:
    """The largest relative difference of any number of two measurements."""
    fields = ["resid", "attn_out", "mlp_out", "max_abs", "final", "entropy_nats"]
    a, b = (
        np.concatenate([np.ravel(one[f]) for f in fields] + [[t["prob"] for t in one["top"]]])
        for one in (rough, exact)
    )
    return float(np.max(np.abs(a - b) / np.abs(b)))
