"""Writes tests/goldens/published_statistics.json: the statistics of data/published/statistics.csv by pandas and SciPy.

Run: python scripts/reference/make_published.py   (needs requirements.txt; deterministic)

Every statistic that the published rows can give is computed here from the same tables, independently of the recipes in
statistics.toml. Statistics without rows are not in the file.
"""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

ROOT = Path(__file__).resolve().parents[2]
TABLES = ROOT / "data" / "published"
OUT = ROOT / "tests" / "goldens" / "published_statistics.json"

PRINTED = pd.read_csv(TABLES / "statistics.csv", dtype=str, keep_default_na=False)
GAINS = pd.read_csv(TABLES / "measurements.csv")
LAYERS = pd.read_csv(TABLES / "layer_profile.csv")
MODULES = pd.read_csv(TABLES / "components.csv")
MODELS = pd.read_csv(TABLES / "models.csv").set_index("model")
WEIGHTS = pd.read_csv(TABLES / "unembedding.csv")
PROMPTS = pd.read_csv(TABLES / "prompts.csv")
COMPLEXITY = PROMPTS[PROMPTS.prompt_set == "grand25"].set_index("prompt_id").complexity

NAMES = {
    "Pythia-6.9B": "pythia-6.9b",
    "Gemma-7B": "gemma-7b",
    "Mistral-7B": "mistral-7b-v0.1",
    "LLaMA-3.1-8B": "llama-3.1-8b",
    "llama3.1-8b": "llama-3.1-8b",
    "mistral-7b": "mistral-7b-v0.1",
    "gemma2-9b": "gemma-2-9b",
    "apertus-8b": "apertus-8b-2509",
    "base": "llama-3.1-8b",
    "instruct": "llama-3.1-8b-instruct",
}
TUNED = {
    "Mistral-7B": "mistral-7b-instruct-v0.2",
    "Gemma-7B": "gemma-7b-it",
    "LLaMA-3.1-8B": "llama-3.1-8b-instruct",
}
LABS = {
    "BigScience": "bloom",
    "EleutherAI": ("gpt-", "pythia"),
    "Meta": "opt",
    "StabilityAI": "stablelm",
    "TII": "falcon",
}
PENULTIMATE, POST_NORM = "hf_hidden_states_excluding_final", "hf_hidden_states_post_final_norm"


def of(table, source, model=None, **equal):
    rows = table[table.source == source]
    if model is not None:
        rows = rows[rows.model == model]
    for column, value in equal.items():
        rows = rows[rows[column] == value]
    return rows


def one(values):
    (value,) = values
    return value


def distance(gains):
    return (gains - 1).abs()


def said(truth):
    return "true" if truth else "false"


def unified(row):
    model, _, category = row.group.partition("/")
    rows = of(GAINS, "grand_unified")
    rows = rows if model == "cross-model" else rows[rows.model == NAMES[model]]
    entropy = rows.groupby("prompt_category").entropy_nats.apply(list)
    if category:
        rows = rows[rows.prompt_category == category]
    gain, nats = rows.last_gain, rows.entropy_nats
    cliche, novel = np.array(entropy["Cliche"]), np.array(entropy["Novel"])
    complexity = rows.prompt_id.map(COMPLEXITY)
    return {
        "mean last gain": gain.mean,
        "min last gain": gain.min,
        "max last gain": gain.max,
        "range last gain": lambda: gain.max() - gain.min(),
        "std last gain": gain.std,
        "mean entropy": nats.mean,
        "entropy vs last gain Spearman_r": lambda: stats.spearmanr(nats, gain)[0],
        "entropy vs last gain Spearman_p": lambda: stats.spearmanr(nats, gain)[1],
        "entropy vs last gain Pearson_r": lambda: stats.pearsonr(nats, gain)[0],
        "entropy vs last gain Pearson_p": lambda: stats.pearsonr(nats, gain)[1],
        "complexity vs last gain Spearman_r": lambda: stats.spearmanr(complexity, gain)[0],
        "complexity vs last gain Spearman_p": lambda: stats.spearmanr(complexity, gain)[1],
        "Cliche entropy mean": cliche.mean,
        "Novel entropy mean": novel.mean,
        "Cliche vs Novel t": lambda: stats.ttest_ind(cliche, novel)[0],
        "Cliche vs Novel p": lambda: stats.ttest_ind(cliche, novel)[1],
        "Cliche vs Novel Cohen's d": lambda: (
            (cliche.mean() - novel.mean()) / math.sqrt((cliche.var(ddof=1) + novel.var(ddof=1)) / 2)
        ),
        "Pearson entropy vs |gain-1|": lambda: stats.pearsonr(nats, distance(gain))[0],
        "mean |gain-1|": distance(gain).mean,
        "Cliche vs Novel delta %": lambda: 100 * (cliche.mean() / novel.mean() - 1),
        "category with highest mean gain": rows.groupby("prompt_category").last_gain.mean().idxmax,
        "p (gain<1) < 0.001": lambda: said(stats.ttest_1samp(gain, 1, alternative="less")[1] < 0.001),
    }[row.statistic]()


