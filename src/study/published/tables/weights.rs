//! unembedding.csv: norms of W_U and of one W_E. No token enters them, so they have no protocol.

use std::path::Path;

use super::bounds::{Bounds, Numbers};
use super::error::EvidenceError;
use super::shared::published;
use super::sheet::Sheet;
use number::evidence::Measurement;
use number::metric::Metric;

const NUMBERS: Numbers = &[
    ("rows", Bounds::Count),
    ("cols", Bounds::Count),
    ("spectral_norm", Bounds::Positive),
    ("frobenius_norm", Bounds::Positive),
    ("mean_row_norm", Bounds::Positive),
    ("spectral_per_sqrt_rows", Bounds::Positive),
    ("frobenius_from_row_norms", Bounds::Positive),
    ("max_row_norm", Bounds::Positive),
    ("effective_amplification", Bounds::Positive),
    ("last_gain_used", Bounds::Ratio),
    ("std_row_norm", Bounds::NotNegative),
    ("min_row_norm", Bounds::NotNegative),
];

const COLUMNS: &[&str] =
    &["model", "spectral_norm", "frobenius_norm", "mean_row_norm", "source", "matrix", "notes"];

const UNEMBEDDING: [Metric; 3] =
    [Metric::UnembeddingSpectralNorm, Metric::UnembeddingFrobeniusNorm, Metric::UnembeddingRowNorm];
const EMBEDDING: [Metric; 3] =
    [Metric::EmbeddingSpectralNorm, Metric::EmbeddingFrobeniusNorm, Metric::EmbeddingRowNorm];

pub(super) fn import(folder: &Path) -> Result<Vec<Measurement>, EvidenceError> {
    let sheet = Sheet::read(folder, "unembedding.csv", COLUMNS, NUMBERS)?;
    let mut rows = Vec::new();
    for row in sheet.rows() {
        let metrics = row.word("matrix", &[("W_U", UNEMBEDDING), ("W_E", EMBEDDING)])?;
        // The note on `last_gain_used` concerns a column that is not imported.
        let note = row.text("notes");
        let about_norm = |word: &str| if note.contains(word) { note.to_string() } else { String::new() };
        for (metric, column) in metrics.into_iter().zip(["spectral_norm", "frobenius_norm", "mean_row_norm"])
        {
            rows.push(Measurement {
                metric,
                value: row.required_number(column)?,
                dtype: "not published".into(),
                definition: if column == "frobenius_norm" {
                    about_norm("Frobenius 1").into()
                } else {
                    "".into()
                },
                ..published(row.required("source")?, row.required("model")?)
            });
        }
    }
    Ok(rows)
}
