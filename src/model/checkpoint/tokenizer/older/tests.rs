//! Ids of folders without `tokenizer.json` against those of the reference, on texts of all kinds.

use std::{fs, path::Path};

use number::protocol::Bos;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::checkpoint::{Tokenizer, TokenizerError};

fn read(path: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// A folder of vocab.json and merges.txt, and the files of a case of `make_older_tokens.py`.
fn folder(case: &Value, model: &Value) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write("config.json", json!({"model_type": case["family"]}).to_string());
    for (name, content) in case["files"].as_object().unwrap() {
        write(name, content.to_string());
    }
    write("vocab.json", model["vocab"].to_string());
    let pair = |pair: &Value| format!("{} {}\n", pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
    let merges: String = model["merges"].as_array().unwrap().iter().map(pair).collect();
    write("merges.txt", format!("#version: 0.2\n{merges}"));
    folder
}

fn ids(tokenizer: &Tokenizer, texts: &[Value]) -> Vec<Vec<u32>> {
    texts.iter().map(|text| tokenizer.plain(text.as_str().unwrap()).unwrap()).collect()
}

#[test]
fn ids_of_a_vocabulary_and_its_merges_are_those_of_the_class_that_reads_them() {
    let texts = read("tests/goldens/gguf/tokens/ids.json")["texts"].take();
    let texts = texts.as_array().unwrap();
    let model = read("data/zoo/gpt2-tiny/tokenizer.json")["model"].take();
    let cases = read("tests/goldens/older_tokens.json");
    let mut read = 0;
    for case in cases.as_array().unwrap() {
        let name = &case["name"];
        let opened = Tokenizer::open(folder(case, &model).path());
        if case["sha256"].is_null() {
            let error = opened.err().unwrap_or_else(|| panic!("{name} was opened")).to_string();
            assert!(error.contains("vocab.json") && error.contains("tokenizer_class"), "{error}");
            continue;
        }
        let tokenizer = opened.unwrap_or_else(|error| panic!("{name}: {error}"));
        for (text, expected) in texts.iter().zip(case["first"].as_array().unwrap()) {
            assert_eq!(json!(tokenizer.plain(text.as_str().unwrap()).unwrap()), *expected, "{name}: {text}");
        }
        let digest = Sha256::digest(serde_json::to_vec(&ids(&tokenizer, texts)).unwrap());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(json!(digest), case["sha256"], "{name}");
        assert_eq!(json!(tokenizer.bos()), case["bos"], "{name}");
        read += 1;
    }
    assert!(read > 25);
}

/// A folder of three tokens and one merge.
fn small(vocabulary: &str, merges: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("config.json"), r#"{"model_type": "gpt2"}"#).unwrap();
    fs::write(folder.path().join("vocab.json"), vocabulary).unwrap();
    fs::write(folder.path().join("merges.txt"), merges).unwrap();
    folder
}

const SMALL: &str = r#"{"a": 0, "b": 1, "ab": 2}"#;

#[test]
fn line_ends_and_marks_of_byte_order_change_no_ids() {
    for (vocabulary, merges) in [
        (SMALL.to_string(), "#version: 0.2\na b\n"),
        (SMALL.to_string(), "a b"),
        (SMALL.to_string(), "#version: 0.2\r\na b\r\n\r\n"),
        (format!("\u{feff}{SMALL}"), "\u{feff}#version: 0.2\na b\n"),
    ] {
        let tokenizer = Tokenizer::open(small(&vocabulary, merges).path()).unwrap();
        assert_eq!(tokenizer.encode("abb", Bos::Auto).unwrap(), [2, 1], "{merges:?}");
    }
}

#[test]
fn files_that_make_no_tokenizer_are_refused_with_what_helps() {
    let refused = |folder: &TempDir, words: &[&str]| {
        let error: TokenizerError = Tokenizer::open(folder.path()).err().expect("it was opened");
        for word in words {
            assert!(error.to_string().contains(word), "{word:?} is not in: {error}");
        }
    };
    refused(&small(SMALL, "a b\nab\n"), &["merges.txt", "\"ab\" in line 2"]);
    refused(&small(SMALL, "a b c\n"), &["merges.txt", "\"a b c\" in line 1"]);
    refused(&small(SMALL, "a c\n"), &["vocab.json"]);
    refused(&small("[]", "a b\n"), &["vocab.json", "an object of token to id"]);
    refused(&small(r#"{"a": -1}"#, ""), &["vocab.json"]);
    let folder = small(SMALL, "a b\n");
    fs::remove_file(folder.path().join("merges.txt")).unwrap();
    refused(&folder, &["vocab.json", "merges.txt", "download"]);
    fs::remove_file(folder.path().join("vocab.json")).unwrap();
    refused(&folder, &["no tokenizer.json", "--tokens"]);
    for (name, what) in [("vocab.txt", "WordPiece"), ("tekken.json", "mistral-common")] {
        fs::write(folder.path().join(name), "").unwrap();
        refused(&folder, &[name, what, "save_pretrained", "--tokens"]);
        fs::remove_file(folder.path().join(name)).unwrap();
    }
}

/// A folder of a vocabulary of SentencePiece, and the files of a case of `make_pieces.py`.
fn folder_of_pieces(case: &Value) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| fs::write(folder.path().join(name), text).unwrap();
    write("config.json", json!({"model_type": case["family"]}).to_string());
    for (name, content) in case["files"].as_object().unwrap() {
        write(name, content.to_string());
    }
    let model = format!("tests/goldens/pieces/{}.model", case["model"].as_str().unwrap());
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(model);
    fs::copy(model, folder.path().join(case["file"].as_str().unwrap())).unwrap();
    folder
}

#[test]
fn ids_of_sentencepiece_files_are_those_of_their_library_and_of_the_classes_that_read_them() {
    let texts = read("tests/goldens/gguf/tokens/ids.json")["texts"].take();
    let cases = read("tests/goldens/pieces/cases.json");
    let cases = cases.as_array().unwrap();
    assert!(cases.len() > 14);
    for case in cases {
        let name = &case["name"];
        let tokenizer =
            Tokenizer::open(folder_of_pieces(case).path()).unwrap_or_else(|e| panic!("{name}: {e}"));
        let left_out = |index: usize| case["but"].as_array().unwrap().contains(&json!(index));
        let texts = texts.as_array().unwrap().iter().enumerate();
        let texts: Vec<Value> =
            texts.filter(|(index, _)| !left_out(*index)).map(|(_, text)| text.clone()).collect();
        assert!(texts.len() > 950, "{name}");
        for (text, expected) in texts.iter().zip(case["first"].as_array().unwrap()) {
            assert_eq!(json!(tokenizer.plain(text.as_str().unwrap()).unwrap()), *expected, "{name}: {text}");
        }
        let digest = Sha256::digest(serde_json::to_vec(&ids(&tokenizer, &texts)).unwrap());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(json!(digest), case["sha256"], "{name}");
        assert_eq!(json!(tokenizer.bos()), case["bos"], "{name}");
    }
}

/// A folder of one vocabulary of the goldens, changed.
fn changed(change: impl Fn(&mut Vec<u8>), settings: &Value) -> TempDir {
    let case = json!({"family": "llama", "files": {"tokenizer_config.json": settings}, "model": "llama", "file": "tokenizer.model"});
    let folder = folder_of_pieces(&case);
    let file = folder.path().join("tokenizer.model");
    let mut bytes = fs::read(&file).unwrap();
    change(&mut bytes);
    fs::write(file, bytes).unwrap();
    folder
}

#[test]
fn a_token_that_the_settings_declare_at_the_id_of_a_piece_stands_in_its_place() {
    let declared = json!({"added_tokens_decoder": {"5": {"content": "<|user|>", "special": true}}});
    let tokenizer = Tokenizer::open(changed(|_| {}, &declared).path()).unwrap();
    assert_eq!(tokenizer.plain("<|user|>").unwrap(), [5]);
    assert_eq!(tokenizer.token(5), "<|user|>");
}

#[test]
fn more_tokens_than_can_be_compared_with_each_other_are_refused() {
    let many: Vec<String> = (0..20_000).map(|index| format!("<{index}>")).collect();
    let folder = changed(|_| {}, &json!({"extra_special_tokens": many}));
    let error = Tokenizer::open(folder.path()).err().expect("it was opened").to_string();
    assert!(error.contains("tokenizer_config.json") && error.contains("at most 16384 tokens"), "{error}");
}

#[test]
fn sentencepiece_files_that_are_not_followed_are_refused_with_what_helps() {
    let refused = |folder: &TempDir, words: &[&str]| {
        let error = Tokenizer::open(folder.path()).err().expect("it was opened").to_string();
        for word in ["tokenizer.model", "save_pretrained", "--tokens"].iter().chain(words) {
            assert!(error.contains(word), "{word:?} is not in: {error}");
        }
    };
    let with = |field: &[u8]| changed(|bytes| bytes.extend(field), &json!({}));
    let trainer = |field: &[u8]| with(&[&[0x12, field.len() as u8], field].concat());
    let normalizer = |field: &[u8]| with(&[&[0x1a, field.len() as u8], field].concat());
    refused(&trainer(&[0x18, 3]), &["`model_type` UNIGRAM (1) or BPE (2)", "found 3"]);
    refused(&trainer(&[0xc0, 1, 1]), &["`treat_whitespace_as_suffix` false"]);
    refused(&normalizer(&[0x28, 0]), &["`escape_whitespaces` true"]);
    let piece = |text: &str, score: f32, kind: u8| {
        let parts: [&[u8]; 5] =
            [&[0x0a, text.len() as u8], text.as_bytes(), &[0x15], &score.to_le_bytes(), &[0x18, kind]];
        let field = parts.concat();
        with(&[&[0x0a, field.len() as u8], &field[..]].concat())
    };
    refused(&piece("never seen", 0.0, 5), &["type 5 of piece 900"]);
    refused(&piece("never seen", f32::NAN, 1), &["NaN of piece 900"]);
    refused(&piece("", 0.0, 1), &["nothing as piece 900"]);
    refused(&piece("<s>", 0.0, 3), &["\"<s>\" twice"]);
    refused(&piece("never seen", 0.0, 2), &["one piece of the type UNKNOWN", "found 2"]);
    refused(&changed(|bytes| bytes.truncate(100), &json!({})), &["a SentencePiece model"]);
    refused(&changed(Vec::clear, &json!({})), &["found 0"]);
    let tiktoken = |bytes: &mut Vec<u8>| *bytes = b"IQ== 0\nIg== 1\n".to_vec();
    refused(&changed(tiktoken, &json!({})), &["a tokenizer of tiktoken"]);
    let class = json!({"tokenizer_class": "XGLMTokenizer"});
    refused(&changed(|_| {}, &class), &["`tokenizer_class` = \"XGLMTokenizer\"", "LlamaTokenizer"]);
    let extra = json!({"tokenizer_class": "T5Tokenizer", "extra_ids": 5000});
    refused(&changed(|_| {}, &extra), &["`extra_ids` up to 4096"]);
}
