//! Simulated worlds of claims about protocols, shapes, layers and trainings: what a rule says of each is what is true in it.

use study::judge::verdict::Verdict;
use study::judge::{Calibration, calibrate};

use crate::judge::table::hypothesis;
use number::{
    evidence::{Evidence, EvidenceTable, Measurement, ModelInfo},
    facts::ModelFacts,
    metric::Metric,
};

const LAST: &str = "last/last-block/auto";

/// A number between -1 and 1 that looks like chance.
fn wave(of: u32) -> f64 {
    (f64::from(of) * 12.9898).sin() * 43758.5453 % 1.0
}

/// Models of lineages of their own.
fn models(count: u32) -> EvidenceTable {
    let mut table = EvidenceTable::default();
    for number in 0..count {
        let facts = ModelFacts {
            family: Some(format!("family-{}", number / 2)),
            parameters: Some(1_000_000 * u64::from(number + 1).pow(2)),
            blocks: Some(8 + number % 5),
            ..ModelFacts::default()
        };
        table.models.push(ModelInfo {
            id: format!("model-{number:02}"),
            evidence: Evidence::Measured,
            facts,
        });
    }
    table
}

/// Adds a metric of every model on so many prompts; `value` is of the model and the prompt.
fn add(
    table: &mut EvidenceTable,
    metric: Metric,
    protocol: Option<&str>,
    layer: Option<u32>,
    prompts: u32,
    value: impl Fn(u32, u32) -> f64,
) {
    for (number, model) in table.models.iter().enumerate() {
        for prompt in 0..prompts {
            table.rows.push(Measurement {
                evidence: Evidence::Measured,
                source: "s".into(),
                model: model.id.as_str().into(),
                prompt: Some(format!("prompt-{prompt:02}").into()),
                category: Some(["Factual", "Narrative", "Code"][prompt as usize % 3].into()),
                metric,
                branch: None,
                layer,
                protocol: protocol.and_then(|protocol| protocol.parse().ok()),
                dtype: "float32".into(),
                value: value(number as u32, prompt),
                definition: "".into(),
            });
        }
    }
}

/// Gains around 1 under a protocol.
fn gains(table: &mut EvidenceTable, protocol: &str, seed: u32) {
    let value = |model: u32, prompt: u32| {
        (0.1 * wave(model + 31 * seed) + 0.02 * wave(model * 37 + prompt * 101 + seed)).exp()
    };
    add(table, Metric::LastGain, Some(protocol), None, 30, value);
}

fn calibrated(table: &EvidenceTable, test: &str, rule: &str) -> Calibration {
    let hypothesis = hypothesis("", &format!("test = {test}\nrule = {rule}"));
    let [one] = &calibrate(&hypothesis, Evidence::Measured, table, 7)[..] else { panic!("one prediction") };
    assert_eq!(one.not_simulated, "");
    one.clone()
}

/// Asserts that false verdicts are as rare as the level allows, and that a true claim is found: on what there is, or on more.
fn is_judged_well(found: &Calibration) {
    assert_eq!(found.excesses().count(), 0, "{found:#?}");
    assert!(found.enough().is_some(), "{found:#?}");
}

#[test]
fn protocols_that_disagree_in_many_lineages_and_that_agree_are_told_apart() {
    let mut table = models(24);
    gains(&mut table, LAST, 1);
    gains(&mut table, "frobenius/last-block/auto", 2);
    let test = format!(
        r#"{{ kind = "sign-flip", metric = "last-gain", protocols = ["{LAST}", "frobenius/last-block/auto"], size = 0.02, across-protocols = true }}"#
    );
    let flip = r#"{ supported = [{ statistic = "low", at-least = 0.25 }], contradicted = [{ statistic = "high", below = 0.25 }] }"#;
    let found = calibrated(&table, &test, flip);
    assert_eq!(
        found.worlds.iter().map(|w| (w.effect, w.holds)).collect::<Vec<_>>(),
        [(0.0, false), (-1.0, false), (1.0, true)]
    );
    is_judged_well(&found);
    let stay = r#"{ supported = [{ statistic = "staying-low", at-least = 0.8 }], contradicted = [{ statistic = "flipping", at-least = 1 }] }"#;
    is_judged_well(&calibrated(&table, &test, stay));
    // What was seen is not sampled.
    let seen = r#"{ supported = [{ statistic = "cells-flipping", at-least = 1 }], contradicted = [{ statistic = "cells-flipping", at-most = 0 }] }"#;
    let hypothesis = hypothesis("", &format!("test = {test}\nrule = {seen}"));
    assert!(
        calibrate(&hypothesis, Evidence::Measured, &table, 7)[0].not_simulated.contains("nothing is sampled")
    );
}

#[test]
fn two_heaps_of_lineages_are_found() {
    let mut table = models(40);
    gains(&mut table, LAST, 1);
    let test = r#"{ kind = "modality", of = { metric = "last-gain", scale = "log" } }"#;
    let rule = r#"{ supported = [{ statistic = "two", at-least = 1 }], contradicted = [{ statistic = "delta-bic", at-most = -10 }] }"#;
    let found = calibrated(&table, test, rule);
    assert_eq!(
        found.worlds.iter().map(|w| (w.effect, w.holds)).collect::<Vec<_>>(),
        [(0.0, false), (1.0, true), (2.0, true)]
    );
    is_judged_well(&found);
}

