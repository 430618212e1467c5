//! Mixtures of experts: a router scores the experts for each token, and the token's row goes through the best of them alone.

use super::{ExpertLayout, Scope, groups::Groups, linear::linear, numbers::numbers, rounds};
use crate::graph::{Binary, GraphError, Reduction, Unary, Value};

/// How a router chooses experts for a row, and weighs what they give.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Router {
    /// The linear layer that scores experts: `<name>.weight [E, D]`.
    pub name: &'static str,
    /// The layer has a bias.
    pub bias: bool,
    /// E.
    pub experts: usize,
    /// K, at most E.
    pub chosen: usize,
    /// What makes scores of the layer's logits.
    pub scores: Scores,
    /// What is added to the scores for the choice alone.
    pub correction: Option<Correction>,
    /// Groups of experts that limit the choice.
    pub groups: Option<Groups>,
    /// The weights of a row are divided by their sum.
    pub normalised: bool,
    /// The least number that they are divided by then.
    pub least_sum: Option<f32>,
    /// Factor on the weights.
    pub scale: f32,
}

impl Router {
    /// A router whose weights are its probabilities of the chosen experts as they are.
    pub fn softmax(name: &'static str, experts: usize, chosen: usize) -> Router {
        Router {
            name,
            bias: false,
            experts,
            chosen,
            scores: Scores::Softmax,
            correction: None,
            groups: None,
            normalised: false,
            least_sum: None,
            scale: 1.0,
        }
    }
}

/// The function from logits to scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scores {
    /// Softmax over all experts.
    Softmax,
    /// The logistic function of each logit.
    Sigmoid,
    /// Two experts, each of a round of its own, and weighed by its softmax over the experts of that round that come near it,
    /// see [`rounds::weights`].
    Rounds {
        /// How near, relative to their logits.
        within: f32,
    },
}

/// A number for every expert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Name of the tensor.
    pub name: &'static str,
    /// It is stored as `[1, E]` instead of `[E]`.
    pub as_row: bool,
}

impl Correction {
    /// A vector `[E]`.
    pub fn vector(name: &'static str) -> Correction {
        Correction { name, as_row: false }
    }
}

/// What a graph of one module takes in place of the experts: the sum of what they give, weighted, `[T, D]`.
pub const EXPERTS: &str = "experts";
/// The output of such a graph that experts receive, `[T, D]`.
pub const EXPERT_INPUT: &str = "expert_input";
/// Its output that says which experts, i64 `[T, K]`.
pub const EXPERT_CHOICE: &str = "expert_choice";
/// Its output that weighs what they give, `[T, K]`.
pub const EXPERT_WEIGHT: &str = "expert_weight";

/// The experts that rows go through, the best first, and the weights of what they give.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// i64 `[T, K]`.
    pub experts: Value,
    /// `[T, K]`.
    pub weights: Value,
}

/// The choice for every row of `x [T, D]`. Measured on the way are the entropy of the scores and the margin
/// of the choice: with groups, the smaller of the margins of groups and of experts in open ones.
pub fn choose(s: &mut Scope, router: Router, x: Value, width: usize) -> Result<Choice, GraphError> {
    let Router { experts, chosen, .. } = router;
    let logits = linear(s, router.name, x, (width, experts), router.bias)?;
    let scores = match router.scores {
        Scores::Softmax => s.softmax(logits)?,
        Scores::Rounds { .. } => logits,
        Scores::Sigmoid => s.unary(Unary::Sigmoid, logits)?,
    };
    // Both functions keep the order of the logits, which are more exact; not the order of sums.
    let ranked = match router.correction {
        None if router.groups.is_some_and(|groups| groups.best > 1) => scores,
        None => logits,
        Some(Correction { name, as_row }) => {
            let shape: &[usize] = if as_row { &[1, experts] } else { &[experts] };
            let correction = s.weight(name, shape)?;
            s.add(scores, correction)?
        }
    };
    let limited = router.groups.map(|groups| groups.limited(s, ranked, experts)).transpose()?;
    let (ranked, best_groups) = limited.map_or((ranked, None), |(ranked, best)| (ranked, Some(best)));
    let candidates = router.groups.map_or(experts, |groups| groups.candidates(experts));
    let (best, order) = s.top_k(ranked, (chosen + 1).min(candidates))?;
    let has_rest = chosen < candidates;
    if has_rest || best_groups.is_some() {
        s.measure("router_margin", |s| {
            let margin = match best_groups.zip(router.groups) {
                None => lead(s, best, chosen)?,
                Some((best, groups)) if !has_rest => lead(s, best, groups.open)?,
                Some((best_groups, groups)) => {
                    let (of_groups, of_experts) =
                        (lead(s, best_groups, groups.open)?, lead(s, best, chosen)?);
                    s.binary(Binary::Min, of_groups, of_experts)?
                }
            };
            s.reduce(Reduction::Sum, margin)
        })?;
    }
    s.measure("router_entropy_nats", |s| match router.scores {
        Scores::Softmax | Scores::Rounds { .. } => entropy_of_logits(s, logits),
        Scores::Sigmoid => entropy_of_scores(s, scores),
    })?;
    let order = s.slice(order, 1, 0, chosen)?;
    if let Scores::Rounds { within } = router.scores {
        return Ok(Choice {
            experts: order,
            weights: rounds::weights(s, logits, (best, order), experts, within)?,
        });
    }
    let weights = picked(s, scores, order, (experts, chosen))?;
    let weights = if router.normalised {
        let sum = s.reduce_keep(Reduction::Sum, weights)?;
        let sum = match router.least_sum {
            None => sum,
            Some(least) => {
                let least = s.scalar(least)?;
                s.binary(Binary::Max, sum, least)?
            }
        };
        s.div(weights, sum)?
    } else {
        weights
    };
    let weights = if router.scale == 1.0 { weights } else { s.scale(weights, router.scale)? };
    Ok(Choice { experts: order, weights })
}

