//! Headers that lie about lengths, counts, offsets, kinds and names.

use std::path::Path;

use super::{
    super::{GgufError, Header, describe, tokenizer},
    blocks::random_bytes,
    writer::{LIST, TEXT, UNSIGNED, Writer, list, text},
};
use crate::{
    arch::{Recipe, of_model},
    checkpoint::Checkpoint,
};

fn read(bytes: &[u8]) -> Result<(), GgufError> {
    Header::read(Path::new("m.gguf"), bytes).map(|_| ())
}

/// The refusal of these bytes, which names the file.
fn refusal(bytes: &[u8]) -> String {
    let message = read(bytes).expect_err("it was read").to_string();
    assert!(message.starts_with("m.gguf: "), "{message}");
    message
}

fn says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "{word:?} is not in: {message}");
    }
}

#[test]
fn what_is_no_gguf_is_refused_by_what_it_is() {
    says(&refusal(b""), &["begins with \"GGUF\""]);
    says(&refusal(b"PK\x03\x04...."), &["PK"]);
    says(&refusal(b"version https://git-lfs.github.com/spec/v1"), &["git-lfs pointer", "git lfs pull"]);
    let whole = Writer::default();
    says(&refusal(&whole.bytes_of(1, 0, 0)), &["version 1"]);
    says(&refusal(&whole.bytes_of(4, 0, 0)), &["version 4"]);
    says(&refusal(&whole.bytes_of(3u32.swap_bytes(), 0, 0)), &["big-endian"]);
    assert!(read(&whole.bytes_of(2, 0, 0)).is_ok());
}

#[test]
fn counts_that_no_file_holds_are_refused_before_memory_is_asked_for() {
    let whole = Writer::default();
    says(&refusal(&whole.bytes_of(3, 0, u64::MAX)), &["at most 65536 keys", "18446744073709551615"]);
    says(&refusal(&whole.bytes_of(3, u64::MAX, 0)), &["at most 262144 tensors"]);
    says(&refusal(&whole.bytes_of(3, 0, 60_000)), &["the name of a key", "1 to 1024 bytes", "found 0 bytes"]);
    let long = |kind, count| Writer::default().key("k", LIST, &list(kind, count, &[])).bytes();
    says(&refusal(&long(UNSIGNED, u64::MAX)), &["`k`", "a list inside the file"]);
    says(&refusal(&long(UNSIGNED, 1 << 40)), &["of k", "end of the file"]);
    says(&refusal(&long(TEXT, u64::MAX)), &["of k", "end of the file"]);
    let bytes = Writer::default().key("k", LIST, &list(0, 1 << 21, &vec![7; 1 << 21])).bytes();
    let message =
        Header::read(Path::new("m.gguf"), &bytes).unwrap().metadata.counts("k").unwrap_err().to_string();
    says(&message, &["`k`", "at most 1048576 values", "2097152"]);
}

#[test]
fn values_are_of_a_kind_that_is_known_and_lie_in_the_file() {
    let of = |kind, value: &[u8]| refusal(&Writer::default().key("k", kind, value).bytes());
    says(&of(13, &[0; 8]), &["`k`", "kind 13"]);
    says(&of(7, &[2]), &["`k`", "0 or 1", "2"]);
    says(&of(LIST, &list(7, 3, &[0, 1, 9])), &["`k`", "0 or 1"]);
    says(&of(TEXT, &u64::MAX.to_le_bytes()), &["bytes of k"]);
    let mut nested = list(UNSIGNED, 0, &[]);
    for _ in 0..9 {
        nested = list(LIST, 1, &nested);
    }
    says(&of(LIST, &nested), &["`k`", "4 deep"]);
    let twice = Writer::default().count("k", 1).count("k", 2).bytes();
    says(&refusal(&twice), &["`k`", "twice"]);
    let name = |bytes: &[u8]| {
        let mut whole = Writer::default().bytes_of(3, 0, 1);
        whole.truncate(24);
        whole.extend(bytes);
        refusal(&whole)
    };
    says(&name(&[&2u64.to_le_bytes()[..], &[0xff, 0xfe]].concat()), &["the name of a key", "utf-8"]);
    says(&name(&0u64.to_le_bytes()), &["1 to 1024 bytes"]);
}

