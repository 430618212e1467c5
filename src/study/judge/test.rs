//! The list of kinds of test. A kind is one file and one line here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    agreement::Agreement,
    bench::{Bench, Tested},
    categories::Categories,
    change_points::ChangePoints,
    contrast::Contrast,
    correlation::Correlation,
    explains::Explains,
    extremes::Extremes,
    groups::Groups,
    identity::Identity,
    k_of_n::KOfN,
    kind::{Kind, Parts},
    kruskal_groups::KruskalGroups,
    layer_correlation::LayerCorrelation,
    layer_location::LayerLocation,
    log_ratio_split::LogRatioSplit,
    lowest_category::LowestCategory,
    matched_groups::MatchedGroups,
    mean_by_model::MeanByModel,
    modality::Modality,
    pairs::Pairs,
    power_law::PowerLaw,
    predicted::Predicted,
    proportional::Proportional,
    ratio::Ratio,
    reproduce::Reproduce,
    share_of_models::ShareOfModels,
    sign_flip::SignFlip,
    sign_pattern::SignPattern,
    sink_fit::SinkFit,
    spread_change::SpreadChange,
    trend::Trend,
};

macro_rules! kinds {
    ($($kind:ident,)*) => {
        /// How numbers become statistics. The statistics each kind offers to rules are listed in `Test::statistics`.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        pub enum Test { $($kind($kind),)* }

        impl Test {
            /// Names of the statistics of every kind, in the order of the kinds.
            pub const STATISTICS: &'static [&'static [&'static str]] = &[$($kind::STATISTICS,)*];

            /// Names of the statistics this kind of test offers to rules.
            pub fn statistics(&self) -> &'static [&'static str] {
                match self { $(Test::$kind(_) => $kind::STATISTICS,)* }
            }

            pub(crate) fn kind(&self) -> &dyn Kind {
                match self { $(Test::$kind(kind) => kind,)* }
            }
        }
    };
}

kinds! {
    MeanByModel,
    ShareOfModels,
    KOfN,
    SignPattern,
    Contrast,
    Pairs,
    Groups,
    MatchedGroups,
    KruskalGroups,
    Explains,
    Correlation,
    Categories,
    LowestCategory,
    Ratio,
    Extremes,
    Reproduce,
    LogRatioSplit,
    SinkFit,
    Identity,
    SignFlip,
    Agreement,
    Proportional,
    PowerLaw,
    Predicted,
    Modality,
    LayerLocation,
    LayerCorrelation,
    Trend,
    ChangePoints,
    SpreadChange,
}

impl Test {
    pub(crate) fn parts(&self) -> Parts<'_> {
        self.kind().parts()
    }

    pub(super) fn run(&self, bench: &Bench<'_>) -> Tested {
        self.kind().run(bench)
    }
}
