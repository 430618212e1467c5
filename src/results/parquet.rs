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
    let mut bytes = Vec::new();
    writer(&mut bytes).finish(frame)?;
    Ok(bytes)
}

/// Parquet bytes of a table for other tools, of which one part at a time is in memory: a row group each, of the same columns; a
/// part without rows says only what the columns are. polars notes its own type of strings, `string_view`, beside the columns;
/// readers that believe it cannot filter by them. What is noted here is the type that every reader of Arrow has.
pub fn parquet_bytes_for_all(
    parts: impl IntoIterator<Item = PolarsResult<DataFrame>>,
) -> PolarsResult<Vec<u8>> {
    let mut parts = parts.into_iter();
    let Some(first) = parts.next().transpose()? else {
        return Err(PolarsError::NoData("a table without any part".into()));
    };
    let common = first.schema().to_arrow(CompatLevel::oldest());
    let noted = KeyValueMetadata::Static(vec![schema_to_metadata_key(&common)]);
    let mut bytes = Vec::new();
    let mut writer = writer(&mut bytes).with_key_value_metadata(Some(noted)).batched(first.schema())?;
    for part in std::iter::once(Ok(first)).chain(parts) {
        let part = part?;
        if part.height() > 0 {
            writer.write_batch(&part)?;
        }
    }
    writer.finish()?;
    drop(writer);
    Ok(bytes)
}

fn writer(bytes: &mut Vec<u8>) -> ParquetWriter<&mut Vec<u8>> {
    ParquetWriter::new(bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .with_statistics(StatisticsOptions::empty())
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
        let bytes = parquet_bytes_for_all([Ok(frame.clone())]).unwrap();
        assert_eq!(noted(&bytes), common);
        assert_eq!(noted(&parquet_bytes(&mut frame).unwrap()), own, "what the store holds keeps its bytes");
        assert!(parquet_frame(bytes).unwrap().equals_missing(&frame));
    }

    #[test]
    fn parts_of_a_table_are_read_as_one() {
        let part = |values: &[f64]| DataFrame::new(values.len(), vec![Column::new("value".into(), values)]);
        let of = |parts: &[&[f64]]| {
            let bytes = parquet_bytes_for_all(parts.iter().map(|values| part(values))).unwrap();
            parquet_frame(bytes).unwrap()
        };
        assert!(of(&[&[], &[1.0, 2.0], &[], &[3.0]]).equals(&part(&[1.0, 2.0, 3.0]).unwrap()));
        assert!(of(&[&[]]).equals(&part(&[]).unwrap()));
        assert!(parquet_bytes_for_all([]).is_err());
    }
}
