//! BOS policies on a word-level tokenizer made here; ids and texts of the zoo's byte-level ones.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::*;

const BOS: u32 = 1;

/// What a folder says about its BOS: the post-processor's template (empty: none), the two config files.
struct Facts<'a> {
    /// Special tokens before and after the text.
    template: (&'a [&'a str], &'a [&'a str]),
    settings: Value,
    config: Value,
}

impl Facts<'_> {
    fn folder(&self) -> TempDir {
        let special = |token: &&str| json!({"SpecialToken": {"id": token, "type_id": 0}});
        let text = json!({"Sequence": {"id": "A", "type_id": 0}});
        let (before, after) = self.template;
        let single: Vec<Value> =
            before.iter().map(special).chain([text]).chain(after.iter().map(special)).collect();
        let post_processor = json!({
            "type": "TemplateProcessing",
            "single": single,
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
            "special_tokens": {
                "<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]},
                "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]},
            },
        });
        let added = |id: u32, content: &str| {
            json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true})
        };
        let tokenizer = json!({
            "version": "1.0",
            "truncation": {"max_length": 3, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
            "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0,
                "pad_type_id": 0, "pad_token": "<unk>"},
            "added_tokens": [added(0, "<unk>"), added(1, "<s>"), added(2, "</s>")],
            "normalizer": null,
            "pre_tokenizer": {"type": "WhitespaceSplit"},
            "post_processor": post_processor,
            "decoder": null,
            "model": {"type": "WordLevel", "unk_token": "<unk>",
                "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2, "a": 3, "b": 4, "▁c": 5}},
        });
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
        fs::write(folder.path().join("tokenizer_config.json"), self.settings.to_string()).unwrap();
        fs::write(folder.path().join("config.json"), self.config.to_string()).unwrap();
        folder
    }

    fn open(&self) -> Tokenizer {
        Tokenizer::open(self.folder().path()).unwrap()
    }
}

