//! Properties of the statistics that no stored value shows: level, coverage, power, and bounds. All draws are seeded; bounds
//! are four Monte Carlo errors wide.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use study::stats::{self, Effect, Interval, Seed};

/// Box and Muller.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    radius * (2.0 * std::f64::consts::PI * rng.random::<f64>()).cos()
}

fn sample(rng: &mut ChaCha8Rng, n: usize, mean: f64, deviation: f64) -> Vec<f64> {
    (0..n).map(|_| mean + deviation * normal(rng)).collect()
}

/// Runs `trial` often, each with a seed of its own, and returns what it found.
fn trials<T>(count: u64, seed: u64, mut trial: impl FnMut(&mut ChaCha8Rng, Seed) -> T) -> Vec<T> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|t| trial(&mut rng, Seed(t))).collect()
}

/// Kolmogorov's distance of p values from uniform on the side that matters, and on both for continuous ones.
fn assert_level(p: &[f64], continuous: bool, what: &str) {
    let mut sorted = p.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = p.len() as f64;
    // P(n·D² > 2² ) is about 2·e^-8 per test.
    let bound = 2.0 / n.sqrt();
    for (i, &p) in sorted.iter().enumerate() {
        let share = (i + 1) as f64 / n;
        assert!(share - p <= bound, "{what}: {share} of p at or below {p}");
        assert!(!continuous || p - i as f64 / n <= bound, "{what}: only {share} of p at or below {p}");
    }
}

fn assert_covers(intervals: &[Interval], truth: f64, range: std::ops::RangeInclusive<f64>, what: &str) {
    let inside = intervals.iter().filter(|i| i.low <= truth && truth <= i.high).count() as f64;
    let n = intervals.len() as f64;
    let (low, high) = (*range.start(), *range.end());
    let error = |share: f64| 4.0 * (share * (1.0 - share) / n).sqrt();
    let share = inside / n;
    assert!(
        share >= low - error(low) && share <= high + error(high),
        "{what} cover {share}, expected {low} to {high}"
    );
}

fn interval(effect: Effect) -> Interval {
    Interval { low: effect.low, high: effect.high }
}

#[test]
fn p_values_of_tests_on_continuous_values_are_uniform_under_the_null() {
    let found = trials(2000, 1, |rng, _| {
        let (a, b) = (sample(rng, 12, 3.0, 1.0), sample(rng, 15, 3.0, 1.0));
        let law = stats::power_law(
            &a.iter().map(|v| v.exp()).collect::<Vec<_>>(),
            &b[..12].iter().map(|v| v.exp()).collect::<Vec<_>>(),
            0.05,
        );
        let wide = sample(rng, 15, 3.0, 5.0);
        [
            stats::paired_t(&sample(rng, 9, 0.0, 2.0), 0.05).unwrap().p,
            stats::student_t(&a, &b, 0.05).unwrap().p,
            stats::welch_t(&a, &wide, 0.05).unwrap().p,
            law.unwrap().p,
            // At a bound equivalence is a one-sided test of its null.
            stats::tost(&sample(rng, 9, 0.5, 0.1), -50.0, 0.5).unwrap(),
        ]
    });
    for (i, what) in ["paired t", "Student", "Welch", "power law", "equivalence"].iter().enumerate() {
        assert_level(&found.iter().map(|p| p[i]).collect::<Vec<_>>(), true, what);
    }
}

