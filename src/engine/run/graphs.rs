//! The ONNX files of a recipe: what the runtime executes, and what identifies it.

use std::{borrow::Cow, collections::BTreeMap};

use super::{RunError, session::fault};
use base::hash::Key;
use model::{arch::Recipe, onnx};

/// Encoded graphs, from the config alone: checkpoints of one shape share them.
#[derive(Clone, Debug)]
pub struct Graphs {
    /// `prelude.onnx`, `block-0.onnx`, .., `block-0-scaled.onnx`, .., of blocks with experts `block-0-before.onnx`,
    /// `block-0-expert.onnx`, `block-0-after.onnx`, .., `final.onnx`, `head.onnx`, `tail.onnx`.
    files: Vec<(String, Vec<u8>)>,
    identity: Key,
}

impl Graphs {
    /// Encodes the graphs of a recipe.
    ///
    /// # Errors
    /// A graph that cannot be encoded.
    pub fn build(recipe: &Recipe) -> Result<Graphs, RunError> {
        let modules = recipe.modules();
        let blocks = modules.blocks.iter().chain(&modules.scaled);
        let pieces = modules.routed.iter().flatten();
        let pieces = pieces.flat_map(|routed| [&routed.before, &routed.expert, &routed.after]);
        let graphs = std::iter::once(&modules.prelude).chain(blocks).chain(pieces).chain([
            &modules.final_norm,
            &modules.head,
            &modules.tail,
        ]);
        let files: Vec<(String, Vec<u8>)> =
            graphs.map(|g| (format!("{}.onnx", g.name()), onnx::encode(g))).collect();
        let identity = identity(&files, &recipe.wiring());
        Ok(Graphs { files, identity })
    }

    /// Hash over names and bytes of all files and over [`Recipe::wiring`], each with its length before it.
    pub fn identity(&self) -> Key {
        self.identity
    }

    /// File names and contents, in the order of the run.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// [`Graphs::file`], which takes some of its weights as they are stored.
    pub(super) fn file_taking(
        &self,
        graph: &str,
        stored: &BTreeMap<String, onnx::Stored>,
    ) -> Result<Cow<'_, [u8]>, RunError> {
        let file = self.file(graph)?;
        if stored.is_empty() {
            return Ok(Cow::Borrowed(file));
        }
        Ok(Cow::Owned(onnx::with_stored(file, stored).map_err(|e| fault(graph, e))?))
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

fn identity(files: &[(String, Vec<u8>)], wiring: &str) -> Key {
    let mut hasher = blake3::Hasher::new_derive_key("streamgauge 2026 graphs v2");
    let files = files.iter().flat_map(|(name, bytes)| [name.as_bytes(), bytes]);
    for part in files.chain([wiring.as_bytes()]) {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    Key::from(hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graphs(family: &str, changes: &str) -> Graphs {
        let config = format!(
            r#"{{"model_type": "{family}", "hidden_size": 8, "num_hidden_layers": 4, "num_attention_heads": 2,
                "num_key_value_heads": 2, "intermediate_size": 8, "vocab_size": 8, "max_position_embeddings": 8, "head_dim": 4,
                "sliding_window": 4, {changes}}}"#
        );
        Graphs::build(&Recipe::read(&serde_json::from_str(&config).unwrap()).unwrap()).unwrap()
    }

    #[test]
    fn the_same_files_put_together_otherwise_are_another_identity() {
        let tied = |tied: bool| graphs("llama", &format!(r#""tie_word_embeddings": {tied}"#));
        let types = |a: &str, b: &str, c: &str, d: &str| {
            let all = [a, b, c, d].map(|kind| format!("\"{kind}_attention\"")).join(", ");
            graphs("gemma2", &format!(r#""query_pre_attn_scalar": 4, "layer_types": [{all}]"#))
        };
        let (slide, full) = ("sliding", "full");
        for (one, other) in
            [(tied(true), tied(false)), (types(slide, full, slide, full), types(slide, slide, full, full))]
        {
            assert!(one.files().eq(other.files()), "the files alone tell them apart");
            assert_ne!(one.identity(), other.identity());
        }
        assert_eq!(tied(true).identity(), tied(true).identity());
    }
}
