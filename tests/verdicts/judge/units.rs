//! Prompt sets as blocks, claims about every model, and policies that are one.

use number::{
    evidence::{Evidence, PromptInfo},
    metric::Metric,
};
use study::judge::{
    family,
    outcome::{Kinship, Verdict},
};

use super::table::{
    BOTH, DOWN, LAST, NEVER, Table, UP, curve, expanding, hypothesis, judged, noted, outcome, statistic,
};

/// Prompts of two sets: within each, gain falls with entropy; the second set has more of both.
fn two_sets(models: &[&str]) -> Table {
    two_sets_of(10, models)
}

/// With so many prompts each.
fn two_sets_of(prompts: u32, models: &[&str]) -> Table {
    let mut table = models.iter().fold(Table::default(), |table, model| {
        (0..2 * prompts).fold(table, |table, i| {
            let (set, step) = (f64::from(i / prompts), f64::from(i % prompts) * 10.0 / f64::from(prompts));
            let (entropy, gain) = (10.0 * set + step, 5.0 + 10.0 * set - step + 0.3 * f64::from(i * 7 % 10));
            let prompt = format!("p{i:02}");
            table.row(model, &prompt, Metric::OutputEntropy, "last/hf-last", entropy).row(
                model,
                &prompt,
                Metric::LastGain,
                LAST,
                gain,
            )
        })
    });
    table.0.prompts = (0..2 * prompts)
        .map(|i| PromptInfo {
            id: format!("p{i:02}"),
            category: String::new(),
            text: format!("text {i}"),
            sets: vec![if i < prompts { "natural" } else { "salad" }.into()],
        })
        .collect();
    table
}

const RISES: &str = r#"kind = "correlation", method = "spearman", unit = "prompt", x = { metric = "output-entropy" }, y = { metric = "last-gain" }"#;
const LOW: &str =
    r#"supported = [{ statistic = "low", above = 0 }], contradicted = [{ statistic = "high", below = 0 }]"#;

#[test]
fn a_correlation_that_only_the_union_of_prompt_sets_has_is_none() {
    // Five models on the same prompts are as uncertain as the prompts.
    let table = two_sets_of(40, &["a", "b", "c", "d", "e"]);
    let found = judged("", RISES, LOW, &table);
    assert_eq!(found.verdict, Verdict::Contradicted, "{found:#?}");
    noted(&found.primary, "prompts are compared within their sets: natural (40), salad (40)");
    let mut union = table.clone();
    union.0.prompts.iter_mut().for_each(|prompt| prompt.sets = vec!["everything".into()]);
    assert_eq!(judged("", RISES, LOW, &union).verdict, Verdict::Supported, "the union rises");
}

#[test]
fn the_correlation_within_sets_is_the_mean_of_theirs_weighted_by_prompts() {
    let whole = two_sets(&["a", "b", "c", "d", "e"]);
    let mut uneven = whole.clone();
    uneven.0.rows.retain(|row| row.prompt.as_deref() < Some("p16"));
    let rho = |table: &Table| judged("", RISES, LOW, table).primary.estimates[0].value.unwrap();
    let alone = |first: bool| {
        let mut one = uneven.clone();
        one.0.rows.retain(|row| (row.prompt.as_deref() < Some("p10")) == first);
        rho(&one)
    };
    let expected = (10.0 * alone(true) + 6.0 * alone(false)) / 16.0;
    assert!((rho(&uneven) - expected).abs() < 1e-12, "{} {expected}", rho(&uneven));
    // A set of three prompts says nothing by itself.
    let (first, mut few) = (alone(true), uneven.clone());
    few.0.rows.retain(|row| row.prompt.as_deref() < Some("p13"));
    assert!((rho(&few) - first).abs() < 1e-12);
    noted(&judged("", RISES, LOW, &few).primary, "too few prompts to be compared: salad (3)");
}

#[test]
fn each_prompt_set_alone_is_a_specification() {
    let found = outcome(
        &hypothesis("", &format!("test = {{ {RISES} }}\nrule = {{ {LOW} }}")),
        &two_sets(&["a", "b", "c", "d"]),
    );
    let sets: Vec<_> = curve(&found)
        .specifications
        .iter()
        .flat_map(|s| &s.choices)
        .filter(|choice| choice.dimension == "sets")
        .map(|choice| choice.value.as_str())
        .collect();
    for set in ["all", "natural", "salad"] {
        assert!(sets.contains(&set), "{sets:?}");
    }
}

