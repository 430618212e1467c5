//! The kinds of test. A kind is one file of this folder and its name in the two lists here.

mod agreement;
mod categories;
mod change_points;
mod contrast;
mod correlation;
mod explains;
mod extremes;
mod groups;
mod identity;
mod k_of_n;
mod kruskal_groups;
mod layer_correlation;
mod layer_location;
mod log_ratio_split;
mod lowest_category;
mod matched_groups;
mod mean_by_model;
mod modality;
mod pairs;
mod power_law;
mod predicted;
mod proportional;
mod ratio;
mod reproduce;
mod share_of_models;
mod sign_flip;
mod sign_pattern;
mod sink_fit;
mod spread_change;
mod trend;

pub(super) use super::shared::by::By;
pub(super) use change_points::ChangePoints;
pub(super) use contrast::Contrast;
pub(super) use correlation::{Correlation, Unit};
pub(super) use extremes::Summary;
pub(super) use layer_correlation::LayerCorrelation;
pub(super) use layer_location::LayerLocation;
pub(super) use lowest_category::LowestCategory;
pub(super) use power_law::PowerLaw;
pub(super) use predicted::Predicted;
pub(super) use proportional::Proportional;
pub(super) use sign_flip::SignFlip;
pub(super) use sink_fit::SinkFit;
pub(super) use trend::Trend;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    context::TestContext,
    findings::Findings,
    kind::{Kind, Parts},
};

macro_rules! kinds {
    ($($module:ident::$kind:ident,)*) => {
        /// How numbers become statistics. The statistics each kind offers to rules are listed in `Test::statistics`.
        #[allow(missing_docs)] // each variant is the type of its own file
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        pub enum Test { $($kind($module::$kind),)* }

        impl Test {
            /// Names of the statistics of every kind, in the order of the kinds.
            pub const STATISTICS: &'static [&'static [&'static str]] = &[$($module::$kind::STATISTICS,)*];

            /// Names of the statistics this kind of test offers to rules.
            pub fn statistics(&self) -> &'static [&'static str] {
                match self { $(Test::$kind(_) => $module::$kind::STATISTICS,)* }
            }

            /// The word of hypothesis files, e.g. `mean-by-model`.
            pub fn name(&self) -> &'static str {
                match self { $(Test::$kind(_) => $crate::judge::statistics::name!($module),)* }
            }

            pub(crate) fn kind(&self) -> &dyn Kind {
                match self { $(Test::$kind(kind) => kind,)* }
            }
        }
    };
}

kinds! {
    mean_by_model::MeanByModel,
    share_of_models::ShareOfModels,
    k_of_n::KOfN,
    sign_pattern::SignPattern,
    contrast::Contrast,
    pairs::Pairs,
    groups::Groups,
    matched_groups::MatchedGroups,
    kruskal_groups::KruskalGroups,
    explains::Explains,
    correlation::Correlation,
    categories::Categories,
    lowest_category::LowestCategory,
    ratio::Ratio,
    extremes::Extremes,
    reproduce::Reproduce,
    log_ratio_split::LogRatioSplit,
    sink_fit::SinkFit,
    identity::Identity,
    sign_flip::SignFlip,
    agreement::Agreement,
    proportional::Proportional,
    power_law::PowerLaw,
    predicted::Predicted,
    modality::Modality,
    layer_location::LayerLocation,
    layer_correlation::LayerCorrelation,
    trend::Trend,
    change_points::ChangePoints,
    spread_change::SpreadChange,
}

impl Test {
    pub(crate) fn parts(&self) -> Parts<'_> {
        self.kind().parts()
    }

    pub(super) fn run(&self, context: &TestContext<'_>) -> Findings {
        self.kind().run(context)
    }
}
