//! The graphs of a [`Decoder`]: a few functions that follow its choices.
//!
//! The order of the nodes is part of a graph's identity, and stored numbers are filed under it.

use super::{
    Architecture, Block, Branch, Experts, Initial, LayerFacts, Names, NormPlaces, PromptLimit, ValueLayout,
    choices::{Around, Decoder, Layer, Norm, NormKind, Positions, QkNorm, QkWeights, Qkv, Residual},
    sizes::Sizes,
};
use crate::{
    graph::{Binary, GraphError, Reduction, Unary, Value},
    nn::{
        Scope, TOKENS,
        activation::softcap,
        attention::{Attention, attend_beside, split_fused, turn},
        linear::{linear, to_heads},
        norm::{layer_norm, layer_norm_from_one, rms_norm, rms_norm_from_one, standardise, unit_rms},
        positions::{add_learned, add_sinusoids},
        rope::Rotary,
        temperature,
    },
};
use number::facts::ModelFacts;

impl Decoder {
    /// What turns the heads of a layer; `None`: attention sees no positions.
    fn rotary(&self, layer: &Layer) -> Option<&Rotary> {
        layer.rope.map(|rope| &self.ropes[rope].rotary).filter(|rotary| rotary.turning() > 0)
    }
}

impl Architecture for Decoder {
    fn facts(&self) -> ModelFacts {
        let norm = if self.norm.kind.is_rms() { "rmsnorm" } else { "layernorm" };
        let residual = match self.residual {
            Residual::Sequential => "sequential",
            Residual::Parallel => "parallel",
        };
        let facts = ModelFacts {
            norm: Some(norm.to_string()),
            mlp: Some(self.activation.mlp_name(self.mlp.are_gated()).to_string()),
            residual: Some(residual.to_string()),
            tied: Some(self.names.tied),
            heads: self.shared(|layer| layer.heads.heads),
            kv_heads: self.shared(|layer| layer.heads.kv_heads),
            head_width: self.shared(|layer| layer.heads.head_width),
            mlp_width: self.shared(|layer| layer.mlp_width),
            ..self.sizes.facts(self.family, &self.layers.get(0).heads)
        };
        let positions = match self.positions {
            Positions::Learned { .. } => "learned",
            Positions::Sinusoids { .. } => "sinusoidal",
            Positions::Alibi { .. } => "alibi",
            Positions::None => "none",
        };
        match self.ropes.first() {
            Some(rope) => rope.facts(facts),
            None => ModelFacts { positions: Some(positions.to_string()), ..facts },
        }
    }

    fn names(&self) -> Names {
        self.names.clone()
    }

    fn limit(&self) -> Option<PromptLimit> {
        self.limit
    }

    fn layer(&self, layer: usize) -> LayerFacts {
        let layer = self.layers.get(self.layers.of(layer));
        let Layer { heads, mlp_width, mask, .. } = *layer;
        LayerFacts {
            heads: heads.heads,
            kv_heads: heads.kv_heads,
            head_width: heads.head_width,
            mlp_width,
            window: mask.window.or(mask.chunk),
            positions: self.positions != Positions::None || self.rotary(layer).is_some(),
        }
    }

    fn kind(&self, layer: usize) -> usize {
        self.layers.of(layer)
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        let (mut ropes, mut masks) = (Vec::new(), Vec::new());
        for layer in self.layers.iter() {
            if let Some(rotary) = self.rotary(layer).filter(|_| !ropes.contains(&layer.rope)) {
                ropes.push(layer.rope);
                rotary.publish(s, positions)?;
            }
            if !masks.contains(&layer.mask) {
                masks.push(layer.mask);
                match &self.positions {
                    Positions::Alibi { slopes } => {
                        layer.mask.publish_alibi(s, layer.heads.groups(), slopes.clone())?;
                    }
                    _ => layer.mask.publish(s)?,
                }
            }
        }
        if let Some(choice) = self.temperature {
            temperature::publish(s, positions, (choice.beta, choice.original), choice.first)?;
        }
        let Sizes { hidden_size: width, max_position_embeddings: context, .. } = self.sizes;
        let mut x = scaled(s, rows, self.embedding_scale)?;
        match self.positions {
            Positions::Learned { table, offset } => {
                x = add_learned(s, table, x, positions, (context, offset), width)?;
            }
            Positions::Sinusoids { offset } => x = add_sinusoids(s, x, positions, offset, width)?,
            Positions::Alibi { .. } | Positions::None => {}
        }
        self.embedding_norm.map_or(Ok(x), |name| norm(self.norm, s, name, x, &[width]))
    }

