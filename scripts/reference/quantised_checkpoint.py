"""Weights as each format stores them, and what its own reference makes of them again, in float32.

Every function takes a random checkpoint (`Plain`), and gives the tensors of a file, what they stand for by its
reference, and the `quantization_config`. Which code writes and reads is said with each.
"""

import copy
import importlib.util
import json
import sys
import tempfile
import types
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file


@dataclass
class Plain:
    folder: Path  # with config.json and model.safetensors
    tensors: dict
    matrices: dict  # those of the blocks' linear modules


def from_package(package: str, file: str):
    """A file of a package whose other files need a GPU, or packages that are not here."""
    folder = Path(importlib.util.find_spec(package).submodule_search_locations[0])
    spec = importlib.util.spec_from_file_location(f"{package}_{Path(file).stem}", folder / file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def module_of(name: str) -> str:
    return name.removesuffix(".weight")


def fp8(plain, rng, block: list | None, scale_fmt: str | None = None):
    """`Fp8Quantize` and `Fp8Dequantize` of transformers. Of sides that are no whole blocks, which these refuse, both are by
    definition: `weight_dequant` in `inference/kernel.py` of DeepSeek-V3 takes smaller blocks at the edges."""
    from transformers.integrations.finegrained_fp8 import Fp8Dequantize, Fp8Quantize

    quantizer = types.SimpleNamespace(
        quantization_config=types.SimpleNamespace(weight_block_size=block, scale_fmt=scale_fmt)
    )
    stored, read = {}, {}
    for name, value in plain.matrices.items():
        rows, columns = value.shape
        padded = value
        if block:
            padded = torch.zeros(-(-rows // block[0]) * block[0], -(-columns // block[1]) * block[1])
            padded[:rows, :columns] = value
        tensors = Fp8Quantize(quantizer)._quantize_one(name, padded)
        scale = tensors[f"{module_of(name)}.weight_scale_inv"]
        whole = Fp8Dequantize(quantizer)._dequantize_one(tensors[name], scale, torch.float32)
        read[name] = whole[:rows, :columns].contiguous()
        stored[name] = tensors[name][:rows, :columns].contiguous()
        if block:
            stored[f"{module_of(name)}.weight_scale_inv"] = scale
        else:
            stored[f"{module_of(name)}.weight_scale"] = scale.reshape(())
            stored[f"{module_of(name)}.input_scale"] = torch.tensor(0.25)
    config = {"quant_method": "fp8", "activation_scheme": "dynamic" if block else "static"}
    if block:
        config |= {"fmt": "e4m3", "weight_block_size": block}
    if scale_fmt:
        config["scale_fmt"] = scale_fmt
    return stored, read, config


def compressed(plain, rng, format: str, weights: dict, scales: str = "float32", act_order: bool = False):
    """`compress` and `decompress` of the package's compressors. They compute in the dtype of the scales, so these are widened to
    float32 before; those of floats of 4 and 6 bits in bfloat16, so here these are `in_float32`. Act-order, which the package gave up in 0.14, is by its earlier definition: column j has the group g_idx[j]."""
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.quantization import QuantizationArgs, QuantizationConfig, QuantizationScheme
    from compressed_tensors.quantization.lifecycle.forward import dequantize
    from compressed_tensors.quantization.utils import calculate_qparams, generate_gparam

    weights = {key: value for key, value in weights.items() if value is not None}
    arguments = QuantizationArgs(**weights)
    scheme = QuantizationScheme(targets=["Linear"], weights=arguments, format=format)
    compressor = BaseCompressor.get_value_from_registry(format)
    stored, read = {}, {}
    for name, value in plain.matrices.items():
        module = module_of(name)
        order = torch.arange(value.shape[1])
        if act_order:
            order = torch.from_numpy(rng.permutation(value.shape[1]))
        sorted_value = value[:, order]
        low, high = extremes(sorted_value, arguments)
        whole_scale = None
        if arguments.strategy == "tensor_group":
            whole_scale = generate_gparam(value.amin(), value.amax())
        scale, zero = calculate_qparams(low, high, arguments, global_scale=whole_scale)
        scale = scale.to(getattr(torch, scales)).float()
        state = {"weight": sorted_value, "weight_scale": scale, "weight_zero_point": zero}
        if arguments.symmetric:
            del state["weight_zero_point"]
        if whole_scale is not None:
            state["weight_global_scale"] = whole_scale
        packed = compressor.compress(state, scheme)
        if format in ("nvfp4-pack-quantized", "mxfp4-pack-quantized", "mxfp6-pack-quantized"):
            whole = in_float32(packed, scheme)
        elif format == "mxfp8-quantized":  # as its compressor, which widens the scales to bfloat16
            powers = 2.0 ** (packed["weight_scale"].to(torch.float32) - 127)
            whole = dequantize(packed["weight"].float(), powers, args=arguments, dtype=torch.float32)
        else:
            whole = compressor.decompress(dict(packed), scheme)["weight"]
        assert whole.dtype == torch.float32
        if act_order:
            # Columns where they were: their numbers are packed anew, their groups said by g_idx.
            from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32, unpack_from_int32

            back = torch.argsort(order)
            numbers = unpack_from_int32(packed["weight_packed"], arguments.num_bits, value.shape)
            packed["weight_packed"] = pack_to_int32(numbers[:, back].contiguous(), arguments.num_bits)
            packed["weight_g_idx"] = (back // arguments.group_size).to(torch.int32)
            whole = whole[:, back].contiguous()
        if packed["weight_scale"].dtype == torch.float32:
            packed["weight_scale"] = packed["weight_scale"].to(getattr(torch, scales))
        read[name] = whole
        stored |= {f"{module}.{key}": tensor.contiguous() for key, tensor in packed.items()}
    config = QuantizationConfig(
        config_groups={"group_0": scheme}, format=format, quantization_status="compressed", ignore=["lm_head"]
    )
    described = config.model_dump(mode="json")
    described["quant_method"] = "compressed-tensors"
    return stored, read, described


def in_float32(packed, scheme):
    """As `decompress` of `NVFP4PackedCompressor`, `MXFP4PackedCompressor` and `MXFP6PackedCompressor` have it, step by step, but in
    float32."""
    from compressed_tensors.compressors.mxfp6.helpers import unpack_fp6_from_uint8
    from compressed_tensors.compressors.nvfp4.helpers import unpack_fp4_from_uint8
    from compressed_tensors.quantization.lifecycle.forward import dequantize

    bits, scale = scheme.weights.num_bits, packed["weight_scale"]
    unpack = unpack_fp6_from_uint8 if bits == 6 else unpack_fp4_from_uint8
    rows, size = packed["weight_packed"].shape
    numbers = unpack(packed["weight_packed"], rows, size * 8 // bits, torch.float32)
    scale = 2.0 ** (scale.to(torch.float32) - 127) if scale.dtype == torch.uint8 else scale.to(torch.float32)
    whole = packed.get("weight_global_scale")
    return dequantize(numbers, scale, args=scheme.weights, global_scale=whole, dtype=torch.float32)


def extremes(value, arguments):
    """Smallest and largest of what shares a scale."""
    if arguments.strategy == "tensor":
        return value.amin().reshape(1), value.amax().reshape(1)
    if arguments.strategy == "channel":
        return value.amin(1, keepdim=True), value.amax(1, keepdim=True)
    if arguments.strategy in ("group", "tensor_group"):
        groups = value.unflatten(1, (-1, arguments.group_size))
        return groups.amin(2), groups.amax(2)
    height, width = arguments.block_structure
    rows, columns = (-(-side // block) for side, block in zip(value.shape, (height, width)))
    low, high = torch.zeros(rows, columns), torch.zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            block = value[i * height : (i + 1) * height, j * width : (j + 1) * width]
            low[i, j], high[i, j] = block.amin(), block.amax()
    return low, high


def asymmetric(value, group: int, bits: int):
    """Scale (float16's numbers) and zero point of each group of inputs, `[out, groups]`."""
    groups = value.unflatten(1, (-1, group))
    low, high = groups.amin(2).clamp(max=0), groups.amax(2).clamp(min=0)
    scale = ((high - low) / (2**bits - 1)).half().float()
    zero = torch.round(-low / scale).clamp(1, 2**bits - 1)
    return scale, zero


def within(value, scale, zero, bits: int, groups):
    """The numbers that a group's scale and zero point can stand for hold all of its weights."""
    return value.clamp(((0 - zero) * scale)[:, groups], ((2**bits - 1 - zero) * scale)[:, groups])


def gptq(plain, rng, bits: int, group: int, act_order: bool = False, layout: str = "gptq"):
    """`QuantLinear.pack` of AutoGPTQ, and its `forward` on the unit matrix. The second layout is the first with one added to each
    zero point, as GPTQModel converts it."""
    linear_of = from_package("auto_gptq", "nn_modules/qlinear/qlinear_cuda.py").QuantLinear
    stored, read = {}, {}
    for name, value in plain.matrices.items():
        outputs, inputs = value.shape
        size = inputs if group == -1 else group
        g_idx = torch.arange(inputs) // size
        if act_order:
            g_idx = g_idx[torch.from_numpy(rng.permutation(inputs))]
        order = torch.argsort(g_idx, stable=True)
        scale, zero = asymmetric(value[:, order], size, bits)
        whole = torch.nn.Linear(inputs, outputs, bias=False)
        whole.weight.data = within(value, scale, zero, bits, g_idx)
        linear = linear_of(bits, group, inputs, outputs, bias=False)
        linear.pack(whole, scale.clone(), zero.clone(), g_idx.to(torch.int32))
        tensors = {"qweight": linear.qweight, "qzeros": linear.qzeros, "scales": linear.scales.half()}
        if layout == "gptq_v2":
            assert bits == 4
            tensors["qzeros"] = (linear.qzeros.to(torch.int64) + 0x11111111).to(torch.int32)
        if layout == "gptq":
            tensors["g_idx"] = linear.g_idx.to(torch.int32)
        linear.scales = linear.scales.float()
        read[name] = linear(torch.eye(inputs)).t().contiguous()
        stored |= {f"{module_of(name)}.{key}": tensor.clone().contiguous() for key, tensor in tensors.items()}
    config = {"quant_method": "gptq", "bits": bits, "group_size": group, "desc_act": act_order, "sym": False}
    return stored, read, config | {"checkpoint_format": layout}


def auto_round_code(file: str):
    """A module of `auto_round_extension` without the rest of auto-round, which asks for packages that quantise."""
    folder = Path(importlib.util.find_spec("auto_round_extension").submodule_search_locations[0])
    utils = types.ModuleType("auto_round.utils")
    utils.get_packing_device = lambda device: torch.device("cpu")
    sys.modules |= {"auto_round": types.ModuleType("auto_round"), "auto_round.utils": utils}
    files = {
        "auto_round.utils.bit_packing": folder.parent / "auto_round/utils/bit_packing.py",
        "auto_round_extension.torch.qlinear_torch": folder / "torch/qlinear_torch.py",
        f"auto_round_extension.torch.{file}": folder / f"torch/{file}.py",
    }
    for name, path in files.items():
        spec = importlib.util.spec_from_file_location(name, path)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[f"auto_round_extension.torch.{file}"]


def auto_round(plain, rng, bits: int, group: int, packing: str, others: dict | None = None):
    """`QuantLinear.pack` of auto-round, and its `forward` on the unit matrix."""
    file = "qlinear_torch" if packing == "auto_round" else "qlinear_torch_zp"
    linear_of = auto_round_code(file).QuantLinear
    stored, read, extra = {}, {}, {}
    for name, value in plain.matrices.items():
        own = next((how for ending, how in (others or {}).items() if module_of(name).endswith(ending)), None)
        own_bits, own_group = own or (bits, group)
        if own:
            extra[module_of(name)] = {"bits": own_bits, "group_size": own_group, "data_type": "int"}
        outputs, inputs = value.shape
        size = inputs if own_group == -1 else own_group
        groups = torch.arange(inputs) // size
        scale, zero = asymmetric(value, size, own_bits)
        whole = torch.nn.Linear(inputs, outputs, bias=False)
        whole.weight.data = within(value, scale, zero, own_bits, groups)
        linear = linear_of(own_bits, own_group, inputs, outputs, bias=False)
        linear.device = torch.device("cpu")
        linear.pack(whole, scale.clone(), zero.clone())
        tensors = {"qweight": linear.qweight, "qzeros": linear.qzeros, "scales": linear.scales.half()}
        linear.scales = linear.scales.float()
        read[name] = linear(torch.eye(inputs)).t().contiguous()
        stored |= {f"{module_of(name)}.{key}": tensor.clone().contiguous() for key, tensor in tensors.items()}
    config = {"quant_method": "auto-round", "bits": bits, "group_size": group, "sym": False, "data_type": "int"}
    return stored, read, config | {"packing_format": packing} | ({"extra_config": extra} if extra else {})


def awq_code():
    """Two files of AutoAWQ, whose package asks for others that are not here."""
    folder = Path(importlib.util.find_spec("awq").submodule_search_locations[0])
    names = ("awq", "awq.utils", "awq.utils.module", "awq.utils.utils", "awq.utils.packing_utils")
    stands_in = {name: types.ModuleType(name) for name in names}
    stands_in["awq.utils.module"].try_import = lambda name: (None, "")
    stands_in["awq.utils.utils"].get_best_device = lambda: "cpu"
    sys.modules |= stands_in
    found = []
    for file in ("utils/packing_utils.py", "modules/linear/gemm.py", "modules/linear/gemv.py"):
        spec = importlib.util.spec_from_file_location(f"awq_{Path(file).stem}", folder / file)
        found.append(importlib.util.module_from_spec(spec))
        spec.loader.exec_module(found[-1])
        stands_in["awq.utils.packing_utils"].dequantize_gemm = found[0].dequantize_gemm
    for name in names:
        del sys.modules[name]
    return found


def awq(plain, rng, group: int, version: str = "gemm", method: str = "awq"):
    """`WQLinear_GEMM.from_linear` and `dequantize_gemm` of AutoAWQ, with the scales in float32. What `WQLinear_GEMV.from_linear`
    writes only a GPU reads there; here by definition, as that function packs it."""
    packing, gemm, gemv = awq_code()
    stored, read = {}, {}
    for name, value in plain.matrices.items():
        scale, zero = asymmetric(value, group, 4)
        linear = torch.nn.Linear(value.shape[1], value.shape[0], bias=False)
        linear.weight.data = within(value, scale, zero, 4, torch.arange(value.shape[1]) // group)
        if version == "gemv":
            made = gemv.WQLinear_GEMV.from_linear(linear, 4, group, scales=scale, zeros=zero)
            numbers, zeros = (halves(words, 8 * words.shape[1]) for words in (made.qweight, made.qzeros))
            groups = torch.arange(value.shape[1]) // group
            read[name] = ((numbers - zeros[:, groups]).float() * made.scales.float()[:, groups]).contiguous()
        else:
            made = gemm.WQLinear_GEMM.from_linear(
                linear, 4, group, scales=scale.t().contiguous(), zeros=zero.t().contiguous()
            )
            whole = packing.dequantize_gemm(made.qweight, made.qzeros, made.scales.float(), 4, group)
            read[name] = whole.t().contiguous()
        for key in ("qweight", "qzeros", "scales"):
            stored[f"{module_of(name)}.{key}"] = getattr(made, key).clone().contiguous()
    config = {"quant_method": "awq", "bits": 4, "group_size": group, "version": version, "zero_point": True}
    if method == "auto-round":
        config = {"quant_method": method, "bits": 4, "group_size": group, "sym": False, "data_type": "int"}
        config["packing_format"] = "auto_round:auto_awq"
    return stored, read, config


def halves(words, count: int):
    """Numbers of 4 bits, the lowest first, of the words of each row."""
    shifts = torch.arange(0, 32, 4)
    return (words.unsqueeze(2) >> shifts & 15).flatten(1)[:, :count]


def bitsandbytes(plain, rng, kind: str, double: bool = False):
    """`from_pretrained` with a `BitsAndBytesConfig` and `save_pretrained` of transformers, on a CPU; `int8_vectorwise_dequant` and
    the portable `dequantize_4bit` of bitsandbytes. The one for CPUs (0.50) takes a new block at each row, and so reads other
    numbers than were written where rows are no whole blocks; those for GPUs do as the portable one."""
    import transformers
    from bitsandbytes.backends.default.ops import _dequantize_4bit_compute
    from bitsandbytes import functional

    options = {"load_in_8bit": True}
    if kind != "int8":
        options = {"load_in_4bit": True, "bnb_4bit_quant_type": kind, "bnb_4bit_use_double_quant": double}
    model = transformers.AutoModelForCausalLM.from_pretrained(
        plain.folder,
        quantization_config=transformers.BitsAndBytesConfig(**options),
        device_map="cpu",
        dtype=torch.float32,
    )
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        stored = load_file(Path(folder) / "model.safetensors")
        config = json.loads((Path(folder) / "config.json").read_text())["quantization_config"]
    read = {}
    for name in plain.matrices:
        if kind == "int8":
            if f"{module_of(name)}.SCB" in stored:
                scale = stored[f"{module_of(name)}.SCB"]
                read[name] = functional.int8_vectorwise_dequant(stored[name], scale)
        elif any(key.startswith(f"{name}.") for key in stored):
            parts = {key: value for key, value in stored.items() if key.startswith(f"{name}.")}
            state = functional.QuantState.from_dict(dict(parts), torch.device("cpu"))
            largest = state.absmax
            if state.nested:
                largest = functional.dequantize_blockwise(state.absmax, state.state2) + state.offset
            read[name] = _dequantize_4bit_compute(
                stored[name].reshape(-1), largest, state.code, state.blocksize, state.shape, torch.float32
            )
    return stored, read, config


def mlx(plain, rng, bits: int, group: int, others: dict | None = None, dtype: str = "float32"):
    """`quantize` and `dequantize` of mlx.core on a CPU, the keys as `mlx_lm.convert` writes them. Scales of other dtypes are
    widened before they are read: MLX computes in theirs."""
    import mlx.core as mx

    stored, read = {}, {}
    config = {"group_size": group, "bits": bits, "mode": "affine"}
    tables = {name: value for name, value in plain.tensors.items() if name.endswith("embed_tokens.weight")}
    for name, value in (plain.matrices | tables).items():
        module = module_of(name)
        own = next((kind for part, kind in (others or {}).items() if part in module), (bits, group))
        if own != (bits, group):
            config[module] = {"group_size": own[1], "bits": own[0], "mode": "affine"}
        array = mx.array(value.numpy()).astype(getattr(mx, dtype))
        numbers, *scales = mx.quantize(array, group_size=own[1], bits=own[0])
        wide = [scale.astype(mx.float32) for scale in scales]
        read[name] = torch.from_numpy(np.array(mx.dequantize(numbers, *wide, group_size=own[1], bits=own[0])))
        stored[name] = torch.from_numpy(np.array(numbers))
        for key, scale in zip(("scales", "biases"), wide):
            stored[f"{module}.{key}"] = torch.from_numpy(np.array(scale)).to(getattr(torch, dtype))
    return stored, read, config


def modelopt(plain, rng, algorithm: str, beside: bool = False):
    """`quantize` and `export_hf_checkpoint` of modelopt, on a CPU, and `dequantize` of its tensors. Zeros below zero, which a table
    of its own takes for plain ones, keep their sign. `beside` has the keys as its own file, `hf_quant_config.json`, has them."""
    import modelopt.torch.quantization as mtq
    import transformers
    from modelopt.torch.export import export_hf_checkpoint
    from modelopt.torch.export.quant_utils import from_quantized_weight
    from modelopt.torch.quantization import qtensor

    model = transformers.AutoModelForCausalLM.from_pretrained(plain.folder, dtype=torch.float32)
    model.config.architectures = [type(model).__name__]
    some = torch.from_numpy(rng.integers(0, model.config.vocab_size, (2, 24)))
    mtq.quantize(model, copy.deepcopy(getattr(mtq, algorithm)), lambda model: model(some))
    with tempfile.TemporaryDirectory() as folder:
        export_hf_checkpoint(model, dtype=torch.float32, export_dir=folder)
        stored = load_file(Path(folder) / "model.safetensors")
        config = json.loads((Path(folder) / "config.json").read_text())["quantization_config"]
        nested = json.loads((Path(folder) / "hf_quant_config.json").read_text())
    if beside:
        config = {"quant_method": "modelopt"} | nested
    read = {}
    for name, value in plain.matrices.items():
        packed, scale = stored[name], stored[f"{name}_scale"]
        whole = stored.get(f"{name}_scale_2")
        if packed.dtype == torch.int8:
            read[name] = from_quantized_weight(packed, scale, "int8_wo", torch.float32)
            continue
        if packed.dtype == torch.uint8:
            kind = qtensor.MXFP4QTensor if whole is None else qtensor.NVFP4QTensor
        else:
            kind = qtensor.MXFP8QTensor if scale.dtype == torch.uint8 else qtensor.FP8QTensor
        blocks = {-1: value.shape[1] // scale.shape[-1]} if scale.dim() == 2 else None
        if scale.dim() == 4:
            scale, blocks = scale.reshape(scale.shape[0], scale.shape[2]), {-1: 128, -2: 128}
        elif scale.dim() == 1:
            scale = scale[:, None]
        number = kind(value.shape, torch.float32, packed)
        found = number.dequantize(torch.float32, scale=scale, double_scale=whole, block_sizes=blocks)
        if packed.dtype == torch.uint8:
            code = torch.stack((packed & 15, packed >> 4), 2).flatten(1)
            found = torch.where(code == 8, -0.0, found)
        read[name] = found
    return stored, read, config


def experts(rng, count: int, outputs: int, inputs: int):
    """The experts of gpt-oss: random blocks, scales and what `convert_moe_packed_tensors` of transformers makes of them."""
    from transformers.integrations.mxfp4 import convert_moe_packed_tensors

    blocks = torch.from_numpy(rng.integers(0, 256, (count, outputs, inputs // 32, 16), dtype=np.uint8))
    scales = torch.from_numpy(rng.integers(110, 125, (count, outputs, inputs // 32), dtype=np.uint8))
    return blocks, scales, convert_moe_packed_tensors(blocks, scales, dtype=torch.float32)


FLOATS = torch.tensor([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0])


def four_bits(rows):
    """Blocks and scales of rows of numbers."""
    blocks = rows.unflatten(1, (-1, 32))
    exponent = torch.floor(torch.log2(blocks.abs().amax(2).clamp(min=2.0**-100))) - 2
    scaled = blocks / torch.exp2(exponent).unsqueeze(2)
    code = (scaled.abs().unsqueeze(3) - FLOATS).abs().argmin(3) + 8 * (scaled < 0)
    code = code.to(torch.uint8)
    packed = (code[:, :, 0::2] | code[:, :, 1::2] << 4).contiguous()
    return packed, (exponent + 127).to(torch.uint8)


def mxfp4(plain, rng):
    """Written by definition (OCP Microscaling Formats 1.0): the nearest floats under the largest power of two that holds the
    block. Read by `convert_moe_packed_tensors` of transformers, in float32."""
    from transformers.integrations.mxfp4 import convert_moe_packed_tensors

    stored, read = {}, {}
    for name, value in plain.matrices.items():
        packed, scale = four_bits(value)
        stored |= {f"{name}_blocks": packed, f"{name}_scales": scale}
        whole = convert_moe_packed_tensors(packed.unsqueeze(0), scale.unsqueeze(0), dtype=torch.float32)
        read[name] = whole[0].t().contiguous()
    return stored, read, {"quant_method": "mxfp4"}


def mxfp4_experts(plain, rng):
    """The same of stacked experts, each transposed, as gpt-oss has them."""
    from transformers.integrations.mxfp4 import convert_moe_packed_tensors

    stored, read = {}, {}
    for name, value in plain.matrices.items():
        each = value.float().transpose(1, 2)  # [experts, outputs, inputs]
        packed, scale = (part.unflatten(0, each.shape[:2]) for part in four_bits(each.flatten(0, 1)))
        stored |= {f"{name}_blocks": packed.contiguous(), f"{name}_scales": scale.contiguous()}
        read[name] = convert_moe_packed_tensors(packed, scale, dtype=torch.float32)
    return stored, read, {"modules_to_not_convert": ["model.layers.*.self_attn", "model.layers.*.mlp.router"], "quant_method": "mxfp4"}
