//! What tools leave in a folder beside a model's own weights, and weights as they leave them.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::{Value, json};

use super::sandbox::{Sandbox, project};

/// The tensors of a safetensors file: dtype, shape and bytes, by name.
type Tensors = BTreeMap<String, (String, Vec<usize>, Vec<u8>)>;

fn zoo(model: &str) -> PathBuf {
    project().join("data/zoo").join(model)
}

fn tensors(model: &str) -> Tensors {
    let bytes = fs::read(zoo(model).join("model.safetensors")).unwrap();
    let (length, rest) = bytes.split_first_chunk().unwrap();
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let mut header: BTreeMap<String, Value> = serde_json::from_slice(header).unwrap();
    header.remove("__metadata__");
    let tensor = |(name, entry): (String, Value)| {
        let sizes = |key: &str| -> Vec<usize> { serde_json::from_value(entry[key].clone()).unwrap() };
        let place = sizes("data_offsets");
        let bytes = data[place[0]..place[1]].to_vec();
        (name, (entry["dtype"].as_str().unwrap().to_string(), sizes("shape"), bytes))
    };
    header.into_iter().map(tensor).collect()
}

fn bytes(tensors: &Tensors) -> Vec<u8> {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, (dtype, shape, bytes)) in tensors {
        let place = [data.len(), data.len() + bytes.len()];
        header.insert(name.clone(), json!({"dtype": dtype, "shape": shape, "data_offsets": place}));
        data.extend_from_slice(bytes);
    }
    let header = Value::Object(header).to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat()
}

/// A model of the zoo in the folder `model`, without its weights.
fn laid(sandbox: &Sandbox, model: &str) {
    let _ = fs::remove_dir_all(sandbox.path("model"));
    fs::create_dir(sandbox.path("model")).unwrap();
    for file in ["config.json", "tokenizer.json", "tokenizer_config.json"] {
        fs::copy(zoo(model).join(file), sandbox.path("model").join(file)).unwrap();
    }
}

fn with(sandbox: &Sandbox, model: &str, tensors: &Tensors) {
    laid(sandbox, model);
    fs::write(sandbox.path("model/model.safetensors"), bytes(tensors)).unwrap();
}

const TOKENS: [&str; 3] = ["--tokens", "5,6,7,8", "--json"];

fn observed(sandbox: &Sandbox, model: &str) -> Value {
    sandbox.json(&[&["measure", model][..], &TOKENS].concat())["observations"].clone()
}

fn of_zoo(sandbox: &Sandbox, model: &str) -> Value {
    observed(sandbox, &zoo(model).display().to_string())
}

fn refused(sandbox: &Sandbox) -> String {
    sandbox.expect(4, &[&["measure", "./model"][..], &TOKENS].concat()).1
}

#[test]
fn tables_and_masks_in_a_block_are_no_weights() {
    let sandbox = Sandbox::new();
    for (model, attention) in [
        ("llama2-tiny", "model.layers.{}.self_attn"),
        ("gemma2-tiny", "model.layers.{}.self_attn"),
        ("gpt2-tiny", "transformer.h.{}.attn"),
        ("pythia-tiny", "gpt_neox.layers.{}.attention"),
    ] {
        let plain = of_zoo(&sandbox, model);
        let mut stored = tensors(model);
        for layer in ["0", "1"] {
            let attention = attention.replace("{}", layer);
            for (end, shape) in [
                ("rotary_emb.inv_freq", vec![8]),
                ("rotary_emb.cos_cached", vec![1, 1, 4, 8]),
                ("rotary_emb.sin_cached", vec![1, 1, 4, 8]),
                ("masked_bias", vec![]),
                ("bias", vec![1, 1, 4, 4]),
                ("k_scale", vec![]),
                ("v_scale", vec![1]),
                ("core_attention._extra_state", vec![4]),
            ] {
                let size = 4 * shape.iter().product::<usize>();
                let name = format!("{attention}.{end}");
                assert!(stored.insert(name, ("F32".into(), shape, vec![0; size])).is_none());
            }
        }
        with(&sandbox, model, &stored);
        assert_eq!(observed(&sandbox, "./model"), plain, "{model}");
    }
    let stored = tensors("llama2-tiny");
    // A scale for each row is no single number.
    for (name, shape) in [("extra", vec![1]), ("k_scale", vec![8])] {
        let name = format!("model.layers.0.self_attn.{name}");
        let size = 4 * shape.iter().product::<usize>();
        let mut stored = stored.clone();
        stored.insert(name.clone(), ("F32".into(), shape, vec![0; size]));
        with(&sandbox, "llama2-tiny", &stored);
        assert!(refused(&sandbox).contains(&name));
    }
}