    fn block(&self, kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let layer = self.layers.get(kind);
        let attention = branch(self, s, self.norms.attention, x, |s, x| attention(self, layer, s, x))?;
        let mlp = |s: &mut Scope, x| branch(self, s, self.norms.mlp, x, |s, x| mlp(self, layer, s, x));
        match self.residual {
            Residual::Sequential => Block::sequential(s, x, attention, mlp),
            Residual::Parallel => {
                let shared = self.norms.mlp.before.is_none();
                let mlp = mlp(s, if shared { attention.input } else { x })?;
                Block::parallel(s, x, attention, mlp)
            }
        }
    }

    fn experts(&self, kind: usize) -> Option<Experts> {
        self.mixture.filter(|_| self.layers.get(kind).routed).map(|mixture| mixture.described())
    }

    fn expert(&self, _kind: usize, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.mixture.map_or(Ok(x), |mixture| mixture.expert(self, s, x))
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        norm(self.norm, s, self.norms.last, x, &[self.sizes.hidden_size])
    }

    fn values(&self) -> (String, ValueLayout) {
        let (name, layout) = match self.qkv {
            Qkv::Apart([_, _, values]) => (values, ValueLayout::Apart),
            Qkv::InTurn(fused) => (fused, ValueLayout::AfterKeys),
            Qkv::ByGroup(fused) => (fused, ValueLayout::ByGroup),
            Qkv::Shards(fused, shards) => (fused, ValueLayout::InShards(shards)),
            Qkv::Latent(latent) => latent.values(self.layers.get(0).heads),
        };
        (format!("{}.{name}.weight", self.modules[0]), layout)
    }

    fn norm_places(&self) -> NormPlaces {
        let Around { before, after } = self.norms.attention;
        match (before, after) {
            (_, None) => NormPlaces::Before,
            (None, Some(_)) => NormPlaces::After,
            (Some(_), Some(_)) => NormPlaces::Around,
        }
    }

    fn norms_from_one(&self) -> bool {
        matches!(self.norm.kind, NormKind::RmsFromOne | NormKind::LayerFromOne)
    }

    fn initializer_range(&self) -> f64 {
        self.initializer_range
    }

    fn initial(&self, tensor: &str) -> Option<Initial> {
        (self.initial)(tensor)
    }

    fn logits(
        &self,
        s: &mut Scope,
        hidden: Value,
        rows: Value,
        bias: Option<Value>,
    ) -> Result<Value, GraphError> {
        let rows = if self.unit_head { of_length_one(s, rows)? } else { rows };
        let logits = s.gemm(hidden, rows, bias)?;
        let logits = scaled(s, logits, self.logit_scale)?;
        self.logit_cap.map_or(Ok(logits), |cap| softcap(s, logits, cap))
    }
}

/// A branch of a block over the stream `x [T, D]`: its module between its norms.
fn branch(
    d: &Decoder,
    s: &mut Scope,
    norms: Around,
    x: Value,
    module: impl FnOnce(&mut Scope, Value) -> Result<Value, GraphError>,
) -> Result<Branch, GraphError> {
    let shape = [d.sizes.hidden_size];
    let input = norms.before.map_or(Ok(x), |name| norm(d.norm, s, name, x, &shape))?;
    let output = module(s, input)?;
    let write = norms.after.map_or(Ok(output), |name| norm(d.norm, s, name, output, &shape))?;
    Ok(Branch { input, output, write: scaled(s, write, d.write_scale)? })
}

