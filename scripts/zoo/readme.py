"""Render data/zoo/README.md from what training recorded."""

import json
from pathlib import Path

from families import MODELS, VOCABULARY

TEXT = """# The zoo: small checkpoints that learned something

Hugging Face layout, bf16, trained by `scripts/zoo/train.py` on text that the script generates: one model for each of
the eight of the research, and GPT-2. This file is written by it too.

| model | family | parameters | model.safetensors | tokenizer.json | last training loss |
|---|---|---|---|---|---|
{models}

- `pythia-tiny`: gpt_neox as in Pythia: LayerNorm, parallel residual, rotary on 25 %, untied; its tokenizer adds no BOS.
  `pythia-tiny-steps/step*` are the same run after fewer steps, each a whole checkpoint.
- `gpt2-tiny`: gpt2: LayerNorm, learned positions, `Conv1D` weights (inputs × outputs), `gelu_new`, tied; no BOS.
- `llama2-tiny`: llama as in LLaMA-2: RMSNorm, as many key/value heads as heads, SiLU GLU, theta 10000 (left to the
  default), untied; its tokenizer puts `<s>` first.
- `llama3-tiny`: llama as in LLaMA-3.1: grouped queries (6 heads, 2 key/value heads), `llama3` rotary scaling, theta
  500000, untied; its tokenizer puts `<|begin_of_text|>` first.
- `llama3-instruct-tiny`: `llama3-tiny` fine-tuned for {tuning} steps at a quarter of the rate, three documents of four
  in the form `Question: What is the capital of France?\\nAnswer: Paris.`, the fourth from the corpus.
- `mistral-tiny`: mistral: grouped queries (4 heads, 2 key/value heads), a sliding window of {mistral_window} tokens in
  every block, shorter than the nested prompts; `<s>` first.
- `gemma-tiny`: gemma: norms that scale by 1 + w, embeddings times the root of the width, heads together wider than the
  stream, GELU GLU (`hidden_act` "gelu" stands for the tanh form, as released), tied; `<bos>` first.
- `gemma2-tiny`: gemma2: as gemma, with norms before and after attention and MLP, a window of {gemma2_window} tokens in
  every other block from the first, attention logits capped at 50 and final ones at 30, `query_pre_attn_scalar` other
  than the head's width; `<bos>` first.
- `apertus-tiny`: apertus: no GLU, xIELU with two learned parameters a block (and two constants, stored as released, not
  counted above), norms of queries and keys, `llama3` rotary scaling, theta 12000000, untied; `<s>` first.

All have 6 blocks and a byte-level BPE of {vocabulary} tokens trained on the corpus: country and capital facts, other
facts, proverbs, nested clauses, speculation, word salads, counting, small stories. How predictable each kind ends is
built into the corpus, so entropies that differ by category show that the models learned it. They say nothing about
natural language: a verdict on the zoo tests the instrument.

The words that facts and proverbs end in weigh more when the BPE is trained, so each is one token with the space before
it: after "The capital of France is" the most probable next token is " Paris", not a piece of it.

`prompts.csv` holds prompts of these kinds under the category names of the published 25-prompt set.

`quantised` has five of them as GGUF with every matrix in 8 or in 4 bits, by `scripts/zoo/quantise.py`, which says why not the
others.

## Retrain and check

    pip install -r scripts/reference/requirements.txt
    python scripts/zoo/train.py     # half an hour on one thread; rewrites this folder; name models to train only those
    python scripts/zoo/quantise.py  # seconds; rewrites quantised
    python scripts/zoo/check.py     # exit code 1 unless each knows what it should and does what its family does

One thread, fixed seeds: the same bytes on the same kind of CPU with the pinned versions. `llama3-tiny` was trained on
another CPU than the rest: on theirs its losses agree to step 200 and then drift apart by rounding.

## Loss

Training loss, nats per token, mean over the steps since the row before ({tokens} tokens per step;
`llama3-instruct-tiny` on question and answer):

{training}

## What each learned

Held-out documents (another seed; facts, proverbs and answers repeat by nature), stored bf16 weights, nats per token by
kind. `question` is the form that only `llama3-instruct-tiny` was trained on:

{held_out}

`pythia-tiny` along its training, the same documents:

{revisions}
{xielu}
Licence: MIT OR Apache-2.0, like the rest of the repository. The corpus is generated; its proverbs are traditional.
"""

XIELU = """
What xIELU's parameters of `apertus-tiny` grew to, block by block (as they act: softplus of `alpha_p`, 0.5 + softplus of
`alpha_n`; both begin at 0.8):

{table}
"""

ORDER = [
    "pythia-tiny",
    "gpt2-tiny",
    "llama2-tiny",
    "llama3-tiny",
    "llama3-instruct-tiny",
    "mistral-tiny",
    "gemma-tiny",
    "gemma2-tiny",
    "apertus-tiny",
]


def write_readme(zoo: Path):
    """Of the models trained so far; a missing one leaves no row."""
    names = [name for name in ORDER if (zoo / name / "training.json").exists()]
    records = {name: read(zoo / name / "training.json") for name in names}
    losses = {name: record["train_loss_nats"] for name, record in records.items()}
    rows = []
    for name, record in records.items():
        weights, tokenizer = ((zoo / name / f).stat().st_size for f in ("model.safetensors", "tokenizer.json"))
        family, last = read(zoo / name / "config.json")["model_type"], list(losses[name].values())[-1]
        rows.append(f"| {name} | {family} | {record['parameters']:,} | {weights:,} B | {tokenizer:,} B | {last} |")
    text = TEXT.format(
        models="\n".join(rows),
        tuning=MODELS["llama3-instruct-tiny"].steps,
        mistral_window=MODELS["mistral-tiny"].config["sliding_window"],
        gemma2_window=MODELS["gemma2-tiny"].config["sliding_window"],
        vocabulary=VOCABULARY,
        tokens=next(iter(records.values()))["tokens_per_step"],
        training=table("step", losses),
        held_out=table("kind", {name: record["held_out_loss_nats"] for name, record in records.items()}),
        revisions=along_training(records.get("pythia-tiny")),
        xielu=learned_xielu(records.get("apertus-tiny")),
    )
    (zoo / "README.md").write_text(text)


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def along_training(record: dict | None) -> str:
    if not record:
        return ""
    revisions = {f"step {step}": losses for step, losses in record["revisions_held_out_loss_nats"].items()}
    return table("kind", revisions | {f"step {record['steps']}": record["held_out_loss_nats"]})


def learned_xielu(record: dict | None) -> str:
    if not record:
        return ""
    columns = {name: dict(enumerate(values)) for name, values in record["xielu"].items()}
    return XIELU.format(table=table("block", columns))


def table(label: str, columns: dict[str, dict]) -> str:
    """A row for each key of any column, in the order of the longest column."""
    keys = max(columns.values(), key=len)
    lines = ["| " + " | ".join([label, *columns]) + " |", "|---" * (len(columns) + 1) + "|"]
    for key in keys:
        lines.append("| " + " | ".join([str(key), *(str(values.get(key, "")) for values in columns.values())]) + " |")
    return "\n".join(lines)
