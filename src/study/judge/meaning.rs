//! What statistics are called in sentences: a rule names `smallest-high`, its reader is told of the upper end of the lowest model's
//! interval.

/// How a statistic is put into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A number: what it is, as a subject.
    Number(&'static str),
    /// 1 where this holds, 0 where it does not: a sentence without its end.
    Holds(&'static str),
}

use Meaning::{Holds, Number};

/// Every statistic of every kind of test; where one means something of its own in a kind, `kind/name` says it.
const MEANINGS: &[(&str, Meaning)] = &[
    ("models", Number("the number of models")),
    ("lineages", Number("the number of lineages")),
    ("families", Number("the number of families")),
    ("prompts", Number("the number of prompts")),
    ("pairs", Number("the number of pairs")),
    ("groups", Number("the number of groups")),
    ("cells", Number("the number of prompts over all models")),
    ("orders", Number("the number of orders that the rows allow")),
    ("series", Number("the number of trainings")),
    ("revisions", Number("the fewest stages of a training")),
    ("a-models", Number("the number of lineages in the first group")),
    ("b-models", Number("the number of lineages in the second group")),
    ("smallest-p", Number("the smallest p that so few units can give")),
    ("low", Number("the lower end of the interval")),
    ("high", Number("the upper end of the interval")),
    ("p", Number("the p-value")),
    ("p-t", Number("the p-value of Student's t")),
    ("p-rank", Number("the p-value of the rank test")),
    ("p-family", Number("the p-value by whole families")),
    ("p-f", Number("the p-value of the F test")),
    ("p-apart", Number("the p-value of lying apart")),
    ("p-against", Number("the p-value against it")),
    ("dip-p", Number("the p-value of Hartigan's dip")),
    ("a-p", Number("the largest p-value of a change of the first quantity")),
    ("b-p", Number("the largest p-value of a change of the second quantity")),
    ("difference", Number("the mean difference")),
    ("effect", Number("the standardised effect")),
    ("effect-low", Number("the lower end of the standardised effect's interval")),
    ("effect-high", Number("the upper end of the standardised effect's interval")),
    ("loo-lowest", Number("the lowest value without one family")),
    ("loo-highest", Number("the highest value without one family")),
    ("share", Number("the share of lineages")),
    // The mean of each model against a value.
    ("pooled", Number("the mean over lineages")),
    ("models-above", Number("the number of models that lie above with their whole interval")),
    ("models-below", Number("the number of models that lie below with their whole interval")),
    ("share-above", Number("the share of lineages that lie above with their whole interval")),
    ("share-below", Number("the share of lineages that lie below with their whole interval")),
    ("share-above-significant", Number("the share of lineages that lie significantly above")),
    ("share-below-significant", Number("the share of lineages that lie significantly below")),
    ("smallest-low", Number("the lower end of the lowest model's interval")),
    ("smallest-high", Number("the upper end of the lowest model's interval")),
    ("largest-low", Number("the lower end of the highest model's interval")),
    ("largest-high", Number("the upper end of the highest model's interval")),
    ("equivalence-low", Number("the lowest end of all intervals for equivalence")),
    ("equivalence-high", Number("the highest end of all intervals for equivalence")),
    ("mean-by-model/low", Number("the lower end of the mean's interval over lineages")),
    ("mean-by-model/high", Number("the upper end of the mean's interval over lineages")),
    // Extremes.
    ("smallest", Number("the smallest value")),
    ("largest", Number("the largest value")),
    ("median", Number("the median")),
    ("share-inside", Number("the share of lineages that lie within the bounds")),
    ("extremes/low", Number("the lower end of the interval of the share within the bounds")),
    ("extremes/high", Number("the upper end of the interval of the share within the bounds")),
    // How many lineages show something.
    ("k", Number("the number of lineages that must show it")),
    ("largest-k", Number("the number of lineages shown to do so")),
    ("k-of-n/p", Number("the p-value of fewer lineages doing so")),
    ("k-of-n/p-against", Number("the p-value of as many lineages doing so")),
    ("share-of-models/share", Number("the share of lineages that lie above")),
    ("share-of-models/low", Number("the lower end of the share's interval")),
    ("share-of-models/high", Number("the upper end of the share's interval")),
    // Changed models against those that they were made from.
    ("share-lower-significant", Number("the share of lineages whose pairs are significantly lower")),
    ("share-higher-significant", Number("the share of lineages whose pairs are significantly higher")),
    ("share-significant", Number("the share of lineages that differ significantly")),
    ("share-sign-change", Number("the share of lineages whose pairs change side")),
    ("share-falls-through", Number("the share of lineages whose pairs fall from above to below")),
    (
        "share-cannot-fall-through",
        Number("the share of lineages whose pairs clearly do not fall from above to below"),
    ),
    ("pairs/pooled", Number("the mean difference over lineages")),
    ("pairs/low", Number("the lower end of the mean difference's interval")),
    ("pairs/high", Number("the upper end of the mean difference's interval")),
    ("r", Number("the correlation")),
    ("r-low", Number("the lower end of the correlation's interval")),
    ("r-high", Number("the upper end of the correlation's interval")),
    ("smallest-ratio", Number("the smallest ratio")),
    ("largest-ratio", Number("the largest ratio")),
    ("smallest-size", Number("the smallest size of a pair's difference")),
    ("largest-size", Number("the largest size of a pair's difference")),
    // Signs.
    ("flipping", Number("the number of lineages that change side")),
    ("staying", Number("the number of lineages that stay on one side")),
    ("staying-low", Number("the lower end of the interval of the share that stays on one side")),
    ("cells-flipping", Number("the number of prompts, of all models, that change side")),
    ("sign-flip/share", Number("the share of lineages that change side")),
    ("sign-flip/low", Number("the lower end of the interval of the share that changes side")),
    ("sign-flip/high", Number("the upper end of the interval of the share that changes side")),
    ("same-sign", Holds("all models lie on one side")),
    ("opposite", Holds("the others lie on the other side")),
    ("joined", Holds("one of the others lies on the side of one of the models")),
    ("differ", Holds("the models lie on both sides")),
    ("positive", Number("the number of models above")),
    ("negative", Number("the number of models below")),
    ("unclear", Number("the number of models on no clear side")),
    ("kappa", Number("the agreement of the protocols (kappa)")),
    ("agreement/low", Number("the lower end of the agreement's interval")),
    ("agreement/high", Number("the upper end of the agreement's interval")),
    ("share-on-side", Number("the smallest share of a model's prompts on its side")),
    ("mean-share-on-side", Number("the mean share of a model's prompts on its side")),
    // Two numbers against each other.
    ("ratio", Number("the ratio")),
    ("ratio-low", Number("the lower end of the ratio's interval")),
    ("ratio-high", Number("the upper end of the ratio's interval")),
    ("a-low", Number("the lower end of the first mean's interval")),
    ("a-high", Number("the upper end of the first mean's interval")),
    ("b-low", Number("the lower end of the second mean's interval")),
    ("b-high", Number("the upper end of the second mean's interval")),
    ("contrast/low", Number("the lower end of the difference's interval")),
    ("contrast/high", Number("the upper end of the difference's interval")),
    ("groups/low", Number("the lower end of the difference's interval")),
    ("groups/high", Number("the upper end of the difference's interval")),
    ("matched-groups/low", Number("the lower end of the difference's interval over families")),
    ("matched-groups/high", Number("the upper end of the difference's interval over families")),
    ("inside", Holds("the ratio lies within the band")),
    ("contrast/inside", Holds("the whole interval of the ratio lies within the band")),
    ("outside", Holds("the whole interval lies outside the band")),
    ("single", Number("the ratio of the two rows")),
    ("auc", Number("the area under the curve")),
    ("auc-low", Number("the lower end of the area's interval")),
    ("auc-high", Number("the upper end of the area's interval")),
    ("worst-relative-error", Number("the largest relative error")),
    ("median-relative-error", Number("the largest median of a model's relative errors")),
    ("median-high", Number("the upper end of the interval of the largest median error")),
    ("method-share", Number("the part of the log ratio that comes from the method")),
    (
        "method-share-low",
        Number("the smallest part of the log ratio, over both orders, that comes from the method"),
    ),
    ("prompt-share", Number("the part of the log ratio that comes from the prompt")),
    ("log-ratio", Number("the log ratio")),
    // Correlation and laws.
    ("rho", Number("the correlation")),
    ("absolute-rho", Number("the size of the correlation")),
    ("correlation/low", Number("the lower end of the correlation's interval")),
    ("correlation/high", Number("the upper end of the correlation's interval")),
    ("correlation/p", Number("the correlation's p-value")),
    ("layer-correlation/low", Number("the lower end of the correlation's interval")),
    ("layer-correlation/high", Number("the upper end of the correlation's interval")),
    ("layer-correlation/p", Number("the correlation's p-value")),
    ("bootstrap-low", Number("the lower end of the correlation's bootstrap interval")),
    ("bootstrap-high", Number("the upper end of the correlation's bootstrap interval")),
    ("share-positive-significant", Number("the share of lineages with a significantly positive correlation")),
    ("share-negative-significant", Number("the share of lineages with a significantly negative correlation")),
    ("partial-r2", Number("what the fact explains beyond the others (partial R²)")),
    (
        "partial-r2-low",
        Number("the lower end of the interval of what the fact explains beyond the others (partial R²)"),
    ),
    (
        "partial-r2-high",
        Number("the upper end of the interval of what the fact explains beyond the others (partial R²)"),
    ),
    ("epsilon2", Number("the part of the ranks' variance that lies between the groups")),
    ("exponent", Number("the exponent")),
    ("power-law/low", Number("the lower end of the exponent's interval")),
    ("power-law/high", Number("the upper end of the exponent's interval")),
    ("power-law/outside", Holds("the whole interval of the exponent lies outside the band")),
    ("coefficient", Number("the coefficient")),
    ("r2", Number("the explained part of the variance (R²)")),
    ("r2-low", Number("the lower end of the interval of R²")),
    ("r2-high", Number("the upper end of the interval of R²")),
    ("crossing-tokens", Number("the length, in tokens, at which the gain crosses 1")),
    ("linear-r2", Number("the cross-validated R² of the line through zero")),
    ("linear-low", Number("the lower end of the interval of the line's R²")),
    ("linear-high", Number("the upper end of the interval of the line's R²")),
    ("affine-r2", Number("the cross-validated R² of the line with a constant")),
    ("rank-r2", Number("the cross-validated R² of the ranks")),
    ("linear-minus-best", Number("what the line through zero explains less than the best fit")),
    ("share-within-factor", Number("the share of lineages within the factor")),
    ("predicted/low", Number("the lower end of the interval of the share within the factor")),
    ("predicted/high", Number("the upper end of the interval of the share within the factor")),
    ("worst", Number("the largest factor by which a model is off")),
    ("mean-ratio", Number("the mean ratio of found over predicted")),
    // Categories, groups, layers, trainings.
    ("categories/share-significant", Number("the share of lineages whose categories differ significantly")),
    ("share-alike", Number("the share of lineages whose categories are alike")),
    ("lowest-category/share", Number("the share of lineages in which the category is the lowest")),
    ("lowest-category/low", Number("the lower end of the interval of the share in which it is the lowest")),
    ("lowest-category/high", Number("the upper end of the interval of the share in which it is the lowest")),
    ("delta-bic", Number("what two groups fit better than one (difference of BIC)")),
    ("two", Holds("the models are of two sorts")),
    ("mean-difference", Number("the mean difference in layers")),
    ("mean-share-of-depth", Number("the mean difference as a share of the depth")),
    ("layer-location/low", Number("the lower end of the interval of that share of the depth")),
    ("layer-location/high", Number("the upper end of the interval of that share of the depth")),
    ("share-apart", Number("the share of lineages in which the layers lie apart")),
    ("apart-low", Number("the lower end of the interval of the share in which the layers lie apart")),
    ("apart-high", Number("the upper end of the interval of the share in which the layers lie apart")),
    ("share-within", Number("the share within the distance")),
    ("series-within", Number("the number of trainings within the distance")),
    ("factor", Number("the median factor between the two steps")),
    ("a-step", Number("the median step at which the first quantity changes")),
    ("b-step", Number("the median step at which the second quantity changes")),
    ("series-falling", Number("the number of trainings that fall")),
    ("series-rising", Number("the number of trainings that rise")),
    ("share-falling", Number("the share of trainings that fall")),
    ("share-rising", Number("the share of trainings that rise")),
    ("spread-change/ratio", Number("the median ratio of the variances after and before")),
    ("spread-change/largest-ratio", Number("the largest ratio of the variances after and before")),
    ("trend/rho", Number("the median correlation with the step")),
    ("trend/p", Number("the largest p-value of a training")),
];

/// What a statistic that a kind of test offers is; `None` for a name that no kind has.
pub(crate) fn meaning(kind: &str, statistic: &str) -> Option<Meaning> {
    let own = format!("{kind}/{statistic}");
    let of = |name: &str| MEANINGS.iter().find(|(known, _)| *known == name).map(|(_, meaning)| *meaning);
    of(&own).or_else(|| of(statistic))
}

/// What a statistic that a kind of test offers is, in words; the name itself where no kind has it.
pub fn in_words(kind: &str, statistic: &str) -> String {
    match meaning(kind, statistic) {
        Some(Number(words)) => words.to_string(),
        Some(Holds(sentence)) => format!("whether {sentence} (1 or 0)"),
        None => statistic.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::kinds::Test;

    #[test]
    fn every_statistic_of_every_kind_has_words_and_no_words_are_of_none() {
        for name in Test::STATISTICS.iter().copied().flatten() {
            assert!(meaning("", name).is_some(), "{name}: say in MEANINGS what it is");
        }
        for (at, (name, meaning)) in MEANINGS.iter().enumerate() {
            let statistic = name.split_once('/').map_or(*name, |(_, statistic)| statistic);
            assert!(Test::STATISTICS.iter().any(|all| all.contains(&statistic)), "{name}: no kind offers it");
            assert!(MEANINGS[..at].iter().all(|(other, _)| other != name), "{name} is said twice");
            let (Number(words) | Holds(words)) = meaning;
            assert!(!words.contains(name) || !name.contains('-'), "{words}: a name is no words");
        }
    }

    #[test]
    fn a_kind_may_have_words_of_its_own() {
        assert_eq!(meaning("contrast", "low"), Some(Number("the lower end of the difference's interval")));
        assert_eq!(meaning("pairs", "share-alike"), meaning("", "share-alike"));
        assert_eq!(in_words("modality", "two"), "whether the models are of two sorts (1 or 0)");
        assert_eq!(in_words("ratio", "unheard-of"), "unheard-of");
    }
}
