//! streamgauge: an instrument for the residual stream of language models.
//!
//! One way through, file by file:
//! `config` (TOML to types) → `plan` (jobs and keys) → `checkpoint`, `arch`, `nn`, `graph`, `onnx` (ONNX graphs from a
//! config) → `run` (ONNX Runtime) → `store` (Parquet by content hash) → `evidence`, `metric` (numbers with protocols) → `stats`, `judge` (verdicts) → `report`. `hub` brings
//! checkpoints that are not here, `tap` opens decoders that other tools exported, `regress` compares a run with a baseline
//! or another run, `registration` a hypothesis with what it first said, `tidy` gives results to other tools. Only
//! `pipeline` chains stages; `cli` calls it.

pub mod analysis;
pub mod arch;
pub mod checkpoint;
pub mod claims;
pub mod cli;
pub mod config;
pub mod device;
pub mod evidence;
pub mod facts;
pub mod glob;
pub mod graph;
pub mod hash;
pub mod hub;
pub mod judge;
pub mod metric;
pub mod nn;
pub mod observation;
pub mod onnx;
pub mod pipeline;
pub mod plan;
mod products;
pub mod progress;
pub mod protocol;
mod publish;
pub mod registration;
pub mod regress;
pub mod report;
pub mod run;
pub mod spectra;
pub mod stats;
pub mod store;
pub mod tap;
pub mod tidy;
pub mod weigh;
