//! A graph ready to run, and its values going in and out.

use std::borrow::Cow;

use ort::{
    ep,
    session::{
        Session as OrtSession, SessionInputValue,
        builder::{GraphOptimizationLevel, SessionBuilder},
    },
    value::{DynValue, TensorRef},
};

use super::{RunError, Runtime};

/// Up to this width a thread's share of a matrix product can be so narrow that the runtime sums in other blocks, and
/// the last bits would depend on how many tokens run together. Such models are done before threads would pay.
const SERIAL_WIDTH: usize = 512;

/// One input by name.
pub type Input<'a> = (Cow<'a, str>, SessionInputValue<'a>);

/// A loaded graph. Its weights are inputs, so one session serves every block of its kind.
pub struct Session {
    graph: String,
    inner: OrtSession,
}

/// The outputs of one run by name.
pub struct Outputs {
    graph: String,
    values: Vec<(String, DynValue)>,
}

impl Session {
    /// `width` is the model's: narrow models run on one thread.
    pub fn new(runtime: &Runtime, graph: &str, bytes: &[u8], width: usize) -> Result<Session, RunError> {
        let inner = commit(runtime, bytes, width <= SERIAL_WIDTH).map_err(|e| fault(graph, e))?;
        Ok(Session { graph: graph.to_string(), inner })
    }

    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.inner.inputs().iter().map(|input| input.name())
    }

    pub fn run(&mut self, inputs: Vec<Input<'_>>) -> Result<Outputs, RunError> {
        let outputs = self.inner.run(inputs).map_err(|e| fault(&self.graph, e))?;
        let values = outputs.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        Ok(Outputs { graph: self.graph.clone(), values })
    }
}

impl Outputs {
    /// Take an output out, to feed it to another session without a copy.
    pub fn take(&mut self, name: &str) -> Result<DynValue, RunError> {
        let at = self.values.iter().position(|(n, _)| n == name).ok_or_else(|| RunError::Runtime {
            graph: self.graph.clone(),
            reason: format!("no output named {name:?}"),
        })?;
        Ok(self.values.swap_remove(at).1)
    }

    /// Copy an f32 output.
    pub fn floats(&mut self, name: &str) -> Result<Vec<f32>, RunError> {
        let value = self.take(name)?;
        let (_, data) = value.try_extract_tensor::<f32>().map_err(|e| fault(&self.graph, e))?;
        Ok(data.to_vec())
    }

    /// Copy an i64 output.
    pub fn integers(&mut self, name: &str) -> Result<Vec<i64>, RunError> {
        let value = self.take(name)?;
        let (_, data) = value.try_extract_tensor::<i64>().map_err(|e| fault(&self.graph, e))?;
        Ok(data.to_vec())
    }

    /// The outputs that were not taken.
    pub fn rest(self) -> Vec<(String, DynValue)> {
        self.values
    }
}

/// Copies of some rows of an earlier output `[n, width]`.
pub fn rows(value: &DynValue, rows: &[i64]) -> Result<Vec<f32>, RunError> {
    let (shape, data) = value.try_extract_tensor::<f32>().map_err(|e| fault("stream", e))?;
    let width = shape.last().map_or(0, |size| *size as usize);
    Ok(rows.iter().flat_map(|row| &data[*row as usize * width..][..width]).copied().collect())
}

/// A borrowed f32 tensor as an input: no copy.
pub fn floats<'a>(name: &'a str, shape: &[usize], data: &'a [f32]) -> Result<Input<'a>, RunError> {
    let tensor = TensorRef::from_array_view((shape.to_vec(), data)).map_err(|e| fault(name, e))?;
    Ok((Cow::Borrowed(name), tensor.into()))
}

/// A borrowed i64 tensor as an input: no copy.
pub fn integers<'a>(name: &'a str, shape: &[usize], data: &'a [i64]) -> Result<Input<'a>, RunError> {
    let tensor = TensorRef::from_array_view((shape.to_vec(), data)).map_err(|e| fault(name, e))?;
    Ok((Cow::Borrowed(name), tensor.into()))
}

/// An earlier output as an input: no copy.
pub fn value<'a>(name: &'a str, value: &'a DynValue) -> Input<'a> {
    (Cow::Borrowed(name), value.into())
}

fn commit(runtime: &Runtime, bytes: &[u8], serial: bool) -> ort::Result<OrtSession> {
    let mut builder = builder(runtime)?;
    if serial {
        builder = builder.with_independent_thread_pool()?.with_intra_threads(1)?;
    }
    builder.commit_from_memory(bytes)
}

pub(super) fn builder(runtime: &Runtime) -> ort::Result<SessionBuilder> {
    // The arena halves the system time of allocating the same activations for every block; groups bound its size.
    let cpu = ep::CPU::default().with_arena_allocator(true).build();
    Ok(OrtSession::builder(&runtime.environment)?
        .with_execution_providers([cpu])?
        .with_env_allocators()?
        .with_memory_pattern(false)?
        // Fusions measured no gain here, and would replace the norms as `nn` writes them.
        .with_optimization_level(GraphOptimizationLevel::Level1)?)
}

pub(super) fn fault(graph: &str, error: impl std::fmt::Display) -> RunError {
    RunError::Runtime { graph: graph.to_string(), reason: error.to_string() }
}
