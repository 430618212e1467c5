//! `contrast`: two quantities against each other, prompt by prompt or model by model.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        cells::Cells,
        context::TestContext,
        findings::{Findings, Known, estimate},
        hypothesis::{Quantity, Scale},
        kind::{Kind, Parts},
        shared::{
            families::{LeaveOneOut, leave_one_out},
            lineages::Lineages,
            units::unit,
        },
        spread::{differences, has_spread, in_words},
        statistics::{Null, statistics},
    },
    stats::{
        Effect, Interval, Sampled, TTest, Units as Flips, Wider, cohen_dz, hedges_g, mann_whitney, mean,
        paired_t, relabel_p, sign_flip_p, smallest_relabel_p, smallest_sign_p, standard_deviation, welch_t,
        widened, wilcoxon,
    },
};
use number::metric::Series;

/// Two quantities, `a` less `b`. Prompts are the units where each is of one lineage, else lineages are, crossed with the prompts that they
/// share; `paired = false` sets two
/// groups of them beside each other. On log scale `ratio` is that of the geometric means. With `band`, `inside` is 1 where the
/// whole interval of the difference (on log scale: of the ratio) lies in the band, `outside` where none of it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Contrast {
    pub a: Quantity,
    pub b: Quantity,
    #[serde(default = "yes")]
    pub paired: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<[f64; 2]>,
    #[serde(default)]
    pub across_protocols: bool,
}

fn yes() -> bool {
    true
}

statistics! {
    Contrast {
        a_low,
        a_high,
        b_low,
        b_high,
        difference,
        low,
        high,
        p,
        p_t,
        p_rank,
        effect,
        effect_low,
        effect_high,
        ratio,
        ratio_low,
        ratio_high,
        inside,
        outside,
        models,
        lineages,
        families,
        prompts,
        loo_lowest,
        loo_highest,
    }
    effect { difference: Null::InUnit(0.0), ratio: Null::ByName(1.0), effect: Null::InUnit(0.0), } of { low: low, high: high, p: p, units: lineages, }
}

impl Kind for Contrast {
    fn null(&self, statistic: &str) -> Option<f64> {
        let sides =
            [("a-", &self.a), ("b-", &self.b)].into_iter().find(|(side, _)| statistic.starts_with(side));
        match sides {
            // A side by itself has a null only as a logarithm.
            Some((_, quantity)) => (quantity.scale == Scale::Log).then_some(0.0),
            None => Some(if statistic.starts_with("ratio") { 1.0 } else { 0.0 }),
        }
    }

