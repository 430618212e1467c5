//! Progress on standard error: a bar with time left on a terminal, plain lines for notes elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output;
use base::progress::{Progress, Silent};
use base::terminal::visible;
use base::threads;

/// The progress a command shows: nothing with `--quiet`.
pub(super) fn new(quiet: bool) -> Box<dyn Progress> {
    if quiet {
        return Box::new(Silent);
    }
    let bar = Bar { bar: Mutex::new(None) };
    if let Some(fewer) = threads::fewer() {
        bar.note(&fewer.to_string());
    }
    Box::new(bar)
}

struct Bar {
    bar: Mutex<Option<ProgressBar>>,
}

impl Bar {
    fn begin(&self, stage: &str, total: u64, template: &str) {
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        bar.set_style(style);
        bar.set_message(visible(stage).into_owned());
        self.with(|slot| *slot = Some(bar));
    }

    fn with(&self, act: impl FnOnce(&mut Option<ProgressBar>)) {
        // A panic while drawing must not hide the panic itself: a poisoned lock still holds a usable bar.
        act(&mut self.bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }
}

impl Progress for Bar {
    fn start(&self, stage: &str, total: u64) {
        if !std::io::stderr().is_terminal() {
            output::say(stage);
            return;
        }
        self.begin(stage, total, "{msg:32!} {bar:30} {pos}/{len}  {elapsed} elapsed, {eta} left");
    }

    fn start_bytes(&self, stage: &str, total: u64) {
        if !std::io::stderr().is_terminal() {
            output::say(&format!("{stage} ({})", HumanBytes(total)));
            return;
        }
        self.begin(stage, total, "{msg:32!} {bar:20} {bytes}/{total_bytes}  {bytes_per_sec}, {eta} left");
    }

    fn advance(&self, steps: u64) {
        self.with(|slot| {
            if let Some(bar) = slot {
                bar.inc(steps);
            }
        });
    }

    fn finish(&self) {
        self.with(|slot| {
            if let Some(bar) = slot.take() {
                bar.finish_and_clear();
            }
        });
    }

    fn note(&self, line: &str) {
        self.with(|slot| match slot {
            Some(bar) => bar.suspend(|| output::say(&format!("note: {line}"))),
            None => output::say(&format!("note: {line}")),
        });
    }
}