#[test]
fn tensors_lie_one_after_the_other_in_the_file() {
    let good = Writer::default().tensor("a", &[32, 2], 2, &[0; 36]).tensor("b", &[8], 0, &[0; 32]);
    assert!(read(&good.bytes()).is_ok());
    let data = |writer: Writer| {
        let mut bytes = writer.bytes();
        bytes.extend([0; 4096]);
        refusal(&bytes)
    };
    let new = Writer::default;
    says(&data(new().entry("a", &[32], 0, 32)), &["\"a\"", "offset 0", "offset 32"]);
    let overlapping = new().entry("a", &[32], 0, 0).entry("b", &[32], 0, 64);
    says(&data(overlapping), &["\"b\"", "offset 128", "\"a\"", "offset 64"]);
    says(&data(new().entry("a", &[1 << 30], 0, 0)), &["\"a\"", "4294967296 bytes", "end of the file"]);
    says(&data(new().entry("a", &[u64::MAX, u64::MAX], 0, 0)), &["\"a\"", "elements"]);
    says(&data(new().entry("a", &[1 << 61], 0, 0)), &["\"a\"", "elements"]);
    says(&data(new().entry("a", &[0], 0, 0)), &["\"a\"", "[0]"]);
    says(&data(new().entry("a", &[33], 2, 0)), &["\"a\"", "Q4_0 blocks of 32", "[33]"]);
    says(&data(new().entry("a", &[], 0, 0)), &["\"a\"", "dimensions"]);
    says(&data(new().entry("a", &[1; 5], 0, 0)), &["\"a\"", "1 to 4 dimensions", "5"]);
    says(&data(new().entry("a", &[32], 4, 0)), &["\"a\"", "type 4"]);
    says(&data(new().entry("a", &[8], 0, 0).entry("a", &[8], 0, 32)), &["\"a\"", "two"]);
    says(&data(new().entry(&"a".repeat(257), &[8], 0, 0)), &["1 to 256 bytes"]);
    for alignment in [0, 24, 1 << 20] {
        let odd = new().count("general.alignment", alignment).entry("a", &[8], 0, 0);
        says(&data(odd), &["general.alignment", "power of two", &alignment.to_string()]);
    }
    let zero = new().entry("a", &[8], 0, 0).bytes();
    says(&refusal(&zero), &["\"a\"", "32 bytes", "0 bytes up to"]);
}

/// A whole model of one block, as small as one can be.
fn model() -> Writer {
    made(1, "")
}

/// The same of so many blocks, as it says, and without one of its matrices.
fn made(blocks: u32, without: &str) -> Writer {
    let data = |count: usize| vec![0; 4 * count];
    let mut writer = Writer::default()
        .text("general.architecture", "llama")
        .count("llama.block_count", blocks)
        .count("llama.context_length", 8)
        .count("llama.embedding_length", 4)
        .count("llama.feed_forward_length", 4)
        .count("llama.attention.head_count", 2)
        .count("llama.attention.head_count_kv", 1)
        .key("llama.attention.layer_norm_rms_epsilon", 6, &1e-5f32.to_le_bytes())
        .key("tokenizer.ggml.tokens", LIST, &list(TEXT, 2, &[text("a"), text("b")].concat()))
        .tensor("token_embd.weight", &[4, 3], 0, &data(12))
        .tensor("output_norm.weight", &[4], 0, &data(4));
    for (name, shape) in [
        ("attn_norm", &[4][..]),
        ("attn_q", &[4, 4]),
        ("attn_k", &[4, 2]),
        ("attn_v", &[4, 2]),
        ("attn_output", &[4, 4]),
        ("ffn_norm", &[4]),
        ("ffn_gate", &[4, 4]),
        ("ffn_up", &[4, 4]),
        ("ffn_down", &[4, 4]),
    ] {
        if name == without {
            continue;
        }
        writer = writer.tensor(
            &format!("blk.0.{name}.weight"),
            shape,
            0,
            &data(shape.iter().product::<u64>() as usize),
        );
    }
    writer
}

