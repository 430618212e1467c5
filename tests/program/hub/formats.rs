//! Repositories whose weights are pickled or quantised, and GGUF files of the hub: brought whole, and used by every command.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::{Value, json};

use super::{
    User,
    gguf::{PARTS, quantised},
    program::program,
    server::{COMMIT, REPO, Server, content},
};
use crate::sandbox::{Sandbox, project};

const TOKENS: [&str; 3] = ["--tokens", "5,6,7", "--json"];

fn golden(name: &str) -> std::path::PathBuf {
    project().join("tests/goldens").join(name)
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_string(), fs::read(&path).unwrap()))
        .collect()
}

/// What `measure` observes of a model.
fn observed(sandbox: &Sandbox, server: &Server, model: &str) -> Value {
    let (code, out, err) = program(sandbox, server, &[&["measure", model][..], &TOKENS].concat());
    assert_eq!(code, Some(0), "{model}: {err}");
    serde_json::from_str::<Value>(&out).unwrap()["observations"].clone()
}

#[test]
fn a_repository_of_pickled_weights_alone_is_brought_whole() {
    for name in ["pickled/whole", "pickled/sharded"] {
        let sandbox = Sandbox::new();
        let server = Server::with(files(&golden(name)));
        let found = observed(&sandbox, &server, REPO);
        assert_eq!(found, observed(&sandbox, &server, golden(name).to_str().unwrap()));
        server.log();
        assert_eq!(found, observed(&sandbox, &server, REPO));
        assert_eq!(server.log().len(), 0, "all of it is here");
    }
    let server = Server::with(files(&golden("pickled/sharded")));
    server.fault(|request, reply| {
        if request.cdn && request.path.contains("00002-of") {
            reply.cut = Some(if request.headers.contains_key("range") { 0 } else { 7000 });
        }
    });
    let user = User::of(&server);
    assert!(user.refused().contains("7000 of its"));
    assert_eq!(user.found(), None, "a shard is missing");
}

#[test]
fn weights_that_are_in_the_cache_are_not_brought_in_another_form() {
    let mut both = files(&golden("pickled/whole"));
    let pickled = Server::with(both.clone());
    both.extend(files(&golden("llama_gqa_tied_bf16")));
    both.insert("tokenizer_config.json".to_string(), b"{}".to_vec());
    let both = Server::with(both);
    let mut user = User::of(&pickled);
    let folder = user.fetch().unwrap();
    // As a program leaves it that asked for no tokenizer; the repository has safetensors by now.
    fs::remove_dir_all(user.path(".no_exist")).unwrap();
    user.settings.endpoint = both.endpoint.clone();
    assert_eq!(user.fetch().unwrap(), folder);
    assert!(folder.join("tokenizer_config.json").is_file());
    assert_eq!(content(&both.log()).len(), 0);
    let fresh = User::of(&both);
    let folder = fresh.fetch().unwrap();
    assert!(folder.join("model.safetensors").is_file() && !folder.join("pytorch_model.bin").exists());
}

#[test]
fn a_quantised_repository_is_brought_with_what_says_how() {
    for (name, beside) in [
        ("gptq_4bit_act_order", Some("quantize_config.json")),
        ("awq_4bit", Some("quant_config.json")),
        ("awq_4bit", None),
        ("nf4_double", None),
        ("mlx_4bit", None),
    ] {
        let folder = golden("quantised").join(name);
        let mut files = files(&folder);
        if let Some(beside) = beside {
            // As older versions of the tools wrote it.
            let mut config: Value = serde_json::from_slice(&files["config.json"]).unwrap();
            let object = config.as_object_mut().unwrap();
            let mut described = object.remove("quantization_config").unwrap();
            described.as_object_mut().unwrap().remove("quant_method");
            if name.starts_with("awq") {
                described = json!({"zero_point": true, "q_group_size": 32, "w_bit": 4, "version": "GEMM"});
            }
            files.insert("config.json".to_string(), config.to_string().into_bytes());
            files.insert(beside.to_string(), described.to_string().into_bytes());
        }
        let sandbox = Sandbox::new();
        let server = Server::with(files);
        let found = observed(&sandbox, &server, REPO);
        assert_eq!(found, observed(&sandbox, &server, folder.to_str().unwrap()), "{name}");
        let snapshot = sandbox.path("hf/hub/models--owner--model/snapshots").join(COMMIT);
        assert!(beside.is_none_or(|beside| snapshot.join(beside).is_file()), "{name}");
        assert!(!snapshot.join("weights.json").exists(), "nothing else");
    }
}

#[test]
fn every_command_takes_a_gguf_file_of_the_hub_whole_or_in_parts() {
    let sandbox = Sandbox::new();
    let server = quantised();
    let file = golden("gguf/llama_f32/model.gguf");
    let expected = observed(&sandbox, &server, file.to_str().unwrap());
    for (number, id) in ["F32/model.gguf", PARTS].into_iter().enumerate() {
        let id = format!("{REPO}:{id}");
        let exported = sandbox.path(&format!("exported{number}"));
        let arguments = ["export", &id, "-o", exported.to_str().unwrap()];
        let (code, _, err) = program(&sandbox, &server, &arguments);
        assert_eq!(code, Some(0), "{err}");
        assert!(exported.join("model.onnx").is_file());
        assert_eq!(observed(&sandbox, &server, &id), expected, "{id}");
        let (code, _, err) = program(&sandbox, &server, &["inspect", &id]);
        assert_eq!(code, Some(0), "{err}");
    }
}

#[test]
fn run_brings_a_gguf_file_that_the_model_list_names() {
    let sandbox = Sandbox::new();
    let file = fs::read(project().join("data/zoo/quantised/llama3-tiny.Q8_0.gguf")).unwrap();
    let server = Server::with(BTreeMap::from([("Q8_0/model.gguf".to_string(), file)]));
    let id = format!("{REPO}:Q8_0/model.gguf");
    let models = sandbox.read("experiments/models.toml");
    let rest = models.find("[[model]]\nid = \"pythia-6.9b\"").unwrap();
    let near = "[[model]]\nid = \"llama3-tiny\"\nevidence = \"rehearsal\"\nfolder = \"../data/zoo/llama3-tiny\"\nprofiles = [\"tiny\"]\n";
    let far = format!(
        "[[model]]\nid = \"far\"\nevidence = \"rehearsal\"\nhub = \"{id}\"\nrevision = \"main\"\n\
         profiles = [\"tiny\"]\n"
    );
    let list = format!("schema = 1\n{near}{far}{}", &models[rest..]);
    sandbox.write("experiments/models.toml", &list);
    let (code, _, err) = program(&sandbox, &server, &["plan"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("far: not on this machine") && err.contains(&id), "{err}");
    let (code, _, err) = program(&sandbox, &server, &["run"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("download owner/model") && err.contains("observe far"), "{err}");
    server.log();
    let (code, _, err) = program(&sandbox, &server, &["plan"]);
    assert_eq!((code, err.contains("far: ")), (Some(0), false), "{err}");
    assert_eq!(server.log().len(), 0);
}
