//! Calibration: how often the judge would be wrong, and how much it needs in order to decide.
//!
//! For each prediction worlds are drawn in which the claim is false and in which it is true, with the models, the prompts and
//! the spread that were seen; the rule judges each as it judges what was measured.

mod aim;
mod bounded;
mod level;
mod moved;
mod prepare;
mod profile;
mod rates;
mod reads;
mod seen;
mod setting;
mod shape;
mod truth;
mod world;

pub use rates::{Calibration, Rates, WANTED_POWER, calibrate};
pub(crate) use world::World;

use rand::{RngExt, rngs::ChaCha12Rng};

/// A standard normal draw.
fn normal(rng: &mut ChaCha12Rng) -> f64 {
    // Never 0 or 1, which have no finite quantile.
    let uniform = (rng.random_range(0..1_u64 << 52) as f64 + 0.5) / (1_u64 << 52) as f64;
    crate::stats::normal_quantile(uniform).unwrap_or(0.0)
}
