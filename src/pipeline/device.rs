//! The runtime of a command: which library, on which device, and a word to people about it.

use std::path::{Path, PathBuf};

use crate::device::{Device, Wanted};
use crate::progress::Progress;
use crate::run::{Bf16Products, RunError, Runtime};

/// Who computes products with weights in bf16: `on`, the processor's tile registers if it has them, as where it is not set;
/// `off`, the runtime, as all others; `emulated`, this program as tile registers would.
const TILES: &str = "STREAMGAUGE_TILES";

/// Loads the runtime for what was asked for, within so many bytes of memory. Notes the device unless it is the processor as nobody asked otherwise; of
/// `auto`, also why it is not a CUDA device.
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
    let asked = std::env::var_os(TILES).unwrap_or_default();
    let products = match asked.to_str() {
        Some("" | "on") => Bf16Products::TileRegisters,
        Some("off") => Bf16Products::Runtime,
        Some("emulated") => Bf16Products::EmulatedTiles,
        _ => {
            let asked = asked.display();
            progress.note(&format!("{TILES} is {asked}; expected on, off or emulated: taken as on"));
            Bf16Products::TileRegisters
        }
    };
    Ok(runtime.with_bf16_products(products))
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
