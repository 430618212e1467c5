//! Quantised safetensors: every weight bit for bit as its format's own reference reads it, identity, refusals, export.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    files::Folder,
    goldens::{golden, prompts, run},
};
use model::{
    checkpoint::{Checkpoint, Memo, quantisations, widen},
    export,
    gguf::Encoding,
};
use number::facts::is_quantisation;

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

/// Holds every weight against `weights.json` of a golden.
fn compare_weights(case: &str) {
    let checkpoint = open(&golden(case));
    let text = fs::read_to_string(golden(case).join("weights.json")).unwrap();
    let digests: BTreeMap<String, String> = serde_json::from_str(&text).unwrap();
    for (name, expected) in digests {
        let whole = numbers(&checkpoint, &name);
        let mut hasher = Sha256::new();
        whole.iter().for_each(|number| hasher.update(number.to_le_bytes()));
        let found: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, expected, "{case}: {name}");
        // Any run of them, in the middle of rows or blocks.
        let tensor = checkpoint.tensor(&name).unwrap();
        let columns = *tensor.shape.last().unwrap();
        for (start, count) in [
            (0, 1),
            (columns - 1, 2),
            (columns + 3, columns / 2),
            (5, 3 * columns + 1),
            (7 * columns, 9 * columns),
            (3 * columns + 1, 20 * columns),
            (columns, 90 * columns),
        ] {
            let start = start.min(whole.len() - 1);
            let count = count.min(whole.len() - start);
            let mut some = vec![0.0; count];
            widen::widen_from(&tensor, start, &mut some);
            assert_eq!(some, whole[start..start + count], "{case}: {name}, {count} from {start}");
        }
    }
}

#[test]
fn every_weight_is_bit_for_bit_what_the_reference_of_its_format_reads() {
    cases().iter().for_each(|case| compare_weights(case));
}

#[test]
fn stacked_experts_are_read_whole_and_by_slices_of_one() {
    let case = "experts_mxfp4";
    compare_weights(case);
    let checkpoint = open(&golden(case));
    let name = "model.layers.0.mlp.experts.gate_up_proj";
    let tensor = checkpoint.tensor(name).unwrap();
    assert_eq!(tensor.shape, [3, 64, 80]);
    let whole = numbers(&checkpoint, name);
    // Rows 30 to 40 of the second expert, which lie in two blocks.
    let (start, count) = ((64 + 30) * 80, 10 * 80);
    let mut some = vec![0.0; count];
    widen::widen_from(&tensor, start, &mut some);
    assert_eq!(some, whole[start..start + count]);
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
        ("nvfp4", "nvfp4"),
        ("mxfp4_compressed", "mxfp4"),
        ("mxfp6_compressed", "mxfp6"),
        ("mxfp8_compressed", "fp8"),
        ("modelopt_nvfp4", "nvfp4"),
        ("modelopt_nvfp4_fp8", "nvfp4"),
        ("modelopt_mxfp4", "mxfp4"),
        ("modelopt_fp8", "fp8"),
        ("modelopt_int8", "int8"),
        ("awq_gemv", "awq-4bit"),
        ("auto_round_gptq", "gptq-4bit"),
        ("auto_round_awq", "awq-4bit"),
    ] {
        assert_eq!(open(&golden(&case(name))).dtype(), expected);
    }
}

