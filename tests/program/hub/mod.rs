//! Models of the hub: downloaded, resumed, refused and found again, against a server that speaks the hub's protocol.

mod downloads;
mod formats;
mod gguf;
mod program;
mod refusals;
mod server;

use std::{fs, path::PathBuf, sync::Mutex, time::Duration};

use crate::sandbox::project;
use base::progress::Progress;
use model::hub::{Hub, HubError, HubId, Settings, Token};
use server::{REPO, Server};

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
        Hub::new(self.settings.clone()).find(&HubId::parse(REPO).unwrap()).unwrap()
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
