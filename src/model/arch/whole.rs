//! One graph of the whole model, for other tools: the families' own functions, one after another, with taps as outputs.

use super::{ArchError, NamedBranch, Recipe, names::base};
use crate::{
    checkpoint::Checkpoint,
    graph::{Binary, Dtype, Graph, Reduction, Value},
    nn::{LONGEST, Scope, TOKENS, WEIGHT},
};

/// Inputs of the whole graph besides weights, each i64 `[T]`: token ids; the position of each token in its prompt; a
/// number that tokens of one prompt share. Prompts lie packed one after another, or there is just one.
pub const INPUTS: [&str; 3] = ["input_ids", "position_ids", "segment_ids"];

impl Recipe {
    /// The whole model as one graph: inputs [`INPUTS`] and every weight as `w:` and its name in this checkpoint; outputs
    /// every tap, `f32 [T, D]` (`logits`: `[T, vocabulary]`), in the order of the computation, named as TransformerLens does.
    /// A parallel block has no `hook_resid_mid`; one of more than two branches, each reading what those before it have
    /// written, has `hook_resid_mid_2`, .. too.
    ///
    /// # Errors
    /// A graph that cannot be built, which the recipe's own graphs would have shown before.
    pub fn whole(&self, checkpoint: &Checkpoint) -> Result<Graph, ArchError> {
        let names = self.arch.names();
        let base = base(&names, checkpoint);
        let mut graph = Graph::new("model");
        let [ids, positions, segments] = inputs(&mut graph)?;
        publish_layout(&mut graph, positions, segments)?;

        let embedding = self.embedding_name(checkpoint);
        let rows = self.matrix(&mut graph, &embedding)?;
        let rows = graph.gather(rows, ids)?;
        let mut x = self.arch.prelude(&mut Scope::inside(&mut graph, base), rows, positions)?;
        for layer in 0..self.blocks() {
            let prefix = format!("{base}{}.{layer}.", names.layers);
            graph.output(&format!("blocks.{layer}.hook_resid_pre"), x)?;
            let block = self.arch.block(self.kind(layer), &mut Scope::inside(&mut graph, &prefix), x)?;
            let mut middles = 0;
            for NamedBranch { name, branch, middle } in block.branches {
                graph.output(&format!("blocks.{layer}.hook_{name}_out"), branch.write)?;
                let Some(middle) = middle else { continue };
                middles += 1;
                let number = if middles > 1 { format!("_{middles}") } else { String::new() };
                graph.output(&format!("blocks.{layer}.hook_resid_mid{number}"), middle)?;
            }
            graph.output(&format!("blocks.{layer}.hook_resid_post"), block.stream)?;
            x = block.stream;
        }
        let mut s = Scope::inside(&mut graph, base);
        let normed = self.arch.final_norm(&mut s, x)?;
        let hidden = self.arch.project_out(&mut s, normed)?;
        let rows = self.matrix(&mut graph, &self.unembedding_name(checkpoint))?;
        let bias = match names.unembedding_bias {
            Some(name) => Some(graph.shared_input(
                &format!("{WEIGHT}{name}"),
                Dtype::F32,
                &[self.vocabulary().into()],
            )?),
            None => None,
        };
        let logits = self.arch.logits(&mut Scope::inside(&mut graph, base), hidden, rows, bias)?;
        graph.output("ln_final.hook_normalized", normed)?;
        graph.output("logits", logits)?;
        Ok(graph)
    }

    /// Embedding or unembedding `[V, E]`; a tied matrix is one input.
    fn matrix(&self, graph: &mut Graph, tensor: &str) -> Result<Value, ArchError> {
        let shape = [self.vocabulary().into(), self.embedding_width().into()];
        Ok(graph.shared_input(&format!("{WEIGHT}{tensor}"), Dtype::F32, &shape)?)
    }
}

fn inputs(graph: &mut Graph) -> Result<[Value; 3], ArchError> {
    let [ids, positions, segments] = INPUTS;
    let mut input = |name| graph.input(name, Dtype::I64, &[TOKENS]);
    Ok([input(ids)?, input(positions)?, input(segments)?])
}

/// Publishes the inputs that the graphs of a streamed run get from outside: all tokens are laid out as one prompt, of
/// which a token sees only its own segment.
fn publish_layout(graph: &mut Graph, positions: Value, segments: Value) -> Result<(), ArchError> {
    let slots = graph.relabel(positions, &[LONGEST])?;
    let keys = graph.relabel(segments, &[LONGEST])?;
    graph.give("slots", slots);
    graph.give("segments", keys);

    // Tokens of the prompt that a token belongs to: the largest position in its segment, and one.
    let query = graph.reshape(segments, &[TOKENS, 1.into()])?;
    let together = graph.binary(Binary::Equal, keys, query)?; // [T, M]
    let slots = graph.cast(slots, Dtype::F32)?;
    let zero = graph.scalar(0.0)?;
    let reached = graph.choose(together, slots, zero)?;
    let last = graph.reduce(Reduction::Max, reached)?;
    let one = graph.scalar(1.0)?;
    let length = graph.add(last, one)?;
    let lengths = graph.cast(length, Dtype::I64)?;
    graph.give("lengths", lengths);
    Ok(())
}
