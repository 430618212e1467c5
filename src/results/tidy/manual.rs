//! `tables/README.md`: the manual of the tables, for people.

use super::columns::{TABLES, Type};

/// Every table with every column, and how to open them.
pub fn manual() -> String {
    let mut text = String::from(
        "# Tables\n\nWritten by `streamgauge run`; the same run writes the same bytes. A number never travels without the \
         protocol that produced it: compare rows only where `reduction`, `endpoint`, `bos` (or `protocol`) agree. \
         Norms are Euclidean, logarithms natural. In CSV files a text that a spreadsheet would \
         take for a formula has a `'` before it. `datapackage.json` says the same for programs (Frictionless Data Package), \
         `streamgauge tables` prints, filters and turns tables into CSV.\n\n\
         ```\n\
         pandas    pandas.read_parquet(\"results/tables/measurements.parquet\")\n\
         DuckDB    SELECT * FROM 'results/tables/measurements.parquet'\n\
         R         read.csv(pipe(\"streamgauge tables measurements\"))   # or arrow::read_parquet(…)\n\
         ```\n\nWhole examples: `scripts/examples`.\n",
    );
    for table in TABLES.iter() {
        text.push_str(&format!(
            "\n## {}\n\nOne row is {}.\n\n| column | type | unit | meaning |\n|---|---|---|---|\n",
            table.file(),
            table.row
        ));
        for column in &table.columns {
            text.push_str(&format!(
                "| `{}` | {} | {} | {} |\n",
                column.name,
                word(column.kind),
                column.unit,
                column.meaning
            ));
        }
    }
    text
}

fn word(kind: Type) -> &'static str {
    match kind {
        Type::Text => "text",
        Type::Integer => "integer",
        Type::Number => "number",
        Type::Truth => "true/false",
    }
}
