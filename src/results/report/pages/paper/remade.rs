//! The figures of the paper, each remade from evidence rows under one stated protocol.

use std::collections::{BTreeMap, BTreeSet};

use crate::report::figures::{Axis, Figure, Form, Mark, Series, pooled};
use number::evidence::{Evidence, EvidenceTable, Measurement};
use number::index::EvidenceIndex;
use number::metric::Metric;
use number::protocol::{Bos, Endpoint, Protocol, Reduction};
use study::published::llama::CAPITAL;

const LAST: Protocol = Protocol::new(Reduction::Last, Endpoint::LastBlock, Bos::Auto);
const FROBENIUS: Protocol = Protocol::new(Reduction::Frobenius, Endpoint::LastBlock, Bos::Auto);
/// The published table with layer profiles of four models, all on the prompt [`CAPITAL`].
const FOUR_MODELS: &str = "four_model";
/// The published table with 25 prompts for each of four models.
const UNIFIED: &str = "grand_unified";
/// The published table of base models and the models tuned from them.
const TWINS: &str = "twin_test";

/// All that the rows allow, each from one kind of evidence. A figure without rows is left out.
pub fn published_figures(indices: &[(Evidence, EvidenceIndex<'_>)]) -> Vec<Figure> {
    let builders = [layer_gains, cumulative, unembedding, twins, entropy, categories];
    let figures = builders.iter().flat_map(|build| {
        indices.iter().map(move |(evidence, index)| build(&Rows { evidence: *evidence, index }))
    });
    figures.filter(|figure| figure.marks().next().is_some()).collect()
}

/// Evidence rows of one kind, and which of them entered a figure.
struct Rows<'a> {
    evidence: Evidence,
    index: &'a EvidenceIndex<'a>,
}

impl<'a> Rows<'a> {
    /// Usable rows of a metric. `source` narrows published rows only: what was observed here has one source.
    fn of(
        &self,
        metric: Metric,
        protocol: Protocol,
        source: &'a str,
    ) -> impl Iterator<Item = &'a Measurement> {
        let published = self.evidence == Evidence::Published;
        let changed = self.changed();
        self.index.under(metric, protocol).filter(move |row| {
            (!published || source.is_empty() || row.source == source)
                && row.value.is_finite()
                && !changed.contains(row.model.as_str())
        })
    }

    /// Stages of a training and variants made here: no figure of the research has any.
    fn changed(&self) -> BTreeSet<&'a str> {
        let models = self.index.table.models.iter().filter(|model| !model.facts.is_original());
        models.map(|model| model.id.as_str()).collect()
    }
}

/// What a figure is before its rows are known.
struct Sketch {
    key: &'static str,
    title: &'static str,
    form: Form,
    x: Axis,
    y: Axis,
    reference: Option<f64>,
    metrics: &'static [Metric],
    how: &'static str,
}

impl Sketch {
    fn figure(self, evidence: Evidence, series: Vec<Series>, used: &[&Measurement]) -> Figure {
        let protocols: BTreeSet<Protocol> = used.iter().filter_map(|row| row.protocol).collect();
        let sources: BTreeSet<String> = used.iter().map(|row| row.source.to_string()).collect();
        Figure {
            key: self.key,
            evidence,
            title: self.title,
            form: self.form,
            x: self.x,
            y: self.y,
            reference: self.reference,
            series: series.into_iter().filter(|series| !series.marks.is_empty()).collect(),
            protocols: protocols.into_iter().collect(),
            metrics: self.metrics.to_vec(),
            how: self.how,
            sources: sources.into_iter().collect(),
            rows: used.len(),
        }
    }
}

fn linear(label: &'static str) -> Axis {
    Axis { label, logarithmic: false }
}

fn logarithmic(label: &'static str) -> Axis {
    Axis { label, logarithmic: true }
}

/// Rows by model, models in the order of their names.
fn by_model<'a>(rows: &[&'a Measurement]) -> BTreeMap<&'a str, Vec<&'a Measurement>> {
    let mut models: BTreeMap<&str, Vec<&Measurement>> = BTreeMap::new();
    for row in rows {
        models.entry(&row.model).or_default().push(row);
    }
    models
}

