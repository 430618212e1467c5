//! Checkpoint folders: weights, their index, their config.

use std::{fs, path::Path};

use app::pipeline::Subject;
use model::checkpoint::{Checkpoint, INDEX as INDEX_FILE, Memo, SINGLE, Tokenizer};

use super::{Execute, Target, assert_names, in_folders, project};
use crate::mutate::Format;

pub(super) const SAFETENSORS: Target = Target {
    name: "safetensors",
    reads: "`model.safetensors`: header and places of the tensors",
    format: Format::Safetensors,
    executions: 10_000,
    seeds: || vec![small(0), small(3), project("tests/goldens/gemma3_nested_softcaps_f16/model.safetensors")],
    prepare: |folder| {
        fs::write(folder.join("config.json"), r#"{"model_type": "llama"}"#).unwrap();
        let (folder, file) = (folder.to_path_buf(), folder.join(SINGLE));
        Box::new(move |bytes| {
            fs::write(&file, bytes).unwrap();
            look(&folder);
        })
    },
};

/// Everything that can be asked of a checkpoint without computing.
pub(super) fn look(folder: &Path) {
    match Checkpoint::open(folder) {
        Ok(checkpoint) => {
            let weights: usize = checkpoint.tensors().map(|tensor| tensor.elements()).sum();
            assert_eq!(weights as u64, checkpoint.parameters());
            for entry in checkpoint.entries() {
                assert!(checkpoint.has(entry.name));
                checkpoint.read(entry.name);
            }
            let _ = (checkpoint.tensor("x"), checkpoint.dtype(), checkpoint.identity(&Memo::none()));
        }
        Err(error) => assert_names(&error, folder.to_str().unwrap()),
    }
}

/// A file of some tensors of every kind.
fn small(tensors: usize) -> Vec<u8> {
    let (mut header, mut at) = (serde_json::Map::new(), 0);
    header.insert("__metadata__".into(), serde_json::json!({"format": "pt"}));
    for (number, (dtype, size)) in [("F32", 4), ("BF16", 2), ("I64", 8)].into_iter().take(tensors).enumerate()
    {
        let end = at + 6 * size;
        header.insert(
            format!("model.layers.{number}.weight"),
            serde_json::json!({"dtype": dtype, "shape": [2, 3], "data_offsets": [at, end]}),
        );
        at = end;
    }
    let header = serde_json::Value::Object(header).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &vec![1; at]].concat()
}

pub(super) const INDEX: Target = Target {
    name: "index",
    reads: "`model.safetensors.index.json`: the shard of each tensor",
    format: Format::Json,
    executions: 20_000,
    seeds: || {
        let name = |number: usize| format!("model.layers.{number}.weight");
        let map: serde_json::Map<_, _> =
            (0..3).map(|number| (name(number), serde_json::json!("a.safetensors"))).collect();
        let index = serde_json::json!({"metadata": {"total_size": 84}, "weight_map": map});
        vec![
            index.to_string().into_bytes(),
            project("tests/goldens/llama_gqa_llama3_sharded_f32/model.safetensors.index.json"),
        ]
    },
    prepare: |folder| {
        fs::write(folder.join("config.json"), r#"{"model_type": "llama"}"#).unwrap();
        fs::write(folder.join("a.safetensors"), small(3)).unwrap();
        let (folder, file) = (folder.to_path_buf(), folder.join(INDEX_FILE));
        Box::new(move |bytes| {
            fs::write(&file, bytes).unwrap();
            look(&folder);
        })
    },
};

pub(super) const CONFIG: Target = Target {
    name: "config",
    reads: "`config.json`: family, sizes and the graphs made of them",
    format: Format::Json,
    executions: 6_000,
    seeds: || in_folders("tests/goldens", "config.json"),
    prepare: |folder| -> Execute {
        fs::write(folder.join(SINGLE), small(3)).unwrap();
        let (folder, file) = (folder.to_path_buf(), folder.join("config.json"));
        Box::new(move |bytes| {
            fs::write(&file, bytes).unwrap();
            match Subject::open("id", &folder, &Memo::none()) {
                Ok(subject) => drop(subject.facts()),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
        })
    },
};

pub(super) const GGUF: Target = Target {
    name: "gguf",
    reads: "a GGUF file: metadata, places of the tensors, the config and tokenizer described in it",
    format: Format::Head(16_000),
    executions: 3_000,
    seeds: || {
        ["llama_q4_1_biases", "qwen2_f16", "qwen3_q5_1"]
            .map(|name| project(&format!("tests/goldens/gguf/{name}/model.gguf")))
            .to_vec()
    },
    prepare: |folder| -> Execute {
        let file = folder.join("model.gguf");
        Box::new(move |bytes| {
            fs::write(&file, bytes).unwrap();
            match Subject::open("id", &file, &Memo::none()) {
                Ok(subject) => drop((subject.facts(), subject.weights())),
                Err(error) => assert!(!error.to_string().is_empty()),
            }
            match Tokenizer::open(&file) {
                Ok(tokenizer) => {
                    let ids = tokenizer.plain("The capital of France is").unwrap_or_default();
                    ids.iter().chain(&[0, 5, u32::MAX]).for_each(|&id| drop(tokenizer.token(id)));
                }
                Err(error) => assert_names(&error, "model.gguf"),
            }
        })
    },
};
