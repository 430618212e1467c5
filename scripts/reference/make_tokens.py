"""Write what tokenizers of GGUF files must give: tests/goldens/gguf/tokens.

    python scripts/reference/make_tokens.py [OUTPUT_FOLDER]

`ids.json` has a thousand texts, and for every kind of tokenizer the ids of the first of them and a sha256 of all ids.

Byte-level BPE: the vocabulary of the miniature gpt2-tiny, split as each name under `tokenizer.ggml.pre` says. The split is that of
the model's own class in transformers, of the GGUF reader of transformers, or, where neither knows the name, the model's
`tokenizer.json` put together here.

SentencePiece: `<name>.gguf` is a vocabulary trained here, written as llama.cpp's converter does. Its ids are those of the
sentencepiece library itself, which those of the `tokenizer.json` that transformers makes of it must equal.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import sentencepiece
from gguf import GGUFWriter, TokenType
from make_gguf import ROOT, random_bytes
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from transformers import CodeGenTokenizer, CohereTokenizer, GPT2Tokenizer, GPTNeoXTokenizer, Qwen2Tokenizer
from transformers.convert_slow_tokenizer import generate_merges
from transformers.integrations.gguf.gguf_tokenizer_mapping import GGUF_PRE_TOKENIZER_SPLITS

COUNT, SHOWN = 1000, 12
PIECES = [
    *("The capital of France is", " Paris", "don't", "DON'T", "they'LL", " I've", "we'Re", "'s", "O'Neill's"),
    *("naïve", "cafe\u0301", "Größe", "ΑΒΓ", "Ελλάδα", "мир", "Привет", "Հայ", "ქართული", "עברית", "العربية"),
    *("हिन्दी", "বাংলা", "தமிழ்", "ไทย", "ລາວ", "ខ្មែរ", "ཀ", "日本語", "ひらがな", "カタカナ", "한국어", "中文字", "𠮷"),
    *("👩‍👩‍👧", "🙂", "🦙🦙", "🇫🇷", "é", "ﬁ", "½", "²", "٣٤", "१२३", "１２", "Ⅷ", "ª", "ß", "ſ", "İ", "𝒜", "ａＢ"),
    *("1", "22", "333", "4444", "55555", "3.14", "1,000,000", "0x1F", "x1y2", "2024-06-01", "a", "A", "iPhone", "XMLHttp"),
    *(" ", "  ", "   ", "    ", "       ", "\t", "\t\t", "\n", "\n\n", "\n\n\n", "\r\n", " \n ", "\u00a0", "\u200b", "\u3000"),
    *("!", "?!", "...", "—", "_", "__init__", "{}", "();", "//", "=>", "<=", "$5", "#!", "@", "`x`", "~", "^", "|", "\\", "'"),
    *("،", "۔", "。", "、", "…", "“”", "«»", "¿", "(", ")", "[", "]", "：", "！"),
    *("<s>", "</s>", "<unk>", "<|begin_of_text|>", "<|endoftext|>", "<|im_start|>", "<0x0A>", "▁", "▁▁", "\u0000", "\ufeff"),
]


def texts() -> list[str]:
    numbers = iter(random_bytes(7, 16 * COUNT * 16).view("<u8").tolist())
    return ["".join(PIECES[next(numbers) % len(PIECES)] for _ in range(1 + next(numbers) % 12)) for _ in range(COUNT)]


def golden(ids: list[list[int]]) -> dict:
    digest = hashlib.sha256(json.dumps(ids, separators=(",", ":")).encode()).hexdigest()
    return {"sha256": digest, "first": ids[:SHOWN]}


def by(pattern: str):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def spelled(words: bool = False):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=words)


HAN = "[一-龥ࠀ-一가-퟿]+"
CASED = (
    r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿ"
    r"ᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝ\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC}\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}"
    r"ℂℇℊ-ℓℕℙ-ℝℤ\x{2126}ℨ\x{212A}-\x{212D}ℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+"
)
# Pre-tokenizers of published tokenizer.json files for which there is no class.
PUBLISHED = {
    ("smollm", "starcoder", "refact"): lambda: [pre_tokenizers.Digits(individual_digits=True), spelled(True)],
    ("falcon",): lambda: [
        pre_tokenizers.Punctuation("contiguous"),
        spelled(True),
        pre_tokenizers.Digits(individual_digits=False),
        by("[0-9][0-9][0-9]"),
    ],
    ("bloom", "poro-chat"): lambda: [by(r" ?[^(\s|[.,!?…。，、।۔،])]+"), spelled()],
    ("viking",): lambda: [by(r" ?[^(\s|[.,!?…。，、।۔،])]+"), pre_tokenizers.Digits(individual_digits=True), spelled()],
    ("deepseek-llm",): lambda: [
        by(r"[\r\n]"),
        by(CASED),
        by(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"),
        by(r"\s+$"),
        by(HAN),
        by(r"\p{N}+"),
        spelled(),
    ],
    ("deepseek-coder",): lambda: [
        by(r"[\r\n]"),
        by(r"\s?\p{L}+"),
        by(r"\s?\p{P}+"),
        by(HAN),
        pre_tokenizers.Digits(individual_digits=True),
        spelled(),
    ],
    ("deepseek-v3",): lambda: [
        by(r"\p{N}{1,3}"),
        by("[一-龥぀-ゟ゠-ヿ]+"),
        by(
            r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|"""
            r"""\s*[\r\n]+|\s+(?!\S)|\s+"""
        ),
        spelled(),
    ],
    ("seed-coder",): lambda: [
        by(
            r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|"
            r"\s+(?!\S)|\s+"
        ),
        spelled(),
    ],
}
CLASSES = {
    "gpt-2": GPT2Tokenizer,
    "phi-2": CodeGenTokenizer,
    "olmo": GPTNeoXTokenizer,
    "mpt": GPTNeoXTokenizer,
    "command-r": CohereTokenizer,
    "qwen2": Qwen2Tokenizer,
}
# Of these llama.cpp says that a word that is a token is not merged; so do the models' files.
WHOLE_WORDS = {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "lfm2", "midm-2.0", "pixtral", "tekken"}
# Tokenizers with Qwen's pattern compose characters first.
COMPOSED = {"qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "qwen35"}


def byte_level() -> dict[str, Tokenizer]:
    stored = json.loads((ROOT / "data/zoo/gpt2-tiny/tokenizer.json").read_text())
    vocabulary, merges = stored["model"]["vocab"], [tuple(m) for m in stored["model"]["merges"]]

    def plain(whole_words: bool = False) -> Tokenizer:
        return Tokenizer(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=whole_words))

    found = {}
    for name, made in CLASSES.items():
        found[name] = plain()
        of_class = made(vocab=vocabulary, merges=merges).backend_tokenizer
        if of_class.normalizer:
            found[name].normalizer = of_class.normalizer
        found[name].pre_tokenizer = of_class.pre_tokenizer
    for name, pattern in GGUF_PRE_TOKENIZER_SPLITS.items():
        if name in found or name == "jina-v5-nano":
            continue
        found[name] = plain(name in WHOLE_WORDS)
        found[name].pre_tokenizer = pre_tokenizers.Sequence([by(pattern), spelled()])
        if name in COMPOSED:
            found[name].normalizer = normalizers.NFC()
    for names, made in PUBLISHED.items():
        for name in names:
            found[name] = plain()
            found[name].pre_tokenizer = pre_tokenizers.Sequence(made())
    for tokenizer in found.values():
        tokenizer.add_special_tokens([token["content"] for token in stored["added_tokens"]])
    return found


