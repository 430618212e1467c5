//! What commands print: terminal tables and the JSON forms of the same things.

mod calibrated;
mod differing;
mod explained;
mod exported;
mod families;
mod inspected;
mod measured;
mod regressed;
mod summary;
mod tapped;

use comfy_table::{ContentArrangement, Table, presets};

pub(super) use calibrated::calibrated;
pub(super) use differing::{differing, differing_json};
pub(super) use explained::explained;
pub(super) use exported::exported;
pub(super) use families::families;
pub(super) use inspected::inspected;
pub(super) use measured::{Measured, MeasuredRow, json_name, measured, measured_json};
pub(super) use regressed::{Regressed, regressed, regressed_json};
pub(super) use summary::{summary, summary_json};
pub(super) use tapped::tapped;

/// An unframed table with a ruled header, numbers to the right from the second column on.
fn plain(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.to_vec());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    table
}

/// A number for people: 4 significant digits; `-` where undefined.
fn number(value: Option<f64>) -> String {
    match value {
        None => "-".to_string(),
        Some(0.0) => "0".to_string(),
        Some(v) if (1e-3..1e5).contains(&v.abs()) => {
            let digits = (3 - v.abs().log10().floor() as i32).max(0) as usize;
            format!("{v:.digits$}")
        }
        Some(v) => format!("{v:.3e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_keep_four_significant_digits() {
        assert_eq!(number(Some(0.477_66)), "0.4777");
        assert_eq!(number(Some(17212.09)), "17212");
        assert_eq!(number(Some(1.0)), "1.000");
        assert_eq!(number(Some(-2.5e-7)), "-2.500e-7");
        assert_eq!(number(None), "-");
    }
}
