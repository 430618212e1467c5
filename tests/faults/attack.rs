//! One fault, what came of it, and what is wrong with that.

use std::{
    collections::BTreeMap,
    fmt, fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    commands::Command,
    injector::{self, Call},
    partly,
    points::{self, Point},
    world::{self, Files, World},
};

/// A process that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a process ended, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    /// Exit code; `None` where a signal or this test ended it.
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub out: String,
    pub err: String,
}

/// What a command does when nothing fails.
pub(crate) struct Undisturbed {
    ending: Ending,
    pub files: Files,
    calls: Vec<Call>,
    /// The same for a second one after it.
    again: Ending,
    files_again: Files,
}

/// A point, how it ended, and all that is wrong with that.
pub(crate) struct Judged {
    pub point: Point,
    pub ending: Ending,
    pub wrong: Vec<String>,
    /// The call that the fault came to.
    hit: Option<Call>,
}

/// All points, on every core; in their order. Each is told of as soon as it is judged.
pub(crate) fn all(world: &World, points: &[Point], told: &(dyn Fn(&Judged) + Sync)) -> Vec<Judged> {
    let next = AtomicUsize::new(0);
    let judged = Mutex::new(BTreeMap::new());
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some((at, point)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    points.get(at).map(|point| (at, point))
                } {
                    let one = judge(world, point);
                    told(&one);
                    judged.lock().unwrap().insert(at, one);
                }
            });
        }
    });
    judged.into_inner().unwrap().into_values().collect()
}

/// The calls that a command makes when nothing fails.
pub(crate) fn calls(world: &World, command: &'static Command) -> Vec<Call> {
    undisturbed(world, command).calls.clone()
}

pub(crate) fn undisturbed(world: &World, command: &'static Command) -> Arc<Undisturbed> {
    if let Some(known) = world.undisturbed.lock().unwrap().get(command.name) {
        return Arc::clone(known);
    }
    let folder = world.scene(command.scene);
    let (ending, calls) = run(world, &folder, command, None);
    assert!(matches!(ending.code, Some(0 | 8)), "{}: {ending:?}", command.name);
    let files = published(&folder);
    let again = plain(world, &folder, command);
    let files_again = published(&folder);
    fs::remove_dir_all(folder).unwrap();

    let folder = world.scene(command.scene);
    let (other, other_calls) = run(world, &folder, command, None);
    let same = (&other.out, other.code) == (&ending.out, ending.code) && published(&folder) == files;
    assert!(same, "{}: two undisturbed ones differ", command.name);
    if let Some(what) = other_calls_of(&calls, &other_calls) {
        panic!("{}: two undisturbed ones differ: {what}", command.name);
    }
    fs::remove_dir_all(folder).unwrap();
    let found = Arc::new(Undisturbed { ending, files, calls, again, files_again });
    world.undisturbed.lock().unwrap().insert(command.name, Arc::clone(&found));
    found
}

fn judge(world: &World, point: &Point) -> Judged {
    let right = undisturbed(world, point.command);
    let folder = world.scene(point.command.scene);
    let before = published(&folder);
    let (ending, hits) = run(world, &folder, point.command, Some(point));
    let mut wrong = Vec::new();
    match hits.is_empty() {
        true => wrong.push("the call never came".to_string()),
        false => wrong.extend(said(point, &ending, &hits, &right)),
    }
    let now = published(&folder);
    wrong.extend(match ending.code {
        Some(1) => partly(world, point.command, &ending, &now, &before).into_iter().collect(),
        _ => lies(&ending, &now, &before, &right),
    });
    wrong.extend(quarantined(&folder));

    wrong.extend(after(world, &folder, point.command, &right));
    fs::remove_dir_all(folder).unwrap();
    Judged { point: point.clone(), ending, wrong, hit: hits.into_iter().next() }
}

/// What is wrong after a second run that nothing disturbs. It depends on what lies there alone, so of points that leave the same
/// behind one is looked at.
fn after(world: &World, folder: &Path, command: &'static Command, right: &Undisturbed) -> Vec<String> {
    let left = (command.name, world::digest(folder));
    if let Some(known) = world.after.lock().unwrap().get(&left) {
        return known.clone();
    }
    let second = plain(world, folder, command);
    let mut wrong: Vec<String> = healed(&second, &published(folder), right).into_iter().collect();
    wrong.extend(quarantined(folder));
    let wrong: Vec<String> = wrong.into_iter().map(|what| format!("after a second run, {what}")).collect();
    world.after.lock().unwrap().insert(left, wrong.clone());
    wrong
}

