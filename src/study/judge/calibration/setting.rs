//! One prediction made ready for simulation: what was seen of its quantities, and how a world with a given effect is drawn.

use std::{collections::BTreeMap, sync::Arc};

use rand::{RngExt, rngs::ChaCha12Rng};

use super::{
    aim::{Aim, Size},
    normal,
    profile::Apart,
    seen::{
        Seen, SeenModel, between, exchangeable, group_means, in_common, inside, left_of, normal_scores,
        of_mean, relations_differ, standardised,
    },
    shape::{Shape, Whose},
    truth::Pattern,
    world::World,
};
use crate::judge::{
    cells::{Cell, ModelCells},
    kinds::Unit,
};
use crate::stats::upper_tail;

/// What a draw needs to know.
pub(super) struct Setting<'a> {
    pub pattern: Pattern<'a>,
    pub aim: Aim,
    /// The quantities that are drawn, in the order of the pattern.
    pub drawn: Vec<Seen<'a>>,
    /// The other quantities of the test, which stay as they were seen.
    pub fixed: Vec<Seen<'a>>,
    /// The lineage of each model of the first drawn quantity, and of each of the second.
    pub lineages: Vec<Vec<usize>>,
    /// Of each model of the first drawn quantity, where it lies along what the claim is about: its group, its x.
    pub along: Vec<f64>,
    /// Names of the copies of each prompt, the prompt itself first.
    copies: BTreeMap<&'a str, Vec<&'a str>>,
    pub(super) spread: Vec<Spread>,
    /// Of each drawn quantity, how the models that have a prompt lie around their means on it, on average.
    common: Vec<BTreeMap<&'a str, f64>>,
    /// Prompts of which one may stand for another.
    exchangeable: Vec<Vec<&'a str>>,
    /// Of each model of the first drawn quantity, where its prompts lie along what the claim is about.
    along_prompts: Vec<BTreeMap<&'a str, f64>>,
    /// How far lineages differ in a relation between their prompts, on Fisher's scale.
    relations_differ: f64,
    /// What is made of the numbers beside setting their means.
    pub shape: Shape<'a>,
}

/// Standard deviations around what a world sets.
#[derive(Clone, Copy)]
pub(super) struct Spread {
    /// Of lineages.
    pub between: f64,
    /// Of models in a lineage.
    pub inside: f64,
    /// Of prompts in a model.
    within: f64,
    /// Of the mean over a model's prompts, by the choice of these.
    pub of_mean: f64,
}

impl Spread {
    /// Of the mean of a model that nothing sets apart.
    pub(super) fn all(self) -> f64 {
        (self.between.powi(2) + self.inside.powi(2) + self.of_mean.powi(2)).sqrt()
    }
}

/// What is true in a world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Truth {
    /// The effect, in the unit of the claim and with its sign.
    pub effect: f64,
    /// Of a claim about every model: the effect in all lineages but one.
    pub elsewhere: f64,
}

