//! The program seen from inside: what it writes to, which sockets it opens, and how it goes on where the system gives it few
//! threads.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::LazyLock,
};

use crate::sandbox::{Sandbox, project};

/// The shared object made of `watch.c`, which lives as long as the tests. A compiler is there wherever Rust can link.
static WATCH: LazyLock<(tempfile::TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let object = folder.path().join("watch.so");
    let source = project().join("tests/program/watch.c");
    let made = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&object, &source])
        .arg("-ldl")
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (folder, object)
});

const PROMPT: &str = "The capital of France is";

/// A sandbox whose home folder and folder of temporary files are empty, and a command in it that is watched.
fn watched(sandbox: &Sandbox, arguments: &[&str]) -> Command {
    for folder in ["home", "tmp"] {
        fs::create_dir_all(sandbox.path(folder)).unwrap();
    }
    let mut command = sandbox.command(arguments);
    command
        .env("LD_PRELOAD", &WATCH.1)
        .env("WATCH_LOG", sandbox.path("log"))
        .env("HOME", sandbox.path("home"))
        .env("TMPDIR", sandbox.path("tmp"))
        .env_remove("XDG_CACHE_HOME")
        .env_remove("ORT_DISABLE_TELEMETRY");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn done(output: &Output) {
    assert_eq!(
        output.status.code(),
        Some(0),
        "stdout:\n{}\nstderr:\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
}

/// The lines of the log that begin with a word, without it.
fn lines(sandbox: &Sandbox, word: &str) -> Vec<String> {
    let log = sandbox.read("log");
    log.lines().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' ')).map(str::to_string).collect()
}

#[test]
fn a_run_writes_to_store_results_and_its_own_temporary_files_and_opens_no_socket() {
    let sandbox = Sandbox::new();
    for arguments in
        [&["measure", "llama3-tiny", "--prompt", PROMPT, "--store", "results/store"][..], &["run"], &["run"]]
    {
        done(&watched(&sandbox, arguments).output().unwrap());
    }
    let own = ["results", "tmp"].map(|folder| sandbox.path(folder));
    let written = lines(&sandbox, "write");
    let elsewhere: Vec<&String> =
        written.iter().filter(|path| !own.iter().any(|folder| Path::new(path).starts_with(folder))).collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
    assert!(written.iter().any(|path| Path::new(path).starts_with(sandbox.path("results/store"))));
    for folder in ["home", "tmp"] {
        let left: Vec<_> = fs::read_dir(sandbox.path(folder)).unwrap().collect();
        assert!(left.is_empty(), "{folder} holds {left:?}");
    }
    assert_eq!(lines(&sandbox, "socket"), [""; 0]);
    assert_eq!(lines(&sandbox, "resolve"), [""; 0]);
}

#[test]
fn a_socket_is_seen_where_a_hub_is_asked() {
    let sandbox = Sandbox::new();
    let mut command = watched(&sandbox, &["measure", "owner/model", "--prompt", PROMPT]);
    // Nothing listens on port 9 of this machine.
    command.env("HF_HUB_OFFLINE", "0").env("HF_ENDPOINT", "http://127.0.0.1:9");
    assert_eq!(command.output().unwrap().status.code(), Some(7));
    assert!(!lines(&sandbox, "socket").is_empty(), "{}", sandbox.read("log"));
}

#[test]
fn a_run_with_few_threads_says_so_once_and_gives_the_same_bytes() {
    let plenty = Sandbox::new();
    done(&watched(&plenty, &["run"]).output().unwrap());
    for most in ["2", "40"] {
        let sandbox = Sandbox::new();
        let mut command = watched(&sandbox, &["run"]);
        let output = command.env("RAYON_NUM_THREADS", "2000").env("WATCH_THREADS", most).output().unwrap();
        done(&output);
        let said = text(&output.stderr);
        let expected = format!(" threads are wanted and the system gives {most}: going on with ");
        assert_eq!(said.matches(&expected).count(), 1, "{said}");
        assert_eq!(sandbox.read("results/verdicts.json"), plenty.read("results/verdicts.json"), "{most}");
    }
}

#[test]
fn a_run_without_threads_ends_with_what_to_do() {
    let sandbox = Sandbox::new();
    for most in ["0", "1"] {
        let output = watched(&sandbox, &["run"]).env("WATCH_THREADS", most).output().unwrap();
        assert_eq!(output.status.code(), Some(5));
        let said = text(&output.stderr);
        assert!(
            said.starts_with(&format!("error: the system lets this process start {most} threads")),
            "{said}"
        );
        assert!(said.contains("ulimit -u"), "{said}");
    }
    let output =
        watched(&sandbox, &["measure", "llama3-tiny", "--prompt", PROMPT, "--profile", "trace.json"])
            .env("WATCH_THREADS", "2")
            .output()
            .unwrap();
    done(&output);
    assert!(text(&output.stderr).contains("note: no profile is written"), "{}", text(&output.stderr));
}