/// Attention of a layer, `[T, D]` -> `[T, D]`.
fn attention(d: &Decoder, layer: &Layer, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
    let s = &mut s.at(d.modules[0]);
    let Attention { heads, kv_heads, head_width, value_width, .. } = layer.heads;
    let [mut q, mut k, v] = queries_keys_values(d, layer, s, x)?;
    let mut rotary = d.rotary(layer).filter(|_| !matches!(d.qkv, Qkv::Latent(_)));
    let everywhere = |norm: &QkNorm| norm.weights != QkWeights::NoneWhereTurned;
    if let Some(norm) = d.qk_norm.filter(|norm| norm.turned && (everywhere(norm) || rotary.is_some())) {
        if let Some(rotary) = rotary.take() {
            [q, k] = turn(s, layer.heads, [q, k], rotary)?;
        }
        q = qk_norm(d, norm, 0, s, q, (heads, head_width))?;
        k = qk_norm(d, norm, 1, s, k, (kv_heads, head_width))?;
    }
    if d.temperature.is_some_and(|choice| choice.everywhere || layer.rope.is_none()) {
        q = temperature::apply(s, q)?;
    }
    let sinks = d.sinks.map(|name| s.weight(name, &[heads])).transpose()?;
    let mut mixed = attend_beside(s, layer.heads, [q, k, v], (rotary, layer.mask), sinks)?;
    if let Some(name) = d.gate {
        let gate = linear(s, name, x, (d.sizes.hidden_size, heads * value_width), false)?;
        let gate = s.unary(Unary::Sigmoid, gate)?;
        mixed = s.mul(mixed, gate)?;
    }
    let mixed =
        d.inner_norms[0].map_or(Ok(mixed), |name| norm(d.norm, s, name, mixed, &[heads * value_width]))?;
    linear(s, d.output, mixed, (heads * value_width, d.sizes.hidden_size), d.biases.output)
}

/// q `[T, heads, w]`, k `[T, kv_heads, w]` and v `[T, kv_heads, v]` from `x [T, D]`, q and k normed where their norms lead the
/// rotation, and turned where they are of latents.
fn queries_keys_values(
    d: &Decoder,
    layer: &Layer,
    s: &mut Scope,
    x: Value,
) -> Result<[Value; 3], GraphError> {
    let attention = layer.heads;
    let Attention { heads, kv_heads, head_width: w, .. } = attention;
    let (width, bias) = (d.sizes.hidden_size, d.biases.qkv);
    let qk_norm = |which, s: &mut Scope, x, heads| match d.qk_norm {
        Some(norm) if !norm.turned => qk_norm(d, norm, which, s, x, (heads, w)),
        _ => Ok(x),
    };
    match d.qkv {
        Qkv::Apart([q_name, k_name, v_name]) if d.normed_whole() => {
            let q = linear(s, q_name, x, (width, heads * w), bias)?;
            let q = qk_norm(0, s, q, heads)?;
            let k = linear(s, k_name, x, (width, kv_heads * w), bias)?;
            let k = qk_norm(1, s, k, kv_heads)?;
            let v = linear(s, v_name, x, (width, kv_heads * w), bias)?;
            let mut by_head = |x, heads: usize| s.reshape(x, &[TOKENS, heads.into(), w.into()]);
            Ok([by_head(q, heads)?, by_head(k, kv_heads)?, by_head(v, kv_heads)?])
        }
        Qkv::Apart([q_name, k_name, v_name]) => {
            // An RMSNorm follows its projection at once, a LayerNorm follows all three.
            let at_once = d.norm.kind.is_rms();
            let mut q = to_heads(s, q_name, x, width, (heads, w), bias)?;
            q = clipped(d, s, q)?;
            if at_once {
                q = qk_norm(0, s, q, heads)?;
            }
            let mut k = to_heads(s, k_name, x, width, (kv_heads, w), bias)?;
            k = clipped(d, s, k)?;
            if at_once {
                k = qk_norm(1, s, k, kv_heads)?;
            }
            let v = to_heads(s, v_name, x, width, (kv_heads, w), bias)?;
            let v = clipped(d, s, v)?;
            if !at_once {
                q = qk_norm(0, s, q, heads)?;
                k = qk_norm(1, s, k, kv_heads)?;
            }
            Ok([q, k, v])
        }
        Qkv::Latent(latent) => latent.queries_keys_values(s, attention, x, (width, bias), d.rotary(layer)),
        Qkv::InTurn(name) => {
            let fused = linear(s, name, x, (width, (heads + 2 * kv_heads) * w), bias)?;
            let fused = clipped(d, s, fused)?;
            let mut part = |from: usize, count: usize| {
                let part = s.slice(fused, 1, from * w, (from + count) * w)?;
                s.reshape(part, &[TOKENS, count.into(), w.into()])
            };
            let (q, k, v) = (part(0, heads)?, part(heads, kv_heads)?, part(heads + kv_heads, kv_heads)?);
            Ok([qk_norm(0, s, q, heads)?, qk_norm(1, s, k, kv_heads)?, v])
        }
        Qkv::ByGroup(name) => {
            let fused = linear(s, name, x, (width, (heads + 2 * kv_heads) * w), bias)?;
            let fused = clipped(d, s, fused)?;
            let [q, k, v] = split_fused(s, attention, fused)?;
            Ok([qk_norm(0, s, q, heads)?, qk_norm(1, s, k, kv_heads)?, v])
        }
        Qkv::Shards(name, shards) => {
            let fused = linear(s, name, x, (width, 3 * heads * w), bias)?;
            let fused = clipped(d, s, fused)?;
            let part = heads / shards * w;
            let fused = s.reshape(fused, &[TOKENS, shards.into(), (3 * part).into()])?;
            let mut part = |index: usize| {
                let part = s.slice(fused, 2, index * part, (index + 1) * part)?;
                s.reshape(part, &[TOKENS, heads.into(), w.into()])
            };
            let (q, v, k) = (part(0)?, part(1)?, part(2)?);
            Ok([qk_norm(0, s, q, heads)?, qk_norm(1, s, k, kv_heads)?, v])
        }
    }
}

