//! Multi-head latent attention (DeepSeek-V2, arXiv 2405.04434): keys and values of all heads are made of one normed latent, and
//! the rotary part of the key is one for all heads. Nothing is absorbed: every key and value is computed as it is defined.

use super::ValueLayout;
use crate::{
    graph::{Constant, GraphError, Value},
    nn::{
        Scope, TOKENS,
        attention::Attention,
        linear::{linear, to_heads},
        norm::rms_norm,
        rope::Rotary,
    },
};

/// Widths of latent attention.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Latent {
    /// Components of the queries' latent; `None`: queries are made of the stream.
    pub queries: Option<usize>,
    /// R, components of the latent of keys and values.
    pub rank: usize,
    /// Components of a head of q and k that turn; they follow those that do not.
    pub turning: usize,
    /// Epsilon of the latents' norms.
    pub eps: f64,
}

impl Latent {
    /// q and k `[T, heads, w]`, turned, and v `[T, heads, v]`, from `x [T, D]`. `bias` is of the projections to the latents.
    pub(super) fn queries_keys_values(
        self,
        s: &mut Scope,
        attention: Attention,
        x: Value,
        (width, bias): (usize, bool),
        rotary: Option<&Rotary>,
    ) -> Result<[Value; 3], GraphError> {
        let Latent { queries, rank, turning, eps } = self;
        let Attention { heads, head_width: w, value_width, .. } = attention;
        let still = w - turning;
        let q = match queries {
            None => to_heads(s, "q_proj", x, width, (heads, w), false)?,
            Some(queries) => {
                let latent = linear(s, "q_a_proj", x, (width, queries), bias)?;
                let latent = rms_norm(s, "q_a_layernorm", latent, &[queries], eps)?;
                to_heads(s, "q_b_proj", latent, queries, (heads, w), false)?
            }
        };
        let both = linear(s, "kv_a_proj_with_mqa", x, (width, rank + turning), bias)?;
        let latent = s.slice(both, 1, 0, rank)?;
        let latent = rms_norm(s, "kv_a_layernorm", latent, &[rank], eps)?;
        let made = to_heads(s, "kv_b_proj", latent, rank, (heads, still + value_width), false)?;
        let v = s.slice(made, 2, still, still + value_width)?;

        let mut q_turned = s.slice(q, 2, still, w)?;
        let k_turned = s.slice(both, 1, rank, rank + turning)?;
        let mut k_turned = s.reshape(k_turned, &[TOKENS, 1.into(), turning.into()])?;
        if let Some(rotary) = rotary {
            let tables = rotary.tables(s)?;
            q_turned = rotary.turn(s, q_turned, (heads, turning), tables)?;
            k_turned = rotary.turn(s, k_turned, (1, turning), tables)?;
        }
        let every_head = s.constant(Constant::F32(vec![0.0; heads]), &[heads, 1])?;
        let k_turned = s.add(k_turned, every_head)?; // [T, heads, r]
        let (q_still, k_still) = (s.slice(q, 2, 0, still)?, s.slice(made, 2, 0, still)?);
        Ok([s.concat(&[q_still, q_turned], 2)?, s.concat(&[k_still, k_turned], 2)?, v])
    }

    /// Where the value weights lie.
    pub(super) fn values(self, attention: Attention) -> (&'static str, ValueLayout) {
        let Attention { head_width, value_width: value, .. } = attention;
        ("kv_b_proj", ValueLayout::InLatent { key: head_width - self.turning, value })
    }
}
