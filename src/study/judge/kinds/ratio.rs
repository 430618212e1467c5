//! `ratio`: one number over another.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        cells::Cells,
        context::TestContext,
        findings::{Findings, point},
        hypothesis::Quantity,
        kind::{Kind, Parts},
        statistics::{Null, statistics},
    },
    stats::Units,
};

/// One number over another. With `band`, `inside` says whether the ratio lies in it (1) or not (0). `single` is the ratio where both are
/// one forward pass: then nothing is sampled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Ratio {
    pub numerator: Quantity,
    pub denominator: Quantity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<[f64; 2]>,
    #[serde(default)]
    pub across_protocols: bool,
}

statistics! {
    Ratio {
        ratio,
        inside,
        single,
    }
    effect { ratio: Null::ByName(1.0), } of {  }
}

impl Kind for Ratio {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("numerator", &self.numerator), ("denominator", &self.denominator)])
            .compared(self.across_protocols)
    }

    /// With one model on each side, the ratio of their means over the selected rows; with several, each model's own
    /// ratio, and their geometric mean over lineages as the statistic.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let Ratio { numerator, denominator, band, across_protocols } = self;
        let across = *across_protocols;
        let mut findings = Findings::new("ratio");
        let mut single = None;
        let top = context.enough(numerator, &mut findings);
        let bottom = context.enough(denominator, &mut findings);
        let ratio = if let (Some(a), Some(b)) = (top.only(), bottom.only()) {
            let n = bottom.models.values().map(|m| m.values().len()).sum();
            let pair = findings.pair(&a, &b, across);
            let ratio = pair.map(|p| p.x()[0] / p.y()[0]);
            context.lineages(top.models.keys().take(1), &mut findings);
            findings.estimates.push(point("ratio", ratio, n));
            let rows = |cells: &Cells<'_>| cells.models.values().map(|m| m.values().len()).sum::<usize>();
            single = ratio.filter(|_| rows(&top) == 1 && rows(&bottom) == 1);
            ratio
        } else if let Some(pair) = findings.pair(&top.by_model(), &bottom.by_model(), across) {
            if pair.is_empty() && !findings.lacks() {
                findings.missing.push("no model has both numbers".into());
            }
            let lineages = context.lineages(pair.keys(), &mut findings);
            let sides = pair.x().iter().zip(pair.y()).map(|(x, y)| x / y);
            let ratios: BTreeMap<&str, f64> = pair.keys().iter().copied().zip(sides).collect();
            for (model, ratio) in &ratios {
                findings.estimates.push(point(model, Some(*ratio), 1));
            }
            if lineages.len() > 1 {
                findings.notes.push(format!("ratio is the geometric mean over {} lineages", lineages.len()));
            }
            let logs = lineages.means(|model| ratios.get(model).map(|ratio| ratio.ln()));
            let finite = logs.iter().filter(|(_, log)| log.is_finite());
            let deviations = finite.map(|(lineage, log)| (lineage.to_string(), *log)).collect();
            findings.units = Some(Units::Signs { of: "lineages", deviations });
            Some((logs.iter().map(|(_, log)| log).sum::<f64>() / logs.len() as f64).exp())
        } else {
            None
        };
        // A geometric mean of ratios that are not all positive is no number, and lies nowhere.
        let ratio = ratio.filter(|ratio| !ratio.is_nan());
        let inside =
            ratio.zip(*band).map(|(ratio, [low, high])| f64::from(u8::from(low <= ratio && ratio <= high)));
        findings.offer(Statistics { ratio, inside, single });
        findings
    }
}
