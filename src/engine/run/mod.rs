//! Running graphs in ONNX Runtime: the only code that names `ort`.
//!
//! Weights stream, activations stay: all prompts walk through the blocks once, side by side; the weights of one block
//! at a time are widened to float32 into one reused buffer, or multiplied with as they lie (`crate::products`). What leaves the runtime is norms, not activations.
//!
//! On a device the same walk has two buffers: while one block is computed, the next one's weights go over the bus as they
//! are stored and are widened there. Streams stay there too. Not yet run on a CUDA device: see `rehearsal`.

mod arena;
#[cfg(test)]
mod as_stored;
mod batch;
mod cuda;
mod decoder;
mod graphs;
mod head;
mod library;
mod linear;
mod memory;
mod needs;
mod observe;
mod rate;
mod readout;
#[cfg(test)]
mod rehearsal;
#[cfg(test)]
mod semantics;
mod session;
mod sharing;
mod stager;
mod state;
mod taps;
mod together;
mod trial;
mod upload;
mod vocabulary;
mod weights;
mod work;

use std::path::PathBuf;

pub use batch::longest;
pub use cuda::{Obstacle, Unusable};
pub use decoder::{Decoder, Floats};
pub use graphs::Graphs;
pub use library::{Chosen, Multiplier, Runtime};
pub use needs::{Needs, Prepared};
pub use observe::{Asked, Witness, observe, observe_with};
pub use rate::Rates;
pub use taps::observation;
pub use together::together;

use model::{
    arch::{ArchError, Place},
    checkpoint::CheckpointError,
};

/// Why a run did not give observations.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(
        "no ONNX Runtime library: ORT_DYLIB_PATH is not set and {} holds no libonnxruntime; run `make runtime` or set \
         ORT_DYLIB_PATH to the library", looked.display()
    )]
    NoLibrary { looked: PathBuf },
    #[error(
        "{}: not a usable ONNX Runtime library: {reason}; run `make runtime` or set ORT_DYLIB_PATH to another one",
        path.display()
    )]
    Library { path: PathBuf, reason: String },
    #[error(transparent)]
    Cuda(#[from] Unusable),
    #[error("ONNX Runtime, {graph}: {reason}")]
    Runtime { graph: String, reason: String },
    #[error("prompt {prompt} has no tokens; every prompt needs at least one")]
    EmptyPrompt { prompt: usize },
    #[error("prompt {prompt} has {tokens} tokens; the model's config allows {context}: shorten the prompt")]
    PromptTooLong { prompt: usize, tokens: usize, context: usize },
    #[error(
        "prompt {prompt} has {tokens} tokens; the attention scores of {heads} heads leave room for {most}: shorten the prompt"
    )]
    PromptTooLarge { prompt: usize, tokens: usize, heads: usize, most: usize },
    #[error("{needs}, but {}; {}", available(*limit, *asked), remedy(*asked))]
    Memory { needs: Needs, limit: u64, asked: bool },
    #[error(
        "prompt {prompt}, position {position}: token id {id} is beyond the vocabulary of {vocabulary}; \
         check that the tokenizer belongs to this model"
    )]
    TokenBeyondVocabulary { prompt: usize, position: usize, id: u32, vocabulary: usize },
    #[error("{place}: the output is not finite; {}", not_finite(tensor.as_deref()))]
    NotFinite { place: Place, tensor: Option<String> },
    #[error(
        "{file}: no output {tap:?} (blocks found: {blocks}); `streamgauge tap {file} -o tapped.onnx` adds it"
    )]
    NoTap { file: String, tap: String, blocks: usize },
    #[error(
        "{file}: output {tap:?} has {found} tokens; the prompt has {tokens}: export the decoder without fixed lengths"
    )]
    TapTokens { file: String, tap: String, found: usize, tokens: usize },
    #[error(transparent)]
    Arch(#[from] ArchError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

fn not_finite(tensor: Option<&str>) -> String {
    match tensor {
        Some(name) => format!("tensor {name:?} holds a NaN or an infinity: the checkpoint is damaged"),
        None => "its weights are finite, so the stream left the range of float32".to_string(),
    }
}

fn available(limit: u64, asked: bool) -> String {
    let limit = needs::size(limit);
    if asked { format!("--memory allows {limit}") } else { format!("this machine has {limit} left") }
}

fn remedy(asked: bool) -> &'static str {
    if asked { "allow more" } else { "stop other programs, or leave out long prompts" }
}
