//! Selections: rows of the published evidence, or facts of its models, chosen by what they are.

use std::collections::BTreeMap;

use serde::Deserialize;

use base::named_enum;
use number::evidence::{Measurement, ModelInfo};
use number::index::EvidenceIndex;
use number::metric::Metric;
use number::protocol::Protocol;

named_enum! {
    /// A fact that recipes may ask for.
    Fact, "fact" {
        Family = "family",
        Norm = "norm",
        Mlp = "mlp",
        Blocks = "blocks",
        Vocabulary = "vocabulary",
        Context = "context",
        RopeTheta = "rope_theta",
        Parameters = "parameters",
        Width = "width",
        Heads = "heads",
        HeadWidth = "head_width",
    }
}

/// What is asked of a row. Lists are written with commas: `source = "four_model, mistral_paradox"`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Selection {
    /// Either a metric or a fact.
    pub metric: Option<Metric>,
    pub fact: Option<Fact>,
    /// Of a fact: models that have rows in one of these sources.
    pub source: Option<List>,
    pub model: Option<List>,
    /// Models left out.
    pub without: Option<List>,
    /// Norm of the model, as in its facts.
    pub norm: Option<String>,
    /// Prompt ids.
    pub prompt: Option<List>,
    /// Categories of the prompts.
    pub category: Option<List>,
    /// `true`: means over prompts only. `false`: single prompts only.
    pub mean: Option<bool>,
    pub protocol: Option<Protocol>,
    /// One layer; -1 is L, the output of the last block.
    pub layer: Option<i64>,
    /// First and last layer, both included.
    pub layers: Option<[i64; 2]>,
    /// That there is no such row is what the recipe is about.
    #[serde(default)]
    pub absent: bool,
}

/// Words between commas.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub(super) struct List(pub Vec<String>);

impl From<String> for List {
    fn from(text: String) -> List {
        List(text.split(',').map(|word| word.trim().to_string()).collect())
    }
}

impl List {
    fn has_blanks(&self) -> bool {
        self.0.iter().any(|word| word.contains('{'))
    }

    /// Blanks filled in from a group; what comes out may be a name of several.
    fn filled(&self, group: &str, names: &BTreeMap<String, List>) -> List {
        let (first, second) = group.split_once('/').unwrap_or((group, ""));
        let fill = |word: &String| {
            let word = word.replace("{group}", group).replace("{1}", first).replace("{2}", second);
            names.get(&word).map_or_else(|| vec![word], |list| list.0.clone())
        };
        List(self.0.iter().flat_map(fill).collect())
    }

    fn has(&self, word: &str) -> bool {
        self.0.iter().any(|known| known == word)
    }
}

/// What a number or word is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit<'a> {
    pub model: &'a str,
    pub about: About<'a>,
}

/// Either a number's row or a model's fact.
#[derive(Clone, Copy, Debug)]
pub(super) enum About<'a> {
    Row(&'a Measurement),
    Fact(Fact),
}

impl<'a> Unit<'a> {
    pub(super) fn row(&self) -> Option<&'a Measurement> {
        match self.about {
            About::Row(row) => Some(row),
            About::Fact(_) => None,
        }
    }
}

