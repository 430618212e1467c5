//! `streamgauge measure`: one model, some prompts, every tap and every protocol.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::{Exit, Failure};
use super::model_argument::{self, cannot_look_at};
use super::options::{CommonOptions, ComputeOptions};
use super::{check, output, profile, progress, speed::Meter, table};
use crate::pipeline::{self, Measured, PendingTokenizer, Request, Source};
use crate::store::Store;
use base::{lookup, progress::Progress};
use engine::run::Runtime;
use model::checkpoint::Memo;
use number::facts::ModelFacts;
use number::observation::{ATTENTION, Axes, Extra, Extras, MLP, PromptObservation, named};
use number::protocol::Bos;
use study::config::{self, experiment::PromptSet};

const EXAMPLES: &str = "Examples:
  streamgauge measure llama3-tiny --prompt \"The capital of France is\"
  streamgauge measure EleutherAI/pythia-70m@step1000 --prompt \"The capital of France is\"
  streamgauge measure ./my-checkpoint --prompts grand25 --bos never --json
  streamgauge measure ./my-checkpoint --tokens 1,2,3 --tokens 4,5
  streamgauge measure tapped.onnx --tokens 1,2,3   (a decoder of another tool, after `streamgauge tap`)";

/// The examples, and the shape of the JSON with every tap.
fn help() -> String {
    let mut taps = String::new();
    for tap in named(&[ATTENTION, MLP]).iter().filter(|tap| !tap.tap.optional || tap.tap.axes == Axes::Heads)
    {
        if tap.branch.as_deref() == Some(MLP) && tap.tap.axes == Axes::Heads {
            continue; // only attention has heads
        }
        let shape = tap.tap.axes.to_string();
        let space = if shape.is_empty() { "" } else { " " };
        taps.push_str(&format!("\n  {}{space}{shape}: {}", table::json_name(tap), tap.meaning()));
    }
    format!(
        "{EXAMPLES}\n\nJSON: {{schema, model, runtime, bos, notes, observations: [{{prompt, token_ids [T], tokens [T], top, gains, \
         metrics, and the taps}}]}};\n\
         gains[\"<reduction>/<endpoint>\"] = {{last, cumulative, by_layer [L]}};\n\
         metrics[\"<reduction>/<endpoint>\"][\"<metric>\"] = a number, or {{layer: number}}; a part that does not enter the number is a \
         hyphen, e.g. metrics[\"-/-\"][\"output-entropy\"].\n\
         Taps, of L blocks, T tokens and H heads; norms are L2 over the width, float32; null where not observed:{taps}"
    )
}

