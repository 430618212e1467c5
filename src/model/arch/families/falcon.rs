//! Falcon (`transformers/models/falcon/modeling_falcon.py`), whose fused q, k, v lie group by group. The 7b: parallel, one
//! LayerNorm, one key/value head. `new_decoder_architecture` (40b, 180b, 11b): parallel, two norms or one, grouped
//! heads. The rw: sequential, ALiBi, biases.

use half::bf16;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture, Block, Branch, Names, ValueLayout,
        config::{activation, default, or_default, own_names, typed},
        rope::{Rope, RopeDefaults, RopeKeys},
        sizes::{Sizes, epsilon},
    },
    graph::{GraphError, Value},
    nn::{
        Scope,
        activation::Activation,
        attention::{Attention, attend, split_fused},
        linear::linear,
        mask::{Mask, alibi_slopes},
        mlp::{Mlp, feed_forward},
        norm::layer_norm,
    },
};
use number::facts::ModelFacts;

pub(super) const FAMILY: &str = "falcon";
/// Numbers of an ALiBi table that some model may need; a mistyped context must not ask for memory.
const MAX_ALIBI: usize = 1 << 24;

/// Keys of a Falcon. A switch that is null is off, whatever an absent one means.
#[derive(Debug, Deserialize)]
struct Config {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_kv_heads: Option<usize>,
    ffn_hidden_size: Option<usize>,
    vocab_size: usize,
    #[serde(default = "default_context")]
    max_position_embeddings: usize,
    #[serde(default, deserialize_with = "or_default")]
    alibi: bool,
    #[serde(default, deserialize_with = "or_default")]
    new_decoder_architecture: bool,
    #[serde(default = "default::yes", deserialize_with = "or_default")]
    multi_query: bool,
    #[serde(default = "default::yes", deserialize_with = "or_default")]
    parallel_attn: bool,
    num_ln_in_parallel_attn: Option<usize>,
    #[serde(default, deserialize_with = "or_default")]
    bias: bool,
    #[serde(default = "default::eps_1e5")]
    layer_norm_epsilon: f64,
    #[serde(default = "default_act")]
    activation: String,
    #[serde(default = "default::yes")]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_context() -> usize {
    2048
}

fn default_act() -> String {
    "gelu".to_string()
}

#[derive(Debug)]
struct Falcon {
    config: Config,
    sizes: Sizes,
    heads: Attention,
    positions: Positions,
    residual: Residual,
    activation: Activation,
}

#[derive(Debug)]
enum Positions {
    Alibi,
    Rotary(Rope),
}

#[derive(Clone, Copy, Debug)]
enum Residual {
    Sequential,
    /// Both branches read one norm of the stream.
    Parallel,
    /// Each branch reads a norm of its own.
    ParallelTwoNorms,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let config: Config = typed(FAMILY, &own_names(FAMILY, json, &[("n_embed", "hidden_size")])?)?;
    let sizes = Sizes {
        hidden_size: config.hidden_size,
        num_hidden_layers: config.num_hidden_layers,
        num_attention_heads: config.num_attention_heads,
        num_key_value_heads: match config {
            Config { new_decoder_architecture: true, num_kv_heads, .. } => num_kv_heads,
            Config { multi_query: true, .. } => Some(1),
            _ => None,
        },
        head_dim: None,
        intermediate_size: config.ffn_hidden_size.unwrap_or(config.hidden_size.saturating_mul(4)),
        vocab_size: config.vocab_size,
        max_position_embeddings: config.max_position_embeddings,
    };
    let heads = sizes.attention(FAMILY)?;
    epsilon(FAMILY, "layer_norm_epsilon", config.layer_norm_epsilon)?;
    let (positions, residual) = (config.positions(heads)?, config.residual()?);
    let activation = activation("activation", &config.activation)?;
    Ok(Box::new(Falcon { config, sizes, heads, positions, residual, activation }))
}

