//! Figures of the report that are read off evidence rows: what is drawn, from which rows, under which protocols.
//!
//! Each is built from the rows of one kind of evidence, never from those of several.

mod training;

use number::evidence::{Evidence, Measurement};
use number::metric::Metric;
use number::protocol::Protocol;

pub use training::training_figures;

/// One figure, ready to be drawn and written as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Stem of its file names without the evidence, e.g. `layer-gains`.
    pub key: &'static str,
    /// Where its rows come from.
    pub evidence: Evidence,
    /// What it shows.
    pub title: &'static str,
    /// How its marks belong together.
    pub form: Form,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// Where y says "nothing happens".
    pub reference: Option<f64>,
    /// Told apart by shape and colour; none without marks.
    pub series: Vec<Series>,
    /// Protocols of all numbers, sorted.
    pub protocols: Vec<Protocol>,
    /// Metrics of its numbers.
    pub metrics: Vec<Metric>,
    /// What was computed from the rows, one or two sentences.
    pub how: &'static str,
    /// Sources of the rows, sorted.
    pub sources: Vec<String>,
    /// Rows that entered.
    pub rows: usize,
}

/// How the marks of a series belong together.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// Joined along layers.
    Lines,
    /// Joined along any x.
    Joined,
    /// One by one.
    Points,
    /// Side by side within these categories, x being an index into them.
    Strip(Vec<String>),
}

/// What an axis of a figure measures.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Quantity and unit.
    pub label: &'static str,
    /// Whether equal ratios, not equal differences, lie equally far apart.
    pub logarithmic: bool,
}

/// Marks of one model, or of one protocol.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The model or the protocol.
    pub name: String,
    /// In the order of x where they are joined.
    pub marks: Vec<Mark>,
}

/// One value of y, with the range of the prompts behind it where there are several.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// What it is of: a prompt, a model, a layer.
    pub label: String,
    /// In the unit of its axis; in a strip the index of a category.
    pub x: f64,
    /// In the unit of its axis.
    pub y: f64,
    /// The smallest and the largest of the values behind y.
    pub range: Option<(f64, f64)>,
    /// Rows behind y.
    pub n: usize,
}

impl Figure {
    /// `layer-gains-published`.
    pub fn name(&self) -> String {
        format!("{}-{}", self.key, self.evidence)
    }

    /// The marks of all series.
    pub fn marks(&self) -> impl Iterator<Item = &Mark> {
        self.series.iter().flat_map(|series| &series.marks)
    }
}

/// Geometric mean and range of positive values.
pub(in crate::report) fn pooled(label: String, x: f64, rows: &[&Measurement]) -> Option<Mark> {
    let values: Vec<f64> = rows.iter().map(|row| row.value).filter(|value| *value > 0.0).collect();
    let low = values.iter().copied().reduce(f64::min)?;
    let high = values.iter().copied().reduce(f64::max)?;
    let y = (values.iter().map(|value| value.ln()).sum::<f64>() / values.len() as f64).exp();
    Some(Mark { label, x, y, range: (values.len() > 1).then_some((low, high)), n: values.len() })
}
