//! Checkpoints, files and command lines as people have them: what the program makes of each is what the reference makes of it.

use std::fs;

use serde_json::{Value, json};

use super::sandbox::{Sandbox, project};

const PROMPT: &str = "The capital of France is";
const ZOO: &str = "data/zoo/llama3-tiny";

fn measured(sandbox: &Sandbox, model: &str) -> Value {
    sandbox.json(&["measure", model, "--prompt", PROMPT, "--json"])["observations"].clone()
}

/// A copy of llama3-tiny in the folder `model`, its config and its tokenizer's settings changed.
fn changed(sandbox: &Sandbox, config: &str, settings: &str) {
    let _ = fs::remove_dir_all(sandbox.path("model"));
    fs::create_dir(sandbox.path("model")).unwrap();
    for file in ["model.safetensors", "tokenizer.json"] {
        fs::copy(project().join(ZOO).join(file), sandbox.path("model").join(file)).unwrap();
    }
    for (name, changes) in [("config.json", config), ("tokenizer_config.json", settings)] {
        let mut object: Value =
            serde_json::from_str(&fs::read_to_string(project().join(ZOO).join(name)).unwrap()).unwrap();
        let changes: Value = serde_json::from_str(changes).unwrap();
        object.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        sandbox.write(&format!("model/{name}"), &object.to_string());
    }
}