#[test]
fn names_under_a_wrapper_are_those_of_the_model() {
    let sandbox = Sandbox::new();
    for model in ["llama3-tiny", "gpt2-tiny", "gemma2-tiny"] {
        let plain = of_zoo(&sandbox, model);
        for prefix in ["module.", "_orig_mod.", "model.", "base_model.model."] {
            let renamed =
                tensors(model).into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor));
            with(&sandbox, model, &renamed.collect());
            assert_eq!(observed(&sandbox, "./model"), plain, "{model} {prefix}");
        }
    }
    // The base model alone has no prefix of its own.
    let bare = tensors("llama3-tiny").into_iter();
    let bare = bare.map(|(name, tensor)| (name.trim_start_matches("model.").to_string(), tensor));
    with(&sandbox, "llama3-tiny", &bare.collect());
    assert_eq!(observed(&sandbox, "./model"), of_zoo(&sandbox, "llama3-tiny"));
    let mut twice = tensors("llama3-tiny");
    let head = twice["lm_head.weight"].clone();
    twice.insert("module.lm_head.weight".into(), head);
    with(&sandbox, "llama3-tiny", &twice);
    let error = refused(&sandbox);
    assert!(error.contains("module.lm_head.weight") && error.contains("every weight once"), "{error}");
}

