//! Specification curves: which ways there are, what they say together, and which choice decides.

use number::{evidence::Evidence, metric::Metric};
use study::judge::{
    family,
    hypothesis::Stands,
    listed,
    outcome::{Choice, HypothesisOutcome, Kinship, Verdict},
    summary::{Fallen, survival},
};

use super::table::{BOTH, DOWN, EXPANDS, LAST, NEVER, Table, UP, curve, expanding, hypothesis, outcome};

fn value(choices: &[Choice], dimension: &str) -> Option<String> {
    choices.iter().find(|c| c.dimension == dimension).map(|c| c.value.clone())
}

#[test]
fn every_observed_protocol_is_judged_and_related_as_the_file_says() {
    let also = |p: &str, r: &str| format!("[[also]]\nprotocol = \"{p}\"\nrelation = \"{r}\"\n");
    let extra = also("mean-without-first/last-block", "equivalent") + &also("mean/last-block", "equivalent");
    let mut table = expanding(2);
    for protocol in [
        "mean-without-first/last-block",
        "frobenius/last-block",
        NEVER,
        "mean-without-first/last-block/never",
    ] {
        // A policy that changes no number would be no specification of its own.
        let gains = UP.map(|gain| if protocol.ends_with("never") { gain * 1.01 } else { gain });
        let rows = |table: Table, model: &str| table.rows(model, Metric::LastGain, protocol, &gains);
        table = rows(rows(table, "m0"), "m1");
    }
    let found = outcome(&hypothesis(&extra, EXPANDS), &table);
    let curve = curve(&found);
    let of = |reduction: &str, bos: &str| {
        let is = |c: &[Choice]| {
            value(c, "reduction").as_deref() == Some(reduction) && value(c, "BOS").as_deref() == Some(bos)
        };
        curve.specifications.iter().find(|s| is(&s.choices)).map(|s| s.relation)
    };
    assert_eq!(of("last", "auto"), Some(Kinship::Primary));
    assert_eq!(of("last", "never"), Some(Kinship::Equivalent));
    assert_eq!(of("mean-without-first", "auto"), Some(Kinship::Equivalent));
    assert_eq!(of("mean-without-first", "never"), Some(Kinship::Equivalent), "as its own reduction is");
    assert_eq!(of("frobenius", "auto"), Some(Kinship::DifferentEstimand), "nobody said that it is the same");
    assert_eq!(of("mean", "auto"), None, "nobody measured it");
    assert_eq!(curve.specifications.len(), 5);
    let effects: Vec<f64> = curve.specifications.iter().map(|s| s.effect.unwrap()).collect();
    assert!(effects.is_sorted(), "{effects:?}");
    assert_eq!(
        (curve.agreement, curve.null, curve.effect.as_str()),
        (Some(1.0), 0.0, "mean log ratio over lineages")
    );
    assert!(curve.deciding.is_empty());
    assert_eq!(curve.joint_p_median, None);
    let note = "no joint p: cannot reach alpha = 0.05 by flipping 2 units";
    assert!(curve.notes.iter().any(|n| n.starts_with(note)), "{:#?}", curve.notes);
}

#[test]
fn a_fragile_claim_names_the_choice_that_changes_it() {
    let table = expanding(1).rows("m0", Metric::LastGain, NEVER, &DOWN);
    let found = outcome(&hypothesis("", EXPANDS), &table);
    let prediction = &found.predictions[0];
    assert_eq!((prediction.verdict, prediction.primary.verdict), (Verdict::Fragile, Verdict::Supported));
    let because = "fragile: supported, but contradicted with BOS = never; the share of lineages that lie above with their whole interval (1) is at least 1";
    assert_eq!(prediction.primary.because, because);
    let [deciding] = &curve(&found).deciding[..] else { panic!("{:#?}", curve(&found).deciding) };
    assert_eq!((deciding.dimension.as_str(), deciding.to.as_str()), ("BOS", "never"));
    assert_eq!((deciding.relation, deciding.verdict), (Kinship::Equivalent, Verdict::Contradicted));
    assert_eq!(curve(&found).agreement, Some(0.5));

    // Unless the hypothesis says that it is another question, or none.
    let other = "[multiverse]\nrelation = [{ dimension = \"bos\", relation = \"different-estimand\" }]";
    let found = outcome(&hypothesis(other, EXPANDS), &table);
    assert_eq!(found.predictions[0].verdict, Verdict::Supported);
    assert_eq!(curve(&found).deciding[0].relation, Kinship::DifferentEstimand);
    let none = "[multiverse]\ndimensions = [\"reduction\"]";
    let found = outcome(&hypothesis(none, EXPANDS), &table);
    assert_eq!((found.predictions[0].verdict, curve(&found).specifications.len()), (Verdict::Supported, 1));
}

