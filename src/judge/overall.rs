//! From judgements to verdicts: fragile predictions, and the hypothesis as a whole.

use super::outcome::{Judgement, Verdict};

/// The primary verdict, or `fragile` when an equivalent protocol changes it: a definite verdict here, another one there.
/// What cannot be tested there says nothing against it, and a verdict that is not definite here has nothing to lose.
pub(super) fn prediction<'a>(
    primary: Verdict,
    equivalents: impl IntoIterator<Item = &'a Judgement>,
) -> Verdict {
    let definite = matches!(primary, Verdict::Supported | Verdict::Contradicted | Verdict::Negligible);
    let changes = |other: Verdict| other != primary && other != Verdict::Untestable;
    if definite && equivalents.into_iter().any(|j| changes(j.verdict)) { Verdict::Fragile } else { primary }
}

/// A hypothesis claims all of its core predictions. The first that applies: none testable: untestable; any
/// contradicted: contradicted; any fragile: fragile; all supported: supported; all negligible: negligible; else
/// inconclusive. So a core prediction that cannot be tested bars support, and refutes nothing.
pub(super) fn hypothesis(core: &[Verdict]) -> Verdict {
    let all = |verdict| core.iter().all(|v| *v == verdict);
    match () {
        () if all(Verdict::Untestable) => Verdict::Untestable,
        () if core.contains(&Verdict::Contradicted) => Verdict::Contradicted,
        () if core.contains(&Verdict::Fragile) => Verdict::Fragile,
        () if all(Verdict::Supported) => Verdict::Supported,
        () if all(Verdict::Negligible) => Verdict::Negligible,
        () => Verdict::Inconclusive,
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::*;
    use super::*;

    #[test]
    fn a_hypothesis_stands_only_with_all_core_predictions() {
        assert_eq!(hypothesis(&[Supported, Supported]), Supported);
        assert_eq!(hypothesis(&[Supported, Untestable]), Inconclusive);
        assert_eq!(hypothesis(&[Contradicted, Untestable]), Contradicted);
        assert_eq!(hypothesis(&[Supported, Inconclusive]), Inconclusive);
        assert_eq!(hypothesis(&[Supported, Fragile, Contradicted]), Contradicted);
        assert_eq!(hypothesis(&[Supported, Fragile]), Fragile);
        assert_eq!(hypothesis(&[Negligible, Negligible]), Negligible);
        assert_eq!(hypothesis(&[Negligible, Supported]), Inconclusive);
        assert_eq!(hypothesis(&[Untestable]), Untestable);
        assert_eq!(hypothesis(&[]), Untestable);
    }
}
