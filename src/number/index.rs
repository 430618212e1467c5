//! The index over a table of evidence: rows by metric, decisive parts of the protocol, model and layer, so that a look-up
//! reads the rows it wants and no others.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    evidence::{EvidenceTable, Measurement, ModelInfo},
    facts::ORIGINAL,
    lineage::{Origin, lineage},
    metric::{DecisiveParts, Metric},
    protocol::Protocol,
};

/// A table made ready for many look-ups. Models and prompts are numbered in the order of their names.
pub struct EvidenceIndex<'a> {
    /// The table itself: its prompts with their texts, its models with their facts.
    pub table: &'a EvidenceTable,
    /// Every model of the table, sorted by id.
    pub models: Vec<IndexedModel<'a>>,
    /// Prompt ids, sorted; of prompts with the same text only the first one listed.
    prompts: Vec<&'a str>,
    /// The prompt whose text a prompt repeats, by id.
    repeats: BTreeMap<&'a str, &'a str>,
    /// By prompt id, the sets that its text is in, the largest first.
    sets: BTreeMap<&'a str, Vec<&'a str>>,
    /// Models with the sources that have rows of them.
    sources: BTreeSet<(&'a str, &'a str)>,
    /// By the metric's place among all metrics; rows in the order of the table.
    by_metric: Vec<Vec<&'a Measurement>>,
    /// By model number, each sorted by layer and prompt.
    by_parts: BTreeMap<(Metric, DecisiveParts), Vec<Vec<IndexedRow<'a>>>>,
}

/// A model of the table.
pub struct IndexedModel<'a> {
    /// Id as rows state it.
    pub id: &'a str,
    /// `ModelFacts` as JSON, to be asked by name; an absent fact is null.
    pub facts: serde_json::Value,
    /// L: the number of blocks, or where no fact states it the last layer that has a norm or a gain.
    pub blocks: Option<u32>,
    /// The lineage that it is of: models of one lineage are one unit of inference.
    pub lineage: &'a str,
}

/// A row under its layer and the number of its prompt; a row without a prompt comes first.
#[derive(Clone, Copy)]
pub struct IndexedRow<'a> {
    layer: Option<u32>,
    prompt: Option<u32>,
    /// The row of the table.
    pub row: &'a Measurement,
}

impl IndexedModel<'_> {
    /// A fact by its name in `ModelFacts`; `None` where it is not known.
    pub fn fact(&self, name: &str) -> Option<&serde_json::Value> {
        self.facts.get(name).filter(|value| !value.is_null())
    }

    /// Whether it is neither a stage of a training nor a variant of another model.
    pub fn is_original(&self) -> bool {
        self.fact("kind").is_none_or(|kind| kind == ORIGINAL)
    }

    /// A fact as a word, to group models by; a number or a truth value as JSON writes it.
    pub fn word(&self, name: &str) -> Option<String> {
        let fact = self.fact(name)?;
        Some(fact.as_str().map_or_else(|| fact.to_string(), str::to_string))
    }
}

impl IndexedRow<'_> {
    /// The number of the prompt, in the order of ids. A prompt that repeats another one's text has that one's number.
    pub fn prompt_number(&self) -> Option<u32> {
        self.prompt
    }
}

impl<'a> EvidenceIndex<'a> {
    /// Reads every row of the table once.
    pub fn new(table: &'a EvidenceTable) -> EvidenceIndex<'a> {
        let mut models = models(table);
        let number: BTreeMap<&str, usize> = models.iter().enumerate().map(|(i, m)| (m.id, i)).collect();
        let repeats = repeats(table);
        let first = |prompt: &'a str| repeats.get(prompt).copied().unwrap_or(prompt);
        // Neighbours mostly are of one model and prompt: only changes are looked up.
        let runs = table.rows.chunk_by(|a, b| a.prompt == b.prompt);
        let prompts: BTreeSet<&'a str> = runs.filter_map(|run| run[0].prompt.as_deref()).map(first).collect();
        let prompts: Vec<&'a str> = prompts.into_iter().collect();
        let runs = table.rows.chunk_by(|a, b| a.model == b.model && a.source == b.source);
        let sources = runs.map(|run| (run[0].model.as_str(), run[0].source.as_str())).collect();
        let mut by_metric = vec![Vec::new(); Metric::ALL.len()];
        let mut by_parts = BTreeMap::<(Metric, DecisiveParts), Vec<Vec<IndexedRow<'a>>>>::new();
        for run in table.rows.chunk_by(|a, b| a.model == b.model && a.prompt == b.prompt) {
            let Some(&model) = number.get(run[0].model.as_str()) else { continue };
            let place = |prompt| prompts.binary_search(&first(prompt)).ok();
            let prompt = run[0].prompt.as_deref().and_then(place).and_then(|at| u32::try_from(at).ok());
            for row in run {
                by_metric[row.metric as usize].push(row);
                let Some(parts) = row.metric.decisive_of_row(row.protocol) else { continue };
                let by_model =
                    by_parts.entry((row.metric, parts)).or_insert_with(|| vec![Vec::new(); models.len()]);
                by_model[model].push(IndexedRow { layer: row.layer, prompt, row });
                let tells_depth = matches!(row.metric, Metric::ResidualNorm | Metric::LayerGain);
                if tells_depth && models[model].facts["blocks"].is_null() {
                    models[model].blocks = models[model].blocks.max(row.layer);
                }
            }
        }
        for rows in by_parts.values_mut().flatten() {
            rows.sort_by_key(|row| (row.layer, row.prompt));
        }
        let sets = sets(table, &repeats);
        EvidenceIndex { table, models, prompts, repeats, sets, sources, by_metric, by_parts }
    }

    /// Every prompt, in the order of ids; one that repeats another's text is not there.
    pub fn prompts(&self) -> &[&'a str] {
        &self.prompts
    }

    /// The place of a model in `models`.
    pub fn model_number(&self, id: &str) -> Option<usize> {
        self.models.binary_search_by_key(&id, |model| model.id).ok()
    }

    /// A model by its id.
    pub fn model(&self, id: &str) -> Option<&IndexedModel<'a>> {
        self.model_number(id).map(|number| &self.models[number])
    }

