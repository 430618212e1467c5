//! A watch over the `tokenizers` crate while it applies the rules of a file: whether one of them gave up, and how long they take.
//!
//! What a rule of ours says (see [`super::applied`]) must not get lost on its way through the crate, which drops the errors of a
//! normalizer. So it is noted here, for the thread, and looked at when the crate is done.

use std::{
    cell::{Cell, RefCell},
    time::{Duration, Instant},
};

use base::contain::contain;
use base::processor;

/// Time of the processor that the rules may take for any text, and for each of so many bytes; sound ones take a millionth of a
/// second for a byte.
const LONGEST: Duration = Duration::from_secs(1);
const BYTES_A_SECOND: usize = 100_000;

thread_local! {
    static WATCH: Watch = const { Watch { until: Cell::new(None), gave_up: RefCell::new(None) } };
}

struct Watch {
    /// The time of a clock before which nobody need look, and that of the processor at which a rule gives up.
    until: Cell<Option<(Instant, Duration)>>,
    gave_up: RefCell<Option<String>>,
}

/// Has the crate work on so many bytes of text.
///
/// # Errors
/// A rule that gave up, a panic of the crate, what the work says.
pub(super) fn watched<T, E: ToString>(
    bytes: usize,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, String> {
    let limit = LONGEST + Duration::from_secs_f64(bytes as f64 / BYTES_A_SECOND as f64);
    WATCH.with(|watch| {
        watch.until.set(Some((Instant::now() + limit, processor::used_by_thread() + limit)));
        watch.gave_up.take();
    });
    let done = contain(work);
    let gave_up = WATCH.with(|watch| {
        watch.until.set(None);
        watch.gave_up.take()
    });
    match (gave_up, done) {
        (Some(why), _) => Err(why),
        (None, Ok(done)) => done.map_err(|error| error.to_string()),
        (None, Err(panic)) => Err(panic.to_string()),
    }
}

/// Notes why a rule gives up; the first such note is kept.
pub(super) fn give_up(why: String) -> String {
    WATCH.with(|watch| watch.gave_up.borrow_mut().get_or_insert(why).clone())
}

/// Says why to go no further: a rule before gave up, or all of them took too long.
pub(super) fn why_stop() -> Option<String> {
    WATCH.with(|watch| {
        if watch.gave_up.borrow().is_some() {
            return watch.gave_up.borrow().clone();
        }
        let (clock, limit) = watch.until.get()?;
        // The clock is asked in no time; the processor's is a call of the system.
        let late = Instant::now() >= clock && processor::used_by_thread() >= limit;
        late.then(|| give_up("its rules take too long, a hundred times what those in use take".to_string()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rule_says_is_kept_whatever_becomes_of_its_error() {
        let dropped = || -> Result<u8, String> {
            give_up("first".to_string());
            give_up("second".to_string());
            assert_eq!(why_stop().as_deref(), Some("first"));
            Ok(3)
        };
        assert_eq!(watched(1, dropped), Err("first".to_string()));
        assert_eq!(watched(1, || Ok::<_, String>(3)), Ok(3), "it does not last");
        assert_eq!(watched(1, || Err::<u8, _>("own")), Err("own".to_string()));
        let panics = watched(1, || -> Result<u8, String> { panic!("of the crate") });
        assert!(panics.unwrap_err().contains("of the crate"));
        assert_eq!(why_stop(), None);
    }

    #[test]
    fn rules_that_take_too_long_are_stopped_between_two_matches() {
        let start = processor::used_by_thread();
        let endless = || -> Result<u8, String> {
            loop {
                if let Some(why) = why_stop() {
                    return Err(why);
                }
            }
        };
        assert!(watched(10, endless).unwrap_err().contains("too long"));
        assert!(processor::used_by_thread() - start < 2 * LONGEST);
    }
}
