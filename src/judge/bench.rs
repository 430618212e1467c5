//! The bench: one kind of evidence, one protocol, the models a hypothesis speaks of, and what a test leaves on it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    cells::{Cells, look_up},
    effect::Effect,
    memo::Memo,
    narrow::Narrow,
    outcome::{Estimate, Statistic},
};
use crate::{
    config::hypothesis::{FactCondition, FactValue, ModelFilter, Needs, Quantity},
    evidence::{Evidence, EvidenceTable, Measurement, ModelInfo},
    metric::{Metric, Paired, Series},
    protocol::Protocol,
    stats::{Seed, Units},
};

/// What every test works on.
pub(super) struct Bench<'a> {
    pub evidence: Evidence,
    pub protocol: Protocol,
    pub alpha: f64,
    pub seed: Seed,
    pub needs: &'a Needs,
    pub shelf: &'a Shelf<'a>,
    /// What this specification leaves out.
    pub narrow: &'a Narrow,
    pub memo: &'a Memo,
}

/// A table made ready for many look-ups.
pub(super) struct Shelf<'a> {
    rows: BTreeMap<Metric, Vec<&'a Measurement>>,
    /// Models that pass the filter.
    models: BTreeSet<&'a str>,
    /// L by model.
    blocks: BTreeMap<&'a str, u32>,
    families: BTreeMap<&'a str, &'a str>,
    named: Vec<String>,
    /// Prompts that repeat another one's text, and that other.
    repeats: BTreeMap<&'a str, &'a str>,
    /// Why models were left out.
    pub notes: Vec<String>,
}

impl<'a> Shelf<'a> {
    /// The filter's profile is not looked at: the table holds the profile's models only.
    pub fn new(table: &'a EvidenceTable, filter: &ModelFilter) -> Shelf<'a> {
        let mut rows = BTreeMap::<Metric, Vec<&Measurement>>::new();
        let mut blocks = BTreeMap::<&str, u32>::new();
        for row in &table.rows {
            rows.entry(row.metric).or_default().push(row);
            if matches!(row.metric, Metric::ResidualNorm | Metric::LayerGain) {
                let top = blocks.entry(&row.model).or_default();
                *top = row.layer.unwrap_or(0).max(*top);
            }
        }
        for model in &table.models {
            blocks.extend(model.facts.blocks.map(|l| (model.id.as_str(), l)));
        }
        let mut notes = Vec::new();
        let listed = |m: &&ModelInfo| filter.ids.is_empty() || filter.ids.contains(&m.id);
        let mut models = BTreeSet::new();
        for model in table.models.iter().filter(listed) {
            match fails(model, &filter.facts) {
                None => _ = models.insert(model.id.as_str()),
                Some(Failure::Unknown(fact)) => {
                    notes.push(format!("{} left out: its {fact} is not known", model.id));
                }
                Some(Failure::Differs) => {}
            }
        }
        for id in filter.ids.iter().filter(|id| !table.models.iter().any(|m| m.id == **id)) {
            notes.push(format!("no numbers of {id} here"));
        }
        let (mut first, mut repeats) = (BTreeMap::<&str, &str>::new(), BTreeMap::new());
        for prompt in table.prompts.iter().filter(|p| !p.text.is_empty()) {
            let id = *first.entry(&prompt.text).or_insert(&prompt.id);
            if id != prompt.id {
                repeats.insert(prompt.id.as_str(), id);
            }
        }
        let family = |model: &'a ModelInfo| Some((model.id.as_str(), model.facts.family.as_deref()?));
        let families = table.models.iter().filter_map(family).collect();
        Shelf { rows, models, blocks, families, named: filter.ids.clone(), repeats, notes }
    }

    /// Protocols under which a metric was observed.
    pub fn protocols(&self, metric: Metric) -> BTreeSet<Protocol> {
        self.rows.get(&metric).into_iter().flatten().filter_map(|row| row.protocol).collect()
    }

    pub fn family(&self, model: &str) -> Option<&'a str> {
        self.families.get(model).copied()
    }
}

