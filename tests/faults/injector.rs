//! The preloaded library: built once, directed by the environment of the program it is loaded into.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::points::Point;

pub(crate) struct Injector {
    library: PathBuf,
}

/// A call that the injector counted, or did something to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub kind: String,
    /// File or folder; `(socket)` where it is none.
    pub path: String,
    /// What happened: `-` for nothing.
    pub what: String,
}

impl Injector {
    /// Compiles the library into a folder, with the compiler that Rust itself links with.
    pub(crate) fn build(folder: &Path) -> Injector {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/injector.c");
        let library = folder.join("injector.so");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-o"]).arg(&library).arg(&source).arg("-ldl");
        let output = compiler.output().expect("cc, which rustc links with, can be run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Injector { library }
    }

    /// Preloads the library: calls below a folder are counted, and noted in a file.
    pub(crate) fn watch(&self, command: &mut Command, below: &Path, log: &Path) {
        command.env("LD_PRELOAD", &self.library).env("FAULT_HASTE", "1");
        command.env("FAULT_BELOW", below).env("FAULT_LOG", log);
    }

    /// Besides, has this fault happen.
    pub(crate) fn direct(&self, command: &mut Command, point: &Point) {
        command.env("FAULT_KIND", point.kind.name).env("FAULT_ON", &point.on);
        command.env("FAULT_AT", point.at.to_string());
        command.env("FAULT_WAY", point.way.word()).env("FAULT_ERRNO", point.way.errno().to_string());
    }
}

impl Call {
    /// The path as the injector compares it: without digits, as those of scenes, processes and counters are others each time.
    pub(crate) fn on(&self) -> String {
        self.path.replace(|c: char| c.is_ascii_digit(), "")
    }
}

/// The calls that were noted; none where the file is not there.
pub(crate) fn calls(log: &Path) -> Vec<Call> {
    let text = fs::read_to_string(log).unwrap_or_default();
    text.lines().map(call).collect()
}

fn call(line: &str) -> Call {
    let parts = || {
        let (_, rest) = line.split_once(' ')?;
        let (kind, rest) = rest.split_once(' ')?;
        let (path, what) = rest.rsplit_once(' ')?;
        Some(Call { kind: kind.into(), path: path.into(), what: what.into() })
    };
    parts().unwrap_or_else(|| panic!("{line:?} is no line of the injector"))
}
