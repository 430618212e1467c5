//! Rotary positions as GGUF files describe them, as the keys of a config.

use serde_json::{Map, Value as Json, json};

use super::{
    directory::Declared,
    error::{AGAIN, GgufError},
    source::{Config, Source},
};

/// The tensor with a divisor for every frequency: how LLaMA 3's scaling comes.
const FACTORS: &str = "rope_freqs.weight";
/// Those of longrope, in prompts within the original context and beyond it.
const SHORT: &str = "rope_factors_short.weight";
const LONG: &str = "rope_factors_long.weight";
/// Tensors that are read into the config.
pub(super) const TENSORS: [&str; 3] = [FACTORS, SHORT, LONG];
/// More than half the components of any head.
const MOST_FACTORS: usize = 1 << 15;
const ORIGINAL: &str = "rope.scaling.original_context_length";
const ATTENTION: &str = "rope.scaling.attn_factor";

/// The keys `rope_theta` and, with a scaling, `rope_scaling` and what stands beside it.
pub(super) fn keys(source: &Source<'_>) -> Result<Config, GgufError> {
    let number = |name: &str| source.number(name);
    let mut keys = Map::new();
    // llama.cpp's own where the file has none.
    keys.insert("rope_theta".into(), number("rope.freq_base")?.unwrap_or(10_000.0).into());
    const KIND: &str = "rope.scaling.type";
    let kind = source.metadata.text(&source.key(KIND))?;
    let refuse = |expected: &str, found: String| Err(source.refuse(KIND, expected, found));
    let [factors, short, long] = TENSORS.map(|name| source.tensor(name));
    let scaling = match (kind.unwrap_or("none"), factors, short, long) {
        ("none", Some(factors), None, None) => {
            Some(json!({"rope_type": "factors", "factors": divisors(factors)?}))
        }
        ("none", None, None, None) => {
            let factor = match number("rope.scaling.factor")?.filter(|_| kind.is_none()) {
                None => number("rope.scale_linear")?, // the key of older files
                given => given,
            };
            let factor = factor.filter(|factor| *factor != 1.0 && *factor != 0.0);
            factor.map(|factor| json!({"rope_type": "linear", "factor": factor}))
        }
        ("linear", None, None, None) => {
            Some(json!({"rope_type": "linear", "factor": number("rope.scaling.factor")?}))
        }
        ("yarn", None, None, None) => Some(Json::Object(yarn(source)?)),
        // Its files need not name it.
        ("none" | "longrope", None, Some(short), Some(long)) => {
            let original = match source.size(ORIGINAL)? {
                None => source.need_size("context_length")?,
                Some(original) => original,
            };
            keys.insert("original_max_position_embeddings".into(), original.into());
            Some(json!({
                "rope_type": "longrope", "short_factor": divisors(short)?, "long_factor": divisors(long)?,
                "attention_factor": number(ATTENTION)?.unwrap_or(1.0),
            }))
        }
        (kind, ..) if factors.or(short).or(long).is_some() => {
            let there: Vec<&str> = TENSORS.into_iter().filter(|name| source.has(name)).collect();
            return refuse(
                "one scaling of rotary positions",
                format!("{kind:?} beside {}", there.join(", ")),
            );
        }
        ("longrope", ..) => {
            return refuse("none, linear or yarn", format!("\"longrope\" without {SHORT} and {LONG}"));
        }
        (kind, ..) => return refuse("none, linear, yarn or longrope", format!("{kind:?}")),
    };
    keys.extend(scaling.map(|scaling| ("rope_scaling".to_string(), scaling)));
    Ok(keys)
}

/// The keys of YaRN. llama.cpp multiplies what YaRN makes of the attention by a factor of the file's.
fn yarn(source: &Source<'_>) -> Result<Config, GgufError> {
    let number = |name: &str| source.number(name);
    let factor = source.need_number("rope.scaling.factor")?;
    let mut keys = Map::new();
    keys.insert("rope_type".into(), "yarn".into());
    keys.insert("factor".into(), factor.into());
    for (name, key) in [
        ("original_max_position_embeddings", ORIGINAL),
        ("beta_fast", "rope.scaling.yarn_beta_fast"),
        ("beta_slow", "rope.scaling.yarn_beta_slow"),
    ] {
        if let Some(given) = number(key)? {
            keys.insert(name.into(), given.into());
        }
    }
    let attention = match number("rope.scaling.yarn_attn_factor")? {
        None => number(ATTENTION)?,
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
