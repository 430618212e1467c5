//! What would decide a hypothesis that the data leave open.

use super::{outcome::HypothesisOutcome, verdict::Verdict};
use number::evidence::Evidence;

/// A sentence that says what would decide a hypothesis on one kind of evidence, core prediction by core prediction; `None` where it is
/// decided there, or no core prediction is asked of it.
pub fn would_decide(outcome: &HypothesisOutcome, evidence: Evidence) -> Option<String> {
    let found = outcome.verdicts.iter().find(|(of, _)| *of == evidence).map(|(_, verdict)| *verdict)?;
    if matches!(found, Verdict::Supported | Verdict::Contradicted | Verdict::Negligible) {
        return None;
    }
    let core = outcome.predictions.iter().filter(|one| one.core && one.evidence == evidence);
    let open: Vec<String> = core
        .filter_map(|one| match one.verdict {
            Verdict::Untestable => Some(format!("{}: {}", one.id, one.primary.would_decide)),
            Verdict::Inconclusive => Some(format!("{} would be {}", one.id, one.primary.would_decide)),
            Verdict::Fragile => {
                Some(format!("{} hangs on a choice of how to measure: {}", one.id, one.primary.because))
            }
            Verdict::Supported | Verdict::Contradicted | Verdict::Negligible => None,
        })
        .collect();
    match &open[..] {
        [] => None,
        some => Some(format!("What would decide it: {}.", some.join("; "))),
    }
}
