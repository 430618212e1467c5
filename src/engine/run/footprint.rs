//! How much memory a run needs, and how that is said.

use std::fmt;

use bytesize::ByteSize;

/// The program, the runtime's library and a tokenizer of 128,000 tokens.
const PROGRAM: u64 = 128 << 20;

/// Anonymous memory of a run in bytes, at most: what the machine must have. Pages of the checkpoint's files come on top and
/// can be evicted at will.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// What is widened to float32 of the largest module, or a piece of the head, or the factors of the products whose rate is
    /// measured.
    pub weights: u64,
    /// Activations of the largest group of prompts inside one block.
    pub activations: u64,
    /// The stream of all prompts between two blocks, and rows that are kept for the loss and the lens.
    pub streams: u64,
    /// What is seen at every layer, of the rows and then of each prompt's tokens.
    pub seen: u64,
}

impl Needs {
    /// Bytes of all parts and of the program itself.
    pub fn total(&self) -> u64 {
        PROGRAM + self.weights + self.activations + self.streams + self.seen
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [total, weights, activations, streams, seen] =
            [self.total(), self.weights, self.activations, self.streams, self.seen].map(size);
        write!(
            f,
            "this takes up to {total} of memory ({weights} weights made ready, {activations} a block's activations, \
             {streams} the streams of all prompts, {seen} what is seen in them, {} the program)",
            size(PROGRAM)
        )
    }
}

/// Bytes for people.
pub(super) fn size(bytes: u64) -> String {
    ByteSize(bytes).display().iec().to_string()
}
