//! ONNX: committed protobuf types and the encoder from the graph IR.

mod encode;
pub mod proto;
mod tiles;
mod widening;

pub use encode::{External, OPSET, SIGNATURE, Stored, encode, encode_with_weights};
pub use tiles::{DOMAIN, LINEAR, SPLIT, with_stored};
pub use widening::{STORED, WIDENED, widening};