fn facts<'a>(before: &'a [&'a str], settings: Value, config: Value) -> Facts<'a> {
    Facts { template: (before, &[]), settings, config }
}

/// The ids of "a b" under auto, always and never.
fn ids(tokenizer: &Tokenizer) -> [Vec<u32>; 3] {
    [Bos::Auto, Bos::Always, Bos::Never].map(|bos| tokenizer.encode("a b", bos).unwrap())
}

#[test]
fn a_post_processor_that_adds_the_bos_is_the_default() {
    for settings in [
        json!({"bos_token": "<s>"}),
        json!({"bos_token": {"content": "<s>", "special": true}}),
        json!({"bos_token": "<s>", "add_bos_token": true}),
        json!({"bos_token": "<s>", "add_bos_token": false}),
    ] {
        let tokenizer = facts(&["<s>"], settings, json!({})).open();
        assert_eq!(tokenizer.bos(), Some(BOS));
        assert_eq!(ids(&tokenizer), [vec![1, 3, 4], vec![1, 3, 4], vec![3, 4]]);
    }
}

#[test]
fn without_a_post_processor_that_adds_it_none_is_added_whatever_the_setting() {
    let with = |settings| ids(&facts(&[], settings, json!({})).open());
    let (bare, full) = (vec![3, 4], vec![1, 3, 4]);
    assert_eq!(with(json!({"bos_token": "<s>"})), [bare.clone(), full.clone(), bare.clone()]);
    assert_eq!(
        with(json!({"bos_token": "<s>", "add_bos_token": false})),
        [bare.clone(), full.clone(), bare.clone()]
    );
    // As transformers 5.23: it adds none in any combination of the settings.
    assert_eq!(
        with(json!({"bos_token": "<s>", "add_bos_token": true, "add_eos_token": true})),
        [bare.clone(), full, bare]
    );
}

#[test]
fn an_id_that_the_template_has_for_the_bos_is_taken_off_like_it() {
    let folder = facts(&["<s>"], json!({"bos_token": "<s>"}), json!({})).folder();
    let file = folder.path().join(FILE);
    let mut content: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    content["post_processor"]["special_tokens"]["<s>"]["ids"] = json!([5]);
    fs::write(&file, content.to_string()).unwrap();
    let tokenizer = Tokenizer::open(folder.path()).unwrap();
    assert_eq!(ids(&tokenizer), [vec![5, 3, 4], vec![1, 3, 4], vec![3, 4]]);
    let fronts = [vec![5, 3, 4], vec![1, 3, 4], vec![3, 4]].map(|ids| tokenizer.leading_bos(&ids));
    assert_eq!(fronts[1..], [1, 0]);
    assert!(fronts[0] > ids(&tokenizer).len());
    let note = tokenizer.note().unwrap();
    assert!(note.contains("token 5") && note.contains("token 1"), "{note}");
}

#[test]
fn always_is_one_bos_and_never_is_none_whatever_the_text_begins_with() {
    let tokenizer = facts(&["<s>"], json!({"bos_token": "<s>"}), json!({})).open();
    assert_eq!(tokenizer.encode("<s> <s> a", Bos::Auto).unwrap(), [1, 1, 1, 3]);
    assert_eq!(tokenizer.encode("<s> <s> a", Bos::Always).unwrap(), [1, 3]);
    assert_eq!(tokenizer.encode("<s> <s> a", Bos::Never).unwrap(), [3]);
    assert_eq!(tokenizer.encode("a <s>", Bos::Never).unwrap(), [3, 1]);
}

#[test]
fn the_policies_differ_in_the_bos_alone() {
    let tokenizer =
        Facts { template: (&["<s>"], &["</s>"]), settings: json!({"bos_token": "<s>"}), config: json!({}) }
            .open();
    assert_eq!(ids(&tokenizer), [vec![1, 3, 4, 2], vec![1, 3, 4, 2], vec![3, 4, 2]]);
}

#[test]
fn the_bos_comes_from_the_config_where_the_tokenizer_names_none() {
    for settings in [json!({}), json!({"bos_token": null})] {
        let tokenizer = facts(&[], settings, json!({"bos_token_id": 2})).open();
        assert_eq!(tokenizer.encode("a", Bos::Always).unwrap(), [2, 3]);
    }
    let both = facts(&[], json!({"bos_token": "<s>"}), json!({"bos_token_id": 2})).open();
    assert_eq!(both.bos(), Some(BOS));
}

#[test]
fn a_bos_that_is_needed_and_missing_is_an_error() {
    let none = facts(&[], json!({}), json!({"bos_token_id": null})).open();
    assert_eq!(none.bos(), None);
    assert_eq!(none.encode("a", Bos::Never).unwrap(), [3]);
    assert_eq!(none.encode("a", Bos::Auto).unwrap(), [3]);
    let error = none.encode("a", Bos::Always).unwrap_err().to_string();
    assert!(error.contains("\"always\"") && error.contains("bos_token_id in config.json"), "{error}");

    let unknown = facts(&[], json!({"bos_token": "<bos>", "add_bos_token": true}), json!({})).open();
    assert_eq!(unknown.encode("a", Bos::Auto).unwrap(), [3]);
    let error = unknown.encode("a", Bos::Always).unwrap_err().to_string();
    assert!(error.contains("\"always\"") && error.contains("\"<bos>\""), "{error}");
}

#[test]
fn a_prompt_is_taken_whole_unpadded_and_not_empty() {
    let tokenizer = facts(&[], json!({"bos_token": "<s>"}), json!({})).open();
    assert_eq!(tokenizer.encode("a b a b a", Bos::Auto).unwrap(), [3, 4, 3, 4, 3]);
    assert!(matches!(tokenizer.encode("", Bos::Always), Err(TokenizerError::EmptyText)));
    assert!(matches!(tokenizer.encode("  ", Bos::Never), Err(TokenizerError::NoTokens { .. })));
}

#[test]
fn without_tokenizer_json_the_error_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let error = Tokenizer::open(folder.path()).err().unwrap().to_string();
    assert!(error.contains("tokenizer.json") && error.contains("--tokens 1,2,3"), "{error}");
    fs::write(folder.path().join("tokenizer.json"), "{\"model\": 3}").unwrap();
    let error = Tokenizer::open(folder.path()).err().unwrap().to_string();
    assert!(error.contains("tokenizer.json") && error.contains("download"), "{error}");
    fs::write(folder.path().join("tokenizer.json"), "{").unwrap();
    let error = Tokenizer::open(folder.path()).err().unwrap().to_string();
    assert!(error.contains("tokenizer.json") && error.contains("line 1"), "{error}");
}

