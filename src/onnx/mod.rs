//! ONNX: committed protobuf types and the encoder from the graph IR.

mod encode;
pub mod proto;

pub use encode::{External, OPSET, Stored, encode, encode_with_weights};