/// What is wrong with how it ended and what it said.
fn said(point: &Point, ending: &Ending, hits: &[Call], right: &Undisturbed) -> Vec<String> {
    let mut wrong = Vec::new();
    if ending.err.contains("panicked at") {
        wrong.push("it panicked".to_string());
    }
    let code = match (ending.code, ending.signal) {
        (None, Some(9)) if point.way.kills() => return wrong,
        (None, None) => return vec![format!("it was still running after {} s", PATIENCE.as_secs())],
        (None, Some(signal)) => return vec![format!("it died of signal {signal}")],
        (Some(_), _) if point.way.kills() => return vec!["it was not killed".to_string()],
        (Some(code), _) => code,
    };
    if Some(code) == right.ending.code {
        if ending.out != right.ending.out {
            wrong.push(format!("exit code {code} with other output"));
        }
        return wrong;
    }
    if point.way.harmless() {
        wrong.push(format!("exit code {code} for what is no failure"));
    }
    if !point.command.codes.contains(&code) {
        wrong.push(format!("exit code {code}, which says something else"));
    }
    if !named(&ending.err, hits) && !named(&ending.out, hits) {
        wrong.push("no message names the file".to_string());
    }
    wrong
}

/// What is wrong with the files that lie there after the fault.
fn lies(ending: &Ending, now: &Files, before: &Files, right: &Undisturbed) -> Vec<String> {
    let mut wrong = Vec::new();
    if ending.code == right.ending.code {
        wrong.extend(difference(now, &right.files).map(|what| format!("exit code as ever, but {what}")));
        return wrong;
    }
    for (name, bytes) in now.iter().filter(|(name, _)| !temporary(name)) {
        if before.get(name) != Some(bytes) && right.files.get(name) != Some(bytes) {
            wrong.push(format!("{name} is neither as before nor as it should be"));
        }
    }
    let gone = before.keys().filter(|name| right.files.contains_key(*name) && !now.contains_key(*name));
    wrong.extend(gone.map(|name| format!("{name} is gone")));
    wrong
}

/// What is wrong with the files after some models failed and the rest was done.
fn partly(
    world: &World,
    command: &'static Command,
    ending: &Ending,
    now: &Files,
    before: &Files,
) -> Option<String> {
    match partly::failed(ending) {
        Ok(models) if models.is_empty() => Some("exit code 1, and no model is said to have failed".into()),
        Ok(models) => partly::difference(now, before, world, command, &models),
        Err(other) => Some(format!("{other} is said to have failed, which is no model")),
    }
}

/// What is wrong after a second run that nothing disturbed.
fn healed(second: &Ending, now: &Files, right: &Undisturbed) -> Option<String> {
    // A command that says what it did this time says something else when half of it was done before.
    let alike = right.ending.out == right.again.out;
    let is = |ending: &Ending| second.code == ending.code && (!alike || second.out == ending.out);
    if !is(&right.ending) && !is(&right.again) {
        return Some(format!("exit code {:?} or other output ({})", second.code, second.err.trim_end()));
    }
    let first = difference(now, &right.files)?;
    difference(now, &right.files_again).map(|_| first)
}

fn quarantined(folder: &Path) -> Option<String> {
    let entry = fs::read_dir(folder.join("results/store/quarantine")).ok()?.next()?;
    Some(format!("{} is in quarantine", entry.unwrap().file_name().to_string_lossy()))
}

/// The first difference between two folders.
pub(crate) fn difference(found: &Files, right: &Files) -> Option<String> {
    let other = right.iter().find_map(|(name, bytes)| match found.get(name) {
        None => Some(format!("{name} is not there")),
        Some(other) if other != bytes => Some(format!("{name} is another")),
        Some(_) => None,
    });
    other.or_else(|| {
        Some(format!("{} was left behind", found.keys().find(|name| !right.contains_key(*name))?))
    })
}

/// Whether a file has a name that only a file that is being written has, or lies in a folder that is being exchanged.
fn temporary(name: &str) -> bool {
    if ["/accepting", "/accepted"].iter().any(|folder| name.contains(folder)) {
        return true;
    }
    let name = name.rsplit('/').next().unwrap_or_default();
    let endings = [".part", ".tmp", ".incomplete", ".lock"];
    name.starts_with(".format-")
        || name.starts_with(".tmp")
        || endings.iter().any(|ending| name.ends_with(ending))
}

