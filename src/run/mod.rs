//! Running graphs in ONNX Runtime: the only code that names `ort`.
