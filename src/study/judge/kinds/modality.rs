//! `modality`: are models of two sorts?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        findings::{Findings, point},
        hypothesis::Quantity,
        kind::{Kind, Parts},
        shared::units::unit,
        statistics::statistics,
    },
    stats::mixture_bic,
};

/// Whether the means of lineages fall into two heaps: Hartigan's dip, and BIC of one Gaussian less that of two. `two` is 1 where the dip is
/// significant or the difference of BIC is above `delta-bic`, else 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Modality {
    pub of: Quantity,
    #[serde(default = "ten")]
    pub delta_bic: f64,
}

fn ten() -> f64 {
    10.0
}

statistics! {
    Modality {
        dip_p,
        delta_bic,
        two,
        models,
        lineages,
        families,
    }
}

impl Kind for Modality {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)]).differing(["of"])
    }

    /// The estimates are the models' means.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new(unit(&self.of));
        let cells = context.enough(&self.of, &mut findings);
        findings.uses(cells.protocol);
        let lineages = context.lineages(cells.models.keys(), &mut findings);
        let means: Vec<f64> = lineages.series(&cells.by_model()).values().collect();
        let (dip, bic) = (context.cache.dip_p(&means), mixture_bic(&means));
        if dip.is_none() && bic.is_none() && !findings.lacks() {
            findings.missing.push(format!("more lineages whose means differ: have {}", means.len()));
        }
        for (model, cells) in &cells.models {
            findings.estimates.push(point(model, cells.mean(), cells.values().len()));
        }
        if dip.is_some() || bic.is_some() {
            findings.notes.push(
                "Hartigan's dip is tested against uniform values, the difference of BIC is that of one Gaussian less two; families of \
                 lineages may make heaps of their own"
                    .into(),
            );
        }
        let two = dip.is_some_and(|p| p < context.alpha) || bic.is_some_and(|b| b > self.delta_bic);
        findings.offer(Statistics {
            dip_p: dip,
            delta_bic: bic,
            two: (dip.is_some() || bic.is_some()).then_some(f64::from(u8::from(two))),
            models: Some(lineages.models() as f64),
            lineages: findings.lineages(),
            families: findings.families(),
        });
        findings
    }
}