#[test]
fn p_values_of_rank_and_permutation_tests_keep_their_level() {
    let found = trials(600, 2, |rng, seed| {
        let (a, b) = (sample(rng, 6, 0.0, 1.0), sample(rng, 7, 0.0, 1.0));
        let whole = |v: &[f64]| v.iter().map(|v| (2.0 * v).round()).collect::<Vec<_>>();
        // Three groups of four clusters; values of a cluster share most of their error.
        let clusters: Vec<usize> = (0..24).map(|i| i / 2).collect();
        let shared = sample(rng, 12, 0.0, 1.0);
        let y: Vec<f64> = clusters.iter().map(|&c| shared[c] + 0.1 * normal(rng)).collect();
        let base = vec![(0..24).map(|i| i % 2).collect()];
        let added: Vec<usize> = clusters.iter().map(|c| c % 3).collect();
        let groups: Vec<usize> = (0..12).map(|c| c % 2).collect();
        let nested = (seed.0 < 100)
            .then(|| stats::nested(&y, &base, &added, Some(&clusters), seed).unwrap().permutation_p.unwrap());
        [
            stats::wilcoxon(&a).unwrap().p,
            stats::wilcoxon(&whole(&a)).map_or(1.0, |r| r.p),
            stats::mann_whitney(&a, &b).unwrap().p,
            stats::mann_whitney(&whole(&a), &whole(&b)).map_or(1.0, |r| r.p),
            stats::relabel_p(&a, &b, seed).unwrap(),
            stats::relabel_clusters_p(&y, &clusters, &groups, seed).unwrap(),
            stats::change_point(&b, seed).unwrap().p,
            nested.unwrap_or(f64::NAN),
        ]
    });
    let names = [
        "signed ranks",
        "tied signed ranks",
        "ranks",
        "tied ranks",
        "relabelling",
        "clusters",
        "change",
        "nested",
    ];
    for (i, what) in names.iter().enumerate() {
        assert_level(&found.iter().map(|p| p[i]).filter(|p| !p.is_nan()).collect::<Vec<_>>(), false, what);
    }
}

#[test]
fn the_f_test_of_nested_models_is_misled_by_clusters_and_dealing_whole_ones_is_not() {
    let p = trials(60, 3, |rng, seed| {
        let clusters: Vec<usize> = (0..42).map(|i| i / 6).collect();
        let shared = sample(rng, 7, 0.0, 1.0);
        let y: Vec<f64> = clusters.iter().map(|&c| shared[c] + 0.2 * normal(rng)).collect();
        let added: Vec<usize> = clusters.iter().map(|c| c % 2).collect();
        let found = stats::nested(&y, &[], &added, Some(&clusters), seed).unwrap();
        (found.p <= 0.05, found.permutation_p.unwrap() <= 0.05)
    });
    let rejected = |pick: fn(&(bool, bool)) -> bool| p.iter().filter(|p| pick(p)).count();
    assert!(rejected(|p| p.0) > 20, "{}", rejected(|p| p.0));
    assert!(rejected(|p| p.1) <= 10, "{}", rejected(|p| p.1));
}

#[test]
fn monte_carlo_relabelling_keeps_its_level_and_its_smallest_p() {
    let p = trials(300, 4, |rng, seed| {
        stats::relabel_p(&sample(rng, 12, 0.0, 1.0), &sample(rng, 13, 0.0, 1.0), seed).unwrap()
    });
    assert_level(&p, true, "relabelling");
    assert!(p.iter().all(|&p| p >= stats::smallest_relabel_p(12, 13)));
}

#[test]
fn no_exact_p_is_below_the_smallest_that_its_sizes_allow() {
    trials(400, 5, |rng, seed| {
        let (n, m) = (2 + (seed.0 % 7) as usize, 2 + (seed.0 % 5) as usize);
        let shift = (seed.0 % 3) as f64 * 2.0;
        let (a, b) = (sample(rng, n, shift, 1.0), sample(rng, m, 0.0, 1.0));
        let whole = |v: &[f64]| v.iter().map(|v| v.round()).collect::<Vec<_>>();
        for (a, b) in [(a.clone(), b.clone()), (whole(&a), whole(&b))] {
            if let Some(found) = stats::wilcoxon(&a) {
                assert!(found.exact && found.p >= found.smallest_p && found.p <= 1.0, "{found:?}");
            }
            if let Some(found) = stats::mann_whitney(&a, &b) {
                assert!(
                    found.exact && found.p >= found.smallest_p * (1.0 - 1e-12) && found.p <= 1.0,
                    "{found:?}"
                );
            }
            let p = stats::relabel_p(&a, &b, seed).unwrap();
            assert!(p >= stats::smallest_relabel_p(n, m) && p <= 1.0);
        }
    });
}

