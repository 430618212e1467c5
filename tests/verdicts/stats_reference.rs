//! Tests, effects and intervals against stored values of SciPy, statsmodels and diptest
//! (`scripts/reference/make_stats_tests.py`).

use serde_json::Value;
use study::stats::{self, Effect, Interval, Seed, TTest};

use crate::stored::{CLOSED_FORM, cases, close, goldens, number, numbers};

const STORED: &str = "stats_tests.json";

fn ends(found: Interval, expected: &Value, tolerance: f64, case: &Value) {
    close(found.low, &expected[0], tolerance, case);
    close(found.high, &expected[1], tolerance, case);
}

fn effect_ends(found: Effect, expected: &Value, tolerance: f64, case: &Value) {
    ends(Interval { low: found.low, high: found.high }, expected, tolerance, case);
}

fn labels(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect()
}

fn both(case: &Value) -> (Vec<f64>, Vec<f64>) {
    (numbers(&case["a"]), numbers(&case["b"]))
}

fn same_test(found: TTest, expected: &Value) {
    close(found.estimate, &expected["estimate"], CLOSED_FORM, expected);
    close(found.t, &expected["t"], CLOSED_FORM, expected);
    close(found.df, &expected["df"], CLOSED_FORM, expected);
    close(found.p, &expected["p"], CLOSED_FORM, expected);
    ends(found.interval, &expected["interval"], CLOSED_FORM, expected);
}

#[test]
fn t_tests_are_scipy_s() {
    let stored = goldens(STORED);
    for case in cases(&stored, "paired") {
        same_test(stats::paired_t(&numbers(&case["differences"]), 0.05).unwrap(), case);
    }
    for case in cases(&stored, "groups") {
        let (a, b) = both(case);
        same_test(stats::welch_t(&a, &b, 0.05).unwrap(), &case["welch"]);
        same_test(stats::student_t(&a, &b, 0.05).unwrap(), &case["student"]);
    }
}

#[test]
fn standardised_effects_have_the_formula_s_value_and_the_noncentral_interval() {
    let stored = goldens(STORED);
    for case in cases(&stored, "paired") {
        let found = stats::cohen_dz(&numbers(&case["differences"]), 0.05).unwrap();
        close(found.value, &case["dz"], CLOSED_FORM, case);
        effect_ends(found, &case["dz_interval"], CLOSED_FORM, case);
    }
    for case in cases(&stored, "groups") {
        let (a, b) = both(case);
        let (d, g) = (stats::cohen_d(&a, &b, 0.05).unwrap(), stats::hedges_g(&a, &b, 0.05).unwrap());
        close(d.value, &case["d"], CLOSED_FORM, case);
        close(g.value, &case["g"], CLOSED_FORM, case);
        effect_ends(d, &case["d_interval"], CLOSED_FORM, case);
        assert!((g.low / d.low - number(&case["g_factor"])).abs() < CLOSED_FORM);
    }
}

#[test]
fn signed_ranks_are_scipy_s_exact_with_ties_and_approximate() {
    for case in cases(&goldens(STORED), "wilcoxon") {
        let differences = numbers(&case["differences"]);
        let found = stats::wilcoxon(&differences).unwrap();
        close(found.statistic, &case["statistic"], CLOSED_FORM, case);
        close(found.p, &case["p"], CLOSED_FORM, case);
        assert_eq!(found.exact, case["exact"]);
        let effect = stats::rank_biserial(&differences, 0.05, Seed(1)).unwrap();
        close(effect.value, &case["rank_biserial"], CLOSED_FORM, case);
    }
}

#[test]
fn rank_tests_of_groups_are_scipy_s_exact_with_ties_and_approximate() {
    for case in cases(&goldens(STORED), "mann_whitney") {
        let (a, b) = both(case);
        let found = stats::mann_whitney(&a, &b).unwrap();
        close(found.u, &case["u"], CLOSED_FORM, case);
        close(found.auc, &case["auc"], CLOSED_FORM, case);
        close(found.p, &case["p"], CLOSED_FORM, case);
        assert_eq!(found.exact, case["exact"]);
    }
}

