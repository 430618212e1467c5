//! `streamgauge tap`: the residual stream of a decoder that another tool exported.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::options::CommonOptions;
use super::{output, table};
use model::tap::{self, Kind, Missing, Place, Tap};

/// Options of `tap`.
#[derive(Args)]
#[command(after_help = "Examples:\n  streamgauge tap model.onnx -o tapped.onnx\n  \
streamgauge tap model.onnx -o tapped.onnx --taps '*.hook_resid_post'\n\n\
The model stays as it is: the tapped file is its bytes with more outputs, float32 whatever the type inside. Nothing is\n\
written when the stream cannot be followed from the logits to the embedding; the error names the node where it ends.")]
pub(super) struct Arguments {
    /// ONNX decoder, e.g. of optimum, onnxruntime-genai or torch.onnx
    model: PathBuf,
    /// Where to write the tapped model; weights stored as external data must lie beside it
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Add only taps that match, e.g. 'blocks.*.hook_resid_post'; * stands for any text (repeatable)
    #[arg(long, value_name = "PATTERN")]
    taps: Vec<String>,
    #[command(flatten)]
    common: CommonOptions,
}

/// What `tap --json` prints.
#[derive(Serialize)]
pub(super) struct Tapped {
    pub schema: u32,
    pub model: PathBuf,
    pub output: PathBuf,
    /// One per block.
    pub blocks: Vec<Kind>,
    /// Operators by their part: final norm, residual sum, attention, product.
    pub operators: BTreeMap<&'static str, BTreeMap<String, usize>>,
    pub embedding: Place,
    pub taps: Vec<Added>,
    /// Taps that the model gave out before.
    pub present: Vec<&'static str>,
    pub missing: Vec<Missing>,
}

/// One added output.
#[derive(Serialize)]
pub(super) struct Added {
    pub name: String,
    /// The values whose sum it is.
    pub from: Vec<Place>,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let bytes = tap::map(&self.model)?;
        let found = tap::find(&bytes, &self.model)?;
        let added = |tap: &Tap| Added { name: tap.name.clone(), from: tap.from.clone() };
        let taps = found.write(&self.taps, &self.output)?.into_iter().map(added).collect();
        let tapped = Tapped {
            schema: 1,
            model: self.model,
            output: self.output,
            blocks: found.blocks,
            operators: found.forms,
            embedding: found.embedding,
            taps,
            present: found.present,
            missing: found.missing,
        };
        if self.common.json { output::print_json(&tapped) } else { output::print(&table::tapped(&tapped)) }
    }
}