/// What a selection gives.
#[derive(Clone, Debug)]
pub(super) enum Selected<'a> {
    Numbers(Vec<(Unit<'a>, f64)>),
    Words(Vec<(Unit<'a>, String)>),
}

/// Why a selection cannot be: the key to blame and what is wrong.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refused {
    pub key: &'static str,
    pub message: String,
}

impl Selection {
    fn lists(&mut self) -> [&mut Option<List>; 5] {
        [&mut self.source, &mut self.model, &mut self.without, &mut self.prompt, &mut self.category]
    }

    /// Whether it depends on what a statistic is about: `{group}` stands for its group, `{1}` and `{2}` for what stands before
    /// and after the first slash.
    pub(super) fn has_blanks(&self) -> bool {
        self.clone().lists().into_iter().flatten().any(|list| list.has_blanks())
    }

    /// The selection for a group.
    pub(super) fn filled(&self, group: &str, names: &BTreeMap<String, List>) -> Selection {
        let mut filled = self.clone();
        for list in filled.lists().into_iter().flatten().filter(|list| list.has_blanks()) {
            *list = list.filled(group, names);
        }
        filled
    }

    /// The rows in the table's order.
    pub(super) fn select<'a>(&self, index: &EvidenceIndex<'a>) -> Result<Selected<'a>, Refused> {
        let found = match (self.metric, self.fact) {
            (Some(metric), None) => Selected::Numbers(self.rows(metric, index)?),
            (None, Some(fact)) => self.facts(fact, index)?,
            _ => {
                return Err(refused(
                    "",
                    "rows are asked for by a `metric` or by a `fact`, and by one of them",
                ));
            }
        };
        let model = found.units().next().map(|unit| unit.model);
        match model.filter(|_| self.absent) {
            Some(model) => {
                let message = format!("there are such rows, e.g. of {model}: recompute the claim from them");
                Err(refused("absent", &message))
            }
            None => Ok(found),
        }
    }

    fn rows<'a>(&self, metric: Metric, index: &EvidenceIndex<'a>) -> Result<Vec<(Unit<'a>, f64)>, Refused> {
        let models = &index.table.models;
        let info = |row: &Measurement| models.iter().find(|model| model.id == row.model);
        let mut rows: Vec<(&'a Measurement, Option<&'a ModelInfo>)> =
            index.of_metric(metric).iter().map(|row| (*row, info(row))).collect();
        type Filter<'f> = (&'static str, Box<dyn Fn(&Measurement, Option<&ModelInfo>) -> bool + 'f>);
        let mut filters: Vec<Filter> = Vec::new();
        let mut ask = |key, filter| filters.push((key, filter));
        if let Some(list) = &self.source {
            ask("source", Box::new(|row, _| list.has(&row.source)));
        }
        if let Some(list) = &self.model {
            ask("model", Box::new(|row, _| list.has(&row.model)));
        }
        if let Some(list) = &self.without {
            ask("without", Box::new(|row, _| !list.has(&row.model)));
        }
        if let Some(norm) = &self.norm {
            ask("norm", Box::new(move |_, model| model.and_then(|m| m.facts.norm.as_ref()) == Some(norm)));
        }
        if let Some(list) = &self.prompt {
            ask("prompt", Box::new(|row, _| row.prompt.as_deref().is_some_and(|id| list.has(id))));
        }
        if let Some(list) = &self.category {
            ask("category", Box::new(|row, _| row.category.as_deref().is_some_and(|name| list.has(name))));
        }
        if let Some(mean) = self.mean {
            ask("mean", Box::new(move |row, _| row.prompt.is_none() == mean));
        }
        if let Some(protocol) = self.protocol {
            ask("protocol", Box::new(move |row, _| row.protocol == Some(protocol)));
        }
        if let Some(layer) = self.layer {
            ask("layer", Box::new(move |row, model| in_layers(row, model, [layer, layer])));
        }
        if let Some(layers) = self.layers {
            ask("layers", Box::new(move |row, model| in_layers(row, model, layers)));
        }
        for (key, keeps) in &filters {
            rows.retain(|(row, model)| keeps(row, *model));
            if rows.is_empty() && !self.absent {
                return Err(refused(key, "no published row is left that has this and what stands above it"));
            }
        }
        if rows.is_empty() && !self.absent {
            return Err(refused("metric", "no published row has it"));
        }
        Ok(rows
            .into_iter()
            .map(|(row, _)| (Unit { model: &row.model, about: About::Row(row) }, row.value))
            .collect())
    }

    fn facts<'a>(&self, fact: Fact, index: &EvidenceIndex<'a>) -> Result<Selected<'a>, Refused> {
        let of_prompts = self.prompt.is_some() || self.category.is_some();
        if of_prompts || self.protocol.is_some() || self.layer.is_some() || self.layers.is_some() {
            return Err(refused("fact", "a fact has no prompt, protocol or layer"));
        }
        let in_source =
            |model: &ModelInfo, list: &List| list.0.iter().any(|source| index.has_rows(&model.id, source));
        let chosen = index.table.models.iter().filter(|model| {
            self.model.as_ref().is_none_or(|list| list.has(&model.id))
                && !self.without.as_ref().is_some_and(|list| list.has(&model.id))
                && self.norm.as_ref().is_none_or(|norm| model.facts.norm.as_ref() == Some(norm))
                && self.source.as_ref().is_none_or(|list| in_source(model, list))
        });
        let (mut numbers, mut words) = (Vec::new(), Vec::new());
        for model in chosen {
            let unit = Unit { model: &model.id, about: About::Fact(fact) };
            match known(fact, model) {
                Some(Known::Number(number)) => numbers.push((unit, number)),
                Some(Known::Word(word)) => words.push((unit, word.to_string())),
                None => {
                    return Err(refused("fact", &format!("{fact} of {} was not published", model.id)));
                }
            }
        }
        match numbers.is_empty() && words.is_empty() && !self.absent {
            true => Err(refused("fact", "no model with published rows is meant")),
            false if words.is_empty() => Ok(Selected::Numbers(numbers)),
            false => Ok(Selected::Words(words)),
        }
    }
}

