//! What a kind of test returns: statistics for the rule, estimates for the reader, and what was missing.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    cells::Cells,
    context::TestContext,
    digits::digits,
    effect::Effect,
    hypothesis::Quantity,
    outcome::{Estimate, Statistic},
    shared::lineages::Lineages,
    statistics::{Headed, Headline, Null},
};
use crate::stats::{Interval, Units, clopper_pearson};
use number::{
    metric::{Metric, Paired, Series},
    protocol::Protocol,
};

/// What one run of a test returned. It is filled while the test runs, so that a test that gives up early still says why.
#[derive(Default)]
pub(crate) struct Findings {
    /// Unit of the estimates, e.g. `log ratio`.
    pub unit: String,
    /// Protocols of the numbers that were read.
    pub protocols: Vec<Protocol>,
    /// Statistics for the rule, in the order of the kind; none where the test gave up.
    pub statistics: Vec<Statistic>,
    /// The statistic that is an effect by itself, where the kind has one.
    pub headline: Option<Headline>,
    /// Numbers for the reader.
    pub estimates: Vec<Estimate>,
    /// Facts that a reader needs.
    pub notes: Vec<String>,
    /// What was missing; unless empty, the prediction is untestable.
    pub missing: Vec<String>,
    /// The number that the test is about, where no statistic is it (see [`Findings::headline`]).
    pub effect: Option<Effect>,
    /// Units that the joint inference of a specification curve may flip.
    pub units: Option<Units>,
    /// Lineages and families of the models that entered.
    pub entered: (usize, usize),
    /// The values of dimensions that occurred in the rows.
    pub seen: Seen,
    /// The statistics that stay true though something is missing, and how far.
    pub known: BTreeMap<&'static str, Known>,
    /// Why statistics have no value: the names (of all where there are none), and a sentence without its end.
    pub reasons: Vec<(&'static [&'static str], String)>,
    /// Quantities in which models do not differ, and that sentence.
    pub flat: Vec<(Quantity, String)>,
    /// Prompts were compared with others of their own set alone.
    pub within_sets: bool,
    /// The lowest and the highest value that a statistic could have on as many units, of those that not any value can.
    pub reach: BTreeMap<&'static str, [f64; 2]>,
}

/// What is known of a statistic where some of its numbers are missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Its value: nothing that is missing enters it.
    Exactly,
    /// With what is missing it could only be larger.
    AtLeast,
}

/// The metrics, models, categories, sources and dtypes that occurred in look-ups: a specification curve varies these.
#[derive(Default)]
pub(crate) struct Seen {
    /// Metrics that are read under the protocol of the hypothesis, not under one of their own.
    pub free: BTreeSet<Metric>,
    /// Ids of models.
    pub models: BTreeSet<String>,
    /// Whether a number was read at the last position, whatever the reduction of the others.
    pub last_position: bool,
    /// Categories of prompts.
    pub categories: BTreeSet<String>,
    /// Prompt sets.
    pub sets: BTreeSet<String>,
    /// Sources of rows.
    pub sources: BTreeSet<String>,
    /// Dtypes of rows.
    pub dtypes: BTreeSet<String>,
}

impl Seen {
    pub(super) fn add(&mut self, quantity: &Quantity, cells: &Cells<'_>) {
        let free = quantity.walk().into_iter().filter(|(_, q)| q.protocol.is_none());
        self.free.extend(free.filter_map(|(_, q)| q.metric).filter(|m| m.describe().needs_protocol()));
        let metrics = quantity.walk().into_iter().filter_map(|(_, q)| q.metric);
        self.last_position |= metrics.into_iter().any(Metric::is_of_last_position);
        let add = |kept: &mut BTreeSet<String>, word: &str| {
            if !word.is_empty() && !kept.contains(word) {
                kept.insert(word.to_string());
            }
        };
        for (model, cells) in &cells.models {
            add(&mut self.models, model);
            let mut categories: Vec<&str> = cells.prompts.values().filter_map(|c| c.category).collect();
            categories.dedup();
            categories.into_iter().for_each(|c| add(&mut self.categories, c));
            let mut sets: Vec<&str> = cells.prompts.values().filter_map(|c| c.set).collect();
            sets.dedup();
            sets.into_iter().for_each(|set| add(&mut self.sets, set));
        }
        cells.sources.iter().for_each(|source| add(&mut self.sources, source));
        cells.dtypes.iter().for_each(|dtype| add(&mut self.dtypes, dtype));
    }

