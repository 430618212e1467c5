//! How fast a command observed, in one line: tokens and floating-point operations per second, and the share of what the
//! runtime's own matrix products reach on this machine.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::output;
use crate::progress::{Done, Progress};
use crate::run::{Runtime, product_rate};

/// Of the time that was observed, this part may go into finding the limit.
const CALIBRATION: f64 = 0.02;

/// Passes progress on, and adds up what was computed.
pub struct Meter<'a> {
    inner: &'a dyn Progress,
    done: Mutex<Vec<Done>>,
}

impl<'a> Meter<'a> {
    pub fn new(inner: &'a dyn Progress) -> Meter<'a> {
        Meter { inner, done: Mutex::new(Vec::new()) }
    }

    fn done(&self) -> MutexGuard<'_, Vec<Done>> {
        // A poisoned lock means another thread panicked; the list is whole all the same.
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says the line to people, if anything was computed.
    pub fn say(&self, runtime: &Runtime) {
        if let Some(line) = self.line(runtime) {
            output::say(&line);
        }
    }

    /// `None` where nothing was computed. The limit is that of the largest product of the walk with most to do.
    fn line(&self, runtime: &Runtime) -> Option<String> {
        let done = self.done();
        let most = done.iter().max_by_key(|done| done.work.operations)?;
        let seconds = done.iter().map(|done| done.elapsed).sum::<Duration>().as_secs_f64();
        let sum = |of: fn(&Done) -> u64| done.iter().map(of).sum::<u64>() as f64;
        let (tokens, rows) = (sum(|done| done.work.tokens), sum(|done| done.work.rows));
        let rate = sum(|done| done.work.operations) / seconds;
        let shared =
            if rows < tokens { format!(" ({rows} computed, the others shared)") } else { String::new() };
        let limit = product_rate(runtime, most.largest, Duration::from_secs_f64(seconds * CALIBRATION)).ok();
        let on_tiles = if most.largest.on_tiles { " on tile registers (AMX)" } else { "" };
        let share = limit.map_or(String::new(), |limit| {
            format!(
                ", {:.0} % of the {:.1} that its matrix products reach alone{on_tiles}",
                100.0 * rate / limit,
                limit / 1e9
            )
        });
        Some(format!(
            "observed {tokens} tokens{shared} in {seconds:.1} s: {:.0} tokens/s, {:.1} GFLOP/s{share}",
            tokens / seconds,
            rate / 1e9
        ))
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