impl<'a> Selected<'a> {
    pub(super) fn units(&self) -> Box<dyn Iterator<Item = Unit<'a>> + '_> {
        match self {
            Selected::Numbers(all) => Box::new(all.iter().map(|(unit, _)| *unit)),
            Selected::Words(all) => Box::new(all.iter().map(|(unit, _)| *unit)),
        }
    }
}

enum Known<'a> {
    Number(f64),
    Word(&'a str),
}

fn known(fact: Fact, model: &ModelInfo) -> Option<Known<'_>> {
    let facts = &model.facts;
    match fact {
        Fact::Family => facts.family.as_deref().map(Known::Word),
        Fact::Norm => facts.norm.as_deref().map(Known::Word),
        Fact::Mlp => facts.mlp.as_deref().map(Known::Word),
        Fact::Blocks => facts.blocks.map(|n| Known::Number(n.into())),
        Fact::Vocabulary => facts.vocabulary.map(|n| Known::Number(n.into())),
        Fact::Context => facts.context.map(|n| Known::Number(n.into())),
        Fact::RopeTheta => facts.rope_theta.map(Known::Number),
        Fact::Width => facts.width.map(|n| Known::Number(n.into())),
        Fact::Heads => facts.heads.map(|n| Known::Number(n.into())),
        Fact::HeadWidth => facts.head_width.map(|n| Known::Number(n.into())),
        // Parameters stay far below 2^53.
        Fact::Parameters => facts.parameters.map(|n| Known::Number(n as f64)),
    }
}

/// Whether a row's layer lies between two layers, which count from the end where they are negative.
fn in_layers(row: &Measurement, model: Option<&ModelInfo>, [first, last]: [i64; 2]) -> bool {
    let (Some(layer), Some(blocks)) = (row.layer, model.and_then(|model| model.facts.blocks)) else {
        return false;
    };
    // Gains of attention and MLP are counted by block: the last one is block L-1.
    let by_block = matches!(row.metric, Metric::AttentionGain | Metric::MlpGain | Metric::ModuleGainProduct);
    let layers = i64::from(blocks) + i64::from(!by_block);
    let place = |at: i64| if at < 0 { layers + at } else { at };
    (place(first)..=place(last)).contains(&i64::from(layer))
}

fn refused(key: &'static str, message: &str) -> Refused {
    Refused { key, message: message.to_string() }
}