fn layers(rows: &Rows<'_>, sketch: Sketch, metric: Metric, value: fn(&[&Measurement], f64) -> f64) -> Figure {
    let used: Vec<&Measurement> = rows
        .of(metric, FROBENIUS, FOUR_MODELS)
        .filter(|row| row.prompt.as_deref() == Some(CAPITAL) && row.layer.is_some())
        .collect();
    let series = by_model(&used).into_iter().map(|(model, mut rows)| {
        rows.sort_by_key(|row| row.layer);
        let marks = rows.iter().map(|row| Mark {
            label: format!("layer {}", row.layer.unwrap_or(0)),
            x: f64::from(row.layer.unwrap_or(0)),
            y: value(&rows, row.value),
            range: None,
            n: 1,
        });
        Series { name: model.to_string(), marks: marks.filter(|mark| mark.y.is_finite()).collect() }
    });
    let series = series.collect();
    sketch.figure(rows.evidence, series, &used)
}

fn layer_gains(rows: &Rows<'_>) -> Figure {
    let sketch = Sketch {
        key: "layer-gains",
        title: "Gain of every layer on one prompt",
        form: Form::Lines,
        x: linear("layer l"),
        y: logarithmic("layer gain, ratio of norms"),
        reference: Some(1.0),
        metrics: &[Metric::LayerGain],
        how: "Each point is one row: the norm after a block over the norm before it, on the prompt “The capital of France \
              is”. Above 1 the block lengthens the stream.",
    };
    layers(rows, sketch, Metric::LayerGain, |_, value| value)
}

fn cumulative(rows: &Rows<'_>) -> Figure {
    let sketch = Sketch {
        key: "cumulative-energy",
        title: "Cumulative amplification (“energy”) along the layers",
        form: Form::Lines,
        x: linear("layer l"),
        y: logarithmic("norm at layer l over norm of the embedding, ratio"),
        reference: Some(1.0),
        metrics: &[Metric::ResidualNorm],
        how: "Each point divides the row of its layer by the row of layer 0, on the prompt “The capital of France is”. It is \
              a ratio of norms: the publication's word is energy, but no square is taken.",
    };
    layers(rows, sketch, Metric::ResidualNorm, |all, value| {
        let start = all.iter().find(|row| row.layer == Some(0));
        start.map_or(f64::NAN, |row| value / row.value)
    })
}

fn unembedding(rows: &Rows<'_>) -> Figure {
    let sketch = Sketch {
        key: "unembedding-and-gain",
        title: "Spectral norm of the unembedding against the last gain",
        form: Form::Points,
        x: logarithmic("largest singular value of W_U"),
        y: logarithmic("last gain, ratio of norms"),
        reference: Some(1.0),
        metrics: &[Metric::UnembeddingSpectralNorm, Metric::LastGain],
        how: "One point per model and protocol: y is the geometric mean of the model's last gains over prompts (bar: their \
              range), x the mean of the rows of its unembedding. A model without both is left out.",
    };
    let mut used: Vec<&Measurement> = Vec::new();
    let mut norms: BTreeMap<&str, Vec<&Measurement>> = BTreeMap::new();
    for row in rows.of(Metric::UnembeddingSpectralNorm, LAST, "") {
        norms.entry(&row.model).or_default().push(row);
    }
    let mut series = Vec::new();
    for protocol in [LAST, FROBENIUS] {
        let gains: Vec<&Measurement> =
            rows.of(Metric::LastGain, protocol, "").filter(|row| row.prompt.is_some()).collect();
        let mut marks = Vec::new();
        for (model, gains) in by_model(&gains) {
            let Some(norm) = norms.get(model) else { continue };
            let x = norm.iter().map(|row| row.value).sum::<f64>() / norm.len() as f64;
            marks.extend(pooled(model.to_string(), x, &gains));
            used.extend(gains.iter().chain(norm));
        }
        series.push(Series { name: protocol.to_string(), marks });
    }
    used.sort_by_key(|row| std::ptr::from_ref(*row));
    used.dedup_by_key(|row| std::ptr::from_ref(*row));
    sketch.figure(rows.evidence, series, &used)
}

/// The model that another was tuned from, by its facts or else by its name.
fn base_of<'a>(table: &'a EvidenceTable, tuned: &str) -> Option<&'a str> {
    let known = |id: &str| table.models.iter().find(|model| model.id == id).map(|model| model.id.as_str());
    let info = table.models.iter().find(|model| model.id == tuned)?;
    if let Some(base) = &info.facts.base {
        let instruct = info.facts.change.as_deref().is_none_or(|change| change == "instruct");
        return known(base).filter(|_| instruct);
    }
    let parts: Vec<&str> = tuned.split('-').collect();
    let at = parts.iter().position(|part| matches!(*part, "instruct" | "it" | "chat"))?;
    let without: Vec<&str> = [&parts[..at], &parts[at + 1..]].concat();
    // Without a stated base the name must do; another release of the base is another model.
    known(&without.join("-"))
}

