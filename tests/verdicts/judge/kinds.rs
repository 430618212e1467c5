//! Each kind of test on a case whose answer is known.

use number::{evidence::Measurement, metric::Metric};
use study::judge::{
    kinds::Test,
    outcome::{PredictionOutcome, Verdict},
};

use super::table::{BOTH, DOWN, LAST, Table, UP, hypothesis, judged, measured, noted, published, statistic};

/// Gain follows entropy only through the category: within each it falls.
fn confounded(model: &str, table: Table) -> Table {
    confounded_in(4, model, table)
}

/// With so many prompts of each category.
fn confounded_in(prompts: u32, model: &str, table: Table) -> Table {
    (0..3 * prompts).fold(table, |table, i| {
        let (category, step) = (i / prompts, f64::from(i % prompts));
        let entropy = f64::from(category) * 10.0 + step;
        let gain = 1.0 + f64::from(category) - 0.1 * step + 0.03 * f64::from(i * 5 % 7);
        let name = ["Factual", "Nonsense", "Story"][category as usize];
        let category = |row: &mut Measurement| row.category = Some(name.into());
        table
            .row(model, &format!("p{i:02}"), Metric::OutputEntropy, "last/hf-last", entropy)
            .with(category)
            .row(model, &format!("p{i:02}"), Metric::LastGain, LAST, gain)
            .with(category)
    })
}

#[test]
fn a_correlation_made_by_categories_does_not_survive_within_them() {
    let test = |extra: &str| {
        format!(
            r#"
            [prediction.test]
            kind = "correlation"
            method = "spearman"
            unit = "prompt"
            x = {{ metric = "output-entropy" }}
            y = {{ metric = "last-gain" }}
            {extra}
            [prediction.rule]
            supported = [{{ statistic = "low", above = 0.0 }}, {{ statistic = "share-positive-significant", at-least = 0.75 }}]
            contradicted = [{{ statistic = "high", below = 0.0 }}]
            "#
        )
    };
    // Five models on the same prompts are as uncertain as the prompts.
    let models = ["a", "b", "c", "d", "e"].iter();
    let table = models.fold(Table::default(), |table, model| confounded_in(9, model, table));
    let found = published(&hypothesis("", &test("")), &table);
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    assert_eq!(found.primary.estimates.last().unwrap().label, "pooled");
    let found = published(&hypothesis("", &test("within-category = true")), &table);
    assert_eq!(found.verdict, Verdict::Contradicted, "{found:#?}");
    // A control that explains nothing leaves it; one that nobody published makes it untestable.
    let found = published(&hypothesis("", &test("given = [{ metric = \"token-count\" }]")), &table);
    assert_eq!(found.verdict, Verdict::Untestable);
    assert!(found.primary.missing[0].contains("token-count"), "{:?}", found.primary.missing);
}

#[test]
fn models_are_the_units_of_a_correlation_over_models() {
    let test = r#"
        test = { kind = "correlation", method = "spearman", unit = "model", x = { metric = "embedding-norm" }, y = { metric = "last-gain" } }
        [prediction.rule]
        supported = [{ statistic = "rho", at-least = 0.5 }, { statistic = "p", below = 0.05 }]
        negligible = [{ statistic = "high", below = -0.9 }]
    "#;
    let table = |models: u32| {
        (0..models).fold(Table::default(), |table, i| {
            let (model, x) = (format!("m{i}"), f64::from(i));
            table.rows(&model, Metric::EmbeddingNorm, LAST, &[x, x + 0.1]).rows(
                &model,
                Metric::LastGain,
                LAST,
                &[x + f64::from(i * 3 % 5) * 0.1, x],
            )
        })
    };
    let h = hypothesis("", test);
    let found = published(&h, &table(8));
    assert_eq!((found.verdict, statistic(&found.primary, "models")), (Verdict::Supported, Some(8.0)));
    let found = published(&h, &table(4));
    assert_eq!(found.verdict, Verdict::Untestable);
    let why = "the correlation's p-value could not be computed: cannot reach alpha = 0.05 with 4 units";
    assert!(found.primary.because.contains(why), "{}", found.primary.because);
    noted(&found.primary, "cannot reach alpha = 0.05 with 4 units");
    // Two models correlate perfectly whatever they are: no rho is printed for them.
    for few in [2, 3] {
        let found = published(&h, &table(few));
        assert_eq!((found.verdict, statistic(&found.primary, "rho")), (Verdict::Untestable, None));
        assert_eq!(
            found.primary.missing,
            [format!("a correlation over models needs at least 4 lineages, have {few}")]
        );
    }
}

