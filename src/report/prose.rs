//! Sentences that Markdown and HTML share. `Code` stands in backticks, *words* and **results** in stars.

use super::text::{MISSING, number, percent};
use crate::evidence::LlamaCase;
use crate::evidence::llama::{CaseRow, Split};

pub(super) const LAYOUT: &str = "A forward pass is observed once, in float32: norms of the residual stream per token and layer, before any choice \
     is made. h_l is the stream entering block l, h_L the last block's output before the final norm. A protocol \
     `reduction/endpoint/BOS` then turns observations into one number, and numbers of different protocols are different \
     quantities.";

pub(super) const STATISTICS: &str = "Units are prompts, never tokens; a model is one unit wherever models are compared. Means have bootstrap-t \
     intervals (Student's below five prompts), correlations Fisher's z, pooled correlations Hartung-Knapp, shares \
     Clopper-Pearson, medians order statistics. p-values of \
     permutation tests are exact where few units allow it, otherwise (b+1)/(m+1) over m random draws of a fixed seed. \
     Where the units are too few to reach the level, that is said instead. A prediction's verdict follows the rule in \
     its hypothesis file, which is fixed by the hash shown beside it; *re-analysis* means that the published data had \
     been seen when the file was written.";

pub(super) const CURVES: &str = "A specification curve judges a prediction over again in every defensible way: under each protocol that was \
     observed, and under the primary and equivalent ones without each category of prompts, without each family of models, \
     and from each published source or dtype alone. A verdict is *fragile* when an equivalent way changes it; where fewer \
     rows merely leave it open, that may be lost power and does not count. Joint p-values flip the same units in every \
     equivalent specification at once (Simonsohn, Simmons and Nelson 2020): signs of deviations from the null for means, \
     pairings for correlations, places in groups (by ranks) for differences between groups of models.";

pub(super) const VERDICTS: &str = "*supported*: in the predicted direction and beyond the smallest effect of interest. *contradicted*: beyond it the \
     other way. *negligible*: the interval lies inside it. *inconclusive*: none of these. *fragile*: an equally \
     defensible choice gives another verdict. *untestable*: what the test needs does not exist here. A hypothesis \
     stands or falls with its core predictions (where it is an \"or\": stands with any of them, falls with all); those marked *beside the claim* decide nothing.";

pub(super) const PUBLISHED_TABLES: &str = "published tables: `buk81/uniformity-asymmetry`, folder `paper3/`, commit `e3c7f94`, MIT licence; caveats in \
     `data/published/README.md`";

/// What was published about the model of the case; `None` for a case without rows.
pub(super) fn case_opening(case: &LlamaCase) -> Option<String> {
    let (first, last) = case.rows.first().zip(case.rows.last())?;
    Some(format!(
        "Earlier work published that the last block of `{}` shrinks the stream ({}) and that it expands it ({}), and put \
         the difference down to the prompts. Its own rows, with the protocol of each written beside it:",
        case.model,
        number(first.gain.value),
        number(last.gain.value)
    ))
}

/// How much of the difference is method.
pub(super) fn case_split(case: &LlamaCase) -> Option<String> {
    let method = case.split.steps.last()?;
    Some(format!(
        "The two numbers differ by a factor of {}, and along the chain that the rows allow **{} of its \
         logarithm is method**: the tokens are reduced another way, and the numerator is read after the final norm, so the \
         larger number is no block gain at all. No row of the second method exists for the first prompt, so there is no \
         second chain, and an interaction of prompt and method would sit in the method part.",
        number(case.split.log_ratio.exp()),
        percent(method.share)
    ))
}

pub(super) fn case_last_token(case: &LlamaCase) -> String {
    format!(
        "On the last token alone the published gain of the same model is {} (`{}`, arithmetic {}). A Frobenius norm \
         weighs tokens by their squares, so the token with the largest norm decides it.",
        number(case.last_token.gain.value),
        row_protocol(&case.last_token),
        case.last_token.prompt,
    )
}

/// The chains of the case by the value they start from.
pub(super) fn case_splits(case: &LlamaCase) -> [(String, &Split); 2] {
    let from = |name: &str, split: &Split| format!("from {name}, {}", number(split.from.value));
    [
        (from("first row of the table", &case.split), &case.split),
        (from("the value printed as 0.48", &case.split_with_dtype), &case.split_with_dtype),
    ]
}

pub(super) fn row_protocol(row: &CaseRow) -> String {
    row.gain.protocol.map_or_else(|| MISSING.to_string(), |protocol| protocol.to_string())
}
