//! Tables back as text: chosen columns of the rows that meet all conditions, as CSV.

use std::path::{Path, PathBuf};

use polars::prelude::{AnyValue, DataFrame};

use super::columns::{Format, TABLES, table};
use crate::csv_cell::cell;
use crate::manifest::{ResultFileError, ResultsFolder};
use crate::parquet::parquet_frame;

/// `column=value`: keep rows whose column reads so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Name of the column.
    pub column: String,
    /// What the column must read, as the CSV has it.
    pub value: String,
}

impl std::str::FromStr for Condition {
    type Err = String;
    fn from_str(text: &str) -> Result<Condition, String> {
        let (column, value) =
            text.split_once('=').ok_or_else(|| format!("expected COLUMN=VALUE, found {text:?}"))?;
        Ok(Condition { column: column.to_string(), value: value.to_string() })
    }
}

/// Why a table cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No table has this name.
    #[error("there is no table {name:?}; known: {}", TABLES.iter().map(|t| t.name).collect::<Vec<_>>().join(", "))]
    NoTable {
        /// As it was asked for.
        name: String,
    },
    /// The table has no such column.
    #[error("table {table} has no column {column:?}; its columns: {known}")]
    NoColumn {
        /// Name of the table.
        table: &'static str,
        /// As it was asked for.
        column: String,
        /// The columns that it has.
        known: String,
    },
    /// The file is missing, damaged or not as it was written.
    #[error(transparent)]
    File(#[from] ResultFileError),
    /// The file has the bytes that were written, and this program makes nothing of them.
    #[error("{}: {what}; streamgauge report writes it anew", path.display())]
    Content {
        /// The file of the table.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
}

/// The table of a results folder as CSV with a header. No `columns`: all of them. Text is quoted where it
/// must be, missing values are empty, numbers have as many digits as tell them from their neighbours.
///
/// # Errors
/// An unknown table or column, a file that is missing or not as it was written.
pub fn text(
    results: &Path,
    name: &str,
    columns: &[String],
    conditions: &[Condition],
) -> Result<String, ReadError> {
    let described = table(name).ok_or_else(|| ReadError::NoTable { name: name.to_string() })?;
    let (folder, file) = (ResultsFolder::open(results)?, format!("tables/{}", described.file()));
    let bytes = folder.read(&file)?;
    let fail = |what: String| ReadError::Content { path: folder.path(&file), what };
    let place = |column: &str, header: &[String]| {
        header.iter().position(|known| known == column).ok_or_else(|| ReadError::NoColumn {
            table: described.name,
            column: column.to_string(),
            known: header.join(", "),
        })
    };
    let (header, rows): (Vec<String>, Rows) = match described.format {
        Format::Parquet => {
            let frame = parquet_frame(bytes).map_err(|error| fail(error.to_string()))?;
            let header = frame.get_column_names().iter().map(|name| name.to_string()).collect();
            (header, Rows::Frame(frame))
        }
        Format::Csv => csv_rows(&bytes).map_err(|error| fail(error.to_string()))?,
    };
    let wanted: Vec<usize> = match columns {
        [] => (0..header.len()).collect(),
        some => some.iter().map(|column| place(column, &header)).collect::<Result<_, _>>()?,
    };
    let asked: Vec<(usize, &str)> = conditions
        .iter()
        .map(|c| Ok((place(&c.column, &header)?, c.value.as_str())))
        .collect::<Result<_, ReadError>>()?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut put = |row: &dyn Fn(usize) -> String| {
        let fields: Vec<String> = wanted.iter().map(|&c| cell(&row(c)).into_owned()).collect();
        writer.write_record(fields).map_err(|error| fail(error.to_string()))
    };
    put(&|c| header[c].clone())?;
    for row in 0..rows.height() {
        if asked.iter().all(|&(c, value)| rows.get(row, c) == value) {
            put(&|c| rows.get(row, c))?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| fail(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| fail(error.to_string()))
}

enum Rows {
    Frame(DataFrame),
    Records(Vec<csv::StringRecord>),
}

impl Rows {
    fn height(&self) -> usize {
        match self {
            Rows::Frame(frame) => frame.height(),
            Rows::Records(records) => records.len(),
        }
    }

    fn get(&self, row: usize, column: usize) -> String {
        match self {
            Rows::Records(records) => {
                records.get(row).and_then(|record| record.get(column)).unwrap_or("").to_string()
            }
            Rows::Frame(frame) => match frame.columns()[column].get(row) {
                Ok(AnyValue::String(text)) => text.to_string(),
                Ok(AnyValue::Float32(value)) => format!("{value:?}"),
                Ok(AnyValue::Float64(value)) => format!("{value:?}"),
                Ok(AnyValue::Null) | Err(_) => String::new(),
                Ok(other) => other.to_string(),
            },
        }
    }
}

fn csv_rows(bytes: &[u8]) -> Result<(Vec<String>, Rows), csv::Error> {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers()?.iter().map(str::to_string).collect();
    Ok((header, Rows::Records(reader.records().collect::<Result<_, _>>()?)))
}