    pub(super) fn merge(&mut self, other: Seen) {
        self.free.extend(other.free);
        self.models.extend(other.models);
        self.categories.extend(other.categories);
        self.sets.extend(other.sets);
        self.last_position |= other.last_position;
        self.sources.extend(other.sources);
        self.dtypes.extend(other.dtypes);
    }
}

impl Findings {
    /// Nothing yet; `unit` is that of the estimates.
    pub(crate) fn new(unit: impl Into<String>) -> Findings {
        Findings { unit: unit.into(), ..Findings::default() }
    }

    /// The statistics that rules refer to; the struct comes from `statistics!` in the file of the kind.
    pub(crate) fn offer(&mut self, statistics: impl Headed + Into<Vec<Statistic>>) {
        self.headline = statistics.headline();
        self.statistics = statistics.into();
    }

    /// Whether a p can be as small as alpha, when `smallest` is the smallest that `what` can give. If not, a note says so.
    pub(crate) fn reachable(&mut self, context: &TestContext<'_>, what: &str, smallest: f64) -> bool {
        let reachable = smallest <= context.alpha;
        if !reachable {
            let smallest = digits(smallest);
            let why = context.no_p_given(&format!(" (smallest p {smallest})"));
            self.reason(&["p"], format!("{what} {why}"));
            self.notes.push(format!("{what}: {why}"));
        }
        reachable
    }

    /// Whether two quantities may be compared: across protocols only if the file says so, else a mismatch makes the test
    /// untestable.
    pub(crate) fn comparable(&mut self, context: &TestContext<'_>, a: &Cells<'_>, b: &Cells<'_>) -> bool {
        let empty = || BTreeMap::<(), f64>::new();
        self.pair(&a.series(empty()), &b.series(empty()), context.across).is_some()
    }

    /// The one number that the test is about: what it names as its effect, else the statistic that is one.
    pub(crate) fn headline(&self) -> Option<Effect> {
        if let Some(effect) = &self.effect {
            return Some(effect.clone());
        }
        let Headline { name, null, value, parts } = self.headline?;
        let (null, what) = match null {
            Null::InUnit(null) => (null, self.unit.clone()),
            Null::ByName(null) => (null, name.to_string()),
        };
        let n = parts.units.map_or(self.estimates.len() as u64, |units| units as u64);
        Some(Effect { value, low: parts.low, high: parts.high, p: parts.p, n, null, what, hypothesis: None })
    }

    /// How many lineages entered, as a statistic.
    pub(crate) fn lineages(&self) -> Option<f64> {
        Some(self.entered.0 as f64)
    }

    /// How many families entered, as a statistic.
    pub(crate) fn families(&self) -> Option<f64> {
        Some(self.entered.1 as f64)
    }

    /// Takes over what was found out about one side of a test.
    pub(crate) fn absorb(&mut self, side: Findings) {
        self.missing.extend(side.missing);
        self.notes.extend(side.notes);
        self.reasons.extend(side.reasons);
        self.flat.extend(side.flat);
        self.seen.merge(side.seen);
        side.protocols.into_iter().for_each(|protocol| self.uses(Some(protocol)));
    }

