//! Models set beside models: groups, extremes, laws of size, heaps, agreement.

use number::metric::Metric;
use study::{judge::outcome::Verdict, stats};

use super::table::{LAST, Table, judged, missing, noted, statistic};

/// Models m0, m1, …: gain and norm type of each, two to a family.
fn models(gains: &[(f64, &str)]) -> Table {
    gains.iter().enumerate().fold(Table::default(), |table, (i, (gain, norm))| {
        let model = format!("m{i}");
        table
            .rows(&model, Metric::LastGain, LAST, &[gain * 0.99, *gain, gain * 1.01])
            .whole(&model, Metric::UnembeddingSpectralNorm, 10.0 / gain)
            .facts(&model, |facts| {
                facts.norm = (!norm.is_empty()).then(|| (*norm).to_string());
                facts.family = Some(format!("f{}", i / 2));
                facts.parameters = Some(1000 * 4_u64.pow(i as u32));
            })
    })
}

const R: &str = "rmsnorm";
const L: &str = "layernorm";
const GROUPS: &str = r#"kind = "groups", of = { metric = "last-gain" }, by = { fact = "norm", is = "rmsnorm", versus = "layernorm" }"#;
const APART: &str = r#"supported = [{ statistic = "p", below = 0.05 }, { statistic = "auc", at-least = 0.8 }],
    contradicted = [{ statistic = "p", below = 0.05 }, { statistic = "auc", at-most = 0.2 }]"#;

#[test]
fn groups_by_a_fact_are_ranked_against_each_other() {
    let up = [(1.5, R), (1.6, R), (1.4, R), (1.7, R), (0.9, L), (0.8, L), (0.7, L), (1.0, L), (2.0, "")];
    let found = judged("needs = { per-group = 4 }", GROUPS, APART, &models(&up));
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    let found = found.primary;
    let (a, b) = ([1.5, 1.6, 1.4, 1.7], [0.9, 0.8, 0.7, 1.0]);
    assert_eq!(statistic(&found, "p"), Some(stats::mann_whitney(&a, &b).unwrap().p));
    assert!((statistic(&found, "difference").unwrap() - 0.7).abs() < 1e-12);
    assert_eq!(statistic(&found, "auc"), Some(1.0));
    noted(&found, "m8 left out: its norm is not known");
    // Two families on each side: relabelling them cannot reach alpha.
    assert_eq!(statistic(&found, "p-family"), None);
    noted(&found, "relabelling 2 and 2 families: cannot reach alpha = 0.05");
    assert!(
        statistic(&found, "loo-lowest").unwrap() < 0.7 && statistic(&found, "loo-highest").unwrap() > 0.7
    );
    noted(&found, "matters most");
    let down: Vec<(f64, &str)> = up[..8].iter().map(|(g, norm)| (3.0 - g, *norm)).collect();
    assert_eq!(judged("", GROUPS, APART, &models(&down)).verdict, Verdict::Contradicted);
    let needy = judged("needs = { per-group = 8 }", GROUPS, APART, &models(&up[..7]));
    assert_eq!(
        missing(&needy),
        "needs 8 lineages of models of norm = rmsnorm, have 4 (m0, m1, m2, m3); needs 8 lineages of models of norm = layernorm, have 3 (m4, m5, m6)"
    );
    let few = judged("", GROUPS, APART, &models(&[up[0], up[1], up[4], up[5]])).primary;
    assert_eq!(statistic(&few, "p"), None);
    noted(&few, "Mann-Whitney of 2 and 2 lineages: cannot reach alpha = 0.05");
}

