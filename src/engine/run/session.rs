//! A graph ready to run, and its values going in and out.

use std::{
    borrow::Cow,
    sync::{Mutex, PoisonError},
};

use ort::{
    ep::{self, ArenaExtendStrategy},
    memory::{AllocationDevice, Allocator, MemoryInfo},
    session::{
        OutputSelector, RunOptions, Session as OrtSession, SessionInputValue,
        builder::{GraphOptimizationLevel, SessionBuilder},
    },
    value::{DynTensorValueType, DynValue, PrimitiveTensorElementType, Tensor, TensorElementType, TensorRef},
};

use super::{
    RunError, Runtime,
    cuda::{self, Unusable},
    linear::operators,
};
use crate::products::Halves;
use base::device::Device;

/// Up to this width a thread's share of a matrix product can be so narrow that the runtime sums in other blocks, and
/// the last bits would depend on how many tokens run together. Such models are done before threads would pay.
const SERIAL_WIDTH: usize = 512;

/// One input by name.
pub(super) type Input<'a> = (Cow<'a, str>, SessionInputValue<'a>);

/// A loaded graph. Its weights are inputs, so one session serves every block of its kind.
pub(super) struct Session {
    graph: String,
    inner: OrtSession,
    device: Device,
    /// The device's memory.
    apart: Option<MemoryInfo<'static>>,
}

/// The outputs of one run by name.
pub(super) struct Outputs {
    graph: String,
    values: Vec<(String, DynValue)>,
}

impl Session {
    /// `width` is the model's: narrow models run on one thread.
    pub(super) fn new(
        runtime: &Runtime,
        graph: &str,
        bytes: &[u8],
        width: usize,
    ) -> Result<Session, RunError> {
        let _span = tracing::info_span!("session", graph).entered();
        let device = runtime.device();
        let fail = |error| fault_on(device, graph, error);
        let inner = commit(runtime, bytes, width <= SERIAL_WIDTH).map_err(fail)?;
        Ok(Session { graph: graph.to_string(), inner, device, apart: runtime.apart().map_err(fail)? })
    }

    pub(super) fn inputs(&self) -> impl Iterator<Item = &str> {
        self.inner.inputs().iter().map(|input| input.name())
    }

    /// Every output comes where this program can read it.
    pub(super) fn run(&mut self, inputs: Vec<Input<'_>>) -> Result<Outputs, RunError> {
        let (device, graph) = (self.device, self.graph.as_str());
        let outputs = self.inner.run(inputs).map_err(|e| fault_on(device, graph, e))?;
        let values = outputs.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        Ok(Outputs { graph: self.graph.clone(), values })
    }

    /// One f32 output of known shape for one input; on a device it is written where it stays.
    pub(super) fn run_into(
        &mut self,
        input: Input<'_>,
        output: &str,
        shape: &[usize],
    ) -> Result<DynValue, RunError> {
        let Some(apart) = &self.apart else { return self.run(vec![input])?.take(output) };
        let (device, graph) = (self.device, self.graph.as_str());
        let value =
            filled(&mut self.inner, input, output, shape, apart).map_err(|e| fault_on(device, graph, e))?;
        value.ok_or_else(|| fault(graph, format!("no output named {output:?}")))
    }

    /// [`Session::run`], of which only the outputs named in `read` will be read here: on a device the others stay there,
    /// for the next graph.
    pub(super) fn run_reading(&mut self, inputs: Vec<Input<'_>>, read: &[&str]) -> Result<Outputs, RunError> {
        let Some(apart) = &self.apart else { return self.run(inputs) };
        let (device, graph) = (self.device, self.graph.as_str());
        let values = bound(&mut self.inner, &inputs, read, apart).map_err(|e| fault_on(device, graph, e))?;
        Ok(Outputs { graph: self.graph.clone(), values })
    }
}

fn filled(
    session: &mut OrtSession,
    input: Input<'_>,
    output: &str,
    shape: &[usize],
    apart: &MemoryInfo<'static>,
) -> ort::Result<Option<DynValue>> {
    let allocator = Allocator::new(session, apart.clone())?;
    let room = Tensor::<f32>::new(&allocator, shape.to_vec())?;
    let options =
        RunOptions::new()?.with_outputs(OutputSelector::default().preallocate(output.to_string(), room));
    let outputs = session.run_with_options(vec![input], &options)?;
    Ok(outputs.into_iter().find(|(name, _)| *name == output).map(|(_, value)| value))
}

