//! Statistics against stored SciPy values (`scripts/reference/make_stats*.py`), and properties that no single value shows.

use number::metric::{Metric, Paired, Series};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use study::stats::{self, Method, Seed};

use crate::stored::{CLOSED_FORM, cases, close, goldens, number, numbers};

fn pair(x: &[f64], y: &[f64]) -> Paired<usize> {
    Paired::same_protocol(&series(x), &series(y)).unwrap()
}

fn series(values: &[f64]) -> Series<usize> {
    Series::new(
        Metric::LastGain,
        "last/last-block".parse().ok(),
        values.iter().copied().enumerate().collect(),
    )
}

#[test]
fn correlations_and_their_exact_p_are_scipy_s() {
    let goldens = goldens("stats.json");
    for case in cases(&goldens, "ranks") {
        assert_eq!(stats::average_ranks(&numbers(&case["x"])), numbers(&case["average_ranks"]));
    }
    for (name, method, value) in [("spearman", Method::Spearman, "rho"), ("pearson", Method::Pearson, "r")] {
        for case in cases(&goldens, name) {
            let pair = pair(&numbers(&case["x"]), &numbers(&case["y"]));
            let found = match method {
                Method::Spearman => stats::spearman(&pair),
                Method::Pearson => stats::pearson(&pair),
            };
            close(found.unwrap(), &case[value], CLOSED_FORM, case);
            if !case["p_exact_permutation"].is_null() {
                let p = stats::correlation_p(&pair, method, None, Seed(1)).unwrap();
                close(p, &case["p_exact_permutation"], CLOSED_FORM, case);
            }
            if case["fisher_low"].is_number() {
                let r = number(&case["r"]);
                let interval = stats::correlation_interval(r, pair.len(), 0, method, 0.05).unwrap();
                close(interval.low, &case["fisher_low"], CLOSED_FORM, case);
                close(interval.high, &case["fisher_high"], CLOSED_FORM, case);
            }
        }
    }
}

#[test]
fn partial_spearman_is_the_correlation_of_what_the_controls_leave() {
    for case in cases(&goldens("stats.json"), "partial_spearman") {
        let mut pair = pair(&numbers(&case["x"]), &numbers(&case["y"]));
        for control in case["controls"].as_array().unwrap() {
            pair = pair.given(&series(&numbers(control)));
        }
        close(stats::partial(&pair, Method::Spearman).unwrap(), &case["rho"], CLOSED_FORM, case);
    }
}

#[test]
fn exact_binomial_sign_and_sign_flip_tests_are_scipy_s() {
    let stored = goldens("stats.json");
    for case in cases(&stored, "binomial") {
        let (k, n) = (case["successes"].as_u64().unwrap(), case["n"].as_u64().unwrap());
        let p = stats::binomial_at_least(k, n, number(&case["null"])).unwrap();
        close(p, &case["p_greater"], CLOSED_FORM, case);
        let interval = stats::clopper_pearson(k, n, 0.05).unwrap();
        close(interval.low, &case["clopper_pearson_low"], CLOSED_FORM, case);
        close(interval.high, &case["clopper_pearson_high"], CLOSED_FORM, case);
    }
    for case in cases(&stored, "sign_test") {
        let p = stats::sign_test(&numbers(&case["differences"]), 0.0).unwrap();
        close(p, &case["p"], CLOSED_FORM, case);
    }
    for case in cases(&goldens("stats_extra.json"), "sign_flip") {
        let p = stats::sign_flip_p(&numbers(&case["values"]), Seed(1)).unwrap();
        close(p, &case["p"], CLOSED_FORM, case);
    }
}

#[test]
fn kruskal_wallis_is_scipy_s_with_ties() {
    for case in cases(&goldens("stats.json"), "kruskal_wallis") {
        let groups: Vec<Vec<f64>> = case["groups"].as_array().unwrap().iter().map(numbers).collect();
        let labels: Vec<usize> = groups.iter().enumerate().flat_map(|(i, g)| vec![i; g.len()]).collect();
        let found = stats::kruskal_wallis(&groups.concat(), &labels).unwrap();
        close(found.h, &case["h"], CLOSED_FORM, case);
        close(found.chi_squared_p, &case["p_chi_squared"], CLOSED_FORM, case);
    }
}

