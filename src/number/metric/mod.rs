//! Metrics: named numbers, each with unit and definition, computed from observations under a protocol.
//!
//! `table` declares every metric, `law` says which parts of a protocol enter its number, `branch` which are of one branch. `reduce` turns tokens into one
//! norm, `gains` divides norms, `derived` computes what is neither; `measurements` takes all metrics from one observation,
//! `weights` from a weighing, `spectra` from the prompts of a set. `series` keeps numbers of different protocols apart by
//! type.

mod branch;
mod derived;
mod gains;
mod law;
mod measurements;
mod reduce;
mod series;
mod spectra;
mod table;
mod weights;

pub use derived::{first_token_gains, first_token_norms, reconstructed_gains};
pub use gains::{Gains, gains};
pub use law::{DecisiveParts, Depends};
pub use measurements::{attention_traces, measurements};
pub use reduce::reduce;
pub use series::{Paired, ProtocolMismatch, Series};
pub use spectra::spectra;
pub use table::{Description, Metric};
pub use weights::{attention_trace, weights};
