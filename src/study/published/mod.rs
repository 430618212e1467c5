//! Published tables become measurements: each number with the protocol that produced it.
//!
//! The tables say how each number was computed (`token_reduction`, `final_tap`, `row_tap`, `measured_block`); names that
//! the publication gave to a number are not used. A word that is not known stops the import.

mod claims;
mod correlation;
mod derived;
mod error;
mod facts;
mod gains;
mod modules;
mod profile;
mod repeats;
mod sheet;
mod weights;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub use claims::{Claim, Stated, claims};
pub use error::EvidenceError;

use number::evidence::{Evidence, EvidenceTable, Measurement};
use number::metric::Metric;
use number::protocol::{Bos, Endpoint, Protocol, Reduction};
use sheet::Row;

/// Reads the tables of a folder laid out like `data/published` into one evidence table. Models are those that have
/// at least one number, prompts all that are listed; everything is sorted.
pub fn import(folder: &Path) -> Result<EvidenceTable, EvidenceError> {
    let gains = gains::import(folder)?;
    let mut rows = gains.rows;
    rows.extend(profile::import(folder, &gains.dtypes)?);
    rows.extend(weights::import(folder)?);
    rows.extend(modules::import(folder)?);
    rows.extend(correlation::import(folder)?);
    rows.sort_by(|a, b| order(a).cmp(&order(b)));
    repeats::flag(&mut rows);
    let measured: BTreeSet<&str> = rows.iter().map(|row| row.model.as_str()).collect();
    let models = facts::models(folder, &measured, &gains.blocks)?;
    rows.extend(derived::rows(&rows, &models));
    rows.sort_by(|a, b| order(a).cmp(&order(b)));
    let prompts = facts::prompts(folder)?;
    claims::check(folder, &rows.iter().map(|row| row.source.as_str()).collect())?;
    Ok(EvidenceTable { models, prompts, rows })
}

const DTYPES: &[(&str, &str)] = &[("float32", "float32"), ("float16", "float16"), ("bfloat16", "bfloat16")];

/// dtype of the run behind a (source, model).
type Dtypes = BTreeMap<(String, String), String>;
/// Number of blocks by model, as the result files state it.
type Blocks = BTreeMap<String, u32>;

type Order<'a> = (&'a str, &'a str, Metric, &'a Option<String>, Option<u32>, Option<Protocol>);

fn order(row: &Measurement) -> Order<'_> {
    (&row.model, &row.source, row.metric, &row.prompt, row.layer, row.protocol)
}

fn reduction(row: Row<'_>) -> Result<Reduction, EvidenceError> {
    row.word(
        "token_reduction",
        &[
            ("frobenius_all_tokens", Reduction::Frobenius),
            ("mean_token_norm", Reduction::Mean),
            ("last_token", Reduction::Last),
        ],
    )
}

/// No source changed what its tokenizer does about BOS.
fn protocol(reduction: Reduction, endpoint: Endpoint) -> Option<Protocol> {
    Some(Protocol::new(reduction, endpoint, Bos::Auto))
}

/// `__mean__` marks an aggregate over prompts, which has no prompt.
fn prompt(row: Row<'_>) -> Result<Option<String>, EvidenceError> {
    let id = row.required("prompt_id")?;
    Ok((id != "__mean__").then(|| id.to_string()))
}

/// A measurement with everything but metric, layer, value and definition filled in.
fn published(source: &str, model: &str) -> Measurement {
    Measurement {
        evidence: Evidence::Published,
        source: source.to_string(),
        model: model.to_string(),
        prompt: None,
        category: None,
        metric: Metric::LastGain,
        layer: None,
        protocol: None,
        dtype: String::new(),
        value: 0.0,
        definition: String::new(),
    }
}
