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
    /// Number of the call among those of its kind, from 1.
    pub at: usize,
    pub way: Way,
}

/// Of calls of one kind on one file in a row this many are attacked at most: the first, the last and some between.
const IN_A_ROW: usize = 4;

/// All of them, by command, kind, way and number.
pub(crate) fn all(world: &World) -> Vec<Point> {
    let mut points = Vec::new();
    for command in &COMMANDS {
        let calls = attack::calls(world, command);
        for kind in &KINDS {
            let numbers = numbers(calls.iter().filter(|call| call.kind == kind.name));
            for way in Way::of(kind) {
                points.extend(numbers.iter().map(|&at| Point { command, kind, at, way }));
            }
        }
    }
    points
}

/// The numbers of the calls that are attacked.
fn numbers<'a>(calls: impl Iterator<Item = &'a Call>) -> Vec<usize> {
    let calls: Vec<&Call> = calls.collect();
    let rows = calls.chunk_by(|a, b| a.path == b.path);
    let mut numbers = Vec::new();
    let mut before = 0;
    for row in rows {
        let last = row.len() - 1;
        let mut chosen: Vec<usize> = (0..row.len().min(IN_A_ROW))
            .map(|n| if row.len() <= IN_A_ROW { n } else { n * last / (IN_A_ROW - 1) })
            .collect();
        chosen.dedup();
        numbers.extend(chosen.into_iter().map(|n| before + n + 1));
        before += row.len();
    }
    numbers
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
