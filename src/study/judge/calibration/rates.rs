//! How often each verdict comes out in worlds in which the claim is false, and in which it is true.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    prepare::{Names, Times, setting},
    setting::Truth,
    truth::{Aim, Pattern, Size, aim, pattern},
};
use crate::judge::{
    cache::StatisticsCache,
    hypothesis::{Hypothesis, Prediction},
    judging::Place,
    multiverse::Way,
    population::Scope,
    verdict::Verdict,
};
use number::{
    evidence::{Evidence, EvidenceTable},
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
        let seen = Place { hypothesis, evidence, index: &index, cache: &cache };
        Study { prediction, seen }.calibration()
    };
    asked.iter().map(one).collect()
}

struct Study<'a> {
    prediction: &'a Prediction,
    /// What was seen, as it is judged.
    seen: Place<'a>,
}

impl Study<'_> {
    fn calibration(&self) -> Calibration {
        let mut calibration = Calibration {
            prediction: self.prediction.id.clone(),
            evidence: self.seen.evidence,
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
        let (worlds, smallest) = self.rates(pattern, aim, as_seen, effects, RUNS)?;
        (calibration.worlds, calibration.smallest, calibration.stated) = (worlds, Some(smallest), aim.stated);
        let truth = if aim.absent { (0.0, true) } else { (2.0, true) };
        let found = |rates: &Rates| rates.share(Verdict::Supported) >= POWER;
        if calibration.worlds.last().is_some_and(|rates| !found(rates)) {
            for times in [(1, 4), (4, 1), (4, 4)] {
                let times = Times { models: times.0, prompts: times.1 };
                let (rates, _) = self.rates(pattern, aim, times, &[truth], RUNS_OF_MORE)?;
                let enough = rates.iter().all(found);
                calibration.more.extend(rates);
                if enough {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The verdicts in worlds with each of these effects, and the smallest effect of interest.
    fn rates(
        &self,
        pattern: Pattern<'_>,
        aim: Aim,
        times: Times,
        effects: &[(f64, bool)],
        runs: u32,
    ) -> Result<(Vec<Rates>, f64), String> {
        let names = Names::new(self.seen.index, times);
        let table = names.table(self.seen.index);
        let index = EvidenceIndex::new(&table);
        let (population, way) = (self.seen.population(self.prediction), Way::primary(self.seen.hypothesis));
        let scope = if matches!(pattern, Pattern::Change { .. }) { Scope::Changed } else { Scope::Taken };
        let context = self.seen.context(None, self.prediction, &way, &population).with(scope);
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
        let place = Place { index: &index, ..self.seen };
        let lineages = setting.lineages[0].iter().max().map_or(0, |most| *most as u64 + 1);
        let prompts = setting.drawn[0].models.iter().map(|m| m.left.len() * times.prompts).max();
        let rates = effects.iter().map(|&(effect, holds)| {
            let truth = Truth { effect: at(effect), elsewhere: at(2.0_f64.max(effect)) };
            let seed = place.cache.seed.derive(&format!(
                "calibrate/{}/{}/{effect}/{}/{}",
                self.prediction.id, place.evidence, times.models, times.prompts
            ));
            let judged = |run: u32| {
                let world = setting.draw(truth, &mut seed.derive(&run.to_string()).rng());
                place.judged_in(Some(&world), self.prediction, &way).judgement.verdict
            };
            let mut verdicts = BTreeMap::new();
            for verdict in (0..runs).into_par_iter().map(judged).collect::<Vec<Verdict>>() {
                *verdicts.entry(verdict).or_insert(0) += 1;
            }
            Rates { effect, holds, lineages, prompts: prompts.unwrap_or(0) as u64, runs, verdicts }
        });
        Ok((rates.collect(), smallest))
    }
}
