//! Made-up tables and hypotheses, and short ways to read what was judged.

use streamgauge::{
    config::hypothesis::Hypothesis,
    evidence::{Evidence, EvidenceTable, Measurement, ModelInfo},
    facts::ModelFacts,
    hash::Key,
    judge::{
        judge,
        outcome::{HypothesisOutcome, Judgement, PredictionOutcome, Verdict},
    },
    metric::Metric,
};

pub const LAST: &str = "last/last-block/auto";

/// A table of published rows, built row by row.
#[derive(Clone, Default)]
pub struct Table(pub EvidenceTable);

impl Table {
    pub fn row(mut self, model: &str, prompt: &str, metric: Metric, protocol: &str, value: f64) -> Table {
        if !self.0.models.iter().any(|m| m.id == model) {
            let facts = ModelFacts { blocks: Some(4), norm: Some("rmsnorm".into()), ..ModelFacts::default() };
            self.0.models.push(ModelInfo { id: model.into(), facts });
        }
        self.0.rows.push(Measurement {
            evidence: Evidence::Published,
            source: "made-up".into(),
            model: model.into(),
            prompt: (!prompt.is_empty()).then(|| prompt.to_string()),
            category: None,
            metric,
            layer: None,
            protocol: protocol.parse().ok(),
            dtype: "float32".into(),
            value,
            definition: String::new(),
        });
        self
    }

    /// Prompts p0, p1, … of one metric.
    pub fn rows(self, model: &str, metric: Metric, protocol: &str, values: &[f64]) -> Table {
        let rows = values.iter().enumerate();
        rows.fold(self, |table, (i, &v)| table.row(model, &format!("p{i}"), metric, protocol, v))
    }

    /// A property of the weights, or somebody's mean over prompts.
    pub fn whole(self, model: &str, metric: Metric, value: f64) -> Table {
        self.row(model, "", metric, LAST, value)
    }

    /// One number per layer 1, 2, … of one prompt.
    pub fn layers(self, model: &str, metric: Metric, values: &[f64]) -> Table {
        (1..).zip(values).fold(self, |table, (layer, &v)| {
            table.row(model, "p0", metric, LAST, v).with(|row| row.layer = Some(layer))
        })
    }

    /// Changes the facts of a model that is there.
    pub fn facts(mut self, model: &str, change: impl Fn(&mut ModelFacts)) -> Table {
        change(&mut self.0.models.iter_mut().find(|m| m.id == model).unwrap().facts);
        self
    }

    /// Changes the row just added.
    pub fn with(mut self, change: impl Fn(&mut Measurement)) -> Table {
        change(self.0.rows.last_mut().unwrap());
        self
    }
}

pub fn hypothesis(extra: &str, prediction: &str) -> Hypothesis {
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
pub fn judged(extra: &str, test: &str, rule: &str, table: &Table) -> PredictionOutcome {
    published(&hypothesis("", &format!("{extra}\ntest = {{ {test} }}\nrule = {{ {rule} }}")), table)
}

/// What an untestable prediction says is missing.
pub fn missing(outcome: &PredictionOutcome) -> String {
    assert_eq!(outcome.verdict, Verdict::Untestable, "{outcome:#?}");
    outcome.primary.missing.join("; ")
}

pub fn outcome(hypothesis: &Hypothesis, table: &Table) -> HypothesisOutcome {
    judge(hypothesis, Key::of_bytes(b"h"), &table.0, &EvidenceTable::default(), 7)
}

pub fn published(hypothesis: &Hypothesis, table: &Table) -> PredictionOutcome {
    let outcome = outcome(hypothesis, table);
    outcome.predictions.into_iter().find(|p| p.evidence == Evidence::Published).unwrap()
}

/// The same rows as if observed here.
pub fn measured(hypothesis: &Hypothesis, table: &Table) -> PredictionOutcome {
    let outcome = judge(hypothesis, Key::of_bytes(b"h"), &EvidenceTable::default(), &table.0, 7);
    outcome.predictions.into_iter().find(|p| p.evidence == Evidence::Measured).unwrap()
}

pub fn statistic(judgement: &Judgement, name: &str) -> Option<f64> {
    judgement.statistics.iter().find(|s| s.name == name).unwrap_or_else(|| panic!("no {name}")).value
}

pub fn noted(judgement: &Judgement, text: &str) {
    assert!(
        judgement.notes.iter().any(|n| n.contains(text)),
        "no note says {text:?}: {:#?}",
        judgement.notes
    );
}
