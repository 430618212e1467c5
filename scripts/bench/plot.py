"""Plots of the benches, as SVG with text as text: bars of the rows, and cost curves with their fits."""

import textwrap
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "streamgauge", "font.family": "sans-serif"}

import matplotlib.pyplot as plt  # noqa: E402

OURS, PEER, COLD = "#0b6e4f", "#7a8691", "#c4761b"


def rows(record: dict, file: Path):
    """Wall time and peak anonymous memory of every row, the longest bar last; rows that did not run say so."""
    shown = record["rows"]
    places = range(len(shown))
    figure, (wall, memory) = plt.subplots(
        1, 2, figsize=(13, 1.2 + 0.42 * len(shown)), sharey=True, layout="constrained"
    )
    colours = [OURS if row["program"] == "streamgauge" else PEER for row in shown]
    for place, row, colour in zip(places, shown, colours):
        if row["failed"]:
            why = textwrap.shorten(row["failed"], 70, placeholder=" …")
            wall.text(0, place, f" {why}", va="center", fontsize=8)
            continue
        time = row["warm"]["wall_s"]
        wall.barh(place, time["median"], color=colour)
        wall.plot([time["min"], time["max"]], [place, place], color="black", linewidth=1.5)
        wall.plot(row["cold"]["wall_s"]["median"], place, "D", color=COLD, markersize=5)
        label(wall, max(time["max"], row["cold"]["wall_s"]["median"]), place, f"{time['median']:.2f}")
        gib = row["warm"]["peak_anonymous_bytes"]["median"] / 2**30
        memory.barh(place, gib, color=colour)
        label(memory, gib, place, f"{gib:.2f}")
    wall.set_yticks(list(places), [row["label"] for row in shown])
    wall.invert_yaxis()
    wall.set_xlabel("wall time, s (bar: warm, median; line: least to most; diamond: cold)")
    memory.set_xlabel("peak anonymous memory, GiB")
    for axes in (wall, memory):
        axes.margins(x=0.15)
        axes.spines[["top", "right"]].set_visible(False)
    machine = record["machine"]
    figure.suptitle(f"{record['shape']}, 25 prompts, {machine['cpus']} CPUs ({machine['cpu']})", fontsize=11)
    save(figure, file)


def label(axes, x, y, text):
    """A word to the right of a mark."""
    axes.annotate(text, (x, y), xytext=(8, 0), textcoords="offset points", va="center", fontsize=8)


def curves(curves: dict, file: Path):
    """One panel per curve: points with least and most, and the line fitted."""
    figure, panels = plt.subplots(1, len(curves), figsize=(4.2 * len(curves), 3.6), layout="constrained")
    for axes, (name, curve) in zip(panels, curves.items()):
        x = [point["x"] for point in curve["points"]]
        walls = [point["wall_s"] for point in curve["points"]]
        y = [wall["median"] for wall in walls]
        errors = [[w["median"] - w["min"] for w in walls], [w["max"] - w["median"] for w in walls]]
        axes.errorbar(x, y, yerr=errors, fmt="o", color=OURS, capsize=3)
        fit = curve["fit"]
        axes.plot([0, max(x)], [fit["intercept"], fit["intercept"] + fit["slope"] * max(x)], color=PEER)
        axes.set_xlabel(name)
        axes.set_ylabel("wall time, s")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.set_title(f"R² = {fit['r2']:.4f}", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    save(figure, file)


def save(figure, file: Path):
    figure.savefig(file, metadata={"Date": None})
    plt.close(figure)
