"""Write what a tokenizer.json gives beside files that name more tokens: tests/goldens/named_tokens.json.

    python scripts/reference/make_named_tokens.py [OUTPUT_FILE]

Each case is the tokenizer.json of the miniature gpt2-tiny, and the files listed. Its ids are those of `AutoTokenizer`.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

from make_older_tokens import END, OBJECT, ROOT, settings, token
from transformers import AutoTokenizer, logging

FAST = "PreTrainedTokenizerFast"
TEXTS = [
    "a<|foo|>b <|bar|> c<img><boi></s>\n<pad> <x><y><m><u>",
    f"The capital  {END}  of France{END}is Paris, not Parish. <s> naïve cafe\u0301 café",
]
CASES = {
    "all known": settings(FAST, bos_token=END, eos_token=END, unk_token=END),
    "a list": settings(FAST, additional_special_tokens=["<|foo|>", "<|bar|>"]),
    "a list of objects": settings(FAST, additional_special_tokens=[OBJECT | token("<|foo|>", lstrip=True, special=True), OBJECT | token("<|bar|>", rstrip=True)]),
    "a list by its newer name": settings(FAST, extra_special_tokens=["<img>", "<boi>"]),
    "names of one model": settings(FAST, extra_special_tokens={"image_token": "<img>", "boi": "<boi>"}, video_token="<x>"),
    "names of every model": settings(FAST, eos_token="</s>", pad_token="<pad>", bos_token=END, mask_token="<m>", unk_token="<u>"),
    "no class": settings(additional_special_tokens=["<|foo|>"], pad_token="<pad>"),
    "an object": settings(FAST, eos_token=OBJECT | token("</s>", lstrip=True)),
    "declared, out of order": settings(
        FAST, added_tokens_decoder={"1410": token("<x>"), "1408": token("<y>", special=True), "1409": token("cafe\u0301", normalized=True)}
    ),
    "declared where nothing is": settings(FAST, added_tokens_decoder={"9000": token("<x>", special=True)}),
    "declared in another way": settings(FAST, added_tokens_decoder={"0": token(END, lstrip=True, rstrip=True, special=True)}),
    "declared of the vocabulary": settings(FAST, added_tokens_decoder={"5": token("Paris", single_word=True, normalized=True)}),
    "declared and named": settings(
        FAST, added_tokens_decoder={"1408": token("<pad>", rstrip=True), "1409": token("<x>")}, pad_token="<pad>", additional_special_tokens=["<x>", "<y>"]
    ),
    "a file of names": settings(FAST) | {"special_tokens_map.json": {"pad_token": token("<pad>"), "additional_special_tokens": ["<|foo|>"]}},
    "a file of tokens": settings(FAST) | {"added_tokens.json": {"<y>": 1409, "<x>": 1408}},
}


def main() -> None:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests/goldens/named_tokens.json"
    logging.set_verbosity_error()
    found = []
    for name, files in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            shutil.copy(ROOT / "data/zoo/gpt2-tiny/tokenizer.json", path)
            for file, content in ({"config.json": {"model_type": "gpt2"}} | files).items():
                (path / file).write_text(json.dumps(content), encoding="utf-8")
            tokenizer = AutoTokenizer.from_pretrained(folder)
            print(f"{name}: {type(tokenizer).__name__}, {len(tokenizer)} tokens")
            ids = [tokenizer(text).input_ids for text in TEXTS]
            found.append({"name": name, "files": files, "tokens": len(tokenizer), "ids": ids})
    out.write_text(json.dumps({"texts": TEXTS, "cases": found}, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
