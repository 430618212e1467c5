//! Which models are worth measuring for a hypothesis.

use super::{
    hypothesis::{FactCondition, Hypothesis, ModelFilter},
    population::{HISTORY, fails, speaks_of_kinds},
};
use number::{evidence::Evidence, facts::ModelFacts, index::IndexedModel};

/// Whether a model is a stage of a training or was made here, by what the model list states of it.
pub fn is_derived(lineage: &ModelFacts) -> bool {
    !lineage.is_original()
}

/// Whether a model is worth measuring for a hypothesis: some prediction is judged on its kind of evidence, and it is no revision
/// or variant, or that prediction speaks of it, by a filter, by name, or by its kind of test. Of the facts only those count that
/// the model list states.
pub fn asks_for(hypothesis: &Hypothesis, id: &str, evidence: Evidence, lineage: &ModelFacts) -> bool {
    let mut predictions = hypothesis.predictions.iter().filter(|one| one.evidence.contains(&evidence));
    if !is_derived(lineage) {
        return predictions.next().is_some();
    }
    let facts = serde_json::to_value(lineage).unwrap_or_default(); // plain data always serialises
    let model = IndexedModel { id, facts, blocks: None, lineage: id };
    predictions.any(|prediction| {
        let filters: Vec<&ModelFilter> =
            std::iter::once(&hypothesis.models).chain(&prediction.models).collect();
        let names = |id: &str| filters.iter().any(|f| f.ids.iter().any(|listed| listed == id));
        let listed = |id: &str| filters.iter().all(|f| f.ids.is_empty() || f.ids.iter().any(|one| one == id));
        let stated = |c: &&FactCondition| HISTORY.contains(&c.fact.as_str());
        let passes = |conditions: &[FactCondition]| {
            conditions.iter().filter(stated).all(|condition| fails(&model, condition).is_none())
        };
        let asked_by_filter = filters.iter().any(|f| speaks_of_kinds(&f.facts)) || names(id);
        if asked_by_filter && listed(id) && filters.iter().all(|f| passes(&f.facts)) {
            return true;
        }
        let of_a_listed_one = listed(id) || lineage.base.as_deref().is_some_and(listed);
        let selects = prediction.test.parts().walk().into_iter().any(|(_, quantity)| {
            quantity.select.model.as_deref() == Some(id)
                || (speaks_of_kinds(&quantity.select.facts) && passes(&quantity.select.facts))
        });
        of_a_listed_one && (selects || prediction.test.kind().takes(lineage))
    })
}
