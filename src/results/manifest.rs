//! `manifest.json`: the digest of every result file. Whoever reads results reads them through [`ResultsFolder`], which believes no
//! byte that was not written.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use base::foreign;
use base::hash::{Fields, Key};

/// Name of the file in the results folder.
pub const MANIFEST: &str = "manifest.json";
/// Version of the file.
const SCHEMA: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    schema: u32,
    /// By name, relative to the results folder.
    files: BTreeMap<String, Key>,
    /// Of `files`, so that a changed digest is told from a changed file.
    digest: Key,
}

/// Why a result file is not believed.
#[derive(Debug, thiserror::Error)]
pub enum ResultFileError {
    /// It is not there, or the system cannot read it.
    #[error("{}: cannot be read: {source}; expected a file of results, which streamgauge run writes", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not the file that was written.
    #[error(
        "{}: expected the file with digest {expected}, as it was written, found one with digest {found}: it is damaged or was \
         edited. Run `streamgauge report` to write it anew", path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its digest in the manifest.
        expected: Key,
        /// The digest of its bytes.
        found: Key,
    },
    /// The manifest does not list it.
    #[error(
        "{}: the results' {MANIFEST} does not list it, so nothing says whether it is as it was written. Run `streamgauge report` \
         to write it anew", path.display()
    )]
    Unlisted {
        /// The file.
        path: PathBuf,
    },
    /// The manifest itself is missing, damaged or of another version.
    #[error(
        "{}: {what}; without it no file of these results can be checked. Run `streamgauge report` to write it anew \
         (streamgauge run, where there is no store)", path.display()
    )]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// The bytes of the manifest of these files: names relative to the results folder, digests of their contents.
pub fn manifest(files: &BTreeMap<String, Key>) -> Vec<u8> {
    let contents = Contents { schema: SCHEMA, files: files.clone(), digest: digest(files) };
    let mut bytes = serde_json::to_vec_pretty(&contents).unwrap_or_default(); // maps of strings always serialise
    bytes.push(b'\n');
    bytes
}

/// The results folder of a run, whose files are checked when they are read.
#[derive(Debug)]
pub struct ResultsFolder {
    root: PathBuf,
    files: BTreeMap<String, Key>,
}

impl ResultsFolder {
    /// Reads the manifest of a results folder.
    ///
    /// # Errors
    /// A manifest that is missing, damaged or of another version.
    pub fn open(root: &Path) -> Result<ResultsFolder, ResultFileError> {
        let path = root.join(MANIFEST);
        let wrong = |what: String| ResultFileError::Manifest { path: path.clone(), what };
        let bytes = read_whole(&path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => wrong("it is not there".to_string()),
            _ => ResultFileError::Read { path: path.clone(), source },
        })?;
        let Contents { schema, files, digest: expected } =
            serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
        if schema != SCHEMA {
            return Err(wrong(format!("it has schema {schema}, this program reads {SCHEMA}")));
        }
        let found = digest(&files);
        if found != expected {
            return Err(wrong(format!("expected a list with digest {expected}, found one with {found}")));
        }
        Ok(ResultsFolder { root: root.to_path_buf(), files })
    }

    /// Where a file lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The bytes of a file, as they were written.
    ///
    /// # Errors
    /// A file that the manifest does not list, that cannot be read, or whose bytes are others.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, ResultFileError> {
        let path = self.path(name);
        let Some(&expected) = self.files.get(name) else { return Err(ResultFileError::Unlisted { path }) };
        let bytes = match read_whole(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(ResultFileError::Read { path, source }),
        };
        let found = Key::of_bytes(&bytes);
        match found == expected {
            true => Ok(bytes),
            false => Err(ResultFileError::Changed { path, expected, found }),
        }
    }
}

fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    foreign::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn digest(files: &BTreeMap<String, Key>) -> Key {
    files.iter().fold(Fields::new("result files"), |fields, (name, digest)| fields.with(name, digest)).key()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn no_flipped_bit_of_a_file_or_of_the_manifest_is_believed() {
        let dir = tempfile::tempdir().unwrap();
        let (name, content) = ("tables/claims.csv", b"id,value\nC1,0.48\n");
        fs::create_dir(dir.path().join("tables")).unwrap();
        fs::write(dir.path().join(name), content).unwrap();
        let listed = manifest(&BTreeMap::from([(name.to_string(), Key::of_bytes(content))]));
        fs::write(dir.path().join(MANIFEST), &listed).unwrap();
        let read = || ResultsFolder::open(dir.path())?.read(name);
        assert_eq!(read().unwrap(), content);
        for (file, bytes) in [(name, &content[..]), (MANIFEST, &listed)] {
            let path = dir.path().join(file);
            for bit in 0..8 * bytes.len() {
                let mut damaged = bytes.to_vec();
                damaged[bit / 8] ^= 1 << (bit % 8);
                fs::write(&path, &damaged).unwrap();
                match read() {
                    // White space that became other white space says the same.
                    Ok(found) => assert!(file == MANIFEST && found == content, "bit {bit} of {file}"),
                    Err(error) => {
                        let text = error.to_string();
                        assert!(text.contains(path.to_str().unwrap()), "bit {bit} of {file}: {text}");
                        assert!(text.contains("`streamgauge report`"), "bit {bit} of {file}: {text}");
                    }
                }
            }
            fs::write(&path, bytes).unwrap();
        }
    }

    #[test]
    fn a_folder_without_manifest_and_a_file_that_is_not_listed_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let error = ResultsFolder::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains(MANIFEST) && error.contains("not there"), "{error}");
        fs::write(dir.path().join(MANIFEST), manifest(&BTreeMap::new())).unwrap();
        fs::write(dir.path().join("verdicts.json"), "[]").unwrap();
        let error = ResultsFolder::open(dir.path()).unwrap().read("verdicts.json").unwrap_err();
        assert!(matches!(error, ResultFileError::Unlisted { .. }), "{error}");
    }
}
