//! Statistics: tests, intervals and corrections, checked against stored SciPy values.
//!
//! Functions of one sample take a slice. Functions that compare two take a [`Paired`](crate::metric::Paired), which
//! cannot be made of numbers with different protocols without saying so. Randomness comes from a [`Seed`] only.

mod binomial;
mod bootstrap;
mod correlation;
mod describe;
mod holm;
mod joint;
mod kruskal;
mod permutation;
mod pool;
mod regression;
mod seed;
mod sign;
mod sink;
mod split;

pub use binomial::{binomial_at_least, clopper_pearson};
pub use bootstrap::{MeanIntervals, RESAMPLES, Resamples, bootstrap_percentile, bootstrap_t, mean_interval};
pub(crate) use correlation::z_variance;
pub use correlation::{Method, correlation_interval, partial, pearson, spearman};
pub use describe::{Interval, average_ranks, mean, quantile, standard_deviation};
pub use holm::holm;
pub use joint::{Joint, Pairs, Unflippable, Units, joint};
pub use kruskal::{Kruskal, kruskal_permutation_p, kruskal_wallis};
pub use permutation::{
    Draw, MONTE_CARLO, Orders, correlation_p, sign_flip_p, smallest_correlation_p, smallest_sign_p,
};
pub use pool::{Pooled, random_effects};
pub use regression::{CrossValidated, cross_validated};
pub use seed::Seed;
pub use sign::{median_interval, sign_test};
pub use sink::{SinkFit, crossing_tokens, sink_fit, sink_norm};
pub use split::{Split, log_ratio_split};
