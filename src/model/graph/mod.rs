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
mod split;

pub use builder::{Constant, Graph, Node, Value};
pub use op::{Binary, Op, Reduction, Unary};
pub use shape::{Dim, Dtype, show};

/// A graph that cannot be built. These are faults of the code that builds graphs, not of user input, except where a
/// config asks for sizes that do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// An operator whose inputs do not fit together.
    #[error("graph {graph}: {op} over {inputs}: {reason}")]
    Mismatch {
        /// Name of the graph.
        graph: String,
        /// The operator.
        op: String,
        /// Types and shapes of its inputs.
        inputs: String,
        /// What does not fit.
        reason: String,
    },
    /// A name that is given twice.
    #[error("graph {graph}: the name {name:?} is taken; give every input and output its own name")]
    DuplicateName {
        /// Name of the graph.
        graph: String,
        /// The name.
        name: String,
    },
    /// A shared input that is declared in two ways.
    #[error(
        "graph {graph}: input {name:?} was declared as {before} and is declared again as {after}; \
         one of the two declarations is wrong"
    )]
    Redeclared {
        /// Name of the graph.
        graph: String,
        /// The name.
        name: String,
        /// The first declaration.
        before: String,
        /// The second one.
        after: String,
    },
    /// A constant with another number of elements than its shape has cells.
    #[error("graph {graph}: constant of shape {shape} got {found} elements; pass one element per cell")]
    ConstantSize {
        /// Name of the graph.
        graph: String,
        /// Type and shape.
        shape: String,
        /// How many elements were given.
        found: usize,
    },
}
