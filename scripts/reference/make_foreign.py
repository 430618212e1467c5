"""Write tests/foreign/*.onnx: decoders as other tools export them, for the tests of `streamgauge tap`.

    python scripts/reference/make_foreign.py torch genai fused    # with requirements-foreign.txt
    python scripts/reference/make_foreign.py optimum              # with requirements-optimum.txt
    python scripts/reference/make_foreign.py check PROGRAM        # taps them all; onnx and onnxruntime must accept

Most are exports of tests/goldens, whose reference.json says what every tap must give. Two families that streamgauge
cannot build itself (a learned position embedding; norms inside the branches) come with a reference of their own.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOLDENS = ROOT / "tests" / "goldens"
OUT = ROOT / "tests" / "foreign"
INPUTS = ["input_ids", "attention_mask", "position_ids"]


def step_torch(out):
    """torch.onnx.export: the exporter of today (dynamo) and the TorchScript one."""
    import torch

    torch.set_num_threads(1)
    for case in ["gpt_neox_full_rotary_f32", "llama_biases_f32"]:
        file = out / f"torch_dynamo_{case}.onnx"
        export_dynamo(load(case), file)
        without_folders(file)
    export_script(load("llama_mha_f32"), out / "torch_script_llama_mha_f32.onnx")
    for name, (model, attention, mlp) in families().items():
        reference = {"family": name, "prompts": [measure(model, attention, mlp, ids) for ids in prompts()]}
        (out / f"{name}.json").write_text(json.dumps(reference, separators=(",", ":")) + "\n")
        file = out / f"torch_dynamo_{name}.onnx"
        export_dynamo(model.float(), file)
        without_traces(file)


def step_genai(out):
    """onnxruntime-genai's model builder: fused attention and skip norms, a KV cache, 4-bit weights. Its attention kernel takes
    heads of 16, 32, … elements, which one golden has."""
    case = "llama_gqa_heads16_f32"
    with tempfile.TemporaryDirectory() as scratch:
        folder = with_tokenizer(case, Path(scratch) / case)
        for precision in ["fp32", "fp16", "int4"]:
            made = Path(scratch) / precision
            builder = [sys.executable, "-m", "onnxruntime_genai.models.builder"]
            options = ["-m", folder, "-o", made, "-p", precision, "-e", "cpu", "-c", Path(scratch) / "cache"]
            subprocess.run([*builder, *options], check=True, stdout=subprocess.DEVNULL)
            name = f"genai_{precision}_{case}.onnx"
            if precision == "int4":  # as the builder leaves it, weights in model.onnx.data
                shutil.copy(made / "model.onnx", out / name)
                shutil.copy(made / "model.onnx.data", out / "model.onnx.data")
            else:
                inline(made / "model.onnx", out / name)


def step_fused(out):
    """ONNX Runtime's offline fusions, which optimum's ORTOptimizer applies as well."""
    from onnxruntime.transformers import optimizer

    for case, heads, width in [("llama_mha_f32", 3, 36), ("gpt_neox_full_rotary_f32", 3, 36)]:
        with tempfile.TemporaryDirectory() as scratch:
            source = Path(scratch) / "model.onnx"
            export_script(load(case), source)
            model = optimizer.optimize_model(
                str(source), model_type="gpt2", num_heads=heads, hidden_size=width, opt_level=0
            )
            model.save_model_to_file(str(out / f"ort_fused_{case}.onnx"))


def step_optimum(out):
    """optimum-onnx: with and without a KV cache, and with the dynamic int8 quantisation of ONNX Runtime."""
    from onnxruntime.quantization import quantize_dynamic
    from optimum.exporters.onnx import main_export

    for case, task in [("gpt_neox_full_rotary_f32", "-with-past"), ("llama_mha_f32", "")]:
        with tempfile.TemporaryDirectory() as scratch:
            folder = with_tokenizer(case, Path(scratch) / case)
            made = Path(scratch) / "made"
            main_export(
                folder,
                output=made,
                task=f"text-generation{task}",
                do_validation=False,
                device="cpu",
                library_name="transformers",
                dtype="fp32",
            )
            if task:
                inline(made / "model.onnx", out / f"optimum_past_{case}.onnx")
            else:
                quantize_dynamic(made / "model.onnx", out / f"optimum_int8_{case}.onnx")


def step_check(out, program):
    """What `tap` writes is valid ONNX to the libraries of others, and nothing of the original is lost."""
    import onnx
    import onnxruntime

    for file in sorted(out.glob("*.onnx")):
        tapped = out / f"{file.stem}.tapped.onnx"  # beside the external data
        try:
            report = subprocess.run([program, "tap", file, "-o", tapped, "--json"], check=True, capture_output=True)
            taps = [tap["name"] for tap in json.loads(report.stdout)["taps"]]
            before, after = onnx.load(file, load_external_data=False), onnx.load(tapped, load_external_data=False)
            refused = objection(file)  # operators of ONNX Runtime in the standard's own domain
            assert refused or not objection(tapped), objection(tapped)
            kept = len(before.graph.node)
            assert list(after.graph.node)[:kept] == list(before.graph.node)
            assert list(after.graph.initializer) == list(before.graph.initializer)
            outputs = [value.name for value in onnxruntime.InferenceSession(tapped).get_outputs()]
            assert outputs == [value.name for value in before.graph.output] + taps
            by = "onnxruntime" if refused else f"onnxruntime and onnx {onnx.__version__}"
            print(f"{file.name:45} {len(taps):3} taps  accepted by {by}  {refused}")
        finally:
            tapped.unlink(missing_ok=True)


def objection(file):
    """What onnx.checker says against a file, shapes included where all operators are the standard's; or nothing."""
    import onnx

    nodes = onnx.load(file, load_external_data=False).graph.node
    try:
        onnx.checker.check_model(str(file), full_check=not any(node.domain for node in nodes))
    except onnx.checker.ValidationError as error:
        return f"(onnx objects to the original: {str(error).splitlines()[0]})"
    return ""


