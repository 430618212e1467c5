//! Models of the hub: downloaded, resumed, refused and found again, against a server that speaks the hub's protocol.

#[path = "support/hub.rs"]
mod hub;
#[path = "support/sandbox.rs"]
mod sandbox;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    time::Duration,
};

use hub::{COMMIT, REPO, Reply, STEP, Server, content, git_sha1, sha256};
use sandbox::{Sandbox, project};
use streamgauge::{
    checkpoint::Checkpoint,
    hub::{Hub, HubError, HubId, Settings, Token},
    progress::Progress,
};

const TOKEN: &str = "hf_secretsecretsecret";
const SHARDS: [&str; 2] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];

/// A cache of its own, and what was said about the work.
struct User {
    home: tempfile::TempDir,
    settings: Settings,
    said: Said,
}

#[derive(Default)]
struct Said(Mutex<(Vec<String>, u64, u64)>);

impl Progress for Said {
    fn start(&self, stage: &str, total: u64) {
        let mut said = self.0.lock().unwrap();
        said.0.push(stage.to_string());
        said.1 += total;
    }
    fn advance(&self, steps: u64) {
        self.0.lock().unwrap().2 += steps;
    }
    fn finish(&self) {}
    fn note(&self, line: &str) {
        self.0.lock().unwrap().0.push(line.to_string());
    }
}

impl User {
    fn of(server: &Server) -> User {
        let home = tempfile::tempdir().unwrap();
        let settings = Settings {
            endpoint: server.endpoint.clone(),
            cache: home.path().to_path_buf(),
            token: None,
            offline: false,
            certificates: None,
            pause: Duration::from_millis(1),
        };
        User { home, settings, said: Said::default() }
    }

    fn with_token(server: &Server) -> User {
        let mut user = User::of(server);
        user.settings.token = Token::new(TOKEN);
        user
    }

    fn fetch_revision(&self, revision: &str) -> Result<PathBuf, HubError> {
        let id = HubId::new(REPO, revision).unwrap();
        Hub::new(self.settings.clone()).fetch(&id, &|_| Ok(()), &self.said)
    }

    fn fetch(&self) -> Result<PathBuf, HubError> {
        self.fetch_revision("main")
    }

    /// The message of a download that must fail.
    fn refused(&self) -> String {
        self.fetch().unwrap_err().to_string()
    }

    fn found(&self) -> Option<PathBuf> {
        Hub::new(self.settings.clone()).find(&HubId::parse(REPO).unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join("models--owner--model").join(name)
    }

    fn notes(&self) -> String {
        self.said.0.lock().unwrap().0.join("\n")
    }

    fn incomplete(&self) -> Vec<PathBuf> {
        let blobs = fs::read_dir(self.path("blobs")).unwrap();
        let mut found: Vec<_> = blobs.map(|entry| entry.unwrap().path()).collect();
        found.retain(|path| path.extension().is_some_and(|extension| extension == "incomplete"));
        found
    }
}

fn sharded() -> Server {
    Server::of(&project().join("tests/goldens/llama_gqa_llama3_sharded_f32"))
}

fn with_tokenizer() -> Server {
    Server::of(&project().join("data/zoo/pythia-tiny"))
}

#[test]
fn a_fresh_download_leaves_what_huggingface_hub_leaves() {
    let server = sharded();
    let user = User::of(&server);
    let folder = user.fetch().unwrap();
    assert_eq!(folder, user.path("snapshots").join(COMMIT));
    assert_eq!(fs::read_to_string(user.path("refs/main")).unwrap(), COMMIT);
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let bytes = fs::read(folder.join(&name)).unwrap();
        assert!(bytes == server.file(&name), "{name}");
        let etag = if name.ends_with(".safetensors") { sha256(&bytes) } else { git_sha1(&bytes) };
        assert_eq!(fs::read_link(folder.join(&name)).unwrap(), Path::new("../../blobs").join(etag));
        names.push(name);
    }
    names.sort();
    assert_eq!(names, ["config.json", SHARDS[0], SHARDS[1], "model.safetensors.index.json"]);
    assert_eq!(fs::read_dir(user.path("blobs")).unwrap().count(), 4);
    assert!(user.path(&format!(".no_exist/{COMMIT}/tokenizer.json")).is_file());
    Checkpoint::open(&folder).unwrap();
    let (_, total, done) = *user.said.0.lock().unwrap();
    let bytes: usize = SHARDS.iter().map(|name| server.file(name).len()).sum();
    assert_eq!((total, done), (bytes as u64, bytes as u64));
}

