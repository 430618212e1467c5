//! How the judge fares in simulated worlds, as a table: one line for each kind of world.

use comfy_table::CellAlignment;
use study::judge::verdict::Verdict;
use study::judge::{Calibration, Rates};

use super::{number, plain};

/// A table, and under it what of it matters most: rules that are wrong too often, what would do, and what was not simulated.
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
    let (mut none, mut wrongs, mut enough) = (String::new(), String::new(), String::new());
    for calibration in found.iter().flat_map(|(_, all)| all) {
        let Calibration { prediction, evidence, not_simulated, .. } = calibration;
        if !not_simulated.is_empty() {
            none.push_str(&format!("{prediction} {evidence}: {not_simulated}\n"));
        }
        for rates in calibration.excesses() {
            wrongs.push_str(&format!("{prediction} {evidence}: {}\n", wrong(rates)));
        }
        if let Some(Rates { lineages, prompts, effect, .. }) = calibration.enough() {
            let times = if *effect == 2.0 { " for twice the smallest effect" } else { "" };
            enough.push_str(&format!(
                "{prediction} {evidence}: {lineages} lineages, {prompts} prompts{times}\n"
            ));
        }
        for rates in calibration.worlds.iter().chain(&calibration.more).chain(&calibration.larger) {
            let percent = |verdict| format!("{:.0} %", 100.0 * rates.share(verdict));
            let mut row = vec![
                prediction.clone(),
                evidence.to_string(),
                number(Some(rates.drawn)),
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
    let lists = [
        ("False more often than the level allows, beyond chance", wrongs),
        ("Would find a true claim in 80 of 100 worlds, of what was tried", enough),
        ("Not simulated", none),
    ];
    let or_none = |list: String| if list.is_empty() { "none\n".to_string() } else { list };
    let lists = lists.map(|(head, list)| format!("{head}:\n{}", or_none(list)));
    format!("{table}\n\n{}", lists.join("\n"))
}

/// In how many of the worlds the verdict was false.
fn wrong(rates: &Rates) -> String {
    format!("{} of {}", rates.false_verdicts(), rates.runs)
}
