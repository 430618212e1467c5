//! ONNX: committed protobuf types and the encoder from the graph IR.

mod encode;
pub mod proto;

pub use encode::{OPSET, encode};
