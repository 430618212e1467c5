//! OPT and everything with `model_type: opt` (`transformers/models/opt/modeling_opt.py`): sequential, LayerNorm, learned
//! positions that start at row 2. The 350m has an embedding of another width than the stream, its norms on the stream
//! after each branch, and no final norm.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::{
    arch::{
        ArchError, Architecture, Block, Branch, NamedBranch, Names, NormPlaces,
        config::{activation, default, typed},
        sizes::{Sizes, sizes},
    },
    graph::{GraphError, Value},
    nn::{
        Scope,
        activation::Activation,
        attention::{Attention, attend},
        linear::{linear, to_heads},
        mask::Mask,
        mlp::{Mlp, feed_forward},
        norm::{layer_norm, standardise},
        positions::add_learned,
    },
};
use number::{
    facts::ModelFacts,
    observation::{ATTENTION, MLP},
};

pub(super) const FAMILY: &str = "opt";
/// No keys of the config.
const EPS: f64 = 1e-5;
const OFFSET: usize = 2;

#[derive(Debug, Deserialize)]
struct Config {
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    ffn_dim: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    word_embed_proj_dim: Option<usize>,
    #[serde(default = "default::yes")]
    do_layer_norm_before: bool,
    #[serde(default, rename = "_remove_final_layer_norm")]
    remove_final_layer_norm: bool,
    #[serde(default = "default::yes")]
    enable_bias: bool,
    #[serde(default = "default::yes")]
    layer_norm_elementwise_affine: bool,
    #[serde(default = "default_act")]
    activation_function: String,
    #[serde(default = "default::yes")]
    tie_word_embeddings: bool,
}

fn default_act() -> String {
    "relu".to_string()
}

#[derive(Debug)]
struct Opt {
    config: Config,
    sizes: Sizes,
    heads: Attention,
    /// E where it is not D.
    embedding: Option<usize>,
    activation: Activation,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let config: Config = typed(FAMILY, json)?;
    let all = Sizes {
        hidden_size: config.hidden_size,
        num_hidden_layers: config.num_hidden_layers,
        num_attention_heads: config.num_attention_heads,
        num_key_value_heads: None,
        head_dim: None,
        intermediate_size: config.ffn_dim,
        vocab_size: config.vocab_size,
        max_position_embeddings: config.max_position_embeddings,
    };
    let heads = all.attention(FAMILY)?;
    let embedding = config.word_embed_proj_dim.filter(|width| *width != config.hidden_size);
    sizes(FAMILY, &[("word_embed_proj_dim", embedding.unwrap_or(config.hidden_size))])?;
    let activation = activation("activation_function", &config.activation_function)?;
    Ok(Box::new(Opt { config, sizes: all, heads, embedding, activation }))
}

impl Architecture for Opt {
    fn facts(&self) -> ModelFacts {
        ModelFacts {
            norm: Some("layernorm".to_string()),
            mlp: Some(self.activation.mlp_name(false).to_string()),
            residual: Some("sequential".to_string()),
            positions: Some("learned".to_string()),
            tied: Some(self.config.tie_word_embeddings),
            ..self.sizes.facts(FAMILY, &self.heads)
        }
    }

    fn norm_places(&self) -> NormPlaces {
        if self.config.do_layer_norm_before { NormPlaces::Before } else { NormPlaces::OnStream }
    }

    fn names(&self) -> Names {
        Names {
            base: &["model.decoder.", "decoder."],
            layers: "layers",
            embedding: "embed_tokens.weight",
            unembedding: &["lm_head.weight"],
            unembedding_bias: None,
            tied: self.config.tie_word_embeddings,
            buffers: &[],
            further: 0,
        }
    }

    fn embedding_width(&self) -> Option<usize> {
        self.embedding
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        Mask::everywhere(None).publish(s)?;
        let width = self.config.hidden_size;
        let rows = match self.embedding {
            Some(embedding) => linear(s, "project_in", rows, (embedding, width), false)?,
            None => rows,
        };
        let table = (self.config.max_position_embeddings, OFFSET);
        add_learned(s, "embed_positions", rows, positions, table, width)
    }

    fn block(&self, _kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        if self.config.do_layer_norm_before {
            let normed = self.norm(s, "self_attn_layer_norm", x)?;
            let attention = Branch::bare(normed, self.attention(&mut s.at("self_attn"), normed)?);
            return Block::sequential(s, x, attention, |s, x| {
                let normed = self.norm(s, "final_layer_norm", x)?;
                Ok(Branch::bare(normed, self.mlp(s, normed)?))
            });
        }
        // The norms act on the stream itself: a branch's write is what the stream is after it less what it was before.
        let attention = self.attention(&mut s.at("self_attn"), x)?;
        let sum = s.add(x, attention)?;
        let middle = self.norm(s, "self_attn_layer_norm", sum)?;
        let mlp = self.mlp(s, middle)?;
        let sum = s.add(middle, mlp)?;
        let stream = self.norm(s, "final_layer_norm", sum)?;
        let attention = Branch { input: x, output: attention, write: s.sub(middle, x)? };
        let mlp = Branch { input: middle, output: mlp, write: s.sub(stream, middle)? };
        let named = |name, branch, middle| NamedBranch { name, branch, middle };
        let branches = vec![named(ATTENTION, attention, Some(middle)), named(MLP, mlp, None)];
        Ok(Block { branches, carry: None, stream })
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        if !self.config.do_layer_norm_before || self.config.remove_final_layer_norm {
            return Ok(x);
        }
        self.norm(s, "final_layer_norm", x)
    }

    fn project_out(&self, s: &mut Scope, normed: Value) -> Result<Value, GraphError> {
        match self.embedding {
            Some(embedding) => linear(s, "project_out", normed, (self.config.hidden_size, embedding), false),
            None => Ok(normed),
        }
    }
}

impl Opt {
    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        if self.config.layer_norm_elementwise_affine {
            layer_norm(s, name, x, &[self.config.hidden_size], EPS, true)
        } else {
            standardise(s, x, EPS)
        }
    }

    fn mlp(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let c = &self.config;
        let mlp =
            Mlp { width: c.hidden_size, inner: c.ffn_dim, activation: self.activation, bias: c.enable_bias };
        feed_forward(s, ["fc1", "fc2"], x, mlp)
    }

    fn attention(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        let (width, bias) = (self.config.hidden_size, self.config.enable_bias);
        let heads = (self.heads.heads, self.heads.head_width);
        let q = to_heads(s, "q_proj", x, width, heads, bias)?;
        let k = to_heads(s, "k_proj", x, width, heads, bias)?;
        let v = to_heads(s, "v_proj", x, width, heads, bias)?;
        let mixed = attend(s, self.heads, [q, k, v], None, Mask::everywhere(None))?;
        linear(s, "out_proj", mixed, (width, width), bias)
    }
}
