//! Classes of the reference whose configs have LLaMA's keys: what each has where a config says nothing, and the decoder
//! that a config describes. A family reads its decoder here and then says what else differs.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::{
    ArchError,
    choices::{Biases, Decoder, Norm, NormKind},
    config::{activation, own_names, typed},
    kinds::{sliding, windows},
    rope::{RopeDefaults, RopeKeys, Share},
    sizes::{Sizes, positive},
};
use crate::nn::rope::Pairs;

/// What a class computes, and has where a config says nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Class {
    /// `model_type`.
    pub family: &'static str,
    /// Other names of keys, and the class's own.
    pub names: &'static [(&'static str, &'static str)],
    /// `max_position_embeddings`.
    pub context: usize,
    pub norm: NormKind,
    /// The key of the norms' epsilon, where there is one, and its value.
    pub epsilon: (Option<&'static str>, f64),
    /// `hidden_act`, or what the class calls it.
    pub activation: (&'static str, &'static str),
    /// `tie_word_embeddings`.
    pub tied: bool,
    /// `head_dim`; `None` is `hidden_size` / `num_attention_heads`.
    pub head_width: Option<usize>,
    /// `num_key_value_heads`; `None` is one for every query head.
    pub kv_heads: Option<usize>,
    /// `attention_bias`; `None`: the class has no such key, and no such biases.
    pub attention_bias: Option<bool>,
    /// `mlp_bias`, likewise.
    pub mlp_bias: Option<bool>,
    /// `rope_theta`.
    pub theta: f64,
    /// The share of each head that turns.
    pub share: Share,
    pub pairs: Pairs,
    /// `sliding_window`.
    pub window: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Keys {
    #[serde(flatten)]
    sizes: Sizes,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    tie_word_embeddings: Option<bool>,
    #[serde(flatten)]
    rope: RopeKeys,
}

#[derive(Debug, Deserialize)]
struct WindowKeys {
    sliding_window: Option<usize>,
    layer_types: Option<Vec<String>>,
}

impl Class {
    /// LLaMA's class, with biases where the config asks for them.
    pub(super) const fn like_llama(family: &'static str) -> Class {
        Class {
            family,
            names: &[],
            context: 2048,
            norm: NormKind::Rms,
            epsilon: (Some("rms_norm_eps"), 1e-6),
            activation: ("hidden_act", "silu"),
            tied: false,
            head_width: None,
            kv_heads: None,
            attention_bias: Some(false),
            mlp_bias: Some(false),
            theta: 10_000.0,
            share: Share::Whole,
            pairs: Pairs::Halves,
            window: None,
        }
    }

    /// The config with the class's own names, and with its values where a size is not said.
    fn completed(&self, json: &Map<String, Json>) -> Result<Map<String, Json>, ArchError> {
        let mut json = own_names(self.family, json, self.names)?;
        json.entry("max_position_embeddings").or_insert_with(|| self.context.into());
        if let Some(width) = self.head_width {
            json.entry("head_dim").or_insert_with(|| width.into());
        }
        if let Some(heads) = self.kv_heads {
            json.entry("num_key_value_heads").or_insert_with(|| heads.into());
        }
        Ok(json)
    }

    /// The decoder that a config describes, with LLaMA's names.
    pub(super) fn decoder(&self, json: &Map<String, Json>) -> Result<Decoder, ArchError> {
        let json = self.completed(json)?;
        let keys: Keys = typed(self.family, &json)?;
        let heads = keys.sizes.attention(self.family)?;
        let (key, eps) = self.epsilon;
        let given = key.map(|key| number(self.family, &json, key)).transpose()?.flatten();
        let norm = Norm::new(self.norm, self.family, key.unwrap_or("epsilon"), given.unwrap_or(eps))?;
        let defaults = RopeDefaults {
            theta: self.theta,
            share: self.share,
            pairs: self.pairs,
            ..RopeDefaults::like_llama(heads, keys.sizes.max_position_embeddings)
        };
        let rope = keys.rope.resolve(self.family, defaults)?;
        let (key, act) = self.activation;
        let activation = activation(key, json.get(key).and_then(Json::as_str).unwrap_or(act))?;
        let tied = keys.tie_word_embeddings.unwrap_or(self.tied);
        let bias =
            |default: Option<bool>, given: Option<bool>| default.map(|default| given.unwrap_or(default));
        let mut biases = Biases::attention(bias(self.attention_bias, keys.attention_bias).unwrap_or(false));
        biases.mlp = bias(self.mlp_bias, keys.mlp_bias).unwrap_or(false);
        let llama = Decoder::like_llama(self.family, (keys.sizes, heads), norm, rope, activation, tied);
        Ok(Decoder { biases, ..llama })
    }

    /// The window of every block, `None` where it sees all: as `layer_types` says, else `sliding_window` where `or` says so of
    /// the block and the config has a window.
    pub(super) fn windows(
        &self,
        json: &Map<String, Json>,
        decoder: &Decoder,
        or: impl Fn(usize) -> bool,
    ) -> Result<Vec<Option<usize>>, ArchError> {
        let keys: WindowKeys = typed(self.family, json)?;
        let window = if json.contains_key("sliding_window") { keys.sliding_window } else { self.window };
        let layers = decoder.sizes.num_hidden_layers;
        let slides =
            sliding(self.family, layers, keys.layer_types.as_deref(), |layer| window.is_some() && or(layer))?;
        windows(self.family, &slides, window)
    }
}

/// The number under a key, if there is one.
pub(super) fn number(
    family: &'static str,
    json: &Map<String, Json>,
    key: &str,
) -> Result<Option<f64>, ArchError> {
    match json.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(found) => found.as_f64().map(Some).ok_or_else(|| {
            let reason = format!("`{key}` = {found}; expected a number");
            ArchError::Config { family, reason }
        }),
    }
}

/// The positive factor under a key, if there is one.
pub(super) fn factor(
    family: &'static str,
    json: &Map<String, Json>,
    key: &str,
) -> Result<Option<f64>, ArchError> {
    number(family, json, key)?.map(|found| positive(family, key, found)).transpose()
}

/// A key with the whole number of at least 1 under it, or that of the class.
pub(super) fn count_or<'k>(
    family: &'static str,
    json: &Map<String, Json>,
    key: &'k str,
    default: usize,
) -> Result<(&'k str, usize), ArchError> {
    Ok((key, count(family, json, key)?.unwrap_or(default)))
}

/// A whole number of at least 1 under a key, if there is one.
pub(super) fn count(
    family: &'static str,
    json: &Map<String, Json>,
    key: &str,
) -> Result<Option<usize>, ArchError> {
    match json.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(found) => match found.as_u64() {
            Some(size) if (1..=1 << 24).contains(&size) => Ok(Some(size as usize)),
            _ => {
                let reason = format!("`{key}` = {found}; expected a whole number of at least 1");
                Err(ArchError::Config { family, reason })
            }
        },
    }
}
