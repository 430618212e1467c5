//! The index of a checkpoint in several files: which of them, its shards, holds each tensor.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Component, Path, PathBuf},
};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use super::{error::CheckpointError, place::Place, read_json::json};

const INDEX_FORM: &str = "an index with a weight_map of tensor to file";

/// Which shard holds each tensor.
#[derive(Deserialize)]
pub(super) struct Index {
    weight_map: WeightMap,
}

/// The shards an index file names, each once, sorted.
///
/// # Errors
/// An index that cannot be read, names no shard, or one outside its own folder.
pub fn shard_names(index_path: &Path) -> Result<Vec<String>, CheckpointError> {
    Index::read(index_path)?.shards(index_path)
}

impl Index {
    /// Reads it.
    pub(super) fn read(index_path: &Path) -> Result<Index, CheckpointError> {
        json(index_path, INDEX_FORM)
    }

    /// The index's shards, each once, sorted; each must be a plain file name in the same folder.
    pub(super) fn shards(&self, index_path: &Path) -> Result<Vec<String>, CheckpointError> {
        for (tensor, shard) in &self.weight_map.0 {
            let mut parts = Path::new(shard).components();
            let plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == shard.as_str());
            if !plain || shard.contains(['\\', '\0']) {
                return Err(CheckpointError::Tensor {
                    file: index_path.to_path_buf(),
                    tensor: tensor.clone(),
                    expected: "the name of a shard in the index's own folder".into(),
                    found: format!("{shard:?}"),
                    next: "do not use this checkpoint unless you trust where it came from; correct the index",
                });
            }
        }
        let names: BTreeSet<&String> = self.weight_map.0.values().collect();
        if names.is_empty() {
            return Err(CheckpointError::Json {
                file: index_path.to_path_buf(),
                expected: INDEX_FORM,
                found: "an empty weight_map".into(),
            });
        }
        Ok(names.into_iter().cloned().collect())
    }

    /// Tells where index and shards, of these names, disagree. Each tensor is read from the shard that has it, and what the index
    /// says otherwise is a note.
    ///
    /// # Errors
    /// A tensor that several shards have: nobody can tell which is meant.
    pub(super) fn compare(
        &self,
        index_path: &Path,
        names: &[String],
        places: &[Place],
    ) -> Result<Option<String>, CheckpointError> {
        if let Some(pair) = places.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(CheckpointError::Tensor {
                file: index_path.to_path_buf(),
                tensor: pair[0].name.clone(),
                expected: "it in one shard".into(),
                found: format!("in {:?} and in {:?}", names[pair[0].file], names[pair[1].file]),
                next: "download index and shards again from one revision",
            });
        }
        let told = |place: &Place| self.weight_map.0.get(&place.name);
        let mut others = places.iter().filter(|place| told(place) != Some(&names[place.file]));
        let Some(first) = others.next() else { return Ok(None) };
        let said = match told(first) {
            Some(shard) => format!("in {shard:?}"),
            None => "in no shard".to_string(),
        };
        let more = match others.count() {
            0 => String::new(),
            more => format!(", and {more} more likewise"),
        };
        Ok(Some(format!(
            "{}: tensor {:?}: the index says that it is {said}, but {:?} has it, and it is read from there{more}; index and shards may \
             be of different revisions",
            index_path.display(),
            first.name,
            names[first.file]
        )))
    }

    /// The shard that it names for a tensor. Converters drop tensors (a tied head) after they wrote the index, so that one which it
    /// names and no shard has is missed only where something needs it.
    pub(super) fn promised(index_path: PathBuf, tensor: &str) -> Option<(PathBuf, String)> {
        let mut index = Index::read(&index_path).ok()?;
        Some((index_path, index.weight_map.0.remove(tensor)?))
    }
}

/// Tensor to shard, a tensor named twice refused.
struct WeightMap(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for WeightMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<WeightMap, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = WeightMap;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensor name to file name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<WeightMap, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((tensor, shard)) = map.next_entry::<String, String>()? {
                    // Some tools write where the index lies in front.
                    let bare = shard.trim_start_matches("./");
                    let shard = if bare.contains('/') { shard } else { bare.to_string() };
                    if entries.get(&tensor).is_some_and(|known| *known != shard) {
                        return Err(serde::de::Error::custom(format!("the tensor {tensor:?} twice")));
                    }
                    entries.insert(tensor, shard);
                }
                Ok(WeightMap(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}