def twins(row):
    def gains(family, tuned):
        return of(GAINS, "twin_test", TUNED[family] if tuned else NAMES[family]).last_gain

    if row.group == "3 families":
        means = [[gains(family, tuned).mean() for family in TUNED] for tuned in (False, True)]
        return said(stats.pearsonr(*means)[0] > 0.8)
    family, _, which = row.group.partition("/")
    if which:
        mine = gains(family, which == "instruct")
        return mine.mean() if row.statistic == "mean last gain" else mine.std(ddof=0)
    base, tuned = gains(family, False).mean(), gains(family, True).mean()
    return {"delta": tuned - base, "ratio": tuned / base, "same sign": said((tuned - 1) * (base - 1) > 0)}[row.statistic]


def one_model(source):
    def compute(row):
        model, _, category = row.group.partition("/")
        rows = of(GAINS, source, model.lower())
        if category:
            return rows[rows.prompt_category == category].last_gain.mean()
        gain, nats = rows.last_gain, rows.entropy_nats
        return {
            "mean": gain.mean,
            "std": gain.std,
            "min": gain.min,
            "max": gain.max,
            "t": lambda: stats.ttest_1samp(gain, 1)[0],
            "p_value": lambda: stats.ttest_1samp(gain, 1, alternative="less")[1],
            "pearson": lambda: stats.pearsonr(nats, distance(gain))[0],
            "p": lambda: stats.pearsonr(nats, distance(gain))[1],
        }[short(row.statistic)]()

    def short(name):
        name = name.lower()
        first = name.split()[0] if name.startswith(("pearson", "p_value", "mean last")) else name.split("_")[0]
        return "p_value" if first.startswith("p_value") else first

    return compute


def five(row):
    rows = of(GAINS, "input_dependency")
    if row.group == "llama-3.1-8b" and row.location == "correlation":
        test = stats.pearsonr if "pearson" in row.statistic else stats.spearmanr
        return test(rows.entropy_nats, rows.last_gain)[row.statistic.endswith("_p")]
    category = "Original" if row.location == "4" else row.group.split("_")[1]
    column = {"entropy nats": "entropy_nats", "top prob": "top_prob"}.get(row.statistic, "last_gain")
    return one(rows[rows.prompt_category == category][column])


def post_norm_pair(row):
    def gain(model):
        return one(of(GAINS, "llama2_vs_llama31", model).last_gain)

    def sigma(model):
        return one(of(WEIGHTS, "llama2_vs_llama31", model).spectral_norm)

    layers = of(LAYERS, "llama2_vs_llama31", row.group).gain.dropna()
    return {
        "theta_ratio": lambda: 5e5 / 1e4,
        "gain_ratio": lambda: gain("llama-3.1-8b") / gain("llama-2-7b"),
        "wu_ratio": lambda: sigma("llama-3.1-8b") / sigma("llama-2-7b"),
        "last_gain": lambda: gain(row.group),
        "cumulative_energy": lambda: one(of(GAINS, "llama2_vs_llama31", row.group).total_amplification),
        "contracting_layers": lambda: (layers < 1).sum(),
        "expanding_layers": lambda: (layers > 1).sum(),
    }[row.statistic]()


def anomaly(row):
    model = NAMES[row.group]
    weights = one(of(WEIGHTS, "llama_anomaly", model).itertuples())
    gains = GAINS[GAINS.source.isin(["four_model", "mistral_paradox"]) & (GAINS.model == model)].last_gain
    if row.statistic == "effective_amplification":
        return weights.spectral_norm * one(gains) if len(gains) else None
    root = weights.spectral_norm / math.sqrt(weights.rows)
    return {"spectral_per_sqrt_vocab": root, "frobenius_norm": weights.frobenius_norm}[row.statistic]


def mistral(row):
    layers = of(LAYERS, "mistral_paradox").set_index("layer").gain
    gain = one(of(GAINS, "mistral_paradox").itertuples())
    weights = of(WEIGHTS, "mistral_paradox").set_index("matrix")
    spectral, frobenius = weights.spectral_norm, weights.frobenius_norm
    return {
        "unembedding": lambda: frobenius.W_U,
        "embedding": lambda: frobenius.W_E,
        "wu_we_ratio": lambda: frobenius.W_U / frobenius.W_E,
        "2.3": lambda: spectral.W_U / spectral.W_E,
        "residual": lambda: gain.last_gain if row.statistic == "last_gain" else 100 * (layers.dropna() < 1).mean(),
        "2.1": lambda: 100 * (layers[int(row.statistic.split()[1]) + 1] - 1),
        "entropy": lambda: math.exp(gain.entropy_nats),
        "cell 9": lambda: gain.total_amplification,
        "swiglu_comparison": lambda: one(of(GAINS, "four_model", "llama-3.1-8b").last_gain) / gain.last_gain,
    }[row.location]()