    /// Rows of one model whose numbers are what `asked` would give, of one layer or of all, sorted by layer and prompt. A metric
    /// of a branch has those of every branch.
    pub fn rows(
        &self,
        metric: Metric,
        asked: Protocol,
        model: usize,
        layer: Option<u32>,
    ) -> &[IndexedRow<'a>] {
        let Some(by_model) = self.by_parts.get(&(metric, metric.decisive(asked))) else { return &[] };
        let rows = &by_model[model][..];
        match layer {
            None => rows,
            Some(_) => {
                let start = rows.partition_point(|row| row.layer < layer);
                let end = rows.partition_point(|row| row.layer <= layer);
                &rows[start..end]
            }
        }
    }

    /// The sets that a prompt is in, the largest first; it counts in that one.
    pub fn sets(&self, prompt: &str) -> &[&'a str] {
        let first = self.repeats.get(prompt).copied().unwrap_or(prompt);
        self.sets.get(first).map_or(&[], Vec::as_slice)
    }

    /// Whether the numbers of these models are the same to the last bit under both protocols, and there are any.
    pub fn same_numbers(&self, metric: Metric, a: Protocol, b: Protocol, models: &BTreeSet<String>) -> bool {
        let rows = |protocol| self.by_parts.get(&(metric, metric.decisive(protocol)));
        let (Some(a), Some(b)) = (rows(a), rows(b)) else { return false };
        let alike = |(x, y): (&IndexedRow<'_>, &IndexedRow<'_>)| {
            (x.layer, x.prompt, &x.row.branch, &x.row.source)
                == (y.layer, y.prompt, &y.row.branch, &y.row.source)
                && x.row.value.to_bits() == y.row.value.to_bits()
        };
        let same =
            |model: usize| a[model].len() == b[model].len() && a[model].iter().zip(&b[model]).all(alike);
        let mut asked = models.iter().filter_map(|id| self.model_number(id)).peekable();
        asked.peek().is_some() && asked.all(same)
    }

    /// Whether a source has a row of a model.
    pub fn has_rows(&self, model: &str, source: &str) -> bool {
        self.sources.contains(&(model, source))
    }

    /// Every row of a metric in the order of the table, under whatever protocol.
    pub fn of_metric(&self, metric: Metric) -> &[&'a Measurement] {
        &self.by_metric[metric as usize]
    }

