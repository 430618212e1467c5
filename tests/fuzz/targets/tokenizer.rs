//! `tokenizer.json` and `tokenizer.model`: opened, asked for ids under every policy, and for the texts of ids.

use std::{fs, path::Path};

use model::checkpoint::Tokenizer;
use number::protocol::Bos;

use super::{Execute, Target, assert_names, project};
use crate::mutate::Format;

/// Words, signs of several characters, what normalizers change, and tokens that are added.
const TEXTS: [&str; 4] = [
    "The capital of France is",
    "e\u{301}\u{fdfa} ﬁ Å 你好 👩‍👩‍👧 \u{0}\u{ad}  \t\n x1234567 don't",
    "<s> <unk></s>a bb [MASK]",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!",
];

pub(super) const TOKENIZER: Target = Target {
    name: "tokenizer",
    reads: "`tokenizer.json`: opened, texts encoded, ids decoded",
    format: Format::Json,
    executions: 5_000,
    seeds: || {
        vec![project("data/zoo/llama3-tiny/tokenizer.json"), project("data/zoo/gemma-tiny/tokenizer.json")]
    },
    prepare: |folder| {
        fs::write(folder.join("tokenizer_config.json"), r#"{"bos_token": "<s>"}"#).unwrap();
        asked(folder, "tokenizer.json")
    },
};

pub(super) const SENTENCEPIECE: Target = Target {
    name: "sentencepiece",
    reads: "`tokenizer.model` of SentencePiece: opened, texts encoded, ids decoded",
    format: Format::Protobuf,
    executions: 3_000,
    seeds: || {
        let models = ["llama", "gemma", "bytes", "symbols", "extra"];
        models.map(|name| project(&format!("tests/goldens/pieces/{name}.model"))).to_vec()
    },
    prepare: |folder| {
        fs::write(folder.join("tokenizer_config.json"), r#"{"add_bos_token": true}"#).unwrap();
        asked(folder, "tokenizer.model")
    },
};

/// Opens the folder with the bytes as this file, and asks for all that a tokenizer is asked for.
fn asked(folder: &Path, name: &'static str) -> Execute {
    let (folder, file) = (folder.to_path_buf(), folder.join(name));
    Box::new(move |bytes| {
        fs::write(&file, bytes).unwrap();
        let tokenizer = match Tokenizer::open(&folder) {
            Ok(tokenizer) => tokenizer,
            Err(error) => return assert_names(&error, name),
        };
        tokenizer.identity();
        for text in TEXTS {
            let plain = match tokenizer.plain(text) {
                Ok(plain) => plain,
                // Every other text may take as long, and a run asks for each by itself.
                Err(error) => return assert_names(&error, name),
            };
            for bos in [Bos::Auto, Bos::Always, Bos::Never] {
                match tokenizer.under(&plain, text, bos) {
                    Ok(ids) => ids.iter().take(20).for_each(|&id| drop(tokenizer.token(id))),
                    Err(error) => assert_names(&error, name),
                }
            }
        }
        (0..40).chain([u32::MAX]).for_each(|id| drop(tokenizer.token(id)));
    })
}