#[test]
fn identity_is_of_what_decides_the_ids() {
    let base = || facts(&["<s>"], json!({"bos_token": "<s>"}), json!({}));
    let folder = base().folder();
    let expected = Tokenizer::open(folder.path()).unwrap().identity();
    let file = folder.path().join("tokenizer.json");
    let mut content: Map<String, Value> = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();

    // Formatting, key order, truncation and settings without a say leave it alone.
    content.insert("truncation".into(), Value::Null);
    let version = content.shift_remove("version").unwrap();
    content.insert("version".into(), version);
    fs::write(&file, serde_json::to_string_pretty(&content).unwrap()).unwrap();
    fs::write(
        folder.path().join("tokenizer_config.json"),
        json!({"bos_token": {"content": "<s>"}, "chat_template": "x"}).to_string(),
    )
    .unwrap();
    assert_eq!(Tokenizer::open(folder.path()).unwrap().identity(), expected);

    // A token's id, which token is the BOS, and who adds it change it.
    content["model"]["vocab"]["b"] = json!(6);
    fs::write(&file, json!(content).to_string()).unwrap();
    assert_ne!(Tokenizer::open(folder.path()).unwrap().identity(), expected);
    let other_bos = facts(&["<s>"], json!({"bos_token": "</s>"}), json!({})).open();
    assert_ne!(other_bos.identity(), expected);
    let asked = facts(&[], json!({"bos_token": "<s>", "add_bos_token": true}), json!({})).open();
    let not_asked = facts(&[], json!({"bos_token": "<s>"}), json!({})).open();
    assert_eq!(asked.identity(), not_asked.identity());
}

#[test]
fn a_token_reads_as_its_text() {
    let tokenizer = facts(&[], json!({}), json!({})).open();
    let texts: Vec<String> = [1, 3, 5, 99].map(|id| tokenizer.token(id)).to_vec();
    assert_eq!(texts, ["<s>", "a", " c", "<id 99>"]);
}

/// Ids by transformers 5.23: `AutoTokenizer.from_pretrained("data/zoo/pythia-tiny")(text).input_ids`.
#[test]
fn the_zoo_tokenizes_as_transformers_does() {
    const PLAIN: &str = "The capital of France is";
    const HARD: &str = "The quick brown fox jumps over 1234 dogs.\n  Déjà vu 水";
    let zoo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/zoo");

    let pythia = Tokenizer::open(&zoo.join("pythia-tiny")).unwrap();
    assert_eq!(pythia.encode(PLAIN, Bos::Auto).unwrap(), PYTHIA_PLAIN);
    assert_eq!(pythia.encode(HARD, Bos::Auto).unwrap(), PYTHIA_HARD);
    assert_eq!(pythia.encode(PLAIN, Bos::Always).unwrap(), [&[0], PYTHIA_PLAIN].concat());
    let texts: Vec<String> = PYTHIA_PLAIN.iter().map(|&id| pythia.token(id)).collect();
    assert_eq!(texts, ["The", " capital", " of", " France", " is"]);
    // Half of a two-byte character has no text of its own.
    assert_eq!(pythia.token(PYTHIA_HARD[19]), "Ã");

    let llama = Tokenizer::open(&zoo.join("llama3-tiny")).unwrap();
    assert_eq!(llama.encode(PLAIN, Bos::Auto).unwrap(), LLAMA_PLAIN);
    assert_eq!(llama.encode(HARD, Bos::Auto).unwrap(), LLAMA_HARD);
    assert_eq!(llama.encode(PLAIN, Bos::Never).unwrap(), LLAMA_PLAIN[1..]);
    assert_eq!(llama.token(0), "<|begin_of_text|>");
}

const PYTHIA_PLAIN: &[u32] = &[276, 303, 290, 620, 272];
const PYTHIA_HARD: &[u32] = &[
    276, 961, 1216, 1390, 1338, 1291, 83, 278, 332, 484, 18, 19, 20, 512, 83, 14, 199, 221, 361, 128, 103,
    74, 128, 255, 567, 85, 221, 163, 109, 113,
];
const LLAMA_PLAIN: &[u32] = &[0, 277, 304, 291, 617, 273];
const LLAMA_HARD: &[u32] = &[
    0, 277, 956, 1211, 1385, 1333, 1286, 84, 279, 333, 222, 18, 19, 20, 21, 511, 84, 15, 200, 222, 362, 129,
    104, 75, 129, 256, 566, 86, 222, 164, 110, 114,
];

