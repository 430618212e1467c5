//! `log-ratio-split`: how much of log(b/a) comes from the prompt, how much from the method.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    judge::{
        context::TestContext,
        findings::{Findings, point},
        hypothesis::{Quantity, Scale, Select},
        kind::{Fault, Kind, Parts},
        statistics::statistics,
    },
    stats::log_ratio_split,
};
use number::metric::Series;

/// Shapley split of log(b/a) into a prompt part and a method part, from the corner with b's prompt and a's method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LogRatioSplit {
    pub a: Quantity,
    pub b: Quantity,
    pub corner: Quantity,
    #[serde(default)]
    pub across_protocols: bool,
}

statistics! {
    LogRatioSplit {
        method_share,
        method_share_low,
        prompt_share,
        log_ratio,
        orders,
    }
}

impl Kind for LogRatioSplit {
    fn parts(&self) -> Parts<'_> {
        Parts::of([("a", &self.a), ("b", &self.b), ("corner", &self.corner)]).compared(self.across_protocols)
    }

    fn faults(&self) -> Vec<Fault> {
        let scaled = [("a", &self.a), ("b", &self.b), ("corner", &self.corner)];
        let scaled = scaled.into_iter().filter(|(_, quantity)| quantity.scale != Scale::Linear);
        let fault = |field: &'static str| Fault {
            path: vec![field.into(), "scale".into()],
            message: "a log-ratio split takes the logarithm itself".into(),
            advice: "drop `scale`",
        };
        scaled.map(|(field, _)| fault(field)).collect()
    }

    /// `corner` has b's prompt and a's method. The opposite corner (a's prompt, b's method) is looked up too: with it the
    /// split walks both orders.
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let LogRatioSplit { a, b, corner, across_protocols } = self;
        let across = *across_protocols;
        let mut findings = Findings::new("share of log ratio");
        if [a, b, corner].iter().any(|q| q.scale != Scale::Linear) {
            findings.missing.push(
                "refused: a log-ratio split takes its own logarithm, its quantities must be linear".into(),
            );
            return findings;
        }
        let one = |name: &str, quantity: &Quantity, findings: &mut Findings| -> Option<Series<()>> {
            let cells = context.cells(quantity, findings);
            if cells.models.len() > 1 {
                findings.missing.push(format!("{name} must select one model, found {}", cells.models.len()));
            }
            cells.only()
        };
        let found =
            (one("a", a, &mut findings), one("b", b, &mut findings), one("corner", corner, &mut findings));
        let (Some(from), Some(to), Some(via)) = found else { return findings };
        // a and its corner share the method; b is the other method.
        let (Some(first), Some(second)) =
            (findings.pair(&from, &via, false), findings.pair(&via, &to, across))
        else {
            return findings;
        };
        let opposite =
            Quantity { select: Select { prompt: a.select.prompt.clone(), ..b.select.clone() }, ..b.clone() };
        let mut aside = Findings::default();
        let opposite = one("opposite corner", &opposite, &mut aside).and_then(|s| s.values().next());
        let (from, via, to) = (first.x()[0], first.y()[0], second.y()[0]);
        let Some(split) = log_ratio_split(from, to, via, opposite) else {
            findings.missing.push(format!("a = {from} and b = {to} have no log ratio to split"));
            return findings;
        };
        findings.notes.push("single rows: no sampling error is known, so shares have no interval".into());
        if split.orders == 1 {
            findings.notes.push(
                "the opposite corner (a's prompt, b's method) does not exist here: one order only, so interaction counts as \
                 method"
                    .into(),
            );
        }
        for (label, value) in [
            ("a", Some(from)),
            ("corner", Some(via)),
            ("opposite corner", opposite),
            ("b", Some(to)),
            ("prompt share", Some(split.prompt_share)),
            ("method share", Some(split.method_share)),
        ] {
            findings.estimates.extend(value.map(|v| point(label, Some(v), 1)));
        }
        findings.offer(Statistics {
            method_share: Some(split.method_share),
            method_share_low: Some(split.method_share_low),
            prompt_share: Some(split.prompt_share),
            log_ratio: Some(split.log_ratio),
            orders: Some(f64::from(split.orders)),
        });
        findings
    }
}
