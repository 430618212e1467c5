//! Joint inference over a curve: honest where nothing goes on, and able to see what does.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use streamgauge::{
    metric::{Metric, Paired, Series},
    stats::{Joint, Method, Pairs, Seed, Unflippable, Units, joint},
};

const ALPHA: f64 = 0.05;

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
    (0..5).map(|s| Units::Signs(specification(s, rng))).collect()
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
    let signs = Units::Signs(values.iter().enumerate().map(|(i, v)| (format!("u{i}"), *v)).collect());
    let found = joined(&[signs], 1);
    let own = streamgauge::stats::sign_flip_p(&values, Seed(9)).unwrap();
    assert!((found.median - own).abs() < 1e-12 && found.exact && found.flips == 256, "{found:?} {own}");

    let (x, y) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [2.0, 1.0, 4.0, 3.0, 7.0, 5.0, 6.0]);
    let pair = pairs(&x, &y, None).unwrap();
    let found = joined(&[Units::Pairs(vec![pair])], 1);
    let series = |v: &[f64]| {
        let protocol = "last/last-block".parse().ok();
        Series::new(Metric::LastGain, protocol, v.iter().copied().enumerate().collect())
    };
    let pair = Paired::same_protocol(&series(&x), &series(&y)).unwrap();
    let own = streamgauge::stats::correlation_p(&pair, Method::Spearman, None, Seed(9)).unwrap();
    assert!((found.median - own).abs() < 1e-12 && found.flips == 5_040, "{found:?} {own}");
}

#[test]
fn too_few_units_are_said_and_units_of_different_kinds_have_no_common_flip() {
    let few = Units::Signs((0..4).map(|i| (format!("u{i}"), 1.0)).collect());
    let error = joint(&[&few], ALPHA, Seed(1)).unwrap_err();
    assert_eq!(error.to_string(), "cannot reach alpha = 0.05 by flipping 4 units (smallest p 0.125)");
    let pair = Units::Pairs(pairs(&[1.0, 2.0, 3.0], &[1.0, 3.0, 2.0], None).into_iter().collect());
    assert_eq!(joint(&[&few, &pair], ALPHA, Seed(1)), Err(Unflippable::Mixed));
    assert_eq!(joint(&[], ALPHA, Seed(1)), Err(Unflippable::Nothing));
}