#[test]
fn groups_within_families_are_not_fooled_by_what_a_family_has_in_common() {
    let test = GROUPS.replace("groups", "matched-groups");
    let rule = r#"supported = [{ statistic = "p", below = 0.05 }, { statistic = "difference", above = 0 }],
        contradicted = [{ statistic = "p", below = 0.05 }, { statistic = "difference", below = 0 }]"#;
    // Families of two, each at a level of its own; within each, rmsnorm is a little higher. The last has rmsnorm alone.
    let pair = |level: f64, by: f64| [(level + by, R), (level, L)];
    let up: Vec<(f64, &str)> = (1..=6)
        .flat_map(|family| pair(f64::from(family), 0.01 * f64::from(family)))
        .chain([(9.0, R), (9.5, R)])
        .collect();
    let found = judged("needs = { pairs = 6 }", &test, rule, &models(&up));
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    let found = found.primary;
    assert_eq!(statistic(&found, "families"), Some(6.0));
    assert!((statistic(&found, "difference").unwrap() - 0.035).abs() < 1e-12);
    assert_eq!(statistic(&found, "p"), Some(2.0 / 64.0));
    let unmatched = judged("", GROUPS, APART, &models(&up[..12])).primary;
    assert!(statistic(&unmatched, "p").unwrap() > 0.5);
    let down: Vec<(f64, &str)> = up.iter().map(|(gain, norm)| (20.0 - gain, *norm)).collect();
    assert_eq!(judged("", &test, rule, &models(&down)).verdict, Verdict::Contradicted);
    let few = judged("needs = { pairs = 6 }", &test, rule, &models(&up[..10]));
    assert_eq!(
        missing(&few),
        "needs 6 families with models of both norm = rmsnorm and norm = layernorm, have 5 (f0, f1, f2, f3, f4)"
    );
    noted(&judged("", &test, rule, &models(&up[..10])).primary, "flipping the signs of 5 families");
}

#[test]
fn groups_by_the_side_of_a_quantity() {
    let test = r#"kind = "groups", of = { metric = "unembedding-spectral-norm" }, by = { quantity = { metric = "last-gain", scale = "log" } }"#;
    let rule = r#"supported = [{ statistic = "difference", below = 0 }], contradicted = [{ statistic = "difference", above = 0 }]"#;
    let table = models(&[(1.5, R), (1.6, R), (0.9, L), (0.8, L)]);
    let found = judged("", test, rule, &table);
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    assert_eq!(
        (statistic(&found.primary, "a-models"), statistic(&found.primary, "b-models")),
        (Some(2.0), Some(2.0))
    );
    assert!(missing(&judged("", test, rule, &models(&[(1.5, R)]))).contains("log ratio at most 0, have 0"));
}

#[test]
fn several_groups_by_ranks() {
    let test = r#"kind = "kruskal-groups", of = { metric = "last-gain" }, by = "positions""#;
    let rule = r#"supported = [{ statistic = "p", below = 0.05 }, { statistic = "epsilon2", at-least = 0.3 }],
        contradicted = [{ statistic = "epsilon2", below = 0.1 }]"#;
    let with = |gains: &[f64]| {
        let gains: Vec<(f64, &str)> = gains.iter().map(|g| (*g, R)).collect();
        (0..gains.len()).fold(models(&gains), |table, i| {
            let scheme = ["rotary", "learned", "alibi"][i % 3];
            table.facts(&format!("m{i}"), |facts| facts.positions = Some(scheme.into()))
        })
    };
    let apart = [1.0, 2.0, 3.0, 1.1, 2.1, 3.1, 1.2, 2.2, 3.2];
    let found = judged("", test, rule, &with(&apart));
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    let labels: Vec<usize> = (0..9).map(|i| [2, 1, 0][i % 3]).collect();
    let h = stats::kruskal_wallis(&apart, &labels).unwrap().h;
    assert!((statistic(&found.primary, "epsilon2").unwrap() - h / 8.0).abs() < 1e-12);
    let mixed = [1.0, 2.0, 3.0, 2.0, 3.0, 1.0, 3.0, 1.0, 2.0];
    assert_eq!(judged("", test, rule, &with(&mixed)).verdict, Verdict::Contradicted);
    noted(&judged("", test, rule, &with(&apart[..3])).primary, "cannot reach alpha");
    let unknown = judged("", test, rule, &models(&[(1.0, R), (2.0, R)]));
    assert!(missing(&unknown).contains("at least two values of positions"), "{unknown:#?}");
}

