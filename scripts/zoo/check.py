"""Does data/zoo know what it should? Exit code 1 and a list of failures otherwise.

    python scripts/zoo/check.py

What every model must know stands here, what its family must do in features.py. Runs the stored bf16 weights in
float32, one prompt at a time, as the tokenizer encodes it.
"""

import csv
import sys
from statistics import mean

import features
import torch
from facts import COUNTRIES, PROVERBS, answers
from families import MODELS
from stored import ROOT, ZOO, continues, open_model, open_tokenizer, top

MUST_KNOW = ["France", "Germany", "Japan", "Italy", "Spain", "Egypt", "Canada", "India"]
ONE_TOKEN = ["France", "Germany", "Japan", "Italy", "Spain"]  # the capital is the top next token
MIN_PROBABILITY = 0.9  # of that token
SIZE_LIMIT = 24_000_000  # bytes of data/zoo
MIN_PROVERBS = 55  # of 66
MIN_CAPITALS = 50  # of 56
CATEGORY_GAP = 1.0  # nats between the predictable and the unpredictable categories


def main():
    torch.set_num_threads(1)
    failures = []
    for name in MODELS:
        failures += [f"{name}: {f}" for f in check(name)]
    failures += features.check()
    size = sum(f.stat().st_size for f in ZOO.rglob("*") if f.is_file())
    print(f"data/zoo: {size:,} bytes")
    if size > SIZE_LIMIT:
        failures.append(f"data/zoo has {size} bytes, more than {SIZE_LIMIT}")
    for failure in failures:
        print("FAILED", failure)
    sys.exit(1 if failures else 0)


def check(name: str) -> list[str]:
    tokenizer, model = open_tokenizer(name), open_model(name)
    failures = []
    starts = tokenizer.encode("The").ids[0] == tokenizer.token_to_id(MODELS[name].bos)
    if starts != MODELS[name].adds_bos:
        failures.append(f"its tokenizer {'adds' if starts else 'does not add'} '{MODELS[name].bos}'")
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
        f"{name}: capitals {len(known)}/{len(COUNTRIES)}, "
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
    with open(ZOO / "prompts.csv", newline="") as f:
        own = [(r["category"], r["text"]) for r in csv.DictReader(f)]
    return {"grand25": published, "prompts.csv": own}


def split_words(tokenizer) -> list[str]:
    """The words of answers that are not one token with the space before; LLaMA-3 splits numbers off the space."""
    words = dict.fromkeys(f" {word}" for answer in answers() for word in answer.split() if word.isalpha())
    return [w for w in words if len(tokenizer.encode(w, add_special_tokens=False).ids) != 1]


def completes(model, tokenizer, proverb: str) -> bool:
    """The last word and the full stop follow from the rest."""
    start, last = proverb.rsplit(" ", 1)
    return continues(model, tokenizer, start, f" {last}")


@torch.no_grad()
def entropy(model, tokenizer, prompt: str) -> float:
    """Nats of the next-token distribution after the prompt."""
    log_probs = torch.log_softmax(model(torch.tensor([tokenizer.encode(prompt).ids])).logits[0, -1].double(), -1)
    return float(-(log_probs.exp() * log_probs).sum())


if __name__ == "__main__":
    main()
