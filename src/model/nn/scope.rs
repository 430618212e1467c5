//! A place in a checkpoint's tree of names while a graph is built: descends like a path, declares weights.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

use crate::graph::{Dim, Dtype, Graph, GraphError, Value};
use number::observation::ATTENTION;

/// Prefix of the graph inputs that are weights; what follows is the tensor's name relative to its module.
pub const WEIGHT: &str = "w:";

/// Where a checkpoint keeps the tensors of experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExpertLayout {
    /// Each expert has tensors of its own, `<experts>.<e>.<name>`.
    Apart,
    /// Expert e has the e-th of E equal parts of `<experts>.<name>`, along a first axis of E.
    Stacked,
    /// Expert e has the e-th of E equal parts of the rows of `<experts>.<name>`.
    InRows,
}

/// A graph and the prefix under which weights are declared. Everything else is the graph itself.
pub struct Scope<'g> {
    graph: &'g mut Graph,
    prefix: String,
    whole: bool,
    branch: Option<&'static str>,
    part: Option<Part>,
}

/// Weights are one of so many equal parts of a tensor that is as much longer along its first axis.
#[derive(Clone, Copy)]
struct Part {
    index: usize,
    count: usize,
    /// The parts lie along an axis of their own, before the weight's.
    apart: bool,
}

impl<'g> Scope<'g> {
    /// A graph of one module: what it publishes leaves it, for the graphs of other modules to take as inputs.
    pub fn new(graph: &'g mut Graph) -> Scope<'g> {
        Scope { graph, prefix: String::new(), whole: false, branch: None, part: None }
    }

    /// A module inside a graph of the whole model: what it publishes stays inside, given to later modules. `prefix` is
    /// the module's place in the checkpoint, e.g. `model.layers.3.`.
    pub fn inside(graph: &'g mut Graph, prefix: &str) -> Scope<'g> {
        Scope { graph, prefix: prefix.to_string(), whole: true, branch: None, part: None }
    }

    /// The scope below `name`, e.g. `self_attn`; below no name it is the same one.
    pub fn at(&mut self, name: &str) -> Scope<'_> {
        let dot = if name.is_empty() { "" } else { "." };
        let prefix = format!("{}{name}{dot}", self.prefix);
        Scope { prefix, graph: self.graph, whole: self.whole, branch: self.branch, part: self.part }
    }

    /// The same scope inside a branch of a block: what is measured there is the branch's.
    pub fn of_branch(&mut self, branch: &'static str) -> Scope<'_> {
        let prefix = self.prefix.clone();
        Scope { prefix, graph: self.graph, whole: self.whole, branch: Some(branch), part: self.part }
    }

    /// The scope of one of the experts that lie here, in a graph of the whole model.
    pub fn of_expert(&mut self, layout: ExpertLayout, index: usize, count: usize) -> Scope<'_> {
        let prefix = match layout {
            ExpertLayout::Apart => format!("{}{index}.", self.prefix),
            ExpertLayout::Stacked | ExpertLayout::InRows => self.prefix.clone(),
        };
        let apart = layout == ExpertLayout::Stacked;
        let part = (layout != ExpertLayout::Apart).then_some(Part { index, count, apart });
        Scope { prefix, graph: self.graph, whole: self.whole, branch: self.branch, part }
    }

    /// Whether this is a graph of the whole model.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Let later modules have `value` as their shared input `name`.
    pub fn publish(&mut self, name: &str, value: Value) -> Result<(), GraphError> {
        if self.whole {
            self.graph.give(name, value);
            return Ok(());
        }
        self.graph.output(name, value)
    }

    /// Let something that is measured on the way leave a graph of one module as `name`, after the name of the branch where
    /// that is not the usual one of attention; a graph of the whole model, which has taps instead, is left without it.
    pub fn gauge(
        &mut self,
        name: &str,
        measure: impl FnOnce(&mut Scope) -> Result<Value, GraphError>,
    ) -> Result<(), GraphError> {
        if self.whole {
            return Ok(());
        }
        let value = measure(self)?;
        match self.branch.filter(|branch| *branch != ATTENTION) {
            Some(branch) => self.graph.output(&format!("{branch}_{name}"), value),
            None => self.graph.output(name, value),
        }
    }

    /// [`Scope::gauge`] under this very name, whatever the branch.
    pub fn measure(
        &mut self,
        name: &str,
        measure: impl FnOnce(&mut Scope) -> Result<Value, GraphError>,
    ) -> Result<(), GraphError> {
        if self.whole {
            return Ok(());
        }
        let value = measure(self)?;
        self.graph.output(name, value)
    }

    /// Declare the weight `<prefix><name>` with the shape the checkpoint must have.
    pub fn weight(&mut self, name: &str, shape: &[usize]) -> Result<Value, GraphError> {
        let dims: Vec<Dim> = shape.iter().map(|&size| Dim::Fixed(size)).collect();
        let name = format!("{WEIGHT}{}{name}", self.prefix);
        let Some(Part { index, count, apart }) = self.part else {
            return self.graph.shared_input(&name, Dtype::F32, &dims);
        };
        if !apart && let Some((&rows, rest)) = shape.split_first() {
            let all: Vec<Dim> =
                std::iter::once(count * rows).chain(rest.iter().copied()).map(Dim::Fixed).collect();
            let all = self.graph.shared_input(&name, Dtype::F32, &all)?;
            return self.graph.slice(all, 0, index * rows, (index + 1) * rows);
        }
        let all = [&[Dim::Fixed(count)], &dims[..]].concat();
        let all = self.graph.shared_input(&name, Dtype::F32, &all)?;
        let one = self.graph.slice(all, 0, index, index + 1)?;
        self.graph.reshape(one, &dims)
    }
}

impl Deref for Scope<'_> {
    type Target = Graph;
    fn deref(&self) -> &Graph {
        self.graph
    }
}

impl DerefMut for Scope<'_> {
    fn deref_mut(&mut self) -> &mut Graph {
        self.graph
    }
}
