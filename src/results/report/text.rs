//! Words of the report: how evidence, protocols and verdicts are called.

use number::evidence::Evidence;
use number::protocol::{Bos, Endpoint, Protocol, Reduction};
use study::judge::outcome::{HypothesisOutcome, Judgement, Verdict};

use super::document::{Line, Span, protocol_links};

pub(super) fn evidence_phrase(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Published => "published rows",
        Evidence::Measured => "measured here",
        Evidence::Rehearsal => "rehearsal",
    }
}

pub(super) fn capital(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Published => "Published rows",
        Evidence::Measured => "Measured here",
        Evidence::Rehearsal => "Rehearsal",
    }
}

pub(super) fn reduction(reduction: Reduction) -> &'static str {
    match reduction {
        Reduction::Last => "the norm of the last token",
        Reduction::Mean => "the mean over all tokens of each token's norm",
        Reduction::Frobenius => "the Frobenius norm of the prompt's [tokens, width] matrix",
        Reduction::MeanWithoutFirst => "the mean over all tokens but the first of each token's norm",
        Reduction::FrobeniusWithoutFirst => "the Frobenius norm without the first token",
    }
}

pub(super) fn endpoint(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::LastBlock => {
            "the last block's output over its input, h_L / h_(L-1), both before the final norm: what the block does"
        }
        Endpoint::HfLast => {
            "the final norm's output over the last block's input, norm(h_L) / h_(L-1): a framework's last two hidden states; \
             the numerator does not depend on the stream's scale"
        }
        Endpoint::HfPenultimate => {
            "the last block's input over the input of the block before it, h_(L-1) / h_(L-2): the last-but-one block"
        }
    }
}

pub(super) fn bos(bos: Bos) -> &'static str {
    match bos {
        Bos::Auto => "a beginning-of-sequence token where the tokenizer adds one",
        Bos::Always => "one beginning-of-sequence token",
        Bos::Never => "no beginning-of-sequence token",
    }
}

/// Why the verdict; of what is missing only the first thing.
pub(super) fn because(judgement: &Judgement) -> String {
    match (judgement.verdict, judgement.missing.as_slice()) {
        (Verdict::Untestable, [first]) => first.clone(),
        (Verdict::Untestable, [first, more @ ..]) => format!("{first}; and {} more", more.len()),
        _ => judgement.because.clone(),
    }
}

/// How many lineages stand behind a judgement, of how many families: `8 lineages of 6 families`; `None` where they are not counted.
pub(super) fn lineages(judgement: &Judgement) -> Option<String> {
    let count = |name: &str| {
        let found = judgement.statistics.iter().find(|statistic| statistic.name == name);
        found.and_then(|statistic| statistic.value)
    };
    let counted =
        |number: f64, one: &str, more: &str| format!("{number} {}", if number == 1.0 { one } else { more });
    let lineages = counted(count("lineages").filter(|number| *number > 0.0)?, "lineage", "lineages");
    let families = count("families").map(|number| counted(number, "family", "families"));
    Some(families.map_or_else(|| lineages.clone(), |families| format!("{lineages} of {families}")))
}

/// The verdict of a hypothesis as a word to pick rows by; empty without one.
pub(super) fn overall_key(hypothesis: &HypothesisOutcome, evidence: Evidence) -> String {
    overall(hypothesis, evidence).map_or_else(String::new, |verdict| verdict.to_string())
}

/// The verdict of a hypothesis on one kind of evidence; `None` where none of its predictions asks for that kind.
pub(super) fn overall(hypothesis: &HypothesisOutcome, evidence: Evidence) -> Option<Verdict> {
    hypothesis.predictions.iter().find(|prediction| prediction.evidence == evidence)?;
    hypothesis.verdicts.iter().find(|(of, _)| *of == evidence).map(|(_, verdict)| *verdict)
}

/// Names of the protocols of some judgements, those of each joined by commas.
pub(super) fn protocols_of(judgements: &[&Judgement]) -> Line {
    let names: Vec<Span> = judgements.iter().map(|judgement| protocol_links(&judgement.protocols)).collect();
    if names.is_empty() { Line::from("none") } else { Line::joined(names, "; ") }
}

/// A protocol in words.
pub(super) fn definition(protocol: &Protocol) -> String {
    format!("{}; {}; {}", reduction(protocol.reduction), endpoint(protocol.endpoint), bos(protocol.bos))
}

/// The unit of an estimate that is not in its judgement's unit: shares stand among the numbers they count, and the
/// numbers behind a share of a logarithm are ratios.
pub(super) fn own_unit(label: &str, unit: &str) -> Option<&'static str> {
    let is_share = |text: &str| text.split(' ').any(|word| word == "share");
    match (is_share(label), is_share(unit)) {
        (true, false) => Some("share"),
        (false, true) => Some("ratio"),
        _ => None,
    }
}

/// Predictions with another verdict than the hypothesis, by verdict: `untestable: H9a, H9b`.
pub(super) fn with_another_verdict(
    hypothesis: &HypothesisOutcome,
    evidence: Evidence,
    overall: Verdict,
) -> Vec<String> {
    let of = |verdict: Verdict| {
        let same = hypothesis.predictions.iter().filter(|p| p.evidence == evidence && p.verdict == verdict);
        same.map(|p| p.id.as_str()).collect::<Vec<_>>().join(", ")
    };
    let others =
        Verdict::ALL.iter().filter(|verdict| **verdict != overall).map(|verdict| (verdict, of(*verdict)));
    others.filter(|(_, ids)| !ids.is_empty()).map(|(verdict, ids)| format!("{verdict}: {ids}")).collect()
}

/// At most `limit` characters, cut in the middle: the end of a label often tells it from the next.
pub(super) fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_string();
    }
    let kept = limit.saturating_sub(1);
    let tail = kept * 2 / 5;
    let head: String = text.chars().take(kept - tail).collect();
    let end: String = text.chars().skip(text.chars().count() - tail).collect();
    format!("{}…{}", head.trim_end(), end.trim_start())
}

/// Names of protocols, separated by commas, for drawings and data.
pub(super) fn protocol_names(protocols: &[Protocol]) -> String {
    let all: Vec<String> = protocols.iter().map(Protocol::to_string).collect();
    if all.is_empty() { "of the weights: no protocol".to_string() } else { all.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_is_cut_keeps_its_end() {
        assert_eq!(shortened("pythia-6.9b-step143000", 12), "pythia-…3000");
        assert_eq!(shortened("short", 12), "short");
    }
}
