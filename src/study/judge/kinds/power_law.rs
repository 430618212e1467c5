//! `power-law`: y = coefficient x^exponent over models.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        findings::{Findings, estimate, point},
        hypothesis::{Quantity, Scale, Step},
        kind::{Fault, Kind, Parts},
        shared::families::leave_one_out,
        statistics::statistics,
    },
    stats::power_law,
};

/// Fit log y = log coefficient + exponent log x over lineages (means of models, means over prompts), interval of the exponent by Student's t. Both
/// quantities are linear: the fit takes the logarithms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PowerLaw {
    pub x: Quantity,
    pub y: Quantity,
    /// With it, `outside` is 1 where none of the interval of the exponent lies in the band, else 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<[f64; 2]>,
    #[serde(default)]
    pub across_protocols: bool,
}

statistics! {
    PowerLaw {
        exponent,
        low,
        high,
        coefficient,
        p,
        r2,
        outside,
        models,
        lineages,
        families,
        loo_lowest,
        loo_highest,
    }
}

impl Kind for PowerLaw {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("x", &self.x), ("y", &self.y)]).differing(["x", "y"]).compared(self.across_protocols)
    }

    fn faults(&self) -> Vec<Fault> {
        let logs = [("x", &self.x), ("y", &self.y)].into_iter().filter(|(_, q)| q.scale != Scale::Linear);
        let fault = |field| Fault {
            path: vec![Step::from(field), "scale".into()],
            message: "a power law takes the logarithms itself".into(),
            advice: "drop `scale`",
        };
        logs.map(|(field, _)| fault(field)).collect()
    }

    fn run(&self, context: &TestContext<'_>) -> Findings {
        let mut findings = Findings::new("exponent");
        let x = context.enough(&self.x, &mut findings);
        let y = context.enough(&self.y, &mut findings);
        let Some(pair) = findings.pair(&x.by_model(), &y.by_model(), self.across_protocols) else {
            return findings;
        };
        let lineages = context.lineages(pair.keys(), &mut findings);
        let (of_x, of_y) = (lineages.series(&x.by_model()), lineages.series(&y.by_model()));
        let Some(pair) = findings.pair(&of_x, &of_y, self.across_protocols) else { return findings };
        let fit = power_law(pair.x(), pair.y(), context.alpha);
        if fit.is_none() && !findings.lacks() {
            findings.missing.push(format!(
                "a power law needs at least three lineages with positive numbers that differ, have {}",
                pair.len()
            ));
        }
        if let Some(fit) = &fit {
            let interval = crate::stats::Interval { low: fit.low, high: fit.high };
            findings.estimates.push(estimate(
                "exponent",
                Some(fit.exponent),
                Some(interval),
                Some(fit.p),
                pair.len(),
            ));
            findings.notes.push("interval and p of the exponent: Student's t, lineages as units".into());
            for ((model, &x), &y) in pair.keys().iter().zip(pair.x()).zip(pair.y()) {
                let ratio = y / (fit.coefficient * x.powf(fit.exponent));
                findings.estimates.push(point(format!("{model} (over the fit)"), Some(ratio), 1));
            }
        }
        let without_families =
            leave_one_out(&mut findings, "the exponent", &lineages.families_of(pair.keys()), |stay| {
                let pick = |v: &[f64]| stay.iter().map(|&i| v[i]).collect::<Vec<_>>();
                power_law(&pick(pair.x()), &pick(pair.y()), context.alpha).map(|f| f.exponent)
            });
        findings.offer(Statistics {
            exponent: fit.as_ref().map(|f| f.exponent),
            low: fit.as_ref().map(|f| f.low),
            high: fit.as_ref().map(|f| f.high),
            coefficient: fit.as_ref().map(|f| f.coefficient),
            p: fit.as_ref().map(|f| f.p),
            r2: fit.as_ref().map(|f| f.r_squared),
            outside: fit
                .as_ref()
                .zip(self.band)
                .map(|(f, [least, most])| f64::from(u8::from(f.high < least || most < f.low))),
            models: Some(lineages.models() as f64),
            lineages: findings.lineages(),
            families: findings.families(),
            loo_lowest: without_families.lowest,
            loo_highest: without_families.highest,
        });
        findings
    }
}
