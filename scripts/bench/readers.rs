//! How fast weights of every stored form become float32: one matrix of each, on all cores, through `Checkpoint` as a run reads it.
//!
//! `cargo run --release --example readers 2048 8192` writes JSON: for each form the bytes of the matrix and the seconds of its
//! fastest and its median reading, and of a copy of as many float32 numbers. `scripts/bench/as_they_lie.py` makes a table of it.

#![allow(clippy::unwrap_used, reason = "an example that cannot go on ends")]

use std::{error::Error, fs, path::Path, time::Instant};

use model::{
    checkpoint::{Checkpoint, widen::widen},
    gguf::Encoding,
};
use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};
use rayon::prelude::*;
use serde_json::{Value, json};

const TURNS: usize = 7;
const NAME: &str = "model.layers.0.mlp.down_proj";

/// Seconds of each of a few turns, sorted, after one that is not counted.
fn seconds(mut turn: impl FnMut()) -> Vec<f64> {
    turn();
    let mut all: Vec<f64> = (0..TURNS)
        .map(|_| {
            let start = Instant::now();
            turn();
            start.elapsed().as_secs_f64()
        })
        .collect();
    all.sort_by(f64::total_cmp);
    all
}

fn report(form: &str, bytes: u64, seconds: &[f64]) -> Value {
    json!({ "form": form, "bytes": bytes, "fastest": seconds[0], "median": seconds[seconds.len() / 2] })
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<usize> =
        std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let [rows, columns] = arguments[..] else { return Err("usage: readers ROWS COLUMNS".into()) };
    let folder = tempfile::tempdir()?;
    let mut out = vec![0.0f32; rows * columns];
    let from = vec![1.0f32; rows * columns];
    let copied = seconds(|| {
        let pieces = out.par_chunks_mut(1 << 16).zip(from.par_chunks(1 << 16));
        pieces.for_each(|(out, from)| out.copy_from_slice(from));
    });
    let mut all = vec![report("copy of float32", 4 * (rows * columns) as u64, &copied)];
    let mut read = |form: &str, at: &Path| -> Result<(), Box<dyn Error>> {
        let checkpoint = Checkpoint::open(at)?;
        let tensor = checkpoint.tensor(&format!("{NAME}.weight"))?;
        let bytes = checkpoint.stored().iter().map(|share| share.bytes).sum();
        all.push(report(form, bytes, &seconds(|| widen(&tensor, &mut out))));
        Ok(())
    };
    // A row is whole blocks.
    let fits = |encoding: &&Encoding| encoding.holds_weights() && columns.is_multiple_of(encoding.elements);
    for encoding in Encoding::all().filter(fits) {
        let file = folder.path().join("model.gguf");
        fs::write(&file, gguf(encoding, rows, columns))?;
        read(encoding.name, &file)?;
        fs::remove_file(file)?;
    }
    for (form, config, tensors) in safetensors(rows, columns) {
        let at = folder.path().join("checkpoint");
        fs::create_dir_all(&at)?;
        fs::write(at.join("config.json"), json!({ "quantization_config": config }).to_string())?;
        fs::write(at.join("model.safetensors"), written(&tensors))?;
        read(form, &at)?;
        fs::remove_dir_all(at)?;
    }
    println!(
        "{}",
        json!({ "rows": rows, "columns": columns, "cores": rayon::current_num_threads(), "read": all })
    );
    Ok(())
}

fn random(count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    ChaCha8Rng::seed_from_u64(7).fill_bytes(&mut bytes);
    bytes
}

/// A file of one matrix of random blocks, with the keys that a model must have.
fn gguf(encoding: &Encoding, rows: usize, columns: usize) -> Vec<u8> {
    let mut file = b"GGUF".to_vec();
    let text = |file: &mut Vec<u8>, text: &str| {
        file.extend((text.len() as u64).to_le_bytes());
        file.extend(text.as_bytes());
    };
    let sizes = [
        ("block_count", 1),
        ("context_length", 64),
        ("embedding_length", rows as u32),
        ("feed_forward_length", columns as u32),
        ("attention.head_count", 1),
        ("vocab_size", 1),
    ];
    file.extend(3u32.to_le_bytes());
    file.extend(1u64.to_le_bytes());
    file.extend((2 + sizes.len() as u64).to_le_bytes());
    text(&mut file, "general.architecture");
    file.extend(8u32.to_le_bytes()); // a text
    text(&mut file, "llama");
    text(&mut file, "llama.attention.layer_norm_rms_epsilon");
    file.extend(6u32.to_le_bytes()); // a float32
    file.extend(1e-5f32.to_le_bytes());
    for (key, size) in sizes {
        text(&mut file, &format!("llama.{key}"));
        file.extend(4u32.to_le_bytes()); // a whole number
        file.extend(size.to_le_bytes());
    }
    text(&mut file, "blk.0.ffn_down.weight");
    file.extend(2u32.to_le_bytes());
    file.extend((columns as u64).to_le_bytes());
    file.extend((rows as u64).to_le_bytes());
    file.extend(encoding.id().to_le_bytes());
    file.extend(0u64.to_le_bytes());
    file.resize(file.len().next_multiple_of(32), 0);
    file.extend(random(rows * columns / encoding.elements * encoding.bytes));
    file
}

