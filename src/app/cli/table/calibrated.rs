//! How the judge fares in simulated worlds, as a table: one line for each kind of world.

use comfy_table::CellAlignment;
use study::judge::verdict::Verdict;
use study::judge::{Calibration, Rates};

use super::{number, plain};

/// A table, and under it the predictions of which no worlds were drawn.
pub(in crate::cli) fn calibrated(found: &[(String, Vec<Calibration>)]) -> String {
    let verdicts = [Verdict::Supported, Verdict::Contradicted, Verdict::Negligible, Verdict::Inconclusive];
    let mut table = plain(&[
        "prediction",
        "evidence",
        "effect",
        "claim",
        "lineages",
        "prompts",
        "supported",
        "contradicted",
        "negligible",
        "inconclusive",
        "untestable",
        "false",
    ]);
    for column in table.column_iter_mut().skip(1).take(3) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    let mut none = String::new();
    for calibration in found.iter().flat_map(|(_, all)| all) {
        let Calibration { prediction, evidence, not_simulated, smallest, .. } = calibration;
        if !not_simulated.is_empty() {
            none.push_str(&format!("{prediction} {evidence}: {not_simulated}\n"));
        }
        for rates in calibration.worlds.iter().chain(&calibration.more) {
            let percent = |verdict| format!("{:.0} %", 100.0 * rates.share(verdict));
            let mut row = vec![
                prediction.clone(),
                evidence.to_string(),
                number(smallest.map(|smallest| smallest * rates.effect)),
                if rates.holds { "true" } else { "false" }.to_string(),
                rates.lineages.to_string(),
                rates.prompts.to_string(),
            ];
            row.extend(verdicts.map(percent));
            row.push(percent(Verdict::Untestable));
            row.push(wrong(rates));
            table.add_row(row);
        }
    }
    format!("{table}\n\nNot simulated:\n{none}")
}

/// In how many of the worlds the verdict was false.
fn wrong(rates: &Rates) -> String {
    format!("{} of {}", rates.false_verdicts(), rates.runs)
}
