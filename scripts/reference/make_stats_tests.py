"""Writes tests/goldens/stats_tests.json: tests, effects and intervals of fixed cases by SciPy, statsmodels and diptest.

Run: python scripts/reference/make_stats_tests.py   (needs requirements.txt; deterministic)

Where no library has a function (effect sizes, partial conjunction, the two Gaussians' BIC) the definition is written
out here in the plainest way. Intervals are 95 %, p-values two-sided, unless named otherwise.
"""

import math
from pathlib import Path

import diptest
import numpy as np
import pandas as pd
import scipy
import statsmodels
import statsmodels.api as sm
from make_stats import one_case_per_line, plain
from scipy import optimize, stats
from statsmodels.formula.api import ols
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

OUT = Path(__file__).resolve().parents[2] / "tests" / "goldens" / "stats_tests.json"
RNG = np.random.default_rng(20261124)
LEVEL = 0.95
EXACT = stats.PermutationMethod(n_resamples=np.inf)


def normal(n, mean=0.0, deviation=1.0):
    return RNG.normal(mean, deviation, size=n).tolist()


def tied(n, top, mean=0.0):
    """Whole numbers, so that values and ranks tie."""
    return np.round(RNG.normal(mean, top / 3, size=n)).tolist()


GROUPS = [
    (normal(5), normal(6, 1.0)),
    (normal(25), normal(25, 0.4, 2.0)),
    ([1.0, 2.0], [2.5, 4.0, 9.0]),
    (normal(12, 1e3, 1.0), normal(9, 1e3 + 1, 3.0)),
    (tied(9, 5), tied(14, 5, 1.0)),
    (normal(40), normal(35, 0.2)),
    (tied(50, 4), tied(30, 4, 0.5)),
]
DIFFERENCES = [
    [0.3, -0.1, 0.5, 0.2],
    normal(8, 0.5),
    normal(25, 0.3),
    normal(50, -0.2),
    normal(60, 0.1),
    [1.0, 1.0, -1.0, 2.0, 0.0, 3.0, -2.0, 0.0, 1.0],
    tied(13, 6, 1.0),
    tied(15, 6, 1.0),
    tied(80, 6, 0.3),
]


def t_test(result, estimate):
    interval = result.confidence_interval(LEVEL)
    return {
        "estimate": float(estimate),
        "t": float(result.statistic),
        "df": float(result.df),
        "p": float(result.pvalue),
        "interval": [float(interval.low), float(interval.high)],
    }


def paired_case(d):
    return {"differences": d, **t_test(stats.ttest_1samp(d, 0.0), np.mean(d)), **dz(d)}


def group_case(a, b):
    estimate = np.mean(a) - np.mean(b)
    return {
        "a": a,
        "b": b,
        "welch": t_test(stats.ttest_ind(a, b, equal_var=False), estimate),
        "student": t_test(stats.ttest_ind(a, b), estimate),
        **standardised(a, b),
    }


def noncentral_ends(t, df, root):
    """The effects at which t is the upper and the lower 2.5 % point."""
    step = math.sqrt(1 + t * t / (2 * df))

    def solve(target):
        low = high = t
        # SciPy's function has no value far out.
        while stats.nct.cdf(t, df, low) < target:
            low -= step
        while stats.nct.cdf(t, df, high) > target:
            high += step
        return optimize.brentq(lambda delta: stats.nct.cdf(t, df, delta) - target, low, high, xtol=1e-13, rtol=1e-14)

    return [solve(0.5 + LEVEL / 2) / root, solve(0.5 - LEVEL / 2) / root]


def dz(d):
    d, n = np.asarray(d), len(d)
    value = d.mean() / d.std(ddof=1)
    return {"dz": float(value), "dz_interval": noncentral_ends(value * math.sqrt(n), n - 1, math.sqrt(n))}


