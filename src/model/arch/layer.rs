//! Facts of one layer: in some models layers differ in more than their weights.

use number::facts::ModelFacts;

/// Facts that may differ from layer to layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerFacts {
    /// Query heads.
    pub heads: usize,
    /// Key/value heads; divides `heads`.
    pub kv_heads: usize,
    /// Components of one head.
    pub head_width: usize,
    /// Components inside the MLP.
    pub mlp_width: usize,
    /// Tokens that a query sees at most, itself among them; `None`: all tokens before it.
    pub window: Option<usize>,
    /// Attention sees positions.
    pub positions: bool,
}

impl LayerFacts {
    /// The facts of every layer of a model whose layers are alike and see all tokens before.
    pub(super) fn of(facts: &ModelFacts) -> LayerFacts {
        let size = |fact: Option<u32>| fact.unwrap_or(0) as usize;
        LayerFacts {
            heads: size(facts.heads),
            kv_heads: size(facts.kv_heads),
            head_width: size(facts.head_width),
            mlp_width: size(facts.mlp_width),
            window: None,
            positions: facts.positions.as_deref() != Some("none"),
        }
    }
}