#[test]
fn a_claim_that_one_category_carries_is_fragile_and_one_that_merely_loses_power_is_not() {
    // Six prompts up, six down: without either category the other one decides.
    let category = |row: &mut number::evidence::Measurement, name: &str| row.category = Some(name.into());
    let prompts = |lift: &[f64], sink: &[f64]| {
        let up = lift.iter().enumerate().fold(Table::default(), |table, (i, v)| {
            table.row("m", &format!("a{i}"), Metric::LastGain, LAST, *v).with(|r| category(r, "Factual"))
        });
        sink.iter().enumerate().fold(up, |table, (i, v)| {
            table.row("m", &format!("b{i}"), Metric::LastGain, LAST, *v).with(|r| category(r, "Novel"))
        })
    };
    let high = UP.map(|v| v * 4.0);
    let found = outcome(&hypothesis("", EXPANDS), &prompts(&high, &DOWN));
    assert_eq!(found.predictions[0].primary.verdict, Verdict::Supported, "{found:#?}");
    assert_eq!(found.predictions[0].verdict, Verdict::Fragile);
    let because = &found.predictions[0].primary.because;
    assert!(because.contains("contradicted with categories = without Factual"), "{because}");

    let found = outcome(&hypothesis("", EXPANDS), &prompts(&UP, &BOTH));
    let deciding = &curve(&found).deciding;
    assert!(deciding.iter().any(|d| d.verdict == Verdict::Inconclusive), "{deciding:#?}");
    assert_eq!(
        found.predictions[0].verdict,
        Verdict::Supported,
        "open without the clear half is no contradiction"
    );
}

#[test]
fn each_family_and_each_source_is_varied_one_at_a_time() {
    let mut table =
        expanding(3).row("m0", "p0", Metric::LastGain, LAST, 1.5).with(|r| r.source = "other".into());
    for (model, family) in table.0.models.iter_mut().zip(["llama", "opt", "opt"]) {
        model.facts.family = Some(family.into());
    }
    let found = outcome(&hypothesis("", EXPANDS), &table);
    let mut seen: Vec<(String, String, u64)> = curve(&found)
        .specifications
        .iter()
        .map(|s| (value(&s.choices, "models").unwrap(), value(&s.choices, "source").unwrap(), s.n))
        .collect();
    seen.sort();
    let expected = [
        ("all", "all", 3),
        ("all", "made-up", 3),
        ("all", "other", 1),
        ("without family llama", "all", 2),
        ("without family opt", "all", 6),
    ];
    assert_eq!(
        seen,
        expected.map(|(m, s, n)| (m.to_string(), s.to_string(), n)),
        "a single model has prompts as units"
    );
}

#[test]
fn chance_alone_would_rarely_show_a_curve_of_nine_expanding_models() {
    let table =
        (0..9).fold(expanding(9), |table, m| table.rows(&format!("m{m}"), Metric::LastGain, NEVER, &UP));
    let found = outcome(&hypothesis("", EXPANDS), &table);
    let curve = curve(&found);
    assert_eq!((curve.joint_p_median, curve.flips), (Some(2.0 / 512.0), 512));
    // Two ways that move together: both beyond their limits is hardly rarer than one.
    assert!(curve.joint_p_share.unwrap() <= 0.05, "{:?}", curve.joint_p_share);
    assert!(curve.notes.iter().any(|n| n.contains("all 512 flips of 9 units")), "{:#?}", curve.notes);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let h = hypothesis("", EXPANDS);
    let table = (0..9).fold(expanding(9), |t, m| t.rows(&format!("m{m}"), Metric::LastGain, NEVER, &BOTH));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| outcome(&h, &table))
    };
    assert_eq!(on(1), on(4));
}

fn named(id: &str, table: &Table, said: Option<Verdict>) -> HypothesisOutcome {
    let mut h = hypothesis("", EXPANDS);
    (h.id, h.published_conclusion) = (id.into(), said);
    outcome(&h, table)
}

#[test]
fn one_of_many_claims_needs_a_smaller_p_and_its_remark_says_so() {
    let eight = named("H1", &expanding(8), None);
    let twelve = named("H2", &expanding(12), None);
    let nothing = named("H3", &Table::default(), None);
    assert_eq!(eight.verdicts[0], (Evidence::Published, Verdict::Supported));
    let members = family(&[eight, twelve, nothing], &[0.05; 3], Some(18));
    let [one, two, three] = &members[..3] else { panic!("{members:#?}") };
    assert!(members.iter().all(|member| member.of == 18));
    let (p1, p2) = (2.0 / 256.0, 2.0 / 4096.0);
    assert_eq!((one.p, two.p, three.p), (Some(p1), Some(p2), None));
    assert_eq!((two.holm, one.holm, three.holm), (Some(18.0 * p2), Some(17.0 * p1), None));
    assert!(one.note.starts_with("supported alone, but not as one of 18: p = 0.00781"), "{}", one.note);
    assert_eq!((one.prediction.as_deref(), two.note.as_str()), (Some("H0a"), ""));
    assert!(three.note.contains("counted as p = 1"), "{}", three.note);
    assert!(members[3..].iter().all(|m| m.evidence != Evidence::Published && m.p.is_none()));
}