/// Options of `measure`.
#[derive(Args)]
#[command(after_help = help())]
pub(super) struct Arguments {
    /// Id in the model list, a folder with config.json and model.safetensors, a GGUF file, a model of the Hugging Face hub, or
    /// an ONNX decoder with taps
    model: String,
    #[command(flatten)]
    input: Input,
    /// Beginning-of-sequence token: what the tokenizer does, always one, or never one
    #[arg(long, value_enum, default_value_t = Bos::Auto)]
    bos: Bos,
    /// What else to observe; a prompt set may ask for some itself
    #[arg(long, value_enum, value_delimiter = ',', value_name = "EXTRAS")]
    extras: Vec<Extra>,
    /// Size of an axis that an ONNX file names but does not fix, e.g. kv_cache_dim=128; may be given several times
    #[arg(long = "axis", value_name = "NAME=SIZE", value_parser = axis)]
    axes: Vec<(String, usize)>,
    /// Model list, where ids are looked up
    #[arg(long, value_name = "FILE", default_value = "experiments/models.toml")]
    models: PathBuf,
    /// Folder of the store; by default results/store when the folder `results` is here, else nothing is stored
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    #[command(flatten)]
    on: ComputeOptions,
    #[command(flatten)]
    common: CommonOptions,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Input {
    /// Prompt text; may be given several times
    #[arg(long = "prompt", value_name = "TEXT", allow_hyphen_values = true)]
    texts: Vec<String>,
    /// Prompt set: a file, or an id in experiments/prompts
    #[arg(long = "prompts", value_name = "SET")]
    set: Option<String>,
    /// Token ids as they are (no BOS is added); may be given several times
    #[arg(long = "tokens", value_name = "IDS", allow_hyphen_values = true)]
    tokens: Vec<String>,
}

fn axis(text: &str) -> Result<(String, usize), String> {
    let parsed = text.split_once('=').and_then(|(name, size)| Some((name.to_string(), size.parse().ok()?)));
    parsed.ok_or_else(|| "expected a name and a size, e.g. kv_cache_dim=128".to_string())
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let file = Path::new(&self.model);
        let is_file = |file| lookup::is_file(file).map_err(|error| cannot_look_at(file, &error));
        if file.extension().is_some_and(|extension| extension == "onnx") && is_file(file)? {
            return self.run_onnx(file);
        }
        let _profile = profile::start(self.on.profile.as_deref())?;
        let bar = progress::new(self.common.quiet);
        let store_at =
            self.store.clone().or_else(|| Path::new("results").is_dir().then(|| "results/store".into()));
        let store = match store_at.as_deref().map(Store::open).transpose() {
            Err(error) if self.store.is_none() => {
                bar.note(&format!("measuring without a store: {error}")); // nobody asked for one
                None
            }
            store => store?,
        };
        let memo = match &store_at {
            Some(folder) => Memo::at(&folder.join("identities.json")),
            None => Memo::none(),
        };
        let subject =
            model_argument::open(&self.model, &self.models, pipeline::tokenizer, &memo, bar.as_ref())?;
        let (inputs, extras) = self.input.read(&self.extras)?;
        let runtime = pipeline::runtime(self.on.device, self.on.memory(), bar.as_ref())?;
        let requests = self.requests(inputs, &subject.tokenizer, bar.as_ref())?;
        let meter = Meter::new(bar.as_ref());
        let source = Source::Model { subject: &subject, extras: &extras, store: store.as_ref() };
        let Measured { observations, kept } =
            pipeline::measure_requests(source, &requests, &runtime, &meter)?;
        if !self.common.quiet {
            meter.say(&runtime);
        }
        match kept {
            Err(error) if self.store.is_none() => bar.note(&format!("shown, but not kept: {error}")),
            kept => kept?,
        }
        let mut measured = table::Measured::subject(&subject);
        measured.notes.extend(self.note(&subject.tokenizer));
        self.show(&measured, &runtime, &subject.tokenizer, &requests, &observations)
    }

    /// Prints what was measured of each request.
    fn show(
        &self,
        measured: &table::Measured,
        runtime: &Runtime,
        tokenizer: &PendingTokenizer,
        requests: &[Request],
        found: &[PromptObservation],
    ) -> Result<Exit, Failure> {
        // Token ids need none: without one they stand for themselves.
        let text =
            |id: u32| tokenizer.as_ref().map_or_else(|_| format!("<{id}>"), |tokenizer| tokenizer.token(id));
        let rows: Vec<table::MeasuredRow<'_>> = requests
            .iter()
            .zip(found)
            .map(|(request, observation)| table::MeasuredRow {
                prompt: request.text.as_deref(),
                tokens: request.ids.iter().map(|&id| text(id)).collect(),
                top_tokens: observation.top.iter().map(|top| text(top.id)).collect(),
                observation,
            })
            .collect();
        // Token ids are run as they are: no policy decided about a BOS.
        let bos = self.has_text().then_some(self.bos);
        if self.common.json {
            output::print_json(&table::measured_json(measured, runtime, bos, &rows))
        } else {
            output::print(&table::measured(measured, bos, &rows))
        }
    }

    /// Whether something is given as text.
    fn has_text(&self) -> bool {
        self.input.tokens.is_empty()
    }

