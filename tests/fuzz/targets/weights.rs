//! Weights that are stored in other ways than as plain safetensors: opened, and some of each made float32.

use std::{fs, path::Path};

use model::checkpoint::{Checkpoint, SINGLE, widen::widen_from};

use super::{Execute, Target, assert_names, checkpoints::look, project};
use crate::mutate::{Format, beginning_with, input_of, parts_of};

/// Elements that are read of a weight, at most.
const ELEMENTS: usize = 4096;
/// Weights that are read of a checkpoint, at most.
const WEIGHTS: usize = 20;
/// A module of which each quantised checkpoint of the goldens has a small weight.
const MODULE: &str = "model.layers.0.self_attn.k_proj.";

pub(super) const QUANTISED: Target = Target {
    name: "quantised",
    reads: "quantised weights in safetensors: the config that says how, the tensors that store one, its float32",
    format: Format::Quantised,
    executions: 8_000,
    seeds: || {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/quantised");
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        let seed = |name: &std::ffi::OsString| {
            let folder = format!("tests/goldens/quantised/{}", name.to_str().unwrap());
            let config = String::from_utf8(project(&format!("{folder}/config.json"))).unwrap();
            let weights = project(&format!("{folder}/{SINGLE}"));
            input_of(&config, &beginning_with(&weights, MODULE))
        };
        names.iter().map(seed).collect()
    },
    prepare: |folder| -> Execute {
        let folder = folder.to_path_buf();
        Box::new(move |bytes| {
            let (config, weights) = parts_of(bytes).unwrap_or_default();
            fs::write(folder.join("config.json"), config).unwrap();
            fs::write(folder.join(SINGLE), weights).unwrap();
            read(&folder);
        })
    },
};

pub(super) const PICKLED: Target = Target {
    name: "pickled",
    reads: "`pytorch_model.bin`: the archive, the pickle in it, some numbers of each tensor",
    format: Format::Archive,
    executions: 10_000,
    seeds: || ["old", "strided"].map(|name| project(&format!("tests/goldens/pickled/{name}.bin"))).to_vec(),
    prepare: |folder| -> Execute {
        fs::write(folder.join("config.json"), r#"{"model_type": "llama"}"#).unwrap();
        let folder = folder.to_path_buf();
        Box::new(move |bytes| {
            fs::write(folder.join("pytorch_model.bin"), bytes).unwrap();
            read(&folder);
        })
    },
};

/// Looks at a checkpoint and reads some of its weights.
fn read(folder: &Path) {
    look(folder);
    let checkpoint = match Checkpoint::open(folder) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return assert_names(&error, folder.to_str().unwrap()),
    };
    for tensor in checkpoint.tensors().take(WEIGHTS) {
        let elements = tensor.elements();
        // From the first element on, from within a row, and the last ones.
        for start in [0, 5, elements.saturating_sub(ELEMENTS)] {
            let start = start.min(elements);
            widen_from(&tensor, start, &mut vec![0.0; (elements - start).min(ELEMENTS)]);
        }
    }
}
