//! Joint inference over a curve: honest where nothing goes on, and able to see what does.

use number::metric::{Metric, Paired, Series};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use study::stats::{Groups, Joint, Method, NoJointP, Pairs, Seed, Units, joint};

use super::table::{EXPANDS, NEVER, UP, curve, expanding, hypothesis, outcome};

const ALPHA: f64 = 0.05;

fn signs(deviations: Vec<(String, f64)>) -> Units {
    Units::Signs { of: "models", deviations }
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

/// Five specifications of the same units, each with noise of its own; the last two lack a unit each.
fn curve_of_means(units: usize, shift: f64, rng: &mut ChaCha8Rng) -> Vec<Units> {
    let own: Vec<f64> = (0..units).map(|_| shift + normal(rng)).collect();
    let specification = |s: usize, rng: &mut ChaCha8Rng| {
        let all = own.iter().enumerate().map(|(u, d)| (format!("u{u}"), d + 0.4 * normal(rng)));
        all.collect::<Vec<_>>().into_iter().filter(|(u, _)| s < 3 || *u != format!("u{}", s - 3)).collect()
    };
    (0..5).map(|s| signs(specification(s, rng))).collect()
}

fn pairs(x: &[f64], y: &[f64], without: Option<usize>) -> Option<Pairs> {
    let series = |v: &[f64]| {
        let kept = v.iter().enumerate().filter(|(i, _)| Some(*i) != without);
        let protocol = "last/last-block".parse().ok();
        Series::new(Metric::LastGain, protocol, kept.map(|(i, v)| (format!("u{i:02}"), *v)).collect())
    };
    Pairs::new(&Paired::same_protocol(&series(x), &series(y)).unwrap(), Method::Spearman, None)
}

/// Two models whose y is common to both in part, in four specifications; the last two lack a unit each.
fn curve_of_correlations(units: usize, slope: f64, rng: &mut ChaCha8Rng) -> Vec<Units> {
    let draw = |rng: &mut ChaCha8Rng| (0..units).map(|_| normal(rng)).collect::<Vec<f64>>();
    let (x, common) = (draw(rng), draw(rng));
    let y: Vec<Vec<f64>> = (0..2)
        .map(|_| draw(rng).iter().zip(&common).zip(&x).map(|((own, c), x)| own + c + slope * x).collect())
        .collect();
    let specification = |s: usize, rng: &mut ChaCha8Rng| {
        let models = y.iter().filter_map(|y| {
            let noisy: Vec<f64> = y.iter().map(|y| y + 0.4 * normal(rng)).collect();
            pairs(&x, &noisy, s.checked_sub(2))
        });
        Units::Pairs(models.collect())
    };
    (0..4).map(|s| specification(s, rng)).collect()
}

fn joined(curve: &[Units], seed: u64) -> Joint {
    joint(&curve.iter().collect::<Vec<_>>(), ALPHA, Seed(seed)).unwrap()
}

/// Mean p of the median, and how often either p is at most alpha.
fn rates(trials: u64, curve: impl Fn(&mut ChaCha8Rng) -> Vec<Units>) -> (f64, f64, f64) {
    let (mut sum, mut median, mut share) = (0.0, 0.0, 0.0);
    for trial in 0..trials {
        let found = joined(&curve(&mut ChaCha8Rng::seed_from_u64(trial)), trial);
        sum += found.median;
        median += f64::from(u8::from(found.median <= ALPHA));
        share += f64::from(u8::from(found.share <= ALPHA));
    }
    let n = trials as f64;
    (sum / n, median / n, share / n)
}

/// Three standard errors of a share of `trials`.
fn error(trials: u64) -> f64 {
    3.0 * (ALPHA * (1.0 - ALPHA) / trials as f64).sqrt()
}

#[test]
fn flips_of_signs_are_uniform_under_the_null_and_see_what_is_planted() {
    let trials = 1_000;
    let (mean, median, share) = rates(trials, |rng| curve_of_means(8, 0.0, rng));
    assert!((mean - 0.5).abs() < 0.03, "mean p {mean}");
    assert!((median - ALPHA).abs() < error(trials), "{median} of the curves at alpha");
    assert!(share < ALPHA + error(trials), "{share} of the shares at alpha");
    let (_, median, share) = rates(200, |rng| curve_of_means(10, 1.5, rng));
    assert!(median > 0.95 && share > 0.9, "power {median}, {share}");
    // Drawn flips, with many units.
    let (mean, median, _) = rates(60, |rng| curve_of_means(40, 0.0, rng));
    assert!((mean - 0.5).abs() < 0.12 && median < 0.17, "mean p {mean}, {median} at alpha");
}

#[test]
fn pairings_are_uniform_under_the_null_and_see_what_is_planted() {
    let trials = 600;
    let (mean, median, share) = rates(trials, |rng| curve_of_correlations(6, 0.0, rng));
    assert!((mean - 0.5).abs() < 0.04, "mean p {mean}");
    assert!((median - ALPHA).abs() < error(trials), "{median} of the curves at alpha");
    assert!(share < ALPHA + error(trials), "{share} of the shares at alpha");
    let (_, median, _) = rates(30, |rng| curve_of_correlations(25, 1.5, rng));
    assert!(median > 0.9, "power {median}");
}

#[test]
fn one_specification_has_the_p_of_its_own_test() {
    let values = [0.3, -0.1, 0.8, 0.5, 0.2, 0.9, -0.4, 0.6];
    let own = signs(values.iter().enumerate().map(|(i, v)| (format!("u{i}"), *v)).collect());
    let found = joined(&[own], 1);
    let own = study::stats::sign_flip_p(&values, Seed(9)).unwrap();
    assert!((found.median - own).abs() < 1e-12 && found.exact && found.flips == 256, "{found:?} {own}");

    let (x, y) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [2.0, 1.0, 4.0, 3.0, 7.0, 5.0, 6.0]);
    let pair = pairs(&x, &y, None).unwrap();
    let found = joined(&[Units::Pairs(vec![pair])], 1);
    let series = |v: &[f64]| {
        let protocol = "last/last-block".parse().ok();
        Series::new(Metric::LastGain, protocol, v.iter().copied().enumerate().collect())
    };
    let pair = Paired::same_protocol(&series(&x), &series(&y)).unwrap();
    let own = study::stats::correlation_p(&pair, Method::Spearman, None, Seed(9)).unwrap();
    assert!((found.median - own).abs() < 1e-12 && found.flips == 5_040, "{found:?} {own}");
}

