//! Checkpoints made by hand: safetensors files from a list of tensors, or from any header at all.

// Every integration test compiles this file by itself and uses what it needs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

/// Name, dtype as the header writes it, shape, bytes.
pub(crate) type RawTensor<'a> = (&'a str, &'a str, &'a [usize], &'a [u8]);

/// A valid safetensors file of these tensors, end to end in the given order.
pub(crate) fn write_safetensors(path: &Path, tensors: &[RawTensor<'_>]) {
    let mut header = serde_json::Map::new();
    let mut data = Vec::new();
    for (name, dtype, shape, bytes) in tensors {
        let offsets = [data.len(), data.len() + bytes.len()];
        header.insert(name.to_string(), json!({"dtype": dtype, "shape": shape, "data_offsets": offsets}));
        data.extend_from_slice(bytes);
    }
    write_raw(path, &Value::Object(header).to_string(), &data);
}

/// Header length, header and data as they are, right or wrong.
pub(crate) fn write_raw(path: &Path, header: &str, data: &[u8]) {
    fs::write(path, raw(header, data)).unwrap();
}

pub(crate) fn raw(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// Little-endian bytes of float32 numbers.
pub(crate) fn f32_bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// A checkpoint folder of one file in a temporary folder that lives as long as the value.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    /// Holds nothing but an empty config.
    pub(crate) fn new() -> Folder {
        let folder = Folder(tempfile::tempdir().unwrap());
        folder.write("config.json", "{}");
        folder
    }

    pub(crate) fn with_tensors(tensors: &[RawTensor<'_>]) -> Folder {
        let folder = Folder::new();
        write_safetensors(&folder.file("model.safetensors"), tensors);
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.file(name), content).unwrap();
    }

    /// An index of (tensor, shard file).
    pub(crate) fn write_index(&self, entries: &[(&str, &str)]) {
        let map: serde_json::Map<String, Value> =
            entries.iter().map(|(tensor, file)| (tensor.to_string(), json!(file))).collect();
        self.write("model.safetensors.index.json", json!({"metadata": {}, "weight_map": map}).to_string());
    }
}
