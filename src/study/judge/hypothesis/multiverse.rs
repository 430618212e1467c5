//! `[multiverse]` of a hypothesis file: along which dimensions its specification curve runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use base::named_enum;

named_enum! {
    /// A choice that several people could make differently.
    Dimension, "dimension" {
        /// Token reduction.
        Reduction = "reduction",
        /// Endpoint of the gain.
        Endpoint = "endpoint",
        /// BOS policy.
        Bos = "bos",
        /// All categories of prompts, or one of them left out.
        Categories = "categories",
        /// Prompts of every set, or of one alone.
        Sets = "sets",
        /// All models, or one family left out.
        Models = "models",
        /// Rows of every source, or of one alone.
        Source = "source",
        /// Rows of every dtype, or of one alone.
        Dtype = "dtype",
    }
}

impl Dimension {
    /// The name that reports print.
    pub fn label(self) -> &'static str {
        if self == Dimension::Bos { "BOS" } else { self.as_str() }
    }
}

/// How another way of measuring relates to the primary one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// It estimates the same thing: another verdict makes the claim fragile.
    Equivalent,
    /// It estimates something else, and is shown beside the claim.
    DifferentEstimand,
}

/// Which dimensions a curve has, and what a choice along one of them means. Relations of reductions and endpoints
/// are those of `also`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Multiverse {
    /// All unless said.
    pub dimensions: Vec<Dimension>,
    /// Choices that are not equivalent to the primary one.
    #[serde(rename = "relation", skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<Override>,
}

impl Default for Multiverse {
    fn default() -> Multiverse {
        Multiverse { dimensions: Dimension::ALL.to_vec(), relations: Vec::new() }
    }
}

/// A choice of `bos`, `categories`, `models`, `source` or `dtype` that is not `equivalent`, as they are unless said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Override {
    /// The dimension of the choice.
    pub dimension: Dimension,
    /// The BOS policy, source or dtype, or the category or family that is left out; every one unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// How the choice relates to the primary one.
    pub relation: Relation,
}

impl Multiverse {
    /// Whether the curve runs along a dimension.
    pub fn has(&self, dimension: Dimension) -> bool {
        self.dimensions.contains(&dimension)
    }

    /// The relation of a choice; the last entry that fits it counts.
    pub fn relation(&self, dimension: Dimension, value: &str) -> Relation {
        let fits = |o: &&Override| o.dimension == dimension && o.value.as_deref().is_none_or(|v| v == value);
        self.relations.iter().rev().find(fits).map_or(Relation::Equivalent, |o| o.relation)
    }
}
