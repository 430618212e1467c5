//! Lineages are the units of inference over models: relatives of one base count once, in every kind of test.

use std::path::Path;

use base::hash::Key;
use number::evidence::{Evidence, EvidenceTable, Tables};
use serde_json::Value;
use study::{
    judge::{
        hypothesis::{Hypothesis, Multiverse},
        judge,
        outcome::{Curve, HypothesisOutcome, Kinship, Statistic},
    },
    published,
};

use crate::judge::table::hypothesis;
use crate::stored::{CLOSED_FORM, close, goldens};

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn tables() -> EvidenceTable {
    published::import(&repository().join("data/published")).expect("the shipped tables import")
}

fn shipped() -> Vec<Hypothesis> {
    let folder = repository().join("experiments/hypotheses");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()).collect()
}

fn judged(hypothesis: &Hypothesis, table: &EvidenceTable) -> HypothesisOutcome {
    let none = EvidenceTable::default();
    judge(hypothesis, Key::of_bytes(b"h"), Tables { published: table, measured: &none, rehearsal: &none }, 7)
}

/// Every model beside a copy of it that says it was made from it.
fn with_copies(mut table: EvidenceTable) -> EvidenceTable {
    let copy = |id: &str| format!("{id}-copy");
    for mut model in table.models.clone() {
        model.facts.base = Some(model.id.clone());
        model.facts.change = Some("copy".into());
        model.id = copy(&model.id);
        table.models.push(model);
    }
    for mut row in table.rows.clone() {
        row.model = copy(&row.model).into();
        table.rows.push(row);
    }
    table.rows.sort_by(|a, b| (&a.model, a.metric as usize).cmp(&(&b.model, b.metric as usize)));
    table
}

/// Counts of models, and what Holm over more models can change.
const COUNTS: [&str; 11] = [
    "models",
    "models-above",
    "models-below",
    "cells",
    "cells-flipping",
    "share-significant",
    "share-positive-significant",
    "share-negative-significant",
    "share-above-significant",
    "smallest-high",
    "largest-low",
];

#[test]
fn copies_of_models_change_no_inference() {
    let (alone, copied) = (tables(), with_copies(tables()));
    let mut compared = 0;
    for mut hypothesis in shipped() {
        // What varies beside the primary specification is varied alike.
        hypothesis.multiverse = Some(Multiverse { dimensions: Vec::new(), relations: Vec::new() });
        let (left, right) = (judged(&hypothesis, &alone), judged(&hypothesis, &copied));
        for (a, b) in left.predictions.iter().zip(&right.predictions) {
            if a.evidence != Evidence::Published {
                continue;
            }
            let same = |(x, y): (&Statistic, &Statistic)| {
                let near = |x: f64, y: f64| (x - y).abs() <= 1e-9 * x.abs().max(1.0);
                let equal = match (x.value, y.value) {
                    (Some(x), Some(y)) => near(x, y),
                    (x, y) => x == y,
                };
                assert!(
                    equal || COUNTS.contains(&&x.name[..]),
                    "{} {}: {:?}, with copies {:?}\n{:#?}\n{:#?}",
                    a.id,
                    x.name,
                    x.value,
                    y.value,
                    a.primary.notes,
                    b.primary.notes
                );
                compared += 1;
            };
            a.primary.statistics.iter().zip(&b.primary.statistics).for_each(same);
            // Names of rules are no words for a reader.
            let names = a.primary.statistics.iter().map(|statistic| &statistic.name[..]);
            for name in names.filter(|name| name.contains('-')) {
                assert!(
                    a.primary.notes.iter().all(|note| !note.contains(name)),
                    "{}: {:?}",
                    a.id,
                    a.primary.notes
                );
            }
            assert_eq!(
                a.primary.verdict, b.primary.verdict,
                "{}: {} / {}",
                a.id, a.primary.because, b.primary.because
            );
        }
        // Of a claim about every model the models are counted.
        let of_units =
            |curve: &Curve| curve.evidence == Evidence::Published && !curve.effect.ends_with("of a model");
        for (a, b) in left.curves.iter().zip(&right.curves).filter(|(a, _)| of_units(a)) {
            let near = |x: Option<f64>, y: Option<f64>| match (x, y) {
                (Some(x), Some(y)) => (x - y).abs() < 1e-9,
                (x, y) => x == y,
            };
            assert!(
                near(a.joint_p_median, b.joint_p_median),
                "{}: {:?}\n{:?}",
                a.prediction,
                a.notes,
                b.notes
            );
            let n = |c: &Curve| c.specifications.iter().map(|s| s.n).collect::<Vec<_>>();
            assert_eq!(n(a), n(b), "{}", a.prediction);
        }
    }
    assert!(compared > 200, "{compared}");
}

