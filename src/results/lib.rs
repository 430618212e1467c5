//! What a run leaves for readers: report, tidy tables, a baseline to compare with.

mod csv_cell;
pub mod manifest;
pub mod parquet;
pub mod regress;
pub mod report;
pub mod tables;
pub mod tidy;
