//! Making a prediction ready for simulation: the numbers that were seen, with copies of models and prompts where worlds are to
//! have more of them.

use std::collections::BTreeMap;

use super::{
    aim::Aim,
    seen::{Seen, SeenModel, left_of, normal_scores, standardised},
    setting::Setting,
    shape::Shape,
    truth::Pattern,
};
use crate::judge::{context::TestContext, findings::Findings, hypothesis::Prediction, kinds::Unit};
use base::glob;
use number::{
    evidence::{EvidenceTable, ModelInfo},
    index::EvidenceIndex,
};

/// How many times the models and the prompts that there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    pub models: usize,
    pub prompts: usize,
}

/// What was seen of the quantities of a test, with copies of models and prompts where there are to be more.
pub(super) fn setting<'s>(
    context: &TestContext<'s>,
    prediction: &'s Prediction,
    pattern: Pattern<'s>,
    aim: Aim,
    names: &'s Names,
) -> Result<Setting<'s>, String> {
    let mut findings = Findings::default();
    let mut drawn = Vec::new();
    for quantity in pattern.drawn(context) {
        let cells = context.cells(&quantity, &mut findings);
        if cells.models.is_empty() {
            return Err(findings.missing.join("; "));
        }
        drawn.push(Seen::of(quantity, cells));
    }
    let mut fixed: Vec<Seen<'s>> = Vec::new();
    for quantity in pattern.fixed(prediction, context) {
        let cells = context.cells(&quantity, &mut findings);
        fixed.push(Seen::of(quantity, cells));
    }
    // Only models that have every quantity can be related.
    if let Pattern::Relation { .. } = pattern {
        let y = &mut drawn[0];
        let has =
            |seen: &Seen<'_>, model: &SeenModel<'_>| seen.models.iter().any(|other| other.id == model.id);
        y.models.retain(|model| fixed.iter().all(|seen| has(seen, model)));
        if y.models.is_empty() {
            return Err("no model has all quantities".to_string());
        }
    }
    let mut along = along(context, pattern, &drawn[0], &fixed, &mut findings)?;
    let mut lineages: Vec<Vec<usize>> = Vec::new();
    let mut roots: Vec<String> = Vec::new();
    for seen in &drawn {
        let of = seen.models.iter().map(|model| {
            let root = context.model(model.id).map_or(model.id, |known| known.lineage).to_string();
            roots.iter().position(|known| *known == root).unwrap_or_else(|| {
                roots.push(root);
                roots.len() - 1
            })
        });
        lineages.push(of.collect());
    }
    // Copies stand behind the originals, each round of them with lineages of its own.
    let first = drawn[0].models.len();
    for copy in 1..names.times.models {
        for (seen, lineages) in drawn.iter_mut().zip(&mut lineages) {
            let originals = add_copies(seen, copy, names);
            lineages.extend_from_within(..originals);
            let last = lineages.len() - originals;
            lineages[last..].iter_mut().for_each(|lineage| *lineage += copy * roots.len());
        }
        fixed.iter_mut().for_each(|seen| {
            add_copies(seen, copy, names);
        });
        let shift = if matches!(pattern, Pattern::Change { .. } | Pattern::Kept { .. }) {
            (copy * first) as f64
        } else {
            0.0
        };
        for i in 0..first {
            along.push(if along[i] < 0.0 { along[i] } else { along[i] + shift });
        }
    }
    let shape = Shape::new(pattern, &drawn, &fixed, &lineages, &along, context);
    match shape.lacking() {
        None => {}
        Some(lacking) if findings.missing.is_empty() => return Err(lacking),
        Some(_) => return Err(findings.missing.join("; ")),
    }
    let mut setting = Setting::new(pattern, aim, drawn, fixed, lineages, along, names.prompts());
    setting.shape = shape;
    Ok(setting)
}

/// Adds the next copy of each of the models that were seen; how many these are.
fn add_copies<'s>(seen: &mut Seen<'s>, copy: usize, names: &'s Names) -> usize {
    let originals = seen.models.len() / copy;
    for i in 0..originals {
        let model = seen.models[i].clone();
        seen.models.push(SeenModel { id: names.model(model.id, copy), ..model });
    }
    originals
}

