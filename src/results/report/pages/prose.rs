//! Paragraphs that do not depend on the view. `Code` stands in backticks, *words* and **results** in stars.

use number::evidence::Evidence;

pub(super) const LAYOUT: &str = "A forward pass is observed once, in float32: norms of the residual stream per token and layer, before any choice \
     is made. h_l is the stream entering block l, h_L the last block's output before the final norm. A protocol \
     `reduction/endpoint/BOS` then turns observations into one number, and numbers of different protocols are different \
     quantities.";

pub(super) const STATISTICS: &str = "Units are prompts, never tokens; wherever models are compared the unit is a lineage: a base with its tunes, \
     quantisations, stages and variants. Prompts of several sets are compared within their set. A claim about every model is \
     tested by the extreme one: that all lie on one side by the largest p of the models, that one does not by the smallest, \
     after Holm. Means have bootstrap-t intervals (Student's below five prompts), correlations Fisher's z, pooled correlations Hartung-Knapp, shares \
     Clopper-Pearson, medians order statistics. p-values of \
     permutation tests are exact where few units allow it, otherwise (b+1)/(m+1) over m random draws of a fixed seed. \
     Where the units are too few to reach the level, that is said instead. A prediction's verdict follows the rule in \
     its hypothesis file, which is fixed by the hash shown beside it; *re-analysis* means that the published data had \
     been seen when the file was written.";

pub(super) const CURVES: &str = "A specification curve judges a prediction over again in every defensible way, sorted by effect; beside the primary \
     one, each changes the choices marked below it: under each protocol that was \
     observed, and under the primary and equivalent ones without each category of prompts, without each family of models, \
     and from each prompt set, published source or dtype alone. A BOS policy that changes no number is no other way. A verdict is *fragile* when an equivalent way changes it; where fewer \
     rows merely leave it open, that may be lost power and does not count. Joint p-values flip the same units in every \
     equivalent specification at once (Simonsohn, Simmons and Nelson 2020): signs of deviations from the null for means, \
     pairings for correlations, places in groups (by ranks) for differences between groups of models.";

pub(super) const VERDICTS: &str = "*supported*: in the predicted direction and beyond the smallest effect of interest. *contradicted*: beyond it the \
     other way. *negligible*: the interval lies inside it. *inconclusive*: none of these. *fragile*: an equally \
     defensible choice gives another verdict. *untestable*: what the test needs does not exist here. A hypothesis \
     stands or falls with its core predictions (where it is an \"or\": stands with any of them, falls with all); those marked *beside the claim* decide nothing.";

/// How the primary p of a family of this many hypotheses are corrected.
pub(super) fn family(size: usize) -> String {
    format!(
        "One primary p per hypothesis after Holm over the family of {size} hypotheses on each kind of evidence: of a claim of \
         several parts the largest p of its core predictions, or, where one is refuted, the smallest of those times their \
         number. A hypothesis without a p counts as p = 1. A verdict follows from its own file; beside it stands what it is \
         as one of the family, where a claim that does not outlast the correction is inconclusive."
    )
}

pub(super) const LISTED: &str = "Every other p of a testable prediction: an exploratory list, in which a share of at most q is false among those below q \
     after Benjamini and Hochberg's correction over the list, on each kind of evidence.";

pub(super) const WORLDS: &str = "A world has the models and the prompts of the evidence. What sets a lineage apart is drawn from a normal distribution with the \
     spread of lineages that was seen, likewise a model in its lineage; prompts are drawn with replacement from those of their set \
     as they were seen, the same ones in every model and quantity, so that what they have in common stays. Then what the claim is about is \
     set: no effect, or the smallest one of interest the other way (the claim is false), once and twice that effect (it is true). \
     A claim about every model is false by one lineage while all others hold. The rule judges each world as it judges \
     the evidence, with 999 resamples. Verdicts are of single predictions.";

pub(super) const WORLDS_OF_SHAPES: &str = "A claim about a share of the lineages is false where just that share has what is claimed, or none, \
     and true where all have it; a lineage of which protocols are not to part lies at the edge of parting. Two heaps of lineages lie 1.5 or 3 \
     standard deviations from the middle between them. Where a share of the variance is claimed, of a multiple or of a heavy first \
     token, noise makes up the rest. What is left of a profile over layers or along a training beside the claim is turned by a random \
     number of places, so that neighbours resemble each other as was seen; where the claim is about the place at which something happens, \
     the whole profile is moved. Where bases tell how their changed models lie, both are drawn with that correlation.";

pub(super) const WORLDS_SAY_NOT: &str = "Of each kind 100 worlds were drawn, 20 where all of these were untestable, 500 where more false verdicts came in 100 than the \
     level allows; 40 of each larger number of lineages or prompts, which are copies of those that were seen. A share of 5 % of 100 worlds has a \
     standard error of 2.2 points, one of 50 % of 5. Where a rule states no smallest effect it is half a standard deviation, of a \
     correlation 0.3. A rule that asks for an interval beyond the smallest effect does not find an effect of exactly that, with any number. \
     Worlds know one way of measuring, the primary one: that a verdict would be *fragile* does not come out. They cannot hold what the evidence does not show: how lineages differ where there is one, \
     or prompts where only means were published.";

pub(super) const SINK: &str = "A Frobenius norm over n tokens is F² = B² + (n-1) r²: one first token of norm B, and others of norm r. So the gain \
     of the last block depends on the length of the prompt, and where B falls while r rises it changes side of 1 at one \
     length. B and r are root mean squares over prompts; ladders, texts cut to growing lengths, are not among them: they \
     check what they predict. The 95 % interval of a length resamples the prompts; an end that is not there lies beyond every \
     length. It is of prompts as these: the tokens of a single text may be heavier or lighter. Where ordinary \
     tokens grow heavier along a text, r² follows a power of n-1, and the length is another.";

pub(super) const SPREAD: &str = "The total sum of squares of the log gain over every (model, prompt, protocol), shared between its factors. Prompts \
     lie within categories; the design is fully crossed, so no order of factors enters. Each kind of evidence stands by itself, \
     and of published gains each source with the one protocol it used.";

pub(super) const REPLICATION: &str = "Geometric means of the gain over the prompts that both measured. The interval says where ours may lie, with 95 %, \
     if the published mean holds: it carries the sampling errors of both.";

pub(super) const NO_REPLICATION: &str = "Nothing to compare: no published mean is of a model, a prompt and a protocol that were measured here too. Stand-ins \
     under names of their own, however alike, replicate nothing; measure a model under its published name to see it here.";

/// What a kind of evidence is of.
pub(super) fn kind(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Published => "Rows of tables that earlier work published.",
        Evidence::Measured => "Checkpoints that were trained on natural data, observed here.",
        Evidence::Rehearsal => {
            "Miniatures, random weights, and stages and variants of these, observed here: they test the instrument and say nothing \
             about language models."
        }
    }
}
