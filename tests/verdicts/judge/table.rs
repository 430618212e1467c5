//! Made-up tables and hypotheses, and short ways to read what was judged.

use base::hash::Key;
use number::{
    evidence::{Evidence, EvidenceTable, Measurement, ModelInfo, Tables},
    facts::ModelFacts,
    metric::Metric,
};
use study::judge::{
    hypothesis::Hypothesis,
    judge,
    outcome::{Curve, HypothesisOutcome, Judgement, PredictionOutcome, Verdict},
};

pub(super) const LAST: &str = "last/last-block/auto";
pub(super) const NEVER: &str = "last/last-block/never";

/// A claim about every model, and gains of six prompts that are for it, against it, and neither.
pub(super) const EXPANDS: &str = r#"
    test = { kind = "mean-by-model", of = { metric = "last-gain", scale = "log" }, against = 0.0 }
    [prediction.rule]
    supported = [{ statistic = "share-above", at-least = 1.0 }]
    contradicted = [{ statistic = "models-below", at-least = 1 }]
"#;
pub(super) const UP: [f64; 6] = [1.4, 1.5, 1.45, 1.6, 1.52, 1.48];
pub(super) const DOWN: [f64; 6] = [0.8, 0.7, 0.75, 0.81, 0.78, 0.76];
pub(super) const BOTH: [f64; 6] = [0.8, 1.3, 0.9, 1.2, 1.05, 0.95];

/// A table of published rows, built row by row.
#[derive(Clone, Default)]
pub(super) struct Table(pub EvidenceTable);

impl Table {
    pub(super) fn row(
        mut self,
        model: &str,
        prompt: &str,
        metric: Metric,
        protocol: &str,
        value: f64,
    ) -> Table {
        if !self.0.models.iter().any(|m| m.id == model) {
            let facts = ModelFacts { blocks: Some(4), norm: Some("rmsnorm".into()), ..ModelFacts::default() };
            self.0.models.push(ModelInfo { id: model.into(), evidence: Evidence::Published, facts });
        }
        self.0.rows.push(Measurement {
            evidence: Evidence::Published,
            source: "made-up".into(),
            model: model.into(),
            prompt: (!prompt.is_empty()).then(|| prompt.into()),
            category: None,
            metric,
            branch: None,
            layer: None,
            protocol: protocol.parse().ok(),
            dtype: "float32".into(),
            value,
            definition: "".into(),
        });
        self
    }

    /// Prompts p0, p1, … of one metric.
    pub(super) fn rows(self, model: &str, metric: Metric, protocol: &str, values: &[f64]) -> Table {
        let rows = values.iter().enumerate();
        rows.fold(self, |table, (i, &v)| table.row(model, &format!("p{i}"), metric, protocol, v))
    }

    /// A property of the weights, or somebody's mean over prompts.
    pub(super) fn whole(self, model: &str, metric: Metric, value: f64) -> Table {
        self.row(model, "", metric, LAST, value)
    }

    /// One number per layer 1, 2, … of one prompt.
    pub(super) fn layers(self, model: &str, metric: Metric, values: &[f64]) -> Table {
        (1..).zip(values).fold(self, |table, (layer, &v)| {
            table.row(model, "p0", metric, LAST, v).with(|row| row.layer = Some(layer))
        })
    }

    /// Changes the facts of a model that is there.
    pub(super) fn facts(mut self, model: &str, change: impl Fn(&mut ModelFacts)) -> Table {
        change(&mut self.0.models.iter_mut().find(|m| m.id == model).unwrap().facts);
        self
    }

    /// Changes the row just added.
    pub(super) fn with(mut self, change: impl Fn(&mut Measurement)) -> Table {
        change(self.0.rows.last_mut().unwrap());
        self
    }
}

/// A hypothesis of one prediction, with further keys of its own (`extra`).
pub(crate) fn hypothesis(extra: &str, prediction: &str) -> Hypothesis {
    let text = format!(
        r#"
        schema = 1
        id = "H0"
        title = "t"
        statement = "s"
        origin = "o"
        published-verdict = "v"
        status = "re-analysis"
        prompts = []
        protocol = "{LAST}"
        {extra}
        [models]
        [[prediction]]
        id = "H0a"
        claim = "c"
        {prediction}
        "#
    );
    toml::from_str(&text).unwrap_or_else(|e| panic!("{e}"))
}

/// A prediction of `test` (the inside of its table) with `extra` keys, judged by `rule` (the inside of its table).
pub(super) fn judged(extra: &str, test: &str, rule: &str, table: &Table) -> PredictionOutcome {
    published(&hypothesis("", &format!("{extra}\ntest = {{ {test} }}\nrule = {{ {rule} }}")), table)
}

/// What an untestable prediction says is missing.
pub(super) fn missing(outcome: &PredictionOutcome) -> String {
    assert_eq!(outcome.verdict, Verdict::Untestable, "{outcome:#?}");
    outcome.primary.missing.join("; ")
}

/// Judged on a table for each kind of evidence, in their order.
pub(super) fn apart(hypothesis: &Hypothesis, tables: [&EvidenceTable; 3]) -> HypothesisOutcome {
    let [published, measured, rehearsal] = tables;
    judge(hypothesis, Key::of_bytes(b"h"), Tables { published, measured, rehearsal }, 7)
}

pub(super) fn outcome(hypothesis: &Hypothesis, table: &Table) -> HypothesisOutcome {
    apart(hypothesis, [&table.0, &EvidenceTable::default(), &EvidenceTable::default()])
}

pub(super) fn published(hypothesis: &Hypothesis, table: &Table) -> PredictionOutcome {
    let outcome = outcome(hypothesis, table);
    outcome.predictions.into_iter().find(|p| p.evidence == Evidence::Published).unwrap()
}

/// The same rows as if observed here.
pub(super) fn measured(hypothesis: &Hypothesis, table: &Table) -> PredictionOutcome {
    let outcome = apart(hypothesis, [&EvidenceTable::default(), &table.0, &EvidenceTable::default()]);
    outcome.predictions.into_iter().find(|p| p.evidence == Evidence::Measured).unwrap()
}

pub(super) fn statistic(judgement: &Judgement, name: &str) -> Option<f64> {
    judgement.statistics.iter().find(|s| s.name == name).unwrap_or_else(|| panic!("no {name}")).value
}

pub(super) fn noted(judgement: &Judgement, text: &str) {
    assert!(
        judgement.notes.iter().any(|n| n.contains(text)),
        "no note says {text:?}: {:#?}",
        judgement.notes
    );
}

/// Models m0, m1, … that all expand.
pub(super) fn expanding(models: usize) -> Table {
    (0..models).fold(Table::default(), |table, m| {
        let scaled: Vec<f64> = UP.iter().map(|v| v * (1.0 + 0.05 * m as f64)).collect();
        table.rows(&format!("m{m}"), Metric::LastGain, LAST, &scaled)
    })
}

pub(super) fn curve(outcome: &HypothesisOutcome) -> &Curve {
    outcome.curves.iter().find(|c| c.evidence == Evidence::Published).unwrap()
}
