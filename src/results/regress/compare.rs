//! What differs between two runs.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::run_numbers::{Kind, Place, RunNumbers};
use number::metric::Metric;
use number::observation::Tap;

/// Two numbers a, b are the same when |a - b| ≤ 1e-5 · max(|a|, |b|); entropies, probabilities and estimates, whose
/// natural value may be zero, also when |a - b| ≤ 1e-5 in their own unit.
///
/// Why 1e-5: another kind of CPU sums float32 in another order. Between AVX-512, AVX2 and SSE4.2 no norm and no ratio of
/// norms moved by more than 1.4e-6, nothing by more than 0.14 of what is allowed here. The engine's agreement with the
/// reference is held to 1e-5 too. What moves less (an epsilon that is off by a thousandth of itself) is seen as other
/// graphs only.
pub const TOLERANCE: f64 = 1e-5;

/// A number that moved, is new or is gone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NumberChange {
    /// Which number it is.
    #[serde(flatten)]
    pub place: Place,
    /// `None`: the baseline has no such number.
    pub before: Option<f32>,
    /// `None`: this run has no such number.
    pub now: Option<f32>,
    /// |a - b| over the larger of both; `None` where one is missing or not finite.
    pub relative: Option<f64>,
    /// |a - b| over what is allowed, which is what "worst" means; infinite where `relative` is `None`.
    #[serde(skip)]
    pub times: f64,
}

/// A word that changed: a verdict, or what a run was made with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WordChange {
    /// Name of the verdict, or of what entered the run.
    pub what: String,
    /// In the baseline; `None` where it has none of this name.
    pub before: Option<String>,
    /// In this run; `None` where it has none of this name.
    pub now: Option<String>,
}

/// What differs between a baseline and a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Comparison {
    /// Versions and contents that differ; nothing moved by them alone.
    pub made_with: Vec<WordChange>,
    /// Verdicts that differ.
    pub verdicts: Vec<WordChange>,
    /// Worst first.
    pub numbers: Vec<NumberChange>,
    /// How many verdicts either side has.
    pub verdicts_compared: usize,
    /// How many numbers either side has, by kind.
    pub numbers_compared: BTreeMap<Kind, usize>,
}

impl Comparison {
    /// Whether a number or a verdict moved.
    pub fn moved(&self) -> bool {
        !self.numbers.is_empty() || !self.verdicts.is_empty()
    }
}

/// Compares a run with a baseline.
pub fn compare(before: &RunNumbers, now: &RunNumbers) -> Comparison {
    let mut comparison = Comparison {
        made_with: words(&before.made_with, &now.made_with),
        verdicts: words(&before.verdicts, &now.verdicts),
        verdicts_compared: union(&before.verdicts, &now.verdicts).len(),
        ..Comparison::default()
    };
    for place in union(&before.numbers, &now.numbers) {
        *comparison.numbers_compared.entry(place.kind).or_default() += 1;
        let (a, b) = (before.numbers.get(place).copied(), now.numbers.get(place).copied());
        comparison.numbers.extend(change(place, a, b));
    }
    // Stable: equally bad ones stay in the order of their places.
    comparison.numbers.sort_by(|x, y| y.times.partial_cmp(&x.times).unwrap_or(Ordering::Equal));
    comparison
}

fn union<'a, K: Ord, V>(one: &'a BTreeMap<K, V>, two: &'a BTreeMap<K, V>) -> BTreeSet<&'a K> {
    one.keys().chain(two.keys()).collect()
}

