"""Inference over the published models with lineages as units, by SciPy: tests/goldens/units.json.

A lineage is a base with what was made of it: the published tunes count with their bases, and the two versions of Mistral are one.
The same with models as units is stored beside it: that is what a count of relatives would claim.
"""

import csv
import json
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy import stats

ROOT = Path(__file__).resolve().parents[2]
RMSNORM = {"gemma", "llama", "mistral", "apertus"}


def rows(name):
    with open(ROOT / "data/published" / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def last_token_gains():
    """By model, the mean over prompts of the log gain of the last block, read at the last token."""
    cells = defaultdict(list)
    for row in rows("measurements.csv"):
        last = row["token_reduction"] == "last_token" and row["final_tap"] == "block_output"
        if last and row["last_gain"] and not row["prompt_id"].startswith("__"):
            cells[row["model"], row["prompt_id"]].append(math.log(float(row["last_gain"])))
    models = defaultdict(list)
    for (model, _), values in cells.items():
        models[model].append(np.mean(values))
    return {model: float(np.mean(values)) for model, values in models.items()}


def lineages():
    stated = {}
    for row in rows("relations.csv"):
        stated[row["model"]] = row["lineage"] or row["base"]
    return lambda model: stated.get(model, model)


def joined(means, lineage):
    members = defaultdict(list)
    for model, mean in means.items():
        members[lineage(model)].append(mean)
    return {name: float(np.mean(values)) for name, values in members.items()}


def flips(values):
    """Two-sided p of the mean by all flips of signs."""
    result = stats.permutation_test(
        (np.array(values),), np.mean, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    # SciPy doubles the smaller tail; flips are symmetric, so both are alike.
    return float(result.pvalue)


def case(means, family):
    rms = {m: v for m, v in means.items() if family[m] in RMSNORM}
    layer = {m: v for m, v in means.items() if family[m] not in RMSNORM}
    groups = stats.mannwhitneyu(list(rms.values()), list(layer.values()), method="exact")
    return {
        "units": sorted(means),
        "every": {"n": len(means), "mean": float(np.mean(list(means.values()))), "p": flips(list(means.values()))},
        "rmsnorm": {"n": len(rms), "mean": float(np.mean(list(rms.values()))), "p": flips(list(rms.values()))},
        "groups": {"n": [len(rms), len(layer)], "p": float(groups.pvalue)},
    }


def main():
    means = last_token_gains()
    family = {row["model"]: row["model_type"] for row in rows("models.csv")}
    stored = {
        "made_by": "scripts/reference/make_units.py",
        "models": case(means, family),
        "lineages": case(joined(means, lineages()), family),
    }
    path = ROOT / "tests/goldens/units.json"
    path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
