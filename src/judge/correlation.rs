//! `correlation`: of two quantities over models, or over prompts within each model with the models pooled.

use std::collections::BTreeMap;

use super::{
    bench::{Bench, Tested},
    cells::Cells,
    outcome::Estimate,
};
use crate::{
    config::hypothesis::{self, Quantity, Unit},
    metric::{Paired, Series},
    stats::{self, Method, Pairs, Units},
};

/// The fields of the test, as the file gives them.
pub(super) struct Asked<'a> {
    pub x: &'a Quantity,
    pub y: &'a Quantity,
    pub method: hypothesis::Correlation,
    pub unit: Unit,
    pub given: &'a [Quantity],
    pub within_category: bool,
    pub across: bool,
}

/// Two units always correlate perfectly and three nearly so: with fewer than four there is no interval, and no value
/// worth printing.
const FEWEST: usize = 4;

const INTERVAL: &str = "interval on Fisher's z, normal, approximate with few units";

pub(super) fn test(bench: &Bench<'_>, asked: &Asked<'_>) -> Tested {
    let method = match asked.method {
        hypothesis::Correlation::Spearman => Method::Spearman,
        hypothesis::Correlation::Pearson => Method::Pearson,
    };
    let name = if method == Method::Spearman { "Spearman's rho" } else { "Pearson's r" };
    let mut tested = Tested::new(name);
    let x = bench.enough(asked.x, &mut tested);
    let y = bench.enough(asked.y, &mut tested);
    let given: Vec<Cells> = asked.given.iter().map(|q| bench.cells(q, &mut tested)).collect();
    match asked.unit {
        Unit::Model => over_models(bench, asked, method, &mut tested, (&x, &y, &given)),
        Unit::Prompt => over_prompts(bench, asked, method, &mut tested, (&x, &y, &given)),
    }
    tested
}

type Sides<'a> = (&'a Cells, &'a Cells, &'a [Cells]);

fn over_models(bench: &Bench<'_>, asked: &Asked<'_>, method: Method, tested: &mut Tested, sides: Sides<'_>) {
    let (x, y, given) = sides;
    let Some(pair) = tested.pair(&x.by_model(), &y.by_model(), asked.across) else { return };
    let pair = given.iter().fold(pair, |pair, control| pair.given(&control.by_model()));
    bench.enough_models(pair.len(), tested);
    if pair.len() < FEWEST && !tested.lacks() {
        tested
            .missing
            .push(format!("a correlation over models needs at least {FEWEST}, have {}", pair.len()));
    }
    if asked.within_category {
        tested.notes.push("within-category has no meaning with models as units and was ignored".into());
    }
    let one = correlate(bench, tested, "models", &pair, method, None);
    if one.value.is_some() {
        tested.notes.push(format!("permutation p; {INTERVAL}"));
    }
    for (name, value) in [("rho", one.value), ("p", one.p), ("low", one.low), ("high", one.high)] {
        tested.statistic(name, value);
    }
    tested.statistic("models", pair.len() as f64);
    tested.statistic("share-positive-significant", None);
    tested.statistic("share-negative-significant", None);
    tested.units = Pairs::new(&pair, method, None).map(|pairs| Units::Pairs(vec![pairs]));
    tested.estimates.push(one);
}

