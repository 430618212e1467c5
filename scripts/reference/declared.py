"""What is observed of a prompt, as src/number/observation/taps.rs declares it (taps.json is written from there)."""

import json
from functools import cache
from pathlib import Path

# The branches of every family of the goldens.
BRANCHES = ("attn", "mlp")

SHAPES = {
    "stream": "`[L+1][T]`",
    "blocks": "`[L][T]`",
    "heads": "`[L][H]`",
    "experts": "`[L][E]`",
    "choices": "`[L][T][K]`",
    "layers": "`[L+1]`",
    "tokens": "`[T]`",
    "prompt": "a number",
}


# Taps of blocks with experts.
ROUTED = ("router_entropy_nats", "router_margin", "expert_weight", "expert_tokens", "router_near_ties")


@cache
def declared(routed: bool = False) -> dict:
    """The taps of these families by their names in reference.json; of blocks with experts too, if `routed`."""
    taps = json.loads((Path(__file__).parent / "taps.json").read_text())
    named = {}
    for tap in taps:
        if routed and tap["name"] in ROUTED:
            named[tap["name"]] = tap
        branches = BRANCHES if "{branch}" in tap["name"] else [""]
        for branch in branches:
            name = tap["name"].replace("{branch}", branch)
            # Optional are what only some blocks have; of those the families here have the heads of attention.
            if not tap["optional"] or name == "attn_off_diagonal":
                words = {"attn": "attention", "mlp": "the MLP"}.get(branch, "")
                named["final" if name == "final_norm" else name] = {
                    **tap,
                    "meaning": tap["meaning"].replace("{branch}", words),
                }
    return named


def table() -> str:
    """A line for every tap."""
    lines = "".join(line(name, tap) for name, tap in declared().items())
    of_experts = "".join(line(name, tap) for name, tap in declared(routed=True).items() if name in ROUTED)
    return f"{lines}\nof blocks with E experts, of which a token chooses K (null in other blocks):\n\n{of_experts}"


def line(name: str, tap: dict) -> str:
    return f"- `{name}` {SHAPES[tap['axes']]}: {tap['meaning']}\n"
