//! Writing to standard output and error without a panic when the reader has gone (`streamgauge … 2>&1 | head`).

use std::io::Write;

use super::exit::{Exit, Failure};

/// Prints text; a closed pipe is a normal end.
pub(super) fn print(text: &str) -> Result<Exit, Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Store, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(Exit::Done),
    }
}

/// Prints a line on standard error. Nobody is left to be told when that fails, and the work goes on.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Prints a value as indented JSON with a final newline.
pub(super) fn print_json(value: &impl serde::Serialize) -> Result<Exit, Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(Exit::Store, format!("cannot write JSON: {error}")))?;
    print(&(text + "\n"))
}
