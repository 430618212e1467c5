//! Checks decision rules: statistics that the test offers, conditions that can hold, and verdicts that exclude each other.

use super::bounds::{Interval, overlap, region};
use super::common::{Found, not_empty};
use crate::config::document::{Document, at};
use crate::judge::hypothesis::{Condition, Holds, Prediction, Way};

/// Checks the rule of one prediction (index `p` in its file).
pub(super) fn rule(document: &Document, p: usize, one: &Prediction, found: &mut Found) {
    let ways = one.rule.ways();
    not_empty(document, at!["prediction", p, "rule", "supported"], &one.rule.supported, "condition", found);
    let offered = one.test.statistics();
    for Way { verdict, conditions: list, holds } in ways {
        let name = verdict.as_str();
        for (c, condition) in list.iter().enumerate() {
            let here = at!["prediction", p, "rule", name, c];
            if !offered.contains(&condition.statistic.as_str()) {
                let path = at!["prediction", p, "rule", name, c, "statistic"];
                let message = format!("this kind of test offers no statistic `{}`", condition.statistic);
                let error =
                    document.error(path, message).suggest(format!("it offers {}", offered.join(", ")));
                found.push(error.suggest_nearest(&condition.statistic, offered.iter().copied()));
            }
            if bounds(condition).is_empty() {
                let message = format!("condition on `{}` has no bound", condition.statistic);
                found.push(document.error(here, message).suggest("add above, at-least, below or at-most"));
            } else if Interval::of(condition).is_empty() {
                let message = format!("condition can never hold: {}", in_words(condition));
                found.push(document.error(here, message).suggest("swap or widen the bounds"));
            }
        }
        let single_empty = list.iter().any(|condition| Interval::of(condition).is_empty());
        let never = region(list).into_iter().find(|(_, interval)| interval.is_empty());
        if let (Some((statistic, _)), Holds::All, false) = (never, holds, single_empty) {
            let message =
                format!("`{name}` can never hold: its conditions on `{statistic}` exclude each other");
            found.push(document.error(at!["prediction", p, "rule", name], message));
        }
    }
    for (i, left) in ways.iter().enumerate() {
        for right in &ways[i + 1..] {
            let (first, second) = (left.verdict.as_str(), right.verdict.as_str());
            if alternatives(left).iter().any(|l| alternatives(right).iter().any(|r| overlap(l, r))) {
                let words: Vec<String> = right.conditions.iter().map(in_words).collect();
                let message = format!(
                    "`{first}` and `{second}` of {} can hold at once ({}); a verdict must be one of them",
                    one.id,
                    words.join(" and "),
                );
                let other = document.place(at!["prediction", p, "rule", first]);
                let error = document.error(at!["prediction", p, "rule", second], message);
                let label = format!("`{first}` overlaps it");
                found.push(error.other(&document.source, other, &label).suggest("separate the bounds"));
            }
        }
    }
}

/// Lists of conditions of which each suffices.
fn alternatives<'a>(way: &Way<'a>) -> Vec<&'a [Condition]> {
    match way.holds {
        Holds::All => vec![way.conditions],
        Holds::Any => way.conditions.chunks(1).collect(),
    }
}

fn bounds(condition: &Condition) -> Vec<(&'static str, f64)> {
    let all = [
        ("above", condition.above),
        ("at-least", condition.at_least),
        ("below", condition.below),
        ("at-most", condition.at_most),
    ];
    all.into_iter().filter_map(|(name, bound)| Some((name, bound?))).collect()
}

fn in_words(condition: &Condition) -> String {
    let bounds: Vec<String> =
        bounds(condition).iter().map(|(name, bound)| format!("{name} {bound}")).collect();
    format!("{} {}", condition.statistic, bounds.join(" and "))
}
