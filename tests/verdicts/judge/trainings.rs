//! Tests along trainings.

use number::metric::Metric;
use study::judge::outcome::Verdict;

use super::table::{LAST, Table, judged, missing, noted, statistic};

/// Revisions of one training at steps 1, 2, 4, …; gain and loss by index of the revision, prompts spread by `spread`.
fn training(
    table: Table,
    series: &str,
    revisions: usize,
    of: impl Fn(usize) -> (f64, f64),
    spread: impl Fn(usize) -> f64,
) -> Table {
    (0..revisions).fold(table, |table, i| {
        let model = format!("{series}-step{}", 1 << i);
        let (gain, loss) = of(i);
        let values =
            |centre: f64| (0..8).map(|p| centre + spread(i) * (f64::from(p) - 3.5)).collect::<Vec<_>>();
        table
            .rows(&model, Metric::LastGain, LAST, &values(gain))
            .rows(&model, Metric::Loss, LAST, &values(loss))
            .facts(&model, |facts| {
                facts.kind = Some("revision".into());
                facts.series = Some(series.into());
                facts.step = Some(f64::from(1 << i));
            })
    })
}

/// Two trainings, and a model that is no revision.
fn two(
    revisions: usize,
    of: impl Fn(usize) -> (f64, f64) + Copy,
    spread: impl Fn(usize) -> f64 + Copy,
) -> Table {
    let alone = Table::default().rows("alone", Metric::LastGain, LAST, &[1.0, 2.0]);
    training(training(alone, "small", revisions, of, spread), "large", revisions, of, spread)
}

const NEEDS: &str = "needs = { series = 2, revisions = 8 }";

#[test]
fn a_quantity_falls_along_trainings() {
    let test = r#"kind = "trend", of = { metric = "last-gain", scale = "abs-log" }, size = 0.7"#;
    let rule = r#"supported = [{ statistic = "series-falling", at-least = 2 }], contradicted = [{ statistic = "series-rising", at-least = 2 }]"#;
    let even = |_| 0.001;
    let found = judged(NEEDS, test, rule, &two(10, |i| (4.0 - 0.2 * i as f64, 1.0), even));
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    assert_eq!(statistic(&found.primary, "rho"), Some(-1.0));
    assert_eq!(statistic(&found.primary, "revisions"), Some(10.0));
    assert_eq!(
        judged("", test, rule, &two(10, |i| (2.0 + 0.2 * i as f64, 1.0), even)).verdict,
        Verdict::Contradicted
    );
    let short = judged(NEEDS, test, rule, &two(5, |i| (4.0 - 0.2 * i as f64, 1.0), even));
    assert_eq!(missing(&short), "needs 2 trainings of at least 8 revisions, have 0");
    noted(&short.primary, "fewer than 8 revisions, left out: large (5), small (5)");
    let four = judged("", test, rule, &two(4, |i| (4.0 - 0.2 * i as f64, 1.0), even));
    assert_eq!(four.verdict, Verdict::Inconclusive);
    noted(&four.primary, "small: cannot reach alpha = 0.05");
}

#[test]
fn changes_fall_together_or_apart() {
    let test = r#"kind = "change-points", a = { metric = "last-gain" }, b = { metric = "loss" }, factor = 2"#;
    let rule = r#"supported = [{ statistic = "share-within", at-least = 0.8 }], contradicted = [{ statistic = "series-within", at-most = 0 }]"#;
    let jump = |gain: usize, loss: usize| {
        move |i: usize| (if i < gain { 3.0 } else { 1.2 }, if i < loss { 9.0 } else { 5.0 })
    };
    let even = |_| 0.001;
    let found = judged(NEEDS, test, rule, &two(12, jump(6, 7), even));
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    assert!((statistic(&found.primary, "factor").unwrap() - 2.0).abs() < 1e-9);
    assert!((statistic(&found.primary, "a-step").unwrap() - (32.0_f64 * 64.0).sqrt()).abs() < 1e-9);
    assert_eq!(judged("", test, rule, &two(12, jump(3, 8), even)).verdict, Verdict::Contradicted);
    assert!(
        missing(&judged(NEEDS, test, rule, &two(3, jump(1, 1), even)))
            .starts_with("needs 2 trainings of at least 8")
    );
}

#[test]
fn prompts_differ_less_after_the_change() {
    let test =
        r#"kind = "spread-change", of = { metric = "last-gain" }, at = { metric = "loss" }, size = 0.5"#;
    let rule = r#"supported = [{ statistic = "series-falling", at-least = 2 }], contradicted = [{ statistic = "ratio", at-least = 1 }]"#;
    let jump = |i: usize| (2.0, if i < 5 { 9.0 } else { 5.0 });
    let narrows = |i: usize| if i < 5 { 0.1 } else { 0.02 };
    let found = judged(NEEDS, test, rule, &two(10, jump, narrows));
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    assert!((statistic(&found.primary, "ratio").unwrap() - 0.04).abs() < 1e-9);
    assert_eq!(judged("", test, rule, &two(10, jump, |i| 0.12 - narrows(i))).verdict, Verdict::Contradicted);
    let mut few = two(10, jump, narrows);
    few.0.rows.retain(|row| ["p0", "p1", "p2"].contains(&row.prompt.as_deref().unwrap()));
    let found = judged("", test, rule, &few);
    assert_eq!((found.verdict, statistic(&found.primary, "p")), (Verdict::Inconclusive, None));
    noted(&found.primary, "small: cannot reach alpha = 0.05");
}
