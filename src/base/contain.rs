//! Foreign code that panics on what it reads, kept from ending the program.
//!
//! A panic is how a library says that it did not expect its input. Where that input comes from a file of somebody else's, it
//! is a fault of the file: it becomes an error that names it, and the panic's own words stay off the terminal.

use std::{
    any::Any,
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::{
        Once,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Names of threads that libraries keep for whoever calls them begin so.
const WORKERS: [&str; 1] = ["polars-"];
/// Characters of a panic's words that are kept: some libraries put the data into them.
const LONGEST: usize = 200;

/// Code of others that panicked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its reader gave up: {0}")]
pub struct Panicked(String);

/// Runs code of others that may panic on what it was given. Its values are to be thrown away where it did: they may be half
/// made.
///
/// # Errors
/// [`Panicked`]: what the panic said. It is not printed.
pub fn contain<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    static QUIET: Once = Once::new();
    // The hook cannot be changed while this thread unwinds.
    if !thread::panicking() {
        QUIET.call_once(|| {
            let usual = panic::take_hook();
            panic::set_hook(Box::new(move |panic| {
                if !is_contained() {
                    usual(panic);
                }
            }));
        });
    }
    let _inside = Inside::enter();
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|panic| Panicked(words(&*panic)))
}

thread_local! {
    /// Containments that this thread is in.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}
/// Containments that some thread is in.
static ANYWHERE: AtomicUsize = AtomicUsize::new(0);

/// One containment, until it is dropped.
struct Inside;

impl Inside {
    fn enter() -> Inside {
        DEPTH.set(DEPTH.get() + 1);
        ANYWHERE.fetch_add(1, Ordering::SeqCst);
        Inside
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
        ANYWHERE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether a panic of this thread ends in [`contain`]: it is in there, or it works for somebody who is.
fn is_contained() -> bool {
    let thread = thread::current();
    let works = || WORKERS.iter().any(|name| thread.name().is_some_and(|own| own.starts_with(name)));
    DEPTH.get() > 0 || ANYWHERE.load(Ordering::SeqCst) > 0 && works()
}

/// What a panic said, in one line.
fn words(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    let line = said.unwrap_or("it did not say why").split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => line[..end].to_string() + "…",
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use std::{panic::panic_any, process::Command};

    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_words() {
        assert_eq!(contain(|| 7), Ok(7));
        let error = contain(|| panic!("a\nbyte")).unwrap_err();
        assert_eq!(error.to_string(), "its reader gave up: a byte");
        let error = contain(|| panic!("{}", "ä".repeat(1000))).unwrap_err();
        assert_eq!(error.0.chars().count(), LONGEST + 1);
        assert_eq!(contain(|| panic_any(5)).unwrap_err().0, "it did not say why");
        let outer = contain(|| {
            let inner = contain(|| panic!("inner"));
            assert!(inner.is_err() && DEPTH.get() == 1);
            panic!("outer")
        });
        assert_eq!((outer.unwrap_err().0.as_str(), DEPTH.get()), ("outer", 0));
    }

    /// Run by the test below in a process of its own, whose standard error it reads.
    #[test]
    fn panics_inside_and_outside() {
        if std::env::var_os("STREAMGAUGE_PANICS").is_none() {
            return;
        }
        assert!(contain(|| panic!("said inside")).is_err());
        let worker = |name: &str| {
            let thread = thread::Builder::new().name(name.into()).spawn(|| panic!("said by a worker"));
            thread.unwrap().join().is_err()
        };
        assert!(contain(|| worker("polars-3")).unwrap());
        let elsewhere = || {
            assert!(thread::spawn(|| panic!("said by another thread")).join().is_err());
        };
        contain(elsewhere).unwrap();
        assert!(panic::catch_unwind(|| panic!("said outside")).is_err());
    }

    #[test]
    fn only_what_is_contained_is_quiet() {
        let own = std::env::current_exe().unwrap();
        let mut command = Command::new(own);
        command.args(["--exact", "contain::tests::panics_inside_and_outside", "--nocapture"]);
        let output = command.env("STREAMGAUGE_PANICS", "1").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        assert!(!said.contains("said inside") && !said.contains("said by a worker"), "{said}");
        assert!(said.contains("said by another thread") && said.contains("said outside"), "{said}");
    }
}
