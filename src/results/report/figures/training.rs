//! What trained models look like along their training: one line per series of stages, read off measured rows.

use std::collections::{BTreeMap, BTreeSet};

use super::{Axis, Figure, Form, Mark, Series, pooled};
use number::evidence::{Evidence, Measurement};
use number::index::EvidenceIndex;
use number::metric::Metric;
use number::protocol::{Bos, Endpoint, Protocol, Reduction};
use number::text::Text;

const LAST: Protocol = Protocol::new(Reduction::Last, Endpoint::LastBlock, Bos::Auto);

/// The last gain and the loss over the training step. A figure without a series of at least two stages is left out.
pub fn training_figures(indices: &[(Evidence, EvidenceIndex<'_>)]) -> Vec<Figure> {
    let gain = Plan {
        key: "gain-along-training",
        title: "Last gain along the training",
        metric: Metric::LastGain,
        y: Axis { label: "last gain, ratio of norms", logarithmic: true },
        reference: Some(1.0),
        how: "Geometric mean over the prompts of every stage, bar: smallest and largest prompt. Every stage saw the same \
              prompts.",
    };
    let loss = Plan {
        key: "loss-along-training",
        title: "Loss on held-out text along the training",
        metric: Metric::Loss,
        y: Axis { label: "loss, nats per token", logarithmic: true },
        reference: None,
        how: "Geometric mean of the mean loss per token over the texts of every stage, bar: smallest and largest text. Every \
              stage saw the same texts.",
    };
    let figures = [gain, loss]
        .into_iter()
        .flat_map(|plan| indices.iter().map(move |(evidence, index)| plan.clone().figure(*evidence, index)));
    figures.filter(|figure| !figure.series.is_empty()).collect()
}

/// Training step, id of the model, its rows.
type Stage<'a> = (f64, &'a str, Vec<&'a Measurement>);

#[derive(Clone)]
struct Plan {
    key: &'static str,
    title: &'static str,
    metric: Metric,
    y: Axis,
    reference: Option<f64>,
    how: &'static str,
}

impl Plan {
    fn figure(self, evidence: Evidence, index: &EvidenceIndex<'_>) -> Figure {
        let mut by_model = BTreeMap::<&str, Vec<&Measurement>>::new();
        for row in index.under(self.metric, LAST).filter(|row| row.prompt.is_some()) {
            if row.value.is_finite() && row.value > 0.0 {
                by_model.entry(&row.model).or_default().push(row);
            }
        }
        let mut stages = BTreeMap::<&str, Vec<Stage<'_>>>::new();
        for model in &index.table.models {
            let (Some(series), Some(step)) = (&model.facts.series, model.facts.step) else { continue };
            // The axis of steps is logarithmic.
            if let Some(rows) = by_model.remove(model.id.as_str()).filter(|_| step > 0.0) {
                stages.entry(series).or_default().push((step, &model.id, rows));
            }
        }
        stages.retain(|_, stages| stages.len() > 1);
        let mut used: Vec<&Measurement> = Vec::new();
        let mut series = Vec::new();
        for (name, mut stages) in stages {
            stages.sort_by(|a, b| a.0.total_cmp(&b.0));
            keep_common_prompts(&mut stages);
            let marks: Vec<Mark> = stages
                .iter()
                .filter_map(|(step, model, rows)| {
                    used.extend(rows.iter().copied());
                    pooled(model.to_string(), *step, rows)
                })
                .collect();
            series.push(Series { name: name.to_string(), marks });
        }
        let mut sources: Vec<String> = used.iter().map(|row| row.source.to_string()).collect();
        sources.sort();
        sources.dedup();
        Figure {
            key: self.key,
            evidence,
            title: self.title,
            form: Form::Joined,
            x: Axis { label: "training step", logarithmic: true },
            y: self.y,
            reference: self.reference,
            series,
            protocols: self.metric.filed_under(LAST).into_iter().collect(),
            metrics: vec![self.metric],
            how: self.how,
            sources,
            rows: used.len(),
        }
    }
}

/// Stages are comparable only on prompts that all of them saw.
fn keep_common_prompts(stages: &mut [Stage<'_>]) {
    let seen = |stage: &Stage<'_>| -> BTreeSet<Option<Text>> {
        stage.2.iter().map(|row| row.prompt.clone()).collect()
    };
    let common =
        stages.iter().map(seen).reduce(|a, b| a.intersection(&b).cloned().collect()).unwrap_or_default();
    for (_, _, rows) in stages {
        rows.retain(|row| common.contains(&row.prompt));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use number::evidence::{EvidenceTable, ModelInfo};
    use number::facts::ModelFacts;

    /// A stage, its step, and gains of prompts.
    type Stage<'a> = (&'a str, f64, &'a [(&'a str, f64)]);

    fn table(stages: &[Stage<'_>]) -> EvidenceTable {
        let mut table = EvidenceTable::default();
        for (id, step, gains) in stages {
            let facts = ModelFacts { series: Some("m".into()), step: Some(*step), ..ModelFacts::default() };
            table.models.push(ModelInfo { id: id.to_string(), evidence: Evidence::Measured, facts });
            table.rows.extend(gains.iter().map(|(prompt, gain)| Measurement {
                evidence: Evidence::Measured,
                source: "streamgauge".into(),
                model: (*id).into(),
                prompt: Some((*prompt).into()),
                category: None,
                branch: None,
                metric: Metric::LastGain,
                layer: None,
                protocol: Some(LAST),
                dtype: "float32".into(),
                value: *gain,
                definition: "".into(),
            }));
        }
        table
    }

    #[test]
    fn stages_stand_in_the_order_of_their_steps_on_the_prompts_that_all_of_them_saw() {
        let late = [("a", 4.0), ("b", 1.0), ("only here", 100.0)];
        let table = table(&[("m", 100.0, &late), ("m-step10", 10.0, &[("a", 2.0), ("b", 2.0)])]);
        let figures = training_figures(&[(Evidence::Measured, EvidenceIndex::new(&table))]);
        let marks: Vec<(f64, f64, usize)> = figures[0].marks().map(|m| (m.x, m.y.round(), m.n)).collect();
        assert_eq!((figures.len(), marks), (1, vec![(10.0, 2.0, 2), (100.0, 2.0, 2)]));
    }

    #[test]
    fn one_stage_is_no_training() {
        let table = table(&[("m", 100.0, &[("a", 4.0)])]);
        assert_eq!(training_figures(&[(Evidence::Measured, EvidenceIndex::new(&table))]), []);
    }
}
