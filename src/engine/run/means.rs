//! What decides of a runtime how many prompts walk together, and in which groups.

use crate::products::Unit;

/// The memory and the multiplier of a runtime.
#[derive(Clone, Copy, Debug)]
pub(super) struct Means {
    /// Bytes of this machine's memory that a walk may take; `None`: what is left.
    pub(super) memory: Option<u64>,
    /// What multiplies with weights as they are stored; `None`: all products are the runtime's.
    pub(super) unit: Option<Unit>,
}
