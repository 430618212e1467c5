//! Families of models: relatives are no independent units, so an effect over models is computed again without each family.

use crate::judge::{digits::digits, findings::Findings};

/// Fewer families than this leave too little when one is left out.
const FEWEST: usize = 3;

/// The extremes of an effect over leaving out one family at a time; none where there are too few families.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LeaveOneOut {
    pub lowest: Option<f64>,
    pub highest: Option<f64>,
}

/// Computes `effect` without one family at a time, and notes which family matters most. `of` is the family of each unit;
/// `effect` gets the indices of the units that stay.
pub(crate) fn leave_one_out(
    findings: &mut Findings,
    what: &str,
    of: &[String],
    effect: impl Fn(&[usize]) -> Option<f64>,
) -> LeaveOneOut {
    let mut names: Vec<&String> = of.iter().collect();
    names.sort();
    names.dedup();
    let everyone: Vec<usize> = (0..of.len()).collect();
    let whole = effect(&everyone);
    let (Some(whole), true) = (whole, names.len() >= FEWEST) else { return LeaveOneOut::default() };
    let without = |family: &String| {
        let stay: Vec<usize> = everyone.iter().copied().filter(|i| of[*i] != *family).collect();
        effect(&stay).map(|value| (family.clone(), value))
    };
    let found: Vec<(String, f64)> = names.into_iter().filter_map(without).collect();
    let values = || found.iter().map(|(_, value)| *value);
    let most = found.iter().max_by(|a, b| (a.1 - whole).abs().total_cmp(&(b.1 - whole).abs()));
    if let Some((family, value)) = most {
        findings.notes.push(format!(
            "without one family at a time, {what} lies between {} and {}; family {family} matters most: {} with it, {} without",
            digits(values().fold(f64::INFINITY, f64::min)),
            digits(values().fold(f64::NEG_INFINITY, f64::max)),
            digits(whole),
            digits(*value),
        ));
    }
    LeaveOneOut { lowest: values().reduce(f64::min), highest: values().reduce(f64::max) }
}
