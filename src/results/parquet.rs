//! Parquet files with the same bytes for the same columns, and back.

mod lengths;
mod thrift;

use std::io::Cursor;

use polars::prelude::*;
use polars_parquet::write::schema_to_metadata_key;

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

/// Parquet bytes of a table that this program reads. No statistics: they cost space and nothing here filters by them.
pub fn parquet_bytes(frame: &mut DataFrame) -> PolarsResult<Vec<u8>> {
    write(frame, None)
}

/// Parquet bytes of a table for other tools. polars notes its own type of strings, `string_view`, beside the columns; readers
/// that believe it cannot filter by them. What is noted here is the type that every reader of Arrow has.
pub fn parquet_bytes_for_all(frame: &mut DataFrame) -> PolarsResult<Vec<u8>> {
    let common = frame.schema().to_arrow(CompatLevel::oldest());
    write(frame, Some(KeyValueMetadata::Static(vec![schema_to_metadata_key(&common)])))
}

fn write(frame: &mut DataFrame, noted: Option<KeyValueMetadata>) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_statistics(StatisticsOptions::empty())
        .with_key_value_metadata(noted)
        .finish(frame)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use polars_parquet::parquet::read::read_metadata;

    use super::*;

    /// The Arrow types that a file notes beside its columns.
    fn noted(bytes: &[u8]) -> String {
        let metadata = read_metadata(&mut Cursor::new(bytes)).unwrap();
        let pairs = metadata.key_value_metadata().clone().unwrap_or_default();
        pairs.into_iter().filter(|pair| pair.key == "ARROW:schema").filter_map(|pair| pair.value).collect()
    }

    #[test]
    fn a_table_for_all_notes_types_that_every_reader_has() {
        let columns = vec![
            Column::new("text".into(), [Some("a"), None]),
            Column::new("layer".into(), [Some(1u32), None]),
            Column::new("value".into(), [1.5f64, 2.5]),
        ];
        let mut frame = DataFrame::new(2, columns).unwrap();
        let schema = |level| schema_to_metadata_key(&frame.schema().to_arrow(level)).value.unwrap();
        let (common, own) = (schema(CompatLevel::oldest()), schema(CompatLevel::newest()));
        assert_ne!(common, own);
        let bytes = parquet_bytes_for_all(&mut frame).unwrap();
        assert_eq!(noted(&bytes), common);
        assert_eq!(noted(&parquet_bytes(&mut frame).unwrap()), own, "what the store holds keeps its bytes");
        assert!(parquet_frame(bytes).unwrap().equals_missing(&frame));
    }
}
