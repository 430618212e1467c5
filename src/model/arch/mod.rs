//! Model families: config to recipe, one small file each.
//!
//! A family reads its own typed config and builds three kinds of graph from `nn`: what happens to the embedding rows
//! (`prelude`), one block, and the logits. Weight names and shapes are declared where they are used; the list to
//! check a checkpoint against falls out of the graphs. A new family is one file here, its `mod` line and one line in
//! `FAMILIES`.

mod apertus;
mod bloom;
mod cohere;
mod config;
mod falcon;
mod gemma;
mod gemma2;
mod gemma3;
mod gpt2;
mod gpt_neo;
mod gpt_neox;
mod gptj;
mod intervene;
mod llama;
mod mistral;
mod olmo2;
mod opt;
mod phi;
mod phi3;
mod qwen2;
mod qwen3;
mod recipe;
mod rope;
mod stablelm;
mod starcoder2;
mod values;
mod whole;

use std::fmt;

use serde_json::{Map, Value as Json};

pub use intervene::{Initial, rope_theta_times, without_rope_scaling};
pub use recipe::{FinalNormWeight, GAUGES, Modules, Place, Recipe, UNEMBEDDING, WeightUse};
pub use values::{ValueLayout, ValueWeights};
pub use whole::INPUTS;

use crate::{
    checkpoint::CheckpointError,
    graph::{GraphError, Value},
    nn::Scope,
};
use number::facts::ModelFacts;

type Read = fn(&Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError>;

/// `model_type` of the config and the family's reader, sorted.
const FAMILIES: &[(&str, Read)] = &[
    ("apertus", apertus::read),
    ("bloom", bloom::read),
    ("cohere", cohere::read),
    ("falcon", falcon::read),
    ("gemma", gemma::read),
    ("gemma2", gemma2::read),
    ("gemma3_text", gemma3::read),
    ("gpt2", gpt2::read),
    ("gpt_neo", gpt_neo::read),
    ("gpt_neox", gpt_neox::read),
    ("gptj", gptj::read),
    ("llama", llama::read),
    ("mistral", mistral::read),
    ("olmo2", olmo2::read),
    ("opt", opt::read),
    ("phi", phi::read),
    ("phi3", phi3::read),
    ("qwen2", qwen2::read),
    ("qwen3", qwen3::read),
    ("stablelm", stablelm::read),
    ("starcoder2", starcoder2::read),
];

/// What one family knows. All values are float32; token rows are packed, `[T, D]`.
pub trait Architecture: fmt::Debug + Send + Sync {
    /// Everything but the number of parameters and the file's dtype; blocks, width, vocabulary and context are set.
    fn facts(&self) -> ModelFacts;

    fn names(&self) -> Names;

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

    /// The norm after the last block, `[T, D]` -> `[T, D]`. Weights are named relative to the base model.
    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError>;

    /// Where a block keeps the value weights of its heads: their tensor, relative to the block, and how they lie in it.
    fn values(&self) -> (&'static str, ValueLayout) {
        ("self_attn.v_proj.weight", ValueLayout::Apart)
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

/// One branch of a block, all `[T, D]`.
#[derive(Clone, Copy, Debug)]
pub struct Branch {
    /// What the module receives: after the norm before it, where there is one.
    pub input: Value,
    /// What the module gives.
    pub output: Value,
    /// What the stream changes by: the output after any norm that follows it.
    pub write: Value,
}

impl Branch {
    /// No norm follows the module.
    pub fn bare(input: Value, output: Value) -> Branch {
        Branch { input, output, write: output }
    }
}

/// The branches of a block, and the stream after it, `[T, D]`.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    pub attention: Branch,
    pub mlp: Branch,
    /// The stream between the two writes; a parallel block, whose MLP reads the stream before both, has none.
    pub middle: Option<Value>,
    pub stream: Value,
}

impl Block {
    /// The MLP reads the stream after attention has written.
    pub fn sequential(
        s: &mut Scope,
        x: Value,
        attention: Branch,
        mlp: impl FnOnce(&mut Scope, Value) -> Result<Branch, GraphError>,
    ) -> Result<Block, GraphError> {
        let middle = s.add(x, attention.write)?;
        let mlp = mlp(s, middle)?;
        Ok(Block { attention, mlp, middle: Some(middle), stream: s.add(middle, mlp.write)? })
    }

    /// Both branches have read the same stream.
    pub fn parallel(s: &mut Scope, x: Value, attention: Branch, mlp: Branch) -> Result<Block, GraphError> {
        let writes = s.add(x, attention.write)?;
        Ok(Block { attention, mlp, middle: None, stream: s.add(writes, mlp.write)? })
    }
}

/// Where a family's tensors lie in a checkpoint.
#[derive(Clone, Debug)]
pub struct Names {
    /// Prefixes of the base model that checkpoints use, the usual one first, e.g. `model.`; checkpoints of the bare base
    /// model have none.
    pub base: &'static [&'static str],
    /// Block l is `<base><layers>.<l>`, e.g. `layers`.
    pub layers: &'static str,
    /// Relative to the base model.
    pub embedding: &'static str,
    /// Full names the head tensor goes by, the usual one first; a checkpoint has one of them, unless the head is tied.
    pub unembedding: &'static [&'static str],
    /// Full name of the head's bias `[vocabulary]`, if the family has one.
    pub unembedding_bias: Option<&'static str>,
    /// The head is the embedding matrix.
    pub tied: bool,
    /// How names of what older exports keep beside the weights of a block end: tables and masks that follow from the
    /// config. Nothing reads them.
    pub buffers: &'static [&'static str],
}

