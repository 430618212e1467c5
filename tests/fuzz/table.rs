//! The table of whole runs.

use std::{collections::BTreeMap, env, fmt::Write, fs, path::Path};

use crate::run;
use crate::targets;

/// Executions of every target where the environment does not say how many.
const EXECUTIONS: u64 = 1_000_000;

const HEAD: &str = "# Fuzzing

Written by `make fuzz` ([what that is](../tests/fuzz/README.md)); each target's row is that of its last run. An execution may hold
1 GiB and take 10 s of the processor; one that panics, ends the process or exceeds either is a loss. Seconds are those of a clock, on
a machine that may have had other work.

| target | reads | executions | seconds | losses | slowest, s | most memory, MiB |
|---|---|--:|--:|--:|--:|--:|
";

/// Runs every target, or those that the environment's `ONLY` names, and replaces their rows of `results/fuzz.md`.
pub(crate) fn whole() {
    let executions = run::executions().unwrap_or(EXECUTIONS);
    let chosen = chosen(&env::var("ONLY").unwrap_or_default());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("results/fuzz.md");
    let mut lost = Vec::new();
    for name in chosen {
        let target = targets::of(name);
        let outcome = run::run(&target, executions, run::TIME_LIMIT);
        let row = format!(
            "| {name} | {} | {} | {:.0} | {} | {:.2} | {:.1} |",
            target.reads,
            outcome.executions,
            outcome.elapsed.as_secs_f64(),
            outcome.found.len(),
            outcome.slowest.as_secs_f64(),
            outcome.memory as f64 / f64::from(1 << 20),
        );
        eprintln!("{row}");
        // After each target: a run of hours may be ended in the middle.
        fs::write(&file, with_row(&fs::read_to_string(&file).unwrap_or_default(), name, &row)).unwrap();
        lost.extend(outcome.found.iter().map(|one| format!("{}: {}", one.file.display(), one.how)));
    }
    assert!(lost.is_empty(), "not survived:\n{}", lost.join("\n"));
}

/// The targets that a list names, in the order of the list; all of them where it is empty.
fn chosen(list: &str) -> Vec<&'static str> {
    let all: Vec<&'static str> = targets::all().iter().map(|target| target.name).collect();
    let named: Vec<&str> = list.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty()).collect();
    let found = |name: &&str| {
        let of = all.iter().find(|one| *one == name);
        *of.unwrap_or_else(|| panic!("ONLY names {name}; there is {}", all.join(", ")))
    };
    if named.is_empty() { all.clone() } else { named.iter().map(found).collect() }
}

/// The table with another row for a target. Rows of targets that are gone are left out.
fn with_row(table: &str, name: &str, row: &str) -> String {
    let row_of =
        |line: &str| line.strip_prefix("| ").and_then(|rest| rest.split(" |").next()).map(str::to_string);
    let mut rows: BTreeMap<String, &str> =
        table.lines().filter_map(|line| Some((row_of(line)?, line))).collect();
    rows.insert(name.to_string(), row);
    let mut text = String::from(HEAD);
    for target in targets::all() {
        if let Some(row) = rows.get(target.name) {
            writeln!(text, "{row}").unwrap();
        }
    }
    text
}

#[test]
fn a_run_of_some_targets_leaves_the_rows_of_the_others() {
    let first = with_row("", "toml", "| toml | x | 5 |");
    let second = with_row(&first, "index", "| index | y | 7 |");
    assert_eq!(second, format!("{HEAD}| index | y | 7 |\n| toml | x | 5 |\n"));
    let third = with_row(&second.replace("| index", "| gone"), "toml", "| toml | x | 6 |");
    assert_eq!(third, format!("{HEAD}| toml | x | 6 |\n"));
}

#[test]
fn a_list_of_targets_is_run_in_its_order() {
    assert_eq!(chosen("toml, index csv"), ["toml", "index", "csv"]);
    assert_eq!(chosen("").len(), targets::all().len());
}
