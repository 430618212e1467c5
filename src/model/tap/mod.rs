//! Tapping a decoder that someone else exported: its residual stream is found in the graph, and given out under the
//! names of TransformerLens.
//!
//! `read` (the file as a graph, in place) → `head` (logits back to the final norm) → `chain` (the stream, addition by
//! addition) → `block` (which additions make a block) → `write` (the same bytes with more outputs).

mod block;
mod chain;
mod error;
mod head;
mod model;
mod norm;
mod op;
mod output;
mod place;
mod read;
mod remedy;
mod taps;
mod wire;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use block::Kind;
pub use error::TapError;
pub use output::{Missing, Tap};
pub use place::Place;
pub use read::ReadError;

use memmap2::Mmap;

use base::foreign;
use base::glob;
use block::Ungrouped;
use chain::Step;
use head::Head;
use model::{Id, Model};
use norm::Point;
use output::LOGITS;

/// What was found in a file.
pub struct Found<'a> {
    model: Model<'a>,
    bytes: &'a [u8],
    file: PathBuf,
    /// What each block is made of.
    pub blocks: Vec<Kind>,
    /// Taps that can be added, in the order of the flow.
    pub taps: Vec<Tap>,
    /// Taps that the model gives out already.
    pub present: Vec<&'static str>,
    /// Taps that cannot be.
    pub missing: Vec<Missing>,
    /// Operators met, by their part in the model: `sum`, `norm`, `attention`, `product`.
    pub forms: BTreeMap<&'static str, BTreeMap<String, usize>>,
    /// Where the stream begins.
    pub embedding: Place,
}

/// The bytes of a model file, mapped.
///
/// # Errors
/// There is no such file, or it cannot be read.
pub fn map(file: &Path) -> Result<Mmap, TapError> {
    let failed = |source| TapError::Read { file: file.to_path_buf(), source };
    let opened = foreign::open(file).map_err(failed)?;
    // SAFETY: the map is only read. Another process that truncates the file while it is mapped could end this one
    // with a bus error; files of weights are mapped under the same condition.
    unsafe { Mmap::map(&opened) }.map_err(failed)
}

/// Finds the residual stream of a decoder.
///
/// # Errors
/// The file is no ONNX model, or the search ended before the whole stream was found: what was searched for, and where
/// it stopped.
pub fn find<'a>(bytes: &'a [u8], file: &Path) -> Result<Found<'a>, TapError> {
    let model =
        Model::read(bytes).map_err(|reason| TapError::NotOnnx { file: file.to_path_buf(), reason })?;
    let head = head::find(&model, file)?;
    let (steps, start) = chain::follow(&model, head.end);
    let embedding = embedding(&model, &head, &steps, start, file)?;
    let blocks = block::group(&steps).map_err(|reason| ungrouped(&model, &steps, &reason, file))?;
    let (taps, missing) = taps::name(&model, &head, &blocks, embedding, steps.iter().any(|step| step.laid));
    if let Some(tap) = taps.iter().find(|tap| model.find(&tap.name).is_some()) {
        return Err(TapError::Tapped { file: file.to_path_buf(), name: tap.name.clone() });
    }
    Ok(Found {
        bytes,
        file: file.to_path_buf(),
        blocks: blocks.iter().map(|block| block.kind).collect(),
        taps,
        present: model.outputs.iter().filter(|v| model.values[**v].name == LOGITS).map(|_| LOGITS).collect(),
        missing,
        forms: forms(&model, &head, &steps),
        embedding: model.place(embedding),
        model,
    })
}

/// The embedding lookup (or graph input) behind the point where no further addition was found.
fn embedding(
    model: &Model<'_>,
    head: &Head,
    steps: &[Step],
    start: Point,
    file: &Path,
) -> Result<Id, TapError> {
    let stopped = |found: String, next: String| TapError::NoStream {
        file: file.to_path_buf(),
        end: point_place(model, head.end),
        found,
        place: point_place(model, start),
        next,
    };
    let Point::Value(start) = start else {
        let next = "neither operand of its sum is read by the other".to_string();
        return Err(stopped("none".to_string(), next));
    };
    let behind = chain::behind(model, start);
    if !steps.is_empty() && !behind.blocks {
        return Ok(behind.embedding.unwrap_or(start));
    }
    let found = match steps {
        [] => "none".to_string(),
        steps => format!("{} of them", steps.len()),
    };
    Err(stopped(found, remedy::of(model, start)))
}

fn ungrouped(model: &Model<'_>, steps: &[Step], reason: &Ungrouped, file: &Path) -> TapError {
    let reason = match reason {
        Ungrouped::NoAttention => format!(
            "{} residual additions were found, but in no branch an attention: neither an operator for it nor a softmax \
             whose result is multiplied with other activations",
            steps.len()
        ),
        Ungrouped::AttentionTwice(point) => format!(
            "two attention branches follow each other at {} though other blocks have one and an MLP, as in the decoder \
             of an encoder-decoder",
            point_place(model, *point)
        ),
    };
    TapError::NoBlocks { file: file.to_path_buf(), reason }
}

fn point_place(model: &Model<'_>, point: Point) -> Place {
    match point {
        Point::Value(value) => model.place(value),
        Point::Unnamed(node) => model.node_place(node),
    }
}

fn forms(model: &Model<'_>, head: &Head, steps: &[Step]) -> BTreeMap<&'static str, BTreeMap<String, usize>> {
    let mut forms: BTreeMap<&'static str, BTreeMap<String, usize>> = BTreeMap::new();
    let mut count =
        |part, form: &str| *forms.entry(part).or_default().entry(form.to_string()).or_default() += 1;
    steps.iter().for_each(|step| count("sum", &step.form));
    head.norm.iter().for_each(|norm| count("final norm", norm.form));
    for node in &model.nodes {
        if op::ATTENTION.contains(&node.op) || node.op == "Softmax" {
            count("attention", node.op);
        }
        if op::PRODUCT.contains(&node.op) {
            count("product", node.op);
        }
    }
    forms
}

impl Found<'_> {
    /// Writes the model with those taps as outputs that match one of the patterns; all if there are none. Gives the
    /// taps written.
    ///
    /// # Errors
    /// A pattern matches nothing, or the file cannot be written where it should be.
    pub fn write(&self, patterns: &[String], target: &Path) -> Result<Vec<&Tap>, TapError> {
        for pattern in patterns {
            if !self.taps.iter().any(|tap| glob::matches(pattern, &tap.name)) {
                let found = self.taps.iter().map(|tap| tap.name.as_str()).collect::<Vec<_>>().join(", ");
                return Err(TapError::NoMatch { pattern: pattern.clone(), found });
            }
        }
        let chosen = |tap: &&Tap| {
            patterns.is_empty() || patterns.iter().any(|pattern| glob::matches(pattern, &tap.name))
        };
        let taps: Vec<&Tap> = self.taps.iter().filter(chosen).collect();
        write::write(self.bytes, &self.model, &taps, &self.file, target)?;
        Ok(taps)
    }
}
