//! Answers of a hub: one request of a download is answered by the input, the others as they should be.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use base::progress::Silent;
use model::hub::{Hub, HubId, Settings, Token};
use sha1::{Digest, Sha1};

use super::{Target, assert_names};
use crate::mutate::Format;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const TOKEN: &str = "hf_a_token_that_is_shown_to_nobody";
const CONFIG: &[u8] = b"{\"model_type\": \"llama\"}";
const WEIGHTS: &[u8] = b"weights, which a download does not look into";

/// The requests of a download, by their method and the end of their path.
const REQUESTS: [(&str, &str); 5] = [
    ("GET", "/main"),
    ("HEAD", "config.json"),
    ("GET", "config.json"),
    ("HEAD", "model.safetensors"),
    ("GET", "model.safetensors"),
];

pub(super) const HUB: Target = Target {
    name: "hub",
    reads: "answers of a hub: a model's description, headers of its files, their content",
    format: Format::Http,
    executions: 3_000,
    seeds: || (0..REQUESTS.len()).map(|which| [&[which as u8], &right(which)[..]].concat()).collect(),
    prepare: |folder| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let wrong: Arc<Mutex<Vec<u8>>> = Arc::default();
        let answers = Arc::clone(&wrong);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that goes away in the middle is part of the game.
                let _ = answer(&stream, &answers.lock().unwrap());
            }
        });
        let cache = folder.join("cache");
        let settings = Settings {
            endpoint,
            cache: cache.clone(),
            token: Token::new(TOKEN),
            offline: false,
            certificates: None,
            pause: Duration::ZERO,
        };
        Box::new(move |bytes| {
            if leads_away(bytes) {
                return;
            }
            *wrong.lock().unwrap() = bytes.to_vec();
            let id = HubId::parse("owner/model").unwrap();
            if let Err(error) = Hub::new(settings.clone()).fetch(&id, &|_| Ok(()), &Silent) {
                let said = format!("{error} {error:?}");
                assert!(!said.contains(TOKEN), "the token is shown: {said}");
                assert_names(&error, "/");
            }
            let _ = fs::remove_dir_all(&cache);
        })
    },
};

/// Whether an answer would make a client wait, or ask hosts that are not this test's.
fn leads_away(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_lowercase();
    text.contains("retry-after")
        || text.lines().any(|line| line.contains("location") && (line.contains("//") || line.contains("\\")))
}

/// The answer that a hub would give.
fn right(which: usize) -> Vec<u8> {
    let mut headers = BTreeMap::from([("connection", "close".to_string())]);
    let mut body = Vec::new();
    match REQUESTS[which] {
        (_, "/main") => {
            let files =
                ["config.json", "model.safetensors"].map(|name| serde_json::json!({"rfilename": name}));
            let description = serde_json::json!({"id": "owner/model", "sha": COMMIT, "siblings": files});
            headers.insert("content-type", "application/json".to_string());
            body = description.to_string().into_bytes();
        }
        (method, name) => {
            let content = if name == "config.json" { CONFIG } else { WEIGHTS };
            let hash =
                Sha1::new_with_prefix(format!("blob {}\0", content.len())).chain_update(content).finalize();
            let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            headers.insert("etag", format!("\"{hex}\""));
            headers.insert("content-length", content.len().to_string());
            if method == "GET" {
                body = content.to_vec();
            }
        }
    }
    headers.entry("content-length").or_insert(body.len().to_string());
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    [format!("HTTP/1.1 200 OK\r\n{headers}\r\n").as_bytes(), &body].concat()
}

fn answer(stream: &TcpStream, wrong: &[u8]) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let (method, rest) = first.split_once(' ').unwrap_or_default();
    let path = rest.split(' ').next().unwrap_or_default();
    let which = REQUESTS.iter().position(|(of, end)| *of == method && path.ends_with(end));
    let mut out = stream;
    match (which, wrong.split_first()) {
        (Some(which), Some((&asked, reply))) if usize::from(asked) == which => out.write_all(reply),
        (Some(which), _) => out.write_all(&right(which)),
        (None, _) => out.write_all(b"HTTP/1.1 404 x\r\ncontent-length: 0\r\n\r\n"),
    }
}
