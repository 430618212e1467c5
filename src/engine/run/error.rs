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
    /// No library of ONNX Runtime was named or fetched.
    #[error(
        "no ONNX Runtime library: ORT_DYLIB_PATH is not set and {} holds no libonnxruntime; run `make runtime` or set \
         ORT_DYLIB_PATH to the library", looked.display()
    )]
    NoLibrary {
        /// The folder where it was looked for.
        looked: PathBuf,
    },
    /// The library cannot be loaded, or is too old.
    #[error(
        "{}: not a usable ONNX Runtime library: {reason}; run `make runtime` or set ORT_DYLIB_PATH to another one",
        path.display()
    )]
    Library {
        /// The library.
        path: PathBuf,
        /// What the loader or the library said.
        reason: String,
    },
    /// The CUDA device cannot be used.
    #[error(transparent)]
    Cuda(#[from] Unusable),
    /// ONNX Runtime refused a graph or failed in it.
    #[error("ONNX Runtime, {graph}: {reason}")]
    Runtime {
        /// Name of the graph.
        graph: String,
        /// What ONNX Runtime said.
        reason: String,
    },
    /// A prompt without tokens.
    #[error("prompt {prompt} has no tokens; every prompt needs at least one")]
    EmptyPrompt {
        /// Its index among the prompts of the run.
        prompt: usize,
    },
    /// A prompt longer than the context of the config.
    #[error("prompt {prompt} has {tokens} tokens; the model's config allows {context}: shorten the prompt")]
    PromptTooLong {
        /// Its index among the prompts of the run.
        prompt: usize,
        /// Its length in tokens.
        tokens: usize,
        /// The longest that the config allows, tokens.
        context: usize,
    },
    /// A prompt beyond which the model computes what this instrument does not.
    #[error(
        "prompt {prompt} has {tokens} tokens; `{key}` of the model's config is {most}, and in longer prompts {beyond}, which is not \
         computed: shorten the prompt"
    )]
    PromptBeyond {
        /// Its index among the prompts of the run.
        prompt: usize,
        /// Its length in tokens.
        tokens: usize,
        /// The longest prompt that is computed, tokens.
        most: usize,
        /// The key of the config.
        key: &'static str,
        /// What the model computes beyond it.
        beyond: &'static str,
    },
    /// A prompt whose attention scores are more than one tensor may hold.
    #[error(
        "prompt {prompt} has {tokens} tokens; the attention scores of {heads} heads leave room for {most}: shorten the prompt"
    )]
    PromptTooLarge {
        /// Its index among the prompts of the run.
        prompt: usize,
        /// Its length in tokens.
        tokens: usize,
        /// Query heads of the model.
        heads: usize,
        /// The longest prompt at that number of heads, tokens.
        most: usize,
    },
    /// The smallest way to run needs more memory than there is, or than was allowed.
    #[error("{needs}, but {}; {}", available(*limit, *asked), remedy(*asked))]
    Memory {
        /// What the smallest way to run takes.
        needs: Needs,
        /// What there is, bytes.
        limit: u64,
        /// Whether the limit was asked for, or is what the machine has left.
        asked: bool,
    },
    /// A token id that the embedding has no row for.
    #[error(
        "prompt {prompt}, position {position}: token id {id} is beyond the vocabulary of {vocabulary}; \
         check that the tokenizer belongs to this model"
    )]
    TokenBeyondVocabulary {
        /// Its index among the prompts of the run.
        prompt: usize,
        /// Position in the prompt, from 0.
        position: usize,
        /// The token id.
        id: u32,
        /// Rows of the embedding.
        vocabulary: usize,
    },
    /// An output holds NaN or infinity.
    #[error("{place}: the output is not finite; {}", not_finite(tensor.as_deref()))]
    NotFinite {
        /// Where in the model.
        place: Place,
        /// The weight that is not finite either, if one is.
        tensor: Option<String>,
    },
    /// A decoder of another tool gives no output of this name.
    #[error(
        "{file}: no output {tap:?} (blocks found: {blocks}); `streamgauge tap {file} -o tapped.onnx` adds it"
    )]
    NoTap {
        /// The ONNX file.
        file: String,
        /// Name of the missing output.
        tap: String,
        /// How many blocks have their outputs.
        blocks: usize,
    },
    /// A decoder of another tool gives an output of another length than the prompt.
    #[error(
        "{file}: output {tap:?} has {found} tokens; the prompt has {tokens}: export the decoder without fixed lengths"
    )]
    TapTokens {
        /// The ONNX file.
        file: String,
        /// Name of the output.
        tap: String,
        /// Its length in tokens.
        found: usize,
        /// Length of the prompt in tokens.
        tokens: usize,
    },
    /// A tap of a decoder of another tool holds NaN or infinity.
    #[error(
        "{file}: the output {tap:?} is not finite: the first such one of the flow. The decoder computes in {dtype}{}",
        if *dtype == "float32" {
            "; give it other tokens, or check its weights"
        } else {
            ", whose range its numbers left: export it in float32"
        }
    )]
    TapNotFinite {
        /// Name of the file.
        file: String,
        /// Name of the output.
        tap: String,
        /// The type that it computes in.
        dtype: &'static str,
    },
    /// The config describes no known model, or the weights do not fit it.
    #[error(transparent)]
    Arch(#[from] ArchError),
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl RunError {
    /// Whether every other walk of the model would fail as well, whatever its prompts.
    pub fn is_of_the_model(&self) -> bool {
        match self {
            RunError::Arch(_) | RunError::Checkpoint(_) => true,
            // Of the embedding a walk reads the rows of its tokens.
            RunError::NotFinite { place, tensor } => *place != Place::Embedding && tensor.is_some(),
            _ => false,
        }
    }
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
