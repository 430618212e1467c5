//! Checks decision rules: statistics that the test offers, conditions that can hold, and verdicts that exclude each other.

use super::bounds::{Interval, overlap, region};
use super::common::{Found, not_empty};
use crate::config::document::{Document, at};
use crate::judge::hypothesis::{Condition, Holds, Prediction, Way};
use crate::judge::nature::{Nature, is_absence, is_certain, nature};

/// Checks the rule of one prediction (index `p` in its file).
pub(super) fn rule(document: &Document, p: usize, one: &Prediction, found: &mut Found) {
    let ways = one.rule.ways();
    not_empty(document, at!["prediction", p, "rule", "supported"], &one.rule.supported, "condition", found);
    if one.rule.contradicted.is_empty() {
        let message = format!("{} has no way to be contradicted", one.id);
        let error = document.error(at!["prediction", p, "rule"], message);
        found.push(error.suggest(
            "add `contradicted`, with the end of an interval that lies on the other side, e.g. { statistic = \"high\", below = 0.0 }",
        ));
    }
    for (c, condition) in one.published_finding.iter().enumerate() {
        if !one.test.statistics().contains(&condition.statistic.as_str()) {
            let path = at!["prediction", p, "published-finding", c, "statistic"];
            let message = format!("this kind of test offers no statistic `{}`", condition.statistic);
            let offered = one.test.statistics().iter().copied();
            found.push(document.error(path, message).suggest_nearest(&condition.statistic, offered));
        }
    }
    certainty(document, p, one, found);
    sesoi(document, p, one, found);
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
    // A condition without a bound is one mistake.
    let bounded = |way: &&Way<'_>| way.conditions.iter().all(|condition| !bounds(condition).is_empty());
    let ways: Vec<&Way<'_>> = ways.iter().filter(bounded).collect();
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

/// Refuses lists that an estimate alone, or a lack of significance, would meet.
fn certainty(document: &Document, p: usize, one: &Prediction, found: &mut Found) {
    let kind = one.test.name();
    for way in one.rule.ways() {
        let name = way.verdict.as_str();
        let mut absent = false;
        for (c, condition) in way.conditions.iter().enumerate().filter(|(_, c)| is_absence(kind, c)) {
            absent = true;
            let message = format!(
                "a lack of significance makes {} {name} here ({}): fewer data would do the same",
                one.id,
                in_words(condition)
            );
            let error = document.error(at!["prediction", p, "rule", name, c], message);
            found.push(error.suggest("bound the end of an interval instead"));
        }
        // What the kind does not offer is reported where it stands.
        let known = way.conditions.iter().all(|c| one.test.statistics().contains(&c.statistic.as_str()));
        if !way.conditions.is_empty() && known && !absent && !is_certain(kind, &way) {
            let message = format!(
                "`{name}` of {} rests on estimates alone: no condition knows its sampling error",
                one.id
            );
            let error = document.error(at!["prediction", p, "rule", name], message);
            let offered = one.test.statistics().iter().copied();
            let ends: Vec<&str> =
                offered.filter(|s| matches!(nature(kind, s), Some(Nature::Limit | Nature::Chance))).collect();
            found.push(error.suggest(match &ends[..] {
                [] => "this kind of test has no interval: take another kind".to_string(),
                ends => format!("bound one of {}", ends.join(", ")),
            }));
        }
    }
}

/// Refuses a smallest effect of interest on the wrong side: an interval between two such bounds would meet both lists.
fn sesoi(document: &Document, p: usize, one: &Prediction, found: &mut Found) {
    let end = |condition: &Condition, end: &str| condition.statistic.strip_suffix(end).map(str::to_string);
    let low = |c: &Condition| Some((end(c, "low")?, c.at_least.or(c.above)?));
    let high = |c: &Condition| Some((end(c, "high")?, c.at_most.or(c.below)?));
    type Bound<'a> = &'a dyn Fn(&Condition) -> Option<(String, f64)>;
    let directions: [(Bound<'_>, Bound<'_>, f64); 2] = [(&low, &high, 1.0), (&high, &low, -1.0)];
    for (for_it, against_it, up) in directions {
        for (c, condition) in one.rule.supported.iter().enumerate() {
            let Some((of, supports)) = for_it(condition) else { continue };
            // An interval that ends inside two bounds is a claim of equivalence, which has no side.
            if one.rule.supported.iter().filter_map(against_it).any(|(other, _)| other == of) {
                continue;
            }
            let path = at!["prediction", p, "rule", "supported", c];
            let advice = "turn the sign of the bound around";
            let null = one.test.kind().null(&condition.statistic);
            if let Some(null) = null.filter(|null| (supports - null) * up < 0.0) {
                let message = format!(
                    "the smallest effect of interest of {} is negative: {} supports it on the other side of {null}",
                    one.id,
                    in_words(condition)
                );
                found.push(document.error(path, message).suggest(advice));
                continue;
            }
            let opposite = one.rule.contradicted.iter().filter_map(against_it);
            let Some((_, contradicts)) = opposite.into_iter().find(|(other, _)| *other == of) else {
                continue;
            };
            if (supports - contradicts) * up < 0.0 {
                let message = format!(
                    "the smallest effect of interest of {} is negative: an interval from {} to {} both supports and \
                     contradicts it",
                    one.id,
                    supports.min(contradicts),
                    supports.max(contradicts)
                );
                found.push(document.error(path, message).suggest(advice));
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