/// What these bytes describe, or the refusal of it.
fn described(writer: &Writer) -> Result<serde_json::Value, String> {
    let bytes = writer.bytes();
    let header = Header::read(Path::new("m.gguf"), &bytes).map_err(|error| error.to_string())?;
    let description = describe(&header.metadata, &header.tensors).map_err(|error| error.to_string())?;
    Ok(description.config.into())
}

#[test]
fn keys_are_those_of_a_config_and_numbers_as_people_write_them() {
    let config = described(&model().count("llama.vocab_size", 3)).unwrap();
    assert_eq!(
        config,
        serde_json::json!({
            "model_type": "llama", "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2,
            "num_key_value_heads": 1, "intermediate_size": 4, "max_position_embeddings": 8, "rms_norm_eps": 1e-5,
            "hidden_act": "silu", "vocab_size": 3, "tie_word_embeddings": true, "attention_bias": false,
            "mlp_bias": false, "head_dim": 2, "rope_theta": 10_000.0,
        })
    );
}

#[test]
fn a_key_or_tensor_that_changes_the_computation_is_refused_by_its_name() {
    let refused = |writer: Writer| described(&writer).expect_err("it was described");
    says(&refused(model().count("llama.attention.novelty", 1)), &["`llama.attention.novelty`"]);
    says(
        &refused(model().count("llama.expert_count", 8)),
        &["`llama.expert_count`", "expected 0", "found 8"],
    );
    assert!(described(&model().count("llama.expert_count", 0)).is_ok());
    assert!(described(&model().text("general.name", "of no effect").count("other.key", 1)).is_ok());
    says(&refused(model().tensor("blk.0.attn_q.scale", &[1], 0, &[0; 4])), &["\"blk.0.attn_q.scale\""]);
    says(
        &refused(model().text("llama.rope.scaling.type", "longrope")),
        &["`llama.rope.scaling.type`", "longrope"],
    );
    says(&refused(model().text("general.type", "adapter")), &["`general.type`", "adapter"]);
    says(
        &refused(model().count("llama.rope.dimension_count", 4)),
        &["dimension_count", "width of a head, 2"],
    );
    let factors = |numbers: [f32; 1]| model().tensor("rope_freqs.weight", &[1], 0, &numbers[0].to_le_bytes());
    says(&refused(factors([0.0])), &["\"rope_freqs.weight\"", "positive"]);
    let scaled = described(&factors([8.0])).unwrap();
    assert_eq!(scaled["rope_scaling"], serde_json::json!({"rope_type": "factors", "factors": [8.0]}));
    says(
        &refused(Writer::default().text("general.architecture", "mamba")),
        &["\"mamba\"", "(apertus", ", llama, "],
    );
    says(&refused(Writer::default()), &["`general.architecture`", "no such key"]);
}

