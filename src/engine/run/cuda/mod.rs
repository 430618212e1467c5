//! Whether a CUDA device can be used, and if not, everything that stands in the way with what to do about it.
//!
//! All of it is asked before the runtime is loaded: a process can load one runtime only, and `auto` may still want the
//! other one. What only shows later (the provider itself, memory) is read from the runtime's messages by `message`.

mod driver;
mod libraries;
mod message;
mod obstacle;

use std::path::Path;

pub(super) use driver::Card;
pub(super) use message::read;
pub(super) use obstacle::loader_said;
pub use obstacle::{Obstacle, Unusable};

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