#[test]
fn few_models_that_agree_are_pooled_with_a_wide_interval() {
    let test = r#"
        test = { kind = "correlation", method = "spearman", unit = "prompt", x = { metric = "output-entropy" }, y = { metric = "last-gain" } }
        rule = { supported = [{ statistic = "low", above = 0.0 }] }
    "#;
    let two = confounded("b", confounded("a", Table::default()));
    let found = published(&hypothesis("", test), &two);
    assert_eq!(found.verdict, Verdict::Inconclusive, "{found:#?}");
    assert!(
        statistic(&found.primary, "low").unwrap() < 0.0 && statistic(&found.primary, "p").unwrap() > 0.05
    );
    let six = ["c", "d", "e", "f"].iter().fold(two, |table, model| confounded(model, table));
    assert_eq!(published(&hypothesis("", test), &six).verdict, Verdict::Supported);
    // Models without the second quantity are said once, not one by one.
    let given = test.replace(
        "y = { metric = \"last-gain\" }",
        "y = { metric = \"last-gain\" }, given = [{ metric = \"token-count\" }]",
    );
    noted(
        &published(&hypothesis("", &given), &six).primary,
        "no correlation from 0 prompts: a, b, c, d, e, f",
    );
}

#[test]
fn medians_are_taken_within_models_and_judged_by_the_worst_models_limit() {
    let test = r#"
        rule = { supported = [{ statistic = "median-high", below = 0.01 }], contradicted = [{ statistic = "median-relative-error", at-least = 0.01 }] }
        [prediction.test]
        kind = "identity"
        left = { metric = "last-gain", select = { dtype = "float16" } }
        right = { metric = "last-gain", select = { dtype = "bfloat16" } }
    "#;
    let model = |table: Table, model: &str, cells: usize, error: f64| {
        (0..cells).fold(table, |table, i| {
            let (prompt, error) = (format!("p{i}"), error * (1.0 + 0.01 * i as f64));
            table
                .row(model, &prompt, Metric::LastGain, LAST, 1.0 - error)
                .with(|row| row.dtype = "float16".into())
                .row(model, &prompt, Metric::LastGain, LAST, 1.0)
                .with(|row| row.dtype = "bfloat16".into())
        })
    };
    let h = hypothesis("", test);
    let good = model(Table::default(), "good", 20, 0.002);
    assert_eq!(published(&h, &good).verdict, Verdict::Supported);
    // Pooled over models the median would be 0.002 still.
    let found = published(&h, &model(good.clone(), "bad", 8, 0.02));
    assert_eq!(found.verdict, Verdict::Contradicted, "{found:#?}");
    // Five cells have no limit at this level.
    let found = published(&h, &model(good, "few", 5, 0.002));
    assert_eq!((found.verdict, statistic(&found.primary, "median-high")), (Verdict::Inconclusive, None));
}