    /// Notes that these statistics are lower and upper limits of shares of so many lineages: few of them bound no share closely,
    /// whatever they show.
    pub(crate) fn limits_of_share(
        &mut self,
        lineages: &Lineages<'_>,
        alpha: f64,
        lows: &[&'static str],
        highs: &[&'static str],
    ) {
        let n = lineages.len() as u64;
        if let (Some(none), Some(all)) = (clopper_pearson(0, n, alpha), clopper_pearson(n, n, alpha)) {
            self.reach.extend(lows.iter().map(|name| (*name, [0.0, all.low])));
            self.reach.extend(highs.iter().map(|name| (*name, [none.high, 1.0])));
        }
    }

    /// Notes why statistics of these names (all, if none is named) have no value where they have none.
    pub(crate) fn reason(&mut self, names: &'static [&'static str], why: impl Into<String>) {
        self.reasons.push((names, why.into()));
    }

    /// Why the statistic of this name has no value: what was noted of it, then what was noted of all.
    pub(crate) fn reasons_of(&self, name: &str) -> Vec<&str> {
        let noted = |own: bool| -> Vec<&str> {
            let about = |names: &[&str]| if own { names.contains(&name) } else { names.is_empty() };
            let said = self.reasons.iter().filter(|(names, _)| about(names));
            let mut said: Vec<&str> = said.map(|(_, why)| why.as_str()).collect();
            said.dedup();
            said
        };
        [noted(true), noted(false)].concat()
    }

    /// Whether something is missing, so that the prediction is untestable unless what is there decides it.
    pub(crate) fn lacks(&self) -> bool {
        !self.missing.is_empty()
    }

    /// Records the protocol of numbers that were read.
    pub(crate) fn uses(&mut self, protocol: Option<Protocol>) {
        self.protocols.extend(protocol.filter(|p| !self.protocols.contains(p)));
    }

    /// Joins two series: across protocols only if the file says so, else a mismatch makes the test untestable.
    pub(crate) fn pair<K: Ord + Clone>(
        &mut self,
        a: &Series<K>,
        b: &Series<K>,
        across: bool,
    ) -> Option<Paired<K>> {
        self.uses(a.protocol());
        self.uses(b.protocol());
        if across {
            return Some(Paired::across_protocols(a, b));
        }
        Paired::same_protocol(a, b).map_err(|mismatch| self.missing.push(format!("refused: {mismatch}"))).ok()
    }
}

/// An estimate with its interval and p; `n` units are behind it.
pub(crate) fn estimate(
    label: impl std::fmt::Display,
    value: Option<f64>,
    interval: Option<Interval>,
    p: Option<f64>,
    n: usize,
) -> Estimate {
    let (low, high) = (interval.map(|i| i.low), interval.map(|i| i.high));
    Estimate { label: label.to_string(), value, low, high, p, n: n as u64 }
}

/// An estimate without interval, e.g. of one cell.
pub(crate) fn point(label: impl std::fmt::Display, value: Option<f64>, n: usize) -> Estimate {
    Estimate { label: label.to_string(), value, low: None, high: None, p: None, n: n as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::statistics::statistics;

    struct Example;

    statistics! {
        Example {
            models,
            ratio,
            rho,
            low,
            p,
        }
        effect { rho: Null::InUnit(0.0), ratio: Null::ByName(1.0), } of { low: low, p: p, units: models, }
    }

    #[test]
    fn a_statistic_that_is_an_effect_is_the_headline_unless_the_test_names_another() {
        let mut findings = Findings::new("Spearman's rho");
        assert_eq!((findings.headline(), Example::STATISTICS.len()), (None, 5));
        let [models, rho, low, p] = [7.0, 0.5, 0.1, 0.01].map(Some);
        findings.offer(Statistics { models, ratio: Some(2.0), rho, low, p });
        let found = findings.headline().unwrap();
        assert_eq!((found.value, found.low, found.high, found.p), (0.5, Some(0.1), None, Some(0.01)));
        assert_eq!((found.n, found.null, found.what.as_str()), (7, 0.0, "Spearman's rho"));
        let own = Effect { value: 9.0, ..found };
        findings.effect = Some(own.clone());
        assert_eq!(findings.headline(), Some(own));
    }
}
