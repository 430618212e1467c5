//! The LLaMA-3.1 case: one model, last-block gains from 0.48 to 1.53, and what made the difference.
//!
//! Everything is computed from published rows. Steps of one chain change one thing each, so their log ratios add up.

use super::tables::EvidenceError;
use number::evidence::Measurement;
use number::index::EvidenceIndex;
use number::metric::Metric;
use number::protocol::{Bos, Endpoint, Protocol, Reduction};

/// The published gains of LLaMA-3.1-8B and the split of their log ratio.
#[derive(Clone, Debug, PartialEq)]
pub struct LlamaCase {
    /// Id of the model in the published tables.
    pub model: String,
    /// The three gains of the case, in the order of the chain.
    pub rows: Vec<CaseRow>,
    /// The same model measured on the last token: what neither of the two tests saw.
    pub last_token: CaseRow,
    /// From the first gain of `rows` to the last: prompt, then method.
    pub split: Split,
    /// From the gain that was printed as 0.48, which ran in another dtype: dtype, then prompt, then method.
    pub split_with_dtype: Split,
}

/// One published gain, or the mean of several prompts' gains.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseRow {
    /// Text of the prompt, or how many prompts.
    pub prompt: String,
    /// The mean's `prompt` is `None`.
    pub gain: Measurement,
}

/// ln(to / from) as a sum of steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// The gain that the chain begins with.
    pub from: Measurement,
    /// The gain that it ends with.
    pub to: Measurement,
    /// ln of the last gain over the first.
    pub log_ratio: f64,
    /// What changes from one gain to the next, in order.
    pub steps: Vec<Step>,
}

/// One link of a chain.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What changes: `dtype`, `prompt`, `method`.
    pub changes: &'static str,
    /// ln of the gain after over the gain before.
    pub log_ratio: f64,
    /// Part of the whole log ratio; the parts sum to 1.
    pub share: f64,
}

const MODEL: &str = "llama-3.1-8b";
/// Id of the prompt "The capital of France is".
pub const CAPITAL: &str = "the-capital-of-france-is-2f0e";
const FOX: &str = "the-quick-brown-fox-jumps-over-the-lazy-408d";
const FROBENIUS: Protocol = Protocol::new(Reduction::Frobenius, Endpoint::LastBlock, Bos::Auto);
const MEAN_AFTER_NORM: Protocol = Protocol::new(Reduction::Mean, Endpoint::HfLast, Bos::Auto);
const LAST_TOKEN: Protocol = Protocol::new(Reduction::Last, Endpoint::LastBlock, Bos::Auto);

/// The case from published rows alone.
///
/// Only one chain exists: the capital prompt was never published under the second method, so the interaction of prompt
/// and method cannot be told from the method's own part.
///
/// # Errors
/// When the table lacks one of the rows: it is damaged.
pub fn llama_case(index: &EvidenceIndex<'_>) -> Result<LlamaCase, EvidenceError> {
    let printed = row(index, "four_model", CAPITAL, FROBENIUS)?;
    let rows = vec![
        row(index, "input_dependency", CAPITAL, FROBENIUS)?,
        row(index, "input_dependency", FOX, FROBENIUS)?,
        row(index, "llama2_vs_llama31", FOX, MEAN_AFTER_NORM)?,
    ];
    let [capital, fox, after_norm] = [&rows[0].gain, &rows[1].gain, &rows[2].gain];
    let split = chain(capital, &[("prompt", fox), ("method", after_norm)]);
    let split_with_dtype =
        chain(&printed.gain, &[("dtype", capital), ("prompt", fox), ("method", after_norm)]);
    let last_token = mean(index, "grand_unified", LAST_TOKEN)?;
    Ok(LlamaCase { model: MODEL.to_string(), rows, last_token, split, split_with_dtype })
}

/// Each step's log ratio, and its part of the whole.
fn chain(from: &Measurement, steps: &[(&'static str, &Measurement)]) -> Split {
    let to = steps.last().map_or(from, |(_, to)| to);
    let log_ratio = (to.value / from.value).ln();
    let mut before = from.value;
    let mut parts = Vec::new();
    for (changes, gain) in steps {
        let log = (gain.value / before).ln();
        parts.push(Step { changes, log_ratio: log, share: log / log_ratio });
        before = gain.value;
    }
    Split { from: from.clone(), to: to.clone(), log_ratio, steps: parts }
}

fn gains<'a>(
    index: &EvidenceIndex<'a>,
    source: &'a str,
    protocol: Protocol,
) -> impl Iterator<Item = &'a Measurement> {
    let rows = index.under(Metric::LastGain, protocol);
    rows.filter(move |row| row.source == source && row.model == MODEL && row.prompt.is_some())
}

fn row(
    index: &EvidenceIndex<'_>,
    source: &str,
    prompt: &str,
    protocol: Protocol,
) -> Result<CaseRow, EvidenceError> {
    let gain = gains(index, source, protocol).find(|m| m.prompt.as_deref() == Some(prompt));
    let gain = gain.ok_or_else(|| no_row(source, prompt, protocol))?.clone();
    let text = index.table.prompts.iter().find(|p| p.id == prompt).map_or(prompt, |p| &p.text);
    Ok(CaseRow { prompt: text.to_string(), gain })
}

fn mean(index: &EvidenceIndex<'_>, source: &str, protocol: Protocol) -> Result<CaseRow, EvidenceError> {
    let all: Vec<&Measurement> = gains(index, source, protocol).collect();
    let first = all.first().ok_or_else(|| no_row(source, "any", protocol))?;
    let above = all.iter().filter(|m| m.value > 1.0).count();
    let value = all.iter().map(|m| m.value).sum::<f64>() / all.len() as f64;
    let prompt = format!("mean of {} prompts, {above} of them above 1", all.len());
    Ok(CaseRow { prompt, gain: Measurement { prompt: None, category: None, value, ..(*first).clone() } })
}

fn no_row(source: &str, prompt: &str, protocol: Protocol) -> EvidenceError {
    EvidenceError::NoRow {
        source_name: source.to_string(),
        model: MODEL.to_string(),
        prompt: prompt.to_string(),
        protocol: protocol.to_string(),
        hint: "restore data/published/measurements.csv",
    }
}
