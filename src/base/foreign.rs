//! Files that others made: opened only where they are regular files, and read only up to a size that their kind can have.
//!
//! A name given to this program may lead to a pipe that nobody writes to, to a device that never ends, or to a file of
//! another kind and a thousand times the size. Everything that others made is opened here.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, ErrorKind, Read},
    path::Path,
};

/// A mebibyte.
const MIB: u64 = 1 << 20;

/// Kinds of files that are read whole, each with the most bytes that one can have: many times more than the largest known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Settings that people write, a few pages: TOML, a token, a reference of git.
    Text,
    /// `config.json` of a model, an index of shards, results as JSON.
    Json,
    /// A table: CSV or Parquet.
    Table,
}

impl Kind {
    /// The most bytes that a file of this kind can have.
    pub const fn most(self) -> u64 {
        match self {
            Kind::Text => 16 * MIB,
            Kind::Json => 128 * MIB,
            Kind::Table => 2048 * MIB,
        }
    }
}

/// Opens a regular file for reading; links are followed.
///
/// # Errors
/// What the system says, or that there is something else than a regular file: the error says what.
pub fn open(path: &Path) -> io::Result<File> {
    let file = options().open(path)?;
    let found = file.metadata()?;
    if found.is_file() {
        return Ok(file);
    }
    let kind = if found.is_dir() { ErrorKind::IsADirectory } else { ErrorKind::InvalidInput };
    Err(io::Error::new(kind, format!("expected a regular file, found {}", what(&found))))
}

/// The content of a regular file of a kind.
///
/// # Errors
/// As [`open`], or that the file is larger than one of its kind can be.
pub fn read(path: &Path, kind: Kind) -> io::Result<Vec<u8>> {
    read_to(path, kind.most())
}

/// [`read`], where the content is a text.
///
/// # Errors
/// Likewise, or that the content is no UTF-8.
pub fn read_text(path: &Path, kind: Kind) -> io::Result<String> {
    String::from_utf8(read(path, kind)?).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

fn read_to(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let size = file.metadata()?.len();
    let too_large = |found: String| {
        let message = format!("expected at most {most} bytes of a file of this kind, found {found}");
        io::Error::new(ErrorKind::FileTooLarge, message)
    };
    if size > most {
        return Err(too_large(size.to_string()));
    }
    let mut bytes = Vec::with_capacity(size as usize + 1);
    // The file may grow while it is read, and some say they are empty and are not.
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large("more".to_string())) } else { Ok(bytes) }
}

/// Opening a pipe waits for its writer, unless one says not to wait; for regular files that changes nothing.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOCTTY);
    options
}

fn what(found: &Metadata) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = found.file_type();
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    if found.is_dir() { "a folder" } else { "something else" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regular_file_is_read_whole_and_links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "text").unwrap();
        assert_eq!(read_text(&path, Kind::Text).unwrap(), "text");
        assert_eq!(read(&folder.path().join("absent"), Kind::Text).unwrap_err().kind(), ErrorKind::NotFound);
        #[cfg(unix)]
        {
            let link = folder.path().join("link");
            std::os::unix::fs::symlink(&path, &link).unwrap();
            assert_eq!(read(&link, Kind::Json).unwrap(), b"text");
        }
    }

    #[test]
    fn a_file_larger_than_its_kind_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let file = File::create(&path).unwrap();
        file.set_len(Kind::Text.most() + 1).unwrap(); // a hole: no byte of it is stored
        let error = read(&path, Kind::Text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(
            error.to_string(),
            "expected at most 16777216 bytes of a file of this kind, found 16777217"
        );
        file.set_len(Kind::Text.most()).unwrap();
        assert_eq!(read(&path, Kind::Text).unwrap().len() as u64, Kind::Text.most());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn pipes_devices_sockets_and_folders_are_refused_by_name_and_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |path: &Path| read(path, Kind::Text).unwrap_err().to_string();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(refused(&pipe), "expected a regular file, found a pipe");
        assert_eq!(refused(Path::new("/dev/zero")), "expected a regular file, found a device");
        assert_eq!(refused(folder.path()), "expected a regular file, found a folder");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        assert_eq!(refused(&link), "expected a regular file, found a device");
        let socket = folder.path().join("socket");
        let _held = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        assert!(read(&socket, Kind::Text).is_err(), "the system itself opens none");
    }
}
