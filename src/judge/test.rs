//! Which test a prediction asks for.

use super::{
    bench::{Bench, Tested},
    categories, correlation, identity, log_ratio_split, lowest_category, mean_by_model, proportional, ratio,
    reproduce, share_of_models, sign_flip, sink_fit,
};
use crate::config::hypothesis::Test;

pub(super) fn run(bench: &Bench<'_>, test: &Test) -> Tested {
    match test {
        Test::MeanByModel { of, against } => mean_by_model::test(bench, of, *against),
        Test::ShareOfModels { of, above, share } => share_of_models::test(bench, of, *above, *share),
        Test::Correlation { x, y, method, unit, given, within_category, across_protocols } => {
            correlation::test(
                bench,
                &correlation::Asked {
                    x,
                    y,
                    method: *method,
                    unit: *unit,
                    given,
                    within_category: *within_category,
                    across: *across_protocols,
                },
            )
        }
        Test::Categories { of } => categories::test(bench, of),
        Test::LowestCategory { of, category } => lowest_category::test(bench, of, category),
        Test::Ratio { numerator, denominator, across_protocols } => {
            ratio::test(bench, numerator, denominator, *across_protocols)
        }
        Test::Reproduce { targets } => reproduce::test(bench, targets),
        Test::LogRatioSplit { a, b, corner, across_protocols } => {
            log_ratio_split::test(bench, a, b, corner, *across_protocols)
        }
        Test::SinkFit { select } => sink_fit::test(bench, select),
        Test::Identity { left, right, across_protocols } => {
            identity::test(bench, left, right, *across_protocols)
        }
        Test::SignFlip { metric, protocols, against, across_protocols } => {
            sign_flip::test(bench, *metric, protocols, *against, *across_protocols)
        }
        Test::Proportional { x, y, across_protocols } => proportional::test(bench, x, y, *across_protocols),
    }
}
