//! The runtime of a command: which library, on which device, and a word to people about it.

use std::path::{Path, PathBuf};

use base::device::{Device, Wanted};
use base::progress::Progress;
use engine::run::{Multiplier, RunError, Runtime};

/// Who multiplies with weights of two bytes ([`Multiplier`]): `own`, as where it is not set, `runtime` or `emulated-tiles`.
const PRODUCTS: &str = "STREAMGAUGE_PRODUCTS";

/// Loads the runtime for what was asked for, within so many bytes of memory. Notes the device unless it is the processor as
/// nobody asked otherwise; of `auto`, also why it is not a CUDA device.
pub fn runtime(wanted: Wanted, memory: Option<u64>, progress: &dyn Progress) -> Result<Runtime, RunError> {
    let cuda = library(Path::new(".runtime/cuda/lib"));
    let chosen = Runtime::choose(wanted, runtime_library().as_deref(), cuda.as_deref())?;
    let place = chosen.runtime.place();
    match chosen.instead {
        Some(unusable) => progress.note(&format!("device: {place}, since {}", unusable.in_one_line())),
        None if wanted == Wanted::This(Device::Cpu) => {}
        None => progress.note(&format!("device: {place}")),
    }
    let runtime = chosen.runtime.with_memory(memory);
    let asked = std::env::var_os(PRODUCTS).unwrap_or_default();
    let multiplier = match asked.to_str() {
        Some("" | "own") => Multiplier::Own,
        Some("runtime") => Multiplier::Runtime,
        Some("emulated-tiles") => Multiplier::EmulatedTiles,
        _ => {
            let asked = asked.display();
            progress.note(&format!(
                "{PRODUCTS} is {asked}; expected own, runtime or emulated-tiles: taken as own"
            ));
            Multiplier::Own
        }
    };
    Ok(runtime.with_multiplier(multiplier))
}

/// The ONNX Runtime library to load: `ORT_DYLIB_PATH`, else `.runtime/lib` here or above, else beside the program.
pub fn runtime_library() -> Option<PathBuf> {
    library(Path::new(".runtime/lib"))
}

fn library(fetched: &Path) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        return Some(PathBuf::from(path));
    }
    let name = if cfg!(target_os = "macos") { "libonnxruntime.dylib" } else { "libonnxruntime.so" };
    let here = std::env::current_dir().ok();
    let program = std::env::current_exe().ok();
    [here, program]
        .iter()
        .flatten()
        .flat_map(|start| start.ancestors())
        .map(|folder| folder.join(fetched).join(name))
        .find(|path| path.is_file())
}
