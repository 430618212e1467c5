//! `correlation`: of two quantities over models, or over prompts within each model with the models pooled.

mod over_prompts;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        cells::Cells,
        context::TestContext,
        digits::digits,
        findings::Findings,
        hypothesis::{Quantity, Step},
        kind::{Fault, Kind, Parts},
        outcome::Estimate,
        shared::{
            centred::{relatives, within},
            correlation_method::CorrelationMethod,
            families::{LeaveOneOut, leave_one_out},
        },
        spread::{has_spread, in_words},
        statistics::{Null, statistics},
    },
    stats::{self, Method, Pairs, Units},
};
use number::metric::Paired;

/// The unit a correlation runs over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// One point per lineage of models: the mean of its models, each the mean over its prompts.
    Model,
    /// One point per prompt, within each model and prompt set; lineages pooled by random-effects Fisher z.
    Prompt,
}

/// Rank or linear correlation of two quantities, optionally given others (partial), centred by category (prompts as units) or
/// within a fact (models as units).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Correlation {
    pub x: Quantity,
    pub y: Quantity,
    pub method: CorrelationMethod,
    pub unit: Unit,
    #[serde(default)]
    pub given: Vec<Quantity>,
    #[serde(default)]
    pub within_category: bool,
    /// Models are compared with those of the same value of this fact only, e.g. `family`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    #[serde(default)]
    pub across_protocols: bool,
}

statistics! {
    Correlation {
        rho,
        absolute_rho,
        p,
        low,
        high,
        bootstrap_low,
        bootstrap_high,
        models,
        lineages,
        families,
        share_positive_significant,
        share_negative_significant,
        loo_lowest,
        loo_highest,
    }
    effect { rho: Null::InUnit(0.0), } of { low: low, high: high, p: p, units: lineages, }
}

impl Kind for Correlation {
    fn null(&self, _: &str) -> Option<f64> {
        Some(0.0)
    }

    fn parts(&self) -> Parts<'_> {
        let given = self.given.iter().enumerate();
        let given = given.map(|(i, one)| (vec![Step::Key("given"), Step::Index(i)], one));
        let mut parts = Parts::of([("x", &self.x), ("y", &self.y)]).compared(self.across_protocols);
        parts.quantities.extend(given);
        if self.unit == Unit::Model {
            parts = parts.differing(["x", "y"]);
        }
        parts.facts.extend(self.within.as_deref().map(|fact| (vec![Step::Key("within")], fact)));
        parts
    }

    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.unit == Unit::Model && self.within_category {
            let message = "models have no category: `within-category` needs prompts as units";
            let advice = "set unit = \"prompt\", or drop `within-category`";
            faults.push(Fault::new("within-category", message, advice));
        }
        if self.unit == Unit::Prompt && self.within.is_some() {
            let message = "prompts are correlated within each model anyway: `within` needs models as units";
            faults.push(Fault::new("within", message, "set unit = \"model\", or drop `within`"));
        }
        faults
    }

    fn run(&self, context: &TestContext<'_>) -> Findings {
        let method = self.method.method();
        let name = if method == Method::Spearman { "Spearman's rho" } else { "Pearson's r" };
        let mut findings = Findings::new(name);
        let x = context.enough(&self.x, &mut findings);
        let y = context.enough(&self.y, &mut findings);
        let given: Vec<Cells<'_>> = self.given.iter().map(|q| context.cells(q, &mut findings)).collect();
        match self.unit {
            Unit::Model => over_models(context, self, method, &mut findings, (&x, &y, &given)),
            Unit::Prompt => over_prompts::run(context, self, method, &mut findings, (&x, &y, &given)),
        }
        findings
    }
}

/// Two units always correlate perfectly and three nearly so: with fewer than four there is no interval, and no value
/// worth printing.
const FEWEST: usize = 4;

const INTERVAL: &str = "interval on Fisher's z, normal, approximate with few units";

/// The cells of x, y and the controls.
type Sides<'s, 'a> = (&'s Cells<'a>, &'s Cells<'a>, &'s [Cells<'a>]);

