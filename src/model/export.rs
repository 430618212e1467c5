//! Exporting: one `model.onnx` with taps as outputs, its weights left where they lie.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use crate::arch::{ArchError, INPUTS, Recipe, of_model};
use crate::checkpoint::{Checkpoint, CheckpointError, Content, widen::widen_from};
use crate::graph::Graph;
use crate::nn::WEIGHT;
use crate::onnx::{self, External};
use base::foreign;
use base::glob;
use base::lookup;
use base::publish;

/// Name of the file in the folder of an export.
const FILE: &str = "model.onnx";
/// Beside it, what a checkpoint stores in blocks that ONNX does not know, as float32.
const WIDENED: &str = "model.float32";

/// The files that an export wrote.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Exported {
    /// The model.
    pub file: PathBuf,
    /// Size of the file, without the weights.
    pub bytes: u64,
    /// Names of the outputs.
    pub outputs: Vec<String>,
    /// Files that hold the weights, beside `file`.
    pub weights: Vec<WeightFile>,
}

/// A file of weights beside an exported model.
#[derive(Clone, Debug, serde::Serialize)]
pub struct WeightFile {
    /// Its path.
    pub file: PathBuf,
    /// `in place`, `linked`, `copied` or `dequantised`.
    pub how: &'static str,
    /// Its size.
    pub bytes: u64,
}

/// A model that cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A checkpoint that cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A checkpoint that does not fit its config.
    #[error("{}", of_model(folder, error))]
    Arch {
        /// The checkpoint's folder.
        folder: PathBuf,
        /// What is wrong.
        error: ArchError,
    },
    /// A weight that is in no file.
    #[error(
        "{tensor} is made by the model's intervention and lies in no file that an export could refer to; export its base, or \
         a variant of the config alone"
    )]
    Made {
        /// Name of the weight.
        tensor: String,
    },
    /// A pattern that matches no tap.
    #[error("no tap matches {pattern:?}; the taps of this model are:\n{}", folded(known))]
    UnknownTap {
        /// As given to `--taps`.
        pattern: String,
        /// Names of all taps.
        known: Vec<String>,
    },
    /// A file or folder that cannot be written or read.
    #[error("{}: cannot {what}: {source}; {next}", path.display())]
    Write {
        /// What was tried, e.g. `write`.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
        /// What to do next.
        next: &'static str,
    },
    /// A file that no export wrote, where one would write.
    #[error("{}: {found} is in the way; {next}", path.display())]
    InTheWay {
        /// The file or folder.
        path: PathBuf,
        /// What lies there.
        found: &'static str,
        /// What to do next.
        next: &'static str,
    },
}

const ROOM: &str = "make room or choose another folder";
const REMOVE: &str = "choose another folder, or remove it";
const ELSEWHERE: &str = "readers of external data refuse symbolic links, so choose another folder";
const COPY: &str = "a weight file is linked, not copied, so the folder must lie on the file system of the checkpoint; \
    choose one there (the checkpoint's own folder will do), or copy the weights with --self-contained";

