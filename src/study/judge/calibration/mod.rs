//! Calibration: how often the judge would be wrong, and how much it needs in order to decide.
//!
//! For each prediction worlds are drawn in which the claim is false and in which it is true, with the models, the prompts and
//! the spread that were seen; the rule judges each as it judges what was measured.

mod bounded;
mod prepare;
mod rates;
mod seen;
mod setting;
mod truth;
mod world;

pub use rates::{Calibration, Rates, WANTED_POWER, calibrate};
pub(crate) use world::World;
