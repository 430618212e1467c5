//! The files of a checkpoint folder, mapped into memory, and the place of each tensor in them.

use std::{
    fs,
    io::ErrorKind,
    ops::Range,
    path::{Path, PathBuf},
};

use memmap2::Mmap;
#[cfg(target_os = "linux")]
use rayon::prelude::*;

use super::{
    error::CheckpointError,
    header,
    index::Index,
    memo::Stamp,
    pickled,
    place::{Place, StoredAs},
    wrapped,
};
use base::foreign;

/// The weights in one file.
pub const SINGLE: &str = "model.safetensors";
/// The shard of each tensor.
pub const INDEX: &str = "model.safetensors.index.json";
/// Both of each kind of weights; the first that is there counts.
pub const WEIGHTS: [(&str, &str); 2] = [(SINGLE, INDEX), (pickled::SINGLE, pickled::INDEX)];
/// Bytes that one core reads at a time.
#[cfg(target_os = "linux")]
const READ: usize = 8 << 20;
/// Bytes that Linux is asked to read ahead at a time: of a longer piece it reads no more than the device's `read_ahead_kb`, or
/// its longest request; 128 KiB is the default. Source: `force_page_cache_ra` in `mm/readahead.c` of Linux.
#[cfg(unix)]
const AHEAD: usize = 128 << 10;

/// One safetensors file, mapped.
pub(super) struct File {
    path: PathBuf,
    map: Mmap,
    stamp: Option<Stamp>,
}

