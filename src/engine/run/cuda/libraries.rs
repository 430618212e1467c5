//! NVIDIA's libraries, which the runtime's CUDA provider links to: loaded from beside the runtime, so that nothing need be
//! installed and no search path be set.
//!
//! The loader does not search for a library whose name (`soname`) is loaded already. That is why `make runtime-cuda` can
//! leave them beside the runtime, and why the order matters: what others need comes first.

use std::{fs, path::Path};

use libloading::Library;

use super::obstacle::{Obstacle, loader_said};

/// The runtime's CUDA provider, beside a runtime that has it.
pub(super) const PROVIDER: &str = "libonnxruntime_providers_cuda.so";

/// Name and package of what the provider links to, and of cuDNN, which it opens for reductions.
const NEEDED: [(&str, &str); 5] = [
    ("libcudart.so.13", "nvidia-cuda-runtime"),
    ("libcublasLt.so.13", "nvidia-cublas"),
    ("libcublas.so.13", "nvidia-cublas"),
    ("libcurand.so.10", "nvidia-curand"),
    ("libcudnn.so.9", "nvidia-cudnn-cu13"),
];

/// Loads what the provider beside `runtime` needs, from there or else where the loader looks; gives what is missing.
pub(super) fn load(runtime: &Path) -> Vec<Obstacle> {
    let folder = runtime.parent().unwrap_or(Path::new("."));
    if !folder.join(PROVIDER).is_file() {
        return vec![Obstacle::CpuBuild { path: runtime.to_path_buf() }];
    }
    let mut missing = Vec::new();
    for (name, package) in NEEDED {
        let beside = folder.join(name);
        let path = if fs::exists(&beside).unwrap_or(false) { beside.as_path() } else { Path::new(name) };
        // SAFETY: NVIDIA's libraries, by their names; their initialisers register kernels and touch no card.
        match unsafe { Library::new(path) } {
            // Loaded for good: the provider is to find it.
            Ok(library) => std::mem::forget(library),
            Err(error) => {
                let (library, reason) = (name.to_string(), loader_said(&error));
                missing.push(Obstacle::Library { library, package, reason });
            }
        }
    }
    missing
}

/// The package that has a library, for messages of the loader; the name may be of another version.
pub(super) fn package(library: &str) -> Option<&'static str> {
    let stem = |name: &str| name.split(".so").next().unwrap_or_default().to_string();
    if stem(library).starts_with("libcudnn") {
        return Some("nvidia-cudnn-cu13");
    }
    let same = NEEDED.iter().find(|(name, _)| stem(name) == stem(library));
    same.map(|(_, package)| *package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_without_its_libraries_names_each_with_its_package() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(PROVIDER), "").unwrap();
        // One that lies there and is none: the loader's own words are passed on.
        fs::write(folder.path().join("libcurand.so.10"), "no library").unwrap();
        let missing = load(&folder.path().join("libonnxruntime.so"));
        let curand = missing.iter().find(|m| m.to_string().starts_with("libcurand.so.10")).unwrap();
        let said = curand.to_string();
        assert!(said.contains("nvidia-curand") && said.contains("make runtime-cuda"), "{said}");
        assert!(said.contains(folder.path().to_str().unwrap()), "{said}");
    }

    #[test]
    fn libraries_of_messages_are_found_in_packages_whatever_their_version() {
        assert_eq!(package("libcublasLt.so.12"), Some("nvidia-cublas"));
        assert_eq!(package("libcudnn_ops.so.9"), Some("nvidia-cudnn-cu13"));
        assert_eq!(package("libstdc++.so.6"), None);
    }
}
