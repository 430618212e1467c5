//! Differences between the blocks of one model: kinds of blocks, and blocks that see only a window.

use super::{ArchError, sizes::sizes};

/// Kinds of blocks: each distinct description is a kind with a graph of its own, numbered as it first appears.
#[derive(Clone, Debug)]
pub(super) struct Kinds<K> {
    layers: Vec<usize>,
    kinds: Vec<K>,
}

impl<K: PartialEq> Kinds<K> {
    pub(super) fn new(layers: impl IntoIterator<Item = K>) -> Kinds<K> {
        let mut kinds = Kinds { layers: Vec::new(), kinds: Vec::new() };
        for layer in layers {
            let known = kinds.kinds.iter().position(|kind| *kind == layer);
            let kind = known.unwrap_or_else(|| {
                kinds.kinds.push(layer);
                kinds.kinds.len() - 1
            });
            kinds.layers.push(kind);
        }
        kinds
    }

    /// The kind of block `layer`.
    pub(super) fn of(&self, layer: usize) -> usize {
        self.layers[layer]
    }

    pub(super) fn get(&self, kind: usize) -> &K {
        &self.kinds[kind]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &K> {
        self.kinds.iter()
    }
}

/// Says of every block whether it sees only a window: `layer_types` where the config has it, else `or(layer)`.
pub(super) fn sliding(
    family: &'static str,
    layers: usize,
    layer_types: Option<&[String]>,
    or: impl Fn(usize) -> bool,
) -> Result<Vec<bool>, ArchError> {
    match layer_types {
        Some(types) => {
            limited(family, layers, types, "sliding_attention", "full_attention, sliding_attention")
        }
        None => Ok((0..layers).map(or).collect()),
    }
}

/// Which layers are of the type that sees less, by `layer_types`; the others must be of full attention. `known` names both.
pub(super) fn limited(
    family: &'static str,
    layers: usize,
    types: &[String],
    limited: &str,
    known: &'static str,
) -> Result<Vec<bool>, ArchError> {
    if types.len() != layers {
        let reason =
            format!("`layer_types` has {} entries; expected one for each of {layers} blocks", types.len());
        return Err(ArchError::Config { family, reason });
    }
    types
        .iter()
        .map(|name| match name.as_str() {
            "full_attention" => Ok(false),
            name if name == limited => Ok(true),
            _ => Err(ArchError::Unsupported { key: "layer_types".to_string(), found: name.clone(), known }),
        })
        .collect()
}

/// The window of every block, `None` where it sees all: `window` where the block is a sliding one.
pub(super) fn windows(
    family: &'static str,
    sliding: &[bool],
    window: Option<usize>,
) -> Result<Vec<Option<usize>>, ArchError> {
    if let Some(window) = window {
        sizes(family, &[("sliding_window", window)])?;
    } else if sliding.contains(&true) {
        let reason = "blocks of type sliding_attention, but no `sliding_window` in use".to_string();
        return Err(ArchError::Config { family, reason });
    }
    Ok(sliding.iter().map(|sliding| window.filter(|_| *sliding)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_numbered_as_they_first_appear() {
        let kinds = Kinds::new(["b", "a", "b"]);
        assert_eq!([kinds.of(0), kinds.of(1), kinds.of(2)], [0, 1, 0]);
        assert_eq!((*kinds.get(1), kinds.iter().count()), ("a", 2));
    }

    #[test]
    fn a_sliding_block_needs_a_window() {
        let seen = windows("gemma2", &[true, false, true], Some(7)).unwrap();
        assert_eq!(seen, [Some(7), None, Some(7)]);
        let kinds = Kinds::new(seen);
        assert_eq!([kinds.of(0), kinds.of(1), kinds.of(2)], [0, 1, 0]);
        assert_eq!([*kinds.get(0), *kinds.get(1)], [Some(7), None]);
        assert_eq!(windows("gemma2", &[false], None).unwrap(), [None]);
        for (sliding, window) in [(true, None), (false, Some(0))] {
            let message = windows("gemma2", &[sliding], window).unwrap_err().to_string();
            assert!(message.contains("`sliding_window`"), "{message}");
        }
    }

    #[test]
    fn layer_types_are_one_for_each_block_and_of_a_known_name() {
        let types = |names: &[&str]| names.iter().map(|n| (*n).to_string()).collect::<Vec<_>>();
        let read = |t: &[String]| sliding("mistral", 2, Some(t), |_| true);
        assert_eq!(read(&types(&["full_attention", "sliding_attention"])).unwrap(), [false, true]);
        assert!(read(&types(&["full_attention"])).unwrap_err().to_string().contains("1 entries"));
        let message = read(&types(&["full_attention", "chunked_attention"])).unwrap_err().to_string();
        assert!(message.contains("chunked_attention"), "{message}");
        assert_eq!(sliding("mistral", 2, None, |layer| layer == 0).unwrap(), [true, false]);
    }
}