#[test]
fn nothing_is_asked_for_twice_and_nothing_that_is_not_needed() {
    let server = with_tokenizer();
    let user = User::of(&server);
    user.fetch().unwrap();
    let log = server.log();
    for unwanted in [".bin", ".gguf", ".onnx", "consolidated", "README", "generation_config"] {
        assert!(!log.iter().any(|request| request.path.contains(unwanted)), "{unwanted}: {log:?}");
    }
    for wanted in ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"] {
        assert!(user.path("snapshots").join(COMMIT).join(wanted).is_file(), "{wanted}");
    }
    user.fetch().unwrap();
    assert_eq!(server.log().len(), 0, "all of it is here");

    // Another revision with the same content: its names are asked for, its content is not.
    let step = user.fetch_revision("step1000").unwrap();
    assert_eq!(step, user.path("snapshots").join(STEP));
    let log = server.log();
    assert!(!log.is_empty() && log[1..].iter().all(|request| request.method == "HEAD"), "{log:?}");
    assert_eq!(fs::read_to_string(user.path("refs/step1000")).unwrap(), STEP);
    Checkpoint::open(&step).unwrap();
    // The commit itself names the same snapshot.
    assert_eq!(user.fetch_revision(STEP).unwrap(), step);
    assert_eq!(server.log().len(), 0);
}

#[test]
fn a_cut_download_goes_on_where_it_was_cut() {
    let server = with_tokenizer();
    let size = server.file("model.safetensors").len();
    let mut cuts = vec![1000, 0, 5000];
    server.fault(move |request, reply| {
        if request.cdn {
            reply.cut = cuts.pop();
        }
    });
    let user = User::of(&server);
    let folder = user.fetch().unwrap();
    assert!(fs::read(folder.join("model.safetensors")).unwrap() == server.file("model.safetensors"));
    let log = server.log();
    let ranges: Vec<_> = content(&log).iter().map(|r| r.headers.get("range").cloned()).collect();
    let from = |n: usize| Some(format!("bytes={n}-"));
    assert_eq!(ranges, [None, from(5000), from(5000), from(6000)]);
    assert!(user.notes().contains("cut at 5000 bytes"), "{}", user.notes());
    assert_eq!(user.said.0.lock().unwrap().2, size as u64, "no byte is counted twice");
}

