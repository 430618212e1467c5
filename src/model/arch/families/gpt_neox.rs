//! GPT-NeoX and Pythia (`transformers/models/gpt_neox/modeling_gpt_neox.py`): LayerNorm, parallel residual with two
//! norms (or sequential), fused and interleaved q, k, v, rotary positions on a part of each head.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture, Block, Branch, Names, ValueLayout,
        config::{activation, default, typed},
        rope::{Rope, RopeDefaults, RopeKeys, Share},
        sizes::{Sizes, epsilon},
    },
    graph::{GraphError, Value},
    nn::{
        Scope,
        activation::Activation,
        attention::{Attention, attend, split_fused},
        linear::linear,
        mask::Mask,
        mlp::{Mlp, feed_forward},
        norm::layer_norm,
    },
};
use number::facts::ModelFacts;

pub(super) const FAMILY: &str = "gpt_neox";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default::eps_1e5")]
    layer_norm_eps: f64,
    #[serde(default = "default_act")]
    hidden_act: String,
    #[serde(default = "default::yes")]
    use_parallel_residual: bool,
    #[serde(default = "default::yes")]
    attention_bias: bool,
    #[serde(default)]
    tie_word_embeddings: bool,
    /// The class has names of its own for the base and for the share of a head that turns.
    rotary_emb_base: Option<f64>,
    rotary_pct: Option<f64>,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_act() -> String {
    "gelu".to_string()
}

#[derive(Debug)]
struct GptNeox {
    config: Config,
    heads: Attention,
    rope: Rope,
    activation: Activation,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut config: Config = typed(FAMILY, json)?;
    config.sizes.without_head_dim(FAMILY)?;
    config.sizes.num_key_value_heads = None; // no key of the reference's class: one for each query head
    let heads = config.sizes.attention(FAMILY)?;
    epsilon(FAMILY, "layer_norm_eps", config.layer_norm_eps)?;
    (config.rope.rope_theta, config.rope.partial_rotary_factor) = (config.rotary_emb_base, config.rotary_pct);
    let defaults = RopeDefaults::like_llama(heads, config.sizes.max_position_embeddings);
    let rope = config.rope.resolve(FAMILY, RopeDefaults { share: Share::Any(0.25), ..defaults })?;
    let activation = activation("hidden_act", &config.hidden_act)?;
    Ok(Box::new(GptNeox { config, heads, rope, activation }))
}

impl Architecture for GptNeox {
    fn facts(&self) -> ModelFacts {
        let c = &self.config;
        ModelFacts {
            norm: Some("layernorm".to_string()),
            mlp: Some(self.activation.mlp_name(false).to_string()),
            residual: Some(if c.use_parallel_residual { "parallel" } else { "sequential" }.to_string()),
            tied: Some(c.tie_word_embeddings),
            ..self.rope.facts(c.sizes.facts(FAMILY, &self.heads))
        }
    }

    fn names(&self) -> Names {
        Names {
            base: &["gpt_neox."],
            layers: "layers",
            embedding: "embed_in.weight",
            // transformers 5 writes `lm_head`, the hub's checkpoints say `embed_out`.
            unembedding: &["embed_out.weight", "lm_head.weight"],
            unembedding_bias: None,
            tied: self.config.tie_word_embeddings,
            buffers: &[".rotary_emb.inv_freq", ".attention.bias", ".attention.masked_bias"],
            further: 0,
        }
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        self.rope.rotary.publish(s, positions)?;
        Mask::everywhere(None).publish(s)?;
        Ok(rows)
    }

    fn block(&self, _kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let normed = self.norm(s, "input_layernorm", x)?;
        let attention = Branch::bare(normed, self.attention(&mut s.at("attention"), normed)?);
        if self.config.use_parallel_residual {
            let mlp = self.mlp(s, x)?;
            return Block::parallel(s, x, attention, mlp);
        }
        Block::sequential(s, x, attention, |s, x| self.mlp(s, x))
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "final_layer_norm", x)
    }

    fn values(&self) -> (String, ValueLayout) {
        ("attention.query_key_value.weight".to_string(), ValueLayout::ByGroup)
    }
}

impl GptNeox {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        layer_norm(s, name, x, &[self.config.sizes.hidden_size], self.config.layer_norm_eps, true)
    }

    fn mlp(&self, s: &mut Scope, x: Value) -> Result<Branch, GraphError> {
        let normed = self.norm(s, "post_attention_layernorm", x)?;
        let (width, inner) = (self.config.sizes.hidden_size, self.config.sizes.intermediate_size);
        let mlp = Mlp { width, inner, activation: self.activation, bias: true };
        Ok(Branch::bare(
            normed,
            feed_forward(&mut s.at("mlp"), ["dense_h_to_4h", "dense_4h_to_h"], normed, mlp)?,
        ))
    }

    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let (width, bias) = (self.config.sizes.hidden_size, self.config.attention_bias);
        // Interleaved per head: q, k, v of head 0, then of head 1, ...
        let fused = linear(s, "query_key_value", x, (width, 3 * width), bias)?;
        let qkv = split_fused(s, self.heads, fused)?;
        let mixed = attend(s, self.heads, qkv, Some(&self.rope.rotary), Mask::everywhere(None))?;
        linear(s, "dense", mixed, (width, width), bias)
    }
}
