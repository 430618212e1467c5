//! Functions that read configs: typed keys, their defaults, and keys that must say what is computed.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value as Json};

use super::ArchError;
use crate::nn::activation::Activation;

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

/// The activation that the config names under `key`.
pub(super) fn activation(key: &str, name: &str) -> Result<Activation, ArchError> {
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

/// Values of keys that a config leaves out, for `#[serde(default = "..")]`.
pub(super) mod default {
    pub(in crate::arch) fn yes() -> bool {
        true
    }

    pub(in crate::arch) fn eps_1e5() -> f64 {
        1e-5
    }

    pub(in crate::arch) fn eps_1e6() -> f64 {
        1e-6
    }

    pub(in crate::arch) fn silu() -> String {
        "silu".to_string()
    }

    pub(in crate::arch) fn gelu_new() -> String {
        "gelu_new".to_string()
    }

    pub(in crate::arch) fn gelu_tanh() -> String {
        "gelu_pytorch_tanh".to_string()
    }

    /// The window where the key is absent; null means none.
    pub(in crate::arch) fn window() -> Option<usize> {
        Some(4096)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
