//! Gemma 3, text (`transformers/models/gemma3/modeling_gemma3.py`): Gemma 2 without a cap on scores, with norms on every
//! query and key head; five blocks with a sliding window and a rotary base of their own for each block that sees all.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    ArchError, Architecture, Block, Branch, Names,
    config::{Kinds, Sizes, activation_of, epsilon, only, positive, sizes, sliding, typed, windows, yes},
    rope::{Rope, RopeDefaults, RopeKeys},
};
use crate::{
    graph::{GraphError, Value},
    nn::{
        Scope,
        activation::{Activation, Mlp, gated, softcap},
        attention::{self, Attention, attend, mask_name},
        linear::{linear, to_heads},
        norm::rms_norm_from_one,
        rope::{self, Pairs},
    },
};
use number::facts::ModelFacts;

const FAMILY: &str = "gemma3_text";

#[derive(Debug, Deserialize)]
struct Config {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(default = "default_eps")]
    rms_norm_eps: f64,
    #[serde(default = "default_act")]
    hidden_activation: String,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default = "default_scalar")]
    query_pre_attn_scalar: f64,
    #[serde(default = "default_window")]
    sliding_window: Option<usize>,
    layer_types: Option<Vec<String>>,
    #[serde(default = "default_pattern")]
    sliding_window_pattern: usize,
    rope_local_base_freq: Option<f64>,
    final_logit_softcapping: Option<f64>,
    #[serde(default = "yes")]
    tie_word_embeddings: bool,
    #[serde(flatten)]
    rope: RopeKeys,
}

fn default_eps() -> f64 {
    1e-6
}

fn default_act() -> String {
    "gelu_pytorch_tanh".to_string()
}

fn default_scalar() -> f64 {
    256.0
}

/// Where the key is absent; null means no window.
fn default_window() -> Option<usize> {
    Some(4096)
}

/// Every how many blocks one sees all.
fn default_pattern() -> usize {
    6
}

#[derive(Debug)]
struct Gemma3 {
    config: Config,
    heads: Attention,
    windows: Kinds<Option<usize>>,
    logit_cap: Option<f32>,
    /// Of the blocks that see all.
    global: Rope,
    /// Of the blocks that see a window.
    local: Rope,
    activation: Activation,
}

pub(super) fn read(json: &Map<String, Json>) -> Result<Box<dyn Architecture>, ArchError> {
    let mut config: Config = typed(FAMILY, json)?;
    // The reference reads `attn_logit_softcapping` and computes nothing with it.
    only(json, &[("use_bidirectional_attention", false.into()), ("attn_logit_softcapping", Json::Null)])?;
    config.sizes.kv_heads_or(json, 4);
    config.sizes.head_dim.get_or_insert(256);
    let scalar = positive(FAMILY, "query_pre_attn_scalar", config.query_pre_attn_scalar)?;
    let heads = Attention { scale: (1.0 / scalar.sqrt()) as f32, ..config.sizes.attention(FAMILY)? };
    let cap = config.final_logit_softcapping.map(|cap| positive(FAMILY, "final_logit_softcapping", cap));
    let logit_cap = cap.transpose()?.map(|cap| cap as f32);
    let pattern = config.sliding_window_pattern;
    sizes(FAMILY, &[("sliding_window_pattern", pattern)])?;
    let (layers, types) = (config.sizes.num_hidden_layers, config.layer_types.as_deref());
    let slides = sliding(FAMILY, layers, types, |layer| !(layer + 1).is_multiple_of(pattern))?;
    let windows = windows(FAMILY, &slides, config.sliding_window)?;
    epsilon(FAMILY, "rms_norm_eps", config.rms_norm_eps)?;
    let (head_width, context) = (heads.head_width, config.sizes.max_position_embeddings);
    let [global, local] = config.rotary()?;
    let defaults = |theta| RopeDefaults { head_width, context, theta, share: 1.0 };
    let global = global.resolve(FAMILY, defaults(1_000_000.0))?.whole(FAMILY, head_width)?;
    let local = local.resolve(FAMILY, defaults(10_000.0))?.whole(FAMILY, head_width)?;
    let activation = activation_of("hidden_activation", &config.hidden_activation)?;
    Ok(Box::new(Gemma3 { config, heads, windows, logit_cap, global, local, activation }))
}

