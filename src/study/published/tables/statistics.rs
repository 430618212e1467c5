//! statistics.csv: the numbers and words that the result files and analyses of the research print, each with its place.
//! They are to be reproduced; they are no measurements and no row of the evidence table comes from them.

use std::collections::BTreeMap;
use std::path::Path;

use super::bounds::{Bounds, Numbers};
use super::error::EvidenceError;
use super::sheet::{Row, Sheet};
use super::stated::{Claim, Stated};

/// Name of the table in a folder of published tables.
pub const STATISTICS: &str = "statistics.csv";

const NUMBERS: Numbers = &[("n", Bounds::Count)];

const COLUMNS: &[&str] = &["stat_id", "source_file", "location", "group", "statistic", "n", "published"];

/// The result files keep entropies in float32: what is computed of them agrees to about seven digits.
const DIGITS_OF_FLOAT32: f64 = 1e-6;

/// Reads statistics.csv of a folder, in its order.
///
/// # Errors
/// When the table cannot be read, or two statistics share an id.
pub fn printed_statistics(folder: &Path) -> Result<Vec<Claim>, EvidenceError> {
    let sheet = Sheet::read(folder, STATISTICS, COLUMNS, NUMBERS)?;
    let mut decimals: BTreeMap<[&str; 3], i32> = BTreeMap::new();
    for row in sheet.rows() {
        let most = decimals.entry(column(row)).or_insert(i32::MIN);
        *most = (*most).max(last_digit(row.text("published")));
    }
    let mut found: Vec<Claim> = Vec::new();
    for row in sheet.rows() {
        let statistic = statistic(row, decimals.get(&column(row)).copied().unwrap_or_default())?;
        if found.last().is_some_and(|before| before.id >= statistic.id) {
            return Err(row.bad("stat_id", "an id after the one above"));
        }
        found.push(statistic);
    }
    Ok(found)
}

/// What a file prints alike: one statistic of all groups at one place.
fn column(row: Row<'_>) -> [&str; 3] {
    ["source_file", "location", "statistic"].map(|name| row.text(name))
}

/// `decimals`: of the last digit that the file prints of this statistic.
fn statistic(row: Row<'_>, decimals: i32) -> Result<Claim, EvidenceError> {
    let file = row.required("source_file")?;
    let text = row.text("published");
    let stated = match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Stated::Number { value, tolerance: tolerance(decimals, value) },
        // Python prints what is not a number as an empty cell.
        _ if text.is_empty() => Stated::Words("not a number".to_string()),
        _ => Stated::Words(text.to_string()),
    };
    Ok(Claim {
        id: row.required("stat_id")?.to_string(),
        section: format!("{file}: {}", row.required("location")?),
        text: row.required("statistic")?.to_string(),
        models: Vec::new(),
        group: row.required("group")?.to_string(),
        stated,
        unit: String::new(),
        sources: Vec::new(),
        files: vec![file.to_string()],
    })
}

/// Half a unit of the last printed digit, but no less than what float32 leaves open.
fn tolerance(decimals: i32, value: f64) -> f64 {
    (0.5 * 10_f64.powi(-decimals)).max(DIGITS_OF_FLOAT32 * value.abs())
}

/// Decimals of a number as it is printed; fewer than none where it has an exponent.
fn last_digit(text: &str) -> i32 {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len().min(99));
    // A finite float64 has no exponent beyond this.
    decimals as i32 - exponent.parse::<i32>().unwrap_or(0).clamp(-400, 400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tolerance_is_half_a_unit_of_the_last_digit() {
        let cases = [
            ("1.31", 0.005),
            ("-56.4", 0.05),
            ("26", 0.5),
            ("0.123456789", 1.23456789e-7),
            ("6.1e-14", 5e-16),
        ];
        for (text, expected) in cases {
            let found = tolerance(last_digit(text), text.parse().unwrap());
            assert!((found / expected - 1.0).abs() < 1e-9, "{text}: {found}");
        }
    }

    #[test]
    fn a_dropped_zero_leaves_the_digits_of_its_column() {
        let folder = tempfile::tempdir().unwrap();
        let table = "stat_id,source_file,location,group,statistic,n,published\n\
                     S1,a.md,1,x,r,,-0.3\nS2,a.md,1,y,r,,0.12\nS3,a.md,1,y,m,,0.3\n";
        std::fs::write(folder.path().join(STATISTICS), table).unwrap();
        let found = printed_statistics(folder.path()).unwrap();
        let tolerances: Vec<f64> = found
            .iter()
            .map(|claim| match claim.stated {
                Stated::Number { tolerance, .. } => tolerance,
                _ => f64::NAN,
            })
            .collect();
        assert_eq!(tolerances, [0.005, 0.005, 0.05]);
    }
}