#[test]
fn dominance_and_its_intervals_are_the_formula_s() {
    let stored = goldens(STORED);
    for case in cases(&stored, "cliff") {
        let (a, b) = both(case);
        let found = stats::cliff_delta(&a, &b, 0.05).unwrap();
        close(found.value, &case["delta"], CLOSED_FORM, case);
        effect_ends(found, &case["interval"], CLOSED_FORM, case);
    }
    for case in cases(&stored, "auc") {
        let found = stats::auc(&numbers(&case["positive"]), &numbers(&case["negative"]), 0.05).unwrap();
        close(found.value, &case["auc"], CLOSED_FORM, case);
        effect_ends(found, &case["interval"], CLOSED_FORM, case);
    }
}

#[test]
fn relabelling_walks_every_choice_as_scipy_does() {
    for case in cases(&goldens(STORED), "relabel") {
        let (a, b) = both(case);
        close(stats::relabel_p(&a, &b, Seed(1)).unwrap(), &case["p"], CLOSED_FORM, case);
    }
}

#[test]
fn bca_intervals_agree_with_scipy_s_within_monte_carlo_error() {
    for case in cases(&goldens(STORED), "bca") {
        let values = numbers(&case["values"]);
        let found = match case["statistic"].as_str().unwrap() {
            "mean" => stats::bootstrap_bca(&values, 0.05, 50_000, Seed(1)),
            _ => stats::bootstrap_of(&values, stats::standard_deviation, 0.05, Seed(1)),
        };
        let width = number(&case["interval"][1]) - number(&case["interval"][0]);
        ends(found.unwrap(), &case["interval"], 0.03 * width, case);
    }
}

#[test]
fn equivalence_is_statsmodels_s() {
    for case in cases(&goldens(STORED), "tost") {
        let values = numbers(&case["values"]);
        let p = stats::tost(&values, number(&case["low"]), number(&case["high"])).unwrap();
        close(p, &case["p"], CLOSED_FORM, case);
        ends(stats::tost_interval(&values, 0.05).unwrap(), &case["interval"], CLOSED_FORM, case);
    }
}

#[test]
fn corrections_of_many_p_are_statsmodels_s_and_the_definition_s() {
    for case in cases(&goldens(STORED), "adjusted") {
        let p = numbers(&case["p"]);
        let expected = case["benjamini_hochberg"].as_array().unwrap();
        for (found, expected) in stats::benjamini_hochberg(&p).into_iter().zip(expected) {
            close(found, expected, CLOSED_FORM, case);
        }
        for (k, expected) in (1..).zip(case["partial_conjunction"].as_array().unwrap()) {
            close(stats::partial_conjunction(&p, k).unwrap(), expected, CLOSED_FORM, case);
        }
    }
}

#[test]
fn power_laws_are_scipy_s_regression_of_logarithms() {
    for case in cases(&goldens(STORED), "power_law") {
        let found = stats::power_law(&numbers(&case["x"]), &numbers(&case["y"]), 0.05).unwrap();
        close(found.exponent, &case["exponent"], CLOSED_FORM, case);
        close(found.coefficient, &case["coefficient"], CLOSED_FORM, case);
        ends(Interval { low: found.low, high: found.high }, &case["interval"], CLOSED_FORM, case);
        close(found.p, &case["p"], CLOSED_FORM, case);
        close(found.r_squared, &case["r_squared"], CLOSED_FORM, case);
    }
}

#[test]
fn change_points_are_those_of_trying_every_split() {
    for case in cases(&goldens(STORED), "change") {
        let found = stats::change_point(&numbers(&case["values"]), Seed(1)).unwrap();
        assert_eq!(found.index as u64, case["index"]);
        close(found.gain, &case["gain"], CLOSED_FORM, case);
    }
}

