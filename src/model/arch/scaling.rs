//! Scalings of rotary frequencies that published checkpoints use (`transformers/modeling_rope_utils.py`).

use std::f64::consts::PI;

use serde::Deserialize;

use super::ArchError;
use crate::nn::rope::{Beyond, Frequencies, Longer};

/// The keys of `rope_scaling` and `rope_parameters`. A key that is not listed is refused.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scaling {
    #[serde(rename = "type")]
    pub older_type: Option<String>,
    pub rope_type: Option<String>,
    pub rope_theta: Option<f64>,
    pub partial_rotary_factor: Option<f64>,
    pub factor: Option<f64>,
    pub low_freq_factor: Option<f64>,
    pub high_freq_factor: Option<f64>,
    pub original_max_position_embeddings: Option<f64>,
    pub attention_factor: Option<f64>,
    pub beta_fast: Option<f64>,
    pub beta_slow: Option<f64>,
    pub mscale: Option<f64>,
    pub mscale_all_dim: Option<f64>,
    pub truncate: Option<bool>,
    pub long_factor: Option<Vec<f64>>,
    pub short_factor: Option<Vec<f64>>,
    /// Of a GGUF file: a divisor for each frequency.
    pub factors: Option<Vec<f64>>,
    /// Written by tools that fine-tune; the reference gives it no meaning.
    #[serde(rename = "finetuned")]
    pub _finetuned: Option<bool>,
}

impl Scaling {
    /// `default`, `linear` and so on.
    pub(super) fn name(&self) -> String {
        match self.rope_type.as_deref().or(self.older_type.as_deref()) {
            None => "default".to_string(),
            Some("su") => "longrope".to_string(), // its first name
            Some(other) => other.to_string(),
        }
    }
}

/// By how much YaRN multiplies queries and keys that `factor` stretches, `share` being the config's `mscale` of it.
pub(super) fn magnitude(factor: f64, share: f64) -> f64 {
    if factor <= 1.0 { 1.0 } else { 0.1 * share * factor.ln() + 1.0 }
}

/// One scaling with everything that its rule needs.
pub(super) struct Given<'a> {
    pub family: &'static str,
    pub scaling: &'a str,
    pub nested: &'a Scaling,
    pub original: Option<f64>,
    pub context: usize,
    /// Components of a head from which frequencies are made.
    pub components: usize,
}

