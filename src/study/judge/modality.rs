//! `modality`: are models of two sorts?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    bench::{Bench, Tested, point},
    kind::{Kind, Parts},
    statistics::statistics,
    units::unit,
};
use crate::{config::hypothesis::Quantity, stats::mixture_bic};

/// Whether models' means fall into two heaps: Hartigan's dip, and BIC of one Gaussian less that of two. `two` is 1 where the dip is
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
    }
}

impl Kind for Modality {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("of", &self.of)])
    }

    /// The estimates are the models' means.
    fn run(&self, bench: &Bench<'_>) -> Tested {
        let mut tested = Tested::new(unit(&self.of));
        let cells = bench.enough(&self.of, &mut tested);
        tested.uses(cells.protocol);
        bench.enough_models(cells.models.keys().copied(), &mut tested);
        let means: Vec<f64> = cells.by_model().values().collect();
        let (dip, bic) = (bench.memo.dip_p(&means), mixture_bic(&means));
        if dip.is_none() && bic.is_none() && !tested.lacks() {
            tested.missing.push(format!("more models whose means differ: have {}", means.len()));
        }
        for (model, cells) in &cells.models {
            tested.estimates.push(point(model, cells.mean(), cells.values().len()));
        }
        if dip.is_some() || bic.is_some() {
            tested.notes.push(
                "dip-p: Hartigan's dip against uniform values; delta-bic: one Gaussian less two; relatives among the models \
                 count as unrelated and may make heaps of their own"
                    .into(),
            );
        }
        let two = dip.is_some_and(|p| p < bench.alpha) || bic.is_some_and(|b| b > self.delta_bic);
        tested.offer(Statistics {
            dip_p: dip,
            delta_bic: bic,
            two: (dip.is_some() || bic.is_some()).then_some(f64::from(u8::from(two))),
            models: Some(means.len() as f64),
        });
        tested
    }
}
