//! A simulated world: what a test finds instead of the numbers of the table.

use crate::judge::{cells::Cells, hypothesis::Quantity};

/// Quantities with the numbers that they have in a simulated world. All others are as they were seen.
pub(crate) struct World<'a> {
    pub(super) quantities: Vec<(&'a Quantity, Cells<'a>)>,
}

impl<'a> World<'a> {
    /// The cells of a quantity, if the world has its own.
    pub(crate) fn cells(&self, quantity: &Quantity) -> Option<Cells<'a>> {
        let own = self.quantities.iter().find(|(own, _)| *own == quantity);
        own.map(|(_, cells)| cells.clone())
    }
}