fn words(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<WordChange> {
    union(before, now)
        .into_iter()
        .filter(|what| before.get(*what) != now.get(*what))
        .map(|what| WordChange {
            what: what.clone(),
            before: before.get(what).cloned(),
            now: now.get(what).cloned(),
        })
        .collect()
}

/// The change of one number, if it is one. Not-a-number is the same as not-a-number, and as nothing else.
fn change(place: &Place, before: Option<f32>, now: Option<f32>) -> Option<NumberChange> {
    let (relative, times) = match (before.map(f64::from), now.map(f64::from)) {
        (Some(a), Some(b)) if a == b || (a.is_nan() && b.is_nan()) => return None,
        (Some(a), Some(b)) if a.is_finite() && b.is_finite() => {
            let (by, size) = ((a - b).abs(), a.abs().max(b.abs()));
            let near_zero = match place.kind {
                Kind::Observation => {
                    place.name == "top_prob" || Tap::find(&place.name).is_some_and(|tap| tap.near_zero)
                }
                Kind::Measurement => {
                    Metric::of_number(&place.name).is_some_and(|metric| metric.describe().near_zero)
                }
                Kind::Estimate => true,
            };
            let allowed = TOLERANCE * if near_zero { size.max(1.0) } else { size };
            if by <= allowed {
                return None;
            }
            (Some(by / size), by / allowed)
        }
        _ => (None, f64::INFINITY),
    };
    Some(NumberChange { place: place.clone(), before, now, relative, times })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(kind: Kind, name: &str) -> Place {
        let text = |s: &str| s.to_string();
        Place {
            kind,
            of: text("m"),
            item: text("p"),
            name: text(name),
            protocol: text("BOS auto"),
            layer: None,
            position: None,
        }
    }

    fn moved(kind: Kind, name: &str, a: f32, b: f32) -> bool {
        let there = change(&place(kind, name), Some(a), Some(b)).is_some();
        assert_eq!(
            there,
            change(&place(kind, name), Some(b), Some(a)).is_some(),
            "{a} and {b}: one way only"
        );
        there
    }

    #[test]
    fn a_number_may_move_by_the_tolerance_and_no_more() {
        for size in [1e-20, 1.0, 1e20] {
            assert!(!moved(Kind::Observation, "resid", 100_000.0 * size, 100_001.0 * size));
            assert!(moved(Kind::Observation, "resid", 100_000.0 * size, 100_002.0 * size));
        }
        assert!(moved(Kind::Measurement, "last-gain", 1.0, -1.0));
        assert!(moved(Kind::Measurement, "last-gain", 0.0, 1e-9), "a ratio of norms is no rounding error");
    }

    #[test]
    fn only_what_may_be_zero_has_an_absolute_tolerance() {
        for (kind, name) in [
            (Kind::Observation, "entropy_nats"),
            (Kind::Observation, "top_prob"),
            (Kind::Measurement, "output-entropy"),
            (Kind::Estimate, "low"),
        ] {
            assert!(!moved(kind, name, 1e-6, 9e-6), "{name}");
            assert!(moved(kind, name, 1e-6, 2e-5), "{name}");
            assert!(!moved(kind, name, 100_000.0, 100_001.0), "{name}");
        }
        assert!(moved(Kind::Observation, "resid", 1e-6, 9e-6));
    }

    #[test]
    fn these_metrics_may_be_zero_and_no_others() {
        let may_be: Vec<&str> = Metric::ALL
            .iter()
            .filter(|metric| metric.describe().near_zero)
            .map(|metric| metric.as_str())
            .collect();
        let listed = [
            "output-entropy",
            "top-probability",
            "write-cosine",
            "branch-off-diagonal",
            "position-slope",
            "attention-off-diagonal",
            "logit-shift",
            "loss",
            "lens-entropy",
        ];
        assert_eq!(may_be, listed);
    }

    #[test]
    fn not_a_number_and_infinity_equal_themselves_only() {
        let values = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1.0];
        for (i, &a) in values.iter().enumerate() {
            for (j, &b) in values.iter().enumerate() {
                assert_eq!(moved(Kind::Estimate, "value", a, b), i != j, "{a} and {b}");
            }
        }
    }

    #[test]
    fn new_and_missing_rows_come_before_the_worst_move() {
        let [gone, new, far, near] = ["gone", "new", "far", "near"].map(|n| place(Kind::Observation, n));
        let shown = |numbers: &[(&Place, f32)]| RunNumbers {
            numbers: numbers.iter().map(|(place, value)| ((*place).clone(), *value)).collect(),
            ..RunNumbers::default()
        };
        let before = shown(&[(&gone, 1.0), (&far, 1.0), (&near, 1.0)]);
        let now = shown(&[(&new, 1.0), (&far, 2.0), (&near, 1.1)]);
        let comparison = compare(&before, &now);
        let order: Vec<&str> = comparison.numbers.iter().map(|c| c.place.name.as_str()).collect();
        assert_eq!(order, ["gone", "new", "far", "near"]);
        assert_eq!(comparison.numbers[0].now, None);
        assert_eq!(comparison.numbers[1].before, None);
        assert_eq!(comparison.numbers[2].relative, Some(0.5));
        assert_eq!(comparison.numbers_compared[&Kind::Observation], 4);
    }

    #[test]
    fn verdicts_are_compared_exactly_and_versions_alone_move_nothing() {
        let shown = |made: &str, verdict: &str| RunNumbers {
            made_with: [("runtime".to_string(), made.to_string())].into(),
            verdicts: [("H1".to_string(), verdict.to_string())].into(),
            ..RunNumbers::default()
        };
        let other_runtime = compare(&shown("1", "supported"), &shown("2", "supported"));
        assert!(!other_runtime.moved() && other_runtime.made_with.len() == 1);
        let other_verdict = compare(&shown("1", "supported"), &shown("1", "fragile"));
        assert!(other_verdict.moved() && other_verdict.made_with.is_empty());
        let gone = compare(&shown("1", "supported"), &RunNumbers::default());
        assert_eq!(gone.verdicts[0].now, None);
    }
}
