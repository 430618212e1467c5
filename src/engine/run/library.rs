//! Finding and loading the ONNX Runtime library. One per process, at the first call.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ort::{
    environment::{Environment, GlobalThreadPoolOptions},
    logging::LogLevel,
    memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType},
};

use super::{RunError, arena, cuda, means::Means};
use crate::products::Unit;
use base::{device::Device, terminal::say, threads};

/// Where `make runtime` puts the library, relative to the current folder.
// Cargo runs the unit tests of a crate in the crate's own folder.
const FETCHED: &str = if cfg!(test) { "../../.runtime/lib" } else { ".runtime/lib" };

/// The loaded runtime: one environment with one pool of threads, a thread per core; and where it computes.
#[derive(Clone)]
pub struct Runtime {
    pub(super) environment: Environment,
    version: String,
    device: Device,
    /// Bytes of this machine's memory that a walk may take.
    memory: Option<u64>,
    /// Name of the card.
    card: Option<String>,
    /// Where weights and activations lie, if not where this program can read them.
    apart: Option<Apart>,
    multiplier: Multiplier,
}

/// Who multiplies with weights of two bytes on the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiplier {
    /// This program with weights as they are stored, where it is faster than the runtime: bf16 on tile registers (AMX);
    /// where there are none, bf16 and f16 on AVX-512 or AVX2.
    Own,
    /// This program as tile registers would, slowly: what another machine computed can be computed again without
    /// them, to the last digits.
    EmulatedTiles,
    /// The runtime, with weights widened to float32.
    Runtime,
}

/// Memory of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Apart {
    Cuda(u32),
    /// The way through a device's memory, walked in this machine's.
    Rehearsed,
}

/// The library allows one environment per process, so it is kept until the process ends.
static LOADED: Mutex<Option<(PathBuf, Runtime)>> = Mutex::new(None);

impl Runtime {
    /// Load the library: the given path, else `ORT_DYLIB_PATH`, else what `make runtime` fetched.
    ///
    /// # Errors
    /// No library, one that cannot be loaded or is too old, or another one is loaded already.
    pub fn load(dylib: Option<&Path>) -> Result<Runtime, RunError> {
        let path = find(dylib, FETCHED)?;
        let mut loaded = loaded();
        if let Some((before, runtime)) = loaded.as_ref() {
            if *before == path {
                return Ok(runtime.clone());
            }
            let reason = format!("{} is loaded already in this process", before.display());
            return Err(RunError::Library { path, reason });
        }
        let runtime = start(&path).map_err(|reason| RunError::Library { path: path.clone(), reason })?;
        *loaded = Some((path, runtime.clone()));
        Ok(runtime)
    }

    /// The library's version, e.g. `1.23.2`; part of the identity of a run.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The same runtime, which walks through models within so many bytes of this machine's memory; `None`: within what
    /// is left.
    pub fn with_memory(self, memory: Option<u64>) -> Runtime {
        Runtime { memory, ..self }
    }

    pub(super) fn means(&self) -> Means {
        Means { memory: self.memory, unit: self.unit() }
    }

    /// The same runtime, with another multiplier than [`Multiplier::Own`].
    pub fn with_multiplier(self, multiplier: Multiplier) -> Runtime {
        Runtime { multiplier, ..self }
    }

    /// None on a device; asks for leave to use tile registers where they may be used, not before.
    pub(super) fn unit(&self) -> Option<Unit> {
        match self.multiplier {
            _ if self.apart.is_some() => None,
            Multiplier::Own => Unit::fastest(),
            Multiplier::EmulatedTiles => Some(Unit::EmulatedTiles),
            Multiplier::Runtime => None,
        }
    }

    /// What multiplies with weights as they are stored, for people, e.g. `tile registers (AMX)`; none if all products are the
    /// runtime's.
    pub fn own_products(&self) -> Option<String> {
        self.unit().map(|unit| unit.to_string())
    }

    /// Where it computes.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Where it computes, for people: `cpu`, or `cuda:0 (NVIDIA H100 80GB HBM3)`.
    pub fn place(&self) -> String {
        match &self.card {
            Some(card) => format!("{} ({card})", self.device),
            None => self.device.to_string(),
        }
    }

    /// The memory that weights and activations lie in, if not where this program can read them.
    pub(super) fn apart(&self) -> ort::Result<Option<MemoryInfo<'static>>> {
        let memory = match self.apart {
            None => return Ok(None),
            Some(Apart::Cuda(index)) => MemoryInfo::new(
                AllocationDevice::CUDA,
                index as i32, // the driver counts cards in an i32
                AllocatorType::Device,
                MemoryType::Default,
            )?,
            Some(Apart::Rehearsed) => MemoryInfo::default(),
        };
        Ok(Some(memory))
    }

    /// The same library, computing on a CUDA device.
    pub(super) fn on_card(self, index: u32, card: String) -> Runtime {
        Runtime { device: Device::Cuda(index), card: Some(card), apart: Some(Apart::Cuda(index)), ..self }
    }

    /// The same library, computing on the processor.
    pub fn on_processor(self) -> Runtime {
        Runtime { device: Device::Cpu, card: None, apart: None, ..self }
    }

    /// The same runtime, walking as if this machine's memory were a device's: all of that way that can be tried without one.
    pub fn rehearsing(self) -> Runtime {
        Runtime { apart: Some(Apart::Rehearsed), ..self }
    }
}

