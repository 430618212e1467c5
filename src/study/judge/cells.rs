//! The numbers that a quantity stands for: one per (model, prompt), or one per model.

use std::collections::{BTreeMap, BTreeSet};

use crate::stats::Sampled;
use number::{
    metric::{Metric, Series},
    protocol::Protocol,
};

/// One number per (model, prompt) of one quantity under one protocol.
#[derive(Clone)]
pub(crate) struct Cells<'a> {
    /// The metric whose protocol decides the numbers; none for facts.
    pub metric: Option<Metric>,
    /// `None` for properties of the weights and facts.
    pub protocol: Option<Protocol>,
    /// By model id.
    pub models: BTreeMap<&'a str, ModelCells<'a>>,
    /// Protocols of what was combined with the quantity.
    pub combined: Vec<Protocol>,
    /// The sources of rows that were measured under a protocol.
    pub sources: BTreeSet<&'a str>,
    /// The dtypes that these were computed in.
    pub dtypes: BTreeSet<&'a str>,
    /// What was done to rows on the way, for the reader.
    pub notes: Vec<String>,
    /// The rows that were looked for and not found, in words.
    pub missing: Vec<String>,
}

/// The numbers of one model.
#[derive(Clone, Default)]
pub(crate) struct ModelCells<'a> {
    /// By prompt id.
    pub prompts: BTreeMap<&'a str, Cell<'a>>,
    /// The number of a model without rows of single prompts: a property of its weights, or a published mean over prompts.
    pub aggregate: Option<f64>,
}

/// The number of one model and prompt.
#[derive(Clone, Copy)]
pub(crate) struct Cell<'a> {
    /// The mean of its rows, on the scale of the quantity.
    pub value: f64,
    /// The category of the prompt.
    pub category: Option<&'a str>,
    /// The prompt set that it counts in.
    pub set: Option<&'a str>,
}

impl<'a> ModelCells<'a> {
    /// The mean over prompts, with what each of them makes of it; of an aggregate, or of one prompt, nothing is known of that.
    pub(crate) fn sampled(&self) -> Option<Sampled<&'a str>> {
        let prompts = self.prompts.iter().map(|(prompt, cell)| (*prompt, cell.value));
        Sampled::mean(prompts).or_else(|| Some(Sampled::alone(self.mean()?, 0.0)))
    }

    /// One number per prompt, or the aggregate.
    pub(crate) fn values(&self) -> Vec<f64> {
        let own = self.prompts.values().map(|c| c.value);
        if self.prompts.is_empty() { self.aggregate.into_iter().collect() } else { own.collect() }
    }

    /// [`ModelCells::values`], each with its prompt; an aggregate has none.
    pub(crate) fn labelled(&self) -> Vec<(String, f64)> {
        let own = self.prompts.iter().map(|(prompt, cell)| (prompt.to_string(), cell.value));
        let whole = self.aggregate.filter(|_| self.prompts.is_empty());
        own.chain(whole.map(|value| (String::new(), value))).collect()
    }

    /// The mean over prompts.
    pub(crate) fn mean(&self) -> Option<f64> {
        crate::stats::mean(&self.values())
    }
}

impl<'a> Cells<'a> {
    /// Values with the metric and protocol of these cells.
    pub(crate) fn series<K: Ord + Clone>(&self, values: BTreeMap<K, f64>) -> Series<K> {
        Series::tagged(self.metric, self.protocol, values)
    }

    /// The cells of other models, e.g. of lineages, of the same quantity under the same protocol.
    pub(crate) fn with_models(&self, models: BTreeMap<&'a str, ModelCells<'a>>) -> Cells<'a> {
        Cells {
            metric: self.metric,
            protocol: self.protocol,
            models,
            combined: self.combined.clone(),
            sources: self.sources.clone(),
            dtypes: self.dtypes.clone(),
            notes: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// One number per model: the mean over its prompts.
    pub(crate) fn by_model(&self) -> Series<&'a str> {
        self.series(self.models.iter().filter_map(|(m, cells)| Some((*m, cells.mean()?))).collect())
    }

    /// The prompts of one model.
    pub(crate) fn by_prompt(&self, model: &str) -> Series<&'a str> {
        let prompts = self.models.get(model).into_iter().flat_map(|m| &m.prompts);
        self.series(prompts.map(|(p, c)| (*p, c.value)).collect())
    }

    /// One number: the mean over the only model's prompts; `None` unless there is exactly one model.
    pub(crate) fn only(&self) -> Option<Series<()>> {
        let mut models = self.models.values();
        let (Some(one), None) = (models.next(), models.next()) else { return None };
        Some(self.series(BTreeMap::from([((), one.mean()?)])))
    }

    /// Every (model, prompt); the prompt is empty for an aggregate.
    pub(crate) fn by_cell(&self) -> Series<(&'a str, &'a str)> {
        let cells = self.models.iter().flat_map(|(model, cells)| {
            let own = cells.prompts.iter().map(|(p, c)| ((*model, *p), c.value));
            let whole = cells.aggregate.filter(|_| cells.prompts.is_empty());
            own.chain(whole.map(|v| ((*model, ""), v)))
        });
        self.series(cells.collect())
    }
}
