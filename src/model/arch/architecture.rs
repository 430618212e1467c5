//! What a family must say of a model: its facts, where its tensors lie, and the graphs of its parts.

use std::fmt;

use super::{Block, Experts, LayerFacts, Names, NormPlaces, PromptLimit, ValueLayout};
use crate::{
    graph::{GraphError, Value},
    nn::Scope,
};
use number::facts::ModelFacts;

/// What one family knows. All values are float32; token rows are packed, `[T, D]`.
pub trait Architecture: fmt::Debug + Send + Sync {
    /// Everything but the number of parameters and the file's dtype; blocks, width, vocabulary and context are set. What
    /// differs from layer to layer is `None`.
    fn facts(&self) -> ModelFacts;

    /// Where the family keeps its tensors.
    fn names(&self) -> Names;

    /// A limit on prompts below the context.
    fn limit(&self) -> Option<PromptLimit> {
        None
    }

    /// Facts of block `layer`; what all layers share stands in [`Architecture::facts`] too.
    fn layer(&self, _layer: usize) -> LayerFacts {
        LayerFacts::of(&self.facts())
    }

    /// Kind of block `layer`; blocks of one kind share a graph. Kinds are numbered from 0 without gaps.
    fn kind(&self, _layer: usize) -> usize {
        0
    }

    /// E, the width of the embedding and of the head, where projections lead from it to the stream and back.
    fn embedding_width(&self) -> Option<usize> {
        None
    }

    /// Tables and masks that blocks read, published; returns h_0 `[T, D]` from the embedding rows `[T, E]`, E = D in
    /// nearly every family. `positions` is i64 `[T]`. Weights are named relative to the base model.
    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError>;

    /// One block over the stream `x [T, D]`. Weights are named relative to the block.
    fn block(&self, kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError>;

    /// The experts of blocks of this kind, if they have any; such a block calls [`mixed`](crate::nn::experts::mixed).
    fn experts(&self, _kind: usize) -> Option<Experts> {
        None
    }

    /// One expert of blocks of this kind, over rows `[T, D]`. Weights are named relative to the expert.
    fn expert(&self, _kind: usize, _s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        Ok(x)
    }

    /// The norm after the last block, `[T, D]` -> `[T, D]`. Weights are named relative to the base model.
    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError>;

    /// Where a block keeps the value weights of its heads: their tensor, relative to the block, and how they lie in it.
    fn values(&self) -> (String, ValueLayout) {
        ("self_attn.v_proj.weight".to_string(), ValueLayout::Apart)
    }

    /// Where the norms of a block stand.
    fn norm_places(&self) -> NormPlaces {
        NormPlaces::Before
    }

    /// Norms scale by 1 + their weight.
    fn norms_from_one(&self) -> bool {
        false
    }

    /// Deviation of weights before training where the config does not say.
    fn initializer_range(&self) -> f64 {
        0.02
    }

    /// How this tensor begins where the family does not follow the common rule.
    fn initial(&self, _tensor: &str) -> Option<Initial> {
        None
    }

    /// What the head reads, `[T, E]`, from what the final norm gives, `[T, D]`.
    fn project_out(&self, _s: &mut Scope, normed: Value) -> Result<Value, GraphError> {
        Ok(normed)
    }

    /// Logits `[P, C]` of C rows of the vocabulary from `hidden [P, E]`: scaled, capped, biased as the family does.
    fn logits(
        &self,
        s: &mut Scope,
        hidden: Value,
        rows: Value,
        bias: Option<Value>,
    ) -> Result<Value, GraphError> {
        s.gemm(hidden, rows, bias)
    }
}

/// How a tensor begins before training, where its family does not follow the common rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// Every element this number.
    Constant(f32),
    /// Normal, with this share of the common deviation.
    Narrower(f64),
}