#[test]
fn a_category_that_is_the_lowest_in_most_lineages_is_found() {
    let mut table = models(24);
    gains(&mut table, LAST, 1);
    let test =
        r#"{ kind = "lowest-category", of = { metric = "last-gain", scale = "log" }, category = "Factual" }"#;
    let rule = r#"{ supported = [{ statistic = "low", at-least = 0.5 }], contradicted = [{ statistic = "high", below = 0.5 }] }"#;
    is_judged_well(&calibrated(&table, test, rule));
}

#[test]
fn a_power_law_has_the_exponent_that_a_world_sets_and_models_lie_near_a_given_one_or_not() {
    let mut table = models(24);
    let law = |model: u32| 0.05 * (1e6 * f64::from(model + 1).powi(2)).powf(0.26);
    add(&mut table, Metric::MlpGain, Some(LAST), Some(7), 10, |m, p| {
        law(m) * (0.1 * wave(m * 7) + 0.05 * wave(m * 37 + p)).exp()
    });
    let quantities = r#"{ metric = "mlp-gain", select = { layer = 7 } }"#;
    let test = format!(r#"{{ kind = "power-law", x = {{ fact = "parameters" }}, y = {quantities} }}"#);
    let rule = r#"{ supported = [{ statistic = "low", at-least = 0.165 }, { statistic = "high", at-most = 0.365 }], contradicted = [{ statistic = "high", below = 0.165 }] }"#;
    is_judged_well(&calibrated(&table, &test, rule));
    let test = format!(
        r#"{{ kind = "predicted", of = {quantities}, against = {{ fact = "parameters" }}, coefficient = 0.05, exponent = 0.26, factor = 2 }}"#
    );
    let rule = r#"{ supported = [{ statistic = "low", at-least = 0.8 }], contradicted = [{ statistic = "high", below = 0.8 }] }"#;
    is_judged_well(&calibrated(&table, &test, rule));
}

#[test]
fn the_share_of_the_variance_that_a_multiple_explains_is_what_a_world_sets() {
    let mut table = models(12);
    add(&mut table, Metric::OutputEntropy, Some(LAST), None, 120, |m, p| 3.0 + wave(m * 11 + p * 101));
    add(&mut table, Metric::LastGain, Some(LAST), None, 120, |m, p| 1.1 + 0.05 * wave(m * 37 + p * 53));
    let test =
        r#"{ kind = "proportional", x = { metric = "output-entropy" }, y = { metric = "last-gain" } }"#;
    let rule = r#"{ supported = [{ statistic = "linear-low", at-least = 0.25 }], contradicted = [{ statistic = "linear-high", below = 0.25 }] }"#;
    let found = calibrated(&table, test, rule);
    assert_eq!(found.smallest, Some(0.25));
    is_judged_well(&found);
}

#[test]
fn gains_that_follow_from_a_heavy_first_token_and_gains_that_do_not_are_told_apart() {
    let mut table = models(1);
    let frobenius = "frobenius/last-block/auto";
    let tokens = |p: u32| f64::from(5 + 3 * p);
    let norm = |first: f64, other: f64| move |p: u32| (first + (tokens(p) - 1.0) * other).sqrt();
    let (below, above) = (norm(9000.0, 20.0), norm(2000.0, 30.0));
    add(&mut table, Metric::TokenCount, Some(LAST), None, 40, |_, p| tokens(p));
    add(&mut table, Metric::ResidualNorm, Some(frobenius), Some(7), 40, |_, p| below(p));
    add(&mut table, Metric::ResidualNorm, Some(frobenius), Some(8), 40, |_, p| above(p));
    add(&mut table, Metric::LastGain, Some(frobenius), None, 40, |m, p| {
        above(p) / below(p) * (1.0 + 0.01 * wave(m * 5 + p))
    });
    let rule = r#"{ supported = [{ statistic = "r2-low", at-least = 0.95 }], contradicted = [{ statistic = "r2-high", below = 0.95 }] }"#;
    let found = calibrated(&table, r#"{ kind = "sink-fit" }"#, rule);
    assert!((found.smallest.unwrap() - 0.05).abs() < 1e-9);
    is_judged_well(&found);
}

#[test]
fn tuned_models_lie_as_their_bases_do_or_not() {
    let mut table = models(40);
    for base in 0..40 {
        let mut tuned = table.models[base].clone();
        (tuned.facts.base, tuned.facts.change) = (Some(tuned.id.clone()), Some("instruct".into()));
        tuned.id = format!("{}-instruct", tuned.id);
        table.models.push(tuned);
    }
    gains(&mut table, LAST, 1);
    table.rows.retain(|row| row.prompt.as_deref() < Some("prompt-06"));
    let test = r#"{ kind = "pairs", of = { metric = "last-gain", scale = "log" }, change = "instruct" }"#;
    let rule = r#"{ supported = [{ statistic = "r-low", above = 0.5 }], contradicted = [{ statistic = "r-high", below = 0.5 }] }"#;
    is_judged_well(&calibrated(&table, test, rule));
}

#[test]
fn layers_of_two_profiles_go_together_or_not_and_what_happens_in_them_happens_apart_or_not() {
    let mut table = models(24);
    for layer in 0..9 {
        let at = f64::from(layer);
        add(&mut table, Metric::LayerGain, Some(LAST), Some(layer), 3, |m, p| {
            (0.3 * wave(m * 17 + layer * 3) + 0.01 * wave(m + p) + if layer == 5 + m % 2 { 1.5 } else { 0.0 })
                .exp()
        });
        let crosses = |m: u32| 3.5 + f64::from(m % 2);
        add(&mut table, Metric::ResidualNorm, Some(LAST), Some(layer), 3, |m, p| {
            10.0 + at - crosses(m) + 0.3 * wave(m * 29 + layer * 7) + 0.01 * wave(m + p)
        });
    }
    let (x, y) = (r#"{ metric = "residual-norm" }"#, r#"{ metric = "layer-gain", scale = "log" }"#);
    let test = format!(r#"{{ kind = "layer-correlation", method = "spearman", x = {x}, y = {y} }}"#);
    let rule = r#"{ supported = [{ statistic = "low", above = -0.4 }, { statistic = "high", below = 0.4 }], contradicted = [{ statistic = "low", above = 0.4 }] }"#;
    let found = calibrated(&table, &test, rule);
    assert_eq!(
        found.worlds.iter().map(|w| (w.effect, w.holds)).collect::<Vec<_>>(),
        [(1.0, false), (2.0, false), (0.0, true)]
    );
    is_judged_well(&found);

    let test = format!(
        r#"{{ kind = "layer-location", left = {x}, left-locate = "change-point", right = {y}, right-locate = "argmax", apart = 2 }}"#
    );
    let rule = r#"{ supported = [{ statistic = "apart-low", above = 0.5 }], contradicted = [{ statistic = "apart-high", below = 0.5 }] }"#;
    is_judged_well(&calibrated(&table, &test, rule));
    let rule = r#"{ supported = [{ statistic = "high", at-most = 0.2 }], contradicted = [{ statistic = "low", above = 0.2 }] }"#;
    is_judged_well(&calibrated(&table, &test, rule));
}

/// Four trainings of sixteen revisions.
fn trainings() -> EvidenceTable {
    let mut table = EvidenceTable::default();
    for training in 0..4 {
        let last = format!("model-{training}");
        for step in 0..16 {
            let facts = ModelFacts {
                family: Some(format!("family-{training}")),
                series: Some(last.clone()),
                step: Some(2_f64.powi(step)),
                kind: Some(if step == 15 { "original" } else { "revision" }.into()),
                base: (step < 15).then(|| last.clone()),
                ..ModelFacts::default()
            };
            let id = if step == 15 { last.clone() } else { format!("{last}-step{step}") };
            table.models.push(ModelInfo { id, evidence: Evidence::Measured, facts });
        }
    }
    table
}

#[test]
fn a_quantity_falls_along_trainings_or_not_and_two_change_together_or_not() {
    let mut table = trainings();
    let jump = |model: u32, at: u32| if model % 16 >= at + model / 16 { 1.0 } else { 0.0 };
    add(&mut table, Metric::LastGain, Some(LAST), None, 3, |m, p| {
        (jump(m, 6) + 0.1 * wave(m * 13) + 0.01 * wave(m + p)).exp()
    });
    add(&mut table, Metric::Loss, Some(LAST), None, 3, |m, p| {
        5.0 - jump(m, 5) + 0.1 * wave(m * 19) + 0.01 * wave(m * 3 + p)
    });
    let test = r#"{ kind = "trend", of = { metric = "last-gain", scale = "log" }, size = 0.6 }"#;
    let rule = r#"{ supported = [{ statistic = "share-falling", at-least = 1.0 }], contradicted = [{ statistic = "share-rising", at-least = 1.0 }] }"#;
    let found = calibrated(&table, test, rule);
    assert_eq!((found.smallest, found.stated), (Some(0.6), true));
    is_judged_well(&found);

    let test = r#"{ kind = "change-points", a = { metric = "last-gain", scale = "log" }, b = { metric = "loss" }, factor = 2 }"#;
    let rule = r#"{ supported = [{ statistic = "share-within", at-least = 1.0 }, { statistic = "a-p", below = 0.05 }], contradicted = [{ statistic = "share-within", at-most = 0.0 }, { statistic = "a-p", below = 0.05 }] }"#;
    let found = calibrated(&table, test, rule);
    assert_eq!(
        found.worlds.iter().map(|w| (w.effect, w.holds)).collect::<Vec<_>>(),
        [(0.0, false), (-1.0, false), (1.0, true)]
    );
    is_judged_well(&found);
    assert!(found.worlds[1].share(Verdict::Supported) == 0.0, "{found:#?}");
}
