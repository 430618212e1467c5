//! How long it takes to plan 100,000 observations, and how much memory, first with an empty store and then with a full one.
//!
//! `cargo run --release --example plan_scale [results/bench/plan.md]` makes 50 models up (the zoo's, each with a weight
//! changed) and 2,000 prompts in the sets of the main experiment, and plans the shipped hypotheses on them. Each plan is made
//! by a process of its own, so that its peak of memory is that of planning and of nothing before it. What the second plan
//! finds in the store are made-up observations under the true keys, of one block instead of four.

#![allow(clippy::unwrap_used, reason = "an example that cannot go on ends")]

mod scale;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use app::{
    pipeline::{self, Places, Planned, WhenMissing},
    plan::Job,
    store,
};
use base::{
    device::{Device, Wanted},
    progress::Silent,
};
use number::{
    observation::{PromptObservation, TopToken},
    protocol::Bos,
};
use study::config::{self, Loaded, experiment::Prompt};

const MODELS: usize = 50;
const PROMPTS: usize = 2000;
const ZOO: [&str; 9] = [
    "apertus-tiny",
    "gemma-tiny",
    "gemma2-tiny",
    "gpt2-tiny",
    "llama2-tiny",
    "llama3-tiny",
    "llama3-instruct-tiny",
    "mistral-tiny",
    "pythia-tiny",
];
const CATEGORIES: [&str; 5] = ["Factual", "Syntactic", "Cliche", "Novel", "Nonsense"];
/// What asks this program for one plan, in a folder that is made.
const PLAN: &str = "--plan";

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, folder] = &given[..]
        && flag == PLAN
    {
        return plan_once(Path::new(folder));
    }
    let out = given.first().map_or("results/bench/plan.md", String::as_str);
    let folder = tempfile::tempdir()?;
    models(folder.path())?;
    let first = measured(folder.path())?;
    eprintln!("{first}");
    let jobs = fill(folder.path())?;
    let second = measured(folder.path())?;
    eprintln!("{second}");
    let text = format!(
        "# Planning at scale\n\n{MODELS} models, {PROMPTS} prompts, {jobs}; {} threads of {}. Written by \
         `scripts/bench/plan_scale.rs`.\n\n\
         Targets: 1 s, 300 MB. Planning opens and hashes the models, tokenises the prompts, makes every key, verifies the \
         store and compares; the last columns are of the whole process.\n\n\
         | plan | to run | planning, s | whole process, s | peak, MB |\n|---|---|---|---|---|\n\
         | first, the store empty | {first} |\n| second, every observation stored | {second} |\n",
        rayon::current_num_threads(),
        scale::cpu(),
    );
    scale::page(Path::new(out), &text)
}

/// The line of one plan, by a new process.
fn measured(folder: &Path) -> Result<String, Box<dyn Error>> {
    let start = Instant::now();
    let done = Command::new(std::env::current_exe()?).arg(PLAN).arg(folder).output()?;
    let seconds = start.elapsed().as_secs_f64();
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into());
    }
    let said = String::from_utf8(done.stdout)?;
    let [stale, planning, peak] = said.split_whitespace().collect::<Vec<_>>()[..] else {
        return Err(format!("a plan said {said:?}").into());
    };
    Ok(format!("{stale} | {planning} | {seconds:.2} | {peak}"))
}

/// Says how many jobs are stale, the seconds of planning and the peak of resident megabytes.
fn plan_once(folder: &Path) -> Result<(), Box<dyn Error>> {
    let loaded = experiment(folder)?;
    let start = Instant::now();
    let planned = plan(folder, &loaded)?;
    let seconds = start.elapsed().as_secs_f64();
    println!("{} {seconds:.2} {:.0}", planned.plan.stale(), scale::peak_bytes() / 1e6);
    Ok(())
}

fn plan<'a>(folder: &Path, loaded: &'a Loaded) -> Result<Planned<'a>, Box<dyn Error>> {
    let places = Places {
        store: folder.join("store"),
        results: folder.join("results"),
        device: Wanted::This(Device::Cpu),
        memory: None,
    };
    let planned = pipeline::plan(loaded, &places, WhenMissing::Report, &Silent)?;
    let observations = planned.plan.counts.iter().find(|count| count.kind == "observe");
    match observations {
        Some(count) if count.jobs == MODELS * PROMPTS => Ok(planned),
        _ => Err(format!("planned {:?}; {:?}", planned.plan.counts, planned.inputs.unmeasured).into()),
    }
}

