//! Lineages as units: what is said over models counts each lineage once, with the mean of its models.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    judge::{
        cells::{Cell, Cells, ModelCells},
        context::TestContext,
        findings::Findings,
    },
    stats::{Interval, Sampled, clopper_pearson, mean},
};
use number::metric::Series;

/// The lineages of some models, in the order of their names.
#[derive(Default)]
pub(crate) struct Lineages<'a> {
    /// By lineage, its models among those.
    members: BTreeMap<&'a str, Vec<&'a str>>,
    /// By lineage.
    families: BTreeMap<&'a str, String>,
}

/// A share of lineages: each counts by the share of its models.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Share {
    pub value: f64,
    /// Clopper and Pearson's, with lineages as units: its lower end is of those that hold with all their models, the upper one of
    /// those that hold with any.
    pub interval: Option<Interval>,
    /// Lineages that hold with all their models.
    pub whole: u64,
}

impl<'a> Lineages<'a> {
    /// Models that are not in the table are left out.
    pub(crate) fn of<M: AsRef<str>>(
        context: &TestContext<'a>,
        models: impl IntoIterator<Item = M>,
    ) -> Lineages<'a> {
        let mut lineages = Lineages::default();
        for model in models.into_iter().filter_map(|id| context.model(id.as_ref())) {
            lineages.members.entry(model.lineage).or_default().push(model.id);
            // A model whose family is not known is one of its own.
            let family = || model.word("family").unwrap_or_else(|| model.lineage.to_string());
            lineages.families.entry(model.lineage).or_insert_with(family);
        }
        for models in lineages.members.values_mut() {
            models.sort_unstable();
            models.dedup();
        }
        lineages
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// How many models they have.
    pub(crate) fn models(&self) -> usize {
        self.members.values().map(Vec::len).sum()
    }

    /// The models of each.
    pub(crate) fn members(&self) -> impl Iterator<Item = &[&'a str]> {
        self.members.values().map(Vec::as_slice)
    }

