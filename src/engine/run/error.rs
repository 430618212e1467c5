//! What can keep a run from giving observations.

use std::path::PathBuf;

use super::{
    cuda::Unusable,
    footprint::{self, Needs},
};
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
    let limit = footprint::size(limit);
    if asked { format!("--memory allows {limit}") } else { format!("this machine has {limit} left") }
}

fn remedy(asked: bool) -> &'static str {
    if asked { "allow more" } else { "stop other programs, or leave out long prompts" }
}