    /// A decoder that another tool exported, with the outputs that `tap` gave it; nothing is stored.
    fn run_onnx(&self, file: &Path) -> Result<Exit, Failure> {
        let bar = progress::new(self.common.quiet);
        let name = file.display().to_string();
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let tokenizer = pipeline::tokenizer(folder.unwrap_or(Path::new(".")));
        let (inputs, extras) = self.input.read(&self.extras)?;
        if !extras.is_empty() {
            bar.note("extras are observed of checkpoints only, not of ONNX files");
        }
        let runtime = pipeline::runtime(self.on.device, self.on.memory(), bar.as_ref())?;
        let requests = self.requests(inputs, &tokenizer, bar.as_ref())?;
        let sizes: BTreeMap<String, usize> = self.axes.iter().cloned().collect();
        let source = Source::Decoder { file, sizes: &sizes };
        let found = pipeline::measure_requests(source, &requests, &runtime, bar.as_ref())?.observations;
        let facts =
            ModelFacts { blocks: found.first().map(|seen| seen.blocks() as u32), ..ModelFacts::default() };
        let notes = self.note(&tokenizer).into_iter().collect();
        let measured = table::Measured { id: name, facts, weights: None, dtype: "as exported", notes };
        self.show(&measured, &runtime, &tokenizer, &requests, &found)
    }

    /// What of the tokenizer is not followed, where it is used.
    fn note(&self, tokenizer: &PendingTokenizer) -> Option<String> {
        self.has_text().then(|| tokenizer.as_ref().ok()?.note()).flatten()
    }

    /// The token ids of each input, by the tokenizer if it is a text.
    fn requests(
        &self,
        inputs: Vec<One>,
        tokenizer: &PendingTokenizer,
        progress: &dyn Progress,
    ) -> Result<Vec<Request>, Failure> {
        self.note(tokenizer).into_iter().for_each(|note| progress.note(&note));
        let request = |input| match input {
            One::Ids(ids) => Ok(Request { text: None, ids }),
            One::Text(text) => {
                let tokenizer = tokenizer.as_ref().map_err(|error| bad(error.clone()))?;
                let ids = tokenizer
                    .encode(&text, self.bos)
                    .map_err(|error| bad(format!("prompt {text:?}: {error}")))?;
                Ok(Request { text: Some(text), ids })
            }
        };
        inputs.into_iter().map(request).collect()
    }
}

/// What a person gave to be run.
enum One {
    Text(String),
    Ids(Vec<u32>),
}

impl Input {
    /// All of it, and what to observe beside the usual.
    fn read(&self, extras: &[Extra]) -> Result<(Vec<One>, Extras), Failure> {
        let mut extras: Extras = extras.iter().copied().collect();
        let mut inputs: Vec<One> = self.texts.iter().cloned().map(One::Text).collect();
        if let Some(name) = &self.set {
            let set = prompt_set(name)?;
            extras.extend(set.extras);
            inputs.extend(set.prompts.into_iter().map(|prompt| One::Text(prompt.text)));
        }
        for list in &self.tokens {
            let ids = list.split(',').map(|id| id.trim().parse::<u32>()).collect::<Result<Vec<_>, _>>();
            let ids = ids.map_err(|_| {
                bad(format!("--tokens {list:?}: expected token ids separated by commas, e.g. --tokens 1,2,3"))
            })?;
            inputs.push(One::Ids(ids));
        }
        Ok((inputs, extras))
    }
}

fn bad(message: String) -> Failure {
    Failure::new(Exit::BadInput, message)
}

fn prompt_set(name: &str) -> Result<PromptSet, Failure> {
    let file = Path::new(name);
    let is_file = |file| lookup::is_file(file).map_err(|error| cannot_look_at(file, &error));
    let path = if is_file(file)? {
        file.to_path_buf()
    } else {
        let folder = Path::new("experiments/prompts");
        let path = folder.join(format!("{name}.toml"));
        if !is_file(&path)? {
            let mut known: Vec<String> = std::fs::read_dir(folder)
                .into_iter()
                .flatten()
                .filter_map(|entry| {
                    entry.ok()?.file_name().to_str()?.strip_suffix(".toml").map(str::to_string)
                })
                .collect();
            known.sort();
            let known = if known.is_empty() { "none".to_string() } else { known.join(", ") };
            let message =
                format!("{name:?} is neither a prompt set file nor one of {}: {known}", folder.display());
            return Err(Failure::new(Exit::BadConfig, message));
        }
        path
    };
    config::load_prompts(&path).map_err(|report| check::bad(&report))
}