#[test]
fn the_llama_case_splits_into_prompt_and_method() {
    let test = r#"
        rule = { supported = [{ statistic = "method-share", above = 0.5 }, { statistic = "method-share-low", above = 0.5 }] }
        [prediction.test]
        kind = "log-ratio-split"
        across-protocols = true
        a = { metric = "last-gain", protocol = "frobenius/last-block", select = { prompt = "capital" } }
        b = { metric = "last-gain", protocol = "mean/hf-last", select = { prompt = "fox" } }
        corner = { metric = "last-gain", protocol = "frobenius/last-block", select = { prompt = "fox" } }
    "#;
    let table = Table::default()
        .row("llama", "capital", Metric::LastGain, "frobenius/last-block", 0.4777)
        .row("llama", "fox", Metric::LastGain, "frobenius/last-block", 0.6086)
        .row("llama", "fox", Metric::LastGain, "mean/hf-last", 1.5332);
    let h = hypothesis("", test);
    let found = published(&h, &table);
    assert_eq!(found.verdict, Verdict::Supported);
    assert!((statistic(&found.primary, "method-share").unwrap() - 0.7923).abs() < 1e-4);
    noted(&found.primary, "one order only");
    assert_eq!(statistic(&found.primary, "orders"), Some(1.0));
    // With the opposite corner known, the lower order counts.
    let table = table.row("llama", "capital", Metric::LastGain, "mean/hf-last", 0.7);
    let found = published(&h, &table);
    assert_eq!(found.verdict, Verdict::Inconclusive);
    assert!(statistic(&found.primary, "method-share-low").unwrap() < 0.5, "{found:#?}");
    assert_eq!(statistic(&found.primary, "orders"), Some(2.0));
}

#[test]
fn a_sink_model_predicts_frobenius_gains_and_where_they_cross_one() {
    let test = r#"
        test = { kind = "sink-fit" }
        rule = { supported = [{ statistic = "r2", at-least = 0.95 }] }
    "#;
    let norm = |b: f64, r: f64, n: f64| (b * b + (n - 1.0) * r * r).sqrt();
    let frobenius = "frobenius/last-block";
    let lengths = [6.0, 26.0, 10.0, 9.0, 11.0];
    let table = lengths.iter().enumerate().fold(Table::default(), |table, (i, &n)| {
        let (prompt, below, above) = (format!("p{i}"), norm(492.9, 58.1, n), norm(163.7, 85.9, n));
        table
            .row("a", &prompt, Metric::TokenCount, "last/hf-last", n)
            .row("a", &prompt, Metric::ResidualNorm, frobenius, below)
            .with(|row| row.layer = Some(3))
            .row("a", &prompt, Metric::ResidualNorm, frobenius, above)
            .with(|row| row.layer = Some(4))
            // After the final norm: filed at the last layer too, but no residual norm.
            .row("a", &prompt, Metric::ResidualNorm, "frobenius/hf-last", 1.0)
            .with(|row| row.layer = Some(4))
            .row("a", &prompt, Metric::LastGain, frobenius, above / below)
    });
    let found = published(&hypothesis("", test), &table);
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    assert!((statistic(&found.primary, "r2").unwrap() - 1.0).abs() < 1e-9);
    let crossing = statistic(&found.primary, "crossing-tokens").unwrap();
    assert!((norm(492.9, 58.1, crossing) - norm(163.7, 85.9, crossing)).abs() < 1e-6, "{crossing}");
}

#[test]
fn an_identity_holds_cell_by_cell_at_a_layer_counted_from_the_last() {
    let test = r#"
        rule = { supported = [{ statistic = "worst-relative-error", below = 1e-5 }], contradicted = [{ statistic = "worst-relative-error", at-least = 1e-5 }] }
        [prediction.test]
        kind = "identity"
        across-protocols = true
        left = { metric = "last-gain", protocol = "last/hf-penultimate" }
        right = { metric = "layer-gain", protocol = "last/last-block", select = { layers-before-last = 1 } }
    "#;
    let layer = |l| move |row: &mut Measurement| row.layer = Some(l);
    let table = |layer3| {
        Table::default()
            .row("a", "p", Metric::LastGain, "last/hf-penultimate", 1.13)
            .row("a", "p", Metric::LayerGain, LAST, layer3)
            .with(layer(3))
            .row("a", "p", Metric::LayerGain, LAST, 1.06)
            .with(layer(4))
    };
    let h = hypothesis("", test);
    assert_eq!(published(&h, &table(1.13)).verdict, Verdict::Supported);
    assert_eq!(published(&h, &table(1.14)).verdict, Verdict::Contradicted);
    // Measured here, both sides come from one observation: that they agree to the last bit is no evidence.
    let same = measured(&h, &table(1.13));
    assert_eq!(same.verdict, Verdict::Untestable);
    assert!(same.primary.missing[0].contains("same number to the last bit in all 1 cells"), "{same:#?}");
    assert_eq!(measured(&h, &table(1.13 + 1e-9)).verdict, Verdict::Supported);
}