#[test]
fn random_effects_pooling_follows_dersimonian_and_laird() {
    for case in cases(&goldens("stats.json"), "random_effects") {
        let effects: Vec<stats::Sampled<usize>> = numbers(&case["r"])
            .iter()
            .zip(numbers(&case["n"]))
            .map(|(r, n)| stats::Sampled::alone(r.atanh(), 1.0 / (n - 3.0)))
            .collect();
        let pooled = stats::random_effects(&effects, 0.05).unwrap();
        close(pooled.effect, &case["z"], CLOSED_FORM, case);
        close(pooled.standard_error, &case["standard_error"], CLOSED_FORM, case);
        close(pooled.tau_squared, &case["tau2"], CLOSED_FORM, case);
        close(pooled.q, &case["q"], CLOSED_FORM, case);
        close(pooled.interval.low, &case["z_low"], CLOSED_FORM, case);
        close(pooled.interval.high, &case["z_high"], CLOSED_FORM, case);
        close(pooled.p, &case["p"], CLOSED_FORM, case);
    }
}

#[test]
fn units_that_share_samples_are_pooled_as_crossed_with_these() {
    for case in cases(&goldens("stats.json"), "crossed_random_effects") {
        let rows = case["values"].as_array().unwrap();
        let unit = |row: &serde_json::Value| {
            let samples = row.as_array().unwrap().iter().enumerate();
            stats::Sampled::mean(samples.filter_map(|(i, value)| Some((i, value.as_f64()?)))).unwrap()
        };
        let units: Vec<stats::Sampled<usize>> = rows.iter().map(unit).collect();
        let pooled = stats::random_effects(&units, 0.05).unwrap();
        close(pooled.effect, &case["effect"], CLOSED_FORM, case);
        close(pooled.shared, &case["shared"], CLOSED_FORM, case);
        close(pooled.freedom, &case["freedom"], CLOSED_FORM, case);
        close(pooled.standard_error, &case["standard_error"], CLOSED_FORM, case);
        close(pooled.interval.low, &case["low"], CLOSED_FORM, case);
        close(pooled.interval.high, &case["high"], CLOSED_FORM, case);
        close(pooled.p, &case["p"], CLOSED_FORM, case);
    }
}

#[test]
fn holm_and_quantiles_are_the_stored_ones() {
    let goldens = goldens("stats.json");
    for case in cases(&goldens, "holm") {
        let expected = case["adjusted"].as_array().unwrap();
        for (found, expected) in stats::holm(&numbers(&case["p"])).into_iter().zip(expected) {
            close(found, expected, CLOSED_FORM, case);
        }
    }
    for case in cases(&goldens, "quantile") {
        let values = numbers(&case["values"]);
        for (q, expected) in numbers(&case["shares"]).into_iter().zip(case["linear"].as_array().unwrap()) {
            close(stats::quantile(&values, q).unwrap(), expected, CLOSED_FORM, case);
        }
    }
}

#[test]
fn sink_fit_and_cross_validation_are_the_reference_s() {
    let goldens = goldens("stats_extra.json");
    for case in cases(&goldens, "sink") {
        let fit = stats::sink_fit(&pair(&numbers(&case["tokens"]), &numbers(&case["norms"]))).unwrap();
        close(fit.sink_squared, &case["sink_squared"], CLOSED_FORM, case);
        close(fit.token_squared, &case["token_squared"], CLOSED_FORM, case);
        close(fit.r_squared, &case["r_squared"], CLOSED_FORM, case);
    }
    for case in cases(&goldens, "cross_validated") {
        let found = stats::cross_validated(&pair(&numbers(&case["x"]), &numbers(&case["y"]))).unwrap();
        close(found.linear, &case["linear"], CLOSED_FORM, case);
        close(found.affine, &case["affine"], CLOSED_FORM, case);
        close(found.rank, &case["rank"], CLOSED_FORM, case);
    }
}

#[test]
fn intervals_of_a_mean_are_student_s_when_small_and_agree_with_scipy_s_bootstrap() {
    let goldens = goldens("stats_extra.json");
    for case in cases(&goldens, "student") {
        let found = stats::mean_interval(&numbers(&case["values"]), 0.05, Seed(1)).unwrap();
        close(found.low, &case["interval"][0], CLOSED_FORM, case);
        close(found.high, &case["interval"][1], CLOSED_FORM, case);
    }
    for case in cases(&goldens, "bootstrap") {
        let found = stats::bootstrap_percentile(&numbers(&case["values"]), 0.05, 50_000, Seed(1)).unwrap();
        let width = number(&case["percentile"][1]) - number(&case["percentile"][0]);
        close(found.low, &case["percentile"][0], 0.02 * width, case);
        close(found.high, &case["percentile"][1], 0.02 * width, case);
    }
}

