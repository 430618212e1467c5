//! Finding and loading the ONNX Runtime library. One per process, at the first call.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
};

use ort::environment::{Environment, GlobalThreadPoolOptions};

use super::{RunError, arena};

/// Where `make runtime` puts the library, relative to the current folder.
const FETCHED: &str = ".runtime/lib";

/// The loaded runtime: one environment with one pool of threads, a thread per core.
#[derive(Clone)]
pub struct Runtime {
    pub(super) environment: Environment,
    version: String,
}

/// The library allows one environment per process, so it is kept until the process ends.
static LOADED: Mutex<Option<(PathBuf, Runtime)>> = Mutex::new(None);

impl Runtime {
    /// Load the library: the given path, else `ORT_DYLIB_PATH`, else what `make runtime` fetched.
    ///
    /// # Errors
    /// No library, one that cannot be loaded or is too old, or another one is loaded already.
    pub fn load(dylib: Option<&Path>) -> Result<Runtime, RunError> {
        let path = find(dylib)?;
        // A poisoned lock means another thread panicked while loading; the value is still None or complete.
        let mut loaded = LOADED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
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
}

fn find(dylib: Option<&Path>) -> Result<PathBuf, RunError> {
    let from_variable = env::var_os("ORT_DYLIB_PATH").filter(|value| !value.is_empty()).map(PathBuf::from);
    let path = match dylib.map(Path::to_path_buf).or(from_variable) {
        Some(path) => path,
        None => fetched(Path::new(FETCHED))
            .ok_or_else(|| RunError::NoLibrary { looked: PathBuf::from(FETCHED) })?,
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
    if !path.is_file() {
        return Err("there is no such file".to_string());
    }
    let version = version_of(path)?;
    let builder = ort::init_from(path).map_err(|e| e.to_string())?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let pool = GlobalThreadPoolOptions::default()
        .with_intra_threads(cores)
        // Waiting threads sleep: between graphs the cores are busy widening weights.
        .and_then(|pool| pool.with_spin_control(false))
        .map_err(|e| e.to_string())?;
    let environment = builder
        .with_name("streamgauge")
        .with_telemetry(false)
        .with_global_thread_pool(pool)
        .build()
        .map_err(|e| e.to_string())?;
    environment.set_log_level(ort::logging::LogLevel::Error);
    arena::register(&environment).map_err(|e| e.to_string())?;
    Ok(Runtime { environment, version })
}

/// The library's own `GetVersionString`; `ort` keeps it to itself.
fn version_of(path: &Path) -> Result<String, String> {
    type GetBase = unsafe extern "C" fn() -> *const ort::sys::OrtApiBase;
    // SAFETY: loading runs the library's initialisers, which is what loading a runtime means; it stays loaded, since
    // `ort` opens the same file right after. OrtGetApiBase has this signature in every release of the C API, and what
    // it returns is a static table whose version string is a static, null-terminated string.
    unsafe {
        let library = libloading::Library::new(path).map_err(|e| e.to_string())?;
        let get_base = library.get::<GetBase>(b"OrtGetApiBase").map_err(|e| e.to_string())?;
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
