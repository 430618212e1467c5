//! GGUF files as a checkpoint: found, mapped, with their parts, and every tensor's place in them.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::{
    error::CheckpointError,
    files::{File, WEIGHTS},
    place::{Place, StoredAs},
};
use crate::gguf::{Declared, Header, MAGIC, Metadata, describe};
use base::{foreign, lookup};

const EXTENSION: &str = "gguf";

/// Whether this is a GGUF file: by its ending, or by how it begins (Ollama's blobs have no ending).
pub fn is_gguf(file: &Path) -> bool {
    let begins = || {
        let mut start = [0; MAGIC.len()];
        foreign::open(file).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *MAGIC
    };
    fs::metadata(file).is_ok_and(|meta| meta.is_file()) && (has_ending(file) || begins())
}

fn has_ending(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(EXTENSION))
}

/// The GGUF file that is meant: the one given, or the only one of a folder without other weights.
pub(super) fn find(at: &Path) -> Result<Option<PathBuf>, CheckpointError> {
    if is_gguf(at) {
        return Ok(Some(at.to_path_buf()));
    }
    let absent = |name: &str| matches!(at.join(name).try_exists(), Ok(false));
    if !at.is_dir() || WEIGHTS.iter().any(|(single, index)| !absent(single) || !absent(index)) {
        return Ok(None);
    }
    let io = |source| CheckpointError::Io { file: at.to_path_buf(), what: "cannot list", source };
    let mut found = lookup::entries(at).map_err(io)?;
    found.retain(|path| has_ending(path) && Part::of(path).is_none_or(|part| part.number == 1));
    if found.len() > 1 {
        let names: Vec<String> =
            found.iter().filter_map(|path| path.file_name()).map(|name| name.display().to_string()).collect();
        return Err(CheckpointError::File {
            file: at.to_path_buf(),
            expected: "one GGUF file in a folder without other weights".into(),
            found: format!("several GGUF files ({})", names.join(", ")),
            next: "give the path of one of them",
        });
    }
    Ok(found.pop())
}

/// The names of all files of the model whose first file, or only one, has this name.
///
/// # Errors
/// That it is a later part.
pub fn gguf_parts(name: &str) -> Result<Vec<String>, &'static str> {
    let path = Path::new(name);
    match Part::of(path) {
        None => Ok(vec![name.to_string()]),
        Some(part) if part.number != 1 || part.count == 0 || part.count > MOST_PARTS => Err(
            "the file is not the first of the parts of a model, whose name ends in -00001-of- and their number",
        ),
        Some(part) => {
            let folder = name.rfind('/').map_or("", |at| &name[..=at]);
            let names = (1..=part.count).map(|number| {
                let part = part.path(path, number);
                format!("{folder}{}", part.file_name().unwrap_or_default().to_string_lossy())
            });
            Ok(names.collect())
        }
    }
}

/// More parts than a model has.
const MOST_PARTS: u32 = 1 << 12;

/// The name of one part of a model: `NAME-00001-of-00003.gguf`.
struct Part {
    /// Name before the number.
    name: String,
    number: u32,
    count: u32,
}

impl Part {
    fn of(path: &Path) -> Option<Part> {
        let stem = path.file_stem()?.to_str()?;
        let (rest, count) = stem.rsplit_once("-of-")?;
        let (name, number) = rest.rsplit_once('-')?;
        let digits = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(number) || !digits(count) {
            return None;
        }
        Some(Part { name: name.to_string(), number: number.parse().ok()?, count: count.parse().ok()? })
    }

    /// The file of another part.
    fn path(&self, beside: &Path, number: u32) -> PathBuf {
        let Part { name, count, .. } = self;
        beside.with_file_name(format!("{name}-{number:05}-of-{count:05}.{EXTENSION}"))
    }
}

type Opened = (Map<String, Value>, Vec<File>, Vec<Place>);

