//! Words and numbers as the report writes them: what is missing is a dash, cells hold no markup of their own.

use number::evidence::Evidence;
use number::protocol::{Bos, Endpoint, Protocol, Reduction};
use study::judge::outcome::{Estimate, HypothesisOutcome, Judgement, Verdict};

/// Stands for a number that does not exist.
pub(super) const MISSING: &str = "–";

/// Four decimals below 10, about four significant digits above.
pub(super) fn number(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if value.is_nan() => MISSING.to_string(),
        _ if value == f64::INFINITY => "∞".to_string(),
        _ if value == f64::NEG_INFINITY => "-∞".to_string(),
        0.0 => "0".to_string(),
        _ if !(5e-5..1e7).contains(&size) => format!("{value:.2e}"),
        _ if size >= 1000.0 => format!("{value:.0}"),
        _ if size >= 100.0 => format!("{value:.1}"),
        _ if size >= 10.0 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}

pub(super) fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| MISSING.to_string(), number)
}

/// A statistic: counts without decimals.
pub(super) fn statistic(value: Option<f64>) -> String {
    match value {
        Some(count) if count.abs() < 1e7 && count.fract() == 0.0 => format!("{:.0}", count + 0.0),
        other => optional(other),
    }
}

/// `value [low, high]`; the interval is left out where there is none.
pub(super) fn estimate(estimate: &Estimate) -> String {
    let value = optional(estimate.value);
    match (estimate.low, estimate.high) {
        (None, None) => value,
        (low, high) => format!("{value} [{}, {}]", optional(low), optional(high)),
    }
}

pub(super) fn probability(p: Option<f64>) -> String {
    match p {
        Some(p) if p < 1e-4 => "<0.0001".to_string(),
        Some(p) if p.is_finite() => format!("{p:.4}"),
        _ => MISSING.to_string(),
    }
}

pub(super) fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1} %", share * 100.0) } else { MISSING.to_string() }
}

/// Text as one table cell: no pipes, no line breaks, no HTML.
pub(super) fn cell(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.is_empty() {
        return MISSING.to_string();
    }
    one_line.replace('\\', "\\\\").replace('|', "\\|").replace('<', "&lt;").replace('*', "\\*")
}

/// The protocols of a judgement, separated by commas.
pub(super) fn protocols(judgement: &Judgement) -> String {
    let all: Vec<String> = judgement.protocols.iter().map(Protocol::to_string).collect();
    if all.is_empty() { "of the weights: no protocol".to_string() } else { all.join(", ") }
}

pub(super) fn evidence_phrase(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Published => "published rows",
        Evidence::Measured => "measured here",
    }
}

pub(super) fn capital(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Published => "Published rows",
        Evidence::Measured => "Measured here",
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

/// The statistics that exist, each with its name.
pub(super) fn named_numbers(judgement: &Judgement) -> String {
    let numbers: Vec<String> = judgement
        .statistics
        .iter()
        .filter(|s| s.value.is_some_and(|v| !v.is_nan()))
        .map(|s| format!("{} {}", s.name, statistic(s.value)))
        .collect();
    numbers.join(", ")
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

/// Predictions that fare otherwise than the hypothesis, by verdict: `untestable: H9a, H9b`.
pub(super) fn otherwise(hypothesis: &HypothesisOutcome, evidence: Evidence, overall: Verdict) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cannot_break_a_table() {
        assert_eq!(cell("a|b\n\\|<c>"), "a\\|b \\\\\\|&lt;c>");
        assert_eq!(cell(" \n"), MISSING);
    }

    #[test]
    fn missing_numbers_are_dashes_and_sizes_stay_readable() {
        assert_eq!([number(f64::NAN), optional(None), probability(Some(f64::NAN))], [MISSING; 3]);
        assert_eq!([number(0.47767), number(17212.09), number(-39.31)], ["0.4777", "17212", "-39.31"]);
        assert_eq!([number(1e-7), number(6.8e9), number(0.0)], ["1.00e-7", "6.80e9", "0"]);
        assert_eq!([statistic(Some(4.0)), statistic(Some(-0.0)), statistic(Some(0.5))], ["4", "0", "0.5000"]);
        assert_eq!(probability(Some(1e-9)), "<0.0001");
    }

    #[test]
    fn an_interval_with_one_open_end_is_still_printed() {
        let open =
            Estimate { label: "m".into(), value: Some(1.0), low: Some(0.5), high: None, p: None, n: 3 };
        assert_eq!(estimate(&open), "1.0000 [0.5000, –]");
    }
}
