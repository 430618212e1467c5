//! Looks up the numbers of a quantity, one per (model, prompt), with notes on everything that was done to rows on the way.
//!
//! Several published rows can give one cell (two sources, two dtypes): they are averaged on the chosen scale, and a note
//! says so. An aggregate over prompts is never a prompt: it stands for its model only where no prompt does.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    cells::{Cell, Cells, ModelCells},
    combine::{Sign, combined},
    context::TestContext,
    hypothesis::{Quantity, Scale, Select},
    notes::{LookupNotes, absent},
    population::{Scope, fails, speaks_of_kinds},
};
use number::{evidence::Measurement, index::IndexedRow, metric::Metric};

/// Looks `quantity` up. Empty cells come with `missing`.
pub(super) fn look_up<'a>(context: &TestContext<'a>, quantity: &Quantity) -> Cells<'a> {
    if quantity.times.is_none() && quantity.over.is_none() {
        return plain(context, quantity, quantity.scale);
    }
    let mut cells = plain(context, quantity, Scale::Linear);
    for (inner, sign) in [(&quantity.times, Sign::Times), (&quantity.over, Sign::Over)] {
        if let Some(inner) = inner {
            cells = combined(context, cells, look_up(context, inner), sign);
        }
    }
    let mut lost = 0_u64;
    let mut rescale = |value: &mut f64| {
        let new = scaled(*value, quantity.scale);
        lost += u64::from(new.is_none());
        *value = new.unwrap_or(f64::NAN);
        new.is_some()
    };
    for model in cells.models.values_mut() {
        model.prompts.retain(|_, cell| rescale(&mut cell.value));
        model.aggregate = model.aggregate.and_then(|mut value| rescale(&mut value).then_some(value));
    }
    cells.models.retain(|_, model| !model.prompts.is_empty() || model.aggregate.is_some());
    if lost > 0 {
        cells.notes.push(format!(
            "{lost} numbers of {} have no {} and were left out",
            quantity.name(),
            root(quantity.scale)
        ));
    }
    if cells.models.is_empty() && cells.missing.is_empty() {
        cells.missing.push(format!("no model has all of {}", quantity.name()));
    }
    cells
}

/// The quantity without what it is combined with.
fn plain<'a>(context: &TestContext<'a>, quantity: &Quantity, scale: Scale) -> Cells<'a> {
    let asked = quantity.protocol.unwrap_or(context.protocol);
    let mut cells = Cells {
        metric: quantity.metric,
        protocol: quantity.has_protocol().then_some(asked),
        models: BTreeMap::new(),
        combined: vec![],
        sources: BTreeSet::new(),
        dtypes: BTreeSet::new(),
        notes: vec![],
        missing: vec![],
    };
    match (quantity.filed(), &quantity.fact) {
        (Some(filed), _) => measured(context, quantity, filed, scale, &mut cells),
        (None, None) if quantity.metric.is_some() => {
            cells.missing.push(format!("{}, which no model has", quantity.name()));
        }
        (None, Some(fact)) => stated(context, quantity, fact, scale, &mut cells),
        (None, None) => cells.missing.push("refused: a quantity needs a metric or a fact".into()),
    }
    cells
}

/// Facts of the models.
fn stated<'a>(
    context: &TestContext<'a>,
    quantity: &Quantity,
    fact: &str,
    scale: Scale,
    cells: &mut Cells<'a>,
) {
    let mut unknown = Vec::new();
    for number in models(context, &quantity.select) {
        let model = &context.index.models[number];
        match model.fact(fact).and_then(serde_json::Value::as_f64).and_then(|value| scaled(value, scale)) {
            Some(value) => {
                let own = ModelCells { prompts: BTreeMap::new(), aggregate: Some(value) };
                cells.models.insert(model.id, own);
            }
            None => unknown.push(model.id),
        }
    }
    if !unknown.is_empty() {
        cells.notes.push(format!("{fact} is not known of {}", unknown.join(", ")));
    }
    if cells.models.is_empty() {
        cells.missing.push(format!("the {fact} of {}", context.population.in_words()));
    }
}

/// Models that a quantity is of, by number.
fn models(context: &TestContext<'_>, select: &Select) -> Vec<usize> {
    // Who names a model, or its kind, means it.
    let named = select.model.is_some() || speaks_of_kinds(&select.facts);
    let scope = if named && context.scope == Scope::Taken { Scope::EveryKind } else { context.scope };
    let all = context.index.models.iter().enumerate();
    all.filter(|(number, model)| {
        context.takes(*number, scope)
            && select.model.as_deref().is_none_or(|id| id == model.id)
            && select.facts.iter().all(|condition| fails(model, condition).is_none())
    })
    .map(|(number, _)| number)
    .collect()
}

