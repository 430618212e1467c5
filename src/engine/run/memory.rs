//! Memory that a module's weights are staged into, so that one walk serves this machine's and a device's.

use super::{
    RunError,
    weights::{Buffer, Staged},
};
use crate::products::Unit;
use model::{arch::WeightUse, checkpoint::Checkpoint};

/// Where weights lie when a graph reads them.
pub(super) trait Memory: Sync {
    /// Room for one module's weights, reused for the next.
    type Slot: Default + Send;

    /// Puts every weight of `uses` that a graph takes as an input into the slot, as float32 or as
    /// products take it; what was there is gone.
    fn fill(
        &self,
        slot: &mut Self::Slot,
        checkpoint: &Checkpoint,
        uses: &[WeightUse],
    ) -> Result<(), RunError>;

    /// The weights of a slot that was filled with the same `uses`.
    fn view<'a>(
        &self,
        slot: &'a Self::Slot,
        checkpoint: &'a Checkpoint,
        uses: &'a [WeightUse],
    ) -> Result<Staged<'a>, RunError>;
}

/// This machine's memory.
pub(super) struct Host {
    /// Weights that its products take stay as they are stored.
    pub unit: Option<Unit>,
}

impl Memory for Host {
    type Slot = Buffer;

    fn fill(&self, slot: &mut Buffer, checkpoint: &Checkpoint, uses: &[WeightUse]) -> Result<(), RunError> {
        slot.fill(self.unit, checkpoint, uses)
    }

    fn view<'a>(
        &self,
        slot: &'a Buffer,
        checkpoint: &'a Checkpoint,
        uses: &'a [WeightUse],
    ) -> Result<Staged<'a>, RunError> {
        slot.view(self.unit, checkpoint, uses)
    }
}
