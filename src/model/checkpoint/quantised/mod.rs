//! Quantised safetensors, read where they lie: each format says which tensors make one weight, and how its rows follow.
//!
//! A format is a file here and a line in [`FORMATS`]. It finds, by the name its config gives under `quant_method`, the modules
//! whose weight several tensors store, and for each of them tells shape, parts and [`Rows`]: how some rows of the float32
//! matrix follow from the bytes of the parts. The rest of the program sees a weight of the usual name and shape; what quantises
//! activations as a model runs is no part of its weights, and is left out.

mod auto_round;
mod awq;
mod bits;
mod bitsandbytes;
mod compressed_tensors;
mod fp8;
mod gptq;
mod grid;
mod mlx;
mod modelopt;
mod mxfp4;
mod number;
mod plan;
mod reading;
mod rows;
mod small_floats;
mod source;
mod turned;

use std::path::Path;

use serde_json::{Map, Value};

use super::{
    error::{CheckpointError, OTHERWISE},
    files::File,
    place::Place,
};
pub(super) use plan::Unread;
pub use reading::Quantised;
pub(super) use rows::Rows;
pub use rows::Scheme;
use source::Source;

/// A way of storing weights in several tensors.
struct Format {
    /// Under `quant_method` in the config.
    method: &'static str,
    /// Every weight that is stored so.
    weights: fn(&Source<'_>) -> Result<plan::Plan, CheckpointError>,
}

static FORMATS: &[Format] = &[
    Format { method: "auto-round", weights: auto_round::weights },
    Format { method: "awq", weights: awq::weights },
    Format { method: "bitsandbytes", weights: bitsandbytes::weights },
    Format { method: "compressed-tensors", weights: compressed_tensors::weights },
    Format { method: "fp8", weights: fp8::weights },
    Format { method: "gptq", weights: gptq::weights },
    Format { method: MLX, weights: mlx::weights },
    Format { method: "modelopt", weights: modelopt::weights },
    Format { method: "mxfp4", weights: mxfp4::weights },
];

/// The key of a config that says how weights are quantised.
const KEY: &str = "quantization_config";
/// That of MLX, which names no method and writes the same under [`KEY`].
const MLX_KEY: &str = "quantization";
const MLX: &str = "mlx";
/// That of the first versions of compressed-tensors.
const COMPRESSION_KEY: &str = "compression_config";
/// Under it the method.
const METHOD: &str = "quant_method";

/// A format, or the name of one that is not read.
type Named = Result<&'static Format, String>;

/// Whether a config says how weights are quantised.
pub(super) fn is_described(config: &Map<String, Value>) -> bool {
    described(config).is_some()
}

/// Adds to a config what another file says of it, which names no method where it means this one.
pub(super) fn describe(config: &mut Map<String, Value>, mut object: Map<String, Value>, method: &str) {
    object.entry(METHOD).or_insert_with(|| method.into());
    config.insert(KEY.into(), object.into());
}

/// What a config says of quantisation: the format, and the object that describes it.
fn described(config: &Map<String, Value>) -> Option<(Named, &Map<String, Value>)> {
    let is_set = |key: &&str| config.get(*key).is_some_and(|found| !found.is_null());
    let key = [MLX_KEY, KEY, COMPRESSION_KEY].into_iter().find(is_set)?;
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    let Some(object) = config[key].as_object() else {
        return Some((Err(config[key].to_string()), &NONE));
    };
    // compressed-tensors writes its own beside that of sparsity.
    let inner = object.get(KEY).and_then(Value::as_object);
    let method = inner.and_then(|inner| inner.get(METHOD)).or_else(|| object.get(METHOD));
    let object = inner.unwrap_or(object);
    let method = match method {
        None | Some(Value::Null) if object.contains_key("group_size") => MLX,
        Some(Value::String(method)) => method,
        other => return Some((Err(other.unwrap_or(&Value::Null).to_string()), object)),
    };
    let found = FORMATS.iter().find(|format| format.method == method);
    Some((found.ok_or_else(|| method.to_string()), object))
}

/// The methods of quantisation that are read.
pub fn quantisations() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|format| format.method)
}

/// The same, for messages.
fn known() -> String {
    quantisations().collect::<Vec<_>>().join(", ")
}

/// The method of quantisation that a config names, if it is none that is read.
pub fn unknown_quantisation(config: &Map<String, Value>) -> Option<String> {
    let (format, _) = described(config)?;
    let found = format.err()?;
    Some(format!("{METHOD} {found}; {} are read", known()))
}

/// Puts weights in the place of the tensors that store them, and takes the keys that say how, which a file has, out of the
/// config; where no weight is quantised they say nothing. Tensors that no number follows from are [`Unread`].
///
/// # Errors
/// A method, a value of a key or a tensor that is not read.
pub(super) fn apply(
    file: &Path,
    config: &mut Map<String, Value>,
    files: &[File],
    places: Vec<Place>,
) -> Result<(Vec<Place>, Unread), CheckpointError> {
    let Some((format, object)) = described(config) else { return Ok((places, Unread::default())) };
    let planned = match format {
        Ok(format) => {
            let source = Source { method: format.method, file, config: object, files, places: &places };
            (format.weights)(&source)?
        }
        Err(_) if places.iter().all(|place| place.is_plain_weight()) => plan::Plan::default(),
        Err(method) => {
            return Err(CheckpointError::Quantisation {
                file: file.to_path_buf(),
                what: format!("key `{METHOD}`"),
                expected: format!("one of {}", known()),
                found: method,
                next: OTHERWISE,
            });
        }
    };
    let placed = planned.place(files, places)?;
    config.remove(KEY);
    config.remove(MLX_KEY);
    config.remove(COMPRESSION_KEY);
    Ok(placed)
}
