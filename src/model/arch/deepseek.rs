//! Experts as DeepSeek V2 and V3 have them (arXiv 2405.04434, 2412.19437), in which later families follow them: dense blocks first;
//! then scores, of V3 corrected for the choice, which may be limited to the best groups; and an MLP beside the experts that every
//! token goes through.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    ArchError, Names,
    choices::Decoder,
    config::{own_names, typed},
    mixture::{Mixture, Shared, choice},
    sizes::{positive, sizes},
};
use crate::nn::{
    experts::{Correction, Router, Scores},
    groups::Groups,
};

/// What a class has where a config says nothing; without a number, the config must say it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sparse {
    /// `n_routed_experts`.
    pub experts: Option<usize>,
    /// `num_experts_per_tok`.
    pub chosen: Option<usize>,
    /// `n_shared_experts`.
    pub shared: Option<usize>,
    /// `first_k_dense_replace`.
    pub dense: usize,
    /// `moe_intermediate_size`.
    pub width: usize,
    /// `norm_topk_prob`.
    pub normalised: bool,
    /// `routed_scaling_factor`.
    pub scale: f64,
    /// `n_group` and `topk_group`.
    pub groups: (usize, usize),
    pub scoring: Scoring,
    /// `num_nextn_predict_layers`: blocks after the last one, which are not read.
    pub further: usize,
    /// Whether `mlp_layer_types` decides which blocks are dense; else the first ones are, whatever it says.
    pub by_types: bool,
}

/// How a class scores experts and ranks their groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scoring {
    /// Logistic scores, corrected for the choice; groups by the sum of their two best experts.
    Corrected,
    /// Softmax; groups by the sum of so many of their best experts.
    Softmax(usize),
}

#[derive(Debug, Deserialize)]
struct Keys {
    n_routed_experts: Option<usize>,
    num_experts_per_tok: Option<usize>,
    n_shared_experts: Option<usize>,
    first_k_dense_replace: Option<usize>,
    moe_intermediate_size: Option<usize>,
    norm_topk_prob: Option<bool>,
    routed_scaling_factor: Option<f64>,
    n_group: Option<usize>,
    topk_group: Option<usize>,
    mlp_layer_types: Option<Vec<String>>,
    num_nextn_predict_layers: Option<usize>,
}

/// Other names of keys, and those that are read here.
const NAMES: [(&str, &str); 3] = [
    ("num_experts", "n_routed_experts"),
    ("num_local_experts", "n_routed_experts"),
    ("num_mtp_layers", "num_nextn_predict_layers"),
];

impl Sparse {
    /// V3's choices where a class says nothing else.
    pub(super) const V3: Sparse = Sparse {
        experts: Some(256),
        chosen: Some(8),
        shared: Some(1),
        dense: 3,
        width: 2048,
        normalised: true,
        scale: 2.5,
        groups: (8, 4),
        scoring: Scoring::Corrected,
        further: 1,
        by_types: false,
    };

