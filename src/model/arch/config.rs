//! What configs of several families share: typed reading, sizes, activations, kinds of blocks.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value as Json};

use super::ArchError;
use crate::nn::{activation::Activation, attention::Attention};
use number::facts::ModelFacts;

/// The family's typed config; serde's message names the key.
pub(super) fn typed<C: DeserializeOwned>(
    family: &'static str,
    config: &Map<String, Json>,
) -> Result<C, ArchError> {
    serde_json::from_value(Json::Object(config.clone()))
        .map_err(|e| ArchError::Config { family, reason: e.to_string() })
}

/// The config under the names that the family's class itself uses, where it answers to others too (`attribute_map` and
/// older names): pairs of another name and its own. A size given under both must be one size.
pub(super) fn own_names(
    family: &'static str,
    config: &Map<String, Json>,
    pairs: &[(&str, &str)],
) -> Result<Map<String, Json>, ArchError> {
    let mut config = config.clone();
    for (other, own) in pairs {
        let Some(found) = config.remove(*other) else { continue };
        match config.get(*own) {
            Some(known) if *known != found => {
                let reason = format!(
                    "`{own}` = {known} and `{other}` = {found} are two names of one size; expected one of them, or both equal"
                );
                return Err(ArchError::Config { family, reason });
            }
            _ => config.insert((*own).to_string(), found),
        };
    }
    Ok(config)
}

pub(super) fn activation(name: &str) -> Result<Activation, ArchError> {
    activation_of("hidden_act", name)
}

/// [`activation`] under another key.
pub(super) fn activation_of(key: &str, name: &str) -> Result<Activation, ArchError> {
    Activation::read(name).ok_or_else(|| ArchError::Unsupported {
        key: key.to_string(),
        found: name.to_string(),
        known: Activation::NAMES,
    })
}

/// Keys of the reference's config that change the computation, and the one value of each that a family computes; absent
/// and null are that value too. What the reference has no key for, it does not compute either.
pub(super) fn only(config: &Map<String, Json>, computed: &[(&str, Json)]) -> Result<(), ArchError> {
    for (key, value) in computed {
        match config.get(*key) {
            None | Some(Json::Null) => {}
            Some(found) if found == value => {}
            Some(found) => {
                return Err(ArchError::Refused {
                    key: (*key).to_string(),
                    found: found.to_string(),
                    computed: value.to_string(),
                });
            }
        }
    }
    Ok(())
}

/// For `#[serde(default, deserialize_with = "or_default")]`: null, as older configs write it, means the default.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

pub(super) fn yes() -> bool {
    true
}

/// The sizes that most families write under the same keys; for `#[serde(flatten)]`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Sizes {
    pub hidden_size: usize,
    pub num_hidden_layers: usize,
    pub num_attention_heads: usize,
    pub num_key_value_heads: Option<usize>,
    pub head_dim: Option<usize>,
    pub intermediate_size: usize,
    pub vocab_size: usize,
    pub max_position_embeddings: usize,
}

impl Sizes {
    /// Key/value heads where the config has no key for them; null means one for every query head.
    pub(super) fn kv_heads_or(&mut self, config: &Map<String, Json>, heads: usize) {
        if !config.contains_key("num_key_value_heads") {
            self.num_key_value_heads = Some(heads);
        }
    }

    /// For a class without `head_dim`: its rotary tables would follow one that is given, its heads not.
    pub(super) fn without_head_dim(&mut self, family: &'static str) -> Result<(), ArchError> {
        match self.head_dim.take() {
            Some(width) if width.checked_mul(self.num_attention_heads) != Some(self.hidden_size) => {
                let reason = format!(
                    "`head_dim` = {width}; expected `hidden_size` / `num_attention_heads` or no such key, which the family does not have"
                );
                Err(ArchError::Config { family, reason })
            }
            _ => Ok(()),
        }
    }

    /// Checks every size; the attention they describe, its scores scaled by 1/√head_width.
    pub(super) fn attention(&self, family: &'static str) -> Result<Attention, ArchError> {
        let (heads, kv_heads) =
            (self.num_attention_heads, self.num_key_value_heads.unwrap_or(self.num_attention_heads));
        let mut given = vec![
            ("hidden_size", self.hidden_size),
            ("num_hidden_layers", self.num_hidden_layers),
            ("num_attention_heads", heads),
            ("num_key_value_heads", kv_heads),
            ("intermediate_size", self.intermediate_size),
            ("vocab_size", self.vocab_size),
            ("max_position_embeddings", self.max_position_embeddings),
        ];
        given.extend(self.head_dim.map(|width| ("head_dim", width)));
        sizes(family, &given)?;
        divided(family, ("num_attention_heads", heads), ("num_key_value_heads", kv_heads))?;
        let head_width = match self.head_dim {
            Some(width) => width,
            None => divided(family, ("hidden_size", self.hidden_size), ("num_attention_heads", heads))?,
        };
        let scale = (1.0 / (head_width as f64).sqrt()) as f32;
        Ok(Attention { heads, kv_heads, head_width, scale, softcap: None })
    }

