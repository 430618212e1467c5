"""Render data/zoo/README.md from what training recorded."""

import json
from pathlib import Path

TEXT = """# The zoo: two small checkpoints that learned something

Hugging Face layout, bf16, trained from scratch by `scripts/zoo/train.py` on text that the script generates.
This file is written by it too.

| model | family | parameters | model.safetensors | tokenizer.json | last training loss |
|---|---|---|---|---|---|
{models}

- `pythia-tiny`: gpt_neox as in Pythia: LayerNorm, parallel residual, rotary on 25 %, untied; its tokenizer adds no BOS.
- `llama3-tiny`: llama as in LLaMA-3.1: RMSNorm, grouped queries (6 heads, 2 key/value heads), SiLU GLU, `llama3` rotary
  scaling, theta 500000, untied; its tokenizer puts `<|begin_of_text|>` first.

Both have 6 blocks of width 96 and a byte-level BPE of {vocabulary} tokens trained on the corpus: country and capital
facts, other facts, proverbs, nested clauses, speculation, word salads, counting, small stories. How predictable each
kind ends is built into the corpus, so entropies that differ by category show that the models learned it. They say
nothing about natural language: a verdict on the zoo tests the instrument.

The words that facts and proverbs end in weigh more when the BPE is trained, so each is one token with the space before
it: after "The capital of France is" the most probable next token is " Paris", not a piece of it.

`prompts.csv` holds prompts of these kinds under the category names of the published 25-prompt set.

## Retrain and check

    pip install -r scripts/reference/requirements.txt
    python scripts/zoo/train.py     # minutes on one thread; rewrites this folder
    python scripts/zoo/check.py     # exit code 1 unless facts, proverbs and entropies are as they must be

One thread, fixed seeds: the same bytes on the same kind of CPU with the pinned versions.

## Loss

Training loss, nats per token, mean over the steps since the row before ({tokens} tokens per step):

{training}

Held-out documents (another seed; facts and proverbs repeat by nature), stored bf16 weights, nats per token by kind:

{held_out}

Licence: MIT OR Apache-2.0, like the rest of the repository. The corpus is generated; its proverbs are traditional.
"""


def write_readme(zoo: Path):
    names = [n for n in ("pythia-tiny", "llama3-tiny") if (zoo / n / "training.json").exists()]
    records = {n: json.loads((zoo / n / "training.json").read_text()) for n in names}
    rows = []
    for name, record in records.items():
        folder = zoo / name
        family = json.loads((folder / "config.json").read_text())["model_type"]
        weights, tokenizer = ((folder / f).stat().st_size for f in ("model.safetensors", "tokenizer.json"))
        last = list(record["train_loss_nats"].values())[-1]
        rows.append(f"| {name} | {family} | {record['parameters']:,} | {weights:,} B | {tokenizer:,} B | {last} |")
    first = records[names[0]]
    training = table("step", first["train_loss_nats"], [r["train_loss_nats"] for r in records.values()], names)
    held_out = table("kind", first["held_out_loss_nats"], [r["held_out_loss_nats"] for r in records.values()], names)
    text = TEXT.format(
        models="\n".join(rows),
        vocabulary=json.loads((zoo / names[0] / "config.json").read_text())["vocab_size"],
        tokens=first["tokens_per_step"],
        training=training,
        held_out=held_out,
    )
    (zoo / "README.md").write_text(text)


def table(label, keys, columns, names) -> str:
    lines = ["| " + " | ".join([label, *names]) + " |", "|---" * (len(names) + 1) + "|"]
    lines += ["| " + " | ".join([key, *(str(c[key]) for c in columns)]) + " |" for key in keys]
    return "\n".join(lines)
