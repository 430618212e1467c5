//! Checks the quantities, facts and conditions that a test refers to.

use super::common::Found;
use crate::config::document::{Document, Step};
use crate::config::schema::{FactType, facts};
use crate::judge::hypothesis::{FactCondition, Quantity, Select, Test};

/// Checks one test (of prediction `p`): its quantities, the facts it names, and what its kind finds wrong with it.
pub(super) fn test(document: &Document, p: usize, test: &Test, found: &mut Found) {
    let root = [Step::from("prediction"), p.into(), "test".into()];
    let parts = test.parts();
    for (path, one) in parts.walk() {
        quantity(document, &[&root[..], &path].concat(), one, parts.all_layers, found);
    }
    for (path, name) in parts.facts {
        known_fact(document, &[&root[..], &path].concat(), name, found);
    }
    for (path, select) in parts.selects {
        let path = [&root[..], &path].concat();
        conditions(document, &[&path[..], &["where".into()]].concat(), &select.facts, found);
    }
    for fault in test.kind().faults() {
        let path = [&root[..], &fault.path].concat();
        found.push(document.error(&path, fault.message).suggest(fault.advice));
    }
}

fn quantity(document: &Document, here: &[Step], one: &Quantity, all_layers: bool, found: &mut Found) {
    let under = |key: &'static str| [here, &[Step::Key(key)]].concat();
    conditions(document, &[&under("select")[..], &["where".into()]].concat(), &one.select.facts, found);
    let (layer, back) = (one.select.layer, one.select.layers_before_last);
    let metric = match (one.metric, &one.fact) {
        (Some(metric), None) => metric,
        (None, Some(_)) if one.branch.is_some() => {
            let message = "a fact is of the model, not of one branch of its blocks";
            found.push(document.error(&under("branch"), message).suggest("drop the branch"));
            return;
        }
        (None, Some(fact)) => {
            if known_fact(document, &under("fact"), fact, found).is_some_and(|kind| kind != FactType::Number)
            {
                let message = format!("fact `{fact}` is no number");
                found.push(document.error(&under("fact"), message).suggest("a quantity is a number"));
            }
            if one.select
                != (Select {
                    model: one.select.model.clone(),
                    facts: one.select.facts.clone(),
                    ..Select::default()
                })
            {
                let message = "a fact is one number per model: there are no rows to select";
                found
                    .push(document.error(&under("select"), message).suggest("keep `model` and `where` only"));
            }
            return;
        }
        (Some(_), Some(_)) => {
            let message = "a quantity is a metric or a fact, not both";
            found
                .push(document.error(&under("fact"), message).suggest("combine them with `times` or `over`"));
            return;
        }
        (None, None) => {
            let message = "a quantity needs `metric` or `fact`";
            found.push(document.error(here, message).suggest("add e.g. metric = \"last-gain\""));
            return;
        }
    };
    match (metric.is_of_branch(), &one.branch) {
        (true, None) => {
            let message = format!("{metric} is of one branch of the blocks, and none is named");
            let advice =
                "add branch = \"attn\", \"mlp\" or the name that the taps of another branch begin with";
            found.push(document.error(here, message).suggest(advice));
        }
        (false, Some(_)) => {
            let message = format!("{metric} is no metric of a branch");
            let advice = "drop the branch, or take branch-write, branch-gain, branch-over-residual or branch-off-diagonal";
            found.push(document.error(&under("branch"), message).suggest(advice));
        }
        (true, Some(branch)) if one.filed().is_none() => {
            let message = format!("the branch {branch} has no {metric}");
            found.push(document.error(&under("branch"), message).suggest("take a branch that attends"));
        }
        _ => {}
    }
    let select = under("select");
    match (metric.describe().per_layer, layer, back) {
        (true, None, None) if all_layers => {}
        (_, Some(_), _) | (_, _, Some(_)) if all_layers => {
            let message = "this test reads every layer: its quantities select none";
            found.push(document.error(&select, message).suggest("drop the layer"));
        }
        (false, None, None) if all_layers => {
            let message = format!("{metric} has one value, this test compares layers");
            found.push(document.error(here, message).suggest("take a metric with a value per layer"));
        }
        (_, Some(_), Some(_)) => {
            let message = "`layer` and `layers-before-last` name a layer twice";
            found.push(document.error(&select, message).suggest("drop one of the two"));
        }
        (true, None, None) => {
            let message = format!("{metric} has a value per layer and selects none");
            let advice = "add select = { layers-before-last = 0 } (or `layer`)";
            found.push(document.error(here, message).suggest(advice));
        }
        (false, Some(_), _) | (false, _, Some(_)) => {
            let message = format!("{metric} has no layers to select from");
            let advice = "drop the layer, or take residual-norm or layer-gain";
            found.push(document.error(&select, message).suggest(advice));
        }
        (true, ..) | (false, None, None) => {}
    }
}

/// The type of a fact; a name that models do not have is reported.
fn known_fact(document: &Document, path: &[Step], name: &str, found: &mut Found) -> Option<FactType> {
    let facts = facts();
    let kind = facts.iter().find(|(known, _)| known == name).map(|(_, kind)| *kind);
    if kind.is_none() {
        let known: Vec<&str> = facts.iter().map(|(name, _)| name.as_str()).collect();
        let error = document.error(path, format!("models have no fact `{name}`"));
        let error = error.suggest(format!("facts: {}", known.join(", ")));
        found.push(error.suggest_nearest(name, known));
    }
    kind
}

/// Conditions on facts: known facts, bounds that can hold.
pub(super) fn conditions(
    document: &Document,
    path: &[Step],
    conditions: &[FactCondition],
    found: &mut Found,
) {
    for (f, condition) in conditions.iter().enumerate() {
        let here = [path, &[f.into()]].concat();
        let name = [&here[..], &["fact".into()]].concat();
        let Some(kind) = known_fact(document, &name, &condition.fact, found) else { continue };
        if condition.is.is_none() && condition.at_least.is_none() && condition.at_most.is_none() {
            let message =
                format!("condition on fact `{}` has no `is`, `at-least` or `at-most`", condition.fact);
            found.push(document.error(&here, message));
        }
        if kind != FactType::Number && (condition.at_least.is_some() || condition.at_most.is_some()) {
            let message = format!("fact `{}` is no number: it cannot be at-least or at-most", condition.fact);
            found.push(document.error(&here, message).suggest("use `is`"));
        }
        if let (Some(low), Some(high)) = (condition.at_least, condition.at_most)
            && low > high
        {
            let message =
                format!("condition can never hold: {} at-least {low} and at-most {high}", condition.fact);
            found.push(document.error(&here, message));
        }
    }
}