fn over_prompts(bench: &Bench<'_>, asked: &Asked<'_>, method: Method, tested: &mut Tested, sides: Sides<'_>) {
    let (x, y, given) = sides;
    let mut found: Vec<Estimate> = Vec::new();
    let mut effects = Vec::new();
    let mut pairs = Vec::new();
    let mut seen = 0;
    // Models without a correlation, by how many prompts they have: one note each, not one per model.
    let mut without = BTreeMap::<usize, Vec<&str>>::new();
    for model in x.models.keys().filter(|m| y.models.contains_key(*m)) {
        seen += 1;
        let categories = asked.within_category.then(|| categories(y, model));
        let side = |cells: &Cells| match &categories {
            Some(categories) => centred(&cells.by_prompt(model), cells, model, categories),
            None => cells.by_prompt(model),
        };
        let Some(pair) = tested.pair(&side(x), &side(y), asked.across) else { return };
        let pair = given.iter().fold(pair, |pair, control| pair.given(&side(control)));
        let blocks: Option<Vec<usize>> =
            categories.as_ref().map(|c| pair.keys().iter().map(|prompt| c[prompt]).collect());
        let one = correlate(bench, tested, model, &pair, method, blocks.as_deref());
        if let Some(r) = one.value {
            match stats::z_variance(r, pair.len(), controls(&pair, blocks.as_deref()), method) {
                Some(variance) => effects.push((r.atanh(), variance)),
                None => tested.notes.push(format!(
                    "{model}: rho = {} from {} prompts has no finite z variance and is not pooled",
                    super::rule::digits(r),
                    pair.len()
                )),
            }
            found.push(one);
            let category = |prompt: &String| {
                let cell = y.models.get(model)?.prompts.get(prompt)?;
                cell.category.clone()
            };
            let names = blocks
                .as_ref()
                .map(|_| pair.keys().iter().map(|p| category(p).unwrap_or_default()).collect());
            pairs.extend(Pairs::new(&pair, method, names));
        } else {
            without.entry(pair.len()).or_default().push(model);
        }
    }
    for (prompts, models) in without {
        tested.notes.push(format!("no correlation from {prompts} prompts: {}", models.join(", ")));
    }
    if seen == 0 && !tested.lacks() {
        tested.missing.push("no model has both quantities".into());
    } else if found.is_empty() && !tested.lacks() {
        tested.missing.push(format!("needs prompts that have both quantities, at least {FEWEST} per model"));
    }
    bench.enough_models(found.len(), tested);
    let adjusted = stats::holm(&found.iter().map(|e| e.p.unwrap_or(1.0)).collect::<Vec<_>>());
    let significant = |sign: f64| {
        let hits = found.iter().zip(&adjusted);
        hits.filter(|(e, p)| **p < bench.alpha && e.value.is_some_and(|r| r * sign > 0.0)).count() as f64
    };
    let (positive, negative) = (significant(1.0), significant(-1.0));
    let models = found.len() as f64;
    let pooled = stats::random_effects(&effects, bench.alpha);
    let pooled = Estimate {
        label: "pooled".into(),
        value: pooled.map(|p| p.effect.tanh()),
        low: pooled.map(|p| p.interval.low.tanh()),
        high: pooled.map(|p| p.interval.high.tanh()),
        p: pooled.map(|p| p.p),
        n: effects.len() as u64,
    };
    if !found.is_empty() {
        tested.notes.push(format!(
            "p of a model is a permutation p, uncorrected; {INTERVAL}; significance is after Holm over {models} models; pooled by \
             random effects on Fisher's z with models as units, interval and p by Student's t (Hartung-Knapp)"
        ));
    }
    for (name, value) in [("rho", pooled.value), ("p", pooled.p), ("low", pooled.low), ("high", pooled.high)]
    {
        tested.statistic(name, value);
    }
    tested.statistic("models", models);
    tested.statistic("share-positive-significant", positive / models);
    tested.statistic("share-negative-significant", negative / models);
    tested.units = (!pairs.is_empty()).then_some(Units::Pairs(pairs));
    tested.estimates.extend(found);
    tested.estimates.push(pooled);
}

/// One (partial) correlation with interval and permutation p; no p where alpha is out of reach, and a note instead.
fn correlate(
    bench: &Bench<'_>,
    tested: &mut Tested,
    label: &str,
    pair: &Paired<String>,
    method: Method,
    blocks: Option<&[usize]>,
) -> Estimate {
    let value = if pair.len() < FEWEST { None } else { stats::partial(pair, method) };
    let interval = value.and_then(|r| {
        stats::correlation_interval(r, pair.len(), controls(pair, blocks), method, bench.alpha)
    });
    let smallest = stats::smallest_correlation_p(pair.len());
    let reachable = smallest <= bench.alpha;
    if !reachable && pair.len() >= FEWEST {
        tested.notes.push(format!(
            "{label}: cannot reach alpha = {} with {} units (smallest p {}), no p given",
            bench.alpha,
            pair.len(),
            super::rule::digits(smallest)
        ));
    }
    let p = if reachable { bench.memo.correlation_p(pair, method, blocks) } else { None };
    Estimate {
        label: label.to_string(),
        value,
        low: interval.map(|i| i.low),
        high: interval.map(|i| i.high),
        p,
        n: pair.len() as u64,
    }
}

/// Degrees of freedom spent: one per control, and one per category mean beyond the first.
fn controls(pair: &Paired<String>, blocks: Option<&[usize]>) -> usize {
    let categories = blocks.map_or(1, |b| b.iter().collect::<std::collections::BTreeSet<_>>().len());
    pair.controls().len() + categories.saturating_sub(1)
}

/// Category index by prompt, for prompts whose category has at least two of them.
fn categories(cells: &Cells, model: &str) -> BTreeMap<String, usize> {
    let mut members = BTreeMap::<&str, Vec<&String>>::new();
    for (prompt, cell) in cells.models.get(model).into_iter().flat_map(|m| &m.prompts) {
        if let Some(category) = cell.category.as_deref().filter(|c| !c.is_empty()) {
            members.entry(category).or_default().push(prompt);
        }
    }
    let large = members.into_values().filter(|prompts| prompts.len() > 1).enumerate();
    large.flat_map(|(i, prompts)| prompts.into_iter().map(move |p| (p.clone(), i))).collect()
}

/// Values minus their category's mean; prompts without a category are left out.
fn centred(
    series: &Series<String>,
    cells: &Cells,
    model: &str,
    categories: &BTreeMap<String, usize>,
) -> Series<String> {
    let prompts = cells.models.get(model).into_iter().flat_map(|m| &m.prompts);
    let known: Vec<(&String, usize, f64)> =
        prompts.filter_map(|(p, cell)| Some((p, *categories.get(p)?, cell.value))).collect();
    let mut sums = BTreeMap::<usize, (f64, f64)>::new();
    for (_, category, value) in &known {
        let sum = sums.entry(*category).or_default();
        *sum = (sum.0 + value, sum.1 + 1.0);
    }
    let values = known.into_iter().map(|(p, c, v)| (p.clone(), v - sums[&c].0 / sums[&c].1));
    Series::new(series.metric(), series.protocol(), values.collect())
}
