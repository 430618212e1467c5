//! All tables of a folder as one table of evidence.

use std::collections::BTreeSet;
use std::path::Path;

use super::error::EvidenceError;
use super::{correlation, derived, facts, gains, modules, profile, repeats, stated, weights};
use number::evidence::{EvidenceTable, Measurement};
use number::metric::Metric;
use number::protocol::Protocol;

/// Reads the tables of a folder laid out like `data/published` into one evidence table. Models are those that have
/// at least one number, prompts all that are listed; everything is sorted.
///
/// # Errors
/// When a table is missing or a cell has a value that the layout does not allow: the error names file, line and column.
pub fn import(folder: &Path) -> Result<EvidenceTable, EvidenceError> {
    let gains = gains::import(folder)?;
    let mut rows = gains.rows;
    rows.extend(profile::import(folder, &gains.dtypes, &gains.blocks)?);
    rows.extend(weights::import(folder)?);
    rows.extend(modules::import(folder, &gains.blocks)?);
    rows.extend(correlation::import(folder)?);
    rows.sort_by(|a, b| order(a).cmp(&order(b)));
    repeats::flag(&mut rows);
    let measured: BTreeSet<&str> = rows.iter().map(|row| row.model.as_str()).collect();
    let models = facts::models(folder, &measured, &gains.blocks)?;
    rows.extend(derived::rows(&rows, &models));
    rows.sort_by(|a, b| order(a).cmp(&order(b)));
    let prompts = facts::prompts(folder)?;
    stated::check(folder, &rows.iter().map(|row| row.source.as_str()).collect())?;
    Ok(EvidenceTable { models, prompts, rows })
}

type Order<'a> = (&'a str, &'a str, Metric, Option<&'a str>, Option<u32>, Option<Protocol>);

fn order(row: &Measurement) -> Order<'_> {
    (&row.model, &row.source, row.metric, row.prompt.as_deref(), row.layer, row.protocol)
}
