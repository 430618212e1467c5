//! Applies the rule of a prediction: from statistics to a verdict, and the conditions that decided it in words.
//!
//! A condition is true, false, or unknown, where its statistic has no value or something that enters it is missing. A list of
//! conditions follows from them as in Kleene's logic: one false condition is enough for "all" to fail, one true one for "any" to
//! hold, whatever the others are. So a claim of two parts falls with the one that can be tested.

use super::{
    condition::{Judged, Truth, in_reach, judge},
    findings::Findings,
    hypothesis::{Condition, Holds, Rule, Way},
    nature::{Nature, nature},
    verdict::Verdict,
};

/// What a rule makes of the findings of a test.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// What decided it, in words.
    pub because: String,
    /// Why it could not be decided, an entry each, where the findings do not say so themselves.
    pub missing: Vec<String>,
    /// What would decide it, in words; empty where it is decided.
    pub would_decide: String,
    /// The verdicts that the rule could give on as many units as there are, whatever they showed.
    pub allows: Vec<Verdict>,
}

/// The verdict of `rule` on what a test of this kind found, and why.
pub(super) fn decide(rule: &Rule, kind: &str, findings: &Findings) -> Decision {
    let ways: Vec<Way<'_>> = rule.ways().into_iter().filter(|way| !way.conditions.is_empty()).collect();
    let judged: Vec<(&Way<'_>, Vec<Judged>)> = ways
        .iter()
        .map(|way| (way, way.conditions.iter().map(|c| judge(c, kind, findings)).collect()))
        .collect();
    let holding: Vec<_> = judged.iter().filter(|(way, each)| truth(way, each) == Truth::Yes).collect();
    let said = |each: &[Judged], truth: &dyn Fn(Truth) -> bool| {
        let deciding = each.iter().filter(|one| truth(one.truth)).map(|one| one.words.clone());
        deciding.collect::<Vec<_>>().join(", ")
    };
    let lacks = findings.missing.join("; ");
    let allows: Vec<Verdict> = judged
        .iter()
        .filter(|(way, each)| is_open(way, each, kind, findings))
        .map(|(way, _)| way.verdict)
        .collect();
    let (verdict, because) = match holding[..] {
        [(way, each)] => {
            let because = said(each, &|truth| truth == Truth::Yes);
            let rest = if findings.lacks() {
                format!("; the rest cannot be tested here: {lacks}")
            } else {
                String::new()
            };
            (way.verdict, because + &rest)
        }
        [] if findings.lacks() => (Verdict::Untestable, format!("cannot be tested here: {lacks}")),
        [] => {
            let failed = |(way, each): &(&Way<'_>, Vec<Judged>)| {
                format!("not {}: {}", way.verdict, said(each, &|truth| truth != Truth::Yes))
            };
            (Verdict::Inconclusive, judged.iter().map(failed).collect::<Vec<_>>().join("; "))
        }
        _ => {
            let both: Vec<&str> = holding.iter().map(|(way, _)| way.verdict.as_str()).collect();
            (Verdict::Inconclusive, format!("the rule holds for {} at once", both.join(" and ")))
        }
    };
    // Where neither could come out, whatever the numbers are, nothing was tested.
    let decisive = |way: &Way<'_>| way.verdict != Verdict::Negligible;
    let mut open = judged.iter().filter(|(way, _)| decisive(way)).peekable();
    if verdict != Verdict::Inconclusive
        || open.peek().is_none()
        || !open.all(|(way, each)| truth(way, each) == Truth::Unknown)
    {
        let would_decide = match verdict {
            Verdict::Untestable => lacks,
            Verdict::Inconclusive => would_decide(&judged),
            _ => String::new(),
        };
        return Decision { verdict, because, missing: Vec::new(), would_decide, allows };
    }
    let mut missing: Vec<String> = Vec::new();
    for (_, each) in judged.iter().filter(|(way, _)| decisive(way)) {
        for unknown in each.iter().filter(|one| one.truth == Truth::Unknown) {
            if !missing.contains(&unknown.words) {
                missing.push(unknown.words.clone());
            }
        }
    }
    let because = format!("cannot be tested here: {}", missing.join("; "));
    let would_decide = missing.join("; ");
    Decision { verdict: Verdict::Untestable, because, missing, would_decide, allows }
}

/// Whether the conditions of a list could all hold (any, if it says so) had the same units shown something else: statistics that
/// could not be computed cannot, numbers of units are what they are, and so few units bound a share no closer than they do.
fn is_open(way: &Way<'_>, each: &[Judged], kind: &str, findings: &Findings) -> bool {
    let mut open = way.conditions.iter().zip(each).map(|(condition, one)| match one.truth {
        Truth::Yes => true,
        Truth::No => {
            let reach = findings.reach.get(condition.statistic.as_str());
            nature(kind, &condition.statistic) != Some(Nature::Count)
                && reach.is_none_or(|reach| in_reach(condition, *reach))
        }
        Truth::Unknown => false,
    });
    match way.holds {
        Holds::All => open.all(|open| open),
        Holds::Any => open.any(|open| open),
    }
}

/// E.g. `supported if the number of lineages were at least 16 (now 10), contradicted if the upper end of the lowest model's interval
/// were at most -0.0200 (now -0.0174)`.
fn would_decide(judged: &[(&Way<'_>, Vec<Judged>)]) -> String {
    let ways = judged.iter().filter(|(way, _)| way.verdict != Verdict::Negligible).map(|(way, each)| {
        let open: Vec<&str> =
            each.iter().filter(|one| one.truth != Truth::Yes).map(|one| one.asks.as_str()).collect();
        let or = if way.holds == Holds::Any { " or " } else { " and " };
        format!("{} if {}", way.verdict, open.join(or))
    });
    ways.collect::<Vec<_>>().join(", ")
}

/// Whether bounds on statistics all hold; `None` where there are none, or something is not known.
pub(super) fn hold(conditions: &[Condition], findings: &Findings) -> Option<bool> {
    let way = Way { verdict: Verdict::Supported, conditions, holds: Holds::All };
    let each: Vec<Judged> = conditions.iter().map(|condition| judge(condition, "", findings)).collect();
    match truth(&way, &each) {
        _ if conditions.is_empty() => None,
        Truth::Unknown => None,
        known => Some(known == Truth::Yes),
    }
}

fn truth(way: &Way<'_>, each: &[Judged]) -> Truth {
    let has = |truth| each.iter().any(|one| one.truth == truth);
    let (decides, otherwise) = match way.holds {
        Holds::All => (Truth::No, Truth::Yes),
        Holds::Any => (Truth::Yes, Truth::No),
    };
    match () {
        () if has(decides) => decides,
        () if has(Truth::Unknown) => Truth::Unknown,
        () => otherwise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{findings::Known, outcome::Statistic};

    fn rule(toml: &str) -> Rule {
        toml::from_str(toml).unwrap()
    }

    fn findings(values: &[(&str, Option<f64>)]) -> Findings {
        let mut findings = Findings::new("ratio");
        findings.statistics = values.iter().map(|(name, value)| Statistic::new(name, *value)).collect();
        findings
    }

    fn decide(rule: &Rule, findings: &Findings) -> Decision {
        super::decide(rule, "correlation", findings)
    }

    fn pair(decision: Decision) -> (Verdict, String) {
        (decision.verdict, decision.because)
    }

    const RULE: &str = r#"
        supported = [{ statistic = "rho", at-least = 0.5 }, { statistic = "p", below = 0.05 }]
        contradicted = [{ statistic = "rho", at-most = -0.5 }]
        negligible = [{ statistic = "rho", above = -0.1, below = 0.1 }]
    "#;

    #[test]
    fn each_list_gives_its_verdict_and_its_reason() {
        let rule = rule(RULE);
        let of = |rho, p| pair(decide(&rule, &findings(&[("rho", Some(rho)), ("p", Some(p))])));
        assert_eq!(of(0.6, 0.01).0, Verdict::Supported);
        assert_eq!(
            of(-0.6, 0.5),
            (Verdict::Contradicted, "the correlation (-0.600) is at most -0.500".to_string())
        );
        assert_eq!(
            of(0.05, 0.5),
            (Verdict::Negligible, "the correlation (0.0500) is above -0.100 and below 0.100".into())
        );
        let (verdict, because) = of(0.6, 0.2);
        assert_eq!(verdict, Verdict::Inconclusive);
        assert!(
            because.starts_with(
                "not supported: the correlation's p-value (0.200) is not below 0.0500; not contradicted:"
            ),
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
        let of = |when, a, b| pair(decide(&parts(when), &findings(&[("a", Some(a)), ("b", Some(b))])));
        assert_eq!(of("any", -1.0, 1.0).0, Verdict::Supported);
        assert_eq!(of("any", -1.0, -2.0), (Verdict::Contradicted, "b (-2) is below -1".to_string()));
        assert_eq!(of("all", -1.0, -2.0).0, Verdict::Inconclusive);
        assert_eq!(of("all", 2.0, -2.0).0, Verdict::Contradicted);
        assert_eq!(of("any", -1.0, 0.0).0, Verdict::Inconclusive);
    }

    #[test]
    fn an_absent_statistic_meets_no_condition() {
        let (verdict, because) = pair(decide(&rule(RULE), &findings(&[("rho", Some(0.6)), ("p", None)])));
        assert_eq!(verdict, Verdict::Inconclusive);
        assert!(because.contains("the correlation's p-value could not be computed"), "{because}");
    }

    #[test]
    fn an_empty_list_is_never_met_and_two_at_once_decide_nothing() {
        let (verdict, _) = pair(decide(&rule("supported = []"), &findings(&[("rho", Some(1.0))])));
        assert_eq!(verdict, Verdict::Inconclusive);
        let both = rule(
            r#"
            supported = [{ statistic = "rho", above = 0 }]
            contradicted = [{ statistic = "rho", below = 2 }]
        "#,
        );
        let (verdict, because) = pair(decide(&both, &findings(&[("rho", Some(1.0))])));
        assert_eq!(verdict, Verdict::Inconclusive);
        assert!(because.contains("supported and contradicted"), "{because}");
    }

    #[test]
    fn one_false_part_is_enough_where_the_other_is_missing() {
        let claim = |when: &str| {
            rule(&format!(
                r#"
                supported = [{{ statistic = "a", above = 0 }}, {{ statistic = "b", below = 0 }}]
                contradicted = [{{ statistic = "a", below = 0 }}, {{ statistic = "b", above = 0 }}]
                contradicted-when = "{when}"
            "#
            ))
        };
        let found = |b: f64| {
            let mut found = findings(&[("a", None), ("b", Some(b))]);
            found.missing.push("every row of a".into());
            found.known.insert("b", Known::Exactly);
            found
        };
        let fallen = decide(&claim("any"), &found(1.0));
        assert_eq!(
            pair(fallen),
            (
                Verdict::Contradicted,
                "b (1) is above 0; the rest cannot be tested here: every row of a".into()
            )
        );
        assert_eq!(decide(&claim("all"), &found(1.0)).verdict, Verdict::Untestable, "a may yet hold");
        assert_eq!(decide(&claim("any"), &found(-1.0)).verdict, Verdict::Untestable);
        // What the missing rows would enter decides nothing, though it has a value.
        let mut partial = found(1.0);
        partial.known.clear();
        assert_eq!(decide(&claim("any"), &partial).verdict, Verdict::Untestable);
    }

    #[test]
    fn the_worst_of_some_is_at_least_as_bad_with_the_others() {
        let rule = rule(
            r#"
            supported = [{ statistic = "worst", below = 0.1 }]
            contradicted = [{ statistic = "worst", at-least = 0.1 }]
        "#,
        );
        let found = |worst: f64| {
            let mut found = findings(&[("worst", Some(worst))]);
            found.missing.push("the other row".into());
            found.known.insert("worst", Known::AtLeast);
            found
        };
        assert_eq!(decide(&rule, &found(0.2)).verdict, Verdict::Contradicted);
        assert_eq!(decide(&rule, &found(0.05)).verdict, Verdict::Untestable);
    }

    #[test]
    fn what_could_not_be_computed_says_why_and_is_untestable_if_nothing_else_decides() {
        let mut found = findings(&[("rho", None), ("p", None)]);
        found.reason(&["rho", "p"], "x is 1408 in all 9 models");
        found.reason(&["low"], "needs 2 pairs, has 1");
        let Decision { verdict, because, missing, would_decide, allows } = decide(&rule(RULE), &found);
        assert_eq!(allows, []);
        assert_eq!(would_decide, missing.join("; "));
        assert_eq!(verdict, Verdict::Untestable);
        let why = "could not be computed: x is 1408 in all 9 models";
        assert_eq!(
            because,
            format!("cannot be tested here: the correlation {why}; the correlation's p-value {why}")
        );
        assert_eq!(missing, [format!("the correlation {why}"), format!("the correlation's p-value {why}")]);
        // A rule that could have fallen was tested.
        let found = findings(&[("rho", Some(0.0)), ("p", None)]);
        assert_eq!(decide(&rule("supported = [{ statistic = \"p\", below = 0.05 }]\ncontradicted = [{ statistic = \"rho\", below = -0.5 }]"), &found).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn what_holds_or_not_is_a_sentence_and_no_number() {
        let rule = rule(
            "supported = [{ statistic = \"two\", at-least = 1 }]\ncontradicted = [{ statistic = \"models\", below = 1 }]",
        );
        let of = |two: f64| {
            super::decide(&rule, "modality", &findings(&[("two", Some(two)), ("models", Some(9.0))]))
        };
        assert_eq!(pair(of(1.0)), (Verdict::Supported, "the models are of two sorts".into()));
        let open = of(0.0);
        assert!(
            open.because.starts_with("not supported: it is not so that the models are of two sorts; not ")
        );
        assert!(
            open.would_decide
                .starts_with("supported if the models are of two sorts, contradicted if the number of ")
        );
    }

    #[test]
    fn what_is_open_says_what_would_decide_it() {
        let decision = decide(&rule(RULE), &findings(&[("rho", Some(0.4)), ("p", Some(0.2))]));
        assert_eq!(
            decision.would_decide,
            "supported if the correlation were at least 0.500 (now 0.400) and the correlation's p-value were below 0.0500 (now \
             0.200), contradicted if the correlation were at most -0.500 (now 0.400)"
        );
        let decided = decide(&rule(RULE), &findings(&[("rho", Some(0.6)), ("p", Some(0.01))]));
        assert_eq!(decided.would_decide, "");
    }

    #[test]
    fn the_number_of_units_bars_a_verdict_whatever_they_show() {
        let rule = rule(
            r#"
            supported = [{ statistic = "low", above = 0 }, { statistic = "models", at-least = 16 }]
            contradicted = [{ statistic = "high", below = 0 }]
        "#,
        );
        let of = |models, high| {
            decide(&rule, &findings(&[("low", Some(-1.0)), ("high", high), ("models", Some(models))])).allows
        };
        assert_eq!(of(16.0, Some(1.0)), [Verdict::Supported, Verdict::Contradicted]);
        assert_eq!(of(15.0, Some(1.0)), [Verdict::Contradicted]);
        assert_eq!(of(15.0, None), []);
    }

    #[test]
    fn a_share_of_few_is_not_known_closely_whatever_they_show() {
        let rule = rule(
            r#"
            supported = [{ statistic = "low", at-least = 0.8 }]
            contradicted = [{ statistic = "high", below = 0.8 }]
        "#,
        );
        let of = |reach: [[f64; 2]; 2]| {
            let mut found = findings(&[("low", Some(0.2)), ("high", Some(0.9))]);
            found.reach = [("low", reach[0]), ("high", reach[1])].into();
            decide(&rule, &found).allows
        };
        // Clopper and Pearson: of 16 lineages all, or none; of 2.
        assert_eq!(of([[0.0, 0.82], [0.18, 1.0]]), [Verdict::Supported, Verdict::Contradicted]);
        assert_eq!(of([[0.0, 0.16], [0.84, 1.0]]), []);
        assert_eq!(of([[0.0, 0.48], [0.52, 1.0]]), [Verdict::Contradicted]);
    }
}
