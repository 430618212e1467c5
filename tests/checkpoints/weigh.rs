//! Every golden checkpoint weighed, against transformers probed from outside (`scripts/reference/make_weights.py`).

use std::{collections::BTreeMap, fs};

use crate::goldens::{cases, golden};
use base::progress::Silent;
use engine::weigh::weigh;
use model::{arch::Recipe, checkpoint::Checkpoint};
use serde::Deserialize;

const TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Expected {
    value_squares: Vec<Vec<f64>>,
    spectral: f64,
    frobenius: f64,
    row_mean: f64,
    row_std: f64,
    centred: f64,
    folded: Option<f64>,
    embedding: [f64; 3],
}

#[test]
fn the_weights_of_every_golden_are_what_transformers_does_with_them() {
    let text = fs::read_to_string(golden("weights.json")).unwrap();
    let expected: BTreeMap<String, Expected> = serde_json::from_str(&text).unwrap();
    assert!(expected.keys().eq(&cases()), "every golden has its weights");
    let mut failures = Vec::new();
    for (case, expected) in &expected {
        let checkpoint = Checkpoint::open(&golden(case)).unwrap();
        let recipe = Recipe::read(checkpoint.config()).unwrap();
        let found = weigh(&recipe, &checkpoint, &Silent).unwrap();
        let mut see = |what: &str, found: f64, expected: f64| {
            let error = (found / expected - 1.0).abs();
            if error.is_nan() || error > TOLERANCE {
                failures.push(format!("{case}: {what} {found}; expected {expected}"));
            }
        };
        let head = found.unembedding;
        see("spectral", head.sigma_max, expected.spectral);
        see("frobenius", head.frobenius, expected.frobenius);
        see("row mean", head.row_norms.mean, expected.row_mean);
        see("row std", head.row_norms.std, expected.row_std);
        see("centred", found.centred.sigma_max, expected.centred);
        assert_eq!(found.folded.is_some(), expected.folded.is_some(), "{case}");
        see("folded", found.folded.map_or(1.0, |f| f.sigma_max), expected.folded.unwrap_or(1.0));
        see("embedding spectral", found.embedding.sigma_max, expected.embedding[0]);
        see("embedding frobenius", found.embedding.frobenius, expected.embedding[1]);
        see("embedding row mean", found.embedding.row_norms.mean, expected.embedding[2]);
        let heads = |squares: &[Vec<f64>]| squares.iter().map(Vec::len).collect::<Vec<usize>>();
        assert_eq!(heads(&found.value_squares), heads(&expected.value_squares), "{case}");
        for (layer, (found, expected)) in found.value_squares.iter().zip(&expected.value_squares).enumerate()
        {
            for (head, (found, expected)) in found.iter().zip(expected).enumerate() {
                see(&format!("value weights, layer {layer}, head {head}"), *found, *expected);
            }
        }
    }
    assert!(failures.is_empty(), "beyond {TOLERANCE:e}:\n{}", failures.join("\n"));
}