    /// Rows of every model whose numbers are what `asked` would give, in the order of the table.
    pub fn under(&self, metric: Metric, asked: Protocol) -> impl Iterator<Item = &'a Measurement> {
        let parts = Some(metric.decisive(asked));
        let rows = self.of_metric(metric).iter().copied();
        rows.filter(move |row| metric.decisive_of_row(row.protocol) == parts)
    }

    /// One number, by the ids of its model and prompt; the last one where several rows have it.
    pub fn number(
        &self,
        metric: Metric,
        asked: Protocol,
        layer: Option<u32>,
        model: &str,
        prompt: &str,
    ) -> Option<f64> {
        let first = self.repeats.get(prompt).copied().unwrap_or(prompt);
        let place = u32::try_from(self.prompts.binary_search(&first).ok()?).ok()?;
        let key = (layer, Some(place));
        let by_model = self.by_parts.get(&(metric, metric.decisive(asked)))?;
        let rows = &by_model[self.model_number(model)?];
        let start = rows.partition_point(|row| (row.layer, row.prompt) < key);
        let same = rows[start..].iter().take_while(|row| (row.layer, row.prompt) == key);
        same.filter(|row| row.row.prompt.as_deref() == Some(prompt)).last().map(|row| row.row.value)
    }

    /// The decisive parts under which a metric was observed, sorted.
    pub fn observed(&self, metric: Metric) -> impl Iterator<Item = DecisiveParts> {
        self.by_parts.keys().filter(move |(of, _)| *of == metric).map(|(_, parts)| *parts)
    }

    /// Layers of which some model has a value of the metric, of the branch where the metric does not say it.
    pub fn layers(&self, metric: Metric, branch: Option<&str>, asked: Protocol) -> Vec<u32> {
        let by_model = self.by_parts.get(&(metric, metric.decisive(asked)));
        let rows = by_model.into_iter().flatten().flatten();
        let rows = rows.filter(|row| row.row.branch.as_deref() == branch);
        let layers: BTreeSet<u32> = rows.filter_map(|row| row.layer).collect();
        layers.into_iter().collect()
    }

    /// Id of the prompt that counts for a row: a text that two prompt sets name differently is one prompt.
    pub fn prompt(&self, row: &IndexedRow<'a>) -> Option<&'a str> {
        row.prompt.map(|number| self.prompts[number as usize])
    }
}

/// Listed models with their facts, and models that only rows name, of which nothing is known.
fn models(table: &EvidenceTable) -> Vec<IndexedModel<'_>> {
    let origins: BTreeMap<&str, Origin<'_>> = table.models.iter().map(origin).collect();
    let mut models: Vec<IndexedModel<'_>> = table
        .models
        .iter()
        .map(|model| IndexedModel {
            id: &model.id,
            // Facts are plain data: their serialisation cannot fail, and null makes every fact unknown.
            facts: serde_json::to_value(&model.facts).unwrap_or_default(),
            blocks: model.facts.blocks,
            lineage: lineage(&model.id, &origins),
        })
        .collect();
    let listed: BTreeSet<&str> = models.iter().map(|model| model.id).collect();
    let runs = table.rows.chunk_by(|a, b| a.model == b.model);
    let named: BTreeSet<&str> = runs.map(|run| run[0].model.as_str()).collect();
    let unlisted = named.difference(&listed);
    let facts = serde_json::Value::Null;
    models.extend(unlisted.map(|id| IndexedModel { id, facts: facts.clone(), blocks: None, lineage: id }));
    models.sort_by_key(|model| model.id);
    models.dedup_by_key(|model| model.id);
    models
}

fn origin(model: &ModelInfo) -> (&str, Origin<'_>) {
    let facts = &model.facts;
    let origin = Origin {
        stated: facts.lineage.as_deref(),
        base: facts.base.as_deref(),
        series: facts.series.as_deref(),
    };
    (&model.id, origin)
}

/// By prompt, the sets that its text is in, the largest first: a prompt of a set of one and of a set of many counts with the many,
/// in whatever order an experiment lists them.
fn sets<'a>(
    table: &'a EvidenceTable,
    repeats: &BTreeMap<&'a str, &'a str>,
) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut sets = BTreeMap::<&str, Vec<&str>>::new();
    let mut sizes = BTreeMap::<&str, usize>::new();
    for prompt in &table.prompts {
        let first = repeats.get(prompt.id.as_str()).copied().unwrap_or(&prompt.id);
        let own = sets.entry(first).or_default();
        for set in prompt.sets.iter().map(String::as_str) {
            if !own.contains(&set) {
                own.push(set);
                *sizes.entry(set).or_default() += 1;
            }
        }
    }
    for own in sets.values_mut() {
        own.sort_unstable_by_key(|set| (std::cmp::Reverse(sizes[set]), *set));
    }
    sets
}

