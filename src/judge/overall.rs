//! From judgements to verdicts: fragile predictions, and the hypothesis as a whole.

use super::outcome::{Judgement, Verdict};

/// The primary verdict, or `fragile` when an equivalent protocol is definite the other way: supported here,
/// contradicted or negligible there. What is inconclusive or untestable there says nothing against it.
pub(super) fn prediction<'a>(
    primary: Verdict,
    equivalents: impl IntoIterator<Item = &'a Judgement>,
) -> Verdict {
    let disagrees = |other: Verdict| match primary {
        Verdict::Supported => matches!(other, Verdict::Contradicted | Verdict::Negligible),
        Verdict::Contradicted | Verdict::Negligible => other == Verdict::Supported,
        Verdict::Inconclusive | Verdict::Fragile | Verdict::Untestable => false,
    };
    if equivalents.into_iter().any(|j| disagrees(j.verdict)) { Verdict::Fragile } else { primary }
}

/// A hypothesis claims all of its predictions, and the first one in the file is the claim itself. Over those that can be
/// tested, the first that applies: any contradicted: contradicted; any fragile: fragile; the leading one untestable:
/// untestable (what follows from a claim cannot stand in for it); all supported: supported; all negligible:
/// negligible; else inconclusive.
pub(super) fn hypothesis(predictions: &[Verdict]) -> Verdict {
    let testable: Vec<Verdict> = predictions.iter().copied().filter(|v| *v != Verdict::Untestable).collect();
    let all = |verdict| testable.iter().all(|v| *v == verdict);
    match predictions.first() {
        None => Verdict::Untestable,
        Some(_) if testable.contains(&Verdict::Contradicted) => Verdict::Contradicted,
        Some(_) if testable.contains(&Verdict::Fragile) => Verdict::Fragile,
        Some(Verdict::Untestable) => Verdict::Untestable,
        Some(_) if all(Verdict::Supported) => Verdict::Supported,
        Some(_) if all(Verdict::Negligible) => Verdict::Negligible,
        Some(_) => Verdict::Inconclusive,
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::*;
    use super::*;

    #[test]
    fn a_hypothesis_stands_only_with_all_testable_predictions() {
        assert_eq!(hypothesis(&[Supported, Untestable]), Supported);
        assert_eq!(hypothesis(&[Supported, Inconclusive]), Inconclusive);
        assert_eq!(hypothesis(&[Supported, Fragile, Contradicted]), Contradicted);
        assert_eq!(hypothesis(&[Supported, Fragile]), Fragile);
        assert_eq!(hypothesis(&[Negligible, Negligible]), Negligible);
        assert_eq!(hypothesis(&[Negligible, Supported]), Inconclusive);
        assert_eq!(hypothesis(&[Untestable, Supported]), Untestable);
        assert_eq!(hypothesis(&[Untestable, Contradicted]), Contradicted);
        assert_eq!(hypothesis(&[]), Untestable);
    }
}
