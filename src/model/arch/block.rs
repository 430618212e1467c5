//! What a block does to the stream: `stream' = carry · stream + the sum of the writes of its branches`.

use crate::{
    graph::{GraphError, Value},
    nn::Scope,
};
use number::observation::{ATTENTION, MLP};

/// What one module of a block reads from the stream and writes to it, all `[T, D]`.
#[derive(Clone, Copy, Debug)]
pub struct Branch {
    /// What the module receives: after the norm before it, where there is one.
    pub input: Value,
    /// What the module gives.
    pub output: Value,
    /// What the stream changes by: the output after any norm that follows it.
    pub write: Value,
}

impl Branch {
    /// No norm follows the module.
    pub fn bare(input: Value, output: Value) -> Branch {
        Branch { input, output, write: output }
    }
}

/// A branch under the name that its taps carry.
#[derive(Clone, Copy, Debug)]
pub struct NamedBranch {
    /// Begins the names of the branch's taps: [`ATTENTION`], [`MLP`], or a family's own, in lower case.
    pub name: &'static str,
    /// The module's input, output and write.
    pub branch: Branch,
    /// The stream after this write, `[T, D]`, where a later branch of the block reads it.
    pub middle: Option<Value>,
}

/// The branches of a block in the order of their writes, and the stream after it.
#[derive(Clone, Debug)]
pub struct Block {
    /// At least one; names differ.
    pub branches: Vec<NamedBranch>,
    /// What the entering stream is multiplied by, of a shape that broadcasts to `[T, D]`; `None` is 1.
    pub carry: Option<Value>,
    /// The stream after the block, `[T, D]`.
    pub stream: Value,
}

impl Block {
    /// A block that has not written anything yet to the stream `x`.
    pub fn new(x: Value) -> Block {
        Block { branches: Vec::new(), carry: None, stream: x }
    }

    /// Adds the write of a branch that has read the stream before any write of this block, or reads none. One that attends and
    /// is not [`ATTENTION`] is built in [`Scope::of_branch`], so that what is measured in it has its name.
    pub fn with(mut self, s: &mut Scope, name: &'static str, branch: Branch) -> Result<Block, GraphError> {
        self.stream = s.add(self.stream, branch.write)?;
        self.branches.push(NamedBranch { name, branch, middle: None });
        Ok(self)
    }

    /// Adds the write of a branch that reads the stream as the branches before it have left it.
    pub fn then(
        mut self,
        s: &mut Scope,
        name: &'static str,
        branch: impl FnOnce(&mut Scope, Value) -> Result<Branch, GraphError>,
    ) -> Result<Block, GraphError> {
        let stream = self.stream;
        if let Some(before) = self.branches.last_mut() {
            before.middle = Some(stream);
        }
        let branch = branch(&mut s.of_branch(name), stream)?;
        self.with(s, name, branch)
    }

    /// Multiplies the stream after all writes so far by `factor`, and with it what those writes add.
    pub fn times(mut self, s: &mut Scope, factor: Value) -> Result<Block, GraphError> {
        for NamedBranch { branch, .. } in &mut self.branches {
            branch.write = s.mul(branch.write, factor)?;
        }
        self.stream = s.mul(self.stream, factor)?;
        self.carry = Some(match self.carry {
            Some(carry) => s.mul(carry, factor)?,
            None => factor,
        });
        Ok(self)
    }

    /// Attention and an MLP, which reads the stream after attention has written.
    pub fn sequential(
        s: &mut Scope,
        x: Value,
        attention: Branch,
        mlp: impl FnOnce(&mut Scope, Value) -> Result<Branch, GraphError>,
    ) -> Result<Block, GraphError> {
        Block::new(x).with(s, ATTENTION, attention)?.then(s, MLP, mlp)
    }

    /// Attention and an MLP, which have read the same stream.
    pub fn parallel(s: &mut Scope, x: Value, attention: Branch, mlp: Branch) -> Result<Block, GraphError> {
        Block::new(x).with(s, ATTENTION, attention)?.with(s, MLP, mlp)
    }
}