/// What this process has loaded, computing on the processor. A poisoned lock means another thread panicked while loading;
/// the value is still None or complete.
pub(super) fn loaded() -> MutexGuard<'static, Option<(PathBuf, Runtime)>> {
    LOADED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The library of the given path, else `ORT_DYLIB_PATH`, else what was fetched into the folder `beside`.
pub(super) fn find(dylib: Option<&Path>, beside: &str) -> Result<PathBuf, RunError> {
    let from_variable = env::var_os("ORT_DYLIB_PATH").filter(|value| !value.is_empty()).map(PathBuf::from);
    let path = match dylib.map(Path::to_path_buf).or(from_variable) {
        Some(path) => path,
        None => {
            fetched(Path::new(beside)).ok_or_else(|| RunError::NoLibrary { looked: PathBuf::from(beside) })?
        }
    };
    // `ort` would look beside the executable for a relative path.
    std::path::absolute(&path).map_err(|e| RunError::Library { path, reason: e.to_string() })
}

/// The first library of a folder by name, `libonnxruntime.so.1.23.2` or `libonnxruntime.1.23.2.dylib`.
fn fetched(folder: &Path) -> Option<PathBuf> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            name.starts_with("libonnxruntime.") && (name.contains(".so") || name.ends_with(".dylib"))
        })
        .collect();
    names.sort_unstable();
    names.first().map(|name| folder.join(name))
}

fn start(path: &Path) -> Result<Runtime, String> {
    let _span = tracing::info_span!("load", library = %path.display()).entered();
    if !path.is_file() {
        return Err("there is no such file".to_string());
    }
    let version = version_of(path)?;
    // A pool of one is the calling thread: it can be had where no thread can be made.
    let environment = environment(path, threads::of_a_pool()).or_else(|_| environment(path, 1))?;
    environment.set_log_level(LogLevel::Error);
    arena::register(&environment).map_err(|e| e.to_string())?;
    Ok(Runtime {
        environment,
        version,
        device: Device::Cpu,
        memory: None,
        card: None,
        apart: None,
        multiplier: Multiplier::Own,
    })
}

/// The library's environment, whose graphs share a pool of so many threads, the calling one counted.
fn environment(path: &Path, threads: usize) -> Result<Environment, String> {
    let builder = ort::init_from(path).map_err(|e| e.to_string())?;
    let pool = GlobalThreadPoolOptions::default()
        .with_intra_threads(threads)
        // Graphs run one operator after another: the pool that would run several is never asked.
        .and_then(|pool| pool.with_inter_threads(1))
        // Waiting threads sleep: between graphs the cores are busy widening weights.
        .and_then(|pool| pool.with_spin_control(false))
        .map_err(|e| e.to_string())?;
    let builder = builder.with_name("streamgauge").with_logger(Arc::new(log));
    let builder = builder.with_telemetry(false).with_global_thread_pool(pool);
    builder.build().map_err(|e| e.to_string())
}

/// Says errors of the runtime's own log, which quotes names of the model that it computes. What else it logs, it begins with
/// before a level can be set.
fn log(level: LogLevel, _category: &str, _id: &str, place: &str, message: &str) {
    if matches!(level, LogLevel::Error | LogLevel::Fatal) {
        say(&format!("ONNX Runtime, {place}: {message}"));
    }
}

/// The library's own `GetVersionString`; `ort` keeps it to itself.
fn version_of(path: &Path) -> Result<String, String> {
    type GetBase = unsafe extern "C" fn() -> *const ort::sys::OrtApiBase;
    // SAFETY: loading runs the library's initialisers, which is what loading a runtime means; it stays loaded, since
    // `ort` opens the same file right after. OrtGetApiBase has this signature in every release of the C API, and what
    // it returns is a static table whose version string is a static, null-terminated string.
    unsafe {
        let library = libloading::Library::new(path).map_err(|e| cuda::loader_said(&e))?;
        let get_base = library.get::<GetBase>(b"OrtGetApiBase").map_err(|e| cuda::loader_said(&e))?;
        let base = get_base().as_ref().ok_or("OrtGetApiBase returned nothing")?;
        let version = std::ffi::CStr::from_ptr((base.GetVersionString)());
        Ok(version.to_string_lossy().into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_foreign_library_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("libonnxruntime.so");
        fs::write(&text, "not a library").unwrap();
        for path in [folder.path().join("absent.so"), text] {
            let Err(error) = Runtime::load(Some(&path)) else { panic!("{} was loaded", path.display()) };
            let message = error.to_string();
            assert!(message.starts_with(path.to_str().unwrap()), "{message}");
            assert!(message.contains("run `make runtime` or set ORT_DYLIB_PATH"), "{message}");
        }
    }

    #[test]
    fn the_fetched_library_is_found_beside_others() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(fetched(folder.path()), None);
        for name in ["libonnxruntime_providers_shared.so", "libonnxruntime.so.1.23.2", "LICENSE"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(fetched(folder.path()), Some(folder.path().join("libonnxruntime.so.1.23.2")));
    }
}