impl<'a> Setting<'a> {
    pub(super) fn new(
        pattern: Pattern<'a>,
        aim: Aim,
        drawn: Vec<Seen<'a>>,
        fixed: Vec<Seen<'a>>,
        lineages: Vec<Vec<usize>>,
        along: Vec<f64>,
        copies: BTreeMap<&'a str, Vec<&'a str>>,
    ) -> Setting<'a> {
        let spread = drawn.iter().zip(&lineages).enumerate().map(|(number, (seen, lineage))| {
            // Copies say nothing new of a spread.
            let originals = seen.models.iter().take_while(|model| model.id == model.of).count();
            let (models, lineage) = (&seen.models[..originals], &lineage[..originals]);
            let between = match pattern {
                Pattern::Difference { .. } | Pattern::Fact { .. } if number == 0 => {
                    let along = &along[..originals];
                    let (fitted, groups) = group_means(models, along);
                    // Without more lineages than groups nothing is left around the groups' means.
                    between(models, lineage, groups, |i| fitted[i])
                        .or_else(|| between(models, lineage, 1, |_| 0.0))
                }
                _ => between(models, lineage, 1, |_| 0.0),
            };
            let of_mean = of_mean(models, copies.values().next().map_or(1, Vec::len));
            let within = seen.within().unwrap_or(0.0);
            Spread { between: between.unwrap_or(0.0), inside: inside(models, lineage), within, of_mean }
        });
        let spread = spread.collect();
        let exchangeable = exchangeable(&drawn);
        let common = drawn.iter().map(|seen| in_common(&seen.models)).collect();
        let along_prompts: Vec<_> =
            drawn[0].models.iter().map(|model| along_prompts(pattern, model, &fixed)).collect();
        let relations_differ = relations_differ(&drawn[0].models, &lineages[0], &along_prompts);
        Setting {
            pattern,
            aim,
            drawn,
            fixed,
            lineages,
            along,
            copies,
            spread,
            common,
            exchangeable,
            along_prompts,
            relations_differ,
            shape: Shape::Free,
        }
    }

    /// The smallest effect of interest in the unit of the claim, without its sign.
    pub(super) fn smallest(&self) -> f64 {
        let Spread { between, within, .. } = self.spread[0];
        // A share of the variance is one of all that there is, and heaps are as wide as all of it makes them.
        let between = if matches!(self.pattern, Pattern::Fact { .. } | Pattern::Heaps { .. }) {
            self.spread[0].all()
        } else {
            between
        };
        match self.aim.smallest {
            Size::Plain(size) => size,
            Size::Deviations(size) => {
                let over_models = matches!(
                    self.pattern,
                    Pattern::Level { every: false, .. }
                        | Pattern::Levels { .. }
                        | Pattern::Difference { .. }
                        | Pattern::Fact { .. }
                        | Pattern::Heaps { .. }
                );
                size * if over_models && between > 0.0 { between } else { within }
            }
        }
    }

    /// Draws a world. The prompts of every model and quantity are those of one draw, so that what they have in common stays.
    pub(super) fn draw(&self, truth: Truth, rng: &mut ChaCha12Rng) -> World<'a> {
        let stands_for = self.prompts_drawn(rng);
        let of_lineages = self.lineages.iter().flatten().max().map_or(0, |most| most + 1);
        let lineage: Vec<f64> = (0..of_lineages).map(|_| normal(rng)).collect();
        let turned = if self.shape.turns() { of_lineages } else { 0 };
        let turn: Vec<f64> = (0..turned).map(|_| rng.random()).collect();
        let mut quantities = Vec::new();
        for (number, seen) in self.drawn.iter().enumerate() {
            let mut cells = seen.cells.clone();
            cells.models.clear();
            for (i, model) in seen.models.iter().enumerate() {
                let spread = self.spread[number];
                let apart = lineage[self.lineages[number][i]];
                let own = apart * spread.between + normal(rng) * spread.inside;
                let level = self.level(number, i, own, truth);
                let along = self.along_prompts.get(i).filter(|_| number == 0);
                let truth = self.in_lineage(truth, apart);
                let left = self.left(number, model, &stands_for, rng);
                let alone = if self.shape.draws() { normal(rng) } else { 0.0 };
                // So many lineages of all have what is claimed.
                let has = self.pattern.share().is_some_and(|share| upper_tail(-apart) < share + truth.effect);
                let place = self.lineages[number][i];
                let apart = Apart { normal: apart, turn: turn.get(place).copied().unwrap_or(0.0) };
                let whose =
                    Whose { number, i, model, lineage: place, apart, own: alone, effect: truth.effect, has };
                let shaped = |prompt: Option<(&str, &Cell<'a>)>, value: f64| {
                    self.shape.value(whose, prompt, value, rng)
                };
                let own = self.prompts(model, along, level, truth, &left, shaped);
                cells.models.insert(model.id, own);
            }
            quantities.push((Arc::clone(&seen.quantity), cells));
        }
        for seen in &self.fixed {
            let mut cells = seen.cells.clone();
            cells.models.clear();
            for model in &seen.models {
                let mut own = ModelCells { prompts: BTreeMap::new(), aggregate: None };
                if model.left.is_empty() {
                    own.aggregate = Some(model.mean);
                }
                let original = &seen.cells.models[model.of].prompts;
                for (prompt, cell) in original {
                    for copy in self.copies_of(prompt) {
                        own.prompts.insert(copy, *cell);
                    }
                }
                cells.models.insert(model.id, own);
            }
            quantities.push((Arc::clone(&seen.quantity), cells));
        }
        World { quantities }
    }

    /// For each prompt and copy of one, the prompt that stands for it in a world.
    fn prompts_drawn(&self, rng: &mut ChaCha12Rng) -> BTreeMap<&str, &'a str> {
        let mut stands_for = BTreeMap::new();
        for block in &self.exchangeable {
            for prompt in block {
                for copy in self.copies_of(prompt) {
                    stands_for.insert(*copy, block[rng.random_range(0..block.len())]);
                }
            }
        }
        stands_for
    }

    /// How a model's prompts lie around its mean. A copy is a model of its own: it shares with the others what they have in common
    /// in a prompt, and no more.
    fn left<'s>(
        &'s self,
        number: usize,
        model: &SeenModel<'a>,
        stands_for: &BTreeMap<&'s str, &'a str>,
        rng: &mut ChaCha12Rng,
    ) -> BTreeMap<&'s str, f64> {
        if model.id == model.of || model.left.is_empty() {
            let known = stands_for.iter().filter_map(|(copy, stand)| Some((*copy, *model.left.get(stand)?)));
            return known.collect();
        }
        let common = &self.common[number];
        let own = self.prompts_drawn(rng);
        let of = |(copy, stand): (&&'s str, &&'a str)| {
            let alone = own.get(copy)?;
            Some((*copy, common.get(stand)? + model.left.get(alone)? - common.get(alone)?))
        };
        stands_for.iter().filter_map(of).collect()
    }

    /// What is true in a lineage that a draw sets apart: a relation between prompts is stronger in some than in others.
    fn in_lineage(&self, truth: Truth, apart: f64) -> Truth {
        match self.pattern {
            Pattern::Relation { asked } if asked.unit == Unit::Prompt => {
                Truth { effect: (truth.effect.atanh() + apart * self.relations_differ).tanh(), ..truth }
            }
            _ => truth,
        }
    }

    /// The names of the copies of a prompt, itself among them.
    fn copies_of<'s>(&'s self, prompt: &'s &'a str) -> &'s [&'a str] {
        self.copies.get(prompt).map_or(std::slice::from_ref(prompt), Vec::as_slice)
    }

    fn prompts(
        &self,
        model: &SeenModel<'a>,
        along: Option<&BTreeMap<&'a str, f64>>,
        level: f64,
        truth: Truth,
        left: &BTreeMap<&str, f64>,
        mut shaped: impl FnMut(Option<(&str, &Cell<'a>)>, f64) -> f64,
    ) -> ModelCells<'a> {
        if model.left.is_empty() {
            return ModelCells { prompts: BTreeMap::new(), aggregate: Some(shaped(None, level)) };
        }
        let deviation = model.deviation().unwrap_or(0.0);
        let mut own = BTreeMap::new();
        for (prompt, cell) in &model.prompts {
            for copy in self.copies_of(prompt) {
                let left = left[copy];
                let value = match along.and_then(|along| along.get(prompt)) {
                    Some(z) if matches!(self.pattern, Pattern::Relation { .. }) => {
                        let rho = truth.effect;
                        level + rho * z * deviation + (1.0 - rho * rho).max(0.0).sqrt() * left
                    }
                    Some(z) => level + truth.effect * z + left,
                    None => level + left,
                };
                own.insert(*copy, Cell { value: shaped(Some((prompt, cell)), value), ..*cell });
            }
        }
        ModelCells { prompts: own, aggregate: None }
    }
}