impl Names {
    /// As LLaMA's class has them, and many after it.
    pub fn like_llama(tied: bool) -> Names {
        Names {
            base: &["model."],
            layers: "layers",
            embedding: "embed_tokens.weight",
            unembedding: &["lm_head.weight"],
            unembedding_bias: None,
            tied,
            buffers: &[".rotary_emb.inv_freq"],
        }
    }
}

/// A config that no recipe can be made from, or a checkpoint that does not fit its config.
#[derive(Debug, thiserror::Error)]
pub enum ArchError {
    #[error("config.json: no `model_type`; expected one of: {known}", known = known())]
    NoModelType,
    #[error("config.json: model_type {found:?} is not known; known are: {known}", known = known())]
    UnknownFamily { found: String },
    #[error("config.json of model_type {family:?}: {reason}")]
    Config { family: &'static str, reason: String },
    #[error("config.json: a model with no {name}; expected at least 1")]
    Empty { name: &'static str },
    #[error("config.json: `{key}` is {found:?}; this instrument computes {known} and ignores nothing")]
    Unsupported { key: String, found: String, known: &'static str },
    #[error(
        "config.json: `{key}` is {found}; this instrument computes only {computed} for this family, and ignores nothing"
    )]
    Refused { key: String, found: String, computed: String },
    #[error(
        "config.json: the weights are quantised (`quantization_config`: {found}); expected float32, float16 or bfloat16 \
         weights: take the checkpoint they were made from"
    )]
    Quantised { found: String },
    #[error(
        "tensor {tensor} ({place}) has shape {found:?} in the checkpoint; config.json asks for {expected:?}"
    )]
    WeightShape { tensor: String, place: Place, expected: Vec<usize>, found: Vec<usize> },
    #[error(
        "tensor {tensor} is in the checkpoint, but nothing in config.json uses it ({blocks} blocks): config and weights \
         do not belong together; download both again from one revision"
    )]
    Unused { tensor: String, blocks: usize },
    #[error("the intervention cannot be made: {reason}")]
    Intervention { reason: String },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Graph(#[from] GraphError),
}

/// The reader of a config's family.
fn family(config: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let found = config.get("model_type").and_then(Json::as_str).ok_or(ArchError::NoModelType)?;
    let (_, read) = FAMILIES
        .iter()
        .find(|(name, _)| *name == found)
        .ok_or_else(|| ArchError::UnknownFamily { found: found.to_string() })?;
    if let Some(found) = config.get("quantization_config").filter(|found| !found.is_null()) {
        return Err(ArchError::Quantised { found: found.to_string() });
    }
    if config.get("is_causal") == Some(&Json::Null) {
        // Not absence, which is causal: the reference reads null as no.
        let (key, found, computed) = ("is_causal".to_string(), "null".to_string(), "true".to_string());
        return Err(ArchError::Refused { key, found, computed });
    }
    config::only(config, &[("is_causal", true.into()), ("per_layer_config", Json::Null)])?;
    read(config)
}

