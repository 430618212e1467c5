//! Quantised safetensors: every weight bit for bit as its format's own reference reads it, identity, refusals, export.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    files::Folder,
    goldens::{golden, prompts, run},
};
use model::{
    checkpoint::{Checkpoint, Memo, widen},
    export,
};

/// Every golden of a quantised checkpoint, sorted; `parity` compares what the engine measures on them.
pub(crate) fn cases() -> Vec<String> {
    let entries = fs::read_dir(golden("quantised")).unwrap().map(|entry| entry.unwrap());
    let mut cases: Vec<String> = entries.map(|entry| case(entry.file_name().to_str().unwrap())).collect();
    cases.sort();
    cases
}

fn case(name: &str) -> String {
    format!("quantised/{name}")
}

fn open(at: &Path) -> Checkpoint {
    Checkpoint::open(at).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(at: &Path) -> String {
    match Checkpoint::open(at) {
        Ok(_) => panic!("{}: opened", at.display()),
        Err(error) => error.to_string(),
    }
}

fn numbers(checkpoint: &Checkpoint, name: &str) -> Vec<f32> {
    let tensor = checkpoint.tensor(name).unwrap();
    let mut numbers = vec![0.0; tensor.elements()];
    widen::widen(&tensor, &mut numbers);
    numbers
}

/// A golden's files, to be changed.
fn copied(name: &str) -> Folder {
    let folder = Folder::new();
    for file in ["config.json", "model.safetensors"] {
        folder.write(file, fs::read(golden(&case(name)).join(file)).unwrap());
    }
    folder
}

/// A golden under a changed config.
fn changed(name: &str, change: impl Fn(&mut Value)) -> Folder {
    let folder = copied(name);
    let mut config: Value = serde_json::from_slice(&fs::read(folder.file("config.json")).unwrap()).unwrap();
    change(&mut config);
    folder.write("config.json", config.to_string());
    folder
}

#[test]
fn every_weight_is_bit_for_bit_what_the_reference_of_its_format_reads() {
    for case in cases() {
        let checkpoint = open(&golden(&case));
        let text = fs::read_to_string(golden(&case).join("weights.json")).unwrap();
        let digests: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
        for (name, expected) in digests {
            let whole = numbers(&checkpoint, &name);
            let mut hasher = Sha256::new();
            whole.iter().for_each(|number| hasher.update(number.to_le_bytes()));
            let found: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, expected, "{case}: {name}");
            // Any run of them, in the middle of rows or blocks.
            let tensor = checkpoint.tensor(&name).unwrap();
            let columns = tensor.shape[1];
            for (start, count) in [(0, 1), (columns - 1, 2), (columns + 3, columns / 2), (5, 3 * columns + 1)]
            {
                let mut some = vec![0.0; count];
                widen::widen_from(&tensor, start, &mut some);
                assert_eq!(some, whole[start..start + count], "{case}: {name}, {count} from {start}");
            }
        }
    }
}

#[test]
fn a_checkpoint_says_how_most_of_its_weights_are_stored() {
    for (name, expected) in [
        ("fp8_blocks", "fp8"),
        ("int4_groups", "int-4bit"),
        ("int8_channels", "int-8bit"),
        ("gptq_3bit", "gptq-3bit"),
        ("awq_4bit", "awq-4bit"),
        ("nf4_double", "nf4"),
        ("fp4_double", "fp4"),
        ("llm_int8", "llm.int8"),
        ("mlx_4bit", "mlx-4bit"),
        ("mxfp4", "mxfp4"),
    ] {
        assert_eq!(open(&golden(&case(name))).dtype(), expected);
    }
}

#[test]
fn the_identity_is_that_of_the_stored_tensors_and_how_they_are_read() {
    let identity = |folder: &Folder| open(folder.path()).identity(&Memo::none());
    let before = identity(&copied("gptq_4bit_v2"));
    assert_eq!(before, open(&golden(&case("gptq_4bit_v2"))).identity(&Memo::none()));
    // The same tensors as another layout are other weights.
    let first = changed("gptq_4bit_v2", |config| {
        config["quantization_config"]["checkpoint_format"] = json!("gptq");
    });
    assert_ne!(before, identity(&first));
    // What is said but not read decides nothing.
    let said = changed("gptq_4bit_v2", |config| {
        config["quantization_config"]["damp_percent"] = json!(0.05);
    });
    assert_eq!(before, identity(&said));
    let folder = copied("gptq_4bit_v2");
    let mut bytes = fs::read(folder.file("model.safetensors")).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    folder.write("model.safetensors", bytes);
    assert_ne!(before, identity(&folder));
}

