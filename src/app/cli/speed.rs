//! How fast a command observed, in one line: tokens and floating-point operations per second, and the share of what its
//! matrix products reach alone on this machine.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::output;
use base::progress::{Done, Progress, Work};
use engine::run::{Rates, Runtime};

/// Of the time that was observed, this part may go into finding the limit.
const CALIBRATION: f64 = 0.02;

/// Passes progress on, and adds up what was computed.
pub(super) struct Meter<'a> {
    inner: &'a dyn Progress,
    done: Mutex<Vec<Done>>,
}

impl<'a> Meter<'a> {
    pub(super) fn new(inner: &'a dyn Progress) -> Meter<'a> {
        Meter { inner, done: Mutex::new(Vec::new()) }
    }

    fn done(&self) -> MutexGuard<'_, Vec<Done>> {
        // A poisoned lock means another thread panicked; the list is whole all the same.
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says the line to people, if anything was computed.
    pub(super) fn say(&self, runtime: &Runtime) {
        if let Some(line) = self.line(runtime) {
            output::say(&line);
        }
    }

    /// `None` where nothing was computed. The limit is what the walks' products take alone.
    fn line(&self, runtime: &Runtime) -> Option<String> {
        let done = self.done();
        let work: Work = done.iter().map(|done| done.work).sum();
        if work.operations() == 0 {
            return None;
        }
        let elapsed: Duration = done.iter().map(|done| done.elapsed).sum();
        let seconds = elapsed.as_secs_f64();
        let Work { tokens, rows, .. } = work;
        let shared =
            if rows < tokens { format!(" ({rows} computed, the others shared)") } else { String::new() };
        let giga = |seconds: f64| work.operations() as f64 / seconds / 1e9;
        let share = match Rates::measure(runtime, &work, elapsed.mul_f64(CALIBRATION)) {
            Ok(rates) => {
                let alone = rates.seconds(&work);
                let (share, limit) = (100.0 * alone / seconds, giga(alone));
                format!(
                    ", {share:.0} % of the {limit:.1} that its matrix products reach alone{}",
                    who(runtime, &work)
                )
            }
            Err(_) => String::new(),
        };
        Some(format!(
            "observed {tokens} tokens{shared} in {seconds:.1} s: {:.0} tokens/s, {:.1} GFLOP/s{share}",
            tokens as f64 / seconds,
            giga(seconds)
        ))
    }
}

/// Who computed, unless it was the runtime alone.
fn who(runtime: &Runtime, work: &Work) -> String {
    let part = if work.by_runtime.operations > 0 { "partly with" } else { "with" };
    match runtime.own_products() {
        Some(unit) if work.as_stored.operations > 0 => format!(" {part} {unit}"),
        _ => String::new(),
    }
}

impl Progress for Meter<'_> {
    fn start(&self, stage: &str, total: u64) {
        self.inner.start(stage, total);
    }
    fn start_bytes(&self, stage: &str, total: u64) {
        self.inner.start_bytes(stage, total);
    }
    fn advance(&self, steps: u64) {
        self.inner.advance(steps);
    }
    fn computed(&self, done: &Done) {
        self.done().push(*done);
    }
    fn finish(&self) {
        self.inner.finish();
    }
    fn note(&self, line: &str) {
        self.inner.note(line);
    }
}
