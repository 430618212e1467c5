//! What a plan asks of a store.

use base::hash::{Fields, Key};

/// What is already known, as the store answers it.
pub trait Known {
    /// The output of this key exists.
    fn has(&self, key: &Key) -> bool;
    /// What decided the latest recorded output of a slot.
    fn last_fields(&self, slot: &str) -> Option<Fields>;
    /// The output of this key existed and was damaged or lost.
    fn quarantined(&self, key: &Key) -> bool;
}
