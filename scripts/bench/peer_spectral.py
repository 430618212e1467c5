"""The spectral norm of a checkpoint's embedding by one method that people use; seconds from tensor to number.

    python scripts/bench/peer_spectral.py CHECKPOINT torch|lowrank|svds|gram

torch: `torch.linalg.matrix_norm(ord=2)`, float32. lowrank: `torch.svd_lowrank(q=6, niter=2)`, its defaults. svds:
`scipy.sparse.linalg.svds(k=1)`, float32. gram: the largest eigenvalue of WᵀW in float64, which is the reference.
"""

import json
import sys
import time
from pathlib import Path

import torch
from safetensors import safe_open

ROWS = 4096  # of the matrix at once, where all of it in float64 would not be needed


def main():
    checkpoint, method = Path(sys.argv[1]), sys.argv[2]
    with safe_open(checkpoint / "model.safetensors", framework="pt") as file:
        matrix = file.get_tensor("model.embed_tokens.weight").float()
    torch.manual_seed(0)
    start = time.perf_counter()
    with torch.inference_mode():
        sigma = METHODS[method](matrix)
    print(json.dumps({"sigma_max": float(sigma), "seconds": time.perf_counter() - start}))


def by_torch(matrix):
    return torch.linalg.matrix_norm(matrix, ord=2)


def by_lowrank(matrix):
    return torch.svd_lowrank(matrix)[1][0]


def by_svds(matrix):
    import numpy as np
    from scipy.sparse.linalg import svds

    start = np.random.default_rng(0).standard_normal(min(matrix.shape)).astype(np.float32)
    return svds(matrix.numpy(), k=1, v0=start, return_singular_vectors=False)[0]


def by_gram(matrix):
    gram = torch.zeros(matrix.shape[1], matrix.shape[1], dtype=torch.float64)
    for part in matrix.split(ROWS):
        gram += part.double().T @ part.double()
    return torch.linalg.eigvalsh(gram)[-1].sqrt()


METHODS = {"torch": by_torch, "lowrank": by_lowrank, "svds": by_svds, "gram": by_gram}

if __name__ == "__main__":
    main()
