//! `--profile`: where the time goes, as a trace that chrome://tracing and https://ui.perfetto.dev open.

use std::fs::File;
use std::path::Path;

use tracing_chrome::{ChromeLayerBuilder, FlushGuard};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::exit::{Exit, Failure};
use super::output;
use base::threads;

/// Writes every span of the program to `file` until the guard is dropped.
///
/// # Errors
/// A file that cannot be written.
pub(super) fn start(file: Option<&Path>) -> Result<Option<FlushGuard>, Failure> {
    let Some(path) = file else { return Ok(None) };
    let file = File::create(path).map_err(|error| {
        let message =
            format!("cannot write {}: {error}; name a file in a folder that is there", path.display());
        Failure::new(Exit::Store, message)
    })?;
    if threads::fewer().is_some() {
        output::say(
            "note: no profile is written, since the system gives too few threads for one that writes it",
        );
        return Ok(None);
    }
    let (layer, guard) = ChromeLayerBuilder::new().writer(file).include_args(true).build();
    tracing_subscriber::registry().with(layer).init();
    Ok(Some(guard))
}