impl Config {
    fn positions(&self, heads: Attention) -> Result<Positions, ArchError> {
        let context = self.max_position_embeddings;
        if self.alibi {
            if context.saturating_mul(heads.heads) > MAX_ALIBI {
                let reason = format!(
                    "`max_position_embeddings` = {context} with `num_attention_heads` = {}; expected a product of at most {MAX_ALIBI} with `alibi`",
                    heads.heads
                );
                return Err(ArchError::Config { family: FAMILY, reason });
            }
            return Ok(Positions::Alibi);
        }
        let rope = self.rope.resolve(FAMILY, RopeDefaults::like_llama(heads, context))?;
        Ok(Positions::Rotary(rope))
    }

    /// The combinations for which the reference makes the norms that it then reads.
    fn residual(&self) -> Result<Residual, ArchError> {
        match (self.new_decoder_architecture, self.parallel_attn, self.num_ln_in_parallel_attn) {
            (true, true, None | Some(2)) => Ok(Residual::ParallelTwoNorms),
            (true, true, Some(1)) => Ok(Residual::Parallel),
            (false, true, norms) if norms != Some(2) => Ok(Residual::Parallel),
            (false, false, _) => Ok(Residual::Sequential),
            (new, parallel, norms) => {
                let norms = norms.map_or_else(|| "null".to_string(), |n| n.to_string());
                let reason = format!(
                    "`new_decoder_architecture` = {new}, `parallel_attn` = {parallel} and `num_ln_in_parallel_attn` = {norms} go \
                     together in no Falcon; expected 1, 2 or null with both true, not 2 with the first false"
                );
                Err(ArchError::Config { family: FAMILY, reason })
            }
        }
    }
}

impl Architecture for Falcon {
    fn facts(&self) -> ModelFacts {
        let parallel = !matches!(self.residual, Residual::Sequential);
        let facts = ModelFacts {
            norm: Some("layernorm".to_string()),
            mlp: Some(self.activation.mlp_name(false).to_string()),
            residual: Some(if parallel { "parallel" } else { "sequential" }.to_string()),
            tied: Some(self.config.tie_word_embeddings),
            ..self.sizes.facts(FAMILY, &self.heads)
        };
        match &self.positions {
            Positions::Alibi => ModelFacts { positions: Some("alibi".to_string()), ..facts },
            Positions::Rotary(rope) => rope.facts(facts),
        }
    }

    fn names(&self) -> Names {
        Names {
            base: &["transformer."],
            layers: "h",
            embedding: "word_embeddings.weight",
            unembedding: &["lm_head.weight"],
            unembedding_bias: None,
            tied: self.config.tie_word_embeddings,
            buffers: &[".rotary_emb.inv_freq", ".maybe_rotary.inv_freq"],
            further: 0,
        }
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        match &self.positions {
            Positions::Alibi => {
                let table = alibi(self.config.max_position_embeddings, self.heads);
                Mask::alibi().publish_alibi_table(s, self.heads.groups(), table)?;
            }
            Positions::Rotary(rope) => {
                rope.rotary.publish(s, positions)?;
                Mask::everywhere(None).publish(s)?;
            }
        }
        Ok(rows)
    }

    fn block(&self, _kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let two = matches!(self.residual, Residual::ParallelTwoNorms);
        let normed = self.norm(s, if two { "ln_attn" } else { "input_layernorm" }, x)?;
        let attention = Branch::bare(normed, self.attention(&mut s.at("self_attention"), normed)?);
        let mlp = match self.residual {
            Residual::Sequential => {
                return Block::sequential(s, x, attention, |s, x| {
                    let normed = self.norm(s, "post_attention_layernorm", x)?;
                    Ok(Branch::bare(normed, self.mlp(s, normed)?))
                });
            }
            Residual::Parallel => Branch::bare(normed, self.mlp(s, normed)?),
            Residual::ParallelTwoNorms => {
                let normed = self.norm(s, "ln_mlp", x)?;
                Branch::bare(normed, self.mlp(s, normed)?)
            }
        };
        Block::parallel(s, x, attention, mlp)
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "ln_f", x)
    }

    fn values(&self) -> (String, ValueLayout) {
        ("self_attention.query_key_value.weight".to_string(), ValueLayout::ByGroup)
    }
}