#[test]
fn sign_flips_count_lineages_that_are_clear_of_one_on_both_sides_on_the_same_prompts() {
    let tap = "last/hf-last";
    let test = |more: &str| {
        let head = r#"kind = "sign-flip", metric = "last-gain", protocols = ["last/hf-last", "last/last-block"], across-protocols = true"#;
        format!("{head}{more}")
    };
    let rule = r#"supported = [{ statistic = "flipping", at-least = 1 }], contradicted = [{ statistic = "high", below = 0.1 }]"#;
    let of = |model: &str, protocol: &str, values: &[f64]| -> Table {
        Table::default().rows(model, Metric::LastGain, protocol, values)
    };
    let both = |model: &str, a: &[f64], b: &[f64]| of(model, tap, a).rows(model, Metric::LastGain, LAST, b);
    let flips = judged("", &test(""), rule, &both("flips", &DOWN, &UP));
    assert_eq!(flips.verdict, Verdict::Supported, "{flips:#?}");
    let value = |found: &PredictionOutcome, name| statistic(&found.primary, name);
    assert_eq!((value(&flips, "cells"), value(&flips, "cells-flipping")), (Some(6.0), Some(6.0)));
    let stays = judged("", &test(""), rule, &both("stays", &UP, &UP));
    assert_eq!((value(&stays, "flipping"), value(&stays, "staying")), (Some(0.0), Some(1.0)));
    // A mean on the other side is no flip while its interval holds 1, and leaves the lineage open.
    let open = judged("", &test(""), rule, &both("open", &BOTH, &DOWN));
    assert_eq!((value(&open, "flipping"), value(&open, "staying")), (Some(0.0), Some(0.0)));
    assert_eq!(value(&open, "high"), Some(1.0), "it may flip");
    noted(&open.primary, "the prompts leave open whether these change side: open");
    // Sides nearer than the smallest effect of interest are none.
    let wide = judged("", &test(", size = 1.0"), rule, &both("flips", &DOWN, &UP));
    assert_eq!((value(&wide, "flipping"), value(&wide, "cells-flipping")), (Some(0.0), Some(0.0)));
    assert_eq!(value(&wide, "staying"), Some(1.0));
    // One prompt is one forward pass: an exact flip, and no interval.
    let one = judged("", &test(""), rule, &both("one", &[0.4], &[1.1]));
    assert_eq!((value(&one, "flipping"), value(&one, "cells-flipping")), (Some(0.0), Some(1.0)));
    // On prompts of their own two protocols share no forward pass, but a model may have a class under each.
    let apart = UP.iter().enumerate().fold(of("apart", tap, &DOWN), |table, (i, &v)| {
        table.row("apart", &format!("q{i}"), Metric::LastGain, LAST, v)
    });
    assert_eq!(judged("", &test(""), rule, &apart).verdict, Verdict::Untestable);
    let own = judged("", &test(", own-prompts = true"), rule, &apart);
    assert_eq!((own.verdict, value(&own, "cells")), (Verdict::Supported, Some(0.0)));
    // A third protocol that a model lacks does not take it out.
    let three = test("").replace("\"last/last-block\"", "\"last/last-block\", \"last/hf-penultimate\"");
    assert_eq!(judged("", &three, rule, &both("flips", &DOWN, &UP)).verdict, Verdict::Supported);
}