#[test]
fn what_is_not_read_is_refused_by_its_name() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change, &[&str]); 9] = [
        (
            "gptq_2bit",
            |q| q["quant_method"] = json!("quip"),
            &["`quant_method`", "quip", "awq, bitsandbytes"],
        ),
        (
            "gptq_2bit",
            |q| q["checkpoint_format"] = json!("marlin"),
            &["gptq", "`checkpoint_format`", "marlin"],
        ),
        ("gptq_4bit_v2", |q| q["bits"] = json!(5), &["`gptq`", "`bits`", "2, 3, 4 or 8", "5"]),
        ("awq_4bit", |q| q["version"] = json!("gemv"), &["`awq`", "`version`", "gemm", "gemv"]),
        ("awq_4bit", |q| q["bits"] = json!(8), &["`awq`", "`bits`", "8"]),
        ("int4_groups", |q| q["format"] = json!("marlin-24"), &["`format`", "marlin-24", "pack-quantized"]),
        ("mlx_3bit", |q| q["bits"] = json!(7), &["`mlx`", "`bits`", "7"]),
        ("mlx_3bit", |q| q["mode"] = json!("mxfp4"), &["`mlx`", "`mode`", "mxfp4", "affine"]),
        (
            "fp8_blocks",
            |q| q["weight_block_size"] = json!([0, 1]),
            &["`fp8`", "`weight_block_size`", "[0,1]"],
        ),
    ];
    for (name, change, named) in cases {
        let folder = changed(name, |config| {
            for key in ["quantization_config", "quantization"] {
                if config.get(key).is_some() {
                    change(&mut config[key]);
                }
            }
        });
        let message = refusal(folder.path());
        assert!(named.iter().all(|name| message.contains(name)), "{message}");
    }
}

#[test]
fn tensors_that_do_not_fit_each_other_are_refused_by_name() {
    for (name, from, to, named) in [
        ("gptq_2bit", "q_proj.qzeros", "q_proj.qzerox", "q_proj.qzeros"),
        ("awq_4bit", "q_proj.scales", "q_proj.scalex", "q_proj.scales"),
        ("nf4", "q_proj.weight.absmax", "q_proj.weight.absmay", "q_proj.weight.absmax"),
        ("int4_groups", "q_proj.weight_shape", "q_proj.weight_shapf", "q_proj.weight_shape"),
        ("mlx_4bit", "k_proj.biases", "k_proj.biaset", "k_proj.biases"),
        ("mxfp4", "q_proj.weight_scales", "q_proj.weight_scalet", "q_proj.weight_scales"),
    ] {
        let folder = copied(name);
        let bytes = fs::read(folder.file("model.safetensors")).unwrap();
        let (text, from) = (bytes.clone(), from.as_bytes());
        let at = text.windows(from.len()).position(|window| window == from).unwrap();
        let mut bytes = bytes;
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        folder.write("model.safetensors", bytes);
        let message = refusal(folder.path());
        assert!(message.contains(named) && message.contains("beside it"), "{message}");
    }
}

#[test]
fn keys_that_a_tool_left_on_plain_weights_say_nothing() {
    let folder = Folder::new();
    let plain = golden("llama_gqa_tied_bf16");
    folder.write("model.safetensors", fs::read(plain.join("model.safetensors")).unwrap());
    let mut config: Value = serde_json::from_slice(&fs::read(plain.join("config.json")).unwrap()).unwrap();
    for method in ["gptq", "quip"] {
        config["quantization_config"] = json!({"quant_method": method, "bits": 4});
        folder.write("config.json", config.to_string());
        assert_eq!(open(folder.path()).identity(&Memo::none()), open(&plain).identity(&Memo::none()));
        let prompts = prompts("llama_gqa_tied_bf16");
        let [found, expected] = [folder.path(), &plain].map(|at| run(at, &prompts).unwrap());
        assert!(found == expected);
    }
}

#[test]
fn quantised_weights_are_exported_as_the_numbers_they_stand_for() {
    let checkpoint = open(&golden(&case("int4_act_order")));
    let folder = Folder::new();
    let exported = export::export(&checkpoint, &[], folder.path(), false).unwrap();
    let written: Vec<&str> = exported.weights.iter().map(|file| file.how).collect();
    assert_eq!(written, ["dequantised", "linked"]);
    let shares = checkpoint.stored();
    let share = shares.iter().find(|share| share.dtype == "int-4bit").unwrap();
    assert_eq!(fs::metadata(folder.file("model.float32")).unwrap().len(), 4 * share.elements);
    let bits = 8.0 * share.bytes as f64 / share.elements as f64;
    assert!((5.0..7.0).contains(&bits), "4 bits, scales, zero points and groups of 32: {bits}");
}
