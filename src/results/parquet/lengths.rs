//! Lengths that a Parquet file states, held against its size before memory is reserved for them.

use std::io::Cursor;

use polars_parquet::parquet::metadata::ColumnChunkMetadata;
use polars_parquet::parquet::read::read_metadata;
use polars_parquet_format::{PageHeader, thrift::protocol::TCompactInputProtocol};

use super::thrift;

/// Values that the groups, columns and pages of any file may state together, and how many more for each of its bytes. A table
/// with any numbers in it is far below: its other columns may be one value repeated, which takes no room.
const VALUES: u64 = 1 << 22;
const VALUES_BY_BYTE: u64 = 64;
/// Likewise of bytes before they were compressed.
const BYTES: u64 = 64 << 20;
const BYTES_BY_BYTE: u64 = 64;

/// What a file may still state.
struct Room {
    values: u64,
    bytes: u64,
}

/// Checks that no length is negative, and that together they are not out of proportion.
///
/// # Errors
/// The length that is.
pub(super) fn check(file: &[u8]) -> Result<(), String> {
    footer(file).and_then(thrift::walk).ok_or("a footer that does not end in the file")?;
    let metadata = read_metadata(&mut Cursor::new(file)).map_err(|error| error.to_string())?;
    let size = file.len() as u64;
    let mut room = Room {
        values: VALUES.saturating_add(VALUES_BY_BYTE.saturating_mul(size)),
        bytes: BYTES.saturating_add(BYTES_BY_BYTE.saturating_mul(size)),
    };
    for group in &metadata.row_groups {
        take(&mut room.values, group.num_rows() as i64, "rows")?;
        for column in group.parquet_columns() {
            pages(file, column, &mut room)?;
        }
    }
    Ok(())
}

/// The bytes that describe the columns: their length and a mark come last.
fn footer(file: &[u8]) -> Option<&[u8]> {
    let (rest, end) = file.split_last_chunk::<8>()?;
    let length = u32::from_le_bytes(*end.first_chunk()?);
    rest.get(rest.len().checked_sub(length as usize)?..)
}

/// Reads the header of every page of a column.
fn pages(file: &[u8], column: &ColumnChunkMetadata, room: &mut Room) -> Result<(), String> {
    let range = column.byte_range();
    let range = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
    let mut rest = range.and_then(|(start, end)| file.get(start..end)).ok_or("a column beyond the end")?;
    take(&mut room.values, column.num_values(), "values of a column")?;
    while !rest.is_empty() {
        let mut protocol = TCompactInputProtocol::new(&mut rest, file.len());
        let header = PageHeader::read_from_in_protocol(&mut protocol).map_err(|error| error.to_string())?;
        take(&mut room.bytes, header.uncompressed_page_size.into(), "bytes of a page")?;
        let first = header.data_page_header.as_ref().map(|page| page.num_values);
        let second = header.data_page_header_v2.as_ref().map(|page| page.num_values);
        let distinct = header.dictionary_page_header.as_ref().map(|page| page.num_values);
        for values in [first, second, distinct].into_iter().flatten() {
            take(&mut room.values, values.into(), "values of a page")?;
        }
        let length = usize::try_from(header.compressed_page_size).ok();
        rest = length.and_then(|length| rest.get(length..)).ok_or("a page beyond the end of its column")?;
    }
    Ok(())
}

fn take(room: &mut u64, length: i64, what: &str) -> Result<(), String> {
    let left = u64::try_from(length).ok().and_then(|length| room.checked_sub(length));
    *room = left.ok_or_else(|| format!("{length} {what}, which cannot be in a file of this size"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Column, DataFrame};

    use super::*;
    use crate::parquet::{parquet_bytes, parquet_frame};

    #[test]
    fn a_table_of_one_value_repeated_is_read() {
        let rows = 900_000;
        let columns = vec![Column::new("same".into(), vec![None::<f64>; rows])];
        let bytes = parquet_bytes(&mut DataFrame::new(rows, columns).unwrap()).unwrap();
        assert!(bytes.len() < 10_000);
        assert_eq!(parquet_frame(bytes).unwrap().height(), rows);
    }

    #[test]
    fn a_length_that_the_file_cannot_have_is_refused() {
        let columns = vec![Column::new("number".into(), (0..50u32).collect::<Vec<_>>())];
        let bytes = parquet_bytes(&mut DataFrame::new(50, columns).unwrap()).unwrap();
        assert!(check(&bytes).is_ok());
        // Of 50 values one byte says so, as a varint of twice as much: 99 is -50.
        let places = (0..bytes.len()).filter(|&at| bytes[at] == 100);
        let refused = places.filter(|&at| {
            let mut bytes = bytes.clone();
            bytes[at] = 99;
            assert!(parquet_frame(bytes.clone()).is_err() || check(&bytes).is_ok());
            check(&bytes).is_err_and(|error| error.contains("-50"))
        });
        assert!(refused.count() >= 3, "rows, values of the column, values of the page");
        for length in 0..bytes.len() {
            assert!(parquet_frame(bytes[..length].to_vec()).is_err());
        }
    }
}
