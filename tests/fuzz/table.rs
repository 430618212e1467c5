//! The table of a whole run.

use std::{env, fmt::Write, fs, path::Path};

use crate::run;
use crate::targets;

/// Executions of every target where the environment does not say how many.
const EXECUTIONS: u64 = 1_000_000;

/// Runs every target, or the environment's `ONLY`, and writes `results/fuzz.md` from what all runs so far took.
pub(crate) fn whole() {
    let executions = run::executions().unwrap_or(EXECUTIONS);
    let only = env::var("ONLY").ok().filter(|name| !name.is_empty());
    let rows = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz/rows");
    fs::create_dir_all(&rows).unwrap();
    let mut lost = Vec::new();
    for target in targets::all() {
        if only.as_ref().is_some_and(|only| only != target.name) {
            continue;
        }
        let outcome = run::run(&target, executions, run::TIME_LIMIT);
        let row = format!(
            "| {} | {} | {} | {:.0} | {} | {:.2} | {:.0} |\n",
            target.name,
            target.reads,
            outcome.executions,
            outcome.elapsed.as_secs_f64(),
            outcome.found.len(),
            outcome.slowest.as_secs_f64(),
            outcome.memory as f64 / f64::from(1 << 20),
        );
        eprint!("{row}");
        fs::write(rows.join(target.name), row).unwrap();
        lost.extend(outcome.found.iter().map(|one| format!("{}: {}", one.file.display(), one.how)));
    }
    let mut text = String::from(
        "# Fuzzing\n\nWritten by `make fuzz` (see tests/fuzz/README.md). An execution may hold 1 GiB and take 10 s of the \
         processor; one that panics, ends the process or exceeds either is a loss.\n\n\
         | target | reads | executions | seconds | losses | slowest, s | most memory, MiB |\n|---|---|--:|--:|--:|--:|--:|\n",
    );
    for target in targets::all() {
        let row = fs::read_to_string(rows.join(target.name));
        write!(text, "{}", row.unwrap_or_default()).unwrap();
    }
    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("results/fuzz.md"), text).unwrap();
    assert!(lost.is_empty(), "not survived:\n{}", lost.join("\n"));
}