/// Sum of twelve uniforms: as good as normal here, and it needs no distribution.
fn draw(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

#[test]
fn permutation_p_is_uniform_when_there_is_no_correlation() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let trials = 400;
    let mut exact = Vec::new();
    let mut within = Vec::new();
    for trial in 0..trials {
        let x: Vec<f64> = (0..7).map(|_| draw(&mut rng)).collect();
        let y: Vec<f64> = (0..7).map(|_| draw(&mut rng)).collect();
        exact.push(stats::correlation_p(&pair(&x, &y), Method::Pearson, None, Seed(trial)).unwrap());
        // Two categories with strong effects of their own, none within: 3!·4! arrangements.
        let labels = [0, 0, 0, 1, 1, 1, 1];
        let centre = |v: &[f64]| {
            let mean = |l: usize| {
                let own: Vec<f64> = (0..7).filter(|&i| labels[i] == l).map(|i| v[i]).collect();
                own.iter().sum::<f64>() / own.len() as f64
            };
            (0..7).map(|i| v[i] - mean(labels[i])).collect::<Vec<f64>>()
        };
        let p = stats::correlation_p(
            &pair(&centre(&x), &centre(&y)),
            Method::Pearson,
            Some(&labels),
            Seed(trial),
        );
        within.push(p.unwrap());
    }
    for (p, what) in [(exact, "free"), (within, "within blocks")] {
        for level in [0.05, 0.2, 0.5] {
            let share = p.iter().filter(|&&p| p <= level).count() as f64 / trials as f64;
            let error = (level * (1.0_f64 - level) / trials as f64).sqrt();
            assert!((share - level).abs() < 4.0 * error, "{what}: {share} of p at or below {level}");
        }
    }
}

#[test]
fn monte_carlo_p_is_uniform_too_and_never_zero() {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let trials = 200;
    let (mut correlation, mut flips) = (Vec::new(), Vec::new());
    for trial in 0..trials {
        let x: Vec<f64> = (0..17).map(|_| draw(&mut rng)).collect();
        let y: Vec<f64> = (0..17).map(|_| draw(&mut rng)).collect();
        correlation.push(stats::correlation_p(&pair(&x, &y), Method::Spearman, None, Seed(trial)).unwrap());
        flips.push(stats::sign_flip_p(&x, Seed(trial)).unwrap());
    }
    for (p, what) in [(correlation, "correlation"), (flips, "sign flips")] {
        for level in [0.05, 0.2, 0.5] {
            let share = p.iter().filter(|&&p| p <= level).count() as f64 / trials as f64;
            let error = (level * (1.0_f64 - level) / trials as f64).sqrt();
            assert!((share - level).abs() < 4.0 * error, "{what}: {share} of p at or below {level}");
        }
    }
    let line: Vec<f64> = (0..17).map(f64::from).collect();
    let p = stats::correlation_p(&pair(&line, &line), Method::Pearson, None, Seed(0)).unwrap();
    assert_eq!(p, 1.0 / (stats::MONTE_CARLO as f64 + 1.0));
    assert_eq!(p, stats::smallest_correlation_p(17));
}

#[test]
fn bootstrap_t_covers_the_mean_of_skewed_few_units_better_than_percentiles() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let trials = 500;
    let truth = 0.5_f64.exp();
    let (mut studentised, mut percentile) = (0, 0);
    for trial in 0..trials {
        let sample: Vec<f64> = (0..10).map(|_| draw(&mut rng).exp()).collect();
        let covers = |i: stats::Interval| i32::from(i.low <= truth && truth <= i.high);
        studentised += covers(stats::bootstrap_t(&sample, 0.05, 999, Seed(trial)).unwrap());
        percentile += covers(stats::bootstrap_percentile(&sample, 0.05, 999, Seed(trial)).unwrap());
    }
    let (studentised, percentile) = (f64::from(studentised) / 500.0, f64::from(percentile) / 500.0);
    assert!((0.90..=0.98).contains(&studentised), "bootstrap-t covers {studentised}");
    assert!(
        percentile < 0.88,
        "percentile covers {percentile}: the sample is not hard enough to tell them apart"
    );
}

#[test]
fn bootstrap_t_covers_normal_means_at_its_level() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let trials = 500;
    let covered = (0..trials)
        .filter(|&trial| {
            let sample: Vec<f64> = (0..25).map(|_| 1.0 + 0.3 * draw(&mut rng)).collect();
            let i = stats::bootstrap_t(&sample, 0.05, 999, Seed(trial)).unwrap();
            i.low <= 1.0 && 1.0 <= i.high
        })
        .count() as f64;
    assert!(
        (covered / 500.0 - 0.95).abs() < 4.0 * (0.95 * 0.05 / 500.0_f64).sqrt(),
        "covers {}",
        covered / 500.0
    );
}