impl Falcon {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        layer_norm(s, name, x, &[self.config.hidden_size], self.config.layer_norm_epsilon, true)
    }

    fn mlp(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let (width, inner) = (self.sizes.hidden_size, self.sizes.intermediate_size);
        let mlp = Mlp { width, inner, activation: self.activation, bias: self.config.bias };
        feed_forward(&mut s.at("mlp"), ["dense_h_to_4h", "dense_4h_to_h"], x, mlp)
    }

    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let Attention { heads, kv_heads, head_width: w, .. } = self.heads;
        let (width, bias) = (self.config.hidden_size, self.config.bias);
        let fused = linear(s, "query_key_value", x, (width, (heads + 2 * kv_heads) * w), bias)?;
        let qkv = split_fused(s, self.heads, fused)?;
        let (rotary, mask) = match &self.positions {
            Positions::Alibi => (None, Mask::alibi()),
            Positions::Rotary(rope) => (Some(&rope.rotary), Mask::everywhere(None)),
        };
        let mixed = attend(s, self.heads, qkv, rotary, mask)?;
        linear(s, "dense", mixed, (width, width), bias)
    }
}

/// The bias on the scores, `[context, heads]`: slope · position / √head_width, where slope, position and their product
/// are rounded to bfloat16 whatever the model's dtype (`build_alibi_tensor`). So the reference's default attention (sdpa)
/// has it; its eager one adds the bias a second time, by its mask.
fn alibi(context: usize, heads: Attention) -> Vec<f32> {
    let rounded = |x: f32| bf16::from_f32(x).to_f32();
    let (slopes, root) = (alibi_slopes(heads.heads), (heads.head_width as f32).sqrt());
    (0..context)
        .flat_map(|position| {
            let position = rounded(position as f32);
            slopes.iter().map(move |slope| rounded(rounded(*slope) * position) / root)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: &str) -> Result<Box<dyn Architecture>, ArchError> {
        let text = format!(
            r#"{{"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 5 {more}}}"#
        );
        read(&serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn switches_that_are_null_are_off_and_absent_ones_are_the_7b() {
        let facts = |more| {
            let facts = config(more).unwrap().facts();
            (
                facts.residual.unwrap(),
                facts.kv_heads.unwrap(),
                facts.positions.unwrap(),
                facts.context.unwrap(),
            )
        };
        assert_eq!(facts(""), ("parallel".to_string(), 1, "rotary".to_string(), 2048));
        let nulls = r#", "parallel_attn": null, "multi_query": null, "alibi": null, "bias": null"#;
        assert_eq!(facts(nulls), ("sequential".to_string(), 4, "rotary".to_string(), 2048));
    }

    #[test]
    fn combinations_that_the_reference_cannot_run_are_refused() {
        for wrong in [
            r#", "num_ln_in_parallel_attn": 2"#,
            r#", "new_decoder_architecture": true, "parallel_attn": false"#,
            r#", "new_decoder_architecture": true, "num_ln_in_parallel_attn": 3"#,
        ] {
            let message = config(wrong).unwrap_err().to_string();
            assert!(message.contains("`num_ln_in_parallel_attn`"), "{message}");
        }
        let message = config(r#", "partial_rotary_factor": 0.5"#).unwrap_err().to_string();
        assert!(message.contains("expected the whole"), "{message}");
        let message =
            config(r#", "alibi": true, "max_position_embeddings": 999999999"#).unwrap_err().to_string();
        assert!(message.contains("`max_position_embeddings` = 999999999"), "{message}");
    }

    #[test]
    fn alibi_is_rounded_as_the_reference_rounds_it_beyond_the_lengths_of_the_goldens() {
        let heads =
            Attention { heads: 10, kv_heads: 10, head_width: 4, value_width: 4, scale: 0.5, softcap: None };
        let table = alibi(300, heads);
        let bias = |position: usize, head: usize| 2.0 * table[position * 10 + head]; // √head_width is 2
        // `build_alibi_tensor` of transformers 5.23; 2^-½ · 299 is 211.4, and 257 itself is rounded to 256.
        assert_eq!([bias(257, 7), bias(299, 7)], [1.0, 1.171_875]);
        assert_eq!([bias(3, 8), bias(257, 8), bias(299, 8)], [2.125, 181.0, 212.0]);
    }
}