    fn parts(&self) -> Parts<'_> {
        Parts::of([("a", &self.a), ("b", &self.b)]).compared(self.across_protocols)
    }

    /// Paired: interval of the mean difference by bootstrap, p by flipping its signs, Student's t, Wilcoxon's signed ranks,
    /// effect Cohen's dz. Unpaired: Welch's interval and t, p by relabelling, Mann-Whitney, effect Hedges' g.
    fn run<'a>(&self, context: &TestContext<'a>) -> Findings {
        let mut findings = Findings::new(format!("{}, a less b", unit(&self.a)));
        let (mut of_a, mut of_b) = (Findings::default(), Findings::default());
        let a = context.enough_as_they_are(&self.a, &mut of_a);
        let b = context.enough_as_they_are(&self.b, &mut of_b);
        let (lacks_a, lacks_b) = (of_a.lacks(), of_b.lacks());
        findings.absorb(of_a);
        findings.absorb(of_b);
        let lacking = findings.missing.len();
        if !findings.comparable(context, &a, &b) {
            return findings;
        }
        // Two single lineages share their prompts, which then are the units; else each lineage is one number.
        let alone = |cells: &Cells<'a>| {
            let own = Lineages::of(context, cells.models.keys());
            (own.len() == 1).then(|| own.cells(cells))
        };
        let (a, b, prompts) = match alone(&a).zip(alone(&b)) {
            Some((a, b)) => (a, b, true),
            None => (a, b, false),
        };
        let both =
            |model: &&&str| !self.paired || a.models.contains_key(**model) == b.models.contains_key(**model);
        let models: BTreeSet<&str> = a.models.keys().chain(b.models.keys()).filter(both).copied().collect();
        let lineages =
            if prompts { Lineages::of(context, models) } else { context.lineages(models, &mut findings) };
        let Some(units) = self.units(&a, &b, (!prompts).then_some(&lineages), &mut findings) else {
            return findings;
        };
        let (x, y) = (&units.x[..], &units.y[..]);
        let what = if prompts { "prompts" } else { "lineages" };
        if (x.is_empty() || y.is_empty()) && !findings.lacks() {
            findings.missing.push(format!("no {what} that have both; `paired = false` compares two groups"));
        }
        let found = if self.paired {
            let differences = differences(x, y, self.a.scale);
            let deviation = standard_deviation(&differences);
            let less: Vec<_> =
                units.sampled[0].iter().zip(&units.sampled[1]).map(|(a, b)| a.less(b)).collect();
            let wider = deviation.and_then(|own| widened(&less, own, context.alpha));
            let found = paired(context, &mut findings, &differences, what);
            match wider {
                Some(wider) => found.with(wider),
                None => found,
            }
        } else {
            unpaired(context, &mut findings, x, y, what)
        };
        let side = |values: &[f64], sampled: &[Sampled<&str>]| {
            let (interval, mean) = (context.mean_interval(values)?, mean(values)?);
            let wider = widened(sampled, standard_deviation(values)?, context.alpha);
            Some(wider.map_or(interval, |wider| wider.interval(mean, interval)))
        };
        let (of_a, of_b) = (side(x, &units.sampled[0]), side(y, &units.sampled[1]));
        for (name, values, names) in [("a", x, &["a-low", "a-high"]), ("b", y, &["b-low", "b-high"])] {
            if !values.is_empty() && !has_spread(values) {
                findings.reason(names, in_words(name, values, what));
            }
        }
        // Where one side lacks something, the other one is still what it is.
        let alone = lacks_a != lacks_b && findings.missing.len() == lacking;
        let (of_a, of_b) = match (lacks_a, lacks_b) {
            (true, false) if alone => (None, context.mean_interval(&of_units(&b))),
            (false, true) if alone => (context.mean_interval(&of_units(&a)), None),
            _ => (of_a, of_b),
        };
        if alone {
            let own = if lacks_a { ["b-low", "b-high"] } else { ["a-low", "a-high"] };
            findings.known.extend(own.map(|name| (name, Known::Exactly)));
        }
        findings.estimates.push(estimate("a", mean(x), of_a, None, x.len()));
        findings.estimates.push(estimate("b", mean(y), of_b, None, y.len()));
        findings.estimates.push(estimate(
            "a less b",
            found.difference,
            found.interval,
            found.p,
            x.len().min(y.len()),
        ));
        let log = self.a.scale == Scale::Log && self.b.scale == Scale::Log;
        let ratio = |value: Option<f64>| value.filter(|_| log).map(f64::exp);
        let (low, high) = (found.interval.map(|i| i.low), found.interval.map(|i| i.high));
        // On log scale the band is one of ratios, which readers can interpret.
        let (band_low, band_high) = if log { (ratio(low), ratio(high)) } else { (low, high) };
        let band = band_low.zip(band_high).zip(self.band);
        let is = |yes: bool| f64::from(u8::from(yes));
        let without_families = if !prompts && self.paired {
            let differences: Vec<f64> = x.iter().zip(y).map(|(x, y)| x - y).collect();
            leave_one_out(&mut findings, "the difference", &lineages.families_of(&units.names), |stay| {
                mean(&stay.iter().map(|&i| differences[i]).collect::<Vec<_>>())
            })
        } else {
            LeaveOneOut::default()
        };
        findings.offer(Statistics {
            a_low: of_a.map(|i| i.low),
            a_high: of_a.map(|i| i.high),
            b_low: of_b.map(|i| i.low),
            b_high: of_b.map(|i| i.high),
            difference: found.difference,
            low,
            high,
            p: found.p,
            p_t: found.t.map(|t| t.p),
            p_rank: found.p_rank,
            effect: found.effect.map(|e| e.value),
            effect_low: found.effect.map(|e| e.low),
            effect_high: found.effect.map(|e| e.high),
            ratio: ratio(found.difference),
            ratio_low: ratio(low),
            ratio_high: ratio(high),
            inside: band.map(|((low, high), [least, most])| is(least <= low && high <= most)),
            outside: band.map(|((low, high), [least, most])| is(high < least || most < low)),
            models: Some(lineages.models() as f64),
            lineages: Some(lineages.len() as f64),
            families: Some(lineages.families().len() as f64),
            prompts: prompts.then_some(x.len().min(y.len()) as f64),
            loo_lowest: without_families.lowest,
            loo_highest: without_families.highest,
        });
        if self.paired {
            let differences = x.iter().zip(y).map(|(x, y)| x - y);
            let signs = units.names.iter().map(|name| name.to_string()).zip(differences);
            findings.units = Some(Flips::Signs { of: what, deviations: signs.collect() });
        }
        findings
    }
}

