//! The sizes in a config, and checks of its numbers whose errors name the key.

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::ArchError;
use crate::nn::attention::Attention;
use number::facts::ModelFacts;

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

    /// √D.
    pub(super) fn root_of_width(&self) -> f32 {
        (self.hidden_size as f64).sqrt() as f32
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
        Ok(Attention { heads, kv_heads, head_width, value_width: head_width, scale, softcap: None })
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
    fn a_factor_is_positive_in_float32() {
        assert_eq!(positive("cohere", "logit_scale", 0.0625).unwrap(), 0.0625);
        for bad in [0.0, -1.0, 1e-300, 1e300, f64::NAN] {
            assert!(positive("cohere", "logit_scale", bad).unwrap_err().to_string().contains("logit_scale"));
        }
    }
}
