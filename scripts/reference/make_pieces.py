"""Write what SentencePiece's own files must give: tests/goldens/pieces.

    python scripts/reference/make_pieces.py [OUTPUT_FOLDER]

`<name>.model` are vocabularies trained here. Each case of `cases.json` is a folder of one of them, under a name that repositories
use, a config.json of one family and the files listed. Its ids are those of the reference on the thousand texts of
make_tokens.py, as `golden` there writes them. Left out are texts with a zero, at which the library ends, and those of `but`: of
a vocabulary with symbols of its own, texts of which a part between marks is one such symbol and nothing else. There the program
puts no space in front, as the `tokenizers` crate has no rule that would.

The reference is the class of transformers that `AutoTokenizer` takes, or `SentencePieceBackend`, which leaves all text between
tokens to the library of SentencePiece itself, where that class does not follow the file: in transformers 5 the classes without a
file of their own forget the space in front.
"""

import json
import re
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import sentencepiece
from make_gguf import ROOT
from make_tokens import golden, texts
from sentencepiece import sentencepiece_model_pb2
from transformers import AddedToken, AutoTokenizer, SentencePieceBackend, logging

IDENTITY = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False}
LLAMA = IDENTITY | {"model_type": "bpe", "byte_fallback": True, "split_digits": True, "allow_whitespace_only_pieces": True}
GEMMA_IDS = {"pad_id": 0, "eos_id": 1, "bos_id": 2, "unk_id": 3, "bos_piece": "<bos>", "eos_piece": "<eos>"}
SPACES = ["▁" * n for n in range(2, 8)]
MODELS = {
    # As LLaMA 2 and Mistral were trained.
    "llama": LLAMA,
    "gemma": LLAMA | GEMMA_IDS | {"add_dummy_prefix": False, "user_defined_symbols": ["<mask>", "\n", "\n\n", *SPACES, "<table>"]},
    # As T5: all that the library does by itself.
    "t5": {"model_type": "unigram", "vocab_size": 500, "pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1},
    "bytes": IDENTITY | {"model_type": "unigram", "vocab_size": 700, "byte_fallback": True},
    "symbols": {"model_type": "bpe", "vocab_size": 600, "user_defined_symbols": ["__init__", "<|im_start|>", "日本"], **IDENTITY},
    "extra": {"model_type": "bpe", "vocab_size": 600, "normalization_rule_name": "identity", "hard_vocab_limit": False},
}


def settings(name: str | None = None, **values: object) -> dict:
    return {"tokenizer_config.json": ({"tokenizer_class": name} if name else {}) | values}


def token(content: str, **flags: bool) -> dict:
    return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False} | flags


DECLARED = {
    "0": token("<unk>", special=True),
    "1": token("<s>", special=True),
    "2": token("</s>", special=True, rstrip=True),
    "900": token("<|im_start|>", special=True),
    "901": token("France is", special=False),
}
# Name: model, name of the file, family, other files, whether the library itself is the reference.
CASES = {
    "llama": ("llama", "tokenizer.model", "llama", settings("LlamaTokenizer"), True),
    "llama without settings": ("llama", "tokenizer.model", "llama", {}, True),
    "mistral": ("llama", "tokenizer.model", "mistral", settings("LlamaTokenizer", add_bos_token=True, legacy=True), True),
    "llama with both ends": ("llama", "tokenizer.model", "llama", settings("LlamaTokenizer", add_bos_token=True, add_eos_token=True), True),
    "declared tokens": ("llama", "tokenizer.model", "llama", settings("LlamaTokenizer", added_tokens_decoder=DECLARED), True),
    "tokens added later": (
        "llama",
        "tokenizer.model",
        "llama",
        settings("LlamaTokenizer") | {"added_tokens.json": {"<|im_start|>": 900}, "special_tokens_map.json": {"pad_token": "<|im_start|>"}},
        True,
    ),
    "llama, not legacy": ("llama", "tokenizer.model", "llama", settings("LlamaTokenizer", legacy=False, add_bos_token=True), False),
    "llama without a space in front": ("llama", "tokenizer.model", "llama", settings("LlamaTokenizer", add_prefix_space=False), False),
    "gemma": ("gemma", "tokenizer.model", "gemma", settings("GemmaTokenizer", add_bos_token=True), False),
    "gemma2 without settings": ("gemma", "tokenizer.model", "gemma2", {}, False),
    "t5": ("t5", "spiece.model", "gpt2", settings("T5Tokenizer"), False),
    "t5 with few extra tokens": ("t5", "spiece.model", "gpt2", settings("T5Tokenizer", extra_ids=3), False),
    "unigram": ("t5", "tokenizer.model", "llama", {}, True),
    "unigram with bytes": ("bytes", "tokenizer.model", "llama", {}, True),
    "symbols": ("symbols", "tokenizer.model", "llama", {}, True),
    "extra spaces": ("extra", "tokenizer.model", "llama", {}, True),
}