/// The cases of `make_named_tokens.py`.
#[test]
fn tokens_that_the_files_beside_it_name_join_a_tokenizer_as_in_the_reference() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let golden: Value =
        serde_json::from_slice(&fs::read(root.join("tests/goldens/named_tokens.json")).unwrap()).unwrap();
    let texts = golden["texts"].as_array().unwrap();
    let folders: Vec<TempDir> = golden["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| {
            let folder = tempfile::tempdir().unwrap();
            fs::copy(root.join("data/zoo/gpt2-tiny/tokenizer.json"), folder.path().join("tokenizer.json"))
                .unwrap();
            for (name, content) in case["files"].as_object().unwrap() {
                fs::write(folder.path().join(name), content.to_string()).unwrap();
            }
            folder
        })
        .collect();
    let mut identities = BTreeSet::new();
    // Together, as one `tokenizer.json` lies in all of them.
    for (case, tokenizer) in golden["cases"].as_array().unwrap().iter().zip(Tokenizer::open_all(&folders)) {
        let tokenizer = tokenizer.unwrap();
        for (text, ids) in texts.iter().zip(case["ids"].as_array().unwrap()) {
            assert_eq!(
                json!(tokenizer.plain(text.as_str().unwrap()).unwrap()),
                *ids,
                "{}: {text}",
                case["name"]
            );
        }
        identities.insert(tokenizer.identity());
    }
    // One case names the same tokens as another, in other files.
    assert_eq!(identities.len(), folders.len() - 1);
}

#[test]
fn named_tokens_that_no_model_has_are_refused() {
    let long = facts(&[], json!({"additional_special_tokens": ["a".repeat(5000)]}), json!({})).folder();
    let error = Tokenizer::open(long.path()).err().unwrap().to_string();
    assert!(error.contains("an added token of 5000 bytes"), "{error}");
}

#[test]
fn folders_opened_together_are_as_if_each_were_opened_alone() {
    let same = || facts(&["<s>"], json!({"bos_token": "<s>"}), json!({})).folder();
    let other_bos = facts(&["<s>"], json!({"bos_token": "</s>"}), json!({})).folder();
    let other = facts(&[], json!({"bos_token": "<s>"}), json!({})).folder();
    let (broken, broken_too) = (same(), same());
    for folder in [&broken, &broken_too] {
        fs::write(folder.path().join(FILE), "{}").unwrap();
    }
    let folders = [same(), other_bos, tempfile::tempdir().unwrap(), same(), broken, other, broken_too];
    let said = |one: Result<Tokenizer, TokenizerError>| match one {
        Ok(one) => {
            // Which policies it has, and what they make of a text; an error names its file.
            let ids = [Bos::Auto, Bos::Always, Bos::Never]
                .map(|bos| one.encode("<s> a b", bos).map_err(|e| e.to_string()));
            let empty = one.under(&[], "a", Bos::Auto).unwrap_err().to_string();
            Ok((one.identity().to_string(), one.bos(), ids, empty))
        }
        Err(error) => Err(error.to_string()),
    };
    let alone: Vec<_> = folders.iter().map(|folder| said(Tokenizer::open(folder.path()))).collect();
    let together: Vec<_> = Tokenizer::open_all(&folders).into_iter().map(said).collect();
    assert_eq!(together, alone);
    assert_eq!(
        alone.iter().map(Result::is_ok).collect::<Vec<_>>(),
        [true, true, false, true, false, true, false]
    );
    let identities: std::collections::BTreeSet<_> = alone.iter().flatten().map(|one| &one.0).collect();
    assert_eq!(identities.len(), 3);
}

#[test]
fn dropout_is_left_off_with_a_note_and_the_ids_are_those_without() {
    let file = |dropout: Value| {
        json!({"version": "1.0", "added_tokens": [], "model": {"type": "BPE", "dropout": dropout,
            "vocab": {"a": 0, "b": 1, "ab": 2, "abab": 3}, "merges": ["a b", "ab ab"]}})
    };
    let open = |dropout: Value| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tokenizer.json"), file(dropout).to_string()).unwrap();
        Tokenizer::open(folder.path()).unwrap()
    };
    let (with, without) = (open(json!(0.5)), open(json!(null)));
    for text in ["abab", "ababab", "bababbaab"] {
        for _ in 0..20 {
            assert_eq!(with.plain(text).unwrap(), without.plain(text).unwrap());
        }
    }
    assert_eq!(with.identity(), without.identity());
    assert!(with.note().unwrap().contains("dropout of 0.5") && without.note().is_none());
    assert!(open(json!(0.0)).note().is_none());
    // Without any merge nothing is chance.
    let all = open(json!(1.0));
    assert!(all.note().is_none() && all.identity() != without.identity());
    assert_eq!(all.plain("abab").unwrap(), [0, 1, 0, 1]);
}