/// One correlation with lineages as units: each is the mean of its models, and these are over their prompts.
fn over_models<'a>(
    context: &TestContext<'a>,
    asked: &Correlation,
    method: Method,
    findings: &mut Findings,
    sides: Sides<'_, 'a>,
) {
    let (x, y, given) = sides;
    let Some(pair) = findings.pair(&x.by_model(), &y.by_model(), asked.across_protocols) else { return };
    // A lineage is the mean of those of its models that have every quantity.
    let every = |model: &&&str| given.iter().all(|control| control.models.contains_key(**model));
    let lineages = context.lineages(pair.keys().iter().filter(every), findings);
    let of_lineages = |cells: &Cells<'a>| lineages.series(&cells.by_model());
    let Some(pair) = findings.pair(&of_lineages(x), &of_lineages(y), asked.across_protocols) else { return };
    let pair = given.iter().fold(pair, |pair, control| pair.given(&of_lineages(control)));
    // With `within`, lineages are compared with relatives only: each side loses the mean of its group, and those without a
    // relative drop out, so the sides are joined a second time.
    let groups = asked.within.as_deref().map(|fact| relatives(context, &lineages, fact, findings));
    let pair = match &groups {
        None => pair,
        Some(groups) => {
            let side = |cells: &Cells<'a>| within(&of_lineages(cells), groups);
            let Some(pair) = findings.pair(&side(x), &side(y), asked.across_protocols) else { return };
            findings.notes.push(format!(
                "within {}: lineages less the mean of theirs, {} of them in groups of two and more",
                asked.within.as_deref().unwrap_or_default(),
                pair.len()
            ));
            given.iter().fold(pair, |pair, control| pair.given(&side(control)))
        }
    };
    // A permutation must respect what was taken out: it deals models anew within their group only.
    let blocks: Option<Vec<usize>> = groups.map(|g| pair.keys().iter().map(|model| g[model]).collect());
    for (name, values) in [("x", pair.x()), ("y", pair.y())] {
        if pair.len() >= FEWEST && !has_spread(values) {
            findings.reason(&[], in_words(name, values, "lineages that are compared"));
        }
    }
    if pair.len() < FEWEST && !findings.lacks() {
        findings
            .missing
            .push(format!("a correlation over models needs at least {FEWEST} lineages, have {}", pair.len()));
    }
    let p = chances(context, method, [(&pair, blocks.as_deref())]).pop().flatten();
    let one = correlate(context, findings, "lineages", &pair, (method, method), blocks.as_deref(), p);
    if one.value.is_some() {
        findings.notes.push(format!("permutation p; {INTERVAL}"));
    }
    // Bootstrap and leave-one-family-out are of the plain correlation only: with controls or groups a resample may leave
    // nothing of them.
    let alone = given.is_empty() && asked.within.is_none() && one.value.is_some();
    let index: Vec<f64> = (0..pair.len()).map(|i| i as f64).collect();
    let pick = |v: &[f64], stay: &mut dyn Iterator<Item = usize>| stay.map(|i| v[i]).collect::<Vec<_>>();
    // Ranks of a resample follow from the sorted whole, without sorting each resample anew.
    let ranked = (method == Method::Spearman).then(|| stats::ResampledSpearman::new(pair.x(), pair.y()));
    let resampled = |sample: &[f64]| {
        let mut stay = sample.iter().map(|&i| i as usize);
        if let Some(ranked) = &ranked {
            return ranked.of(stay);
        }
        let x = pick(pair.x(), &mut stay.clone());
        stats::correlation_of(&x, &pick(pair.y(), &mut stay), method)
    };
    let bootstrap = if alone && context.reads(&["bootstrap-low", "bootstrap-high"]) {
        stats::bootstrap_of(&index, resampled, context.alpha, context.seed.derive("bootstrap"))
    } else {
        None
    };
    let without_families = if alone && context.reads(&["loo-lowest", "loo-highest"]) {
        leave_one_out(findings, "the correlation", &lineages.families_of(pair.keys()), |stay| {
            let mut stay = stay.iter().copied();
            let x = pick(pair.x(), &mut stay.clone());
            stats::correlation_of(&x, &pick(pair.y(), &mut stay), method)
        })
    } else {
        LeaveOneOut::default()
    };
    findings.offer(Statistics {
        rho: one.value,
        absolute_rho: one.value.map(f64::abs),
        p: one.p,
        low: one.low,
        high: one.high,
        bootstrap_low: bootstrap.map(|i| i.low),
        bootstrap_high: bootstrap.map(|i| i.high),
        models: Some(lineages.models() as f64),
        lineages: findings.lineages(),
        families: findings.families(),
        share_positive_significant: None,
        share_negative_significant: None,
        loo_lowest: without_families.lowest,
        loo_highest: without_families.highest,
    });
    let names = blocks.map(|blocks| blocks.iter().map(usize::to_string).collect());
    findings.units = Pairs::new(&pair, method, names).map(|pairs| Units::Pairs(vec![pairs]));
    findings.estimates.push(one);
}