#[test]
fn a_fact_explains_what_another_leaves() {
    let test = r#"kind = "explains", of = { metric = "last-gain" }, by = "mlp", beyond = ["norm"], cluster = "base""#;
    let rule = r#"supported = [{ statistic = "p", below = 0.05 }, { statistic = "partial-r2", at-least = 0.2 }],
        contradicted = [{ statistic = "partial-r2", below = 0.1 }]"#;
    // Every model a cluster of its own; the gain follows the MLP by `effect` and the norm by 1.
    let with = |n: usize, effect: f64| {
        let of = |i: usize| (i % 2) as f64 + effect * ((i / 2) % 2) as f64 + 0.01 * ((i * 7) % 5) as f64;
        let gains: Vec<(f64, &str)> = (0..n).map(|i| (1.0 + of(i), [L, R][i % 2])).collect();
        (0..n).fold(models(&gains), |table, i| {
            table.facts(&format!("m{i}"), |facts| {
                facts.mlp = Some(["gelu", "swiglu"][(i / 2) % 2].into());
                facts.base = Some(format!("b{i}"));
            })
        })
    };
    let found = judged("needs = { models = 12 }", test, rule, &with(12, 0.5));
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    assert_eq!(statistic(&found.primary, "groups"), Some(2.0));
    assert_eq!(judged("", test, rule, &with(12, 0.0)).verdict, Verdict::Contradicted);
    assert!(
        missing(&judged("needs = { models = 20 }", test, rule, &with(4, 0.5)))
            .contains("needs 20 lineages of models, have 4 (b0")
    );
    // Families that hold both kinds of MLP cannot be dealt whole.
    let by_family = test.replace("\"base\"", "\"norm\"");
    let found = judged("", &by_family, rule, &with(12, 0.5)).primary;
    assert_eq!(statistic(&found, "p"), None);
    noted(&found, "no p by clusters: mlp differs within a norm");
}

