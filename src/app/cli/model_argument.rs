//! The model that a command names.

use std::io;
use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};
use crate::pipeline::{self, PendingTokenizer, Subject, WhenMissing};
use base::nearest::nearest;
use base::{lookup, progress::Progress};
use model::checkpoint::{Memo, is_gguf};
use model::hub::HubId;
use study::config::{self, experiment::Model};

/// Opens a model given as a folder or a GGUF file, as an id of the model list, or as a model of the hub or a GGUF file there,
/// which is downloaded if need be. `tokenizer` is that of where it lies. What the model's files say and is not followed is
/// noted.
pub(super) fn open(
    name: &str,
    list: &Path,
    tokenizer: impl Fn(&Path) -> PendingTokenizer,
    memo: &Memo,
    progress: &dyn Progress,
) -> Result<Subject, Failure> {
    let found = find(name, list, progress)?;
    let tokenizer = tokenizer(&found.folder);
    let mut subject = match &found.listed {
        Some(model) => Subject::listed(model, &found.folder, memo)?,
        None => Subject::open(&found.id, &found.folder, memo)?,
    };
    subject.tokenizer = tokenizer;
    subject.checkpoint.notes().iter().for_each(|note| progress.note(note));
    Ok(subject)
}

/// A model that a command names.
pub(super) struct Found {
    pub id: String,
    /// Its checkpoint, or that of its base: a folder or a GGUF file.
    pub folder: PathBuf,
    /// Its entry, if it is one of the model list.
    pub listed: Option<Model>,
}

/// Finds such a model.
pub(super) fn find(name: &str, list: &Path, progress: &dyn Progress) -> Result<Found, Failure> {
    let folder = Path::new(name);
    if lookup::is_folder(folder).map_err(|error| cannot_look_at(folder, &error))? {
        let id = folder.file_name().map_or_else(|| name.to_string(), |n| n.to_string_lossy().into_owned());
        return Ok(Found { id, folder: folder.to_path_buf(), listed: None });
    }
    if is_gguf(folder) {
        let id = folder.file_stem().map_or_else(|| name.to_string(), |n| n.to_string_lossy().into_owned());
        return Ok(Found { id, folder: folder.to_path_buf(), listed: None });
    }
    let hub = HubId::parse(name).ok().filter(|id| id.file().is_some() || name.contains('/'));
    let of_hub = hub.as_ref().is_some_and(|id| id.file().is_some());
    if !of_hub && folder.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf")) {
        return Err(Failure::new(
            Exit::BadInput,
            format!("{name}: expected a GGUF file, found no file; check the path"),
        ));
    }
    // Ids of the list have no slash.
    if let Some(id) = hub {
        let folder = pipeline::locate_hub(&id, WhenMissing::Download, progress)?;
        return Ok(Found { id: name.to_string(), folder, listed: None });
    }
    let models = config::load_models(list).map_err(|report| {
        Failure::new(
            Exit::BadConfig,
            format!(
                "{name:?} is neither a folder nor a GGUF file, and the model list cannot be read:\n{report}"
            ),
        )
    })?;
    let Some(model) = models.models.iter().find(|model| model.id == name) else {
        let known: Vec<&str> = models.models.iter().map(|model| model.id.as_str()).collect();
        return Err(Failure::new(
            Exit::BadInput,
            format!(
                "{name:?} is neither a folder, nor a GGUF file, nor owner/name of the hub, nor an id in {}; {}",
                list.display(),
                meant(name, &known)
            ),
        ));
    };
    let folder = pipeline::locate(model, &models, list, WhenMissing::Download, progress)?;
    Ok(Found { id: model.id.clone(), folder, listed: Some(model.clone()) })
}

/// The nearest id, or else the first few: a list may be long.
fn meant(name: &str, known: &[&str]) -> String {
    const SHOWN: usize = 8;
    if let Some(near) = nearest(name, known.iter().copied()) {
        return format!("did you mean {near:?}?");
    }
    let shown = known[..known.len().min(SHOWN)].join(", ");
    match known.len().saturating_sub(SHOWN) {
        0 if known.is_empty() => "it holds none".to_string(),
        0 => format!("known ids: {shown}"),
        more => format!("known ids: {shown} and {more} more"),
    }
}

/// Something may be there that the system does not show: no reason to look elsewhere.
pub(super) fn cannot_look_at(path: &Path, error: &io::Error) -> Failure {
    Failure::new(Exit::BadInput, format!("{}: cannot be looked at: {error}", path.display()))
}