def brake(row):
    gains = [one(of(GAINS, "rlhf_brake", NAMES[which]).last_gain) for which in ("base", "instruct")]
    if row.location == "_hypothesis_test":
        return gains[1] / gains[0]
    return of(LAYERS, "rlhf_brake", NAMES[row.group]).gain.dropna().prod()


def four(row):
    model = NAMES.get(row.group, row.group)
    layers = of(LAYERS, "four_model", model).dropna(subset="gain").set_index("layer").gain
    measured = one(of(GAINS, "four_model", model).itertuples())
    return {
        "last_gain": measured.last_gain,
        "initial_gain": layers[1],
        "final_cumulative": measured.total_amplification,
        "contracting_pct": 100 * (layers < 1).mean(),
        "expanding_pct": 100 * (layers > 1).mean(),
        "max_gain": layers.max(),
        "max_gain_layer": layers.idxmax() - 1,
        "layer28_gain": layers.get(29),
    }[row.statistic]


def clean(row):
    if row.location == "h25_accuracy":
        gains = of(GAINS, "clean_no_final_ln", final_tap=PENULTIMATE).set_index("model").last_gain
        return 100 * predicted(gains)
    if "validation" in row.source_file:
        rows = of(GAINS, "clean_with_final_ln", row.group)
        gains = rows[rows.prompt_id != "__mean__"].last_gain
        return gains.mean() if row.statistic == "mean" else gains.std(ddof=0)
    if "no_ln" in row.statistic:
        layers = of(LAYERS, "clean_no_final_ln", row.group).set_index("layer").gain
        return layers[layers.index.max() - 1]
    return one(of(GAINS, "clean_no_final_ln", row.group, final_tap=POST_NORM).last_gain)


def predicted(gains):
    """Share of models with rho above 0.2 that contract, and below that expand, among all."""
    return ((MODELS.rho[gains.index] > 0.2) == (gains < 1)).mean()


def family(source):
    def compute(row):
        rows = of(GAINS, source)
        rows = rows[rows.prompt_id != "__mean__"]
        if row.group.startswith("pythia"):
            gains = rows[rows.model == row.group].last_gain
            return gains.std(ddof=0) if "std" in row.statistic else gains.mean()
        means = rows.groupby("model").last_gain.mean()
        rho, blocks = MODELS.rho[means.index], MODELS.n_layers[means.index]
        by_depth = stats.pearsonr(blocks, means)
        by_rho = stats.pearsonr(rho, means)
        if "Kleiber" in row.location:
            return by_depth[row.statistic == "p"]
        return {
            "rho vs gain Pearson r": by_rho[0],
            "p": by_rho[1],
            "high_rho_dampen_rate": (means[rho > 0.2] < 1).mean(),
            "low_rho_expand_rate": (means[rho < 0.2] > 1).mean(),
            "models violating the bound": (means > 10 ** (1 / blocks)).sum(),
        }[row.statistic]

    return compute


def hunt(row):
    tap = POST_NORM if "final-LN" in row.statistic else PENULTIMATE
    gains = of(GAINS, "high_rho_hunt", final_tap=tap).set_index("model").last_gain
    if "accuracy" in row.statistic:
        return predicted(gains)
    if row.location == "4.2 Fisher exact":
        mine = gains.index.str.startswith(LABS["EleutherAI"])
        table = [[(gains[side] < 1).sum(), (gains[side] > 1).sum()] for side in (mine, ~mine)]
        if "its own table" in row.group:
            table = [[8, 2], [0, 6]]
        return said(stats.fisher_exact(table)[1] < 0.001)
    mine = gains[gains.index.str.startswith(LABS[row.group])]
    return {
        "mean_gain": mine.mean(),
        "std_gain (ddof 0)": mine.std(ddof=0),
        "dampen_pct": 100 * (mine < 1).mean(),
        "expansion %": 100 * (mine > 1).mean(),
    }[row.statistic]


def last_mlp(source):
    rows = of(MODULES, source, component="mlp").sort_values("layer")
    return rows.groupby("model").gain.last()


def law():
    gains = last_mlp("scaling_law")
    return stats.linregress(np.log10(MODELS.n_params[gains.index]), np.log10(gains))


