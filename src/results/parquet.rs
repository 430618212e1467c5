//! Parquet files with the same bytes for the same columns, and back.

use std::io::Cursor;

use polars::prelude::*;

use base::contain::contain;

/// The table of a Parquet file. polars panics on some that it did not write, and on a file that it cannot map: it is given bytes.
pub fn parquet_frame(bytes: Vec<u8>) -> PolarsResult<DataFrame> {
    contain(|| ParquetReader::new(Cursor::new(bytes)).finish())
        .unwrap_or_else(|panic| Err(PolarsError::ComputeError(panic.to_string().into())))
}

/// Parquet bytes of a table. No statistics: they cost space and nothing here filters by them.
pub fn parquet_bytes(frame: &mut DataFrame) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_statistics(StatisticsOptions::empty())
        .finish(frame)?;
    Ok(bytes)
}