def load(case):
    import torch
    import transformers

    return transformers.AutoModelForCausalLM.from_pretrained(
        GOLDENS / case, dtype=torch.float32, attn_implementation="eager"
    ).eval()


def wrapped(model):
    """Logits from ids, mask and positions; the three are different tensors, or the exporter would merge them."""
    import torch

    class Decoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask, position_ids):
            return self.model(
                input_ids=input_ids, attention_mask=attention_mask, position_ids=position_ids, use_cache=False
            ).logits

    ids = torch.tensor([[5, 17, 3, 90, 44, 61, 8]])
    return Decoder().eval(), (ids, torch.ones_like(ids), torch.arange(ids.shape[1])[None])


def export_dynamo(model, file):
    import torch

    decoder, example = wrapped(model)
    torch.onnx.export(
        decoder,
        example,
        file,
        input_names=INPUTS,
        output_names=["logits"],
        dynamo=True,
        dynamic_shapes={name: {1: "sequence"} for name in INPUTS},
        external_data=False,
        verbose=False,
    )


def export_script(model, file):
    import torch

    decoder, example = wrapped(model)
    torch.onnx.export(
        decoder,
        example,
        file,
        input_names=INPUTS,
        output_names=["logits"],
        dynamo=False,
        opset_version=17,
        dynamic_axes={name: {0: "batch", 1: "sequence"} for name in INPUTS},
    )


def without_folders(file):
    """Python stack traces name the folders of whoever exported: here they begin at the package or at this script."""
    import onnx

    model = onnx.load(file)
    for part in [model.graph, *model.graph.node, *model.graph.value_info]:
        for entry in part.metadata_props:
            entry.value = re.sub(r'"/[^"\n]*/(site-packages|scripts)/', r'"\1/', entry.value)
    onnx.save(model, file)


def without_traces(file):
    """Python stack traces are half of so small a file; the exports of goldens keep theirs."""
    import onnx

    model = onnx.load(file)
    for part in [model.graph, *model.graph.node, *model.graph.value_info]:
        del part.metadata_props[:]
    onnx.save(model, file)


