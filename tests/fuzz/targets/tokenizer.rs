//! `tokenizer.json`: opened, asked for ids under every policy, and for the texts of ids.

use std::fs;

use model::checkpoint::Tokenizer;
use number::protocol::Bos;

use super::{Target, assert_names, project};
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
        let (folder, file) = (folder.to_path_buf(), folder.join("tokenizer.json"));
        Box::new(move |bytes| {
            fs::write(&file, bytes).unwrap();
            let tokenizer = match Tokenizer::open(&folder) {
                Ok(tokenizer) => tokenizer,
                Err(error) => return assert_names(&error, "tokenizer.json"),
            };
            tokenizer.identity();
            for text in TEXTS {
                let plain = match tokenizer.plain(text) {
                    Ok(plain) => plain,
                    // Every other text may take as long, and a run asks for each by itself.
                    Err(error) => return assert_names(&error, "tokenizer.json"),
                };
                for bos in [Bos::Auto, Bos::Always, Bos::Never] {
                    match tokenizer.under(&plain, text, bos) {
                        Ok(ids) => ids.iter().take(20).for_each(|&id| drop(tokenizer.token(id))),
                        Err(error) => assert_names(&error, "tokenizer.json"),
                    }
                }
            }
            (0..40).chain([u32::MAX]).for_each(|id| drop(tokenizer.token(id)));
        })
    },
};