#[test]
fn dips_are_diptest_s_and_their_p_agree_within_monte_carlo_error() {
    let stored = goldens(STORED);
    for case in cases(&stored, "dip") {
        close(stats::dip(&numbers(&case["values"])).unwrap(), &case["dip"], CLOSED_FORM, case);
    }
    for case in cases(&stored, "dip_p") {
        let p = number(&case["p"]);
        let error = (p.max(1e-4) * (1.0 - p) / stats::MONTE_CARLO as f64).sqrt();
        close(stats::dip_p(&numbers(&case["values"]), Seed(1)).unwrap(), &case["p"], 4.0 * error, case);
    }
}

#[test]
fn two_gaussians_reach_the_likelihood_of_a_gradient_search() {
    for case in cases(&goldens(STORED), "mixture") {
        // Both climb numerically; the likelihood is flat at the top.
        close(stats::mixture_bic(&numbers(&case["values"])).unwrap(), &case["delta_bic"], 1e-5, case);
    }
}

#[test]
fn spreads_are_compared_as_scipy_does() {
    let stored = goldens(STORED);
    for case in cases(&stored, "brown_forsythe") {
        let (a, b) = both(case);
        let found = stats::brown_forsythe(&a, &b).unwrap();
        close(found.f, &case["f"], CLOSED_FORM, case);
        close(found.p, &case["p"], CLOSED_FORM, case);
    }
    for case in cases(&stored, "variance_ratio") {
        let (a, b) = both(case);
        if a.len() > 2 {
            let found = stats::variance_ratio(&a, &b, 0.05, Seed(1)).unwrap();
            close(found.value, &case["ratio"], CLOSED_FORM, case);
        }
    }
}

#[test]
fn decompositions_are_statsmodels_s_sums_of_squares_and_shapley_values() {
    for case in cases(&goldens(STORED), "decomposition") {
        let levels = case["rows"].as_array().unwrap().iter().map(labels);
        let rows: Vec<(Vec<usize>, f64)> = levels.zip(numbers(&case["y"])).collect();
        let names: Vec<&str> =
            case["names"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
        let found = stats::decompose(&rows, &names).unwrap();
        for (name, expected) in case["shares"].as_object().unwrap() {
            let share = found.iter().find(|s| s.name == *name).unwrap_or_else(|| panic!("no {name}"));
            close(share.share, expected, CLOSED_FORM, case);
        }
        assert_eq!(found.len(), case["shares"].as_object().unwrap().len() + 1);
    }
}

#[test]
fn nested_models_are_compared_as_statsmodels_does() {
    for case in cases(&goldens(STORED), "nested") {
        let base: Vec<Vec<usize>> = case["base"].as_array().unwrap().iter().map(labels).collect();
        let found =
            stats::nested(&numbers(&case["y"]), &base, &labels(&case["added"]), None, Seed(1)).unwrap();
        close(found.f, &case["f"], CLOSED_FORM, case);
        close(found.p, &case["p"], CLOSED_FORM, case);
        close(found.partial_r2, &case["partial_r2"], CLOSED_FORM, case);
        // Values are normal here, so that both p answer the same question.
        let permuted = found.permutation_p.unwrap();
        assert!((permuted - found.p).abs() < 0.05, "{found:?}");
    }
}

#[test]
fn kappa_and_its_interval_are_statsmodels_s() {
    for case in cases(&goldens(STORED), "kappa") {
        let found = stats::kappa(&labels(&case["a"]), &labels(&case["b"]), 0.05).unwrap();
        close(found.value, &case["kappa"], CLOSED_FORM, case);
        effect_ends(found, &case["interval"], CLOSED_FORM, case);
    }
}

#[test]
fn replications_are_predicted_with_both_studies_errors() {
    for case in cases(&goldens(STORED), "prediction") {
        let original = numbers(&case["original"]);
        let new = case["n_new"].as_u64().unwrap() as usize;
        let study = (original[0], original[1], original[2] as usize);
        let found = stats::prediction_interval(study, new, 0.05).unwrap();
        ends(found, &case["interval"], CLOSED_FORM, case);
    }
}
