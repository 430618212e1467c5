//! Tables: columns with a heading, rows of cells.

use super::line::{Line, Span};

/// A table; one without rows is not written.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Table {
    /// What the table shows.
    pub caption: String,
    /// Whether readers will want to search it, where the form can.
    pub filter: bool,
    /// Whether a narrow form sets the last cell of a row, a sentence, below the others.
    pub stacked: bool,
    /// One for each cell of a row.
    pub columns: Vec<Column>,
    /// Rows of as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Column {
    /// The heading.
    pub head: Line,
    /// Whether rows can be picked by the keys of its cells: it has few different ones.
    pub pick: bool,
    /// Whether a narrow form may leave it out.
    pub detail: bool,
}

/// A cell of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::report) struct Cell {
    /// What it says.
    pub line: Line,
    /// A remark below.
    pub minor: Line,
    /// Items below.
    pub items: Vec<Line>,
    /// Whether it names its row.
    pub heads_row: bool,
    /// What it is sorted and picked by, where that is not its text.
    pub key: Option<String>,
    /// The address of its row.
    pub id: Option<String>,
}

impl Table {
    /// A table without rows.
    pub(in crate::report) fn new(
        caption: impl Into<String>,
        columns: impl IntoIterator<Item = Column>,
    ) -> Table {
        Table {
            caption: caption.into(),
            filter: false,
            stacked: false,
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
        }
    }

    /// The same table, to be searched.
    pub(in crate::report) fn filtered(self) -> Table {
        Table { filter: true, ..self }
    }

    /// The same table, whose rows end with a sentence.
    pub(in crate::report) fn stacked(self) -> Table {
        Table { stacked: true, ..self }
    }

    /// The same table with these rows.
    pub(in crate::report) fn with(self, rows: impl IntoIterator<Item = Vec<Cell>>) -> Table {
        Table { rows: rows.into_iter().collect(), ..self }
    }
}

/// A column with a heading.
pub(in crate::report) fn column(head: impl Into<Line>) -> Column {
    Column { head: head.into(), pick: false, detail: false }
}

impl Column {
    pub(in crate::report) fn pick(self) -> Column {
        Column { pick: true, ..self }
    }

    pub(in crate::report) fn detail(self) -> Column {
        Column { detail: true, ..self }
    }
}

impl Cell {
    pub(in crate::report) fn new(line: impl Into<Line>) -> Cell {
        Cell { line: line.into(), ..Cell::default() }
    }

    /// A cell that names its row.
    pub(in crate::report) fn head(line: impl Into<Line>) -> Cell {
        Cell { heads_row: true, ..Cell::new(line) }
    }

    pub(in crate::report) fn key(self, key: impl ToString) -> Cell {
        Cell { key: Some(key.to_string()), ..self }
    }

    pub(in crate::report) fn id(self, id: impl Into<String>) -> Cell {
        Cell { id: Some(id.into()), ..self }
    }

    pub(in crate::report) fn minor(self, minor: impl Into<Line>) -> Cell {
        Cell { minor: minor.into(), ..self }
    }

    pub(in crate::report) fn items(self, items: Vec<Line>) -> Cell {
        Cell { items, ..self }
    }

    /// Whether it holds numbers and nothing else.
    pub(in crate::report) fn is_number(&self) -> bool {
        let mut spans = self.line.0.iter();
        !self.heads_row && !self.line.is_empty() && spans.all(|span| matches!(span, Span::Number { .. }))
    }
}

impl<L: Into<Line>> From<L> for Cell {
    fn from(line: L) -> Cell {
        Cell::new(line)
    }
}

/// A row of cells, each a cell or what a line can be made of.
macro_rules! row {
    ($($cell:expr),* $(,)?) => { vec![$($crate::report::document::Cell::from($cell)),*] };
}
pub(in crate::report) use row;
