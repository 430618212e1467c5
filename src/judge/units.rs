//! Units of what a quantity yields, in words.

use crate::config::hypothesis::{Quantity, Scale};

/// E.g. `log ratio` for a gain on log scale.
pub(super) fn unit(quantity: &Quantity) -> String {
    let unit = quantity.metric.describe().unit;
    match quantity.scale {
        Scale::Linear => unit.to_string(),
        Scale::Log => format!("log {unit}"),
        Scale::AbsLog => format!("|log {unit}|"),
    }
}
