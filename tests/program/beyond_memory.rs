//! A checkpoint larger than the memory the program may take, and not in the page cache: weights stream, nothing holds them all.
//!
//! `ulimit -d` bounds private writable memory, whatever a user may do; pages of a mapped file are not counted. That the kernel
//! may take those back while they are needed again shows only in a memory-limited group: `scripts/bench/beyond_memory.py`.

use std::{fs::File, io::Write, path::Path, process::Command};

use crate::sandbox::Sandbox;
use serde_json::{Map, Value, json};

const WIDTH: usize = 512;
const INNER: usize = 2048;
const LAYERS: usize = 32;
const VOCABULARY: usize = 64;
/// KiB: less than the checkpoint has, more than a block and the program take, with a thread for each of many cores.
const ALLOWED: u64 = 128 << 10;

/// A llama in bf16 of seeded weights between 1/64 and 1/32, either sign.
fn checkpoint(folder: &Path) -> u64 {
    std::fs::create_dir(folder).unwrap();
    let config = json!({
        "model_type": "llama", "hidden_size": WIDTH, "intermediate_size": INNER, "num_hidden_layers": LAYERS,
        "num_attention_heads": 8, "num_key_value_heads": 8, "vocab_size": VOCABULARY, "max_position_embeddings": 64,
        "rms_norm_eps": 1e-5, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
    });
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let block = [
        ("input_layernorm", vec![WIDTH]),
        ("post_attention_layernorm", vec![WIDTH]),
        ("self_attn.q_proj", vec![WIDTH, WIDTH]),
        ("self_attn.k_proj", vec![WIDTH, WIDTH]),
        ("self_attn.v_proj", vec![WIDTH, WIDTH]),
        ("self_attn.o_proj", vec![WIDTH, WIDTH]),
        ("mlp.gate_proj", vec![INNER, WIDTH]),
        ("mlp.up_proj", vec![INNER, WIDTH]),
        ("mlp.down_proj", vec![WIDTH, INNER]),
    ];
    let mut tensors = vec![
        ("model.embed_tokens.weight".to_string(), vec![VOCABULARY, WIDTH]),
        ("model.norm.weight".to_string(), vec![WIDTH]),
        ("lm_head.weight".to_string(), vec![VOCABULARY, WIDTH]),
    ];
    for layer in 0..LAYERS {
        let named = |(name, shape): &(&str, Vec<usize>)| {
            (format!("model.layers.{layer}.{name}.weight"), shape.clone())
        };
        tensors.extend(block.iter().map(named));
    }
    let (mut header, mut end) = (Map::new(), 0);
    for (name, shape) in tensors {
        let start = end;
        end += 2 * shape.iter().product::<usize>();
        header.insert(name, json!({"dtype": "BF16", "shape": shape, "data_offsets": [start, end]}));
    }
    let header = Value::Object(header).to_string();
    let mut file = File::create(folder.join("model.safetensors")).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    // An odd number of weights again and again, so that no two matrices are the same.
    let weight = |seed: u32| (seed.wrapping_mul(2_654_435_761) >> 16) as u16 & 0x807f | 0x3c80;
    let pattern: Vec<u8> = (0..1_000_003).flat_map(|seed| weight(seed).to_le_bytes()).collect();
    let mut left = end;
    while left > 0 {
        let some = left.min(pattern.len());
        file.write_all(&pattern[..some]).unwrap();
        left -= some;
    }
    end as u64
}

#[test]
fn a_checkpoint_larger_than_the_memory_allowed_is_measured_from_the_disk_with_the_same_result() {
    let sandbox = Sandbox::with_zoo(&[]);
    let bytes = checkpoint(&sandbox.path("large"));
    assert!(bytes > ALLOWED << 10);
    let measure = |kib: &str| {
        // Takes the file out of the page cache where `dd` and the file system can; it goes on without.
        let weights = sandbox.path("large/model.safetensors");
        let cold = ["oflag=nocache", "conv=notrunc,fdatasync", "count=0", "status=none"];
        let _ = Command::new("dd").arg(format!("of={}", weights.display())).args(cold).status();
        // Threads count with their stacks, so neither those nor the cores of a machine should matter.
        let limited = r#"ulimit -c 0; ulimit -s 1024; ulimit -d "$0"; exec "$@""#;
        let program = sandbox.command(&[]);
        let mut shell = Command::new("sh");
        shell.args(["-c", limited, kib]).arg(program.get_program());
        shell.args(["measure", "large", "--tokens", "1,2,3", "--json", "--quiet"]);
        shell.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.env("RAYON_NUM_THREADS", "2").env("POLARS_MAX_THREADS", "2").current_dir(sandbox.path(""));
        // A new store each time, or the second would have nothing to do.
        shell.args(["--store", &format!("store-{kib}")]).output().unwrap()
    };
    assert!(!measure("8192").status.success(), "the limit is not enforced");
    let limited = measure(&ALLOWED.to_string());
    assert!(limited.status.success(), "{}", String::from_utf8_lossy(&limited.stderr));
    let free = measure("unlimited");
    assert!(free.status.success() && free.stdout == limited.stdout);
}
