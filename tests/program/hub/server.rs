//! A server on this machine that speaks the hub's protocol, and as much of it wrong as a test wants.
//!
//! Two ports: the hub itself, and the host its large files are redirected to. Every request is kept.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    thread,
};

use serde_json::json;
use sha1::Sha1;
use sha2::{Digest, Sha256};

pub(super) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
/// Of the revision `step1000`: other commit, same files.
pub(super) const STEP: &str = "89abcdef0123456789abcdef0123456789abcdef";
pub(super) const REPO: &str = "owner/model";

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Whether it came to the host of the large files.
    pub cdn: bool,
}

#[derive(Clone)]
pub(super) struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Ends the connection after this many bytes of the body.
    pub cut: Option<usize>,
}

/// Looks at a request and at what would be answered; may change it.
type Fault = Box<dyn FnMut(&Request, &mut Reply) + Send>;

struct Shared {
    files: BTreeMap<String, Vec<u8>>,
    fault: Mutex<Fault>,
    log: Mutex<Vec<Request>>,
    cdn: String,
}

pub(super) struct Server {
    pub endpoint: String,
    pub cdn: String,
    shared: Arc<Shared>,
}

impl Reply {
    pub(super) fn new(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: Vec::new(), cut: None }
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_string(), value.to_string()));
        self
    }
}

impl Server {
    /// Serves a folder's files and some no checkpoint needs.
    pub(super) fn of(folder: &Path) -> Server {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            files.insert(path.file_name().unwrap().to_str().unwrap().to_string(), fs::read(path).unwrap());
        }
        for name in
            ["pytorch_model.bin", "model.gguf", "onnx/model.onnx", "consolidated.safetensors", "README.md"]
        {
            files.insert(name.to_string(), b"not needed".to_vec());
        }
        Server::with(files)
    }

    pub(super) fn with(files: BTreeMap<String, Vec<u8>>) -> Server {
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (hub, cdn) = (listen(), listen());
        let address = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let (endpoint, cdn_address) = (address(&hub), address(&cdn));
        let shared = Arc::new(Shared {
            files,
            fault: Mutex::new(Box::new(|_, _| {})),
            log: Mutex::default(),
            cdn: cdn_address.clone(),
        });
        for (listener, is_cdn) in [(hub, false), (cdn, true)] {
            let shared = shared.clone();
            thread::spawn(move || {
                for stream in listener.incoming() {
                    let shared = shared.clone();
                    // A client that goes away in the middle is part of the game.
                    thread::spawn(move || serve(stream?, is_cdn, &shared));
                }
            });
        }
        Server { endpoint, cdn: cdn_address, shared }
    }

    /// Changes answers from now on.
    pub(super) fn fault(&self, fault: impl FnMut(&Request, &mut Reply) + Send + 'static) {
        *self.shared.fault.lock().unwrap() = Box::new(fault);
    }

    /// The requests since the last call.
    pub(super) fn log(&self) -> Vec<Request> {
        std::mem::take(&mut self.shared.log.lock().unwrap())
    }

    pub(super) fn file(&self, name: &str) -> &[u8] {
        &self.shared.files[name]
    }
}

/// Requests that asked for the content of large files.
pub(super) fn content(log: &[Request]) -> Vec<&Request> {
    log.iter().filter(|request| request.cdn).collect()
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn git_sha1(bytes: &[u8]) -> String {
    hex(&Sha1::new_with_prefix(format!("blob {}\0", bytes.len())).chain_update(bytes).finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn serve(stream: TcpStream, cdn: bool, shared: &Shared) -> std::io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_string());
    }
    let request = Request { method: method.to_string(), path: path.to_string(), headers, cdn };
    let mut reply = answer(&request, shared);
    shared.log.lock().unwrap().push(request.clone());
    (shared.fault.lock().unwrap())(&request, &mut reply);
    let mut head = format!("HTTP/1.1 {} x\r\nconnection: close\r\n", reply.status);
    if !reply.headers.iter().any(|(name, _)| name == "content-length") {
        head += &format!("content-length: {}\r\n", reply.body.len());
    }
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    let mut out = &stream;
    out.write_all((head + "\r\n").as_bytes())?;
    if request.method != "HEAD" {
        out.write_all(&reply.body[..reply.cut.unwrap_or(reply.body.len()).min(reply.body.len())])?;
    }
    Ok(())
}

/// The right answer.
fn answer(request: &Request, shared: &Shared) -> Reply {
    let path = request.path.as_str();
    let missing = |code: &str| Reply::new(404).with("x-error-code", code);
    if request.cdn {
        let Some(bytes) = path.strip_prefix("/cdn/").and_then(|name| shared.files.get(name)) else {
            return Reply::new(403);
        };
        return ranged(request, bytes);
    }
    if let Some(revision) = path.strip_prefix(&format!("/api/models/{REPO}/revision/")) {
        let sha = match revision {
            "main" | COMMIT => COMMIT,
            "step1000" | STEP => STEP,
            _ => return missing("RevisionNotFound"),
        };
        let siblings: Vec<_> = shared.files.keys().map(|name| json!({"rfilename": name})).collect();
        let mut reply = Reply::new(200).with("content-type", "application/json");
        reply.body = json!({"id": REPO, "sha": sha, "siblings": siblings}).to_string().into_bytes();
        return reply;
    }
    if let Some(name) = path.strip_prefix("/api/resolve-cache/models/") {
        let bytes = &shared.files[name];
        return ranged(request, bytes).with("etag", &format!("\"{}\"", git_sha1(bytes)));
    }
    if let Some((commit, name)) =
        path.strip_prefix(&format!("/{REPO}/resolve/")).and_then(|rest| rest.split_once('/'))
    {
        let Some(bytes) = shared.files.get(name) else { return missing("EntryNotFound") };
        if commit != COMMIT && commit != STEP {
            return missing("RevisionNotFound");
        }
        if ![".safetensors", ".gguf", ".bin"].iter().any(|ending| name.ends_with(ending)) {
            // As the hub does for files outside LFS: to another path of its own.
            return Reply::new(307).with("location", &format!("/api/resolve-cache/models/{name}"));
        }
        return Reply::new(302)
            .with("location", &format!("{}/cdn/{name}", shared.cdn))
            .with("x-repo-commit", commit)
            .with("x-linked-size", &bytes.len().to_string())
            .with("x-linked-etag", &format!("\"{}\"", sha256(bytes)))
            .with("etag", "\"of the redirect\"");
    }
    missing("RepoNotFound").with("x-error-message", "Repository not found")
}

fn ranged(request: &Request, bytes: &[u8]) -> Reply {
    let start = request.headers.get("range").map(|range| {
        range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse::<usize>().unwrap()
    });
    let mut reply = match start {
        None => Reply::new(200),
        Some(start) if start >= bytes.len() => return Reply::new(416),
        Some(start) => {
            let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
            Reply::new(206).with("content-range", &range)
        }
    };
    reply.body = bytes[start.unwrap_or(0)..].to_vec();
    // Also in the answer to HEAD, whose body is not sent.
    let length = reply.body.len().to_string();
    reply.with("content-length", &length)
}