/// Every component of q, k or v between the bounds, where there are some.
fn clipped(d: &Decoder, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
    let Some(bound) = d.qkv_clip else { return Ok(x) };
    let (least, most) = (s.scalar(-bound)?, s.scalar(bound)?);
    let above = s.binary(Binary::Max, x, least)?;
    s.binary(Binary::Min, above, most)
}

/// Rows `[C, D]` divided by their lengths; no row is divided by less than 1e-12.
fn of_length_one(s: &mut Scope, rows: Value) -> Result<Value, GraphError> {
    let length = s.reduce_keep(Reduction::L2, rows)?;
    let least = s.scalar(1e-12)?;
    let length = s.binary(Binary::Max, length, least)?;
    s.div(rows, length)
}

/// The norm of q (`which` 0) or k (1).
fn qk_norm(
    d: &Decoder,
    choice: QkNorm,
    which: usize,
    s: &mut Scope,
    x: Value,
    (heads, w): (usize, usize),
) -> Result<Value, GraphError> {
    let name = choice.names[which];
    match choice.weights {
        QkWeights::Shared => norm(d.norm, s, name, x, &[w]),
        QkWeights::ByHead => norm(d.norm, s, name, x, &[heads, w]),
        QkWeights::Whole => norm(d.norm, s, name, x, &[heads * w]),
        QkWeights::NoneWhereTurned => unit_rms(s, x, d.norm.eps),
        QkWeights::Listed => {
            let s = &mut s.at(name);
            let normed = standardise(s, x, d.norm.eps)?;
            let weights: Vec<Value> = (0..heads)
                .map(|head| {
                    let weight = s.weight(&format!("norms.{head}.weight"), &[w])?;
                    s.reshape(weight, &[1.into(), w.into()])
                })
                .collect::<Result<_, _>>()?;
            let weights = s.concat(&weights, 0)?; // [heads, w]
            s.mul(normed, weights)
        }
    }
}

/// The MLP of a layer, or what stands in its place, `[T, D]` -> `[T, D]`.
fn mlp(d: &Decoder, layer: &Layer, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
    if let Some(mixture) = d.mixture.filter(|_| layer.routed) {
        return mixture.apply(d, s, x);
    }
    d.mlp.apply(d, &mut s.at(d.modules[1]), (layer.mlp_width, d.biases.mlp), x)
}

/// The norm of a family, of `shape`, under this name.
pub(super) fn norm(
    norm: Norm,
    s: &mut Scope,
    name: &str,
    x: Value,
    shape: &[usize],
) -> Result<Value, GraphError> {
    match norm.kind {
        NormKind::Rms => rms_norm(s, name, x, shape, norm.eps),
        NormKind::RmsFromOne => rms_norm_from_one(s, name, x, shape, norm.eps),
        NormKind::RmsWithoutWeight => unit_rms(s, x, norm.eps),
        NormKind::Layer => layer_norm(s, name, x, shape, norm.eps, true),
        NormKind::LayerFromOne => layer_norm_from_one(s, name, x, shape, norm.eps),
        NormKind::LayerWithoutBias => layer_norm(s, name, x, shape, norm.eps, false),
        NormKind::LayerWithoutWeight => standardise(s, x, norm.eps),
    }
}

fn scaled(s: &mut Scope, x: Value, factor: Option<f32>) -> Result<Value, GraphError> {
    factor.map_or(Ok(x), |factor| s.scale(x, factor))
}

#[cfg(test)]
mod tests;