/// Writes `model.onnx` into `folder`, with the outputs that match `taps` (all, if there is none). Weights become external
/// data in the checkpoint's own files, which are hard links in `folder`, or copies if `copy`; what a GGUF file keeps in blocks
/// is written beside the model as float32. No file that an export did not write is replaced.
///
/// # Errors
/// A checkpoint that does not fit its config, a pattern no tap matches, a folder that cannot be written, a file in the way.
pub fn export(
    checkpoint: &Checkpoint,
    taps: &[String],
    folder: &Path,
    copy: bool,
) -> Result<Exported, ExportError> {
    let unfit = |error| ExportError::Arch { folder: checkpoint.folder().to_path_buf(), error };
    let recipe = Recipe::of_checkpoint(checkpoint).map_err(unfit)?;
    recipe.checked_weights(checkpoint).map_err(unfit)?;
    let mut graph = recipe.whole(checkpoint).map_err(unfit)?;
    if !taps.is_empty() {
        let known = output_names(&graph);
        if let Some(pattern) = taps.iter().find(|p| !known.iter().any(|name| glob::matches(p, name))) {
            return Err(ExportError::UnknownTap { pattern: pattern.clone(), known });
        }
        graph.keep_outputs(|name| taps.iter().any(|pattern| glob::matches(pattern, name)));
    }
    graph.prune(|input| INPUTS.contains(&input));

    let mut weights = BTreeMap::new();
    let mut files = BTreeMap::new();
    let mut packed = Vec::new();
    let mut room = 0;
    for input in graph.inputs() {
        let input = graph.name_of(*input);
        let Some(name) = input.strip_prefix(WEIGHT) else { continue };
        let (entry, tensor) = (checkpoint.find(name)?, checkpoint.tensor(name)?);
        if matches!(tensor.content, Content::Made(_)) {
            return Err(ExportError::Made { tensor: name.to_string() });
        }
        if matches!(tensor.content, Content::Packed(_) | Content::Quantised(_)) {
            let length = 4 * tensor.elements() as u64;
            let (stored, location) = (onnx::Stored::F32, WIDENED.to_string());
            let weight = External { name: name.to_string(), stored, location, offset: room, length };
            room += length;
            packed.push(name.to_string());
            weights.insert(input.to_string(), weight);
            continue;
        }
        let file = entry.file.file_name().unwrap_or_default(); // an open file has a name
        let location = file.to_string_lossy().into_owned();
        files.insert(location.clone(), entry.file.to_path_buf());
        let stored = tensor.dtype.into();
        let (offset, length) = (entry.offset, entry.bytes.len() as u64);
        let weight = External { name: name.to_string(), stored, location, offset, length };
        weights.insert(input.to_string(), weight);
    }
    let family = recipe.facts().family.unwrap_or_default();
    let properties = [
        ("streamgauge.version", env!("CARGO_PKG_VERSION").to_string()),
        ("streamgauge.model_type", family),
        ("streamgauge.compute", "float32".to_string()),
    ];
    let bytes = onnx::encode_with_weights(&graph, &weights, &properties);

    fs::create_dir_all(folder).map_err(failed("make the folder", folder, ROOM))?;
    let file = folder.join(FILE);
    if file.is_file() && !is_ours(&file) {
        let found = "a model that another tool wrote";
        return Err(ExportError::InTheWay { path: file, found, next: REMOVE });
    }
    let beside = folder.join(WIDENED);
    if !packed.is_empty() && beside.exists() && !file.is_file() {
        let found = "a file that no export wrote";
        return Err(ExportError::InTheWay { path: beside, found, next: REMOVE });
    }
    let mut placed = Vec::new();
    if !packed.is_empty() {
        placed.push(dequantise(checkpoint, &packed, beside)?);
    }
    for (name, source) in &files {
        placed.push(place(source, folder.join(name), copy)?);
    }
    publish::write(&file, &[&bytes]).map_err(failed("write", &file, ROOM))?;
    Ok(Exported { file, bytes: bytes.len() as u64, outputs: output_names(&graph), weights: placed })
}

fn output_names(graph: &Graph) -> Vec<String> {
    graph.outputs().iter().map(|output| graph.name_of(*output).to_string()).collect()
}

/// Puts the weights of `source` at `target`, by a link, or by a copy if `copy`.
fn place(source: &Path, target: PathBuf, copy: bool) -> Result<WeightFile, ExportError> {
    let source = fs::canonicalize(source).map_err(failed("find", source, ROOM))?;
    let bytes = fs::metadata(&source).map_err(failed("read the size of", &source, ROOM))?.len();
    let done = |how| WeightFile { file: target.clone(), how, bytes };
    if target.is_symlink() {
        // As the hub's cache keeps them.
        return Err(ExportError::InTheWay { path: target, found: "a symbolic link", next: ELSEWHERE });
    }
    if target.exists() {
        let own = fs::canonicalize(&target).is_ok_and(|target| target == source);
        let linked = same(&source, &target);
        if own || (linked && !copy) {
            return Ok(done("in place"));
        }
        if !linked {
            if copy && equal(&source, &target).map_err(failed("compare the weights with", &target, REMOVE))? {
                return Ok(done("in place"));
            }
            return Err(ExportError::InTheWay { path: target, found: "another file", next: REMOVE });
        }
        // A link that an earlier export left: the copy takes its place.
    }
    if copy {
        // Always one name: what a killed export left of so large a file does not pile up.
        let part = target.with_added_extension("export.part");
        let _ = fs::remove_file(&part);
        // Removed unless it is renamed.
        let part = tempfile::TempPath::try_from_path(part).map_err(failed("write", &target, ROOM))?;
        lookup::uninterrupted(|| fs::copy(&source, &part)).map_err(failed(
            "copy the weights to",
            &target,
            ROOM,
        ))?;
        part.persist(&target).map_err(|e| failed("write", &target, ROOM)(e.error))?;
        return Ok(done("copied"));
    }
    fs::hard_link(&source, &target).map_err(failed("link", &target, COPY))?;
    Ok(done("linked"))
}

