//! What the runtime says when CUDA fails, turned into what to do. Its errors have no codes for this, only words.

use super::{driver, libraries, obstacle::Obstacle};

/// The obstacle behind a message of the runtime or the loader; `None` where it is of another kind.
pub(crate) fn read(message: &str) -> Option<Obstacle> {
    if let Some(library) = unfound(message) {
        let reason = String::new();
        if library == driver::LIBRARY {
            return Some(Obstacle::NoDriver { reason: format!("{library} is not found") });
        }
        let package = libraries::package(library)?;
        return Some(Obstacle::Library { library: library.to_string(), package, reason });
    }
    if message.contains("cuDNN is not available") || message.contains("cuDNN is unavailable") {
        let (library, package) = ("cuDNN".to_string(), "nvidia-cudnn-cu13");
        return Some(Obstacle::Library { library, package, reason: String::new() });
    }
    let asked = after(message, "Failed to allocate memory for requested buffer of size ").and_then(number);
    if let Some(bytes) = asked {
        return Some(Obstacle::Full { reason: format!("{bytes} bytes more were asked for") });
    }
    // cuDNN 9 calls its own CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED.
    let full = ["CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED", "DEVICE_ALLOCATION_FAILED"];
    if full.iter().any(|words| message.contains(words)) {
        return Some(Obstacle::Full { reason: String::new() });
    }
    // `cudaError_t`: <https://docs.nvidia.com/cuda/cuda-runtime-api/group__CUDART__TYPES.html>.
    match after(message, "CUDA failure ").and_then(number)? {
        2 => Some(Obstacle::Full { reason: String::new() }),
        35 => Some(Obstacle::Provider(
            "the NVIDIA driver is older than the runtime needs; update it to 580 or newer".to_string(),
        )),
        100 => Some(Obstacle::NoCard),
        209 => Some(Obstacle::UnknownCard),
        _ => None,
    }
}

/// The library that the loader looked for in vain.
fn unfound(message: &str) -> Option<&str> {
    let (before, _) = message.split_once(": cannot open shared object file")?;
    let name = before.rsplit([' ', '\'', '"']).next()?;
    Some(name.rsplit('/').next().unwrap_or(name)).filter(|name| name.contains(".so"))
}

fn after<'m>(message: &'m str, words: &str) -> Option<&'m str> {
    message.split_once(words).map(|(_, rest)| rest)
}

fn number(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages as ONNX Runtime 1.31 and glibc write them.
    #[test]
    fn known_messages_become_remedies() {
        let loader = |library: &str| {
            format!(
                "/onnxruntime_src/onnxruntime/core/session/provider_bridge_ort.cc:2251 TryGetProviderInfo_CUDA \
                 [ONNXRuntimeError] : 1 : FAIL : Failed to load library /x/libonnxruntime_providers_cuda.so with error: \
                 {library}: cannot open shared object file: No such file or directory"
            )
        };
        let full = "CUDA failure 2: out of memory ; GPU=0 ; hostname=h ; file=cuda_allocator.cc ; line=40 ; \
                    expr=cudaMalloc((void**)&p, size);";
        let arena = "onnxruntime::BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size \
                     67108864";
        let stale = "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1";
        for (message, words) in [
            (loader("libcublasLt.so.13"), ["libcublasLt.so.13 is missing", "nvidia-cublas"]),
            (loader("libcudnn.so.9"), ["libcudnn.so.9 is missing", "make runtime-cuda"]),
            (loader("libcuda.so.1"), ["no NVIDIA driver", "580"]),
            (full.to_string(), ["memory is full", "--device cpu"]),
            (arena.to_string(), ["67108864 bytes", "fewer or shorter prompts"]),
            (stale.to_string(), ["driver is older", "update it to 580"]),
            (
                "CUDNN failure 4002: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED".to_string(),
                ["memory is full", "nvidia-smi"],
            ),
            ("CUDA failure 100: no CUDA-capable device is detected".to_string(), ["no card", "nvidia-smi"]),
            ("CUDA failure 209: no kernel image is available".to_string(), ["no kernels", "--device cpu"]),
            (
                "cuDNN is unavailable for CUDA Execution Provider: ".to_string(),
                ["cuDNN", "nvidia-cudnn-cu13"],
            ),
        ] {
            let said = read(&message).unwrap_or_else(|| panic!("{message}")).to_string();
            assert!(words.iter().all(|word| said.contains(word)), "{message}\n-> {said}");
        }
    }

    #[test]
    fn other_messages_are_left_as_they_are() {
        for message in
            ["Got invalid dimensions for input: rows", "libm.so.6: cannot open shared object file", ""]
        {
            assert_eq!(read(message), None);
        }
    }
}
