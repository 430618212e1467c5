"""Train the two checkpoints of data/zoo and write its README.

    python scripts/zoo/train.py [pythia-tiny | llama3-tiny ...]

One thread, fixed seeds, deterministic kernels: the same machine and versions give the same bytes; another CPU may
round differently and end at slightly different weights. scripts/zoo/check.py judges the result.
"""

import json
import math
import random
import sys
from pathlib import Path

import torch
import transformers
from corpus import SHARES, documents
from facts import COUNTRIES, answers
from readme import write_readme
from safetensors.torch import save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

ZOO = Path(__file__).resolve().parents[2] / "data" / "zoo"
VOCABULARY = 1408
ANSWER_WEIGHT = 1000  # times each answer is shown to the BPE trainer on its own
CORPUS = 40_000  # documents
SEED = 20
STEPS, BATCH, WINDOW = 2400, 16, 48
PEAK_RATE, WARM_UP, WEIGHT_DECAY = 4e-3, 100, 0.05

LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

PYTHIA = {
    "architectures": ["GPTNeoXForCausalLM"],
    "model_type": "gpt_neox",
    "attention_bias": True,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "hidden_act": "gelu",
    "hidden_size": 96,
    "initializer_range": 0.02,
    "intermediate_size": 384,
    "layer_norm_eps": 1e-05,
    "max_position_embeddings": 128,
    "num_attention_heads": 4,
    "num_hidden_layers": 6,
    "rotary_emb_base": 10000,
    "rotary_pct": 0.25,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "use_parallel_residual": True,
    "vocab_size": VOCABULARY,
}
LLAMA3 = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "attention_bias": False,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "head_dim": 16,
    "hidden_act": "silu",
    "hidden_size": 96,
    "initializer_range": 0.02,
    "intermediate_size": 256,
    "max_position_embeddings": 512,
    "mlp_bias": False,
    "num_attention_heads": 6,
    "num_hidden_layers": 6,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-05,
    "rope_scaling": {
        "factor": 8.0,
        "high_freq_factor": 4.0,
        "low_freq_factor": 1.0,
        "original_max_position_embeddings": 64,
        "rope_type": "llama3",
    },
    "rope_theta": 500000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "vocab_size": VOCABULARY,
}
# name: (config, first token of a document, token between documents, whether the tokenizer adds the first itself)
MODELS = {
    "pythia-tiny": (PYTHIA, "<|endoftext|>", "<|endoftext|>", False),
    "llama3-tiny": (LLAMA3, "<|begin_of_text|>", "<|end_of_text|>", True),
}


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    texts = [text for _, text in documents(CORPUS, SEED)]
    held_out = documents(800, SEED + 1)
    for name in sys.argv[1:] or MODELS:
        config, bos, eos, adds_bos = MODELS[name]
        folder = ZOO / name
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer = train_tokenizer(texts, bos, eos, adds_bos)
        tokenizer.save(str(folder / "tokenizer.json"))
        write_json(folder / "tokenizer_config.json", tokenizer_config(config, bos, eos, adds_bos))
        write_json(folder / "config.json", config)
        model, losses = train_model(name, folder, tokenizer, texts, eos)
        save(model, folder)
        record = {
            "parameters": sum(p.numel() for p in model.parameters()),
            "steps": STEPS,
            "tokens_per_step": BATCH * WINDOW,
            "train_loss_nats": losses,
            "held_out_loss_nats": held_out_losses(folder, tokenizer, held_out, bos),
        }
        write_json(folder / "training.json", record)
    write_readme(ZOO)


def train_tokenizer(texts, bos, eos, adds_bos) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    if adds_bos:  # the recipe of LLaMA-3's tokenizer.json
        split = pre_tokenizers.Split(Regex(LLAMA3_SPLIT), "isolated")
        by_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, by_bytes])
    else:  # the recipe of Pythia's
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = list(dict.fromkeys([bos, eos]))
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=specials,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    # What a fact or a proverb ends in, and the country asked about, are single tokens: the answer is one next token.
    words = {f" {word}": None for text in [*answers(), *COUNTRIES] for word in text.split()}
    tokenizer.train_from_iterator([*texts, *(w for w in words for _ in range(ANSWER_WEIGHT))], trainer)
    by_bytes = processors.ByteLevel(trim_offsets=False)
    if adds_bos:
        template = processors.TemplateProcessing(
            single=f"{bos} $A", pair=f"{bos} $A {bos}:1 $B:1", special_tokens=[(bos, 0)]
        )
        tokenizer.post_processor = processors.Sequence([by_bytes, template])
    else:
        tokenizer.post_processor = by_bytes
    return tokenizer


def tokenizer_config(config, bos, eos, adds_bos) -> dict:
    return {
        "add_bos_token": adds_bos,
        "bos_token": bos,
        "clean_up_tokenization_spaces": False,
        "eos_token": eos,
        "model_max_length": config["max_position_embeddings"],
        "tokenizer_class": "PreTrainedTokenizerFast",
    }


def train_model(name, folder, tokenizer, texts, eos):
    torch.manual_seed(SEED)
    config = transformers.AutoConfig.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).train()
    decays = [p for p in model.parameters() if p.ndim == 2]
    others = [p for p in model.parameters() if p.ndim != 2]
    groups = [{"params": decays, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.98))
    # The post-processor decides whether a document starts with BOS: the model sees prompts as users will send them.
    end = tokenizer.token_to_id(eos)
    encoded = [e.ids + [end] for e in tokenizer.encode_batch(texts)]
    rng = random.Random(SEED)
    losses, recent = {}, []
    for step in range(1, STEPS + 1):
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        rows = torch.tensor([window(encoded, rng) for _ in range(BATCH)])
        logits = model(rows[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        recent.append(loss.item())
        if step % 200 == 0:
            losses[step] = round(sum(recent) / len(recent), 4)
            print(f"{name} step {step}/{STEPS}: {losses[step]} nats", flush=True)
            recent = []
    return model, losses


def rate(step: int) -> float:
    """Linear warm-up, then cosine to 2 % of the peak."""
    if step <= WARM_UP:
        return PEAK_RATE * step / WARM_UP
    progress = (step - WARM_UP) / (STEPS - WARM_UP)
    return PEAK_RATE * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


def window(encoded, rng) -> list:
    """Whole documents from a document's start; only the last one is cut."""
    row = []
    while len(row) < WINDOW + 1:
        row += rng.choice(encoded)
    return row[: WINDOW + 1]


def save(model, folder):
    state = {n: p.detach().to(torch.bfloat16).contiguous() for n, p in sorted(model.named_parameters())}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


@torch.no_grad()
def held_out_losses(folder, tokenizer, held_out, bos) -> dict:
    """Mean nats per token by kind, of the stored bf16 weights; a document's first token after BOS is not scored."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    sums = {kind: [0.0, 0] for kind, _ in SHARES}
    for kind, text in held_out:
        ids = torch.tensor([tokenizer.encode(text).ids])
        start = 1 if ids[0, 0] == tokenizer.token_to_id(bos) else 0
        logits = model(ids[:, :-1]).logits[0, start:]
        loss = torch.nn.functional.cross_entropy(logits, ids[0, start + 1 :], reduction="sum")
        sums[kind][0] += loss.item()
        sums[kind][1] += len(logits)
    return {kind: round(total / max(n, 1), 4) for kind, (total, n) in sums.items()}


def write_json(path: Path, value):
    path.write_text(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    main()