/// By how much the last of `chosen` leads the next, `[T, 1]`, of ranks from the best on, `[T, chosen + 1]`.
fn lead(s: &mut Scope, best: Value, chosen: usize) -> Result<Value, GraphError> {
    let last = s.slice(best, 1, chosen - 1, chosen)?;
    let next = s.slice(best, 1, chosen, chosen + 1)?;
    s.sub(last, next)
}

/// What the chosen experts make of the rows of `x [T, D]`, weighted and added, `[T, D]`.
///
/// The graph of one module leaves that to whoever runs it: it gives what experts receive, and takes what they make as the input
/// [`EXPERTS`]. A graph of the whole model computes every expert on every row, and multiplies those that were not chosen by 0.
pub fn mixed(
    s: &mut Scope,
    choice: Choice,
    x: Value,
    (experts, chosen): (usize, usize),
    layout: ExpertLayout,
    expert: impl Fn(&mut Scope, Value) -> Result<Value, GraphError>,
) -> Result<Value, GraphError> {
    if !s.is_whole() {
        s.publish(EXPERT_INPUT, x)?;
        s.publish(EXPERT_CHOICE, choice.experts)?;
        s.publish(EXPERT_WEIGHT, choice.weights)?;
        let (dtype, shape) = (s.dtype(x), s.shape(x).to_vec());
        return s.shared_input(EXPERTS, dtype, &shape);
    }
    let weights = spread(s, choice, (experts, chosen))?; // [T, E]
    let mut sum = None;
    for e in 0..experts {
        let weight = s.slice(weights, 1, e, e + 1)?;
        let given = expert(&mut s.of_expert(layout, e, experts), x)?;
        let given = s.mul(given, weight)?;
        sum = Some(match sum {
            Some(sum) => s.add(sum, given)?,
            None => given,
        });
    }
    sum.map_or(Ok(x), Ok) // a router has an expert
}

/// Of `scores [T, E]` those at the places `order [T, K]`.
fn picked(
    s: &mut Scope,
    scores: Value,
    order: Value,
    (experts, chosen): (usize, usize),
) -> Result<Value, GraphError> {
    let tokens = s.shape(scores)[0];
    let places = s.reshape(order, &[tokens, chosen.into(), 1.into()])?;
    let all = numbers(s, experts, &[experts])?;
    let is_there = s.binary(Binary::Equal, places, all)?; // [T, K, E]
    let scores = s.reshape(scores, &[tokens, 1.into(), experts.into()])?;
    let zero = s.scalar(0.0)?;
    let kept = s.choose(is_there, scores, zero)?;
    s.reduce(Reduction::Sum, kept)
}

/// The weights of all experts, `[T, E]`: 0 for those that were not chosen.
fn spread(s: &mut Scope, choice: Choice, (experts, chosen): (usize, usize)) -> Result<Value, GraphError> {
    let tokens = s.shape(choice.weights)[0];
    let places = s.reshape(choice.experts, &[tokens, 1.into(), chosen.into()])?;
    let all = numbers(s, experts, &[experts, 1])?;
    let is_there = s.binary(Binary::Equal, places, all)?; // [T, E, K]
    let weights = s.reshape(choice.weights, &[tokens, 1.into(), chosen.into()])?;
    let zero = s.scalar(0.0)?;
    let kept = s.choose(is_there, weights, zero)?;
    s.reduce(Reduction::Sum, kept)
}

/// Of softmax: with d a logit less the largest, ln Σ e^d - Σ p·d, which no probability of 0 disturbs.
fn entropy_of_logits(s: &mut Scope, logits: Value) -> Result<Value, GraphError> {
    let max = s.reduce_keep(Reduction::Max, logits)?;
    let below = s.sub(logits, max)?;
    let exp = s.unary(Unary::Exp, below)?;
    let weighted = s.mul(below, exp)?;
    let (sum, weighted) = (s.reduce(Reduction::Sum, exp)?, s.reduce(Reduction::Sum, weighted)?);
    let log = s.unary(Unary::Log, sum)?;
    let mean = s.div(weighted, sum)?;
    s.sub(log, mean)
}

/// Of scores as parts of their sum: ln Σ s - Σ s·ln s / Σ s.
fn entropy_of_scores(s: &mut Scope, scores: Value) -> Result<Value, GraphError> {
    let least = s.scalar(1e-30)?;
    let positive = s.binary(Binary::Max, scores, least)?;
    let logs = s.unary(Unary::Log, positive)?;
    let weighted = s.mul(positive, logs)?;
    let (sum, weighted) = (s.reduce(Reduction::Sum, positive)?, s.reduce(Reduction::Sum, weighted)?);
    let log = s.unary(Unary::Log, sum)?;
    let mean = s.div(weighted, sum)?;
    s.sub(log, mean)
}
