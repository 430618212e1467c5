//! ONNX Runtime is kept from reporting to its maker.
//!
//! Released libraries write a device id and a database of events below the home folder and the folder for temporary files, and ask
//! for a host to send them to, from the moment the library makes its environment. `with_telemetry(false)` comes after that; only
//! this variable comes before.

/// The variable that the library looks for.
const VARIABLE: &str = "ORT_DISABLE_TELEMETRY";

/// Set before `main`, so that it holds for whatever loads the library: the program, tests, benchmarks.
#[ctor::ctor(unsafe)]
fn refuse() {
    // SAFETY: before `main` the process has one thread, so none can read the environment meanwhile.
    unsafe { std::env::set_var(VARIABLE, "1") };
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_library_is_told_to_report_nothing_before_anything_runs() {
        assert_eq!(std::env::var(super::VARIABLE).as_deref(), Ok("1"));
    }
}
