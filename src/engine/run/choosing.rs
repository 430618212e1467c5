//! The runtime for the device that was asked for.

use std::path::Path;

use super::{
    RunError, Runtime,
    cuda::{self, Obstacle, Unusable},
    library::{find, loaded},
    trial::trial,
};
use base::device::{Device, Wanted};

/// Where `make runtime-cuda` puts it.
const FETCHED_CUDA: &str = ".runtime/cuda/lib";

/// A runtime for what was asked for.
pub struct Chosen {
    /// Computes where was asked for, or on the processor instead.
    pub runtime: Runtime,
    /// Why `auto` did not take a CUDA device.
    pub instead: Option<Unusable>,
}

impl Runtime {
    /// A runtime that computes on a CUDA device: the library of the given path, else `ORT_DYLIB_PATH`, else what
    /// `make runtime-cuda` fetched.
    ///
    /// # Errors
    /// [`RunError::Cuda`] with everything that stands in the way; nothing is loaded then, unless it is the provider itself
    /// that fails, or the card at its first graph.
    pub fn cuda(index: u32, dylib: Option<&Path>) -> Result<Runtime, RunError> {
        let path = find(dylib, FETCHED_CUDA).ok().filter(|path| path.is_file());
        let card = cuda::check(path.as_deref(), index)?;
        let runtime = Runtime::load(path.as_deref())?;
        let runtime = runtime.on_card(index, card.name);
        // Loads the provider, and with it what its message may miss.
        trial(&runtime).map_err(|error| match error {
            RunError::Cuda(unusable) => unusable,
            other => Unusable { index, obstacles: vec![Obstacle::Provider(other.to_string())] },
        })?;
        Ok(runtime)
    }

    /// The runtime for what was asked for; `cpu` and `cuda` are the libraries, as for [`Runtime::load`] and
    /// [`Runtime::cuda`].
    ///
    /// # Errors
    /// As those; with [`Wanted::Auto`] as [`Runtime::load`].
    pub fn choose(wanted: Wanted, cpu: Option<&Path>, cuda: Option<&Path>) -> Result<Chosen, RunError> {
        let certain = |runtime| Chosen { runtime, instead: None };
        match wanted {
            Wanted::This(Device::Cpu) => Runtime::load(cpu).map(certain),
            Wanted::This(Device::Cuda(index)) => Runtime::cuda(index, cuda).map(certain),
            Wanted::Auto => match Runtime::cuda(0, cuda) {
                Ok(runtime) => Ok(certain(runtime)),
                Err(RunError::Cuda(unusable)) => {
                    // A process loads one library: where that of CUDA is, its processor will do.
                    let before = loaded().as_ref().map(|(_, runtime)| runtime.clone());
                    let runtime = before.map_or_else(|| Runtime::load(cpu), Ok)?;
                    Ok(Chosen { runtime, instead: Some(unusable) })
                }
                Err(other) => Err(other),
            },
        }
    }
}
