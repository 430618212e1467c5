//! A recipe: one family with one config, its graphs, and the list of tensors a checkpoint must bring.

use std::{collections::BTreeSet, fmt, sync::Arc};

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::{ArchError, Architecture, Names, ValueWeights, family};
use crate::{
    checkpoint::Checkpoint,
    graph::{Binary, Dim, Dtype, Graph, Reduction, Unary, Value},
    nn::{CHUNK, PROMPTS, ROWS, Scope, TOKENS, WEIGHT},
};
use number::{facts::ModelFacts, observation::TOP_K};

/// How a model is computed, from its config alone.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub(super) arch: Arc<dyn Architecture>,
    modules: Arc<Modules>,
    facts: ModelFacts,
}

/// The graphs of a recipe. Every weight is an input named `w:` and the tensor's name relative to its module.
///
/// | graph | inputs besides weights | outputs |
/// |---|---|---|
/// | prelude | `rows f32 [T, E]`, `positions i64 [T]`, `slots i64 [M]`, `lengths i64 [T]` | `stream [T, D]`, `stream_norm [T]`, `stream_max [T]`, tables and masks |
/// | block | `stream`, `slots`, `to_prompts i64 [P, M]`, `to_tokens i64 [T, 2]`, tables and masks | `next`, `next_norm`, `next_max`, [`GAUGES`] `[T]`, `off_diagonal [T, H]` |
/// | final | `stream`, `rows i64 [R]`, `factors [R, 1]` | `final_norm [T]`, `hidden [R, E]` |
/// | head | `hidden`, `unembedding [C, E]` and its bias, `padding [C]`, `plain i64 [P]`, `unscaled i64 [R]` | `max`, `largest`, `rest`, `weighted`, `below` `[P]`, `top_logits`, `top_rows` `[P, K]`, `shift [R]` |
/// | tail | `hidden`, `unembedding` and its bias, `padding`, `wanted i64 [R, 2]` | `max`, `largest`, `rest`, `weighted`, `wanted_logit` `[R]` |
///
/// D is the width of the stream and E that of the embedding, the same in nearly every family; `lengths` says how many
/// tokens a token's prompt has. A graph has only those inputs that it uses.
///
/// `final` reads the given rows of the stream out, each multiplied by its factor before the norm. Head and tail see C rows
/// of the vocabulary at a time: with m the largest logit of the piece, `largest` is how many logits are m, `rest`
/// Σ exp(l-m) of the others, which beside them would lose its digits where one token is nearly certain, and `weighted`
/// Σ (l-m)·exp(l-m), from which pieces combine to the entropy of the whole. `padding` is 0 for a row of the vocabulary, and
/// far below any logit for one that fills the piece up.
///
/// The head is for the last positions: of those rows that `plain` names it also gives the largest logits and minus the
/// smallest (`below`), and of every row how far some logit lies from that of the row that `unscaled` names (`shift`). The
/// tail is for many rows; `wanted` names one logit of each.
#[derive(Debug)]
pub struct Modules {
    pub prelude: Graph,
    /// One per kind of block.
    pub blocks: Vec<Graph>,
    pub final_norm: Graph,
    pub head: Graph,
    pub tail: Graph,
}

/// What a block graph gives of each token besides its stream: norms of what its modules receive and give, of both writes
/// and of their sum, and the dot product of that sum with the entering stream.
pub const GAUGES: [&str; 8] = [
    "attention_input",
    "attention_output",
    "attention_write",
    "mlp_input",
    "mlp_output",
    "mlp_write",
    "write",
    "write_dot",
];

/// Where a tensor is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Embedding,
    Prelude,
    Block(usize),
    FinalNorm,
    Unembedding,
}

/// The input of the head's graphs that takes rows of the unembedding.
pub const UNEMBEDDING: &str = "unembedding";

/// One tensor of a checkpoint and what the recipe expects of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeightUse {
    /// Name in the checkpoint.
    pub tensor: String,
    pub shape: Vec<usize>,
    pub place: Place,
    /// Graph input that takes it; `None` for tensors that are read row by row (embedding and head).
    pub input: Option<String>,
    /// The graphs that take it only multiply rows with it.
    pub factor: bool,
}

