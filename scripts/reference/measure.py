"""The numbers of reference.json, read by hooks from a transformers model.

The last stream is the last block's output, never `hidden_states[-1]`, which is after the final norm. What the head
would say of another stream (scaled, or of an earlier layer) is what the model says when its last block gives that
stream: norms, projections, scales and caps on the way are the library's.
"""

from contextlib import contextmanager

import numpy as np
import torch
from declared import BRANCHES, declared
from routing import Routers
from taps import taps_of

SCALES = (0.25, 0.5, 2.0, 4.0)
# What is a share of something else, a cosine or a score is as exact as that is: its error is absolute.
SHARES = [name for name, tap in declared(routed=True).items() if tap["unit"] in ("cosine", "share", "score")]


@torch.no_grad()
def measure(model, ids: list) -> dict:
    """What one prompt shows; the layout is that of reference.json."""
    taps = taps_of(model.config)
    blocks = model.get_submodule(taps.layers)
    streams, attn, mlp, final, mids = [], [], [], [], []
    attn_in, mlp_in, attn_module, mlp_module, beside = [], [], [], [], []
    hooks = [blocks[0].register_forward_pre_hook(lambda _m, a: streams.append(a[0].clone()))]

    def keep(module, to):
        # A copy: falcon goes on to add the attention to the MLP's output in place.
        hooks.append(module.register_forward_hook(lambda _m, _a, o: to.append(first(o).clone())))

    def keep_input(module, to):
        def hook(_module, args, kwargs):
            to.append((args[0] if args else kwargs["hidden_states"]).clone())

        hooks.append(module.register_forward_pre_hook(hook, with_kwargs=True))

    for block in blocks:
        keep(block.get_submodule(taps.attention), attn)
        keep(block.get_submodule(taps.mlp), mlp)
        attention_module, ffn_module = taps.attention_module or taps.attention, taps.mlp_module or taps.mlp
        keep(block.get_submodule(attention_module), attn_module)
        keep(block.get_submodule(ffn_module), mlp_module)
        keep_input(block.get_submodule(taps.attention_input or attention_module), attn_in)
        keep_input(block.get_submodule(taps.mlp_input or ffn_module), mlp_in)
        if taps.mlp_beside:
            keep(block.get_submodule(taps.mlp_beside), beside)
        keep(block, streams)
        if taps.stream_norms:
            keep(block.get_submodule(taps.stream_norms[0]), mids)
    if taps.final_norm:
        norm = model.get_submodule(taps.final_norm)
        hooks.append(norm.register_forward_hook(lambda _m, a, o: final.append((a[0], o))))
    routers = Routers(blocks, taps.router)
    hooks += routers.hooks
    try:
        with probabilities(model) as attention:
            every = logits_of(model, ids)
    finally:
        for hook in hooks:
            hook.remove()

    if taps.mlp_beside:
        mlp, mlp_module = ([m + b for m, b in zip(one, beside)] for one in (mlp, mlp_module))
    flat = [mlp, mlp_in, mlp_module]  # opt's MLP sees [T, D]
    mlp, mlp_in, mlp_module = ([m.reshape(streams[0].shape) for m in one] for one in flat)
    if taps.write_scale:
        holder = blocks[0] if hasattr(blocks[0], taps.write_scale) else model.config
        factor = getattr(holder, taps.write_scale)
        attn, mlp = ([m * factor for m in one] for one in (attn, mlp))
    if taps.stream_norms:
        check_stream_norms(blocks, taps, streams, attn, mlp, mids)
        attn = [mid - before for before, mid in zip(streams, mids)]
        mlp = [after - mid for mid, after in zip(mids, streams[1:])]
    final = final[-1:]  # nanochat norms the embedding by the same module
    if final:
        assert torch.equal(final[0][0], streams[-1]), "the stream after the last block is what the final norm reads"
    assert len(attn) == len(mlp) == len(blocks) == len(streams) - 1 == len(attention)
    writes = [after - before for before, after in zip(streams, streams[1:])]
    for a, m, write in zip(attn, mlp, writes):
        assert torch.allclose(a + m, write, rtol=1e-4, atol=1e-5), "two branches explain a block"
    logits = every[-1]
    log_probs = torch.log_softmax(logits, dim=-1)
    top = torch.topk(log_probs.exp(), 5)
    scaled = [last_logits_for(model, blocks[-1], ids, streams[-1] * factor) for factor in SCALES]
    shift = max((one - logits).abs().max() for one in scaled)
    lens = [entropy(last_logits_for(model, blocks[-1], ids, stream)) for stream in streams]
    losses = -torch.log_softmax(every[:-1], dim=-1)[range(len(ids) - 1), ids[1:]]
    branches = {
        "attn": {"module_in": attn_in, "module_out": attn_module, "out": attn},
        "mlp": {"module_in": mlp_in, "module_out": mlp_module, "out": mlp},
    }
    assert tuple(branches) == BRANCHES
    # One formula for every tap that src/number/observation/taps.rs declares.
    formulas = {
        "resid": lambda: norms(streams),
        "max_abs": lambda: [s[0].double().abs().amax(-1).tolist() for s in streams],
        "write": lambda: norms(writes),
        "write_cosine": lambda: [cosines(x, w) for x, w in zip(streams, writes)],
        "attn_off_diagonal": lambda: [off_diagonal(a) for a in attention],
        "lens_entropy_nats": lambda: lens,
        "final": lambda: norms([final[0][1] if final else streams[-1]])[0],
        "entropy_nats": lambda: entropy(logits),
        "logit_shift": lambda: float(shift / (logits.max() - logits.min())),
        "loss_nats": lambda: float(losses.mean()) if len(ids) > 1 else None,
    }
    for branch, seen in branches.items():
        formulas |= {f"{branch}_{tap}": lambda tensors=tensors: norms(tensors) for tap, tensors in seen.items()}
    if taps.router:
        formulas |= routers.formulas(len(ids))
    names = declared(routed=taps.router is not None)
    assert formulas.keys() == names.keys(), formulas.keys() ^ names.keys()
    top = [{"id": i, "prob": p} for i, p in zip(top.indices.tolist(), top.values.tolist())]
    return {"token_ids": ids, "top": top, **{name: formulas[name]() for name in names}}


