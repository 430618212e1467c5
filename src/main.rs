//! Parse, call, exit code.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    streamgauge::cli::Cli::parse().run()
}
