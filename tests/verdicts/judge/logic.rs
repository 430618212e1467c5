//! A claim of several parts: one false part is enough, whatever is missing; fewer data never decide more.

use number::metric::Metric;
use study::judge::outcome::Verdict;

use super::table::{DOWN, LAST, Table, UP, judged, missing};

const BOTH_EXPAND: &str = r#"kind = "contrast", a = { metric = "last-gain", scale = "log", select = { model = "a" } }, b = { metric = "last-gain", scale = "log", select = { model = "b" } }"#;
const OPPOSITE: &str = r#"supported = [{ statistic = "a-low", above = 0 }, { statistic = "b-high", below = 0 }], contradicted = [{ statistic = "a-high", below = 0 }, { statistic = "b-low", above = 0 }], contradicted-when = "any""#;

#[test]
fn a_claim_of_two_models_falls_with_the_one_that_was_measured() {
    let alone = |model: &str, values: &[f64]| Table::default().rows(model, Metric::LastGain, LAST, values);
    for (model, values, verdict) in [
        ("b", &UP, Verdict::Contradicted),
        ("b", &DOWN, Verdict::Untestable),
        ("a", &DOWN, Verdict::Contradicted),
        ("a", &UP, Verdict::Untestable),
    ] {
        let found = judged("", BOTH_EXPAND, OPPOSITE, &alone(model, values));
        assert_eq!(found.verdict, verdict, "{model}: {}", found.primary.because);
        assert!(!found.primary.missing.is_empty(), "what is missing is still said");
    }
    // All parts of a rule that asks for all of them must be there.
    let all = OPPOSITE.replace("contradicted-when = \"any\"", "contradicted-when = \"all\"");
    assert_eq!(judged("", BOTH_EXPAND, &all, &alone("b", &UP)).verdict, Verdict::Untestable);
    // Too few prompts are no measurement of a part.
    let few = judged("needs = { prompts = 20 }", BOTH_EXPAND, OPPOSITE, &alone("b", &UP));
    assert_eq!(few.verdict, Verdict::Untestable);
    // One side may have too few, and the other enough.
    let long: Vec<f64> = (0..20).map(|i| 1.2 + 0.01 * f64::from(i)).collect();
    let table = alone("a", &DOWN).rows("b", Metric::LastGain, LAST, &long);
    let found = judged("needs = { prompts = 20 }", BOTH_EXPAND, OPPOSITE, &table);
    assert_eq!(found.verdict, Verdict::Contradicted, "{}", found.primary.because);
}

#[test]
fn named_models_that_contradict_a_pattern_do_so_without_the_others() {
    let test = r#"kind = "sign-pattern", of = { metric = "last-gain", scale = "log" }, models = ["a", "b", "c"], apart = ["d"]"#;
    let rule = r#"supported = [{ statistic = "same-sign", at-least = 1 }, { statistic = "opposite", at-least = 1 }], contradicted = [{ statistic = "differ", at-least = 1 }, { statistic = "joined", at-least = 1 }], contradicted-when = "any""#;
    let some = |models: &[(&str, &[f64])]| {
        models
            .iter()
            .fold(Table::default(), |table, (m, values)| table.rows(m, Metric::LastGain, LAST, values))
    };
    let verdict = |models: &[(&str, &[f64])]| judged("", test, rule, &some(models)).verdict;
    assert_eq!(verdict(&[("a", &UP), ("b", &DOWN)]), Verdict::Contradicted);
    assert_eq!(verdict(&[("a", &UP), ("d", &UP)]), Verdict::Contradicted);
    assert_eq!(verdict(&[("a", &UP), ("d", &DOWN)]), Verdict::Untestable);
    let whole = [("a", &UP[..]), ("b", &UP), ("c", &UP), ("d", &DOWN)];
    assert_eq!(verdict(&whole), Verdict::Supported);
}

#[test]
fn a_printed_value_that_is_wrong_is_so_though_another_has_no_row() {
    let target = |printed: f64| {
        format!(r#"{{ printed = {printed}, of = {{ metric = "last-gain", select = {{ model = "a" }} }} }}"#)
    };
    let test = |printed: f64| {
        let absent = r#"{ printed = 2, of = { metric = "last-gain", select = { model = "b" } } }"#;
        format!(r#"kind = "reproduce", targets = [{}, {absent}]"#, target(printed))
    };
    let rule = r#"supported = [{ statistic = "worst-relative-error", below = 0.02 }], contradicted = [{ statistic = "worst-relative-error", at-least = 0.02 }]"#;
    let table = Table::default().row("a", "p", Metric::LastGain, LAST, 1.5);
    assert_eq!(judged("", &test(1.6), rule, &table).verdict, Verdict::Contradicted);
    assert!(missing(&judged("", &test(1.5), rule, &table)).contains("for b"));
}

#[test]
fn fewer_prompts_never_decide_whether_protocols_agree() {
    let other = "frobenius/last-block/auto";
    // Every model expands by a little, and prompts scatter about that: with few of them means lie on either side.
    let gains = |model: usize, protocol: usize, prompts: usize| -> Vec<f64> {
        let scatter =
            |p: usize| 0.4 * (((model * 31 + protocol * 17 + p * 13) * 7919 % 101) as f64 / 50.0 - 1.0);
        let centre = (0..168).map(scatter).sum::<f64>() / 168.0;
        (0..prompts).map(|p| 1.1 + scatter(p) - centre).collect()
    };
    let table = |prompts: usize| {
        (0..8).fold(Table::default(), |table, m| {
            let name = format!("m{m}");
            table.rows(&name, Metric::LastGain, LAST, &gains(m, 0, prompts)).rows(
                &name,
                Metric::LastGain,
                other,
                &gains(m, 1, prompts),
            )
        })
    };
    let test = format!(
        r#"kind = "agreement", metric = "last-gain", protocols = ["{LAST}", "{other}"], against = 1.0, across-protocols = true"#
    );
    let rule = r#"supported = [{ statistic = "low", at-least = 0.8 }], contradicted = [{ statistic = "high", below = 0.8 }]"#;
    for prompts in [2, 3, 4, 5, 8, 13, 25, 60, 168] {
        let found = judged("", &test, rule, &table(prompts));
        assert!(
            matches!(found.verdict, Verdict::Inconclusive | Verdict::Untestable),
            "{prompts} prompts: {}",
            found.primary.because
        );
    }
}
