//! Checkpoints on disk (`checkpoint`, `gguf`, `hub`, `sentencepiece`), the families that are known (`arch`, built of `nn`), and ONNX
//! graphs made of them (`graph`, `onnx`, `export`), or opened as other tools exported them (`tap`).

pub mod arch;
pub mod checkpoint;
pub mod export;
pub mod gguf;
pub mod graph;
pub mod hub;
pub mod nn;
pub mod onnx;
mod sentencepiece;
pub mod tap;
