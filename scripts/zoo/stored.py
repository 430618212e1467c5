"""The stored checkpoints of data/zoo as the checks read them, and what they say next."""

from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer

ROOT = Path(__file__).resolve().parents[2]
ZOO = ROOT / "data" / "zoo"


def open_tokenizer(name: str | Path) -> Tokenizer:
    return Tokenizer.from_file(str(ZOO / name / "tokenizer.json"))


def open_model(name: str | Path, **overrides):
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    model = transformers.AutoModelForCausalLM.from_pretrained(ZOO / name, dtype=torch.float32, **overrides)
    return model.float().eval()


@torch.no_grad()
def top(model, tokenizer, prompt: str) -> tuple[str, float]:
    """Text and probability of the most probable next token."""
    logits = model(torch.tensor([tokenizer.encode(prompt).ids])).logits[0, -1].double()
    probability, token = torch.softmax(logits, -1).max(-1)
    return tokenizer.decode([int(token)]), float(probability)


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
def losses_by_kind(name: str | Path, adds_bos: bool, pairs) -> dict[str, float]:
    """Mean nats per token by kind of pairs (kind, text); a document's first token after BOS is not scored."""
    tokenizer, model = open_tokenizer(name), open_model(name)
    sums = {kind: [0.0, 0] for kind, _ in pairs}
    for kind, text in pairs:
        ids = torch.tensor([tokenizer.encode(text).ids])
        start = int(adds_bos)
        logits = model(ids[:, :-1]).logits[0, start:]
        loss = torch.nn.functional.cross_entropy(logits, ids[0, start + 1 :], reduction="sum")
        sums[kind][0] += loss.item()
        sums[kind][1] += len(logits)
    return {kind: round(total / n, 4) for kind, (total, n) in sums.items()}


def xielu_parameters(model) -> dict[str, list[float]]:
    """xIELU's two parameters by block, as they act."""
    acts = [block.mlp.act_fn for block in model.model.layers]
    softplus = torch.nn.functional.softplus
    return {
        "alpha_p": [round(softplus(act.alpha_p).item(), 3) for act in acts],
        "alpha_n": [round((act.beta + softplus(act.alpha_n)).item(), 3) for act in acts],
    }
