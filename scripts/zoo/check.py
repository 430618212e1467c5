"""Does data/zoo know what it should? Exit code 1 and a list of failures otherwise.

    python scripts/zoo/check.py

Runs the stored bf16 weights in float32, one prompt at a time, as the tokenizer encodes it.
"""

import csv
import sys
from pathlib import Path
from statistics import mean

import torch
import transformers
from facts import COUNTRIES, PROVERBS, answers
from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
MODELS = ["pythia-tiny", "llama3-tiny"]
MUST_KNOW = ["France", "Germany", "Japan", "Italy", "Spain", "Egypt", "Canada", "India"]
ONE_TOKEN = ["France", "Germany", "Japan", "Italy", "Spain"]  # the capital is the top next token
MIN_PROBABILITY = 0.9  # of that token
SIZE_LIMIT = 2_000_000  # bytes of one checkpoint folder
MIN_PROVERBS = 55  # of 66
MIN_CAPITALS = 50  # of 56
CATEGORY_GAP = 1.0  # nats between the predictable and the unpredictable categories


def main():
    torch.set_num_threads(1)
    failures = []
    for name in MODELS:
        failures += [f"{name}: {f}" for f in check(ROOT / "data" / "zoo" / name)]
    for failure in failures:
        print("FAILED", failure)
    sys.exit(1 if failures else 0)


def check(folder: Path) -> list[str]:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    failures = []
    size = sum(f.stat().st_size for f in folder.iterdir())
    if size > SIZE_LIMIT:
        failures.append(f"{size} bytes, more than {SIZE_LIMIT}")

    failures += [f"'{w}' is more than one token" for w in split_words(tokenizer)]
    probabilities = []
    for country in ONE_TOKEN:
        token, probability = top(model, tokenizer, f"The capital of {country} is")
        probabilities.append(probability)
        expected = f" {COUNTRIES[country][0]}"
        if token != expected or probability <= MIN_PROBABILITY:
            failures.append(
                f"after 'The capital of {country} is' the top token is '{token}' with {probability:.3f}, "
                f"expected '{expected}' with more than {MIN_PROBABILITY}"
            )

    known = [
        c for c, (city, _) in COUNTRIES.items() if continues(model, tokenizer, f"The capital of {c} is", f" {city}.")
    ]
    failures += [f"the capital of {c} is unknown" for c in MUST_KNOW if c not in known]
    if len(known) < MIN_CAPITALS:
        failures.append(f"{len(known)} capitals known of {len(COUNTRIES)}, expected {MIN_CAPITALS}")

    complete = [p for p in PROVERBS if completes(model, tokenizer, p)]
    if len(complete) < MIN_PROVERBS:
        failures.append(f"{len(complete)} proverbs complete of {len(PROVERBS)}, expected {MIN_PROVERBS}")
    print(
        f"{folder.name}: {size} bytes, capitals {len(known)}/{len(COUNTRIES)}, "
        f"proverbs {len(complete)}/{len(PROVERBS)}, "
        f"capital as one token at least {min(probabilities):.4f}"
    )

    for label, prompts in prompt_sets().items():
        by_category = {}
        for category, text in prompts:
            by_category.setdefault(category, []).append(entropy(model, tokenizer, text))
        means = {category: mean(values) for category, values in by_category.items()}
        print(f"  {label}:", "  ".join(f"{c} {m:.2f} nats" for c, m in means.items()))
        low, high = max(means["Factual"], means["Cliche"]), min(means["Novel"], means["Nonsense"])
        if high - low < CATEGORY_GAP:
            failures.append(
                f"{label}: entropies of the categories lie {high - low:.2f} nats apart, expected {CATEGORY_GAP}"
            )
    return failures


def prompt_sets() -> dict[str, list[tuple[str, str]]]:
    with open(ROOT / "data" / "published" / "prompts.csv", newline="") as f:
        published = [(r["category"], r["text"]) for r in csv.DictReader(f) if r["prompt_set"] == "grand25"]
    with open(ROOT / "data" / "zoo" / "prompts.csv", newline="") as f:
        own = [(r["category"], r["text"]) for r in csv.DictReader(f)]
    return {"grand25": published, "prompts.csv": own}


def split_words(tokenizer) -> list[str]:
    """The words of answers that are not one token with the space before; LLaMA-3 splits numbers off the space."""
    words = dict.fromkeys(f" {word}" for answer in answers() for word in answer.split() if word.isalpha())
    return [w for w in words if len(tokenizer.encode(w, add_special_tokens=False).ids) != 1]


@torch.no_grad()
def top(model, tokenizer, prompt: str) -> tuple[str, float]:
    """Text and probability of the most probable next token."""
    logits = model(torch.tensor([tokenizer.encode(prompt).ids])).logits[0, -1].double()
    probability, token = torch.softmax(logits, -1).max(-1)
    return tokenizer.decode([int(token)]), float(probability)


def completes(model, tokenizer, proverb: str) -> bool:
    """The last word and the full stop follow from the rest."""
    start, last = proverb.rsplit(" ", 1)
    return continues(model, tokenizer, start, f" {last}")


@torch.no_grad()
def continues(model, tokenizer, prompt: str, expected: str) -> bool:
    ids = tokenizer.encode(prompt).ids
    start, text = len(ids), ""
    for _ in range(12):
        ids.append(int(model(torch.tensor([ids])).logits[0, -1].argmax()))
        text = tokenizer.decode(ids[start:])
        if not expected.startswith(text):
            break
    return text.startswith(expected)


@torch.no_grad()
def entropy(model, tokenizer, prompt: str) -> float:
    """Nats of the next-token distribution after the prompt."""
    log_probs = torch.log_softmax(model(torch.tensor([tokenizer.encode(prompt).ids])).logits[0, -1].double(), -1)
    return float(-(log_probs.exp() * log_probs).sum())


if __name__ == "__main__":
    main()