#[test]
fn adapters_are_refused_with_what_merges_them() {
    let sandbox = Sandbox::new();
    let one = || ("F32".to_string(), vec![1], vec![0; 4]);
    for name in [
        "model.layers.0.self_attn.q_proj.lora_A.default.weight",
        "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight",
    ] {
        let mut stored = tensors("llama3-tiny");
        stored.insert(name.into(), one());
        with(&sandbox, "llama3-tiny", &stored);
        let error = refused(&sandbox);
        assert!(error.contains(name) && error.contains("merge_and_unload"), "{error}");
    }
    for without in ["model.safetensors", "config.json"] {
        let _ = fs::remove_file(sandbox.path("model").join(without));
        sandbox.write("model/adapter_config.json", r#"{"base_model_name_or_path": "owner/base"}"#);
        let error = refused(&sandbox);
        assert!(error.contains("owner/base") && error.contains("merge_and_unload"), "{without}: {error}");
    }
}

#[test]
fn a_tied_matrix_is_stored_under_either_name_or_both() {
    let sandbox = Sandbox::new();
    for (model, own) in
        [("gemma2-tiny", "model.embed_tokens.weight"), ("gemma-tiny", "model.embed_tokens.weight")]
    {
        let plain = of_zoo(&sandbox, model);
        let mut stored = tensors(model);
        stored.insert("lm_head.weight".into(), stored[own].clone());
        with(&sandbox, model, &stored);
        assert_eq!(observed(&sandbox, "./model"), plain, "{model}");
        stored.remove(own);
        with(&sandbox, model, &stored);
        assert_eq!(observed(&sandbox, "./model"), plain, "{model}");
        sandbox.expect(0, &["inspect", "./model"]);
        stored.remove("lm_head.weight");
        with(&sandbox, model, &stored);
        assert!(refused(&sandbox).contains(own));
    }
    // A head that is not tied follows from nothing else.
    let mut stored = tensors("llama3-tiny");
    stored.remove("lm_head.weight");
    with(&sandbox, "llama3-tiny", &stored);
    assert!(refused(&sandbox).contains("\"lm_head.weight\""));
}

#[test]
fn metadata_of_any_form_say_nothing_and_a_tensor_without_a_type_is_named() {
    let sandbox = Sandbox::new();
    let plain = of_zoo(&sandbox, "llama3-tiny");
    let stored = tensors("llama3-tiny");
    let with_first = |entry: &str| {
        laid(&sandbox, "llama3-tiny");
        let bytes = bytes(&stored);
        let (length, rest) = bytes.split_first_chunk().unwrap();
        let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
        let header = format!("{{{entry},{}", std::str::from_utf8(&header[1..]).unwrap());
        let file = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat();
        fs::write(sandbox.path("model/model.safetensors"), file).unwrap();
    };
    for metadata in ["null", "{}", r#"{"format": "mlx"}"#, r#"{"step": 5}"#] {
        with_first(&format!("\"__metadata__\": {metadata}"));
        assert_eq!(observed(&sandbox, "./model"), plain, "{metadata}");
    }
    with_first(r#""some.head": {"dtype": "", "shape": [], "data_offsets": [0, 0]}"#);
    let error = refused(&sandbox);
    assert!(error.contains("some.head"), "{error}");
}

#[test]
fn an_index_may_say_that_its_shards_lie_here() {
    let sandbox = Sandbox::new();
    let plain = of_zoo(&sandbox, "llama3-tiny");
    let stored = tensors("llama3-tiny");
    let indexed = |shard: &str, index: &dyn Fn(Value) -> Value| {
        laid(&sandbox, "llama3-tiny");
        fs::write(sandbox.path("model/one.safetensors"), bytes(&stored)).unwrap();
        let map: BTreeMap<&String, &str> = stored.keys().map(|name| (name, shard)).collect();
        sandbox.write("model/model.safetensors.index.json", &index(json!({"weight_map": map})).to_string());
    };
    for shard in ["one.safetensors", "./one.safetensors", "././one.safetensors"] {
        for total in [json!(1), json!(null)] {
            indexed(shard, &|mut index| {
                index["metadata"] = json!({"total_size": total});
                // One that nothing needs.
                index["weight_map"]["model.rotary_emb.inv_freq"] = shard.into();
                index
            });
            assert_eq!(observed(&sandbox, "./model"), plain, "{shard}");
        }
    }
    for shard in
        ["../model/one.safetensors", "./../model/one.safetensors", "/one.safetensors", "a/one.safetensors"]
    {
        indexed(shard, &|index| index);
        let error = refused(&sandbox);
        assert!(error.contains("own folder"), "{shard}: {error}");
    }
    fs::remove_file(sandbox.path("model/model.safetensors.index.json")).unwrap();
    assert!(refused(&sandbox).contains("one.safetensors"));
    fs::rename(sandbox.path("model/one.safetensors"), sandbox.path("model/model-00001-of-00001.safetensors"))
        .unwrap();
    let error = refused(&sandbox);
    assert!(error.contains("without their index"), "{error}");
}

#[test]
fn norms_of_rows_that_float32_cannot_square_are_those_of_the_numbers() {
    let sandbox = Sandbox::new();
    let mut stored = tensors("llama3-tiny");
    let (_, shape, rows) = stored.get_mut("model.embed_tokens.weight").unwrap();
    let width = shape[1];
    // The upper half of a float32 is a bfloat16.
    let small = f32::from_bits(1e-23f32.to_bits() & 0xffff_0000);
    for (token, value) in [(1300, small), (1301, 0.0)] {
        let row = value.to_le_bytes()[2..].repeat(width);
        rows[2 * token * width..][..2 * width].copy_from_slice(&row);
    }
    with(&sandbox, "llama3-tiny", &stored);
    let seen = |token: &str| {
        let found = sandbox.json(&["measure", "./model", "--tokens", token, "--json"]);
        let seen = found["observations"][0].clone();
        (seen["resid"][0][0].as_f64().unwrap(), seen["gains"]["last/last-block"]["cumulative"].clone())
    };
    let (norm, gain) = seen("1300");
    let expected = f64::from(small) * (width as f64).sqrt();
    assert!((norm / expected - 1.0).abs() < 1e-6, "{norm} {expected}");
    assert!(gain.as_f64().is_some_and(f64::is_finite), "{gain}");
    assert_eq!(seen("1301"), (0.0, Value::Null));
}

#[test]
fn norms_of_branches_that_float32_cannot_square_are_those_of_the_numbers() {
    let sandbox = Sandbox::new();
    let written = |exponent: i32| {
        let mut stored = tensors("llama3-tiny");
        let (_, _, weight) = stored.get_mut("model.layers.0.self_attn.o_proj.weight").unwrap();
        for number in weight.chunks_exact_mut(2) {
            let bits = u32::from(u16::from_le_bytes([number[0], number[1]])) << 16;
            let scaled = f32::from_bits(bits) * 2f32.powi(exponent);
            number.copy_from_slice(&scaled.to_le_bytes()[2..]);
        }
        with(&sandbox, "llama3-tiny", &stored);
        let found = sandbox.json(&["measure", "./model", "--tokens", "5,6,7", "--json"]);
        let taps = &found["observations"][0];
        let norms = taps["attn_out"][0].as_array().unwrap().iter().map(|norm| norm.as_f64().unwrap());
        norms.collect::<Vec<f64>>()
    };
    // Multiplying by a power of two loses no digit of a normal number, so the norms keep theirs.
    let exponent = -70;
    let expected: Vec<f64> = written(0).iter().map(|norm| norm * 2f64.powi(exponent)).collect();
    assert_eq!(written(exponent), expected);
}

#[test]
fn the_cosine_of_vectors_whose_product_leaves_float32_is_that_of_their_directions() {
    let sandbox = Sandbox::new();
    let cosines = |exponent: i32| {
        let mut stored = tensors("llama3-tiny");
        let (_, _, rows) = stored.get_mut("model.embed_tokens.weight").unwrap();
        for number in rows.chunks_exact_mut(2) {
            let bits = u32::from(u16::from_le_bytes([number[0], number[1]])) << 16;
            let scaled = f32::from_bits(bits) * 2f32.powi(exponent);
            number.copy_from_slice(&scaled.to_le_bytes()[2..]);
        }
        with(&sandbox, "llama3-tiny", &stored);
        let found = sandbox.json(&["measure", "./model", "--tokens", "5,6,7", "--json"]);
        let first = &found["observations"][0]["write_cosine"][0];
        first.as_array().unwrap().iter().map(|cosine| cosine.as_f64().unwrap()).collect::<Vec<f64>>()
    };
    // Of a stream that is small beside the norm's epsilon the first block is linear.
    let (expected, found) = (cosines(-40), cosines(-80));
    assert!(expected.iter().all(|cosine| cosine.abs() > 1e-3), "{expected:?}");
    for (expected, found) in expected.iter().zip(&found) {
        assert!((expected - found).abs() < 1e-5, "{expected} {found}");
    }
}

#[test]
fn a_decoder_of_float16_that_overflows_is_an_error_at_its_first_tap() {
    let sandbox = Sandbox::new();
    let mut decoder =
        fs::read(project().join("tests/foreign/genai_fp16_llama_gqa_heads16_f32.onnx")).unwrap();
    // A tensor's numbers come after its name; 0x7bff is the largest that float16 has.
    let name = b"model.layers.1.mlp.down_proj.MatMul.weightJ\xa0\x35";
    let at = decoder.windows(name.len()).position(|found| found == name).unwrap() + name.len();
    for number in decoder[at..][..0x1aa0].chunks_mut(2) {
        number.copy_from_slice(&[0xff, number[1] & 0x80 | 0x7b]);
    }
    fs::write(sandbox.path("decoder.onnx"), decoder).unwrap();
    sandbox.expect(0, &["tap", "decoder.onnx", "-o", "tapped.onnx"]);
    let asked = ["measure", "tapped.onnx", "--tokens", "5,6,7", "--axis", "kv_cache_dim=16"];
    let (_, error) = sandbox.expect(4, &asked);
    assert!(error.contains("blocks.1.hook_mlp_out") && error.contains("float16"), "{error}");
}

#[test]
fn what_the_last_hidden_state_of_a_config_is_is_noted() {
    let sandbox = Sandbox::new();
    let plain = of_zoo(&sandbox, "llama3-tiny");
    with(&sandbox, "llama3-tiny", &tensors("llama3-tiny"));
    let config = sandbox.read("model/config.json");
    for (value, noted) in [("false", true), ("true", false), ("null", false)] {
        let said = format!("{{\"tie_last_hidden_states\": {value},");
        sandbox.write("model/config.json", &config.replacen('{', &said, 1));
        assert_eq!(observed(&sandbox, "./model"), plain, "{value}");
        let notes = sandbox.json(&[&["measure", "./model"][..], &TOKENS].concat())["notes"].to_string();
        assert_eq!(notes.contains("tie_last_hidden_states") && notes.contains("hf-last"), noted, "{notes}");
    }
}
