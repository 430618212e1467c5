//! `streamgauge tables`: the tables of a run as CSV, or what their columns mean.

use std::path::PathBuf;

use clap::Args;

use super::exit::{Exit, Failure};
use super::options::CommonOptions;
use super::output;
use results::tidy::{self, Condition, TABLES};

/// Options of `tables`.
#[derive(Args)]
#[command(after_help = "Examples:\n  streamgauge tables\n  \
streamgauge tables measurements --where metric=last-gain --where bos=auto > gains.csv\n  \
streamgauge tables estimates --where hypothesis=H13 --columns prediction,label,value,low,high")]
pub(super) struct Arguments {
    /// Table to print as CSV; without it, every table with its columns, units and meanings
    table: Option<String>,
    /// Keep rows whose column reads so; several must all hold
    #[arg(long = "where", value_name = "COLUMN=VALUE", requires = "table")]
    conditions: Vec<Condition>,
    /// Print these columns only, in this order
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', requires = "table")]
    columns: Vec<String>,
    /// Folder of reports, verdicts and tables
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
    #[command(flatten)]
    common: CommonOptions,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        match &self.table {
            Some(table) => {
                let text = tidy::text(&self.results, table, &self.columns, &self.conditions)?;
                if let Some(condition) = self.conditions.first().filter(|_| text.lines().nth(1).is_none()) {
                    let note = format!(
                        "note: no row is as --where asks; `streamgauge tables {table} --columns {}` shows what there is",
                        condition.column
                    );
                    if !self.common.quiet {
                        output::say(&note);
                    }
                }
                output::print_data(&text)
            }
            None if self.common.json => output::print_data(&tidy::package("tables", "streamgauge tables")),
            None => output::print(&listing()),
        }
    }
}

fn listing() -> String {
    let mut text = String::new();
    for table in TABLES.iter() {
        text.push_str(&format!("{}: one row is {}\n", table.file(), table.row));
        for column in &table.columns {
            let unit = if column.unit.is_empty() { String::new() } else { format!(" [{}]", column.unit) };
            text.push_str(&format!("  {:<12}{unit} {}\n", column.name, column.meaning));
        }
    }
    text
}
