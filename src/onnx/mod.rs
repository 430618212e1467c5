//! ONNX: committed protobuf types and the encoder from the graph IR.
