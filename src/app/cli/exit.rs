//! Exit codes, documented and stable, and the one way a failure reaches the terminal.

use std::process::ExitCode;

use crate::pipeline::{PipelineError, SubjectError};
use crate::store::StoreError;
use base::terminal;
use engine::run::RunError;
use model::checkpoint::CheckpointError;
use model::export::ExportError;
use model::tap::TapError;
use results::regress::{BaselineError, FolderError};
use results::tidy::ReadError;
use study::registration::RegistrationError;

/// Shown under `streamgauge --help`.
pub(super) const HELP: &str = "Exit codes:
  0  done
  1  some models or hypotheses failed, the rest is done (each failure is printed)
  2  wrong command line
  3  a TOML or table file is wrong (streamgauge check shows all mistakes)
  4  a checkpoint, tokenizer, prompt or ONNX model is wrong
  5  ONNX Runtime or the asked-for device is missing or failed, or no thread can be started
  6  the store, a baseline, a registration, results or an output file could not be read or written, or are damaged
  7  a model could not be brought from the hub (network, licence, no such model)
  8  regress, diff: a number or a verdict moved";

/// Exit codes of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything that was asked for is done.
    Done = 0,
    /// Some models or hypotheses failed; the rest is done.
    SomeFailed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// A TOML or table file is wrong.
    BadConfig = 3,
    /// A checkpoint, a tokenizer, a prompt or an ONNX model is wrong.
    BadInput = 4,
    /// ONNX Runtime or the asked-for device is missing or failed, or no thread can be started.
    Runtime = 5,
    /// The store, a baseline, a registration, results or an output file could not be read or written, or are damaged.
    Store = 6,
    /// A model could not be brought from the hub.
    Hub = 7,
    /// A number or a verdict moved.
    Moved = 8,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// A failure of the whole command: what to print and which code to leave with.
#[derive(Debug)]
pub struct Failure {
    /// The code to leave with.
    pub exit: Exit,
    /// What is printed on standard error.
    pub message: String,
    /// The message says itself that it is an error, as the report of `check` does for each mistake.
    rendered: bool,
}

impl Failure {
    /// A failure whose message is printed after `error: `.
    pub fn new(exit: Exit, message: impl std::fmt::Display) -> Failure {
        Failure { exit, message: message.to_string(), rendered: false }
    }

    /// A message to be printed as it is.
    pub fn rendered(exit: Exit, message: String) -> Failure {
        Failure { exit, message, rendered: true }
    }

    /// Prints the message and its causes on standard error.
    pub fn report(self) -> ExitCode {
        match self.rendered {
            true => terminal::say_in_colour(self.message.trim_end()),
            false => terminal::say(&format!("error: {}", self.message.trim_end())),
        }
        self.exit.into()
    }
}

impl From<PipelineError> for Failure {
    fn from(error: PipelineError) -> Failure {
        let exit = match &error {
            PipelineError::Run(run) => run_exit(run),
            PipelineError::Subject(subject) => subject_exit(subject),
            PipelineError::Checkpoint(_) => Exit::BadInput,
            PipelineError::Evidence(_)
            | PipelineError::Claims(_)
            | PipelineError::Graph(_)
            | PipelineError::Changed { .. }
            | PipelineError::Read { .. } => Exit::BadConfig,
            PipelineError::Registration(error) => match error {
                RegistrationError::Changed { .. }
                | RegistrationError::EnteredChanged { .. }
                | RegistrationError::Unknown { .. } => Exit::Usage,
                RegistrationError::Draft { .. } | RegistrationError::Seen { .. } => Exit::BadConfig,
                RegistrationError::Broken { .. }
                | RegistrationError::Read { .. }
                | RegistrationError::Write { .. } => Exit::Store,
            },
            PipelineError::Store(_)
            | PipelineError::Lost(_)
            | PipelineError::Stored { .. }
            | PipelineError::Write { .. }
            | PipelineError::Table(_)
            | PipelineError::Draw { .. } => Exit::Store,
        };
        Failure::new(exit, error)
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Failure {
        let exit = match &error {
            ExportError::Checkpoint(_) | ExportError::Arch { .. } | ExportError::Made { .. } => {
                Exit::BadInput
            }
            ExportError::UnknownTap { .. } => Exit::Usage,
            ExportError::Write { .. } | ExportError::InTheWay { .. } => Exit::Store,
        };
        Failure::new(exit, error)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Failure {
        Failure::new(run_exit(&error), error)
    }
}

impl From<TapError> for Failure {
    fn from(error: TapError) -> Failure {
        let exit = match &error {
            TapError::NoMatch { .. } | TapError::Itself { .. } => Exit::Usage,
            TapError::External { .. } | TapError::Write { .. } => Exit::Store,
            _ => Exit::BadInput,
        };
        Failure::new(exit, error)
    }
}

impl From<SubjectError> for Failure {
    fn from(error: SubjectError) -> Failure {
        Failure::new(subject_exit(&error), error)
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Failure {
        let exit = match &error {
            ReadError::File(_) | ReadError::Content { .. } => Exit::Store,
            _ => Exit::Usage,
        };
        Failure::new(exit, error)
    }
}

fn subject_exit(error: &SubjectError) -> Exit {
    match error {
        SubjectError::Hub(_) | SubjectError::NotHere { .. } => Exit::Hub,
        _ => Exit::BadInput,
    }
}

fn run_exit(error: &RunError) -> Exit {
    match error {
        RunError::NoLibrary { .. }
        | RunError::Library { .. }
        | RunError::Cuda(_)
        | RunError::Runtime { .. } => Exit::Runtime,
        _ => Exit::BadInput,
    }
}

macro_rules! failure_from {
    ($($error:ty => $exit:ident),+ $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure { Failure::new(Exit::$exit, error) }
        })+
    };
}
failure_from!(CheckpointError => BadInput, StoreError => Store, BaselineError => Store, FolderError => Store);
