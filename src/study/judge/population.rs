//! The models of a table that a prediction is about, and why others are left out.

use super::hypothesis::{FactCondition, FactValue, ModelFilter};
use number::index::{EvidenceIndex, IndexedModel};

/// Models by their number in the index.
pub(crate) struct Population {
    /// Whether each model passes the filters.
    passing: Vec<bool>,
    /// The same without revisions and variants, unless a filter speaks of them.
    taken: Vec<bool>,
    named: Vec<String>,
    /// Conditions in words, e.g. `norm = layernorm`.
    conditions: Vec<String>,
    /// Why models were left out.
    pub notes: Vec<String>,
}

/// Which models a look-up takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Original ones, unless the filter speaks of others.
    Taken,
    /// Every kind: originals, revisions and variants.
    EveryKind,
    /// And models that were changed from those.
    Changed,
}

/// Facts that say what was done to a model. Where they are absent nothing was.
pub(super) const HISTORY: [&str; 5] = ["kind", "base", "change", "series", "step"];

impl Population {
    /// Models that pass every filter. Profiles are not looked at: the table holds the profile's models only.
    pub(crate) fn new(index: &EvidenceIndex<'_>, filters: &[&ModelFilter]) -> Population {
        let mut notes = Vec::new();
        let (mut passing, mut taken) = (Vec::new(), Vec::new());
        let speaks = filters.iter().any(|f| speaks_of_kinds(&f.facts));
        for model in &index.models {
            let listed = filters.iter().all(|f| f.ids.is_empty() || f.ids.iter().any(|id| id == model.id));
            let conditions = filters.iter().flat_map(|f| &f.facts);
            let failure = conditions.filter_map(|condition| fails(model, condition)).next();
            if let (true, Some(Failure::Unknown(fact))) = (listed, &failure) {
                notes.push(format!("{} left out: its {fact} is not known", model.id));
            }
            let passes = listed && failure.is_none();
            let named = filters.iter().any(|f| f.ids.iter().any(|id| id == model.id));
            passing.push(passes);
            taken.push(passes && (speaks || named || model.is_original()));
        }
        let named: Vec<String> = filters.iter().flat_map(|f| f.ids.iter().cloned()).collect();
        for id in named.iter().filter(|id| !index.models.iter().any(|m| m.id == **id)) {
            notes.push(format!("no numbers of {id} here"));
        }
        let conditions = filters.iter().flat_map(|f| &f.facts).map(in_words).collect();
        Population { passing, taken, named, conditions, notes }
    }

    pub(crate) fn takes(&self, index: &EvidenceIndex<'_>, model: usize, scope: Scope) -> bool {
        match scope {
            Scope::Taken => self.taken[model],
            Scope::EveryKind => self.passing[model],
            Scope::Changed => {
                let base = index.models[model].fact("base").and_then(serde_json::Value::as_str);
                let base = base.and_then(|base| index.models.iter().position(|m| m.id == base));
                self.passing[model] || base.is_some_and(|base| self.passing[base])
            }
        }
    }

    /// The models that a look-up was for, in words, e.g. `any model` or `llama-3.1-8b`.
    pub(crate) fn in_words(&self) -> String {
        match &self.named[..] {
            [] => "any model".to_string(),
            some => some.join(", "),
        }
    }

    /// E.g. ` of norm = layernorm`, or nothing.
    pub(crate) fn of(&self) -> String {
        match &self.conditions[..] {
            [] => String::new(),
            some => format!(" of {}", some.join(" and ")),
        }
    }
}

/// Whether conditions decide about revisions and variants themselves.
pub(super) fn speaks_of_kinds(conditions: &[FactCondition]) -> bool {
    conditions.iter().any(|c| HISTORY.contains(&c.fact.as_str()))
}

pub(crate) enum Failure {
    Unknown(String),
    Differs,
}

/// Whether and how a model fails a condition.
pub(super) fn fails(model: &IndexedModel<'_>, condition: &FactCondition) -> Option<Failure> {
    let Some(fact) = model.fact(&condition.fact) else {
        let history = HISTORY.contains(&condition.fact.as_str());
        return Some(if history { Failure::Differs } else { Failure::Unknown(condition.fact.clone()) });
    };
    (!condition.holds_of(fact)).then_some(Failure::Differs)
}

impl FactCondition {
    /// Whether a known fact meets it.
    pub fn holds_of(&self, fact: &serde_json::Value) -> bool {
        let equal = self.is.as_ref().is_none_or(|wanted| wanted.equals(fact));
        let number = fact.as_f64();
        let low = self.at_least.is_none_or(|l| number.is_some_and(|n| n >= l));
        let high = self.at_most.is_none_or(|h| number.is_some_and(|n| n <= h));
        equal && low && high
    }
}

fn in_words(condition: &FactCondition) -> String {
    let FactCondition { fact, is, at_least, at_most } = condition;
    let is = is.as_ref().map(|value| format!("= {}", value.in_words()));
    let bounds = [is, at_least.map(|l| format!("at least {l}")), at_most.map(|h| format!("at most {h}"))];
    format!("{fact} {}", bounds.into_iter().flatten().collect::<Vec<_>>().join(" and "))
}

impl FactValue {
    /// Whether a known fact is this.
    pub(super) fn equals(&self, fact: &serde_json::Value) -> bool {
        match self {
            FactValue::Bool(b) => fact.as_bool() == Some(*b),
            FactValue::Number(n) => fact.as_f64() == Some(*n),
            FactValue::Text(t) => fact.as_str() == Some(t),
        }
    }

    pub(crate) fn in_words(&self) -> String {
        match self {
            FactValue::Bool(b) => b.to_string(),
            FactValue::Number(n) => n.to_string(),
            FactValue::Text(t) => t.clone(),
        }
    }
}
