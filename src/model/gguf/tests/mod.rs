//! The reader against the reference, and against files that lie.

mod blocks;
mod hostile;
mod tokens;
mod writer;