#[test]
fn config_values_of_other_types_mean_what_they_say() {
    let sandbox = Sandbox::new();
    let plain = measured(&sandbox, "llama3-tiny");
    for config in [
        r#"{"tie_word_embeddings": null}"#,
        r#"{"attention_bias": null, "mlp_bias": null}"#,
        r#"{"hidden_act": null}"#,
        r#"{"rms_norm_eps": "1e-05"}"#,
        r#"{"rope_theta": "500000"}"#,
        r#"{"intermediate_size": 256.0, "hidden_size": 96.0}"#,
        r#"{"sliding_window": null, "use_sliding_window": false, "layer_types": null}"#,
        r#"{"pad_token_id": [-1], "eos_token_id": [1, 2], "dtype": "bfloat16", "torch_dtype": null}"#,
        // Rotary scaling in its older and newer forms, whole factors, and numbers as texts.
        r#"{"rope_scaling": {"type": "llama3", "factor": 8, "high_freq_factor": "4.0", "low_freq_factor": 1,
            "original_max_position_embeddings": "64"}}"#,
        r#"{"rope_scaling": null, "rope_parameters": {"rope_type": "llama3", "factor": 8.0, "high_freq_factor": 4.0,
            "low_freq_factor": 1.0, "original_max_position_embeddings": 64}}"#,
        // A head that is stored with other numbers is the head.
        r#"{"tie_word_embeddings": true}"#,
    ] {
        changed(&sandbox, config, "{}");
        assert_eq!(measured(&sandbox, "./model"), plain, "{config}");
    }
    changed(&sandbox, r#"{"tie_word_embeddings": true}"#, "{}");
    let facts = sandbox.json(&["measure", "./model", "--prompt", PROMPT, "--json"])["model"].clone();
    assert_eq!(facts["tied"], false, "{facts}");
    for (config, said) in [
        (r#"{"rms_norm_eps": "small"}"#, "`rms_norm_eps` = \"small\""),
        (r#"{"hidden_size": 1.5}"#, "`hidden_size` = 1.5"),
        (r#"{"rope_scaling": "llama3"}"#, "`rope_scaling` = \"llama3\""),
        (r#"{"num_hidden_layers": true}"#, "`num_hidden_layers` = true"),
    ] {
        changed(&sandbox, config, "{}");
        let (_, error) = sandbox.expect(4, &["measure", "./model", "--prompt", PROMPT]);
        assert!(error.contains(said), "{error}");
    }
    // As Python writes numbers that JSON does not have.
    changed(&sandbox, "{}", "{}");
    let config = sandbox.read("model/config.json");
    let python =
        config.replacen('{', "\u{feff}{\"time_step_limit\": [0.0, Infinity], \"attention_dropout\": NaN,", 1);
    sandbox.write("model/config.json", &python);
    assert_eq!(measured(&sandbox, "./model"), plain);
    changed(&sandbox, r#"{"rms_norm_eps": "not a number"}"#, "{}");
    sandbox.edit("model/config.json", "\"not a number\"", "NaN");
    let (_, error) = sandbox.expect(4, &["measure", "./model", "--prompt", PROMPT]);
    assert!(error.contains("`rms_norm_eps` = \"NaN\""), "{error}");
}

#[test]
fn what_a_config_says_of_quantised_weights_that_are_plain_is_noted() {
    let sandbox = Sandbox::new();
    let plain = measured(&sandbox, "llama3-tiny");
    for config in [
        r#"{"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": true, "bnb_4bit_quant_type": "nf4"}}"#,
        r#"{"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128}}"#,
        r#"{"quantization_config": {"quant_method": "fp8"}}"#,
        r#"{"quantization_config": {"quant_method": "one of tomorrow"}}"#,
    ] {
        changed(&sandbox, config, "{}");
        assert_eq!(measured(&sandbox, "./model"), plain, "{config}");
        let (_, said) = sandbox.expect(0, &["measure", "./model", "--prompt", PROMPT]);
        assert!(said.contains("model/config.json") && said.contains("stored plain"), "{said}");
        for command in
            [&["measure", "./model", "--prompt", PROMPT, "--json"][..], &["inspect", "./model", "--json"]]
        {
            let notes = sandbox.json(command)["notes"].to_string();
            assert!(notes.contains("stored plain"), "{command:?}: {notes}");
        }
    }
    assert_eq!(sandbox.json(&["inspect", "llama3-tiny", "--json"])["notes"], json!([]));
}

#[test]
fn settings_of_a_tokenizer_add_no_bos_beside_its_template() {
    let sandbox = Sandbox::new();
    let ids = |settings: &str, edit: &dyn Fn(&mut Value), policy: &str| {
        changed(&sandbox, "{}", settings);
        let mut tokenizer: Value = serde_json::from_str(&sandbox.read("model/tokenizer.json")).unwrap();
        edit(&mut tokenizer);
        sandbox.write("model/tokenizer.json", &tokenizer.to_string());
        let found = sandbox.json(&["measure", "./model", "--prompt", PROMPT, "--bos", policy, "--json"]);
        found["observations"][0]["token_ids"].clone()
    };
    let text = json!([277, 304, 291, 617, 273]);
    let with = |first: u32| json!([first, 277, 304, 291, 617, 273]);
    let byte_level = |tokenizer: &mut Value| {
        tokenizer["post_processor"] = tokenizer["post_processor"]["processors"][0].clone();
    };
    assert_eq!(ids(r#"{"add_bos_token": true}"#, &byte_level, "auto"), text);
    assert_eq!(ids(r#"{"add_bos_token": false}"#, &|_| (), "auto"), with(0));
    assert_eq!(ids(r#"{"add_bos_token": true, "add_eos_token": true}"#, &|_| (), "auto"), with(0));
    let marked = format!("\u{feff}{}", sandbox.read("model/tokenizer.json"));
    sandbox.write("model/tokenizer.json", &marked);
    assert_eq!(measured(&sandbox, "./model"), measured(&sandbox, "llama3-tiny"));
    let joined = |tokenizer: &mut Value| {
        for pair in tokenizer["model"]["merges"].as_array_mut().unwrap() {
            *pair = format!("{} {}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap()).into();
        }
    };
    assert_eq!(ids(r#"{"model_max_length": 1000000000000000019884624838656}"#, &joined, "auto"), with(0));
    let stale = |tokenizer: &mut Value| {
        tokenizer["post_processor"]["processors"][1]["special_tokens"]["<|begin_of_text|>"]["ids"] =
            json!([57]);
    };
    for (policy, expected) in [("auto", with(57)), ("always", with(0)), ("never", text)] {
        assert_eq!(ids("{}", &stale, policy), expected, "{policy}");
    }
    let (_, said) = sandbox.expect(0, &["measure", "./model", "--prompt", PROMPT]);
    assert!(said.contains("token 57") && said.contains("token 0"), "{said}");
    let notes = sandbox.json(&["measure", "./model", "--prompt", PROMPT, "--json"])["notes"].to_string();
    assert!(notes.contains("token 57"), "{notes}");
}

#[test]
fn vocabulary_and_merges_do_for_a_tokenizer() {
    let sandbox = Sandbox::new();
    let zoo = project().join("data/zoo/gpt2-tiny");
    let plain = measured(&sandbox, &zoo.display().to_string());
    fs::create_dir(sandbox.path("model")).unwrap();
    sandbox.write(
        "model/tokenizer_config.json",
        r#"{"tokenizer_class": "GPT2Tokenizer", "add_bos_token": false}"#,
    );
    for file in ["config.json", "model.safetensors"] {
        fs::copy(zoo.join(file), sandbox.path("model").join(file)).unwrap();
    }
    let (_, error) = sandbox.expect(4, &["measure", "./model", "--prompt", PROMPT]);
    assert!(error.contains("vocab.json and merges.txt") && error.contains("--tokens"), "{error}");
    let tokenizer: Value =
        serde_json::from_str(&fs::read_to_string(zoo.join("tokenizer.json")).unwrap()).unwrap();
    let model = &tokenizer["model"];
    let pair = |pair: &Value| format!("{} {}\n", pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
    let merges: String = model["merges"].as_array().unwrap().iter().map(pair).collect();
    sandbox.write("model/vocab.json", &model["vocab"].to_string());
    sandbox.write("model/merges.txt", &format!("#version: 0.2\n{merges}"));
    assert_eq!(measured(&sandbox, "./model"), plain);
}

#[test]
fn a_prompt_may_begin_with_a_hyphen_and_stand_before_the_model() {
    let sandbox = Sandbox::new();
    for prompt in ["- one", "-5 degrees is", "--help me", "two\nlines"] {
        let found = sandbox.json(&["measure", "--json", "--prompt", prompt, "llama3-tiny"]);
        assert_eq!(found["observations"][0]["prompt"], prompt);
    }
}

#[test]
fn token_ids_that_begin_with_a_hyphen_are_refused_as_token_ids() {
    let sandbox = Sandbox::new();
    for ids in ["-1", "-1,2", "--json"] {
        let (_, error) = sandbox.expect(4, &["measure", "llama3-tiny", "--tokens", ids]);
        assert!(error.contains(ids) && error.contains("separated by commas"), "{error}");
    }
}

#[test]
fn a_model_in_the_place_of_an_experiment_is_told_for_what_it_is() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("blob"), b"GGUF").unwrap();
    for (model, said) in
        [("blob", "found a GGUF file"), ("data/zoo/llama3-tiny", "found the folder of a model")]
    {
        let (_, error) = sandbox.expect(3, &["run", model]);
        assert!(error.contains(said) && error.contains("streamgauge measure"), "{error}");
    }
}

#[test]
fn line_ends_of_a_prompt_set_enter_no_prompt() {
    let sandbox = Sandbox::new();
    let set = "schema = 1\nid = \"lines\"\ntitle = \"two lines\"\nsource = \"made here\"\n\n[[prompt]]\nid = \"two-lines\"\n\
               category = \"Factual\"\ntext = \"\"\"\nThe capital of France is Paris.\nThe capital of Italy is\"\"\"\n";
    let seen = |text: &str| {
        sandbox.write("lines.toml", text);
        sandbox.json(&["measure", "llama3-tiny", "--prompts", "lines.toml", "--json"])["observations"].clone()
    };
    let unix = seen(set);
    assert_eq!(unix[0]["prompt"], "The capital of France is Paris.\nThe capital of Italy is");
    assert_eq!(seen(&set.replace('\n', "\r\n")), unix);
    assert_eq!(seen(&format!("\u{feff}{set}")), unix);
}

#[test]
fn line_ends_and_marks_of_byte_order_change_no_registration() {
    let sandbox = Sandbox::new();
    let file = "experiments/hypotheses/H9.toml";
    let hypothesis = sandbox.read(file);
    let line = hypothesis.lines().find(|line| line.starts_with("statement = ")).unwrap();
    // A text of several lines, which a line end could enter.
    let hypothesis = hypothesis.replace(line, "statement = \"\"\"\nOf two lines:\nthis is the second.\"\"\"");
    sandbox.write(file, &hypothesis);
    sandbox.expect(0, &["register", "H9"]);
    let registered = sandbox.read("results/registered/log.toml");
    let crlf = |text: &str| text.replace('\n', "\r\n");
    for text in [crlf(&hypothesis), format!("\u{feff}{hypothesis}"), format!("\u{feff}{}", crlf(&hypothesis))]
    {
        sandbox.write(file, &text);
        sandbox.expect(0, &["check"]);
        sandbox.expect(0, &["register", "H9"]);
        assert_eq!(sandbox.read("results/registered/log.toml"), registered);
    }
    // Nor does what an editor or git makes of the registration itself.
    for text in [crlf(&registered), format!("\u{feff}{registered}")] {
        sandbox.write("results/registered/log.toml", &text);
        sandbox.expect(0, &["register", "H9"]);
        assert_eq!(sandbox.read("results/registered/log.toml"), text);
    }
    sandbox.edit(file, "the second", "the third");
    let (_, error) = sandbox.expect(2, &["register", "H9"]);
    assert!(error.contains("--note"), "{error}");
}

/// The decoder of float16 that is tapped, its logits float16 too.
fn tapped(sandbox: &Sandbox, bytes: &[u8]) {
    fs::write(sandbox.path("decoder.onnx"), bytes).unwrap();
    sandbox.expect(0, &["tap", "decoder.onnx", "-o", "tapped.onnx"]);
}

/// The stream's norms in JSON.
const NORMS: &str = "resid";
const DECODER: &str = "tests/foreign/genai_fp16_llama_gqa_heads16_f32.onnx";
const MEASURE: [&str; 6] = ["measure", "tapped.onnx", "--tokens", "5,6,7", "--axis", "kv_cache_dim=16"];

#[test]
fn logits_of_two_bytes_are_logits() {
    let sandbox = Sandbox::new();
    tapped(&sandbox, &fs::read(project().join(DECODER)).unwrap());
    let found = sandbox.json(&[&MEASURE[..], &["--json"]].concat())["observations"][0].clone();
    let golden = project().join("tests/goldens/llama_gqa_heads16_f32").display().to_string();
    let own = sandbox.json(&["measure", &golden, "--tokens", "5,6,7", "--json"])["observations"][0].clone();
    let numbers = |seen: &Value| -> Vec<f64> {
        let rows = seen[NORMS].as_array().unwrap().iter().flat_map(|row| row.as_array().unwrap());
        rows.map(|norm| norm.as_f64().unwrap()).collect()
    };
    let (theirs, ours) = (numbers(&found), numbers(&own));
    assert_eq!(theirs.len(), ours.len());
    for (theirs, ours) in theirs.iter().zip(&ours) {
        assert!((theirs / ours - 1.0).abs() < 1e-2, "{theirs} {ours}");
    }
    assert_eq!(found["top"][0]["id"], own["top"][0]["id"]);
    let entropy = |seen: &Value| seen["entropy_nats"].as_f64().unwrap();
    assert!((entropy(&found) - entropy(&own)).abs() < 1e-2);
}