/// Where each model lies along what a claim is about: 1 in group a and 0 in b, its x, or the place of its base (-1 of a base).
fn along<'s>(
    context: &TestContext<'s>,
    pattern: Pattern<'s>,
    seen: &Seen<'s>,
    fixed: &[Seen<'s>],
    findings: &mut Findings,
) -> Result<Vec<f64>, String> {
    let models = &seen.models;
    match pattern {
        Pattern::Difference { by, .. } => {
            let sides = by.sides(context, &seen.cells, findings).ok_or("the groups cannot be told apart")?;
            let side = |id: &str| sides.iter().find(|(model, _)| *model == id).map(|(_, side)| *side);
            Ok(models.iter().map(|m| if side(m.id) == Some(0) { 1.0 } else { 0.0 }).collect())
        }
        Pattern::Fact { fact, beyond, .. } => {
            let words: Vec<Option<String>> =
                models.iter().map(|m| context.model(m.id).and_then(|known| known.word(fact))).collect();
            let mut known: Vec<&String> = words.iter().flatten().collect();
            known.sort();
            known.dedup();
            let places: Vec<f64> = words
                .iter()
                .map(|word| word.as_ref().map_or(0.0, |word| known.partition_point(|k| *k < word) as f64))
                .collect();
            let others = |id: &str| -> Vec<Option<String>> {
                beyond.iter().map(|fact| context.model(id).and_then(|known| known.word(fact))).collect()
            };
            let groups: Vec<_> = models.iter().map(|m| others(m.id)).collect();
            standardised(&left_of(&places, &[], &groups))
                .ok_or_else(|| format!("the {fact} is the same in every model"))
        }
        Pattern::Relation { asked } if asked.unit == Unit::Model => {
            let of = |seen: &Seen<'_>| -> Vec<f64> {
                let own = |id: &str| seen.models.iter().find(|m| m.id == id).map(|m| m.mean);
                models.iter().filter_map(|m| own(m.id)).collect()
            };
            let group = |id: &str| {
                let fact = asked.within.as_deref()?;
                context.model(id)?.word(fact)
            };
            let groups: Vec<Option<String>> = models.iter().map(|m| group(m.id)).collect();
            // A partial correlation of ranks is one of what ranks leave of ranks.
            let of = |seen| if pattern.is_of_ranks() { normal_scores(&of(seen)) } else { of(seen) };
            let controls: Vec<Vec<f64>> = fixed[1..].iter().map(of).collect();
            let values = left_of(&of(&fixed[0]), &controls, &groups);
            standardised(&values).ok_or_else(|| "x does not differ between models".to_string())
        }
        Pattern::Change { change, .. } | Pattern::Kept { change, .. } => {
            let base = |id: &str| {
                let model = context.model(id)?;
                let word = |fact| model.fact(fact).and_then(serde_json::Value::as_str);
                let fits = glob::matches(change, word("change")?);
                let base = word("base").filter(|base| fits && context.takes_base(base))?;
                models.iter().position(|other| other.id == base)
            };
            let places: Vec<f64> = models.iter().map(|m| base(m.id).map_or(-1.0, |at| at as f64)).collect();
            match places.iter().any(|place| *place >= 0.0) {
                true => Ok(places),
                false => Err(format!("no model was changed by {change}")),
            }
        }
        _ => Ok(vec![0.0; models.len()]),
    }
}

/// Names of the copies of models and prompts.
pub(super) struct Names {
    times: Times,
    models: BTreeMap<String, Vec<String>>,
    prompts: BTreeMap<String, Vec<String>>,
}

impl Names {
    pub(super) fn new(index: &EvidenceIndex<'_>, times: Times) -> Names {
        let copies = |id: &str, times: usize| -> Vec<String> {
            let copy = |number| if number == 0 { id.to_string() } else { copy_of(id, number) };
            (0..times).map(copy).collect()
        };
        let models = index.models.iter().map(|m| (m.id.to_string(), copies(m.id, times.models)));
        let prompts = index.prompts().iter().map(|id| (id.to_string(), copies(id, times.prompts)));
        Names { times, models: models.collect(), prompts: prompts.collect() }
    }

    fn model(&self, id: &str, copy: usize) -> &str {
        // Every model of the table has its names.
        &self.models[id][copy]
    }

    fn prompts(&self) -> BTreeMap<&str, Vec<&str>> {
        let prompts = self.prompts.iter();
        prompts.map(|(id, copies)| (id.as_str(), copies.iter().map(String::as_str).collect())).collect()
    }

    /// The models with their copies, which are of families of their own, and no rows.
    pub(super) fn table(&self, index: &EvidenceIndex<'_>) -> EvidenceTable {
        let mut models = Vec::new();
        for model in &index.table.models {
            for (number, id) in self.models[&model.id].iter().enumerate() {
                let mut facts = model.facts.clone();
                if number > 0 {
                    for name in [&mut facts.family, &mut facts.base, &mut facts.series, &mut facts.lineage] {
                        *name = name.as_deref().map(|name| copy_of(name, number));
                    }
                }
                models.push(ModelInfo { id: id.clone(), evidence: model.evidence, facts });
            }
        }
        EvidenceTable { models, ..EvidenceTable::default() }
    }
}

fn copy_of(id: &str, number: usize) -> String {
    format!("{id} ({})", number + 1)
}
