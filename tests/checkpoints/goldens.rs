//! Where the goldens lie, which there are, what their references say, and what the engine measures on them.

// Every integration test compiles this file by itself and uses what it needs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base::{device::Wanted, progress::Silent};
use engine::run::{Graphs, Multiplier, RunError, Runtime, observe};
use model::{arch::Recipe, checkpoint::Checkpoint};
use number::observation::{Extra, PromptObservation};
use serde::Deserialize;

/// `tests/goldens/<case>/reference.json`.
#[derive(Deserialize)]
pub(crate) struct Reference {
    pub family: String,
    pub prompts: Vec<Prompt>,
}

#[derive(Deserialize)]
pub(crate) struct Prompt {
    pub token_ids: Vec<u32>,
    pub resid: Vec<Vec<f64>>,
    pub attn_out: Vec<Vec<f64>>,
    pub mlp_out: Vec<Vec<f64>>,
    pub attn_module_in: Vec<Vec<f64>>,
    pub attn_module_out: Vec<Vec<f64>>,
    pub mlp_module_in: Vec<Vec<f64>>,
    pub mlp_module_out: Vec<Vec<f64>>,
    pub write: Vec<Vec<f64>>,
    pub write_cosine: Vec<Vec<f64>>,
    pub max_abs: Vec<Vec<f64>>,
    /// `[L, H]`.
    pub attn_off_diagonal: Vec<Vec<f64>>,
    pub r#final: Vec<f64>,
    pub entropy_nats: f64,
    pub logit_shift: f64,
    /// None for a single token.
    pub loss_nats: Option<f64>,
    pub lens_entropy_nats: Vec<f64>,
    pub top: Vec<Top>,
}

#[derive(Deserialize)]
pub(crate) struct Top {
    pub id: u32,
    pub prob: f64,
}

pub(crate) fn reference(case: &str) -> Reference {
    let text = fs::read_to_string(golden(case).join("reference.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The token ids of every prompt of a golden.
pub(crate) fn prompts(case: &str) -> Vec<Vec<u32>> {
    reference(case).prompts.into_iter().map(|prompt| prompt.token_ids).collect()
}

/// Where the tests compute; `make parity DEVICE=cuda` sets it.
pub(crate) const DEVICE_VARIABLE: &str = "STREAMGAUGE_DEVICE";

/// The runtime of the tests: the processor's, or what [`DEVICE_VARIABLE`] asks for.
pub(crate) fn runtime() -> Result<Runtime, RunError> {
    let wanted: Wanted = match std::env::var(DEVICE_VARIABLE) {
        Ok(device) if !device.is_empty() => device.parse().unwrap(),
        _ => Wanted::default(),
    };
    Ok(Runtime::choose(wanted, None, None)?.runtime)
}

/// [`runtime`] with each multiplier that there is here, and its name.
pub(crate) fn runtimes() -> Result<Vec<(Runtime, String)>, RunError> {
    let runtime = runtime()?;
    let with = |multiplier| runtime.clone().with_multiplier(multiplier);
    let mut all = vec![(with(Multiplier::Runtime), "the runtime".to_string())];
    for runtime in [Multiplier::EmulatedTiles, Multiplier::Own].map(with) {
        all.extend(runtime.own_products().map(|name| (runtime, name)));
    }
    Ok(all)
}

/// A checkpoint folder through the engine, with every extra.
pub(crate) fn run(folder: &Path, prompts: &[Vec<u32>]) -> Result<Vec<PromptObservation>, RunError> {
    run_on(&runtime()?, folder, prompts)
}

/// [`run`] on a runtime at hand.
pub(crate) fn run_on(
    runtime: &Runtime,
    folder: &Path,
    prompts: &[Vec<u32>],
) -> Result<Vec<PromptObservation>, RunError> {
    let checkpoint = Checkpoint::open(folder)?;
    let recipe = Recipe::read(checkpoint.config())?;
    let graphs = Graphs::build(&recipe)?;
    observe(runtime, &recipe, &graphs, &checkpoint, prompts, &Extra::ALL.iter().copied().collect(), &Silent)
}

pub(crate) fn golden(case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens").join(case)
}

/// Every golden with reference observations, sorted.
pub(crate) fn cases() -> Vec<String> {
    let mut cases: Vec<String> = fs::read_dir(golden(""))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().join("reference.json").is_file())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    cases.sort();
    cases
}
