"""Write what tokenizers without tokenizer.json must give: tests/goldens/older_tokens.json.

    python scripts/reference/make_older_tokens.py [OUTPUT_FILE]

Each case is a folder of vocab.json and merges.txt (the vocabulary of the miniature gpt2-tiny, as the test lays it out too), a
config.json of one family, and the files listed. Its ids are those of `AutoTokenizer` on the thousand texts of make_tokens.py,
as `golden` there writes them. A case without ids is one that the reference does not read.
"""

import json
import sys
import tempfile
from pathlib import Path

from make_gguf import ROOT
from make_tokens import golden, texts
from transformers import AutoTokenizer, logging

END = "<|endoftext|>"
OBJECT = {"__type": "AddedToken", "content": END, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}


def token(content: str, **flags: bool) -> dict:
    return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False} | flags


def settings(name: str | None = None, **values: object) -> dict:
    return {"tokenizer_config.json": ({"tokenizer_class": name} if name else {}) | values}


CASES = {
    "family gpt2": ("gpt2", {}),
    "family gpt_neo": ("gpt_neo", settings()),
    "family gptj": ("gptj", {}),
    "family opt": ("opt", {}),
    "family phi": ("phi", {}),
    "family starcoder2": ("starcoder2", {}),
    "family gpt_neox": ("gpt_neox", {}),
    "family qwen2": ("qwen2", {}),
    "family qwen3": ("qwen3", {}),
    "family cohere": ("cohere", {}),
    "class of another family": ("llama", settings("GPT2TokenizerFast", bos_token=END, eos_token=END)),
    "qwen2 that names another class": ("qwen2", settings("GPT2Tokenizer")),
    "qwen3 that names another class": ("qwen3", settings("GPT2Tokenizer")),
    "codegen": ("phi", settings("CodeGenTokenizer", add_prefix_space=True)),
    "codegen with a bos": ("phi", settings("CodeGenTokenizer", add_bos_token=True)),
    "neox with both ends": ("gpt_neox", settings("GPTNeoXTokenizer", add_bos_token=True, add_eos_token=True)),
    "neox with a prefix": ("gpt_neox", settings("GPTNeoXTokenizer", add_prefix_space=True)),
    "opt": ("opt", settings("GPT2Tokenizer", bos_token="</s>", eos_token="</s>", pad_token="<s>", unk_token="</s>", add_bos_token=True)),
    "tokens as objects": ("gpt2", settings(bos_token=OBJECT, eos_token=OBJECT, unk_token=OBJECT, pad_token="<s>", add_bos_token=True)),
    "object and text of one token": ("gpt2", settings(bos_token=OBJECT, eos_token=END)),
    "text and object of one token": ("gpt2", settings(bos_token=END, eos_token=OBJECT)),
    "no bos to add": ("gpt2", settings(bos_token=None, add_bos_token=True, add_prefix_space=True)),
    "flags that are no flags": ("qwen3", settings("Qwen2Tokenizer", bos_token=END, add_bos_token=None, add_prefix_space=None)),
    "declared tokens": (
        "gpt2",
        settings(
            added_tokens_decoder={
                "1410": token("<|im_start|>", special=True, rstrip=True),
                "1409": token("__init__", normalized=True, special=False),
                "1408": token("</s>", lstrip=True, special=True),
                "5": token("Paris", single_word=True, normalized=True, special=False),
                "0": token(END, special=True),
            },
            pad_token="<s>",
        ),
    ),
    "declared tokens of qwen2": (
        "qwen2",
        settings(
            "Qwen2Tokenizer",
            bos_token=None,
            added_tokens_decoder={
                "1408": token(END, special=True),
                "1409": token("<|im_start|>", special=True, lstrip=True),
                "1410": token("cafe\u0301", normalized=True, special=False),
            },
            additional_special_tokens=["<|im_start|>", "<s>"],
        ),
    ),
    "tokens added later": (
        "gpt2",
        {
            "tokenizer_config.json": {"bos_token": END},
            "added_tokens.json": {"<|im_start|>": 1409, "</s>": 1408, "naïve": 1500},
            "special_tokens_map.json": {
                "bos_token": token("<|im_start|>"),
                "pad_token": "<s>",
                "additional_special_tokens": ["<unk>", "<|begin_of_text|>"],
            },
        },
    ),
    "tokens of one model": (
        "gpt2",
        settings(image_token="<unk>", extra_special_tokens={"video": "<s>", "sound_token": "</s>"}, pad_token="!"),
    ),
    "cohere with declared tokens": (
        "cohere",
        settings(
            "CohereTokenizerFast",
            add_bos_token=True,
            bos_token="<s>",
            eos_token="</s>",
            added_tokens_decoder={"1408": token("<s>", special=True), "1409": token("</s>", special=True, rstrip=True)},
        ),
    ),
    "no class": ("llama", {}),
    "an unknown class": ("gpt2", settings("PreTrainedTokenizerFast")),
}


def main() -> None:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests/goldens/older_tokens.json"
    logging.set_verbosity_error()
    stored = json.loads((ROOT / "data/zoo/gpt2-tiny/tokenizer.json").read_text())["model"]
    all_texts, found = texts(), []
    for name, (family, files) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            written = {"config.json": {"model_type": family}, "vocab.json": stored["vocab"], **files}
            for file, content in written.items():
                (path / file).write_text(json.dumps(content), encoding="utf-8")
            lines = ["#version: 0.2", *(" ".join(pair) for pair in stored["merges"])]
            (path / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
            case = {"name": name, "family": family, "files": files}
            try:
                tokenizer = AutoTokenizer.from_pretrained(folder)
            except ValueError:
                print(f"{name}: not read")
            else:
                print(f"{name}: {type(tokenizer).__name__}")
                case |= golden([tokenizer(text).input_ids for text in all_texts]) | {"bos": tokenizer.bos_token_id}
            found.append(case)
    out.write_text(json.dumps(found, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
