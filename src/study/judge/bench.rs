//! The bench: one kind of evidence, one protocol, the models a prediction speaks of, and what a test leaves on it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    cells::{Cells, look_up},
    effect::Effect,
    memo::Memo,
    narrow::Narrow,
    outcome::{Estimate, Statistic},
    population::{Population, Scope},
    shelf::{Model, Shelf},
};
use crate::{
    config::hypothesis::{Needs, Quantity},
    stats::{Interval, Seed, Units, out_of_reach},
};
use number::{
    evidence::Evidence,
    metric::{Metric, Paired, Series},
    protocol::Protocol,
};

/// What every test works on.
#[derive(Clone, Copy)]
pub(crate) struct Bench<'a> {
    pub evidence: Evidence,
    pub protocol: Protocol,
    pub alpha: f64,
    pub seed: Seed,
    pub needs: &'a Needs,
    pub shelf: &'a Shelf<'a>,
    pub population: &'a Population,
    pub scope: Scope,
    /// Whether numbers of different protocols may be combined into one: the file says so.
    pub across: bool,
    /// What this specification leaves out.
    pub narrow: &'a Narrow,
    pub memo: &'a Memo,
}

impl<'a> Bench<'a> {
    /// The same with revisions and variants, or with models that were changed from those the filter takes.
    pub(crate) fn with(&self, scope: Scope) -> Bench<'a> {
        Bench { scope, ..*self }
    }

    pub(crate) fn takes(&self, model: usize, scope: Scope) -> bool {
        self.population.takes(self.shelf, model, scope)
            && !self.narrow.without_models.contains(self.shelf.models[model].id)
    }

    /// Whether the prediction speaks of a model that others were changed from.
    pub(crate) fn takes_base(&self, id: &str) -> bool {
        let number = self.shelf.models.binary_search_by_key(&id, |model| model.id);
        number.is_ok_and(|number| self.takes(number, Scope::Taken))
    }

    /// Facts and depth of a model of this table.
    pub(crate) fn model(&self, id: &str) -> Option<&'a Model<'a>> {
        self.shelf.models.binary_search_by_key(&id, |model| model.id).ok().map(|at| &self.shelf.models[at])
    }

    /// The interval of a mean at the level of the bench, as [`stats::mean_interval`](crate::stats::mean_interval) gives it.
    pub(crate) fn mean_interval(&self, values: &[f64]) -> Option<Interval> {
        self.memo.means(values, self.alpha).map(|[at_alpha, _]| at_alpha)
    }

    /// The words of a note about a p that is withheld because no outcome of the test could be significant.
    pub(crate) fn no_p_given(&self, circumstances: &str) -> String {
        format!("{}, no p given", out_of_reach(self.alpha, circumstances))
    }

    /// Cells of a quantity; what is missing or noteworthy about them goes to `tested`.
    pub(crate) fn cells(&self, quantity: &Quantity, tested: &mut Tested) -> Cells<'a> {
        let cells = look_up(self, quantity);
        tested.missing.extend(cells.missing.iter().cloned());
        tested.notes.extend(cells.notes.iter().cloned());
        for protocol in &cells.combined {
            tested.uses(Some(*protocol));
        }
        tested.seen.add(quantity, &cells);
        cells
    }

    /// Cells of the models with enough prompts, as the prediction needs. Without any, `missing` says so, and the cells
    /// stay as they are: what they show is still worth reading.
    pub(crate) fn enough(&self, quantity: &Quantity, tested: &mut Tested) -> Cells<'a> {
        let mut cells = self.cells(quantity, tested);
        let had = cells.models.len();
        let most = cells.models.values().map(|m| m.prompts.len()).max().unwrap_or(0);
        let needed = self.needs.prompts as usize;
        // What no prompt enters has none to count.
        if cells.protocol.is_none() {
            return cells;
        }
        if had > 0 && most < needed {
            let name = quantity.name();
            tested.missing.push(format!("{name}: needs {needed} prompts per model, have at most {most}"));
            return cells;
        }
        cells.models.retain(|_, m| m.prompts.len() >= needed);
        if cells.models.len() < had {
            let left = had - cells.models.len();
            tested.notes.push(format!("{left} of {had} models left out: fewer than {needed} prompts"));
        }
        cells
    }

    /// Whether the models that a test ended up with are as many as the prediction needs.
    pub(crate) fn enough_models<'m>(&self, have: impl IntoIterator<Item = &'m str>, tested: &mut Tested) {
        let what = format!("models{}", self.population.of());
        enough_of(self.needs.models, &what, have, tested);
    }

    /// Means over prompts layer by layer, of a quantity that selects no layer.
    pub(crate) fn profiles(&self, quantity: &Quantity, tested: &mut Tested) -> Profiles<'a> {
        let asked = quantity.protocol.unwrap_or(self.protocol);
        let layers = quantity.metric.map(|metric| self.shelf.layers(metric, asked)).unwrap_or_default();
        let mut profiles = Profiles::default();
        let mut missing = Vec::new();
        // Without any layer, the look-up of one says what is missing.
        let asked: Vec<u32> = if layers.is_empty() { vec![0] } else { layers };
        for layer in asked {
            let mut one = quantity.clone();
            one.select.layer = Some(layer);
            let mut aside = Tested::default();
            let cells = self.enough(&one, &mut aside);
            profiles.like = Some(Series::tagged(cells.metric, cells.protocol, BTreeMap::new()));
            missing = aside.missing;
            tested.seen.merge(aside.seen);
            tested.notes.extend(aside.notes);
            tested.uses(cells.protocol);
            for (model, cells) in &cells.models {
                let mean = cells.mean().map(|mean| (layer, mean));
                profiles.models.entry(model).or_default().extend(mean);
            }
        }
        if profiles.models.is_empty() {
            tested.missing.extend(missing);
        }
        profiles
    }
}

