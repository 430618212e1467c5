//! The graph of a [`Mixture`].

use super::{
    choices::Decoder,
    decoder::linear_layers,
    mixture::{Mixture, Shared},
};
use crate::{
    graph::{GraphError, Unary, Value},
    nn::{
        Scope,
        experts::{Router, choose, mixed},
        linear::linear,
    },
};

impl Mixture {
    /// The mixture over `x [T, D]`, `s` being the block's scope.
    pub(super) fn apply(&self, d: &Decoder, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let Router { experts, chosen, .. } = self.router;
        let width = d.sizes.hidden_size;
        let choice = choose(&mut s.at(self.module), self.router, x, width)?;
        let shared = self.shared.map(|shared| shared.apply(d, s, x)).transpose()?;
        let given = mixed(&mut s.at(self.experts), choice, x, (experts, chosen), self.layout, |s, x| {
            self.expert(d, s, x)
        })?;
        shared.map_or(Ok(given), |shared| s.add(given, shared))
    }

    /// One expert over `x [T, D]`, `s` being its scope.
    pub(super) fn expert(&self, d: &Decoder, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        linear_layers(d, s, self.layers, self.width, x)
    }
}

impl Shared {
    /// The MLP over `x [T, D]`, `s` being the block's scope.
    fn apply(self, d: &Decoder, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let given = linear_layers(d, &mut s.at(self.module), self.layers, self.width, x)?;
        let Some(gate) = self.gate else { return Ok(given) };
        let gate = linear(s, gate, x, (d.sizes.hidden_size, 1), false)?;
        let gate = s.unary(Unary::Sigmoid, gate)?;
        s.mul(given, gate)
    }
}
