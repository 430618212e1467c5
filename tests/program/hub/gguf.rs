//! GGUF files of the hub: named behind a colon, whole or in parts, cached like other files.

use std::{collections::BTreeMap, fs};

use super::{
    User,
    program::program,
    server::{REPO, Server, content},
};
use crate::sandbox::{Sandbox, project};
use model::hub::{Hub, HubError, HubId};

/// A repository of GGUF files alone: one whole in a folder, one in four parts, and some that nobody asks for.
pub(super) fn quantised() -> Server {
    let goldens = project().join("tests/goldens/gguf/llama_f32");
    let mut files = BTreeMap::from([("README.md".to_string(), b"not needed".to_vec())]);
    files.insert("F32/model.gguf".to_string(), fs::read(goldens.join("model.gguf")).unwrap());
    files.insert("other.gguf".to_string(), b"not needed".to_vec());
    for entry in fs::read_dir(goldens.join("parts")).unwrap() {
        let path = entry.unwrap().path();
        files.insert(path.file_name().unwrap().to_str().unwrap().to_string(), fs::read(path).unwrap());
    }
    Server::with(files)
}

pub(super) const PARTS: &str = "model-00001-of-00004.gguf";

fn fetched(user: &User, id: &str) -> Result<std::path::PathBuf, HubError> {
    Hub::new(user.settings.clone()).fetch(&HubId::parse(id).unwrap(), &|_| Ok(()), &user.said)
}

#[test]
fn a_file_is_downloaded_with_its_parts_and_nothing_else() {
    let server = quantised();
    let user = User::of(&server);
    let whole = fetched(&user, &format!("{REPO}:F32/model.gguf")).unwrap();
    assert_eq!(fs::read(&whole).unwrap(), server.file("F32/model.gguf"));
    let parts = fetched(&user, &format!("{REPO}:{PARTS}")).unwrap();
    assert_eq!(fs::read(&parts).unwrap(), server.file(PARTS));
    for number in 2..=4 {
        let name = format!("model-{number:05}-of-00004.gguf");
        assert_eq!(fs::read(parts.with_file_name(&name)).unwrap(), server.file(&name));
    }
    let log = server.log();
    assert_eq!(content(&log).len(), 5);
    assert!(!log.iter().any(|request| request.path.contains("README") || request.path.contains("other")));
    assert!(user.found().is_none(), "the repository itself is no checkpoint");

    assert_eq!(fetched(&user, &format!("{REPO}:F32/model.gguf")).unwrap(), whole);
    assert_eq!(fetched(&user, &format!("{REPO}:{PARTS}")).unwrap(), parts);
    assert_eq!(server.log().len(), 0, "all of it is here");
    fs::remove_file(parts.with_file_name("model-00003-of-00004.gguf")).unwrap();
    assert_eq!(fetched(&user, &format!("{REPO}:{PARTS}")).unwrap(), parts);
    assert_eq!(content(&server.log()).len(), 0, "a link that is gone is made anew from what is here");
}

#[test]
fn a_file_that_is_not_there_is_named_with_those_that_are() {
    let server = quantised();
    let user = User::of(&server);
    let said = fetched(&user, &format!("{REPO}:Q4_K_M/model.gguf")).unwrap_err().to_string();
    assert!(said.contains("expected Q4_K_M/model.gguf in the repository"), "{said}");
    assert!(said.contains(&format!("found F32/model.gguf, {PARTS}, other.gguf;")), "{said}");
    let said = user.refused();
    assert!(said.contains("owner/name:FILE.gguf"), "{said}");
    let said = HubId::parse("owner/model:model-00002-of-00004.gguf").unwrap_err().to_string();
    assert!(said.contains("not the first of the parts"), "{said}");
}

#[test]
fn commands_take_such_a_file_by_its_id_and_in_the_model_list() {
    let sandbox = Sandbox::new();
    let server = quantised();
    let id = format!("{REPO}:F32/model.gguf");
    let tokens = ["--tokens", "5,6,7", "--json"];
    let (code, out, err) = program(&sandbox, &server, &[&["measure", &id][..], &tokens].concat());
    assert_eq!(code, Some(0), "{err}");
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    let file = project().join("tests/goldens/gguf/llama_f32/model.gguf");
    let local = sandbox.json(&[&["measure", file.to_str().unwrap()][..], &tokens].concat());
    assert_eq!(found["observations"], local["observations"]);
    sandbox.expect(0, &["inspect", &id]); // offline
    let (_, err) = sandbox.expect(7, &["inspect", &format!("{REPO}:{PARTS}")]);
    assert!(err.contains("HF_HUB_OFFLINE"), "{err}");

    let models = sandbox.read("experiments/models.toml");
    let entry = format!(
        "\n[[model]]\nid = \"far\"\nevidence = \"rehearsal\"\nhub = \"{id}\"\nrevision = \"main\"\nprofiles = [\"large\"]\n"
    );
    sandbox.write("experiments/models.toml", &format!("{models}{entry}"));
    let listed = sandbox.json(&[&["measure", "far"][..], &tokens].concat());
    assert_eq!(listed["observations"], local["observations"]);
}