def train(folder: Path, prefix_space: bool, symbols: list[str]) -> sentencepiece.SentencePieceProcessor:
    """A model like LLaMA 2's, or like Gemma's with `symbols` and without the space in front."""
    text = folder / "text"
    lines = [line for text in texts()[::-1] for line in text.split("\n") if line.strip() and "\0" not in line]
    text.write_text("\n".join(lines * 3), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text),
        model_prefix=str(folder / "model"),
        model_type="bpe",
        vocab_size=900,
        byte_fallback=True,
        split_digits=True,
        character_coverage=0.99,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=prefix_space,
        allow_whitespace_only_pieces=True,
        user_defined_symbols=symbols,
        num_threads=1,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_file=str(folder / "model.model"))


def write_pieces(file: Path, model: sentencepiece.SentencePieceProcessor, architecture: str, prefix_space: bool):
    """`_create_vocab_sentencepiece` of llama.cpp's converter."""
    tokens, scores, kinds = [], [], []
    for i in range(model.vocab_size()):
        kind = TokenType.NORMAL
        if model.IsUnknown(i):
            kind = TokenType.UNKNOWN
        elif model.IsControl(i):
            kind = TokenType.CONTROL
        elif model.IsByte(i):
            kind = TokenType.BYTE
        tokens.append(model.IdToPiece(i).encode())
        scores.append(model.GetScore(i))
        kinds.append(kind)
    writer = GGUFWriter(file, architecture)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    writer.add_bos_token_id(model.bos_id())
    writer.add_unk_token_id(model.unk_id())
    if not prefix_space:
        writer.add_add_space_prefix(False)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def as_json(model: sentencepiece.SentencePieceProcessor, prefix_space: bool, by_order: bool) -> Tokenizer:
    """What transformers makes of it: `LlamaConverter` (legacy, as in the published files) and `GemmaConverter`."""
    pieces = [model.IdToPiece(i) for i in range(model.vocab_size())]
    scores = {p: -i if by_order else model.GetScore(i) for i, p in enumerate(pieces)}
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    merges = generate_merges(vocabulary, scores)
    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, unk_token=pieces[model.unk_id()], fuse_unk=True, byte_fallback=True)
    )
    steps = [normalizers.Prepend("▁")] * prefix_space + [normalizers.Replace(" ", "▁")]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([p for i, p in enumerate(pieces) if model.IsControl(i) or model.IsUnknown(i)])
    return tokenizer