#[test]
fn walked_relabellings_are_counts_of_all_choices_and_need_no_seed() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    for (n, m, ways) in [(3, 4, 35.0), (5, 5, 252.0), (2, 9, 55.0)] {
        let (a, b) = (sample(&mut rng, n, 0.7, 1.0), sample(&mut rng, m, 0.0, 1.0));
        let p = stats::relabel_p(&a, &b, Seed(1)).unwrap();
        assert!(((p * ways).round() - p * ways).abs() < 1e-9);
        assert_eq!(Some(p), stats::relabel_p(&a, &b, Seed(2)));
    }
}

#[test]
fn intervals_by_formula_cover_at_their_level() {
    let found = trials(2000, 7, |rng, _| {
        let (a, b) = (sample(rng, 8, 1.0, 1.0), sample(rng, 11, 0.0, 1.0));
        let x: Vec<f64> = (1..=9).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 2.0 * x.powf(-0.7) * (0.3 * normal(rng)).exp()).collect();
        let law = stats::power_law(&x, &y, 0.05).unwrap();
        let wide = sample(rng, 20, 0.0, 3.0);
        [
            stats::paired_t(&a, 0.05).unwrap().interval,
            stats::student_t(&a, &b, 0.05).unwrap().interval,
            stats::welch_t(&a, &wide, 0.05).unwrap().interval,
            Interval { low: law.low, high: law.high },
            stats::tost_interval(&a, 0.05).unwrap(),
        ]
    });
    let cases = [
        ("paired t", 1.0, 0.95),
        ("Student", 1.0, 0.95),
        ("Welch", 1.0, 0.95),
        ("power law", -0.7, 0.95),
        ("1-2α", 1.0, 0.9),
    ];
    for (i, (what, truth, level)) in cases.into_iter().enumerate() {
        assert_covers(&found.iter().map(|f| f[i]).collect::<Vec<_>>(), truth, level..=level, what);
    }
}

#[test]
fn intervals_of_effects_cover_at_their_level() {
    let found = trials(500, 8, |rng, _| {
        let (a, b) = (sample(rng, 10, 1.0, 1.0), sample(rng, 14, 0.0, 1.0));
        let (d, dz) = (stats::cohen_d(&a, &b, 0.05), stats::cohen_dz(&a, 0.05));
        let (delta, auc) = (stats::cliff_delta(&a, &b, 0.05), stats::auc(&a, &b, 0.05));
        [d, dz, delta, auc].map(|e| interval(e.unwrap()))
    });
    // P(a > b) of two normals one deviation apart is Φ(1/√2).
    let above = 0.760_249_938_906_524_f64;
    let cases =
        [("d", 1.0, 0.95), ("dz", 1.0, 0.95), ("delta", 2.0 * above - 1.0, 0.92), ("auc", above, 0.92)];
    for (i, (what, truth, low)) in cases.into_iter().enumerate() {
        assert_covers(&found.iter().map(|f| f[i]).collect::<Vec<_>>(), truth, low..=0.96_f64.max(low), what);
    }
}

#[test]
fn separated_groups_still_cover() {
    // Four a and five b, nine tenths apart: most samples do not overlap, and Wald's interval would be the point 1.
    let found = trials(2000, 9, |rng, _| {
        let (a, b) = (sample(rng, 4, 2.2, 1.0), sample(rng, 5, 0.0, 1.0));
        interval(stats::auc(&a, &b, 0.05).unwrap())
    });
    assert!(found.iter().filter(|i| i.high == 1.0).count() > 400);
    // Φ(2.2/√2).
    assert_covers(&found, 0.940_105_583_9, 0.92..=1.0, "auc");
}

