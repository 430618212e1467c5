//! Metrics of one branch of the blocks. A quantity names the metric and, by the name of its taps, the branch: the numbers of
//! attention and the MLP are filed under metrics of their own, those of any other branch under the metric and the branch.

use super::Metric;
use crate::observation::{ATTENTION, MLP};

/// Each metric of a branch with the metrics under which the numbers of attention and the MLP are filed.
const OF_A_BRANCH: [(Metric, Metric, Option<Metric>); 4] = [
    (Metric::BranchWrite, Metric::AttentionWrite, Some(Metric::MlpWrite)),
    (Metric::BranchGain, Metric::AttentionGain, Some(Metric::MlpGain)),
    (Metric::BranchOverResidual, Metric::AttentionOverResidual, Some(Metric::MlpOverResidual)),
    (Metric::BranchOffDiagonal, Metric::AttentionOffDiagonal, None),
];

impl Metric {
    /// The metric in the name of a number, as [`crate::evidence::Measurement::name`] writes it.
    pub fn of_number(name: &str) -> Option<Metric> {
        name.split('(').next()?.parse().ok()
    }

    /// Whether a number of this metric is of one branch, which must be named with it.
    pub fn is_of_branch(self) -> bool {
        OF_A_BRANCH.iter().any(|(metric, ..)| *metric == self)
    }

    /// The metric, and the branch if it does not name it itself, under which the numbers of a branch are filed; `None` where
    /// the branch has no such number.
    pub fn filed_of(self, branch: Option<&str>) -> Option<(Metric, Option<&str>)> {
        match (OF_A_BRANCH.iter().find(|(metric, ..)| *metric == self), branch) {
            (None, None) => Some((self, None)),
            (Some((_, attention, _)), Some(ATTENTION)) => Some((*attention, None)),
            (Some((_, _, mlp)), Some(MLP)) => mlp.map(|metric| (metric, None)),
            (Some(_), Some(_)) => Some((self, branch)),
            (Some(_), None) | (None, Some(_)) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attention_and_the_mlp_have_metrics_of_their_own_and_other_branches_their_name() {
        let of = |metric: Metric, branch| metric.filed_of(branch);
        assert_eq!(of(Metric::BranchWrite, Some("attn")), Some((Metric::AttentionWrite, None)));
        assert_eq!(of(Metric::BranchWrite, Some("mlp")), Some((Metric::MlpWrite, None)));
        assert_eq!(of(Metric::BranchWrite, Some("cross")), Some((Metric::BranchWrite, Some("cross"))));
        assert_eq!(of(Metric::BranchOffDiagonal, Some("mlp")), None);
        assert_eq!(of(Metric::LastGain, None), Some((Metric::LastGain, None)));
        assert_eq!(Metric::of_number("branch-write(cross)"), Some(Metric::BranchWrite));
        assert_eq!(Metric::of_number("last-gain"), Some(Metric::LastGain));
        assert_eq!((of(Metric::LastGain, Some("attn")), of(Metric::BranchGain, None)), (None, None));
    }

    #[test]
    fn a_metric_of_a_branch_is_measured_as_that_of_attention_is() {
        for (metric, attention, mlp) in OF_A_BRANCH {
            let (of_branch, of_attention) = (metric.describe(), attention.describe());
            let facts = |described: super::super::Description| {
                (described.unit, described.depends, described.per_layer, described.near_zero)
            };
            assert_eq!(facts(of_branch), facts(of_attention), "{metric}");
            assert!(mlp.is_none_or(|mlp| facts(mlp.describe()) == facts(of_branch)), "{metric}");
        }
    }
}
