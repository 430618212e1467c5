//! The commands that are attacked, each with what lies there before it.

use crate::world::Scene;

/// A command line and where it is given.
#[derive(Debug)]
pub(crate) struct Command {
    /// Its name in the table.
    pub name: &'static str,
    pub arguments: &'static [&'static str],
    pub scene: Scene,
    /// Exit codes with which it may say that a file could not be opened, read or written.
    pub codes: &'static [i32],
}

/// What every command may end with when its own files fail: a TOML file, a checkpoint or tokenizer, any other file.
const FILES: &[i32] = &[3, 4, 6];
/// A run besides says which models or hypotheses failed, and does the rest.
const PARTS: &[i32] = &[1, 3, 4, 6];
/// A comparison besides says what moved: the numbers of a model that could not be read are gone.
const MOVED: &[i32] = &[1, 3, 4, 6, 8];
const HUB: &[i32] = &[4, 6, 7];

const TINY: &str = "experiments/tiny.toml";

/// In the order of the table.
pub(crate) const COMMANDS: [Command; 17] = [
    Command { name: "check", arguments: &["check", TINY], scene: Scene::Empty, codes: &[3, 6] },
    Command { name: "diff", arguments: &["diff", "results", "other"], scene: Scene::Changed, codes: &[6] },
    Command {
        name: "explain",
        arguments: &["explain", "F1", TINY, "--quiet"],
        scene: Scene::Stored,
        codes: PARTS,
    },
    Command {
        name: "export",
        arguments: &["export", "llama3-tiny", "-o", "exported"],
        scene: Scene::Empty,
        codes: FILES,
    },
    Command {
        name: "export --self-contained",
        arguments: &["export", "llama3-tiny", "-o", "exported", "--self-contained"],
        scene: Scene::Empty,
        codes: FILES,
    },
    Command {
        name: "measure",
        arguments: &[
            "measure",
            "llama3-tiny",
            "--prompt",
            "A river swells",
            "--quiet",
            "--store",
            "results/store",
        ],
        scene: Scene::Empty,
        codes: FILES,
    },
    Command {
        name: "measure, from the hub",
        arguments: &["measure", "owner/model", "--prompt", "A river swells", "--quiet"],
        scene: Scene::Hub,
        codes: HUB,
    },
    Command {
        name: "measure, stored",
        arguments: &[
            "measure",
            "llama3-tiny",
            "--prompts",
            "experiments/prompts/four.toml",
            "--quiet",
            "--store",
            "results/store",
        ],
        scene: Scene::Stored,
        codes: FILES,
    },
    Command {
        name: "register",
        arguments: &["register", "F1", "F2", "--experiment", TINY],
        scene: Scene::Empty,
        codes: FILES,
    },
    Command {
        name: "regress",
        arguments: &["regress", TINY, "--quiet"],
        scene: Scene::Baseline,
        codes: MOVED,
    },
    Command {
        name: "regress --accept, first",
        arguments: &["regress", TINY, "--quiet", "--accept", "--note", "first"],
        scene: Scene::Empty,
        codes: MOVED,
    },
    Command {
        name: "regress --accept, moved",
        arguments: &["regress", TINY, "--quiet", "--accept", "--note", "asked otherwise"],
        scene: Scene::Moved,
        codes: MOVED,
    },
    Command {
        name: "report",
        arguments: &["report", TINY, "--quiet"],
        scene: Scene::Unpublished,
        codes: PARTS,
    },
    Command { name: "run", arguments: &["run", TINY, "--quiet"], scene: Scene::Empty, codes: PARTS },
    Command {
        name: "run, judged anew",
        arguments: &["run", TINY, "--quiet"],
        scene: Scene::Changed,
        codes: PARTS,
    },
    Command { name: "tables", arguments: &["tables", "measurements"], scene: Scene::Stored, codes: &[6] },
    Command {
        name: "tap",
        arguments: &["tap", "model.onnx", "-o", "tapped.onnx"],
        scene: Scene::Empty,
        codes: &[4, 6],
    },
];
