//! How the blocks of observed models are wired, for the page that draws them.

use super::subject::Subject;
use model::arch::{NormPlaces, Recipe, block_gauge};
use number::observation::named;
use results::report::BlockWiring;

/// The blocks of the models, those of one family that are alike once, with the models that have them, in the order of the
/// families' names.
pub(super) fn wirings(subjects: &[Subject]) -> Vec<(BlockWiring, Vec<String>)> {
    let mut all: Vec<(BlockWiring, Vec<String>)> = Vec::new();
    for subject in subjects {
        for layer in 0..subject.recipe.blocks() {
            let wiring = of(&subject.recipe, layer);
            match all.iter_mut().find(|(one, _)| *one == wiring) {
                Some((_, models)) if models.last() == Some(&subject.id) => {}
                Some((_, models)) => models.push(subject.id.clone()),
                None => all.push((wiring, vec![subject.id.clone()])),
            }
        }
    }
    all.sort_by(|(one, _), (other, _)| one.family.cmp(&other.family));
    all
}

/// The block of one layer.
fn of(recipe: &Recipe, layer: usize) -> BlockWiring {
    let (facts, places) = (recipe.facts(), recipe.norm_places());
    let (branches, gauges) = (recipe.branches(layer), recipe.gauges(layer));
    let given = named(branches).into_iter().filter(|tap| gauges.contains(&block_gauge(tap).as_str()));
    BlockWiring {
        family: facts.family.unwrap_or_default(),
        branches: branches.iter().map(|branch| branch.to_string()).collect(),
        parallel: facts.residual.as_deref() == Some("parallel"),
        norm_before: matches!(places, NormPlaces::Before | NormPlaces::Around),
        norm_after: matches!(places, NormPlaces::After | NormPlaces::Around),
        norm_on_stream: places == NormPlaces::OnStream,
        experts: recipe.routed(layer).is_some(),
        taps: given.map(|tap| tap.name).collect(),
    }
}
