//! Simulated worlds: an honest rule is seldom wrong in them, and one that is not is found out.

use study::judge::verdict::Verdict;
use study::judge::{Calibration, calibrate};

use crate::judge::table::hypothesis;
use number::{
    evidence::{Evidence, EvidenceTable, Measurement, ModelInfo},
    facts::ModelFacts,
    metric::Metric,
};

/// Gains of twelve models on twenty prompts that have no effect in common.
fn table() -> EvidenceTable {
    let mut table = EvidenceTable::default();
    for model in 0..12_u32 {
        let id = format!("model-{model:02}");
        let family = Some(format!("family-{}", model / 2));
        table.models.push(ModelInfo {
            id: id.clone(),
            evidence: Evidence::Measured,
            facts: ModelFacts { family, ..ModelFacts::default() },
        });
        for prompt in 0..20_u32 {
            let wave = |factor: f64| (f64::from(model * 37 + prompt * 101) * factor).sin();
            table.rows.push(Measurement {
                evidence: Evidence::Measured,
                source: "s".into(),
                model: id.clone(),
                prompt: Some(format!("prompt-{prompt:02}")),
                category: None,
                metric: Metric::LastGain,
                branch: None,
                layer: None,
                protocol: "last/last-block/auto".parse().ok(),
                dtype: "float32".into(),
                value: (0.3 * wave(0.7) + 0.2 * (f64::from(model) * 2.3).sin()).exp(),
                definition: String::new(),
            });
        }
    }
    table
}

fn calibrated(test: &str, rule: &str) -> Calibration {
    let hypothesis = hypothesis("", &format!("test = {test}\nrule = {rule}"));
    let [one] = &calibrate(&hypothesis, Evidence::Measured, &table(), 7)[..] else {
        panic!("one prediction")
    };
    one.clone()
}

const MEANS: &str = r#"{ kind = "mean-by-model", of = { metric = "last-gain", scale = "log" } }"#;

#[test]
fn an_honest_rule_is_seldom_wrong_and_finds_what_is_there() {
    let rule = r#"{ supported = [{ statistic = "low", above = 0.0 }], contradicted = [{ statistic = "high", below = 0.0 }] }"#;
    let found = calibrated(MEANS, rule);
    assert_eq!(found.not_simulated, "");
    let effects: Vec<(f64, bool)> = found.worlds.iter().map(|w| (w.effect, w.holds)).collect();
    assert_eq!(effects, [(0.0, false), (-1.0, false), (1.0, true), (2.0, true)]);
    // A 95 % interval lies above what is true in 2.5 of 100 worlds; of 100 more than 8 would come once in a thousand times.
    assert!(found.worlds[0].false_verdicts() <= 8, "{:?}", found.worlds[0]);
    assert!(found.worlds[3].share(Verdict::Supported) >= 0.8, "{:?}", found.worlds[3]);
    assert_eq!((found.worlds[0].lineages, found.worlds[0].prompts), (12, 20));
    assert_eq!(found, calibrated(MEANS, rule), "the same seed gives the same worlds");
}

#[test]
fn a_rule_without_uncertainty_is_found_out() {
    let found = calibrated(MEANS, r#"{ supported = [{ statistic = "pooled", above = 0.0 }] }"#);
    let wrong = found.worlds[0].false_verdicts();
    assert!((30..=70).contains(&wrong), "half of the worlds without an effect lie above none: {wrong}");
}

#[test]
fn a_claim_about_every_model_is_false_with_one_that_is_not_so() {
    let rule = r#"{ supported = [{ statistic = "smallest-low", at-least = 0.1 }], contradicted = [{ statistic = "smallest-high", at-most = -0.1 }] }"#;
    let found = calibrated(MEANS, rule);
    assert_eq!((found.smallest, found.stated), (Some(0.1), true));
    assert!(found.worlds[0].false_verdicts() <= 5, "{:?}", found.worlds[0]);
    // More prompts tell what these did not.
    let more = found.more.last().unwrap_or(&found.worlds[3]);
    assert!(more.share(Verdict::Supported) >= found.worlds[3].share(Verdict::Supported));
}

#[test]
fn what_is_not_sampled_is_not_simulated() {
    let gain = r#"{ metric = "last-gain", select = { model = "model-00" } }"#;
    let ratio = format!(r#"{{ kind = "ratio", numerator = {gain}, denominator = {gain} }}"#);
    let found = calibrated(&ratio, r#"{ supported = [{ statistic = "ratio", at-least = 3.0 }] }"#);
    assert!(found.not_simulated.contains("nothing is sampled") && found.worlds.is_empty());
}