#[test]
fn what_a_file_lacks_is_said_in_the_words_of_the_file() {
    let refused = described(&made(0, "")).expect_err("it was described");
    says(&refused, &["m.gguf: key `llama.block_count`: expected a size of at least 1, found 0"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("m.gguf");
    std::fs::write(&file, made(1, "ffn_up").bytes()).unwrap();
    let checkpoint = Checkpoint::open(&file).unwrap();
    let recipe = Recipe::read(checkpoint.config()).unwrap();
    let error = of_model(&file, &recipe.checked_weights(&checkpoint).unwrap_err());
    says(&error, &["m.gguf: tensor \"blk.0.ffn_up.weight\": expected it", "no such tensor"]);
    assert_eq!(error.matches("m.gguf").count(), 1, "{error}");
    let unknown = Recipe::read(&serde_json::from_str(r#"{"model_type": "x"}"#).unwrap()).unwrap_err();
    says(&of_model(&file, &unknown), &["m.gguf: the config of its metadata: model_type \"x\""]);
}

/// Bytes of a good file, changed in a few places, are read or refused: no panic, and no memory beyond the file's size.
#[test]
fn mutated_headers_are_read_or_refused() {
    const COUNT: u64 = 20_000;
    let count = std::env::var("GGUF_MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(COUNT);
    let whole = model().bytes();
    let mut next = random_bytes(18);
    let (mut read, mut described) = (0u64, 0u64);
    for _ in 0..count {
        let mut bytes = whole.clone();
        for _ in 0..=next() % 4 {
            let at = next() as usize % bytes.len();
            match next() % 4 {
                0 => bytes[at] = next() as u8,
                1 => bytes[at] ^= 1 << (next() % 8),
                2 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][next() as usize % 5],
                _ => bytes.truncate(at.max(1)),
            }
        }
        let Ok(header) = Header::read(Path::new("m.gguf"), &bytes) else { continue };
        read += 1;
        let _ = header.metadata.texts("tokenizer.ggml.tokens");
        described += u64::from(describe(&header.metadata, &header.tensors).is_ok());
    }
    assert!(read > count / 20 && described > count / 100, "{read} read, {described} described, of {count}");
}

/// The same of the headers of every golden, and so of every family; the mutations hit what follows the magic.
#[test]
fn mutated_headers_of_every_family_are_read_or_refused() {
    const COUNT: u64 = 10_000;
    let count = std::env::var("GGUF_MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(COUNT);
    let file = Path::new("m.gguf");
    let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/goldens/gguf");
    let mut wholes = Vec::new();
    for entry in std::fs::read_dir(goldens).unwrap() {
        let Ok(bytes) = std::fs::read(entry.unwrap().path().join("model.gguf")) else { continue };
        let header = Header::read(file, &bytes).unwrap().tensors[0].range.start;
        wholes.push((header, bytes));
    }
    wholes.sort_by_key(|(header, bytes)| (*header, bytes.len()));
    assert!(wholes.len() > 30);
    let mut next = random_bytes(19);
    let (mut read, mut described) = (0u64, 0u64);
    for turn in 0..count {
        let (header, whole) = &mut wholes[turn as usize % 30];
        let mut undo = Vec::new();
        for _ in 0..=next() % 3 {
            let at = 8 + next() as usize % (*header - 8);
            undo.push((at, whole[at]));
            match next() % 3 {
                0 => whole[at] = next() as u8,
                1 => whole[at] ^= 1 << (next() % 8),
                _ => whole[at] = [0, 1, 0x7f, 0x80, 0xff][next() as usize % 5],
            }
        }
        if let Ok(header) = Header::read(file, whole) {
            read += 1;
            described += u64::from(describe(&header.metadata, &header.tensors).is_ok());
        }
        undo.into_iter().rev().for_each(|(at, byte)| whole[at] = byte);
    }
    assert!(read > count / 20 && described > count / 100, "{read} read, {described} described, of {count}");
}

/// The same of a small vocabulary of each kind: it becomes a `tokenizer.json` or is refused.
#[test]
fn mutated_vocabularies_are_read_or_refused() {
    const COUNT: u64 = 10_000;
    let count = std::env::var("GGUF_MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(COUNT);
    let tokens = ["<unk>", "<s>", "a", "b", "ab", "▁", "▁ab", "<0x0A>", "  ", "é"];
    let texts = |texts: &[&str]| {
        let texts: Vec<Vec<u8>> = texts.iter().map(|token| text(token)).collect();
        list(TEXT, texts.len() as u64, &texts.concat())
    };
    let floats: Vec<u8> = (0..10).flat_map(|id| (-(id as f32)).to_le_bytes()).collect();
    let kinds: Vec<u8> =
        [2i32, 3, 1, 1, 1, 1, 1, 6, 4, 1].iter().flat_map(|kind| kind.to_le_bytes()).collect();
    let base = |model: &str, architecture: &str| {
        Writer::default()
            .text("general.architecture", architecture)
            .text("tokenizer.ggml.model", model)
            .key("tokenizer.ggml.tokens", LIST, &texts(&tokens))
            .key("tokenizer.ggml.scores", LIST, &list(6, 10, &floats))
            .key("tokenizer.ggml.token_type", LIST, &list(5, 10, &kinds))
            .key("tokenizer.ggml.add_bos_token", 7, &[1])
            .count("tokenizer.ggml.unknown_token_id", 0)
    };
    let wholes = [
        base("llama", "llama").bytes(),
        base("llama", "gemma2").key("tokenizer.ggml.add_space_prefix", 7, &[0]).bytes(),
        base("gpt2", "gpt2")
            .text("tokenizer.ggml.pre", "falcon")
            .key("tokenizer.ggml.merges", LIST, &texts(&["a b"]))
            .bytes(),
    ];
    let mut next = random_bytes(20);
    let mut made = 0;
    for turn in 0..count {
        let mut bytes = wholes[turn as usize % wholes.len()].clone();
        for _ in 0..=next() % 3 {
            let at = 24 + next() as usize % (bytes.len() - 24);
            bytes[at] = next() as u8;
        }
        let Ok(header) = Header::read(Path::new("m.gguf"), &bytes) else { continue };
        made += u64::from(tokenizer(&header.metadata).is_ok());
    }
    assert!(made > count / 20, "{made} of {count}");
}

#[test]
fn lists_and_shapes_of_a_family_fit_its_blocks_and_heads() {
    let refused = |writer: &Writer| described(writer).expect_err("it was described");
    let base = |architecture: &str| {
        let count =
            |writer: Writer, name: &str, value| writer.count(&format!("{architecture}.{name}"), value);
        let mut writer = Writer::default().text("general.architecture", architecture);
        for (name, value) in [
            ("block_count", 1),
            ("context_length", 8),
            ("embedding_length", 4),
            ("feed_forward_length", 16),
            ("attention.head_count", 2),
            ("attention.head_count_kv", 1),
            ("vocab_size", 3),
        ] {
            writer = count(writer, name, value);
        }
        writer
    };
    let epsilon = |writer: Writer, key: &str| writer.key(key, 6, &1e-5f32.to_le_bytes());
    let rms = |name: &str| epsilon(base(name), &format!("{name}.attention.layer_norm_rms_epsilon"));
    let layer = |name: &str| epsilon(base(name), &format!("{name}.attention.layer_norm_epsilon"));
    let numbers = |count: usize| list(6, count as u64, &vec![0; 4 * count]);

    says(&refused(&rms("apertus")), &["`xielu.alpha_p`", "no such key"]);
    let two = rms("apertus").key("xielu.alpha_p", LIST, &numbers(2));
    says(&refused(&two), &["`xielu.alpha_p`", "each of 1 blocks", "2"]);
    let whole = rms("apertus").key("xielu.alpha_p", LIST, &list(UNSIGNED, 1, &[0; 4]));
    says(&refused(&whole), &["`xielu.alpha_p`", "numbers with a fraction"]);

    let qkv =
        |rows| layer("falcon").tensor("blk.0.attn_qkv.weight", &[4, rows], 0, &vec![0; 16 * rows as usize]);
    assert!(described(&qkv(8)).is_ok());
    says(&refused(&qkv(7)), &["\"blk.0.attn_qkv.weight\"", "2 queries and 1 keys", "7 rows"]);
    let layout = layer("falcon").text("falcon.tensor_data_layout", "another");
    says(&refused(&layout), &["`falcon.tensor_data_layout`", "jploski", "another"]);
    let fused =
        |rows| rms("qwen2").tensor("blk.0.attn_qkv.weight", &[4, rows], 0, &vec![0; 16 * rows as usize]);
    assert!(described(&fused(8)).is_ok());
    says(&refused(&fused(9)), &["\"blk.0.attn_qkv.weight\"", "2 each", "9 rows"]);

    let flags = |count: usize| {
        let flags = list(7, count as u64, &vec![1; count]);
        rms("gemma3").count("gemma3.attention.sliding_window", 4).key(
            "gemma3.attention.sliding_window_pattern",
            LIST,
            &flags,
        )
    };
    assert_eq!(described(&flags(1)).unwrap()["layer_types"], serde_json::json!(["sliding_attention"]));
    says(&refused(&flags(2)), &["`gemma3.attention.sliding_window_pattern`", "each of 1 blocks", "2"]);

    let factors = |name: &str| rms("phi3").tensor(name, &[1], 0, &1f32.to_le_bytes());
    says(&refused(&factors("rope_factors_long.weight")), &["`phi3.rope.scaling.type`", "rope_factors_long"]);
    let stacked = layer("stablelm").tensor("blk.0.attn_q_norm.weight", &[4], 0, &[0; 16]);
    says(&refused(&stacked), &["\"blk.0.attn_q_norm.weight\"", "a row for each", "[4]"]);
    let turning = layer("stablelm").count("stablelm.rope.dimension_count", 3);
    says(&refused(&turning), &["`stablelm.rope.dimension_count`", "at most the width of a head, 2"]);
}
