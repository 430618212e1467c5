//! The weights of one module after another: from one buffer in turn, or from two, so that the next module's weights come
//! while the present one is computed.
//!
//! On the processor one buffer is the faster way, with half the memory: widening and computing both use all cores. To a
//! device the weights come over a bus, while the cores have nothing to do.

use std::{
    sync::mpsc,
    thread::{self, Scope},
};

use rayon::prelude::*;

use super::{
    RunError, Runtime,
    memory::{Host, Memory},
    session::fault,
    upload::Upload,
    weights::{Buffer, Staged},
};
use base::threads;
use model::{arch::WeightUse, checkpoint::Checkpoint};

/// Is given every module's index and weights, in order.
pub(super) type Each<'e> = &'e mut dyn FnMut(usize, &Staged<'_>) -> Result<(), RunError>;

/// Every module's weights in the memory of the runtime's device, in order; `buffer` is used where that is this machine's.
///
/// # Errors
/// The first of `each`, a tensor that is missing, or what the runtime refuses.
pub(super) fn each_module(
    runtime: &Runtime,
    buffer: &mut Buffer,
    checkpoint: &Checkpoint,
    modules: &[&[WeightUse]],
    each: Each<'_>,
) -> Result<(), RunError> {
    match Upload::of(runtime)? {
        None => in_turn(&Host { unit: runtime.unit() }, buffer, checkpoint, modules, each),
        Some(upload) => ahead(&upload, checkpoint, modules, each),
    }
}

/// Memory on the runtime's device for modules that are asked for one by one, each in the place of the one before.
pub(super) enum Room<'r> {
    Here(Host, Buffer),
    Device(Upload<'r>, <Upload<'r> as Memory>::Slot),
}

impl<'r> Room<'r> {
    /// Of a runtime; nothing lies there yet.
    ///
    /// # Errors
    /// What the runtime refuses.
    pub(super) fn of(runtime: &'r Runtime) -> Result<Room<'r>, RunError> {
        Ok(match Upload::of(runtime)? {
            None => Room::Here(Host { unit: runtime.unit() }, Buffer::default()),
            Some(upload) => Room::Device(upload, Vec::new()),
        })
    }

    /// One module's weights.
    ///
    /// # Errors
    /// A tensor that is missing, or what the runtime refuses.
    pub(super) fn stage<'a>(
        &'a mut self,
        checkpoint: &'a Checkpoint,
        uses: &'a [WeightUse],
    ) -> Result<Staged<'a>, RunError> {
        fn staged<'a, M: Memory>(
            memory: &M,
            slot: &'a mut M::Slot,
            checkpoint: &'a Checkpoint,
            uses: &'a [WeightUse],
        ) -> Result<Staged<'a>, RunError> {
            memory.fill(slot, checkpoint, uses)?;
            memory.view(slot, checkpoint, uses)
        }
        match self {
            Room::Here(host, buffer) => staged(host, buffer, checkpoint, uses),
            Room::Device(upload, values) => staged(upload, values, checkpoint, uses),
        }
    }
}

/// One slot: fill, compute, fill, compute.
pub(super) fn in_turn<M: Memory>(
    memory: &M,
    slot: &mut M::Slot,
    checkpoint: &Checkpoint,
    modules: &[&[WeightUse]],
    each: Each<'_>,
) -> Result<(), RunError> {
    thread::scope(|scope| {
        for (index, uses) in modules.iter().enumerate() {
            bring(scope, checkpoint, modules, index);
            let widen = tracing::info_span!("widen", block = index).entered();
            memory.fill(slot, checkpoint, uses)?;
            drop(widen);
            each(index, &memory.view(slot, checkpoint, uses)?)?;
        }
        Ok(())
    })
}

/// Reads a module, asks for the next, and hashes the one that was read.
fn bring<'s>(
    scope: &'s Scope<'s, '_>,
    checkpoint: &'s Checkpoint,
    modules: &'s [&[WeightUse]],
    index: usize,
) {
    read(checkpoint, index, modules[index]);
    prefetch(scope, checkpoint, modules.get(index + 1).copied().unwrap_or_default());
    hash(checkpoint, index, modules[index]);
}

/// Those of which more than a part is used: of the others some pages may never be needed.
fn wholly(uses: &[WeightUse]) -> impl Iterator<Item = &WeightUse> {
    uses.iter().filter(|weight| weight.part.is_none())
}

/// Waits for a module's pages, on all cores.
pub(super) fn read(checkpoint: &Checkpoint, index: usize, uses: &[WeightUse]) {
    let _span = tracing::info_span!("read", block = index).entered();
    wholly(uses).for_each(|weight| checkpoint.read(&weight.tensor));
}

/// Hashes what was read, if that is wanted of it.
pub(super) fn hash(checkpoint: &Checkpoint, index: usize, uses: &[WeightUse]) {
    if !checkpoint.is_hashing() {
        return;
    }
    let _span = tracing::info_span!("hash", block = index).entered();
    let read: Vec<&WeightUse> = wholly(uses).collect();
    read.par_iter().for_each(|weight| checkpoint.hash_weight(&weight.tensor));
}

/// Asks the system to read the pages of what comes next while something else is computed: on a thread of its own, since the disk
/// may be asked for more than it takes note of at once. Where no thread is to be had, the pages are read when they are needed.
pub(super) fn prefetch<'s>(scope: &'s Scope<'s, '_>, checkpoint: &'s Checkpoint, next: &'s [WeightUse]) {
    let ask = move || wholly(next).for_each(|weight| checkpoint.prefetch(&weight.tensor));
    if !next.is_empty() {
        let _ = threads::single("prefetch").map(|builder| builder.spawn_scoped(scope, ask));
    }
}

/// Two slots: a second thread fills one while the other is computed on. No module is filled before the last but one is
/// done with, so the memory is two modules' at most.
pub(super) fn ahead<M: Memory>(
    memory: &M,
    checkpoint: &Checkpoint,
    modules: &[&[WeightUse]],
    each: Each<'_>,
) -> Result<(), RunError> {
    thread::scope(|scope| {
        let (give_filled, filled) = mpsc::channel();
        let (give_back, free) = mpsc::channel::<M::Slot>();
        for slot in [M::Slot::default(), M::Slot::default()] {
            let _ = give_back.send(slot); // `free` is here, so this cannot fail
        }
        let fill = move || {
            for (index, uses) in modules.iter().enumerate() {
                // The walk ended early: so does this.
                let Ok(mut slot) = free.recv() else { return };
                bring(scope, checkpoint, modules, index);
                let _span = tracing::info_span!("upload", block = index).entered();
                let done = memory.fill(&mut slot, checkpoint, uses).map(|()| slot);
                let failed = done.is_err();
                if give_filled.send(done).is_err() || failed {
                    return;
                }
            }
        };
        if threads::single("fill").is_none_or(|builder| builder.spawn_scoped(scope, fill).is_err()) {
            // No thread is to be had: slower, the same numbers.
            return in_turn(memory, &mut M::Slot::default(), checkpoint, modules, each);
        }
        for (index, uses) in modules.iter().enumerate() {
            // Only a panic of the other thread leaves nothing to receive; the scope passes it on.
            let slot = filled.recv().map_err(|_| fault("weights", "the thread that fills them ended"))??;
            each(index, &memory.view(&slot, checkpoint, uses)?)?;
            let _ = give_back.send(slot); // nobody waits for it after the last but one
        }
        Ok(())
    })
}
