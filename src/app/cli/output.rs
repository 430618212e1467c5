//! Writing to standard output without a panic when the reader has gone (`streamgauge … 2>&1 | head`), and only what is safe to
//! show: every line of the program passes through [`base::terminal`].

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io;

use super::exit::{Exit, Failure};
use base::terminal;

pub(super) use base::terminal::say;

/// Prints text for people; a closed pipe is a normal end.
pub(super) fn print(text: &str) -> Result<Exit, Failure> {
    ended(terminal::print(text))
}

/// Prints a table for programs, byte for byte unless a person sees it.
pub(super) fn print_data(text: &str) -> Result<Exit, Failure> {
    ended(terminal::print_data(text))
}

/// Prints a value as indented JSON with a final newline.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<Exit, Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(Exit::Store, format!("cannot write JSON: {error}")))?;
    ended(terminal::print_json(&(text + "\n")))
}

/// Says panics as every other line is said: their messages may quote a file.
pub(super) fn say_panics() {
    std::panic::set_hook(Box::new(|panic| {
        say(&panic.to_string());
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            say(&trace.to_string());
        }
    }));
}

fn ended(written: io::Result<()>) -> Result<Exit, Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Store, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(Exit::Done),
    }
}
