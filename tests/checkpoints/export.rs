//! Exported models, run as any tool would run them, against the streamed run and against themselves.

use std::{collections::BTreeMap, fs, path::Path};

use crate::goldens::{cases, golden, prompts, run};
use engine::run::{Decoder, Floats, Runtime};
use model::{checkpoint::Checkpoint, export::ExportError, export::Exported, export::export};

/// Largest difference between the two ways, relative to the largest number beside it: two layouts of one computation.
const TOLERANCE: f64 = 1e-5;

fn exported(case: &str, taps: &[&str], folder: &Path) -> Result<Exported, ExportError> {
    let taps: Vec<String> = taps.iter().map(|tap| (*tap).to_string()).collect();
    export(&Checkpoint::open(&golden(case)).unwrap(), &taps, folder, true)
}

fn decoder(exported: &Exported) -> Decoder {
    Decoder::open(&Runtime::load(None).unwrap(), &exported.file).unwrap()
}

/// L2 norms of `[T, D]` over the last axis.
fn norms((shape, data): &Floats) -> Vec<f64> {
    data.chunks(shape[1])
        .map(|row| row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt())
        .collect()
}

fn close(found: &[f64], expected: impl IntoIterator<Item = f32>, place: &str) {
    for (t, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - f64::from(expected)).abs() / found.abs().max(f64::from(expected).abs());
        assert!(error <= TOLERANCE, "{place}, token {t}: {found} exported, {expected} streamed");
    }
}

/// `a + b = c` in every component, to float32.
fn sums(a: &Floats, b: &Floats, c: &Floats, place: &str) {
    assert_eq!((&a.0, &b.0), (&c.0, &c.0), "{place}");
    for ((a, b), c) in a.1.iter().zip(&b.1).zip(&c.1) {
        let scale = a.abs().max(b.abs()).max(c.abs());
        assert!((a + b - c).abs() <= 4.0 * f32::EPSILON * scale, "{place}: {a} + {b} is not {c}");
    }
}

#[test]
fn exported_outputs_are_those_of_the_streamed_run_and_the_branches_add_up() {
    let mut families = std::collections::BTreeSet::new();
    let quantised = ["gguf/llama_q4_1_biases", "gguf/qwen2_f16"].map(String::from);
    for case in cases().into_iter().chain(quantised) {
        let folder = tempfile::tempdir().unwrap();
        let exported = exported(&case, &[], folder.path()).unwrap_or_else(|e| panic!("{case}: {e}"));
        let mut decoder = decoder(&exported);
        let prompts = prompts(&case);
        for (prompt, expected) in prompts.iter().zip(run(&golden(&case), &prompts).unwrap()) {
            let found = decoder.run(prompt, &BTreeMap::new()).unwrap();
            let at = |block: usize, hook: &str| &found[&format!("blocks.{block}.hook_{hook}")];
            for block in 0..expected.blocks() {
                let place = format!("{case}, {} tokens, block {block}", prompt.len());
                let row = |table: &ndarray::Array2<f32>, layer: usize| table.row(layer).to_vec();
                close(&norms(at(block, "resid_pre")), row(expected.resid(), block), &place);
                close(&norms(at(block, "resid_post")), row(expected.resid(), block + 1), &place);
                close(&norms(at(block, "attn_out")), row(expected.tap("attn_out"), block), &place);
                close(&norms(at(block, "mlp_out")), row(expected.tap("mlp_out"), block), &place);
                if let Some(middle) = found.get(&format!("blocks.{block}.hook_resid_mid")) {
                    // A post-norm stream is normalised anew, so its writes are differences: they add up by definition.
                    sums(at(block, "resid_pre"), at(block, "attn_out"), middle, &place);
                    sums(middle, at(block, "mlp_out"), at(block, "resid_post"), &place);
                }
            }
            close(&norms(&found["ln_final.hook_normalized"]), expected.final_norm().to_vec(), &case);
            let (shape, logits) = &found["logits"];
            let last = &logits[(shape[0] - 1) * shape[1]..];
            let top = (0..last.len()).max_by(|a, b| last[*a].total_cmp(&last[*b])).unwrap();
            assert_eq!(top as u32, expected.top[0].id, "{case}");
        }
        families.insert(case.split('_').next().unwrap().to_string());
    }
    assert!(families.len() > 1, "goldens are missing");
}

#[test]
fn packed_prompts_do_not_see_each_other() {
    for case in ["llama_gqa_tied_bf16", "gpt_neox_parallel_f32"] {
        let folder = tempfile::tempdir().unwrap();
        let exported = exported(case, &["*.hook_resid_post", "logits"], folder.path()).unwrap();
        let mut decoder = decoder(&exported);
        let prompts = prompts(case);
        let packed = decoder.run_packed(&prompts, &BTreeMap::new()).unwrap();
        let mut start = 0;
        for prompt in &prompts {
            let alone = decoder.run(prompt, &BTreeMap::new()).unwrap();
            for (name, (shape, alone)) in &alone {
                let packed = &packed[name].1[start * shape[1]..(start + prompt.len()) * shape[1]];
                let scale = alone.iter().fold(0f32, |most, x| most.max(x.abs()));
                for (a, b) in alone.iter().zip(packed) {
                    assert!((a - b).abs() <= 2e-6 * scale, "{case} {name}: {a} alone, {b} in company");
                }
            }
            start += prompt.len();
        }
    }
}

