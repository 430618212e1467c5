//! `tables/datapackage.json`: the tables as a Frictionless Data Package (specs.frictionlessdata.io, Table Schema).

use serde_json::{Value, json};

use super::columns::{Column, Format, TABLES, Type};

/// The descriptor, indented, with a final newline.
pub fn package(experiment: &str, title: &str) -> String {
    let resources: Vec<Value> = TABLES
        .iter()
        .map(|table| {
            let (format, media) = match table.format {
                Format::Parquet => ("parquet", "application/vnd.apache.parquet"),
                Format::Csv => ("csv", "text/csv"),
            };
            json!({
                "name": table.name,
                "path": table.file(),
                "profile": "tabular-data-resource",
                "format": format,
                "mediatype": media,
                "encoding": "utf-8",
                "description": format!("One row is {}.", table.row),
                "schema": { "fields": table.columns.iter().map(field).collect::<Vec<Value>>(), "missingValues": [""] },
            })
        })
        .collect();
    let package = json!({
        "name": slug(experiment),
        "title": title,
        "description": "Observations, numbers and verdicts of one run; every number with its protocol.",
        "resources": resources,
    });
    let mut text = serde_json::to_string_pretty(&package).unwrap_or_default(); // a JSON value always serialises
    text.push('\n');
    text
}

fn field(column: &Column) -> Value {
    let kind = match column.kind {
        Type::Text => "string",
        Type::Integer => "integer",
        Type::Number => "number",
        Type::Truth => "boolean",
    };
    let mut field = json!({ "name": column.name, "type": kind, "description": column.meaning });
    if !column.unit.is_empty() {
        field["unit"] = column.unit.into();
    }
    field
}

/// A package name: lower case letters, digits, `-`, `_`, `.`.
fn slug(id: &str) -> String {
    let keep = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    id.to_lowercase().chars().map(|c| if keep(c) { c } else { '-' }).collect()
}