/// One prediction on the published tables, and what SciPy says of it.
fn found(prediction: &str) -> HypothesisOutcome {
    judged(&hypothesis("", prediction), &tables())
}

#[test]
fn p_over_published_models_count_lineages() {
    let stored = goldens("units.json");
    let stored: &Value = &stored["lineages"];
    let mean = |models: &str| {
        found(&format!(
            r#"
            {models}
            test = {{ kind = "mean-by-model", of = {{ metric = "last-gain", scale = "log" }} }}
            rule = {{ supported = [{{ statistic = "pooled", above = 0.0 }}] }}
            "#
        ))
    };
    let primary = |outcome: &HypothesisOutcome| {
        let curve = &outcome.curves[0];
        curve.specifications.iter().find(|s| s.relation == Kinship::Primary).unwrap().clone()
    };
    let every = primary(&mean(""));
    assert_eq!(every.n, stored["every"]["n"].as_u64().unwrap());
    close(every.effect.unwrap(), &stored["every"]["mean"], CLOSED_FORM, stored);
    close(every.p.unwrap(), &stored["every"]["p"], CLOSED_FORM, stored);
    let rms = mean("models = { where = [{ fact = \"norm\", is = \"rmsnorm\" }] }");
    let (outcome, rms) = (&rms.predictions[0].primary, primary(&rms));
    assert_eq!((rms.n, rms.p), (3, None), "the smallest p of three units is .25: out of reach");
    close(rms.effect.unwrap(), &stored["rmsnorm"]["mean"], CLOSED_FORM, stored);
    let words = "units: 3 lineages of 3 families: gemma (gemma-7b = gemma-7b + gemma-7b-it); llama (llama-3.1-8b = llama-3.1-8b + \
                 llama-3.1-8b-instruct); mistral (mistral-7b-v0.1 = mistral-7b-instruct-v0.2 + mistral-7b-v0.1)";
    assert!(outcome.notes.iter().any(|note| note == words), "{:#?}", outcome.notes);
    let groups = found(
        r#"
        test = { kind = "groups", of = { metric = "last-gain", scale = "log" }, by = { fact = "norm", is = "rmsnorm" } }
        rule = { supported = [{ statistic = "p", below = 0.05 }] }
        "#,
    );
    let p = groups.predictions[0].primary.statistics.iter().find(|s| s.name == "p").unwrap();
    close(p.value.unwrap(), &stored["groups"]["p"], CLOSED_FORM, stored);
}

#[test]
fn what_a_prediction_needs_are_lineages_and_families() {
    let needs = |needs: &str| {
        let outcome = found(&format!(
            r#"
            needs = {{ {needs} }}
            test = {{ kind = "share-of-models", of = {{ metric = "last-gain", scale = "log" }} }}
            rule = {{ supported = [{{ statistic = "p", below = 0.05 }}] }}
            "#
        ));
        outcome.predictions[0].primary.missing.join("; ")
    };
    assert_eq!(needs("models = 8, families = 6"), "");
    let missing = needs("models = 9");
    assert!(missing.starts_with("needs 9 lineages of models, have 8 (gemma-7b, gpt-j-6b"), "{missing}");
    let missing = needs("families = 7");
    assert!(missing.starts_with("needs 7 families of models, have 6 (gemma, gpt2"), "{missing}");
}