impl Given<'_> {
    pub(super) fn frequencies(&self, plain: &[f64], theta: f64) -> Result<Frequencies, ArchError> {
        let nested = self.nested;
        let fixed = |inverse: Vec<f64>| Frequencies { inverse: narrow(inverse), factor: 1.0, beyond: None };
        match self.scaling {
            "default" => Ok(fixed(plain.to_vec())),
            "linear" => {
                let factor = self.need("factor", nested.factor)?;
                Ok(fixed(plain.iter().map(|f| f / factor).collect()))
            }
            "dynamic" => {
                let factor = self.need("factor", nested.factor)? as f32;
                let rule = Longer::Stretch { factor, components: self.components };
                let beyond = Beyond { limit: self.context, rule };
                Ok(Frequencies { beyond: Some(beyond), ..fixed(plain.to_vec()) })
            }
            "llama3" => {
                let factor = self.need("factor", nested.factor)?;
                let low = self.need("low_freq_factor", nested.low_freq_factor)?;
                let high = self.need("high_freq_factor", nested.high_freq_factor)?;
                let original = self.original_context()?;
                Ok(fixed(plain.iter().map(|f| llama3(*f, factor, low, high, original)).collect()))
            }
            "yarn" => self.yarn(plain, theta),
            "longrope" => self.longrope(plain),
            "factors" => Ok(Frequencies {
                inverse: self.slowed(plain, "factors", &nested.factors)?,
                factor: 1.0,
                beyond: None,
            }),
            _ => Err(ArchError::Unsupported {
                key: "rope_type".to_string(),
                found: self.scaling.to_string(),
                known: "default, linear, dynamic, llama3, yarn, longrope",
            }),
        }
    }

    /// Short waves are kept, long ones slowed by `factor`, a linear ramp between (Peng et al. 2023).
    fn yarn(&self, plain: &[f64], theta: f64) -> Result<Frequencies, ArchError> {
        let nested = self.nested;
        let original = self.original_context()?;
        let factor = match nested.factor {
            None => self.context as f64 / original,
            given => self.need("factor", given)?,
        };
        let magnitude = |m| magnitude(factor, m);
        let given = |m: Option<f64>| m.filter(|m| *m != 0.0);
        let attention = match (nested.attention_factor, given(nested.mscale), given(nested.mscale_all_dim)) {
            (Some(attention), ..) => attention,
            (None, Some(m), Some(all)) => magnitude(m) / magnitude(all),
            _ => magnitude(1.0),
        };
        self.even_components()?; // else the reference's ramp is shorter than its frequencies
        let dims = self.components as f64;
        // The component that turns `turns` times within the original context.
        let component = |turns: f64| dims * (original / (turns * 2.0 * PI)).ln() / (2.0 * theta.ln());
        let (fast, slow) = (given(nested.beta_fast).unwrap_or(32.0), given(nested.beta_slow).unwrap_or(1.0));
        let (mut low, mut high) = (component(fast), component(slow));
        if nested.truncate.unwrap_or(true) {
            (low, high) = (low.floor(), high.ceil());
        }
        (low, high) = (low.max(0.0), high.min(dims - 1.0));
        if low == high {
            high += 0.001; // as the reference: a ramp of no width is steep, not a division by zero
        }
        let slowed = |(i, f): (usize, &f64)| {
            let ramp = ((i as f64 - low) / (high - low)).clamp(0.0, 1.0);
            f / factor * ramp + f * (1.0 - ramp)
        };
        let inverse = narrow(plain.iter().enumerate().map(slowed).collect());
        Ok(Frequencies { inverse, factor: attention as f32, beyond: None })
    }

    /// Every wave has a factor of its own, another one in prompts beyond the original context (Ding et al. 2024).
    fn longrope(&self, plain: &[f64]) -> Result<Frequencies, ArchError> {
        self.even_components()?; // else the reference asks for one factor less than it has frequencies
        let nested = self.nested;
        let original = self.original_context()?;
        let factor = nested.factor.unwrap_or(self.context as f64 / original);
        let attention = nested
            .attention_factor
            .unwrap_or_else(|| if factor <= 1.0 { 1.0 } else { (1.0 + factor.ln() / original.ln()).sqrt() });
        let short = self.slowed(plain, "short_factor", &nested.short_factor)?;
        let long = self.slowed(plain, "long_factor", &nested.long_factor)?;
        let beyond = Beyond { limit: original as usize, rule: Longer::Frequencies(long) };
        Ok(Frequencies { inverse: short, factor: attention as f32, beyond: Some(beyond) })
    }

    /// Every frequency divided by its factor under `key`.
    fn slowed(&self, plain: &[f64], key: &str, factors: &Option<Vec<f64>>) -> Result<Vec<f32>, ArchError> {
        match factors {
            Some(factors) if factors.len() == plain.len() && factors.iter().all(|f| *f > 0.0) => {
                Ok(narrow(plain.iter().zip(factors).map(|(f, factor)| f / factor).collect()))
            }
            found => Err(ArchError::Config {
                family: self.family,
                reason: format!(
                    "rope_type {:?} needs `{key}`, {} positive numbers; found {}",
                    self.scaling,
                    plain.len(),
                    found.as_ref().map_or_else(|| "none".to_string(), |f| format!("{} numbers", f.len()))
                ),
            }),
        }
    }

    fn even_components(&self) -> Result<(), ArchError> {
        if self.components.is_multiple_of(2) {
            return Ok(());
        }
        let reason = format!(
            "rope_type {:?} on {} components of a head; expected an even number",
            self.scaling, self.components
        );
        Err(ArchError::Config { family: self.family, reason })
    }

    fn original_context(&self) -> Result<f64, ArchError> {
        self.need("original_max_position_embeddings", self.original.or(Some(self.context as f64)))
    }

    fn need(&self, key: &str, value: Option<f64>) -> Result<f64, ArchError> {
        value.filter(|v| v.is_finite() && *v > 0.0).ok_or_else(|| ArchError::Config {
            family: self.family,
            reason: format!("rope_type {:?} needs a positive `{key}` beside it", self.scaling),
        })
    }
}

/// `1 / theta^(2i / components)` for each pair; an odd number of components has one pair more than fits.
pub(super) fn waves(theta: f64, components: usize) -> Vec<f64> {
    (0..components.div_ceil(2)).map(|i| theta.powf(-2.0 * i as f64 / components as f64)).collect()
}

/// Frequencies as the graphs hold them.
pub(super) fn narrow(inverse: Vec<f64>) -> Vec<f32> {
    inverse.into_iter().map(|f| f as f32).collect()
}

/// `_compute_llama3_parameters` of `transformers/modeling_rope_utils.py`: long waves are slowed by `factor`, short ones
/// kept, those between blended.
fn llama3(frequency: f64, factor: f64, low: f64, high: f64, context: f64) -> f64 {
    let wavelength = 2.0 * PI / frequency;
    let smooth = ((context / wavelength - low) / (high - low)).clamp(0.0, 1.0);
    (1.0 - smooth) * frequency / factor + smooth * frequency
}
