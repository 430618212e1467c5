//! Runs a target in processes of its own, under limits, and says which inputs it did not survive.
//!
//! A worker notes the number of each input before it executes it. Where the worker dies, or stands still for too long, the
//! number says which input did it: it is made again, written to a file and named, and another worker goes on behind it.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use base::contain::contain;

use crate::input::Source;
use crate::targets::{self, Target};
use crate::{MEMORY, SEED};

/// Bytes that an execution may hold.
const MEMORY_LIMIT: usize = 1 << 30;
/// Seconds of the processor that an execution may take.
pub(crate) const TIME_LIMIT: u64 = 10;
/// Seconds that it may stand still, on a busy machine.
const STILL_LIMIT: u64 = 120;
/// Inputs not survived after which a run ends.
const MOST_FOUND: usize = 20;

/// An input that a target did not survive.
pub(crate) struct Found {
    pub file: PathBuf,
    pub how: String,
}

/// What a run took.
#[derive(Default)]
pub(crate) struct Outcome {
    pub executions: u64,
    pub elapsed: Duration,
    pub slowest: Duration,
    pub memory: usize,
    pub found: Vec<Found>,
}

/// As many executions as fit into a minute for all targets, or as the environment asks for.
pub(crate) fn short(name: &str) {
    let target = targets::of(name);
    let executions = executions().unwrap_or(target.executions);
    let outcome = run(&target, executions, TIME_LIMIT);
    let found: Vec<String> =
        outcome.found.iter().map(|one| format!("{}: {}", one.file.display(), one.how)).collect();
    assert!(found.is_empty(), "{name} does not survive:\n{}", found.join("\n"));
    assert_eq!(outcome.executions, executions);
}

/// `EXECUTIONS` of the environment.
pub(crate) fn executions() -> Option<u64> {
    env::var("EXECUTIONS").ok().map(|text| text.replace('_', "").parse().expect("EXECUTIONS is a number"))
}

/// Executes so many inputs of a target, each of which may take so many seconds of the processor.
pub(crate) fn run(target: &Target, executions: u64, seconds: u64) -> Outcome {
    let folder = scratch();
    let (state, report) = (folder.path().join("state"), folder.path().join("report"));
    let (start, mut outcome, mut from) = (Instant::now(), Outcome::default(), 0);
    while from < executions && outcome.found.len() < MOST_FOUND {
        fs::write(&state, from.to_le_bytes()).unwrap();
        fs::write(&report, "").unwrap();
        let work = folder.path().join("work");
        fs::create_dir_all(&work).unwrap();
        let child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "worker", "--ignored", "--nocapture", "--test-threads=1"])
            .env("FUZZ_TARGET", target.name)
            .env("FUZZ_FROM", from.to_string())
            .env("FUZZ_TO", executions.to_string())
            .env("FUZZ_FOLDER", folder.path())
            .env("POLARS_MAX_THREADS", "1")
            .env("RAYON_NUM_THREADS", "1")
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("said")).unwrap())
            .spawn()
            .unwrap();
        let end = watch(child, &state, seconds);
        let end_of_work = read_report(&report, target, &mut outcome);
        fs::remove_dir_all(&work).unwrap();
        if let Some(number) = end_of_work {
            from = number;
        } else {
            let number = noted(&state);
            let said = fs::read_to_string(folder.path().join("said")).unwrap_or_default();
            let last = said.lines().rev().find(|line| !line.is_empty() && !line.starts_with("note:"));
            let how = format!("{end} ({})", last.unwrap_or_default());
            outcome.found.push(found(target, number, how));
            from = number + 1;
        }
    }
    outcome.executions = from.min(executions);
    outcome.elapsed = start.elapsed();
    outcome
}

/// A folder in memory where there is one: an execution writes files.
fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.unwrap()
}

fn noted(state: &Path) -> u64 {
    fs::read(state).ok().and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?))).unwrap()
}

