//! Files that are not what their names promise: pipes, devices, links that lead in circles, files that change while they are read.

#![cfg(unix)]

use std::{
    fs::{self, File},
    os::unix::fs::{FileExt, symlink},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::sandbox::{Sandbox, copy, project};

const PROMPT: &str = "The capital of France is";

/// The longest that a command of these tests may take.
const MOST: Duration = Duration::from_secs(60);

/// Runs a command that must end by itself, in little memory.
fn ends(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    let mut child = sandbox.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if start.elapsed() > MOST {
            child.kill().unwrap();
            panic!("{arguments:?} did not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

fn refused(sandbox: &Sandbox, code: i32, arguments: &[&str], words: &[&str]) {
    eprintln!("{arguments:?}: {words:?}");
    let output = ends(sandbox, arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{arguments:?}: {word:?} is not in\n{said}");
    }
}

fn pipe(path: &Path) {
    let _ = fs::remove_file(path);
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

fn endless(path: &Path) {
    let _ = fs::remove_file(path);
    symlink("/dev/zero", path).unwrap();
}

#[test]
fn pipes_and_devices_in_place_of_a_models_files_are_refused_by_name() {
    for name in ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"] {
        let sandbox = Sandbox::new();
        copy(&project().join("data/zoo/llama3-tiny"), &sandbox.path("model"));
        let measure = ["measure", "./model", "--prompt", PROMPT];
        let file = sandbox.path("model").join(name);
        pipe(&file);
        refused(&sandbox, 4, &measure, &[name, "expected a regular file, found a pipe"]);
        endless(&file);
        refused(&sandbox, 4, &measure, &[name, "expected a regular file, found a device"]);
    }
}

#[test]
fn a_config_larger_than_a_config_can_be_is_not_read() {
    let sandbox = Sandbox::new();
    copy(&project().join("data/zoo/llama3-tiny"), &sandbox.path("model"));
    File::options().write(true).open(sandbox.path("model/config.json")).unwrap().set_len(1 << 40).unwrap();
    let words = ["config.json", "expected at most 134217728 bytes", "found 1099511627776"];
    refused(&sandbox, 4, &["measure", "./model", "--prompt", PROMPT], &words);
}

#[test]
fn pipes_and_devices_in_place_of_experiment_files_and_tables_are_refused_by_name() {
    let sandbox = Sandbox::new();
    for (name, code) in [
        ("experiments/reproduce.toml", 3),
        ("experiments/models.toml", 3),
        ("experiments/prompts/grand25.toml", 3),
        ("data/published/models.csv", 3),
        ("data/published/recipes.toml", 3),
    ] {
        let (file, kept) = (sandbox.path(name), sandbox.path("kept"));
        fs::rename(&file, &kept).unwrap();
        for (hostile, found) in [(pipe as fn(&Path), "a pipe"), (endless, "a device")] {
            hostile(&file);
            // What is named by a file must be a file there; what is named by a person is opened.
            let last = name.rsplit('/').next().unwrap();
            let words = if name.ends_with("reproduce.toml") || name.ends_with(".csv") {
                vec![last, found]
            } else {
                vec![last]
            };
            refused(&sandbox, code, &["run"], &words);
        }
        fs::remove_file(&file).unwrap();
        fs::rename(&kept, &file).unwrap();
    }
}

#[test]
fn a_folder_with_links_to_itself_is_checked_once() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("experiments/hypotheses");
    symlink(".", folder.join("again")).unwrap();
    symlink("..", folder.join("up")).unwrap();
    let output = ends(&sandbox, &["check", "experiments"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
}

/// Writes the same bytes over a file's last ones, again and again, until a command has ended.
fn while_rewritten(file: &Path, run: impl FnOnce() -> Output) -> Output {
    let file = File::options().read(true).write(true).open(file).unwrap();
    let end = file.metadata().unwrap().len() - 8;
    let mut last = [0; 8];
    file.read_exact_at(&mut last, end).unwrap();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let writing = thread::spawn(move || {
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            file.write_all_at(&last, end).unwrap();
            thread::sleep(Duration::from_millis(5));
        }
    });
    let output = run();
    drop(stop);
    writing.join().unwrap();
    output
}

#[test]
fn nothing_is_kept_of_a_checkpoint_that_is_rewritten_while_it_is_measured() {
    let sandbox = Sandbox::new();
    let weights = sandbox.path("data/zoo/llama3-tiny/model.safetensors");
    let measure = ["measure", "llama3-tiny", "--prompt", PROMPT, "--store", "store"];
    let output = while_rewritten(&weights, || sandbox.run(&measure));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("model.safetensors: expected the file that was opened"), "{said}");
    assert!(said.contains("it changed while it was read"), "{said}");
    assert_eq!(output.stdout, b"");
    assert_eq!(sandbox.files("store/objects").len(), 0);

    // A run lists the model, goes on with the others, and keeps nothing of it.
    let output = while_rewritten(&weights, || sandbox.run(&["run"]));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("llama3-tiny") && said.contains("it changed while it was read"), "{said}");
    let (_, said) = sandbox.expect(0, &["run"]);
    assert!(said.contains("observe llama3-tiny") && !said.contains("observe pythia-tiny"), "{said}");
}

#[test]
fn a_model_whose_weights_are_damaged_is_walked_once() {
    let sandbox = Sandbox::new();
    let weights =
        File::options().write(true).open(sandbox.path("data/zoo/llama3-tiny/model.safetensors")).unwrap();
    // The last tensor of the file ends with what no dtype reads as a number.
    weights.write_all_at(&[0xff; 8], weights.metadata().unwrap().len() - 8).unwrap();
    let (_, said) = sandbox.expect(1, &["run"]);
    assert!(said.contains("the checkpoint is damaged"), "{said}");
    let of_model = |stage: &str| said.lines().filter(|line| line.starts_with(stage)).count();
    let walks = [of_model("spectra llama3-tiny"), of_model("observe llama3-tiny")];
    assert_eq!(walks, [1, 0], "{said}");
    assert!(of_model("observe pythia-tiny") > 0, "the others go on: {said}");
}
