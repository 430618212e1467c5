//! Correlations with prompts as units: one per model, prompts within their set, then the pool of lineages.

use std::collections::{BTreeMap, BTreeSet};

use super::{Correlation, FEWEST, INTERVAL, Sides, Statistics, chances, controls, correlate};
use crate::{
    judge::{
        cells::Cells,
        context::TestContext,
        digits::digits,
        findings::Findings,
        outcome::Estimate,
        shared::{
            blocks::{sets, within_blocks},
            centred::{categories, centred},
            lineages::pool_of_lineages,
        },
    },
    stats::{self, Method, Pairs, Sampled, Units},
};
use number::metric::Paired;

/// A model with its prompts joined.
struct Joined<'a> {
    model: &'a str,
    pair: Paired<&'a str>,
    /// By prompt, the set and the category within which it may be dealt anew, as a number and in words.
    blocks: Option<(Vec<usize>, Vec<String>)>,
    /// What of the joined numbers is correlated: their ranks unless they are ranks already.
    method: Method,
}

impl Joined<'_> {
    fn blocks(&self) -> Option<&[usize]> {
        self.blocks.as_ref().map(|(numbers, _)| &numbers[..])
    }
}

/// Joins the prompts of one model. Those of several sets are compared within their set: between sets more differs than the two
/// quantities. `None` where protocols may not be compared.
fn joined<'a>(
    asked: &Correlation,
    method: Method,
    findings: &mut Findings,
    sides: Sides<'_, 'a>,
    model: &'a str,
    counted: &mut BTreeMap<&'a str, usize>,
) -> Option<Joined<'a>> {
    let (x, y, given) = sides;
    let categories = asked.within_category.then(|| categories(y, model));
    // Centring takes out what prompts of one category have in common, e.g. that nonsense is long and uncertain.
    let side = |cells: &Cells<'a>| match &categories {
        Some(categories) => centred(&cells.by_prompt(model), cells, model, categories),
        None => cells.by_prompt(model),
    };
    let across = asked.across_protocols;
    let pair = findings.pair(&side(x), &side(y), across)?;
    let pair = given.iter().fold(pair, |pair, control| pair.given(&side(control)));
    let (of, names) = sets(y.models.get(model)?, pair.keys());
    let mut sizes = vec![0; names.len()];
    pair.keys().iter().for_each(|prompt| sizes[of[prompt]] += 1);
    for (name, size) in names.iter().zip(&sizes) {
        let most = counted.entry(name).or_default();
        *most = (*most).max(*size);
    }
    let blocks = |pair: &Paired<&'a str>, several: bool| {
        let in_words = |prompt: &&'a str| {
            let category = categories.as_ref().map(|own| own[prompt]);
            (several.then_some(of[prompt]), category)
        };
        let words: Vec<_> = pair.keys().iter().map(in_words).collect();
        let mut known = words.clone();
        known.sort_unstable();
        known.dedup();
        let numbers = words.iter().map(|own| known.partition_point(|other| other < own)).collect();
        let names = pair.keys().iter().zip(&words).map(|(prompt, (set, _))| {
            let cell = y.models.get(model).and_then(|own| own.prompts.get(prompt));
            let category = cell.and_then(|cell| cell.category).filter(|_| categories.is_some());
            [set.map(|set| names[set]), category].into_iter().flatten().collect::<Vec<_>>().join("/")
        });
        (several || categories.is_some()).then(|| (numbers, names.collect::<Vec<String>>()))
    };
    if names.len() < 2 {
        let blocks = blocks(&pair, false);
        return Some(Joined { model, pair, blocks, method });
    }
    // A set of few prompts says nothing by itself.
    let kept: BTreeMap<&str, usize> = pair
        .keys()
        .iter()
        .map(|prompt| (*prompt, of[prompt]))
        .filter(|(_, set)| sizes[*set] >= FEWEST)
        .collect();
    let within = |cells: &Cells<'a>| within_blocks(&side(cells), &kept, method);
    let pair = findings.pair(&within(x), &within(y), across)?;
    let pair = given.iter().fold(pair, |pair, control| pair.given(&within(control)));
    let blocks = blocks(&pair, true);
    Some(Joined { model, pair, blocks, method: Method::Pearson })
}

