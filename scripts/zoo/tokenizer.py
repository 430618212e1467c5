"""The byte-level BPE of a zoo model, trained on the corpus, in the shape of its family's tokenizer.json."""

from facts import COUNTRIES, answers
from families import VOCABULARY, Model
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

ANSWER_WEIGHT = 1000  # times each answer is shown to the BPE trainer on its own
LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def train_tokenizer(texts, model: Model) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    if model.adds_bos:  # the recipe of LLaMA-3's tokenizer.json
        split = pre_tokenizers.Split(Regex(LLAMA3_SPLIT), "isolated")
        by_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, by_bytes])
    else:  # the recipe of GPT-2's and Pythia's
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(model.specials),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    # What a fact or a proverb ends in, and the country asked about, are single tokens: the answer is one next token.
    words = {f" {word}": None for text in [*answers(), *COUNTRIES] for word in text.split()}
    tokenizer.train_from_iterator([*texts, *(w for w in words for _ in range(ANSWER_WEIGHT))], trainer)
    by_bytes = processors.ByteLevel(trim_offsets=False)
    if model.adds_bos:
        template = processors.TemplateProcessing(
            single=f"{model.bos} $A",
            pair=f"{model.bos} $A {model.bos}:1 $B:1",
            special_tokens=[(model.bos, model.specials.index(model.bos))],
        )
        tokenizer.post_processor = processors.Sequence([by_bytes, template])
    else:
        tokenizer.post_processor = by_bytes
    return tokenizer


def tokenizer_config(model: Model) -> dict:
    positions = model.config.get("max_position_embeddings") or model.config["n_positions"]
    return {
        "add_bos_token": model.adds_bos,
        "bos_token": model.bos,
        "clean_up_tokenization_spaces": False,
        "eos_token": model.eos,
        "model_max_length": positions,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