/// Where the prompts of a model lie along what a claim is about, in standard deviations: by x, or by category. None where they
/// do not differ.
fn along_prompts<'a>(
    pattern: Pattern<'_>,
    model: &SeenModel<'a>,
    fixed: &[Seen<'a>],
) -> BTreeMap<&'a str, f64> {
    let values: BTreeMap<&str, f64> = match pattern {
        Pattern::Relation { asked } if asked.unit == Unit::Prompt => {
            let own = |seen: &Seen<'a>| {
                let own = seen.models.iter().find(|x| x.id == model.id);
                own.map(|own| own.left.clone()).unwrap_or_default()
            };
            let (x, given): (_, Vec<_>) = (own(&fixed[0]), fixed[1..].iter().map(own).collect());
            let group = |prompt: &str| {
                let category = model.prompts.get(prompt).and_then(|cell| cell.category);
                category.filter(|_| asked.within_category).unwrap_or_default()
            };
            let kept: Vec<&str> =
                x.keys().copied().filter(|prompt| given.iter().all(|g| g.contains_key(prompt))).collect();
            let values: Vec<f64> = kept.iter().map(|prompt| x[prompt]).collect();
            let controls: Vec<Vec<f64>> =
                given.iter().map(|g| kept.iter().map(|prompt| g[prompt]).collect()).collect();
            let groups: Vec<&str> = kept.iter().map(|prompt| group(prompt)).collect();
            kept.iter().copied().zip(left_of(&values, &controls, &groups)).collect()
        }
        Pattern::Categories { .. } => {
            let mut names: Vec<&str> = model.prompts.values().filter_map(|cell| cell.category).collect();
            names.sort_unstable();
            names.dedup();
            let place = |name: &str| names.partition_point(|other| *other < name) as f64;
            model.prompts.iter().filter_map(|(p, cell)| Some((*p, place(cell.category?)))).collect()
        }
        _ => BTreeMap::new(),
    };
    let all: Vec<f64> = values.values().copied().collect();
    let all = if pattern.is_of_ranks() { normal_scores(&all) } else { all };
    values.keys().copied().zip(standardised(&all).unwrap_or_default()).collect()
}