/// Prompts whose text an earlier one of the table has, with the id of that one.
fn repeats(table: &EvidenceTable) -> BTreeMap<&str, &str> {
    let (mut first, mut repeats) = (BTreeMap::<&str, &str>::new(), BTreeMap::<&str, &str>::new());
    for prompt in table.prompts.iter().filter(|prompt| !prompt.text.is_empty()) {
        let id = *first.entry(&prompt.text).or_insert(&prompt.id);
        if id != prompt.id {
            repeats.insert(&prompt.id, id);
        }
    }
    repeats
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Evidence, PromptInfo};
    use crate::facts::ModelFacts;

    fn row(model: &str, prompt: &str, metric: Metric, protocol: &str, value: f64) -> Measurement {
        Measurement {
            evidence: Evidence::Published,
            source: "s".into(),
            model: model.into(),
            prompt: Some(prompt.into()),
            category: None,
            metric,
            branch: None,
            layer: (metric == Metric::ResidualNorm).then_some(3),
            protocol: protocol.parse().ok(),
            dtype: "float32".into(),
            value,
            definition: "".into(),
        }
    }

    #[test]
    fn a_prompt_counts_in_the_largest_of_its_sets() {
        let prompt = |id: &str, text: &str, sets: &[&str]| PromptInfo {
            id: id.into(),
            category: String::new(),
            text: text.into(),
            sets: sets.iter().map(|set| (*set).to_string()).collect(),
        };
        let table = EvidenceTable {
            prompts: vec![
                prompt("one", "x", &["a-single"]),
                prompt("again", "x", &["many"]),
                prompt("two", "y", &["many"]),
            ],
            ..EvidenceTable::default()
        };
        let index = EvidenceIndex::new(&table);
        assert_eq!(
            (index.sets("one"), index.sets("again")),
            (&["many", "a-single"][..], &["many", "a-single"][..])
        );
        assert_eq!((index.sets("two"), index.sets("none")), (&["many"][..], &[][..]));
    }

    fn table() -> EvidenceTable {
        let prompt = |id: &str, text: &str| PromptInfo {
            id: id.into(),
            category: "c".into(),
            text: text.into(),
            sets: Vec::new(),
        };
        EvidenceTable {
            models: vec![ModelInfo {
                id: "listed".into(),
                evidence: Evidence::Published,
                facts: ModelFacts::default(),
            }],
            prompts: vec![prompt("b", "text"), prompt("a", "other"), prompt("c", "text")],
            rows: vec![
                row("unlisted", "a", Metric::LastGain, "last/last-block", 1.0),
                row("listed", "b", Metric::ResidualNorm, "mean/last-block", 2.0),
                row("listed", "c", Metric::ResidualNorm, "mean/last-block", 3.0),
                row("listed", "a", Metric::ResidualNorm, "mean/last-block", 4.0),
                row("listed", "a", Metric::ResidualNorm, "mean/hf-last", 5.0),
            ],
        }
    }

    #[test]
    fn rows_are_found_by_what_enters_their_number() {
        let table = table();
        let index = EvidenceIndex::new(&table);
        let asked: Protocol = "mean/hf-penultimate".parse().unwrap();
        let listed = index.model_number("listed").unwrap();
        let found = |layer| -> Vec<f64> {
            index.rows(Metric::ResidualNorm, asked, listed, layer).iter().map(|row| row.row.value).collect()
        };
        assert_eq!(found(Some(3)), [4.0, 2.0, 3.0], "by prompt, and no norm after the final norm");
        assert_eq!((found(None), found(Some(2))), (vec![4.0, 2.0, 3.0], vec![]));
        let in_order: Vec<f64> = index.under(Metric::ResidualNorm, asked).map(|row| row.value).collect();
        assert_eq!(in_order, [2.0, 3.0, 4.0]);
        assert_eq!(index.of_metric(Metric::ResidualNorm).len(), 4, "every row, whatever produced it");
        assert_eq!(
            (index.layers(Metric::ResidualNorm, None, asked), index.models[listed].blocks),
            (vec![3], Some(3))
        );
    }

    #[test]
    fn a_text_under_two_names_is_one_prompt_and_both_names_have_their_number() {
        let table = table();
        let index = EvidenceIndex::new(&table);
        let asked: Protocol = "mean/last-block".parse().unwrap();
        let number = |prompt| index.number(Metric::ResidualNorm, asked, Some(3), "listed", prompt);
        assert_eq!(["a", "b", "c", "d"].map(number), [Some(4.0), Some(2.0), Some(3.0), None]);
        let listed = index.model_number("listed").unwrap();
        let rows = index.rows(Metric::ResidualNorm, asked, listed, None);
        let prompts: Vec<Option<&str>> = rows.iter().map(|row| index.prompt(row)).collect();
        assert_eq!(prompts, [Some("a"), Some("b"), Some("b")]);
    }

    #[test]
    fn a_model_that_only_rows_name_is_a_model_without_facts() {
        let table = table();
        let index = EvidenceIndex::new(&table);
        let ids: Vec<&str> = index.models.iter().map(|model| model.id).collect();
        assert_eq!(ids, ["listed", "unlisted"]);
        assert!(index.model("unlisted").unwrap().fact("family").is_none());
        let asked = "last/last-block".parse().unwrap();
        assert_eq!(index.number(Metric::LastGain, asked, None, "unlisted", "a"), Some(1.0));
        assert_eq!((index.has_rows("unlisted", "s"), index.has_rows("unlisted", "t")), (true, false));
    }
}
