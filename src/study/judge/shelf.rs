//! The shelf: a table of evidence indexed by metric, protocol, model and layer, so that a look-up reads the rows it wants
//! and no others.

use std::collections::{BTreeMap, BTreeSet};

use number::{
    evidence::{EvidenceTable, Measurement},
    metric::{DecisiveParts, Metric},
    protocol::Protocol,
};

/// A table made ready for many look-ups. Models and prompts are numbered in the order of their names.
pub(crate) struct Shelf<'a> {
    pub models: Vec<Model<'a>>,
    prompts: Vec<&'a str>,
    /// Rows of each model.
    rows: BTreeMap<(Metric, DecisiveParts), Vec<Vec<Entry<'a>>>>,
}

/// A model of the table.
pub(crate) struct Model<'a> {
    pub id: &'a str,
    /// `ModelFacts` as JSON, to be asked by name; an absent fact is null.
    pub facts: serde_json::Value,
    /// L.
    pub blocks: Option<u32>,
}

/// A row under its layer and the number of its prompt (the prompt that repeats another one's text has that one's number);
/// a row without a prompt comes first.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    layer: Option<u32>,
    prompt: Option<u32>,
    pub row: &'a Measurement,
}

impl Entry<'_> {
    /// The number of the prompt as a unit, in the order of names; none comes first.
    pub(crate) fn unit(&self) -> Option<u32> {
        self.prompt
    }
}

impl<'a> Shelf<'a> {
    pub(crate) fn new(table: &'a EvidenceTable) -> Shelf<'a> {
        let mut models: Vec<Model<'a>> = table
            .models
            .iter()
            .map(|model| Model {
                id: &model.id,
                // Facts are plain data: their serialisation cannot fail, and null makes every fact unknown.
                facts: serde_json::to_value(&model.facts).unwrap_or_default(),
                blocks: model.facts.blocks,
            })
            .collect();
        models.sort_by_key(|model| model.id);
        models.dedup_by_key(|model| model.id);
        let number: BTreeMap<&str, usize> = models.iter().enumerate().map(|(i, m)| (m.id, i)).collect();
        let (mut first, mut repeats) = (BTreeMap::<&str, &str>::new(), BTreeMap::<&str, &str>::new());
        for prompt in table.prompts.iter().filter(|p| !p.text.is_empty()) {
            let id = *first.entry(&prompt.text).or_insert(&prompt.id);
            if id != prompt.id {
                repeats.insert(&prompt.id, id);
            }
        }
        let unit = |prompt: &'a str| repeats.get(prompt).copied().unwrap_or(prompt);
        // Neighbours mostly are of one model and prompt: only changes are looked up.
        let names =
            table.rows.chunk_by(|a, b| a.prompt == b.prompt).filter_map(|run| run[0].prompt.as_deref());
        let units: BTreeSet<&'a str> = names.map(unit).collect();
        let prompts: Vec<&'a str> = units.into_iter().collect();
        let mut rows = BTreeMap::<(Metric, DecisiveParts), Vec<Vec<Entry<'a>>>>::new();
        for run in table.rows.chunk_by(|a, b| a.model == b.model && a.prompt == b.prompt) {
            let Some(&model) = number.get(run[0].model.as_str()) else { continue };
            // Every prompt of a row is among the units.
            let place =
                |prompt| prompts.binary_search(&unit(prompt)).ok().and_then(|at| u32::try_from(at).ok());
            let prompt = run[0].prompt.as_deref().and_then(place);
            for row in run {
                let Some(key) = row.metric.decisive_of_row(row.protocol) else { continue };
                let by_model =
                    rows.entry((row.metric, key)).or_insert_with(|| vec![Vec::new(); models.len()]);
                by_model[model].push(Entry { layer: row.layer, prompt, row });
                let tells_depth = matches!(row.metric, Metric::ResidualNorm | Metric::LayerGain);
                if tells_depth && models[model].facts["blocks"].is_null() {
                    models[model].blocks = models[model].blocks.max(row.layer);
                }
            }
        }
        for entries in rows.values_mut().flatten() {
            entries.sort_by_key(|entry| (entry.layer, entry.prompt));
        }
        Shelf { models, prompts, rows }
    }

    /// Rows of one model whose numbers are what `asked` would give, of one layer or of all, sorted by layer and prompt.
    pub(crate) fn rows(
        &self,
        metric: Metric,
        asked: Protocol,
        model: usize,
        layer: Option<u32>,
    ) -> &[Entry<'a>] {
        let Some(by_model) = self.rows.get(&(metric, metric.decisive(asked))) else { return &[] };
        let entries = &by_model[model][..];
        match layer {
            None => entries,
            Some(_) => {
                let start = entries.partition_point(|entry| entry.layer < layer);
                let end = entries.partition_point(|entry| entry.layer <= layer);
                &entries[start..end]
            }
        }
    }

    /// The decisive parts under which a metric was observed.
    pub(crate) fn observed(&self, metric: Metric) -> impl Iterator<Item = DecisiveParts> {
        self.rows.keys().filter(move |(of, _)| *of == metric).map(|(_, parts)| *parts)
    }

    pub(crate) fn family(&self, model: &str) -> Option<&str> {
        let at = self.models.binary_search_by_key(&model, |model| model.id).ok()?;
        self.models[at].fact("family")?.as_str()
    }

    /// Layers that a metric has values of, in any of its models.
    pub(crate) fn layers(&self, metric: Metric, asked: Protocol) -> Vec<u32> {
        let by_model = self.rows.get(&(metric, metric.decisive(asked)));
        let rows = by_model.into_iter().flatten().flatten();
        let layers: BTreeSet<u32> = rows.filter_map(|entry| entry.layer).collect();
        layers.into_iter().collect()
    }

    /// The prompt as a unit: a text that two sets name differently is one prompt, and counts once.
    pub(crate) fn prompt(&self, entry: &Entry<'a>) -> Option<&'a str> {
        entry.prompt.map(|number| self.prompts[number as usize])
    }
}
