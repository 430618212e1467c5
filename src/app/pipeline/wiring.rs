//! How the blocks of observed models are wired, for the page that draws them.

use super::subject::Subject;
use model::arch::{NormPlaces, block_gauge};
use number::observation::named;
use results::report::BlockWiring;

/// The blocks of the models, those of one family that are alike once, in the order of the families' names.
pub(super) fn wirings(subjects: &[Subject]) -> Vec<BlockWiring> {
    let mut all: Vec<BlockWiring> = Vec::new();
    for subject in subjects {
        for wiring in of(subject) {
            match all.iter_mut().find(|one| BlockWiring { models: Vec::new(), ..(*one).clone() } == wiring) {
                Some(one) => one.models.push(subject.id.clone()),
                None => all.push(BlockWiring { models: vec![subject.id.clone()], ..wiring }),
            }
        }
    }
    all.sort_by(|one, other| one.family.cmp(&other.family));
    all
}

/// The blocks of one model, those that are alike once.
fn of(subject: &Subject) -> Vec<BlockWiring> {
    let recipe = &subject.recipe;
    let facts = recipe.facts();
    let places = recipe.norm_places();
    let mut all: Vec<BlockWiring> = Vec::new();
    for layer in 0..recipe.blocks() {
        let (branches, gauges) = (recipe.branches(layer), recipe.gauges(layer));
        let given = named(branches).into_iter().filter(|tap| gauges.contains(&block_gauge(tap).as_str()));
        let wiring = BlockWiring {
            family: facts.family.clone().unwrap_or_default(),
            models: Vec::new(),
            branches: branches.iter().map(|branch| branch.to_string()).collect(),
            parallel: facts.residual.as_deref() == Some("parallel"),
            norm_before: matches!(places, NormPlaces::Before | NormPlaces::Around),
            norm_after: matches!(places, NormPlaces::After | NormPlaces::Around),
            norm_on_stream: places == NormPlaces::OnStream,
            experts: recipe.routed(layer).is_some(),
            taps: given.map(|tap| tap.name).collect(),
        };
        if !all.contains(&wiring) {
            all.push(wiring);
        }
    }
    all
}