#[test]
fn a_set_that_has_the_prompts_that_are_needed_may_not_leave_open_what_all_sets_decide() {
    // In the first set gain rises with entropy, in the second nothing is seen.
    let mut table = two_sets(&["a", "b", "c", "d", "e"]);
    for row in table.0.rows.iter_mut().filter(|row| row.metric == Metric::LastGain) {
        let number: u32 = row.prompt.as_ref().unwrap()[1..].parse().unwrap();
        let model = u32::from(row.model.as_bytes()[0]);
        row.value = f64::from(if number < 10 { number + 1 } else { 1 + number * (7 + model) % 10 });
    }
    let with =
        |needs: &str| judged(needs, RISES, r#"supported = [{ statistic = "low", above = 0 }]"#, &table);
    let found = with("needs = { prompts = 10 }");
    assert_eq!(found.primary.verdict, Verdict::Supported, "{found:#?}");
    assert_eq!(found.verdict, Verdict::Fragile, "{found:#?}");
    assert!(found.primary.because.contains("inconclusive with sets = salad"), "{}", found.primary.because);
    assert_eq!(with("").verdict, Verdict::Supported, "nothing says that ten prompts would do");
}

#[test]
fn a_mean_over_prompts_of_several_sets_says_so() {
    let table = two_sets(&["a", "b"]);
    let mean = r#"kind = "mean-by-model", of = { metric = "last-gain", scale = "log" }"#;
    let noted_of = |test: &str, table: &Table| judged("", test, LOW, table).primary.notes.join("\n");
    let together = "prompts of 2 sets enter together, each prompt with the same weight: natural, salad";
    assert!(noted_of(mean, &table).contains(together), "{}", noted_of(mean, &table));
    assert!(!noted_of(RISES, &table).contains("enter together"), "a correlation is within sets");
    let mut natural = table.clone();
    natural.0.rows.retain(|row| row.prompt.as_deref() < Some("p10"));
    assert!(!noted_of(mean, &natural).contains("enter together"), "there is one set");
}

#[test]
fn categories_that_differ_only_as_their_sets_do_do_not_differ() {
    let mut table = two_sets(&["a"]);
    for row in &mut table.0.rows {
        let number: usize = row.prompt.as_ref().unwrap()[1..].parse().unwrap();
        // Nearly each set's own category.
        row.category =
            Some(if (number < 10) != number.is_multiple_of(5) { "Natural" } else { "Nonsense" }.into());
    }
    let test = r#"kind = "categories", of = { metric = "last-gain" }"#;
    let rule = r#"supported = [{ statistic = "share-significant", at-least = 1 }]"#;
    let found = judged("", test, rule, &table);
    assert_eq!(statistic(&found.primary, "share-significant"), Some(0.0), "{found:#?}");
    table.0.prompts.clear();
    assert_eq!(statistic(&judged("", test, rule, &table).primary, "share-significant"), Some(1.0));
}

#[test]
fn a_mean_over_other_tokens_is_no_equivalent_where_entropy_is_read_at_the_last() {
    let also = "[[also]]\nprotocol = \"mean-without-first/last-block/auto\"\nrelation = \"equivalent\"";
    let table = two_sets(&["a", "b", "c", "d"]);
    let mean: Vec<_> = table.0.rows.iter().filter(|row| row.metric == Metric::LastGain).cloned().collect();
    let table = mean.into_iter().fold(table, |mut table, mut row| {
        row.protocol = "mean-without-first/last-block/auto".parse().ok();
        table.0.rows.push(row);
        table
    });
    let relation = |test: &str, rule: &str| {
        let found = outcome(&hypothesis(also, &format!("test = {{ {test} }}\nrule = {{ {rule} }}")), &table);
        let of = |choice: &study::judge::outcome::Choice| choice.value == "mean-without-first";
        let other = curve(&found).specifications.iter().find(|s| s.choices.iter().any(of)).cloned();
        other.unwrap().relation
    };
    assert_eq!(relation(RISES, LOW), Kinship::DifferentEstimand);
    let mean = r#"kind = "mean-by-model", of = { metric = "last-gain" }"#;
    assert_eq!(relation(mean, r#"supported = [{ statistic = "pooled", above = 0 }]"#), Kinship::Equivalent);
}

#[test]
fn a_bos_policy_that_changes_no_number_is_one_specification() {
    let mean = r#"test = { kind = "mean-by-model", of = { metric = "last-gain", scale = "log" } }
        rule = { supported = [{ statistic = "pooled", above = 0 }] }"#;
    let count = |other: &[f64]| {
        let table = (0..4).fold(expanding(4), |table, m| {
            let scaled: Vec<f64> = other.iter().map(|v| v * (1.0 + 0.05 * f64::from(m))).collect();
            table.rows(&format!("m{m}"), Metric::LastGain, NEVER, &scaled)
        });
        let found = outcome(&hypothesis("", mean), &table);
        let curve = curve(&found).clone();
        (curve.specifications.len(), curve.notes)
    };
    let (same, notes) = count(&UP);
    assert_eq!(same, 1, "{notes:?}");
    assert!(notes.iter().any(|n| n.starts_with("BOS = never gives the numbers of BOS = auto")), "{notes:?}");
    assert_eq!(count(&BOTH).0, 2);
}

const EVERY: &str = r#"kind = "mean-by-model", of = { metric = "last-gain", scale = "log" }"#;
const EACH: &str = r#"supported = [{ statistic = "smallest-low", above = 0 }], contradicted = [{ statistic = "smallest-high", below = 0 }]"#;

#[test]
fn a_claim_about_every_model_is_tested_by_the_extremes() {
    let of = |table: &Table| {
        outcome(&hypothesis("", &format!("test = {{ {EVERY} }}\nrule = {{ {EACH} }}")), table)
    };
    let all = of(&expanding(8));
    let primary = |found: &study::judge::outcome::HypothesisOutcome| {
        let curve = curve(found).clone();
        (curve.specifications.iter().find(|s| s.relation == Kinship::Primary).unwrap().clone(), curve)
    };
    let (one, of_all) = primary(&all);
    let smallest = UP.iter().map(|v| v.ln()).sum::<f64>() / 6.0;
    assert!((one.effect.unwrap() - smallest).abs() < 1e-12, "the effect is the smallest model's: {one:?}");
    assert_eq!(of_all.null_hypothesis, "some model is not above 0 (largest p of 8 models)");
    let largest = all.predictions[0].primary.estimates.iter().take(8).filter_map(|e| e.p).fold(0.0, f64::max);
    assert_eq!(one.p, Some(largest));
    assert!(
        (of_all.joint_p_median.unwrap() - 2.0 / 64.0).abs() < 1e-12,
        "six prompts of each model: {of_all:?}"
    );
    // One model below, however far the mean of all lies above.
    let falls = of(&expanding(8).rows("low", Metric::LastGain, LAST, &DOWN));
    let (one, of_all) = primary(&falls);
    assert_eq!(falls.predictions[0].verdict, Verdict::Contradicted, "{falls:#?}");
    assert_eq!(of_all.null_hypothesis, "every model is at least 0 (smallest p of 9 models, after Holm)");
    let low = falls.predictions[0].primary.estimates.iter().find(|e| e.label == "low").unwrap();
    assert_eq!(one.p, Some((9.0 * low.p.unwrap()).min(1.0)));
    assert!(
        statistic(&falls.predictions[0].primary, "smallest-high").unwrap() > low.high.unwrap(),
        "of nine at once"
    );
}

#[test]
fn one_of_many_models_lies_below_by_chance() {
    // Below alone, not as the lowest of forty.
    let low = [0.985, 0.99, 0.999, 0.98, 0.988, 0.992];
    let with =
        |models: usize| judged("", EVERY, EACH, &expanding(models).rows("low", Metric::LastGain, LAST, &low));
    assert_eq!(with(0).verdict, Verdict::Contradicted);
    assert_eq!(with(40).verdict, Verdict::Inconclusive);
}

#[test]
fn the_family_names_each_null_and_shows_verdicts_before_and_after() {
    let one = outcome(&hypothesis("", &format!("test = {{ {EVERY} }}\nrule = {{ {EACH} }}")), &expanding(8));
    let none =
        outcome(&hypothesis("", &format!("test = {{ {EVERY} }}\nrule = {{ {EACH} }}")), &Table::default());
    let members = family(&[one, none], &[0.05; 2], Some(18));
    let [one, none] = &members[..2] else { panic!("{members:#?}") };
    assert_eq!(one.null, "some model is not above 0 (largest p of 8 models)");
    assert_eq!((one.with_p, one.of), (1, 18), "the others are counted as p = 1, and that is said");
    assert_eq!((one.before, one.evidence), (Some(Verdict::Supported), Evidence::Published));
    let holds = one.holm.unwrap() < 0.05;
    assert_eq!(one.after, Some(if holds { Verdict::Supported } else { Verdict::Inconclusive }));
    assert_eq!((none.p, none.null.as_str(), none.after), (None, "", Some(Verdict::Untestable)));
}

#[test]
fn a_counterexample_that_only_an_equivalent_protocol_has_is_not_dropped() {
    let rows = |protocol: &str, model: &str, values: &[f64], table: Table| {
        table.rows(model, Metric::LastGain, protocol, values)
    };
    let table = rows("mean/last-block", "other", &DOWN, rows(LAST, "own", &UP, Table::default()));
    let rule = r#"supported = [{ statistic = "smallest-low", above = 0 }, { statistic = "lineages", at-least = 8 }],
        contradicted = [{ statistic = "smallest-high", below = 0 }]"#;
    let with = |relation: &str, rule: &str| {
        let also = format!("[[also]]\nprotocol = \"mean/last-block/auto\"\nrelation = \"{relation}\"");
        let found =
            outcome(&hypothesis(&also, &format!("test = {{ {EVERY} }}\nrule = {{ {rule} }}")), &table);
        found.predictions[0].clone()
    };
    let found = with("equivalent", rule);
    assert_eq!(found.verdict, Verdict::Contradicted, "{found:#?}");
    assert!(
        found
            .primary
            .because
            .starts_with("contradicted under mean/last-block/auto, which has the only numbers of other"),
        "{}",
        found.primary.because
    );
    assert_eq!(with("different-estimand", rule).verdict, Verdict::Inconclusive);
    // A claim about the mean is not refuted by one model.
    let mean = r#"supported = [{ statistic = "pooled", above = 9 }], contradicted = [{ statistic = "models-below", at-least = 1 }]"#;
    assert_eq!(with("equivalent", mean).verdict, Verdict::Inconclusive);
}

#[test]
fn points_that_a_law_was_fitted_to_are_held_against_the_others() {
    // Seven points on a law, the eighth four times above: it bends a fit that it takes part in.
    let table = (0..8).fold(Table::default(), |table, i| {
        let (model, n) = (format!("m{i}"), 1e8 * 2f64.powi(i));
        let gain = 0.013 * n.powf(0.265) * if i == 7 { 4.0 } else { 1.0 };
        table
            .rows(&model, Metric::LastGain, LAST, &[gain])
            .facts(&model, |facts| facts.parameters = Some(n as u64))
    });
    let ids: Vec<String> = (0..8).map(|i| format!("\"m{i}\"")).collect();
    let test = |fitted: &str| {
        format!(
            r#"kind = "predicted", of = {{ metric = "last-gain" }}, against = {{ fact = "parameters" }}, coefficient = 0.02, exponent = 0.26, factor = 2, fitted-to = [{fitted}]"#
        )
    };
    let rule = r#"supported = [{ statistic = "share-within-factor", at-least = 0.8 }]"#;
    let all = judged("", &test(&ids.join(", ")), rule, &table).primary;
    let of = |label: &str| all.estimates.iter().find(|e| e.label == label).unwrap().value.unwrap();
    assert!((of("m7") - 4.0).abs() < 1e-9, "the seven others are on the law: {}", of("m7"));
    assert!(of("m6") < 0.9, "and this one is held against a fit with the eighth: {}", of("m6"));
    noted(&all, "the law was fitted to m0, m1");
    let few = judged("", &test("\"m0\", \"m1\""), rule, &table).primary;
    noted(&few, "m0: too few other points that the law was fitted to, left out");
    assert_eq!(statistic(&few, "lineages"), Some(6.0));
}
