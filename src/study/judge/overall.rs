//! Combines the verdicts of predictions into that of the hypothesis.

use super::{hypothesis::Stands, verdict::Verdict};

/// The verdict of a hypothesis from those of its core predictions, by the first of these that applies. A hypothesis
/// that claims all of its core predictions: none testable: untestable; any contradicted: contradicted; any fragile:
/// fragile; all supported: supported; all negligible: negligible; else inconclusive. So a core prediction that cannot
/// be tested bars support, and refutes nothing.
///
/// One that claims any of them: none testable: untestable; any supported: supported; any fragile: fragile; all contradicted:
/// contradicted; all negligible: negligible; else inconclusive. So one that cannot be tested bars refutation.
pub(super) fn hypothesis(stands: Stands, core: &[Verdict]) -> Verdict {
    let all = |verdict| core.iter().all(|v| *v == verdict);
    let any = |verdict| core.contains(&verdict);
    let (supported, contradicted) = match stands {
        Stands::All => (all(Verdict::Supported), any(Verdict::Contradicted)),
        Stands::Any => (any(Verdict::Supported), all(Verdict::Contradicted)),
    };
    match () {
        () if all(Verdict::Untestable) => Verdict::Untestable,
        () if contradicted => Verdict::Contradicted,
        () if supported => Verdict::Supported,
        () if any(Verdict::Fragile) => Verdict::Fragile,
        () if all(Verdict::Negligible) => Verdict::Negligible,
        () => Verdict::Inconclusive,
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::*;
    use super::*;

    #[test]
    fn a_claim_of_either_stands_with_one_and_falls_with_all() {
        let hypothesis = |core: &[_]| super::hypothesis(Stands::Any, core);
        assert_eq!(hypothesis(&[Contradicted, Supported, Untestable]), Supported);
        assert_eq!(hypothesis(&[Fragile, Supported]), Supported);
        assert_eq!(hypothesis(&[Fragile, Contradicted, Untestable]), Fragile);
        assert_eq!(hypothesis(&[Contradicted, Contradicted]), Contradicted);
        assert_eq!(hypothesis(&[Contradicted, Untestable]), Inconclusive, "the other one may hold");
        assert_eq!(hypothesis(&[Contradicted, Inconclusive]), Inconclusive);
        assert_eq!(hypothesis(&[Negligible, Negligible]), Negligible);
        assert_eq!(hypothesis(&[Negligible, Contradicted]), Inconclusive);
        assert_eq!(hypothesis(&[Untestable, Untestable]), Untestable);
        assert_eq!(hypothesis(&[]), Untestable);
    }

    #[test]
    fn a_hypothesis_stands_only_with_all_core_predictions() {
        let hypothesis = |core: &[_]| super::hypothesis(Stands::All, core);
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
