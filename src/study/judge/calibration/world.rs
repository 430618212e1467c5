//! A simulated world: what a test finds instead of the numbers of the table.

use std::sync::Arc;

use crate::judge::{cells::Cells, hypothesis::Quantity};

/// Quantities with the numbers that they have in a simulated world. All others are as they were seen.
pub(crate) struct World<'a> {
    pub(super) quantities: Vec<(Arc<Quantity>, Cells<'a>)>,
}

impl<'a> World<'a> {
    /// The cells of a quantity, if the world has its own.
    pub(crate) fn cells(&self, quantity: &Quantity) -> Option<Cells<'a>> {
        let own = self.quantities.iter().find(|(own, _)| **own == *quantity);
        own.map(|(_, cells)| cells.clone())
    }

    /// The layers at which the world has a quantity of its own that selects none.
    pub(crate) fn layers(&self, quantity: &Quantity) -> Vec<u32> {
        let layer = |own: &Quantity| {
            let mut of_every = own.clone();
            of_every.select.layer = None;
            own.select.layer.filter(|_| of_every == *quantity)
        };
        self.quantities.iter().filter_map(|(own, _)| layer(own)).collect()
    }
}