/// One correlation per model with prompts as units, then their pool with lineages as units.
pub(super) fn run<'a>(
    context: &TestContext<'a>,
    asked: &Correlation,
    method: Method,
    findings: &mut Findings,
    sides: Sides<'_, 'a>,
) {
    let (x, y, _) = sides;
    let mut all: Vec<Joined<'_>> = Vec::new();
    let mut counted = BTreeMap::new();
    for model in x.models.keys().filter(|m| y.models.contains_key(*m)) {
        let Some(one) = joined(asked, method, findings, sides, model, &mut counted) else { return };
        all.push(one);
    }
    findings.notes.extend(within_sets(&counted));
    findings.within_sets = true;
    let seen = all.len();
    // All models at once: those with the same prompts share their permutations.
    let mut ps = vec![None; all.len()];
    for method in [Method::Spearman, Method::Pearson] {
        let these: Vec<usize> = (0..all.len()).filter(|&i| all[i].method == method).collect();
        let found = chances(context, method, these.iter().map(|&i| (&all[i].pair, all[i].blocks())));
        these.into_iter().zip(found).for_each(|(i, p)| ps[i] = p);
    }
    let mut found: Vec<Estimate> = Vec::new();
    let mut effects = BTreeMap::<&str, Sampled<&'a str>>::new();
    let mut pairs = Vec::new();
    // Models without a correlation, by how many prompts they have: one note each, not one per model.
    let mut without = BTreeMap::<usize, Vec<&str>>::new();
    for (one, p) in all.iter().zip(ps) {
        let Joined { model, pair, .. } = one;
        let (blocks, names) = (one.blocks(), one.blocks.as_ref().map(|(_, names)| names.clone()));
        let of_values = one.method;
        let one = correlate(context, findings, model, pair, (of_values, method), blocks, p);
        if let Some(r) = one.value {
            // A perfect correlation is infinite on Fisher's scale: it is shown, but no mean can hold it.
            match stats::z_variance(r, pair.len(), controls(pair, blocks), method) {
                Some(variance) => {
                    let moves = stats::moves(pair, of_values);
                    effects.insert(model, Sampled::of_variance(r.atanh(), variance, moves));
                }
                None => findings.notes.push(format!(
                    "{model}: rho = {} from {} prompts has no finite z variance and is not pooled",
                    digits(r),
                    pair.len()
                )),
            }
            found.push(one);
            pairs.extend(Pairs::new(pair, of_values, names));
        } else {
            without.entry(pair.len()).or_default().push(model);
        }
    }
    for (prompts, models) in without {
        findings.notes.push(format!("no correlation from {prompts} prompts: {}", models.join(", ")));
    }
    if seen == 0 && !findings.lacks() {
        findings.missing.push("no model has both quantities".into());
    } else if found.is_empty() && !findings.lacks() {
        findings
            .missing
            .push(format!("needs prompts that have both quantities, at least {FEWEST} per model"));
    }
    let lineages = context.lineages(found.iter().map(|e| e.label.as_str()), findings);
    // A model whose p is withheld counts as not significant, and stays in the number that Holm corrects for.
    let adjusted = stats::holm(&found.iter().map(|e| e.p.unwrap_or(1.0)).collect::<Vec<_>>());
    let significant = |sign: f64| {
        let hits = found.iter().zip(&adjusted);
        let hits = hits.filter(|(e, p)| **p < context.alpha && e.value.is_some_and(|r| r * sign > 0.0));
        let hits: BTreeSet<&str> = hits.map(|(e, _)| e.label.as_str()).collect();
        lineages.share(|model| hits.contains(model), context.alpha).map(|share| share.value)
    };
    let (positive, negative) = (significant(1.0), significant(-1.0));
    let models = found.len() as f64;
    let effects = pool_of_lineages(&lineages, &effects);
    // Models are pooled on Fisher's scale, where correlations are about normal, and the pool is shown as a correlation.
    let pooled = stats::random_effects(&effects, context.alpha);
    if effects.len() < 2 {
        let needs = format!("needs 2 models with a correlation that is not perfect, has {}", effects.len());
        findings.reason(&["rho", "absolute-rho", "p", "low", "high"], needs);
    }
    let pooled = Estimate {
        label: "pooled".into(),
        value: pooled.map(|p| p.effect.tanh()),
        low: pooled.map(|p| p.interval.low.tanh()),
        high: pooled.map(|p| p.interval.high.tanh()),
        p: pooled.map(|p| p.p),
        n: effects.len() as u64,
    };
    if !found.is_empty() {
        findings.notes.push(format!(
            "p of a model is a permutation p, uncorrected; {INTERVAL}; significance is after Holm over {models} models; pooled by \
             random effects on Fisher's z with lineages as units, crossed with the prompts that they share, interval and p by \
             Student's t (Hartung-Knapp)"
        ));
    }
    findings.offer(Statistics {
        rho: pooled.value,
        absolute_rho: pooled.value.map(f64::abs),
        p: pooled.p,
        low: pooled.low,
        high: pooled.high,
        models: Some(models),
        lineages: findings.lineages(),
        families: findings.families(),
        share_positive_significant: positive,
        share_negative_significant: negative,
        bootstrap_low: None,
        bootstrap_high: None,
        loo_lowest: None,
        loo_highest: None,
    });
    findings.units = (!pairs.is_empty()).then_some(Units::Pairs(pairs));
    findings.estimates.extend(found);
    findings.estimates.push(pooled);
}

/// The sets within which prompts are compared, with how many prompts of each; nothing where there is but one.
fn within_sets(counted: &BTreeMap<&str, usize>) -> Option<String> {
    let list = |few: bool| {
        let own = counted.iter().filter(|(_, n)| (**n < FEWEST) == few);
        own.map(|(set, n)| format!("{set} ({n})")).collect::<Vec<_>>().join(", ")
    };
    let left = list(true);
    let left = if left.is_empty() { left } else { format!("; too few prompts to be compared: {left}") };
    (counted.len() > 1).then(|| format!("prompts are compared within their sets: {}{left}", list(false)))
}