/// The two samples that are compared, one number per unit; paired units are aligned.
struct Units<'a> {
    x: Vec<f64>,
    y: Vec<f64>,
    /// Lineages, where they are the units; prompts where these are, and paired.
    names: Vec<&'a str>,
    /// Of lineages, what each prompt makes of their numbers; paired ones are aligned.
    sampled: [Vec<Sampled<&'a str>>; 2],
}

impl Contrast {
    fn units<'a>(
        &self,
        a: &Cells<'a>,
        b: &Cells<'a>,
        lineages: Option<&Lineages<'a>>,
        findings: &mut Findings,
    ) -> Option<Units<'a>> {
        let only = |cells: &Cells<'a>| cells.models.keys().next().copied().unwrap_or_default();
        let sides = match lineages {
            None => (a.by_prompt(only(a)), b.by_prompt(only(b))),
            Some(lineages) => (lineages.series(&a.by_model()), lineages.series(&b.by_model())),
        };
        if self.paired {
            let pair = findings.pair(&sides.0, &sides.1, self.across_protocols)?;
            let names = pair.keys().to_vec();
            let sampled = [a, b].map(|cells| sampled(cells, lineages, |name| names.contains(&name)));
            return Some(Units { x: pair.x().to_vec(), y: pair.y().to_vec(), names, sampled });
        }
        let values = |cells: &Cells<'_>| cells.models.values().flat_map(|m| m.values()).collect();
        let Some(lineages) = lineages else {
            // An aggregate over prompts is one unit.
            return Some(Units {
                x: values(a),
                y: values(b),
                names: Vec::new(),
                sampled: Default::default(),
            });
        };
        // Groups that share a lineage are no two groups of units.
        let in_both =
            |name: &&str| [a, b].iter().all(|cells| lineages.has_any(name, |m| cells.models.contains_key(m)));
        let shared: BTreeSet<&str> = lineages.names().into_iter().filter(in_both).collect();
        if !shared.is_empty() {
            let names: Vec<&str> = shared.iter().copied().collect();
            findings
                .notes
                .push(format!("lineages with models in both groups, left out: {}", names.join(", ")));
        }
        let own = |side: &Series<&'a str>| {
            side.iter().filter(|(l, _)| !shared.contains(*l)).map(|(_, v)| v).collect()
        };
        let sampled = [a, b].map(|cells| sampled(cells, Some(lineages), |name| !shared.contains(name)));
        Some(Units { x: own(&sides.0), y: own(&sides.1), names: lineages.names(), sampled })
    }
}

