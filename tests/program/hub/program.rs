//! The program itself, in an environment that names this hub.

use super::{
    TOKEN,
    server::{REPO, Reply, Server},
    with_tokenizer,
};
use crate::sandbox::Sandbox;

/// The program with this user's environment: this server, this home, a token.
pub(super) fn program(
    sandbox: &Sandbox,
    server: &Server,
    arguments: &[&str],
) -> (Option<i32>, String, String) {
    let mut command = sandbox.command(arguments);
    command.env("HF_ENDPOINT", &server.endpoint).env("HF_HUB_OFFLINE", "0").env("HF_TOKEN", TOKEN);
    command.env("HTTP_PROXY", "http://127.0.0.1:9"); // which a server on this machine is not behind
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(!out.contains(TOKEN) && !err.contains(TOKEN), "{out}\n{err}");
    (output.status.code(), out, err)
}

#[test]
fn measure_takes_an_id_of_the_hub() {
    let sandbox = Sandbox::new();
    let server = with_tokenizer();
    let id = format!("{REPO}@step1000");
    let arguments = ["measure", &id, "--prompt", "The capital of France is", "--json"];
    let (code, out, err) = program(&sandbox, &server, &arguments);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("download owner/model@step1000"), "{err}");
    assert!(sandbox.path("hf/hub/models--owner--model/refs/step1000").is_file(), "HF_HOME is honoured");
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found["observations"][0]["top"][0]["token"], " Paris");
    let folder = sandbox.json(&["measure", "pythia-tiny", "--prompt", "The capital of France is", "--json"]);
    assert_eq!(found["observations"], folder["observations"]);

    server.log();
    let (code, again, err) = program(&sandbox, &server, &arguments);
    assert_eq!((code, again, err.as_str()), (Some(0), out, ""));
    assert_eq!(server.log().len(), 0, "all of it is here");
    sandbox.expect(0, &["inspect", &id]); // offline
    let (_, err) = sandbox.expect(7, &["inspect", REPO]);
    assert!(err.contains("HF_HUB_OFFLINE"), "{err}");
    for (name, bytes) in [sandbox.files("hf"), sandbox.files("results")].into_iter().flatten() {
        assert!(!bytes.windows(TOKEN.len()).any(|window| window == TOKEN.as_bytes()), "{name}");
    }
}

/// A model of which all but `tokenizer_config.json` is in the cache, as other programs leave it.
#[test]
fn a_cached_model_is_used_whatever_the_hub_answers_about_it() {
    let sandbox = Sandbox::new();
    let server = with_tokenizer();
    let arguments = ["measure", REPO, "--prompt", "The capital of France is", "--json"];
    let (code, expected, err) = program(&sandbox, &server, &arguments);
    assert_eq!(code, Some(0), "{err}");
    let mut folders = vec![sandbox.path("hf/hub/models--owner--model")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.ends_with("tokenizer_config.json") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
    for status in [401, 403, 404, 429, 500, 503] {
        server.fault(move |_, reply| {
            *reply = Reply::new(status).with("retry-after", "9999");
        });
        let (code, found, err) = program(&sandbox, &server, &arguments);
        assert_eq!((code, &found), (Some(0), &expected), "{status}: {err}");
        assert!(err.contains("as it is in the cache"), "{status}: {err}");
    }
}

#[test]
fn the_password_of_an_endpoint_is_shown_to_nobody() {
    let sandbox = Sandbox::new();
    let server = with_tokenizer();
    server.fault(|request, reply| {
        if request.path.ends_with("main") {
            *reply = Reply::new(404);
        }
    });
    let address = server.endpoint.strip_prefix("http://").unwrap();
    for host in [address, "a b"] {
        let mut command = sandbox.command(&["measure", REPO, "--prompt", "x"]);
        command.env("HF_ENDPOINT", format!("http://someone:pass%21word@{host}")).env("HF_HUB_OFFLINE", "0");
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(7), "{said}");
        assert!(!said.contains("pass%21word") && !said.contains("pass!word"), "{said}");
        assert!(said.contains(host) && !said.contains("someone"), "{said}");
    }
}

#[test]
fn run_downloads_what_plan_only_announces() {
    let sandbox = Sandbox::new();
    let server = with_tokenizer();
    let models = sandbox.read("experiments/models.toml");
    let list = "schema = 1\n[[model]]\nid = \"far\"\nevidence = \"rehearsal\"\nhub = \"owner/model\"\nrevision = \"main\"\nprofiles = [\"tiny\"]\n\
                [[model]]\nid = \"llama3-tiny\"\nevidence = \"rehearsal\"\nfolder = \"../data/zoo/llama3-tiny\"\nprofiles = [\"tiny\"]\n";
    let rest = models.find("[[model]]\nid = \"pythia-6.9b\"").unwrap();
    sandbox.write("experiments/models.toml", &format!("{list}{}", &models[rest..]));
    let (code, _, err) = program(&sandbox, &server, &["plan"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("far: not on this machine") && err.contains("downloads owner/model"), "{err}");
    let (code, _, err) = program(&sandbox, &server, &["report"]);
    assert_eq!(code, Some(1), "{err}");
    assert_eq!(server.log().len(), 0, "neither asks the hub");

    let (code, _, err) = program(&sandbox, &server, &["run"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(err.contains("download owner/model") && err.contains("observe far"), "{err}");
    server.log();
    let (code, _, err) = program(&sandbox, &server, &["plan"]);
    assert_eq!((code, err.contains("far: ")), (Some(0), false), "{err}");
    assert_eq!(server.log().len(), 0);
}