    /// The facts that sizes tell; norm, MLP, residual, positions and tying are the family's.
    pub(super) fn facts(&self, family: &str, attention: &Attention) -> ModelFacts {
        ModelFacts {
            family: Some(family.to_string()),
            blocks: Some(self.num_hidden_layers as u32),
            width: Some(self.hidden_size as u32),
            heads: Some(attention.heads as u32),
            kv_heads: Some(attention.kv_heads as u32),
            head_width: Some(attention.head_width as u32),
            mlp_width: Some(self.intermediate_size as u32),
            vocabulary: Some(self.vocab_size as u32),
            context: Some(self.max_position_embeddings as u32),
            ..ModelFacts::default()
        }
    }
}

/// How blocks differ: each distinct description is a kind with a graph of its own, numbered as it first appears.
#[derive(Clone, Debug)]
pub(super) struct Kinds<K> {
    layers: Vec<usize>,
    kinds: Vec<K>,
}

impl<K: PartialEq> Kinds<K> {
    pub(super) fn new(layers: impl IntoIterator<Item = K>) -> Kinds<K> {
        let mut kinds = Kinds { layers: Vec::new(), kinds: Vec::new() };
        for layer in layers {
            let known = kinds.kinds.iter().position(|kind| *kind == layer);
            let kind = known.unwrap_or_else(|| {
                kinds.kinds.push(layer);
                kinds.kinds.len() - 1
            });
            kinds.layers.push(kind);
        }
        kinds
    }

    /// The kind of block `layer`.
    pub(super) fn of(&self, layer: usize) -> usize {
        self.layers[layer]
    }

    pub(super) fn get(&self, kind: usize) -> &K {
        &self.kinds[kind]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &K> {
        self.kinds.iter()
    }
}

/// Which blocks see only a window: `layer_types` where the config has it, else `or(layer)`.
pub(super) fn sliding(
    family: &'static str,
    layers: usize,
    layer_types: Option<&[String]>,
    or: impl Fn(usize) -> bool,
) -> Result<Vec<bool>, ArchError> {
    let Some(types) = layer_types else { return Ok((0..layers).map(or).collect()) };
    if types.len() != layers {
        let reason =
            format!("`layer_types` has {} entries; expected one for each of {layers} blocks", types.len());
        return Err(ArchError::Config { family, reason });
    }
    types
        .iter()
        .map(|name| match name.as_str() {
            "full_attention" => Ok(false),
            "sliding_attention" => Ok(true),
            _ => Err(ArchError::Unsupported {
                key: "layer_types".to_string(),
                found: name.clone(),
                known: "full_attention, sliding_attention",
            }),
        })
        .collect()
}

/// The window of every block, `None` where it sees all: `window` where the block is a sliding one.
pub(super) fn windows(
    family: &'static str,
    sliding: &[bool],
    window: Option<usize>,
) -> Result<Kinds<Option<usize>>, ArchError> {
    if let Some(window) = window {
        sizes(family, &[("sliding_window", window)])?;
    } else if sliding.contains(&true) {
        let reason = "blocks of type sliding_attention, but no `sliding_window` in use".to_string();
        return Err(ArchError::Config { family, reason });
    }
    Ok(Kinds::new(sliding.iter().map(|sliding| window.filter(|_| *sliding))))
}

/// Sizes no model has: a mistyped one must not ask for memory, nor wrap around where sizes are multiplied.
const MAX_BLOCKS: usize = 1 << 12;
const MAX_SIZE: usize = 1 << 24;

/// Every size of a config between 1 and what a model may have; the error names the key.
pub(super) fn sizes(family: &'static str, given: &[(&'static str, usize)]) -> Result<(), ArchError> {
    for &(key, found) in given {
        let most = match key {
            "num_hidden_layers" => MAX_BLOCKS,
            "max_position_embeddings" => u32::MAX as usize,
            _ => MAX_SIZE,
        };
        if found == 0 || found > most {
            let reason = format!("`{key}` = {found}; expected a size between 1 and {most}");
            return Err(ArchError::Config { family, reason });
        }
    }
    Ok(())
}

/// The epsilon of a norm: float32 must hold it, and a negative one is the root of a negative number.
pub(super) fn epsilon(family: &'static str, key: &str, found: f64) -> Result<(), ArchError> {
    if (0.0..1.0).contains(&found) {
        return Ok(());
    }
    let reason = format!("`{key}` = {found}; expected a small number, 0 <= {key} < 1");
    Err(ArchError::Config { family, reason })
}

/// A factor or a cap: float32 must hold it.
pub(super) fn positive(family: &'static str, key: &str, found: f64) -> Result<f64, ArchError> {
    if found as f32 > 0.0 && (found as f32).is_finite() {
        return Ok(found);
    }
    Err(ArchError::Config { family, reason: format!("`{key}` = {found}; expected a positive number") })
}