def standardised(a, b):
    a, b = np.asarray(a), np.asarray(b)
    n, m = len(a), len(b)
    df = n + m - 2
    pooled = math.sqrt(((n - 1) * a.var(ddof=1) + (m - 1) * b.var(ddof=1)) / df)
    d = (a.mean() - b.mean()) / pooled
    root = math.sqrt(n * m / (n + m))
    factor = math.exp(math.lgamma(df / 2) - math.lgamma((df - 1) / 2)) / math.sqrt(df / 2)
    return {"d": float(d), "d_interval": noncentral_ends(d * root, df, root), "g": float(factor * d), "g_factor": factor}


def wilcoxon_case(d):
    """Exact by walking the signs where differences tie or vanish and are few; else as SciPy chooses."""
    nonzero = [v for v in d if v != 0]
    plain = len(set(map(abs, nonzero))) == len(nonzero)
    few = plain and len(nonzero) <= 50 or len(nonzero) <= 15
    method = "exact" if plain and few else EXACT if few else "asymptotic"
    result = stats.wilcoxon(nonzero, method=method, correction=False)
    if method == "exact" or len(d) <= 13:
        assert math.isclose(result.pvalue, stats.wilcoxon(d).pvalue, rel_tol=1e-12), d
    ranks = stats.rankdata(np.abs(nonzero))
    biserial = (ranks @ np.sign(nonzero)) / ranks.sum()
    return {
        "differences": d,
        "statistic": float(result.statistic),
        "p": float(result.pvalue),
        "exact": few,
        "rank_biserial": float(biserial),
    }


def mann_whitney_case(a, b):
    plain = len(set(a) | set(b)) == len(a) + len(b)
    few = len(a) + len(b) <= 60
    if few and not plain and math.comb(len(a) + len(b), len(a)) > 2_000_000:
        return None
    method = "asymptotic" if not few else "exact" if plain else EXACT
    result = stats.mannwhitneyu(a, b, method=method)
    return {
        "a": a,
        "b": b,
        "u": float(result.statistic),
        "auc": float(result.statistic) / (len(a) * len(b)),
        "p": float(result.pvalue),
        "exact": few,
    }


def cliff_case(a, b):
    """Feng and Cliff (2004)."""
    n, m = len(a), len(b)
    signs = np.sign(np.subtract.outer(a, b))
    delta = signs.mean()
    if abs(delta) == 1:
        inner = 2 * separated(n, m) - 1
        return {"a": a, "b": b, "delta": float(delta), "interval": sorted([float(delta), delta * inner])}
    rows, columns = signs.mean(axis=1) - delta, signs.mean(axis=0) - delta
    variance = (m**2 * (rows @ rows) + n**2 * (columns @ columns) - ((signs - delta) ** 2).sum()) / (
        n * m * (n - 1) * (m - 1)
    )
    variance = max(variance, (1 - delta**2) / (n * m - 1))
    z = stats.norm.ppf(0.5 + LEVEL / 2)
    half = z * math.sqrt(variance) * math.sqrt((1 - delta**2) ** 2 + z**2 * variance)
    ends = [(delta - delta**3 + sign * half) / (1 - delta**2 + z**2 * variance) for sign in (-1, 1)]
    return {"a": a, "b": b, "delta": float(delta), "interval": [max(ends[0], -1.0), min(ends[1], 1.0)]}


def separated(n, m):
    """The least that all successes of the smaller group leave possible, by Wilson."""
    fewer = min(n, m)
    return proportion_confint(fewer, fewer, 1 - LEVEL, method="wilson")[0]


def auc_case(positive, negative):
    """DeLong's variance from midranks (Sun and Xu 2014), on the logit scale."""
    n, m = len(positive), len(negative)
    together = stats.rankdata([*positive, *negative])
    above = (together[:n] - stats.rankdata(positive)) / m
    below = 1.0 - (together[n:] - stats.rankdata(negative)) / n
    area = above.mean()
    if area in (0.0, 1.0):
        inner = separated(n, m) if area else 1 - separated(n, m)
        return {"positive": positive, "negative": negative, "auc": area, "interval": sorted([area, inner])}
    error = math.sqrt(above.var(ddof=1) / n + below.var(ddof=1) / m)
    z = stats.norm.ppf(0.5 + LEVEL / 2)
    logit, half = math.log(area / (1 - area)), z * error / (area * (1 - area))
    ends = [1 / (1 + math.exp(-(logit + sign * half))) for sign in (-1, 1)]
    return {"positive": positive, "negative": negative, "auc": float(area), "interval": ends}


