//! Which faults there are: every call that each command makes undisturbed, in every way a call of its kind goes wrong.

use std::collections::BTreeMap;

use rand::{SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};

use crate::{
    attack,
    commands::{COMMANDS, Command},
    faults::{KINDS, Kind, Way},
    injector::Call,
    world::World,
};

/// One fault at one call of one command.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub command: &'static Command,
    pub kind: &'static Kind,
    /// The file, as [`Call::on`] has it.
    pub on: String,
    /// Number of the call among those of its kind on this file, from 1.
    pub at: usize,
    pub way: Way,
}

/// Of calls of one kind on one file this many are attacked at most: the first, the last and some between.
const ON_A_FILE: usize = 8;

/// All of them, by command, kind, file, way and number.
pub(crate) fn all(world: &World) -> Vec<Point> {
    let mut points = Vec::new();
    for command in &COMMANDS {
        for ((name, on), count) in counted(&attack::calls(world, command)) {
            let kind = KINDS.iter().find(|kind| kind.name == name).unwrap();
            for way in Way::of(kind) {
                let at_of = |at| Point { command, kind, on: on.clone(), at, way };
                points.extend(numbers(count).into_iter().map(at_of));
            }
        }
    }
    points
}

/// How many calls there are of each kind on each file.
pub(crate) fn counted(calls: &[Call]) -> BTreeMap<(String, String), usize> {
    let mut counted = BTreeMap::new();
    for call in calls {
        *counted.entry((call.kind.clone(), call.on())).or_default() += 1;
    }
    counted
}

/// The numbers of those that are attacked of so many.
fn numbers(count: usize) -> Vec<usize> {
    let most = count.min(ON_A_FILE);
    (0..most).map(|n| if most == count { n + 1 } else { n * (count - 1) / (most - 1) + 1 }).collect()
}

/// A sample of this size, the same for the same seed: of every command, kind and way something as far as the size allows.
pub(crate) fn sample(points: Vec<Point>, size: usize, seed: u64) -> Vec<Point> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut strata: BTreeMap<_, Vec<Point>> = BTreeMap::new();
    for point in points {
        strata.entry((point.command.name, point.kind.name, point.way)).or_default().push(point);
    }
    let mut strata: Vec<Vec<Point>> = strata.into_values().collect();
    strata.iter_mut().for_each(|stratum| stratum.shuffle(&mut random));
    strata.shuffle(&mut random);
    let mut chosen = Vec::new();
    while chosen.len() < size && strata.iter().any(|stratum| !stratum.is_empty()) {
        chosen.extend(strata.iter_mut().filter_map(Vec::pop));
    }
    chosen.truncate(size);
    chosen
}