def first(output):
    return output[0] if isinstance(output, tuple) else output


def logits_of(model, ids: list):
    """`[T, vocabulary]` in float64."""
    return model(torch.tensor([ids]), use_cache=False).logits[0].double()


def last_logits_for(model, block, ids: list, stream):
    """Logits of the last position when the last block gives `stream`."""

    def instead(_module, _args, output):
        return (stream, *output[1:]) if isinstance(output, tuple) else stream

    hook = block.register_forward_hook(instead)
    try:
        return logits_of(model, ids)[-1]
    finally:
        hook.remove()


@contextmanager
def probabilities(model):
    """Attention probabilities of the runs inside, `[1, heads, T, T]` for every block."""
    found = []
    functional = torch.nn.functional
    if model.config._attn_implementation == "eager":
        name, plain = "softmax", functional.softmax
    else:
        name, plain = "scaled_dot_product_attention", functional.scaled_dot_product_attention
    inside = False

    def recording(*args, **kwargs):
        nonlocal inside
        if inside:  # a mode calls the function by its name again
            return plain(*args, **kwargs)
        inside = True
        try:
            result = plain(*args, **kwargs)
            if name == "softmax":
                if result.ndim == 4:  # a router's has a row for each token
                    found.append(result)
            else:
                q, k, v, *rest = args
                # What is mixed from the rows of the identity are the probabilities themselves.
                identity = torch.eye(v.shape[-2], dtype=v.dtype).expand(*v.shape[:-1], -1)
                found.append(plain(q, k, identity, *rest, **kwargs))
            return result
        finally:
            inside = False

    setattr(functional, name, recording)
    try:
        yield found
    finally:
        setattr(functional, name, plain)


def off_diagonal(probabilities) -> list:
    """Per head, the probability that tokens give to others."""
    heads = (probabilities[0] if probabilities.dim() == 4 else probabilities).double()  # xglm: [heads, T, T]
    assert torch.allclose(heads.sum(-1), torch.ones(()).double(), atol=1e-6), "rows are distributions"
    length = heads.shape[-2]
    heads = heads[..., :length]  # a sink is no token
    return (heads * (1 - torch.eye(length, dtype=heads.dtype))).sum((-2, -1)).tolist()


def check_stream_norms(blocks, taps, streams, attn, mlp, mids):
    """The norms on the stream read the sums that the branches' modules make."""
    for block, before, a, m, mid, after in zip(blocks, streams, attn, mlp, mids, streams[1:]):
        one, two = (block.get_submodule(name) for name in taps.stream_norms)
        assert torch.allclose(one(before + a), mid, rtol=1e-4, atol=1e-5)
        assert torch.allclose(two(mid + m), after, rtol=1e-4, atol=1e-5)


def norms(tensors: list) -> list:
    """L2 norm per token: one list of T numbers per `[1, T, D]` tensor."""
    return [torch.linalg.vector_norm(t[0].double(), dim=-1).tolist() for t in tensors]


def cosines(a, b) -> list:
    return torch.cosine_similarity(a[0].double(), b[0].double(), dim=-1, eps=0.0).tolist()


def entropy(logits) -> float:
    log_probs = torch.log_softmax(logits, dim=-1)
    return float(-(log_probs.exp() * log_probs).sum())


def relative_deviation(rough: dict, exact: dict) -> float:
    """The largest relative difference of any number of two measurements; of shares the largest difference."""
    worst = 0.0
    for name in rough.keys() - {"token_ids", "top"}:
        if rough[name] is None or len(flat(rough[name])) != len(flat(exact[name])):
            continue  # a changed config may choose another number of experts
        worst = max(worst, deviation(rough[name], exact[name], relative=name not in SHARES))
    probs = ([t["prob"] for t in one["top"]] for one in (rough, exact))
    return max(worst, deviation(*probs, relative=True))


def deviation(rough, exact, relative: bool) -> float:
    a, b = flat(rough), flat(exact)
    difference = np.abs(a - b)
    if not relative:
        return float(np.nanmax(difference))
    # A lone token attends to itself alone: an exact 0.
    assert (a[b == 0] == 0).all()
    return float(np.nanmax(difference[b != 0] / np.abs(b[b != 0]), initial=0.0))


def flat(values):
    """In one row; what a block lacks is not-a-number."""
    if not isinstance(values, list):
        return np.array([values])
    return np.concatenate([np.ravel(np.array(v, dtype=np.float64)) for v in values])
