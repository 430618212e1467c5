//! Decoders that other tools exported, as `tap` reads them. Weights are left out of the seeds: they are not read.

use std::{fs, path::PathBuf};

use model::tap;

use super::{Target, assert_names, project};
use crate::mutate::{Format, without_weights};

pub(super) const ONNX: Target = Target {
    name: "onnx",
    reads: "an ONNX file: its graph, the residual stream in it, the file with taps",
    format: Format::Protobuf,
    executions: 3_000,
    seeds: || {
        [
            "genai_int4_llama_gqa_heads16_f32",
            "ort_fused_llama_mha_f32",
            "torch_dynamo_gpt2",
            "torch_script_llama_mha_f32",
        ]
        .map(|name| without_weights(&project(&format!("tests/foreign/{name}.onnx"))))
        .to_vec()
    },
    prepare: |folder| {
        let (file, target): (PathBuf, PathBuf) = (folder.join("model.onnx"), folder.join("tapped.onnx"));
        Box::new(move |bytes| match tap::find(bytes, &file) {
            Ok(found) => {
                let _ = found.write(&[], &target);
                let _ = fs::remove_file(&target);
            }
            Err(error) => assert_names(&error, "model.onnx"),
        })
    },
};