/// A quantity's means over prompts, by model and layer.
#[derive(Default)]
pub(crate) struct Profiles<'a> {
    pub models: BTreeMap<&'a str, BTreeMap<u32, f64>>,
    /// Metric and protocol of the numbers.
    like: Option<Series<u32>>,
}

impl Profiles<'_> {
    pub(crate) fn of(&self, model: &str) -> Series<u32> {
        let values = self.models.get(model).cloned().unwrap_or_default();
        match &self.like {
            Some(like) => like.with_values(values),
            None => Series::tagged(None, None, values),
        }
    }
}

/// E.g. `needs 8 models of norm = layernorm, have 3 (a, b, c)`, where `have` is too few.
pub(super) fn enough_of<'m>(
    needed: u32,
    what: &str,
    have: impl IntoIterator<Item = &'m str>,
    tested: &mut Tested,
) {
    let have: Vec<&str> = have.into_iter().collect();
    // That nothing has a number was said when it was looked up.
    let said = have.is_empty() && tested.lacks();
    if have.len() < needed as usize && !said {
        let names = if have.is_empty() { String::new() } else { format!(" ({})", have.join(", ")) };
        tested.missing.push(format!("needs {needed} {what}, have {}{names}", have.len()));
    }
}

/// What a test found: statistics for the rule, estimates for the reader, or what it lacked.
#[derive(Default)]
pub(crate) struct Tested {
    pub unit: String,
    pub protocols: Vec<Protocol>,
    pub statistics: Vec<Statistic>,
    pub estimates: Vec<Estimate>,
    pub notes: Vec<String>,
    /// Not empty: untestable.
    pub missing: Vec<String>,
    /// The number the test is about, where no statistic is it (see `effect::headline`).
    pub effect: Option<Effect>,
    /// What joint inference may flip.
    pub units: Option<Units>,
    pub seen: Seen,
}

/// What look-ups met: along these a specification curve can run.
#[derive(Default)]
pub(crate) struct Seen {
    /// Metrics that follow the hypothesis's protocol.
    pub free: BTreeSet<Metric>,
    pub models: BTreeSet<String>,
    pub categories: BTreeSet<String>,
    pub sources: BTreeSet<String>,
    pub dtypes: BTreeSet<String>,
}

impl Seen {
    fn add(&mut self, quantity: &Quantity, cells: &Cells<'_>) {
        let free = quantity.walk().into_iter().filter(|(_, q)| q.protocol.is_none());
        self.free.extend(free.filter_map(|(_, q)| q.metric).filter(|m| m.describe().needs_protocol()));
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
        }
        cells.sources.iter().for_each(|source| add(&mut self.sources, source));
        cells.dtypes.iter().for_each(|dtype| add(&mut self.dtypes, dtype));
    }

    fn merge(&mut self, other: Seen) {
        self.free.extend(other.free);
        self.models.extend(other.models);
        self.categories.extend(other.categories);
        self.sources.extend(other.sources);
        self.dtypes.extend(other.dtypes);
    }
}

impl Tested {
    pub(crate) fn new(unit: impl Into<String>) -> Tested {
        Tested { unit: unit.into(), ..Tested::default() }
    }

    /// The statistics that rules refer to; the struct comes from `statistics!` in the file of the kind.
    pub(crate) fn offer(&mut self, statistics: impl Into<Vec<Statistic>>) {
        self.statistics = statistics.into();
    }

    /// Says that no p can be as small as alpha, if so; whether one can.
    pub(crate) fn reachable(&mut self, bench: &Bench<'_>, what: &str, smallest: f64) -> bool {
        let reachable = smallest <= bench.alpha;
        if !reachable {
            let smallest = super::rule::digits(smallest);
            self.notes.push(format!("{what}: {}", bench.no_p_given(&format!(" (smallest p {smallest})"))));
        }
        reachable
    }

    /// Whether two quantities may be set beside each other: across protocols only if the file says so, else a mismatch
    /// makes the test untestable.
    pub(crate) fn comparable(&mut self, bench: &Bench<'_>, a: &Cells<'_>, b: &Cells<'_>) -> bool {
        let empty = || BTreeMap::<(), f64>::new();
        self.pair(&a.series(empty()), &b.series(empty()), bench.across).is_some()
    }

    pub(crate) fn lacks(&self) -> bool {
        !self.missing.is_empty()
    }

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

/// A number with its interval and p.
pub(super) fn estimate(
    label: impl std::fmt::Display,
    value: Option<f64>,
    interval: Option<Interval>,
    p: Option<f64>,
    n: usize,
) -> Estimate {
    let (low, high) = (interval.map(|i| i.low), interval.map(|i| i.high));
    Estimate { label: label.to_string(), value, low, high, p, n: n as u64 }
}

/// A number without interval, e.g. of one cell.
pub(super) fn point(label: impl std::fmt::Display, value: Option<f64>, n: usize) -> Estimate {
    Estimate { label: label.to_string(), value, low: None, high: None, p: None, n: n as u64 }
}
