//! A copy of the project's experiments in a temporary folder, and the program run in it.

// Every integration test compiles this file by itself and uses what it needs.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

pub(crate) struct Sandbox(tempfile::TempDir);

/// Root of the project's checkout.
pub(crate) fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The hypotheses that a sandbox has: kinds of every sort, and little to judge in every test.
const HYPOTHESES: [&str; 5] = ["H9", "H13", "H16", "H17", "H18"];

/// The models of the zoo that a sandbox has: two families, and little to copy and run in every test.
const ZOO: [&str; 2] = ["pythia-tiny", "llama3-tiny"];

impl Sandbox {
    /// `experiments` copied with [`HYPOTHESES`] alone, `data` copied file by file, of the zoo [`ZOO`] alone and under one BOS
    /// policy, nothing stored yet.
    pub(crate) fn new() -> Sandbox {
        let sandbox = Sandbox::with_zoo(&ZOO);
        let list = sandbox.read("experiments/models.toml");
        let here = |model: &&str| {
            !model.contains("\nintervention") && !model.contains("/zoo/")
                || ZOO.iter().any(|id| model.contains(&format!("/{id}\"")))
        };
        let kept: Vec<&str> = list.split("[[model]]").filter(here).collect();
        assert_eq!(kept.iter().filter(|model| model.contains("/zoo/")).count(), ZOO.len());
        sandbox.write("experiments/models.toml", &kept.join("[[model]]"));
        let kept = |file: &str| HYPOTHESES.iter().any(|id| file == format!("{id}.toml"));
        for file in sandbox.files("experiments/hypotheses").into_keys().filter(|file| !kept(file)) {
            fs::remove_file(sandbox.path("experiments/hypotheses").join(file)).unwrap();
        }
        sandbox.edit("experiments/reproduce.toml", "lead = [\"Q2\"]\n", "");
        sandbox.edit(
            "experiments/reproduce.toml",
            r#"bos = ["auto", "always", "never"]"#,
            r#"bos = ["auto"]"#,
        );
        sandbox
    }

    /// With the whole model list, and these models of the zoo.
    pub(crate) fn with_zoo(models: &[&str]) -> Sandbox {
        let sandbox = Sandbox(tempfile::tempdir().unwrap());
        copy(&project().join("experiments"), &sandbox.path("experiments"));
        sandbox.edit("experiments/reproduce.toml", r#"profile = ["tiny", "real"]"#, r#"profile = "tiny""#);
        copy(&project().join("data/published"), &sandbox.path("data/published"));
        for model in models {
            copy(&project().join("data/zoo").join(model), &sandbox.path("data/zoo").join(model));
        }
        fs::create_dir(sandbox.path("results")).unwrap();
        sandbox
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Replaces `from`, which must be there, in a file.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} does not contain {from:?}");
        self.write(name, &text.replace(from, to));
    }

    /// A message without the folder that is another one in every test.
    pub(crate) fn without_paths(&self, message: &str) -> String {
        message.replace(&self.0.path().display().to_string(), "[sandbox]")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_streamgauge"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null());
        // No test reaches the hub or this user's own cache.
        for name in
            ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH"]
        {
            command.env_remove(name);
        }
        command.env("HF_HOME", self.path("hf")).env("HF_HUB_OFFLINE", "1");
        if std::env::var_os("ORT_DYLIB_PATH").is_none() {
            let library =
                if cfg!(target_os = "macos") { "libonnxruntime.dylib" } else { "libonnxruntime.so" };
            command.env("ORT_DYLIB_PATH", project().join(".runtime/lib").join(library));
        }
        command
    }

    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must leave with this code; gives its standard output and error.
    pub(crate) fn expect(&self, code: i32, arguments: &[&str]) -> (String, String) {
        let output = self.run(arguments);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\nstdout:\n{out}\nstderr:\n{err}");
        (out, err)
    }

    /// Standard output of a command that must succeed, as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.expect(0, arguments).0).unwrap()
    }

    /// Every file below a folder with its bytes, by relative name.
    pub(crate) fn files(&self, folder: &str) -> std::collections::BTreeMap<String, Vec<u8>> {
        let root = self.path(folder);
        let mut found = std::collections::BTreeMap::new();
        walk(&root, &mut |path| {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
            found.insert(name, fs::read(path).unwrap());
        });
        found
    }
}

/// Copies a folder with everything in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    walk(from, &mut |path| {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(path, target).unwrap();
    });
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { walk(&path, visit) } else { visit(&path) }
    }
}
