//! Mutations of a quantised module: the config that says how it is stored, and the tensors that store it, which mostly still
//! fill their file as safetensors asks.

use rand::{RngExt, rngs::ChaCha8Rng};
use serde_json::{Map, Value, json};

use super::{bytes, json as documents, number, safetensors};

/// The keys under which a config says how weights are quantised.
const KEYS: [&str; 2] = ["quantization_config", "quantization"];
/// Bytes of an element of each dtype.
const DTYPES: [(&str, usize); 14] = [
    ("U8", 1),
    ("I8", 1),
    ("BOOL", 1),
    ("F8_E4M3", 1),
    ("F8_E5M2", 1),
    ("F16", 2),
    ("BF16", 2),
    ("I16", 2),
    ("F32", 4),
    ("I32", 4),
    ("U32", 4),
    ("F64", 8),
    ("I64", 8),
    ("U64", 8),
];
/// Bytes that a tensor of another shape may have.
const MOST_BYTES: usize = 1 << 16;

/// A config and tensors.
pub(super) struct Module {
    config: Value,
    tensors: Vec<Tensor>,
}

#[derive(Clone)]
struct Tensor {
    name: String,
    dtype: String,
    shape: Vec<usize>,
    data: Vec<u8>,
}

impl Module {
    /// Of an input: the length of the config, the config, a file in safetensors.
    pub(super) fn of(input: &[u8]) -> Option<Module> {
        let (config, file) = parts(input)?;
        let (header, data) = safetensors::parts(file)?;
        let tensor = |(name, entry): (&String, &Value)| {
            let numbers = |key: &str| -> Option<Vec<usize>> {
                entry[key].as_array()?.iter().map(|number| Some(number.as_u64()? as usize)).collect()
            };
            let [from, to] = numbers("data_offsets")?[..] else { return None };
            Some(Tensor {
                name: name.clone(),
                dtype: entry["dtype"].as_str()?.to_string(),
                shape: numbers("shape")?,
                data: data.get(from..to)?.to_vec(),
            })
        };
        let tensors = header.as_object()?.iter().filter(|(name, _)| *name != "__metadata__").map(tensor);
        Some(Module {
            config: serde_json::from_slice(config).ok()?,
            tensors: tensors.collect::<Option<_>>()?,
        })
    }

    pub(super) fn config(&self) -> &Value {
        &self.config
    }

    /// An input of a few changes, and of values of the other seeds.
    pub(super) fn mutate(&self, values: &[Value], rng: &mut ChaCha8Rng) -> Vec<u8> {
        let (mut config, mut tensors) = (self.config.clone(), self.tensors.clone());
        if rng.random() {
            let said = KEYS.into_iter().find(|key| config.get(key).is_some());
            match said.filter(|_| rng.random_range(0..8) > 0) {
                Some(key) => config[key] = documents::mutate(&config[key], values, rng),
                None => config = documents::mutate(&config, values, rng),
            }
        }
        if rng.random_range(0..3) > 0 {
            for _ in 0..1 << rng.random_range(0..3) {
                change(&mut tensors, rng);
            }
        }
        let (header, data) = laid_out(&tensors);
        let file = match rng.random_range(0..16) {
            0 => safetensors::mutate(&header, &data, values, rng),
            _ => safetensors::file(&header, &data),
        };
        input(&config.to_string(), &file)
    }
}

/// An input of a config and a file.
pub(crate) fn input(config: &str, file: &[u8]) -> Vec<u8> {
    [&(config.len() as u64).to_le_bytes(), config.as_bytes(), file].concat()
}

/// The config and the file of an input.
pub(crate) fn parts(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = input.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

/// The tensors of a file whose names begin so, as a file of their own.
pub(crate) fn beginning_with(file: &[u8], prefix: &str) -> Vec<u8> {
    let mut module = Module::of(&input("{}", file)).unwrap();
    module.tensors.retain(|tensor| tensor.name.starts_with(prefix));
    assert!(!module.tensors.is_empty(), "nothing begins with {prefix}");
    let (header, data) = laid_out(&module.tensors);
    safetensors::file(&header, &data)
}

/// Tensors one after the other.
fn laid_out(tensors: &[Tensor]) -> (Value, Vec<u8>) {
    let (mut header, mut data) = (Map::new(), Vec::new());
    for tensor in tensors {
        let from = data.len();
        data.extend_from_slice(&tensor.data);
        let entry = json!({"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [from, data.len()]});
        header.insert(tensor.name.clone(), entry);
    }
    (Value::Object(header), data)
}

fn change(tensors: &mut Vec<Tensor>, rng: &mut ChaCha8Rng) {
    if tensors.is_empty() {
        return;
    }
    let (at, other) = (rng.random_range(0..tensors.len()), rng.random_range(0..tensors.len()));
    let size = |dtype: &str| DTYPES.iter().find(|(name, _)| *name == dtype).map_or(1, |(_, size)| *size);
    match rng.random_range(0..8) {
        0 => drop(tensors.remove(at)),
        1 => {
            let name = tensors[other].name.clone();
            tensors[at].name = name + ["", "_", ".x"][rng.random_range(0..3)];
        }
        2 => {
            let (dtype, _) = DTYPES[rng.random_range(0..DTYPES.len())];
            tensors[at].dtype = dtype.to_string();
            fit(&mut tensors[at], size(dtype));
        }
        3 => {
            // Of the same size, as another dtype.
            let own = size(&tensors[at].dtype);
            let alike: Vec<_> = DTYPES.iter().filter(|(_, size)| *size == own).collect();
            tensors[at].dtype = alike[rng.random_range(0..alike.len())].0.to_string();
        }
        4 => tensors[at].shape.reverse(),
        5 => {
            let shape = &mut tensors[at].shape;
            match rng.random_range(0..4) {
                0 => shape.push(1),
                1 => drop(shape.pop()),
                2 if shape.len() > 1 => {
                    let last = shape.pop().unwrap_or(1);
                    *shape.last_mut().unwrap() *= last;
                }
                _ if !shape.is_empty() => {
                    let side = rng.random_range(0..shape.len());
                    let old = shape[side];
                    shape[side] =
                        [0, 1, old + 1, old.saturating_sub(1), 2 * old, old / 2][rng.random_range(0..6)];
                }
                _ => {}
            }
            let own = size(&tensors[at].dtype);
            fit(&mut tensors[at], own);
        }
        6 => {
            // A side of no bytes: any other is allowed.
            let huge = number(rng) as usize;
            tensors[at].shape = if rng.random() { vec![0, huge] } else { vec![huge, 0] };
            tensors[at].data.clear();
        }
        _ => tensors[at].data = same_length(&tensors[at].data, rng),
    }
}

/// Gives a tensor as many bytes as its shape asks for; another shape where these are too many.
fn fit(tensor: &mut Tensor, size: usize) {
    let bytes = tensor.shape.iter().try_fold(size, |bytes, side| bytes.checked_mul(*side));
    match bytes.filter(|bytes| *bytes <= MOST_BYTES) {
        Some(bytes) => {
            let old = tensor.data.clone();
            tensor.data = old.iter().copied().cycle().take(bytes).collect();
            tensor.data.resize(bytes, 1);
        }
        None => {
            tensor.shape = vec![0];
            tensor.data.clear();
        }
    }
}

/// Changed bytes, as many as before.
fn same_length(data: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut changed = bytes::mutate(data, data, rng);
    changed.resize(data.len(), 0);
    changed
}
