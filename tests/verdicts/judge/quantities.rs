//! Quantities: facts, combinations, scales, and whom filters take.

use number::metric::Metric;
use study::{judge::outcome::Verdict, stats};

use super::table::{LAST, Table, judged, missing, noted, statistic};

fn table() -> Table {
    let sigma = [8.0, 40.0, 90.0, 500.0, 30.0];
    let gains = [1.6, 0.9, 1.3, 0.5, 1.1];
    sigma.iter().zip(gains).enumerate().fold(Table::default(), |table, (i, (&sigma, gain))| {
        let model = format!("m{i}");
        table
            .rows(&model, Metric::LastGain, LAST, &[gain, gain * 1.1])
            .whole(&model, Metric::UnembeddingSpectralNorm, sigma)
            .facts(&model, |facts| facts.vocabulary = (i != 4).then_some(10_000 * (i as u32 + 1)))
    })
}

fn means(of: &str) -> Vec<(String, f64)> {
    let test = format!(r#"kind = "mean-by-model", of = {of}"#);
    let found = judged("", &test, "supported = []", &table()).primary;
    let models = found.estimates.into_iter().filter(|e| e.label.starts_with('m'));
    models.map(|e| (e.label, e.value.unwrap())).collect()
}

#[test]
fn combined_quantities_are_computed_prompt_by_prompt() {
    let effective = means(r#"{ metric = "unembedding-spectral-norm", times = { metric = "last-gain" } }"#);
    assert_eq!(effective.len(), 5);
    assert!((effective[0].1 - 8.0 * 1.6 * 1.05).abs() < 1e-12);
    let log = means(
        r#"{ metric = "unembedding-spectral-norm", over = { fact = "vocabulary", scale = "sqrt" }, scale = "log" }"#,
    );
    assert_eq!(log.len(), 4, "the vocabulary of m4 is not known");
    assert!((log[1].1 - (40.0 / 20_000_f64.sqrt()).ln()).abs() < 1e-12);
    let own = means(r#"{ metric = "last-gain", over = { metric = "last-gain" }, scale = "log" }"#);
    assert!(own.iter().all(|(_, v)| *v == 0.0));
    let distance = means(r#"{ metric = "last-gain", scale = "abs-minus-one" }"#);
    assert!((distance[3].1 - (0.5 + 0.45) / 2.0).abs() < 1e-12, "gains of 0.5 and 0.55");
    let fact = means(r#"{ fact = "vocabulary", scale = "sqrt" }"#);
    assert!((fact[3].1 - 200.0).abs() < 1e-12);
}

#[test]
fn a_fact_is_correlated_like_any_quantity() {
    let test = r#"kind = "correlation", unit = "model", method = "spearman", x = { metric = "unembedding-spectral-norm", over = { fact = "vocabulary", scale = "sqrt" }, scale = "log" }, y = { metric = "last-gain", scale = "log" }"#;
    let rule = r#"supported = [{ statistic = "rho", at-most = -0.5 }], contradicted = [{ statistic = "low", above = -0.2 }]"#;
    let found = judged("", test, rule, &table());
    assert_eq!(found.verdict, Verdict::Supported, "{found:#?}");
    assert_eq!(statistic(&found.primary, "models"), Some(4.0));
    noted(&found.primary, "vocabulary is not known of m4");
    noted(&found.primary, "cannot reach alpha = 0.05 with 4 units");
    let needy = judged("needs = { models = 12 }", test, rule, &table());
    assert_eq!(missing(&needy), "needs 12 lineages of models, have 4 (m0, m1, m2, m3)");
    let nobody = test.replace("vocabulary", "rope_theta");
    assert!(missing(&judged("", &nobody, rule, &table())).contains("the rope_theta of any model"));
}

#[test]
fn correlations_over_models_are_told_again_without_each_family_and_within_families() {
    // Between families x and y rise together, within each they fall.
    let table = (0..9).fold(Table::default(), |table, i| {
        let (family, step) = (f64::from(i / 3), f64::from(i % 3));
        let model = format!("m{i}");
        table
            .rows(&model, Metric::EmbeddingNorm, LAST, &[family * 10.0 + step])
            .rows(&model, Metric::LastGain, LAST, &[family * 10.0 - step])
            .facts(&model, |facts| facts.family = Some(["x", "y", "z"][i as usize / 3].into()))
    });
    let test = |more: &str| {
        format!(
            r#"kind = "correlation", unit = "model", method = "spearman", x = {{ metric = "embedding-norm" }}, y = {{ metric = "last-gain" }}{more}"#
        )
    };
    let rule = r#"supported = [{ statistic = "rho", at-least = 0.5 }], contradicted = [{ statistic = "rho", at-most = -0.5 }]"#;
    let found = judged("", &test(""), rule, &table);
    assert_eq!(found.verdict, Verdict::Supported);
    let value = |name| statistic(&found.primary, name).unwrap();
    assert!(value("loo-lowest") < value("rho") && value("loo-highest") >= value("loo-lowest"));
    assert!(value("bootstrap-low") < value("rho") && value("rho") < value("bootstrap-high"));
    noted(&found.primary, "matters most");
    let found = judged("", &test(", within = \"family\""), rule, &table);
    assert_eq!(found.verdict, Verdict::Contradicted, "{found:#?}");
    assert_eq!(statistic(&found.primary, "absolute-rho"), Some(1.0));
    noted(&found.primary, "within family: lineages less the mean of theirs, 9 of them");
}

#[test]
fn parts_of_one_number_share_their_protocol() {
    let test = r#"kind = "mean-by-model", of = { metric = "last-gain", over = { metric = "last-gain", protocol = "mean/last-block" } }"#;
    let table = table().rows("m0", Metric::LastGain, "mean/last-block", &[1.0]);
    assert!(
        missing(&judged("", test, "supported = []", &table))
            .starts_with("refused: last-gain under last/last-block")
    );
    let across = r#"kind = "ratio", across-protocols = true, numerator = { metric = "last-gain", over = { metric = "last-gain", protocol = "mean/last-block" } }, denominator = { metric = "last-gain" }"#;
    let found = judged("", across, "supported = []", &table).primary;
    assert!(found.missing.is_empty(), "{found:#?}");
    assert_eq!(found.protocols.len(), 2);
}

#[test]
fn a_prediction_narrows_the_models_of_its_hypothesis() {
    let table = table().facts("m1", |facts| facts.norm = Some("layernorm".into()));
    let test = r#"kind = "mean-by-model", of = { metric = "last-gain", scale = "log" }"#;
    let rule = r#"supported = [{ statistic = "models-below", at-least = 1 }]"#;
    let filter = r#"models = { where = [{ fact = "norm", is = "layernorm" }] }"#;
    let found = judged(&format!("{filter}\nneeds = {{ models = 8 }}"), test, rule, &table);
    assert_eq!(missing(&found), "needs 8 lineages of models of norm = layernorm, have 1 (m1)");
}

#[test]
fn means_of_models_are_pooled_with_models_as_units() {
    let found = judged(
        "",
        r#"kind = "mean-by-model", of = { metric = "last-gain", scale = "log" }"#,
        "supported = []",
        &table(),
    );
    let gains = [1.6, 0.9, 1.3, 0.5, 1.1_f64].map(|g| [g.ln(), (g * 1.1).ln()]);
    let effects: Vec<stats::Sampled<usize>> =
        gains.iter().map(|g| stats::Sampled::mean(g.iter().copied().enumerate()).unwrap()).collect();
    let pooled = stats::random_effects(&effects, 0.05).unwrap();
    assert!((statistic(&found.primary, "pooled").unwrap() - pooled.effect).abs() < 1e-9);
    assert!((statistic(&found.primary, "p").unwrap() - pooled.p).abs() < 1e-9);
}

#[test]
fn pairs_of_relatives_are_too_few_orders_to_reach_alpha() {
    // Six models could be rearranged in 720 ways, but within three families of two in 8 only.
    let table = (0..6).fold(Table::default(), |table, m| {
        let (name, gain) = (format!("m{m}"), 1.0 + 0.1 * f64::from(m));
        table
            .row(&name, "p", Metric::LastGain, LAST, gain)
            .row(&name, "p", Metric::CumulativeGain, LAST, gain * gain)
            .facts(&name, |facts| facts.family = Some(["x", "y", "z"][m as usize / 2].into()))
    });
    let test = r#"kind = "correlation", method = "pearson", unit = "model", x = { metric = "last-gain" }, y = { metric = "cumulative-gain" }"#;
    let rule = r#"supported = [{ statistic = "p", below = 0.05 }]"#;
    assert!(statistic(&judged("", test, rule, &table).primary, "p").is_some());
    let within = judged("", &format!("{test}, within = \"family\""), rule, &table).primary;
    assert_eq!(statistic(&within, "p"), None);
    noted(&within, "cannot reach alpha = 0.05 with 6 units (smallest p 0.250)");
}