/// Whether a message names a file that the fault came to: by its name, or, where that is one of a file being written, by the
/// name it would have had or by its folder; a socket by the other side.
fn named(message: &str, hits: &[Call]) -> bool {
    hits.iter().any(|hit| {
        let path = Path::new(&hit.path);
        let name = |path: Option<&Path>| Some(path?.file_name()?.to_string_lossy().into_owned());
        let mut names = vec![name(Some(path)).unwrap_or_default()];
        if hit.path == "(socket)" || hit.path.contains("/huggingface/") {
            names = vec!["127.0.0.1".into(), "owner/model".into(), "models--owner--model".into()];
        } else if temporary(&names[0]) {
            let stem = names[0].split('.').next().unwrap_or_default().to_string();
            names = if stem.is_empty() { name(path.parent()).into_iter().collect() } else { vec![stem] };
        } else if hit.path.contains("/store/tmp/") {
            names = vec!["store".into()];
        }
        if hit.path.contains("/results/baseline/") {
            names.push("results/baseline".into()); // its files are exchanged together
        }
        names.iter().any(|name| message.contains(name.as_str()))
    })
}

/// A file to which two undisturbed processes make another number of calls of a kind. A number must stand for the same call each
/// time.
fn other_calls_of(one: &[Call], other: &[Call]) -> Option<String> {
    let (one, other) = (points::counted(one), points::counted(other));
    let at = one.keys().chain(other.keys()).find(|at| one.get(at) != other.get(at))?;
    Some(format!("{at:?}: {:?} and {:?} calls", one.get(at), other.get(at)))
}

/// Everything below a scene that somebody reads: not the store, of which a second run tells whether it is sound.
pub(crate) fn published(folder: &Path) -> Files {
    let mut files = world::files(folder);
    files.retain(|name, _| !name.starts_with("results/store/"));
    files
}

pub(crate) fn plain(world: &World, folder: &Path, command: &Command) -> Ending {
    wait(world.command(folder, command.arguments), world)
}

/// Runs with the injector, and a fault if one is given. Gives back what it noted.
fn run(world: &World, folder: &Path, command: &Command, point: Option<&Point>) -> (Ending, Vec<Call>) {
    let log = world.outside();
    let mut process = world.command(folder, command.arguments);
    world.injector.watch(&mut process, &world.below(), &log);
    if let Some(point) = point {
        world.injector.direct(&mut process, point);
    }
    let ending = wait(process, world);
    let calls = injector::calls(&log);
    fs::remove_file(log).ok();
    (ending, calls)
}

fn wait(mut process: std::process::Command, world: &World) -> Ending {
    let (out, err) = (world.outside(), world.outside());
    let file = |path: &PathBuf| Stdio::from(fs::File::create(path).unwrap());
    let mut child = process.stdout(file(&out)).stderr(file(&err)).spawn().unwrap();
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if start.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            break None;
        }
        thread::sleep(Duration::from_millis(2));
    };
    let text = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        fs::remove_file(path).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ending {
        code: status.and_then(|status| status.code()),
        signal: status.and_then(|status| status.signal()),
        out: text(&out),
        err: text(&err),
    }
}

impl Ending {
    /// Exit code or signal, for the table.
    pub(crate) fn name(&self) -> String {
        match (self.code, self.signal) {
            (Some(code), _) => code.to_string(),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "hung".into(),
        }
    }
}

impl Judged {
    /// Where the fault was and what was wrong, in one line.
    pub(crate) fn place_and_wrong(&self) -> String {
        let Point { command, kind, on, at, way } = &self.point;
        let path = self.hit.as_ref().map_or(on, |hit| &hit.path);
        // The folder of the scene is another each time.
        let path = path
            .split_once("/here/")
            .and_then(|(_, path)| path.split_once('/'))
            .map_or(&**path, |(_, path)| path);
        let place = format!("{}: {} {at} of {path}: {}", command.name, kind.name, way.name());
        format!("{place}: exit {}: {}", self.ending.name(), self.wrong.join("; ").replace(['\n', '\t'], " "))
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self.ending.err.trim_end();
        write!(f, "{}\n    said: {}", self.place_and_wrong(), said.replace('\n', "\n    "))
    }
}
