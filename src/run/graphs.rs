//! The ONNX files of a recipe: what the runtime executes, and what identifies it.

use super::RunError;
use crate::{arch::Recipe, hash::Key, onnx};

/// Encoded graphs, from the config alone: checkpoints of one shape share them.
#[derive(Clone, Debug)]
pub struct Graphs {
    /// `prelude.onnx`, `block-0.onnx`, .., `final.onnx`, `head.onnx`, `tail.onnx`.
    files: Vec<(String, Vec<u8>)>,
    identity: Key,
}

impl Graphs {
    pub fn build(recipe: &Recipe) -> Result<Graphs, RunError> {
        let modules = recipe.modules();
        let graphs = std::iter::once(&modules.prelude).chain(&modules.blocks).chain([
            &modules.final_norm,
            &modules.head,
            &modules.tail,
        ]);
        let files: Vec<(String, Vec<u8>)> =
            graphs.map(|g| (format!("{}.onnx", g.name()), onnx::encode(g))).collect();
        let identity = identity(&files);
        Ok(Graphs { files, identity })
    }

    /// Hash over names and bytes of all files, each with its length before it.
    pub fn identity(&self) -> Key {
        self.identity
    }

    /// File names and contents, in the order of the run.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// The file of a graph; [`Graphs::build`] made one for each.
    pub(super) fn file(&self, graph: &str) -> Result<&[u8], RunError> {
        let name = format!("{graph}.onnx");
        self.files().find(|(n, _)| *n == name).map(|(_, bytes)| bytes).ok_or_else(|| RunError::Runtime {
            graph: graph.to_string(),
            reason: "these graphs were built from another recipe".to_string(),
        })
    }
}

fn identity(files: &[(String, Vec<u8>)]) -> Key {
    let mut hasher = blake3::Hasher::new_derive_key("streamgauge 2026 graphs v1");
    for (name, bytes) in files {
        for part in [name.as_bytes(), bytes] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    Key::from(hasher.finalize())
}