fn twins(rows: &Rows<'_>) -> Figure {
    let all: Vec<&Measurement> =
        rows.of(Metric::LastGain, LAST, TWINS).filter(|row| row.prompt.is_some()).collect();
    let models = by_model(&all);
    let pairs: Vec<(&str, &str)> = models
        .keys()
        .filter_map(|tuned| base_of(rows.index.table, tuned).map(|base| (base, *tuned)))
        .filter(|(base, _)| models.contains_key(base))
        .collect();
    let sketch = Sketch {
        key: "base-and-instruct",
        title: "Last gain of base models and of their instruct twins",
        form: Form::Strip(pairs.iter().map(|(_, tuned)| tuned.to_string()).collect()),
        x: linear("instruct model, beside its base"),
        y: logarithmic("last gain, ratio of norms"),
        reference: Some(1.0),
        metrics: &[Metric::LastGain],
        how: "Geometric mean over the prompts of each model, bar: smallest and largest prompt. A twin is the base that the \
              model's facts name, else the one its name without “instruct” or “it” names.",
    };
    let mut used = Vec::new();
    let mut base = Series { name: "base".into(), marks: Vec::new() };
    let mut tuned = Series { name: "instruct".into(), marks: Vec::new() };
    for (at, (of, with)) in pairs.iter().enumerate() {
        for (model, series) in [(of, &mut base), (with, &mut tuned)] {
            let rows = models.get(model).map_or(&[][..], Vec::as_slice);
            series.marks.extend(pooled(model.to_string(), at as f64, rows));
            used.extend(rows.iter().copied());
        }
    }
    sketch.figure(rows.evidence, vec![base, tuned], &used)
}

fn entropy(rows: &Rows<'_>) -> Figure {
    let sketch = Sketch {
        key: "gain-and-entropy",
        title: "Last gain against the entropy of the next token, prompt by prompt",
        form: Form::Points,
        x: linear("entropy of the next-token distribution, nats"),
        y: logarithmic("last gain, ratio of norms"),
        reference: Some(1.0),
        metrics: &[Metric::OutputEntropy, Metric::LastGain],
        how: "One point per model and prompt that has both rows.",
    };
    let mut used = Vec::new();
    let entropies: BTreeMap<(&str, Option<&str>), &Measurement> = rows
        .of(Metric::OutputEntropy, LAST, UNIFIED)
        .map(|row| ((row.model.as_str(), row.prompt.as_deref()), row))
        .collect();
    let gains: Vec<&Measurement> = rows
        .of(Metric::LastGain, LAST, UNIFIED)
        .filter(|row| row.prompt.is_some() && row.value > 0.0)
        .collect();
    let mut series = Vec::new();
    for (model, gains) in by_model(&gains) {
        let mut marks = Vec::new();
        for gain in gains {
            let Some(entropy) = entropies.get(&(model, gain.prompt.as_deref())) else { continue };
            let label = gain.prompt.as_deref().unwrap_or_default().to_string();
            marks.push(Mark { label, x: entropy.value, y: gain.value, range: None, n: 1 });
            used.extend([gain, *entropy]);
        }
        series.push(Series { name: model.to_string(), marks });
    }
    sketch.figure(rows.evidence, series, &used)
}

fn categories(rows: &Rows<'_>) -> Figure {
    let used: Vec<&Measurement> = rows
        .of(Metric::LastGain, LAST, UNIFIED)
        .filter(|row| row.prompt.is_some() && row.category.as_deref().is_some_and(|name| !name.is_empty()))
        .collect();
    let names: BTreeSet<&str> = used.iter().filter_map(|row| row.category.as_deref()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let sketch = Sketch {
        key: "gain-by-category",
        title: "Last gain by category of prompt",
        form: Form::Strip(names.iter().map(|name| name.to_string()).collect()),
        x: linear("category"),
        y: logarithmic("last gain, ratio of norms"),
        reference: Some(1.0),
        metrics: &[Metric::LastGain],
        how: "Geometric mean over the prompts of a category, bar: smallest and largest prompt.",
    };
    let series = by_model(&used).into_iter().map(|(model, rows)| {
        let marks = names.iter().enumerate().filter_map(|(at, name)| {
            let mine: Vec<&Measurement> =
                rows.iter().copied().filter(|row| row.category.as_deref() == Some(name)).collect();
            pooled(name.to_string(), at as f64, &mine)
        });
        Series { name: model.to_string(), marks: marks.collect() }
    });
    let series = series.collect();
    sketch.figure(rows.evidence, series, &used)
}
