//! The published claims recomputed from the published rows, and mistakes in the recipes.

use std::path::{Path, PathBuf};

use streamgauge::claims::{Answer, ClaimOutcome, ClaimsError, Outcome, RECIPES, reproduce};
use streamgauge::evidence::published;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/published")
}

fn outcomes() -> Vec<ClaimOutcome> {
    let table = published::import(&folder()).expect("the tables import");
    reproduce(&folder(), &table).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn print() {
    for o in outcomes() {
        println!("{} | {} | {:?} | {} | {} | {:?} | {} | {:?} | {}", o.id, o.outcome, o.printed, o.recomputed.as_ref().map(|a| match a { Answer::Number(n) => n.to_string(), a => a.to_string() }).unwrap_or_default(), o.measures, o.deviations, o.rows, o.protocols, o.note);
    }
}
