//! Contrasts, pairs, and patterns of signs on small made-up tables.

use number::{evidence::Measurement, metric::Metric};
use study::{judge::outcome::Verdict, stats};

use super::table::{LAST, Table, judged, missing, noted, statistic};

const A: [f64; 8] = [0.80, 0.82, 0.78, 0.81, 0.79, 0.83, 0.77, 0.80];
const B: [f64; 8] = [1.60, 1.61, 1.58, 1.66, 1.59, 1.64, 1.57, 1.63];

fn two() -> Table {
    Table::default().rows("a", Metric::LastGain, LAST, &A).rows("b", Metric::LastGain, LAST, &B)
}

fn contrast(extra: &str) -> String {
    let side = |model: &str| {
        format!(r#"{{ metric = "last-gain", scale = "log", select = {{ model = "{model}" }} }}"#)
    };
    format!(r#"kind = "contrast", a = {}, b = {}, {extra}"#, side("a"), side("b"))
}

const BELOW: &str = r#"supported = [{ statistic = "a-high", below = 0 }, { statistic = "b-low", above = 0 }],
    contradicted = [{ statistic = "a-low", above = 0 }]"#;

#[test]
fn two_models_are_compared_prompt_by_prompt() {
    let found = judged("", &contrast("band = [0.8, 1.2]"), BELOW, &two());
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    let found = found.primary;
    let logs = |values: &[f64]| values.iter().map(|v| v.ln()).collect::<Vec<_>>();
    let differences: Vec<f64> = logs(&A).iter().zip(logs(&B)).map(|(a, b)| a - b).collect();
    let is = |name: &str, expected: f64| {
        let value = statistic(&found, name).unwrap();
        assert!((value - expected).abs() < 1e-12, "{name} is {value}, not {expected}");
    };
    is("difference", stats::mean(&differences).unwrap());
    is("ratio", stats::mean(&differences).unwrap().exp());
    is("p-t", stats::paired_t(&differences, 0.05).unwrap().p);
    is("p-rank", stats::wilcoxon(&differences).unwrap().p);
    is("effect", stats::cohen_dz(&differences, 0.05).unwrap().value);
    is("p", 2.0 / 256.0);
    is("prompts", 8.0);
    is("outside", 1.0);
    is("inside", 0.0);
    let swapped = two().rows("c", Metric::LastGain, LAST, &B);
    let other = contrast("").replace("model = \"a\"", "model = \"c\"");
    assert_eq!(judged("", &other, BELOW, &swapped).verdict, Verdict::Contradicted);
}

#[test]
fn unpaired_prompts_need_no_partner_and_few_of_them_no_p() {
    let found = judged("", &contrast("paired = false"), BELOW, &two()).primary;
    let logs = |values: &[f64]| values.iter().map(|v| v.ln()).collect::<Vec<_>>();
    let (a, b) = (logs(&A), logs(&B));
    assert_eq!(statistic(&found, "p-rank"), Some(stats::mann_whitney(&a, &b).unwrap().p));
    assert_eq!(statistic(&found, "p-t"), Some(stats::welch_t(&a, &b, 0.05).unwrap().p));
    assert_eq!(statistic(&found, "effect"), Some(stats::hedges_g(&a, &b, 0.05).unwrap().value));
    let few = Table::default().rows("a", Metric::LastGain, LAST, &A[..3]).rows(
        "b",
        Metric::LastGain,
        LAST,
        &B[..3],
    );
    for paired in [true, false] {
        let found = judged("", &contrast(&format!("paired = {paired}")), BELOW, &few).primary;
        assert_eq!((statistic(&found, "p"), statistic(&found, "p-rank")), (None, None));
        noted(&found, "cannot reach alpha = 0.05");
    }
    let apart = Table::default().row("a", "x", Metric::LastGain, LAST, 0.8).row(
        "b",
        "y",
        Metric::LastGain,
        LAST,
        1.2,
    );
    assert!(missing(&judged("", &contrast(""), BELOW, &apart)).contains("no prompts that have both"));
    let alone = Table::default().rows("a", Metric::LastGain, LAST, &A);
    assert!(
        missing(&judged("", &contrast(""), BELOW, &alone))
            .contains("last-gain under last/last-block/auto for b")
    );
}

#[test]
fn several_models_are_units_and_their_families_are_left_out_in_turn() {
    let models = ["a", "b", "c", "d", "e", "f"];
    let table = models.iter().enumerate().fold(Table::default(), |table, (i, model)| {
        let up = 1.2 + 0.05 * i as f64;
        table
            .rows(model, Metric::LastGain, LAST, &[up, up + 0.02])
            .rows(model, Metric::CumulativeGain, LAST, &[1.0, 1.01])
            .facts(model, |facts| facts.family = Some(["x", "x", "y", "y", "z", "z"][i].into()))
    });
    let test = r#"kind = "contrast", a = { metric = "last-gain" }, b = { metric = "cumulative-gain" }"#;
    let rule = r#"supported = [{ statistic = "low", above = 0 }, { statistic = "loo-lowest", above = 0 }]"#;
    let found = judged("", test, rule, &table);
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    let whole = statistic(&found.primary, "difference").unwrap();
    assert!(statistic(&found.primary, "loo-lowest").unwrap() < whole);
    assert!(statistic(&found.primary, "loo-highest").unwrap() > whole);
    noted(&found.primary, "matters most");
    let needy = judged("needs = { models = 8 }", test, rule, &table);
    assert_eq!(missing(&needy), "needs 8 lineages of models, have 6 (a, b, c, d, e, f)");
}

/// Models with tuned partners whose gain is `factor` times the base's.
fn tuned(pairs: usize, factor: f64) -> Table {
    (0..pairs).fold(Table::default(), |table, i| {
        let (base, tuned) = (format!("base{i}"), format!("tuned{i}"));
        let gains: Vec<f64> = (0..10).map(|p| 1.1 + 0.1 * i as f64 + 0.01 * f64::from(p)).collect();
        let changed: Vec<f64> = gains
            .iter()
            .enumerate()
            .map(|(p, g)| g * factor * (1.0 + 0.002 * (p % 3) as f64 + 0.004 * (i % 2) as f64))
            .collect();
        table
            .rows(&base, Metric::LastGain, LAST, &gains)
            .rows(&tuned, Metric::LastGain, LAST, &changed)
            .facts(&tuned, |facts| {
                (facts.base, facts.change) = (Some(base.clone()), Some("instruct".into()));
                facts.kind = Some("variant".into());
            })
    })
}

const PAIRS: &str = r#"kind = "pairs", of = { metric = "last-gain", scale = "log" }, change = "instruct""#;
const LOWER: &str = r#"supported = [{ statistic = "share-lower-significant", at-least = 0.66 }],
    contradicted = [{ statistic = "share-higher-significant", at-least = 0.66 }]"#;

#[test]
fn tuned_models_are_set_against_their_own_base() {
    let found = judged("needs = { pairs = 6 }", PAIRS, LOWER, &tuned(6, 0.75));
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    let found = found.primary;
    assert_eq!(statistic(&found, "pairs"), Some(6.0));
    assert_eq!(statistic(&found, "share-falls-through"), Some(2.0 / 6.0), "only 1.1 and 1.2 fall clear of 1");
    assert!((statistic(&found, "smallest-ratio").unwrap() - 0.75).abs() < 0.01);
    assert!(statistic(&found, "r").unwrap() > 0.99 && statistic(&found, "r-low").unwrap() > 0.5);
    assert!(statistic(&found, "high").unwrap() < -0.2);
    assert_eq!(judged("", PAIRS, LOWER, &tuned(6, 1.3)).verdict, Verdict::Contradicted);
    let needy = judged("needs = { pairs = 6 }", PAIRS, LOWER, &tuned(2, 0.75));
    assert_eq!(
        missing(&needy),
        "needs 6 lineages with pairs of change = instruct with their base, have 2 (base0, base1)"
    );
    assert_eq!(statistic(&found, "share-cannot-fall-through"), Some(0.5), "1.4 to 1.6 stay clear above 1");
    // That nothing matters is said by intervals, which are wider than the estimates.
    let near = judged("", PAIRS, LOWER, &tuned(6, 0.999)).primary;
    let is = |name: &str| statistic(&near, name).unwrap();
    assert!(is("equivalence-high") > is("largest-size") && is("equivalence-high") < 0.01, "{near:#?}");
    assert!(is("equivalence-low") < is("smallest-size") && is("equivalence-low") > -0.01, "{near:#?}");
    assert_eq!(is("share-cannot-fall-through"), 1.0, "all stay above 1");
    // A change too small to matter counts for nothing, whatever its p.
    let size = format!("{PAIRS}, size = 0.5");
    assert_eq!(statistic(&judged("", &size, LOWER, &tuned(6, 0.75)).primary, "share-significant"), Some(0.0));
    let other = PAIRS.replace("instruct", "rope-theta *");
    assert!(
        missing(&judged("", &other, LOWER, &tuned(6, 0.75)))
            .contains("needs 1 lineages with pairs of change = rope-theta *")
    );
}

#[test]
fn several_tunes_of_one_base_are_one_unit() {
    let once = tuned(4, 0.75);
    let twice = (0..4).fold(once.clone(), |mut table, i| {
        let rows: Vec<_> = table.0.rows.iter().filter(|r| r.model == format!("tuned{i}")).cloned().collect();
        let again = format!("again{i}");
        table.0.rows.extend(rows.into_iter().map(|row| Measurement { model: again.as_str().into(), ..row }));
        let mut model = table.0.models.iter().find(|m| m.id == format!("tuned{i}")).unwrap().clone();
        model.id = again;
        table.0.models.push(model);
        table
    });
    let (once, twice) = (judged("", PAIRS, LOWER, &once).primary, judged("", PAIRS, LOWER, &twice).primary);
    assert_eq!((statistic(&once, "pairs"), statistic(&twice, "pairs")), (Some(4.0), Some(8.0)));
    for name in
        ["lineages", "pooled", "low", "high", "p", "r-low", "share-lower-significant", "equivalence-low"]
    {
        let difference = statistic(&once, name).unwrap() - statistic(&twice, name).unwrap();
        assert!(difference.abs() < 1e-12, "{name}: {once:#?} {twice:#?}");
    }
    let needy = judged("needs = { pairs = 5 }", PAIRS, LOWER, &tuned(4, 0.75));
    assert!(missing(&needy).starts_with("needs 5 lineages with pairs"), "{:?}", needy.primary.missing);
}

#[test]
fn variants_are_no_models_of_their_own_unless_asked_for() {
    let every = r#"kind = "mean-by-model", of = { metric = "last-gain" }"#;
    let rule = r#"supported = [{ statistic = "models", at-least = 1 }]"#;
    let count = |extra: &str| statistic(&judged(extra, every, rule, &tuned(3, 0.75)).primary, "models");
    assert_eq!(count(""), Some(3.0));
    assert_eq!(count(r#"models = { where = [{ fact = "kind", is = "variant" }] }"#), Some(3.0));
    assert_eq!(count(r#"models = { ids = ["base0", "tuned0"] }"#), Some(2.0));
    // The base decides whether a pair is spoken of.
    let one = judged(r#"models = { ids = ["base1"] }"#, PAIRS, LOWER, &tuned(3, 0.75)).primary;
    assert_eq!(statistic(&one, "pairs"), Some(1.0));
}

#[test]
fn few_prompts_leave_a_pair_without_p() {
    let mut few = tuned(2, 0.75);
    few.0.rows.retain(|row| ["p0", "p1", "p2"].contains(&row.prompt.as_deref().unwrap()));
    let found = judged("", PAIRS, LOWER, &few);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    noted(
        &found.primary,
        "Wilcoxon cannot reach alpha = 0.05, no p given: tuned0 (3 prompts), tuned1 (3 prompts)",
    );
}

#[test]
fn named_models_share_a_sign_or_not() {
    let test = r#"kind = "sign-pattern", of = { metric = "last-gain", scale = "log" }, models = ["b", "c"], apart = ["a"]"#;
    let rule = r#"supported = [{ statistic = "same-sign", at-least = 1 }, { statistic = "opposite", at-least = 1 }],
        contradicted = [{ statistic = "opposite", below = 1 }]"#;
    let with = |values: &[f64]| two().rows("c", Metric::LastGain, LAST, values);
    assert_eq!(judged("", test, rule, &with(&B)).verdict, Verdict::Supported);
    let found = judged("", test, rule, &with(&A));
    assert_eq!((found.verdict, statistic(&found.primary, "negative")), (Verdict::Contradicted, Some(1.0)));
    assert_eq!(missing(&judged("", test, rule, &two())), "last-gain of c");
    let beside = test.replace(r#"["b", "c"]"#, r#"["c"]"#).replace(r#"["a"]"#, r#"["b"]"#);
    let found = judged("", &beside, rule, &with(&B)).primary;
    assert_eq!((statistic(&found, "joined"), statistic(&found, "opposite")), (Some(1.0), Some(0.0)));
    let unclear = judged("", test, rule, &with(&B[..1])).primary;
    assert_eq!((statistic(&unclear, "joined"), statistic(&unclear, "opposite")), (Some(0.0), Some(0.0)));
    assert_eq!(statistic(&unclear, "unclear"), Some(1.0));
    noted(&unclear, "c: one unit, no interval, no sign");
}

#[test]
fn at_least_so_many_models_show_it() {
    let test = |k: &str| format!(r#"kind = "k-of-n", of = {{ metric = "last-gain" }}, against = 1.0, {k}"#);
    let rule = r#"supported = [{ statistic = "p", below = 0.05 }], contradicted = [{ statistic = "largest-k", below = 1 }]"#;
    let three = two().rows("c", Metric::LastGain, LAST, &B);
    let found = judged("", &test("k = 2"), rule, &three);
    assert_eq!(found.verdict, Verdict::Supported);
    let p = [1.0 / 256.0, 1.0 / 256.0, 1.0];
    let expected = stats::partial_conjunction(&p, 2).unwrap();
    assert!((statistic(&found.primary, "p").unwrap() - expected).abs() < 1e-12);
    assert_eq!(statistic(&found.primary, "largest-k"), Some(2.0));
    assert_eq!(judged("", &test("share = 1.0"), rule, &three).verdict, Verdict::Inconclusive);
    let down = Table::default().rows("a", Metric::LastGain, LAST, &A);
    assert_eq!(judged("", &test("k = 1"), rule, &down).verdict, Verdict::Contradicted);
    assert_eq!(
        missing(&judged("", &test("k = 5"), rule, &three)),
        "needs 5 lineages of models, have 3 (a, b, c)"
    );
    let few = Table::default().rows("b", Metric::LastGain, LAST, &B[..4]);
    let found = judged("", &test("k = 1"), rule, &few).primary;
    assert_eq!(statistic(&found, "p"), None);
    noted(&found, "1 of 1 lineages: cannot reach alpha = 0.05");
}