/// `whole / parts`, or an error that names both keys.
pub(super) fn divided(
    family: &'static str,
    (whole_key, whole): (&str, usize),
    (parts_key, parts): (&str, usize),
) -> Result<usize, ArchError> {
    if parts == 0 || whole == 0 || !whole.is_multiple_of(parts) {
        let reason = format!("`{whole_key}` = {whole} is not a positive multiple of `{parts_key}` = {parts}");
        return Err(ArchError::Config { family, reason });
    }
    Ok(whole / parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_sizes_and_epsilons_are_refused_by_their_key() {
        for (key, size) in [
            ("num_hidden_layers", 0),
            ("num_hidden_layers", 1_000_000_000),
            ("vocab_size", (1 << 32) + 2),
            ("max_position_embeddings", 1 << 32),
        ] {
            let message = sizes("llama", &[("hidden_size", 8), (key, size)]).unwrap_err().to_string();
            assert!(message.contains(&format!("`{key}` = {size}")), "{message}");
        }
        assert!(
            epsilon("llama", "rms_norm_eps", 0.0).is_ok() && epsilon("llama", "rms_norm_eps", 1e-5).is_ok()
        );
        for bad in [-1e-6, 1e300, f64::NAN] {
            assert!(epsilon("llama", "rms_norm_eps", bad).unwrap_err().to_string().contains("rms_norm_eps"));
        }
    }

    #[test]
    fn a_key_that_changes_the_computation_is_refused_unless_it_says_what_is_computed() {
        let config = |json| serde_json::from_str::<Map<String, Json>>(json).unwrap();
        let rule = [("scale_attn_weights", Json::Bool(true))];
        for fine in ["{}", r#"{"scale_attn_weights": null}"#, r#"{"scale_attn_weights": true}"#] {
            assert!(only(&config(fine), &rule).is_ok());
        }
        let message = only(&config(r#"{"scale_attn_weights": false}"#), &rule).unwrap_err().to_string();
        assert!(message.contains("`scale_attn_weights` is false") && message.contains("true"), "{message}");
    }

    #[test]
    fn a_size_under_two_names_is_read_from_either_and_must_agree() {
        let read = |json| {
            let config = serde_json::from_str::<Map<String, Json>>(json).unwrap();
            own_names("bloom", &config, &[("n_embed", "hidden_size")])
        };
        for fine in [
            r#"{"n_embed": 8}"#,
            r#"{"hidden_size": 8}"#,
            r#"{"hidden_size": 8, "n_embed": 8, "vocab_size": 3}"#,
        ] {
            let config = read(fine).unwrap();
            assert_eq!((config.get("hidden_size"), config.get("n_embed")), (Some(&8.into()), None));
        }
        let message = read(r#"{"hidden_size": 8, "n_embed": 9}"#).unwrap_err().to_string();
        assert!(message.contains("`hidden_size` = 8 and `n_embed` = 9"), "{message}");
    }

    #[test]
    fn kinds_are_numbered_as_they_first_appear() {
        let kinds = Kinds::new(["b", "a", "b"]);
        assert_eq!([kinds.of(0), kinds.of(1), kinds.of(2)], [0, 1, 0]);
        assert_eq!((*kinds.get(1), kinds.iter().count()), ("a", 2));
    }

    #[test]
    fn a_sliding_block_needs_a_window() {
        let kinds = windows("gemma2", &[true, false, true], Some(7)).unwrap();
        assert_eq!([kinds.of(0), kinds.of(1), kinds.of(2)], [0, 1, 0]);
        assert_eq!([*kinds.get(0), *kinds.get(1)], [Some(7), None]);
        assert_eq!(windows("gemma2", &[false], None).unwrap().get(0), &None);
        for (sliding, window) in [(true, None), (false, Some(0))] {
            let message = windows("gemma2", &[sliding], window).unwrap_err().to_string();
            assert!(message.contains("`sliding_window`"), "{message}");
        }
    }

    #[test]
    fn a_factor_is_positive_in_float32() {
        assert_eq!(positive("cohere", "logit_scale", 0.0625).unwrap(), 0.0625);
        for bad in [0.0, -1.0, 1e-300, 1e300, f64::NAN] {
            assert!(positive("cohere", "logit_scale", bad).unwrap_err().to_string().contains("logit_scale"));
        }
    }

    #[test]
    fn layer_types_are_one_for_each_block_and_of_a_known_name() {
        let types = |names: &[&str]| names.iter().map(|n| (*n).to_string()).collect::<Vec<_>>();
        let read = |t: &[String]| sliding("mistral", 2, Some(t), |_| true);
        assert_eq!(read(&types(&["full_attention", "sliding_attention"])).unwrap(), [false, true]);
        assert!(read(&types(&["full_attention"])).unwrap_err().to_string().contains("1 entries"));
        let message = read(&types(&["full_attention", "chunked_attention"])).unwrap_err().to_string();
        assert!(message.contains("chunked_attention"), "{message}");
        assert_eq!(sliding("mistral", 2, None, |layer| layer == 0).unwrap(), [true, false]);
    }
}
