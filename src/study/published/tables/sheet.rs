//! Reading a CSV table of words and numbers with errors that name file, line and column.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::bounds::Numbers;
use super::error::EvidenceError;
use base::foreign::{self, Kind};

/// A CSV file in memory. Lines are counted in the file, the header being line 1.
pub(super) struct Sheet {
    file: PathBuf,
    bytes: Vec<u8>,
    columns: BTreeMap<String, usize>,
    rows: Vec<csv::StringRecord>,
}

/// One line of a sheet.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    sheet: &'a Sheet,
    record: &'a csv::StringRecord,
}

impl Sheet {
    /// Reads `folder/name`. Every column of `needed` must be there, and every cell of `numbers` that is not empty within its
    /// bounds, whether it is imported or not; further columns are left alone.
    pub(super) fn read(
        folder: &Path,
        name: &str,
        needed: &[&str],
        numbers: Numbers,
    ) -> Result<Sheet, EvidenceError> {
        let file = folder.join(name);
        let bytes = foreign::read(&file, Kind::Table)
            .map_err(|source| EvidenceError::Read { file: file.clone(), source })?;
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let broken = |source| EvidenceError::Csv { file: file.clone(), source };
        let header = reader.headers().map_err(broken)?.clone();
        let columns: BTreeMap<String, usize> =
            header.iter().enumerate().map(|(at, name)| (name.to_string(), at)).collect();
        if let Some(column) = needed.iter().find(|name| !columns.contains_key(**name)) {
            return Err(EvidenceError::Column {
                file,
                column: column.to_string(),
                found: header.iter().collect::<Vec<_>>().join(", "),
            });
        }
        let rows = reader.records().collect::<Result<Vec<_>, _>>().map_err(broken)?;
        drop(reader);
        let sheet = Sheet { file, bytes, columns, rows };
        for row in sheet.rows() {
            for (column, bounds) in numbers {
                if row.some(column).is_some_and(|text| !bounds.hold(text)) {
                    return Err(row.bad(column, bounds.in_words()));
                }
            }
        }
        Ok(sheet)
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|record| Row { sheet: self, record })
    }
}

impl<'a> Row<'a> {
    /// The cell as it is; empty when the sheet has no such column.
    pub(super) fn text(self, column: &str) -> &'a str {
        self.sheet.columns.get(column).and_then(|at| self.record.get(*at)).unwrap_or("")
    }

    /// The cell, `None` when it is empty.
    pub(super) fn some(self, column: &str) -> Option<&'a str> {
        Some(self.text(column)).filter(|text| !text.is_empty())
    }

    pub(super) fn required(self, column: &str) -> Result<&'a str, EvidenceError> {
        self.some(column).ok_or_else(|| self.bad(column, "a value"))
    }

    /// A finite number, `None` when the cell is empty.
    pub(super) fn number(self, column: &str) -> Result<Option<f64>, EvidenceError> {
        let parse = |text: &str| text.parse::<f64>().ok().filter(|x| x.is_finite());
        self.some(column)
            .map(|text| parse(text).ok_or_else(|| self.bad(column, "a finite number")))
            .transpose()
    }

    /// A number that is never missing.
    pub(super) fn required_number(self, column: &str) -> Result<f64, EvidenceError> {
        self.number(column)?.ok_or_else(|| self.bad(column, "a finite number"))
    }

    /// A whole number, `None` when the cell is empty.
    pub(super) fn integer<T: std::str::FromStr>(self, column: &str) -> Result<Option<T>, EvidenceError> {
        self.some(column)
            .map(|text| text.parse().map_err(|_| self.bad(column, "a whole number that is not negative")))
            .transpose()
    }

    /// One of the known words (the empty word may be among them).
    pub(super) fn word<T: Copy>(self, column: &str, known: &[(&str, T)]) -> Result<T, EvidenceError> {
        let found = self.text(column);
        known.iter().find(|(word, _)| *word == found).map(|(_, meaning)| *meaning).ok_or_else(|| {
            let words: Vec<String> = known.iter().map(|(word, _)| format!("{word:?}")).collect();
            self.bad(column, &format!("one of {}", words.join(", ")))
        })
    }

    /// The error for a cell of this row.
    pub(super) fn bad(self, column: &str, expected: &str) -> EvidenceError {
        EvidenceError::Cell {
            file: self.sheet.file.clone(),
            line: self.line(),
            column: column.to_string(),
            found: self.text(column).to_string(),
            expected: expected.to_string(),
        }
    }

    /// The reader's own line counter takes a record to begin at the line feed that ends the one before it, when lines end
    /// in CR LF.
    fn line(self) -> u64 {
        let bytes = &self.sheet.bytes;
        let at = self.record.position().map_or(0, |position| position.byte() as usize);
        let is_break = |byte: &&u8| matches!(**byte, b'\r' | b'\n');
        let start = at + bytes[at.min(bytes.len())..].iter().take_while(is_break).count();
        1 + bytes.iter().take(start).filter(|byte| **byte == b'\n').count() as u64
    }
}