#[test]
fn every_kind_of_test_offers_the_statistics_it_promises() {
    let gain = r#"{ metric = "last-gain" }"#;
    let entropy = r#"{ metric = "output-entropy" }"#;
    let kinds = [
        format!(r#"kind = "mean-by-model", of = {gain}"#),
        format!(r#"kind = "share-of-models", of = {gain}"#),
        format!(r#"kind = "correlation", method = "pearson", unit = "prompt", x = {entropy}, y = {gain}"#),
        format!(r#"kind = "correlation", method = "pearson", unit = "model", x = {entropy}, y = {gain}"#),
        format!(r#"kind = "categories", of = {gain}"#),
        format!(r#"kind = "lowest-category", of = {gain}, category = "Factual""#),
        format!(r#"kind = "ratio", numerator = {entropy}, denominator = {gain}"#),
        format!(r#"kind = "identity", left = {entropy}, right = {gain}"#),
        format!(r#"kind = "proportional", x = {entropy}, y = {gain}"#),
        r#"kind = "sign-flip", metric = "last-gain", protocols = ["last/last-block", "last/last-block"]"#
            .to_string(),
    ];
    let table = confounded("a", confounded("b", Table::default()));
    for kind in kinds {
        let h = hypothesis("", &format!("test = {{ {kind} }}\nrule = {{ supported = [] }}"));
        let found = published(&h, &table).primary;
        let small = kind.contains("unit = \"model\"");
        assert_eq!(found.missing.is_empty(), !small, "{kind}: {:?}", found.missing);
        let names: Vec<&str> = found.statistics.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, h.predictions[0].test.statistics(), "{kind}");
        // What units of the other kind or a band that is not given would tell.
        let optional = |name: &str| {
            let given = ["share-", "bootstrap-", "loo-", "inside", "single", "linear-"];
            let given = given.iter().any(|start| name.starts_with(start));
            let test = &h.predictions[0].test;
            given && matches!(test, Test::Correlation { .. } | Test::Ratio { .. } | Test::Proportional { .. })
        };
        for s in &found.statistics {
            // Two models are too few for a correlation over models.
            let small = ["p", "low", "high"].contains(&s.name.as_str()) || kind.contains("unit = \"model\"");
            assert!(s.value.is_some() || small || optional(&s.name), "{kind}: {} has no value", s.name);
        }
    }
}

#[test]
fn categories_differ_where_they_were_made_to_and_the_lowest_is_found() {
    let table = confounded("a", confounded("b", Table::default()));
    let of = |test: &str| {
        let found =
            published(&hypothesis("", &format!("test = {test}\nrule = {{ supported = [] }}")), &table);
        found.primary
    };
    let found = of(r#"{ kind = "categories", of = { metric = "last-gain" } }"#);
    assert_eq!(statistic(&found, "share-significant"), Some(1.0));
    assert!(
        found.estimates.iter().all(|e| (0.5..=1.0).contains(&e.value.unwrap())),
        "{:#?}",
        found.estimates
    );
    noted(&found, "epsilon squared = Kruskal-Wallis H / (n - 1)");
    let found = of(r#"{ kind = "lowest-category", of = { metric = "last-gain" }, category = "Factual" }"#);
    assert_eq!(statistic(&found, "share"), Some(1.0));
    let found = of(r#"{ kind = "lowest-category", of = { metric = "last-gain" }, category = "Story" }"#);
    assert_eq!(statistic(&found, "share"), Some(0.0));
    let without = r#"{ kind = "categories", of = { metric = "last-gain", select = { without-categories = ["Nonsense"] } } }"#;
    assert_eq!(of(without).estimates[0].n, 8);
}

#[test]
fn ratios_that_are_not_all_positive_have_no_geometric_mean_and_lie_in_no_band() {
    let test = r#"kind = "ratio", band = [0.5, 2.0], numerator = { metric = "last-gain", scale = "log" },
        denominator = { metric = "cumulative-gain" }"#;
    let rule = r#"supported = [{ statistic = "inside", at-least = 1 }], contradicted = [{ statistic = "inside", below = 1 }]"#;
    let table = ["a", "b"].iter().zip([0.5, 2.0]).fold(Table::default(), |table, (model, gain)| {
        table.row(model, "p", Metric::LastGain, LAST, gain).row(model, "p", Metric::CumulativeGain, LAST, 1.0)
    });
    let found = judged("", test, rule, &table);
    assert_eq!((found.verdict, statistic(&found.primary, "inside")), (Verdict::Untestable, None));
}