impl File {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.map
    }

    pub(super) fn stamp(&self) -> Option<&Stamp> {
        self.stamp.as_ref()
    }

    /// Looks at the file again: whether it is what it was when it was mapped.
    pub(super) fn unchanged(&self) -> Result<(), CheckpointError> {
        let (Some(then), Some(name)) = (&self.stamp, self.path.file_name()) else { return Ok(()) };
        let changed = |found: String| CheckpointError::Changed { file: self.path.clone(), found };
        let now = fs::metadata(&self.path).map_err(|error| changed(error.to_string()))?;
        match Stamp::of(Path::new(name), &now) {
            Some(now) if !then.same_content(&now) => {
                Err(changed("another size, inode or time of modification".to_string()))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn prefetch(&self, range: &Range<usize>) {
        // Advice: where the system refuses it, the pages are read when they are used.
        #[cfg(unix)]
        for start in range.clone().step_by(AHEAD) {
            let length = AHEAD.min(range.end - start);
            let _ = self.map.advise_range(memmap2::Advice::WillNeed, start, length);
        }
        #[cfg(not(unix))]
        let _ = range;
    }

    /// Reads some bytes into memory and maps them, on all cores.
    pub(super) fn read(&self, range: &Range<usize>) {
        // Likewise: kernels before Linux 5.14 do not know this advice.
        #[cfg(target_os = "linux")]
        range.clone().into_par_iter().step_by(READ).for_each(|start| {
            let length = READ.min(range.end - start);
            let _ = self.map.advise_range(memmap2::Advice::PopulateRead, start, length);
        });
        #[cfg(not(target_os = "linux"))]
        let _ = range;
    }

    /// Opens and maps a file that should be `expected`.
    pub(super) fn open(path: PathBuf, expected: &str) -> Result<File, CheckpointError> {
        let io = |what| {
            let file = path.clone();
            move |source| CheckpointError::Io { file, what, source }
        };
        let file = foreign::open(&path).map_err(|error| match error.kind() {
            ErrorKind::IsADirectory => CheckpointError::File {
                file: path.clone(),
                expected: expected.into(),
                found: "a folder".into(),
                next: super::error::AGAIN,
            },
            _ => io("cannot open")(error),
        })?;
        let meta = file.metadata().map_err(io("cannot read the size of"))?;
        // SAFETY: the mapping is private and read-only; that nobody truncates the file meanwhile is the
        // documented condition of `Checkpoint`.
        let map = unsafe { Mmap::map(&file) }.map_err(io("cannot map into memory"))?;
        let stamp = path.file_name().and_then(|name| Stamp::of(Path::new(name), &meta));
        Ok(File { path, map, stamp })
    }
}

/// The tensors of a file, which is the one of this number.
type Read = fn(&Path, &[u8], usize) -> Result<Vec<Place>, CheckpointError>;

/// What the files of each of [`WEIGHTS`] should be, and how they are read.
const KINDS: [(&str, Read); 2] = [("a safetensors file", safetensors), ("pickled weights", pickled::read)];

fn safetensors(path: &Path, bytes: &[u8], file: usize) -> Result<Vec<Place>, CheckpointError> {
    let place = |tensor| {
        let header::Declared { name, dtype, shape, range } = tensor;
        Place::new(name, StoredAs::Plain(dtype), shape, file, range)
    };
    Ok(header::read(path, bytes)?.into_iter().map(place).collect())
}

/// The weights of a folder.
pub(super) struct Mapped {
    pub(super) files: Vec<File>,
    /// Sorted by name, names unique.
    pub(super) places: Vec<Place>,
    /// What index and shards say differently, for people.
    pub(super) note: Option<String>,
}

/// Maps the folder's weights.
pub(super) fn open(folder: &Path) -> Result<Mapped, CheckpointError> {
    // What cannot be looked at is opened, and its error is the one to tell.
    let absent = |name: &str| matches!(folder.join(name).try_exists(), Ok(false));
    let mut kinds = WEIGHTS.into_iter().zip(KINDS);
    let there = kinds.find(|((single, index), _)| !absent(single) || !absent(index));
    let Some(((single, index), (expected, read))) = there else {
        return Err(wrapped::adapter(folder).unwrap_or_else(|| no_weights(folder)));
    };
    let index_path = folder.join(index);
    let (names, index) = if !absent(single) {
        (vec![single.to_string()], None)
    } else {
        let index = Index::read(&index_path)?;
        (index.shards(&index_path)?, Some(index))
    };
    let mut files = Vec::new();
    let mut places = Vec::new();
    for name in &names {
        let path = folder.join(name);
        if absent(name) {
            return Err(CheckpointError::File {
                file: index_path,
                expected: format!("the shard {name:?} beside it"),
                found: "no such file".into(),
                next: "download the missing shard",
            });
        }
        let file = File::open(path, expected)?;
        places.extend(read(file.path(), file.bytes(), files.len())?);
        files.push(file);
    }
    places.sort_by(|a, b| (&a.name, a.file).cmp(&(&b.name, b.file)));
    let note = match index {
        Some(index) => index.compare(&index_path, &names, &places)?,
        None => None,
    };
    wrapped::unwrap(&files, &mut places)?;
    Ok(Mapped { files, places, note })
}

/// What a folder without any of [`WEIGHTS`] has instead of them.
fn no_weights(folder: &Path) -> CheckpointError {
    const ENDS: [&str; 8] = [".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".npz"];
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| ENDS.iter().any(|end| name.ends_with(end)));
    names.sort();
    let is_shard = |name: &String| name.contains("-of-");
    let (found, next) = match names.as_slice() {
        [] => ("neither".to_string(), "download the model's safetensors files into this folder"),
        [first, ..] if names.iter().any(is_shard) => {
            (format!("shards ({first:?}) without their index"), "download the index into this folder too")
        }
        [first, ..] => (
            format!("{first:?} and nothing under those names"),
            "save the model with transformers (`save_pretrained`), or rename the file if it is of that format",
        ),
    };
    CheckpointError::NoWeights { folder: folder.to_path_buf(), found, next }
}

/// The shard that the folder's index names for a tensor; see [`Index::promised`].
pub(super) fn promised(folder: &Path, tensor: &str) -> Option<(PathBuf, String)> {
    let is_there = |name: &str| folder.join(name).exists();
    let (single, index) = WEIGHTS.into_iter().find(|(single, index)| is_there(single) || is_there(index))?;
    if is_there(single) { None } else { Index::promised(folder.join(index), tensor) }
}
