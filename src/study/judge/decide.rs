//! Applies the rule of a prediction: from statistics to a verdict, and the conditions that decided it in words.

use super::{
    digits::digits,
    findings::Findings,
    hypothesis::{Condition, Holds, Rule, Way},
    outcome::Statistic,
    verdict::Verdict,
};

/// The verdict of `rule` on what a test found, and why.
pub(super) fn decide(rule: &Rule, findings: &Findings) -> (Verdict, String) {
    if findings.lacks() {
        return (Verdict::Untestable, format!("cannot be tested here: {}", findings.missing.join("; ")));
    }
    let statistics = &findings.statistics;
    let ways: Vec<Way<'_>> = rule.ways().into_iter().filter(|way| !way.conditions.is_empty()).collect();
    let met = |way: &Way<'_>| {
        let mut each = way.conditions.iter().map(|c| judge(c, statistics).0);
        match way.holds {
            Holds::All => each.all(|met| met),
            Holds::Any => each.any(|met| met),
        }
    };
    let holding: Vec<&Way<'_>> = ways.iter().filter(|way| met(way)).collect();
    let said = |way: &Way<'_>, met: bool| {
        let deciding =
            way.conditions.iter().map(|c| judge(c, statistics)).filter(|(is_met, _)| *is_met == met);
        deciding.map(|(_, words)| words).collect::<Vec<_>>().join(", ")
    };
    match holding[..] {
        [way] => (way.verdict, said(way, true)),
        [] => {
            let failed = ways.iter().map(|way| format!("not {}: {}", way.verdict, said(way, false)));
            (Verdict::Inconclusive, failed.collect::<Vec<_>>().join("; "))
        }
        _ => {
            let both: Vec<&str> = holding.iter().map(|way| way.verdict.as_str()).collect();
            (Verdict::Inconclusive, format!("the rule holds for {} at once", both.join(" and ")))
        }
    }
}

/// Whether a condition holds, and the sentence that says so.
fn judge(condition: &Condition, statistics: &[Statistic]) -> (bool, String) {
    let name = &condition.statistic;
    let Some(value) = statistics.iter().find(|s| s.name == *name).and_then(|s| s.value) else {
        return (false, format!("{name} could not be computed"));
    };
    let Condition { above, at_least, below, at_most, .. } = condition;
    let bounds = [
        (above, "above", above.is_none_or(|b| value > b)),
        (at_least, "at least", at_least.is_none_or(|b| value >= b)),
        (below, "below", below.is_none_or(|b| value < b)),
        (at_most, "at most", at_most.is_none_or(|b| value <= b)),
    ];
    let holds = bounds.iter().all(|(_, _, ok)| *ok);
    // Only what decides is worth reading: all bounds when they hold, the broken ones otherwise.
    let said: Vec<String> = bounds
        .iter()
        .filter(|(_, _, ok)| *ok == holds)
        .filter_map(|(bound, text, _)| bound.map(|b| format!("{text} {}", digits(b))))
        .collect();
    let verb = if holds { "is" } else { "is not" };
    (holds, format!("{name} = {} {verb} {}", digits(value), said.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(toml: &str) -> Rule {
        toml::from_str(toml).unwrap()
    }

    fn findings(values: &[(&str, Option<f64>)]) -> Findings {
        let mut findings = Findings::new("ratio");
        findings.statistics = values.iter().map(|(name, value)| Statistic::new(name, *value)).collect();
        findings
    }

    const RULE: &str = r#"
        supported = [{ statistic = "rho", at-least = 0.5 }, { statistic = "p", below = 0.05 }]
        contradicted = [{ statistic = "rho", at-most = -0.5 }]
        negligible = [{ statistic = "rho", above = -0.1, below = 0.1 }]
    "#;

    #[test]
    fn each_list_gives_its_verdict_and_its_reason() {
        let rule = rule(RULE);
        let of = |rho, p| decide(&rule, &findings(&[("rho", Some(rho)), ("p", Some(p))]));
        assert_eq!(of(0.6, 0.01).0, Verdict::Supported);
        assert_eq!(of(-0.6, 0.5), (Verdict::Contradicted, "rho = -0.600 is at most -0.500".to_string()));
        assert_eq!(
            of(0.05, 0.5),
            (Verdict::Negligible, "rho = 0.0500 is above -0.100 and below 0.100".into())
        );
        let (verdict, because) = of(0.6, 0.2);
        assert_eq!(verdict, Verdict::Inconclusive);
        assert!(
            because.starts_with("not supported: p = 0.200 is not below 0.0500; not contradicted:"),
            "{because}"
        );
    }

    #[test]
    fn a_claim_of_two_parts_falls_with_either_of_them() {
        let parts = |when: &str| {
            rule(&format!(
                r#"
                supported = [{{ statistic = "a", below = 0 }}, {{ statistic = "b", above = 0 }}]
                contradicted = [{{ statistic = "a", above = 1 }}, {{ statistic = "b", below = -1 }}]
                contradicted-when = "{when}"
            "#
            ))
        };
        let of = |when, a, b| decide(&parts(when), &findings(&[("a", Some(a)), ("b", Some(b))]));
        assert_eq!(of("any", -1.0, 1.0).0, Verdict::Supported);
        assert_eq!(of("any", -1.0, -2.0), (Verdict::Contradicted, "b = -2 is below -1".to_string()));
        assert_eq!(of("all", -1.0, -2.0).0, Verdict::Inconclusive);
        assert_eq!(of("all", 2.0, -2.0).0, Verdict::Contradicted);
        assert_eq!(of("any", -1.0, 0.0).0, Verdict::Inconclusive);
    }

    #[test]
    fn an_absent_statistic_meets_no_condition() {
        let (verdict, because) = decide(&rule(RULE), &findings(&[("rho", Some(0.6)), ("p", None)]));
        assert_eq!(verdict, Verdict::Inconclusive);
        assert!(because.contains("p could not be computed"), "{because}");
    }

    #[test]
    fn an_empty_list_is_never_met_and_two_at_once_decide_nothing() {
        let (verdict, _) = decide(&rule("supported = []"), &findings(&[("rho", Some(1.0))]));
        assert_eq!(verdict, Verdict::Inconclusive);
        let both = rule(
            r#"
            supported = [{ statistic = "rho", above = 0 }]
            contradicted = [{ statistic = "rho", below = 2 }]
        "#,
        );
        let (verdict, because) = decide(&both, &findings(&[("rho", Some(1.0))]));
        assert_eq!(verdict, Verdict::Inconclusive);
        assert!(because.contains("supported and contradicted"), "{because}");
    }
}
