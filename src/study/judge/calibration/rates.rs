//! How often each verdict comes out in worlds in which the claim is false, and in which it is true.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{
    aim::Aim,
    prepare::{Names, Times, setting},
    setting::{Setting, Truth},
    truth::{Pattern, pattern},
};
use crate::judge::{
    cache::StatisticsCache,
    hypothesis::{Hypothesis, Prediction},
    judging::Place,
    multiverse::Way,
    population::Scope,
    verdict::Verdict,
};
use crate::stats::binomial_at_least;
use number::{
    evidence::{Evidence, EvidenceTable},
    index::EvidenceIndex,
};

/// Worlds that are drawn of each kind for the numbers of models and prompts that there are.
const RUNS: u32 = 100;
/// Worlds where more verdicts than the level allows were false in so many: whether by chance, these tell.
const RUNS_IN_DOUBT: u32 = 500;
/// Worlds that are drawn of each kind for more models or prompts.
const RUNS_OF_MORE: u32 = 40;
/// Worlds after which it is asked whether any more could tell something new.
const FIRST: u32 = 20;
/// The share of worlds of a true claim in which it should be found.
pub const WANTED_POWER: f64 = 0.8;
/// Lineages, and prompts, that are tried at most.
const MOST: Times = Times { models: 64, prompts: 600 };
/// Prompts of all lineages together that are tried at most, where there are to be more of both.
const MOST_UNITS: usize = 8_000;
/// A rate above the level is no chance where one as high came in less than this share of studies.
const BY_CHANCE: f64 = 0.01;

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
    /// The level of the hypothesis: the most false verdicts, as a share.
    pub alpha: f64,
    /// The worlds with as many models and prompts as there are, those in which the claim is false first.
    pub worlds: Vec<Rates>,
    /// Worlds of a true claim with more models or prompts, each as many as the one before or more, until enough were found.
    pub more: Vec<Rates>,
    /// The worlds with as many models and prompts as were tried last, like `worlds`; none where those that there are do.
    pub larger: Vec<Rates>,
}

/// One kind of world: what is true in it, and the verdicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// The effect, in multiples of the smallest effect of interest in the direction of the claim.
    pub effect: f64,
    /// The effect that was drawn, in the unit of the claim and in its direction: a correlation of more than 0.95 is not.
    pub drawn: f64,
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

impl Calibration {
    /// The worlds in which too many verdicts are false, beyond what chance does with as many worlds.
    pub fn excesses(&self) -> impl Iterator<Item = &Rates> {
        let exceeds = |rates: &&Rates| {
            let (wrong, runs) = (u64::from(rates.false_verdicts()), u64::from(rates.runs));
            binomial_at_least(wrong, runs, self.alpha).is_some_and(|p| p < BY_CHANCE)
        };
        self.worlds.iter().chain(&self.larger).filter(exceeds)
    }

    /// The share of worlds in which a claim that is true with this multiple of the smallest effect is found, on as many models
    /// and prompts as there are.
    pub fn power(&self, effect: f64) -> Option<f64> {
        let of = |rates: &&Rates| rates.holds && rates.effect == effect;
        self.worlds.iter().find(of).map(|rates| rates.share(Verdict::Supported))
    }

    /// The largest share of worlds of a false claim in which it is supported, on as many models and prompts as there are.
    pub fn falsely_supported(&self) -> Option<f64> {
        let of = |rates: &&Rates| !rates.holds;
        self.worlds.iter().filter(of).map(|rates| rates.share(Verdict::Supported)).reduce(f64::max)
    }

    /// The fewest lineages and prompts that were tried with which a true claim is found in [`WANTED_POWER`] of the worlds: with an
    /// effect of once the smallest one of interest, or twice where the rule asks for that one at least.
    pub fn enough(&self) -> Option<&Rates> {
        let tried = || self.worlds.iter().chain(&self.more).filter(|rates| rates.holds);
        let found = |wanted: f64| {
            tried().find(|rates| rates.effect == wanted && rates.share(Verdict::Supported) >= WANTED_POWER)
        };
        [1.0, 2.0, 0.5, 0.0].into_iter().find_map(found)
    }

