//! Published tables become measurements: each number with the protocol that produced it.
//!
//! The tables say how each number was computed (`token_reduction`, `final_tap`, `row_tap`, `measured_block`); names that
//! the publication gave to a number are not used. A word that is not known stops the import.

mod bounds;
mod correlation;
mod derived;
mod error;
mod facts;
mod gains;
mod import;
mod modules;
mod profile;
mod repeats;
mod shared;
mod sheet;
mod stated;
mod statistics;
mod weights;

pub use error::EvidenceError;
pub use import::import;
pub use stated::{Claim, Stated, printed_claims};
pub use statistics::{STATISTICS, printed_statistics};
