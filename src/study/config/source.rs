//! The text of a file, shared by everything that points into it.

use std::path::PathBuf;

/// Path and text of a file. Shared by all diagnostics about it.
#[derive(Debug)]
pub struct Source {
    pub path: PathBuf,
    pub text: String,
}
