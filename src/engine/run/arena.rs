//! The memory in which the runtime computes on this machine: one arena for all graphs, which grows by what is asked for.
//!
//! Left to itself the runtime gives every session an arena of its own that doubles each time it grows, and holds two to
//! three times what a block needs.

use std::ptr;

use ort::{AsPointer, Error, environment::Environment, sys};

/// Grow by the size asked for instead of the next power of two (`onnxruntime_c_api.h`, `CreateArenaCfgV2`).
const SAME_AS_REQUESTED: usize = 1;

/// Gives the environment its arena. Sessions use it that are built `with_env_allocators`.
///
/// # Errors
/// What the runtime says.
pub(super) fn register(environment: &Environment) -> ort::Result<()> {
    let api = ort::api();
    let (keys, values) = ([c"arena_extend_strategy".as_ptr()], [SAME_AS_REQUESTED]);
    let mut config = ptr::null_mut();
    let mut place = ptr::null_mut();
    // SAFETY: the functions of the loaded library, with the arguments its header asks for: one key and one value, places
    // for what is created, an environment that is alive. The runtime copies both descriptions, which are released here.
    unsafe {
        Error::result_from_status((api.CreateArenaCfgV2)(
            keys.as_ptr(),
            values.as_ptr(),
            1,
            &raw mut config,
        ))?;
        let made = Error::result_from_status((api.CreateCpuMemoryInfo)(
            sys::OrtAllocatorType::OrtArenaAllocator,
            sys::OrtMemType::OrtMemTypeDefault,
            &raw mut place,
        ));
        let registered = made.and_then(|()| {
            let environment = environment.ptr().cast_mut();
            Error::result_from_status((api.CreateAndRegisterAllocator)(environment, place, config))
        });
        if !place.is_null() {
            (api.ReleaseMemoryInfo)(place);
        }
        (api.ReleaseArenaCfg)(config);
        registered
    }
}
