//! GGUF, the file format of llama.cpp and most local runtimes: one file with metadata, tokenizer and quantised tensors.
//!
//! `header` reads the metadata (`metadata`) and the directory of tensors (`directory`) of bytes that it believes nothing of;
//! `encoding` lists how tensors are stored, `dequantise` turns each of these into float32; `description` says what checkpoint a
//! file holds: its config (`rope`, `own`), and the names and layouts (`layout`) of its tensors as the rest of this program knows
//! them, family by family (`table`).
//!
//! Format: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. The reader is our own, on `memmap2`: of the crates
//! for GGUF none bounds what a hostile file declares with errors that name the key, and none dequantises every type
//! exactly; candle's, the best kept, brings a tensor library and knows no IQ type.

mod cursor;
pub mod dequantise;
mod description;
mod directory;
mod encoding;
mod error;
mod families;
mod family;
mod header;
mod layout;
mod metadata;
mod own;
mod rope;
mod source;
mod splits;
mod table;
mod tokenizer;
mod value;

pub use description::{Description, Stored, describe};
pub use directory::Declared;
pub use encoding::Encoding;
pub(crate) use error::AGAIN;
pub use error::GgufError;
pub use families::name_in_file;
pub use header::{Header, MAGIC};
pub use layout::Layout;
pub use metadata::{Metadata, Places};
pub use tokenizer::{Tokenizer, tokenizer};
pub use value::Value;

#[cfg(test)]
mod tests;