    /// Their models, lineage by lineage.
    pub(crate) fn all_models(&self) -> impl Iterator<Item = &'a str> {
        self.members.values().flatten().copied()
    }

    /// Their names.
    pub(crate) fn names(&self) -> Vec<&'a str> {
        self.members.keys().copied().collect()
    }

    /// Whether `holds` is true for any model of a lineage.
    pub(crate) fn has_any(&self, lineage: &str, holds: impl Fn(&'a str) -> bool) -> bool {
        self.members.get(lineage).is_some_and(|models| models.iter().any(|model| holds(model)))
    }

    /// The family of each lineage of `names`.
    pub(crate) fn families_of(&self, names: &[&str]) -> Vec<String> {
        names
            .iter()
            .map(|name| self.families.get(name).map_or_else(|| (*name).into(), Clone::clone))
            .collect()
    }

    /// The families, each once.
    pub(crate) fn families(&self) -> BTreeSet<&str> {
        self.families.values().map(String::as_str).collect()
    }

    /// Each lineage with the mean of what `value` gives for its models, of those that have any.
    pub(crate) fn means(&self, value: impl Fn(&'a str) -> Option<f64>) -> Vec<(&'a str, f64)> {
        let of = |models: &[&'a str]| mean(&models.iter().filter_map(|m| value(m)).collect::<Vec<_>>());
        self.members.iter().filter_map(|(name, models)| Some((*name, of(models)?))).collect()
    }

    /// One number per lineage.
    pub(crate) fn series(&self, of: &Series<&'a str>) -> Series<&'a str> {
        let values: BTreeMap<&str, f64> = of.iter().map(|(model, value)| (*model, value)).collect();
        of.with_values(self.means(|model| values.get(model).copied()).into_iter().collect())
    }

    /// Cells of lineages: the mean of the models, and prompt by prompt how far those that have it deviate from their own means,
    /// so that models on other prompts move no prompt.
    pub(crate) fn cells(&self, of: &Cells<'a>) -> Cells<'a> {
        let joined = self.members.iter().filter_map(|(name, models)| {
            let own: Vec<&ModelCells<'a>> = models.iter().filter_map(|model| of.models.get(model)).collect();
            (!own.is_empty()).then(|| (*name, joined(&own)))
        });
        of.with_models(joined.collect())
    }

    /// The share of lineages for whose models `holds` is true.
    pub(crate) fn share(&self, holds: impl Fn(&'a str) -> bool, alpha: f64) -> Option<Share> {
        let n = self.len() as u64;
        let (mut sum, mut whole, mut any) = (0.0, 0, 0);
        for models in self.members.values() {
            let hits = models.iter().filter(|model| holds(model)).count();
            sum += hits as f64 / models.len() as f64;
            whole += u64::from(hits == models.len());
            any += u64::from(hits > 0);
        }
        let ends = clopper_pearson(whole, n, alpha).zip(clopper_pearson(any, n, alpha));
        (n > 0).then(|| Share {
            value: sum / n as f64,
            interval: ends.map(|(low, high)| Interval { low: low.low, high: high.high }),
            whole,
        })
    }

    /// The lineages with the group of their models. One that has models in several groups tells them apart by nothing that it
    /// stems from: it is left out, and a note says so.
    pub(crate) fn sides(
        &self,
        groups: &BTreeMap<&str, usize>,
        findings: &mut Findings,
    ) -> Vec<(&'a str, usize)> {
        let mut sides = Vec::new();
        for (name, models) in &self.members {
            let own: BTreeSet<usize> = models.iter().filter_map(|m| groups.get(m).copied()).collect();
            match own.iter().collect::<Vec<_>>()[..] {
                [group] => sides.push((*name, *group)),
                [] => {}
                _ => findings.notes.push(format!(
                    "lineage {name} has models in several groups ({}), left out",
                    models.join(", ")
                )),
            }
        }
        sides
    }

    /// How many lineages of how many families there are, and which.
    pub(crate) fn in_words(&self) -> String {
        let mut by_family = BTreeMap::<&str, Vec<String>>::new();
        for (name, models) in &self.members {
            let own = match &models[..] {
                [one] => (*one).to_string(),
                several => format!("{name} = {}", several.join(" + ")),
            };
            by_family.entry(&self.families[name]).or_default().push(own);
        }
        let families: Vec<String> =
            by_family.iter().map(|(family, own)| format!("{family} ({})", own.join(", "))).collect();
        format!(
            "units: {} of {}: {}",
            counted(self.len(), "lineage", "lineages"),
            counted(by_family.len(), "family", "families"),
            families.join("; ")
        )
    }
}

/// The effects of lineages: the means of their models'.
pub(crate) fn pool_of_lineages<'a>(
    lineages: &Lineages<'a>,
    effects: &BTreeMap<&str, Sampled<&'a str>>,
) -> Vec<Sampled<&'a str>> {
    let own = |models: &[&'a str]| models.iter().filter_map(|model| effects.get(model)).collect::<Vec<_>>();
    lineages.members().filter_map(|models| Sampled::of_relatives(&own(models))).collect()
}

fn counted(n: usize, one: &str, several: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { several })
}

/// The cells of relatives as one model.
fn joined<'a>(models: &[&ModelCells<'a>]) -> ModelCells<'a> {
    if let [one] = models {
        return ModelCells { prompts: one.prompts.clone(), aggregate: one.aggregate };
    }
    let centre = mean(&models.iter().filter_map(|m| m.mean()).collect::<Vec<_>>());
    let most = models.iter().map(|m| m.prompts.len()).max().unwrap_or(0);
    let (true, Some(centre)) = (most > 0, centre) else {
        return ModelCells { prompts: BTreeMap::new(), aggregate: centre };
    };
    // A model of one prompt does not say how prompts deviate, unless no model does.
    let telling = models.iter().filter(|m| m.prompts.len() > usize::from(most > 1));
    let mut deviations = BTreeMap::<&'a str, (Cell<'a>, Vec<f64>)>::new();
    for (model, own) in telling.filter_map(|m| Some((m, m.mean()?))) {
        for (prompt, cell) in &model.prompts {
            deviations.entry(prompt).or_insert_with(|| (*cell, Vec::new())).1.push(cell.value - own);
        }
    }
    let prompts = deviations.into_iter().filter_map(|(prompt, (cell, deviations))| {
        Some((prompt, Cell { value: centre + mean(&deviations)?, ..cell }))
    });
    ModelCells { prompts: prompts.collect(), aggregate: None }
}