#[test]
fn extremes_over_models_and_over_cells() {
    let test = |more: &str| {
        format!(r#"kind = "extremes", of = {{ metric = "last-gain" }}, inside = [0.5, 1.6] {more}"#)
    };
    let rule = r#"supported = [{ statistic = "share-inside", at-least = 1 }], contradicted = [{ statistic = "largest", above = 1.6 }]"#;
    let table = models(&[(1.5, R), (1.59, R), (0.8, L)]);
    assert_eq!(judged("", &test(""), rule, &table).verdict, Verdict::Supported);
    let cells = judged("", &test(", over = \"cells\""), rule, &table);
    assert_eq!(cells.primary.verdict, Verdict::Contradicted, "1.59 * 1.01 is outside");
    assert_eq!((statistic(&cells.primary, "cells"), statistic(&cells.primary, "low")), (Some(9.0), None));
    let relative = r#", relative-to = { metric = "last-gain", select = { where = [{ fact = "norm", is = "layernorm" }] } }"#;
    let found = judged("", &test(relative), rule, &table).primary;
    assert!((statistic(&found, "largest").unwrap() - 1.59 / 0.8).abs() < 1e-12);
    assert!((statistic(&found, "smallest").unwrap() - 1.0).abs() < 1e-12);
    let needy = judged("needs = { models = 5 }", &test(""), rule, &table);
    assert_eq!(missing(&needy), "needs 5 lineages of models, have 3 (m0, m1, m2)");
}

#[test]
fn a_power_law_is_found_and_one_that_was_stated_is_held_against_models() {
    let law = |scatter: f64| -> Vec<(f64, &str)> {
        let y = |i: i32| 0.013 * (1000.0 * 4_f64.powi(i)).powf(0.265) * (1.0 + scatter * f64::from(i % 2));
        (0..6).map(|i| (y(i), R)).collect()
    };
    let fit = r#"kind = "power-law", x = { fact = "parameters" }, y = { metric = "last-gain" }"#;
    let rule = r#"supported = [{ statistic = "low", above = 0, at-most = 0.265 }, { statistic = "high", at-least = 0.265 }],
        contradicted = [{ statistic = "high", below = 0.2 }]"#;
    let found = judged("", fit, rule, &models(&law(0.01)));
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    assert!((statistic(&found.primary, "exponent").unwrap() - 0.265).abs() < 0.01);
    assert!(statistic(&found.primary, "loo-lowest").unwrap() <= 0.27);
    let flat: Vec<(f64, &str)> = (0..6).map(|i| (1.0 + 0.001 * f64::from(i % 3), R)).collect();
    assert_eq!(judged("", fit, rule, &models(&flat)).verdict, Verdict::Contradicted);
    assert!(missing(&judged("", fit, rule, &models(&flat[..2]))).contains("at least three lineages"));
    let outside = |band: &str, gains: &[(f64, &str)]| {
        let found = judged("", &format!("{fit}, band = {band}"), rule, &models(gains)).primary;
        statistic(&found, "outside")
    };
    assert_eq!(outside("[0.265, 0.265]", &law(0.01)), Some(0.0));
    assert_eq!(outside("[0.3, 0.4]", &law(0.01)), Some(1.0), "the interval ends below");
    assert_eq!(outside("[0.1, 0.2]", &law(0.01)), Some(1.0), "the interval begins above");
    let stated = r#"kind = "predicted", of = { metric = "last-gain" }, against = { fact = "parameters" }, coefficient = 0.013, exponent = 0.265, factor = 2"#;
    let rule = r#"supported = [{ statistic = "share-within-factor", at-least = 0.8 }], contradicted = [{ statistic = "share-within-factor", below = 0.5 }]"#;
    let found = judged("", stated, rule, &models(&law(0.01)));
    assert_eq!(found.verdict, Verdict::Supported);
    assert!(statistic(&found.primary, "worst").unwrap() < 1.02);
    let far: Vec<(f64, &str)> = law(0.0).iter().map(|(y, norm)| (y * 3.0, *norm)).collect();
    let found = judged("", stated, rule, &models(&far));
    assert_eq!(found.verdict, Verdict::Contradicted);
    assert!((statistic(&found.primary, "mean-ratio").unwrap() - 3.0).abs() < 1e-3);
}

#[test]
fn two_heaps_are_told_from_one() {
    let test = r#"kind = "modality", of = { metric = "last-gain", scale = "log" }"#;
    let rule = r#"supported = [{ statistic = "two", at-least = 1 }], contradicted = [{ statistic = "two", below = 1 }]"#;
    let spread = |centre: f64| (0..10).map(move |i| (centre * (1.0 + 0.01 * f64::from(i * i % 11)), R));
    let heaps: Vec<(f64, &str)> = spread(0.5).chain(spread(2.0)).collect();
    let found = judged("needs = { models = 20 }", test, rule, &models(&heaps));
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    assert!(statistic(&found.primary, "dip-p").unwrap() < 0.05);
    let one: Vec<(f64, &str)> = (0..20).map(|i| (1.0 + 0.01 * f64::from(i), R)).collect();
    assert_eq!(judged("", test, rule, &models(&one)).verdict, Verdict::Contradicted);
    assert!(
        missing(&judged("needs = { models = 20 }", test, rule, &models(&one[..3])))
            .starts_with("needs 20 lineages of models")
    );
}

#[test]
fn kinds_offer_what_they_promise() {
    let gain = r#"{ metric = "last-gain" }"#;
    let sigma = r#"{ metric = "unembedding-spectral-norm" }"#;
    let layers = r#"{ metric = "layer-gain" }"#;
    let kinds = [
        format!(r#"kind = "contrast", a = {gain}, b = {sigma}"#),
        format!(r#"kind = "pairs", of = {gain}, change = "*""#),
        format!(r#"kind = "groups", of = {gain}, by = {{ fact = "norm", is = "rmsnorm" }}"#),
        format!(r#"kind = "kruskal-groups", of = {gain}, by = "norm""#),
        format!(r#"kind = "explains", of = {gain}, by = "norm""#),
        format!(r#"kind = "extremes", of = {gain}"#),
        format!(r#"kind = "power-law", x = {sigma}, y = {gain}"#),
        format!(r#"kind = "predicted", of = {gain}, against = {sigma}, coefficient = 1, exponent = 1"#),
        format!(r#"kind = "modality", of = {gain}"#),
        r#"kind = "agreement", metric = "last-gain", protocols = ["last/last-block", "last/last-block"]"#
            .into(),
        format!(r#"kind = "sign-pattern", of = {gain}, models = ["m0"]"#),
        format!(r#"kind = "k-of-n", of = {gain}, k = 1"#),
        format!(
            r#"kind = "layer-location", left = {layers}, left-locate = "argmin", right = {layers}, right-locate = "argmax""#
        ),
        format!(r#"kind = "layer-correlation", x = {layers}, y = {layers}, method = "pearson""#),
        format!(r#"kind = "trend", of = {gain}"#),
        format!(r#"kind = "change-points", a = {gain}, b = {gain}"#),
        format!(r#"kind = "spread-change", of = {gain}, at = {gain}"#),
    ];
    let table = models(&[(1.5, R), (1.6, R), (1.55, R), (0.9, L), (0.8, L), (0.85, L)]).layers(
        "m0",
        Metric::LayerGain,
        &[1.0, 3.0, 2.0, 5.0],
    );
    for kind in kinds {
        let found = judged("", &kind, "supported = []", &table).primary;
        let names: Vec<&str> = found.statistics.iter().map(|s| s.name.as_str()).collect();
        let h = super::table::hypothesis("", &format!("test = {{ {kind} }}\nrule = {{ supported = [] }}"));
        assert_eq!(names, h.predictions[0].test.statistics(), "{kind}");
    }
}

#[test]
fn sides_agree_between_protocols_or_not() {
    let test = |across: &str| {
        format!(
            r#"kind = "agreement", metric = "last-gain", protocols = ["last/last-block", "frobenius/last-block"] {across}"#
        )
    };
    let rule = r#"supported = [{ statistic = "kappa", at-least = 0.8 }], contradicted = [{ statistic = "kappa", below = 0.2 }]"#;
    let with = |others: &[f64]| {
        others.iter().enumerate().fold(models(&[(1.5, R), (1.6, R), (0.9, L), (0.8, L)]), |table, (i, v)| {
            table.rows(&format!("m{i}"), Metric::LastGain, "frobenius/last-block", &[*v])
        })
    };
    let across = test(", across-protocols = true");
    let found = judged("", &across, rule, &with(&[2.0, 3.0, 0.5, 0.4]));
    assert_eq!((found.verdict, statistic(&found.primary, "kappa")), (Verdict::Supported, Some(1.0)));
    assert_eq!(statistic(&found.primary, "share-on-side"), Some(1.0));
    assert_eq!(found.primary.protocols.len(), 2);
    assert_eq!(judged("", &across, rule, &with(&[2.0, 0.5, 2.0, 0.5])).verdict, Verdict::Contradicted);
    assert!(missing(&judged("", &test(""), rule, &with(&[2.0]))).starts_with("refused: last-gain under"));
    // All on one side under one protocol: kappa has nothing to go by.
    let found = judged("", &across, rule, &with(&[2.0, 2.0, 2.0, 2.0])).primary;
    assert_eq!(statistic(&found, "kappa"), Some(0.0));
}
