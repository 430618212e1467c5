//! Interventions: what can be changed in a model of the list, without a second copy of its weights.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use base::named_enum;

/// `intervention = { rope-theta-times = 10 }`: exactly one of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Intervention {
    /// Factor on the rotary base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rope_theta_times: Option<f64>,
    /// `none`: rotary positions without the scaling that stretched them to a longer context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rope_scaling: Option<Scaling>,
    /// Seed of weights drawn as the reference initialises them before training.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random_init: Option<u64>,
    /// `ones`: the final norm scales no component; its bias, if it has one, stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub final_norm_weight: Option<NormWeight>,
}

named_enum! {
    /// What rotary scaling is replaced by.
    Scaling, "rotary scaling" {
        /// No scaling.
        None = "none",
    }
}

named_enum! {
    /// What the weight of a norm is replaced by.
    NormWeight, "norm weight" {
        /// Every component times one.
        Ones = "ones",
    }
}

/// An intervention that names one change. Its text enters keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// The rotary base is multiplied by this factor.
    RopeThetaTimes(f64),
    /// Rotary positions are not scaled.
    RopeScalingNone,
    /// Weights are drawn anew, as before training.
    RandomInit {
        /// Seed of the draws.
        seed: u64,
    },
    /// The weight of the final norm is one everywhere.
    FinalNormOnes,
}

impl Intervention {
    /// The keys of an `intervention` table, for messages.
    pub const KEYS: &str = "rope-theta-times, rope-scaling, random-init, final-norm-weight";

    /// Every change it names; a list that passed `check` names one.
    pub fn changes(&self) -> Vec<Change> {
        let Intervention { rope_theta_times, rope_scaling, random_init, final_norm_weight } = *self;
        let all = [
            rope_theta_times.map(Change::RopeThetaTimes),
            rope_scaling.map(|Scaling::None| Change::RopeScalingNone),
            random_init.map(|seed| Change::RandomInit { seed }),
            final_norm_weight.map(|NormWeight::Ones| Change::FinalNormOnes),
        ];
        all.into_iter().flatten().collect()
    }
}

impl Change {
    /// Whether weights are read otherwise than they are stored.
    pub fn touches_weights(&self) -> bool {
        matches!(self, Change::RandomInit { .. } | Change::FinalNormOnes)
    }

    /// The value of the fact `change`: models that differ in the seed alone had the same done to them.
    pub fn fact(&self) -> String {
        match self {
            Change::RandomInit { .. } => "random init".to_string(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::RopeThetaTimes(factor) => write!(f, "rope-theta x{factor}"),
            Change::RopeScalingNone => f.write_str("rope-scaling none"),
            Change::RandomInit { seed } => write!(f, "random init, seed {seed}"),
            Change::FinalNormOnes => f.write_str("final-norm ones"),
        }
    }
}