impl Config {
    /// Rotary keys of the blocks that see all and of those that see a window: `rope_parameters` nests them by type of
    /// layer; older configs have two bases and scale the first.
    fn rotary(&self) -> Result<[RopeKeys; 2], ArchError> {
        let mut nested = self.rope.rope_parameters.clone().unwrap_or_default();
        let mut of_type = |layer_type| match nested.remove(layer_type) {
            None | Some(Json::Null) => Ok(Map::new()),
            Some(Json::Object(keys)) => Ok(keys),
            Some(found) => {
                let reason = format!("`rope_parameters` has {found} for {layer_type}; expected an object");
                Err(ArchError::Config { family: FAMILY, reason })
            }
        };
        let (mut global, local) = (of_type("full_attention")?, of_type("sliding_attention")?);
        if let Some(key) = nested.keys().next() {
            let reason =
                format!("`rope_parameters` has {key:?}; expected only full_attention and sliding_attention");
            return Err(ArchError::Config { family: FAMILY, reason });
        }
        let scaling = self.rope.rope_scaling.clone().unwrap_or_default();
        if scaling.contains_key("type") && !scaling.contains_key("rope_type") {
            // The first releases of the reference read it as the type of the scaling, later ones do not.
            let reason = "`rope_scaling` has `type`; expected its later name, `rope_type`".to_string();
            return Err(ArchError::Config { family: FAMILY, reason });
        }
        global.extend(scaling);
        let rope = |theta, keys| RopeKeys {
            rope_theta: theta,
            rope_scaling: None,
            rope_parameters: Some(keys),
            original_max_position_embeddings: None, // the reference reads it beside a flat table only
            ..self.rope.clone()
        };
        Ok([rope(self.rope.rope_theta, global), rope(self.rope_local_base_freq, local)])
    }
}

impl Architecture for Gemma3 {
    fn facts(&self) -> ModelFacts {
        ModelFacts {
            norm: Some("rmsnorm".to_string()),
            mlp: Some(self.activation.mlp_name(true).to_string()),
            residual: Some("sequential".to_string()),
            tied: Some(self.config.tie_word_embeddings),
            ..self.global.facts(self.config.sizes.facts(FAMILY, &self.heads))
        }
    }

    fn norms_from_one(&self) -> bool {
        true
    }

    fn names(&self) -> Names {
        Names::like_llama(self.config.tie_word_embeddings)
    }

    fn kind(&self, layer: usize) -> usize {
        self.windows.of(layer)
    }

    fn prelude(&self, s: &mut Scope, rows: Value, positions: Value) -> Result<Value, GraphError> {
        for window in self.windows.iter() {
            let (name, rope) = self.rope(*window);
            rope::publish_tables(s, name, positions, &rope.frequencies)?;
            attention::publish_mask(s, mask_name(*window), *window)?;
        }
        s.scale(rows, (self.config.sizes.hidden_size as f64).sqrt() as f32)
    }

    fn block(&self, kind: usize, s: &mut Scope, x: Value) -> Result<Block, GraphError> {
        let normed = self.norm(s, "input_layernorm", x)?;
        let output = self.attention(&mut s.at("self_attn"), normed, *self.windows.get(kind))?;
        let write = self.norm(s, "post_attention_layernorm", output)?;
        let attention = Branch { input: normed, output, write };
        Block::sequential(s, x, attention, |s, x| {
            let normed = self.norm(s, "pre_feedforward_layernorm", x)?;
            let (width, inner) = (self.config.sizes.hidden_size, self.config.sizes.intermediate_size);
            let mlp = Mlp { width, inner, activation: self.activation, bias: false };
            let output = gated(&mut s.at("mlp"), ["gate_proj", "up_proj", "down_proj"], normed, mlp)?;
            let write = self.norm(s, "post_feedforward_layernorm", output)?;
            Ok(Branch { input: normed, output, write })
        })
    }

    fn final_norm(&self, s: &mut Scope, x: Value) -> Result<Value, GraphError> {
        self.norm(s, "norm", x)
    }

    fn logits(
        &self,
        s: &mut Scope,
        hidden: Value,
        rows: Value,
        bias: Option<Value>,
    ) -> Result<Value, GraphError> {
        let logits = s.gemm(hidden, rows, bias)?;
        self.logit_cap.map_or(Ok(logits), |cap| softcap(s, logits, cap))
    }
}

