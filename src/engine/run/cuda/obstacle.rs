//! What can stand in the way of a CUDA device, each with what to do about it.

use std::{fmt, path::PathBuf};

use super::libraries;

/// CUDA's major version that the pinned runtime is built for.
pub(super) const CUDA: i32 = 13;
/// The first driver that knows it.
pub(super) const DRIVER: &str = "580";

/// One thing that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// No library of ONNX Runtime with CUDA was named or fetched.
    #[error(
        "no ONNX Runtime with CUDA: ORT_DYLIB_PATH is not set and .runtime/cuda/lib holds no libonnxruntime; run \
         `make runtime-cuda` (downloads 1.3 GB) or set ORT_DYLIB_PATH to libonnxruntime.so of onnxruntime-gpu"
    )]
    NoRuntime,
    /// The library found is ONNX Runtime without its CUDA provider.
    #[error(
        "{} is ONNX Runtime without CUDA (no {} beside it); run `make runtime-cuda` and unset ORT_DYLIB_PATH, or set it \
         to libonnxruntime.so of onnxruntime-gpu", path.display(), libraries::PROVIDER
    )]
    CpuBuild {
        /// The library.
        path: PathBuf,
    },
    /// A library of NVIDIA that the provider needs is missing.
    #[error(
        "{library} is missing{}; run `make runtime-cuda`, or install it ({package}) and put its folder into \
         LD_LIBRARY_PATH",
        because(reason)
    )]
    Library {
        /// File name of the missing library.
        library: String,
        /// The package that brings it.
        package: &'static str,
        /// What the loader said; may be empty.
        reason: String,
    },
    /// The driver's library cannot be loaded.
    #[error(
        "no NVIDIA driver{}; install it, {DRIVER} or newer (in a container: start it with the card, e.g. \
         `docker run --gpus all`), then `nvidia-smi` shows the card",
        because(reason)
    )]
    NoDriver {
        /// What the loader said; may be empty.
        reason: String,
    },
    /// The driver is older than the CUDA version of the runtime.
    #[error(
        "the NVIDIA driver knows CUDA up to {}.{}, the runtime needs {CUDA}; update the driver to {DRIVER} or newer",
        knows.0, knows.1
    )]
    OldDriver {
        /// The newest CUDA version of the driver, major and minor.
        knows: (i32, i32),
    },
    /// The driver counts no card.
    #[error(
        "the NVIDIA driver shows no card; look at `nvidia-smi` and at CUDA_VISIBLE_DEVICES (in a container: start it with \
         the card, e.g. `docker run --gpus all`)"
    )]
    NoCard,
    /// The card asked for does not exist.
    #[error("there is no cuda:{index} here, only {}", list(cards))]
    NoSuchCard {
        /// The card asked for, from 0.
        index: u32,
        /// Names of the cards there are, by index.
        cards: Vec<String>,
    },
    /// The runtime has no kernels for the generation of this card.
    #[error(
        "the card has no kernels in this runtime (it is older, or newer, than the runtime knows); use --device cpu, or set \
         ORT_DYLIB_PATH to an ONNX Runtime built for it"
    )]
    UnknownCard,
    /// The card has no memory left.
    #[error(
        "the card's memory is full{}; end what else runs on it (`nvidia-smi` lists it), run fewer or shorter prompts at \
         once, or use --device cpu",
        because(reason)
    )]
    Full {
        /// What the runtime said; may be empty.
        reason: String,
    },
    /// A call of the driver failed.
    #[error("the NVIDIA driver failed: {call} gave error {code}; `nvidia-smi` or a restart may tell more")]
    Driver {
        /// Name of the call.
        call: &'static str,
        /// The CUresult it returned.
        code: i32,
    },
    /// The provider gave an error of another kind, in its own words.
    #[error("the CUDA provider failed: {0}")]
    Provider(String),
}

/// A device that cannot be used, with every obstacle that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The card asked for, from 0.
    pub index: u32,
    /// At least one.
    pub obstacles: Vec<Obstacle>,
}

impl std::error::Error for Unusable {}

impl Unusable {
    /// The first obstacle, with how many more there are.
    pub fn in_one_line(&self) -> String {
        let first = Unusable { index: self.index, obstacles: self.obstacles[..1].to_vec() };
        match self.obstacles.len() - 1 {
            0 => first.to_string(),
            more => format!("{first} ({more} more: --device cuda lists them)"),
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cuda:{} cannot be used", self.index)?;
        match &self.obstacles[..] {
            [one] => write!(f, ": {one}"),
            many => many.iter().try_for_each(|obstacle| write!(f, "\n  - {obstacle}")),
        }
    }
}

/// What the loader said: libloading's own words only name the call.
pub(in crate::run) fn loader_said(error: &libloading::Error) -> String {
    use std::error::Error;
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

fn because(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(" ({reason})") }
}

fn list(cards: &[String]) -> String {
    let named: Vec<String> = cards.iter().enumerate().map(|(i, name)| format!("cuda:{i} ({name})")).collect();
    named.join(", ")
}