    /// Whether every world on as many models and prompts as there are was untestable: nothing that is true could be found.
    pub fn is_mute(&self) -> bool {
        !self.worlds.is_empty() && self.worlds.iter().all(|rates| rates.share(Verdict::Untestable) == 1.0)
    }
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
    asked.par_iter().map(one).collect()
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
            alpha: self.seen.hypothesis.alpha,
            worlds: Vec::new(),
            more: Vec::new(),
            larger: Vec::new(),
        };
        if let Err(why) = self.fill(&mut calibration) {
            calibration.not_simulated = why;
        }
        calibration
    }

    fn fill(&self, calibration: &mut Calibration) -> Result<(), String> {
        let pattern = pattern(self.prediction)?;
        let aim = Aim::of(pattern, &self.prediction.rule);
        let as_seen = Times { models: 1, prompts: 1 };
        let (worlds, smallest) =
            self.of_size(pattern, aim, as_seen, |worlds| (worlds.all(), worlds.smallest))?;
        (calibration.worlds, calibration.smallest, calibration.stated) = (worlds, Some(smallest), aim.stated);
        self.more(calibration, pattern, aim)
    }

    /// Tries more lineages and prompts until a true claim is found often enough.
    fn more(&self, calibration: &mut Calibration, pattern: Pattern<'_>, aim: Aim) -> Result<(), String> {
        let Some(seen) = calibration.worlds.last() else { return Ok(()) };
        let (lineages, prompts) = (seen.lineages as usize, seen.prompts as usize);
        let units = lineages * prompts;
        // How lineages differ is not seen in one, nor how prompts do in a mean.
        let models: Vec<usize> = [2, 4, 8, 16, 32]
            .into_iter()
            .filter(|times| lineages > 1 && lineages * times <= MOST.models)
            .collect();
        let prompts = Some(4).filter(|times| prompts > 1 && prompts * times <= MOST.prompts);
        let alone = prompts.map(|prompts| Times { models: 1, prompts });
        // As many of both as a laptop simulates in seconds.
        let most = models.last().zip(prompts).map(|(models, prompts)| Times { models: *models, prompts });
        let most = most.filter(|times| times.models * times.prompts * units <= MOST_UNITS);
        let of_models = models.iter().map(|&models| Times { models, prompts: 1 });
        let tried: Vec<Times> = alone.into_iter().chain(of_models).chain(most).collect();
        let wanted = aim.wanted(pattern);
        let found = |rates: &Rates| rates.share(Verdict::Supported) >= WANTED_POWER;
        if calibration.worlds.iter().any(|rates| rates.holds && rates.effect == wanted && found(rates)) {
            return Ok(());
        }
        for (number, times) in tried.iter().enumerate() {
            let is_last = number + 1 == tried.len();
            let (rates, larger) = self.of_size(pattern, aim, *times, |worlds| {
                let rates = worlds.rates(wanted, true, RUNS_OF_MORE);
                // What could say nothing on so few was never wrong: whether it is with more is asked here.
                let larger = (is_last || found(&rates)).then(|| worlds.all());
                (rates, larger)
            })?;
            calibration.more.push(rates);
            if let Some(larger) = larger {
                calibration.larger = larger;
                break;
            }
        }
        Ok(())
    }

    /// What is found in worlds with so many times the models and prompts.
    fn of_size<R>(
        &self,
        pattern: Pattern<'_>,
        aim: Aim,
        times: Times,
        find: impl FnOnce(&Worlds<'_>) -> R,
    ) -> Result<R, String> {
        let names = Names::new(self.seen.index, times);
        let table = names.table(self.seen.index);
        let index = EvidenceIndex::new(&table);
        let (population, way) = (self.seen.population(self.prediction), Way::primary(self.seen.hypothesis));
        let scope = match pattern {
            Pattern::Change { .. } | Pattern::Kept { .. } => Scope::Changed,
            Pattern::Along { .. } | Pattern::Together { .. } => Scope::EveryKind,
            _ => Scope::Taken,
        };
        let context = self.seen.context(None, self.prediction, &way, &population).with(scope);
        let setting = setting(&context, self.prediction, pattern, aim, &names)?;
        let smallest = setting.smallest();
        if !(smallest.is_finite() && smallest > 0.0) {
            return Err("the numbers that there are do not vary".to_string());
        }
        let place = Place { index: &index, ..self.seen };
        Ok(find(&Worlds {
            prediction: self.prediction,
            place,
            setting: &setting,
            way: &way,
            times,
            smallest,
        }))
    }
}

