"""Write tests/goldens/spectra.json: spectra of the token vectors of several prompts, by transformers and NumPy in float64.

    python scripts/reference/make_spectra.py [FOLDER_OF_GOLDENS]

Per case the prompts as run (each begins with the same token, as after a BOS) and for every layer 0..L, over all tokens
(`all`) and over those behind the first of each prompt (`without_first`): [anisotropy, effective rank, mean cosine].
Eigenvalues are those of the D x D covariance; the mean cosine is taken pair by pair.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import transformers
from cases import CASES
from checkpoint import write_json
from float64 import float64, float64_model
from make_goldens import ROOT, load, rounded
from taps import taps_of

NAMES = [
    "bloom_six_heads_f32",
    "gemma2_window_softcaps_bf16",
    "gpt_neox_parallel_f32",
    "llama_gqa_tied_bf16",
    "opt_350m_post_norm_f32",
]


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests" / "goldens"
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    cases = {}
    for case in NAMES:
        attention = next(c.attention for c in CASES if c.name == case)
        model = float64_model(load(folder / case, attention))
        rng = np.random.default_rng(7)
        prompts = [[1, *rng.integers(0, model.config.vocab_size, n).tolist()] for n in (0, 3, 8, 8, 15)]
        with float64():
            layers = streams(model, prompts)
        without_first = [np.concatenate([rows[1:] for rows in layer]) for layer in layers]
        cases[case] = {
            "prompts": prompts,
            "all": rounded([spectrum(np.concatenate(layer)) for layer in layers]),
            "without_first": rounded([spectrum(rows) for rows in without_first]),
        }
        print(case, cases[case]["all"][-1])
    write_json(folder / "spectra.json", cases)


@torch.no_grad()
def streams(model, prompts: list) -> list:
    """By layer 0..L, by prompt: the token vectors `[T, D]`."""
    by_prompt = []
    for ids in prompts:
        blocks = model.get_submodule(taps_of(model.config).layers)
        seen = []
        hooks = [blocks[0].register_forward_pre_hook(lambda _m, a: seen.append(a[0].clone()))]
        for block in blocks:
            hooks.append(block.register_forward_hook(lambda _m, _a, o: seen.append(first(o).clone())))
        model(torch.tensor([ids]), use_cache=False)
        for hook in hooks:
            hook.remove()
        by_prompt.append([stream[0].numpy() for stream in seen])
    return list(zip(*by_prompt))


def first(output):
    return output[0] if isinstance(output, tuple) else output


def spectrum(vectors: np.ndarray) -> list:
    values = np.clip(np.linalg.eigvalsh(np.cov(vectors.T)), 0, None)
    shares = values / values.sum()
    entropy = -sum(s * np.log(s) for s in shares if s > 0)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = [a @ b for i, a in enumerate(unit) for b in unit[:i]]
    return [float(shares[-1]), float(np.exp(entropy)), float(np.mean(cosines))]


if __name__ == "__main__":
    main()