def scaling(row):
    fit = law()
    if row.location == "models":
        component = {"attn_contracting_pct": "attn", "mlp_contracting_pct": "mlp"}[row.statistic]
        return 100 * (of(MODULES, "scaling_law", row.group, component=component).gain < 1).mean()
    if "CI" in row.statistic:
        reach = stats.t.ppf(0.975 if "95" in row.statistic else 0.995, 6) * fit.stderr
        return fit.slope + (reach if "high" in row.statistic else -reach)
    if "residual" in row.statistic:
        gain = last_mlp("scaling_law")[row.group]
        return math.log10(gain) - fit.intercept - fit.slope * math.log10(MODELS.n_params[row.group])
    if "predicted" in row.statistic:
        size = {"7B": 7e9, "13B": 13e9, "70B": 70e9, "175B": 175e9, "1T": 1e12}[row.group.replace("-", " ").split()[-1]]
        return 10 ** (fit.intercept + fit.slope * math.log10(size))
    return {
        "exponent_alpha": fit.slope,
        "exponent_std_err": fit.stderr,
        "intercept": fit.intercept,
        "r_squared": fit.rvalue**2,
        "p_value": fit.pvalue,
    }[row.statistic]


def expansion(row):
    if row.statistic == "scaling exponent":
        large, small = last_mlp("ffn_expansion_6.9b")["pythia-6.9b"], last_mlp("ffn_expansion")["pythia-1.4b"]
        return math.log(large / small) / math.log(MODELS.n_params["pythia-6.9b"] / MODELS.n_params["pythia-1.4b"])
    source = "ffn_expansion_6.9b" if row.group == "pythia-6.9b" else "ffn_expansion"
    component = {"attention": "attn", "mlp": "mlp", "combined": "combined"}[row.location]
    gains = of(MODULES, source, component=component).gain
    return (gains < 1).sum() if "contracting" in row.statistic else getattr(gains, row.statistic[:3])()


def cross(row):
    if row.group == "3 models":
        last = last_mlp("cross_architecture")
        if "scaling_law" in row.location:
            fit, sizes = law(), {"gemma-2b": 2e9, "mistral-7b-v0.1": 7e9, "gemma-7b": 7e9}
            return np.mean([g / 10 ** (fit.intercept + fit.slope * math.log10(sizes[m])) for m, g in last.items()])
        attention = of(MODULES, "cross_architecture", component="attn").gain
        return said((last > 1).all() if "last_mlp" in row.location else (attention < 1).all())
    component = next(name for name in ("attn", "mlp", "combined") if name in row.statistic)
    rows = of(MODULES, "cross_architecture", NAMES.get(row.group, row.group), component=component)
    gains = rows.sort_values("layer").gain
    if "contracting" in row.statistic:
        return 100 * (gains < 1).mean()
    return gains.iloc[-1] if "last" in row.statistic else getattr(gains, row.statistic[-3:])()


# First and last id of the statistics that a function computes.
RANGES = [
    ("S0001", "S0139", unified),
    ("S0140", "S0179", twins),
    ("S0180", "S0206", one_model("gpt2_layernorm")),
    ("S0207", "S0217", one_model("gptj_parallel")),
    ("S0218", "S0237", five),
    ("S0255", "S0267", post_norm_pair),
    ("S0270", "S0278", anomaly),
    ("S0280", "S0290", mistral),
    ("S0291", "S0293", brake),
    ("S0294", "S0321", four),
    ("S0322", "S0322", mistral),
    ("S0325", "S0325", four),
    ("S0327", "S0339", clean),
    ("S0340", "S0359", family("pythia_family_with_ln")),
    ("S0380", "S0387", family("pythia_family_with_ln")),
    ("S0360", "S0379", family("pythia_family_no_ln")),
    ("S0388", "S0392", family("pythia_family_no_ln")),
    ("S0393", "S0413", hunt),
    ("S0414", "S0451", scaling),
    ("S0452", "S0469", expansion),
    ("S0470", "S0502", cross),
]


def main():
    # The means over prompts of these files carry another tap: only the prompts' own rows are used.
    global GAINS
    same = (GAINS.source == "pythia_family_no_ln") & (GAINS.final_tap == POST_NORM)
    GAINS = GAINS[~same]
    found = {}
    for row in PRINTED.itertuples():
        compute = next((f for first, last, f in RANGES if first <= row.stat_id <= last), None)
        value = compute(row) if compute else None
        if value is not None:
            found[row.stat_id] = value if isinstance(value, str) else float(value)
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in found.items())
    OUT.write_text("{\n" + lines + "\n}\n")
    print(f"{OUT.relative_to(ROOT)}: {len(found)} of {len(PRINTED)} statistics")


if __name__ == "__main__":
    main()
