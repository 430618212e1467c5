//! The command line: one file per command, each thin. `Cli::run` turns every failure into a message and an exit code.

mod check;
mod diff;
mod exit;
mod explain;
mod export;
mod inspect;
mod measure;
mod model_argument;
mod new;
mod output;
mod plan;
mod profile;
mod progress;
mod register;
mod regress;
mod report;
mod run;
mod speed;
mod table;
mod tables;
mod tap;

use std::path::PathBuf;
use std::process::ExitCode;

use bytesize::ByteSize;
use clap::{Args, Parser, Subcommand};

pub use exit::{Exit, Failure};

use crate::pipeline::Places;
use base::device::Wanted;

/// An instrument for the residual stream of language models: claims in TOML, verdicts under every protocol.
#[derive(Parser)]
#[command(name = "streamgauge", version, max_term_width = 100, after_help = exit::HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Options every command takes.
#[derive(Args, Clone, Debug)]
pub struct Common {
    /// Show no progress and no notes; errors and results only
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Print machine-readable JSON on standard output
    #[arg(long, global = true)]
    json: bool,
}

/// Where a command computes.
#[derive(Args, Clone, Debug)]
pub struct On {
    /// Where to compute: cpu, cuda (the first card), cuda:N, or auto (cuda where it can be used, else cpu). What a device
    /// computed is stored beside what another did. cpu multiplies with weights as they lie (bf16 on tile registers, AMX;
    /// where there are none, bf16 and f16 on AVX-512 or AVX2) unless the environment says STREAMGAUGE_PRODUCTS=runtime;
    /// STREAMGAUGE_PRODUCTS=emulated-tiles computes as tile registers would, slowly. What is stored already stays as it is
    #[arg(long, value_name = "DEVICE", default_value_t)]
    device: Wanted,
    /// Memory that observing may take, e.g. 4GiB [default: what the machine has left]. Pages of checkpoints, which the
    /// system can evict, come on top
    #[arg(long, value_name = "SIZE", value_parser = size)]
    memory: Option<ByteSize>,
    /// Write a trace of where the time goes, for chrome://tracing or ui.perfetto.dev
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
}

impl On {
    fn memory(&self) -> Option<u64> {
        self.memory.map(|size| size.as_u64())
    }
}

fn size(text: &str) -> Result<ByteSize, String> {
    text.parse().map_err(|_| "expected a size with its unit, e.g. 4GiB or 800MB".to_string())
}

/// What `plan`, `run` and `report` work on.
#[derive(Args, Clone, Debug)]
pub struct Job {
    /// Experiment file
    #[arg(default_value = "experiments/reproduce.toml")]
    experiment: PathBuf,
    /// Folder of the store
    #[arg(long, value_name = "DIR", default_value = "results/store")]
    store: PathBuf,
    /// Folder of reports, verdicts and tables
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    #[command(flatten)]
    on: On,
    #[command(flatten)]
    common: Common,
}

impl Job {
    fn places(&self) -> Places {
        Places {
            store: self.store.clone(),
            results: self.results.clone(),
            device: self.on.device,
            memory: self.on.memory(),
        }
    }
}

#[derive(Subcommand)]
enum Command {
    /// Check experiment files: every mistake at once, with file, line and column
    Check(check::Arguments),
    /// Write a commented template of a hypothesis, a prompt set or an experiment
    New(new::Arguments),
    /// Print the job graph: what is fresh, what is stale and why
    Plan(plan::Arguments),
    /// Run what is missing, judge the hypotheses, write report, verdicts and tables
    Run(run::Arguments),
    /// Write report, verdicts and tables from what the store holds, computing no observation
    Report(report::Arguments),
    /// Put on record what a hypothesis means, before its verdict or after a change
    Register(register::Arguments),
    /// Run an experiment anew and compare it with a committed baseline: what moved, by how much, under which protocol
    Regress(regress::Arguments),
    /// Tell the story of one verdict, down to the rows
    Explain(explain::Arguments),
    /// Compare the results of two runs: inputs, verdicts, numbers, estimates
    Diff(diff::Arguments),
    /// Print a table of a run as CSV, filtered; or what all tables and columns mean
    Tables(tables::Arguments),
    /// Measure one model on prompts: layer profile, entropy, gains under every protocol
    Measure(measure::Arguments),
    /// Show what a checkpoint is: facts, parameters, norms of its embedding and unembedding
    Inspect(inspect::Arguments),
    /// Write a model as one ONNX file with residual outputs, for other tools
    Export(export::Arguments),
    /// Find the residual stream of an ONNX decoder made elsewhere, and give it out under tap names
    Tap(tap::Arguments),
}

impl Cli {
    /// Runs the command. Results go to standard output, progress and errors to standard error.
    pub fn run(self) -> ExitCode {
        let done = match self.command {
            Command::Check(arguments) => arguments.run(),
            Command::New(arguments) => arguments.run(),
            Command::Plan(arguments) => arguments.run(),
            Command::Run(arguments) => arguments.run(),
            Command::Report(arguments) => arguments.run(),
            Command::Register(arguments) => arguments.run(),
            Command::Regress(arguments) => arguments.run(),
            Command::Explain(arguments) => arguments.run(),
            Command::Diff(arguments) => arguments.run(),
            Command::Tables(arguments) => arguments.run(),
            Command::Measure(arguments) => arguments.run(),
            Command::Inspect(arguments) => arguments.run(),
            Command::Export(arguments) => arguments.run(),
            Command::Tap(arguments) => arguments.run(),
        };
        match done {
            Ok(exit) => exit.into(),
            Err(failure) => failure.report(),
        }
    }
}