/// Maps a file and the other parts of its model; the places are sorted by name and unique.
pub(super) fn open(path: &Path) -> Result<Opened, CheckpointError> {
    let files = mapped(path)?;
    let mut headers = Vec::new();
    for file in &files {
        headers.push(Header::read(file.path(), file.bytes())?);
    }
    for (number, header) in headers.iter().enumerate() {
        agree(&header.metadata, number, files.len())?;
    }
    let all: Vec<(usize, &Declared<'_>)> = (0..)
        .zip(&headers)
        .flat_map(|(file, header)| header.tensors.iter().map(move |tensor| (file, tensor)))
        .collect();
    count(&headers[0].metadata, all.len())?;
    let tensors: Vec<Declared<'_>> = all.iter().map(|(_, tensor)| (*tensor).clone()).collect();
    let description = describe(&headers[0].metadata, &tensors)?;
    let mut places: Vec<Place> = description
        .tensors
        .into_iter()
        .map(|stored| {
            let file = stored.index.map_or(0, |index| all[index].0);
            let dtype = StoredAs::Blocks(stored.encoding, stored.layout);
            Place::new(stored.name, dtype, stored.shape, file, stored.range)
        })
        .collect();
    places.sort_by(|a, b| (&a.name, a.file).cmp(&(&b.name, b.file)));
    if let Some(pair) = places.windows(2).find(|pair| pair[0].name == pair[1].name) {
        let [first, second] = [&pair[0], &pair[1]].map(|place| files[place.file].path());
        return Err(CheckpointError::Tensor {
            file: second.to_path_buf(),
            tensor: pair[0].name.clone(),
            expected: "it in one part".into(),
            found: format!("it in {:?} as well", first.file_name().unwrap_or_default()),
            next: AGAIN,
        });
    }
    drop(headers);
    Ok((description.config, files, places))
}

const AGAIN: &str = "download all parts again from one revision";

/// The file, or it and the other parts that its metadata count.
fn mapped(path: &Path) -> Result<Vec<File>, CheckpointError> {
    let first = File::open(path.to_path_buf(), "a GGUF file")?;
    let count = Header::read(first.path(), first.bytes())?.metadata.count("split.count")?.unwrap_or(1);
    if count <= 1 {
        return Ok(vec![first]);
    }
    let named = Part::of(path).filter(|part| u64::from(part.count) == count);
    let Some(part) = named else {
        return Err(CheckpointError::File {
            file: path.to_path_buf(),
            expected: format!(
                "a name that ends in -00001-of-{count:05}.{EXTENSION}, since it is one of {count} parts"
            ),
            found: "another name".into(),
            next: "give the parts the names they were published under, in one folder",
        });
    };
    if part.number != 1 {
        return Err(CheckpointError::File {
            file: path.to_path_buf(),
            expected: "the first part".into(),
            found: format!("part {} of {count}", part.number),
            next: "give the path of the part that ends in -00001",
        });
    }
    let mut files = vec![first];
    for number in 2..=part.count {
        let other = part.path(path, number);
        if !other.exists() {
            return Err(CheckpointError::File {
                file: path.to_path_buf(),
                expected: format!("the part {:?} beside it", other.file_name().unwrap_or_default()),
                found: "no such file".into(),
                next: "download the missing part",
            });
        }
        files.push(File::open(other, "a GGUF file")?);
    }
    Ok(files)
}

/// Every part must say that it is the part that its name says.
fn agree(metadata: &Metadata<'_>, number: usize, count: usize) -> Result<(), CheckpointError> {
    for (key, expected) in [("split.no", number), ("split.count", count)] {
        let found = metadata.count(key)?;
        // A file of one part need not say so, nor how many.
        let single = count == 1 && found.is_none_or(|found| found <= 1);
        if !single && found != Some(expected as u64) {
            let found = found.map_or_else(|| "no such key".to_string(), |found| found.to_string());
            return Err(metadata.refuse(key, &expected.to_string(), found, AGAIN).into());
        }
    }
    Ok(())
}

/// The first part says how many tensors there are in all.
fn count(metadata: &Metadata<'_>, tensors: usize) -> Result<(), CheckpointError> {
    const KEY: &str = "split.tensors.count";
    match metadata.count(KEY)? {
        Some(given) if given != 0 && given != tensors as u64 => {
            Err(metadata.refuse(KEY, &format!("{tensors}, as there are"), given.to_string(), AGAIN).into())
        }
        _ => Ok(()),
    }
}
