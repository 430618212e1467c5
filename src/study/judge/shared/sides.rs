//! Shared by tests that ask on which side of a value models lie under each of several protocols.

use crate::judge::kind::Fault;
use number::protocol::Protocol;

/// A gain neither grows nor shrinks at 1.
pub(crate) fn one() -> f64 {
    1.0
}

/// One protocol has nothing to disagree with.
pub(crate) fn at_least_two(protocols: &[Protocol], test: &str) -> Vec<Fault> {
    let message = format!("{test} needs at least two protocols");
    let few = Fault::new("protocols", message, "list another one");
    (protocols.len() < 2).then_some(few).into_iter().collect()
}
