//! Addresses within the report. Those of fixed pages and headings hold no digit; those of hypotheses do, or start with
//! `hypothesis-`, so that no name in an experiment can take a fixed one.

use number::protocol::Protocol;

/// Where a protocol is defined.
pub(in crate::report) fn protocol_address(protocol: &Protocol) -> String {
    format!("p-{}", protocol.to_string().replace('/', "."))
}

/// Where it is said what a property of the weights is.
pub(in crate::report) const WEIGHTS: &str = "p-none";

/// Where a metric is defined.
pub(in crate::report) fn metric_address(metric: &str) -> String {
    format!("metric-{}", slug(metric))
}

/// Where intervals and tests are explained.
pub(in crate::report) const STATISTICS: &str = "statistics";

/// Letters, digits, dots and dashes only.
pub(in crate::report) fn slug(text: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c.to_ascii_lowercase() } else { '-' };
    let slug: String = text.chars().map(kept).collect();
    // No name of a file may start with a dot.
    let slug = slug.trim_matches(['-', '.']).to_string();
    if slug.is_empty() { "x".to_string() } else { slug }
}

/// The wanted address of a hypothesis.
pub(in crate::report) fn hypothesis_address(id: &str) -> String {
    let slug = slug(id);
    if slug.contains(|c: char| c.is_ascii_digit()) { slug } else { format!("hypothesis-{slug}") }
}

/// The wanted address of a model.
pub(in crate::report) fn model_address(id: &str) -> String {
    format!("model-{}", slug(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_hold_no_path_and_no_hypothesis_takes_a_fixed_one() {
        assert_eq!(["../../etc/passwd", "Llama 3.1", "ü"].map(slug), ["etc-passwd", "llama-3.1", "x"]);
        assert_eq!(["H1", "Methods"].map(hypothesis_address), ["h1", "hypothesis-methods"]);
    }
}
