"""Write tests/goldens/stats.json: inputs and SciPy's outputs for every statistic that streamgauge computes itself.

    python scripts/reference/make_stats.py

Where SciPy has no function (exact permutation p, partial Spearman, DerSimonian-Laird, Holm) the definition is
written out here in the plainest way. Intervals are 95 %; p-values two-sided unless named otherwise. The same
versions give the same bytes.
"""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import scipy
from scipy import stats

OUT = Path(__file__).resolve().parents[2] / "tests" / "goldens" / "stats.json"
LEVEL = 0.95

# Small samples: plain, with ties, perfectly ordered, anticorrelated, n = 3, wildly scaled.
PAIRS = [
    ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [2.1, 1.9, 3.5, 3.2, 5.8, 5.1, 9.0]),
    ([1.0, 2.0, 2.0, 3.0, 5.0, 5.0, 8.0, 9.0], [4.0, 4.0, 1.0, 7.0, 7.0, 7.0, 2.0, 9.5]),
    ([0.1, 0.2, 0.3, 0.4], [10.0, 20.0, 30.0, 45.0]),
    ([3.0, 1.0, 4.0, 1.5, 5.0, 9.0], [-2.0, 0.5, -3.0, 0.7, -3.5, -1.0]),
    ([1.0, 2.0, 3.0], [3.0, 1.0, 2.0]),
    ([1e-6, 2e3, 5e5, 7e-2, 3.0], [0.48, 1.53, 0.61, 0.99, 1.01]),
]
LONG_PAIR = (
    [math.sin(1.7 * i) + 0.1 * i for i in range(25)],
    [round(math.cos(0.9 * i) + 0.12 * i, 1) for i in range(25)],
)


def main():
    value = {
        "generator": {"scipy": scipy.__version__, "numpy": np.__version__},
        "level": LEVEL,
        "ranks": [{"x": x, "average_ranks": stats.rankdata(x)} for x, _ in PAIRS],
        "spearman": [spearman(x, y) for x, y in [*PAIRS, LONG_PAIR]],
        "pearson": [pearson(x, y) for x, y in [*PAIRS, LONG_PAIR]],
        "partial_spearman": partial_cases(),
        "sign_test": [sign_test(d) for d in SIGNS],
        "binomial": [
            binomial(*case)
            for case in [(9, 10, 0.5), (0, 7, 0.5), (7, 7, 0.5), (13, 25, 0.5), (3, 40, 0.2), (1, 1, 0.5)]
        ],
        "kruskal_wallis": [kruskal(groups) for groups in GROUPS],
        "random_effects": [random_effects(r, n) for r, n in POOLS],
        "crossed_random_effects": [crossed_random_effects(values) for values in CROSSED],
        "quantile": [
            quantiles(v)
            for v in ([3.0, 1.0, 2.0, 10.0], [5.0], LONG_PAIR[0], [1.0, 1.0, 2.0, 2.0, 2.0], [-1.5, 0.0, 4.25])
        ],
        "regression": [regression(x, y) for x, y in [*PAIRS[:4], LONG_PAIR]],
        "normal_quantile": [
            {"p": p, "z": stats.norm.ppf(p)} for p in (1e-6, 0.001, 0.025, 0.2, 0.5, 0.9, 0.975, 0.9999)
        ],
        "normal_cdf": [{"z": z, "p": stats.norm.cdf(z)} for z in (-6.0, -2.5, -0.1, 0.0, 1.0, 1.959963984540054, 4.0)],
        "t": [
            {"df": df, "t": t, "cdf": stats.t.cdf(t, df)}
            for df in (1, 2, 5, 23, 120)
            for t in (-8.0, -2.0, -0.3, 0.0, 0.7, 2.5, 12.0)
        ],
        "t_quantile": [
            {"df": df, "p": p, "t": stats.t.ppf(p, df)}
            for df in (1, 2, 5, 23, 120)
            for p in (0.005, 0.025, 0.3, 0.5, 0.95, 0.975)
        ],
        "chi_squared_survival": [
            {"df": df, "x": x, "p": stats.chi2.sf(x, df)} for df in (1, 2, 4, 9) for x in (0.0, 0.1, 1.0, 5.0, 30.0)
        ],
        "holm": [
            {"p": p, "adjusted": holm(p)}
            for p in (
                [0.01, 0.04, 0.03, 0.005],
                [0.5],
                [0.2, 0.2, 0.9, 0.001, 1.0],
                [0.04, 0.05, 0.06],
                [1e-9, 1.0, 0.0499, 0.0499],
            )
        ],
    }
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(one_case_per_line(plain(value)))