#[test]
fn bootstrap_intervals_cover_near_their_level() {
    let truth = 0.5_f64.exp();
    let found = trials(150, 10, |rng, seed| {
        let skewed: Vec<f64> = sample(rng, 30, 0.0, 1.0).iter().map(|v| v.exp()).collect();
        // Ten clusters of one to four values, alike within.
        let clusters: Vec<Vec<f64>> = (0..10)
            .map(|c| {
                let shared = normal(rng);
                sample(rng, 1 + c % 4, shared, 0.3)
            })
            .collect();
        let strata: Vec<Vec<f64>> = (0..4).map(|s| sample(rng, 5, f64::from(s * 10), 1.0)).collect();
        let (a, b) = (sample(rng, 20, 0.0, 2.0), sample(rng, 25, 0.0, 1.0));
        [
            stats::bootstrap_bca(&skewed, 0.05, 1999, seed).unwrap(),
            stats::bootstrap_of(&a, stats::standard_deviation, 0.05, seed).unwrap(),
            stats::bootstrap_clusters(&clusters, 0.05, seed).unwrap(),
            stats::bootstrap_strata(&strata, 0.05, seed).unwrap(),
            interval(stats::variance_ratio(&a, &b, 0.05, seed).unwrap()),
        ]
    });
    // BCa is known to fall short with few and skewed units (DiCiccio and Efron 1996); the studentised ones are not.
    let cases = [
        ("BCa", truth, 0.88),
        ("BCa of a deviation", 2.0, 0.86),
        ("clusters", 0.0, 0.93),
        ("strata", 15.0, 0.94),
        ("ratio", 4.0, 0.93),
    ];
    for (i, (what, truth, low)) in cases.into_iter().enumerate() {
        assert_covers(&found.iter().map(|f| f[i]).collect::<Vec<_>>(), truth, low..=0.96_f64, what);
    }
}

#[test]
fn units_of_a_cluster_taken_as_independent_do_not_cover() {
    let found = trials(200, 11, |rng, seed| {
        let clusters: Vec<Vec<f64>> = (0..8)
            .map(|_| {
                let shared = normal(rng);
                sample(rng, 6, shared, 0.3)
            })
            .collect();
        let flat = stats::bootstrap_t(&clusters.concat(), 0.05, 499, seed).unwrap();
        (flat.low <= 0.0 && 0.0 <= flat.high, stats::bootstrap_clusters(&clusters[..4], 0.05, seed).unwrap())
    });
    assert!(found.iter().filter(|f| f.0).count() < 150, "the clusters are too loose to tell");
    assert_covers(&found.iter().map(|f| f.1).collect::<Vec<_>>(), 0.0, 0.95..=0.95, "four clusters");
}

#[test]
fn replications_fall_into_their_prediction_interval_at_its_level() {
    let share = trials(3000, 12, |rng, _| {
        let (first, second) = (sample(rng, 6, 2.0, 1.5), sample(rng, 9, 2.0, 1.5));
        let study = (stats::mean(&first).unwrap(), stats::standard_deviation(&first).unwrap(), 6);
        let found = stats::prediction_interval(study, 9, 0.1).unwrap();
        let again = stats::mean(&second).unwrap();
        Interval { low: found.low - again, high: found.high - again }
    });
    assert_covers(&share, 0.0, 0.9..=0.9, "predictions");
}

#[test]
fn kappa_covers_the_agreement_that_was_planted() {
    // Two labels, evenly frequent; raters copy each other with chance 0.6, which is kappa.
    let found = trials(1000, 13, |rng, _| {
        let a: Vec<usize> = (0..80).map(|_| rng.random_range(0..2)).collect();
        let b: Vec<usize> =
            a.iter().map(|&x| if rng.random::<f64>() < 0.6 { x } else { rng.random_range(0..2) }).collect();
        interval(stats::kappa(&a, &b, 0.05).unwrap())
    });
    assert_covers(&found, 0.6, 0.93..=0.96, "kappa");
}

#[test]
fn a_planted_change_is_found_where_it_is() {
    let found = trials(60, 14, |rng, seed| {
        let at = 3 + (seed.0 % 18) as usize;
        let values = [sample(rng, at, 1.0, 0.2), sample(rng, 24 - at, 2.0, 0.2)].concat();
        let found = stats::change_point(&values, seed).unwrap();
        assert!(found.p < 0.01, "{found:?}");
        found.index.abs_diff(at)
    });
    assert!(found.iter().all(|&off| off <= 1), "{found:?}");
    assert!(found.iter().filter(|&&off| off == 0).count() > 50);
}

