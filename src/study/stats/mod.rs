//! Statistics: tests, intervals and corrections, checked against stored SciPy values.
//!
//! Functions of one sample take a slice. Functions that compare two take a [`Paired`](number::metric::Paired), which
//! cannot be made of numbers with different protocols without saying so; those of differences take what the caller derived
//! from one, and those of two groups of different units take slices. Randomness comes from a [`Seed`] only.

mod agreement;
mod bca;
mod binomial;
mod bootstrap;
mod change_point;
mod clusters;
mod conjunction;
mod contrast;
mod correlation;
mod crossed;
mod decomposition;
mod describe;
mod dip;
mod dominance;
mod effect;
mod equivalence;
mod explained;
mod fisher;
mod flips;
mod holm;
mod joint;
mod kruskal;
mod line;
mod mann_whitney;
mod mixture;
mod nested;
mod noncentral;
mod normal;
mod permutation;
mod pool;
mod power_law;
mod reach;
mod regression;
mod relabel;
mod replication;
mod seed;
mod sign;
mod sink;
mod split;
mod variance;
mod wilcoxon;

pub use agreement::kappa;
pub use bca::{bootstrap_bca, bootstrap_of};
pub use binomial::{binomial_at_least, clopper_pearson};
pub use bootstrap::{MeanIntervals, RESAMPLES, Resamples, bootstrap_percentile, bootstrap_t, mean_interval};
pub use change_point::{ChangePoint, change_point};
pub use clusters::{bootstrap_clusters, bootstrap_strata};
pub use conjunction::{benjamini_hochberg, partial_conjunction};
pub(crate) use contrast::t_quantile;
pub use contrast::{TTest, paired_t, student_t, welch_t};
pub use correlation::{Method, correlation_interval, correlation_t_p, partial, pearson, spearman};
pub(crate) use correlation::{ResampledSpearman, correlation_of, moves, z_variance};
pub use crossed::Sampled;
pub(crate) use crossed::{Wider, widened};
pub use decomposition::{Share, decompose};
pub use describe::{Interval, average_ranks, mean, population_deviation, quantile, standard_deviation};
pub use dip::{dip, dip_p, dip_p_among, uniform_dips};
pub use dominance::{auc, cliff_delta, rank_biserial};
pub use effect::{Effect, cohen_d, cohen_dz, hedges_g};
pub use equivalence::{tost, tost_interval};
pub use explained::{eta_squared, explained_interval};
pub use fisher::fisher_exact_p;
pub use flips::{EveryUnits, Groups, Pairs, Units};
pub use holm::holm;
pub use joint::{Joint, NoJointP, joint};
pub use kruskal::{Kruskal, kruskal_permutation_p, kruskal_permutation_ps, kruskal_wallis};
pub use line::{Line, line};
pub use mann_whitney::{MannWhitney, mann_whitney};
pub use mixture::mixture_bic;
pub use nested::{Nested, nested};
pub use normal::normal_quantile;
pub(crate) use normal::upper_tail;
pub use permutation::{
    Draw, MONTE_CARLO, Orders, correlation_p, correlation_ps, sign_flip_p, smallest_correlation_p,
    smallest_correlation_p_within, smallest_sign_p,
};
pub use pool::{Pooled, random_effects};
pub use power_law::{PowerLaw, power_law};
pub use reach::out_of_reach;
pub use regression::{CrossValidated, cross_validated};
pub use relabel::{relabel_clusters_p, relabel_p, smallest_relabel_p};
pub use replication::prediction_interval;
pub use seed::Seed;
pub use sign::{median_interval, sign_test};
pub use sink::{SinkFit, crossing_tokens, sink_fit, sink_gain, sink_norm};
pub use split::{Split, log_ratio_split};
pub use variance::{BrownForsythe, brown_forsythe, variance_ratio};
pub use wilcoxon::{Ranked, wilcoxon};
