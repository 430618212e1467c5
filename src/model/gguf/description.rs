//! What checkpoint a GGUF file holds: a config as `config.json` has it, and every tensor under the name that its family's
//! class gives it.

use std::path::Path;

use serde_json::{Map, Value as Json};

use super::{
    directory::Declared,
    error::{AGAIN, GgufError, OTHER},
    families::{Family, Known},
    metadata::Metadata,
    rope,
};

/// A checkpoint, as the metadata and the names of tensors tell it.
pub struct Description {
    /// The keys of a `config.json`.
    pub config: Map<String, Json>,
    /// One for each tensor that is read, in the order of the directory.
    pub tensors: Vec<Stored>,
}

/// A tensor of a file under its name in a checkpoint.
pub struct Stored {
    /// Its index among the tensors that were given.
    pub index: usize,
    /// Its name in a checkpoint.
    pub name: String,
    /// The order of its rows.
    pub rows: RowOrder,
}

/// The order in which a file keeps the rows of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowOrder {
    /// As a checkpoint has them.
    AsStored,
    /// Of each head, the rows of its first half and of its second in turn: the components that positions turn together lie
    /// together (`LlamaModel.permute` of llama.cpp's `convert_hf_to_gguf.py`).
    Interleaved {
        /// How many there are.
        heads: usize,
    },
}

impl RowOrder {
    /// Where row `row` of `count` lies in the file.
    pub fn stored(self, row: usize, count: usize) -> usize {
        match self {
            RowOrder::AsStored => row,
            RowOrder::Interleaved { heads } => {
                let width = count / heads;
                let (head, within) = (row / width, row % width);
                head * width + within % (width / 2) * 2 + within / (width / 2)
            }
        }
    }
}

/// Reads what a file describes; `tensors` are those of all its parts.
///
/// # Errors
/// A family that is not read from GGUF, a key or tensor that is missing, contradicts another, or means a computation that
/// is not done here.
pub fn describe(metadata: &Metadata<'_>, tensors: &[Declared<'_>]) -> Result<Description, GgufError> {
    let family = Family::of(metadata)?;
    let has = |name: &str| tensors.iter().any(|tensor| tensor.name == name);
    let config = config(metadata, family, tensors, &has)?;
    let mut stored = Vec::new();
    for (index, tensor) in tensors.iter().enumerate() {
        match family.known(tensor.name) {
            Known::Weight { name, heads } => {
                let rows = match heads {
                    None => RowOrder::AsStored,
                    Some(key) => interleaved(metadata, tensor, &family.key(key))?,
                };
                stored.push(Stored { index, name, rows });
            }
            Known::OfConfig => {}
            Known::Nothing => {
                return Err(GgufError::Tensor {
                    file: tensor.file.to_path_buf(),
                    tensor: tensor.name.to_string(),
                    expected: format!("a tensor that family `{}` computes with", family.architecture),
                    found: "another".into(),
                    next: OTHER,
                });
            }
        }
    }
    Ok(Description { config, tensors: stored })
}

/// The order of a matrix's rows by heads, whose number is under `key`.
fn interleaved(metadata: &Metadata<'_>, tensor: &Declared<'_>, key: &str) -> Result<RowOrder, GgufError> {
    let heads = metadata.count_of_layers(key)?;
    let heads = metadata.need(key, "a number of heads", heads)?;
    let rows = tensor.shape[0] as u64; // a tensor has a dimension
    if heads == 0 || !rows.is_multiple_of(heads.saturating_mul(2)) {
        let expected = format!("rows of {heads} heads of an even width");
        return Err(metadata.refuse(key, &expected, format!("{rows} rows of {}", tensor.name), AGAIN));
    }
    Ok(RowOrder::Interleaved { heads: heads as usize }) // at most the rows
}

