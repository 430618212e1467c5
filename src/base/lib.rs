//! The ground floor, which knows nothing of models: content hashes, progress, devices, files that appear whole, names by pattern,
//! text on its way to a terminal, the time of the processor.

pub mod contain;
pub mod device;
pub mod foreign;
pub mod glob;
pub mod hash;
pub mod lookup;
pub mod named_enum;
pub mod nearest;
pub mod processor;
pub mod progress;
pub mod publish;
pub mod secret;
pub mod terminal;
pub mod threads;