/// What each prompt makes of the numbers of some lineages, in the order of their names.
fn sampled<'a>(
    cells: &Cells<'a>,
    lineages: Option<&Lineages<'a>>,
    takes: impl Fn(&str) -> bool,
) -> Vec<Sampled<&'a str>> {
    let of = lineages.map(|lineages| lineages.cells(cells).models).unwrap_or_default();
    of.iter().filter(|(name, _)| takes(name)).filter_map(|(_, own)| own.sampled()).collect()
}

/// The units of one side by itself: the prompts of its only model, else its models.
fn of_units(cells: &Cells<'_>) -> Vec<f64> {
    match cells.models.len() {
        1 => cells.models.values().flat_map(|model| model.values()).collect(),
        _ => cells.by_model().values().collect(),
    }
}

#[derive(Default)]
struct Found {
    difference: Option<f64>,
    interval: Option<Interval>,
    p: Option<f64>,
    p_rank: Option<f64>,
    t: Option<TTest>,
    effect: Option<Effect>,
}

impl Found {
    /// What is left of it where the units share the prompts of which their numbers are means.
    fn with(self, wider: Wider) -> Found {
        let Some(difference) = self.difference else { return self };
        let raised = |p: f64| wider.raised(p, difference);
        Found {
            interval: self.interval.map(|own| wider.interval(difference, own)),
            p: self.p.map(raised),
            p_rank: self.p_rank.map(raised),
            t: self.t.map(|t| TTest { p: raised(t.p), ..t }),
            ..self
        }
    }
}

fn paired(context: &TestContext<'_>, findings: &mut Findings, differences: &[f64], what: &str) -> Found {
    if differences.len() > 1 && !has_spread(differences) {
        findings.reason(&[], in_words("a less b", differences, what));
        return Found { difference: mean(differences), ..Found::default() };
    }
    if differences.is_empty() {
        return Found::default();
    }
    let n = differences.len();
    let flips = findings.reachable(context, &format!("sign flips of {n} {what}"), smallest_sign_p(n));
    let ranks = wilcoxon(differences).filter(|w| w.smallest_p <= context.alpha);
    if flips {
        findings
            .notes
            .push("p is of sign flips of the differences, two-sided; beside it stand Student's t-test and Wilcoxon's signed ranks".into());
    }
    let seed = context.seed.derive("difference");
    Found {
        difference: mean(differences),
        interval: context.mean_interval(differences),
        p: if flips && context.reads(&["p"]) { sign_flip_p(differences, seed) } else { None },
        p_rank: ranks.map(|w| w.p),
        t: paired_t(differences, context.alpha),
        effect: cohen_dz(differences, context.alpha),
    }
}

fn unpaired(context: &TestContext<'_>, findings: &mut Findings, x: &[f64], y: &[f64], what: &str) -> Found {
    let (Some(a), Some(b)) = (mean(x), mean(y)) else { return Found::default() };
    let all = [x, y].concat();
    if !has_spread(&all) {
        findings.reason(&[], in_words("a and b together", &all, what));
        return Found { difference: Some(a - b), ..Found::default() };
    }
    let smallest = smallest_relabel_p(x.len(), y.len());
    let relabels =
        findings.reachable(context, &format!("relabelling {} and {} {what}", x.len(), y.len()), smallest);
    let ranks = mann_whitney(x, y).filter(|m| m.smallest_p <= context.alpha);
    if relabels {
        findings.notes.push(
            "p is of relabelling, two-sided; beside it stand Welch's t-test and the Mann-Whitney test".into(),
        );
    }
    let t = welch_t(x, y, context.alpha);
    Found {
        difference: Some(a - b),
        interval: t.map(|t| t.interval),
        p: if relabels && context.reads(&["p"]) {
            relabel_p(x, y, context.seed.derive("difference"))
        } else {
            None
        },
        p_rank: ranks.map(|m| m.p),
        t,
        effect: hedges_g(x, y, context.alpha),
    }
}
