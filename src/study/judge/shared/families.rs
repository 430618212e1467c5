//! Families of models: relatives are no independent units, so an effect over models is computed again without each family.

use crate::judge::{context::TestContext, digits::digits, findings::Findings};

/// Fewer families than this leave too little when one is left out.
const FEWEST: usize = 3;

/// The family of each model; a model whose family is not known is one of its own.
pub(crate) fn families(context: &TestContext<'_>, models: &[&str]) -> Vec<String> {
    let family =
        |id: &&str| context.model(id).and_then(|m| m.word("family")).unwrap_or_else(|| (*id).to_string());
    models.iter().map(family).collect()
}

/// The extremes of an effect over leaving out one family at a time; none where there are too few families.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LeaveOneOut {
    pub lowest: Option<f64>,
    pub highest: Option<f64>,
}

/// Computes `effect` without one family at a time, and notes which family matters most. `effect` gets the indices of the
/// models that stay.
pub(crate) fn leave_one_out(
    context: &TestContext<'_>,
    findings: &mut Findings,
    what: &str,
    models: &[&str],
    effect: impl Fn(&[usize]) -> Option<f64>,
) -> LeaveOneOut {
    let of = families(context, models);
    let mut names: Vec<&String> = of.iter().collect();
    names.sort();
    names.dedup();
    let everyone: Vec<usize> = (0..models.len()).collect();
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
