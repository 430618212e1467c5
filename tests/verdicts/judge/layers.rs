//! Tests that read every layer.

use number::metric::Metric;
use study::judge::outcome::Verdict;

use super::table::{Table, judged, missing, noted, statistic};

const WHERE: &str = r#"kind = "layer-location", left = { metric = "embedding-correlation" }, left-locate = "sign-change", right = { metric = "layer-gain" }, right-locate = "argmax", right-from = 0.5"#;
const APART: &str = r#"supported = [{ statistic = "share-apart", at-least = 0.8 }], contradicted = [{ statistic = "share-within", at-least = 0.8 }]"#;

/// The correlation changes sign at layer `at`, the late gain is largest at layer `jump` of 20, the early one at layer 1.
fn model(table: Table, name: &str, at: u32, jump: u32) -> Table {
    let correlation: Vec<f64> = (1..=20).map(|l| if l < at { -0.5 } else { 0.4 }).collect();
    let gains: Vec<f64> = (1..=20)
        .map(|l| {
            if l == 1 {
                40.0
            } else if l == jump {
                2.0
            } else {
                1.1
            }
        })
        .collect();
    table
        .layers(name, Metric::EmbeddingCorrelation, &correlation)
        .layers(name, Metric::LayerGain, &gains)
        .facts(name, |facts| facts.blocks = Some(20))
}

#[test]
fn layers_are_found_and_their_distance_counted() {
    let six = |at: u32| (0..6).fold(Table::default(), |table, i| model(table, &format!("m{i}"), at, 12 + i));
    let found = judged("needs = { models = 6 }", WHERE, APART, &six(5));
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    assert_eq!(statistic(&found.primary, "mean-difference"), Some(9.5));
    assert!((statistic(&found.primary, "mean-share-of-depth").unwrap() - 9.5 / 20.0).abs() < 1e-12);
    let near = judged("", &format!("{WHERE}, within = 0.2"), APART, &six(14));
    assert_eq!(near.verdict, Verdict::Contradicted, "{near:#?}");
    assert!(
        statistic(&near.primary, "p").unwrap() < 0.05 && statistic(&near.primary, "p-apart").unwrap() > 0.5
    );
    let never = judged("", WHERE, APART, &model(Table::default(), "a", 30, 12));
    assert!(missing(&never).contains("no model has both profiles"));
    noted(&never.primary, "a: no such layer, left out");
    let half = Table::default().layers("a", Metric::LayerGain, &[1.0, 2.0]);
    assert!(missing(&judged("", WHERE, APART, &half)).contains("metric embedding-correlation"));
    let needy = judged("needs = { models = 6 }", WHERE, APART, &model(Table::default(), "a", 5, 12));
    assert_eq!(missing(&needy), "needs 6 lineages of models, have 1 (a)");
}

#[test]
fn profiles_are_correlated_within_models_and_pooled() {
    let test = r#"kind = "layer-correlation", x = { metric = "embedding-correlation" }, y = { metric = "layer-gain", scale = "log" }, method = "spearman""#;
    let rule = r#"supported = [{ statistic = "low", above = -0.4 }, { statistic = "high", below = 0.4 }],
        contradicted = [{ statistic = "low", at-least = 0.4 }]"#;
    let with = |table: Table, name: &str, related: bool, shift: usize| {
        let x: Vec<f64> = (0..24).map(|l| f64::from((l * 7) % 24)).collect();
        let y: Vec<f64> = (0..24_usize)
            .map(|l| {
                let own = if related { (l * 7) % 24 } else { (l * 11 + shift) % 24 };
                1.0 + own as f64 + ((l * 5 + shift) % 7) as f64
            })
            .collect();
        table.layers(name, Metric::EmbeddingCorrelation, &x).layers(name, Metric::LayerGain, &y)
    };
    let all = |related| (0..6).fold(Table::default(), |t, i| with(t, &format!("m{i}"), related, i * 4));
    let found = judged("", test, rule, &all(true));
    assert_eq!(found.verdict, Verdict::Contradicted, "{found:#?}");
    assert!(statistic(&found.primary, "absolute-rho").unwrap() > 0.9);
    noted(&found.primary, "neighbouring layers resemble each other");
    let found = judged("", test, rule, &all(false));
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    let one = judged("", test, rule, &with(Table::default(), "a", true, 0)).primary;
    assert_eq!(statistic(&one, "low"), None, "one model says nothing about others");
    let needy = judged("needs = { models = 6 }", test, rule, &with(Table::default(), "a", true, 0));
    assert_eq!(missing(&needy), "needs 6 lineages of models, have 1 (a)");
}