def relabel_case(a, b):
    result = stats.permutation_test(
        (a, b),
        lambda x, y, axis: np.abs(np.mean(x, axis=axis) - np.mean(y, axis=axis)),
        alternative="greater",
        n_resamples=np.inf,
        vectorized=True,
    )
    return {"a": a, "b": b, "p": float(result.pvalue)}


def bca_case(values, name):
    statistic = {"mean": np.mean, "median": np.median, "deviation": lambda v, axis: np.std(v, axis=axis, ddof=1)}[name]
    result = stats.bootstrap(
        (values,), statistic, method="BCa", n_resamples=200_000, batch=10_000, rng=np.random.default_rng(2)
    )
    interval = result.confidence_interval
    return {"values": values, "statistic": name, "interval": [float(interval.low), float(interval.high)]}


def tost_case(values, low, high):
    described = DescrStatsW(np.asarray(values))
    p, _, _ = described.ttost_mean(low, high)
    ends = described.tconfint_mean(alpha=0.1)
    return {"values": values, "low": low, "high": high, "p": float(p), "interval": [float(e) for e in ends]}


def adjusted_case(p):
    n = len(p)
    partial = []
    for k in range(1, n + 1):
        # Bonferroni over the n-k+1 largest, for k and every smaller claim.
        partial.append(max(min(1.0, (n - j + 1) * sorted(p)[j - 1]) for j in range(1, k + 1)))
    return {
        "p": p,
        "benjamini_hochberg": multipletests(p, method="fdr_bh")[1].tolist(),
        "partial_conjunction": partial,
    }


def power_law_case(x, y):
    fit = stats.linregress(np.log(x), np.log(y))
    half = stats.t.ppf(0.5 + LEVEL / 2, len(x) - 2) * fit.stderr
    return {
        "x": list(x),
        "y": list(y),
        "exponent": float(fit.slope),
        "coefficient": math.exp(fit.intercept),
        "interval": [float(fit.slope - half), float(fit.slope + half)],
        "p": float(fit.pvalue),
        "r_squared": float(fit.rvalue**2),
    }


def change_case(values):
    values = np.asarray(values)
    squares = [((values[:k] - values[:k].mean()) ** 2).sum() + ((values[k:] - values[k:].mean()) ** 2).sum()
               for k in range(1, len(values))]
    best = int(np.argmin(squares))
    total = ((values - values.mean()) ** 2).sum()
    return {"values": values.tolist(), "index": best + 1, "gain": float(1 - squares[best] / total)}


def dip_case(values):
    return {"values": values, "dip": float(diptest.dipstat(np.asarray(values), allow_zero=False))}


def dip_p_case(values):
    dip, p = diptest.diptest(np.asarray(values), allow_zero=False, boot_pval=True, n_boot=200_000, seed=3, n_threads=1)
    return {"values": values, "p": float(p)}


def mixture_case(values):
    """The likelihood of two Gaussians by gradient from many starts, deviations at least a tenth of the whole."""
    z = np.asarray(values, float)
    n = len(z)
    z = (z - z.mean()) / z.std()
    one = -n / 2 * (math.log(2 * math.pi) + 1)

    def cost(theta):
        weight, centres, deviations = theta[0], theta[1:3], np.exp(theta[3:5])
        parts = np.log([weight, 1 - weight])[:, None] + stats.norm.logpdf(z, centres[:, None], deviations[:, None])
        return -np.logaddexp(parts[0], parts[1]).sum()

    bounds = [(1e-6, 1 - 1e-6), (-9, 9), (-9, 9), (math.log(0.1), 2), (math.log(0.1), 2)]
    best = one
    for q in np.linspace(0.05, 0.95, 19):
        cut = np.clip(int(q * n), 2, n - 2)
        low, high = np.sort(z)[:cut], np.sort(z)[cut:]
        start = [cut / n, low.mean(), high.mean(), math.log(max(low.std(), 0.11)), math.log(max(high.std(), 0.11))]
        found = optimize.minimize(cost, start, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-9})
        best = max(best, -found.fun)
    return {"values": list(values), "delta_bic": 2 * (best - one) - 3 * math.log(n)}


