//! Running graphs in ONNX Runtime: the only code that names `ort`.
//!
//! Weights stream, activations stay: all prompts walk through the blocks once, side by side; the weights of one block
//! at a time are widened to float32 into one reused buffer, or multiplied with as they lie (`crate::products`). What leaves the runtime is norms, not activations.
//!
//! On a device the same walk has two buffers: while one block is computed, the next one's weights go over the bus as they
//! are stored and are widened there. Streams stay there too. Not yet run on a CUDA device: see `tests::device_memory`.

mod arena;
mod batch;
mod batching;
mod choosing;
mod cuda;
mod decoder;
mod ending;
mod error;
mod experts;
mod footprint;
mod graphs;
mod head;
mod library;
mod linear;
mod means;
mod memory;
mod needs;
mod observe;
mod rate;
mod readout;
mod session;
mod sharing;
mod single;
mod stager;
mod state;
mod taps;
mod telemetry;
#[cfg(test)]
mod tests;
mod trial;
mod upload;
mod vocabulary;
mod weights;
mod work;

pub use batch::longest;
pub use batching::next_batch;
pub use choosing::Chosen;
pub use cuda::{Obstacle, Unusable};
pub use decoder::{Decoder, Floats};
pub use error::RunError;
pub use footprint::Needs;
pub use graphs::Graphs;
pub use library::{Multiplier, Runtime};
pub use needs::Prepared;
pub use observe::{ObserveOptions, StreamObserver, observe, observe_with};
pub use rate::Rates;
pub use single::{Numbers, evaluate};
pub use taps::observation;
