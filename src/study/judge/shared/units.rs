//! The unit of a quantity, in words.

use crate::judge::hypothesis::{Quantity, Scale};

/// The unit of a quantity, e.g. `log ratio` for a gain on log scale.
pub(crate) fn unit(quantity: &Quantity) -> String {
    let combined = quantity.times.is_some() || quantity.over.is_some();
    let unit = match quantity.metric {
        Some(metric) if !combined => metric.describe().unit.to_string(),
        _ => quantity.name(),
    };
    match quantity.scale {
        Scale::Linear => unit,
        Scale::Log => format!("log {unit}"),
        Scale::AbsLog => format!("|log {unit}|"),
        Scale::AbsMinusOne => format!("|{unit} - 1|"),
        Scale::Sqrt => format!("sqrt {unit}"),
    }
}