def brown_forsythe_case(a, b):
    result = stats.levene(a, b, center="median")
    return {"a": a, "b": b, "f": float(result.statistic), "p": float(result.pvalue)}


def ratio_case(a, b):
    return {"a": a, "b": b, "ratio": float(np.var(a, ddof=1) / np.var(b, ddof=1))}


def decomposition_case(levels, repeats):
    """A balanced table: sums of squares of statsmodels' analysis of variance."""
    cells = [list(c) for c in np.ndindex(*levels) for _ in range(repeats)]
    y = [float(v) for v in RNG.normal(size=len(cells)) + [c[0] + 0.5 * c[1] * c[0] - 0.3 * c[-1] for c in cells]]
    names = ["a", "b", "c"][: len(levels)]
    frame = pd.DataFrame(cells, columns=names).astype("category").assign(y=y)
    terms = " + ".join(f"C({n})" for n in names)
    table = sm.stats.anova_lm(ols(f"y ~ ({terms})**2", frame).fit(), typ=2)
    total = float(((frame.y - frame.y.mean()) ** 2).sum())
    shares = {k.replace("C(", "").replace(")", "").replace(":", " × "): float(v / total)
              for k, v in table["sum_sq"].items() if k != "Residual"}
    return {"rows": cells, "y": y, "names": names, "shares": shares}


def unbalanced_case():
    """Two factors, rows missing: Shapley values over the four models, the interaction last."""
    cells = [[i % 3, (i * i) % 4] for i in range(31)]
    y = [float(v) for v in RNG.normal(size=31) + [c[0] - 0.7 * c[1] for c in cells]]
    frame = pd.DataFrame(cells, columns=["a", "b"]).assign(y=y)
    r2 = {f: ols(f"y ~ {f}", frame).fit().rsquared for f in ["C(a)", "C(b)", "C(a) + C(b)", "C(a) * C(b)"]}
    both = r2["C(a) + C(b)"]
    shares = {
        "a": 0.5 * (r2["C(a)"] + both - r2["C(b)"]),
        "b": 0.5 * (r2["C(b)"] + both - r2["C(a)"]),
        "a × b": r2["C(a) * C(b)"] - both,
    }
    return {"rows": cells, "y": y, "names": ["a", "b"], "shares": {k: float(v) for k, v in shares.items()}}


def nested_case(n, base_levels):
    base = [[int(v) for v in RNG.integers(0, k, size=n)] for k in base_levels]
    added = [int(v) for v in RNG.integers(0, 3, size=n)]
    y = [float(v) for v in RNG.normal(size=n) + 0.4 * np.asarray(added)]
    frame = pd.DataFrame({f"b{i}": b for i, b in enumerate(base)} | {"added": added, "y": y})
    small = " + ".join(["1", *(f"C(b{i})" for i in range(len(base)))])
    before, after = ols(f"y ~ {small}", frame).fit(), ols(f"y ~ {small} + C(added)", frame).fit()
    row = sm.stats.anova_lm(before, after).iloc[1]
    return {
        "y": y,
        "base": base,
        "added": added,
        "f": float(row["F"]),
        "p": float(row["Pr(>F)"]),
        "partial_r2": float(1 - after.ssr / before.ssr),
    }


def kappa_case(n, labels, agree):
    a = [int(v) for v in RNG.integers(0, labels, size=n)]
    b = [x if RNG.random() < agree else int(RNG.integers(0, labels)) for x in a]
    table = np.zeros((labels, labels))
    np.add.at(table, (a, b), 1)
    result = cohens_kappa(table)
    # alpha 0.025 on each side.
    interval = [max(float(result.kappa_low), -1.0), min(float(result.kappa_upp), 1.0)]
    return {"a": a, "b": b, "kappa": float(result.kappa), "interval": interval}


