//! One condition of a rule against what a test found: whether it holds, as far as the numbers tell, and the words that say so.

use super::{
    digits::digits,
    findings::{Findings, Known},
    hypothesis::Condition,
    meaning::{Meaning, meaning},
};

/// Whether something holds, as far as the numbers tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    No,
    Unknown,
}

/// A condition, and the sentence that says whether it holds.
pub(super) struct Judged {
    pub truth: Truth,
    pub words: String,
    /// What it asks for, beside what there is.
    pub asks: String,
}

/// Whether a condition holds, and the sentence that says so.
pub(super) fn judge(condition: &Condition, kind: &str, findings: &Findings) -> Judged {
    let name = &condition.statistic;
    let meaning = meaning(kind, name);
    let Some(value) = findings.statistics.iter().find(|s| s.name == *name).and_then(|s| s.value) else {
        let what = match meaning {
            Some(Meaning::Number(what)) => what.to_string(),
            Some(Meaning::Holds(sentence)) => format!("whether {sentence}"),
            None => name.clone(),
        };
        let why = match findings.reasons_of(name)[..] {
            [] => String::new(),
            ref some => format!(": {}", some.join("; ")),
        };
        let words = format!("{what} could not be computed{why}");
        let asks = format!("{what} could be computed{why}");
        return Judged { truth: Truth::Unknown, asks, words };
    };
    let Condition { above, at_least, below, at_most, .. } = condition;
    let bounds = [
        (above, "above", above.is_none_or(|b| value > b)),
        (at_least, "at least", at_least.is_none_or(|b| value >= b)),
        (below, "below", below.is_none_or(|b| value < b)),
        (at_most, "at most", at_most.is_none_or(|b| value <= b)),
    ];
    let holds = bounds.iter().all(|(_, _, ok)| *ok);
    let (words, asks) = match meaning {
        Some(Meaning::Holds(sentence)) => {
            // It holds or not: whichever it is, the other one is what the condition asks for where it is not met.
            let is = |holds: bool| {
                if holds { sentence.to_string() } else { format!("it is not so that {sentence}") }
            };
            let now = value > 0.5;
            (is(now), is(now == holds))
        }
        Some(Meaning::Number(what)) => numbers(what, value, holds, &bounds),
        None => numbers(name, value, holds, &bounds),
    };
    let upwards = below.is_none() && at_most.is_none();
    let too_high = bounds[2..].iter().any(|(_, _, ok)| !ok);
    let certain = match (findings.lacks(), findings.known.get(name.as_str())) {
        (false, _) | (true, Some(Known::Exactly)) => true,
        // What is missing can only raise it: a bound it is above stays broken or met.
        (true, Some(Known::AtLeast)) => {
            if holds {
                upwards
            } else {
                too_high
            }
        }
        (true, None) => false,
    };
    let truth = match (certain, holds) {
        (false, _) => Truth::Unknown,
        (true, true) => Truth::Yes,
        (true, false) => Truth::No,
    };
    Judged { truth, words, asks }
}

/// A number with its bounds, as it is, and as a condition asks for it.
fn numbers(what: &str, value: f64, holds: bool, bounds: &[(&Option<f64>, &str, bool)]) -> (String, String) {
    let said = |keep: &dyn Fn(bool) -> bool| {
        let kept = bounds.iter().filter(|(_, _, ok)| keep(*ok));
        let said = kept.filter_map(|(bound, text, _)| bound.map(|b| format!("{text} {}", digits(b))));
        said.collect::<Vec<_>>().join(" and ")
    };
    let verb = if holds { "is" } else { "is not" };
    let value = digits(value);
    // Only what decides is worth reading: all bounds when they hold, the broken ones otherwise.
    let words = format!("{what} ({value}) {verb} {}", said(&|ok| ok == holds));
    (words, format!("{what} were {} (now {value})", said(&|_| true)))
}

/// Whether a value between these meets a condition.
pub(super) fn in_reach(condition: &Condition, [lowest, highest]: [f64; 2]) -> bool {
    let Condition { above, at_least, below, at_most, .. } = condition;
    above.is_none_or(|bound| highest > bound)
        && at_least.is_none_or(|bound| highest >= bound)
        && below.is_none_or(|bound| lowest < bound)
        && at_most.is_none_or(|bound| lowest <= bound)
}
