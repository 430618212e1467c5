//! Evidence that is lost between planning and judging: an experiment run in this process, whose store is disturbed meanwhile.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::sandbox::Sandbox;
use app::pipeline::{self, PipelineError, Places};
use app::store::StoreError;
use base::device::{Device, Wanted};
use base::progress::Progress;

const RUN: &[&str] = &["run", "--json", "--quiet"];
const STORE: &str = "results/store";

/// Does something to the store when the first hypothesis is about to be judged: nothing was read until then.
struct Disturbing<F: Fn()> {
    disturb: F,
    done: AtomicBool,
}

impl<F: Fn() + Sync> Progress for Disturbing<F> {
    fn start(&self, what: &str, _: u64) {
        if what.starts_with("judge ") && !self.done.swap(true, Ordering::Relaxed) {
            (self.disturb)();
        }
    }
    fn advance(&self, _: u64) {}
    fn finish(&self) {}
    fn note(&self, _: &str) {}
}

/// Runs the sandbox's experiment, whose store is disturbed before judging; gives how many observations were made.
fn run(sandbox: &Sandbox, disturb: impl Fn() + Sync) -> Result<usize, PipelineError> {
    let loaded = study::config::load(&sandbox.path("experiments/reproduce.toml")).unwrap();
    let (store, results) = (sandbox.path(STORE), sandbox.path("results"));
    let places = Places { store, results, device: Wanted::This(Device::Cpu), memory: None };
    let progress = Disturbing { disturb, done: AtomicBool::new(false) };
    let summary = pipeline::run(&loaded, &places, true, &progress);
    assert!(progress.done.into_inner(), "nothing was judged");
    Ok(summary?.done.count("observe"))
}

/// The objects of observations (`parquet`) or of everything else (`blob`).
fn objects(sandbox: &Sandbox, kind: &str) -> Vec<PathBuf> {
    let all = sandbox.files(&format!("{STORE}/objects")).into_keys().filter(|name| name.ends_with(kind));
    all.map(|name| sandbox.path(STORE).join("objects").join(name)).collect()
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::remove_file(path).unwrap(); // objects are read-only
    fs::write(path, bytes).unwrap();
}

fn results(sandbox: &Sandbox) -> Vec<(String, Vec<u8>)> {
    let store = |name: &str| name.starts_with("store/");
    sandbox.files("results").into_iter().filter(|(name, _)| !store(name)).collect()
}

#[test]
fn wrong_bytes_that_are_found_when_judging_are_computed_again_and_change_no_verdict() {
    let undisturbed = Sandbox::new();
    let all = run(&undisturbed, || ()).unwrap();
    let sandbox = Sandbox::new();
    // One object of observations, and all small ones: weighings, spectra and graphs.
    let made = run(&sandbox, || {
        objects(&sandbox, "parquet")
            .iter()
            .take(1)
            .chain(&objects(&sandbox, "blob"))
            .for_each(|path| flip(path));
    });
    let made = made.unwrap();
    assert!(made > all, "{made} observations, undisturbed {all}");
    assert!(results(&sandbox) == results(&undisturbed), "results differ");
    assert!(!sandbox.files(&format!("{STORE}/quarantine")).is_empty());
    sandbox.expect(0, RUN); // makes the graphs again, which nothing reads
    let (text, _) = sandbox.expect(0, &["run", "--quiet"]);
    assert!(text.contains("nothing to do"), "{text}");
    assert!(results(&sandbox) == results(&undisturbed), "results differ after a second run");
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_when_judging_ends_the_run_and_the_next_one_gives_the_right_numbers() {
    let undisturbed = Sandbox::new();
    run(&undisturbed, || ()).unwrap();
    let sandbox = Sandbox::new();
    let (object, kept) = (std::sync::OnceLock::new(), sandbox.path("kept"));
    // A link to itself: the system refuses to read it, for the superuser too.
    let disturb = || {
        let path = object.get_or_init(|| objects(&sandbox, "parquet").remove(0));
        fs::rename(path, &kept).unwrap();
        std::os::unix::fs::symlink(path, path).unwrap();
    };
    let error = run(&sandbox, disturb).expect_err("an object could not be read");
    let object = object.get().unwrap();
    assert!(
        matches!(&error, PipelineError::Store(StoreError::Unreadable { path, .. }) if path == object),
        "{error}"
    );
    assert!(!sandbox.path("results/verdicts.json").exists(), "nothing is judged on part of the evidence");
    // While it lasts every command that reads the store says so, and moves nothing.
    for command in [&["run"][..], &["report"], &["explain", "H9"], &["plan"]] {
        let (_, error) = sandbox.expect(6, command);
        let name = object.file_name().unwrap().to_str().unwrap();
        assert!(error.contains(name) && error.contains("cannot be read"), "{error}");
    }
    assert!(sandbox.files(&format!("{STORE}/quarantine")).is_empty());
    fs::remove_file(object).unwrap();
    fs::rename(&kept, object).unwrap();
    sandbox.expect(0, RUN);
    assert!(results(&sandbox) == results(&undisturbed), "results differ");
}

#[test]
fn published_tables_that_change_while_a_run_works_are_not_judged_under_the_old_key() {
    let sandbox = Sandbox::new();
    let table = "data/published/claims.csv";
    let error = run(&sandbox, || sandbox.write(table, &(sandbox.read(table) + "\n")));
    let error = error.expect_err("a table changed");
    assert!(matches!(error, PipelineError::Changed { .. }), "{error}");
}

#[test]
fn a_report_of_what_a_damaged_store_still_holds_says_in_every_form_what_it_lacks() {
    let sandbox = Sandbox::new();
    sandbox.expect(0, RUN);
    let lacks = "These results lack something";
    let whole = sandbox.read("results/report/report.md");
    assert!(!whole.contains(lacks) && !whole.contains("not in the store"), "{whole}");
    flip(&objects(&sandbox, "parquet")[0]);
    let (front, _) = sandbox.expect(0, &["report", "--page", "report"]);
    let (models, _) = sandbox.expect(0, &["report", "--page", "models"]);
    let (markdown, html) =
        (sandbox.read("results/report/report.md"), sandbox.read("results/report/index.html"));
    for text in [&front, &markdown, &html] {
        assert!(text.contains(lacks), "{text}");
    }
    let line = markdown.lines().find(|line| line.contains("not in the store")).unwrap();
    let line = line.strip_prefix("- ").unwrap().split(", so").next().unwrap();
    assert!(line.contains(" observations ") && line.contains("and now damaged or gone"), "{line}");
    let models = models.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(models.contains(line), "{models}");
    assert!(html.contains(line), "{html}");
    // Its words depend on the store alone, not on which command found the damage.
    sandbox.expect(0, &["report"]);
    assert!(sandbox.read("results/report/report.md") == markdown);
    sandbox.expect(0, RUN);
    assert!(sandbox.read("results/report/report.md") == whole);
}
