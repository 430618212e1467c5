//! The class that reads a folder's vocabulary and merges, as `AutoTokenizer` finds it.

use serde_json::{Map, Value};

/// What a class does that others do not.
pub(super) struct Class {
    pub name: &'static str,
    pub split: Split,
    /// Composes characters first (NFC).
    pub composes: bool,
    /// Special tokens that the settings need not name, by their key there.
    pub tokens: &'static [(&'static str, &'static str)],
}

/// How a text is cut before merges apply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Split {
    /// The pattern of GPT-2.
    Gpt2,
    /// Digits one by one, then that pattern.
    Digits,
    /// The pattern of Qwen2.
    Qwen2,
}

const END: &str = "<|endoftext|>";

/// Source: `models/{gpt2,codegen,gpt_neox,qwen2,cohere}/tokenization_*.py`.
const CLASSES: [Class; 5] = [
    Class {
        name: "GPT2Tokenizer",
        split: Split::Gpt2,
        composes: false,
        tokens: &[("bos_token", END), ("eos_token", END), ("unk_token", END)],
    },
    Class {
        name: "CodeGenTokenizer",
        split: Split::Gpt2,
        composes: false,
        tokens: &[("bos_token", END), ("eos_token", END), ("unk_token", END)],
    },
    Class {
        name: "GPTNeoXTokenizer",
        split: Split::Gpt2,
        composes: true,
        tokens: &[("bos_token", END), ("eos_token", END), ("unk_token", END), ("pad_token", "<|padding|>")],
    },
    Class {
        name: "Qwen2Tokenizer",
        split: Split::Qwen2,
        composes: true,
        tokens: &[("eos_token", END), ("unk_token", END), ("pad_token", END)],
    },
    Class {
        name: "CohereTokenizer",
        split: Split::Digits,
        composes: true,
        tokens: &[
            ("bos_token", "<BOS_TOKEN>"),
            ("eos_token", "<|END_OF_TURN_TOKEN|>"),
            ("unk_token", "<UNK>"),
            ("sep_token", "<SEP>"),
            ("pad_token", "<PAD>"),
            ("cls_token", "<CLS>"),
            ("mask_token", "<MASK_TOKEN>"),
        ],
    },
];

/// The class of families whose settings name none, by `model_type`: `TOKENIZER_MAPPING_NAMES` of `tokenization_auto.py`.
const OF_FAMILIES: [(&str, &str); 10] = [
    ("cohere", "CohereTokenizer"),
    ("gpt2", "GPT2Tokenizer"),
    ("gpt_neo", "GPT2Tokenizer"),
    ("gpt_neox", "GPTNeoXTokenizer"),
    ("gptj", "GPT2Tokenizer"),
    ("opt", "GPT2Tokenizer"),
    ("phi", "GPT2Tokenizer"),
    ("qwen2", "Qwen2Tokenizer"),
    ("qwen3", "Qwen2Tokenizer"),
    ("starcoder2", "GPT2Tokenizer"),
];

/// The class that the settings name, or else the family's own.
///
/// # Errors
/// What is named instead.
pub(super) fn named(
    settings: &Map<String, Value>,
    config: &Map<String, Value>,
) -> Result<&'static Class, String> {
    let name = |object: &Map<String, Value>| Some(object.get("tokenizer_class")?.as_str()?.to_string());
    let family = config.get("model_type").and_then(Value::as_str).unwrap_or_default();
    let own = OF_FAMILIES.iter().find(|(name, _)| *name == family).map(|(_, class)| (*class).to_string());
    let said = name(settings).or_else(|| name(config));
    // Settings of Qwen2 often name another; there the reference does not believe them.
    let asked = if family == "qwen2" { own } else { said.clone().or(own) };
    let Some(asked) = asked else {
        return Err(format!("no `tokenizer_class` in tokenizer_config.json, of the family {family:?}"));
    };
    let bare = asked.strip_suffix("Fast").unwrap_or(&asked);
    let found = CLASSES.iter().find(|class| class.name == bare);
    found.ok_or_else(|| format!("`tokenizer_class` = {asked:?}"))
}

/// What a message says was expected.
pub(super) fn expected() -> String {
    let names: Vec<&str> = CLASSES.iter().map(|class| class.name).collect();
    format!("a class that reads it with merges.txt ({})", names.join(", "))
}