def families():
    """Random models of families without a recipe, and the modules whose output is added to the stream."""
    import torch
    import transformers

    small = {"vocab_size": 131, "initializer_range": 0.15, "bos_token_id": 0, "eos_token_id": 0}
    gpt2 = transformers.GPT2Config(n_embd=36, n_layer=2, n_head=3, n_inner=71, n_positions=64, **small)
    gemma2 = transformers.Gemma2Config(
        hidden_size=36,
        num_hidden_layers=2,
        num_attention_heads=3,
        num_key_value_heads=1,
        head_dim=12,
        intermediate_size=71,
        max_position_embeddings=64,
        query_pre_attn_scalar=12,
        sliding_window=8,
        **small,
    )
    made = {}
    for name, config in [("gpt2", gpt2), ("gemma2", gemma2)]:
        torch.manual_seed(7)
        config._attn_implementation = "eager"
        model = transformers.AutoModelForCausalLM.from_config(config).eval()
        for parameter_name, parameter in model.named_parameters():
            if "norm" in parameter_name or "ln_" in parameter_name or parameter_name.endswith("bias"):
                parameter.data += 0.4 * torch.randn_like(parameter)
        made[name] = model.double()
    gpt2, gemma2 = made["gpt2"], made["gemma2"]
    return {
        "gpt2": (gpt2, [b.attn for b in gpt2.transformer.h], [b.mlp for b in gpt2.transformer.h]),
        "gemma2": (
            gemma2,
            [layer.post_attention_layernorm for layer in gemma2.model.layers],
            [layer.post_feedforward_layernorm for layer in gemma2.model.layers],
        ),
    }


def prompts():
    import numpy as np

    rng = np.random.default_rng(11)
    return [rng.integers(0, 131, n).tolist() for n in [1, 5, 17]]


def measure(model, attention, mlp, ids):
    """Token norms of stream, branches and final norm, in float64: the format of tests/goldens."""
    import torch

    seen = {}

    def keep(name):
        def hook(_module, _inputs, output):
            seen[name] = (output[0] if isinstance(output, tuple) else output)[0]

        return hook

    base = model.base_model
    blocks = base.h if hasattr(base, "h") else base.layers
    final = base.ln_f if hasattr(base, "ln_f") else base.norm
    handles = [final.register_forward_hook(keep("final"))]
    handles.append(blocks[0].register_forward_pre_hook(lambda _m, inputs: seen.update({("resid", 0): inputs[0][0]})))
    for at in range(len(blocks)):
        handles.append(blocks[at].register_forward_hook(keep(("resid", at + 1))))
        handles.append(attention[at].register_forward_hook(keep(("attn_out", at))))
        handles.append(mlp[at].register_forward_hook(keep(("mlp_out", at))))
    with torch.no_grad():
        model(input_ids=torch.tensor([ids]), use_cache=False)
    for handle in handles:
        handle.remove()
    norms = {key: value.double().norm(dim=-1).tolist() for key, value in seen.items()}
    rows = {"token_ids": ids}
    for name, count in [("resid", len(blocks) + 1), ("attn_out", len(blocks)), ("mlp_out", len(blocks))]:
        rows[name] = [norms[(name, at)] for at in range(count)]
    return rows | {"final": norms["final"]}


def with_tokenizer(case, folder):
    """A golden checkpoint with some tokenizer, which the builders insist on."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    shutil.copytree(GOLDENS / case, folder)
    size = json.loads((folder / "config.json").read_text())["vocab_size"]
    tokenizer = Tokenizer(models.WordLevel({str(i): i for i in range(size)}, unk_token="0"))
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="0").save_pretrained(folder)
    return folder


def inline(source, target):
    import onnx

    onnx.save(onnx.load(source), target)


def main():
    OUT.mkdir(exist_ok=True)
    match sys.argv[1:]:
        case ["check", program]:
            step_check(OUT, program)
        case [*steps] if steps:
            for step in steps:
                globals()[f"step_{step}"](OUT)
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