/// Name, dtype, shape and bytes.
type Named = (String, &'static str, Vec<usize>, Vec<u8>);

fn written(tensors: &[Named]) -> Vec<u8> {
    let mut header = serde_json::Map::new();
    let mut at = 0;
    for (name, dtype, shape, bytes) in tensors {
        let end = at + bytes.len();
        header.insert(name.clone(), json!({ "dtype": dtype, "shape": shape, "data_offsets": [at, end] }));
        at = end;
    }
    let header = Value::Object(header).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    tensors.iter().for_each(|(.., bytes)| file.extend(bytes));
    file
}

/// A matrix in each of the forms that tools write of safetensors, with groups as they are usual: what the config says of it, and
/// its tensors. Numbers are random, scales are all the same.
fn safetensors(rows: usize, columns: usize) -> Vec<(&'static str, Value, Vec<Named>)> {
    if ![rows, columns].iter().all(|side| side.is_multiple_of(128)) {
        return Vec::new(); // of groups as they are usual
    }
    let tensor = |ending: &str, dtype: &'static str, shape: &[usize], bytes: Vec<u8>| -> Named {
        (format!("{NAME}{ending}"), dtype, shape.to_vec(), bytes)
    };
    let numbers = |ending: &str, dtype: &'static str, size: usize, shape: &[usize]| {
        tensor(ending, dtype, shape, random(size * shape.iter().product::<usize>()))
    };
    let halves = |ending: &str, shape: &[usize]| {
        tensor(ending, "F16", shape, [0, 0x2c].repeat(shape.iter().product())) // 1/16
    };
    let floats = |ending: &str, shape: &[usize]| {
        tensor(ending, "F32", shape, 0.0625f32.to_le_bytes().repeat(shape.iter().product()))
    };
    let whole = |ending: &str, numbers: Vec<i32>| {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        tensor(ending, "I32", &[numbers.len()], bytes)
    };
    let (groups, all) = (columns / 128, rows * columns);
    let shape = whole(".weight_shape", vec![rows as i32, columns as i32]);
    let compressed = |bits: u32, format: &str| {
        let weights = json!({ "num_bits": bits, "type": "int", "strategy": "group", "group_size": 128 });
        json!({ "quant_method": "compressed-tensors", "format": format, "config_groups": { "group_0": { "weights": weights } } })
    };
    let gptq = |bits: usize, order: bool| {
        let index = |input: usize| if order { input * 37 % columns / 128 } else { input / 128 };
        vec![
            numbers(".qweight", "I32", 4, &[columns * bits / 32, rows]),
            numbers(".qzeros", "I32", 4, &[groups, rows * bits / 32]),
            halves(".scales", &[groups, rows]),
            whole(".g_idx", (0..columns).map(|input| index(input) as i32).collect()),
        ]
    };
    let state =
        json!({ "quant_type": "nf4", "blocksize": 64, "shape": [rows, columns] }).to_string().into_bytes();
    vec![
        (
            "fp8, blocks of 128",
            json!({ "quant_method": "fp8", "weight_block_size": [128, 128] }),
            vec![
                numbers(".weight", "F8_E4M3", 1, &[rows, columns]),
                floats(".weight_scale_inv", &[rows / 128, columns / 128]),
            ],
        ),
        (
            "compressed-tensors, 4 bits",
            compressed(4, "pack-quantized"),
            vec![
                numbers(".weight_packed", "I32", 4, &[rows, columns / 8]),
                halves(".weight_scale", &[rows, groups]),
                shape,
            ],
        ),
        (
            "compressed-tensors, 8 bits",
            compressed(8, "int-quantized"),
            vec![numbers(".weight", "I8", 1, &[rows, columns]), halves(".weight_scale", &[rows, groups])],
        ),
        ("GPTQ, 4 bits", json!({ "quant_method": "gptq", "bits": 4 }), gptq(4, false)),
        ("GPTQ, 4 bits, act-order", json!({ "quant_method": "gptq", "bits": 4 }), gptq(4, true)),
        ("GPTQ, 3 bits", json!({ "quant_method": "gptq", "bits": 3 }), gptq(3, false)),
        ("GPTQ, 8 bits", json!({ "quant_method": "gptq", "bits": 8 }), gptq(8, false)),
        (
            "AWQ",
            json!({ "quant_method": "awq", "bits": 4 }),
            vec![
                numbers(".qweight", "I32", 4, &[columns, rows / 8]),
                numbers(".qzeros", "I32", 4, &[groups, rows / 8]),
                halves(".scales", &[groups, rows]),
            ],
        ),
        (
            "bitsandbytes, nf4",
            json!({ "quant_method": "bitsandbytes" }),
            vec![
                numbers(".weight", "U8", 1, &[all / 2, 1]),
                floats(".weight.absmax", &[all / 64]),
                floats(".weight.quant_map", &[16]),
                tensor(".weight.quant_state.bitsandbytes__nf4", "U8", &[state.len()], state),
            ],
        ),
        (
            "bitsandbytes, 8 bits",
            json!({ "quant_method": "bitsandbytes" }),
            vec![numbers(".weight", "I8", 1, &[rows, columns]), floats(".SCB", &[rows])],
        ),
        (
            "MLX, 4 bits",
            json!({ "group_size": 64, "bits": 4 }),
            vec![
                numbers(".weight", "U32", 4, &[rows, columns / 8]),
                halves(".scales", &[rows, columns / 64]),
                halves(".biases", &[rows, columns / 64]),
            ],
        ),
        (
            "MLX, 6 bits",
            json!({ "group_size": 64, "bits": 6 }),
            vec![
                numbers(".weight", "U32", 4, &[rows, columns * 6 / 32]),
                halves(".scales", &[rows, columns / 64]),
                halves(".biases", &[rows, columns / 64]),
            ],
        ),
        (
            "MXFP4",
            json!({ "quant_method": "mxfp4" }),
            vec![
                numbers(".weight_blocks", "U8", 1, &[rows, columns / 32, 16]),
                tensor(".weight_scales", "U8", &[rows, columns / 32], vec![120; all / 32]),
            ],
        ),
    ]
}