#[test]
fn a_download_given_up_is_no_checkpoint_and_the_next_run_goes_on() {
    let server = sharded();
    let size = server.file(SHARDS[1]).len();
    server.fault(|request, reply| {
        if request.cdn && request.path.contains("00002-of") {
            reply.cut = Some(if request.headers.contains_key("range") { 0 } else { 7000 });
        }
    });
    let user = User::of(&server);
    let said = user.refused();
    for word in [SHARDS[1], "7000 of its", &size.to_string(), "next run goes on", "5 times"] {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    assert_eq!(user.found(), None, "a shard is missing");
    assert!(!user.path("refs/main").exists());
    assert_eq!(fs::metadata(&user.incomplete()[0]).unwrap().len(), 7000);

    server.fault(|_, _| {});
    server.log();
    let folder = user.fetch().unwrap();
    let log = server.log();
    let content = content(&log);
    assert_eq!(content.len(), 1, "the first shard is here: {content:?}");
    assert_eq!(content[0].headers["range"], "bytes=7000-");
    assert!(fs::read(folder.join(SHARDS[1])).unwrap() == server.file(SHARDS[1]));
    assert_eq!(user.found(), Some(folder));
    assert!(user.incomplete().is_empty());
}

#[test]
fn a_server_that_cannot_resume_sends_the_file_again() {
    let server = with_tokenizer();
    let whole = server.file("model.safetensors").to_vec();
    let mut first = true;
    server.fault(move |request, reply| {
        if request.cdn {
            *reply = Reply { body: whole.clone(), cut: first.then_some(5000), ..Reply::new(200) };
            first = false;
        }
    });
    let user = User::of(&server);
    let folder = user.fetch().unwrap();
    assert!(fs::read(folder.join("model.safetensors")).unwrap() == server.file("model.safetensors"));
    assert!(user.notes().contains("starts again"), "{}", user.notes());
}

#[test]
fn content_of_another_hash_is_discarded() {
    for (file, cdn) in [("model.safetensors", true), ("config.json", false)] {
        let server = with_tokenizer();
        server.fault(move |request, reply| {
            if request.cdn == cdn && request.path.ends_with(file) && !reply.body.is_empty() {
                let last = reply.body.len() - 1;
                reply.body[last] ^= 1;
            }
        });
        let user = User::of(&server);
        let said = user.refused();
        assert!(said.contains(file) && said.contains("expected the hash"), "{said}");
        let bytes = server.file(file);
        let etag = if cdn { sha256(bytes) } else { git_sha1(bytes) };
        assert!(said.contains(&etag), "{said}");
        assert_eq!(user.found(), None);
        assert!(!user.path("snapshots").join(COMMIT).join(file).exists());
        assert!(!user.path("blobs").join(etag).exists() && user.incomplete().is_empty());
        server.fault(|_, _| {});
        user.fetch().unwrap();
    }
}

#[test]
fn what_was_kept_of_a_download_is_checked_too() {
    let server = with_tokenizer();
    let user = User::of(&server);
    let part = user.path("blobs").join(sha256(server.file("model.safetensors")) + ".incomplete");
    for kept in [vec![0; 100], vec![0; server.file("model.safetensors").len() + 1]] {
        fs::create_dir_all(user.path("blobs")).unwrap();
        fs::write(&part, &kept).unwrap();
        let folder = user.fetch().unwrap();
        assert!(fs::read(folder.join("model.safetensors")).unwrap() == server.file("model.safetensors"));
        fs::remove_dir_all(user.path("")).unwrap();
    }
    assert!(user.notes().contains("damaged"), "{}", user.notes());
}

#[test]
fn the_token_goes_to_the_hub_and_to_nobody_else() {
    let server = with_tokenizer();
    let user = User::with_token(&server);
    user.fetch().unwrap();
    let log = server.log();
    assert!(!content(&log).is_empty());
    for request in &log {
        let sent = request.headers.get("authorization").cloned();
        let expected = if request.cdn { None } else { Some(format!("Bearer {TOKEN}")) };
        assert_eq!(sent, expected, "{request:?}");
    }
    assert_hidden(&user, &[]);
}

/// Neither messages nor notes nor any file hold the token.
fn assert_hidden(user: &User, messages: &[String]) {
    assert!(!messages.join("\n").contains(TOKEN), "{messages:?}");
    assert!(!user.notes().contains(TOKEN), "{}", user.notes());
    assert!(!format!("{:?}", user.settings).contains(TOKEN));
    let mut folders = vec![user.home.path().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            assert!(!path.to_str().unwrap().contains(TOKEN));
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = fs::read(&path) {
                assert!(!bytes.windows(TOKEN.len()).any(|w| w == TOKEN.as_bytes()), "{}", path.display());
            }
        }
    }
}

#[test]
fn refusals_say_what_to_do_and_never_show_the_token() {
    let gated = |status| Reply::new(status).with("x-error-code", "GatedRepo");
    let no_repo = || Reply::new(401).with("x-error-code", "RepoNotFound");
    let bad_token = || Reply::new(401).with("x-error-message", "Invalid credentials in Authorization header");
    let on = |end: &'static str, reply: Reply| (end, reply);
    let server = with_tokenizer();
    let licence = format!("{}/{REPO}", server.endpoint);
    for (token, (end, reply), says) in [
        // The hub describes a gated model to everybody and refuses its files.
        (false, on("config.json", gated(401)), vec!["gated", "licence", &licence, "HF_TOKEN"]),
        (true, on("config.json", gated(403)), vec!["gated", "licence", &licence, "account of your token"]),
        (false, on("main", no_repo()), vec!["no model owner/model", "private", "spelling", "HF_TOKEN"]),
        (true, on("main", no_repo()), vec!["no model owner/model", "your token"]),
        (false, on("main", Reply::new(404)), vec!["no model owner/model"]),
        (
            false,
            on("main", Reply::new(404).with("x-error-code", "RevisionNotFound")),
            vec!["revision", "main"],
        ),
        (false, on("config.json", Reply::new(404)), vec!["config.json"]),
        (true, on("main", bad_token()), vec!["does not accept the token", "settings/tokens"]),
        (
            true,
            on("main", Reply::new(403).with("x-error-message", "Forbidden: no scope")),
            vec!["403", "no scope"],
        ),
        (false, on("main", Reply::new(503)), vec!["503", "later"]),
        (false, on("main", Reply::new(429).with("retry-after", "9999")), vec!["429", "9999 s"]),
        (false, on("main", Reply::new(429)), vec!["429", "wait"]),
        (
            false,
            on("main", Reply { body: b"<html>".to_vec(), ..Reply::new(200) }),
            vec!["JSON", "HF_ENDPOINT"],
        ),
        (false, on("cdn/model.safetensors", Reply::new(403)), vec!["403", &server.cdn[7..]]),
        (
            true,
            on("main", Reply::new(302).with("location", "ftp://x/?sig=1")),
            vec!["ftp://x/", "HF_ENDPOINT"],
        ),
        (
            true,
            on("main", Reply::new(302).with("location", &format!("/api/models/{REPO}/revision/main"))),
            vec!["redirects"],
        ),
    ] {
        // A server that quotes what it was sent must not make us show it.
        server.fault(move |request, answer| {
            if request.path.ends_with(end) {
                *answer = reply.clone();
                let sent = request.headers.get("authorization").cloned().unwrap_or_default();
                if let Some((_, message)) = answer.headers.iter_mut().find(|(n, _)| n == "x-error-message") {
                    *message = format!("{message} {sent}");
                }
            }
        });
        let user = if token { User::with_token(&server) } else { User::of(&server) };
        let error = user.fetch().unwrap_err();
        let said = error.to_string();
        for word in says {
            assert!(said.contains(word), "{word:?} is not in {said}");
        }
        assert_hidden(&user, &[said, format!("{error:?}")]);
        assert_eq!(user.found(), None);
    }
}

