//! One file: resumed where it was cut, hashed as it comes, and only then part of the snapshot.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Seek, Write},
    path::Path,
    thread,
};

use ureq::http::{Response, StatusCode, header};

use super::{
    HubError, HubId,
    cache::RepoCache,
    client::{Client, TRIES},
    digest::{Etag, Hasher},
    error::Shown,
    remote::Remote,
};
use base::progress::Progress;

/// Bytes read at once.
const BUFFER: usize = 256 << 10;
/// A connection that led at least this many bytes further was a working one: cuts are counted anew.
const GOOD: u64 = 1 << 20;

/// Brings a file into the snapshot. Content that other revisions left in the cache is not downloaded again.
pub(super) fn get(
    client: &Client,
    cache: &RepoCache,
    id: &HubId,
    commit: &str,
    remote: &Remote,
    progress: &dyn Progress,
) -> Result<(), HubError> {
    let _lock = cache.lock(&remote.etag, progress)?;
    let blob = cache.blob(&remote.etag);
    let there = match fs::metadata(&blob) {
        Ok(found) => Some(found.len()),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(HubError::io("look at", &blob)(error)),
    };
    if there == Some(remote.size) {
        progress.advance(remote.size);
        return cache.publish(commit, &remote.name, &remote.etag);
    }
    let part = cache.incomplete(&remote.etag)?;
    let mut growing = Growing::open(&part, remote)?;
    progress.advance(growing.have);
    let old = growing.have > 0;
    let mut found = growing.fill(client, id, remote, progress)?;
    if found != remote.etag && old {
        progress.note(&format!("{id}: what was kept of {} is damaged; it is downloaded anew", remote.name));
        growing.restart(remote)?;
        found = growing.fill(client, id, remote, progress)?;
    }
    if found != remote.etag {
        fs::remove_file(&part).map_err(HubError::io("remove", &part))?;
        return Err(HubError::WrongHash {
            id: id.clone(),
            file: Shown::from(&remote.name),
            expected: remote.etag.as_str().to_string(),
            found: found.as_str().into(),
        });
    }
    growing.file.sync_all().map_err(HubError::io("write", &part))?;
    fs::rename(&part, &blob).map_err(HubError::io("rename", &part))?;
    cache.publish(commit, &remote.name, &remote.etag)
}

/// The part of a file that is here, and its hash so far.
struct Growing<'a> {
    path: &'a Path,
    file: File,
    hasher: Hasher,
    have: u64,
}

impl Growing<'_> {
    /// Takes up what an earlier run left.
    fn open<'a>(path: &'a Path, remote: &Remote) -> Result<Growing<'a>, HubError> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = file.map_err(HubError::io("open", path))?;
        let kept = file.metadata().map_err(HubError::io("read", path))?.len();
        let mut hasher = remote.etag.hasher(remote.size);
        let mut have = 0;
        let mut buffer = vec![0; BUFFER];
        let mut rest = (&mut file).take(kept.min(remote.size));
        loop {
            let n = rest.read(&mut buffer).map_err(HubError::io("read", path))?;
            if n == 0 {
                break;
            }
            hasher.update(&buffer[..n]);
            have += n as u64;
        }
        let mut growing = Growing { path, file, hasher, have };
        if kept > remote.size {
            growing.restart(remote)?;
        }
        Ok(growing)
    }

    fn restart(&mut self, remote: &Remote) -> Result<(), HubError> {
        self.file.set_len(0).map_err(HubError::io("empty", self.path))?;
        self.file.rewind().map_err(HubError::io("empty", self.path))?;
        self.hasher = remote.etag.hasher(remote.size);
        self.have = 0;
        Ok(())
    }

    /// Downloads what is missing and gives the hash of the whole.
    fn fill(
        &mut self,
        client: &Client,
        id: &HubId,
        remote: &Remote,
        progress: &dyn Progress,
    ) -> Result<Etag, HubError> {
        let (mut failures, mut best) = (0, self.have);
        while self.have < remote.size {
            let response = match client.content(id, remote, self.have, progress) {
                Err(HubError::Unreachable { why, .. }) if self.have > 0 => {
                    return Err(self.cut(id, remote, TRIES, why));
                }
                response => response?,
            };
            if !self.continues(&response) && self.have > 0 {
                progress.note(&format!("{id}: {} cannot be resumed, it starts again", remote.name));
                self.restart(remote)?;
                if response.status() != StatusCode::OK {
                    continue;
                }
            } else if !response.status().is_success() {
                let found = format!("{} for a whole file", response.status()).into();
                return Err(HubError::BadAnswer { id: id.clone(), expected: "the file's content", found });
            }
            let why = match self.pour(&mut response.into_body().into_reader(), remote, progress)? {
                Ok(()) => "the answer was too short".into(),
                Err(error) => Shown::from(error.to_string()),
            };
            if self.have == remote.size {
                break;
            }
            failures = if self.have >= best.saturating_add(GOOD) { 1 } else { failures + 1 };
            best = best.max(self.have);
            if failures == TRIES {
                return Err(self.cut(id, remote, TRIES, why));
            }
            progress.note(&format!("{id}: {} was cut at {} bytes ({why}), resuming", remote.name, self.have));
            thread::sleep(client.pause(failures));
        }
        let hasher = std::mem::replace(&mut self.hasher, remote.etag.hasher(remote.size));
        Ok(hasher.finish())
    }

    /// Says whether an answer begins where the file ends.
    fn continues(&self, response: &Response<ureq::Body>) -> bool {
        let range = response.headers().get(header::CONTENT_RANGE).and_then(|value| value.to_str().ok());
        let start =
            range.and_then(|range| range.trim().strip_prefix("bytes ")?.split('-').next()?.parse().ok());
        response.status() == StatusCode::PARTIAL_CONTENT && start == Some(self.have)
    }

    /// Appends a body, no more of it than the file is long; the inner error is the connection's.
    fn pour(
        &mut self,
        body: &mut impl Read,
        remote: &Remote,
        progress: &dyn Progress,
    ) -> Result<io::Result<()>, HubError> {
        let mut body = body.take(remote.size - self.have);
        let mut buffer = vec![0; BUFFER];
        loop {
            let (n, ended) = fill(&mut body, &mut buffer);
            let missing = remote.size - self.have;
            self.file.write_all(&buffer[..n]).map_err(|error| {
                match HubError::io("write", self.path)(error) {
                    HubError::DiskFull { path, .. } => HubError::DiskFull { path, missing },
                    other => other,
                }
            })?;
            self.hasher.update(&buffer[..n]);
            self.have += n as u64;
            progress.advance(n as u64);
            if let Some(ended) = ended {
                return Ok(ended);
            }
        }
    }

    fn cut(&self, id: &HubId, remote: &Remote, tries: u32, why: Shown) -> HubError {
        let (id, file) = (id.clone(), Shown::from(&remote.name));
        HubError::Cut { id, file, have: self.have, size: remote.size, tries, why }
    }
}

/// Reads until the buffer is full or the body ends, and says how it ended: the pieces in which the network brings a file are
/// none to write it in.
fn fill(body: &mut impl Read, buffer: &mut [u8]) -> (usize, Option<io::Result<()>>) {
    let mut filled = 0;
    while filled < buffer.len() {
        match body.read(&mut buffer[filled..]) {
            Ok(0) => return (filled, Some(Ok(()))),
            Ok(n) => filled += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(Err(error))),
        }
    }
    (filled, None)
}
