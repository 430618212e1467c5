//! Numbers that do not differ decide nothing, whatever the kind of test; what they are is said.

use number::metric::Metric;
use study::judge::outcome::Verdict;

use super::table::{EXPANDS, LAST, Table, UP, hypothesis, judged, missing, published};

const CONSTANT: [f64; 6] = [1.5; 6];

/// Six models of which every prompt of every model gives `value`.
fn all_alike(value: impl Fn(usize, usize) -> f64) -> Table {
    (0..6).fold(Table::default(), |table, m| {
        let values: Vec<f64> = (0..6).map(|p| value(m, p)).collect();
        table
            .rows(&format!("m{m}"), Metric::LastGain, LAST, &values)
            .rows(&format!("m{m}"), Metric::OutputEntropy, LAST, &values)
            .facts(&format!("m{m}"), |facts| {
                facts.width = Some(1408);
                facts.norm = Some(if m < 3 { "rmsnorm" } else { "layernorm" }.into());
                facts.family = Some(format!("f{m}"));
            })
    })
}

/// Tests of many kinds, each with a rule that a large enough effect of certainty would meet.
const KINDS: [(&str, &str); 9] = [
    (
        r#"kind = "mean-by-model", of = { metric = "last-gain", scale = "log" }"#,
        r#"supported = [{ statistic = "smallest-low", at-least = 0.02 }], contradicted = [{ statistic = "smallest-high", at-most = -0.02 }]"#,
    ),
    (
        r#"kind = "mean-by-model", of = { metric = "last-gain", scale = "log" }"#,
        r#"supported = [{ statistic = "low", above = 0 }], contradicted = [{ statistic = "high", below = 0 }]"#,
    ),
    (
        r#"kind = "k-of-n", of = { metric = "last-gain", scale = "log" }, share = 0.5"#,
        r#"supported = [{ statistic = "p", below = 0.05 }]"#,
    ),
    (
        r#"kind = "correlation", method = "spearman", unit = "model", x = { fact = "width" }, y = { metric = "last-gain" }"#,
        r#"supported = [{ statistic = "rho", above = 0 }], contradicted = [{ statistic = "rho", below = 0 }]"#,
    ),
    (
        r#"kind = "correlation", method = "spearman", unit = "prompt", x = { metric = "output-entropy" }, y = { metric = "last-gain" }"#,
        r#"supported = [{ statistic = "low", above = 0 }], contradicted = [{ statistic = "high", below = 0 }]"#,
    ),
    (
        r#"kind = "groups", of = { metric = "last-gain" }, by = { fact = "norm", is = "rmsnorm" }"#,
        r#"supported = [{ statistic = "high", below = 0 }], contradicted = [{ statistic = "low", above = 0 }]"#,
    ),
    (
        r#"kind = "kruskal-groups", of = { metric = "last-gain" }, by = "norm""#,
        r#"supported = [{ statistic = "p", below = 0.9 }]"#,
    ),
    (
        r#"kind = "modality", of = { metric = "last-gain" }"#,
        r#"supported = [{ statistic = "two", at-least = 1 }], contradicted = [{ statistic = "delta-bic", below = 0 }]"#,
    ),
    (
        r#"kind = "contrast", a = { metric = "last-gain", scale = "log", select = { model = "m0" } }, b = { metric = "last-gain", scale = "log", select = { model = "m1" } }"#,
        r#"supported = [{ statistic = "high", below = 0.001 }], contradicted = [{ statistic = "low", above = 0.001 }]"#,
    ),
];

#[test]
fn constants_and_what_rounding_leaves_of_them_decide_nothing_in_any_kind() {
    let worlds: [(&str, Table); 3] = [
        ("constant", all_alike(|_, _| 1.5)),
        ("rounding", all_alike(|m, p| 1.5 + 1e-9 * (m * 7 + p * p) as f64)),
        ("two values", all_alike(|_, p| if p % 2 == 0 { 1.5 } else { 1.6 })),
    ];
    for (world, table) in &worlds {
        for (test, rule) in KINDS {
            let found = judged("", test, rule, table);
            assert!(
                matches!(found.verdict, Verdict::Untestable | Verdict::Inconclusive),
                "{world}: {test}: {:#?}",
                found.primary
            );
        }
    }
}

#[test]
fn a_constant_is_named_with_its_value() {
    let found = judged("", KINDS[3].0, KINDS[3].1, &all_alike(|m, p| 1.0 + (m * 6 + p) as f64));
    assert_eq!(missing(&found), "no spread: width is 1408 in all 6 models");
    let table = Table::default().rows("a", Metric::LastGain, LAST, &CONSTANT);
    let found = published(&hypothesis("", EXPANDS), &table).primary;
    assert_eq!((found.estimates[0].n, found.estimates[0].low), (1, None), "six equal prompts are one unit");
    let found = judged("", KINDS[0].0, KINDS[0].1, &table);
    let why = "last-gain is 0.405 in all 6 prompts of a";
    assert!(missing(&found).contains(why), "{found:#?}");
}

#[test]
fn a_variant_that_changes_nothing_but_last_digits_makes_no_pair() {
    let noise: Vec<f64> = UP.iter().enumerate().map(|(i, v)| v * (1.0 + 1e-8 * (i + 1) as f64)).collect();
    let table = Table::default()
        .rows("base", Metric::LastGain, LAST, &UP)
        .rows("changed", Metric::LastGain, LAST, &noise)
        .facts("changed", |facts| {
            facts.base = Some("base".into());
            facts.change = Some("theta".into());
            facts.kind = Some("variant".into());
        });
    let test = r#"kind = "pairs", of = { metric = "last-gain", scale = "log" }, change = "theta""#;
    let rule = r#"supported = [{ statistic = "share-higher-significant", at-least = 1 }], contradicted = [{ statistic = "equivalence-high", below = 0.001 }]"#;
    let found = judged("", test, rule, &table);
    assert_eq!(found.verdict, Verdict::Inconclusive, "{found:#?}");
    assert!(
        found.primary.because.contains("changed less base is 0 in all 6 prompts"),
        "{}",
        found.primary.because
    );
}

#[test]
fn one_pair_has_no_pool_and_says_how_many_it_needs() {
    let up: Vec<f64> = UP.iter().enumerate().map(|(i, v)| v * (1.1 + 0.01 * i as f64)).collect();
    let table = Table::default()
        .rows("base", Metric::LastGain, LAST, &UP)
        .rows("changed", Metric::LastGain, LAST, &up)
        .facts("changed", |facts| {
            facts.base = Some("base".into());
            facts.change = Some("theta".into());
            facts.kind = Some("variant".into());
        });
    let test = r#"kind = "pairs", of = { metric = "last-gain", scale = "log" }, change = "theta""#;
    let rule = r#"supported = [{ statistic = "low", above = 0 }], contradicted = [{ statistic = "high", below = 0 }]"#;
    let found = judged("", test, rule, &table);
    assert_eq!(
        missing(&found),
        "the lower end of the mean difference's interval could not be computed: needs 2 pairs whose prompts differ, has 1; the upper \
         end of the mean difference's interval could not be computed: needs 2 pairs whose prompts differ, has 1"
    );
}
