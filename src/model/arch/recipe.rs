//! A recipe: one family with one config, its graphs, and the list of tensors a checkpoint must bring.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Map, Value as Json};

use super::{
    ArchError, Architecture, FinalNormWeight, LayerFacts, Modules, Names, NormPlaces, Place, PromptLimit,
    Routed, UNEMBEDDING, ValueWeights, WeightUse, block_gauge,
    families::family,
    modules::size,
    names::base,
    uses::{declared, multiplies, of_expert},
};
use crate::{
    checkpoint::Checkpoint,
    nn::experts::{EXPERT_CHOICE, EXPERT_INPUT},
};
use number::{
    facts::ModelFacts,
    observation::{Axes, named},
};

/// How a model is computed, from its config alone.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub(super) arch: Arc<dyn Architecture>,
    modules: Arc<Modules>,
    facts: ModelFacts,
}

impl Recipe {
    /// The recipe of a `config.json`.
    ///
    /// # Errors
    /// Unknown `model_type`, missing or contradictory keys, an activation or rotary scaling that is not implemented.
    pub fn read(config: &Map<String, Json>) -> Result<Recipe, ArchError> {
        Recipe::of(family(config)?.into())
    }

    /// The recipe of a checkpoint: of its config, but a head that the checkpoint stores with other numbers than the embedding is
    /// not tied to it, whatever the config says. The reference does so too (transformers 5.23).
    ///
    /// # Errors
    /// As [`Recipe::read`].
    pub fn of_checkpoint(checkpoint: &Checkpoint) -> Result<Recipe, ArchError> {
        let recipe = Recipe::read(checkpoint.config())?;
        let names = recipe.arch.names();
        let head = names.unembedding.iter().find(|name| names.tied && checkpoint.has(name));
        let Some(head) = head else { return Ok(recipe) };
        let same = match (checkpoint.find(&recipe.embedding_name(checkpoint)), checkpoint.find(head)) {
            (Ok(one), Ok(other)) => {
                (one.dtype, one.shape, one.bytes) == (other.dtype, other.shape, other.bytes)
            }
            _ => true,
        };
        if same {
            return Ok(recipe);
        }
        let mut config = checkpoint.config().clone();
        config.insert("tie_word_embeddings".to_string(), false.into());
        if let Some(Json::Object(text)) = config.get_mut("text_config") {
            text.insert("tie_word_embeddings".to_string(), false.into());
        }
        Recipe::read(&config)
    }

    /// The recipe of a model that is described in code.
    ///
    /// # Errors
    /// A model of no blocks, no width, no vocabulary or no context, or graphs that do not fit together.
    pub fn of(arch: Arc<dyn Architecture>) -> Result<Recipe, ArchError> {
        let facts = arch.facts();
        for (name, fact) in [
            ("blocks", facts.blocks),
            ("width", facts.width),
            ("vocabulary", facts.vocabulary),
            ("context", facts.context),
        ] {
            if fact.unwrap_or(0) == 0 {
                return Err(ArchError::Empty { name });
            }
        }
        let modules = Arc::new(Modules::build(arch.as_ref(), &facts)?);
        Ok(Recipe { arch, modules, facts })
    }

    /// Facts the config states; the caller adds `parameters` and `dtype` from the checkpoint.
    pub fn facts(&self) -> ModelFacts {
        self.facts.clone()
    }

    /// Where the norms of a block stand.
    pub fn norm_places(&self) -> NormPlaces {
        self.arch.norm_places()
    }

    /// The graphs.
    pub fn modules(&self) -> &Modules {
        &self.modules
    }

    /// D.
    pub fn width(&self) -> usize {
        size(self.facts.width)
    }

    /// E.
    pub fn embedding_width(&self) -> usize {
        self.arch.embedding_width().unwrap_or(self.width())
    }

    /// L.
    pub fn blocks(&self) -> usize {
        size(self.facts.blocks)
    }

    /// Rows of the embedding and the head.
    pub fn vocabulary(&self) -> usize {
        size(self.facts.vocabulary)
    }

    /// A limit on prompts below [`Recipe::context`].
    pub fn limit(&self) -> Option<PromptLimit> {
        self.arch.limit()
    }

    /// Tokens of the longest prompt that the config allows.
    pub fn context(&self) -> usize {
        size(self.facts.context)
    }

