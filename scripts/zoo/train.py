"""Train the checkpoints of data/zoo and write its README.

    python scripts/zoo/train.py [gpt2-tiny | pythia-tiny | ...]

One thread, fixed seeds, deterministic kernels: the same machine and versions give the same bytes; another CPU may
round differently and end at slightly different weights. scripts/zoo/check.py judges the result.
"""

import json
import math
import random
import shutil
import sys
from pathlib import Path

import torch
import transformers
from corpus import SHARES, documents
from families import MODELS, Model
from questions import exchanges
from readme import write_readme
from safetensors.torch import save_file
from stored import ZOO, losses_by_kind, open_model, open_tokenizer, xielu_parameters
from tokenizer import tokenizer_config, train_tokenizer

CORPUS = 40_000  # documents
SEED = 20
BATCH, WINDOW = 16, 48
PEAK_RATE, TUNING_RATE, WARM_UP, WEIGHT_DECAY = 4e-3, 1e-3, 100, 0.05
COPIED = ("config.json", "tokenizer.json", "tokenizer_config.json")  # a revision differs in weights alone


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    texts = [text for _, text in documents(CORPUS, SEED)]
    questions = exchanges(CORPUS, random.Random(SEED))
    # By kind, in the order of the table.
    kinds = [kind for kind, _ in SHARES]
    held_out = sorted(documents(800, SEED + 1), key=lambda pair: kinds.index(pair[0]))
    held_out += [("question", text) for text in held_out_questions()]
    for name in sys.argv[1:] or MODELS:
        model, folder = MODELS[name], ZOO / name
        folder.mkdir(parents=True, exist_ok=True)
        if model.base:
            shutil.copy(ZOO / model.base / "tokenizer.json", folder)
        else:
            train_tokenizer(texts, model).save(str(folder / "tokenizer.json"))
        write_json(folder / "tokenizer_config.json", tokenizer_config(model))
        write_json(folder / "config.json", model.config)
        trained, losses = train_model(name, model, questions if model.base else texts)
        save(trained, folder)
        record = {
            "parameters": sum(p.numel() for p in trained.parameters()),
            "steps": model.steps,
            "tokens_per_step": BATCH * WINDOW,
            "train_loss_nats": losses,
            "held_out_loss_nats": losses_by_kind(name, model.adds_bos, held_out),
        }
        if model.revisions:
            record["revisions_held_out_loss_nats"] = {
                step: losses_by_kind(revision(name, step), model.adds_bos, held_out) for step in model.revisions
            }
        if model.config["model_type"] == "apertus":
            record["xielu"] = xielu_parameters(open_model(name))
        write_json(folder / "training.json", record)
    write_readme(ZOO)


def held_out_questions() -> list[str]:
    return [text for text in exchanges(200, random.Random(SEED + 1)) if text.startswith("Question:")]


def revision(name: str, step: int) -> Path:
    return ZOO / f"{name}-steps" / f"step{step}"


def train_model(name: str, spec: Model, texts):
    torch.manual_seed(SEED)
    folder = ZOO / name
    if spec.base:
        model = transformers.AutoModelForCausalLM.from_pretrained(ZOO / spec.base, dtype=torch.float32)
    else:
        config = transformers.AutoConfig.from_pretrained(folder)
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    # xIELU makes its parameters in the config's bf16, where small steps would round away.
    model = model.float().train()
    decays = [p for p in model.parameters() if p.ndim == 2]
    others = [p for p in model.parameters() if p.ndim != 2]
    groups = [{"params": decays, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.98))
    # The post-processor decides whether a document starts with BOS: the model sees prompts as users will send them.
    tokenizer = open_tokenizer(name)
    end = tokenizer.token_to_id(spec.eos)
    encoded = [e.ids + [end] for e in tokenizer.encode_batch(texts)]
    rng = random.Random(SEED)
    losses, recent = {}, []
    for step in range(1, spec.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = rate(step, spec)
        rows = torch.tensor([window(encoded, rng) for _ in range(BATCH)])
        logits = model(rows[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        recent.append(loss.item())
        if step in spec.revisions:
            kept = revision(name, step)
            kept.mkdir(parents=True, exist_ok=True)
            for file in COPIED:
                shutil.copy(folder / file, kept)
            save(model, kept)
        if step % 200 == 0:
            losses[step] = round(sum(recent) / len(recent), 4)
            print(f"{name} step {step}/{spec.steps}: {losses[step]} nats", flush=True)
            recent = []
    return model, losses


def rate(step: int, spec: Model) -> float:
    """Linear warm-up, then cosine to 2 % of the peak."""
    peak = TUNING_RATE if spec.base else PEAK_RATE
    if step <= WARM_UP:
        return peak * step / WARM_UP
    progress = (step - WARM_UP) / (spec.steps - WARM_UP)
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


def window(encoded, rng) -> list:
    """Whole documents from a document's start; only the last one is cut."""
    row = []
    while len(row) < WINDOW + 1:
        row += rng.choice(encoded)
    return row[: WINDOW + 1]


def save(model, folder):
    """Parameters and kept buffers in bf16; a tied head is not stored twice."""
    names = {n for n, _ in model.named_parameters()} | {n for n, _ in model.named_buffers()}
    state = {n: t.detach().to(torch.bfloat16).contiguous() for n, t in sorted(model.state_dict().items()) if n in names}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def write_json(path: Path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    main()
