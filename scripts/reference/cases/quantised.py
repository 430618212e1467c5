"""Checkpoints whose weights are quantised, one or more of every format that is read."""

from dataclasses import dataclass, field

from .case import LLAMA3, Case, rope
from .llama import llama
from .qwen import qwen2, qwen3
from .stacked_experts import gpt_oss


@dataclass(frozen=True)
class QuantisedCase:
    writes: str  # the function of quantised_checkpoint.py that writes and reads the format
    case: Case
    how: dict = field(default_factory=dict)  # arguments of it


def made(writes: str, name: str, notes: str, config: dict, **how) -> QuantisedCase:
    return QuantisedCase(writes, Case(name, "float32", notes, config), how)


PLAIN = {"rope_parameters": rope(10000.0)}
# Rows and columns that are no whole blocks; what packs words needs multiples of 32.
ODD = llama(60, 2, 6, 2, 71, 131, head_dim=10, **PLAIN)
EVEN = llama(96, 2, 4, 2, 160, 131, head_dim=24, **PLAIN)
TIED = llama(64, 2, 4, 4, 96, 131, tie_word_embeddings=True, rope_parameters=LLAMA3 | {"rope_theta": 500.0})
SIDES = {"num_hidden_layers": 2, "max_window_layers": 2, "num_attention_heads": 4, "sliding_window": None}
BIASED = qwen2(hidden_size=64, intermediate_size=96, **SIDES, **PLAIN)
EXPERTS = gpt_oss(hidden_size=32, intermediate_size=32, num_local_experts=4, num_experts_per_tok=2, tie_word_embeddings=True, torch_dtype="bfloat16")
NORMED = qwen3(hidden_size=96, intermediate_size=160, head_dim=32, **SIDES, **PLAIN)


def ints(bits: int, strategy: str, symmetric: bool, group: int | None = None) -> dict:
    return {"num_bits": bits, "type": "int", "strategy": strategy, "symmetric": symmetric, "group_size": group}


def small(bits: int, group: int, scales: str) -> dict:
    """Floats of a few bits in groups of columns; nvfp4's groups have a scale of the whole besides."""
    strategy = "tensor_group" if group == 16 else "group"
    how = {"num_bits": bits, "type": "float", "strategy": strategy, "symmetric": True, "group_size": group}
    return how | {"scale_dtype": scales}


def floats(strategy: str, block: list | None = None) -> dict:
    return {"num_bits": 8, "type": "float", "strategy": strategy, "symmetric": True, "block_structure": block}