impl Bench<'_> {
    pub fn rows(&self, metric: Metric) -> impl Iterator<Item = &Measurement> {
        self.shelf.rows.get(&metric).into_iter().flatten().copied()
    }

    pub fn takes(&self, model: &str) -> bool {
        self.shelf.models.contains(model) && !self.narrow.without_models.contains(model)
    }

    /// The prompt as a unit: a text that two sets name differently is one prompt, and counts once.
    pub fn unit<'p>(&'p self, prompt: &'p str) -> &'p str {
        self.shelf.repeats.get(prompt).copied().unwrap_or(prompt)
    }

    /// Layer L - back of a model, if its depth is known.
    pub fn last_layer(&self, model: &str, back: u32) -> Option<u32> {
        self.shelf.blocks.get(model)?.checked_sub(back)
    }

    pub fn models_in_words(&self) -> String {
        match &self.shelf.named[..] {
            [] => "any model".to_string(),
            some => some.join(", "),
        }
    }

    /// Cells of a quantity; what is missing or noteworthy about them goes to `tested`.
    pub fn cells(&self, quantity: &Quantity, tested: &mut Tested) -> Cells {
        let cells = look_up(self, quantity);
        tested.missing.extend(cells.missing.iter().cloned());
        tested.notes.extend(cells.notes.iter().cloned());
        tested.seen.add(quantity, &cells);
        cells
    }

    /// Cells of the models with enough prompts, as the prediction needs. Without any, `missing` says so, and the cells
    /// stay as they are: what they show is still worth reading.
    pub fn enough(&self, quantity: &Quantity, tested: &mut Tested) -> Cells {
        let mut cells = self.cells(quantity, tested);
        let had = cells.models.len();
        let most = cells.models.values().map(|m| m.prompts.len()).max().unwrap_or(0);
        let needed = self.needs.prompts as usize;
        if had > 0 && most < needed {
            tested
                .missing
                .push(format!("{}: needs {needed} prompts per model, have at most {most}", quantity.metric));
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
    pub fn enough_models(&self, have: usize, tested: &mut Tested) {
        // That no model has a number was said when it was looked up.
        let said = have == 0 && tested.lacks();
        if have < self.needs.models as usize && !said {
            tested.missing.push(format!("needs {} models, have {have}", self.needs.models));
        }
    }
}

/// What a test found: statistics for the rule, estimates for the reader, or what it lacked.
#[derive(Default)]
pub(super) struct Tested {
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
pub(super) struct Seen {
    /// Metrics that follow the hypothesis's protocol.
    pub free: BTreeSet<Metric>,
    pub models: BTreeSet<String>,
    pub categories: BTreeSet<String>,
    pub sources: BTreeSet<String>,
    pub dtypes: BTreeSet<String>,
}

impl Seen {
    fn add(&mut self, quantity: &Quantity, cells: &Cells) {
        if quantity.protocol.is_none() && quantity.metric.describe().needs_protocol() {
            self.free.insert(quantity.metric);
        }
        for (model, cells) in &cells.models {
            if !self.models.contains(model) {
                self.models.insert(model.clone());
            }
            for category in cells.prompts.values().filter_map(|c| c.category.as_ref()) {
                if !category.is_empty() && !self.categories.contains(category) {
                    self.categories.insert(category.clone());
                }
            }
        }
        // Weights are of no run.
        if quantity.metric.describe().needs_protocol() {
            self.sources.extend(cells.sources.iter().cloned());
            self.dtypes.extend(cells.dtypes.iter().cloned());
        }
    }
}

impl Tested {
    pub fn new(unit: impl Into<String>) -> Tested {
        Tested { unit: unit.into(), ..Tested::default() }
    }

    pub fn lacks(&self) -> bool {
        !self.missing.is_empty()
    }

    pub fn statistic(&mut self, name: &str, value: impl Into<Option<f64>>) {
        let value = value.into().filter(|v| v.is_finite());
        self.statistics.push(Statistic { name: name.to_string(), value });
    }

    pub fn uses(&mut self, protocol: Option<Protocol>) {
        self.protocols.extend(protocol.filter(|p| !self.protocols.contains(p)));
    }

    /// Joins two series: across protocols only if the file says so, else a mismatch makes the test untestable.
    pub fn pair<K: Ord + Clone>(&mut self, a: &Series<K>, b: &Series<K>, across: bool) -> Option<Paired<K>> {
        self.uses(a.protocol());
        self.uses(b.protocol());
        if across {
            return Some(Paired::across_protocols(a, b));
        }
        Paired::same_protocol(a, b).map_err(|mismatch| self.missing.push(format!("refused: {mismatch}"))).ok()
    }
}

/// A number without interval, e.g. of one cell.
pub(super) fn point(label: impl Into<String>, value: Option<f64>, n: usize) -> Estimate {
    Estimate { label: label.into(), value, low: None, high: None, p: None, n: n as u64 }
}

enum Failure {
    Unknown(String),
    Differs,
}

fn fails(model: &ModelInfo, conditions: &[FactCondition]) -> Option<Failure> {
    // Facts are plain data: their serialisation cannot fail, and an empty object makes every fact unknown.
    let facts = serde_json::to_value(&model.facts).unwrap_or_default();
    for condition in conditions {
        let fact = facts.get(&condition.fact).filter(|v| !v.is_null());
        let Some(fact) = fact else { return Some(Failure::Unknown(condition.fact.clone())) };
        let equal = condition.is.as_ref().is_none_or(|wanted| match wanted {
            FactValue::Bool(b) => fact.as_bool() == Some(*b),
            FactValue::Number(n) => fact.as_f64() == Some(*n),
            FactValue::Text(t) => fact.as_str() == Some(t),
        });
        let number = fact.as_f64();
        let low = condition.at_least.is_none_or(|l| number.is_some_and(|n| n >= l));
        let high = condition.at_most.is_none_or(|h| number.is_some_and(|n| n <= h));
        if !(equal && low && high) {
            return Some(Failure::Differs);
        }
    }
    None
}
