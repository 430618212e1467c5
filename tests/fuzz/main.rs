//! Parsers of foreign bytes under inputs by the million: no panic, no hang, no hunger. See README.md beside this file.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod input;
mod mutate;
mod run;
mod table;
mod targets;

use std::alloc::System;

use cap::Cap;

/// Counts what an execution holds, and gives no more than the limit.
#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// The seed of every run: the same inputs on every machine.
const SEED: u64 = 2026;

macro_rules! targets {
    ($($name:ident),+ $(,)?) => {
        $(#[test]
        fn $name() {
            run::short(stringify!($name));
        })+

        #[test]
        fn every_target_is_a_test() {
            let names: Vec<&str> = targets::all().iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),+]);
        }
    };
}
targets!(
    safetensors,
    index,
    config,
    gguf,
    quantised,
    pickled,
    tokenizer,
    sentencepiece,
    onnx,
    toml,
    csv,
    parquet,
    objects,
    records,
    hub
);

/// One process of a run; started by the others.
#[test]
#[ignore = "started by the other tests"]
fn worker() {
    run::worker();
}

/// `make fuzz`: EXECUTIONS of every target (or of those that ONLY names), and a table of what they took.
#[test]
#[ignore = "takes hours"]
fn whole() {
    table::whole();
}

#[test]
fn what_is_not_survived_is_found_and_named() {
    let outcome = run::run(&targets::BAD, 5, 1);
    let found: Vec<(String, &str)> = outcome
        .found
        .iter()
        .map(|one| (String::from_utf8(std::fs::read(&one.file).unwrap()).unwrap(), one.how.as_str()))
        .collect();
    let [(panic, how), (large, memory), (abort, _), (loops, time)] = &found[..] else { panic!("{found:?}") };
    assert_eq!([panic, large, abort, loops], ["panic", "large", "abort", "loops"]);
    assert!(how.contains("as it should"), "{how}");
    assert!(memory.contains("memory allocation of 2147483648 bytes failed"), "{memory}");
    assert!(time.contains("more than 1 s"), "{time}");
    assert_eq!(outcome.executions, 5);
}

/// The inputs that a seed and a number stand for must not depend on the run.
#[test]
fn the_same_number_is_the_same_input() {
    for target in targets::all() {
        let inputs = || {
            let source = input::Source::of(&target);
            (0..40).map(|number| source.input(SEED, number * 7)).collect::<Vec<_>>()
        };
        assert!(inputs() == inputs(), "{}", target.name);
    }
}
