"""What routers of experts choose, read from the library's own modules."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

# As src/number/observation/taps.rs has it.
NEAR_TIE = 1e-4


@dataclass(frozen=True)
class Router:
    """Where a block of a family has its router, and how that ranks experts."""

    module: str  # its path from the block; blocks without it have no experts
    sigmoid: bool = False  # scores are logistic functions of the logits, else their softmax
    # Path from the block of a vector that is added to the scores for the choice alone.
    correction: str | None = None
    # The module has groups (`num_group`, of which `topk_group` are open), ranked by the sum of this many of their best experts.
    group_best: int | None = None
    # From the block and what the module gives: logits `[T, E]`, weights and indices `[T, K]`.
    parts: Callable = lambda _block, output: output


def of_dbrx(block, logits):
    return logits, *block.ffn.route_tokens_to_experts(logits)


def of_llama4(_block, output):
    """Scores of the chosen expert, which multiply what it receives, 0 for others, and logits. What it gives has the weight 1."""
    scores, logits = output
    chosen = scores.topk(1, dim=1)
    return logits, torch.ones_like(chosen.values), chosen.indices


class Routers:
    """Watches the routers of a model while `hooks` are there."""

    def __init__(self, blocks, router: Router | None):
        self.router, self.hooks, self.seen = router, [], [None] * len(blocks)
        self.blocks = blocks
        for layer, block in enumerate(blocks):
            module = router and found(block, router.module)
            if module is not None:
                self.hooks.append(module.register_forward_hook(self.keep(layer)))

    def keep(self, layer: int):
        def hook(_module, _args, output):
            logits, weights, indices = (part.clone() for part in self.router.parts(self.blocks[layer], output))
            # Only the first run counts: later ones ask what the head would say of other streams.
            if self.seen[layer] is None:
                self.seen[layer] = self.sorted(layer, logits.double(), weights.double(), indices)

        return hook

    def sorted(self, layer, logits, weights, indices):
        """Logits, ranked scores, weights and indices with the best choice first, and the margin of the choice of groups."""
        ranked = logits
        if self.router.correction:
            module, name = self.router.correction.rsplit(".", 1)
            correction = getattr(self.blocks[layer].get_submodule(module), name)
            ranked = self.scores(logits) + correction.double()
        elif self.limiting(layer) and self.router.group_best > 1:  # logits have the same order, their sums have not
            ranked = self.scores(logits)
        ranked, between_groups = self.limited(layer, ranked)
        order = ranked.gather(1, indices).argsort(dim=1, descending=True)
        return logits, ranked, weights.gather(1, order), indices.gather(1, order), between_groups

    def limiting(self, layer):
        """The router of a block, if groups limit its choice."""
        module = self.router.group_best and self.blocks[layer].get_submodule(self.router.module)
        if not module or module.topk_group == module.num_group or getattr(module, "topk_method", None) == "greedy":
            return None
        return module

    def limited(self, layer, ranked):
        """Minus infinity for experts of closed groups; by how much the last open group leads the best closed one."""
        module = self.limiting(layer)
        if not module:
            return ranked, torch.full(ranked.shape[:1], float("inf"), dtype=ranked.dtype)
        grouped = ranked.unflatten(1, (module.num_group, -1))
        groups = grouped.topk(self.router.group_best).values.sum(-1)
        leading, order = groups.topk(module.topk_group + 1)
        is_open = torch.zeros_like(groups, dtype=torch.bool).scatter(1, order[:, :-1], True)
        limited = grouped.masked_fill(~is_open.unsqueeze(-1), -float("inf"))
        return limited.flatten(1), leading[:, -2] - leading[:, -1]

    def scores(self, logits):
        return logits.sigmoid() if self.router.sigmoid else logits.softmax(-1)

    def formulas(self, tokens: int) -> dict:
        """A formula for every tap of blocks with experts."""
        known = next(seen for seen in self.seen if seen is not None)
        experts, chosen = known[0].shape[1], known[3].shape[1]

        def rows(formula, absent):
            return [absent if seen is None else formula(*seen).tolist() for seen in self.seen]

        return {
            "router_entropy_nats": lambda: rows(self.entropy, [None] * tokens),
            "router_margin": lambda: rows(margin, [None] * tokens),
            "expert_weight": lambda: rows(lambda _l, _r, weights, *_: weights, [[None] * chosen] * tokens),
            "expert_tokens": lambda: rows(shares, [None] * experts),
            "router_near_ties": lambda: self.near_ties(),
        }

    def entropy(self, logits, *_):
        scores = self.scores(logits)
        shares = scores / scores.sum(-1, keepdim=True)
        return -(shares * shares.log()).sum(-1)

    def near_ties(self) -> float:
        margins = torch.stack([margin(*seen) for seen in self.seen if seen is not None])
        return float((margins < NEAR_TIE).any(0).sum())


def margin(_logits, ranked, _weights, indices, between_groups):
    """By how much the last chosen expert leads the best other one, or the last open group the best closed one if that is less."""
    chosen = torch.zeros_like(ranked, dtype=torch.bool).scatter(1, indices, True)
    infinity = torch.tensor(float("inf"), dtype=ranked.dtype)
    between_experts = torch.where(chosen, ranked, infinity).amin(1) - torch.where(chosen, -infinity, ranked).amax(1)
    return torch.minimum(between_experts, between_groups)


def shares(logits, _ranked, _weights, indices, _between_groups):
    tokens, experts = logits.shape
    return torch.bincount(indices.flatten(), minlength=experts).double() / tokens


def found(block, path: str):
    """The module at a path, if the block has it."""
    try:
        return block.get_submodule(path)
    except AttributeError:
        return None
