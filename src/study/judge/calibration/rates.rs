//! How often each verdict comes out in worlds in which the claim is false, and in which it is true.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    seen::{Seen, SeenModel},
    setting::{Setting, Truth},
    truth::{Aim, Pattern, Size, aim, pattern},
};
use crate::judge::{
    cache::StatisticsCache,
    context::TestContext,
    findings::Findings,
    hypothesis::{Hypothesis, ModelFilter, Prediction},
    judging::Place,
    kinds::Unit,
    multiverse::Way,
    population::{Population, Scope},
    verdict::Verdict,
};
use crate::stats::{mean, standard_deviation};
use base::glob;
use number::{
    evidence::{Evidence, EvidenceTable, ModelInfo},
    index::EvidenceIndex,
};

/// Worlds that are drawn of each kind for the numbers of models and prompts that there are.
const RUNS: u32 = 100;
/// Worlds that are drawn of each kind for more models or prompts.
const RUNS_OF_MORE: u32 = 40;
/// The share of worlds of a true claim in which it should be found.
const POWER: f64 = 0.8;

/// How a prediction fares in simulated worlds, on one kind of evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Id of the prediction.
    pub prediction: String,
    /// The kind of evidence of which the spread was taken.
    pub evidence: Evidence,
    /// Why no worlds were drawn; empty where some were.
    pub not_simulated: String,
    /// The smallest effect of interest, in the unit of the claim.
    pub smallest: Option<f64>,
    /// Whether the rule states it; else it is half a standard deviation of the units, or a correlation of 0.3.
    pub stated: bool,
    /// The worlds, those in which the claim is false first.
    pub worlds: Vec<Rates>,
    /// How many models and prompts find a true claim of twice the smallest effect of interest in 80 of 100 worlds, and the
    /// numbers that were tried.
    pub more: Vec<Rates>,
}

/// One kind of world: what is true in it, and the verdicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// The effect, in multiples of the smallest effect of interest in the direction of the claim.
    pub effect: f64,
    /// Whether the claim is true in it.
    pub holds: bool,
    /// Lineages of models.
    pub lineages: u64,
    /// Prompts, of the model that has most.
    pub prompts: u64,
    /// How many such worlds were drawn.
    pub runs: u32,
    /// How often each verdict came.
    pub verdicts: BTreeMap<Verdict, u32>,
}

impl Rates {
    /// How often a verdict came, of all worlds.
    pub fn share(&self, verdict: Verdict) -> f64 {
        f64::from(self.verdicts.get(&verdict).copied().unwrap_or(0)) / f64::from(self.runs)
    }

    /// Verdicts that are false in such a world: support of a false claim, and the contradiction of a true one.
    pub fn false_verdicts(&self) -> u32 {
        let count = |verdict| self.verdicts.get(&verdict).copied().unwrap_or(0);
        count(if self.holds { Verdict::Contradicted } else { Verdict::Supported })
    }
}

/// Simulates worlds for every prediction of a hypothesis that is asked of this evidence: with the models, prompts and spread
/// that the table has, and the effect that the claim is about set to what it is not, and to what it is. The rule judges each as
/// it would judge what was measured, under the primary protocol. The same inputs and seed give the same numbers.
pub fn calibrate(
    hypothesis: &Hypothesis,
    evidence: Evidence,
    table: &EvidenceTable,
    seed: u64,
) -> Vec<Calibration> {
    let index = EvidenceIndex::new(table);
    let asked: Vec<&Prediction> =
        hypothesis.predictions.iter().filter(|p| p.evidence.contains(&evidence)).collect();
    let one = |prediction: &&Prediction| {
        let cache = StatisticsCache::coarse(seed);
        let study = Study { hypothesis, prediction, evidence, index: &index, cache: &cache };
        study.calibration()
    };
    asked.iter().map(one).collect()
}

struct Study<'a> {
    hypothesis: &'a Hypothesis,
    prediction: &'a Prediction,
    evidence: Evidence,
    index: &'a EvidenceIndex<'a>,
    cache: &'a StatisticsCache,
}

/// How many times the models and the prompts that there are.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Times {
    models: usize,
    prompts: usize,
}