#[test]
fn every_form_of_fewer_bits_is_one_that_the_model_list_may_name_as_a_change() {
    for case in cases() {
        let dtype = open(&golden(&case)).dtype();
        assert!(is_quantisation(&dtype), "{case}: {dtype}");
    }
    for encoding in Encoding::all().filter(|encoding| encoding.holds_weights()) {
        let plain = ["F64", "F32", "F16", "BF16"].contains(&encoding.name);
        assert_eq!(is_quantisation(encoding.name), !plain, "{encoding}");
    }
    for method in quantisations() {
        assert!(is_quantisation(method), "{method}");
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
    let cases: [(&str, Change, &[&str]); 13] = [
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
        ("awq_4bit", |q| q["version"] = json!("marlin"), &["`awq`", "`version`", "gemm or gemv", "marlin"]),
        (
            "auto_round_4bit",
            |q| q["packing_format"] = json!("auto_round:llm_compressor"),
            &["`auto-round`", "`packing_format`", "auto_round:auto_gptq", "llm_compressor"],
        ),
        ("auto_round_4bit", |q| q["data_type"] = json!("nv_fp"), &["`auto-round`", "`data_type`", "nv_fp"]),
        ("awq_gemv", |q| q["group_size"] = json!(36), &["`awq`", "`group_size`", "36"]),
        ("awq_4bit", |q| q["bits"] = json!(8), &["`awq`", "`bits`", "8"]),
        ("int4_groups", |q| q["format"] = json!("marlin-24"), &["`format`", "marlin-24", "pack-quantized"]),
        ("mlx_3bit", |q| q["bits"] = json!(7), &["`mlx`", "`bits`", "7"]),
        ("mlx_3bit", |q| q["mode"] = json!("mxfp4"), &["`mlx`", "`mode`", "mxfp4", "affine"]),
        (
            "modelopt_int8",
            |q| q["quant_algo"] = json!("W4A16_AWQ"),
            &["`modelopt`", "`quant_algo`", "W4A16_AWQ", "nvfp4", "made from"],
        ),
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
        ("modelopt_nvfp4", "q_proj.weight\"", "q_proj.weighu\"", "q_proj.weight"),
    ] {
        let message = refusal(renamed(name, from, to).path());
        assert!(message.contains(named) && message.contains("beside it"), "{message}");
    }
}

/// A golden with another name of a tensor, as long as its own.
fn renamed(name: &str, from: &str, to: &str) -> Folder {
    let folder = copied(name);
    let mut bytes = fs::read(folder.file("model.safetensors")).unwrap();
    let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
    bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
    folder.write("model.safetensors", bytes);
    folder
}

#[test]
fn modules_that_compute_with_more_than_their_weight_are_refused() {
    let folder = renamed(
        "modelopt_nvfp4",
        "layers.0.self_attn.q_proj.input_scale",
        "layers.0.self_attn.q_.pre_quant_scale",
    );
    let message = refusal(folder.path());
    for said in ["`modelopt`", "q_.pre_quant_scale", "inputs", "made from"] {
        assert!(message.contains(said), "{message}");
    }
}

#[test]
fn what_modelopt_says_in_a_file_of_its_own_counts() {
    let folder = changed("modelopt_fp8", |config| {
        config.as_object_mut().unwrap().remove("quantization_config");
    });
    let said = json!({"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "FP8", "exclude_modules": ["lm_head"]}});
    folder.write("hf_quant_config.json", said.to_string());
    let identity = |at: &Path| open(at).identity(&Memo::none());
    assert_eq!(identity(folder.path()), identity(&golden(&case("modelopt_fp8"))));
}

#[test]
fn compressed_tensors_is_known_wherever_its_versions_describe_it() {
    type Change = fn(Value) -> (&'static str, Value);
    let places: [Change; 4] = [
        |said| ("compression_config", said),
        |said| {
            ("compression_config", json!({"quantization_config": said, "quant_method": "compressed-tensors"}))
        },
        |said| ("quantization_config", json!({"quantization_config": said, "sparsity_config": {}})),
        |mut said| {
            said["config_groups"]["group_0"]["format"] = said["format"].take();
            said["format"] = json!("mixed-precision");
            said["ignore"] =
                json!(["re:.*lm_head", "model.layers.0", "model.layers.0.self_attn.q_proj.linear"]);
            ("quantization_config", said)
        },
    ];
    let identity = |at: &Path| open(at).identity(&Memo::none());
    for change in places {
        let folder = changed("int4_groups", |config| {
            let said = config.as_object_mut().unwrap().remove("quantization_config").unwrap();
            let (key, said) = change(said);
            config[key] = said;
        });
        assert_eq!(identity(folder.path()), identity(&golden(&case("int4_groups"))));
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

/// Numbers from a seed (Steele et al. 2014).
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % limit.max(1) as u64) as usize
    }
}

/// Opens a checkpoint and reads every weight, if it opens.
pub(crate) fn read_all(at: &Path) -> bool {
    let Ok(checkpoint) = Checkpoint::open(at) else { return false };
    for tensor in checkpoint.tensors() {
        let mut numbers = vec![0.0; tensor.elements()];
        widen::widen(&tensor, &mut numbers);
    }
    checkpoint.identity(&Memo::none());
    true
}

/// Another shape of as many elements, mostly; another dtype of as many bytes, a number of the config.
fn mutate(random: &mut Random, header: &mut Value, config: &mut Value, data: &mut [u8]) {
    let tensors = header.as_object_mut().unwrap();
    let names: Vec<String> = tensors.keys().filter(|name| *name != "__metadata__").cloned().collect();
    let name = &names[random.below(names.len())];
    let tensor = tensors.get_mut(name).unwrap();
    match random.below(6) {
        0 => {
            let sides = tensor["shape"].as_array_mut().unwrap();
            let all: u64 = sides.iter().map(|side| side.as_u64().unwrap()).product();
            let part = [1, 2, 3, 4, 8, 16, 32, 64][random.below(8)];
            let other = if all.is_multiple_of(part) { all / part } else { all };
            *sides = match random.below(5) {
                0 => vec![json!(all)],
                1 => vec![json!(other), json!(part)],
                2 => vec![json!(part), json!(other)],
                3 => sides.iter().rev().cloned().collect(),
                _ => vec![json!(1), json!(part), json!(other)],
            };
        }
        1 => {
            let same: &[&str] = match tensor["dtype"].as_str().unwrap() {
                "F32" | "I32" | "U32" => &["F32", "I32", "U32"],
                "F16" | "BF16" | "I16" => &["F16", "BF16", "I16"],
                "I64" | "U64" | "F64" => &["I64", "U64", "F64"],
                _ => &["U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "BOOL"],
            };
            tensor["dtype"] = json!(same[random.below(same.len())]);
        }
        2 => {
            let other = &names[random.below(names.len())];
            let (a, b) = (tensors[name].clone(), tensors[other].clone());
            tensors.insert(name.clone(), b);
            tensors.insert(other.clone(), a);
        }
        3 => {
            for _ in 0..64 {
                let at = random.below(data.len());
                data[at] = random.below(256) as u8;
            }
        }
        4 => {
            let [from, to] = [0, 1].map(|end| tensor["data_offsets"][end].as_u64().unwrap() as usize);
            for byte in &mut data[from..to.min(from + 200)] {
                if random.below(3) == 0 {
                    *byte = b"0123456789-e[]{}, \"\0\xff"[random.below(20)];
                }
            }
        }
        _ => {
            for key in ["quantization_config", "quantization"] {
                let Some(object) = config.get_mut(key).and_then(Value::as_object_mut) else { continue };
                let number = [-1i64, 0, 1, 2, 3, 4, 5, 8, 32, 1 << 40][random.below(10)];
                for (_, value) in object.iter_mut().filter(|(_, value)| value.is_number()) {
                    *value = json!(number);
                }
                if object.contains_key("weight_block_size") {
                    object.insert("weight_block_size".into(), json!([number, 32]));
                }
            }
        }
    }
}

/// `QUANTISED_MUTATIONS=10000`: so many of each format.
#[test]
fn a_damaged_checkpoint_of_any_format_is_read_or_refused() {
    let turns = std::env::var("QUANTISED_MUTATIONS").map_or(40, |turns| turns.parse().unwrap());
    let (mut read, mut refused) = (0, 0);
    for case in cases() {
        let bytes = fs::read(golden(&case).join("model.safetensors")).unwrap();
        let length = u64::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
        let header: Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
        let config: Value =
            serde_json::from_slice(&fs::read(golden(&case).join("config.json")).unwrap()).unwrap();
        let folder = Folder::new();
        let mut random = Random(case.len() as u64 + 100 * bytes.len() as u64);
        for _ in 0..turns {
            let (mut header, mut config) = (header.clone(), config.clone());
            let mut data = bytes[8 + length..].to_vec();
            for _ in 0..=random.below(2) {
                mutate(&mut random, &mut header, &mut config, &mut data);
            }
            let header = header.to_string();
            let length = (header.len() as u64).to_le_bytes();
            folder.write("model.safetensors", [&length, header.as_bytes(), &data].concat());
            folder.write("config.json", config.to_string());
            if read_all(folder.path()) { read += 1 } else { refused += 1 }
        }
    }
    println!("{read} read, {refused} refused");
    assert!(read > 0 && refused > 0);
}
