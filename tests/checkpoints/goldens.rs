//! Where the goldens lie, which there are, what their references say, and what the engine measures on them.

// Every integration test compiles this file by itself and uses what it needs.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use base::{device::Wanted, progress::Silent};
use engine::run::{Graphs, Multiplier, RunError, Runtime, observe};
use model::{arch::Recipe, checkpoint::Checkpoint};
use number::observation::{Axes, Extra, PromptObservation};
use serde::Deserialize;
use serde_json::Value;

/// `tests/goldens/<case>/reference.json`.
#[derive(Deserialize)]
pub(crate) struct Reference {
    pub family: String,
    pub prompts: Vec<Prompt>,
}

#[derive(Deserialize)]
pub(crate) struct Prompt {
    pub token_ids: Vec<u32>,
    pub top: Vec<Top>,
    /// Every tap by its name in the reference.
    #[serde(flatten)]
    taps: BTreeMap<String, Value>,
}

impl Prompt {
    /// The reference's values of a tap, as rows of the table that an observation has; `None` where it has none.
    pub(crate) fn tap(&self, name: &str, axes: Axes) -> Option<Vec<Vec<f64>>> {
        let name = if name == "final_norm" { "final" } else { name };
        let value = self.taps.get(name).filter(|value| !value.is_null())?;
        // Null is what a block does not have.
        let number = |value: &Value| if value.is_null() { f64::NAN } else { value.as_f64().unwrap() };
        let read = |value: &Value| value.as_array().unwrap().iter().map(number).collect::<Vec<f64>>();
        let of_token = |value: &Value| value.as_array().unwrap().iter().flat_map(read).collect();
        Some(match axes {
            Axes::Stream | Axes::Blocks | Axes::Heads | Axes::Experts => {
                value.as_array().unwrap().iter().map(read).collect()
            }
            Axes::Choices => value.as_array().unwrap().iter().map(of_token).collect(),
            Axes::Layers => read(value).into_iter().map(|number| vec![number]).collect(),
            Axes::Tokens => vec![read(value)],
            Axes::Prompt => vec![vec![value.as_f64().unwrap()]],
        })
    }
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
    let recipe = Recipe::of_checkpoint(&checkpoint)?;
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