#[test]
fn a_revision_the_repository_does_not_have_is_named() {
    let server = with_tokenizer();
    let said = User::of(&server).fetch_revision("step9").unwrap_err().to_string();
    assert!(said.contains("\"step9\"") && said.contains("branches"), "{said}");
}

#[test]
fn a_busy_hub_is_waited_for_as_long_as_it_asks() {
    let server = with_tokenizer();
    let mut busy = 1;
    server.fault(move |request, reply| {
        if busy > 0 && request.path.ends_with("main") {
            busy -= 1;
            *reply = Reply::new(429).with("retry-after", "1");
        }
    });
    let user = User::of(&server);
    let start = std::time::Instant::now();
    user.fetch().unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert!(user.notes().contains("429") && user.notes().contains("waiting 1 s"), "{}", user.notes());
}

#[test]
fn a_stumbling_hub_is_asked_again() {
    let server = with_tokenizer();
    let mut stumbles = 3;
    server.fault(move |_, reply| {
        if stumbles > 0 {
            stumbles -= 1;
            *reply = Reply::new(502);
        }
    });
    User::of(&server).fetch().unwrap();
}

#[test]
fn offline_takes_what_is_here_and_asks_nobody() {
    let server = with_tokenizer();
    let mut user = User::of(&server);
    user.settings.offline = true;
    let said = user.refused();
    assert!(said.contains("HF_HUB_OFFLINE") && said.contains(user.home.path().to_str().unwrap()), "{said}");
    user.settings.offline = false;
    let folder = user.fetch().unwrap();
    server.log();
    user.settings.offline = true;
    assert_eq!(user.fetch().unwrap(), folder);
    assert!(user.fetch_revision("step1000").is_err(), "a revision nobody has looked up");
    assert_eq!(server.log().len(), 0);
}

#[test]
fn a_hub_that_is_not_there_is_named() {
    let server = with_tokenizer();
    let mut user = User::of(&server);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap(); // closed again
    user.settings.endpoint = format!("http://{free}");
    let said = user.refused();
    assert!(said.contains(&free.to_string()) && said.contains("HF_HUB_OFFLINE=1"), "{said}");
    assert_eq!(user.notes().matches("trying again").count(), 4, "{}", user.notes());
}

#[test]
fn a_snapshot_without_one_of_its_shards_is_no_checkpoint() {
    let server = sharded();
    let user = User::of(&server);
    let folder = user.fetch().unwrap();
    server.log();
    // The blob is gone, its link is not.
    fs::remove_file(user.path("blobs").join(sha256(server.file(SHARDS[0])))).unwrap();
    assert_eq!(user.found(), None);
    user.fetch().unwrap();
    assert_eq!(content(&server.log()).len(), 1);
    fs::remove_file(folder.join("config.json")).unwrap();
    assert_eq!(user.found(), None);
}

