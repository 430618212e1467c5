//! Two groups of models: by a fact, or by the side of a quantity on which they lie.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judge::{
    cells::Cells,
    context::TestContext,
    findings::Findings,
    hypothesis::{FactValue, Quantity},
    kind::{Fault, Parts},
    shared::units::unit,
};

/// How models are grouped: which are group a; the others are b.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct By {
    /// With `is`: models whose fact has this value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fact: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is: Option<FactValue>,
    /// Group b has this value, not any other one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versus: Option<FactValue>,
    /// Models whose mean of this lies above `above`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Quantity>,
    /// 0 unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub above: Option<f64>,
}

impl By {
    /// Adds to what a test reads the quantity or fact that its groups are made by.
    pub(crate) fn join<'a>(&'a self, mut parts: Parts<'a>) -> Parts<'a> {
        let quantity = self.quantity.as_ref();
        parts.quantities.extend(quantity.map(|q| (vec!["by".into(), "quantity".into()], q)));
        let fact = self.fact.as_deref();
        parts.facts.extend(fact.map(|fact| (vec!["by".into(), "fact".into()], fact)));
        parts
    }

    pub(crate) fn faults(&self) -> Vec<Fault> {
        let By { fact, is, versus, quantity, above } = self;
        let good = match (fact, quantity) {
            (Some(_), None) => is.is_some() && above.is_none(),
            (None, Some(_)) => is.is_none() && versus.is_none(),
            (Some(_), Some(_)) | (None, None) => false,
        };
        let advice =
            "write by = { fact = \"norm\", is = \"rmsnorm\" } or by = { quantity = { ... }, above = 0 }";
        let message = "models are grouped by a fact and its value, or by the side of a quantity";
        (!good).then(|| Fault::new("by", message, advice)).into_iter().collect()
    }

    /// The two groups in words, e.g. `norm = rmsnorm` and `norm other than rmsnorm`.
    pub(crate) fn in_words(&self) -> [String; 2] {
        match (&self.fact, &self.is, &self.quantity) {
            (Some(fact), Some(is), _) => {
                let (is, versus) = (is.in_words(), self.versus.as_ref().map(FactValue::in_words));
                let other =
                    versus.map_or_else(|| format!("{fact} other than {is}"), |v| format!("{fact} = {v}"));
                [format!("{fact} = {is}"), other]
            }
            (_, _, Some(quantity)) => {
                let (name, above) = (unit(quantity), self.above.unwrap_or(0.0));
                [format!("{name} above {above}"), format!("{name} at most {above}")]
            }
            _ => ["group a".into(), "group b".into()],
        }
    }

    /// The models, each with its group (0 is a, 1 is b). `None` where the grouping itself is refused.
    pub(crate) fn sides<'a>(
        &self,
        context: &TestContext<'a>,
        cells: &Cells<'a>,
        findings: &mut Findings,
    ) -> Option<Vec<(&'a str, usize)>> {
        let models = || cells.models.keys().copied();
        let mut sides = Vec::new();
        if let Some(quantity) = &self.quantity {
            let by = context.enough(quantity, findings);
            if !findings.comparable(context, cells, &by) {
                return None;
            }
            let above = self.above.unwrap_or(0.0);
            for model in models() {
                match by.models.get(model).and_then(|m| m.mean()) {
                    Some(mean) => sides.push((model, usize::from(mean <= above))),
                    None => findings
                        .notes
                        .push(format!("{model} left out: no {} to group it by", quantity.name())),
                }
            }
            return Some(sides);
        }
        let (fact, is) = (self.fact.as_deref()?, self.is.as_ref()?);
        for model in models() {
            let facts = context.model(model)?;
            let is_one = |wanted: &FactValue| facts.fact(fact).map(|stated| wanted.equals(stated));
            match (is_one(is), self.versus.as_ref().map(is_one)) {
                (None, _) => findings.notes.push(format!("{model} left out: its {fact} is not known")),
                (Some(true), _) => sides.push((model, 0)),
                (Some(false), None | Some(Some(true))) => sides.push((model, 1)),
                (Some(false), Some(_)) => {}
            }
        }
        Some(sides)
    }
}
