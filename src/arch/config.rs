//! What configs of several families share: typed reading, activations, rotary parameters old and new.

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value as Json};

use super::ArchError;
use crate::nn::{activation::Activation, rope::Frequencies};

/// Beyond any model; keeps a mistyped config from asking for the memory of its rotary table.
const MAX_HEAD_WIDTH: usize = 1 << 16;

/// The family's typed config; serde's message names the key.
pub fn typed<C: DeserializeOwned>(family: &'static str, config: &Map<String, Json>) -> Result<C, ArchError> {
    serde_json::from_value(Json::Object(config.clone()))
        .map_err(|e| ArchError::Config { family, reason: e.to_string() })
}

pub fn activation(name: &str) -> Result<Activation, ArchError> {
    Activation::read(name).ok_or_else(|| ArchError::Unsupported {
        key: "hidden_act".to_string(),
        found: name.to_string(),
        known: Activation::NAMES,
    })
}

/// Sizes no model has: a mistyped one must not ask for memory, nor wrap around where sizes are multiplied.
const MAX_BLOCKS: usize = 1 << 12;
const MAX_SIZE: usize = 1 << 24;

/// Every size of a config between 1 and what a model may have; the error names the key.
pub fn sizes(family: &'static str, given: &[(&'static str, usize)]) -> Result<(), ArchError> {
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
pub fn epsilon(family: &'static str, key: &str, found: f64) -> Result<(), ArchError> {
    if (0.0..1.0).contains(&found) {
        return Ok(());
    }
    let reason = format!("`{key}` = {found}; expected a small number, 0 <= {key} < 1");
    Err(ArchError::Config { family, reason })
}

/// `whole / parts`, or an error that names both keys.
pub fn divided(
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

/// The hub's legacy keys and the newer nested `rope_parameters`; the nested ones win, as in transformers 5.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RopeKeys {
    rope_theta: Option<f64>,
    rotary_emb_base: Option<f64>,
    rotary_pct: Option<f64>,
    partial_rotary_factor: Option<f64>,
    rope_scaling: Option<Scaling>,
    rope_parameters: Option<Scaling>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Scaling {
    #[serde(alias = "type")]
    rope_type: Option<String>,
    rope_theta: Option<f64>,
    partial_rotary_factor: Option<f64>,
    factor: Option<f64>,
    low_freq_factor: Option<f64>,
    high_freq_factor: Option<f64>,
    original_max_position_embeddings: Option<f64>,
}

/// Rotary parameters of a model, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Rope {
    pub theta: f64,
    /// `default`, `linear`, `llama3`.
    pub scaling: String,
    pub frequencies: Frequencies,
}

impl RopeKeys {
    /// `head_width` components per head, of which `default_share` turn unless the config says otherwise.
    pub fn resolve(
        &self,
        family: &'static str,
        head_width: usize,
        default_theta: f64,
        default_share: f64,
    ) -> Result<Rope, ArchError> {
        if head_width > MAX_HEAD_WIDTH {
            let reason = format!("heads of {head_width} components; expected at most {MAX_HEAD_WIDTH}");
            return Err(ArchError::Config { family, reason });
        }
        let nested = self.rope_parameters.clone().or(self.rope_scaling.clone()).unwrap_or_default();
        let theta = nested.rope_theta.or(self.rope_theta).or(self.rotary_emb_base).unwrap_or(default_theta);
        if !(theta.is_finite() && theta > 0.0) {
            let reason = format!(
                "rotary base (`rope_theta` or `rotary_emb_base`) = {theta}; expected a positive number"
            );
            return Err(ArchError::Config { family, reason });
        }
        let share = nested.partial_rotary_factor.or(self.partial_rotary_factor).or(self.rotary_pct);
        let rotary = (head_width as f64 * share.unwrap_or(default_share)) as usize; // rounds down, as the reference
        if rotary == 0 || !rotary.is_multiple_of(2) || rotary > head_width {
            let reason = format!(
                "rotary positions on {rotary} of {head_width} components of a head; expected an even number between 2 and {head_width}"
            );
            return Err(ArchError::Config { family, reason });
        }
        let scaling = nested.rope_type.clone().unwrap_or_else(|| "default".to_string());
        let plain = (0..rotary / 2).map(|i| theta.powf(-2.0 * i as f64 / rotary as f64));
        let need = |key: &str, value: Option<f64>| {
            value.filter(|v| v.is_finite() && *v > 0.0).ok_or_else(|| ArchError::Config {
                family,
                reason: format!("rope_type {scaling:?} needs a positive `{key}` beside it"),
            })
        };
        let inverse: Vec<f64> = match scaling.as_str() {
            "default" => plain.collect(),
            "linear" => {
                let factor = need("factor", nested.factor)?;
                plain.map(|f| f / factor).collect()
            }
            "llama3" => {
                let factor = need("factor", nested.factor)?;
                let low = need("low_freq_factor", nested.low_freq_factor)?;
                let high = need("high_freq_factor", nested.high_freq_factor)?;
                let context =
                    need("original_max_position_embeddings", nested.original_max_position_embeddings)?;
                plain.map(|f| llama3(f, factor, low, high, context)).collect()
            }
            _ => {
                return Err(ArchError::Unsupported {
                    key: "rope_type".to_string(),
                    found: scaling,
                    known: "default, linear, llama3",
                });
            }
        };
        let inverse = inverse.into_iter().map(|f| f as f32).collect();
        Ok(Rope { theta, scaling, frequencies: Frequencies { inverse, factor: 1.0 } })
    }
}

/// `_compute_llama3_parameters` of `transformers/modeling_rope_utils.py`: long waves are slowed by `factor`, short ones
/// kept, those between blended.
fn llama3(frequency: f64, factor: f64, low: f64, high: f64, context: f64) -> f64 {
    let wavelength = 2.0 * std::f64::consts::PI / frequency;
    let smooth = ((context / wavelength - low) / (high - low)).clamp(0.0, 1.0);
    (1.0 - smooth) * frequency / factor + smooth * frequency
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(json: &str) -> Result<Rope, ArchError> {
        serde_json::from_str::<RopeKeys>(json).unwrap().resolve("llama", 8, 10_000.0, 1.0)
    }

    #[test]
    fn nested_and_legacy_keys_mean_the_same() {
        let nested = resolve(
            r#"{"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 500.0, "partial_rotary_factor": 0.5}}"#,
        );
        for legacy in [
            r#"{"rope_theta": 500.0, "rope_scaling": {"type": "linear", "factor": 2.0}, "rotary_pct": 0.5}"#,
            r#"{"rotary_emb_base": 500, "rope_scaling": {"rope_type": "linear", "factor": 2.0}, "partial_rotary_factor": 0.5}"#,
        ] {
            assert_eq!(resolve(legacy).unwrap(), *nested.as_ref().unwrap());
        }
        assert_eq!(nested.unwrap().frequencies.inverse, [0.5, 0.5 / 500f32.sqrt()]);
    }

    #[test]
    fn an_unknown_scaling_is_refused() {
        let message =
            resolve(r#"{"rope_scaling": {"type": "yarn", "factor": 4.0}}"#).unwrap_err().to_string();
        assert!(message.contains("`rope_type` is \"yarn\"") && message.contains("llama3"), "{message}");
    }

    #[test]
    fn a_base_that_is_not_positive_is_refused() {
        for theta in ["0", "-10000.0", "-0.5"] {
            let message = resolve(&format!(r#"{{"rope_theta": {theta}}}"#)).unwrap_err().to_string();
            assert!(message.contains("rope_theta") && message.contains("positive"), "{message}");
        }
    }

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
    fn a_scaling_without_its_numbers_is_refused() {
        let message = resolve(r#"{"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}"#).unwrap_err();
        assert!(message.to_string().contains("low_freq_factor"), "{message}");
    }
}
