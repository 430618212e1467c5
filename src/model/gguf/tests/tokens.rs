//! The tokenizer of a GGUF file against a `tokenizer.json` of the same vocabulary, on texts of all kinds.

use std::{
    fs,
    path::{Path, PathBuf},
};

use number::protocol::Bos;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    blocks::random_bytes,
    writer::{LIST, TEXT, Writer, list, text},
};
use crate::checkpoint::{Tokenizer, TokenizerError};

/// Pieces of which texts are made.
const PIECES: &[&str] = &[
    "The capital of France is",
    " Paris",
    "don't",
    "DON'T",
    "they'LL",
    " I've",
    "naïve",
    "cafe\u{301}",
    "Größe",
    "ΑΒΓ",
    "мир",
    "日本語",
    "한국어",
    "العربية",
    "हिन्दी",
    "ไทย",
    "👩‍👩‍👧",
    "🙂",
    "é",
    "ﬁ",
    "½",
    "٣٤",
    "１２",
    "1",
    "22",
    "333",
    "4444",
    "3.14",
    "1,000,000",
    " ",
    "  ",
    "   ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "\u{a0}",
    "\u{200b}",
    "\u{3000}",
    "!",
    "?!",
    "...",
    "—",
    "_",
    "__init__",
    "{}",
    "();",
    "//",
    "=>",
    "<s>",
    "</s>",
    "<|begin_of_text|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|im_start|>",
    "a",
    "A",
    "x1y2",
    "ß",
    "\u{0}",
    "\u{feff}",
];

/// A thousand texts of one to twelve pieces.
fn texts() -> Vec<String> {
    let mut next = random_bytes(7);
    let mut text = || {
        let count = 1 + next() % 12;
        (0..count).map(|_| PIECES[next() as usize % PIECES.len()]).collect::<String>()
    };
    (0..1000).map(|_| text()).collect()
}

fn zoo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/zoo").join(name)
}

fn texts_of<'a>(values: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let values: Vec<Vec<u8>> = values.map(text).collect();
    list(TEXT, values.len() as u64, &values.concat())
}

/// The vocabulary of a `tokenizer.json` as a GGUF file has it, split as `pre` says.
fn written(tokenizer: &Value, pre: &str) -> Writer {
    let model = &tokenizer["model"];
    let added = tokenizer["added_tokens"].as_array().unwrap();
    let mut tokens: Vec<(u64, &str)> = model["vocab"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(token, id)| (id.as_u64().unwrap(), token.as_str()))
        .collect();
    tokens.extend(
        added.iter().map(|token| (token["id"].as_u64().unwrap(), token["content"].as_str().unwrap())),
    );
    tokens.sort_unstable();
    tokens.dedup();
    assert!(tokens.iter().enumerate().all(|(index, (id, _))| index as u64 == *id));
    let kinds: Vec<u8> = tokens
        .iter()
        .flat_map(|(id, _)| if added.iter().any(|token| token["id"] == *id) { 3i32 } else { 1 }.to_le_bytes())
        .collect();
    let merges: Vec<String> = model["merges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|pair| {
            pair.as_str().map_or_else(
                || format!("{} {}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap()),
                String::from,
            )
        })
        .collect();
    Writer::default()
        .text("tokenizer.ggml.model", "gpt2")
        .text("tokenizer.ggml.pre", pre)
        .key("tokenizer.ggml.tokens", LIST, &texts_of(tokens.iter().map(|(_, token)| *token)))
        .key("tokenizer.ggml.token_type", LIST, &list(5, tokens.len() as u64, &kinds))
        .key("tokenizer.ggml.merges", LIST, &texts_of(merges.iter().map(String::as_str)))
}

fn read(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("tokenizer.json")).unwrap()).unwrap()
}

fn opened(writer: &Writer) -> Result<Tokenizer, TokenizerError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("m.gguf");
    fs::write(&file, writer.bytes()).unwrap();
    Tokenizer::open(&file)
}

/// Ids of all texts by both tokenizers.
fn agree(of_file: &Tokenizer, own: &Tokenizer, bos: Bos) {
    for text in texts() {
        // Texts of nothing but a BOS that is taken off have no ids.
        assert_eq!(of_file.encode(&text, bos).ok(), own.encode(&text, bos).ok(), "{text:?}");
    }
}

#[test]
fn ids_are_those_of_the_models_own_tokenizer() {
    for (model, pre) in [("gpt2-tiny", "gpt-2"), ("llama3-tiny", "llama-bpe")] {
        let own = Tokenizer::open(&zoo(model)).unwrap();
        let bos = own.bos().unwrap();
        let writer = written(&read(&zoo(model)), pre).count("tokenizer.ggml.bos_token_id", bos);
        let of_file = opened(&writer).unwrap();
        assert_eq!(of_file.bos(), Some(bos));
        agree(&of_file, &own, Bos::Auto);
        agree(&of_file, &own, Bos::Never);
        for id in 0..1408 {
            assert_eq!(of_file.token(id), own.token(id), "{model} {id}");
        }
    }
}