def spearman(x, y):
    result = stats.spearmanr(x, y)
    case = {"x": x, "y": y, "rho": result.statistic, "p_t_approximation": result.pvalue}
    if len(x) <= 8:
        case["p_exact_permutation"] = permutation_p(stats.rankdata(x), stats.rankdata(y), abs(result.statistic))
    return case


def permutation_p(x_ranks, y_ranks, observed):
    """Share of all n! orders of y whose |rho| is at least the observed one, the observed order included."""
    x, y = x_ranks - x_ranks.mean(), y_ranks - y_ranks.mean()
    scale = math.sqrt((x @ x) * (y @ y))
    orders = np.array(list(itertools.permutations(range(len(y)))))
    return float(np.mean(np.abs(y[orders] @ x) / scale >= observed - 1e-12))


def pearson(x, y):
    result = stats.pearsonr(x, y)
    case = {"x": x, "y": y, "r": result.statistic, "p_t": result.pvalue}
    if len(x) > 3:
        interval = result.confidence_interval(LEVEL)
        case |= {"fisher_low": interval.low, "fisher_high": interval.high}
    return case


def partial_cases():
    control = [2.0, 7.0, 1.0, 8.0, 2.0, 8.0, 1.0]
    second = [0.5, 0.1, 0.9, 0.3, 0.2, 0.8, 0.4]
    (x, y), (tied_x, tied_y), (long_x, long_y) = PAIRS[0], PAIRS[1], LONG_PAIR
    trend = [float(i) for i in range(25)]
    cycle = [float(i % 4) for i in range(25)]
    return [
        partial_spearman(x, y, [control]),
        partial_spearman(x, y, [control, second]),
        partial_spearman(tied_x, tied_y, [[*control, 3.0]]),
        partial_spearman(long_x, long_y, [trend]),
        partial_spearman(long_x, long_y, [trend, cycle]),
    ]


def partial_spearman(x, y, controls):
    """Pearson correlation of the residuals of both rank vectors regressed on the controls' ranks."""
    design = np.column_stack([np.ones(len(x)), *(stats.rankdata(c) for c in controls)])

    def residual(values):
        ranks = stats.rankdata(values)
        return ranks - design @ np.linalg.lstsq(design, ranks, rcond=None)[0]

    rho = float(np.corrcoef(residual(x), residual(y))[0, 1])
    if len(controls) == 1:
        xy, xz, yz = (stats.spearmanr(a, b).statistic for a, b in ((x, y), (x, controls[0]), (y, controls[0])))
        assert abs(rho - (xy - xz * yz) / math.sqrt((1 - xz**2) * (1 - yz**2))) < 1e-12
    df = len(x) - 2 - len(controls)
    p = 2 * stats.t.sf(abs(rho) * math.sqrt(df / (1 - rho**2)), df)
    return {"x": x, "y": y, "controls": controls, "rho": rho, "p_t": p, "df": df}