/// The worlds of one size.
struct Worlds<'a> {
    prediction: &'a Prediction,
    /// With the models that the worlds have.
    place: Place<'a>,
    setting: &'a Setting<'a>,
    way: &'a Way,
    times: Times,
    /// The smallest effect of interest.
    smallest: f64,
}

impl Worlds<'_> {
    /// The verdicts in worlds in which the claim is false, and in which it is true.
    fn all(&self) -> Vec<Rates> {
        let effects = self.setting.aim.effects(self.setting.pattern);
        effects.iter().map(|&(effect, holds)| self.rates(effect, holds, RUNS)).collect()
    }

    /// The verdicts in worlds with an effect of this multiple of the smallest one.
    fn rates(&self, effect: f64, holds: bool, runs: u32) -> Rates {
        let Worlds { prediction, place, setting, way, times, smallest } = self;
        let Setting { pattern, aim, .. } = setting;
        let at = |multiple: f64| pattern.drawn_with(aim.sign * multiple * smallest);
        let truth = Truth { effect: at(effect), elsewhere: at(2.0_f64.max(effect)) };
        let lineages = setting.lineages[0].iter().max().map_or(0, |most| *most as u64 + 1);
        let prompts = setting.drawn[0].models.iter().map(|m| m.left.len() * times.prompts).max();
        let seed = place.cache.seed.derive(&format!(
            "calibrate/{}/{}/{effect}/{}/{}",
            prediction.id, place.evidence, times.models, times.prompts
        ));
        let judged = |run: u32| {
            let world = setting.draw(truth, &mut seed.derive(&run.to_string()).rng());
            place.judged_in(Some(&world), prediction, way).judgement.verdict
        };
        let mut rates = Rates {
            effect,
            drawn: pattern.possible(effect * smallest),
            holds,
            lineages,
            prompts: prompts.unwrap_or(0) as u64,
            runs: 0,
            verdicts: BTreeMap::new(),
        };
        let mut until = FIRST.min(runs);
        loop {
            for verdict in (rates.runs..until).into_par_iter().map(judged).collect::<Vec<Verdict>>() {
                *rates.verdicts.entry(verdict).or_insert(0) += 1;
            }
            rates.runs = until;
            let Some(next) = worth(&rates, runs, place.hypothesis.alpha) else { break };
            until = next;
        }
        rates
    }
}

/// How many worlds to draw in all, where more would tell something; `runs` are meant.
fn worth(rates: &Rates, runs: u32, alpha: f64) -> Option<u32> {
    let untestable = rates.share(Verdict::Untestable) == 1.0;
    let in_vain = runs == RUNS_OF_MORE && 2.0 * rates.share(Verdict::Supported) <= 1.0;
    match rates.runs {
        done if done < runs => (!untestable && !in_vain).then_some(runs),
        done if done < RUNS_IN_DOUBT => {
            let wrong = f64::from(rates.false_verdicts());
            (runs == RUNS && wrong > alpha * f64::from(done)).then_some(RUNS_IN_DOUBT)
        }
        _ => None,
    }
}