/// The main experiment with other models and prompts, under one BOS policy.
fn experiment(folder: &Path) -> Result<Loaded, Box<dyn Error>> {
    let mut loaded =
        config::load(Path::new("experiments/reproduce.toml")).map_err(|report| report.render(false))?;
    loaded.experiment.bos = vec![Bos::Auto];
    let shipped = loaded.models.models.clone();
    let model = |number: usize| {
        let mut model = shipped.iter().find(|model| model.id == ZOO[number % ZOO.len()])?.clone();
        model.id = id(number);
        model.folder = Some(folder.join(id(number)).to_str()?.to_string());
        (model.base, model.change, model.series, model.step) = (None, None, None, None);
        Some(model)
    };
    loaded.models.models = (0..MODELS).map(model).collect::<Option<_>>().ok_or("the zoo is another")?;
    let sets = loaded.prompt_sets.len();
    for (number, set) in loaded.prompt_sets.iter_mut().enumerate() {
        let mine = (0..PROMPTS).filter(|prompt| prompt % sets == number);
        set.prompts = mine.map(prompt).collect();
    }
    Ok(loaded)
}

fn id(number: usize) -> String {
    format!("{}-{number:02}", ZOO[number % ZOO.len()])
}

fn prompt(number: usize) -> Prompt {
    let (city, thing) = (number / 40, ["harbour", "library", "market", "bridge"][number % 4]);
    Prompt {
        id: format!("prompt-{number:04}"),
        category: CATEGORIES[number % CATEGORIES.len()].into(),
        text: format!("In city number {city} the old {thing} of street {number} was opened in the year of"),
    }
}

/// A folder for every model: the zoo's files, the last weight another.
fn models(folder: &Path) -> Result<(), Box<dyn Error>> {
    for number in 0..MODELS {
        let from = PathBuf::from("data/zoo").join(ZOO[number % ZOO.len()]);
        let to = folder.join(id(number));
        std::fs::create_dir(&to)?;
        for name in ["config.json", "tokenizer.json", "tokenizer_config.json"] {
            std::fs::copy(from.join(name), to.join(name))?;
        }
        let mut weights = std::fs::read(from.join("model.safetensors"))?;
        if let Some(byte) = weights.iter_mut().nth_back(1) {
            *byte = number as u8;
        }
        std::fs::write(to.join("model.safetensors"), weights)?;
    }
    Ok(())
}

/// Stores an observation for every cell, a segment a model. Returns the jobs in words.
fn fill(folder: &Path) -> Result<String, Box<dyn Error>> {
    let loaded = experiment(folder)?;
    let planned = plan(folder, &loaded)?;
    let observed = planned.plan.jobs.iter().map(|planned| &planned.job).filter(|job| job.kind == "observe");
    let observed: Vec<&Job> = observed.collect();
    for model in observed.chunk_by(|a, b| a.model == b.model) {
        let cells = model.iter().map(|job| {
            let cell = &planned.inputs.cells[job.index];
            store::Cell {
                slot: job.slot.clone(),
                fields: cell.fields(),
                observation: made_up(&cell.token_ids),
            }
        });
        planned.inputs.store.put_observations(&cells.collect::<Vec<_>>())?;
    }
    let jobs = planned.plan.counts.iter().map(|count| format!("{} {}", count.jobs, count.kind));
    Ok(format!("{} jobs ({})", planned.plan.jobs.len(), jobs.collect::<Vec<_>>().join(", ")))
}

fn made_up(token_ids: &[u32]) -> PromptObservation {
    let mut made = PromptObservation::made([1, token_ids.len(), 1], |tap, _| match tap {
        "attn_off_diagonal" => 0.5,
        "logit_shift" => 0.1,
        _ => 1.0,
    });
    made.token_ids = token_ids.to_vec();
    made.top = (0..5).map(|id| TopToken { id, prob: 0.1 }).collect();
    ["loss_nats", "lens_entropy_nats"].iter().for_each(|tap| made.take(tap));
    made
}