/// A tokenizer with a rule that its library applies in silence when a match is given up.
fn with_rule(part: &str, rule: Value) -> Tokenizer {
    let folder = facts(&[], json!({}), json!({})).folder();
    let file = folder.path().join("tokenizer.json");
    let mut content: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    content[part] = rule;
    fs::write(&file, content.to_string()).unwrap();
    Tokenizer::open(folder.path()).unwrap()
}

#[test]
fn an_expression_that_gives_up_is_an_error_and_no_ids() {
    let pattern = json!({"Regex": "(a|a|aa)+(?=c)"});
    let split = json!({"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": false});
    let inverted = json!({"type": "Split", "pattern": pattern, "behavior": "Removed", "invert": true});
    let replace = json!({"type": "Replace", "pattern": pattern, "content": "b"});
    let text = "a".repeat(60);
    for (part, rule) in [
        ("pre_tokenizer", split.clone()),
        ("pre_tokenizer", inverted),
        ("pre_tokenizer", json!({"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, split]})),
        ("normalizer", replace.clone()),
        ("normalizer", json!({"type": "Sequence", "normalizers": [{"type": "NFC"}, replace]})),
    ] {
        let tokenizer = with_rule(part, rule.clone());
        assert!(tokenizer.plain("aab b").is_ok(), "{rule}");
        let error = tokenizer.plain(&text).unwrap_err().to_string();
        for words in ["tokenizer.json", "(a|a|aa)+", "--tokens"] {
            assert!(error.contains(words), "{rule}: {error}");
        }
    }
}

#[test]
fn a_decoder_that_gives_up_leaves_a_token_as_the_vocabulary_spells_it() {
    let replace = json!({"type": "Replace", "pattern": {"Regex": "(a|a|aa)+(?=c)|<"}, "content": "b"});
    let tokenizer = with_rule("decoder", replace.clone());
    assert_eq!(tokenizer.token(3), "a");
    let folder = tempfile::tempdir().unwrap();
    let long = "a".repeat(60) + "<";
    let file = json!({"version": "1.0", "added_tokens": [], "decoder": replace,
        "model": {"type": "WordLevel", "unk_token": "x", "vocab": {"x": 0, "aac<": 1, (long.as_str()): 2}}});
    fs::write(folder.path().join("tokenizer.json"), file.to_string()).unwrap();
    let tokenizer = Tokenizer::open(folder.path()).unwrap();
    assert_eq!([1, 2].map(|id| tokenizer.token(id)), ["bcb".to_string(), long]);
}

/// A million spaces and a word are more than the backtracking of the library of expressions holds.
#[test]
fn words_of_gpt_2_are_cut_here_too() {
    let bytes = |use_regex: bool, add_prefix_space: bool| json!({"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": true, "use_regex": use_regex});
    let vocab = json!({"u": 0, "a": 1, "Ġa": 2, "Ġ": 3, "aĠa": 4, "Ġab": 5, "Ġ123": 6, "'s": 7, "ĠaĠa": 8});
    let open = |rule: Value| {
        let folder = tempfile::tempdir().unwrap();
        let file = json!({"version": "1.0", "added_tokens": [], "pre_tokenizer": rule,
            "model": {"type": "WordLevel", "unk_token": "u", "vocab": vocab}});
        fs::write(folder.path().join("tokenizer.json"), file.to_string()).unwrap();
        Tokenizer::open(folder.path()).unwrap()
    };
    assert_eq!(open(bytes(true, false)).plain("a a ab's  a 123").unwrap(), [1, 2, 5, 7, 3, 2, 6]);
    assert_eq!(open(bytes(true, true)).plain("a a").unwrap(), [2, 2]);
    assert_eq!(open(bytes(false, false)).plain("a a").unwrap(), [4]);
    assert_eq!(open(bytes(false, true)).plain("a a").unwrap(), [8]);
    let error = open(bytes(true, false)).plain(&(" ".repeat(1_100_000) + "a")).unwrap_err().to_string();
    assert!(error.contains("(?!") && error.contains("1100001 bytes"), "{error}");
}
