//! Whether a CUDA device can be used, and if not, everything that stands in the way with what to do about it.
//!
//! All of it is asked before the runtime is loaded: a process can load one runtime only, and `auto` may still want the
//! other one. What only shows later (the provider itself, memory) is read from the runtime's messages by `message`.

mod driver;
mod libraries;
mod message;

use std::{fmt, path::Path, path::PathBuf};

pub(super) use driver::Card;
pub(super) use message::read;

/// CUDA's major version that the pinned runtime is built for.
const CUDA: i32 = 13;
/// The first driver that knows it.
const DRIVER: &str = "580";

/// One thing that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    #[error(
        "no ONNX Runtime with CUDA: ORT_DYLIB_PATH is not set and .runtime/cuda/lib holds no libonnxruntime; run \
         `make runtime-cuda` (downloads 1.3 GB) or set ORT_DYLIB_PATH to libonnxruntime.so of onnxruntime-gpu"
    )]
    NoRuntime,
    #[error(
        "{} is ONNX Runtime without CUDA (no {} beside it); run `make runtime-cuda` and unset ORT_DYLIB_PATH, or set it \
         to libonnxruntime.so of onnxruntime-gpu", path.display(), libraries::PROVIDER
    )]
    CpuBuild { path: PathBuf },
    #[error(
        "{library} is missing{}; run `make runtime-cuda`, or install it ({package}) and put its folder into \
         LD_LIBRARY_PATH",
        because(reason)
    )]
    Library { library: String, package: &'static str, reason: String },
    #[error(
        "no NVIDIA driver{}; install it, {DRIVER} or newer (in a container: start it with the card, e.g. \
         `docker run --gpus all`), then `nvidia-smi` shows the card",
        because(reason)
    )]
    NoDriver { reason: String },
    #[error(
        "the NVIDIA driver knows CUDA up to {}.{}, the runtime needs {CUDA}; update the driver to {DRIVER} or newer",
        knows.0, knows.1
    )]
    OldDriver { knows: (i32, i32) },
    #[error(
        "the NVIDIA driver shows no card; look at `nvidia-smi` and at CUDA_VISIBLE_DEVICES (in a container: start it with \
         the card, e.g. `docker run --gpus all`)"
    )]
    NoCard,
    #[error("there is no cuda:{index} here, only {}", list(cards))]
    NoSuchCard { index: u32, cards: Vec<String> },
    #[error(
        "the card has no kernels in this runtime (it is older, or newer, than the runtime knows); use --device cpu, or set \
         ORT_DYLIB_PATH to an ONNX Runtime built for it"
    )]
    UnknownCard,
    #[error(
        "the card's memory is full{}; end what else runs on it (`nvidia-smi` lists it), run fewer or shorter prompts at \
         once, or use --device cpu",
        because(reason)
    )]
    Full { reason: String },
    #[error("the NVIDIA driver failed: {call} gave error {code}; `nvidia-smi` or a restart may tell more")]
    Driver { call: &'static str, code: i32 },
    #[error("the CUDA provider failed: {0}")]
    Provider(String),
}

/// A device that cannot be used, with every obstacle that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
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

/// Looks at everything a device needs: a runtime with the provider, NVIDIA's libraries (those found beside the runtime
/// stay loaded, so that the provider finds them), the driver, and the card.
///
/// # Errors
/// All obstacles at once, those of the machine first.
pub(super) fn check(library: Option<&Path>, index: u32) -> Result<Card, Unusable> {
    let mut obstacles = Vec::new();
    let card = match driver::ask(driver::LIBRARY).and_then(|driver| driver.card(index)) {
        Ok(card) => Some(card),
        Err(obstacle) => {
            obstacles.push(obstacle);
            None
        }
    };
    match library {
        None => obstacles.push(Obstacle::NoRuntime),
        Some(path) => obstacles.extend(libraries::load(path)),
    }
    match card {
        Some(card) if obstacles.is_empty() => Ok(card),
        _ => Err(Unusable { index, obstacles }),
    }
}

/// What the loader said: libloading's own words only name the call.
pub(super) fn loader_said(error: &libloading::Error) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_obstacle_is_a_sentence_and_several_are_a_list() {
        let of = |obstacles: &[Obstacle]| Unusable { index: 1, obstacles: obstacles.to_vec() }.to_string();
        assert!(
            of(&[Obstacle::NoCard]).starts_with("cuda:1 cannot be used: the NVIDIA driver shows no card; ")
        );
        let both = of(&[Obstacle::NoCard, Obstacle::NoRuntime]);
        assert_eq!(both.lines().count(), 3);
        assert!(both.lines().skip(1).all(|line| line.starts_with("  - ")), "{both}");
        let line =
            Unusable { index: 0, obstacles: vec![Obstacle::NoCard, Obstacle::NoRuntime] }.in_one_line();
        assert!(
            line.contains("shows no card") && line.ends_with("(1 more: --device cuda lists them)"),
            "{line}"
        );
    }

    #[test]
    fn a_runtime_without_the_provider_is_told_from_none_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("libonnxruntime.so");
        std::fs::write(&plain, "").unwrap();
        let seen = |library: Option<&Path>| check(library, 0).unwrap_err().obstacles;
        assert!(seen(None).contains(&Obstacle::NoRuntime));
        assert!(seen(Some(&plain)).contains(&Obstacle::CpuBuild { path: plain.clone() }));
    }
}