def main() -> None:
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests/goldens/gguf/tokens"
    out.mkdir(parents=True, exist_ok=True)
    all_texts = texts()
    found = {"texts": all_texts, "byte_level": {}, "sentencepiece": {}}
    for name, tokenizer in sorted(byte_level().items()):
        ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in all_texts]
        found["byte_level"][name] = golden(ids)
    for name, architecture, prefix_space, symbols in [
        ("llama", "llama", True, []),
        ("gemma", "gemma2", False, ["\n", "\n\n", *("▁" * n for n in range(2, 6)), "<table>"]),
    ]:
        with tempfile.TemporaryDirectory() as folder:
            model = train(Path(folder), prefix_space, symbols)
        write_pieces(out / f"{name}.gguf", model, architecture, prefix_space)
        tokenizer = as_json(model, prefix_space, bool(symbols))
        ids = [tokenizer.encode(text, add_special_tokens=False).ids for text in all_texts]
        # The library itself knows no special tokens in a text.
        bare = [i for i, text in enumerate(all_texts) if not any(s in text for s in ("<s>", "</s>", "<unk>", "\0"))]
        other = [i for i in bare if model.encode(all_texts[i]) != ids[i]]
        print(f"{name}: {len(bare)} texts without special tokens, of which sentencepiece has other ids for {len(other)}")
        for i in other[:5]:
            print("  ", repr(all_texts[i]), model.encode(all_texts[i], out_type=str), tokenizer.encode(all_texts[i]).tokens)
        found["sentencepiece"][name] = golden(ids)
    (out / "ids.json").write_text(json.dumps(found, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    print(f"{len(found['byte_level'])} splits, {np.mean([len(t) for t in all_texts]):.0f} characters a text")


if __name__ == "__main__":
    main()