/// What `scripts/reference/make_tokens.py` found: a thousand texts, and their ids by every kind of tokenizer.
fn reference() -> Value {
    let file = goldens().join("ids.json");
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/gguf/tokens")
}

/// Every id of every text; the first texts are compared one by one, for a message.
fn same_ids(name: &str, tokenizer: &Tokenizer, texts: &[Value], golden: &Value) {
    let ids = |text: &Value| tokenizer.plain(text.as_str().unwrap()).unwrap();
    for (text, expected) in texts.iter().zip(golden["first"].as_array().unwrap()) {
        assert_eq!(json!(ids(text)), *expected, "{name}: {text}");
    }
    let all: Vec<Vec<u32>> = texts.iter().map(ids).collect();
    let digest = Sha256::digest(serde_json::to_vec(&all).unwrap());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(json!(digest), golden["sha256"], "{name}");
}

#[test]
fn splits_are_those_of_the_models_that_gave_them_their_names() {
    let reference = reference();
    let texts = reference["texts"].as_array().unwrap();
    let tokenizer = read(&zoo("gpt2-tiny"));
    let splits = reference["byte_level"].as_object().unwrap();
    assert!(texts.len() == 1000 && splits.len() > 30);
    for (pre, golden) in splits {
        same_ids(pre, &opened(&written(&tokenizer, pre)).unwrap(), texts, golden);
    }
}

#[test]
fn scores_of_a_sentencepiece_vocabulary_merge_as_its_tokenizer_json_does() {
    let reference = reference();
    let texts = reference["texts"].as_array().unwrap();
    for (name, golden) in reference["sentencepiece"].as_object().unwrap() {
        let tokenizer = Tokenizer::open(&goldens().join(format!("{name}.gguf"))).unwrap();
        same_ids(name, &tokenizer, texts, golden);
        // LLaMA's BOS is told nowhere else.
        let ids = tokenizer.encode("a b", Bos::Auto).unwrap();
        assert_eq!((tokenizer.bos(), ids[0]), (Some(1), 1), "{name}");
        let space = if name == "llama" { " " } else { "" };
        let text: String = ids[1..].iter().map(|id| tokenizer.token(*id)).collect();
        assert_eq!(text, format!("{space}a b"));
    }
}

