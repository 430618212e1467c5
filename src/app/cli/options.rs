//! Options that several commands share.

use std::path::PathBuf;

use bytesize::ByteSize;
use clap::Args;

use crate::pipeline::Places;
use base::device::Wanted;

/// Options every command takes.
#[derive(Args, Clone, Debug)]
pub(super) struct CommonOptions {
    /// Show no progress and no notes; errors and results only
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// Print machine-readable JSON on standard output
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// Where a command computes.
#[derive(Args, Clone, Debug)]
pub(super) struct ComputeOptions {
    /// Where to compute: cpu, cuda (the first card), cuda:N, or auto (cuda where it can be used, else cpu). What a device
    /// computed is stored beside what another did. cpu multiplies with weights as they lie (bf16 on tile registers, AMX;
    /// where there are none, bf16 and f16 on AVX-512 or AVX2) unless the environment says STREAMGAUGE_PRODUCTS=runtime;
    /// STREAMGAUGE_PRODUCTS=emulated-tiles computes as tile registers would, slowly. What is stored already stays as it is
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub(super) device: Wanted,
    /// Memory that observing may take, e.g. 4GiB [default: what the machine has left]. Pages of checkpoints, which the
    /// system can evict, come on top
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub(super) memory: Option<ByteSize>,
    /// Write a trace of where the time goes, for chrome://tracing or ui.perfetto.dev
    #[arg(long, value_name = "FILE")]
    pub(super) profile: Option<PathBuf>,
}

impl ComputeOptions {
    /// The memory asked for, in bytes.
    pub(super) fn memory(&self) -> Option<u64> {
        self.memory.map(|size| size.as_u64())
    }
}

fn size(text: &str) -> Result<ByteSize, String> {
    text.parse().map_err(|_| "expected a size with its unit, e.g. 4GiB or 800MB".to_string())
}

/// What `plan`, `run` and `report` work on.
#[derive(Args, Clone, Debug)]
pub(super) struct ExperimentOptions {
    /// Experiment file
    #[arg(value_name = "EXPERIMENT", default_value = "experiments/reproduce.toml")]
    pub(super) file: PathBuf,
    /// Folder of the store
    #[arg(long, value_name = "DIR", default_value = "results/store")]
    pub(super) store: PathBuf,
    /// Folder of reports, verdicts and tables
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub(super) results: PathBuf,
    #[command(flatten)]
    pub(super) on: ComputeOptions,
    #[command(flatten)]
    pub(super) common: CommonOptions,
}

impl ExperimentOptions {
    /// The folders and the device that were asked for.
    pub(super) fn places(&self) -> Places {
        Places {
            store: self.store.clone(),
            results: self.results.clone(),
            device: self.on.device,
            memory: self.on.memory(),
        }
    }
}
