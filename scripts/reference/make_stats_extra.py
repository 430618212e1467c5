"""Writes tests/goldens/stats_extra.json: statistics of fixed cases computed by SciPy and NumPy, beside those of make_stats.py.

Run: python scripts/reference/make_stats_extra.py   (needs numpy and scipy; deterministic)
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy import stats

OUT = Path(__file__).resolve().parents[2] / "tests" / "goldens" / "stats_extra.json"
RNG = np.random.default_rng(20261123)


def sign_flip_cases():
    cases = []
    for values in [[0.3, -0.1, 0.5, 0.2], RNG.normal(0.4, 1, size=10).tolist(), [1.0, -1.0, 2.0, 2.0, -0.5]]:
        result = stats.permutation_test(
            (np.asarray(values),),
            lambda v: abs(np.mean(v)),
            permutation_type="samples",
            alternative="greater",
            n_resamples=np.inf,
            vectorized=False,
        )
        cases.append({"values": values, "p": float(result.pvalue)})
    return cases


def bootstrap_cases():
    cases = []
    for values in [RNG.normal(1, 0.2, size=25), RNG.lognormal(0, 0.5, size=15)]:
        result = stats.bootstrap(
            (values,), np.mean, method="percentile", n_resamples=200_000, batch=10_000, rng=np.random.default_rng(1)
        )
        cases.append(
            {
                "values": values.tolist(),
                "percentile": [float(result.confidence_interval.low), float(result.confidence_interval.high)],
            }
        )
    return cases


def student_cases():
    cases = []
    for values in [[1.0, 2.0], [0.48, 0.61, 0.55], [1.2, 1.1, 1.5, 1.3]]:
        m, se = np.mean(values), stats.sem(values)
        low, high = stats.t.interval(0.95, len(values) - 1, loc=m, scale=se)
        cases.append({"values": values, "interval": [float(low), float(high)]})
    return cases


def sink_cases():
    tokens = np.array([6, 26, 10, 9, 11], float)
    norms = np.sqrt(163.7**2 + (tokens - 1) * 85.9**2) * (1 + 0.01 * RNG.normal(size=5))
    fit = stats.linregress(tokens - 1, norms**2)
    return [
        {
            "tokens": tokens.tolist(),
            "norms": norms.tolist(),
            "sink_squared": float(fit.intercept),
            "token_squared": float(fit.slope),
            "r_squared": float(fit.rvalue**2),
        }
    ]


def cross_validated_cases():
    cases = []
    for n in (5, 25):
        x = RNG.uniform(2, 6, size=n)
        y = 0.3 * x + RNG.normal(0, 0.3, size=n)
        missed = {"linear": 0.0, "affine": 0.0, "rank": 0.0}
        for i in range(n):
            keep = np.arange(n) != i
            tx, ty = x[keep], y[keep]
            slope = np.linalg.lstsq(tx[:, None], ty, rcond=None)[0][0]
            missed["linear"] += (y[i] - slope * x[i]) ** 2
            missed["affine"] += (y[i] - np.polyval(np.polyfit(tx, ty, 1), x[i])) ** 2
            ranks = stats.rankdata(tx)
            order = np.argsort(tx)
            place = np.interp(x[i], tx[order], ranks[order])
            missed["rank"] += (y[i] - np.polyval(np.polyfit(ranks, ty, 1), place)) ** 2
        total = np.sum((y - y.mean()) ** 2)
        cases.append(
            {"x": x.tolist(), "y": y.tolist(), **{k: float(1 - m / total) for k, m in missed.items()}}
        )
    return cases


def main():
    golden = {
        "made_by": f"scripts/reference/make_stats_extra.py, scipy {scipy.__version__}, numpy {np.__version__}",
        "sign_flip": sign_flip_cases(),
        "bootstrap": bootstrap_cases(),
        "student": student_cases(),
        "sink": sink_cases(),
        "cross_validated": cross_validated_cases(),
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
