//! Whole walks and single formulas, run in ONNX Runtime.

mod as_stored;
mod blocks;
mod device_memory;
mod formulas;