#[test]
fn too_few_units_are_said_and_units_of_different_kinds_have_no_common_flip() {
    let few = signs((0..4).map(|i| (format!("u{i}"), 1.0)).collect());
    let error = joint(&[&few], ALPHA, Seed(1)).unwrap_err();
    assert_eq!(error.to_string(), "cannot reach alpha = 0.05 by flipping 4 units (smallest p 0.125)");
    let pair = Units::Pairs(pairs(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0], None).into_iter().collect());
    assert_eq!(joint(&[&few, &pair], ALPHA, Seed(1)), Err(NoJointP::Mixed));
    let prompts = Units::Signs { of: "prompts", deviations: vec![("u0".into(), 1.0); 9] };
    assert_eq!(joint(&[&few, &prompts], ALPHA, Seed(1)), Err(NoJointP::Mixed), "a model is no prompt");
    assert_eq!(joint(&[], ALPHA, Seed(1)), Err(NoJointP::Nothing));
}

#[test]
fn groups_of_models_are_dealt_anew_as_their_own_tests_do() {
    let (a, b) = ([3.1, 2.9, 4.0, 3.6], [0.5, 1.0, 2.0, 3.0]);
    let names: Vec<String> = (0..8).map(|i| format!("u{i}")).collect();
    let of = |a: &[f64], b: &[f64]| {
        let all: Vec<(&str, f64)> =
            names.iter().map(String::as_str).zip(a.iter().chain(b).copied()).collect();
        Units::Pairs(Pairs::of_groups(&all[..a.len()], &all[a.len()..]).into_iter().collect())
    };
    let ranks = study::stats::mann_whitney(&a, &b).unwrap();
    let found = joined(&[of(&a, &b)], 1);
    assert!((found.median - ranks.p).abs() < 1e-12 && found.exact, "{found:?} {ranks:?}");
    // Few in a group: dealing cannot reach alpha, however many orders of all units there are.
    let few = of(&a, &b[..1]);
    let error = joint(&[&few], ALPHA, Seed(1)).unwrap_err();
    assert_eq!(error.to_string(), "cannot reach alpha = 0.05 by flipping 5 units (smallest p 0.400)");

    let values = [0.1, 0.2, 0.3, 1.1, 1.2, 1.3, 0.6, 0.7];
    let labels = [0, 0, 0, 1, 1, 1, 2, 2];
    let units: Vec<String> = (0..8).map(|i| format!("u{i}")).collect();
    let groups = Groups::new(units.clone(), &labels, &values).unwrap();
    let own = study::stats::kruskal_permutation_p(&values, &labels, Seed(3)).unwrap();
    let found = joined(&[Units::Groups(groups)], 1);
    assert!((found.median - own).abs() < 1e-12 && found.flips == 40_320, "{found:?} {own}");
    assert_eq!(Groups::new(units.clone(), &[0; 8], &values), None);
    assert_eq!(Groups::new(units, &labels, &[1.0; 8]), None);
}

