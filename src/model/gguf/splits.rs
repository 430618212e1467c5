//! How byte-level BPE splits a text before merges apply: what the names under `tokenizer.ggml.pre` mean.
//!
//! Sources: the `tokenizer.json` of the models named, as their classes in transformers make it; where there is no such class,
//! `llm_tokenizer_bpe` in llama.cpp's `llama-vocab.cpp`, which names the pattern of the `tokenizer.json`.

use serde_json::{Value as Json, json};

/// How texts are split under some names.
pub(super) struct Split {
    pub names: &'static [&'static str],
    /// Characters are composed first (NFC).
    composed: bool,
    /// What splits a text, one after the other, before bytes are spelled as letters.
    steps: &'static [Step],
    /// A word that is a token is not merged.
    pub whole_words: bool,
    /// Where the file does not say.
    pub adds_bos: bool,
}

/// One way to split what the one before it left.
enum Step {
    /// By this pattern.
    By(&'static str),
    /// Every digit by itself.
    Digits,
    /// Runs of digits.
    Numbers,
    /// Runs of punctuation.
    Punctuation,
    /// GPT-2's words, whose bytes are spelled as letters; what follows splits these.
    Words,
}

use Step::{By, Digits, Numbers, Punctuation, Words};

const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN35: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT_4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const SEED_CODER: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";
const BLOOM: &str = r" ?[^(\s|[.,!?…。，、।۔،])]+";
const LINE_ENDS: &str = r"[\r\n]";
const HAN_AND_HANGUL: &str = "[一-龥ࠀ-一가-퟿]+";
/// Of scripts with upper and lower case. What composing characters (NFC) would change is written as numbers.
const CASED: &str = "\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝ\u{1F5F}-\u{1F7D}\u{1F80}-\u{1FB4}\u{1FB6}-\u{1FBC}\u{1FBE}\u{1FC2}-\u{1FC4}\u{1FC6}-\u{1FCC}\u{1FD0}-\u{1FD3}\u{1FD6}-\u{1FDB}\u{1FE0}-\u{1FEC}\u{1FF2}-\u{1FF4}\u{1FF6}-\u{1FFC}ℂℇℊ-ℓℕℙ-ℝℤ\u{2126}ℨ\u{212A}-\u{212D}ℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+";
const DEEPSEEK3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;

/// What most of those are that say nothing else.
const PLAIN: Split =
    Split { names: &[], composed: false, steps: &[Words], whole_words: false, adds_bos: false };

static SPLITS: &[Split] = &[
    Split {
        names: &[
            "gpt-2",
            "phi-2",
            "a.x-4.0",
            "exaone4",
            "gigachat",
            "granite-docling",
            "jais",
            "mellum",
            "trillion",
        ],
        ..PLAIN
    },
    // Both names are of GPT-NeoX's tokenizer: that of Pythia, MPT, OLMo and the first StableLM.
    Split { names: &["mpt", "olmo"], composed: true, ..PLAIN },
    Split {
        names: &["llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "lfm2", "midm-2.0", "pixtral"],
        steps: &[By(LLAMA3)],
        whole_words: true,
        adds_bos: true,
        ..PLAIN
    },
    Split { names: &["dbrx", "smaug-bpe", "chatglm-bpe", "glm4"], steps: &[By(LLAMA3)], ..PLAIN },
    Split {
        names: &["qwen2", "deepseek-r1-qwen", "f2llmv2", "kormo", "megrez", "stablelm2"],
        composed: true,
        steps: &[By(QWEN2)],
        ..PLAIN
    },
    Split { names: &["qwen35"], composed: true, steps: &[By(QWEN35)], ..PLAIN },
    Split { names: &["hunyuan", "solar-open", "grok-2"], steps: &[By(QWEN2)], ..PLAIN },
    Split {
        names: &["smollm", "starcoder", "codeshell", "exaone", "mellum2", "minerva-7b", "refact"],
        steps: &[Digits, Words],
        ..PLAIN
    },
    Split { names: &["command-r"], composed: true, steps: &[Digits, Words], ..PLAIN },
    Split { names: &["falcon"], steps: &[Punctuation, Words, Numbers, By("[0-9][0-9][0-9]")], ..PLAIN },
    Split { names: &["bloom", "gpt3-finnish", "poro-chat"], steps: &[By(BLOOM)], ..PLAIN },
    Split { names: &["viking"], steps: &[By(BLOOM), Digits], ..PLAIN },
    Split { names: &["tekken"], steps: &[By(TEKKEN)], whole_words: true, adds_bos: true, ..PLAIN },
    Split { names: &["gpt-4o", "kanana2", "llama4", "minimax-m2", "talkie"], steps: &[By(GPT_4O)], ..PLAIN },
    Split { names: &["seed-coder"], steps: &[By(SEED_CODER)], ..PLAIN },
    Split {
        names: &["deepseek-llm"],
        steps: &[
            By(LINE_ENDS),
            By(CASED),
            By(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"),
            By(r"\s+$"),
            By(HAN_AND_HANGUL),
            By(r"\p{N}+"),
        ],
        ..PLAIN
    },
    Split {
        names: &["deepseek-coder"],
        steps: &[By(LINE_ENDS), By(r"\s?\p{L}+"), By(r"\s?\p{P}+"), By(HAN_AND_HANGUL), Digits],
        ..PLAIN
    },
    Split {
        names: &["deepseek-v3", "hunyuan-dense", "joyai-llm"],
        steps: &[By(r"\p{N}{1,3}"), By("[一-龥぀-ゟ゠-ヿ]+"), By(DEEPSEEK3)],
        ..PLAIN
    },
];

/// The split of this name, if it is known.
pub(super) fn named(name: &str) -> Option<&'static Split> {
    SPLITS.iter().find(|split| split.names.contains(&name))
}

/// Every name that is known.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SPLITS.iter().flat_map(|split| split.names).copied()
}

impl Split {
    /// Normaliser and splits of a `tokenizer.json`.
    pub(super) fn json(&self) -> (Json, Json) {
        let normalizer = if self.composed { json!({"type": "NFC"}) } else { Json::Null };
        let mut steps: Vec<Json> = self.steps.iter().map(Step::json).collect();
        if !self.steps.iter().any(|step| matches!(step, Words)) {
            steps.push(bytes(false));
        }
        let steps = match steps.len() {
            1 => steps.remove(0),
            _ => json!({"type": "Sequence", "pretokenizers": steps}),
        };
        (normalizer, steps)
    }
}

impl Step {
    fn json(&self) -> Json {
        match self {
            By(pattern) => json!({
                "type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false
            }),
            Digits => json!({"type": "Digits", "individual_digits": true}),
            Numbers => json!({"type": "Digits", "individual_digits": false}),
            Punctuation => json!({"type": "Punctuation", "behavior": "Contiguous"}),
            Words => bytes(true),
        }
    }
}

fn bytes(words: bool) -> Json {
    json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": words})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_means_one_split() {
        let mut all: Vec<&str> = names().collect();
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "{all:?}");
        assert!(named("llama-bpe").is_some() && named("default").is_none());
    }
}
