//! A folder with a tiny experiment: two miniatures, four prompts, two hypotheses; and a hub on this machine.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use base::hash::Key;

use crate::{attack::Undisturbed, hub::Server, injector::Injector, partly::Lacks};

/// What lies there before a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scene {
    /// The experiment, and a decoder of another tool.
    Empty,
    /// Besides, a run of it.
    Stored,
    /// The run's store alone.
    Unpublished,
    /// The run, a copy of its results in `other`, and a hypothesis that changed since.
    Changed,
    /// A baseline of the experiment.
    Baseline,
    /// The baseline, and a hypothesis that changed since.
    Moved,
    /// Nothing; models come from the hub.
    Hub,
}

/// Every file below a folder with its bytes, by relative name; a link with where it leads.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) struct World {
    folder: tempfile::TempDir,
    pub injector: Injector,
    server: Server,
    copies: AtomicUsize,
    scenes: Mutex<BTreeMap<Scene, PathBuf>>,
    /// By name of the command.
    pub undisturbed: Mutex<BTreeMap<&'static str, Arc<Undisturbed>>>,
    /// What is wrong after a second run, by the command's name and what lay there before it.
    pub after: Mutex<BTreeMap<(&'static str, Key), Vec<String>>>,
    /// What a command publishes without so much of some models; by its name.
    pub without: Mutex<BTreeMap<(&'static str, Lacks), Arc<Files>>>,
}

/// Ids of the experiment's models, and their folders in `data/zoo`.
pub(crate) const MODELS: [&str; 2] = ["pythia-tiny", "llama3-tiny"];

const PROMPTS: [(&str, &str, &str); 4] = [
    ("capital", "Factual", "The capital of France is"),
    ("clock", "Factual", "A clock has two hands."),
    ("fox", "Prose", "The quick brown fox jumps over the lazy dog."),
    ("stream", "Prose", "A river swells after rain."),
];

const EXPERIMENT: &str = r#"schema = 1
id = "tiny"
title = "Two claims on two miniatures"
models = "models.toml"
profile = "tiny"
prompts = ["prompts/four.toml"]
hypotheses = ["hypotheses/*.toml"]
date = "2026-11-24"
seed = 7
"#;

const F1: &str = r#"schema = 1
id = "F1"
title = "The last block expands"
statement = "The last block expands the residual stream."
origin = "made for the tests"
published-verdict = "none"
status = "re-analysis"
prompts = ["four"]
protocol = "last/last-block/auto"
[models]
[[also]]
protocol = "mean/last-block/auto"
relation = "different-estimand"
[[prediction]]
id = "F1a"
claim = "The last gain exceeds 1 in every model."
test = { kind = "mean-by-model", of = { metric = "last-gain", scale = "log" }, against = 0.0 }
[prediction.rule]
supported = [{ statistic = "smallest-low", at-least = 0.02 }]
contradicted = [{ statistic = "smallest-high", at-most = -0.02 }]
"#;

const F2: &str = r#"schema = 1
id = "F2"
title = "Uncertainty and expansion"
statement = "Prompts that leave the model less certain expand more."
origin = "made for the tests"
published-verdict = "none"
status = "re-analysis"
prompts = ["four"]
protocol = "last/last-block/auto"
[models]
[[prediction]]
id = "F2a"
claim = "Output entropy and the last gain rise together."
[prediction.test]
kind = "correlation"
method = "spearman"
unit = "prompt"
x = { metric = "output-entropy" }
y = { metric = "last-gain" }
[prediction.rule]
supported = [{ statistic = "low", above = 0.0 }]
contradicted = [{ statistic = "high", below = 0.0 }]
"#;

impl World {
    pub(crate) fn new() -> World {
        let folder = tempfile::tempdir().unwrap();
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        for model in MODELS {
            let to = folder.path().join("here/data").join(model);
            copy(&project.join("data/zoo").join(model), &to);
            let without = to.with_file_name(format!("{model}-without-tokenizer"));
            copy(&to, &without);
            fs::write(without.join("tokenizer.json"), "{").unwrap();
        }
        fs::create_dir(folder.path().join("outside")).unwrap();
        World {
            injector: Injector::build(folder.path()),
            server: Server::of(&project.join("data/zoo/pythia-tiny")),
            folder,
            copies: AtomicUsize::new(0),
            scenes: Mutex::default(),
            undisturbed: Mutex::default(),
            after: Mutex::default(),
            without: Mutex::default(),
        }
    }

    /// The folder below which calls fail.
    pub(crate) fn below(&self) -> PathBuf {
        self.folder.path().join("here")
    }

    /// A new file's place that no fault touches.
    pub(crate) fn outside(&self) -> PathBuf {
        self.folder.path().join("outside").join(self.number())
    }

    fn number(&self) -> String {
        self.copies.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// A copy of a scene of its own.
    pub(crate) fn scene(&self, scene: Scene) -> PathBuf {
        let to = self.below().join(self.number());
        self.scene_at(scene, &to);
        to
    }

    /// A copy of a scene with other data: what its model list names leads where `data` says.
    pub(crate) fn scene_with(&self, scene: Scene, data: impl Fn(&str, &Path) -> PathBuf) -> PathBuf {
        let above = self.below().join(self.number());
        let to = above.join("scene");
        self.scene_at(scene, &to);
        fs::create_dir(above.join("data")).unwrap();
        for model in MODELS {
            symlink(data(model, &to), above.join("data").join(model)).unwrap();
        }
        to
    }

    /// Where the checkpoints lie.
    pub(crate) fn data(&self) -> PathBuf {
        self.below().join("data")
    }

    fn scene_at(&self, scene: Scene, to: &Path) {
        let mut scenes = self.scenes.lock().unwrap();
        let template = scenes.entry(scene).or_insert_with(|| self.make(scene)).clone();
        drop(scenes);
        copy(&template, to);
    }

    fn make(&self, scene: Scene) -> PathBuf {
        let folder = self.below().join(self.number());
        if scene == Scene::Hub {
            fs::create_dir_all(&folder).unwrap();
            return folder;
        }
        self.lay_out(&folder);
        let run = || self.must(&folder, &["run", "experiments/tiny.toml"]);
        let change = || {
            let file = folder.join("experiments/hypotheses/F1.toml");
            fs::write(&file, F1.replace("at-least = 0.02", "at-least = 0.01")).unwrap();
        };
        let accept =
            || self.must(&folder, &["regress", "experiments/tiny.toml", "--accept", "--note", "one"]);
        match scene {
            Scene::Empty | Scene::Hub => {}
            Scene::Stored => run(),
            Scene::Unpublished => {
                run();
                fs::rename(folder.join("results"), folder.join("old")).unwrap();
                fs::create_dir(folder.join("results")).unwrap();
                fs::rename(folder.join("old/store"), folder.join("results/store")).unwrap();
                fs::remove_dir_all(folder.join("old")).unwrap();
            }
            Scene::Changed => {
                run();
                copy(&folder.join("results"), &folder.join("other"));
                fs::remove_dir_all(folder.join("other/store")).unwrap();
                change();
            }
            Scene::Baseline => accept(),
            Scene::Moved => {
                accept();
                let file = folder.join("experiments/prompts/four.toml");
                let text = fs::read_to_string(&file).unwrap();
                fs::write(&file, text.replace("after rain", "after the rain")).unwrap();
            }
        }
        folder
    }

    fn lay_out(&self, folder: &Path) {
        let write = |name: &str, text: &str| {
            let path = folder.join("experiments").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let mut models = "schema = 1\n".to_string();
        for id in MODELS {
            let place = format!("../../data/{id}");
            models += &format!(
                "[[model]]\nid = {id:?}\nevidence = \"rehearsal\"\nfolder = {place:?}\nprofiles = [\"tiny\"]\n"
            );
        }
        let mut prompts =
            "schema = 1\nid = \"four\"\ntitle = \"Four sentences\"\nsource = \"made for the tests\"\n"
                .to_string();
        for (id, category, text) in PROMPTS {
            prompts += &format!("[[prompt]]\nid = {id:?}\ncategory = {category:?}\ntext = {text:?}\n");
        }
        write("tiny.toml", EXPERIMENT);
        write("models.toml", &models);
        write("prompts/four.toml", &prompts);
        write("hypotheses/F1.toml", F1);
        write("hypotheses/F2.toml", F2);
        fs::create_dir(folder.join("results")).unwrap();
        let decoder = "tests/foreign/torch_script_llama_mha_f32.onnx";
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(decoder), folder.join("model.onnx")).unwrap();
    }

    fn must(&self, folder: &Path, arguments: &[&str]) {
        let output = self.command(folder, arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The program in a folder, in an environment of its own: nobody's hub, cache, home or temporary files but the folder's.
    pub(crate) fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        // Another build of the program can be attacked by naming it.
        let program = std::env::var_os("FAULTS_PROGRAM");
        let mut command = Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_streamgauge").into()));
        command.args(arguments).current_dir(folder).stdin(Stdio::null());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", folder.join("home")).env("TMPDIR", self.folder.path().join("outside"));
        command.env("HF_ENDPOINT", &self.server.endpoint).env("ORT_DISABLE_TELEMETRY", "1");
        // So that the same call has the same number each time.
        command.env("RAYON_NUM_THREADS", "1");
        let library = std::env::var_os("ORT_DYLIB_PATH").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join(".runtime/lib/libonnxruntime.so"),
            PathBuf::from,
        );
        command.env("ORT_DYLIB_PATH", library);
        command
    }
}

/// Every file below a folder.
pub(crate) fn files(root: &Path) -> Files {
    let mut found = Files::new();
    walk(root, &mut |path| {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        let bytes = match fs::read_link(path) {
            Ok(to) => format!("-> {}", to.display()).into_bytes(),
            Err(_) => fs::read(path).unwrap(),
        };
        found.insert(name, bytes);
    });
    found
}

/// Of everything below a folder, as it would be at any other place.
pub(crate) fn digest(root: &Path) -> Key {
    let place = root.to_string_lossy().into_owned();
    let mut all = Vec::new();
    for (name, bytes) in files(root) {
        let bytes = match String::from_utf8(bytes) {
            Ok(text) => text.replace(&place, "").into_bytes(),
            Err(error) => error.into_bytes(),
        };
        for part in [name.as_bytes(), &bytes] {
            all.extend_from_slice(Key::of_bytes(part).as_bytes());
        }
    }
    Key::of_bytes(&all)
}

/// Copies a folder with everything in it, empty folders too.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() { walk(&entry.path(), visit) } else { visit(&entry.path()) }
    }
}