    /// The decoder with these experts in place of the MLPs of its blocks, but for those that `mlp_layer_types` calls dense, or
    /// for the first `first_k_dense_replace`.
    ///
    /// # Errors
    ///
    /// Numbers of experts or groups that do not fit each other; the reason names the keys.
    pub(super) fn experts(self, json: &Map<String, Json>, decoder: Decoder) -> Result<Decoder, ArchError> {
        let family = decoder.family;
        let json = own_names(family, json, &NAMES)?;
        let keys: Keys = typed(family, &json)?;
        let said = |key: &'static str, found: Option<usize>, default: Option<usize>| match found.or(default) {
            Some(found) => Ok((key, found)),
            None => Err(ArchError::Config { family, reason: format!("`{key}` is missing") }),
        };
        let blocks = decoder.sizes.num_hidden_layers;
        let (experts, chosen) = choice(
            family,
            said("n_routed_experts", keys.n_routed_experts, self.experts)?,
            said("num_experts_per_tok", keys.num_experts_per_tok, self.chosen)?,
            blocks,
        )?;
        let width = keys.moe_intermediate_size.unwrap_or(self.width);
        sizes(family, &[("moe_intermediate_size", width)])?;
        let groups = (keys.n_group.unwrap_or(self.groups.0), keys.topk_group.unwrap_or(self.groups.1));
        let scale = keys.routed_scaling_factor.unwrap_or(self.scale);
        // The 1e-20 that the reference adds to the sum of the weights is below what float32 resolves beside scores above 1e-13.
        let (scores, correction, best) = match self.scoring {
            Scoring::Corrected => {
                (Scores::Sigmoid, Some(Correction::vector("gate.e_score_correction_bias")), 2)
            }
            Scoring::Softmax(best) => (Scores::Softmax, None, best),
        };
        let router = Router {
            scores,
            correction,
            groups: limit(family, groups, (experts, chosen), best)?,
            normalised: keys.norm_topk_prob.unwrap_or(self.normalised),
            scale: positive(family, "routed_scaling_factor", scale)? as f32,
            ..Router::softmax("gate", experts, chosen)
        };
        let mixture = Mixture::in_mlp(router, width);
        let (key, shared) = said("n_shared_experts", keys.n_shared_experts, self.shared)?;
        let shared = match shared {
            0 => None,
            number => {
                let width = width.saturating_mul(number);
                sizes(family, &[(key, number), ("moe_intermediate_size", width)])?;
                Some(Shared { module: "mlp.shared_experts", layers: mixture.layers, width, gate: None })
            }
        };
        let further = keys.num_nextn_predict_layers.unwrap_or(self.further);
        let decoder = Decoder { names: Names { further, ..decoder.names }, ..decoder };
        let dense = keys.first_k_dense_replace.unwrap_or(self.dense);
        let first = (0..blocks).map(|block| block >= dense).collect::<Vec<bool>>();
        let routed = match keys.mlp_layer_types {
            Some(types) => sparse(family, &types, blocks)?,
            None => first.clone(),
        };
        if !self.by_types && routed != first {
            let reason = format!(
                "`mlp_layer_types` calls other blocks dense than the first {dense} of `first_k_dense_replace`, by which this family goes"
            );
            return Err(ArchError::Config { family, reason });
        }
        Ok(decoder.with_mixture(Mixture { shared, ..mixture }, &routed))
    }
}

/// Which blocks have experts, by the names of `mlp_layer_types`.
fn sparse(family: &'static str, types: &[String], blocks: usize) -> Result<Vec<bool>, ArchError> {
    let refuse = |reason| ArchError::Config { family, reason };
    if types.len() != blocks {
        let reason =
            format!("`mlp_layer_types` has {} names; expected `num_hidden_layers` = {blocks}", types.len());
        return Err(refuse(reason));
    }
    let is_sparse = |name: &String| match name.as_str() {
        "sparse" => Ok(true),
        "dense" => Ok(false),
        other => Err(refuse(format!("`mlp_layer_types` has {other:?}; expected \"dense\" or \"sparse\""))),
    };
    types.iter().map(is_sparse).collect()
}

/// The groups that limit a choice, if they do: groups by the sum of so many of their best experts.
fn limit(
    family: &'static str,
    (count, open): (usize, usize),
    (experts, chosen): (usize, usize),
    best: usize,
) -> Result<Option<Groups>, ArchError> {
    sizes(family, &[("n_group", count), ("topk_group", open)])?;
    let refuse = |reason| Err(ArchError::Config { family, reason });
    if !experts.is_multiple_of(count) || experts / count < best {
        return refuse(format!(
            "`n_group` = {count}; expected equal groups of at least {best} of `n_routed_experts` = {experts}"
        ));
    }
    if open > count {
        return refuse(format!("`topk_group` = {open}; expected at most `n_group` = {count}"));
    }
    let groups = Groups { count, open, best };
    if chosen > groups.candidates(experts) {
        return refuse(format!(
            "`num_experts_per_tok` = {chosen}; expected at most the {} experts of `topk_group` = {open} groups",
            groups.candidates(experts)
        ));
    }
    Ok((open < count).then_some(groups))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_do_not_fit_the_experts_are_refused_by_key() {
        let reason = |groups, experts| match limit("family", groups, experts, 2) {
            Err(ArchError::Config { reason, .. }) => reason,
            other => panic!("{other:?}"),
        };
        assert!(reason((3, 1), (8, 2)).starts_with("`n_group` = 3"));
        assert!(reason((8, 1), (8, 1)).starts_with("`n_group` = 8"));
        assert!(limit("family", (8, 1), (8, 1), 1).is_ok());
        assert!(reason((4, 5), (8, 2)).starts_with("`topk_group` = 5"));
        assert!(reason((4, 1), (8, 3)).starts_with("`num_experts_per_tok` = 3"));
        assert_eq!(limit("family", (4, 4), (8, 3), 2).unwrap(), None);
        let limited = Groups { count: 4, open: 2, best: 2 };
        assert_eq!(limit("family", (4, 2), (8, 3), 2).unwrap(), Some(limited));
    }
}