/// Writes weights one after another as float32.
fn dequantise(checkpoint: &Checkpoint, names: &[String], target: PathBuf) -> Result<WeightFile, ExportError> {
    const PIECE: usize = 1 << 20;
    let unwritten = || failed("write the weights to", &target, ROOM);
    // Always one name: what a killed export left of so large a file does not pile up.
    let part = target.with_added_extension("export.part");
    let _ = fs::remove_file(&part);
    let mut out = BufWriter::new(fs::File::create(&part).map_err(unwritten())?);
    // Removed unless it is renamed.
    let part = tempfile::TempPath::try_from_path(part).map_err(unwritten())?;
    let mut numbers = vec![0.0f32; PIECE];
    let mut bytes = 0;
    for name in names {
        let tensor = checkpoint.tensor(name)?;
        for start in (0..tensor.elements()).step_by(PIECE) {
            let piece = &mut numbers[..PIECE.min(tensor.elements() - start)];
            widen_from(&tensor, start, piece);
            let written: Vec<u8> = piece.iter().flat_map(|number| number.to_le_bytes()).collect();
            out.write_all(&written).map_err(unwritten())?;
            bytes += written.len() as u64;
        }
    }
    out.into_inner().map_err(|error| unwritten()(error.into_error()))?.sync_all().map_err(unwritten())?;
    part.persist(&target).map_err(|e| unwritten()(e.error))?;
    Ok(WeightFile { file: target, how: "dequantised", bytes })
}

/// One file under two names, and not a symbolic link, which readers of external data refuse.
fn same(source: &Path, target: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        match (fs::metadata(source), fs::symlink_metadata(target)) {
            (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
            _ => false,
        }
    }
    #[cfg(not(unix))]
    {
        fs::canonicalize(target).is_ok_and(|target| target == source)
    }
}

/// Says whether two files hold the same bytes.
fn equal(a: &Path, b: &Path) -> std::io::Result<bool> {
    const PIECE: u64 = 1 << 20;
    let (mut a, mut b) = (foreign::open(a)?, foreign::open(b)?);
    if a.metadata()?.len() != b.metadata()?.len() {
        return Ok(false);
    }
    let (mut left, mut right) = (Vec::new(), Vec::new());
    loop {
        left.clear();
        right.clear();
        (&mut a).take(PIECE).read_to_end(&mut left)?;
        (&mut b).take(PIECE).read_to_end(&mut right)?;
        if left != right {
            return Ok(false);
        }
        if left.is_empty() {
            return Ok(true);
        }
    }
}

/// Says whether this program wrote an `.onnx` file.
fn is_ours(file: &Path) -> bool {
    let mut start = Vec::new();
    let read = foreign::open(file).and_then(|file| file.take(64).read_to_end(&mut start));
    read.is_ok() && start.get(2..).is_some_and(|rest| rest.starts_with(onnx::SIGNATURE)) // after the version
}

fn failed(what: &'static str, path: &Path, next: &'static str) -> impl FnOnce(std::io::Error) -> ExportError {
    let path = path.to_path_buf();
    move |source| ExportError::Write { what, path, source, next }
}

/// Names that differ only in their block, once: `blocks.{0..31}.hook_resid_pre`.
pub fn folded(names: &[String]) -> String {
    let mut lines: Vec<(String, Vec<usize>)> = Vec::new();
    for name in names {
        let numbered = name.strip_prefix("blocks.").and_then(|rest| rest.split_once('.'));
        let (line, block) = match numbered.and_then(|(block, rest)| Some((block.parse().ok()?, rest))) {
            Some((block, rest)) => (rest.to_string(), Some(block)),
            None => (name.clone(), None),
        };
        match lines.iter_mut().find(|(known, _)| *known == line) {
            Some((_, blocks)) => blocks.extend(block),
            None => lines.push((line, block.into_iter().collect())),
        }
    }
    let show = |(line, blocks): &(String, Vec<usize>)| match blocks[..] {
        [] => format!("  {line}"),
        [one] => format!("  blocks.{one}.{line}"),
        [first, .., last] => format!("  blocks.{{{first}..{last}}}.{line}"),
    };
    lines.iter().map(show).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_taps_are_listed_once_for_all_blocks() {
        let names = ["blocks.0.hook_a", "blocks.0.hook_b", "blocks.1.hook_a", "logits"].map(String::from);
        assert_eq!(folded(&names), "  blocks.{0..1}.hook_a\n  blocks.0.hook_b\n  logits");
    }
}
