//! Graph IR: operators, shape inference at insertion, builder. Knows no model and no file format.
//!
//! Every value has a dtype and a shape of fixed or named dimensions. Both are inferred when a node is added, so a bad
//! graph fails at the call that is wrong, with the shapes that did not fit.

mod builder;
mod factors;
mod infer;
mod op;
mod operators;
mod shape;

pub use builder::{Constant, Graph, Node, Value};
pub use op::{Binary, Op, Reduction, Unary};
pub use shape::{Dim, Dtype, show};

/// A graph that cannot be built. These are faults of the code that builds graphs, not of user input, except where a
/// config asks for sizes that do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    #[error("graph {graph}: {op} over {inputs}: {reason}")]
    Mismatch { graph: String, op: String, inputs: String, reason: String },
    #[error("graph {graph}: the name {name:?} is taken; give every input and output its own name")]
    DuplicateName { graph: String, name: String },
    #[error(
        "graph {graph}: input {name:?} was declared as {before} and is declared again as {after}; \
         one of the two declarations is wrong"
    )]
    Redeclared { graph: String, name: String, before: String, after: String },
    #[error("graph {graph}: constant of shape {shape} got {found} elements; pass one element per cell")]
    ConstantSize { graph: String, shape: String, found: usize },
}
