//! The command line: one file per command, each thin. `main` turns every failure into a message and an exit code.

mod calibrate;
mod check;
mod diff;
mod exit;
mod explain;
mod export;
mod families;
mod inspect;
mod measure;
mod model_argument;
mod new;
mod options;
mod output;
mod plan;
mod profile;
mod progress;
mod reachable;
mod register;
mod regress;
mod report;
mod run;
mod speed;
mod table;
mod tables;
mod tap;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use base::threads;
pub use exit::{Exit, Failure};
use model::hub::Settings;

/// An instrument for the residual stream of language models: claims in TOML, verdicts under every protocol.
#[derive(Parser)]
#[command(name = "streamgauge", version, max_term_width = 100, after_help = exit::HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
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
    /// Say how often the judge is wrong in simulated worlds, and how much it needs in order to decide
    Calibrate(calibrate::Arguments),
    /// Compare the results of two runs: inputs, verdicts, numbers, estimates
    Diff(diff::Arguments),
    /// Print a table of a run as CSV, filtered; or what all tables and columns mean
    Tables(tables::Arguments),
    /// Measure one model on prompts: layer profile, entropy, gains under every protocol
    Measure(measure::Arguments),
    /// Show what a checkpoint is: facts, parameters, norms of its embedding and unembedding
    Inspect(inspect::Arguments),
    /// List the model families that open: the choices of each, and how near the reference its numbers are
    Families(families::Arguments),
    /// Write a model as one ONNX file with residual outputs, for other tools
    Export(export::Arguments),
    /// Find the residual stream of an ONNX decoder made elsewhere, and give it out under tap names
    Tap(tap::Arguments),
}

/// Parses the command line and runs the command. Results go to standard output, progress and errors to standard error.
pub fn main() -> ExitCode {
    output::say_panics();
    // Whatever quotes the user's secrets from here on, be it the command line itself, is shown without them.
    let _ = Settings::from_env();
    match Cli::try_parse() {
        Ok(cli) => cli.run(),
        Err(asked) if !asked.use_stderr() => {
            let _ = asked.print(); // help or version; nobody is left to be told when that fails
            ExitCode::SUCCESS
        }
        // Without colours: a mistake quotes arguments, and theirs could not be told from those of this program.
        Err(mistake) => {
            output::say(mistake.render().to_string().trim_end());
            Exit::Usage.into()
        }
    }
}

impl Cli {
    fn run(self) -> ExitCode {
        if let Err(error) = threads::begin() {
            return Failure::new(Exit::Runtime, error).report();
        }
        let done = match self.command {
            Command::Check(arguments) => arguments.run(),
            Command::New(arguments) => arguments.run(),
            Command::Plan(arguments) => arguments.run(),
            Command::Run(arguments) => arguments.run(),
            Command::Report(arguments) => arguments.run(),
            Command::Register(arguments) => arguments.run(),
            Command::Regress(arguments) => arguments.run(),
            Command::Explain(arguments) => arguments.run(),
            Command::Calibrate(arguments) => arguments.run(),
            Command::Diff(arguments) => arguments.run(),
            Command::Tables(arguments) => arguments.run(),
            Command::Measure(arguments) => arguments.run(),
            Command::Inspect(arguments) => arguments.run(),
            Command::Families(arguments) => arguments.run(),
            Command::Export(arguments) => arguments.run(),
            Command::Tap(arguments) => arguments.run(),
        };
        match done {
            Ok(exit) => exit.into(),
            Err(failure) => failure.report(),
        }
    }
}
