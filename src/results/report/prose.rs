//! Sentences that Markdown and HTML share. `Code` stands in backticks, *words* and **results** in stars.

use super::text::{MISSING, number, percent};
use super::view::is_released;
use number::evidence::ModelInfo;
use study::analysis::Sink;
use study::llama::LlamaCase;
use study::llama::{CaseRow, Split};

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

pub(super) const SINK: &str = "A Frobenius norm over n tokens is F² = B² + (n-1) r²: one first token of norm B, and others of norm r. So the gain \
     of the last block depends on the length of the prompt, and where B falls while r rises it changes side of 1 at one \
     length. B and r are root mean squares over prompts; the ladder, one text cut to growing lengths, is not among them: it \
     checks what they predict.";

pub(super) const SPREAD: &str = "The total sum of squares of the log gain over every (model, prompt, protocol), shared between its factors. Prompts \
     lie within categories; the design is fully crossed, so no order of factors enters.";

pub(super) const REPLICATION: &str = "Geometric means of the gain over the prompts that both measured. The interval says where ours may lie, with 95 %, \
     if the published mean holds: it carries the sampling errors of both.";

pub(super) const NO_REPLICATION: &str = "Nothing to compare: no published mean is of a model, a prompt and a protocol that were measured here too. Stand-ins \
     under names of their own, however alike, replicate nothing; measure a model under its published name to see it here.";

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

/// The models by what they are: `9 released models, 8 stages of a training and 17 variants`.
pub(super) fn inventory(models: &[ModelInfo]) -> String {
    let (released, others): (Vec<&ModelInfo>, Vec<&ModelInfo>) = models.iter().partition(|m| is_released(m));
    let stages = others.iter().filter(|m| m.facts.kind.as_deref() == Some("revision")).count();
    let counted = |count: usize, one: &str, more: &str| {
        (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { more }))
    };
    let parts = [
        counted(released.len(), "released model", "released models"),
        counted(stages, "stage of a training", "stages of a training"),
        counted(others.len() - stages, "variant", "variants"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.as_slice() {
        [] => "no model".to_string(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}

/// How well the ladder is predicted and whether there is a change of side to find, over models that have a ladder;
/// `None` without one.
pub(super) fn sink_findings(sinks: &[Sink], models: &[ModelInfo]) -> Option<String> {
    let fitted: Vec<(&Sink, f64)> = sinks.iter().filter_map(|sink| Some((sink, sink.r_squared?))).collect();
    let released = |id: &str| models.iter().any(|model| model.id == id && is_released(model));
    let only: Vec<(&Sink, f64)> = fitted.iter().copied().filter(|(sink, _)| released(&sink.model)).collect();
    let (kind, chosen) = if only.is_empty() { ("models", fitted) } else { ("released models", only) };
    let all = chosen.len();
    let extreme = |of: &dyn Fn(&(&Sink, f64)) -> f64, pick: fn(f64, f64) -> f64| {
        chosen.iter().map(of).reduce(pick).map(number)
    };
    let fit = |found: &(&Sink, f64)| found.1;
    let (worst, best) = (extreme(&fit, f64::min)?, extreme(&fit, f64::max)?);
    let missed = chosen.iter().filter(|(_, fit)| *fit < 0.0).count();
    let first = if missed == 0 {
        format!("R² of the log gain over the ladder is {worst} to {best} for the {all} {kind} that have one.")
    } else {
        format!(
            "**The ladder is predicted badly for {missed} of {all} {kind}**: R² of the log gain is negative, so one constant \
             would do better than the lengths do (worst {worst}, best {best}). With each prompt's own B and r the formula \
             is an identity; a miss says that they differ from the other prompts to the ladder's text by more than its \
             length explains."
        )
    };
    let sides = chosen.iter().filter(|(sink, _)| sink.crossing.is_some()).count();
    let second = if sides == 0 {
        format!(
            "None of the {all} has a length at which the gain should change side: in none does one of B and r fall across the \
             last block while the other rises."
        )
    } else {
        format!("For {sides} of the {all} there is a length at which the gain should change side.")
    };
    let heavy = |found: &(&Sink, f64)| found.0.first[0] / found.0.other[0];
    let (lightest, heaviest) = (extreme(&heavy, f64::min)?, extreme(&heavy, f64::max)?);
    Some(format!("{first} {second} Before the last block B is {lightest} to {heaviest} times r."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use number::facts::ModelFacts;
    use number::protocol::{Bos, Endpoint, Protocol, Reduction};

    fn model(id: &str, kind: &str) -> ModelInfo {
        ModelInfo { id: id.into(), facts: ModelFacts { kind: Some(kind.into()), ..ModelFacts::default() } }
    }

    fn sink(model: &str, crossing: Option<f64>, r_squared: f64) -> Sink {
        Sink {
            model: model.into(),
            protocol: Protocol::new(Reduction::Frobenius, Endpoint::LastBlock, Bos::Auto),
            prompts: 5,
            first: [8.0, 8.0],
            other: [2.0, 2.5],
            crossing,
            rungs: Vec::new(),
            right_side: None,
            r_squared: Some(r_squared),
        }
    }

    #[test]
    fn models_are_counted_by_what_they_are() {
        let models =
            [model("a", "released"), model("b", "revision"), model("c", "revision"), model("d", "variant")];
        assert_eq!(inventory(&models), "1 released model, 2 stages of a training and 1 variant");
        assert_eq!(inventory(&models[1..3]), "2 stages of a training");
    }

    #[test]
    fn a_ladder_predicted_worse_than_by_a_constant_is_called_so() {
        let models = [model("a", "released"), model("b", "released"), model("v", "variant")];
        let said = |a, b, crossing| {
            let sinks = [sink("a", crossing, a), sink("b", None, b), sink("v", None, -9.0)];
            sink_findings(&sinks, &models).expect("two models have a ladder")
        };
        let bad = said(-0.5, 0.7, None);
        assert!(bad.contains("badly for 1 of 2 released models") && bad.contains("None of the 2"), "{bad}");
        assert!(
            bad.contains("worst -0.5000, best 0.7000") && bad.contains("4.0000 to 4.0000 times"),
            "{bad}"
        );
        let good = said(0.9, 0.7, Some(12.0));
        assert!(!good.contains("badly") && good.contains("For 1 of the 2"), "{good}");
        assert_eq!(sink_findings(&[], &models), None);
    }
}