/// Every `model_type` that runs, sorted.
pub fn families() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().map(|(name, _)| *name)
}

fn known() -> String {
    families().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_sorted_and_named_once() {
        assert!(FAMILIES.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn an_unknown_family_is_refused_with_the_known_ones() {
        let config = serde_json::from_str(r#"{"model_type": "rwkv"}"#).unwrap();
        let message = family(&config).unwrap_err().to_string();
        let known: Vec<&str> = FAMILIES.iter().map(|(name, _)| *name).collect();
        let expected =
            format!(r#"config.json: model_type "rwkv" is not known; known are: {}"#, known.join(", "));
        assert_eq!(message, expected);
    }

    /// A config that most families can read, changed.
    pub(super) fn small(family: &str, changes: &str) -> Map<String, Json> {
        let mut config: Map<String, Json> = serde_json::from_str(
            r#"{"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2,
                "intermediate_size": 8, "vocab_size": 8, "max_position_embeddings": 8, "head_dim": 4}"#,
        )
        .unwrap();
        config.insert("model_type".to_string(), family.into());
        config.extend(serde_json::from_str::<Map<String, Json>>(changes).unwrap());
        config
    }

    #[test]
    fn what_no_family_computes_is_refused_for_all() {
        assert!(family(&small("llama", r#"{"quantization_config": null, "is_causal": true}"#)).is_ok());
        for (change, named) in [
            (r#"{"quantization_config": {"quant_method": "gptq"}}"#, "gptq"),
            (r#"{"is_causal": false}"#, "`is_causal` is false"),
            (r#"{"is_causal": null}"#, "`is_causal` is null"),
            (r#"{"per_layer_config": {"0": {}}}"#, "`per_layer_config`"),
        ] {
            let message = family(&small("llama", change)).unwrap_err().to_string();
            assert!(message.contains(named), "{message}");
        }
    }

    #[test]
    fn what_one_family_does_not_compute_is_refused_by_its_key() {
        for (name, changes, named) in [
            ("mistral", r#"{"layer_types": ["full_attention", "sliding_attention"]}"#, "`layer_types`"),
            ("mistral", r#"{"sliding_window": 0}"#, "`sliding_window` = 0"),
            ("mistral", r#"{"partial_rotary_factor": 0.5}"#, "turns whole heads"),
            ("gemma", r#"{"use_bidirectional_attention": true}"#, "`use_bidirectional_attention` is true"),
            ("gemma", r#"{"hidden_act": "gelu", "hidden_activation": "relu"}"#, "`hidden_activation`"),
            ("qwen2", r#"{"layer_types": ["full_attention", "sliding_attention"]}"#, "no `sliding_window`"),
            ("qwen2", r#"{"use_mrope": true}"#, "`use_mrope` is true"),
            ("phi3", r#"{"rope_scaling": {"type": "linear", "factor": 2.0}}"#, "`rope_type` is \"linear\""),
            ("starcoder2", r#"{"norm_type": "rms_norm"}"#, "`norm_type` is \"rms_norm\""),
            ("cohere", r#"{"logit_scale": 0.0}"#, "`logit_scale` = 0"),
            ("gpt_neox", r#"{"head_dim": 8}"#, "`head_dim` = 8"),
            ("stablelm", r#"{"head_dim": 2}"#, "`head_dim` = 2"),
        ] {
            let message = family(&small(name, changes)).unwrap_err().to_string();
            assert!(message.contains(named), "{name}: {message}");
        }
    }

    #[test]
    fn an_absent_number_of_key_value_heads_is_the_default_and_null_one_for_every_query_head() {
        let mut four = small("starcoder2", r#"{"num_attention_heads": 4}"#);
        four.remove("num_key_value_heads");
        assert_eq!(family(&four).unwrap().facts().kv_heads, Some(2)); // as the reference's class
        four.insert("num_key_value_heads".to_string(), Json::Null);
        assert_eq!(family(&four).unwrap().facts().kv_heads, Some(4));
    }
}
