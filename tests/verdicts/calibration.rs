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
    noisy(0.3)
}

/// The same with prompts that lie so far from each other.
fn noisy(of_prompts: f64) -> EvidenceTable {
    let mut table = EvidenceTable::default();
    for model in 0..12_u32 {
        let id = format!("model-{model:02}");
        let family = Some(format!("family-{}", model / 2));
        let mlp = if model / 2 % 2 == 0 { "gelu" } else { "silu" };
        table.models.push(ModelInfo {
            id: id.clone(),
            evidence: Evidence::Measured,
            facts: ModelFacts { family, mlp: Some(mlp.into()), ..ModelFacts::default() },
        });
        for prompt in 0..20_u32 {
            let wave = |factor: f64| (f64::from(model * 37 + prompt * 101) * factor).sin();
            table.rows.push(Measurement {
                evidence: Evidence::Measured,
                source: "s".into(),
                model: id.as_str().into(),
                prompt: Some(format!("prompt-{prompt:02}").into()),
                category: None,
                metric: Metric::LastGain,
                branch: None,
                layer: None,
                protocol: "last/last-block/auto".parse().ok(),
                dtype: "float32".into(),
                value: (of_prompts * wave(0.7) + 0.2 * (f64::from(model) * 2.3).sin()).exp(),
                definition: "".into(),
            });
        }
    }
    table
}

fn calibrated(test: &str, rule: &str) -> Calibration {
    calibrated_on(&table(), test, rule)
}

fn calibrated_on(table: &EvidenceTable, test: &str, rule: &str) -> Calibration {
    let hypothesis = hypothesis("", &format!("test = {test}\nrule = {rule}"));
    let [one] = &calibrate(&hypothesis, Evidence::Measured, table, 7)[..] else { panic!("one prediction") };
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
    assert_eq!((found.excesses().count(), found.is_mute()), (0, false));
    assert!(found.power(2.0) >= found.power(1.0));
}

#[test]
fn a_rule_without_uncertainty_is_found_out() {
    let found = calibrated(MEANS, r#"{ supported = [{ statistic = "pooled", above = 0.0 }] }"#);
    let none = &found.worlds[0];
    assert_eq!(none.runs, 500, "more than the level allows were false: more worlds tell whether by chance");
    let wrong = none.share(Verdict::Supported);
    assert!((0.4..=0.6).contains(&wrong), "half of the worlds without an effect lie above none: {wrong}");
    assert!(found.excesses().any(|rates| rates == none) && found.falsely_supported() == Some(wrong));
}

#[test]
fn the_lineages_that_would_do_follow_from_the_worlds() {
    let rule = r#"{ supported = [{ statistic = "low", above = 0.0 }, { statistic = "lineages", at-least = 20 }], contradicted = [{ statistic = "high", below = 0.0 }] }"#;
    let found = calibrated(MEANS, rule);
    assert_eq!(found.power(2.0), Some(0.0), "twelve lineages support nothing");
    let enough = found.enough().unwrap();
    assert!(enough.lineages >= 24 && enough.share(Verdict::Supported) >= 0.8, "{enough:?}");
    assert!(
        found.more.iter().all(|tried| tried.effect == 1.0),
        "no smallest effect is stated: half a deviation is found"
    );
}

#[test]
fn an_effect_within_a_band_is_a_claim_of_the_middle() {
    let contrast = r#"{ kind = "contrast", paired = true, band = [0.8, 1.2], a = { metric = "last-gain", scale = "log", select = { model = "model-00" } }, b = { metric = "last-gain", scale = "log", select = { model = "model-02" } } }"#;
    let rule = r#"{ supported = [{ statistic = "inside", at-least = 1 }], contradicted = [{ statistic = "outside", at-least = 1 }] }"#;
    let found = calibrated(contrast, rule);
    let of: Vec<(f64, bool)> = found.worlds.iter().map(|w| (w.effect, w.holds)).collect();
    assert_eq!(of, [(1.0, false), (2.0, false), (0.0, true)]);
    assert!((found.smallest.unwrap() - (1.2_f64 / 0.8).ln() / 2.0).abs() < 1e-12);
    assert!(found.worlds[0].false_verdicts() <= 8, "{:?}", found.worlds[0]);
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
fn a_share_of_the_variance_is_one_of_all_of_it_that_of_the_choice_of_prompts_too() {
    let explains = r#"{ kind = "explains", of = { metric = "last-gain", scale = "log" }, by = "mlp" }"#;
    let rule = r#"{ supported = [{ statistic = "partial-r2", at-least = 0.2 }, { statistic = "p", below = 0.05 }, { statistic = "lineages", at-least = 40 }], contradicted = [{ statistic = "partial-r2-high", below = 0.2 }] }"#;
    let found = calibrated_on(&noisy(3.0), explains, rule);
    let larger: Vec<(f64, bool, u64)> =
        found.larger.iter().map(|w| (w.effect, w.holds, w.lineages)).collect();
    assert_eq!(larger, [(0.0, false, 48), (1.0, true, 48), (2.0, true, 48)]);
    // Just a fifth is explained: the upper end of an interval lies below in 2.5 of 100 worlds.
    assert!(found.larger[1].share(Verdict::Contradicted) <= 0.08, "{:?}", found.larger[1]);
}

#[test]
fn what_is_not_sampled_is_not_simulated() {
    let gain = r#"{ metric = "last-gain", select = { model = "model-00" } }"#;
    let ratio = format!(r#"{{ kind = "ratio", numerator = {gain}, denominator = {gain} }}"#);
    let found = calibrated(&ratio, r#"{ supported = [{ statistic = "ratio", at-least = 3.0 }] }"#);
    assert!(found.not_simulated.contains("nothing is sampled") && found.worlds.is_empty());
}
