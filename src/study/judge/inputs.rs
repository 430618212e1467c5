//! Reads the quantities of a test, and notes in its findings what is missing or was left out.

use std::collections::BTreeMap;

use super::{
    cells::Cells, context::TestContext, findings::Findings, hypothesis::Quantity, lookup::look_up,
    shared::lineages::Lineages, spread,
};
use number::metric::Series;

impl<'a> TestContext<'a> {
    /// The cells of a quantity. What is missing or noteworthy about them goes to `findings`.
    pub(crate) fn cells(&self, quantity: &Quantity, findings: &mut Findings) -> Cells<'a> {
        let of_world = self.world.and_then(|world| world.cells(quantity));
        let cells = of_world.unwrap_or_else(|| look_up(self, quantity));
        findings.missing.extend(cells.missing.iter().cloned());
        findings.notes.extend(cells.notes.iter().cloned());
        for protocol in &cells.combined {
            findings.uses(Some(*protocol));
        }
        findings.seen.add(quantity, &cells);
        cells
    }

    /// Cells of the models with enough prompts, as the prediction needs. Without any, `missing` says so, and the cells
    /// stay as they are: what they show is still worth reading. Prompts that all give one number are one unit.
    pub(crate) fn enough(&self, quantity: &Quantity, findings: &mut Findings) -> Cells<'a> {
        let mut cells = self.enough_as_they_are(quantity, findings);
        let name = format!("{}{}", quantity.scale.prefix(), quantity.name());
        let mut alike = Vec::new();
        for (model, own) in &mut cells.models {
            alike.extend(own.collapse().map(|values| (*model, values)));
        }
        match &alike[..] {
            [] => {}
            [(model, values)] => {
                findings.reason(&[], spread::in_words(&name, values, &format!("prompts of {model}")));
            }
            some => {
                let models: Vec<&str> = some.iter().map(|(model, _)| *model).collect();
                let models = models.join(", ");
                findings
                    .reason(&[], format!("{name} hardly differs between prompts of one model ({models})"));
            }
        }
        let means: Vec<f64> = cells.models.values().filter_map(super::cells::ModelCells::mean).collect();
        if means.len() > 1 && !spread::has_spread(&means) {
            findings.flat.push((quantity.clone(), spread::in_words(&name, &means, "models")));
        }
        cells
    }

    /// The same with prompts as they are, for tests that compare two quantities prompt by prompt: there the differences must
    /// have a spread, not each side.
    pub(crate) fn enough_as_they_are(&self, quantity: &Quantity, findings: &mut Findings) -> Cells<'a> {
        let mut cells = self.cells(quantity, findings);
        let had = cells.models.len();
        let most = cells.models.values().map(|m| m.prompts.len()).max().unwrap_or(0);
        let needed = self.needs.prompts as usize;
        // What no prompt enters has none to count.
        if cells.protocol.is_none() {
            return cells;
        }
        if had > 0 && most < needed {
            let name = quantity.name();
            findings.missing.push(format!("{name}: needs {needed} prompts per model, have at most {most}"));
            return cells;
        }
        cells.models.retain(|_, m| m.prompts.len() >= needed);
        if cells.models.len() < had {
            let left = had - cells.models.len();
            findings.notes.push(format!("{left} of {had} models left out: fewer than {needed} prompts"));
        }
        cells
    }

    /// The lineages of the models that a test ended up with, which it takes as units. Notes which they are, and as missing that
    /// they or their families are fewer than the prediction needs.
    pub(crate) fn lineages<M: AsRef<str>>(
        &self,
        have: impl IntoIterator<Item = M>,
        findings: &mut Findings,
    ) -> Lineages<'a> {
        let lineages = Lineages::of(self, have);
        findings.entered = (lineages.len(), lineages.families().len());
        if !lineages.is_empty() {
            findings.notes.push(lineages.in_words());
        }
        let of = self.population.of();
        enough_of(self.needs.models, &format!("lineages of models{of}"), lineages.names(), findings);
        enough_of(self.needs.families, &format!("families of models{of}"), lineages.families(), findings);
        lineages
    }

    /// The layers that have a quantity which selects none.
    pub(crate) fn layers(&self, quantity: &Quantity) -> Vec<u32> {
        let of_world = self.world.map(|world| world.layers(quantity)).filter(|layers| !layers.is_empty());
        of_world.unwrap_or_else(|| {
            let asked = quantity.protocol.unwrap_or(self.protocol);
            let filed = quantity.filed();
            filed.map(|(metric, branch)| self.index.layers(metric, branch, asked)).unwrap_or_default()
        })
    }

    /// Means over prompts layer by layer, of a quantity that selects no layer.
    pub(crate) fn profiles(&self, quantity: &Quantity, findings: &mut Findings) -> Profiles<'a> {
        let layers = self.layers(quantity);
        let mut profiles = Profiles::default();
        let mut missing = Vec::new();
        // Without any layer, the look-up of one says what is missing.
        let asked: Vec<u32> = if layers.is_empty() { vec![0] } else { layers };
        for layer in asked {
            let mut one = quantity.clone();
            one.select.layer = Some(layer);
            let mut aside = Findings::default();
            let cells = self.enough(&one, &mut aside);
            profiles.like = Some(Series::tagged(cells.metric, cells.protocol, BTreeMap::new()));
            missing = aside.missing;
            findings.seen.merge(aside.seen);
            findings.notes.extend(aside.notes);
            findings.uses(cells.protocol);
            for (model, cells) in &cells.models {
                let mean = cells.mean().map(|mean| (layer, mean));
                profiles.models.entry(model).or_default().extend(mean);
            }
        }
        if profiles.models.is_empty() {
            findings.missing.extend(missing);
        }
        profiles
    }
}

/// A quantity's means over prompts, by model and layer.
#[derive(Default)]
pub(crate) struct Profiles<'a> {
    /// By model, then layer.
    pub models: BTreeMap<&'a str, BTreeMap<u32, f64>>,
    /// Metric and protocol of the numbers.
    like: Option<Series<u32>>,
}

impl Profiles<'_> {
    /// One model's means, by layer.
    pub(crate) fn of(&self, model: &str) -> Series<u32> {
        let values = self.models.get(model).cloned().unwrap_or_default();
        match &self.like {
            Some(like) => like.with_values(values),
            None => Series::tagged(None, None, values),
        }
    }
}

/// Notes as missing that a test has fewer units than `needed`, e.g. `needs 8 models of norm = layernorm, have 3 (a, b, c)`.
pub(crate) fn enough_of<'m>(
    needed: u32,
    what: &str,
    have: impl IntoIterator<Item = &'m str>,
    findings: &mut Findings,
) {
    let have: Vec<&str> = have.into_iter().collect();
    // That nothing has a number was said when it was looked up.
    let said = have.is_empty() && findings.lacks();
    if have.len() < needed as usize && !said {
        let names = if have.is_empty() { String::new() } else { format!(" ({})", have.join(", ")) };
        findings.missing.push(format!("needs {needed} {what}, have {}{names}", have.len()));
    }
}
