//! What checkpoint a GGUF file holds: a config as `config.json` has it, and every tensor under the name that its family's
//! class gives it.

use std::ops::Range;

use serde_json::{Map, Value as Json};

use super::{
    directory::Declared,
    encoding::Encoding,
    error::{AGAIN, GgufError, OTHER},
    families,
    family::{Family, Kept, Known},
    layout::Layout,
    metadata::{Metadata, Places},
    rope,
    source::{Config, Source},
};

/// A checkpoint, as the metadata and the names of tensors tell it.
pub struct Description {
    /// The keys of a `config.json`.
    pub config: Map<String, Json>,
    /// The weights.
    pub tensors: Vec<Stored>,
}

/// A tensor of a checkpoint, and where it lies.
pub struct Stored {
    /// Its name in a checkpoint.
    pub name: String,
    /// The index of what it is, or is a part of, among the tensors that were given; none: it lies in the first file's metadata.
    pub index: Option<usize>,
    /// How its numbers are stored.
    pub encoding: &'static Encoding,
    /// That of a checkpoint's tensor, outermost dimension first.
    pub shape: Vec<usize>,
    /// Bytes of the whole file.
    pub range: Range<usize>,
    /// Where in these a number lies.
    pub layout: Layout,
}

/// More heads than a model has; each takes a tensor.
const MOST_STACKED: usize = 1 << 12;

/// Reads what a file describes; `tensors` are those of all its parts.
///
/// # Errors
/// A family that is not read from GGUF, a key or tensor that is missing, contradicts another, or means a computation that
/// is not done here.
pub fn describe(metadata: &Metadata<'_>, tensors: &[Declared<'_>]) -> Result<Description, GgufError> {
    let family = families::of(metadata, |name| tensors.iter().any(|tensor| tensor.name == name))?;
    let source = Source { metadata, tensors, architecture: family.architecture };
    let config = config(&source, family)?;
    let mut stored = Vec::new();
    for (index, tensor) in tensors.iter().enumerate() {
        let whole = Part { index, tensor, first: 0, rows: tensor.shape[0] }; // a tensor has a dimension
        match family.known(tensor.name) {
            Known::Weight { name, kept } => whole.weigh(&source, name, kept, &mut stored)?,
            Known::Fused(parts) => {
                let mut first = 0;
                for ((name, kept), rows) in parts.into_iter().zip(fused(&source, tensor)?) {
                    Part { first, rows, ..whole }.weigh(&source, name, kept, &mut stored)?;
                    first += rows;
                }
            }
            Known::OfConfig => {}
            Known::Nothing => {
                let expected = format!("a tensor that family `{}` computes with", family.architecture);
                return Err(refused(tensor, expected, "another".into(), OTHER));
            }
        }
    }
    if family.activation == XIELU {
        learned(&source, family, &mut stored)?;
    }
    Ok(Description { config, tensors: stored })
}

/// Rows of a file's tensor.
#[derive(Clone, Copy)]
struct Part<'a> {
    index: usize,
    tensor: &'a Declared<'a>,
    first: usize,
    rows: usize,
}