impl Study<'_> {
    fn calibration(&self) -> Calibration {
        let mut calibration = Calibration {
            prediction: self.prediction.id.clone(),
            evidence: self.evidence,
            not_simulated: String::new(),
            smallest: None,
            stated: false,
            worlds: Vec::new(),
            more: Vec::new(),
        };
        if let Err(why) = self.fill(&mut calibration) {
            calibration.not_simulated = why;
        }
        calibration
    }

    fn fill(&self, calibration: &mut Calibration) -> Result<(), String> {
        let pattern = pattern(self.prediction)?;
        let rule = &self.prediction.rule;
        let (null, correlation) = match pattern {
            Pattern::Level { against, .. } | Pattern::Some { against, .. } => (against, false),
            Pattern::Relation { .. } => (0.0, true),
            _ => (0.0, false),
        };
        let mut aim = aim(rule, null, correlation);
        if let Pattern::Change { smallest: Some(size), .. } = pattern
            && !aim.stated
        {
            (aim.smallest, aim.stated) = (Size::Plain(size), true);
        }
        let as_seen = Times { models: 1, prompts: 1 };
        // Effects in multiples of the smallest one of interest, and whether the claim is true with them.
        let effects: &[(f64, bool)] = match aim.absent {
            true => &[(1.0, false), (2.0, false), (0.0, true)],
            false => &[(0.0, false), (-1.0, false), (1.0, true), (2.0, true)],
        };
        for &(effect, holds) in effects {
            let (rates, smallest) = self.rates(pattern, aim, as_seen, (effect, holds), RUNS)?;
            calibration.smallest = Some(smallest);
            calibration.worlds.push(rates);
        }
        calibration.stated = aim.stated;
        let truth = if aim.absent { (0.0, true) } else { (2.0, true) };
        let found = |rates: &Rates| rates.share(Verdict::Supported) >= POWER;
        if calibration.worlds.last().is_some_and(|rates| !found(rates)) {
            for times in [(1, 4), (4, 1), (4, 4)] {
                let times = Times { models: times.0, prompts: times.1 };
                let (rates, _) = self.rates(pattern, aim, times, truth, RUNS_OF_MORE)?;
                let enough = found(&rates);
                calibration.more.push(rates);
                if enough {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The verdicts in worlds of one kind, and the smallest effect of interest.
    fn rates(
        &self,
        pattern: Pattern<'_>,
        aim: Aim,
        times: Times,
        (effect, holds): (f64, bool),
        runs: u32,
    ) -> Result<(Rates, f64), String> {
        let names = Names::new(self.index, times);
        let table = names.table(self.index);
        let index = EvidenceIndex::new(&table);
        let filters: Vec<&ModelFilter> =
            std::iter::once(&self.hypothesis.models).chain(&self.prediction.models).collect();
        let population = Population::new(self.index, &filters);
        let way = Way::primary(self.hypothesis);
        let scope = if matches!(pattern, Pattern::Change { .. }) { Scope::Changed } else { Scope::Taken };
        let context = TestContext {
            evidence: self.evidence,
            protocol: way.protocol,
            alpha: self.hypothesis.alpha,
            seed: self.cache.seed,
            needs: &self.prediction.needs,
            supported: &self.prediction.rule.supported,
            index: self.index,
            population: &population,
            scope,
            across: self.prediction.test.parts().across == Some(true),
            rows: &way.rows,
            cache: self.cache,
            world: None,
        };
        let setting = setting(&context, self.prediction, pattern, aim, &names)?;
        let smallest = setting.smallest();
        if !(smallest.is_finite() && smallest > 0.0) {
            return Err("the numbers that there are do not vary".to_string());
        }
        let at = |multiple: f64| {
            let plain = multiple * smallest;
            let bounded = if matches!(pattern, Pattern::Relation { .. }) { plain.min(0.95) } else { plain };
            aim.sign * bounded
        };
        let truth = Truth { effect: at(effect), elsewhere: at(2.0_f64.max(effect)) };
        let place =
            Place { hypothesis: self.hypothesis, evidence: self.evidence, index: &index, cache: self.cache };
        let seed = self.cache.seed.derive(&format!(
            "calibrate/{}/{}/{effect}/{}/{}",
            self.prediction.id, self.evidence, times.models, times.prompts
        ));
        let verdicts: Vec<Verdict> = (0..runs)
            .into_par_iter()
            .map(|run| {
                let world = setting.draw(truth, &mut seed.derive(&run.to_string()).rng());
                place.judged_in(Some(&world), self.prediction, &way).judgement.verdict
            })
            .collect();
        let mut counts = BTreeMap::new();
        for verdict in verdicts {
            *counts.entry(verdict).or_insert(0) += 1;
        }
        let first = &setting.drawn[0].models;
        let lineages = setting.lineages[0].iter().max().map_or(0, |most| *most as u64 + 1);
        let prompts = first.iter().map(|m| m.left.len() * times.prompts).max().unwrap_or(0) as u64;
        Ok((Rates { effect, holds, lineages, prompts, runs, verdicts: counts }, smallest))
    }
}

/// What was seen of the quantities of a test, with copies of models and prompts where there are to be more.
fn setting<'s>(
    context: &TestContext<'s>,
    prediction: &'s Prediction,
    pattern: Pattern<'s>,
    aim: Aim,
    names: &'s Names,
) -> Result<Setting<'s>, String> {
    let mut findings = Findings::default();
    let drawn_quantities = pattern.drawn();
    let parts = prediction.test.parts();
    let mut drawn = Vec::new();
    for quantity in &drawn_quantities {
        let cells = context.cells(quantity, &mut findings);
        if cells.models.is_empty() {
            return Err(findings.missing.join("; "));
        }
        drawn.push(Seen::of(quantity, cells));
    }
    let mut fixed: Vec<Seen<'s>> = Vec::new();
    for (_, quantity) in parts.quantities {
        if !drawn_quantities.contains(&quantity) {
            fixed.push(Seen::of(quantity, context.cells(quantity, &mut findings)));
        }
    }
    // Only models that both sides have can be related.
    if let Pattern::Relation { .. } = pattern {
        let (y, x) = (&mut drawn[0], &fixed[0]);
        y.models.retain(|model| x.models.iter().any(|other| other.id == model.id));
        if y.models.is_empty() {
            return Err("no model has both quantities".to_string());
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
            let originals = seen.models.len() / copy;
            for i in 0..originals {
                let model = seen.models[i].clone();
                seen.models.push(SeenModel { id: names.model(model.id, copy), ..model });
                lineages.push(lineages[i] + copy * roots.len());
            }
        }
        for seen in &mut fixed {
            let originals = seen.models.len() / copy;
            for i in 0..originals {
                let model = seen.models[i].clone();
                seen.models.push(SeenModel { id: names.model(model.id, copy), ..model });
            }
        }
        let shift = if matches!(pattern, Pattern::Change { .. }) { (copy * first) as f64 } else { 0.0 };
        for i in 0..first {
            along.push(if along[i] < 0.0 { along[i] } else { along[i] + shift });
        }
    }
    let mut setting = Setting::new(pattern, aim, drawn, fixed, lineages, along);
    setting.copies = names.prompts();
    Ok(setting)
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
        Pattern::Fact { fact, .. } => {
            let words: Vec<Option<String>> =
                models.iter().map(|m| context.model(m.id).and_then(|known| known.word(fact))).collect();
            let mut known: Vec<&String> = words.iter().flatten().collect();
            known.sort();
            known.dedup();
            let places: Vec<f64> = words
                .iter()
                .map(|word| word.as_ref().map_or(0.0, |word| known.partition_point(|k| *k < word) as f64))
                .collect();
            deviations(&places).ok_or_else(|| format!("the {fact} is the same in every model"))
        }
        Pattern::Relation { x, unit: Unit::Model, .. } => {
            let x = fixed.iter().find(|seen| seen.quantity == x);
            let of = |id: &str| x.and_then(|x| x.models.iter().find(|m| m.id == id)).map(|m| m.mean);
            let values: Vec<f64> = models.iter().filter_map(|m| of(m.id)).collect();
            deviations(&values).ok_or_else(|| "x is the same in every model".to_string())
        }
        Pattern::Change { change, .. } => {
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

/// Values less their mean, over their standard deviation; `None` where they do not differ.
fn deviations(values: &[f64]) -> Option<Vec<f64>> {
    let (mean, deviation) = (mean(values)?, standard_deviation(values)?);
    (deviation > 0.0).then(|| values.iter().map(|value| (value - mean) / deviation).collect())
}

/// Names of the copies of models and prompts.
struct Names {
    times: Times,
    models: BTreeMap<String, Vec<String>>,
    prompts: BTreeMap<String, Vec<String>>,
}

impl Names {
    fn new(index: &EvidenceIndex<'_>, times: Times) -> Names {
        let copies = |id: &str, times: usize| -> Vec<String> {
            let copy = |number| if number == 0 { id.to_string() } else { copy_of(id, number) };
            (0..times).map(copy).collect()
        };
        let models = index.models.iter().map(|m| (m.id.to_string(), copies(m.id, times.models)));
        let prompts: BTreeSet<&str> =
            index.table.rows.iter().filter_map(|row| row.prompt.as_deref()).collect();
        let prompts = prompts.into_iter().map(|id| (id.to_string(), copies(id, times.prompts)));
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
    fn table(&self, index: &EvidenceIndex<'_>) -> EvidenceTable {
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
