//! The program on a machine that fails: at a call of the C library that a preloaded injector chooses, a file or a socket gives
//! an error, does half of what was asked, or the process is killed.
//!
//! A sample with a fixed seed runs with every `cargo test`; `make faults` runs every point and writes `results/faults.md`.
//! What must hold is said in `README.md` here.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod attack;
mod commands;
mod faults;
#[path = "../program/hub/server.rs"]
#[allow(dead_code, reason = "the hub's own tests use all of the server")]
mod hub;
mod injector;
mod points;
mod table;
mod world;

use std::{collections::BTreeSet, fs};

use attack::Judged;
use faults::KINDS;
use world::World;

/// Points of the sample.
const SAMPLE: usize = 200;
/// Kinds of calls that no command makes today.
const UNUSED: [&str; 1] = ["truncate"];
/// Chooses the sample.
const SEED: u64 = 17;

/// Attacks points, of so many that there are, and says of each that went wrong how to see it again.
fn must_hold(points: &[points::Point], all: usize, world: &World) -> Vec<Judged> {
    let judged = attack::all(world, points, &|one| {
        if !one.wrong.is_empty() {
            println!("{one}");
        }
    });
    if let Ok(file) = std::env::var("FAULTS_TABLE") {
        fs::write(file, table::markdown(&judged, all)).unwrap();
    }
    judged
}

fn wrong(judged: &[Judged]) -> usize {
    judged.iter().filter(|one| !one.wrong.is_empty()).count()
}

#[test]
fn a_sample_of_all_faults_ends_as_documented_and_leaves_nothing_wrong() {
    let world = World::new();
    let all = points::all(&world);
    // A call under a name that the injector does not know would never fail.
    let seen: BTreeSet<&str> = all.iter().map(|point| point.kind.name).collect();
    let unseen: Vec<&str> = KINDS.iter().map(|kind| kind.name).filter(|name| !seen.contains(name)).collect();
    assert_eq!(unseen, UNUSED, "kinds of calls that no command makes");
    let there = all.len();
    let judged = must_hold(&points::sample(all, SAMPLE, SEED), there, &world);
    assert_eq!(wrong(&judged), 0, "of {} points; they are listed above", judged.len());
}

/// Every point: of the commands whose names contain `FAULTS_OF`, if it is given, and no more than `FAULTS_SIZE`.
#[test]
#[ignore = "an hour; `make faults` runs it"]
fn every_fault_ends_as_documented_and_leaves_nothing_wrong() {
    let world = World::new();
    let asked = |name: &str| std::env::var(name).ok();
    let mut points = points::all(&world);
    points.retain(|point| asked("FAULTS_OF").is_none_or(|part| point.command.name.contains(&part)));
    let there = points.len();
    if let Some(size) = asked("FAULTS_SIZE").and_then(|size| size.parse().ok()) {
        points = points::sample(points, size, SEED);
    }
    let judged = must_hold(&points, there, &world);
    assert_eq!(wrong(&judged), 0, "of {} points; they are listed above", judged.len());
}
