"""Do two programs say the same? Relative differences of norms at every tap and of entropies.

from agree import worst, TOLERANCE
worst(ours["observations"], theirs["observations"])   # {"relative": .., "at": "attn_out, prompt 3, .."}
"""

import math

# bfloat16 keeps 8 bits: a rounding is 2^-9, and a hundred roundings add up along the stream.
TOLERANCE = {"float32": 1e-4, "bfloat16": 5e-2}
NESTED = ("resid", "attn_out", "mlp_out")


def worst(reference: list[dict], found: list[dict]) -> dict:
    """The largest relative difference and where it is. None instead of a number that is not finite, or where the two
    cannot be compared: prompts must be the same, in the same order."""
    if len(found) != len(reference):
        return {"relative": None, "at": f"{len(found)} observations instead of {len(reference)}"}
    out = {"relative": 0.0, "at": "nowhere"}
    for prompt, (a, b) in enumerate(zip(reference, found)):
        if a["token_ids"] != b["token_ids"]:
            return {"relative": None, "at": f"prompt {prompt} has other tokens"}
        for place, x, y in numbers(a, b):
            relative = abs(x - y) / abs(x) if x else math.inf
            if not math.isfinite(relative):
                return {"relative": None, "at": f"prompt {prompt}, {place}: {x} and {y}"}
            if relative > out["relative"]:
                out = {"relative": relative, "at": f"prompt {prompt}, {place}"}
    return out


def numbers(a: dict, b: dict):
    for tap in NESTED:
        for layer, (xs, ys) in enumerate(zip(a[tap], b[tap], strict=True)):
            for token, (x, y) in enumerate(zip(xs, ys, strict=True)):
                yield f"{tap} {layer}, token {token}", x, y
    for token, (x, y) in enumerate(zip(a["final"], b["final"], strict=True)):
        yield f"final, token {token}", x, y
    yield "entropy", a["entropy_nats"], b["entropy_nats"]