    /// Query heads of the layer that has most; attention scores take `heads · M²` floats per prompt.
    pub fn heads(&self) -> usize {
        (0..self.blocks()).map(|layer| self.layer(layer).heads).max().unwrap_or(0)
    }

    /// Facts of one layer.
    pub fn layer(&self, layer: usize) -> LayerFacts {
        self.arch.layer(layer)
    }

    /// Index into [`Modules::blocks`].
    pub fn kind(&self, layer: usize) -> usize {
        self.arch.kind(layer)
    }

    /// The graphs of a block in pieces, where it has experts.
    pub fn routed(&self, layer: usize) -> Option<&Routed> {
        self.modules.routed[self.kind(layer)].as_ref()
    }

    /// The names of the branches of a block, in the order of their writes.
    pub fn branches(&self, layer: usize) -> &[&'static str] {
        &self.modules.branches[self.kind(layer)]
    }

    /// The names of all branches, in the order in which they first come.
    pub fn all_branches(&self) -> Vec<&'static str> {
        let mut all = Vec::new();
        for &branch in (0..self.blocks()).flat_map(|layer| self.branches(layer)) {
            if !all.contains(&branch) {
                all.push(branch);
            }
        }
        all
    }

    /// The outputs of a block's graph beside the stream: numbers for every token.
    pub fn gauges(&self, layer: usize) -> Vec<&str> {
        let graph = &self.modules.blocks[self.kind(layer)];
        let is_gauge = |name: &&str| !["next", EXPERT_INPUT, EXPERT_CHOICE].contains(name);
        graph.outputs().iter().map(|output| graph.name_of(*output)).filter(is_gauge).collect()
    }

    /// Those of a block's outputs that are norms, of what its branches receive, give and write and of what is kept.
    pub fn norms(&self, layer: usize) -> Vec<String> {
        let taps = named(self.branches(layer));
        let norms = taps.iter().filter(|tap| tap.tap.axes == Axes::Blocks && tap.tap.unit == "norm");
        norms.map(block_gauge).collect()
    }

    /// How the graphs are put together, which their own bytes do not say: the graph of every block in order, the names that
    /// say where the matrices lie, and whether the head reads the embedding.
    pub fn wiring(&self) -> String {
        let Names { base, layers, embedding, unembedding, unembedding_bias, tied, buffers: _, further: _ } =
            self.arch.names();
        let kinds: Vec<usize> = (0..self.blocks()).map(|layer| self.kind(layer)).collect();
        let head = if tied { vec![embedding] } else { unembedding.to_vec() };
        let wiring = format!(
            "{base:?} {layers} {kinds:?}; {embedding}; head {head:?} {unembedding_bias:?}, tied {tied}"
        );
        let experts: Vec<_> = self.modules.routed.iter().flatten().map(|routed| routed.experts).collect();
        if experts.is_empty() { wiring } else { format!("{wiring}; {experts:?}") }
    }

    /// Name of the embedding matrix in this checkpoint.
    pub fn embedding_name(&self, checkpoint: &Checkpoint) -> String {
        let names = self.arch.names();
        let own = format!("{}{}", base(&names, checkpoint), names.embedding);
        // Of two names for one matrix a tool may have kept the head's.
        let head = names.unembedding.iter().find(|head| names.tied && checkpoint.has(head));
        match head {
            Some(head) if !checkpoint.has(&own) => (*head).to_string(),
            _ => own,
        }
    }

    /// Name of the unembedding matrix in this checkpoint: the embedding's when the head is tied.
    pub fn unembedding_name(&self, checkpoint: &Checkpoint) -> String {
        let names = self.arch.names();
        if names.tied {
            return self.embedding_name(checkpoint);
        }
        let present = names.unembedding.iter().find(|name| checkpoint.has(name));
        present.or(names.unembedding.first()).map_or_else(String::new, |name| (*name).to_string())
    }

    /// Name of the head's bias, if the family has one.
    pub fn unembedding_bias_name(&self) -> Option<&'static str> {
        self.arch.names().unembedding_bias
    }

    /// The vector that the final norm multiplies by, `[D]`, where there is one and the head reads what it gives.
    pub fn final_norm_weight(&self, checkpoint: &Checkpoint) -> Option<FinalNormWeight> {
        if self.embedding_width() != self.width() {
            return None; // a projection lies between
        }
        let uses = declared(&self.modules.final_norm, base(&self.arch.names(), checkpoint), Place::FinalNorm);
        let weight = uses.into_iter().find(|weight| weight.tensor.ends_with(".weight"))?;
        Some(FinalNormWeight { tensor: weight.tensor, from_one: self.arch.norms_from_one() })
    }

    /// The value weights of every block, in order.
    pub fn value_weights(&self, checkpoint: &Checkpoint) -> Vec<ValueWeights> {
        let names = self.arch.names();
        let base = base(&names, checkpoint);
        let (relative, layout) = self.arch.values();
        let in_block = |layer| {
            let LayerFacts { heads, kv_heads, head_width, .. } = self.layer(layer);
            let tensor = format!("{base}{}.{layer}.{relative}", names.layers);
            ValueWeights { tensor, layout, heads, kv_heads, head_width }
        };
        (0..self.blocks()).map(in_block).collect()
    }

    /// Every tensor the run reads, in the order of the run, under the names this checkpoint gives them. A tied matrix
    /// is listed twice: as embedding and as unembedding.
    pub fn weights(&self, checkpoint: &Checkpoint) -> Vec<WeightUse> {
        let names = self.arch.names();
        let base = base(&names, checkpoint);
        let matrix = vec![self.vocabulary(), self.embedding_width()];
        let row_wise = |tensor: String, shape: &[usize], place| WeightUse {
            tensor,
            shape: shape.to_vec(),
            place,
            part: None,
            input: None,
            factor: false,
        };
        let mut uses = vec![row_wise(self.embedding_name(checkpoint), &matrix, Place::Embedding)];
        uses.extend(declared(&self.modules.prelude, base, Place::Prelude));
        for layer in 0..self.blocks() {
            let prefix = format!("{base}{}.{layer}.", names.layers);
            uses.extend(declared(&self.modules.blocks[self.kind(layer)], &prefix, Place::Block(layer)));
            let Some(Routed { experts, expert, .. }) = self.routed(layer) else { continue };
            let prefix = format!("{prefix}{}.", experts.module);
            let lie = (experts.layout, experts.count);
            uses.extend(
                (0..experts.count).flat_map(|e| of_expert(expert, &prefix, lie, Place::Expert(layer, e))),
            );
        }
        uses.extend(declared(&self.modules.final_norm, base, Place::FinalNorm));
        let unembedding = row_wise(self.unembedding_name(checkpoint), &matrix, Place::Unembedding);
        let heads = [&self.modules.head, &self.modules.tail];
        uses.push(WeightUse {
            factor: heads.iter().all(|graph| multiplies(graph, UNEMBEDDING)),
            ..unembedding
        });
        if let Some(bias) = names.unembedding_bias {
            uses.push(row_wise(bias.to_string(), &matrix[..1], Place::Unembedding));
        }
        uses
    }

    /// [`Recipe::weights`], each found in the checkpoint with the shape the config asks for. A weight of a block that the
    /// config has no use for (a further block, a bias) means that another model is described.
    pub fn checked_weights(&self, checkpoint: &Checkpoint) -> Result<Vec<WeightUse>, ArchError> {
        let uses = self.weights(checkpoint);
        for weight in &uses {
            let tensor = checkpoint.tensor(&weight.tensor)?;
            if tensor.shape != weight.shape {
                return Err(ArchError::WeightShape {
                    tensor: weight.tensor.clone(),
                    place: weight.place,
                    expected: weight.shape.clone(),
                    found: tensor.shape.to_vec(),
                });
            }
        }
        let used: BTreeSet<&str> = uses.iter().map(|weight| weight.tensor.as_str()).collect();
        let names = self.arch.names();
        let blocks = format!("{}{}.", base(&names, checkpoint), names.layers);
        let unused = checkpoint
            .entries()
            .filter(|entry| entry.name.starts_with(&blocks) && !used.contains(entry.name))
            .filter(|entry| !names.is_further(&entry.name[blocks.len()..], self.blocks()))
            .find(|entry| !names.is_buffer(entry.name, entry.shape));
        match unused {
            Some(entry) => Err(ArchError::Unused { tensor: entry.name.to_string(), blocks: self.blocks() }),
            None => Ok(uses),
        }
    }
}