/// Vocabularies of published models with texts and the ids of the model's own tokenizer, which the source package of
/// `llama-cpp-python` on PyPI has in `vendor/llama.cpp/models`. Looked at where `GGUF_VOCABULARIES` names that folder.
#[test]
fn published_vocabularies_give_the_ids_of_the_models_own_tokenizers() {
    let Some(folder) = std::env::var_os("GGUF_VOCABULARIES").map(PathBuf::from) else { return };
    let mut wrong = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let texts = entry.unwrap().path();
        let (true, file) = (texts.extension().is_some_and(|e| e == "inp"), texts.with_extension("")) else {
            continue;
        };
        let tokenizer = match Tokenizer::open(&file) {
            Ok(tokenizer) => tokenizer,
            Err(error) => {
                println!("{error}");
                continue;
            }
        };
        let (texts, ids) = (
            fs::read_to_string(&texts).unwrap(),
            fs::read_to_string(file.with_extension("gguf.out")).unwrap(),
        );
        let texts: Vec<&str> =
            texts.split("\n__ggml_vocab_test__\n").filter(|text| !text.is_empty()).collect();
        let ids = ids.lines().filter(|line| !line.trim().is_empty());
        let mut same = 0;
        for (text, expected) in texts.iter().zip(ids) {
            let expected: Vec<u32> = expected.split_whitespace().map(|id| id.parse().unwrap()).collect();
            let found = tokenizer.plain(text).unwrap();
            same += usize::from(found == expected);
            if found != expected {
                wrong.push(format!("{}: {text:?}: expected {expected:?}, found {found:?}", file.display()));
            }
        }
        println!("{}: {same} of {} texts", file.file_name().unwrap().display(), texts.len());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_sentencepiece_vocabulary_needs_a_score_for_every_token() {
    let pieces = |scores: &[f32]| {
        let bytes: Vec<u8> = scores.iter().flat_map(|score| score.to_le_bytes()).collect();
        Writer::default()
            .text("tokenizer.ggml.model", "llama")
            .key("tokenizer.ggml.tokens", LIST, &texts_of(["<unk>", "<s>", "a", "aa"].into_iter()))
            .key("tokenizer.ggml.scores", LIST, &list(6, scores.len() as u64, &bytes))
    };
    let tokenizer = opened(&pieces(&[0.0, 0.0, 0.0, -1.0])).unwrap();
    assert_eq!(tokenizer.encode("aaa", Bos::Auto).unwrap(), [1, 0, 3, 2]);
    for (writer, words) in [
        (pieces(&[0.0]), ["each of 4 tokens", "1 scores"]),
        (pieces(&[0.0, f32::NAN, 0.0, 0.0]), ["finite numbers", "NaN at index 1"]),
        (
            Writer::default().text("tokenizer.ggml.model", "llama").key(
                "tokenizer.ggml.tokens",
                LIST,
                &texts_of(["a"].into_iter()),
            ),
            ["`tokenizer.ggml.scores`", "no such key"],
        ),
    ] {
        let message = opened(&writer).err().expect("it was opened").to_string();
        assert!(words.iter().all(|word| message.contains(word)), "{message}");
    }
    let long = "a".repeat(1 << 15);
    let writer = Writer::default()
        .text("tokenizer.ggml.model", "llama")
        .key("tokenizer.ggml.tokens", LIST, &texts_of([long.as_str()].into_iter()))
        .key("tokenizer.ggml.scores", LIST, &list(6, 1, &[0; 4]));
    let message = opened(&writer).err().expect("it was opened").to_string();
    assert!(message.contains("short enough to be cut into pairs"), "{message}");
}

#[test]
fn who_adds_a_bos_is_what_the_file_says_or_else_what_its_kind_does() {
    let tokenizer = read(&zoo("gpt2-tiny"));
    let leading = |writer: &Writer| {
        let opened = opened(writer).unwrap();
        opened.leading_bos(&opened.encode("a b", Bos::Auto).unwrap())
    };
    let flag = |writer: Writer, value: u8| writer.key("tokenizer.ggml.add_bos_token", 7, &[value]);
    let with = |pre| written(&tokenizer, pre).count("tokenizer.ggml.bos_token_id", 0);
    assert_eq!(leading(&with("gpt-2")), 0);
    assert_eq!(leading(&with("llama-bpe")), 1);
    assert_eq!(leading(&flag(with("gpt-2"), 1)), 1);
    assert_eq!(leading(&flag(with("llama-bpe"), 0)), 0);
}

#[test]
fn a_tokenizer_that_is_not_known_or_contradicts_itself_is_refused_by_its_key() {
    let tokenizer = read(&zoo("gpt2-tiny"));
    let refused = |writer: Writer, words: &[&str]| {
        let message = opened(&writer).err().expect("it was opened").to_string();
        for word in words {
            assert!(message.contains(word), "{word:?} is not in: {message}");
        }
    };
    refused(
        written(&tokenizer, "superbpe"),
        &["`tokenizer.ggml.pre`", "gpt-2, phi-2, ", ", llama-bpe, ", "\"superbpe\"", "--tokens"],
    );
    refused(
        Writer::default().text("tokenizer.ggml.model", "bert"),
        &["`tokenizer.ggml.model`", "\"gpt2\"", "\"llama\"", "\"bert\""],
    );
    refused(Writer::default(), &["`tokenizer.ggml.model`", "no such key"]);
    let more = written(&tokenizer, "gpt-2").key("tokenizer.ggml.add_eos_token", 7, &[1]);
    refused(more, &["`tokenizer.ggml.add_eos_token`", "expected false, found true"]);
    let beyond = written(&tokenizer, "gpt-2").count("tokenizer.ggml.bos_token_id", 1 << 30);
    refused(beyond, &["`tokenizer.ggml.bos_token_id`", "an id below 1408"]);
    let lists = |tokens: &[&str], merges: &[&str]| {
        Writer::default()
            .text("tokenizer.ggml.model", "gpt2")
            .text("tokenizer.ggml.pre", "gpt-2")
            .key("tokenizer.ggml.tokens", LIST, &texts_of(tokens.iter().copied()))
            .key("tokenizer.ggml.merges", LIST, &texts_of(merges.iter().copied()))
    };
    refused(lists(&["a", "b", "a"], &[]), &["`tokenizer.ggml.tokens`", "\"a\" at 0 and at 2"]);
    refused(lists(&["a", "b"], &["a b"]), &["`tokenizer.ggml.merges`", "\"a b\" at index 0"]);
    assert!(opened(&lists(&["a", "b", "ab"], &["a b"])).is_ok());
    let kinds =
        lists(&["a", "b"], &[]).key("tokenizer.ggml.token_type", LIST, &list(5, 1, &1i32.to_le_bytes()));
    refused(kinds, &["`tokenizer.ggml.token_type`", "each of 2 tokens", "1 kinds"]);
}