fn measured<'a>(
    context: &TestContext<'a>,
    quantity: &Quantity,
    (metric, branch): (Metric, Option<&str>),
    scale: Scale,
    cells: &mut Cells<'a>,
) {
    let asked = quantity.protocol.unwrap_or(context.protocol);
    let (layer, back) = (quantity.select.layer, quantity.select.layers_before_last);
    if metric.describe().per_layer && layer.is_none() && back.is_none() {
        cells.missing.push(format!(
            "{metric} has a value per layer: the quantity must select one (layer or layers-before-last)"
        ));
        return;
    }
    let mut notes = LookupNotes::default();
    let mut unscaled = 0_u64;
    let mut repeated = BTreeSet::new();
    let mut found: Vec<(&'a Measurement, f64)> = Vec::new();
    let mut last: Option<(&str, &str)> = None;
    for number in models(context, &quantity.select) {
        let model = &context.index.models[number];
        let Ok(layer) = self::layer(context, number, &quantity.select) else { continue };
        let rows = context.index.rows(metric, asked, number, layer);
        let mut rows: Vec<(&IndexedRow<'_>, f64)> = rows
            .iter()
            .filter(|entry| entry.row.branch.as_deref() == branch)
            .filter(|entry| selected(entry.row, &quantity.select) && context.keeps(entry.row))
            .filter_map(|entry| {
                let value = scaled(entry.row.value, scale);
                unscaled += u64::from(value.is_none());
                Some((entry, value?))
            })
            .collect();
        // Rows of every layer come layer by layer.
        if layer.is_none() {
            rows.sort_by_key(|(entry, _)| entry.prompt_number());
        }
        let prompts: Vec<&[(&IndexedRow<'_>, f64)]> =
            rows.chunk_by(|a, b| a.0.prompt_number() == b.0.prompt_number()).collect();
        let has_prompts = prompts.iter().any(|rows| context.index.prompt(rows[0].0).is_some());
        // In the order of prompts, as the rows are.
        let (mut own, mut aggregate) = (Vec::new(), None);
        for rows in prompts {
            let prompt = context.index.prompt(rows[0].0);
            // An aggregate beside the model's own prompts is not used, so nothing is said about it.
            if prompt.is_none() && has_prompts {
                continue;
            }
            found.clear();
            found.extend(rows.iter().map(|(e, v)| (e.row, *v)));
            // One text under two names was run once: its number is not two.
            found.dedup_by(|next, kept| {
                let same =
                    next.1 == kept.1 && next.0.source == kept.0.source && next.0.prompt != kept.0.prompt;
                if same {
                    repeated.extend(prompt);
                }
                same
            });
            let value = found.iter().map(|(_, v)| v).sum::<f64>() / found.len() as f64;
            match prompt {
                Some(prompt) => {
                    let category = found.iter().find_map(|(r, _)| r.category.as_deref());
                    let set = context.index.sets(prompt).first().copied();
                    own.push((prompt, Cell { value, category, set }));
                }
                None => aggregate = Some(value),
            }
            for (row, _) in found.iter().filter(|(row, _)| row.protocol.is_some()) {
                // Neighbours mostly are of one run.
                if last != Some((&row.source, &row.dtype)) {
                    last = Some((&row.source, &row.dtype));
                    cells.sources.insert(&row.source);
                    cells.dtypes.insert(&row.dtype);
                }
            }
            notes.record(model.id, prompt, &found);
        }
        if !own.is_empty() || aggregate.is_some() {
            cells.models.insert(model.id, ModelCells { prompts: own.into_iter().collect(), aggregate });
        }
    }
    if unscaled > 0 {
        cells.notes.push(format!("{unscaled} rows of {metric} have no {} and were left out", root(scale)));
    }
    if !repeated.is_empty() {
        cells.notes.push(format!("prompts that two sets name differently count once: {}", repeated.len()));
    }
    cells.notes.extend(notes.sentences(metric, cells));
    if cells.models.is_empty() {
        cells.missing.push(absent(context, quantity, (metric, branch), asked));
    }
}

/// Every row that a quantity takes, model by model; of all layers where it selects none.
pub(super) fn rows<'a>(context: &TestContext<'a>, quantity: &Quantity) -> Vec<&'a Measurement> {
    let Some((metric, branch)) = quantity.filed() else { return Vec::new() };
    let asked = quantity.protocol.unwrap_or(context.protocol);
    let of = |number: usize| -> Vec<&'a Measurement> {
        let Ok(layer) = layer(context, number, &quantity.select) else { return Vec::new() };
        let entries = context.index.rows(metric, asked, number, layer).iter();
        let of_branch = entries.map(|entry| entry.row).filter(|row| row.branch.as_deref() == branch);
        of_branch.filter(|row| selected(row, &quantity.select)).collect()
    };
    models(context, &quantity.select).into_iter().flat_map(of).collect()
}

/// The layer that a quantity selects in this model; an error where the model does not have it.
fn layer(context: &TestContext<'_>, number: usize, select: &Select) -> Result<Option<u32>, ()> {
    let blocks = context.index.models[number].blocks;
    let counted = select.layers_before_last.map(|back| blocks.and_then(|blocks| blocks.checked_sub(back)));
    match (select.layer, counted) {
        // Depth unknown, or not that deep; or two layers named at once.
        (_, Some(None)) => Err(()),
        (Some(layer), Some(Some(counted))) if layer != counted => Err(()),
        (layer, counted) => Ok(layer.or(counted.flatten())),
    }
}

/// Whether a row of the right model, metric, protocol and layer is selected.
fn selected(row: &Measurement, select: &Select) -> bool {
    let same = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|w| w == found);
    let category = row.category.as_deref().unwrap_or("");
    same(&select.source, &row.source)
        && same(&select.dtype, &row.dtype)
        && select.prompt.as_deref().is_none_or(|p| row.prompt.as_deref() == Some(p))
        && !select.without_categories.iter().any(|c| c == category)
}

fn scaled(value: f64, scale: Scale) -> Option<f64> {
    let scaled = match scale {
        Scale::Linear => value,
        Scale::Log => value.ln(),
        Scale::AbsLog => value.ln().abs(),
        Scale::AbsMinusOne => (value - 1.0).abs(),
        Scale::Sqrt => value.sqrt(),
    };
    scaled.is_finite().then_some(scaled)
}

fn root(scale: Scale) -> &'static str {
    match scale {
        Scale::Log | Scale::AbsLog => "logarithm",
        Scale::Sqrt => "square root",
        Scale::Linear | Scale::AbsMinusOne => "finite value",
    }
}
