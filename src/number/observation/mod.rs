//! Observations: what one forward pass showed of one prompt, before any protocol is applied.
//!
//! `taps` declares once what is observed; `prompt` holds the numbers of one prompt by the names of the taps.

mod prompt;
mod taps;

pub use prompt::{Extra, Extras, PromptObservation, SCALES, TOP_K, TopToken, branches_of};
pub use taps::{ATTENTION, Axes, MLP, NEAR_TIE, NamedTap, TAPS, Tap, named};