def prediction_case(mean, deviation, n, n_new):
    half = stats.t.ppf(0.5 + LEVEL / 2, n - 1) * deviation * math.sqrt(1 / n + 1 / n_new)
    return {"original": [mean, deviation, n], "n_new": n_new, "interval": [float(mean - half), float(mean + half)]}


def main():
    golden = {
        "made_by": f"scripts/reference/make_stats_tests.py, scipy {scipy.__version__}, statsmodels "
        f"{statsmodels.__version__}, diptest {diptest.__version__}, numpy {np.__version__}",
        "paired": [paired_case(d) for d in DIFFERENCES],
        "groups": [group_case(a, b) for a, b in GROUPS],
        "wilcoxon": [wilcoxon_case(d) for d in DIFFERENCES],
        "mann_whitney": [c for a, b in GROUPS if (c := mann_whitney_case(a, b))],
        "cliff": [cliff_case(a, b) for a, b in GROUPS],
        "auc": [auc_case(a, b) for a, b in GROUPS],
        "relabel": [relabel_case(a, b) for a, b in [*GROUPS[:1], GROUPS[2], (tied(6, 4), tied(7, 4)), (normal(9), normal(8, 1.0))]],
        "bca": [
            bca_case(normal(25, 1.0, 0.3), "mean"),
            bca_case(RNG.lognormal(0, 0.8, size=15).tolist(), "mean"),
            bca_case(RNG.lognormal(0, 0.5, size=30).tolist(), "deviation"),
        ],
        "tost": [tost_case(d, -0.4, 0.5) for d in DIFFERENCES],
        "adjusted": [adjusted_case(p) for p in [[0.01, 0.04, 0.03, 0.005, 0.9], [0.5], [0.2, 0.2, 0.001], RNG.random(18).tolist()]],
        "power_law": [
            power_law_case([0.1, 0.4, 1.1, 1.5, 3.0, 7.0, 13.0], [2.0, 1.6, 1.7, 1.1, 1.2, 0.9, 0.95]),
            power_law_case([1.0, 2.0, 3.0], [1.0, 5.0, 2.0]),
            power_law_case(np.exp(RNG.normal(size=25)).tolist(), np.exp(RNG.normal(size=25)).tolist()),
        ],
        "change": [change_case(v) for v in [normal(24), normal(10) + normal(20, 1.5), [1.0, 2.0, 9.0]]],
        "dip": [dip_case(v) for v in [*DIFFERENCES, *(a for a, _ in GROUPS), normal(30) + normal(20, 4.0),
                                      RNG.uniform(size=200).tolist(), tied(100, 9), RNG.exponential(size=77).tolist()]],
        "dip_p": [dip_p_case(v) for v in [normal(25), normal(12) + normal(12, 4.0), RNG.uniform(size=40).tolist()]],
        "mixture": [mixture_case(v) for v in [normal(25), normal(12) + normal(13, 5.0), normal(40, 0.0, 0.3) + normal(20, 1.5, 1.0)]],
        "brown_forsythe": [brown_forsythe_case(a, b) for a, b in GROUPS],
        "variance_ratio": [ratio_case(a, b) for a, b in GROUPS],
        "decomposition": [decomposition_case((3, 4), 2), decomposition_case((2, 3, 4), 1), decomposition_case((3, 2, 2), 3), unbalanced_case()],
        "nested": [nested_case(20, []), nested_case(40, [3]), nested_case(60, [3, 4])],
        "kappa": [kappa_case(30, 2, 0.6), kappa_case(50, 4, 0.5), kappa_case(12, 3, 0.0)],
        "prediction": [prediction_case(0.477, 0.2, 25, 25), prediction_case(1.53, 0.4, 5, 100), prediction_case(-1.0, 3.0, 2, 1)],
    }
    OUT.write_text(one_case_per_line(plain(golden)))


if __name__ == "__main__":
    main()
