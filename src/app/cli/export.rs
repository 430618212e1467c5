//! `streamgauge export`: a model as one ONNX file with residual outputs, for other tools.

use std::path::PathBuf;

use clap::Args;

use super::exit::{Exit, Failure};
use super::options::CommonOptions;
use super::{model_argument, output, progress, table};
use crate::pipeline;

/// Options of `export`.
#[derive(Args)]
#[command(after_help = "Examples:\n  streamgauge export llama3-tiny -o exported\n  \
streamgauge export ./my-checkpoint -o exported --taps \"*.hook_resid_post\" --taps logits\n\n\
Inputs, each int64 [T]: input_ids; position_ids (0, 1, .. in each prompt); segment_ids (one number\n\
per prompt: tokens see their own segment only). One prompt of T tokens: positions 0..T-1, segments 0.\n\
Outputs, float32 [T, D], named as TransformerLens does: blocks.0.hook_resid_pre, .hook_attn_out,\n\
.hook_resid_mid (sequential blocks), .hook_mlp_out, .hook_resid_post, ln_final.hook_normalized; logits.\n\
Weights are not copied: they are external data in the checkpoint's own files, hard links in the folder. ONNX\n\
Runtime reads them; onnx.load and onnx.checker refuse links, so for them export into the checkpoint's own folder\n\
or with --self-contained. What is quantised is written beside the model as float32.")]
pub(super) struct Arguments {
    /// Id in the model list, a folder with config.json and model.safetensors, a GGUF file, or owner/name[@revision] of the hub
    model: String,
    /// Folder to write model.onnx into; made if it is not there
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// Outputs by name or pattern (* stands for any text); may be given several times. Default: all
    #[arg(long, value_name = "NAME", num_args = 1..)]
    taps: Vec<String>,
    /// Copy the weights instead of linking them
    #[arg(long)]
    self_contained: bool,
    /// Model list, where ids are looked up
    #[arg(long, value_name = "FILE", default_value = "experiments/models.toml")]
    models: PathBuf,
    #[command(flatten)]
    common: CommonOptions,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Exit, Failure> {
        let found =
            model_argument::find(&self.model, &self.models, progress::new(self.common.quiet).as_ref())?;
        let intervention = found.listed.as_ref().and_then(pipeline::change);
        let checkpoint = pipeline::checkpoint(&found.folder, intervention)?;
        let exported = model::export::export(&checkpoint, &self.taps, &self.output, self.self_contained)?;
        if self.common.json {
            output::print_json(&exported)
        } else {
            output::print(&table::exported(&exported))
        }
    }
}
