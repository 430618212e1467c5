//! What `check` says of data: which verdicts those at hand allow, and which profile would bring the units that predictions need.

use std::path::Path;

use crate::pipeline::{WhenMissing, locate, supplies};
use base::progress::Silent;
use model::arch::Recipe;
use model::checkpoint::read_config;
use number::evidence::{Evidence, EvidenceTable};
use study::config::{Loaded, experiment::Model};
use study::judge::outcome::{HypothesisOutcome, Judgement, Verdict};
use study::judge::{StatisticsCache, primary};
use study::published;

/// A core prediction on one kind of evidence, with what the numbers allow.
pub(super) struct AtHand {
    prediction: String,
    evidence: Evidence,
    judgement: Judgement,
}

/// The published tables of the experiment, if it has some.
///
/// # Errors
/// They cannot be read.
pub(super) fn published(loaded: &Loaded) -> Result<Option<EvidenceTable>, String> {
    loaded.published.as_deref().map(published::import).transpose().map_err(|error| error.to_string())
}

/// The core predictions on published rows, and on what the last run in `results` measured, where it judged the file as it is.
pub(super) fn at_hand(loaded: &Loaded, table: Option<&EvidenceTable>, results: &Path) -> Vec<AtHand> {
    let cache = StatisticsCache::new(loaded.experiment.seed);
    let last = last_run(results);
    let mut found = Vec::new();
    for (_, hypothesis, hash) in &loaded.hypotheses {
        let core = |id: &str| hypothesis.predictions.iter().any(|one| one.core && one.id == id);
        let published =
            table.into_iter().flat_map(|table| primary(hypothesis, Evidence::Published, table, &cache));
        let published = published.map(|(prediction, judgement)| (prediction, Evidence::Published, judgement));
        let measured = last.iter().filter(|one| one.id == hypothesis.id && one.hash == *hash);
        let measured =
            measured.flat_map(|one| &one.predictions).filter(|one| one.evidence != Evidence::Published);
        let measured = measured.map(|one| (one.id.clone(), one.evidence, one.primary.clone()));
        let both = published.chain(measured).filter(|(id, ..)| core(id));
        found.extend(both.map(|(prediction, evidence, judgement)| AtHand {
            prediction,
            evidence,
            judgement,
        }));
    }
    found
}

/// The verdicts of the last run, if there is one that this version can read.
fn last_run(results: &Path) -> Vec<HypothesisOutcome> {
    let text = std::fs::read(results.join("verdicts.json")).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// A line for every prediction that cannot be both supported and contradicted, and how many can.
pub(super) fn in_words(found: &[AtHand]) -> String {
    let both = |one: &&AtHand| {
        [Verdict::Supported, Verdict::Contradicted]
            .iter()
            .all(|verdict| one.judgement.allows.contains(verdict))
    };
    let mut text = String::new();
    for one in found.iter().filter(|one| !both(one)) {
        let allows: Vec<&str> = one.judgement.allows.iter().map(|verdict| verdict.as_str()).collect();
        let allows = if allows.is_empty() {
            "no verdict".to_string()
        } else {
            format!("only {}", allows.join(" or "))
        };
        let why = match one.judgement.would_decide.as_str() {
            "" => String::new(),
            why => format!(" ({why})"),
        };
        text +=
            &format!("{} on {} data: the data at hand allow {allows}{why}\n", one.prediction, one.evidence);
    }
    if !found.is_empty() {
        let n = found.iter().filter(both).count();
        text += &format!(
            "the data at hand allow {n} of {} core predictions to come out either way\n",
            found.len()
        );
    }
    text
}

/// A line for every prediction that needs more units than the experiment's profiles have in their model list, with the profiles that
/// have them. Where a filter is by facts that only a checkpoint says which is not here, a profile that is named may still have too few,
/// and the line says so.
pub(super) fn needs(loaded: &Loaded, table: Option<&EvidenceTable>) -> String {
    let here = |model: &Model| {
        let folder = locate(model, &loaded.models, &loaded.models_path, WhenMissing::Report, &Silent).ok()?;
        Some(Recipe::read(&read_config(&folder).ok()?).ok()?.facts())
    };
    let published = table.map_or(&[][..], |table| &table.models);
    supplies(loaded, published, here).iter().map(|supply| format!("{supply}\n")).collect()
}
