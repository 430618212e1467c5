//! `reproduce`: printed values against the numbers behind them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::judge::{
    context::TestContext,
    findings::{Findings, Known, point},
    hypothesis::Quantity,
    kind::{Kind, Parts},
    outcome::Judgement,
    statistics::statistics,
    verdict::Verdict,
};
use number::evidence::Evidence;

/// Printed values against the numbers behind them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reproduce {
    pub targets: Vec<Target>,
}

/// A printed value and the row it claims to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Target {
    pub of: Quantity,
    pub printed: f64,
}

statistics! {
    Reproduce {
        worst_relative_error,
    }
}

impl Kind for Reproduce {
    fn parts(&self) -> Parts<'_> {
        let path = |i: usize| vec!["targets".into(), i.into(), "of".into()];
        let quantities = self.targets.iter().enumerate().map(|(i, target)| (path(i), &target.of)).collect();
        Parts { quantities, ..Parts::default() }
    }

    /// The estimates are the numbers found; |found - printed| / |printed| decides. Published rows are what the printed values
    /// were copied from, so there the test can refute but not support: see [`Kind::amend`].
    fn run(&self, context: &TestContext<'_>) -> Findings {
        let targets = &self.targets;
        let mut findings = Findings::new("as printed");
        let mut worst: Option<f64> = None;
        for target in targets {
            let cells = context.cells(&target.of, &mut findings);
            findings.uses(cells.protocol);
            let Some(found) = cells.only().and_then(|s| s.values().next()) else {
                if cells.models.len() > 1 {
                    let of = target.of.name();
                    findings.missing.push(format!(
                        "{of} printed as {}: the target must select one model",
                        target.printed
                    ));
                }
                continue;
            };
            // `only` gave a number, so there is one model.
            for (model, cells) in &cells.models {
                let prompt = target.of.select.prompt.as_deref().map(|p| format!(", {p}")).unwrap_or_default();
                let label = format!("{model}{prompt} (printed {})", target.printed);
                findings.estimates.push(point(label, Some(found), cells.values().len()));
            }
            let error = (found - target.printed).abs() / target.printed.abs();
            worst = Some(worst.map_or(error, |w| w.max(error)));
        }
        findings.known.insert("worst-relative-error", Known::AtLeast);
        findings.offer(Statistics { worst_relative_error: worst });
        findings
    }

    /// A value that agrees with the published row it was copied from has been copied right; nothing was reproduced.
    fn amend(&self, judgement: &mut Judgement) {
        if judgement.evidence == Evidence::Published && judgement.verdict == Verdict::Supported {
            judgement.verdict = Verdict::Untestable;
            judgement.missing.push("a second run: these rows are where the printed values come from".into());
            judgement.because = format!(
                "{}, but these rows are where the printed values come from: copied right, not reproduced",
                judgement.because
            );
        }
    }
}