def train(out: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text"
        # Not in the order in which the texts are encoded.
        lines = [line for text in texts()[::-1] for line in text.split("\n") if line.strip() and "\0" not in line]
        text.write_text("\n".join(lines * 3), encoding="utf-8")
        for name, options in MODELS.items():
            usual = {"vocab_size": 900, "character_coverage": 0.99, "num_threads": 1, "minloglevel": 2}
            given = usual | {"input": str(text), "model_prefix": str(Path(folder) / name)} | options
            sentencepiece.SentencePieceTrainer.train(**given)
            model = sentencepiece_model_pb2.ModelProto.FromString((Path(folder) / f"{name}.model").read_bytes())
            # Where it was trained.
            del model.trainer_spec.input[:]
            model.trainer_spec.model_prefix = name
            (out / f"{name}.model").write_bytes(model.SerializeToString())


class Library:
    """`SentencePieceBackend` of transformers, which leaves all text between tokens to the library."""

    def __init__(self, folder: Path, file: Path):
        self.model = model = sentencepiece.SentencePieceProcessor(model_file=str(file))
        path = folder / "tokenizer_config.json"
        asked = json.loads(path.read_text()) if path.exists() else {}
        asked.pop("tokenizer_class", None)
        self.ends = [asked.pop(key, False) for key in ("add_bos_token", "add_eos_token")]
        ends = {"bos_token": model.bos_id(), "eos_token": model.eos_id()}
        named = {key: model.IdToPiece(i) for key, i in ends.items() if i >= 0}
        self.marks = [model.IdToPiece(i) for i in range(model.vocab_size()) if model.IsControl(i) or model.IsUnknown(i)]
        if decoder := asked.pop("added_tokens_decoder", None):
            asked["added_tokens_decoder"] = {int(i): AddedToken(**token) for i, token in decoder.items()}
        if (path := folder / "added_tokens.json").exists():
            asked["extra_special_tokens"] = list(json.loads(path.read_text()))
        unknown = model.IdToPiece(model.unk_id())
        self.tokenizer = SentencePieceBackend(
            vocab_file=str(file), unk_token=unknown, additional_special_tokens=self.marks, **named | asked
        )
        self.bos_token_id = self.tokenizer.bos_token_id

    def __call__(self, text: str):
        bos, eos = self.ends
        ids = self.tokenizer.convert_tokens_to_ids(self.tokenizer.tokenize(text))
        return SimpleNamespace(input_ids=[self.model.bos_id()] * bos + ids + [self.model.eos_id()] * eos)

    def symbol_alone(self, text: str, symbols: list[str]) -> bool:
        return any(part in symbols for part in re.split("|".join(map(re.escape, self.marks)), text))


def main() -> None:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests/goldens/pieces"
    out.mkdir(parents=True, exist_ok=True)
    logging.set_verbosity_error()
    train(out)
    found = []
    for name, (model, file, family, files, own) in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            for written, content in {"config.json": {"model_type": family}, **files}.items():
                (path / written).write_text(json.dumps(content), encoding="utf-8")
            (path / file).write_bytes((out / f"{model}.model").read_bytes())
            tokenizer = Library(path, path / file) if own else AutoTokenizer.from_pretrained(folder)
            symbols = MODELS[model].get("user_defined_symbols", []) if own else []
            but = [i for i, text in enumerate(texts()) if "\0" in text or (symbols and tokenizer.symbol_alone(text, symbols))]
            ids = [tokenizer(text).input_ids for i, text in enumerate(texts()) if i not in but]
        case = {"name": name, "model": model, "file": file, "family": family, "files": files, "but": but}
        found.append(case | golden(ids) | {"bos": tokenizer.bos_token_id})
        print(f"{name}: {type(tokenizer).__name__}, {len(ids)} texts")
    (out / "cases.json").write_text(json.dumps(found, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