CASES = [
    made("fp8", "fp8_blocks", "blocks of 32, scales float32", NORMED, block=[32, 32]),
    made("fp8", "fp8_blocks_at_the_edge", "blocks of 32 on odd sides, as DeepSeek's own code reads them", ODD, block=[32, 32]),
    made("fp8", "fp8_powers_of_two", "blocks of 32, scales powers of two", EVEN, block=[32, 32], scale_fmt="ue8m0"),
    made("fp8", "fp8_tensor", "a scale for each tensor, scales of activations beside", ODD, block=None),
    made("compressed", "int4_groups", "groups of 32 columns", EVEN, format="pack-quantized", weights=ints(4, "group", True, 32)),
    made("compressed", "int4_channels_zero_points", "odd rows and columns", ODD, format="pack-quantized", weights=ints(4, "channel", False)),
    made("compressed", "int4_act_order", "the group of each column", EVEN, format="pack-quantized", weights=ints(4, "group", False, 32), act_order=True),
    made("compressed", "int3_groups", "numbers across words", EVEN, format="pack-quantized", weights=ints(3, "group", False, 32)),
    made("compressed", "int8_packed_tensor", "one scale", ODD, format="pack-quantized", weights=ints(8, "tensor", True)),
    made("compressed", "int8_channels", "a byte a number, zero points", ODD, format="int-quantized", weights=ints(8, "channel", False)),
    made("compressed", "int8_naive", "a byte a number, one scale, bfloat16", BIASED, format="naive-quantized", weights=ints(8, "tensor", True), scales="bfloat16"),
    made("compressed", "fp8_channels", "a scale for each row, bfloat16", ODD, format="float-quantized", weights=floats("channel"), scales="bfloat16"),
    made("compressed", "fp8_naive_blocks", "blocks at the edge", ODD, format="naive-quantized", weights=floats("block", [32, 32])),
    made("compressed", "nvfp4", "blocks of 16 with scales of fp8, and one of the whole", EVEN, format="nvfp4-pack-quantized", weights=small(4, 16, "torch.float8_e4m3fn")),
    made("compressed", "mxfp4_compressed", "blocks of 32 with powers of two", EVEN, format="mxfp4-pack-quantized", weights=small(4, 32, "torch.uint8")),
    made("compressed", "mxfp6_compressed", "likewise, six bits", EVEN, format="mxfp6-pack-quantized", weights=small(6, 32, "torch.uint8")),
    made("compressed", "mxfp8_compressed", "likewise, a byte a number", EVEN, format="mxfp8-quantized", weights=small(8, 32, "torch.uint8")),
    made("gptq", "gptq_4bit_act_order", "the group of each input, biases", BIASED, bits=4, group=32, act_order=True),
    made("gptq", "gptq_4bit_v2", "zero points as they are, no g_idx", TIED, bits=4, group=32, layout="gptq_v2"),
    made("gptq", "gptq_2bit", "groups of 32", TIED, bits=2, group=32),
    made("gptq", "gptq_3bit", "numbers across words, act-order", TIED, bits=3, group=32, act_order=True),
    made("gptq", "gptq_8bit", "one group", TIED, bits=8, group=-1),
    made("auto_round", "auto_round_4bit", "zero points as they are, some modules of 8 bits", TIED, bits=4, group=32, packing="auto_round", others={"mlp.down_proj": (8, 48)}),
    made("auto_round", "auto_round_gptq", "zero points minus one", TIED, bits=4, group=32, packing="auto_round:auto_gptq"),
    made("auto_round", "auto_round_3bit", "numbers across words, zero points minus one", TIED, bits=3, group=32, packing="auto_round:auto_gptq"),
    made("awq", "auto_round_awq", "as AutoAWQ packs it", BIASED, group=32, method="auto-round"),
    made("awq", "awq_4bit", "groups of 32, biases", BIASED, group=32),
    made("awq", "awq_gemv", "words along rows, in order", EVEN, group=32, version="gemv"),
    made("bitsandbytes", "nf4", "odd rows across blocks", ODD, kind="nf4", double=False),
    made("bitsandbytes", "nf4_double", "largest sizes quantised too", EVEN, kind="nf4", double=True),
    made("bitsandbytes", "fp4_double", "likewise", BIASED, kind="fp4", double=True),
    made("bitsandbytes", "llm_int8", "rows of bytes", ODD, kind="int8"),
    made("mlx", "mlx_4bit", "groups of 32, the embedding too, tied", TIED, bits=4, group=32),
    made("mlx", "mlx_2bit_and_6bit", "some modules otherwise", EVEN, bits=2, group=32, others={"mlp.down_proj": (6, 32)}),
    made("mlx", "mlx_3bit", "float16 scales", EVEN, bits=3, group=32, dtype="float16"),
    made("mlx", "mlx_5bit", "bfloat16 scales", EVEN, bits=5, group=32, dtype="bfloat16"),
    made("mlx", "mlx_8bit", "the embedding too, tied", TIED, bits=8, group=32),
    made("modelopt", "modelopt_nvfp4", "blocks of 16 with scales of fp8, which one of the whole multiplies", EVEN, algorithm="NVFP4_DEFAULT_CFG"),
    made("modelopt", "modelopt_nvfp4_fp8", "likewise in blocks of 32", EVEN, algorithm="W4A8_NVFP4_FP8_CFG"),
    made("modelopt", "modelopt_mxfp4", "blocks of 32 with powers of two, biases", BIASED, algorithm="W4A8_MXFP4_FP8_CFG"),
    made("modelopt", "modelopt_mxfp8", "likewise, a byte a number", EVEN, algorithm="MXFP8_DEFAULT_CFG"),
    made("modelopt", "modelopt_fp8", "a scale for each tensor, the keys as its own file has them", ODD, algorithm="FP8_DEFAULT_CFG", beside=True),
    made("modelopt", "modelopt_fp8_channels", "a scale for each row", ODD, algorithm="FP8_PER_CHANNEL_PER_TOKEN_CFG"),
    made("modelopt", "modelopt_fp8_blocks", "blocks of 128, those at the edge smaller", EVEN, algorithm="FP8_2D_BLOCKWISE_WEIGHT_ONLY_CFG"),
    made("modelopt", "modelopt_int8", "a byte a number, a scale for each row", ODD, algorithm="INT8_WEIGHT_ONLY_CFG"),
    made("mxfp4", "mxfp4", "plain matrices", EVEN),
    QuantisedCase("mxfp4_experts", Case("mxfp4_gpt_oss", "bfloat16", "stacked experts", EXPERTS, lengths=(1, 13))),
]