/// One run with every output where it is wanted.
fn bound(
    session: &mut OrtSession,
    inputs: &[Input<'_>],
    read: &[&str],
    apart: &MemoryInfo<'_>,
) -> ort::Result<Vec<(String, DynValue)>> {
    let here = MemoryInfo::default();
    let mut binding = session.create_binding()?;
    for (name, value) in inputs {
        match owned(value)? {
            Some(copy) => binding.bind_input(name.as_ref(), &copy)?,
            None => binding.bind_input(name.as_ref(), value)?,
        }
    }
    for output in session.outputs() {
        let memory = if read.contains(&output.name()) { &here } else { apart };
        binding.bind_output_to_device(output.name(), memory)?;
    }
    let outputs = session.run_binding(&binding)?;
    Ok(outputs.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}

/// A copy of what lies here. `ort` (2.0.0-rc.15) copies what is borrowed before it binds it, by a session to which it
/// binds what is borrowed: it never comes back. Here lie only index tensors and small weights; large ones are on the device.
fn owned(value: &DynValue) -> ort::Result<Option<DynValue>> {
    let tensor = value.view().downcast::<DynTensorValueType>()?;
    if !tensor.memory_info().is_cpu_accessible() {
        return Ok(None);
    }
    let shape = tensor.shape().to_vec();
    Ok(match tensor.data_type() {
        TensorElementType::Float32 => {
            let data = value.try_extract_tensor::<f32>()?.1.to_vec();
            Some(Tensor::from_array((shape, data))?.into_dyn())
        }
        TensorElementType::Int64 => {
            let data = value.try_extract_tensor::<i64>()?.1.to_vec();
            Some(Tensor::from_array((shape, data))?.into_dyn())
        }
        _ => None, // only outputs have other types, and they are owned
    })
}

impl Outputs {
    /// Take an output out, to feed it to another session without a copy.
    pub(super) fn take(&mut self, name: &str) -> Result<DynValue, RunError> {
        let at = self.values.iter().position(|(n, _)| n == name).ok_or_else(|| RunError::Runtime {
            graph: self.graph.clone(),
            reason: format!("no output named {name:?}"),
        })?;
        Ok(self.values.swap_remove(at).1)
    }

    /// An output that stays here.
    pub(super) fn get(&self, name: &str) -> Option<&DynValue> {
        self.values.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// The outputs that were not taken, by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &DynValue)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Copy an f32 output.
    pub(super) fn floats(&mut self, name: &str) -> Result<Vec<f32>, RunError> {
        let value = self.take(name)?;
        let (_, data) = value.try_extract_tensor::<f32>().map_err(|e| fault(&self.graph, e))?;
        Ok(data.to_vec())
    }

    /// Copy an i64 output.
    pub(super) fn integers(&mut self, name: &str) -> Result<Vec<i64>, RunError> {
        let value = self.take(name)?;
        let (_, data) = value.try_extract_tensor::<i64>().map_err(|e| fault(&self.graph, e))?;
        Ok(data.to_vec())
    }

    /// The outputs that were not taken.
    pub(super) fn rest(self) -> Vec<(String, DynValue)> {
        self.values
    }
}

/// The elements of an earlier f32 output: borrowed, or from a device a copy.
pub(super) fn read(value: &DynValue) -> Result<Cow<'_, [f32]>, RunError> {
    let fail = |error| fault("stream", error);
    let tensor = value.view().downcast::<DynTensorValueType>().map_err(fail)?;
    if tensor.memory_info().is_cpu_accessible() {
        return Ok(Cow::Borrowed(value.try_extract_tensor::<f32>().map_err(fail)?.1));
    }
    let copy = tensor.to(AllocationDevice::CPU, 0).map_err(fail)?;
    Ok(Cow::Owned(copy.try_extract_tensor::<f32>().map_err(fail)?.1.to_vec()))
}

/// Copies of some rows of an earlier output `[n, width]`.
pub(super) fn rows(value: &DynValue, rows: &[i64]) -> Result<Vec<f32>, RunError> {
    let tensor = value.view().downcast::<DynTensorValueType>().map_err(|e| fault("stream", e))?;
    let width = tensor.shape().last().map_or(0, |size| *size as usize);
    let data = read(value)?;
    Ok(rows.iter().flat_map(|row| &data[*row as usize * width..][..width]).copied().collect())
}

/// A borrowed tensor as an input: no copy, unless to a device.
pub(super) fn tensor<'a, T>(name: &'a str, shape: &[usize], data: &'a [T]) -> Result<Input<'a>, RunError>
where
    T: PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static,
{
    let tensor = TensorRef::from_array_view((shape.to_vec(), data)).map_err(|e| fault(name, e))?;
    Ok((Cow::Borrowed(name), tensor.into()))
}

/// A borrowed f32 tensor as an input.
pub(super) fn floats<'a>(name: &'a str, shape: &[usize], data: &'a [f32]) -> Result<Input<'a>, RunError> {
    tensor(name, shape, data)
}

/// A borrowed weight of two bytes an element as an input.
pub(super) fn halves<'a>(name: &'a str, shape: &[usize], data: Halves<'a>) -> Result<Input<'a>, RunError> {
    match data {
        Halves::Bf16(data) => tensor(name, shape, data),
        Halves::F16(data) => tensor(name, shape, data),
    }
}

/// A borrowed i64 tensor as an input.
pub(super) fn integers<'a>(name: &'a str, shape: &[usize], data: &'a [i64]) -> Result<Input<'a>, RunError> {
    tensor(name, shape, data)
}

/// An earlier output as an input: no copy.
pub(super) fn value<'a>(name: &'a str, value: &'a DynValue) -> Input<'a> {
    (Cow::Borrowed(name), value.into())
}

fn commit(runtime: &Runtime, bytes: &[u8], serial: bool) -> ort::Result<OrtSession> {
    // The runtime looks whether it knows a domain of operators and then adds it: of two sessions that begin at once the later
    // would be refused.
    static REGISTERING: Mutex<()> = Mutex::new(());
    let unit = runtime.unit();
    let _registering = unit.map(|_| REGISTERING.lock().unwrap_or_else(PoisonError::into_inner));
    let mut builder = builder(runtime)?;
    if let Some(unit) = unit {
        builder = builder.with_operators(operators(unit)?)?;
    }
    if serial {
        builder = builder.with_independent_thread_pool()?.with_intra_threads(1)?;
    }
    builder.commit_from_memory(bytes)
}

pub(super) fn builder(runtime: &Runtime) -> ort::Result<SessionBuilder> {
    let mut providers = Vec::new();
    if let Device::Cuda(index) = runtime.device() {
        let cuda = ep::CUDA::default()
            .with_device_id(index as i32) // the driver counts cards in an i32
            // The runtime's own default rounds the factors of a product to 10 bits on newer cards.
            .with_tf32(false)
            // The default doubles the arena: up to twice the memory that is needed.
            .with_arena_extend_strategy(ArenaExtendStrategy::SameAsRequested)
            .build();
        providers.push(cuda.error_on_failure());
    }
    // The arena halves the system time of allocating the same activations for every block; groups bound its size.
    providers.push(ep::CPU::default().with_arena_allocator(true).build());
    Ok(OrtSession::builder(&runtime.environment)?
        .with_execution_providers(providers)?
        .with_env_allocators()?
        .with_memory_pattern(false)?
        // Fusions measured no gain here, and would replace the norms as `nn` writes them.
        .with_optimization_level(GraphOptimizationLevel::Level1)?)
}

pub(super) fn fault(graph: &str, error: impl std::fmt::Display) -> RunError {
    RunError::Runtime { graph: graph.to_string(), reason: error.to_string() }
}

/// [`fault`], with the remedy where a device's trouble has a known one.
fn fault_on(device: Device, graph: &str, error: ort::Error) -> RunError {
    match (device, cuda::read(error.message())) {
        (Device::Cuda(index), Some(obstacle)) => Unusable { index, obstacles: vec![obstacle] }.into(),
        _ => fault(graph, error),
    }
}