/// Waits for the end of a worker; ends one that stands still. Says how it ended.
fn watch(mut child: Child, state: &Path, seconds: u64) -> String {
    let (mut number, mut since, mut used) = (noted(state), Instant::now(), processor(&child));
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return format!("it ended with {status}");
        }
        thread::sleep(Duration::from_millis(50));
        if noted(state) != number {
            (number, since, used) = (noted(state), Instant::now(), processor(&child));
            continue;
        }
        let busy = processor(&child).saturating_sub(used);
        if busy >= seconds || since.elapsed().as_secs() >= STILL_LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            return format!("it took more than {seconds} s");
        }
    }
}

/// Seconds of the processor that a process has used; where the system does not tell, those since the program began.
fn processor(child: &Child) -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
    // Times of the process are the 14th and 15th field, in hundredths; its name, in brackets, may hold spaces.
    let times = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().skip(11).take(2));
    let ticks: Option<Vec<u64>> = times.and_then(|times| times.map(|time| time.parse().ok()).collect());
    match ticks {
        Some(ticks) => ticks.iter().sum::<u64>() / 100,
        None => START.get_or_init(Instant::now).elapsed().as_secs(),
    }
}

/// Takes up what a worker reported; gives the number of the next input where it came to its end.
fn read_report(report: &Path, target: &Target, outcome: &mut Outcome) -> Option<u64> {
    let mut finished = None;
    for line in fs::read_to_string(report).unwrap().lines() {
        let (what, rest) = line.split_once(' ').unwrap();
        match what {
            "panic" => {
                let (number, how) = rest.split_once(' ').unwrap();
                outcome.found.push(found(target, number.parse().unwrap(), how.to_string()));
            }
            "slowest" => outcome.slowest = outcome.slowest.max(Duration::from_micros(rest.parse().unwrap())),
            "memory" => outcome.memory = outcome.memory.max(rest.parse().unwrap()),
            _ => finished = rest.parse().ok(),
        }
    }
    finished
}

/// Writes an input that was not survived where it can be looked at.
fn found(target: &Target, number: u64, how: String) -> Found {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz").join(target.name);
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(number.to_string());
    fs::write(&file, Source::of(target).input(SEED, number)).unwrap();
    Found { file, how }
}

/// Executes inputs of the environment's target, in this process.
pub(crate) fn worker() {
    let of = |name: &str| env::var(name).ok();
    let Some(name) = of("FUZZ_TARGET") else { return };
    let (from, to): (u64, u64) =
        (of("FUZZ_FROM").unwrap().parse().unwrap(), of("FUZZ_TO").unwrap().parse().unwrap());
    let folder = PathBuf::from(of("FUZZ_FOLDER").unwrap());
    let target = targets::of(&name);
    let source = Source::of(&target);
    let mut execute = (target.prepare)(&folder.join("work"));
    let mut state = OpenOptions::new().write(true).open(folder.join("state")).unwrap();
    let mut report = OpenOptions::new().append(true).open(folder.join("report")).unwrap();
    let before = MEMORY.allocated();
    MEMORY.set_limit(before + MEMORY_LIMIT).unwrap();
    let mut slowest = Duration::ZERO;
    let mut said = 0;
    for number in from..to {
        let input = source.input(SEED, number);
        state.seek(SeekFrom::Start(0)).unwrap();
        state.write_all(&number.to_le_bytes()).unwrap();
        let start = Instant::now();
        if let Err(panic) = contain(|| execute(&input)) {
            writeln!(report, "panic {number} {panic}").unwrap();
            said += 1;
        }
        slowest = slowest.max(start.elapsed());
        if number % 1000 == 0 || number + 1 == to || said >= MOST_FOUND {
            writeln!(report, "slowest {}", slowest.as_micros()).unwrap();
            writeln!(report, "memory {}", MEMORY.max_allocated().saturating_sub(before)).unwrap();
        }
        if said >= MOST_FOUND || number + 1 == to {
            writeln!(report, "end {}", number + 1).unwrap();
            break;
        }
    }
}