SIGNS = [
    [0.3, -0.1, 0.5, 0.7, 0.2, 0.9],
    [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
    [0.0, 0.0, -1.0, 2.0, 0.0, -3.0],
    [-1.0] * 25,
    [1.0, -1.0],
]


def sign_test(differences):
    nonzero = [d for d in differences if d != 0]
    positive = sum(d > 0 for d in nonzero)
    p = stats.binomtest(positive, len(nonzero), 0.5).pvalue
    return {"differences": differences, "positive": positive, "n": len(nonzero), "p": p}


def binomial(successes, n, share):
    greater = stats.binomtest(successes, n, share, alternative="greater").pvalue
    less = stats.binomtest(successes, n, share, alternative="less").pvalue
    both = stats.binomtest(successes, n, share)
    interval = both.proportion_ci(LEVEL, method="exact")
    return {
        "successes": successes,
        "n": n,
        "null": share,
        "p_greater": greater,
        "p_less": less,
        "p_two_sided": both.pvalue,
        "clopper_pearson_low": interval.low,
        "clopper_pearson_high": interval.high,
    }


GROUPS = [
    [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]],
    [[2.9, 3.0, 2.5, 2.6, 3.2], [3.8, 2.7, 4.0, 2.4], [2.8, 3.4, 3.7, 2.2, 2.0]],
    [[1.0, 1.0, 2.0], [2.0, 2.0, 3.0], [3.0, 3.0, 3.0, 4.0]],
    [[0.2], [0.4, 0.1], [0.9, 0.8, 0.9], [0.2, 0.5]],
    [[i * 0.37 % 1.0 + 0.1 * g for i in range(1, 6)] for g in range(5)],
]


def kruskal(groups):
    result = stats.kruskal(*groups)
    return {"groups": groups, "h": result.statistic, "df": len(groups) - 1, "p_chi_squared": result.pvalue}


POOLS = [
    ([0.5, 0.6, 0.4, 0.7], [20, 25, 30, 15]),
    ([0.9, -0.2, 0.1, 0.8, 0.3], [12, 40, 25, 9, 60]),
    ([0.3, 0.3, 0.3], [25, 25, 25]),
    ([-0.4, 0.45], [25, 13]),
    ([0.62, 0.6], [25, 25]),
]


def random_effects(correlations, sizes):
    """DerSimonian and Laird (1986) on Fisher z, Hartung-Knapp interval, never narrower than the weights."""
    z = np.arctanh(np.array(correlations))
    v = 1.0 / (np.array(sizes, dtype=float) - 3.0)
    w = 1.0 / v
    fixed = (w @ z) / w.sum()
    q = w @ (z - fixed) ** 2
    c = w.sum() - (w @ w) / w.sum()
    tau2 = max(0.0, (q - (len(z) - 1)) / c) if len(z) > 1 else 0.0
    w = 1.0 / (v + tau2)
    pooled, df = (w @ z) / w.sum(), len(z) - 1
    se = math.sqrt(max(1.0, (w @ (z - pooled) ** 2) / df) / w.sum())
    half = stats.t.ppf(0.5 + LEVEL / 2, df) * se
    return {
        "r": correlations,
        "n": sizes,
        "q": q if len(z) > 1 else 0.0,
        "tau2": tau2,
        "z": pooled,
        "standard_error": se,
        "z_low": pooled - half,
        "z_high": pooled + half,
        "pooled_r": math.tanh(pooled),
        "r_low": math.tanh(pooled - half),
        "r_high": math.tanh(pooled + half),
        "p": 2 * stats.t.sf(abs(pooled) / se, df),
    }