#[test]
fn a_family_is_as_large_as_stated_and_never_smaller_than_what_is_judged() {
    let one = named("H1", &expanding(8), None);
    let p = 2.0 / 256.0;
    for (stated, size) in [(None, 1), (Some(0), 1), (Some(3), 3)] {
        let member = &family(std::slice::from_ref(&one), &[0.05], stated)[0];
        assert_eq!((member.of, member.holm), (size, Some(size as f64 * p)), "{stated:?}");
    }
}

#[test]
fn a_claim_of_either_pays_for_its_choice_and_the_other_p_are_a_list() {
    let mut h = hypothesis("", EXPANDS);
    let mut second = h.predictions[0].clone();
    second.id = "H0b".into();
    second.models = Some(toml::from_str(r#"ids = ["m0", "m1", "m2", "m3", "m4", "m5"]"#).unwrap());
    h.predictions.insert(0, second);
    let judged = |h: &study::judge::hypothesis::Hypothesis| [outcome(h, &expanding(8))];
    let (six, eight) = (2.0 / 64.0, 2.0 / 256.0);
    let all = judged(&h);
    assert_eq!(family(&all, &[0.05], Some(18))[0].p, Some(six), "the first one");
    let [other] = &listed(&all)[..] else { panic!("{:#?}", listed(&all)) };
    assert_eq!((other.prediction.as_str(), other.p, other.adjusted), ("H0a", eight, eight));
    h.stands = Stands::Any;
    let any = judged(&h);
    let found = &family(&any, &[0.05], Some(18))[0];
    assert_eq!(
        (found.prediction.as_deref(), found.p),
        (Some("H0a"), Some(2.0 * eight)),
        "the smaller, twice"
    );
}

#[test]
fn the_summary_says_which_conclusions_survive_and_which_choice_undoes_the_others() {
    let flipped = expanding(1).rows("m0", Metric::LastGain, NEVER, &DOWN);
    let down = Table::default().rows("m0", Metric::LastGain, LAST, &DOWN).rows(
        "m0",
        Metric::LastGain,
        "frobenius/last-block",
        &UP,
    );
    let outcomes = [
        named("H1", &expanding(2), Some(Verdict::Supported)),
        named("H2", &flipped, Some(Verdict::Supported)),
        named("H3", &down, Some(Verdict::Supported)),
        named("H4", &Table::default(), Some(Verdict::Supported)),
        named("H5", &expanding(2), None),
    ];
    let found = survival(&outcomes, Evidence::Published);
    assert_eq!(
        (found.concluded, &found.survives, &found.open),
        (4, &vec!["H1".to_string()], &vec!["H4".to_string()])
    );
    let said = |list: &[Fallen]| -> Vec<(String, Verdict, Vec<String>)> {
        list.iter().map(|f| (f.hypothesis.clone(), f.found, f.choices.clone())).collect()
    };
    let one = |id: &str, found, choice: &str| vec![(id.to_string(), found, vec![choice.to_string()])];
    assert_eq!(said(&found.fragile), one("H2", Verdict::Fragile, "contradicted with BOS = never"));
    assert_eq!(said(&found.fallen), one("H3", Verdict::Contradicted, "supported with reduction = frobenius"));
}

#[test]
fn a_conclusion_does_not_survive_by_the_opposite_of_what_was_printed() {
    let prediction = r#"
        test = { kind = "contrast", band = [0.8, 1.2], a = { metric = "last-gain", scale = "log", select = { model = "a" } }, b = { metric = "last-gain", scale = "log", select = { model = "b" } } }
        rule = { supported = [{ statistic = "inside", at-least = 1 }], contradicted = [{ statistic = "outside", at-least = 1 }] }
        published-finding = [{ statistic = "ratio-high", below = 1.0 }]
    "#;
    let found = |a: &[f64], b: &[f64]| {
        let table =
            Table::default().rows("a", Metric::LastGain, LAST, a).rows("b", Metric::LastGain, LAST, b);
        let mut h = hypothesis("", prediction);
        h.published_conclusion = Some(Verdict::Contradicted);
        let counted = survival(&[outcome(&h, &table)], Evidence::Published);
        (counted.survives.len(), counted.reversed.len(), counted.fallen.len())
    };
    assert_eq!(found(&DOWN, &UP), (1, 0, 0), "below, as printed");
    assert_eq!(found(&UP, &DOWN), (0, 1, 0), "as different, the other way round");
}