#[test]
fn the_dip_keeps_its_level_on_one_mode_and_finds_two() {
    let p = trials(150, 15, |rng, seed| {
        let uniform: Vec<f64> = (0..25).map(|_| rng.random::<f64>()).collect();
        let two = [sample(rng, 13, 0.0, 1.0), sample(rng, 12, 6.0, 1.0)].concat();
        [uniform, sample(rng, 25, 0.0, 1.0), two].map(|v| stats::dip_p(&v, seed).unwrap())
    });
    assert_level(&p.iter().map(|p| p[0]).collect::<Vec<_>>(), true, "dip of uniform values");
    let rejected = |i: usize| p.iter().filter(|p| p[i] <= 0.05).count();
    assert!(rejected(1) <= 8, "{} of normal samples", rejected(1));
    assert!(rejected(2) >= 135, "{} of two groups", rejected(2));
}

#[test]
fn the_mixture_finds_two_groups_of_one_mean_too_and_seldom_invents_them() {
    let found = trials(150, 16, |rng, _| {
        let apart = [sample(rng, 13, 0.0, 1.0), sample(rng, 12, 6.0, 1.0)].concat();
        let nested = [sample(rng, 60, 0.0, 1.0), sample(rng, 40, 0.0, 8.0)].concat();
        [sample(rng, 25, 3.0, 2.0), apart, nested].map(|v| stats::mixture_bic(&v).unwrap())
    });
    let above = |i: usize, bound: f64| found.iter().filter(|f| f[i] > bound).count();
    assert!(above(0, 0.0) <= 15 && above(0, 10.0) <= 3, "{} {}", above(0, 0.0), above(0, 10.0));
    assert!(above(1, 0.0) >= 140, "{}", above(1, 0.0));
    assert!(above(2, 0.0) >= 140, "{}", above(2, 0.0));
}

#[test]
fn a_decomposition_sums_to_one_and_recovers_what_was_planted() {
    let mut rng = ChaCha8Rng::seed_from_u64(17);
    let without_mean = |v: Vec<f64>| {
        let m = stats::mean(&v).unwrap();
        v.into_iter().map(|v| v - m).collect::<Vec<f64>>()
    };
    let a = without_mean(sample(&mut rng, 12, 0.0, 2.0));
    let b = without_mean(sample(&mut rng, 12, 0.0, 1.0));
    // An interaction is what rows and columns leave; repetitions are what cells leave.
    let both: Vec<f64> = (0..144).map(|i| [1.5, -1.5][i / 12 % 2] * [1.0, -1.0][i % 2]).collect();
    let rest = [1.7, 0.3, -1.7, -0.3];
    let table: Vec<(Vec<usize>, f64)> = (0..576)
        .map(|i| {
            let (x, y) = (i / 48, i / 4 % 12);
            (vec![x, y], 7.0 + a[x] + b[y] + both[12 * x + y] + rest[i % 4])
        })
        .collect();
    let squares = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>() / v.len() as f64;
    let planted = [squares(&a), squares(&b), squares(&both), squares(&rest)];
    let total: f64 = planted.iter().sum();
    // Without a fifth of the rows shares move little, and still sum to 1.
    let missing: Vec<(Vec<usize>, f64)> =
        table.iter().enumerate().filter(|(i, _)| i % 5 != 2).map(|(_, r)| r.clone()).collect();
    for (rows, tolerance) in [(table, 1e-12), (missing, 0.03)] {
        let found = stats::decompose(&rows, &["a", "b"]).unwrap();
        assert!((found.iter().map(|s| s.share).sum::<f64>() - 1.0).abs() < 1e-12);
        assert_eq!(found.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["a", "b", "a × b", "rest"]);
        for (share, planted) in found.iter().map(|s| s.share).zip(planted) {
            assert!((share - planted / total).abs() < tolerance, "{found:?} {planted}");
        }
    }
}