#[test]
fn a_cached_model_without_a_tokenizer_gets_it_where_that_is_possible() {
    let server = with_tokenizer();
    let mut user = User::of(&server);
    let folder = user.fetch().unwrap();
    let endpoint = user.settings.endpoint.clone();
    for name in ["tokenizer.json", "tokenizer_config.json"] {
        // As transformers leaves it when only the weights were asked for.
        fs::remove_file(folder.join(name)).unwrap();
        fs::remove_file(user.path("blobs").join(git_sha1(server.file(name)))).unwrap();
    }
    assert_eq!(user.found(), Some(folder.clone()), "weights and config are whole");
    user.settings.endpoint = "http://127.0.0.1:1".to_string();
    assert_eq!(user.fetch().unwrap(), folder);
    assert!(user.notes().contains("without a tokenizer"), "{}", user.notes());
    user.settings.offline = true;
    assert_eq!(user.fetch().unwrap(), folder);
    user.settings.offline = false;
    user.settings.endpoint = endpoint;
    server.log();
    user.fetch().unwrap();
    assert!(folder.join("tokenizer.json").is_file());
    assert_eq!(content(&server.log()).len(), 0);
}

#[test]
fn a_repository_without_safetensors_says_what_it_has() {
    let files = |names: &[&str]| {
        let files = names.iter().map(|name| (name.to_string(), b"{}".to_vec()));
        Server::with(files.collect::<BTreeMap<_, _>>())
    };
    let said = User::of(&files(&["config.json", "pytorch_model.bin"])).refused();
    assert!(said.contains("found pytorch_model.bin") && said.contains("refs/pr"), "{said}");
    let said = User::of(&files(&["data.csv"])).refused();
    assert!(said.contains("found data.csv") && said.contains("transformers"), "{said}");
}

#[test]
fn an_index_that_leads_out_of_the_snapshot_is_refused() {
    let index = br#"{"weight_map": {"x": "../../../evil.safetensors"}}"#.to_vec();
    let files = [("config.json", b"{}".to_vec()), ("model.safetensors.index.json", index)];
    let server = Server::with(files.into_iter().map(|(name, bytes)| (name.to_string(), bytes)).collect());
    let said = User::of(&server).refused();
    assert!(said.contains("evil.safetensors"), "{said}");
}

#[test]
fn weights_of_a_model_that_cannot_run_are_not_downloaded() {
    let server = with_tokenizer();
    let user = User::of(&server);
    let id = HubId::parse(REPO).unwrap();
    let fits = |folder: &Path| {
        assert!(folder.join("config.json").is_file());
        Err("model_type rwkv is not known".to_string())
    };
    let said = Hub::new(user.settings.clone()).fetch(&id, &fits, &user.said).unwrap_err().to_string();
    assert!(said.contains("rwkv") && said.contains("not downloaded"), "{said}");
    assert!(!server.log().iter().any(|request| request.path.contains("safetensors")));
}

#[test]
fn two_at_once_download_once() {
    let server = with_tokenizer();
    server.fault(|request, _| {
        if request.cdn {
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    let user = User::of(&server);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| user.fetch().unwrap());
        }
    });
    assert_eq!(content(&server.log()).len(), 1);
    assert!(user.notes().contains("waiting"), "{}", user.notes());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_says_how_much_is_missing() {
    let server = with_tokenizer();
    let user = User::of(&server);
    let weights = server.file("model.safetensors");
    let part = user.path("blobs").join(sha256(weights) + ".incomplete");
    fs::create_dir_all(user.path("blobs")).unwrap();
    // Reads as an empty file would, and takes not a byte.
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    let said = user.refused();
    assert!(said.contains("disk is full") && said.contains(&weights.len().to_string()), "{said}");
    assert_eq!(user.found(), None);
}

/// The program with this user's environment: this server, this home, a token.
fn program(sandbox: &Sandbox, server: &Server, arguments: &[&str]) -> (Option<i32>, String, String) {
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

#[test]
fn run_downloads_what_plan_only_announces() {
    let sandbox = Sandbox::new();
    let server = with_tokenizer();
    let models = sandbox.read("experiments/models.toml");
    let list = "schema = 1\n[[model]]\nid = \"far\"\nhub = \"owner/model\"\nrevision = \"main\"\nprofiles = [\"tiny\"]\n\
                [[model]]\nid = \"llama3-tiny\"\nfolder = \"../data/zoo/llama3-tiny\"\nprofiles = [\"tiny\"]\n";
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
