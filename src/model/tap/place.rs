//! Places in a graph, for messages.

use std::fmt;

/// A place in a graph: a node with its operator, or a graph input.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Place {
    /// Name of the node, `#` and its index if it has none; empty for a graph input.
    pub node: String,
    /// The node's operator.
    pub op: String,
    /// The value it writes that is meant.
    pub value: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.value, self.node.as_str()) {
            (Some(value), "") => write!(f, "{} {value:?}", self.op),
            (_, node) => write!(f, "{} node {node:?}", self.op),
        }
    }
}
