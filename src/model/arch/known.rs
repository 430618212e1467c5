//! What is known of each family: the choices that its models make, and how near the reference its numbers are.

use serde::{Deserialize, Serialize};

use crate::nn::ExpertLayout;

/// Where the norms of a block stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NormPlaces {
    /// On what a branch reads.
    Before,
    /// On what a branch writes.
    After,
    /// On both.
    Around,
    /// On the stream, after a branch has written to it.
    OnStream,
}

/// What the random checkpoints of a family show, on which it is held against the reference (`results/parity.md`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownFamily {
    /// `model_type` of a config.
    pub family: String,
    /// `rmsnorm` or `layernorm`.
    pub norm: Vec<String>,
    /// Where norms stand.
    pub norm_places: Vec<NormPlaces>,
    /// Whether branches read one stream or one after another: `parallel` or `sequential`.
    pub residual: Vec<String>,
    /// As in [`number::facts::ModelFacts::positions`].
    pub positions: Vec<String>,
    /// As in [`number::facts::ModelFacts::mlp`].
    pub mlp: Vec<String>,
    /// How the tensors of experts lie, where blocks have them.
    pub experts: Vec<ExpertLayout>,
    /// How many checkpoints were compared, of every format.
    pub checkpoints: usize,
    /// The largest error of any observation on them: relative, but absolute for cosines and shares.
    pub worst_error: f64,
}

/// Written by `make parity`.
const KNOWN: &str = include_str!("families/parity.json");

/// Every family that opens, in the order of their names.
///
/// # Errors
/// Where the table that was built in is none.
pub fn known_families() -> Result<Vec<KnownFamily>, serde_json::Error> {
    serde_json::from_str(KNOWN)
}