#[test]
fn prompts_of_the_one_model_that_is_left_do_not_stand_for_models() {
    // Without either family one model is left, whose prompts all lie above 1.
    let mut table = expanding(2);
    for (model, family) in table.0.models.iter_mut().zip(["llama", "opt"]) {
        model.facts.family = Some(family.into());
    }
    let found = outcome(&hypothesis("", EXPANDS), &table);
    let curve = curve(&found);
    assert_eq!(curve.joint_p_median, None, "two models cannot reach alpha, however many prompts they have");
    let note = "no joint p: cannot reach alpha = 0.05 by flipping 2 units";
    assert!(curve.notes.iter().any(|n| n.starts_with(note)), "{:#?}", curve.notes);
    let left = curve.specifications.iter().filter(|s| s.n == 6);
    assert!(
        left.clone().count() == 2 && left.clone().all(|s| s.low.is_none() && s.p.is_none()),
        "{curve:#?}"
    );
    assert!(
        curve.notes.iter().any(|n| n.contains("prompts of one lineage: no interval")),
        "{:#?}",
        curve.notes
    );
}

#[test]
fn effects_that_are_neither_means_nor_correlations_have_a_joint_p_or_a_reason() {
    let gain = r#"of = { metric = "last-gain", scale = "log" }"#;
    let of = |test: &str| {
        let rule = r#"rule = { supported = [{ statistic = "models", at-least = 1 }] }"#;
        let rule = if test.contains("groups") { rule.replace("models", "p") } else { rule.to_string() };
        let mut table = expanding(8).rows("m0", Metric::LastGain, "frobenius/last-block", &UP);
        for (i, model) in table.0.models.iter_mut().enumerate() {
            model.facts.norm = Some(if i < 4 { "rmsnorm" } else { "layernorm" }.into());
            model.facts.positions = Some(["rope", "alibi", "learned", "rope"][i / 2].into());
        }
        let found = outcome(&hypothesis("", &format!("test = {{ {test} }}\n{rule}")), &table);
        curve(&found).clone()
    };
    // The rms models lie below all others: 2 of the 70 ways to deal.
    let by = r#"by = { fact = "norm", is = "rmsnorm", versus = "layernorm" }"#;
    let groups = of(&format!(r#"kind = "groups", {gain}, {by}"#));
    assert!((groups.joint_p_median.unwrap() - 2.0 / 70.0).abs() < 1e-12, "{groups:#?}");
    let kruskal = of(&format!(r#"kind = "kruskal-groups", {gain}, by = "positions""#));
    assert!(kruskal.joint_p_median.is_some(), "{kruskal:#?}");
    let several = of(&format!(r#"kind = "k-of-n", {gain}, share = 0.5"#));
    assert_eq!(several.joint_p_median, None);
    assert!(
        several.notes.iter().any(|n| n.starts_with("no joint p: its null lets some lineages lie beyond")),
        "{:#?}",
        several.notes
    );
}

#[test]
fn paired_prompts_are_flipped_alike_in_every_specification() {
    let test = r#"test = { kind = "contrast", a = { metric = "last-gain", scale = "log", select = { model = "m1" } },
            b = { metric = "last-gain", scale = "log", select = { model = "m0" } } }
        rule = { supported = [{ statistic = "low", above = 0 }] }"#;
    let table = expanding(2).rows("m0", Metric::LastGain, NEVER, &UP);
    let table = table.rows("m1", Metric::LastGain, NEVER, &UP.map(|v| v * 1.2));
    let found = outcome(&hypothesis("", test), &table);
    assert_eq!(curve(&found).joint_p_median, Some(2.0 / 64.0), "{:#?}", curve(&found));
}