#[test]
fn chosen_taps_leave_out_what_they_do_not_need() {
    let folder = tempfile::tempdir().unwrap();
    let all = exported("llama_mha_f32", &[], folder.path()).unwrap();
    let some = exported("llama_mha_f32", &["blocks.0.hook_resid_p*"], folder.path()).unwrap();
    assert_eq!(some.outputs, ["blocks.0.hook_resid_pre", "blocks.0.hook_resid_post"]);
    assert!(some.bytes < all.bytes / 2, "{} and {} bytes", some.bytes, all.bytes);
    let found = decoder(&some).run(&[1, 2, 3], &BTreeMap::new()).unwrap();
    assert_eq!(found["blocks.0.hook_resid_post"].0, [3, 36]);
}

#[test]
fn an_unknown_tap_is_refused_with_the_known_ones() {
    let folder = tempfile::tempdir().unwrap();
    let message =
        exported("gpt_neox_parallel_f32", &["*.hook_resid_mid"], folder.path()).unwrap_err().to_string();
    assert!(message.starts_with("no tap matches \"*.hook_resid_mid\""), "{message}");
    assert!(message.contains("blocks.{0..2}.hook_resid_post") && !message.contains("_mid\n"), "{message}");
}

/// A checkpoint that may be linked to, in a folder of its own.
fn own_checkpoint() -> (tempfile::TempDir, Checkpoint) {
    let base = tempfile::tempdir().unwrap();
    let source = base.path().join("checkpoint");
    fs::create_dir(&source).unwrap();
    for file in ["config.json", "model.safetensors"] {
        fs::copy(golden("llama_mha_f32").join(file), source.join(file)).unwrap();
    }
    let checkpoint = Checkpoint::open(&source).unwrap();
    (base, checkpoint)
}

#[test]
fn weights_are_linked_and_never_overwritten() {
    let (base, checkpoint) = own_checkpoint();
    let (source, target) = (checkpoint.folder().to_path_buf(), base.path().join("exported"));
    let hows = |folder: &Path| export(&checkpoint, &[], folder, false).map(|e| e.weights[0].how);
    assert_eq!(hows(&source).unwrap(), "in place");
    assert_eq!(hows(&target).unwrap(), "linked");
    assert_eq!(hows(&target).unwrap(), "in place", "a second export finds its own link");

    fs::remove_file(target.join("model.safetensors")).unwrap();
    fs::write(target.join("model.safetensors"), "somebody's").unwrap();
    let message = hows(&target).unwrap_err().to_string();
    assert!(message.contains("model.safetensors: another file is in the way"), "{message}");
    assert_eq!(fs::read(target.join("model.safetensors")).unwrap(), b"somebody's");
    let copied = export(&checkpoint, &[], &target, true).unwrap_err().to_string();
    assert_eq!(copied, message, "nor does a copy replace it");
    assert_eq!(fs::read(target.join("model.safetensors")).unwrap(), b"somebody's");
}

#[test]
fn a_copy_takes_the_place_of_a_link_and_of_nothing_else() {
    let (base, checkpoint) = own_checkpoint();
    let target = base.path().join("exported");
    let (source, weights) = (checkpoint.folder().join("model.safetensors"), target.join("model.safetensors"));
    let how = |copy| export(&checkpoint, &[], &target, copy).unwrap().weights[0].how;
    assert_eq!(how(false), "linked");
    assert_eq!(how(true), "copied");
    fs::OpenOptions::new().write(true).open(&weights).unwrap().set_len(10).unwrap();
    assert!(fs::metadata(&source).unwrap().len() > 10, "still a link: the checkpoint's own file was cut");
    fs::remove_file(&weights).unwrap();
    fs::write(target.join("model.safetensors.export.part"), "what a killed export left").unwrap();
    assert_eq!(how(true), "copied");
    assert_eq!(fs::read_dir(&target).unwrap().count(), 2, "model.onnx and its weights");
    assert_eq!(how(true), "in place", "the same bytes are not copied again");
}

#[test]
fn a_model_of_another_tool_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    exported("llama_mha_f32", &[], folder.path()).unwrap();
    exported("llama_mha_f32", &["logits"], folder.path()).unwrap();
    fs::write(folder.path().join("model.onnx"), b"\x08\x08\x12\x07pytorch").unwrap();
    let message = exported("llama_mha_f32", &[], folder.path()).unwrap_err().to_string();
    assert!(message.contains("model.onnx: a model that another tool wrote is in the way"), "{message}");
}
