//! Parquet files with the same bytes for the same columns.

use polars::prelude::*;

/// Parquet bytes of a table. No statistics: they cost space and nothing here filters by them.
pub fn parquet_bytes(frame: &mut DataFrame) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_statistics(StatisticsOptions::empty())
        .finish(frame)?;
    Ok(bytes)
}
