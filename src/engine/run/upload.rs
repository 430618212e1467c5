//! A device's memory: weights go there as they are stored and are widened there, by a graph of one node.
//!
//! bf16 and f16 so cost half the bus. Bytes are handed to the driver where they lie in the mapped file; it copies them
//! through a pinned buffer of its own. A pinned buffer here would free it from that, at the price of one more copy: not
//! measured yet.

use std::sync::{Mutex, PoisonError};

use half::{bf16, f16};
use ort::value::DynValue;

use super::{
    RunError, Runtime,
    memory::Memory,
    session::{Input, Session, fault, floats, tensor},
    weights::{Staged, Weight, as_they_lie, used},
};
use model::{
    arch::WeightUse,
    checkpoint::{Checkpoint, Content, Dtype, Tensor, widen::widen},
    onnx::{STORED, WIDENED, widening},
};

/// The way into the memory of a runtime's device.
pub(super) struct Upload<'r> {
    runtime: &'r Runtime,
    /// One for each dtype that was met. All weights of a walk come through these: what a slot gives back, they use again.
    sessions: Mutex<Vec<(Dtype, Session)>>,
}

impl<'r> Upload<'r> {
    /// None: the runtime computes where this program's memory is.
    ///
    /// # Errors
    /// What the runtime refuses.
    pub(super) fn of(runtime: &'r Runtime) -> Result<Option<Upload<'r>>, RunError> {
        let apart = runtime.apart().map_err(|e| fault("device", e))?;
        Ok(apart.map(|_| Upload { runtime, sessions: Mutex::new(Vec::new()) }))
    }

    /// Float32 numbers from here, once for all graphs that take them.
    ///
    /// # Errors
    /// What the runtime refuses.
    pub(super) fn put(&self, shape: &[usize], numbers: &[f32]) -> Result<DynValue, RunError> {
        self.widened(Dtype::F32, floats(STORED, shape, numbers)?, shape)
    }

    fn widened(&self, dtype: Dtype, stored: Input<'_>, shape: &[usize]) -> Result<DynValue, RunError> {
        // A poisoned lock means another thread panicked; the list is whole all the same.
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let at = match sessions.iter().position(|(d, _)| *d == dtype) {
            Some(at) => at,
            None => {
                sessions.push((dtype, self.open(dtype)?));
                sessions.len() - 1
            }
        };
        sessions[at].1.run_into(stored, WIDENED, shape)
    }

    fn open(&self, dtype: Dtype) -> Result<Session, RunError> {
        Session::new(self.runtime, "widen", &widening(dtype.into()), usize::MAX)
    }
}

impl Memory for Upload<'_> {
    /// One value for each weight that is used, in their order.
    type Slot = Vec<DynValue>;

    fn fill(
        &self,
        slot: &mut Vec<DynValue>,
        checkpoint: &Checkpoint,
        uses: &[WeightUse],
    ) -> Result<(), RunError> {
        // First, so that a third block never exists.
        slot.clear();
        for found in used(checkpoint, uses) {
            let (weight, stored) = found?;
            let mut widened = Vec::new();
            let (dtype, input) = match as_stored(weight.taken(), &stored)? {
                Some(input) => (stored.dtype, input),
                None => {
                    widened.resize(stored.elements(), 0.0);
                    widen(&stored, &mut widened);
                    (Dtype::F32, floats(STORED, weight.taken(), &widened)?)
                }
            };
            slot.push(self.widened(dtype, input, weight.taken())?);
        }
        Ok(())
    }

    fn view<'a>(
        &self,
        slot: &'a Vec<DynValue>,
        checkpoint: &'a Checkpoint,
        uses: &'a [WeightUse],
    ) -> Result<Staged<'a>, RunError> {
        let mut weights = Vec::new();
        for (found, value) in used(checkpoint, uses).zip(slot) {
            let (weight, stored) = found?;
            weights.push((weight, Weight::Value(value, stored)));
        }
        Ok(Staged::new(weights))
    }
}

/// A weight as it lies in the file, if it does and can be borrowed there.
fn as_stored<'a>(shape: &[usize], stored: &Tensor<'a>) -> Result<Option<Input<'a>>, RunError> {
    let Content::Stored(bytes) = stored.content else { return Ok(None) };
    match stored.dtype {
        Dtype::F32 => as_they_lie::<f32>(bytes).map(|data| tensor(STORED, shape, data)).transpose(),
        Dtype::F16 => as_they_lie::<f16>(bytes).map(|data| tensor(STORED, shape, data)).transpose(),
        Dtype::BF16 => as_they_lie::<bf16>(bytes).map(|data| tensor(STORED, shape, data)).transpose(),
    }
}
