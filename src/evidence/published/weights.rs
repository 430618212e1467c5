//! unembedding.csv: norms of W_U. No token enters them, so they have no protocol.

use std::path::Path;

use super::published;
use crate::evidence::sheet::Sheet;
use crate::evidence::{EvidenceError, Measurement};
use crate::metric::Metric;

const COLUMNS: &[&str] = &["model", "spectral_norm", "frobenius_norm", "source", "matrix", "notes"];

pub(super) fn import(folder: &Path) -> Result<Vec<Measurement>, EvidenceError> {
    let sheet = Sheet::read(folder, "unembedding.csv", COLUMNS)?;
    let mut rows = Vec::new();
    for row in sheet.rows() {
        // The one W_E row has no metric.
        if !row.word("matrix", &[("W_U", true), ("W_E", false)])? {
            continue;
        }
        // The note on `last_gain_used` concerns a column that is not imported.
        let note = row.text("notes");
        let about_norm = |word: &str| if note.contains(word) { note.to_string() } else { String::new() };
        let blank = Measurement {
            dtype: "not published".into(),
            ..published(row.required("source")?, row.required("model")?)
        };
        let spectral = row.required_number("spectral_norm")?;
        rows.push(Measurement { metric: Metric::UnembeddingSpectralNorm, value: spectral, ..blank.clone() });
        let frobenius = row.required_number("frobenius_norm")?;
        let definition = about_norm("Frobenius 1");
        rows.push(Measurement {
            metric: Metric::UnembeddingFrobeniusNorm,
            value: frobenius,
            definition,
            ..blank.clone()
        });
    }
    Ok(rows)
}
