//! Spectra of several prompts, against the covariance in float64 (`scripts/reference/make_spectra.py`).

use std::{collections::BTreeMap, fs};

use crate::goldens::{golden, run};
use base::progress::Silent;
use engine::{
    run::{Graphs, ObserveOptions, Runtime, observe_with},
    spectra::add_layer,
};
use model::{arch::Recipe, checkpoint::Checkpoint};
use number::{
    observation::Extra,
    spectra::{Spectra, Spectrum},
};
use serde::Deserialize;

const TOLERANCE: f64 = 1e-5;

#[derive(Deserialize)]
struct Expected {
    prompts: Vec<Vec<u32>>,
    /// Per layer anisotropy, effective rank, mean cosine.
    all: Vec<[f64; 3]>,
    without_first: Vec<[f64; 3]>,
}

fn expected() -> BTreeMap<String, Expected> {
    serde_json::from_str(&fs::read_to_string(golden("spectra.json")).unwrap()).unwrap()
}

#[test]
fn spectra_of_prompts_that_begin_alike_are_those_of_their_covariance() {
    for (case, expected) in &expected() {
        let checkpoint = Checkpoint::open(&golden(case)).unwrap();
        let recipe = Recipe::read(checkpoint.config()).unwrap();
        let (graphs, runtime) = (Graphs::build(&recipe).unwrap(), Runtime::load(None).unwrap());
        let (mut found, mut seen) = (Spectra::default(), Vec::new());
        let mut observer = |layer: usize, streams: &[&[f32]]| {
            seen.push(layer);
            add_layer(&mut found, streams, recipe.width());
        };
        let observations = observe_with(
            &runtime,
            &recipe,
            &graphs,
            &checkpoint,
            &expected.prompts,
            ObserveOptions { extras: &Extra::ALL.iter().copied().collect(), observer: Some(&mut observer) },
            &Silent,
        )
        .unwrap();
        assert_eq!(seen, (0..=recipe.blocks()).collect::<Vec<_>>());
        // Watching changes nothing.
        assert_eq!(observations, run(&golden(case), &expected.prompts).unwrap());
        for (found, expected) in
            [(&found.all, &expected.all), (&found.without_first, &expected.without_first)]
        {
            assert_eq!(found.len(), expected.len());
            for (layer, (found, expected)) in found.iter().zip(expected).enumerate() {
                let Spectrum { anisotropy, effective_rank, mean_cosine } = *found;
                for (found, expected) in [anisotropy, effective_rank, mean_cosine].into_iter().zip(expected) {
                    let error = (found.unwrap() / expected - 1.0).abs();
                    assert!(error <= TOLERANCE, "{case} layer {layer}: {found:?}, expected {expected}");
                }
            }
        }
    }
}
