//! Parquet files with the same bytes for the same columns, and back.

mod lengths;
mod thrift;

use std::io::Cursor;

use polars::prelude::*;

use base::contain::contain;

/// The table of a Parquet file.
///
/// polars believes the lengths in a file, reserves memory for them, and panics on some files that it did not write or
/// cannot map. So it is given bytes, their lengths are held against their number first, and what it does is contained.
pub fn parquet_frame(bytes: Vec<u8>) -> PolarsResult<DataFrame> {
    let wrong = |what: String| PolarsError::ComputeError(what.into());
    let read = || {
        lengths::check(&bytes).map_err(wrong)?;
        let frame = ParquetReader::new(Cursor::new(bytes)).finish()?;
        match frame.columns().iter().all(|column| column.len() == frame.height()) {
            true => Ok(frame),
            false => Err(wrong("columns of several lengths".to_string())),
        }
    };
    contain(read).unwrap_or_else(|panic| Err(wrong(panic.to_string())))
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