/// The permutation p of each pair within its blocks; none where alpha is out of reach.
fn chances<'p, 'a: 'p>(
    context: &TestContext<'_>,
    method: Method,
    pairs: impl IntoIterator<Item = (&'p Paired<&'a str>, Option<&'p [usize]>)>,
) -> Vec<Option<f64>> {
    let pairs: Vec<_> = pairs.into_iter().collect();
    // No permutations are walked whose p would be withheld.
    let reachable: Vec<bool> =
        pairs.iter().map(|(pair, blocks)| smallest_p(pair, *blocks) <= context.alpha).collect();
    let asked: Vec<_> =
        pairs.into_iter().zip(&reachable).filter(|(_, yes)| **yes).map(|(pair, _)| pair).collect();
    let mut found = context.cache.correlation_ps(&asked, method).into_iter();
    reachable.iter().map(|yes| if *yes { found.next().flatten() } else { None }).collect()
}

/// One (partial) correlation with interval and its permutation p; a note where alpha is out of reach. The methods are of the
/// numbers as they are joined, and of those they were made of.
fn correlate(
    context: &TestContext<'_>,
    findings: &mut Findings,
    label: &str,
    pair: &Paired<&str>,
    (of_values, method): (Method, Method),
    blocks: Option<&[usize]>,
    p: Option<f64>,
) -> Estimate {
    let differ = pair.len() >= FEWEST && has_spread(pair.x()) && has_spread(pair.y());
    let value = if differ { stats::partial(pair, of_values) } else { None };
    let interval = value.and_then(|r| {
        stats::correlation_interval(r, pair.len(), controls(pair, blocks), method, context.alpha)
    });
    let smallest = smallest_p(pair, blocks);
    if smallest > context.alpha && pair.len() >= FEWEST {
        let (units, smallest) = (pair.len(), digits(smallest));
        let why = context.no_p_given(&format!(" with {units} units (smallest p {smallest})"));
        findings.reason(&["p"], why.clone());
        findings.notes.push(format!("{label}: {why}"));
    }
    Estimate {
        label: label.to_string(),
        value,
        low: interval.map(|i| i.low),
        high: interval.map(|i| i.high),
        p,
        n: pair.len() as u64,
    }
}

/// The smallest p that permutations of the pair can give.
fn smallest_p(pair: &Paired<&str>, blocks: Option<&[usize]>) -> f64 {
    blocks.map_or_else(|| stats::smallest_correlation_p(pair.len()), stats::smallest_correlation_p_within)
}

/// Degrees of freedom spent: one per control, and one per category mean beyond the first.
fn controls(pair: &Paired<&str>, blocks: Option<&[usize]>) -> usize {
    let categories = blocks.map_or(1, |b| b.iter().collect::<std::collections::BTreeSet<_>>().len());
    pair.controls().len() + categories.saturating_sub(1)
}
