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
mod partly;
mod points;
mod table;
mod world;

use std::collections::BTreeSet;

use attack::Judged;
use commands::COMMANDS;
use faults::KINDS;
use world::World;

/// Points of the sample.
const SAMPLE: usize = 200;
/// Kinds of calls that no command makes today.
const UNUSED: [&str; 1] = ["truncate"];
/// Chooses the sample.
const SEED: u64 = 17;

/// Attacks points, and says of each that went wrong how to see it again.
fn attack(points: &[points::Point], world: &World) -> Vec<Judged> {
    attack::all(world, points, &|one| {
        if !one.wrong.is_empty() {
            println!("{one}");
        }
    })
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
    let judged = attack(&points::sample(all, SAMPLE, SEED), &world);
    assert_eq!(wrong(&judged), 0, "of {} points; they are listed above", judged.len());
}

/// What a loss of power leaves is no test's to see; that the calls are made, and in the right order, is.
#[test]
fn a_registration_is_on_the_disk_before_it_has_its_name_and_its_name_before_the_command_ends() {
    let world = World::new();
    let command = COMMANDS.iter().find(|command| command.name == "register").unwrap();
    let calls = attack::calls(&world, command);
    let place = |kind: &str, after: usize, fits: &dyn Fn(&str) -> bool| {
        let found = calls.iter().skip(after).position(|call| call.kind == kind && fits(&call.path));
        after + found.unwrap_or_else(|| panic!("no {kind} of it after call {after}: {calls:#?}"))
    };
    let part = |path: &str| path.contains("/results/registered/log.toml.") && path.ends_with(".part");
    let written = place("write", 0, &part);
    let synced = place("sync", written, &part);
    let renamed = place("rename", synced, &|path| path.ends_with("/results/registered/log.toml"));
    place("sync", renamed, &|path| path.ends_with("/results/registered"));
    let made = place("mkdir", 0, &|path| path.ends_with("/results/registered"));
    place("sync", made, &|path| path.ends_with("/results"));
}

/// `make faults`: every point, or of the commands whose names contain the environment's `ONLY`, or no more than `SIZE`; or those of
/// the calls of one kind, `CALL`, on files whose names contain `FILE`, which are no whole command and so do not get into the table.
#[test]
#[ignore = "an hour; `make faults` runs it"]
fn every_fault_ends_as_documented_and_leaves_nothing_wrong() {
    let world = World::new();
    let asked = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let (only, size) = (asked("ONLY"), asked("SIZE").map(|size| size.parse().unwrap()));
    let (call, file) = (asked("CALL"), asked("FILE"));
    let looked_for = |point: &points::Point| {
        call.as_ref().is_none_or(|call| point.kind.name == call)
            && file.as_ref().is_none_or(|file| point.on.contains(file.as_str()))
    };
    let all = points::all(&world);
    let chosen = match size {
        Some(size) => points::sample(all.clone(), size, SEED),
        None => all.clone(),
    };
    let (mut attacked, mut wrongs) = (0, 0);
    for command in &COMMANDS {
        if only.as_ref().is_some_and(|part| !command.name.contains(part)) {
            continue;
        }
        let of = |points: &[points::Point]| -> Vec<points::Point> {
            let mine = |point: &&points::Point| point.command.name == command.name && looked_for(point);
            points.iter().filter(mine).cloned().collect()
        };
        let judged = attack(&of(&chosen), &world);
        println!("{}: {} points, {} wrong", command.name, judged.len(), wrong(&judged));
        if call.is_none() && file.is_none() {
            table::keep(command, &judged, of(&all).len());
        }
        attacked += judged.len();
        wrongs += wrong(&judged);
    }
    assert_eq!(wrongs, 0, "of {attacked} points; they are listed above");
}
