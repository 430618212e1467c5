"""What this machine could do at best on a checkpoint's shapes: matrix products, widening, reading.

    python scripts/bench/limits.py CHECKPOINT [--repeats 7]

Prints JSON. Matrix products are ONNX Runtime's, float32, all cores, of the shapes of a block with as many rows as the
bench has tokens: each as Gemm with a weight that is an input (as it lies in a checkpoint, nothing packed beforehand)
and as MatMul with a constant weight (packed beforehand, which a streamed model cannot do); the better one counts.
Widening is torch's bfloat16 to float32 into a buffer in use; reading is one reader, 16 MiB at a time.
"""

import argparse
import json
import os
import time
from pathlib import Path
from statistics import median

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper

import measure

WIDENED = 1 << 26  # elements: far more than any cache holds
READ = 1 << 31  # bytes at most


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--repeats", type=int, default=7)
    args = parser.parse_args()
    config = json.loads((args.checkpoint / "config.json").read_text())
    prompts = json.loads((args.checkpoint / "bench_prompts.json").read_text())
    tokens = sum(map(len, prompts))
    products = block_products(config)
    seconds = {shape: product_seconds(tokens, *shape, args.repeats) for shape in set(products)}
    flops = sum(2 * tokens * m * n for m, n in products)
    file = args.checkpoint / "model.safetensors"
    print(
        json.dumps(
            {
                "onnxruntime": onnxruntime.__version__,
                "matmul_flops_per_s": flops / sum(min(seconds[shape].values()) for shape in products),
                "products": [{"in": m, "out": n, "rows": tokens, "seconds": s} for (m, n), s in seconds.items()],
                "model_flops": model_flops(config, prompts),
                "widen_bytes_per_s": widen(args.repeats),
                "read_cached_bytes_per_s": read(file, measure.warm, args.repeats),
                "read_disk_bytes_per_s": read(file, measure.cold, 3),
            }
        )
    )


def block_products(config: dict) -> list[tuple[int, int]]:
    """(in, out) of the seven linear layers of a block."""
    width, inner = config["hidden_size"], config["intermediate_size"]
    kv = width // config["num_attention_heads"] * config["num_key_value_heads"]
    return [(width, width), (width, kv), (width, kv), (width, width), (width, inner), (width, inner), (inner, width)]


def model_flops(config: dict, prompts: list) -> float:
    """Of linear layers: every block at every token, the unembedding at the last token of a prompt."""
    tokens = sum(map(len, prompts))
    block = sum(m * n for m, n in block_products(config))
    head = config["hidden_size"] * config["vocab_size"]
    return 2.0 * (config["num_hidden_layers"] * tokens * block + len(prompts) * head)


def product_seconds(rows: int, width: int, out: int, repeats: int) -> dict:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, width), dtype=np.float32)
    weight = rng.standard_normal((out, width), dtype=np.float32)
    gemm = helper.make_node("Gemm", ["x", "w"], ["y"], transB=1)
    streamed = timed(session(gemm, rows, width, out, None), {"x": x, "w": weight}, repeats)
    constant = np.ascontiguousarray(weight.T)
    packed = timed(
        session(helper.make_node("MatMul", ["x", "w"], ["y"]), rows, width, out, constant), {"x": x}, repeats
    )
    return {"gemm_streamed": streamed, "matmul_packed": packed}


def session(node, rows: int, width: int, out: int, constant) -> onnxruntime.InferenceSession:
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [rows, width])]
    constants = []
    if constant is None:
        inputs.append(helper.make_tensor_value_info("w", TensorProto.FLOAT, [out, width]))
    else:
        constants.append(onnx.numpy_helper.from_array(constant, "w"))
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [rows, out])]
    graph = helper.make_graph([node], "product", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def timed(session, feeds: dict, repeats: int) -> float:
    # Bound once: a plain run would copy nothing in, but allocate its output anew.
    binding = session.io_binding()
    for name, value in feeds.items():
        binding.bind_cpu_input(name, value)
    binding.bind_output("y")
    return median(seconds(lambda: session.run_with_iobinding(binding)) for _ in range(repeats + 1))


def widen(repeats: int) -> float:
    source = torch.ones(WIDENED, dtype=torch.bfloat16)
    target = torch.zeros(WIDENED, dtype=torch.float32)
    return 6 * WIDENED / median(seconds(lambda: target.copy_(source)) for _ in range(repeats))


def read(file: Path, prepare, repeats: int) -> float:
    buffer = bytearray(measure.PAGE)
    length = min(file.stat().st_size, READ)

    def once():
        left = length
        with open(file, "rb", buffering=0) as f:
            while left > 0:
                left -= f.readinto(buffer)

    taken = []
    for _ in range(repeats):
        prepare(file.parent)
        taken.append(seconds(once))
    return length / median(taken)


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