fn config(
    metadata: &Metadata<'_>,
    family: &Family,
    tensors: &[Declared<'_>],
    has: &dyn Fn(&str) -> bool,
) -> Result<Map<String, Json>, GgufError> {
    family.refuse_unknown_keys(metadata)?;
    let mut config = Map::new();
    config.insert("model_type".into(), family.model_type.into());
    let size = |name: &str| {
        let key = family.key(name);
        let found = metadata.count_of_layers(&key)?;
        metadata.need(&key, "a size", found)
    };
    let (width, heads) = (size("embedding_length")?, size("attention.head_count")?);
    let context = size("context_length")?;
    config.insert("hidden_size".into(), width.into());
    config.insert("num_hidden_layers".into(), size("block_count")?.into());
    config.insert("num_attention_heads".into(), heads.into());
    let kv_heads = metadata.count_of_layers(&family.key("attention.head_count_kv"))?.unwrap_or(heads);
    config.insert("num_key_value_heads".into(), kv_heads.into());
    config.insert("intermediate_size".into(), size("feed_forward_length")?.into());
    config.insert("max_position_embeddings".into(), context.into());
    let key = family.key(NORM_EPSILON);
    let epsilon = metadata.need(&key, "a small number", metadata.number(&key)?)?;
    config.insert("rms_norm_eps".into(), epsilon.into());
    config.insert("hidden_act".into(), "silu".into());
    config.insert("vocab_size".into(), vocabulary(metadata, family, tensors)?.into());
    config.insert("tie_word_embeddings".into(), (!has("output.weight")).into());
    for (name, marks) in family.biases {
        config.insert((*name).into(), has(marks).into());
    }
    if let Some(head_width) = head_width(metadata, family, width, heads)? {
        config.insert("head_dim".into(), head_width.into());
    }
    config.extend(rope::keys(metadata, family, tensors)?);
    for (name, key) in
        [("bos_token_id", "tokenizer.ggml.bos_token_id"), ("eos_token_id", "tokenizer.ggml.eos_token_id")]
    {
        if let Some(id) = metadata.count(key)? {
            config.insert(name.into(), id.into());
        }
    }
    Ok(config)
}

/// The key of the norms' epsilon.
const NORM_EPSILON: &str = "attention.layer_norm_rms_epsilon";

/// The number of tokens: as the file says, or else as many as have an embedding.
fn vocabulary(metadata: &Metadata<'_>, family: &Family, tensors: &[Declared<'_>]) -> Result<u64, GgufError> {
    if let Some(given) = metadata.count(&family.key("vocab_size"))? {
        return Ok(given);
    }
    let embedding = tensors.iter().find(|tensor| tensor.name == "token_embd.weight");
    let rows = embedding.and_then(|tensor| tensor.shape.first());
    rows.map(|rows| *rows as u64).ok_or_else(|| absent(metadata.file(), "token_embd.weight"))
}

fn absent(file: &Path, tensor: &str) -> GgufError {
    GgufError::Tensor {
        file: file.to_path_buf(),
        tensor: tensor.to_string(),
        expected: "it".into(),
        found: "no such tensor".into(),
        next: AGAIN,
    }
}

/// The width of a head: as the file says, or its share of the stream. Keys, values and what positions turn of a head must be
/// as wide.
fn head_width(
    metadata: &Metadata<'_>,
    family: &Family,
    width: u64,
    heads: u64,
) -> Result<Option<u64>, GgufError> {
    let given = metadata.count(&family.key("attention.key_length"))?;
    let share = || width.checked_div(heads).filter(|share| share * heads == width);
    let expected = given.or_else(share);
    for name in ["attention.value_length", "rope.dimension_count"] {
        let key = family.key(name);
        if let (Some(found), Some(expected)) = (metadata.count(&key)?, expected)
            && found != expected
        {
            return Err(metadata.refuse(
                &key,
                &format!("the width of a head, {expected}"),
                found.to_string(),
                OTHER,
            ));
        }
    }
    Ok(expected)
}
