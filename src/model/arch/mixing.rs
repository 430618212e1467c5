//! The graphs of an MLP's layers and of a [`Mixture`] of them.

use super::{
    choices::Decoder,
    decoder::norm,
    mixture::{Mixture, Shared},
    mlp_layers::MlpLayers,
};
use crate::{
    graph::{GraphError, Unary, Value},
    nn::{
        Scope,
        expert_mlp::{columns, pairs, rows},
        experts::{Choice, Router, choose, mixed},
        linear::linear,
        mlp::{Mlp, feed_forward, gated, gated_fused, gated_product, gated_tensors},
    },
};

impl Mixture {
    /// The mixture over `x [T, D]`, `s` being the block's scope.
    pub(super) fn apply(&self, d: &Decoder, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let Router { experts, chosen, .. } = self.router;
        let width = d.sizes.hidden_size;
        let choice = choose(&mut s.at(self.module), self.router, x, width)?;
        let shared = self.shared.map(|shared| shared.apply(d, s, x)).transpose()?;
        let (choice, x) = if self.weighs_input { weighed(s, choice, x)? } else { (choice, x) };
        let given = mixed(&mut s.at(self.experts), choice, x, (experts, chosen), self.layout, |s, x| {
            self.expert(d, s, x)
        })?;
        shared.map_or(Ok(given), |shared| s.add(given, shared))
    }

    /// One expert over `x [T, D]`, `s` being its scope.
    pub(super) fn expert(&self, d: &Decoder, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.layers.apply(d, s, (self.width, self.bias), x)
    }
}

/// One expert a token with the weight 1, and `x [T, D]` times the weight that it had.
fn weighed(s: &mut Scope, choice: Choice, x: Value) -> Result<(Choice, Value), GraphError> {
    let x = s.mul(x, choice.weights)?;
    let (zero, one) = (s.scale(choice.weights, 0.0)?, s.scalar(1.0)?);
    Ok((Choice { weights: s.add(zero, one)?, ..choice }, x))
}

impl Shared {
    /// The MLP over `x [T, D]`, `s` being the block's scope.
    fn apply(self, d: &Decoder, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let given = self.layers.apply(d, &mut s.at(self.module), (self.width, d.biases.mlp), x)?;
        let Some(gate) = self.gate else { return Ok(given) };
        let gate = linear(s, gate, x, (d.sizes.hidden_size, 1), false)?;
        let gate = s.unary(Unary::Sigmoid, gate)?;
        s.mul(given, gate)
    }
}

impl MlpLayers {
    /// The layers over `x [T, D]`, with so many components inside and biases or none, and what lies between them.
    pub(super) fn apply(
        self,
        d: &Decoder,
        s: &mut Scope,
        (inner, bias): (usize, bool),
        x: Value,
    ) -> Result<Value, GraphError> {
        let width = d.sizes.hidden_size;
        let shape = Mlp { width, inner, activation: d.activation, bias };
        match self {
            MlpLayers::Gated([gate, up, down]) if d.inner_norms[1].is_some() => {
                let product = gated_product(s, [gate, up], x, shape)?;
                let name = d.inner_norms[1].unwrap_or_default();
                let product = norm(d.norm, s, name, product, &[inner])?;
                linear(s, down, product, (inner, width), bias)
            }
            MlpLayers::Gated(names) => gated(s, names, x, shape),
            MlpLayers::GatedFused(names) => gated_fused(s, names, x, shape),
            MlpLayers::GatedTensors(names) => gated_tensors(s, names, x, shape),
            MlpLayers::Plain(names) => feed_forward(s, names, x, shape),
            MlpLayers::Columns(names) => columns(s, names, x, shape),
            MlpLayers::Pairs(names, bounded) => pairs(s, names, x, (width, inner), bounded),
            MlpLayers::Rows(names) => rows(s, names, x, shape),
        }
    }
}
