"""What sets the models of data/zoo apart, checked on the weights: revisions, the instruct twin, windows, xIELU."""

import json
from itertools import pairwise
from statistics import mean

import torch
from corpus import documents
from facts import COUNTRIES
from families import MODELS
from questions import capital_question
from stored import ZOO, continues, losses_by_kind, open_model, open_tokenizer, xielu_parameters

HELD_OUT_SEED = 22
MIN_ANSWERS = 50  # of 56 capitals, asked in the twin's form
MAX_UNTUNED = 0.5  # share of them that the base may answer in that form
MIN_COSINE = 0.9  # between a matrix of the twin and of its base; matrices trained apart are near 0
XIELU_INITIAL = 0.8
XIELU_MOVED, XIELU_MOVED_MEAN = 0.003, 0.1  # each, more than bf16 rounds by; all, on average
WINDOW_MOVES = 1e-3  # of a logit, by a window shorter than the prompt
LONG = (
    "The agreement, which, notwithstanding the fact that it was signed only yesterday, effectively binds all parties "
    "immediately, stipulates that the"
)
SHORT = "The capital of France is"


def check() -> list[str]:
    found = {
        "pythia-tiny": revisions("pythia-tiny"),
        "llama3-instruct-tiny": twin("llama3-instruct-tiny"),
        "mistral-tiny": sliding_window("mistral-tiny"),
        "gemma2-tiny": sliding_window("gemma2-tiny"),
        "apertus-tiny": xielu("apertus-tiny"),
    }
    return [f"{name}: {failure}" for name, failures in found.items() for failure in failures]


def revisions(name: str) -> list[str]:
    """The stored revisions are those of families.py and know more the later they are."""
    steps = sorted(int(folder.name.removeprefix("step")) for folder in (ZOO / f"{name}-steps").iterdir())
    if steps != sorted(MODELS[name].revisions):
        return [f"revisions of steps {steps}, expected {sorted(MODELS[name].revisions)}"]
    folders = [f"{name}-steps/step{step}" for step in steps] + [name]
    pairs = [("all", text) for _, text in documents(200, HELD_OUT_SEED)]
    losses = [losses_by_kind(f, MODELS[name].adds_bos, pairs)["all"] for f in folders]
    print(f"{name} by revision, nats per held-out token:", " ".join(f"{loss:.3f}" for loss in losses))
    return [
        f"{folders[i + 1]} knows no more than {folders[i]}: {after:.4f} nats, {before:.4f} before"
        for i, (before, after) in enumerate(pairwise(losses))
        if after >= before
    ]


def twin(name: str) -> list[str]:
    """It answers in its form where its base does not, and its matrices are its base's, moved a little."""
    base = MODELS[name].base
    tuned, untuned, tokenizer = open_model(name), open_model(base), open_tokenizer(name)
    asked = [(capital_question(country), f" {city}.") for country, (city, _) in COUNTRIES.items()]
    known = {
        model: sum(continues(model, tokenizer, question, answer) for question, answer in asked)
        for model in (tuned, untuned)
    }
    before = dict(untuned.named_parameters())
    cosines = {
        n: torch.nn.functional.cosine_similarity(p.flatten(), before[n].flatten(), 0).item()
        for n, p in tuned.named_parameters()
        if p.ndim == 2
    }
    print(
        f"{name}: answers {known[tuned]}/{len(COUNTRIES)} questions for a capital, {base} "
        f"{known[untuned]}; cosine to its matrices {min(cosines.values()):.3f} to {max(cosines.values()):.3f}"
    )
    failures = []
    if known[tuned] < MIN_ANSWERS:
        failures.append(f"answers {known[tuned]} questions, expected {MIN_ANSWERS}")
    if known[untuned] > MAX_UNTUNED * len(COUNTRIES):
        failures.append(f"{base} answers {known[untuned]} questions in that form without fine-tuning")
    failures += [
        f"{n} has cosine {c:.3f} to that of {base}, expected {MIN_COSINE} to below 1"
        for n, c in cosines.items()
        if not MIN_COSINE <= c < 1 - 1e-6
    ]
    return failures


def sliding_window(name: str) -> list[str]:
    """Without the window a long prompt ends in other numbers, a short one in the same."""
    tokenizer = open_tokenizer(name)
    windowed, unbounded = open_model(name), open_model(name, sliding_window=512)
    moved = {}
    for prompt in (LONG, SHORT):
        ids = torch.tensor([tokenizer.encode(prompt).ids])
        with torch.no_grad():
            moved[prompt] = (windowed(ids).logits[0, -1] - unbounded(ids).logits[0, -1]).abs().max().item()
        print(f"{name}: {ids.shape[1]} tokens, logits move by {moved[prompt]:.2e} without the window")
    failures = []
    if moved[LONG] < WINDOW_MOVES:
        failures.append(f"a prompt longer than the window moves by {moved[LONG]:.2e}, expected {WINDOW_MOVES}")
    if moved[SHORT] != 0.0:
        failures.append(f"a prompt shorter than the window moves by {moved[SHORT]:.2e}")
    return failures


def xielu(name: str) -> list[str]:
    """Every parameter of xIELU was learned: it acts otherwise than the value it began with."""
    learned = xielu_parameters(open_model(name))
    moved = mean(abs(value - XIELU_INITIAL) for values in learned.values() for value in values)
    print(f"{name}: xIELU moved by {moved:.3f} on average,", json.dumps(learned))
    failures = [
        f"block {block}: {parameter} acts as {value}, it began at {XIELU_INITIAL}"
        for parameter, values in learned.items()
        for block, value in enumerate(values)
        if abs(value - XIELU_INITIAL) < XIELU_MOVED
    ]
    if moved < XIELU_MOVED_MEAN:
        failures.append(f"xIELU moved by {moved:.3f} on average, expected {XIELU_MOVED_MEAN}")
    if learned != json.loads((ZOO / name / "training.json").read_text())["xielu"]:
        failures.append("training.json records other parameters of xIELU than the weights have")
    return failures