/// The weight of the final norm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FinalNormWeight {
    /// Name in the checkpoint.
    pub tensor: String,
    /// The norm multiplies by 1 + weight.
    pub from_one: bool,
}

impl Recipe {
    /// The recipe of a `config.json`.
    ///
    /// # Errors
    /// Unknown `model_type`, missing or contradictory keys, an activation or rotary scaling that is not implemented.
    pub fn read(config: &Map<String, Json>) -> Result<Recipe, ArchError> {
        let arch: Arc<dyn Architecture> = family(config)?.into();
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

    /// Longest prompt in tokens.
    pub fn context(&self) -> usize {
        size(self.facts.context)
    }

    /// Query heads; attention scores take `heads · M²` floats per prompt.
    pub fn heads(&self) -> usize {
        size(self.facts.heads)
    }

    /// Index into [`Modules::blocks`].
    pub fn kind(&self, layer: usize) -> usize {
        self.arch.kind(layer)
    }

    /// How the graphs are put together, which their own bytes do not say: the graph of every block in order, the names that
    /// say where the matrices lie, and whether the head reads the embedding.
    pub fn wiring(&self) -> String {
        let Names { base, layers, embedding, unembedding, unembedding_bias, tied, buffers: _ } =
            self.arch.names();
        let kinds: Vec<usize> = (0..self.blocks()).map(|layer| self.kind(layer)).collect();
        let head = if tied { vec![embedding] } else { unembedding.to_vec() };
        format!("{base:?} {layers} {kinds:?}; {embedding}; head {head:?} {unembedding_bias:?}, tied {tied}")
    }

    /// Name of the embedding matrix in this checkpoint.
    pub fn embedding_name(&self, checkpoint: &Checkpoint) -> String {
        let names = self.arch.names();
        format!("{}{}", base(&names, checkpoint), names.embedding)
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
        let [heads, kv_heads, head_width] =
            [self.facts.heads, self.facts.kv_heads, self.facts.head_width].map(size);
        let in_block = |layer| {
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
            input: None,
            factor: false,
        };
        let mut uses = vec![row_wise(self.embedding_name(checkpoint), &matrix, Place::Embedding)];
        uses.extend(declared(&self.modules.prelude, base, Place::Prelude));
        for layer in 0..self.blocks() {
            let prefix = format!("{base}{}.{layer}.", names.layers);
            uses.extend(declared(&self.modules.blocks[self.kind(layer)], &prefix, Place::Block(layer)));
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
        let unused = checkpoint.entries().map(|entry| entry.name).find(|name| {
            name.starts_with(&blocks)
                && !used.contains(name)
                && !names.buffers.iter().any(|buffer| name.ends_with(buffer))
        });
        match unused {
            Some(name) => Err(ArchError::Unused { tensor: name.to_string(), blocks: self.blocks() }),
            None => Ok(uses),
        }
    }
}

impl Modules {
    fn build(arch: &dyn Architecture, facts: &ModelFacts) -> Result<Modules, ArchError> {
        let stream = [TOKENS, Dim::Fixed(size(facts.width))];
        let embedding = Dim::Fixed(arch.embedding_width().unwrap_or(size(facts.width)));
        let bias = arch.names().unembedding_bias.is_some();
        let kinds = (0..size(facts.blocks)).map(|layer| arch.kind(layer) + 1).max().unwrap_or(0);
        Ok(Modules {
            prelude: prelude(arch, embedding)?,
            blocks: (0..kinds).map(|kind| block(arch, kind, &stream)).collect::<Result<_, _>>()?,
            final_norm: final_norm(arch, &stream)?,
            head: head(arch, embedding, bias, TOP_K.min(size(facts.vocabulary)))?,
            tail: tail(arch, embedding, bias)?,
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Embedding => f.write_str("embedding"),
            Place::Prelude => f.write_str("before the first block"),
            Place::Block(layer) => write!(f, "block {layer}"),
            Place::FinalNorm => f.write_str("final norm"),
            Place::Unembedding => f.write_str("unembedding"),
        }
    }
}

fn prelude(arch: &dyn Architecture, embedding: Dim) -> Result<Graph, ArchError> {
    let mut graph = Graph::new("prelude");
    let mut s = Scope::new(&mut graph);
    let rows = s.input("rows", Dtype::F32, &[TOKENS, embedding])?;
    let positions = s.input("positions", Dtype::I64, &[TOKENS])?;
    let h = arch.prelude(&mut s, rows, positions)?;
    s.output("stream", h)?;
    gauge(&mut s, "stream", h)?;
    Ok(graph)
}

fn block(arch: &dyn Architecture, kind: usize, stream: &[Dim]) -> Result<Graph, ArchError> {
    let mut graph = Graph::new(&format!("block-{kind}"));
    let mut s = Scope::new(&mut graph);
    let x = s.input("stream", Dtype::F32, stream)?;
    let block = arch.block(kind, &mut s, x)?;
    s.output("next", block.stream)?;
    gauge(&mut s, "next", block.stream)?;
    // Not the stream after less the stream before: beside a large stream that would lose the write's digits.
    let write = s.add(block.attention.write, block.mlp.write)?;
    let product = s.mul(x, write)?;
    let dot = s.reduce(Reduction::Sum, product)?;
    let (attention, mlp) = (block.attention, block.mlp);
    let vectors =
        [attention.input, attention.output, attention.write, mlp.input, mlp.output, mlp.write, write];
    for (name, vector) in GAUGES.iter().zip(vectors) {
        let norm = s.reduce(Reduction::L2, vector)?;
        s.output(name, norm)?;
    }
    s.output(GAUGES[7], dot)?;
    Ok(graph)
}

fn final_norm(arch: &dyn Architecture, stream: &[Dim]) -> Result<Graph, ArchError> {
    let mut graph = Graph::new("final");
    let mut s = Scope::new(&mut graph);
    let x = s.input("stream", Dtype::F32, stream)?;
    let rows = s.input("rows", Dtype::I64, &[ROWS])?;
    let factors = s.input("factors", Dtype::F32, &[ROWS, 1.into()])?;
    let normed = arch.final_norm(&mut s, x)?;
    let norm = s.reduce(Reduction::L2, normed)?;
    s.output("final_norm", norm)?;
    let chosen = s.gather(x, rows)?;
    let scaled = s.mul(chosen, factors)?;
    let normed = arch.final_norm(&mut s, scaled)?;
    let hidden = arch.project_out(&mut s, normed)?;
    s.output("hidden", hidden)?;
    Ok(graph)
}

fn head(arch: &dyn Architecture, width: Dim, bias: bool, k: usize) -> Result<Graph, ArchError> {
    let mut graph = Graph::new("head");
    let mut s = Scope::new(&mut graph);
    let all = logits(arch, &mut s, width, bias)?;
    let plain = s.input("plain", Dtype::I64, &[PROMPTS])?;
    let unscaled = s.input("unscaled", Dtype::I64, &[ROWS])?;
    let padding = s.shared_input("padding", Dtype::F32, &[CHUNK])?;
    let logits = s.gather(all, plain)?; // [P, C]
    let negative = s.unary(Unary::Neg, logits)?;
    let negative = s.add(negative, padding)?;
    let below = s.reduce(Reduction::Max, negative)?;
    s.output("below", below)?;
    let origin = s.gather(all, unscaled)?;
    let change = s.sub(all, origin)?;
    let change = s.unary(Unary::Abs, change)?;
    let shift = s.reduce(Reduction::Max, change)?;
    s.output("shift", shift)?;
    let logits = s.add(logits, padding)?;
    let (top_logits, top_rows) = s.top_k(logits, k)?;
    s.output("top_logits", top_logits)?;
    s.output("top_rows", top_rows)?;
    sums(&mut s, logits, PROMPTS)?;
    Ok(graph)
}

fn tail(arch: &dyn Architecture, width: Dim, bias: bool) -> Result<Graph, ArchError> {
    let mut graph = Graph::new("tail");
    let mut s = Scope::new(&mut graph);
    let logits = logits(arch, &mut s, width, bias)?;
    let wanted = s.input("wanted", Dtype::I64, &[ROWS, 2.into()])?;
    let wanted = s.gather_nd(logits, wanted)?;
    s.output("wanted_logit", wanted)?;
    let padding = s.shared_input("padding", Dtype::F32, &[CHUNK])?;
    let logits = s.add(logits, padding)?;
    sums(&mut s, logits, ROWS)?;
    Ok(graph)
}

/// Logits `[R, C]` of a piece of the vocabulary; what fills it up is not marked yet.
fn logits(arch: &dyn Architecture, s: &mut Scope, width: Dim, bias: bool) -> Result<Value, ArchError> {
    let hidden = s.input("hidden", Dtype::F32, &[ROWS, width])?;
    let rows = s.input(UNEMBEDDING, Dtype::F32, &[CHUNK, width])?;
    let bias = if bias { Some(s.input("unembedding_bias", Dtype::F32, &[CHUNK])?) } else { None };
    Ok(arch.logits(s, hidden, rows, bias)?)
}

/// What of `logits [.., C]` of one piece combines to the distribution over the whole vocabulary.
fn sums(s: &mut Scope, logits: Value, rows: Dim) -> Result<(), ArchError> {
    let max = s.reduce_keep(Reduction::Max, logits)?;
    let below = s.sub(logits, max)?;
    let exp = s.unary(Unary::Exp, below)?;
    let weighted = s.mul(below, exp)?;
    let (zero, one) = (s.scalar(0.0)?, s.scalar(1.0)?);
    let smaller = s.binary(Binary::Less, below, zero)?;
    let (rest, largest) = (s.choose(smaller, exp, zero)?, s.choose(smaller, zero, one)?);
    let (rest, largest) = (s.reduce(Reduction::Sum, rest)?, s.reduce(Reduction::Sum, largest)?);
    let weighted = s.reduce(Reduction::Sum, weighted)?;
    let max = s.reshape(max, &[rows])?;
    for (name, value) in [("max", max), ("largest", largest), ("rest", rest), ("weighted", weighted)] {
        s.output(name, value)?;
    }
    Ok(())
}

/// Norm and largest |component| per token, reduced in the graph: what leaves the runtime is O(T).
fn gauge(s: &mut Scope, name: &str, x: Value) -> Result<(), ArchError> {
    let norm = s.reduce(Reduction::L2, x)?;
    s.output(&format!("{name}_norm"), norm)?;
    let magnitude = s.unary(Unary::Abs, x)?;
    let max = s.reduce(Reduction::Max, magnitude)?;
    s.output(&format!("{name}_max"), max)?;
    Ok(())
}

fn declared(graph: &Graph, prefix: &str, place: Place) -> Vec<WeightUse> {
    let size = |dim: &Dim| if let Dim::Fixed(size) = dim { *size } else { 0 }; // weights are declared with fixed sizes
    graph
        .inputs()
        .iter()
        .filter_map(|input| {
            let name = graph.name_of(*input);
            let relative = name.strip_prefix(WEIGHT)?;
            Some(WeightUse {
                tensor: format!("{prefix}{relative}"),
                shape: graph.shape(*input).iter().map(size).collect(),
                place,
                input: Some(name.to_string()),
                factor: graph.is_factor(*input),
            })
        })
        .collect()
}

/// The graph has this input, and only multiplies rows with it.
fn multiplies(graph: &Graph, name: &str) -> bool {
    graph.inputs().iter().any(|input| graph.name_of(*input) == name && graph.is_factor(*input))
}

/// Exports of the bare base model lack the prefix; the embedding, which every checkpoint has, decides.
pub(super) fn base(names: &Names, checkpoint: &Checkpoint) -> &'static str {
    let usual = names.base.first().copied().unwrap_or_default();
    let mut prefixes = names.base.iter().copied().chain([""]);
    prefixes.find(|prefix| checkpoint.has(&format!("{prefix}{}", names.embedding))).unwrap_or(usual)
}

fn size(fact: Option<u32>) -> usize {
    fact.unwrap_or(0) as usize // families state these facts; see Architecture::facts
}