impl Gemma3 {
    /// The rotary tables' name, and what they are made of.
    fn rope(&self, window: Option<usize>) -> (&'static str, &Rope) {
        if window.is_some() { ("rotary.local", &self.local) } else { ("rotary", &self.global) }
    }

    fn norm(&self, s: &mut Scope, name: &str, x: Value) -> Result<Value, GraphError> {
        rms_norm_from_one(s, name, x, self.config.sizes.hidden_size, self.config.rms_norm_eps)
    }

    fn attention(&self, s: &mut Scope, x: Value, window: Option<usize>) -> Result<Value, GraphError> {
        let Attention { heads, kv_heads, head_width: w, .. } = self.heads;
        let Config { sizes, rms_norm_eps: eps, attention_bias: bias, .. } = &self.config;
        let width = sizes.hidden_size;
        let q = to_heads(s, "q_proj", x, width, (heads, w), *bias)?;
        let q = rms_norm_from_one(s, "q_norm", q, w, *eps)?;
        let k = to_heads(s, "k_proj", x, width, (kv_heads, w), *bias)?;
        let k = rms_norm_from_one(s, "k_norm", k, w, *eps)?;
        let v = to_heads(s, "v_proj", x, width, (kv_heads, w), *bias)?;
        let (name, rope) = self.rope(window);
        let tables = rope::tables(s, name, &rope.frequencies)?;
        let q = rope::rotate(s, q, (heads, w), tables, Pairs::Halves)?;
        let k = rope::rotate(s, k, (kv_heads, w), tables, Pairs::Halves)?;
        let mask = attention::mask(s, mask_name(window))?;
        let mixed = attend(s, self.heads, [q, k, v], mask)?;
        linear(s, "o_proj", mixed, (heads * w, width), *bias)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arch::tests::small;

    fn rotary(config: &str) -> Result<[RopeKeys; 2], ArchError> {
        let json = small(FAMILY, config);
        read(&json)?;
        typed::<Config>(FAMILY, &json)?.rotary()
    }

    #[test]
    fn two_bases_and_nested_parameters_mean_the_same() {
        let defaults = RopeDefaults { head_width: 4, context: 8, theta: 7.0, share: 1.0 };
        let resolved =
            |config: &str| rotary(config).unwrap().map(|keys| keys.resolve(FAMILY, defaults).unwrap());
        let old = resolved(
            r#"{"rope_theta": 5e5, "rope_local_base_freq": 1e3, "rope_scaling": {"rope_type": "linear", "factor": 8.0}}"#,
        );
        let new = resolved(
            r#"{"rope_parameters": {"sliding_attention": {"rope_type": "default", "rope_theta": 1e3},
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 5e5}}}"#,
        );
        assert_eq!(old, new);
        assert_eq!([old[0].theta, old[1].theta], [5e5, 1e3]);
        assert_eq!([old[0].scaling.as_str(), old[1].scaling.as_str()], ["linear", "default"]);
        // The original context stands in the parameters themselves, else it is the whole context.
        let yarn = |more: &str| {
            resolved(&format!(r#"{{"rope_scaling": {{"rope_type": "yarn", "factor": 4.0}}{more}}}"#))
        };
        assert_eq!(yarn(r#", "original_max_position_embeddings": 2"#), yarn(""));
        // The base of the blocks that see all is not that of the others.
        assert_eq!(resolved(r#"{"rope_theta": 5e5}"#)[1].theta, 7.0);
    }

    #[test]
    fn what_is_not_computed_is_refused_by_its_key() {
        for (changes, named) in [
            (r#"{"attn_logit_softcapping": 50.0}"#, "`attn_logit_softcapping` is 50.0"),
            (r#"{"use_bidirectional_attention": true}"#, "`use_bidirectional_attention` is true"),
            (r#"{"sliding_window_pattern": 0}"#, "`sliding_window_pattern` = 0"),
            (r#"{"rope_parameters": {"rope_type": "linear", "factor": 8.0}}"#, "full_attention"),
            (r#"{"rope_scaling": {"type": "linear", "factor": 8.0}}"#, "`rope_scaling` has `type`"),
        ] {
            let message = rotary(changes).unwrap_err().to_string();
            assert!(message.contains(named), "{message}");
        }
    }
}
