//! ONNX: committed protobuf types and the encoder from the graph IR.

mod encode;
pub mod proto;
mod stored;
mod widening;

pub use encode::{External, OPSET, SIGNATURE, Stored, encode, encode_with_weights};
pub use stored::{ARRANGE, DOMAIN, LINEAR_BF16, LINEAR_F16, with_stored};
pub use widening::{STORED, WIDENED, widening};