# A row for each unit, a column for each sample; none where a unit does not have the sample.
CROSSED = [
    [[math.sin(1.3 * j) + 0.2 * math.sin(7.1 * i + 2.3 * j) + 0.3 for j in range(9)] for i in range(12)],
    [[0.2 * math.sin(1.3 * j) + math.sin(7.1 * i + 2.3 * j) + 0.1 * i for j in range(15)] for i in range(4)],
    [
        [math.cos(0.9 * j) + 0.3 * math.sin(5.7 * i + 3.3 * j) if (2 * i + j) % 5 else None for j in range(12)]
        for i in range(6)
    ],
    [[math.sin(1.3 * (j + 8 * i)) if j // 5 == i else None for j in range(15)] for i in range(3)],
]


def crossed_random_effects(values):
    """random_effects of means over samples, plus the mean covariance of two units over the samples that both have. Student's t
    with Satterthwaite's degrees of freedom, never more than those of the units."""
    y = np.array(values, dtype=float)
    k = len(y)
    n = (~np.isnan(y)).sum(axis=1)
    effect = np.nanmean(y, axis=1)
    around = np.where(np.isnan(y), 0.0, y - effect[:, None])
    scale = np.sqrt(n * (n - 1.0))
    covariance = (around @ around.T) / np.outer(scale, scale)
    v = np.diag(covariance)
    assert np.allclose(v, np.nanvar(y, axis=1, ddof=1) / n)
    w = 1.0 / v
    fixed = (w @ effect) / w.sum()
    tau2 = max(0.0, (w @ (effect - fixed) ** 2 - (k - 1)) / (w.sum() - (w @ w) / w.sum()))
    w = 1.0 / (v + tau2)
    pooled = (w @ effect) / w.sum()
    variance = max(1.0, (w @ (effect - pooled) ** 2) / (k - 1)) / w.sum()
    w = w / w.sum()
    pairs = np.outer(w, w) * (1.0 - np.eye(k))
    shared = max(0.0, (pairs * covariance).sum() / pairs.sum())
    freedom = k - 1.0
    if shared > 0:
        by_samples = (w @ covariance @ w) / pairs.sum()
        samples = int(((~np.isnan(y)).sum(axis=0) > 1).sum())
        parts = variance**2 / (k - 1) + by_samples**2 / (samples - 1)
        freedom = min(freedom, (variance + shared) ** 2 / parts)
    se = math.sqrt(variance + shared)
    half = stats.t.ppf(0.5 + LEVEL / 2, freedom) * se
    return {
        "values": values,
        "effect": pooled,
        "shared": shared,
        "freedom": freedom,
        "standard_error": se,
        "low": pooled - half,
        "high": pooled + half,
        "p": 2 * stats.t.sf(abs(pooled) / se, freedom),
    }


def quantiles(values):
    shares = [0.0, 0.025, 0.25, 0.5, 0.9, 0.975, 1.0]
    return {"values": values, "shares": shares, "linear": np.quantile(values, shares, method="linear")}


def regression(x, y):
    """R2 of the line through the origin is given about zero and about the mean; they answer different questions."""
    x_, y_ = np.array(x), np.array(y)
    slope = (x_ @ y_) / (x_ @ x_)
    origin_error = float(np.sum((y_ - slope * x_) ** 2))
    affine = stats.linregress(x, y)
    return {
        "x": x,
        "y": y,
        "origin_slope": slope,
        "origin_r2_about_zero": 1 - origin_error / float(y_ @ y_),
        "origin_r2_about_mean": 1 - origin_error / float(np.sum((y_ - y_.mean()) ** 2)),
        "affine_slope": affine.slope,
        "affine_intercept": affine.intercept,
        "affine_r2": affine.rvalue**2,
    }


def holm(p):
    order = sorted(range(len(p)), key=lambda i: p[i])
    adjusted, running = [0.0] * len(p), 0.0
    for step, i in enumerate(order):
        running = max(running, min(1.0, (len(p) - step) * p[i]))
        adjusted[i] = running
    return adjusted


def one_case_per_line(value) -> str:
    sections = []
    for key, content in value.items():
        if isinstance(content, list):
            content = "[\n  " + ",\n  ".join(json.dumps(case) for case in content) + "\n ]"
        else:
            content = json.dumps(content)
        sections.append(f' "{key}": {content}')
    return "{\n" + ",\n".join(sections) + "\n}\n"


def plain(value):
    """NumPy numbers and arrays as JSON's; a value that is not finite has no place in a golden."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v) for v in value]
    if isinstance(value, (float, np.floating)):
        assert math.isfinite(value), value
        return float(value)
    return int(value) if isinstance(value, np.integer) else value


if __name__ == "__main__":
    main()