impl Part<'_> {
    /// Adds what these rows are in a checkpoint.
    fn weigh(
        self,
        source: &Source<'_>,
        name: String,
        kept: Kept,
        stored: &mut Vec<Stored>,
    ) -> Result<(), GgufError> {
        let (tensor, rows) = (self.tensor, self.rows);
        let is_matrix = tensor.shape.len() == 2;
        let layout = match kept {
            Kept::Same => Layout::AsStored,
            Kept::Interleaved(key) => interleaved(source, tensor, rows, key)?,
            Kept::Ungrouped => ungrouped(source, tensor)?,
            Kept::Transposed if is_matrix => Layout::Transposed,
            Kept::Transposed => Layout::AsStored, // a bias
            Kept::PlusOne => Layout::PlusOne,
            Kept::Stacked => return self.stacked(&name, stored),
        };
        let mut shape = tensor.shape.clone();
        shape[0] = rows;
        if layout == Layout::Transposed {
            shape.reverse();
        }
        stored.push(Stored {
            name,
            index: Some(self.index),
            encoding: tensor.encoding,
            shape,
            range: self.range()?,
            layout,
        });
        Ok(())
    }

    /// A tensor for every row: `<module>.<row>.<part>`.
    fn stacked(self, name: &str, stored: &mut Vec<Stored>) -> Result<(), GgufError> {
        let tensor = self.tensor;
        let named = name.rsplit_once('.').filter(|_| tensor.shape.len() == 2 && self.rows <= MOST_STACKED);
        let Some((module, part)) = named else {
            let expected = format!("a row for each of at most {MOST_STACKED} heads");
            return Err(refused(tensor, expected, format!("shape {:?}", tensor.shape), AGAIN));
        };
        for row in 0..self.rows {
            stored.push(Stored {
                name: format!("{module}.{row}.{part}"),
                index: Some(self.index),
                encoding: tensor.encoding,
                shape: vec![tensor.shape[1]],
                range: Part { first: row, rows: 1, ..self }.range()?,
                layout: Layout::AsStored,
            });
        }
        Ok(())
    }

    /// Bytes of the file; rows are whole blocks, but for those of a vector.
    fn range(self) -> Result<Range<usize>, GgufError> {
        let Declared { encoding, shape, range, .. } = self.tensor;
        let elements: usize = shape[1..].iter().product(); // of a row; a tensor's are fewer than its bytes allow
        let whole = self.rows == shape[0];
        if !whole && !elements.is_multiple_of(encoding.elements) {
            let expected = format!("rows of whole {encoding} blocks");
            return Err(refused(self.tensor, expected, format!("shape {shape:?}"), AGAIN));
        }
        if whole {
            return Ok(range.clone());
        }
        let row = elements / encoding.elements * encoding.bytes;
        let start = range.start + self.first * row;
        Ok(start..start + self.rows * row)
    }
}

/// The order of rows by heads, whose number is under the key `name`.
fn interleaved(
    source: &Source<'_>,
    tensor: &Declared<'_>,
    rows: usize,
    name: &str,
) -> Result<Layout, GgufError> {
    let (all, of_keys) = source.heads()?;
    let heads = if name == "attention.head_count" { all } else { of_keys };
    if heads == 0 || !(rows as u64).is_multiple_of(heads.saturating_mul(2)) {
        let expected = format!("rows of {heads} heads of an even width");
        let found = format!("{rows} rows of {}", tensor.name);
        return Err(source.metadata.refuse(&source.key(name), &expected, found, AGAIN));
    }
    Ok(Layout::Interleaved { heads: heads as usize }) // at most the rows
}

/// The order of rows by groups of heads.
fn ungrouped(source: &Source<'_>, tensor: &Declared<'_>) -> Result<Layout, GgufError> {
    let (heads, kv_heads) = source.heads()?;
    let all = kv_heads.checked_mul(2).and_then(|both| both.checked_add(heads));
    let rows = tensor.shape[0] as u64;
    match all {
        Some(all) if kv_heads > 0 && heads.is_multiple_of(kv_heads) && rows.is_multiple_of(all) => {
            Ok(Layout::Ungrouped { heads: heads as usize, kv_heads: kv_heads as usize }) // at most the rows
        }
        _ => {
            let expected = format!("rows of {heads} queries and {kv_heads} keys and values, in equal groups");
            Err(refused(tensor, expected, format!("{rows} rows"), AGAIN))
        }
    }
}

/// Rows of queries, of keys and of values.
fn fused(source: &Source<'_>, tensor: &Declared<'_>) -> Result<[usize; 3], GgufError> {
    let (heads, kv_heads) = source.heads()?;
    let width = source.head_width()?.unwrap_or(0);
    let rows = tensor.shape[0] as u64;
    let parts = [heads, kv_heads, kv_heads].map(|heads| heads.checked_mul(width));
    let sum = parts.iter().try_fold(0u64, |sum, part| sum.checked_add((*part)?));
    match parts {
        [Some(q), Some(k), Some(v)] if sum == Some(rows) && q > 0 && k > 0 => {
            Ok([q, k, v].map(|rows| rows as usize))
        }
        _ => {
            let expected = format!("rows of {heads} queries and {kv_heads} keys and values, {width} each");
            Err(refused(tensor, expected, format!("{rows} rows"), AGAIN))
        }
    }
}

const XIELU: &str = "xielu";

