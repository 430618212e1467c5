//! Rotary positions as GGUF files describe them, as the keys of a config.

use serde_json::{Map, Value as Json, json};

use super::{
    directory::Declared,
    error::{AGAIN, GgufError, OTHER},
    families::Family,
    metadata::Metadata,
};

/// The tensor with a divisor for every frequency: how LLaMA 3's scaling comes.
pub(super) const FACTORS: &str = "rope_freqs.weight";
/// More than half the components of any head.
const MOST_FACTORS: usize = 1 << 15;

/// The keys `rope_theta` and, with a scaling, `rope_scaling`.
pub(super) fn keys(
    metadata: &Metadata<'_>,
    family: &Family,
    tensors: &[Declared<'_>],
) -> Result<Map<String, Json>, GgufError> {
    let number = |name: &str| metadata.number(&family.key(name));
    let mut keys = Map::new();
    // llama.cpp's own where the file has none.
    keys.insert("rope_theta".into(), number("rope.freq_base")?.unwrap_or(10_000.0).into());
    let kind_key = family.key("rope.scaling.type");
    let kind = metadata.text(&kind_key)?.unwrap_or("none");
    let factors = tensors.iter().find(|tensor| tensor.name == FACTORS);
    let scaling = match (kind, factors) {
        ("none", Some(factors)) => Some(json!({"rope_type": "factors", "factors": divisors(factors)?})),
        ("none", None) => {
            // The key of older files.
            let factor = number("rope.scale_linear")?.unwrap_or(1.0);
            (factor != 1.0).then(|| json!({"rope_type": "linear", "factor": factor}))
        }
        ("linear", None) => Some(json!({"rope_type": "linear", "factor": number("rope.scaling.factor")?})),
        ("yarn", None) => Some(Json::Object(yarn(metadata, family)?)),
        (_, Some(_)) => {
            let found = format!("{kind:?} beside the tensor {FACTORS}");
            return Err(metadata.refuse(&kind_key, "one scaling of rotary positions", found, OTHER));
        }
        _ => return Err(metadata.refuse(&kind_key, "none, linear or yarn", format!("{kind:?}"), OTHER)),
    };
    keys.extend(scaling.map(|scaling| ("rope_scaling".to_string(), scaling)));
    Ok(keys)
}

/// The keys of YaRN. llama.cpp multiplies what YaRN makes of the attention by a factor of the file's.
fn yarn(metadata: &Metadata<'_>, family: &Family) -> Result<Map<String, Json>, GgufError> {
    let number = |name: &str| metadata.number(&family.key(name));
    let key = family.key("rope.scaling.factor");
    let factor = metadata.need(&key, "a factor", metadata.number(&key)?)?;
    let mut keys = Map::new();
    keys.insert("rope_type".into(), "yarn".into());
    keys.insert("factor".into(), factor.into());
    for (name, key) in [
        ("original_max_position_embeddings", "rope.scaling.original_context_length"),
        ("beta_fast", "rope.scaling.yarn_beta_fast"),
        ("beta_slow", "rope.scaling.yarn_beta_slow"),
    ] {
        if let Some(given) = number(key)? {
            keys.insert(name.into(), given.into());
        }
    }
    let attention = match number("rope.scaling.yarn_attn_factor")? {
        None => number("rope.scaling.attn_factor")?,
        given => given,
    };
    if let Some(attention) = attention.filter(|attention| *attention != 1.0) {
        let magnitude = if factor > 1.0 { 0.1 * factor.ln() + 1.0 } else { 1.0 };
        keys.insert("attention_factor".into(), (attention * magnitude).into());
    }
    Ok(keys)
}

/// The numbers of the tensor, each of which divides a frequency.
fn divisors(tensor: &Declared<'_>) -> Result<Vec<f64>, GgufError> {
    let count = tensor.shape.iter().product::<usize>();
    let refuse = |expected: &str, found: String| GgufError::Tensor {
        file: tensor.file.to_path_buf(),
        tensor: tensor.name.to_string(),
        expected: expected.to_string(),
        found,
        next: AGAIN,
    };
    if !tensor.encoding.holds_weights() || count > MOST_FACTORS {
        let found = format!("{} of shape {:?}", tensor.encoding, tensor.shape);
        return Err(refuse("a divisor for each frequency", found));
    }
    let mut numbers = vec![0.0; count];
    tensor.encoding.decode(tensor.data, &mut numbers);
    match numbers.iter().find(|number| !(number.is_finite() && **number > 0.0)) {
        Some(number) => Err(refuse("positive numbers", number.to_string())),
        None => Ok(numbers.into_iter().map(f64::from).collect()),
    }
}
