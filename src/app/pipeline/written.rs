//! What a report leaves: files in the results folder, and in the store the list of them with the text for a terminal.

use std::collections::BTreeMap;

use base::hash::Key;
use results::report::TextPage;

/// Files of the results folder and the digest of each, as written.
pub(super) type Manifest = BTreeMap<String, Key>;

/// What a report is stored as: the list of its files, and its pages as text, which no file has.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Written {
    pub(super) files: Manifest,
    /// The opening page in short, for a terminal.
    pub summary: String,
    /// Every page for a terminal.
    pub pages: Vec<TextPage>,
}
