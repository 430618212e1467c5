//! Functions that read configs: typed keys, their defaults, and keys that must say what is computed.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value as Json};

use super::ArchError;
use crate::nn::activation::Activation;

/// The family's typed config. Of flattened keys serde's message names none, so the one at fault is looked for.
pub(super) fn typed<C: DeserializeOwned>(
    family: &'static str,
    config: &Map<String, Json>,
) -> Result<C, ArchError> {
    serde_json::from_value::<C>(Json::Object(config.clone())).map_err(|error| {
        let message = error.to_string();
        let reason = match key_at_fault::<C>(config, &message, MOST_AT_FAULT) {
            Some(key) => format!("`{key}` = {}: {message}", config[&key]),
            None => message,
        };
        ArchError::Config { family, reason }
    })
}

/// So many keys may be wrong in the same way.
const MOST_AT_FAULT: usize = 3;
/// Of more keys it is not tried out which ones are.
const MOST_KEYS: usize = 200;

/// The first key without which the config says something else than this; one of several, where one alone changes nothing.
fn key_at_fault<C: DeserializeOwned>(
    config: &Map<String, Json>,
    message: &str,
    most: usize,
) -> Option<String> {
    let says = |config: Map<String, Json>| {
        serde_json::from_value::<C>(Json::Object(config)).err().map(|other| other.to_string())
    };
    let same_with = |key: &String, value: Json| {
        let mut changed = config.clone();
        changed.insert(key.clone(), value);
        says(changed).is_some_and(|other| other == message)
    };
    let without = |key: &String| {
        let mut rest = config.clone();
        rest.remove(key);
        rest
    };
    let at_fault = |key: &String, found: &Json| match says(without(key)) {
        Some(other) if other == message => false,
        // One that must be there is not at fault if another value of it changes nothing.
        Some(other) if other.contains(&format!("missing field `{key}`")) => {
            let like = |value: &Json| found.is_number() == value.is_number() || found.is_string();
            let others = [Json::from(1), Json::from("text"), Json::from(true), Json::from(false)];
            let mut others = others.into_iter().filter(|value| like(value) && value != found);
            !others.any(|value| same_with(key, value))
        }
        _ => true,
    };
    if let Some((key, _)) = config.iter().find(|(key, found)| at_fault(key, found)) {
        return Some(key.clone());
    }
    if most <= 1 || config.len() > MOST_KEYS || message.starts_with("missing field") {
        return None;
    }
    let mut others = config.iter().filter(|(_, found)| !found.is_object() && !found.is_null());
    others.find_map(|(key, _)| key_at_fault::<C>(&without(key), message, most - 1))
}

/// Keys whose null says something else than that they are absent.
const NULL_SAYS: [&str; 9] = [
    "q_lora_rank",
    "scale_depth",
    "dim_model_base",
    "num_key_value_heads",
    "sliding_window",
    "attention_chunk_size",
    "attn_logit_softcapping",
    "final_logit_softcapping",
    "is_causal",
];
/// The largest whole number up to which float64 holds every one, 2^53.
const MOST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// The config as its values are meant: a key that is null is absent, unless its null says something; a number written as a
/// text is a number, and one without a fraction is whole.
pub(super) fn as_meant(config: &Map<String, Json>) -> Map<String, Json> {
    let kept = |(key, value): &(&String, &Json)| !value.is_null() || NULL_SAYS.contains(&key.as_str());
    config.iter().filter(kept).map(|(key, value)| (key.clone(), number(value))).collect()
}

fn number(value: &Json) -> Json {
    match value {
        Json::String(text) => match serde_json::from_str::<Json>(text.trim()) {
            Ok(found @ Json::Number(_)) => number(&found),
            _ => value.clone(),
        },
        Json::Number(found) => match found.as_f64() {
            Some(x) if found.is_f64() && x.fract() == 0.0 && (0.0..=MOST_WHOLE).contains(&x) => {
                (x as u64).into()
            }
            _ => value.clone(),
        },
        Json::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), nested(value))).collect(),
        _ => value.clone(),
    }
}

/// Rotary parameters: numbers in texts are numbers there too.
fn nested(value: &Json) -> Json {
    if value.is_string() { number(value) } else { value.clone() }
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
    fn values_are_read_as_they_are_meant_and_what_has_no_meaning_is_refused_by_its_key() {
        let config = serde_json::from_str(
            r#"{"a": null, "sliding_window": null, "b": "500000", "c": 256.0, "d": "1e-05", "e": 0.5, "f": "silu",
                "rope_scaling": {"factor": "8.0", "rope_type": "llama3"}}"#,
        )
        .unwrap();
        let meant = serde_json::json!({"sliding_window": null, "b": 500000, "c": 256, "d": 1e-5, "e": 0.5, "f": "silu",
            "rope_scaling": {"factor": 8, "rope_type": "llama3"}});
        assert_eq!(Json::Object(as_meant(&config)), meant);

        #[derive(Debug, Deserialize)]
        struct Inner {
            #[serde(rename = "width")]
            _width: usize,
        }
        #[derive(Debug, Deserialize)]
        struct Outer {
            #[serde(flatten)]
            _inner: Inner,
        }
        for found in [r#""wide""#, "2.5", "-3", "[1]"] {
            let config = serde_json::from_str(&format!(r#"{{"other": 1, "width": {found}}}"#)).unwrap();
            let message = typed::<Outer>("llama", &config).unwrap_err().to_string();
            assert!(message.contains(&format!("`width` = {found}")), "{message}");
        }
        let message = typed::<Outer>("llama", &Map::new()).unwrap_err().to_string();
        assert!(message.contains("missing field `width`"), "{message}");
    }

    #[test]
    fn the_key_at_fault_is_named_among_keys_that_must_be_there() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only read")]
        struct Sizes {
            width: usize,
            blocks: usize,
            act: String,
            tied: bool,
            #[serde(flatten)]
            rope: Rope,
        }
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code, reason = "only read")]
        struct Rope {
            theta: f64,
            scaling: Option<Map<String, Json>>,
        }
        let fine = r#"{"act": "silu", "blocks": 2, "scaling": null, "theta": 1.5, "tied": true, "width": 4}"#;
        let fine: Map<String, Json> = serde_json::from_str(fine).unwrap();
        assert!(typed::<Sizes>("llama", &fine).is_ok());
        for key in ["act", "blocks", "theta", "tied", "width"] {
            for wrong in [
                serde_json::json!({}),
                serde_json::json!([1]),
                serde_json::json!("x"),
                serde_json::json!(true),
                serde_json::json!(-1),
            ] {
                let mut config = fine.clone();
                config.insert(key.to_string(), wrong.clone());
                let Err(error) = typed::<Sizes>("llama", &config) else { continue };
                assert!(error.to_string().contains(&format!("`{key}` = {wrong}: ")), "{error}");
            }
            let mut config = fine.clone();
            config.remove(key);
            let error = typed::<Sizes>("llama", &config).unwrap_err().to_string();
            assert!(error.ends_with(&format!("\"llama\": missing field `{key}`")), "{error}");
        }
        let mut config = fine.clone();
        for key in ["blocks", "width"] {
            config.insert(key.into(), serde_json::json!([]));
        }
        let error = typed::<Sizes>("llama", &config).unwrap_err().to_string();
        assert!(error.contains("`blocks` = []: ") || error.contains("`width` = []: "), "{error}");
        let mut config = fine;
        config.insert("scaling".into(), "llama3".into());
        let error = typed::<Sizes>("llama", &config).unwrap_err().to_string();
        assert!(error.contains("`scaling` = \"llama3\": "), "{error}");
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
