//! Walks a checkpoint through ONNX Runtime block by block (`run`, `products`), and weighs its matrices (`weigh`).

mod products;
pub mod run;
pub mod spectra;
pub mod spectral;
pub mod weigh;
