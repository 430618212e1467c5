//! What the examples at scale have in common: the page they write, and the machine in it.

use std::error::Error;
use std::fs;
use std::path::Path;

/// Shows a page and writes it.
pub(crate) fn page(out: &Path, text: &str) -> Result<(), Box<dyn Error>> {
    print!("{text}");
    if let Some(folder) = out.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(out, text)?;
    Ok(())
}

/// The processor by its own name.
pub(crate) fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name =
        info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    name.map_or_else(|| "an unnamed processor".into(), |(_, name)| name.trim().into())
}

/// Most memory that was resident at a time; NaN where the system does not tell.
pub(crate) fn peak_bytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    let kib: f64 = line.and_then(|l| l.split_whitespace().nth(1)?.parse().ok()).unwrap_or(f64::NAN);
    1024.0 * kib
}
