//! From the verdicts of predictions to that of the hypothesis.

use super::outcome::Verdict;

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