/// What the activation xIELU has learned, a number for every block, which files have in their metadata.
fn learned(source: &Source<'_>, family: &Family, stored: &mut Vec<Stored>) -> Result<(), GgufError> {
    let blocks = source.need_size("block_count")?;
    for (name, shape) in [("alpha_p", vec![1]), ("alpha_n", vec![1]), ("beta", vec![]), ("eps", vec![])] {
        let key = format!("{XIELU}.{name}");
        let places = source.metadata.places_of_numbers(&key)?;
        let Places { encoding, ranges } = source.metadata.need(&key, "a number for every block", places)?;
        if ranges.len() as u64 != blocks {
            let expected = format!("a number for each of {blocks} blocks");
            return Err(source.metadata.refuse(&key, &expected, ranges.len().to_string(), AGAIN));
        }
        for (block, range) in ranges.into_iter().enumerate() {
            let name = format!("{}.{block}.mlp.act_fn.{name}", family.layers);
            let layout = Layout::AsStored;
            stored.push(Stored { name, index: None, encoding, shape: shape.clone(), range, layout });
        }
    }
    Ok(())
}

fn config(source: &Source<'_>, family: &Family) -> Result<Config, GgufError> {
    let Source { metadata, .. } = *source;
    family.refuse_unknown_keys(metadata)?;
    let (heads, kv_heads) = source.heads()?;
    let mut config = Map::new();
    config.insert("model_type".into(), family.model_type.into());
    for (name, key) in [
        ("hidden_size", "embedding_length"),
        ("num_hidden_layers", "block_count"),
        ("intermediate_size", "feed_forward_length"),
        ("max_position_embeddings", "context_length"),
    ] {
        config.insert(name.into(), source.need_size(key)?.into());
    }
    config.insert("num_attention_heads".into(), heads.into());
    config.insert("num_key_value_heads".into(), kv_heads.into());
    let (key, name) = family.epsilon;
    config.insert(name.into(), source.need_number(key)?.into());
    config.insert("hidden_act".into(), family.activation.into());
    config.insert("vocab_size".into(), source.vocabulary()?.into());
    config.insert("tie_word_embeddings".into(), (!source.has("output.weight")).into());
    for (name, marks) in family.biases {
        let has = source.has(marks) || source.has(&marks.replace("attn_q.", "attn_qkv."));
        config.insert((*name).into(), has.into());
    }
    if let Some(head_width) = source.head_width()? {
        config.insert("head_dim".into(), head_width.into());
    }
    if let Some((name, share)) = rotary_share(source, family)? {
        config.insert(name.into(), share.into());
    }
    config.extend(rope::keys(source)?);
    for (name, key) in
        [("bos_token_id", "tokenizer.ggml.bos_token_id"), ("eos_token_id", "tokenizer.ggml.eos_token_id")]
    {
        if let Some(id) = metadata.count(key)? {
            config.insert(name.into(), id.into());
        }
    }
    (family.own)(source, &mut config)?;
    Ok(config)
}

/// The share of a head that positions turn, under its name in a config; of a family that turns whole heads, none.
fn rotary_share(source: &Source<'_>, family: &Family) -> Result<Option<(&'static str, f64)>, GgufError> {
    const TURNING: &str = "rope.dimension_count";
    let (Some(turning), Some(width)) = (source.turning()?, source.head_width()?) else { return Ok(None) };
    let refuse = |expected: String| Err(source.refuse(TURNING, &expected, turning.to_string()));
    match family.rotary_share {
        None if turning != width => refuse(format!("the width of a head, {width}")),
        None => Ok(None),
        Some(_) if turning > width || width == 0 => refuse(format!("at most the width of a head, {width}")),
        Some(name) => {
            let share = turning as f64 / width as f64;
            // A config's reader multiplies by the width again and rounds down.
            let exact = (width as f64 * share) as u64 == turning;
            Ok(Some((name, if exact { share } else { share.next_up() })))
        }
    }
}

fn refused(tensor: &Declared<'_>, expected: String, found: String, next: &'static str) -> GgufError {
    GgufError::Tensor {
        file: tensor.file.to_path_buf(),
        tensor: tensor.name.to_string(),
        expected,
        found,
        next,
    }
}