#[test]
fn holm_keeps_order_and_never_lowers_a_p() {
    trials(200, 18, |rng, seed| {
        let p: Vec<f64> = (0..1 + seed.0 % 18).map(|_| rng.random::<f64>().powi(3)).collect();
        let (holm, listed) = (stats::holm(&p), stats::benjamini_hochberg(&p));
        for (i, &one) in p.iter().enumerate() {
            assert!(one <= listed[i] && listed[i] <= holm[i] + 1e-15 && holm[i] <= 1.0, "{p:?}");
            for (j, &other) in p.iter().enumerate() {
                assert!(one > other || holm[i] <= holm[j] && listed[i] <= listed[j], "{p:?}");
            }
        }
    });
}

#[test]
fn a_partial_conjunction_is_valid_when_one_too_few_hold() {
    // Three of five effects are there, as strong as can be; "at least four" is false.
    let p = trials(2000, 19, |rng, _| {
        stats::partial_conjunction(&[0.0, 0.0, 0.0, rng.random(), rng.random()], 4).unwrap()
    });
    assert_level(&p, false, "partial conjunction");
}

#[test]
fn what_is_no_number_is_refused_or_carried_without_a_panic() {
    let (good, seed) = ([1.0, 2.5, 0.5, 3.0, 2.0, 1.5, 0.1], Seed(1));
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let v = [1.0, 2.0, bad, 0.5, 3.0, 1.0, 4.0];
        assert_eq!(stats::paired_t(&v, 0.05), None);
        assert_eq!(stats::welch_t(&v, &good, 0.05), None);
        assert_eq!(stats::student_t(&good, &v, 0.05), None);
        assert_eq!(stats::cohen_d(&v, &good, 0.05), None);
        assert_eq!(stats::cohen_dz(&v, 0.05), None);
        assert_eq!(stats::relabel_p(&v, &good, seed), None);
        assert_eq!(stats::tost(&v, -1.0, 1.0), None);
        assert_eq!(stats::tost(&good, bad, bad), None);
        assert_eq!(stats::power_law(&good, &v, 0.05), None);
        assert_eq!(stats::change_point(&v, seed), None);
        assert_eq!((stats::dip(&v), stats::dip_p(&v, seed), stats::mixture_bic(&v)), (None, None, None));
        assert_eq!(stats::brown_forsythe(&v, &good), None);
        assert_eq!(stats::variance_ratio(&v, &good, 0.05, seed), None);
        assert_eq!(stats::nested(&v, &[], &[0, 0, 0, 1, 1, 1, 1], None, seed), None);
        assert_eq!(stats::decompose(&v.map(|v| (vec![0], v)), &["a"]), None);
        assert_eq!(stats::prediction_interval((bad, 1.0, 5), 5, 0.05), None);
        assert_eq!(stats::partial_conjunction(&v, 2), None);
        assert_eq!(stats::wilcoxon(&v).is_none(), bad.is_nan(), "infinities have ranks");
        assert_eq!(stats::mann_whitney(&v, &good).is_none(), bad.is_nan());
        assert_eq!(stats::auc(&v, &good, 0.05).is_none(), bad.is_nan());
        for interval in [
            stats::bootstrap_bca(&v, 0.05, 99, seed),
            stats::bootstrap_clusters(&[v.to_vec(), good.to_vec()], 0.05, seed),
            stats::bootstrap_strata(&[v.to_vec(), good.to_vec()], 0.05, seed),
        ] {
            assert!(interval.is_none_or(|i| !i.low.is_finite() || !i.high.is_finite()), "{interval:?}");
        }
        stats::benjamini_hochberg(&v);
    }
    for alpha in [0.0, 1.0, -1.0, f64::NAN] {
        assert_eq!(stats::paired_t(&good, alpha).is_none(), alpha != 1.0);
        assert_eq!(stats::cohen_dz(&good, alpha), None);
        assert_eq!(stats::bootstrap_bca(&good, alpha, 99, seed), None);
        assert_eq!(stats::auc(&good, &[0.0, 1.0], alpha), None);
        assert_eq!(stats::tost_interval(&good, alpha), None);
    }
}
