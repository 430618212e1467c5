//! Hashes that a file's content must have: the hub names LFS files by SHA-256 and all others by git's blob SHA-1.

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The hash the hub names a file by, in lower-case hex; the file's name in `blobs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Etag(String);

/// Hashes a file as it comes.
pub(super) enum Hasher {
    Git(Sha1),
    Lfs(Sha256),
}

impl Etag {
    /// Reads an `ETag` header: quotes and the mark of a weak tag are not part of the hash.
    pub(super) fn parse(header: &str) -> Option<Etag> {
        let hash = header.trim().trim_start_matches("W/").trim_matches('"');
        (is_hex(hash, 40) || is_hex(hash, 64)).then(|| Etag(hash.to_ascii_lowercase()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// For a file of `size` bytes: git hashes the size first.
    pub(super) fn hasher(&self, size: u64) -> Hasher {
        if self.0.len() == 64 {
            Hasher::Lfs(Sha256::new())
        } else {
            Hasher::Git(Sha1::new_with_prefix(format!("blob {size}\0")))
        }
    }
}

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Git(hasher) => hasher.update(bytes),
            Hasher::Lfs(hasher) => hasher.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Etag {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Hasher::Git(hasher) => Etag(hex(&hasher.finalize())),
            Hasher::Lfs(hasher) => Etag(hex(&hasher.finalize())),
        }
    }
}

pub(super) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_gits_and_lfs_own() {
        // `printf 'hello\n' | git hash-object --stdin`, `printf 'hello\n' | sha256sum`.
        for known in [
            "ce013625030ba8dba906f756967f9e9ca394464a",
            "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03",
        ] {
            let etag = Etag::parse(&format!("W/\"{known}\"")).unwrap();
            let mut hasher = etag.hasher(6);
            hasher.update(b"hel");
            hasher.update(b"lo\n");
            assert_eq!(hasher.finish(), etag);
        }
        assert_eq!(Etag::parse("\"../../etc/passwd\""), None);
        assert_eq!(Etag::parse("\"d41d8cd98f00b204e9800998ecf8427e\""), None, "an MD5 is neither");
    }
}
